#!/usr/bin/python3
"""Cut, killed and started again: who resumes has seen, byte for byte, what who stayed has seen."""

import asyncio
import json
import time

import websockets

import market
from client import PRIVATE_CHANNELS, Refused, logon_message, now_us
from market import SERVER_NAME
from market_test_case import MarketTestCase


class Listener:
    """One account's private messages, as text, over as many connections as it takes. It believes
    `prev_seq` alone: each message names the one before it."""

    def __init__(self, test, member):
        self.test, self.account, self.key = test, member.account, member.key
        self.told = []
        self.sources = []
        self.socket = None

    async def begin(self):
        """Begins with the account's first event, so that there is nothing that it has not seen."""
        self.socket = await websockets.connect(self.test.market.url, max_size=None,
                                               compression=None)
        await self.ask("session.challenge", {})
        nonce = self.answer["result"]["nonce"]
        now = now_us()
        await self.ask("session.logon", {
            "account": str(self.account), "public_key": self.key.public_hex, "timestamp": now,
            "signature": self.key.sign(logon_message(SERVER_NAME, nonce, self.account, now))})
        params = {"last_seq": 0, "channels": list(PRIVATE_CHANNELS)}
        if self.told:
            last = json.loads(self.told[-1])
            params.update(last_seq=last["seq"], last_channel=last["channel"])
        await self.ask("session.resume", params)
        self.test.assertTrue(self.answer["result"]["resumed"], self.answer)
        self.sources.append(self.answer["result"]["source"])

    async def ask(self, method, params):
        await self.socket.send(json.dumps({"method": method, "req_id": 1, "params": params}))
        self.answer = None
        while self.answer is None:
            await self.read_one()
        self.test.assertTrue(self.answer["success"], self.answer)

    async def read_one(self):
        async with asyncio.timeout(20):
            text = await self.socket.recv()
        message = json.loads(text)
        if "method" in message:
            self.answer = message
        elif message["channel"] != "status":
            last = json.loads(self.told[-1])["seq"] if self.told else 0
            self.test.assertEqual(message["prev_seq"], last, text)
            self.told.append(text)

    async def read_up_to(self, sequence):
        """All messages of the events up to that one."""
        while not self.told or json.loads(self.told[-1])["seq"] < sequence:
            await self.read_one()
        # Its last message: what the next event would bring is waited for in vain.
        try:
            async with asyncio.timeout(0.3):
                while True:
                    text = await self.socket.recv()
                    self.told.append(text)
        except TimeoutError:
            pass

    async def cut(self):
        self.socket.transport.abort()
        self.socket = None


class ResumeTest(MarketTestCase):
    async def engine_is_ready(self):
        deadline = time.monotonic() + 30
        while await asyncio.to_thread(self.market.http_status, "/readyz") != 200:
            self.assertLess(time.monotonic(), deadline, "the engine is not ready")
            await asyncio.sleep(0.1)

    async def sequence_of(self, member):
        """That of the account's last event."""
        client = await self.logged_on(member.account, member.key)
        feed = await client.subscribe("balances")
        return feed.messages[0]["seq"]

    async def trade(self, provider, buyer, symbol, price="2.50"):
        await self.ask(provider, symbol, price, 3)
        await self.bid(buyer, symbol, price, 2)
        await self.bid(buyer, symbol, price, 1)
        await buyer.call("order.cancel_all")

    async def test_cut_killed_and_started_again(self):
        provider, buyer = await self.provider(), await self.buyer()
        symbol = (await self.windows())[-1]["symbol"]
        listeners = [Listener(self, member) for member in (provider, buyer)]
        cut = [Listener(self, member) for member in (provider, buyer)]
        for listener in listeners + cut:
            await listener.begin()
        await self.trade(provider, buyer, symbol)
        for listener in cut:
            for _ in range(4):
                await listener.read_one()
            await listener.cut()
        await self.trade(provider, buyer, symbol)
        for listener in cut:
            await listener.begin()
        await self.trade(provider, buyer, symbol, "2.60")
        last = [await self.sequence_of(member) for member in (provider, buyer)]
        # Those who stay read all of it before the exchange is killed; the others lose what is under
        # way.
        for listener, sequence in zip(listeners, last):
            await listener.read_up_to(sequence)
        await self.stop_pricing()
        await asyncio.to_thread(self.market.engine.kill)
        self.market.engine.start()
        await self.engine_is_ready()
        # It ends with its engine, and is started again by a service manager.
        if self.market.settlement.running:
            self.market.settlement.kill()
        self.market.settlement.start()
        self.operator = await self.logged_on_admin("operator")
        await self.set_price()
        provider_again = await self.logged_on(provider.account, provider.key)
        provider_again.node = provider.node
        buyer_again = await self.logged_on(buyer.account, buyer.key)
        for listener in listeners + cut:
            listener.socket = None
            await listener.begin()
        await self.trade(provider_again, buyer_again, symbol)
        last = [await self.sequence_of(member) for member in (provider, buyer)]
        for listener, sequence in zip(listeners + cut, last + last):
            await listener.read_up_to(sequence)
        for stayed, came_back in zip(listeners, cut):
            self.assertGreater(len(stayed.told), 10)
            self.assertEqual(came_back.told, stayed.told)
        # One that has seen nothing yet is told all, the same.
        for stayed, member in zip(listeners, (provider, buyer)):
            late = Listener(self, member)
            await late.begin()
            await late.read_up_to(json.loads(stayed.told[-1])["seq"])
            self.assertEqual(late.told, stayed.told)
        with self.assertRaises(Refused) as ahead:
            await buyer_again.call("session.resume", last_seq=last[1] + 1_000,
                                   channels=["balances"])
        self.assertEqual(ahead.exception.code, "resume_ahead")
        await self.check_statement(buyer_again, listeners[1])
        self.pricing = asyncio.create_task(self._keep_price())

    async def check_statement(self, client, listener):
        """The statement's entries are the balance channel's updates."""
        entries, after, more = [], 0, True
        while more:
            page = await client.call("account.statement", after_seq=after, limit=7)
            entries += page["entries"]
            after, more = page["next_after_seq"], page["more"]
        told = [json.loads(text) for text in listener.told]
        self.assertEqual(entries, [{"seq": message["seq"], "ts": message["ts"], **entry}
                                   for message in told if message["channel"] == "balances"
                                   for entry in message["data"]])


if __name__ == "__main__":
    market.main()
