"""A client of the exchange that shares no code with it.

It signs by itself, keeps its own books and balances, and believes nothing: each message is checked
against what the protocol promises (shape of replies, numbers of errors, `prev_seq`, CRC-32 of the
book, gapless private sequences, balances that add up). A broken promise fails the next wait or the
close of the client.
"""

import asyncio
import hashlib
import itertools
import json
import os
import re
import struct
import time
import zlib
from decimal import Decimal

import websockets
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

REPLY_DEADLINE_S = 20.0
PRIVATE_CHANNELS = ("executions", "balances", "leases")
CHECKSUM_LEVELS = 10
REASONS_HEADER = os.path.join(
    os.path.dirname(__file__), "../../schema/types/reject_reason.h")


def load_reasons():
    """{code: number}, read from the published header: an enumerator's name is its code."""
    with open(REASONS_HEADER, encoding="utf-8") as header:
        rows = re.findall(r"^  k(\w+) = (\d{4}),", header.read(), re.MULTILINE)
    words = {name: re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name, _ in rows}
    return {words[name]: int(number) for name, number in rows}


REASONS = load_reasons()


class BrokenPromise(AssertionError):
    """The exchange sent something that its protocol excludes."""


class Refused(Exception):
    """An answer with `success: false`."""

    def __init__(self, reply):
        self.reply = reply
        self.error = reply["error"]
        self.code = self.error["code"]
        self.number = self.error["number"]
        self.param = self.error["data"]["param"]
        super().__init__(f"{self.code} ({self.number}): {self.error}")


def promise(holds, text, message=None):
    if not holds:
        raise BrokenPromise(text if message is None else f"{text}: {message}")


# ---- Keys and what is signed with them ----------------------------------------------------------


