#!/usr/bin/python3
"""kill -9 of each process under load: what was acknowledged is there, once, and the books balance."""

import asyncio
import itertools
import random
import time

import websockets

import market
from client import Refused, heartbeat_message
from market import SERVER_NAME, run, warpbook_binary
from market_test_case import FEEDS, MINUTE_US, TOKEN_PRICE, MarketTestCase, unique

LOAD_S = 2.5  # between one kill and the next
ACKNOWLEDGED_PER_ROUND = 50
RECONNECT_S = 0.05
CATCH_UP_S = 60
LOST = (OSError, websockets.ConnectionClosed, websockets.InvalidHandshake)


# What an order in a market that runs out may be told.
EXPECTED_REFUSALS = {"instrument_gate_closed", "instrument_closed", "insufficient_capacity",
                     "too_many_orders_in_book", "rate_limited", "engine_busy"}


class Trader:
    """One member who goes on whatever happens to its connection, and remembers what it was told."""

    def __init__(self, test, client, url=None):
        self.test, self.key, self.account, self.url = test, client.key, client.account, url
        self.client = client
        self.connecting = asyncio.Lock()
        self.executions = []  # one feed per connection
        self.placed = {}  # client order id -> order id, as acknowledged
        self.reconnects = 0

    async def call(self, method, **params):
        """The result, over as many connections as it takes; the request is the same each time."""
        while True:
            client = None
            try:
                client = await self._connected()
                return await client.call(method, **params)
            except LOST:
                if self.client is client:
                    self.client = None
                await asyncio.sleep(RECONNECT_S)

    async def _connected(self):
        async with self.connecting:
            if self.client is None:
                client = await self.test.logged_on(self.account, self.key, self.url)
                if self.url is None:
                    self.executions.append(await client.subscribe("executions"))
                self.client = client
                self.reconnects += 1
            return self.client

    def fills(self):
        """{lease id: GPUs}, as told on any connection."""
        return {entry["lease_id"]: entry["gpus"] for feed in self.executions
                for entry in feed.data(event="filled")}

    async def place(self, **order):
        """Places an order under a name of its own; a repeat after a lost answer is the same one."""
        name = unique("o")
        try:
            result = await self.call("order.place", cl_ord_id=name, order_type="limit", **order)
            self.placed[name] = result["order_id"]
        except Refused as refused:
            self.test.assertIn(refused.code, EXPECTED_REFUSALS)


