"""What the tests share: a market for each test class, members with money, prices that stand still."""

import asyncio
import contextlib
import itertools
import time
import unittest
from datetime import datetime, timezone

import token_arithmetic
from client import (Client, Key, credits_of, heartbeat_message, node_message,
                    tok_micros)
from market import SERVER_NAME, Market

MINUTE_US = 60_000_000
TOKEN_PRICE = "2.00"
TOKEN_PRICE_MICROS = 2_000_000
PRICE_PERIOD_S = 0.3
FEEDS = 5
HARDWARE_CLASS = "H100-SXM"
REGION = "us-east"
# The exchange opens these before any other.
SYSTEM_ACCOUNTS = {"operator": 1, "settlement": 2}
_numbers = itertools.count(1)


def unique(word):
    return f"{word}-{next(_numbers)}"


def symbol_of(hardware_class, region, window_start_us):
    start = datetime.fromtimestamp(window_start_us / 1e6, tz=timezone.utc)
    return f"{hardware_class}.{region}.{start:%Y-%m-%dT%H:%M}"


def heartbeat_params(device, lease, minute_us):
    """What lease.heartbeat takes, signed by that key."""
    message = heartbeat_message(SERVER_NAME, int(lease), minute_us)
    return {"lease": lease, "minute": minute_us, "signature": device.sign(message)}


