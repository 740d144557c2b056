"""A WebSocket connection whose handshake and frames are made by hand, right or wrong."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import socket
import struct

OP_CONTINUATION, OP_TEXT, OP_BINARY, OP_CLOSE, OP_PING, OP_PONG = 0, 1, 2, 8, 9, 10
DEADLINE_S = 15
ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def handshake(path="/ws", method="GET", **headers):
    """The request that opens a WebSocket; headers added, replaced or, with None, left out. An
    underscore stands for a dash."""
    fields = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
              "Sec-WebSocket-Version": "13"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(opcode, payload, fin=True, rsv=0, masked=True, length=None):
    """The bytes of one frame; `length` may lie."""
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
    return head + payload


async def http(port, request):
    """(status, code of the error or None) of what is answered to these bytes, and nothing behind
    it; (None, None) where the connection ends without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(ConnectionError):
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), DEADLINE_S)
    writer.close()
    if not answer:
        return None, None
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body or "{}").get("error", {}).get("code")


def open_without_reading(port, messages=(), address="127.0.0.1"):
    """An open connection that asks and takes no answer; its socket, which does not block."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((address, 0))
    connection.connect(("127.0.0.1", port))
    connection.sendall(handshake())
    answer = connection.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101 "):
        connection.close()
        raise ConnectionRefusedError(answer.split(b"\r\n")[0].decode() or "closed at once")
    connection.sendall(b"".join(frame(OP_TEXT, json.dumps(each).encode()) for each in messages))
    connection.setblocking(False)
    return connection


class RawSocket:
    """An open connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port, **headers):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        raw = cls(reader, writer)
        request = handshake(**headers)
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE_S)
        assert head.startswith(b"HTTP/1.1 101 "), head
        key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accepted = base64.b64encode(hashlib.sha1(key + ACCEPT_SUFFIX).digest())
        assert b"Sec-WebSocket-Accept: " + accepted + b"\r\n" in head, head
        return raw

    def send(self, *arguments, **options):
        """One frame, as frame() makes it."""
        self.writer.write(frame(*arguments, **options))

    async def receive(self):
        """(opcode, payload) of the next frame; None at the end of the stream."""
        try:
            first, second = await asyncio.wait_for(self.reader.readexactly(2), DEADLINE_S)
            assert first & 0xF0 == 0x80 and second < 128, "a frame that no server may send"
            size = second
            if size == 126:
                size, = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                size, = struct.unpack(">Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def until_closed(self):
        """(text messages, payload of the close frame) until the exchange has ended the connection;
        None where it ends without one. Nothing but pongs may be between."""
        texts, close = [], None
        while (found := await self.receive()) is not None:
            opcode, payload = found
            assert close is None, "a frame behind the close"
            if opcode == OP_TEXT:
                texts.append(json.loads(payload))
            elif opcode == OP_CLOSE:
                close = payload
                with contextlib.suppress(ConnectionError):
                    self.send(OP_CLOSE, payload[:2])
        return texts, close

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
