#!/usr/bin/python3
"""The API's documents against the running exchange: every message that is sent and received, every
method and channel, every reason; and what the documents exclude is refused."""

import asyncio
import base64
import copy
import json
import os
import re
import tempfile
import unittest
import urllib.error
import urllib.request

import api_documents
import jsonschema
import market
from api_documents import PROTOCOL, SCRIPT_MODULE, Recorder, RecordedClient, load_document
from client import REASONS, BrokenPromise, Key, Refused, logon_message, now_us
from market import DEFAULT_CATALOGUE, SERVER_NAME, SOURCE_ROOT, Market
from market_test_case import (FEEDS, HARDWARE_CLASS, MINUTE_US, REGION, MarketTestCase,
                              heartbeat_params, unique)

SETTLED_S = 40
WINDOW_MINUTES = 10
LEAD_MINUTES = 5  # to trade before a window begins
# Not to be tried with odd parameters that the documents allow: they change who is logged on, and
# cannot only be checked.
SESSION_METHODS = ("session.logon", "session.logout", "session.resume", "account.open")
SYMBOL_CHANNELS = ("book", "orders", "trades", "ticker")
ODD_VALUES = [None, True, -1, 0, 1, 2**31, 2**53, "", "0", "-1", "1.5", "01", "nonsense", "a" * 97, [],
              ["nonsense"], {}, [{}]]


def read(path):
    with open(os.path.join(SOURCE_ROOT, path), encoding="utf-8") as file:
        return file.read()


def objects_in(value, path=()):
    """The paths of all objects inside a message."""
    if isinstance(value, dict):
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(
        value) if isinstance(value, list) else ()
    for key, child in children:
        yield from objects_in(child, path + (key,))


def at(value, path):
    for key in path:
        value = value[key]
    return value


