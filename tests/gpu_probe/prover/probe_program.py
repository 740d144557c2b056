"""For tests of the real `warpbook-probe`: its messages, its server, and lines to that. WARPBOOK_PROBE_BINARY
says where the program is.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEADLINE_S = 60
HELLO, ANSWER, CHALLENGE, QUESTION, VERDICT, REFUSAL, GREETING, SIZES, READY = range(1, 10)
PRODUCTS, FILLED, GATHERED, OPENINGS = 0, 1, 2, 3
OK, FAILED, USAGE, NO_GPU, TOO_LATE, INVALID = 0, 1, 2, 3, 7, 8
ANY_KEY = "ab" * 32
DEVICE_KEY = Ed25519PrivateKey.generate()


def binary():
    return os.environ["WARPBOOK_PROBE_BINARY"]


def run(*arguments, **options):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=DEADLINE_S,
                          check=False, **options)


def message(kind, body=b"", stage=0, length=None):
    """A message's bytes; `length` may lie."""
    return b"WBP2" + struct.pack("<BBHI", kind, stage, 0,
                                 len(body) if length is None else length) + body


def public_hex(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw,
                                         serialization.PublicFormat.Raw).hex()


def hello(greeting, gpus=1, key=DEVICE_KEY, **fields):
    """Signed by the key for the greeting; `fields` are put over what it says."""
    device_key = public_hex(key)
    signed = (b"warpbook-probe-hello-v1" + greeting + bytes.fromhex(device_key) +
              struct.pack("<i", gpus))
    return message(HELLO, json.dumps({"version": 2, "device_key": device_key, "gpus": gpus,
                                      "signature": key.sign(signed).hex(), **fields}).encode())


def receive(connection):
    """(kind, stage, body), or None where the connection ends."""
    with contextlib.suppress(ConnectionError):
        head = connection.recv(12, socket.MSG_WAITALL)
        if len(head) < 12:
            return None
        assert head[:4] == b"WBP2", head
        kind, stage, _, length = struct.unpack("<BBHI", head[4:])
        return kind, stage, connection.recv(length, socket.MSG_WAITALL)
    return None


def greeting_of(connection):
    kind, _, body = receive(connection)
    assert (kind, len(body)) == (GREETING, 32), (kind, body)
    return body


def sizes_of(connection, key=DEVICE_KEY):
    """The document of the sizes, after greeting and hello."""
    connection.sendall(hello(greeting_of(connection), key=key))
    kind, _, body = receive(connection)
    assert kind == SIZES, (kind, body)
    return body


def challenge_of(connection, key=DEVICE_KEY):
    """The challenge's document, after all that is before it."""
    sizes_of(connection, key)
    connection.sendall(message(READY))
    kind, _, body = receive(connection)
    assert kind == CHALLENGE, (kind, body)
    return body


class Server:
    """`serve-challenge` on a port of its own."""

    def __init__(self, *arguments, small=True):
        self.lines = []
        self.process = subprocess.Popen(
            [binary(), "serve-challenge", "--class", "H100-SXM", "--listen", "127.0.0.1:0",
             *(["--small"] if small else []), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.address = self.ready["address"]
        self.errors = []
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines),
                                     (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line)

    def connect(self):
        host, port = self.address.split(":")
        connection = socket.create_connection((host, int(port)), timeout=DEADLINE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def verdicts(self, count):
        """The reports of the first so many verdicts."""
        deadline = time.monotonic() + DEADLINE_S
        while len(self.lines) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.lines) >= count, (self.lines, self.errors)
        return [json.loads(line)["report"] for line in self.lines]

    def end(self, number=signal.SIGTERM):
        """The exit code, after a signal or by itself."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


class Line:
    """A TCP line to the server that a test delays or cuts: `on_message(kind, stage)` is called
    before a message of the prover's is passed on, and cuts by returning False."""

    def __init__(self, address, on_message):
        self.on_message = on_message
        self.target = (address.split(":")[0], int(address.split(":")[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        prover, _ = self.listener.accept()
        with prover, socket.create_connection(self.target) as server:
            back = threading.Thread(target=self.carry_back, args=(server, prover), daemon=True)
            back.start()
            while (got := receive(prover)) is not None:
                kind, stage, body = got
                if self.on_message(kind, stage) is False:
                    for end in (prover, server):  # the other thread still reads of both
                        end.shutdown(socket.SHUT_RDWR)
                    return
                with contextlib.suppress(OSError):
                    server.sendall(message(kind, body, stage))
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join(DEADLINE_S)

    @staticmethod
    def carry_back(server, prover):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                prover.sendall(data)

    def close(self):
        self.listener.close()
        self.thread.join(DEADLINE_S)


class ProgramTestCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="warpbook-probe-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.key = self.path("device.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, *arguments, **options):
        server = Server(*(arguments or ("--any-device",)), **options)

        def end():
            if server.process.poll() is None:
                server.process.kill()
                server.end(None)
        self.addCleanup(end)
        return server

    def prove(self, address, *more):
        return run("prove", "--server", address, "--device-key", self.key, "--cpu", *more)

    def fails(self, done, code, *words):
        """With that code, and sentences for people that have these words."""
        self.assertEqual(done.returncode, code, done)
        self.assertTrue(done.stderr.endswith("\n"), done)
        self.assertTrue(all(line for line in done.stderr.splitlines()), done)
        for word in words:
            self.assertIn(word, done.stderr)
        for noise in ("terminate called", "CHECK", "what():", "core dumped"):
            self.assertNotIn(noise, done.stderr)