class MarketTestCase(unittest.IsolatedAsyncioTestCase):
    """Each class has a market of its own, each test its own connections."""

    clock_factor = 60

    @classmethod
    def make_market(cls):
        return Market(clock_factor=cls.clock_factor)

    @classmethod
    def setUpClass(cls):
        cls.market = cls.make_market()
        cls.addClassCleanup(cls.market.kill)
        cls.market.start()

    @classmethod
    def tearDownClass(cls):
        cls.market.stop()

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # unittest's default slows everything down
        self.clients = []
        self.operator = await self.logged_on_admin("operator")
        await self.set_price()
        self.pricing = asyncio.create_task(self._keep_price())

    async def asyncTearDown(self):
        await self.stop_pricing()
        outcomes = await asyncio.gather(*(client.close() for client in self.clients),
                                        return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def stop_pricing(self):
        """Ends the task that sets prices; whatever went wrong in it is raised."""
        self.pricing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.pricing

    # -- Connections

    async def connect(self, url=None):
        client = await Client.connect(url or self.market.url, SERVER_NAME)
        self.clients.append(client)
        return client

    async def logged_on_admin(self, name):
        """The operator's (or settlement's) own connection."""
        return await self.logged_on(SYSTEM_ACCOUNTS[name],
                                    Key.load(self.market.path(name + ".pem")),
                                    self.market.admin_url)

    async def logged_on(self, account, key, url=None):
        client = await self.connect(url)
        client.key = key
        await client.logon(account, key)
        return client

    async def member(self, tok=None, burn=None):
        """A new account, logged on; with TOK, of which `burn` became credits."""
        client = await self.connect()
        key = Key()
        client.key = key
        await client.logon(await client.open_account(key), key)
        if tok:
            await self.deposit(client, tok)
        if burn:
            await client.call("credits.buy", burn=burn)
        return client

    async def buyer(self, burn="1000"):
        return await self.member(tok=burn, burn=burn)

    async def provider(self, gpus=64, assurance="verified", limit_usd="1000000.00",
                       hardware_class=HARDWARE_CLASS, region=REGION):
        """A new account with one approved node (client.node, client.device)."""
        client = await self.member()
        await self.operator.call("limit.set", account=str(client.account), limit_usd=limit_usd)
        client.device = Key()
        client.node = await self.node(client, client.device, gpus, assurance, hardware_class,
                                      region)
        return client

    async def node(self, client, device, gpus, assurance="verified",
                   hardware_class=HARDWARE_CLASS, region=REGION):
        result = await client.call(
            "capacity.register", hardware_class=hardware_class, region=region, gpus=gpus,
            device_key=device.public_hex,
            signature=device.sign(node_message(SERVER_NAME, client.account)))
        await self.operator.call("capacity.set", node=result["node"], gpus=gpus,
                                 assurance=assurance)
        return result["node"]

    # -- The operator

    async def deposit(self, client, tok):
        result = await self.operator.call("token.deposit", account=str(client.account), amount=tok,
                                          reference=unique("deposit"))
        self.assertEqual(tok_micros(result["amount"]), tok_micros(tok))

    async def set_price(self, price=TOKEN_PRICE):
        now = await self.operator.market_time()
        await self.operator.call("price.set", feeds=[{"price": price, "time": now}] * FEEDS)

    async def _keep_price(self):
        while True:
            await asyncio.sleep(PRICE_PERIOD_S)
            await self.set_price()

    # -- Orders

    async def bid(self, client, symbol, price, gpus, **more):
        return await self.place(client, symbol, "buy", price, gpus, **more)

    async def ask(self, client, symbol, price, gpus, **more):
        return await self.place(client, symbol, "sell", price, gpus,
                                **{"node": client.node, **more})

    async def place(self, client, symbol, side, price, gpus, **more):
        params = {"symbol": symbol, "side": side, "order_type": "limit", "price": price,
                  "gpus": gpus, **more}
        result = await client.call("order.place", **params)
        return result.get("order_id")

    # -- Windows and time

    async def windows(self, hardware_class=HARDWARE_CLASS, region=REGION):
        """The open instruments of a class and region, the earliest first."""
        result = await self.operator.call("instruments", hardware_class=hardware_class,
                                          region=region)
        return sorted((row for row in result["instruments"] if row["state"] == "open"),
                      key=lambda row: row["window_start"])

    async def window_after(self, minutes, **where):
        """The first window that begins at least so many minutes from now."""
        now = await self.operator.market_time()
        return next(row for row in await self.windows(**where)
                    if row["window_start"] >= now + minutes * MINUTE_US)

    async def until_market_time(self, time_us):
        """Waits until the market's clock says so."""
        deadline = time.monotonic() + 60
        while (now := await self.operator.market_time()) < time_us:
            self.assertLess(time.monotonic(), deadline, "the market's clock is too slow")
            await asyncio.sleep((time_us - now) / 1e6 / self.clock_factor)

    async def deliver(self, provider, lease, start_us, numbers):
        """Heartbeats for those minutes of the lease, each when the minute is over."""
        for number in numbers:
            minute = start_us + number * MINUTE_US
            await self.until_market_time(minute + MINUTE_US)
            await provider.call("lease.heartbeat",
                                **heartbeat_params(provider.device, lease, minute))

    # -- What must hold

    def audits_pass(self):
        """The audit passes, on the live ledger and on one made from the journal alone, which has
        the same transfers."""
        live = self.market.audit()
        self.assertEqual(live.returncode, 0, live)
        self.assertIn("PASS", live.stdout)
        self.assertNotIn("FAIL", live.stdout)
        self.market.create_database("replayed")
        replayed = self.market.audit("--replay-into", self.market.conninfo("replayed"))
        self.assertEqual(replayed.returncode, 0, replayed)
        end, = self.market.query("SELECT event_sequence FROM journal_cursor", "replayed")
        posted = ("SELECT event_sequence, leg, asset, debit_account, credit_account, amount, "
                  f"lease_id FROM transfers WHERE event_sequence <= {end['event_sequence']} "
                  "ORDER BY event_sequence, leg")
        transfers = self.market.query(posted, "replayed")
        self.assertGreater(len(transfers), 20)
        self.assertEqual(transfers, self.market.query(posted))

    async def balances(self, client):
        """The account's credits and TOK, as integers."""
        result = await client.call("account.balances")
        found = {name: credits_of(result[name]) for name in ("free", "locked", "escrow")}
        found["tok"] = tok_micros(result["tok"])
        return found

    async def refuses(self, code, client, method, **params):
        """The method is refused with that code, without effect; the error."""
        reply = await client.request(method, params)
        self.assertFalse(reply["success"], reply)
        self.assertEqual(reply["error"]["code"], code, reply)
        self.assertEqual(reply["error"]["outcome"], "rejected", reply)
        return reply["error"]

    def ledger_balances(self, account):
        """{holding: balance} of an account in PostgreSQL."""
        return {row["holding"]: int(row["balance"]) for row in self.market.query(
            f"SELECT holding, balance FROM balances WHERE member = {account}")}


def bought_credits(burn):
    """What buying credits for so many TOK makes at the constant price."""
    return token_arithmetic.top_up_credits(tok_micros(burn), TOKEN_PRICE_MICROS)


SMALL_CATALOGUE = """
[market]
windows_ahead = 4
notice_seconds = 120
gate_minutes = 3

[region here]
id = 1

[class QUICK]
id = 1
memory_gb = 80
memory_gb_per_s = 1000
tdp_watts = 100
window_minutes = 6
tradable = yes
tick = 0.05
band_low = 0.50
band_high = 10.00
reference_price = 2.50
"""


class ShortWindowsTestCase(MarketTestCase):
    """A market whose delivery windows are of 6 minutes."""

    @classmethod
    def make_market(cls):
        made = Market(clock_factor=cls.clock_factor)
        made.catalogue = made.path("small.conf")
        with open(made.catalogue, "w", encoding="ascii") as file:
            file.write(SMALL_CATALOGUE)
        return made