class Key:
    """An Ed25519 key pair."""

    def __init__(self, private=None):
        self.private = private or Ed25519PrivateKey.generate()

    @classmethod
    def load(cls, path):
        with open(path, "rb") as file:
            return cls(serialization.load_pem_private_key(file.read(), password=None))

    @property
    def public_hex(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()

    def sign(self, message):
        return self.private.sign(message).hex()


def logon_message(server_name, nonce_hex, account, timestamp_us):
    return (b"warpbook-logon-v1" + hashlib.sha256(server_name.encode()).digest() +
            bytes.fromhex(nonce_hex) + struct.pack("<QQ", account, timestamp_us))


def node_message(server_name, account):
    return (b"warpbook-node-v1" + hashlib.sha256(server_name.encode()).digest() +
            struct.pack("<Q", account))


def heartbeat_message(server_name, lease, minute_us):
    return (b"warpbook-heartbeat-v1" + hashlib.sha256(server_name.encode()).digest() +
            struct.pack("<QQ", lease, minute_us))


def now_us():
    return time.time_ns() // 1000


# ---- Reading JSON without mercy -----------------------------------------------------------------


def parse_strictly(text):
    """JSON in which no key occurs twice and no number is anything but a plain integer."""

    def no_twins(pairs):
        keys = [key for key, _ in pairs]
        promise(len(keys) == len(set(keys)), "a key occurs twice in a message", text)
        return dict(pairs)

    def no_float(number):
        raise BrokenPromise(f"a number that is no integer, {number}, in {text}")

    return json.loads(text, object_pairs_hook=no_twins, parse_float=no_float,
                      parse_constant=no_float)


def price_micros(text):
    """ "2.50" -> 2500000. Prices have at least two digits behind the point and never an exponent."""
    promise(re.fullmatch(r"(0|[1-9]\d*)\.\d{2,6}", text), "no price", text)
    return int(Decimal(text).scaleb(6))


def tok_micros(text):
    """ "12.5" -> 12500000."""
    promise(re.fullmatch(r"-?(0|[1-9]\d*)(\.\d{1,6})?", text), "no amount of TOK", text)
    return int(Decimal(text).scaleb(6))


def credits_of(text):
    promise(isinstance(text, str) and re.fullmatch(r"0|-?[1-9]\d*", text), "no credits", text)
    return int(text)


def usd_of_credits(credits):
    """The dollars that stand beside credits: 6 decimals, rounded down, as a Decimal."""
    return Decimal(credits // 60).scaleb(-6)


def check_usd(data, name):
    """`name` and `name`_usd of a message say the same."""
    credits = credits_of(data[name])
    promise(Decimal(data[name + "_usd"]) == usd_of_credits(credits), f"{name}_usd is wrong", data)
    return credits


# ---- Channels -----------------------------------------------------------------------------------


class Feed:
    """All messages of one subscription, in order."""

    def __init__(self):
        self.messages = []
        self.closed = False

    def close(self, message):
        """The last message of a book or of trades: the window is over. It comes whatever a slow
        reader missed."""
        promise(set(message) == {"channel", "type", "symbol", "seq", "prev_seq", "ts"},
                "more or less than an end", message)
        promise(message["seq"] == message["prev_seq"] + 1, "the counter jumped", message)
        self.closed = True

    def take(self, message):
        promise(message["type"] in ("snapshot", "update"), "no such type", message)
        self.messages.append(message)

    @property
    def has_snapshot(self):
        return bool(self.messages)

    def data(self, **wanted):
        """The entries of all updates whose fields are as wanted."""
        return [entry for message in self.messages if message["type"] == "update"
                for entry in message["data"]
                if all(entry.get(name) == value for name, value in wanted.items())]


class Book(Feed):
    """An L2 book, rebuilt and proved on each message."""

    def __init__(self, symbol, tick_micros):
        super().__init__()
        self.symbol = symbol
        self.tick = tick_micros
        self.sides = {"asks": {}, "bids": {}}
        self.seq = None

    def take(self, message):
        promise(message["symbol"] == self.symbol, "another book", message)
        if message["type"] == "snapshot":
            promise(self.seq is None or message["seq"] > self.seq, "an old snapshot", message)
            self.sides = {"asks": {}, "bids": {}}
        else:
            promise(self.seq is not None, "an update before the snapshot", message)
            promise(message["prev_seq"] == self.seq, f"expected prev_seq {self.seq}", message)
            promise(message["seq"] == self.seq + 1, "the book's counter jumped", message)
            promise(message["data"]["bids"] or message["data"]["asks"], "nothing changed", message)
        self.seq = message["seq"]
        for side in ("asks", "bids"):
            self._apply(message, side)
        promise(message["checksum"] == self.checksum(),
                f"checksum of my book is {self.checksum()}", message)
        super().take(message)

    def _apply(self, message, side):
        seen = set()
        for price_text, gpus in message["data"][side]:
            price = price_micros(price_text)
            promise(price > 0 and price % self.tick == 0, "a price off the tick", message)
            promise(isinstance(gpus, int) and gpus >= 0, "a level below zero", message)
            promise(price not in seen, "a level twice in a message", message)
            seen.add(price)
            if message["type"] == "snapshot":
                promise(gpus > 0, "an empty level in a snapshot", message)
            if gpus:
                self.sides[side][price] = gpus
            else:
                self.sides[side].pop(price, None)

    def levels(self, side):
        """[(price in micro-USD, GPUs)], best first."""
        return sorted(self.sides[side].items(), reverse=side == "bids")

    def checksum(self):
        text = "".join(f"{price // self.tick}{gpus}"
                       for side in ("asks", "bids")
                       for price, gpus in self.levels(side)[:CHECKSUM_LEVELS])
        return zlib.crc32(text.encode("ascii"))


class Orders(Book):
    """An L3 book: every resting order, in the order in which its level's queue is served. Its
    levels are those of the L2 book, which the checksum proves."""

    QUEUES = {"bids": ("tier", ("premium", "standard", "economy")),
              "asks": ("assurance", ("attested", "verified", "listed"))}

    def take(self, message):
        if message["type"] == "snapshot":
            self.orders = {"bids": {}, "asks": {}}  # by order id, the last to join its queue last
        super().take(message)

    def _apply(self, message, side):
        orders = self.orders[side]
        for entry in message["data"][side]:
            order_id = entry["order_id"]
            event = "add" if message["type"] == "snapshot" else entry["event"]
            promise((order_id in orders) == (event != "add"), f"{event} of an order", message)
            if event == "add":
                orders[order_id] = entry
            elif event == "remove":
                del orders[order_id]
            else:
                promise(event == "change", "no such event", message)
                order = {**orders[order_id], "price": entry["price"], "gpus": entry["gpus"]}
                if not entry["kept_priority"]:
                    del orders[order_id]
                orders[order_id] = order
        self.sides[side] = {}
        for order in orders.values():
            price = price_micros(order["price"])
            promise(order["gpus"] > 0, "an order of nothing", message)
            self.sides[side][price] = self.sides[side].get(price, 0) + order["gpus"]

    def queue(self, side):
        """The ids in the order in which they are served."""
        field, words = self.QUEUES[side]
        sign = -1 if side == "bids" else 1
        return sorted(self.orders[side], key=lambda order_id: (
            sign * price_micros(self.orders[side][order_id]["price"]),
            words.index(self.orders[side][order_id][field])))  # stable: then as they joined


class Trades(Feed):
    """Trades of one instrument: the last ones, then each as it is made, without a gap. A snapshot
    also replaces updates that a slow reader missed."""

    def __init__(self, symbol):
        super().__init__()
        self.symbol = symbol
        self.seq = None

    def take(self, message):
        promise(message["symbol"] == self.symbol, "another instrument", message)
        if message["type"] == "update":
            promise(message["prev_seq"] == self.seq, f"expected prev_seq {self.seq}", message)
            promise(message["seq"] == message["prev_seq"] + 1, "the counter jumped", message)
            promise(message["data"], "no trade", message)
        times = [trade["ts"] for trade in message["data"]]
        promise(times == sorted(times) and all(time <= message["ts"] for time in times),
                "the oldest trade comes first, none from the future", message)
        self.seq = message["seq"]
        super().take(message)


class Balances(Feed):
    """Balances; every change leads from what was to what is."""

    def __init__(self):
        super().__init__()
        self.credits = {}
        self.tok = None

    def take(self, message):
        for entry in message["data"]:
            if entry["asset"] == "TOK":
                self._take_tok(message, entry)
            else:
                promise(entry["asset"] == "CREDIT", "no such asset", message)
                self._take_credits(message, entry)
        super().take(message)

    def _take_tok(self, message, entry):
        if message["type"] == "update":
            change = tok_micros(entry["change"])
            promise(entry["cause"] in ("deposit", "withdrawal", "top_up", "reward"),
                    "no such cause", message)
            promise((change < 0) == (entry["cause"] in ("withdrawal", "top_up")),
                    "the sign is wrong", message)
            promise("balance" not in entry, "an event does not say the balance", message)
            self.tok += change
        else:
            self.tok = tok_micros(entry["balance"])
        promise(self.tok >= 0, "TOK below zero", message)

    def _take_credits(self, message, entry):
        after = {name: check_usd(entry, name) for name in ("free", "locked")}
        if message["type"] == "update":
            change = credits_of(entry["change"])
            promise(change > 0 and entry["from"] != entry["to"], "nothing moved", message)
            for name in ("free", "locked"):
                sign = (entry["to"] == name) - (entry["from"] == name)
                promise(self.credits[name] + sign * change == after[name],
                        f"{name} was {self.credits[name]}", message)
        promise(min(after.values()) >= 0, "credits below zero", message)
        self.credits = after


class PrivateSequence:
    """The account's own sequence over all private channels of one connection."""

    def __init__(self):
        self.last = None
        self.last_channel = None
        self.seen = []
        self.last_of_channel = {}
        self.updates = []

    def take(self, message):
        seq, channel = message["seq"], message["channel"]
        if message["type"] == "update":
            self.updates.append(message)
            promise(self.last is not None, "an update before any snapshot", message)
            promise(message["prev_seq"] == self.last, f"expected prev_seq {self.last}", message)
            promise(seq > self.last_of_channel[channel], "a sequence again", message)
        promise(self.last is None or seq >= self.last, "the sequence fell", message)
        self.last = seq
        self.last_channel = channel
        self.last_of_channel[channel] = seq
        self.seen.append(seq)


# ---- The connection -----------------------------------------------------------------------------


class Client:
    """One WebSocket connection."""

    def __init__(self, connection, server_name):
        self.connection = connection
        self.server_name = server_name
        self.account = None
        self.feeds = {}
        self.unmatched = []
        self.status = []
        self.private = PrivateSequence()
        self.failure = None
        self._ids = itertools.count(1)
        self._pending = {}
        self._waiters = set()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url, server_name, **options):
        options = {"max_size": None, "max_queue": None, "compression": None, **options}
        connection = await websockets.connect(url, **options)
        return cls(connection, server_name)

    async def close(self):
        """Ends the connection; says what promise was broken on it."""
        await self.connection.close()
        await self._reader
        if self.failure:
            raise self.failure

    @property
    def close_code(self):
        return self.connection.close_code

    # -- Requests

    async def call(self, method, **params):
        """The result of a request; Refused where the answer is an error."""
        reply = await self.request(method, params)
        if not reply["success"]:
            raise Refused(reply)
        return reply["result"]

    async def request(self, method, params):
        """The whole reply."""
        return await self.begin(method, params)

    def begin(self, method, params):
        """Sends a request now; the awaitable gives its reply."""
        req_id = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        # Where sending fails already nobody asks what became of it.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pending[req_id] = future
        text = json.dumps({"method": method, "req_id": req_id, "params": params})
        return asyncio.ensure_future(self._finish(method, req_id, text, future))

    async def _finish(self, method, req_id, text, future):
        try:
            async with asyncio.timeout(REPLY_DEADLINE_S):
                await self.connection.send(text)
                reply = await future
        except TimeoutError:
            raise AssertionError(f"no reply in {REPLY_DEADLINE_S} s to {text}") from None
        finally:
            self._pending.pop(req_id, None)
        promise(reply.get("method") == method, "a reply to another method", reply)
        return reply

    async def send_raw(self, data):
        """Sends a message as it is; the answer, which bears no req_id of ours."""
        count = len(self.unmatched)
        await self.connection.send(data)
        await self.wait(lambda: len(self.unmatched) > count, f"an answer to {data!r:.200}")
        return self.unmatched[count]

    async def wait(self, condition, what, seconds=REPLY_DEADLINE_S):
        """Waits until the condition holds, looking at it after each message."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.failure:
                raise self.failure
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited {seconds} s in vain for {what}")
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                async with asyncio.timeout(left):
                    await waiter
            except TimeoutError:
                pass
            finally:
                self._waiters.discard(waiter)

    # -- Session

    async def open_account(self, key):
        """A new account for the key; its id."""
        challenge = await self.call("session.challenge")
        timestamp = now_us()
        message = logon_message(self.server_name, challenge["nonce"], 0, timestamp)
        result = await self.call("account.open", public_key=key.public_hex, timestamp=timestamp,
                                 signature=key.sign(message))
        return int(result["account"])

    async def logon(self, account, key):
        challenge = await self.call("session.challenge")
        promise(challenge["server_name"] == self.server_name, "another exchange", challenge)
        timestamp = now_us()
        message = logon_message(self.server_name, challenge["nonce"], account, timestamp)
        result = await self.call("session.logon", account=str(account), timestamp=timestamp,
                                 public_key=key.public_hex, signature=key.sign(message))
        promise(result["account"] == str(account), "logged on to another account", result)
        self.account = account
        self.logon_result = result
        return result

    async def market_time(self):
        return (await self.call("session.status"))["market_time"]

    # -- Channels

    async def subscribe(self, channel, symbol=None):
        """The feed of the channel, with its first snapshot."""
        params = {"channel": channel} if symbol is None else {"channel": channel, "symbol": symbol}
        if channel in ("book", "orders"):
            tick = next(row["tick"] for row in (await self.call("instruments"))["instruments"]
                        if row["symbol"] == symbol)
            feed = (Book if channel == "book" else Orders)(symbol, price_micros(tick))
        elif channel == "trades":
            feed = Trades(symbol)
        else:
            feed = Balances() if channel == "balances" else Feed()
        self.feeds[channel, symbol] = feed
        result = await self.call("subscribe", **params)
        promise(result == params, "subscribed to something else", result)
        await self.wait(lambda: feed.has_snapshot, f"the snapshot of {channel}")
        return feed

    async def resume(self, cut):
        """Goes on with the private channels of a connection that was cut: its feeds and its sequence
        are this one's now."""
        feeds = {key: feed for key, feed in cut.feeds.items() if key[0] in PRIVATE_CHANNELS}
        self.feeds.update(feeds)
        self.private = cut.private
        return await self.call("session.resume", last_seq=self.private.last,
                               last_channel=self.private.last_channel,
                               channels=[channel for channel, _ in feeds])

    # -- Reading

    async def _read(self):
        try:
            async for text in self.connection:
                promise(isinstance(text, str), "a binary message", text)
                self._take(parse_strictly(text))
                self._wake()
        except websockets.ConnectionClosed:
            pass
        except Exception as broken:  # kept for whoever waits
            self.failure = broken if isinstance(broken, BrokenPromise) else BrokenPromise(
                f"{type(broken).__name__}: {broken}")
            await self.connection.close()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(
                    self.failure or ConnectionError(f"closed with {self.close_code}"))
        self._wake()

    def _wake(self):
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _take(self, message):
        if "channel" not in message:
            self._take_reply(message)
            return
        channel = message["channel"]
        if channel == "status":
            self.status.append(message)
            return
        promise(isinstance(message["ts"], int) and message["ts"] > 0, "no time", message)
        feed = self.feeds.get((channel, message.get("symbol")))
        promise(feed is not None, "not subscribed to this", message)
        if message["type"] == "closed" and channel not in PRIVATE_CHANNELS:
            feed.close(message)
            del self.feeds[channel, message["symbol"]]
            return
        if channel in PRIVATE_CHANNELS:
            if message["type"] == "snapshot":
                self.private.last_of_channel[channel] = message["seq"]
            self.private.take(message)
        feed.take(message)

    def _take_reply(self, reply):
        check_reply(reply)
        future = self._pending.get(reply.get("req_id"))
        if future is None:
            self.unmatched.append(reply)
        elif not future.done():
            future.set_result(reply)


def check_reply(reply):
    """The shape that every reply has."""
    promise(reply["success"] in (True, False), "no success", reply)
    for limit in reply.get("limits", ()):
        promise(set(limit) == {"name", "used", "limit", "reset_us"} and
                0 <= limit["used"] <= limit["limit"] and limit["reset_us"] >= 0,
                "a limit is none", reply)
    if reply["success"]:
        promise(isinstance(reply["result"], dict) and "error" not in reply, "no result", reply)
        promise(0 < reply["time_in"] <= reply["time_out"], "times are wrong", reply)
        if "seq" in reply:
            promise(isinstance(reply["seq"], int) and reply["seq"] >= 0, "seq is wrong", reply)
        return
    promise("result" not in reply, "a result beside an error", reply)
    error = reply["error"]
    promise(REASONS.get(error["code"]) == error["number"], "no published reason", reply)
    promise(error["message"].endswith("."), "no sentence", reply)
    promise(set(error["data"]) == {"param", "reason", "retry_after_us"}, "no data", reply)
    promise(error["outcome"] in ("rejected", "accepted", "unknown"), "no outcome", reply)
