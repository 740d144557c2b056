"""A TCP line between a client and the exchange that a test cuts where it likes.

A client that connects to `line.url` talks to the exchange as if nothing were between them. A cut
resets both ends, as a crash or a pulled cable does: no close frame, and what was on its way is lost,
also the second half of a frame.
"""

import asyncio
import socket
import struct

READ_BYTES = 1 << 14


class Line:
    def __init__(self, port):
        self._port = port
        self._ends = []
        self._bytes_left = None  # towards the client, before the cut; None: no cut is due
        self._tasks = set()
        self.cuts = 0

    @classmethod
    async def to(cls, port):
        """A line to that port of this machine."""
        line = cls(port)
        line._server = await asyncio.start_server(line._join, "127.0.0.1", 0)
        return line

    @property
    def url(self):
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"

    def cut(self, after_bytes=0):
        """Cuts all that is connected now, once that many more bytes have reached the client."""
        self._bytes_left = after_bytes
        if after_bytes == 0:
            self._reset()

    async def close(self):
        self._server.close()
        self._reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _join(self, client_reader, client_writer):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [client_writer, writer]
        for pump in (self._pump(client_reader, writer), self._pump_down(reader, client_writer)):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _pump(reader, writer):
        try:
            while data := await reader.read(READ_BYTES):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def _pump_down(self, reader, writer):
        try:
            while data := await reader.read(READ_BYTES):
                if self._bytes_left is not None and len(data) >= self._bytes_left:
                    writer.write(data[:self._bytes_left])
                    await asyncio.sleep(0.05)  # a reset takes back what has not been read
                    self._reset()
                    return
                if self._bytes_left is not None:
                    self._bytes_left -= len(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    def _reset(self):
        self._bytes_left = None
        if self._ends:
            self.cuts += 1
        for writer in self._ends:
            handle = writer.get_extra_info("socket")
            if handle is not None and handle.fileno() >= 0:
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._ends = []
