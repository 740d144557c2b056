#!/usr/bin/python3
"""What clients entrust to the exchange, or blurt out, is searched for afterwards: in every log, in the
journal, in PostgreSQL's files and in the memory of both processes."""

import base64
import contextlib
import os
import re
import secrets
import struct

from cryptography.hazmat.primitives import serialization

import market
from client import Client, Key, logon_message, now_us
from market import SERVER_NAME
from market_test_case import MarketTestCase
from raw_socket import OP_CLOSE, OP_TEXT, RawSocket, handshake, http

READ_BYTES = 1 << 22
OVERLAP_BYTES = 1024
# Enough to go through every buffer that a connection's bytes pass through.
FILLER_MESSAGES = 50
FILLER_BYTES = 60_000


def canary(word):
    """A text that is nowhere else."""
    return f"{word}-{secrets.token_hex(6)}"


def is_secret(name):
    return name.startswith(("private key", "nonce", "signature"))


def forms_of_bytes(value):
    """The bytes as they are, in hexadecimal digits and in base64."""
    return [value, value.hex().encode(), value.hex().upper().encode(), base64.b64encode(value),
            base64.urlsafe_b64encode(value).rstrip(b"=")]


def seed_of(key):
    return key.private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                     serialization.NoEncryption())


def files_below(folder):
    for parent, _, names in os.walk(folder):
        for name in names:
            if os.path.isfile(path := os.path.join(parent, name)):
                yield path


def contents(paths):
    for path in paths:
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            yield file.read()