class DocumentsTest(unittest.TestCase):
    """The documents alone, and against the sources."""

    @classmethod
    def setUpClass(cls):
        cls.recorder = Recorder()
        cls.raw = SCRIPT_MODULE.Documents({}).load(os.path.join(PROTOCOL, "asyncapi.yaml"))

    def test_the_generated_files_are_up_to_date(self):
        done = market.run([api_documents.SCRIPT, "--check"])
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_methods_are_those_of_the_gateway(self):
        source = read("gateway/protocol/methods.h")
        rows = re.findall(r'\{Method::\w+, "([\w.]+)",\s*(true|false),\s*(.+?),\s*(true|false)\}', source, re.S)
        expected = {}
        for name, needs_logon, scope, admin_only in rows:
            scope = re.search(r"Scope::k(\w+)", scope)
            rule = {"x-scope": scope.group(1).lower() if scope else "none"} if needs_logon == "true" else {}
            expected[name] = rule | ({"x-listener": "admin"} if admin_only == "true" else {})
        self.assertEqual(len(rows), source.count("{Method::k"))
        documented = {name: {key: operation[key] for key in ("x-scope", "x-listener") if key in operation}
                      for name, operation in self.recorder.operations.items()}
        self.assertEqual(documented, expected)
        for name in documented:
            self.assertEqual(self.raw["operations"][name]["messages"],
                             [{"$ref": f"#/channels/ws/messages/{name}"}])

    def test_requests_count_for_what_the_gateway_takes(self):
        source = re.search(r"int64_t TokensFor\(.*?\n}", read("gateway/admission/gatekeeper.cc"), re.S)
        expected = {}
        for cases, tokens in re.findall(r"((?:case Method::k\w+:\s*)+)return (\d+);", source.group()):
            for name in re.findall(r"k(\w+):", cases):
                expected[name] = int(tokens)
        names = dict(re.findall(r'\{Method::k(\w+), "([\w.]+)"', read("gateway/protocol/methods.h")))
        documented = {name: operation["x-requests"] for name, operation in
                      self.recorder.operations.items() if "x-requests" in operation}
        self.assertEqual(documented, {names[name]: tokens for name, tokens in expected.items()})

    def test_channels_are_those_of_the_gateway(self):
        source = re.search(r"kChannelNames = \{(.*?)\}", read("gateway/protocol/methods.h"), re.S)
        names = set(re.findall(r'"(\w+)"', source.group(1)))
        documented = {name.removeprefix("channel.") for name, operation in
                      self.raw["operations"].items() if operation["action"] == "send"}
        self.assertEqual(documented, names)
        common = SCRIPT_MODULE.Documents({}).load(os.path.join(PROTOCOL, "schemas/common.yaml"))
        self.assertEqual(set(common["Channel"]["enum"]), names)

    def test_words_are_those_of_the_market(self):
        common = SCRIPT_MODULE.Documents({}).load(os.path.join(PROTOCOL, "schemas/common.yaml"))
        words = {name: re.findall(r'"(\w+)"', text) for name, text in re.findall(
            r"struct EnumNames<(\w+)> \{.*?kNames = \{(.*?)\};", read("schema/types/enums.h"), re.S)}
        shared = set(words) & set(common)
        self.assertGreaterEqual(len(shared), 10)
        for name in shared:
            self.assertEqual(common[name]["enum"], words[name], name)

    def test_examples_are_what_they_are_examples_of(self):
        count = 0
        for name, message in self.recorder.messages.items():
            for example in message.get("examples", []):
                self.assertEqual(self.recorder.faults(name, example["payload"]), [], name)
                count += 1
        self.assertGreater(count, 4)

    def test_the_recorder_finds_what_is_wrong(self):
        good = self.recorder.messages["order.place.reply"]["examples"][0]["payload"]
        self.recorder.received(good)
        for change in ({"surprise": 1}, {"time_in": "1"}, {"result": {"order_id": 1881}},
                       {"result": {"order_id": "1881", "extra": ""}}, {"method": "order.show"}):
            with self.assertRaises(BrokenPromise, msg=change):
                self.recorder.received(good | change)
        bad = self.recorder.messages["error"]["examples"][0]["payload"]
        self.recorder.received(bad)
        for change in ({"number": 2416}, {"message": "Other words."}, {"outcome": "perhaps"}):
            with self.assertRaises(BrokenPromise, msg=change):
                self.recorder.received(bad | {"error": bad["error"] | change})
        with self.assertRaises(BrokenPromise):
            self.recorder.received({"channel": "weather", "type": "update"})
        request = {"method": "order.cancel", "req_id": 1, "params": {}}
        faults = self.recorder.request_faults(json.dumps(request))
        self.assertTrue(faults)
        with self.assertRaises(BrokenPromise):
            self.recorder.answered("order.cancel", request, faults, good)
        self.assertIn("book.update", Recorder().unseen())
        self.assertIn("ping", Recorder().never_refused())


class Http:
    """Answers over HTTP, each held against openapi.yaml."""

    def __init__(self, port, admin_port):
        self.document = load_document("openapi.yaml")
        self.ports = {"Market data": port, "Health": admin_port}
        self.seen = set()

    def get(self, path, query=""):
        """(status, body)."""
        operation = self.document["paths"].get(path, {}).get("get")
        port = self.ports[operation["tags"][0] if operation else "Market data"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}{query}", timeout=20) as answer:
                status, body = answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, json.load(error)
        if operation is None:
            return status, body
        response = operation["responses"].get(str(status))
        if response is None:
            raise BrokenPromise(f"{path} has no answer {status}: {body}")
        schema = response["content"]["application/json"]["schema"]
        faults = api_documents.faults_of(jsonschema.Draft7Validator(schema), body)
        if faults:
            raise BrokenPromise(f"{path}{query} is not as documented: {faults}: {body}")
        self.seen.add((path, status))
        return status, body


