#!/usr/bin/python3
"""One scenario on WebSocket clients that others wrote (peers.py): a trading session, a book that
proves itself, and cuts after which nothing is missing and nothing comes twice."""

import asyncio
import random

import market
from client import PRIVATE_CHANNELS, Key, price_micros
from line import Line
from market import SERVER_NAME, Market
from market_test_case import MINUTE_US, MarketTestCase, unique
from peers import ChromiumPeer, NodePeer, PythonPeer

FAR_MINUTES = 3 * 60  # windows that will not begin while these tests run
BOOK_ORDERS = 150
CUTS = 3
BIDS_BEFORE_CUT = 12
SALES_MAX = 300


def buy(price, gpus, **more):
    return {"side": "buy", "order_type": "limit", "price": price, "gpus": gpus, **more}


def sell(price, gpus):
    return {"side": "sell", "order_type": "limit", "price": price, "gpus": gpus}


# Who asks for what (the instrument, and the provider's node, are added), and what the result holds;
# or the code of the refusal.
SESSION = [
    ("member", "order.place", buy("2.50", 4, cl_ord_id="quiet", post_only=True),
     {"cl_ord_id": "quiet"}),
    ("member", "order.amend", {"cl_ord_id": "quiet", "gpus": 3},
     {"gpus": 3, "remaining": 3, "kept_priority": True}),
    ("provider", "order.place", sell("2.50", 1), {}),
    ("member", "order.amend", {"cl_ord_id": "quiet", "price": "2.45"},
     {"price": "2.45", "kept_priority": False}),
    ("member", "order.cancel", {"cl_ord_id": "quiet"}, {"cancelled_gpus": 2}),
    ("member", "order.cancel", {"cl_ord_id": "quiet"}, "unknown_order"),
    ("provider", "order.place", sell("2.60", 5), {}),
    ("member", "order.place", buy("2.60", 1, post_only=True), "post_only_would_trade"),
    ("member", "order.place", buy("2.60", 6, time_in_force="fok"), "fok_not_fillable"),
    ("member", "order.place", buy("2.60", 1, cl_ord_id="all", time_in_force="fok"), {}),
    ("member", "order.place", buy("2.60", 2, cl_ord_id="taker", tier="premium"), {}),
    ("member", "order.place", buy("2.60", 5, cl_ord_id="part", time_in_force="ioc"), {}),
    ("member", "order.place", buy("2.51", 1), "price_off_tick"),
    ("member", "order.place", buy("2.50", 50_000), "insufficient_credits"),
    ("member", "order.place", buy("2.50", 1, validate=True), {"validated": True}),
    ("member", "order.place", buy("2.40", 2, cl_ord_id="named"), {"cl_ord_id": "named"}),
    ("member", "order.place", buy("2.40", 2, cl_ord_id="named"), {"duplicate": True}),
    ("member", "order.place", buy("2.40", 3, cl_ord_id="named"), "client_order_id_reused"),
    ("member", "order.place", buy("2.35", 2, cl_ord_id="lower"), {}),
    ("member", "order.cancel_all", {}, {"cancelled_orders": 2}),
]
# What the executions channel tells the member of it.
EXECUTIONS = [
    {"event": "accepted", "cl_ord_id": "quiet", "gpus": 4},
    {"event": "amended", "cl_ord_id": "quiet", "remaining": 3},
    {"event": "filled", "cl_ord_id": "quiet", "gpus": 1, "remaining": 2, "price": "2.50",
     "liquidity": "maker"},
    {"event": "amended", "cl_ord_id": "quiet", "price": "2.45"},
    {"event": "cancelled", "cl_ord_id": "quiet", "remaining": 2, "filled": 1},
    {"event": "accepted", "cl_ord_id": "all"},
    {"event": "filled", "cl_ord_id": "all", "gpus": 1, "remaining": 0, "liquidity": "taker"},
    {"event": "accepted", "cl_ord_id": "taker"},
    {"event": "filled", "cl_ord_id": "taker", "gpus": 2, "remaining": 0, "liquidity": "taker"},
    {"event": "accepted", "cl_ord_id": "part"},
    {"event": "filled", "cl_ord_id": "part", "gpus": 2, "remaining": 3, "liquidity": "taker"},
    {"event": "cancelled", "cl_ord_id": "part", "remaining": 3, "filled": 2,
     "reason": "ioc_remainder"},
    {"event": "accepted", "cl_ord_id": "named"},
    {"event": "accepted", "cl_ord_id": "lower"},
    {"event": "cancelled", "cl_ord_id": "named"},
    {"event": "cancelled", "cl_ord_id": "lower"},
    {"event": "accepted", "cl_ord_id": "batch", "gpus": 4},
    {"event": "amended", "cl_ord_id": "batch", "remaining": 3},
    {"event": "cancelled", "cl_ord_id": "batch", "remaining": 3},
]
TRADES = [("2.50", 1, "sell"), ("2.60", 1, "buy"), ("2.60", 2, "buy"), ("2.60", 2, "buy")]


