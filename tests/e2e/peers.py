"""Members of the exchange on WebSocket clients that others wrote, all with the same commands.

  PythonPeer    Debian's python3-websockets: client.py, in this process
  NodePeer      Node.js with npm's `ws` (Debian's node-ws): clients/node_client.mjs
  ChromiumPeer  Chromium's own WebSocket, without a window: clients/page.html

Each makes its own key and signs with it, answers for every reply that it got (client.py and
clients/member.mjs say what they check) and rebuilds and proves its books on each message. Commands
are the methods of PythonPeer. To clients/member.mjs they are sent as {"do": method, "with":
[arguments]}; it answers {"result": ...} or {"failure": "..."}.
"""

import asyncio
import contextlib
import http.server
import json
import os
import re
import subprocess
import threading

from client import Client, Key
from market import Process

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
COMMAND_DEADLINE_S = 30.0
OUTCOME_BYTES_MAX = 1 << 26
NODE = "/usr/bin/node"
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-sync"
]


class PeerFailed(AssertionError):
    """A command failed, or a promise was broken."""


class PythonPeer:
    """client.py, in this process."""

    def __init__(self):
        self.client = None
        self.key = None
        self._cut = None

    async def make_key(self):
        """Its public key."""
        self.key = Key()
        return self.key.public_hex

    async def connect(self, url, server_name):
        """The extensions that were agreed on, as text."""
        self._cut = self.client
        self.client = await Client.connect(url, server_name, compression="deflate")
        return ", ".join(extension.name for extension in self.client.connection.extensions)

    async def open_account(self):
        """The id of a new account, as text."""
        return str(await self.client.open_account(self.key))

    async def logon(self, account):
        await self.client.logon(int(account), self.key)

    async def call(self, method, **params):
        """The whole reply."""
        return await self.client.request(method, params)

    async def subscribe(self, channel, symbol=None, tick=None):
        """Returns when the snapshot is there. (This client asks for the tick by itself.)"""
        await self.client.subscribe(channel, symbol)

    async def resume(self):
        """The result of session.resume, on a new connection."""
        return await self.client.resume(self._cut)

    async def until_private(self, seq):
        await self.client.wait(lambda: self.client.private.last >= seq, f"private event {seq}")

    async def until_book(self, symbol, seq):
        await self.client.wait(lambda: self.client.feeds["book", symbol].seq >= seq,
                               f"update {seq}")

    async def until_closed(self):
        """The code that the connection was closed with."""
        await asyncio.wait_for(self.client.connection.wait_closed(), COMMAND_DEADLINE_S)
        return self.client.close_code

    async def updates(self):
        """Every update of the private channels, over all connections, in order."""
        return self.client.private.updates

    async def book(self, symbol):
        """The book as it stands, how often it was proved and how often it began anew."""
        book = self.client.feeds["book", symbol]
        kinds = [message["type"] for message in book.messages]
        return {"asks": [list(level) for level in book.levels("asks")],
                "bids": [list(level) for level in book.levels("bids")], "seq": book.seq,
                "snapshots": kinds.count("snapshot"), "proved": len(kinds)}

    async def trades(self, symbol):
        return self.client.feeds["trades", symbol].data()

    async def money(self):
        """What the balances channel has led to, in micro-TOK and credits, as text."""
        balances = self.client.feeds["balances", None]
        return {"tok": str(balances.tok),
                **{name: str(balances.credits[name]) for name in ("free", "locked")}}

    async def close(self):
        """The code that the exchange echoed."""
        await self.client.close()
        return self.client.close_code

    async def stop(self):
        await self.client.close()


class RemotePeer:
    """clients/member.mjs: each command of PythonPeer is its method of the same name, in camelCase."""

    async def do(self, command):
        """The outcome of one command."""
        raise NotImplementedError

    def __getattr__(self, name):
        async def run(*arguments, **params):
            async with asyncio.timeout(COMMAND_DEADLINE_S):
                outcome = await self.do({"do": re.sub(r"_(.)", lambda m: m[1].upper(), name),
                                         "with": [*arguments, params] if params else arguments})
            if "failure" in outcome:
                raise PeerFailed(f"{type(self).__name__}.{name}: {outcome['failure']}")
            return outcome["result"]
        return run


class NodePeer(RemotePeer):
    """Commands and outcomes are lines on its standard input and output."""

    @classmethod
    async def start(cls):
        peer = cls()
        peer._process = await asyncio.create_subprocess_exec(
            NODE, os.path.join(FOLDER, "node_client.mjs"), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, limit=OUTCOME_BYTES_MAX)
        return peer

    async def do(self, command):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise PeerFailed("Node.js has ended")
        return json.loads(line)

    async def stop(self):
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), COMMAND_DEADLINE_S)


class ChromiumPeer(RemotePeer):
    """The page asks this process for commands, and brings what came of the last one."""

    @classmethod
    async def start(cls, folder, port):
        """Pages come from that port of this machine: that is the browser's Origin."""
        peer = cls()
        peer._commands, peer._outcomes = asyncio.Queue(), asyncio.Queue()
        peer._server = _PageServer(("127.0.0.1", port), peer._turn)
        peer._process = Process("chromium", [
            CHROMIUM, *CHROMIUM_OPTIONS, f"--user-data-dir={os.path.join(folder, 'chromium')}",
            f"http://127.0.0.1:{port}/page.html"], os.path.join(folder, "chromium.log"))
        peer._process.start()
        async with asyncio.timeout(COMMAND_DEADLINE_S):
            peer.user_agent = (await peer._outcomes.get())["result"]
        return peer

    async def _turn(self, outcome):
        self._outcomes.put_nowait(outcome)
        return await self._commands.get()

    async def do(self, command):
        self._commands.put_nowait(command)
        return await self._outcomes.get()

    async def stop(self):
        self._commands.put_nowait(None)
        self._process.kill()
        await asyncio.to_thread(self._server.close)


class _PageServer(http.server.ThreadingHTTPServer):
    """Serves the folder `clients`, and POST /turn by a coroutine of the loop that made it."""

    daemon_threads = True

    def __init__(self, address, turn):
        loop = asyncio.get_running_loop()

        class Handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {".html": "text/html", ".mjs": "text/javascript"}

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=FOLDER)

            def do_POST(self):
                outcome = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                command = asyncio.run_coroutine_threadsafe(turn(outcome), loop).result()
                body = json.dumps(command).encode()
                with contextlib.suppress(ConnectionError):  # the browser is gone
                    self.send_response(200 if command else 410)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(address, Handler)
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
