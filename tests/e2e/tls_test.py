#!/usr/bin/python3
"""The exchange behind TLS: members, operators and settlement reach both listeners, by clients that
others wrote and by the warpbook command, and nobody who is not believed is talked to."""

import asyncio
import os

import market
from market import SERVER_NAME, Market, warpbook_binary
from market_test_case import MarketTestCase, unique
from peers import NodePeer, PythonPeer


class TlsTest(MarketTestCase):
    clock_factor = 60

    @classmethod
    def make_market(cls):
        return Market(clock_factor=cls.clock_factor, tls=True)

    async def warpbook(self, *words, environment=None):
        """The warpbook command, from this thread: who starts it must outlive it."""
        process = await asyncio.create_subprocess_exec(
            warpbook_binary(), *words, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(environment or {})})
        output, errors = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode, output.decode(), errors.decode()

    async def test_a_member_buys_credits_that_settlement_burns_for_it(self):
        for peer in (PythonPeer(), await NodePeer.start()):
            with self.subTest(type(peer).__name__):
                self.addAsyncCleanup(peer.stop)
                await peer.make_key()
                await peer.connect(self.market.url, SERVER_NAME)
                account = await peer.open_account()
                await peer.logon(account)
                # Both go through settlement, on the admin listener.
                await self.operator.call("token.deposit", account=account, amount="50",
                                         reference=unique("deposit"))
                reply = await peer.call("credits.buy", burn="50")
                self.assertTrue(reply["success"], reply)
                self.assertEqual(reply["result"]["burned"], "50")

    async def test_the_command_talks_to_both_listeners(self):
        symbol = (await self.windows())[0]["symbol"]
        status, output, errors = await self.warpbook("instruments", "--connect", self.market.address)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn(symbol, output)
        status, output, errors = await self.warpbook("supply", "--connect", self.market.address)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("circulating supply", output)
        status, output, errors = await self.warpbook(
            "instrument", "halt", symbol, "--admin", self.market.admin_address, "--key",
            self.market.path("operator.pem"))
        self.assertEqual((status, errors), (0, ""))

    async def test_authorities_are_those_that_are_named_or_the_systems(self):
        nobody = {"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/nowhere"}
        for question in ("instruments", "supply"):  # over WebSocket, over HTTP
            ask = [question, "--connect", self.market.address]
            status, _, errors = await self.warpbook(*ask, environment=nobody)
            self.assertEqual(status, 1)
            self.assertIn(f"{self.market.address}: no TLS: certificate verify failed", errors)
            status, _, errors = await self.warpbook(*ask, "--authorities", self.market.certificate,
                                                    environment=nobody)
            self.assertEqual((status, errors), (0, ""))
            status, _, errors = await self.warpbook(*ask, "--authorities", "/nowhere/at/all.pem")
            self.assertEqual(status, 1)
            self.assertIn("cannot read the authorities' certificates in \"/nowhere/at/all.pem\"",
                          errors)

    async def test_a_host_that_the_certificate_does_not_name_is_not_believed(self):
        address = f"wss://localhost:{self.market.port}"
        status, _, errors = await self.warpbook("instruments", "--connect", address)
        self.assertEqual(status, 1)
        self.assertIn(f"{address}: no TLS: certificate verify failed", errors)

    async def test_plain_bytes_get_nowhere(self):
        for address in (f"127.0.0.1:{self.market.port}", f"ws://127.0.0.1:{self.market.port}"):
            status, _, errors = await self.warpbook("instruments", "--connect", address)
            self.assertEqual(status, 1)
            self.assertIn(f"{address}: no WebSocket at /ws", errors)


if __name__ == "__main__":
    market.main()
