#!/usr/bin/python3
"""Below JSON: frames, fragments, handshakes and bare sockets that are not what they should be, over
real connections. Each is ended as promised: by its close code, and by an error as JSON before it
where the code does not say it all."""

import asyncio
import contextlib
import json
import struct
import time

import websockets

import market
from client import REASONS
from market_test_case import MarketTestCase
from raw_socket import (DEADLINE_S, OP_BINARY, OP_CLOSE, OP_CONTINUATION, OP_PING, OP_PONG, OP_TEXT,
                        RawSocket, frame, handshake, http)

MESSAGE_BYTES_MAX = 64 * 1024
MESSAGE_FRAMES_MAX = 2048
CONTROL_FRAMES_BURST = 1000  # gateway/admission/limits.h
HANDSHAKE_TIMEOUT_S = 10
PING = b'{"method":"ping","req_id":1}'
EURO = "\u20ac".encode()
BAD_UTF8 = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80",
            b'{"method":"pi\xe9ng"}']
GOOD_CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000,
                    3999, 4000, 4999]
BAD_CLOSE_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535]


def code_bytes(code):
    return struct.pack(">H", code)


class BadFrameTest(MarketTestCase):
    clock_factor = 1

    async def raw(self):
        socket = await RawSocket.connect(self.market.port)
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

    async def closes(self, socket, code, error=None):
        """The exchange ends the connection: with that error as JSON, where there is one, and that
        code."""
        texts, close = await socket.until_closed()
        self.assertEqual(close, code_bytes(code))
        self.assertEqual(len(texts), 1 if error else 0, texts)
        for text in texts:
            self.is_error(text, error)

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
            await self.closes(socket, 1009, "frame_too_large")

    async def test_fragments_make_one_message_and_one_limit(self):
        """A message in fragments, with control frames between them, is read; fragments that
        together are too large, or too many, close."""
        socket = await self.raw()
        socket.send(OP_TEXT, PING[:5], fin=False)
        socket.send(OP_CONTINUATION, PING[5:6], fin=False)
        socket.send(OP_PING, b"still there?")
        socket.send(OP_CONTINUATION, b"", fin=False)
        socket.send(OP_PONG, b"unasked")
        socket.send(OP_CONTINUATION, PING[6:])
        self.assertEqual(await socket.receive(), (OP_PONG, b"still there?"))
        opcode, payload = await socket.receive()
        self.assertEqual((opcode, json.loads(payload)["success"]), (OP_TEXT, True))
        await self.pings(socket)

        socket.send(OP_TEXT, b" " * 1000, fin=False)
        for _ in range(MESSAGE_BYTES_MAX // 1000):
            socket.send(OP_CONTINUATION, b" " * 1000, fin=False)
        await self.closes(socket, 1009, "frame_too_large")

        socket = await self.raw()
        socket.send(OP_TEXT, PING[:5], fin=False)
        for _ in range(MESSAGE_FRAMES_MAX):
            socket.send(OP_CONTINUATION, b"", fin=False)
        await self.closes(socket, 1008, "rate_limited")

    async def test_however_frames_are_cut_into_packets_they_are_the_same(self):
        """A byte at a time, and many frames at once, each with its own answer in its order."""
        socket = await self.raw()
        for byte in frame(OP_PING, b"slow") + frame(OP_TEXT, PING):
            socket.writer.write(bytes([byte]))
            await socket.writer.drain()
            await asyncio.sleep(0.001)
        self.assertEqual(await socket.receive(), (OP_PONG, b"slow"))
        self.assertEqual((await socket.receive())[0], OP_TEXT)
        socket.writer.write(b"".join(
            frame(OP_TEXT, b'{"method":"ping","req_id":%d}' % number) for number in range(500)))
        answers = [json.loads((await socket.receive())[1])["req_id"] for _ in range(500)]
        self.assertEqual(answers, list(range(500)))

    async def test_a_promised_giant_is_refused_before_it_comes(self):
        """A header that announces more than 64 KiB closes with 1009 at once."""
        for size in (2**40, 2**63 - 1, MESSAGE_BYTES_MAX + 1):
            socket = await self.raw()
            socket.send(OP_TEXT, b"{", length=size)
            await self.closes(socket, 1009, "frame_too_large")

    async def test_bytes_that_are_not_utf8_close_with_1007(self):
        """Text must be UTF-8, also across fragments and in the reason of a close: an error as JSON,
        then close 1007."""
        for payload in BAD_UTF8:
            with self.subTest(payload=payload):
                socket = await self.raw()
                socket.send(OP_TEXT, payload)
                await self.closes(socket, 1007, "invalid_utf8")
        socket = await self.raw()
        socket.send(OP_TEXT, b"{" + EURO[:1], fin=False)
        socket.send(OP_CONTINUATION, b"}")
        await self.closes(socket, 1007, "invalid_utf8")
        socket = await self.raw()
        socket.send(OP_CLOSE, code_bytes(1000) + b"\xff")
        await self.closes(socket, 1007, "invalid_utf8")
        # A character that fragments cut in two or three is whole again.
        for cuts in ([1], [2], [1, 2]):
            socket = await self.raw()
            text = b'{"method":"ping' + EURO + b'"}'
            start = text.index(EURO)
            parts = [text[a:b] for a, b in zip([0] + [start + cut for cut in cuts],
                                               [start + cut for cut in cuts] + [len(text)])]
            for number, part in enumerate(parts):
                socket.send(OP_CONTINUATION if number else OP_TEXT, part,
                            fin=number == len(parts) - 1)
            opcode, payload = await socket.receive()
            self.assertEqual(opcode, OP_TEXT)
            self.is_error(json.loads(payload), "unknown_method")
            await self.pings(socket)

    async def test_a_binary_message_is_refused_and_the_connection_lives(self):
        """JSON connections take text only; bytes that are not UTF-8 are no fault in it."""
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
        with contextlib.suppress(websockets.ConnectionClosed):  # it need not wait for it all
            await connection.send(" " * 20_000_000)
        self.is_error(json.loads(await asyncio.wait_for(connection.recv(), DEADLINE_S)),
                      "frame_too_large")
        await asyncio.wait_for(connection.wait_closed(), DEADLINE_S)
        self.assertEqual(connection.close_code, 1009)

    # -- The protocol's own rules

    async def test_frames_against_the_protocol_close_with_1002(self):
        """Unmasked, reserved, unfinished or oversized control frames end the connection; what the
        same packet held before them was answered."""
        frames = {
            "unmasked": frame(OP_TEXT, PING, masked=False),
            "unmasked ping": frame(OP_PING, b"", masked=False),
            **{f"reserved opcode {opcode}": frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7)},
            **{f"reserved control opcode {opcode}": frame(opcode, b"x")
               for opcode in (11, 12, 13, 14, 15)},
            **{f"reserved bits {rsv}": frame(OP_TEXT, PING, rsv=rsv) for rsv in (1, 2, 3, 5, 6, 7)},
            "compressed without agreement": frame(OP_TEXT, PING, rsv=4),
            "reserved bit of a control frame": frame(OP_PING, b"", rsv=4),
            "continuation of nothing": frame(OP_CONTINUATION, b"x"),
            "unfinished continuation of nothing": frame(OP_CONTINUATION, b"x", fin=False),
            "text within a message": frame(OP_TEXT, b"{", fin=False) + frame(OP_TEXT, PING),
            "binary within a message": frame(OP_TEXT, b"{", fin=False) + frame(OP_BINARY, PING),
            "fragmented ping": frame(OP_PING, b"x", fin=False),
            "fragmented close": frame(OP_CLOSE, code_bytes(1000), fin=False),
            "large ping": frame(OP_PING, b"x" * 126),
            "large pong": frame(OP_PONG, b"x" * 126),
            "large close": frame(OP_CLOSE, code_bytes(1000) + b"x" * 124),
            "close of one byte": frame(OP_CLOSE, b"x"),
            **{f"close with {code}": frame(OP_CLOSE, code_bytes(code)) for code in BAD_CLOSE_CODES},
        }
        for name, data in frames.items():
            with self.subTest(frame=name):
                socket = await self.raw()
                socket.writer.write(frame(OP_TEXT, PING) + data)
                opcode, payload = await socket.receive()
                self.assertEqual((opcode, json.loads(payload)["success"]), (OP_TEXT, True))
                await self.closes(socket, 1002)

    async def test_closes_are_returned(self):
        """A close comes back with its code, without its reason; nothing is read behind it."""
        for code in GOOD_CLOSE_CODES:
            with self.subTest(code=code):
                socket = await self.raw()
                socket.send(OP_CLOSE, code_bytes(code) + "bye, 123 \u20ac".encode())
                socket.send(OP_TEXT, PING)
                await self.closes(socket, code)
        socket = await self.raw()
        socket.send(OP_CLOSE, b"")
        self.assertEqual(await socket.until_closed(), ([], b""))
        socket = await self.raw()
        socket.send(OP_TEXT, PING[:5], fin=False)  # a message that will not be finished
        socket.send(OP_CLOSE, code_bytes(1000) + b"r" * 123)
        await self.closes(socket, 1000)

    async def test_pings_are_answered_as_long_as_they_are_few(self):
        """A ping of 125 bytes comes back, a pong is ignored; a flood of either is answered up to
        its limit, then ends."""
        socket = await self.raw()
        for payload in (b"", b"p" * 125, b"\xff\x00"):
            socket.send(OP_PING, payload)
            self.assertEqual(await socket.receive(), (OP_PONG, payload))
        socket.send(OP_PONG, b"unasked")
        await self.pings(socket)
        flood = 3 * CONTROL_FRAMES_BURST
        socket = await self.raw()
        socket.writer.write(b"".join(frame(OP_PING, b"%d" % number) for number in range(flood)))
        pongs = 0
        while (found := await socket.receive())[0] == OP_PONG:
            self.assertEqual(found[1], b"%d" % pongs)
            pongs += 1
        self.assertEqual(found[0], OP_TEXT)
        self.is_error(json.loads(found[1]), "rate_limited")
        await self.closes(socket, 1008)
        self.assertGreaterEqual(pongs, CONTROL_FRAMES_BURST)
        self.assertLess(pongs, flood)
        socket = await self.raw()
        socket.writer.write(frame(OP_PONG, b"") * flood)
        await self.closes(socket, 1008, "rate_limited")

    # -- Lines that break

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

    async def test_half_open_connections_end(self):
        """A client that ends its direction without a close frame is gone; one that never finishes
        its handshake is told so after a time."""
        for data in (b"", frame(OP_TEXT, PING)[:9], frame(OP_TEXT, PING[:5], fin=False)):
            socket = await self.raw()
            socket.writer.write(data)
            socket.writer.write_eof()
            self.assertEqual(await socket.until_closed(), ([], None))

        async def ends(data):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.market.port)
            writer.write(data)
            begin = time.monotonic()
            answer = await asyncio.wait_for(reader.read(), HANDSHAKE_TIMEOUT_S + DEADLINE_S)
            writer.close()
            return answer, round(time.monotonic() - begin)

        beginnings = (b"", b"GET /ws HTTP/1.1\r\n", handshake()[:-2])
        for data, (answer, seconds) in zip(beginnings,
                                           await asyncio.gather(*map(ends, beginnings))):
            # Who has asked for nothing gets no answer.
            self.assertEqual(answer[:12], b"HTTP/1.1 408" if data else b"")
            self.assertGreaterEqual(seconds, HANDSHAKE_TIMEOUT_S)

    # -- Before the protocol

    async def test_requests_that_are_no_handshake_get_an_http_answer(self):
        """Each fault has its status and its code; bytes that are no HTTP get nothing."""
        for request, status, code in (
                (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
                (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
                (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
                (handshake(path="/other"), 404, "not_found"),
                (handshake(Upgrade=None), 404, "not_found"),
                (handshake(Upgrade="h2c"), 404, "not_found"),
                (handshake(Connection="close"), 404, "not_found"),
                (handshake(method="POST"), 404, "not_found"),
                (handshake(Content_Length="5") + b"hello", 400, "bad_request"),
                (handshake() + frame(OP_TEXT, PING), 400, "bad_request"),
                (handshake(Sec_WebSocket_Key=None), 400, "bad_handshake"),
                (handshake(Sec_WebSocket_Key=""), 400, "bad_handshake"),
                (handshake(Sec_WebSocket_Key="x" * 100), 400, "bad_handshake"),
                (handshake(Sec_WebSocket_Version=None), 400, "bad_handshake"),
                (handshake(Sec_WebSocket_Version="8"), 426, "bad_handshake"),
                (handshake(Host=None), 400, "bad_handshake"),
                (handshake(Origin="https://evil.example"), 403, "foreign_origin"),
                (handshake(Origin="null"), 403, "foreign_origin"),
                (handshake(X_Padding="y" * 8192), 431, "header_too_large"),
                (b"GET /ws HTTP/1.1\r\nX: " + b"y" * 1_000_000, 431, "header_too_large"),
                (b"HELLO\r\n\r\n", 400, "bad_request"),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, None, None)):
            with self.subTest(request=request[:200]):
                self.assertEqual(await http(self.market.port, request), (status, code))
        for path in ("/livez", "/readyz"):
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            self.assertEqual(await http(self.market.admin_port, request), (200, None))


if __name__ == "__main__":
    market.main()