class RunningTest(MarketTestCase):
    """Every method, channel and kind of message, on an exchange whose windows are short."""

    clock_factor = 60

    @classmethod
    def make_market(cls):
        """One class, so that the lists are short, and short windows."""
        text = read(os.path.relpath(DEFAULT_CATALOGUE, SOURCE_ROOT))
        sections = re.split(r"^(?=\[)", text, flags=re.M)
        text = "".join(section for section in sections
                       if not section.startswith("[class") or HARDWARE_CLASS in section)
        text = re.sub(r"window_minutes = \d+", f"window_minutes = {WINDOW_MINUTES}", text)
        text = text.replace("notice_seconds = 120", "notice_seconds = 60")
        text = text.replace("gate_minutes = 3", "gate_minutes = 2")
        text = text.replace("windows_ahead = 24", "windows_ahead = 8")
        with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
            file.write(text)
        os.chmod(file.name, 0o644)
        cls.addClassCleanup(os.remove, file.name)
        return Market(clock_factor=cls.clock_factor, catalogue=file.name, probe_profile="small")

    async def connect(self, url=None):
        client = await self.client_class.connect(url or self.market.url, SERVER_NAME)
        self.clients.append(client)
        return client

    async def asyncSetUp(self):
        self.recorder = Recorder()
        self.client_class = type("ThisClient", (RecordedClient,), {"recorder": self.recorder})
        await super().asyncSetUp()

    async def test_the_exchange_is_as_documented(self):
        self.http = Http(self.market.port, self.market.admin_port)
        self.window = await self.window_after(2 * WINDOW_MINUTES)
        self.symbol = self.window["symbol"]
        self.maker, self.taker = await self.provider(), await self.buyer()
        lease = asyncio.create_task(self.lease_from_fill_to_ledger())
        ending = asyncio.create_task(self.a_window_that_ends())
        await self.session_and_keys()
        await self.channels_and_orders()
        await self.questions()
        await self.resume()
        await self.operators()
        await self.probes()
        await asyncio.to_thread(self.over_http)
        await self.odd_parameters()
        await asyncio.gather(lease, ending)
        await self.settlement_by_hand()
        await self.shutdown()
        self.everything_was_seen()
        self.nothing_else_would_pass()

    # -- The steps

    async def session_and_keys(self):
        guest = await self.connect()
        await guest.call("ping")
        await guest.call("session.status")
        await guest.send_raw("{")
        await self.refuses("not_logged_on", guest, "account.balances")
        await self.refuses("no_challenge", guest, "session.logon", account="1", timestamp=now_us(),
                           public_key="0" * 64, signature="0" * 128)
        await self.refuses("unknown_method", guest, "order.sing")
        key, challenge, timestamp = Key(), await guest.call("session.challenge"), now_us()
        message = logon_message(SERVER_NAME, challenge["nonce"], 0, timestamp)
        opening = {"public_key": key.public_hex, "timestamp": timestamp, "signature": key.sign(message)}
        account = await guest.call("account.open", **opening)
        await self.refuses("no_challenge", guest, "account.open", **opening)
        await guest.logon(int(account["account"]), key)
        await guest.call("session.status")
        await self.refuses("already_logged_on", guest, "session.logon", account="1", timestamp=now_us(),
                           public_key="0" * 64, signature="0" * 128)
        second = Key()
        await guest.call("key.add", public_key=second.public_hex, scopes=["read"])
        await self.refuses("key_in_use", guest, "key.add", public_key=second.public_hex, scopes=["read"])
        await self.refuses("invalid_scopes", guest, "key.add", public_key=Key().public_hex, scopes=[])
        reader = await self.logged_on(int(account["account"]), second)
        await self.refuses("scope_missing", reader, "order.cancel_all")
        await guest.call("key.revoke", public_key=second.public_hex)
        await reader.wait(lambda: reader.status, "the notice")
        await self.refuses("unknown_key", guest, "key.revoke", public_key=second.public_hex)
        await guest.call("session.logout")
        await self.refuses("not_logged_on", guest, "session.logout")

    async def channels_and_orders(self):
        """One book, seen by everybody on all its channels."""
        maker, taker = self.maker, self.taker
        for channel in ("executions", "balances", "leases"):
            await maker.subscribe(channel)
            await taker.subscribe(channel)
        self.observer = await self.connect()
        for channel in SYMBOL_CHANNELS:
            await self.observer.listen(channel=channel, symbol=self.symbol)
        await self.observer.listen(channel="candles", symbol=self.symbol, interval="1m")
        for channel in ("instruments", "status", "heartbeat"):
            await self.observer.listen(channel=channel)
        await self.refuses("already_subscribed", self.observer, "subscribe", channel="status")
        await self.refuses("not_logged_on", self.observer, "subscribe", channel="balances")
        await self.refuses("unknown_instrument", self.observer, "subscribe", channel="book", symbol="B.x.y")
        await self.observer.call("book.resync", symbol=self.symbol)
        await self.refuses("not_subscribed", taker, "book.resync", symbol=self.symbol)

        await self.ask(maker, self.symbol, "2.50", 8, min_fill=2)
        order = await self.bid(taker, self.symbol, "2.40", 4, cl_ord_id="job-1", tier="premium", min_fill=2,
                               min_assurance="verified", time_in_force="gtd", deadline=self.window["gate"],
                               expires=self.window["gate"] - MINUTE_US, stp="decrement", post_only=True)
        await taker.call("order.place", **self.order("2.40", 1, validate=True))
        again = await taker.call("order.place", **self.order("2.40", 4, cl_ord_id="job-1", tier="premium", min_fill=2,
                                 min_assurance="verified", time_in_force="gtd", deadline=self.window["gate"],
                                 expires=self.window["gate"] - MINUTE_US, stp="decrement", post_only=True))
        self.assertEqual(again, {"order_id": order, "cl_ord_id": "job-1", "duplicate": True})
        await taker.call("order.amend", order_id=order, gpus=3)
        await taker.call("order.amend", cl_ord_id="job-1", price="2.45", validate=True)
        await taker.call("order.status", cl_ord_id="job-1")
        await self.refuses("price_off_tick", taker, "order.amend", order_id=order, price="2.41")
        await self.bid(taker, self.symbol, "2.50", 4)
        await taker.call("order.place", symbol=self.symbol, side="buy", order_type="market", gpus=2)
        await self.refuses("insufficient_credits", taker, "order.place", **self.order("2.40", 90_000))
        await self.refuses("unknown_order", taker, "order.status", order_id="999999")
        batch = await taker.request("order.batch", {"requests": [
            {"method": "order.place", "params": self.order("2.30", 4, cl_ord_id="a")},
            {"method": "order.amend", "params": {"cl_ord_id": "a", "gpus": 3}},
            {"method": "order.place", "params": self.order("2.30", 0)},
            {"method": "order.cancel", "params": {"cl_ord_id": "a"}}]})
        self.assertEqual([item["success"] for item in batch["result"]["items"]], [True, True, False, True])
        await taker.call("order.status", cl_ord_id="a")
        await taker.call("order.cancel", order_id=order, validate=True)
        await taker.call("order.cancel", order_id=order)
        await self.refuses("unknown_order", taker, "order.cancel", order_id=order)
        await self.bid(taker, self.symbol, "2.30", 1)
        await taker.call("order.cancel_all", side="buy", validate=True)
        await taker.call("order.cancel_all", symbol=self.symbol, side="buy")
        await self.refuses("unknown_value", taker, "order.cancel_all", hardware_class="ABACUS")
        for timeout_ms in (60_000, 0):
            await taker.call("cancel_after", timeout_ms=timeout_ms)
        for scope in ("session", "account", "off"):
            await taker.call("cancel_on_disconnect", scope=scope)
        await self.observer.call("unsubscribe", channel="trades", symbol=self.symbol)
        await self.refuses("not_subscribed", self.observer, "unsubscribe", channel="trades", symbol=self.symbol)

    async def questions(self):
        guest = await self.connect()
        await guest.call("instruments", hardware_class=HARDWARE_CLASS, region=REGION)
        await self.refuses("unknown_value", guest, "instruments", region="moon")
        await self.bid(self.taker, self.symbol, "2.30", 1)
        await self.bid(self.taker, self.symbol, "2.25", 1)
        for client in (self.maker, self.taker):
            await client.call("account.balances")
            for name in ("orders", "leases", "nodes"):
                await client.call(f"account.{name}")
            await client.call("account.positions")
        page = await self.taker.call("account.orders", limit=1)
        await self.taker.call("account.orders", limit=1, after=page["next_after"])
        page = await self.taker.call("account.statement", limit=2)
        self.assertTrue(page["more"])
        await self.taker.call("account.statement", after_seq=page["next_after_seq"])
        await self.refuses("insufficient_tokens", self.taker, "credits.buy", burn="1000000")

    async def resume(self):
        last = self.taker.private.last
        again = await self.logged_on(self.taker.account, self.taker.key)
        again.topics |= {("executions", None, None), ("balances", None, None)}
        await self.refuses("resume_ahead", again, "session.resume", last_seq=last + 10_000, channels=["leases"])
        result = await again.call("session.resume", last_seq=last, channels=["executions", "balances"],
                                  last_channel="executions")
        self.assertTrue(result["resumed"])
        await self.refuses("already_subscribed", again, "session.resume", last_seq=0, channels=["leases"])

    async def operators(self):
        operator, member = self.operator, await self.member(tok="5")
        account = str(member.account)
        movement = {"account": account, "amount": "1.25", "reference": unique("out")}
        await operator.call("token.withdraw", **movement)
        await self.refuses("reference_reused", operator, "token.withdraw", **movement)
        await self.refuses("reference_reused", operator, "token.deposit", **movement)
        owner = member.logon_result["owner"]
        await operator.call("owner.verify", owner=owner)
        await operator.call("owner.verify", owner=owner, verified=False)
        await self.refuses("unknown_owner", operator, "owner.verify", owner="999999")
        await self.refuses("unknown_account", operator, "limit.set", account="999999", limit_usd="1")
        await self.refuses("unknown_node", operator, "capacity.set", node="999999", gpus=1, assurance="listed")
        now = await operator.market_time()
        await self.refuses("invalid_price_feed", operator, "price.set", feeds=[{"price": "0", "time": now}] * FEEDS)
        await operator.call("instrument.halt", symbol=self.symbol)
        await self.refuses("invalid_instrument_state", operator, "instrument.halt", symbol=self.symbol)
        await operator.call("instrument.resume", symbol=self.symbol)
        await self.refuses("invalid_instrument_state", operator, "instrument.resume", symbol=self.symbol)
        await operator.call("drain", validate=True)
        await operator.call("key.revoke", account=account, public_key=member.key.public_hex, validate=True)
        plain = await self.member()
        await self.refuses("scope_missing", plain, "drain")

    async def probes(self):
        """A node that answers in every step, and proves nothing."""
        provider, gpus, rounds, digest = await self.provider(gpus=2), 2, 2, 32
        await provider.call("probe.begin", node=provider.node, validate=True)
        begun = await provider.call("probe.begin", node=provider.node)

        async def answer(step, data=b"", **more):
            return await provider.call("probe.answer", node=provider.node, probe=begun["probe"], step=step,
                                       data=base64.b64encode(data).decode(), **more)
        await answer("ready")
        await self.refuses("probe_answer_unexpected", provider, "probe.answer", node=provider.node,
                           probe=begun["probe"], step="ready")
        roots = bytes(gpus * rounds * digest)
        await answer("products", roots[:digest], part=1, parts=2)
        await answer("products", roots[digest:], part=2, parts=2)
        await answer("filled")
        await answer("gathered", bytes(gpus * digest))
        self.assertEqual((await answer("openings", b"nothing"))["verdict"]["reason"], "malformed")
        await provider.call("account.nodes")

    async def lease_from_fill_to_ledger(self):
        """A lease that is delivered in part, is completed and settled; one that is resold before."""
        buyer, provider = await self.buyer(), await self.provider()
        for client in (buyer, provider):
            for channel in ("executions", "leases", "balances"):
                await client.subscribe(channel)
        window = await self.window_after(LEAD_MINUTES)
        symbol = window["symbol"]
        await self.ask(provider, symbol, "2.50", 8)
        await self.bid(buyer, symbol, "2.50", 8)
        executions = buyer.feeds["executions", None]
        await buyer.wait(lambda: executions.data(event="filled"), "the fill")
        fill, = executions.data(event="filled")
        lease, start, end = fill["lease_id"], fill["delivery_start"], fill["delivery_end"]
        await self.refuses("lease_not_startable", provider, "lease.start", lease=lease)
        await self.refuses("lease_not_delivered", buyer, "lease.complete", lease=lease)
        await buyer.call("order.place", symbol=symbol, side="sell", order_type="limit", price="2.60", gpus=2,
                         lease=lease)
        await buyer.call("account.orders")
        other = await self.buyer()
        await self.bid(other, symbol, "2.60", 2)
        leases = buyer.feeds["leases", None]
        await buyer.wait(lambda: any("resold_as" in row for row in leases.data()), "the resale")
        resold, = (row["resold_as"] for row in leases.data() if "resold_as" in row)
        await other.subscribe("leases")
        await self.until_market_time(start)
        await provider.call("lease.start", lease=resold)
        await provider.call("lease.start", lease=lease, validate=True)
        await provider.call("lease.start", lease=lease)
        await self.refuses("minute_outside_lease", provider, "lease.heartbeat",
                           **heartbeat_params(provider.device, lease, end))
        await provider.call("lease.heartbeat", **heartbeat_params(provider.device, lease, start))
        await self.deliver(provider, lease, start, range(1, 4))
        await self.until_market_time(end)
        await buyer.wait(lambda: leases.data(lease_id=lease, state="delivered"), "the end", SETTLED_S)
        await buyer.call("lease.complete", lease=lease)
        judgement = {"lease": resold, "verdict": "founded", "reason": "the probe failed"}
        await self.refuses("lease_wrong_state", self.operator, "lease.judge", **judgement)
        await other.call("lease.dispute", lease=resold, validate=True)
        await other.call("lease.dispute", lease=resold)
        await self.refuses("lease_wrong_state", other, "lease.complete", lease=resold)
        await self.operator.call("lease.judge", share_bps=5_000, **judgement)
        disputed = other.feeds["leases", None]
        await other.wait(lambda: disputed.data(verdict="founded", share_bps=5_000), "the verdict")
        await buyer.wait(lambda: leases.data(lease_id=lease, state="settled"), "the settlement", SETTLED_S)

    async def a_window_that_ends(self):
        """Its channels end with it."""
        client = await self.connect()
        window = min((await client.call("instruments", hardware_class=HARDWARE_CLASS, region=REGION))["instruments"],
                     key=lambda row: row["window_start"])
        for channel in SYMBOL_CHANNELS:
            await client.listen(channel=channel, symbol=window["symbol"])
        await client.listen(channel="candles", symbol=window["symbol"], interval="5m")
        await client.wait(lambda: not client.topics, "the ends", SETTLED_S)

    def over_http(self):
        symbol = "?symbol=" + self.symbol.replace(":", "%3A")
        page = self.http.get("/api/v1/instruments", "?limit=1")[1]["result"]
        self.http.get("/api/v1/instruments", "?after=" + page["next"])
        self.http.get("/api/v1/instruments", f"?hardware_class={HARDWARE_CLASS}&region={REGION}")
        for path, more in (("book", "&depth=1"), ("trades", ""), ("candles", "&interval=1m")):
            self.assertEqual(self.http.get(f"/api/v1/{path}", symbol + more)[0], 200)
            self.assertEqual(self.http.get(f"/api/v1/{path}", "?symbol=a.b.c" + more)[0], 404)
            self.assertEqual(self.http.get(f"/api/v1/{path}", symbol + "&colour=red" + more)[0], 400)
        self.assertEqual(self.http.get("/api/v1/instruments", "?limit=0")[0], 400)
        self.assertEqual(self.http.get("/api/v1/weather")[0], 404)
        for path in ("/livez", "/readyz"):
            self.http.get(path)
        for path in ("/api/v1/supply", "/api/v1/disclosures"):
            self.assertEqual(self.http.get(path)[0], 200)
            self.assertEqual(self.http.get(path, "?colour=red")[0], 400)
        for date, status in (("2099-01-01", 200), ("1999-01-01", 400), ("2099-02-30", 400)):
            self.assertEqual(self.http.get("/api/v1/supply", f"?date={date}")[0], status)

    async def odd_parameters(self):
        """Of each method, odd values for each parameter: what the documents exclude is refused for
        its form, and nothing else is. What they allow is only checked."""
        speakers = {"admin": self.operator, "clients": await self.logged_on(self.taker.account, self.taker.key)}
        speakers["settle"] = await self.logged_on_admin("settlement")
        tried = 0
        for method, operation in self.recorder.operations.items():
            speaker = speakers["settle" if operation.get("x-scope") == "settle" else
                               operation.get("x-listener", "clients")]
            schema = SCRIPT_MODULE.member(operation["messages"][0]["payload"], "params")
            fields = SCRIPT_MODULE.fields_of(schema)
            good = dict(self.recorder.accepted.get(method, {}).get("params", {}))
            if "validate" in fields:
                good["validate"] = True
            odd = [good | {"nonsense": 1}] + [{key: value for key, value in good.items() if key != name}
                                              for name in good if name != "validate"]
            odd += [good | {name: value} for name in fields for value in ODD_VALUES if name != "validate"]
            odd += [good | {"validate": value} for value in (None, 1, "true") if "validate" in fields]
            is_harmless = method not in SESSION_METHODS and (
                "validate" in fields or operation.get("x-scope", "read") == "read")
            waiting = []
            for params in odd:
                faults = self.recorder.faults(method, {"method": method, "params": params})
                if faults or is_harmless:
                    waiting.append(speaker.begin(method, params))
                    tried += 1
            for reply in await asyncio.gather(*waiting):
                if reply["success"] and "validate" in fields:
                    self.assertTrue(reply["result"].get("validated") or method == "order.batch", reply)
        self.assertGreater(tried, 1_000)

    async def settlement_by_hand(self):
        """Settlement's own method, in its place: it refuses what somebody asks for."""
        await self.stop_pricing()
        await asyncio.to_thread(self.market.settlement.stop)
        buyer = await self.member()
        settlement = await self.logged_on_admin("settlement")
        asked = asyncio.ensure_future(buyer.request("credits.buy", {"burn": "1"}))
        await asyncio.sleep(0.3)
        first = await self.refuses("number_gap", settlement, "settlement.submit", number=2**50,
                                   decision="refuse_request", request="1", reason=REASONS["insufficient_tokens"])
        number = int(first["data"]["reason"])
        decision = {"number": number, "decision": "refuse_request",
                    "reason": REASONS["insufficient_tokens"]}
        head = (await settlement.request("ping", {}))["seq"]
        for sequence in range(head, head - 200, -1):
            try:
                result = await settlement.call("settlement.submit", request=str(sequence), **decision)
                break
            except Refused as refused:
                self.assertEqual(refused.code, "unknown_request")
        self.assertEqual(result, {"number": number})
        self.assertEqual((await asked)["error"]["code"], "insufficient_tokens")

    async def shutdown(self):
        watching, other = await self.connect(), await self.member()
        await watching.listen(channel="status")
        await self.operator.call("drain", timeout_ms=5_000)
        self.assertEqual(await asyncio.to_thread(self.market.engine.popen.wait, 20), 0)
        await other.wait(lambda: other.connection.closed, "the close")
        self.assertEqual(other.close_code, 1001)

    # -- What must hold in the end

    def everything_was_seen(self):
        self.assertEqual(self.recorder.unseen(), [], "documented, but not seen")
        self.assertEqual(self.recorder.never_refused(), [], "never refused")
        self.assertEqual(set(self.http.document["paths"]) - {path for path, _ in self.http.seen}, set())

    def nothing_else_would_pass(self):
        """No documented object takes a field that it does not name."""
        for name, sample in self.recorder.samples.items():
            for path in objects_in(sample):
                changed = copy.deepcopy(sample)
                at(changed, path)["surprise"] = 1
                self.assertTrue(self.recorder.faults(name, changed), f"{name} is open at {path}: {sample}")

    # -- Helpers

    def order(self, price, gpus, **more):
        return {"symbol": self.symbol, "side": "buy", "order_type": "limit", "price": price, "gpus": gpus, **more}


if __name__ == "__main__":
    market.main()