class ClientsTest(MarketTestCase):
    clock_factor = 60

    @classmethod
    def make_market(cls):
        cls.page_port, claim = market.claim_port()
        cls.addClassCleanup(claim.close)
        return Market(clock_factor=cls.clock_factor,
                      allowed_origin=f"http://127.0.0.1:{cls.page_port}", compression=True)

    async def asyncSetUp(self):
        await super().asyncSetUp()
        begin = await self.operator.market_time() + FAR_MINUTES * MINUTE_US
        far = [row for row in await self.windows() if row["window_start"] >= begin]
        names = sorted(name for name in dir(self) if name.startswith("test_"))
        # Each test has a book of its own.
        window = far[names.index(self._testMethodName)]
        self.symbol, self.tick = window["symbol"], window["tick"]
        self.line = await Line.to(self.market.port)
        self.addAsyncCleanup(self.line.close)
        self.random = random.Random(20261201)

    async def python(self):
        return PythonPeer()

    async def node_js(self):
        return await NodePeer.start()

    async def chromium(self):
        return await ChromiumPeer.start(self.market.folder, self.page_port)

    # -- The parts of the scenario

    async def begins(self, peer):
        """A member with money, who hears everything; self.observer hears the same on a connection
        that is never cut."""
        self.addAsyncCleanup(peer.stop)
        self.trader = await self.provider(gpus=1000, limit_usd="10000000.00")
        await peer.make_key()
        self.assertIn("permessage-deflate", await peer.connect(self.line.url, SERVER_NAME))
        self.account = await peer.open_account()
        await peer.logon(self.account)
        self.watching = Key()
        await self.succeeds(peer, "key.add", public_key=self.watching.public_hex, scopes=["read"])
        self.observer = await self.logged_on(int(self.account), self.watching)
        self.heard = {}
        for channel in PRIVATE_CHANNELS:
            await peer.subscribe(channel)
            self.heard[channel] = await self.observer.subscribe(channel)
        await self.operator.call("token.deposit", account=self.account, amount="5000",
                                 reference=unique("deposit"))
        await self.succeeds(peer, "credits.buy", burn="4000.5")
        await self.sees_the_market(peer)

    async def sees_the_market(self, peer):
        await peer.subscribe("book", self.symbol, self.tick)
        await peer.subscribe("trades", self.symbol)

    async def succeeds(self, peer, method, **params):
        reply = await peer.call(method, **params)
        self.assertTrue(reply["success"], reply)
        return reply["result"]

    async def ask_for(self, peer, who, method, params):
        """The reply to a step of the session."""
        if method in ("order.place", "order.cancel_all"):
            params = {"symbol": self.symbol, **params}
        if who == "member":
            return await peer.call(method, **params)
        return await self.trader.request(method, {"node": self.trader.node, **params})

    async def trades(self, peer):
        """Orders of every kind, with each reply, each execution and each public trade."""
        for who, method, params, expected in SESSION:
            reply = await self.ask_for(peer, who, method, params)
            with self.subTest(method=method, params=params):
                if isinstance(expected, str):
                    self.assertEqual((reply["success"], reply["error"]["code"]),
                                     (False, expected), reply)
                else:
                    self.assertTrue(reply["success"], reply)
                    self.assertEqual({**reply["result"], **expected}, reply["result"])
        order = {"symbol": self.symbol, **buy("2.30", 4, cl_ord_id="batch")}
        batch = await self.succeeds(peer, "order.batch", requests=[
            {"method": "order.place", "params": order},
            {"method": "order.amend", "params": {"cl_ord_id": "batch", "gpus": 3}},
            {"method": "order.place", "params": {**order, "cl_ord_id": "none", "gpus": 0}},
            {"method": "order.cancel", "params": {"cl_ord_id": "batch"}}])
        self.assertEqual([item["success"] for item in batch["items"]], [True, True, False, True])
        self.assertEqual(batch["items"][2]["error"]["code"], "invalid_quantity")
        updates = await self.same_as_observer(peer)
        executions = [entry for message in updates if message["channel"] == "executions"
                      for entry in message["data"]]
        self.assertEqual(
            [{name: entry.get(name) for name in expected}
             for entry, expected in zip(executions, EXECUTIONS)], EXECUTIONS)
        await self.same_book(peer)
        self.assertEqual([(trade["price"], trade["gpus"], trade["taker_side"])
                          for trade in await peer.trades(self.symbol)], TRADES)

    async def moves_the_book(self, peer):
        """Random orders of three members, of which the peer is one."""
        other = await self.buyer(burn="100000")
        live = []
        for _ in range(BOOK_ORDERS):
            draw = self.random.random()
            price = f"{self.random.randrange(200, 300, 5) / 100:.2f}"
            gpus = self.random.randint(1, 12)
            if live and draw < 0.35:
                client, order = live.pop(self.random.randrange(len(live)))
                if draw < 0.2:
                    await client.request("order.cancel", {"order_id": order})
                else:
                    await client.request("order.amend",
                                         {"order_id": order, "price": price, "gpus": gpus})
            elif draw < 0.55:
                await self.succeeds(peer, "order.place", symbol=self.symbol, **buy(price, gpus))
            else:
                client, place = self.random.choice([(self.trader, self.ask), (other, self.bid)])
                live.append((client, await place(client, self.symbol, price, gpus)))
        book = await self.same_book(peer)
        self.assertEqual(book["snapshots"], 1)
        self.assertGreater(book["proved"], BOOK_ORDERS // 2)

    async def resumes(self, peer):
        """The line is cut in the middle of fills of the member's orders, which go on. Each time the
        member comes back, resumes, and has missed nothing."""
        for _ in range(CUTS):
            for number in range(BIDS_BEFORE_CUT):
                await self.succeeds(peer, "order.place", symbol=self.symbol,
                                    **buy("2.50", 2 + number % 3))
            enough = asyncio.Event()
            before = self.filled()
            selling = asyncio.create_task(self.sells_until(enough))
            await self.observer.wait(lambda: self.filled() >= before + 3, "fills")
            self.line.cut(after_bytes=self.random.randrange(0, 2000))
            self.assertEqual(await peer.until_closed(), 1006)
            heard = (await peer.updates())[-1]["seq"]
            await self.observer.wait(lambda: self.observer.private.last > heard + 4,
                                     "events that the peer misses")
            await peer.connect(self.line.url, SERVER_NAME)
            await peer.logon(self.account)
            result = await peer.resume()
            self.assertEqual(
                (result["resumed"], result["from_seq"], result["source"]),
                (True, heard + 1, "memory"))
            self.assertGreaterEqual(result["events"], 5)
            await self.sees_the_market(peer)
            enough.set()
            await selling
            await self.same_as_observer(peer)
            await self.same_book(peer)

    async def resumes_after_a_crash(self, peer):
        """What the member missed before the exchange was killed it gets from the one that runs
        afterwards; the observer too goes on where it was."""
        await self.succeeds(peer, "order.place", symbol=self.symbol, **buy("2.50", 20))
        await self.same_as_observer(peer)
        heard = (await peer.updates())[-1]["seq"]
        self.line.cut()
        self.assertEqual(await peer.until_closed(), 1006)
        for _ in range(10):
            await self.ask(self.trader, self.symbol, "2.50", 1)
        await self.observer.wait(lambda: self.filled() == 10, "the fills")
        await self.stop_pricing()
        for process in (self.market.engine, self.market.settlement):
            process.kill()
        self.market.start_engine()
        self.market.settlement.start()
        crashed, self.observer = self.observer, await self.logged_on(int(self.account),
                                                                     self.watching)
        self.assertTrue((await self.observer.resume(crashed))["resumed"])
        await peer.connect(self.line.url, SERVER_NAME)
        await peer.logon(self.account)
        result = await peer.resume()
        self.assertEqual((result["resumed"], result["from_seq"]), (True, heard + 1))
        await self.same_as_observer(peer)
        # And what comes after it, once settlement has found its engine again.
        self.operator = await self.logged_on_admin("operator")
        await self.operator.call("token.deposit", account=self.account, amount="1",
                                 reference=unique("after"))
        await self.same_as_observer(peer)

    async def sells_until(self, enough):
        """One GPU after the other; where the bids are used up the asks rest."""
        for _ in range(SALES_MAX):
            await self.ask(self.trader, self.symbol, "2.50", 1)
            await asyncio.sleep(0.01)
            if enough.is_set():
                return

    def filled(self):
        return len(self.heard["executions"].data(event="filled"))

    # -- What must hold

    async def same_as_observer(self, peer):
        """Up to an order that comes last, the peer has heard what the observer has, message for
        message; and its money is the account's. What it has heard."""
        name = f"last-{self.random.random()}"
        await self.succeeds(peer, "order.place", symbol=self.symbol,
                            **buy("1.00", 1, cl_ord_id=name))
        await self.succeeds(peer, "order.cancel", cl_ord_id=name)
        found = await self.observer.call("account.balances")
        await self.observer.wait(
            lambda: self.heard["executions"].data(event="cancelled", cl_ord_id=name) and
            str(self.heard["balances"].credits["free"]) == found["free"], "the end of the last order")
        last = self.observer.private.last
        await peer.until_private(last)
        heard = await peer.updates()
        first = self.observer.private.updates[0]["seq"]
        self.assertEqual([message for message in heard if message["seq"] >= first],
                         self.observer.private.updates)
        events = sorted({message["seq"] for message in heard})
        self.assertEqual(events, list(range(events[0], last + 1)))
        self.assertEqual(await peer.money(), {"tok": str(self.heard["balances"].tok),
                                              "free": found["free"], "locked": found["locked"]})
        return heard

    async def same_book(self, peer):
        """The peer's book is the one that a new subscriber gets, and the one that HTTP tells."""
        late = await self.connect()
        book = await late.subscribe("book", self.symbol)
        await peer.until_book(self.symbol, book.seq)
        found = await peer.book(self.symbol)
        mine = {name: found[name] for name in ("seq", "asks", "bids")}
        self.assertEqual({"seq": book.seq, **{side: [list(level) for level in book.levels(side)]
                                              for side in ("asks", "bids")}}, mine)
        told = await asyncio.to_thread(self.market.http_get, f"/api/v1/book?symbol={self.symbol}")
        self.assertEqual({"seq": told["book_seq"],
                          **{side: [[price_micros(price), gpus] for price, gpus in told[side]]
                             for side in ("asks", "bids")}}, mine)
        await late.close()
        return found

    # -- The clients

    async def whole_session(self, peer):
        await self.begins(peer)
        await self.trades(peer)
        await self.moves_the_book(peer)
        self.assertEqual(await peer.close(), 1000)

    async def cut_session(self, peer):
        await self.begins(peer)
        await self.resumes(peer)
        self.assertEqual(await peer.close(), 1000)
        self.assertEqual(self.line.cuts, CUTS)

    async def crash_session(self, peer):
        await self.begins(peer)
        await self.resumes_after_a_crash(peer)
        self.assertEqual(await peer.close(), 1000)

    async def test_python_websockets_trades(self):
        await self.whole_session(await self.python())

    async def test_node_ws_trades(self):
        await self.whole_session(await self.node_js())

    async def test_chromium_trades(self):
        await self.whole_session(await self.chromium())

    async def test_python_websockets_resumes(self):
        await self.cut_session(await self.python())

    async def test_node_ws_resumes(self):
        await self.cut_session(await self.node_js())

    async def test_chromium_resumes(self):
        await self.cut_session(await self.chromium())

    async def test_python_websockets_resumes_after_a_crash(self):
        await self.crash_session(await self.python())

    async def test_node_ws_resumes_after_a_crash(self):
        await self.crash_session(await self.node_js())

    async def test_chromium_resumes_after_a_crash(self):
        await self.crash_session(await self.chromium())


if __name__ == "__main__":
    market.main()
