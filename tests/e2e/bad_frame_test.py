#!/usr/bin/python3
"""Below JSON: frames, fragments, handshakes and bare sockets that are not what they should be."""

import asyncio
import base64
import contextlib
import json
import os
import struct

import websockets

import market
from client import REASONS
from market_test_case import MarketTestCase

OP_CONTINUATION, OP_TEXT, OP_BINARY, OP_CLOSE, OP_PING, OP_PONG = 0, 1, 2, 8, 9, 10
MESSAGE_BYTES_MAX = 64 * 1024
PING = b'{"method":"ping","req_id":1}'
DEADLINE_S = 15
BAD_UTF8 = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80",
            b'{"method":"pi\xe9ng"}']


class RawSocket:
    """A WebSocket connection whose frames are made by hand."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port, path="/ws", more_headers=""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        raw = cls(reader, writer)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                      f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                      f"Sec-WebSocket-Version: 13\r\n{more_headers}\r\n").encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE_S)
        raw.status = int(head.split()[1])
        return raw

    def send(self, opcode, payload, fin=True, rsv=0, masked=True, length=None):
        """One frame; `length` may lie."""
        size = len(payload) if length is None else length
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        mask_bit = 0x80 if masked else 0
        if size < 126:
            head += bytes([mask_bit | size])
        elif size < 65536:
            head += bytes([mask_bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
        if masked:
            mask = os.urandom(4)
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
            head += mask
        self.writer.write(head + payload)

    async def receive(self):
        """(opcode, payload) of the next frame; None at the end of the stream."""
        try:
            first, second = await asyncio.wait_for(self.reader.readexactly(2), DEADLINE_S)
            size = second & 0x7F
            if size == 126:
                size, = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                size, = struct.unpack(">Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def until_closed(self):
        """(text messages, close code) until the exchange has ended the connection."""
        texts, code = [], None
        while (frame := await self.receive()) is not None:
            opcode, payload = frame
            if opcode == OP_TEXT:
                texts.append(json.loads(payload))
            elif opcode == OP_CLOSE:
                code, = struct.unpack(">H", payload[:2])
                with contextlib.suppress(ConnectionError):
                    self.send(OP_CLOSE, payload[:2])
        return texts, code

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class BadFrameTest(MarketTestCase):
    clock_factor = 1

    async def raw(self):
        socket = await RawSocket.connect(self.market.port)
        self.assertEqual(socket.status, 101)
        self.addAsyncCleanup(socket.close)
        return socket

    async def pings(self, socket):
        """The connection lives."""
        socket.send(OP_TEXT, PING)
        opcode, payload = await socket.receive()
        self.assertEqual(opcode, OP_TEXT)
        reply = json.loads(payload)
        self.assertTrue(reply["success"], reply)

    async def asyncTearDown(self):
        # Whatever a connection did, the others are served.
        await (await self.connect()).call("ping")
        await super().asyncTearDown()

    def is_error(self, reply, code):
        self.assertEqual((reply["success"], reply["error"]["code"], reply["error"]["number"]),
                         (False, code, REASONS[code]))

    # -- Messages

    async def test_the_largest_message_is_taken_and_a_larger_one_closes(self):
        """64 KiB to the byte are read; one byte more is answered by 1001 and close 1009."""
        client = await self.connect()
        text = PING.decode().replace("1}", "123456}")
        reply = await client.send_raw(text + " " * (MESSAGE_BYTES_MAX - len(text)))
        self.assertEqual((reply["success"], reply["req_id"]), (True, 123456))
        for size in (MESSAGE_BYTES_MAX + 1, 1_000_000):
            socket = await self.raw()
            socket.send(OP_TEXT, PING + b" " * (size - len(PING)))
            texts, code = await socket.until_closed()
            self.assertEqual((len(texts), code), (1, 1009))
            self.is_error(texts[0], "frame_too_large")

    async def test_fragments_make_one_message_and_one_limit(self):
        """A message in fragments, with a control frame between them, is read; fragments that
        together are too large close."""
        socket = await self.raw()
        socket.send(OP_TEXT, PING[:5], fin=False)
        socket.send(OP_CONTINUATION, PING[5:6], fin=False)
        socket.send(OP_PING, b"still there?")
        socket.send(OP_CONTINUATION, b"", fin=False)
        socket.send(OP_CONTINUATION, PING[6:])
        frames = [await socket.receive(), await socket.receive()]
        self.assertIn((OP_PONG, b"still there?"), frames)
        text, = [json.loads(payload) for opcode, payload in frames if opcode == OP_TEXT]
        self.assertTrue(text["success"])
        await self.pings(socket)

        socket.send(OP_TEXT, b" " * 1000, fin=False)
        with contextlib.suppress(ConnectionError):
            for _ in range(MESSAGE_BYTES_MAX // 1000):
                socket.send(OP_CONTINUATION, b" " * 1000, fin=False)
                await socket.writer.drain()
        texts, code = await socket.until_closed()
        self.assertEqual(code, 1009)
        self.is_error(texts[0], "frame_too_large")

    async def test_a_promised_giant_is_refused_before_it_comes(self):
        """A header that announces 2^40 bytes closes with 1009 at once."""
        for size in (2**40, 2**63 - 1, 100_000):
            socket = await self.raw()
            socket.send(OP_TEXT, b"{", length=size)
            _, code = await socket.until_closed()
            self.assertEqual(code, 1009)

    async def test_bytes_that_are_not_utf8_close_with_1007(self):
        """Text must be UTF-8, also across fragments: 1002 as JSON, then close 1007."""
        for payload in BAD_UTF8:
            with self.subTest(payload=payload):
                socket = await self.raw()
                socket.send(OP_TEXT, payload)
                texts, code = await socket.until_closed()
                self.assertEqual(code, 1007)
                self.assertLessEqual(len(texts), 1)
                for text in texts:
                    self.is_error(text, "invalid_utf8")
        socket = await self.raw()
        socket.send(OP_TEXT, "{\u20ac".encode()[:2], fin=False)
        socket.send(OP_CONTINUATION, b"}")
        _, code = await socket.until_closed()
        self.assertEqual(code, 1007)
        # A character that fragments cut in two is whole again.
        socket = await self.raw()
        euro = '{"method":"ping\u20ac"}'.encode()
        cut = euro.index(b"\xe2") + 1
        socket.send(OP_TEXT, euro[:cut], fin=False)
        socket.send(OP_CONTINUATION, euro[cut:])
        opcode, payload = await socket.receive()
        self.is_error(json.loads(payload), "unknown_method")
        await self.pings(socket)

    async def test_a_binary_message_is_refused_and_the_connection_lives(self):
        """JSON connections take text only."""
        client = await self.connect()
        for payload in (b"", PING, b"\x00\xff" * 1000):
            reply = await client.send_raw(payload)
            self.is_error(reply, "binary_not_supported")
            await client.call("ping")

    async def test_a_compressed_bomb_is_no_way_around_the_limit(self):
        """Whether or not compression is agreed on, a message is at most 64 KiB large."""
        connection = await websockets.connect(self.market.url, compression="deflate")
        await connection.send('{"method":"ping"}')
        self.assertTrue(json.loads(await asyncio.wait_for(connection.recv(), DEADLINE_S))["success"])
        with contextlib.suppress(websockets.ConnectionClosed):
            await connection.send(" " * 20_000_000)
            await asyncio.wait_for(connection.recv(), DEADLINE_S)
        await asyncio.wait_for(connection.wait_closed(), DEADLINE_S)
        self.assertEqual(connection.close_code, 1009)

    # -- The protocol's own rules

    async def test_frames_against_the_protocol_close_with_1002(self):
        """Unmasked, reserved, unfinished or oversized control frames end the connection."""
        frames = {
            "unmasked": lambda s: s.send(OP_TEXT, PING, masked=False),
            "reserved opcode": lambda s: s.send(3, b"x"),
            "reserved control opcode": lambda s: s.send(11, b"x"),
            "reserved bit": lambda s: s.send(OP_TEXT, PING, rsv=2),
            "compressed without agreement": lambda s: s.send(OP_TEXT, PING, rsv=4),
            "continuation of nothing": lambda s: s.send(OP_CONTINUATION, b"x"),
            "fragmented control": lambda s: s.send(OP_PING, b"x", fin=False),
            "large control": lambda s: s.send(OP_PING, b"x" * 126),
            "close of one byte": lambda s: s.send(OP_CLOSE, b"x"),
            "close code that is none": lambda s: s.send(OP_CLOSE, struct.pack(">H", 1005)),
        }
        for name, send in frames.items():
            with self.subTest(frame=name):
                socket = await self.raw()
                send(socket)
                texts, code = await socket.until_closed()
                self.assertEqual(texts, [])
                self.assertIn(code, (1002, None))
        socket = await self.raw()
        socket.send(OP_TEXT, b"{", fin=False)
        socket.send(OP_TEXT, PING)
        _, code = await socket.until_closed()
        self.assertIn(code, (1002, None))

    async def test_control_frames_are_answered(self):
        """A ping of 125 bytes comes back, a pong is ignored, a close is returned."""
        socket = await self.raw()
        socket.send(OP_PING, b"p" * 125)
        self.assertEqual(await socket.receive(), (OP_PONG, b"p" * 125))
        socket.send(OP_PONG, b"unasked")
        await self.pings(socket)
        socket.send(OP_CLOSE, struct.pack(">H", 1000) + b"bye")
        texts, code = await socket.until_closed()
        self.assertEqual((texts, code), ([], 1000))

    async def test_a_cut_line_harms_nobody(self):
        """Connections that end in the middle of a frame, a handshake or a request."""
        for _ in range(20):
            socket = await RawSocket.connect(self.market.port)
            socket.send(OP_TEXT, PING, length=len(PING) + 10)
            await socket.close()
            _, writer = await asyncio.open_connection("127.0.0.1", self.market.port)
            writer.write(b"GET /ws HTTP/1.1\r\nHost:")
            writer.close()
        buyer = await self.buyer()
        symbol = (await self.windows())[-1]["symbol"]
        orders = [buyer.begin("order.place", {
            "symbol": symbol, "side": "buy", "order_type": "limit", "price": "2.50", "gpus": 1,
            "cl_ord_id": f"cut-{n}"}) for n in range(50)]
        await asyncio.sleep(0)  # the requests are on their way
        buyer.connection.transport.abort()
        await asyncio.gather(*orders, return_exceptions=True)
        again = await self.logged_on(buyer.account, buyer.key)
        rows = (await again.call("account.orders"))["orders"]
        names = [row["cl_ord_id"] for row in rows]
        self.assertEqual(len(names), len(set(names)))
        # An order whose answer was lost can be asked for by its name: placed once, whatever came.
        for n in range(50):
            await again.call("order.place", symbol=symbol, side="buy", order_type="limit",
                             price="2.50", gpus=1, cl_ord_id=f"cut-{n}")
        rows = (await again.call("account.orders"))["orders"]
        self.assertEqual(sorted(row["cl_ord_id"] for row in rows),
                         sorted(f"cut-{n}" for n in range(50)))

    # -- Before the protocol

    async def test_requests_that_are_no_websocket_get_an_http_answer(self):
        """Other paths, methods and origins, and bytes that are no HTTP."""
        async def http(text, port=self.market.port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text)
            head = await asyncio.wait_for(reader.read(65536), DEADLINE_S)
            writer.close()
            return int(head.split()[1]) if head else None

        for text, statuses in (
                (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
                (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404, 426}),
                (b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", {400, 404, 405}),
                (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, {400, None}),
                (b"HELLO\r\n\r\n", {400, None}),
                (b"GET /ws HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
                 {400, 431, None})):
            with self.subTest(text=text[:40]):
                with contextlib.suppress(ConnectionResetError):
                    self.assertIn(await http(text), statuses)
        for path in ("/livez", "/readyz"):
            status = await http(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
                                self.market.admin_port)
            self.assertEqual(status, 200)
        socket = await RawSocket.connect(self.market.port, path="/other")
        self.assertEqual(socket.status, 404)
        await socket.close()
        socket = await RawSocket.connect(self.market.port,
                                         more_headers="Origin: https://evil.example\r\n")
        self.assertEqual(socket.status, 403)
        await socket.close()


if __name__ == "__main__":
    market.main()