def memory_of(pid):
    """What a process has in its memory, as pieces that overlap a little; without regions that it
    never touched."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
        regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r.*\n(?:[A-Z].*\n)*?Rss: +(\d+) kB",
                             smaps.read(), re.MULTILINE)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, resident in regions:
            at, end = int(begin, 16), int(end, 16)
            while resident != "0" and at < end:
                memory.seek(at)
                with contextlib.suppress(OSError):  # the kernel's own
                    yield memory.read(min(READ_BYTES + OVERLAP_BYTES, end - at))
                at += READ_BYTES


class CanaryTest(MarketTestCase):
    clock_factor = 1

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.forms = {}  # name of a canary -> [bytes]

    def text(self, name):
        """A new canary under that name."""
        value = canary(name.replace(" ", "-"))
        self.forms[name] = [value.encode()]
        return value

    def bytes(self, name, value):
        self.forms[name] = forms_of_bytes(value)

    # -- What is sent

    async def logs_on_and_trades(self):
        """A logon whose nonce, signature and keys are canaries, and names of an order and of a
        deposit."""
        key = Key()
        self.bytes("private key", seed_of(key))
        self.bytes("public key", bytes.fromhex(key.public_hex))
        client = await Client.connect(self.market.url, SERVER_NAME)
        for number, (method, account) in enumerate((("account.open", 0), ("session.logon", None))):
            challenge = await client.call("session.challenge")
            self.bytes(f"nonce {number}", bytes.fromhex(challenge["nonce"]))
            account = client.account if account is None else account
            time = now_us()
            signature = key.sign(logon_message(SERVER_NAME, challenge["nonce"], account, time))
            self.bytes(f"signature {number}", bytes.fromhex(signature))
            params = {"account": str(account)} if account else {}
            result = await client.call(method, public_key=key.public_hex, timestamp=time,
                                       signature=signature, **params)
            client.account = int(result["account"])
        await self.operator.call("token.deposit", account=str(client.account), amount="1000",
                                 reference=self.text("reference"))
        await client.call("credits.buy", burn="1000")
        order = {"symbol": (await self.windows())[-1]["symbol"], "side": "buy", "gpus": 1,
                 "order_type": "limit", "price": "2.50"}
        await client.call("order.place", cl_ord_id=self.text("order name"), **order)
        # In fields that are none, that are refused, and that are of somebody's mistake.
        for params in ({self.text("field"): 1}, {"password": self.text("password")},
                       {"cl_ord_id": self.text("refused order name"), "gpus": 10**9},
                       {"symbol": self.text("symbol")}, {"side": self.text("side")},
                       {"price": self.text("price")}):
            await client.request("order.place", {**order, **params})
        await client.request("subscribe", {"channel": self.text("channel")})
        await client.request(self.text("method"), {})
        await client.close()
        # By mistake, where a public key and a signature belong.
        self.bytes("private key sent as a public one", mistaken := secrets.token_bytes(32))
        self.bytes("private key sent as a signature", longer := secrets.token_bytes(64))
        for public_key, signature in ((mistaken.hex(), longer.hex()),
                                      (key.public_hex, longer.hex())):
            client = await self.connect()
            await client.call("session.challenge")
            reply = await client.request("session.logon", {
                "account": str(account), "timestamp": now_us(), "public_key": public_key,
                "signature": signature})
            self.assertFalse(reply["success"])

    async def talks_nonsense(self):
        """In what is no request, and in headers of handshakes that are taken and refused."""
        socket = await RawSocket.connect(self.market.port, User_Agent=self.text("user agent"),
                                         Authorization=f"Bearer {self.text('bearer')}",
                                         Cookie=f"session={self.text('cookie')}")
        for text in ('{"method":"ping","' + self.text("bad JSON"), self.text("no JSON"),
                     '{"method":"ping","req_id":"' + self.text("req_id") + '"}'):
            socket.send(OP_TEXT, text.encode())
            await socket.receive()
        socket.send(OP_CLOSE, struct.pack(">H", 1000) + self.text("close reason").encode())
        await socket.until_closed()
        await socket.close()
        socket = await RawSocket.connect(self.market.port)
        socket.send(OP_TEXT, self.text("no UTF-8").encode() + b"\xff")
        await socket.until_closed()
        await socket.close()
        for request in (handshake(Origin=f"https://{self.text('origin')}.example"),
                        handshake(path=f"/ws?token={self.text('query')}"),
                        handshake(Sec_WebSocket_Version=self.text("version")),
                        f"GET /{self.text('path')} HTTP/1.1\r\n\r\n".encode(),
                        f"{self.text('HTTP')}\r\n\r\n".encode()):
            await http(self.market.port, request)

    async def fills_the_buffers(self):
        """Large messages of somebody else: buffers grow to what they will be, and what was said
        before is overwritten wherever it lay on its way."""
        client = await self.connect()
        filler = "x" * FILLER_BYTES
        for _ in range(FILLER_MESSAGES):
            await client.request("ping", {filler: filler[:5000]})

    # -- What is found

    def found_in(self, pieces):
        """The names of the canaries in these bytes."""
        found = set()
        for piece in pieces:
            found |= {name for name, forms in self.forms.items()
                      if name not in found and any(form in piece for form in forms)}
        return found

    def memory_holds(self, process):
        """The secrets that are in a process's memory."""
        found = self.found_in(memory_of(process.popen.pid))
        self.assertIn("reference", found)  # so this does find what is there
        return {name for name in found if is_secret(name)}

    async def test_secrets_are_nowhere_and_names_only_where_they_belong(self):
        """Logs have none of it. The journal has the names of orders, also of refused ones, references
        and public keys, the ledger what it needs of them. No private key, and no nonce or signature
        of a logon, is left in memory; but settlement's own key in settlement's, which signs with
        it."""
        for name in ("operator", "settlement"):
            self.bytes(f"private key of {name}",
                       seed_of(Key.load(self.market.path(name + ".pem"))))
        await self.fills_the_buffers()
        await self.logs_on_and_trades()
        await self.talks_nonsense()
        await self.fills_the_buffers()
        folder = self.market.folder
        journal = {"order name", "refused order name", "reference", "public key"}
        self.assertEqual(self.found_in(contents(files_below(self.market.journal))), journal)
        logs = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".log")]
        self.assertEqual(self.found_in(contents(logs)), set())
        self.assertLessEqual(self.found_in(contents(files_below(self.market.path("pg")))),
                             {"reference", "public key"})
        self.assertEqual(self.memory_holds(self.market.engine), set())
        self.assertEqual(self.memory_holds(self.market.settlement), {"private key of settlement"})


if __name__ == "__main__":
    market.main()