class CrashTest(MarketTestCase):
    clock_factor = 240

    async def _keep_price(self):
        operator = Trader(self, self.operator, self.market.admin_url)
        while True:
            await asyncio.sleep(0.3)
            now = (await operator.call("session.status"))["market_time"]
            await operator.call("price.set", feeds=[{"price": TOKEN_PRICE, "time": now}] * FEEDS)

    async def test_a_clean_stop_says_so_and_a_start_continues(self):
        """SIGTERM: clients are told, closed with 1001, and find everything as it was."""
        provider, buyer = await self.provider(gpus=16), await self.buyer()
        symbol = (await self.windows())[-1]["symbol"]
        await self.ask(provider, symbol, "2.50", 8)
        await self.bid(buyer, symbol, "2.50", 3)
        await self.bid(buyer, symbol, "2.40", 2, cl_ord_id="rests")
        before = [await self.view(member, symbol) for member in (provider, buyer)]
        await self.stop_pricing()
        clients = [provider, buyer, self.operator]
        self.assertEqual(await asyncio.to_thread(self.market.engine.stop), 0)
        for client in clients:
            await client.wait(lambda client=client: client.connection.closed, "the close")
            self.assertEqual(client.close_code, 1001)
            message, = client.status
            self.assertEqual(message["data"]["event"], "server_shutdown")
            self.assertGreater(message["data"]["reconnect_by"], 0)
        self.market.engine.start()
        await self.engine_is_ready()
        again = [await self.logged_on(member.account, member.key) for member in (provider, buyer)]
        self.assertEqual([await self.view(member, symbol) for member in again], before)
        # Names are remembered, and the order that rested still trades.
        repeat = await again[1].call("order.place", symbol=symbol, side="buy", order_type="limit",
                                     price="2.40", gpus=2, cl_ord_id="rests")
        self.assertTrue(repeat["duplicate"])
        again[0].node = provider.node
        await self.ask(again[0], symbol, "2.40", 2)
        self.operator = await self.logged_on_admin("operator")
        await self.set_price()
        await self.deposit(again[1], "1")  # settlement has found its engine again

    async def view(self, member, symbol):
        """All that the exchange shows a member, but for the connection's own counters."""
        shown = [await member.call("account." + what)
                 for what in ("orders", "balances", "leases", "nodes")]
        return shown + [(await member.subscribe("book", symbol)).sides]

    async def test_what_was_acknowledged_survives_kill_9_of_every_process(self):
        """Engine, settlement and PostgreSQL in turn, twice, and all at once."""
        providers = [await self.trading_provider() for _ in range(2)]
        buyers = [Trader(self, await self.buyer(burn="1000000")) for _ in range(3)]
        saver = Trader(self, await self.member())
        self.deposits = 0
        self.working = True
        dice = random.Random(9)
        supervisor = asyncio.create_task(self.supervise())
        self.addAsyncCleanup(self.end, supervisor)  # also where the test fails
        work = [asyncio.create_task(job) for job in (
            *(self.trade(provider, dice, "sell") for provider in providers),
            *(self.trade(buyer, dice, "buy") for buyer in buyers),
            *(self.deliver(provider) for provider in providers), self.save(saver))]
        await self.load(work, providers + buyers)
        for kill in (self.kill_engine, self.kill_settlement, self.kill_postgres) * 2 + (
                self.kill_all,):
            await kill()
            await self.load(work, providers + buyers)
        self.working = False
        async with asyncio.timeout(30):
            await asyncio.gather(*work)
        traders = providers + buyers
        for trader in traders:
            self.assertGreaterEqual(trader.reconnects, 3)
        # No trade happens any more; leases go on being settled.
        await self.settlement_catches_up()
        self.check_orders_and_fills(traders)
        self.check_deposits(saver)
        await self.check_balances(traders)
        self.check_books()

    async def end(self, task):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    # -- The load

    async def trading_provider(self):
        client = await self.provider(gpus=20_000, limit_usd="100000000.00")
        trader = Trader(self, client)
        trader.node, trader.device = client.node, client.device
        return trader

    async def trade(self, trader, dice, side):
        """One order after the other, most of them where they trade, in the next few windows."""
        symbols = {}
        for count in itertools.count():
            if not self.working:
                return
            if count % 50 == 0:
                result = await trader.call("instruments", hardware_class="H100-SXM",
                                           region="us-east")
                rows = sorted(result["instruments"], key=lambda row: row["window_start"])
                symbols = [row["symbol"] for row in rows if row["state"] == "open"][:3]
            more = {"node": trader.node} if side == "sell" else {
                "tier": dice.choice(["premium", "standard", "economy"])}
            await trader.place(symbol=dice.choice(symbols), side=side, gpus=dice.randint(1, 3),
                               price=f"{dice.randrange(240, 265, 5) / 100:.2f}", **more)

    async def deliver(self, trader):
        """Starts its leases and sends their heartbeats, as far as the crashes let it."""
        started = set()
        while self.working:
            now = (await trader.call("session.status"))["market_time"]
            rows = (await trader.call("account.leases"))["leases"]
            for row in [row for row in rows if row["role"] == "provider"][:20]:
                lease, begin = row["lease_id"], row["delivery_start"]
                try:
                    if begin <= now <= begin + 5 * MINUTE_US and lease not in started:
                        started.add(lease)
                        await trader.call("lease.start", lease=lease)
                    minute = now // MINUTE_US * MINUTE_US - MINUTE_US
                    if row["state"] == "active" and begin <= minute < row["delivery_end"]:
                        message = heartbeat_message(SERVER_NAME, int(lease), minute)
                        await trader.call("lease.heartbeat", lease=lease, minute=minute,
                                          signature=trader.device.sign(message))
                except Refused:
                    pass
            await asyncio.sleep(0.1)

    async def save(self, trader):
        """Deposits of 1 TOK, each under its own reference until the exchange says that it has it."""
        operator = Trader(self, self.operator, self.market.admin_url)
        while self.working:
            reference = unique("save")
            while True:
                try:
                    await operator.call("token.deposit", account=str(trader.account), amount="1",
                                        reference=reference)
                    break
                except Refused as refused:
                    if refused.code == "reference_reused":
                        break
                    self.assertIn(refused.code, ("settlement_delayed",))
            self.deposits += 1
            await asyncio.sleep(0.05)

    async def load(self, work, traders):
        """Trades on for a while; the answers must come."""
        start = time.monotonic()
        before = sum(len(trader.placed) for trader in traders)
        while (time.monotonic() < start + LOAD_S or
               sum(len(trader.placed) for trader in traders) < before + ACKNOWLEDGED_PER_ROUND):
            self.assertLess(time.monotonic(), start + 30, "no orders are acknowledged any more")
            for task in work:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)

    # -- The crashes. Processes are started by the main thread, waited for by others.

    async def until(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(condition):
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}")
            await asyncio.sleep(0.05)

    async def kill_engine(self):
        self.market.engine.kill()
        self.market.engine.start()
        await self.engine_is_ready()

    async def engine_is_ready(self):
        await self.until(lambda: self.market.http_status("/readyz") == 200, "the engine")
        self.assertTrue(self.market.engine.running)

    async def kill_settlement(self):
        self.market.settlement.kill()
        self.market.settlement.start()

    async def kill_postgres(self):
        self.market.postgres.kill()
        await self.postgres_is_ready()

    async def postgres_is_ready(self):
        deadline = time.monotonic() + 30
        while True:
            self.market.revive_postgres()
            if await asyncio.to_thread(self.market.postgres_answers):
                return
            self.assertLess(time.monotonic(), deadline, "PostgreSQL does not come back")
            await asyncio.sleep(0.05)

    async def kill_all(self):
        for process in (self.market.postgres, self.market.engine, self.market.settlement):
            process.kill()
        self.market.engine.start()
        await self.postgres_is_ready()
        await self.engine_is_ready()

    async def supervise(self):
        """What a service manager does where settlement has ended, with its database or engine."""
        while True:
            if not self.market.settlement.running:
                self.market.settlement.start()
            await asyncio.sleep(0.25)

    async def settlement_catches_up(self):
        """Settlement posts up to the journal's end as it was when the load ended."""
        client = await self.connect()
        end = (await client.request("ping", {}))["seq"]
        self.assertGreater(end, 0)

        def caught_up():
            row, = self.market.query("SELECT sequence FROM journal_cursor")
            return int(row["sequence"]) >= end
        await self.until(caught_up, f"settlement at {end}", CATCH_UP_S)

    # -- What must be true

    def records(self):
        """The journal's records, in order: (type, {field: text})."""
        done = run([warpbook_binary(), "journal", "dump", "--journal", self.market.journal])
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in done.stdout.splitlines():
            words = line.split()
            yield words[2], dict(word.split("=", 1) for word in words[3:] if "=" in word)

    def check_orders_and_fills(self, traders):
        """Every acknowledged order is in the journal, none twice; every fill has one lease."""
        orders, names, trades = {}, set(), {}
        sequence = event_sequence = 0
        for kind, fields in self.records():
            if "sequence" in fields:  # a command
                sequence += 1
                self.assertEqual(int(fields["sequence"]), sequence)
            elif "event_sequence" in fields:
                event_sequence += 1
                self.assertEqual(int(fields["event_sequence"]), event_sequence)
            if kind == "OrderAccepted":
                name = (int(fields["account_id"]), fields["client_order_id"].strip('"'))
                self.assertNotIn(fields["order_id"], orders)
                if name[1] != "-":  # it has one
                    self.assertNotIn(name, names)
                orders[fields["order_id"]] = name
                names.add(name)
            elif kind == "TradeExecuted":
                self.assertNotIn(fields["lease_id"], trades)
                trades[fields["lease_id"]] = fields
        for trader in traders:
            for name, order in trader.placed.items():
                self.assertEqual(orders.get(order), (trader.account, name))
            for lease, gpus in trader.fills().items():
                self.assertEqual(int(trades[lease]["gpus"]), gpus)
        self.assertGreater(len(trades), 100)
        columns = {"id": "lease_id", "gpus": "gpus", "price": "price", "minutes": "minutes",
                   "buyer": "buyer_account_id", "provider": "provider_account_id",
                   "notional": "notional", "surcharge": "surcharge"}
        rows = self.market.query(
            f"SELECT {', '.join(columns)} FROM lease_records ORDER BY id")
        self.assertEqual(rows, [{column: trades[lease][field] for column, field in columns.items()}
                                for lease in sorted(trades, key=int)])

    def check_deposits(self, saver):
        """Each deposit was posted once, however often it was asked for."""
        self.assertGreater(self.deposits, 10)
        self.assertEqual(self.ledger_balances(saver.account)["tokens"], self.deposits * 1_000_000)

    async def check_balances(self, traders):
        """Engine and ledger agree on every trader (leases go on being settled meanwhile)."""
        for trader in traders:
            async def same(trader=trader):
                found = await trader.call("account.balances")
                ledger = await asyncio.to_thread(self.ledger_balances, trader.account)
                return all(int(found[name]) == ledger.get(name, 0)
                           for name in ("free", "locked", "escrow"))
            deadline = time.monotonic() + 30
            while not await same():
                self.assertLess(time.monotonic(), deadline, f"account {trader.account} differs")
                await asyncio.sleep(0.1)

    def check_books(self):
        """Settled leases there are, the audit passes, and a replay makes the same books."""
        settled, = self.market.query(
            "SELECT count(*) AS n, count(*) FILTER (WHERE provider_utok > 0) AS paid "
            "FROM lease_records WHERE state = 'settled'")
        self.assertGreater(int(settled["n"]), 50)
        self.assertGreater(int(settled["paid"]), 0)
        done = self.market.audit()
        self.assertEqual(done.returncode, 0, done)
        self.market.create_database("replayed")
        done = self.market.audit("--replay-into", self.market.conninfo("replayed"))
        self.assertEqual(done.returncode, 0, done)
        done = run([warpbook_binary(), "journal", "verify", "--journal", self.market.journal])
        self.assertEqual(done.returncode, 0, done)


if __name__ == "__main__":
    market.main()
