"""The API's documents as tests use them, and a recorder that holds every message against them.

Documents are read with deploy/dev/api-reference's own reader. The recorder knows of each message of
asyncapi.yaml whether it was seen, and of each method whether it was refused. What a client sends is
held against the documents too: what they allow must not be refused for its form, what they exclude
must be.
"""

import importlib.machinery
import importlib.util
import json
import os
from collections import Counter

import jsonschema
from client import BrokenPromise, Client
from market import SOURCE_ROOT

SCRIPT = os.path.join(SOURCE_ROOT, "deploy/dev/api-reference")
# Refusals for the form of a request alone.
FORM = {"malformed_json", "not_an_object", "duplicate_key", "method_missing", "unknown_method",
        "unknown_field", "missing_field", "wrong_type", "malformed_number", "malformed_decimal",
        "out_of_range", "malformed_text", "unknown_value", "conflicting_fields",
        "unknown_channel", "field_not_for_side", "price_not_positive"}
# Names of the catalogue, which the documents do not list.
CATALOGUE_PARAMS = ("hardware_class", "region")


def load_script():
    """deploy/dev/api-reference, as a module."""
    loader = importlib.machinery.SourceFileLoader("api_reference", SCRIPT)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


SCRIPT_MODULE = load_script()
PROTOCOL = SCRIPT_MODULE.PROTOCOL


def load_document(name):
    """asyncapi.yaml or openapi.yaml, each reference replaced by what it refers to."""
    documents = SCRIPT_MODULE.Documents({})
    path = os.path.join(PROTOCOL, name)
    return documents.whole(documents.load(path), path)


def faults_of(validator, value):
    """What is wrong with it, the deepest of each alternative."""
    return [f"{'/'.join(map(str, deepest.absolute_path))}: {deepest.message}"[:400]
            for deepest in map(deepest_fault, validator.iter_errors(value))]


def deepest_fault(error):
    while error.context:
        error = max(error.context, key=lambda each: len(each.absolute_path))
    return error


def is_refused_for_form(reply):
    """Whether it, or an item of a batch, is."""
    if any(is_refused_for_form(item) for item in reply.get("result", {}).get("items", [])):
        return True
    error = reply.get("error")
    if error is None or error["code"] not in FORM:
        return False
    return error["code"] != "unknown_value" or error["data"]["param"] not in CATALOGUE_PARAMS


class Recorder:
    """All messages of all connections."""

    def __init__(self):
        self.document = load_document("asyncapi.yaml")
        self.messages = self.document["channels"]["ws"]["messages"]
        self.validators = {name: jsonschema.Draft7Validator(message["payload"])
                           for name, message in self.messages.items()}
        self.operations = {name: operation for name, operation in self.document["operations"].items()
                           if operation["action"] == "receive"}
        self.seen = Counter()
        self.refused = {}  # {method: {codes}}
        self.samples = {}  # {name of a message: the first one seen}
        self.accepted = {}  # {method: the last request of it that succeeded}

    def faults(self, name, message):
        return faults_of(self.validators[name], message)

    def note(self, name, message):
        """Holds a message of the exchange against the one that it must be."""
        if name not in self.messages:
            raise BrokenPromise(f"the documents have no message {name}: {message}")
        faults = self.faults(name, message)
        if faults:
            raise BrokenPromise(f"{name} is not as documented: {faults}: {message}")
        self.seen[name] += 1
        self.samples.setdefault(name, message)

    def request_faults(self, text):
        """What the documents say is wrong with a request."""
        try:
            request = json.loads(text)
        except ValueError:
            return ["it is no request"]
        if not isinstance(request, dict) or request.get("method") not in self.operations:
            return ["it is no request"]
        faults = self.faults(request["method"], request)
        if not faults:
            self.seen[request["method"]] += 1
            self.samples.setdefault(request["method"], request)
        return faults

    def answered(self, method, request, faults, reply):
        """Holds the answer to a request against what the documents say of the request."""
        if not reply["success"]:
            self.refused.setdefault(method, set()).add(reply["error"]["code"])
        if faults and not is_refused_for_form(reply):
            raise BrokenPromise(f"documented as wrong ({faults}) is {request}, but: {reply}")
        if not faults and is_refused_for_form(reply):
            raise BrokenPromise(f"documented as right is {request}, but: {reply}")
        if reply["success"]:
            self.accepted[method] = request

    def received(self, message):
        if "channel" in message:
            notice = message["channel"] == "status" and "seq" not in message
            kind = "notice" if notice else message["type"]
            self.note(f"{message['channel']}.{kind}", message)
        else:
            self.note(f"{message.get('method')}.reply" if message["success"] else "error", message)

    # -- What is missing in the end

    def unseen(self):
        return sorted(set(self.messages) - set(self.seen))

    def never_refused(self):
        return sorted(set(self.operations) - set(self.refused))


class RecordedClient(Client):
    """A client all of whose messages are recorded."""

    recorder = None  # of the class that a test makes for itself

    def __init__(self, connection, server_name):
        self._sent = {}
        self.topics = set()  # that `listen` has subscribed to, by channel, symbol and interval
        send = connection.send

        async def send_recorded(data):
            self._record(data)
            await send(data)

        connection.send = send_recorded
        super().__init__(connection, server_name)

    def _record(self, data):
        faults = self.recorder.request_faults(data)
        try:
            request = json.loads(data)
        except ValueError:
            return
        if isinstance(request, dict) and isinstance(request.get("req_id"), int):
            self._sent[request["req_id"]] = (request, faults)

    async def listen(self, channel, symbol=None, interval=None):
        """Subscribes to a channel that is only recorded; returns once its snapshot is there."""
        topic = {"channel": channel, "symbol": symbol, "interval": interval}
        self.topics.add((channel, symbol, interval))
        seen = self.recorder.seen[f"{channel}.snapshot"]
        await self.call("subscribe", **{key: value for key, value in topic.items() if value})
        await self.wait(lambda: self.recorder.seen[f"{channel}.snapshot"] > seen, f"the snapshot of {topic}")

    def _take(self, message):
        self.recorder.received(message)
        topic = tuple(message.get(key) for key in ("channel", "symbol", "interval"))
        if topic in self.topics:
            if message["type"] == "closed":
                self.topics.remove(topic)
            return
        if "channel" not in message and message.get("req_id") in self._sent:
            request, faults = self._sent.pop(message["req_id"])
            if "method" in message:
                self.recorder.answered(message["method"], request, faults, message)
        super()._take(message)
