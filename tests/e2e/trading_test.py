#!/usr/bin/python3
"""Orders, books and private channels, as both sides of a trade see them on their connections."""

import asyncio
import random

import market
from client import Key, Refused, check_usd, credits_of, price_micros, tok_micros
from market_test_case import MINUTE_US, MarketTestCase, bought_credits, unique
from token_arithmetic import lock, notional, surcharge

FAR_MINUTES = 3 * 60  # windows that will not begin while these tests run
MINUTES = 60  # that an order in such a window gets


class TradingTest(MarketTestCase):
    clock_factor = 60

    async def asyncSetUp(self):
        await super().asyncSetUp()
        begin = await self.operator.market_time() + FAR_MINUTES * MINUTE_US
        far = [row for row in await self.windows() if row["window_start"] >= begin]
        names = sorted(name for name in dir(self) if name.startswith("test_"))
        # Each test has a book of its own.
        self.window = far[names.index(self._testMethodName)]
        self.symbol = self.window["symbol"]

    # -- What the tests look at

    async def filled(self, client, feed, order_id, fills):
        """The order's fills as the executions channel tells them, once there are so many."""
        await client.wait(lambda: len(feed.data(event="filled", order_id=order_id)) >= fills,
                          f"{fills} fills of {order_id}")
        entries = feed.data(event="filled", order_id=order_id)
        self.assertEqual(len(entries), fills)
        return entries

    async def cancelled(self, client, feed, order_id):
        await client.wait(lambda: feed.data(event="cancelled", order_id=order_id),
                          f"the end of {order_id}")
        entry, = feed.data(event="cancelled", order_id=order_id)
        return entry

    async def open_orders(self, client):
        """{order id: its row}."""
        rows = (await client.call("account.orders"))["orders"]
        return {row["order_id"]: row for row in rows}

    def check_fill(self, entry, side, price, gpus, remaining, liquidity, tier=None):
        """A fill says what the oracle says; tier None: the provider, who pays no surcharge."""
        value = notional(price_micros(price), gpus, MINUTES)
        extra = surcharge(value, tier) if tier else 0
        self.assertEqual(
            (entry["side"], price_micros(entry["price"]), entry["gpus"], entry["remaining"],
             entry["minutes"], credits_of(entry["notional"]), credits_of(entry["surcharge"]),
             entry["liquidity"], entry["symbol"]),
            (side, price_micros(price), gpus, remaining, MINUTES, value, extra, liquidity,
             self.symbol))
        self.assertEqual(check_usd(entry, "notional"), value)
        self.assertEqual(entry["delivery_start"], self.window["window_start"])
        self.assertEqual(entry["delivery_end"], self.window["window_start"] + MINUTES * MINUTE_US)

    # -- Money comes in

    async def test_credits_are_bought_to_the_last_unit(self):
        """TOK that an operator deposits buys exactly the credits of the design's formula."""
        buyer = await self.member()
        channel = await buyer.subscribe("balances")
        await self.deposit(buyer, "12.500001")
        result = await buyer.call("credits.buy", burn="12.345679")
        credits = bought_credits("12.345679")
        self.assertEqual(credits, 12_345_679 * 2_000_000 * 60 * 9975 // 10**10)
        self.assertEqual(credits_of(result["credits"]), credits)
        self.assertEqual(tok_micros(result["burned"]), 12_345_679)
        expected = {"free": credits, "locked": 0, "escrow": 0, "tok": 154_322}
        self.assertEqual(await self.balances(buyer), expected)
        await buyer.wait(lambda: channel.credits["free"] == credits and channel.tok == 154_322,
                         "the balances channel")
        market.wait_until(lambda: self.ledger_balances(buyer.account).get("free") == credits,
                          "the ledger's balance")
        self.assertEqual(self.ledger_balances(buyer.account)["tokens"], 154_322)

    async def test_settlement_refuses_what_it_cannot_post(self):
        """More TOK than the account has, and a reference used again, move nothing."""
        buyer = await self.member(tok="5")
        await self.refuses("insufficient_tokens", buyer, "credits.buy", burn="5.000001")
        deposit = {"account": str(buyer.account), "amount": "1", "reference": unique("once")}
        await self.operator.call("token.deposit", **deposit)
        await self.refuses("reference_reused", self.operator, "token.deposit", **deposit)
        self.assertEqual(await self.balances(buyer),
                         {"free": 0, "locked": 0, "escrow": 0, "tok": 6_000_000})

    async def test_tokens_go_out_again(self):
        """What is withdrawn is outside again, in the balances as in the ledger; a reference is
        used once, for what comes in or goes out."""
        member = await self.member(tok="5")
        channel = await member.subscribe("balances")
        withdrawal = {"account": str(member.account), "amount": "1.25",
                      "reference": unique("out")}
        result = await self.operator.call("token.withdraw", **withdrawal)
        self.assertEqual(tok_micros(result["amount"]), 1_250_000)
        await member.wait(lambda: channel.tok == 3_750_000, "the balances channel")
        self.assertEqual(channel.data(cause="withdrawal")[0]["change"], "-1.25")
        for method in ("token.withdraw", "token.deposit"):
            await self.refuses("reference_reused", self.operator, method, **withdrawal)
        await self.refuses("insufficient_tokens", self.operator, "token.withdraw",
                           account=str(member.account), amount="3.750001",
                           reference=unique("out"))
        self.assertEqual((await self.balances(member))["tok"], 3_750_000)
        market.wait_until(lambda: self.ledger_balances(member.account)["tokens"] == 3_750_000,
                          "the ledger's balance")

    # -- Keys and owners

    async def test_a_revoked_key_ends_its_sessions(self):
        """Who is logged on with it is told and logged off; nobody logs on with it again."""
        member, thief_key = await self.member(), Key()
        await member.call("key.add", public_key=thief_key.public_hex, scopes=["read", "trade"])
        thief = await self.logged_on(member.account, thief_key)
        await thief.subscribe("balances")
        await member.call("key.revoke", public_key=thief_key.public_hex)
        await thief.wait(lambda: thief.status, "the notice")
        self.assertEqual(thief.status[0]["data"], {"event": "logged_off", "reason": "key_revoked",
                                                   "account": str(member.account)})
        await self.refuses("not_logged_on", thief, "account.balances")
        with self.assertRaises(Refused) as refused:
            await thief.logon(member.account, thief_key)
        self.assertEqual(refused.exception.code, "unknown_key")
        await self.refuses("key_in_use", member, "key.add", public_key=thief_key.public_hex,
                           scopes=["read"])
        await self.balances(member)  # goes on
        await self.operator.call("key.revoke", account=str(member.account),
                                 public_key=member.key.public_hex)
        await member.wait(lambda: member.status, "the operator's notice")

    async def test_an_owner_is_marked_as_verified(self):
        """The mark is an operator's, is shown with the balances, and can be taken back."""
        member = await self.member()
        owner = member.logon_result["owner"]
        for verified in (True, False):
            await self.operator.call("owner.verify", owner=owner, verified=verified)
            balances = await member.call("account.balances")
            self.assertEqual(balances["owner_verified"], verified)

    # -- One order meets another

    async def test_fills_in_part_and_in_whole_at_the_resting_price(self):
        """Two bids take one ask, one of them at a better price than its limit: every number on
        every channel is the oracle's."""
        provider, buyer = await self.provider(gpus=8), await self.buyer()
        sold, bought = await provider.subscribe("executions"), await buyer.subscribe("executions")
        money, leases = await buyer.subscribe("balances"), await buyer.subscribe("leases")
        trades = await buyer.subscribe("trades", self.symbol)
        book = await buyer.subscribe("book", self.symbol)
        start = await self.balances(buyer)

        ask = await self.ask(provider, self.symbol, "2.50", 8)
        await buyer.wait(lambda: book.levels("asks") == [(2_500_000, 8)], "the ask in the book")
        first = await self.bid(buyer, self.symbol, "2.50", 3, tier="premium", cl_ord_id="first")
        second = await self.bid(buyer, self.symbol, "2.60", 5)

        part, = await self.filled(buyer, bought, first, 1)
        self.check_fill(part, "buy", "2.50", 3, 0, "taker", "premium")
        self.assertEqual(part["cl_ord_id"], "first")
        rest, = await self.filled(buyer, bought, second, 1)
        self.check_fill(rest, "buy", "2.50", 5, 0, "taker", "standard")
        maker = await self.filled(provider, sold, ask, 2)
        self.check_fill(maker[0], "sell", "2.50", 3, 5, "maker")
        self.check_fill(maker[1], "sell", "2.50", 5, 0, "maker")
        self.assertEqual([fill["lease_id"] for fill in maker],
                         [part["lease_id"], rest["lease_id"]])

        await buyer.wait(lambda: len(trades.data()) == 2 and not book.levels("asks"), "the trades")
        self.assertEqual(
            [(t["trade_id"], t["price"], t["gpus"], t["minutes"], t["taker_side"])
             for t in trades.data()],
            [(part["lease_id"], "2.50", 3, MINUTES, "buy"),
             (rest["lease_id"], "2.50", 5, MINUTES, "buy")])
        past = await provider.subscribe("trades", self.symbol)  # begins with the last ones
        self.assertEqual(past.messages[0]["data"], trades.data())
        self.assertEqual(past.seq, trades.seq)
        reserved = leases.data(state="reserved")
        self.assertEqual([(row["lease_id"], row["role"], row["gpus"]) for row in reserved],
                         [(part["lease_id"], "buyer", 3), (rest["lease_id"], "buyer", 5)])
        escrow = lock(2_500_000, 3, MINUTES, "premium") + lock(2_500_000, 5, MINUTES, "standard")
        expected = {**start, "free": start["free"] - escrow, "escrow": escrow}
        self.assertEqual(await self.balances(buyer), expected)
        self.assertEqual(money.credits, {"free": expected["free"], "locked": 0})
        self.assertEqual(await self.open_orders(provider), {})

    async def test_a_bid_locks_exactly_and_a_cancel_gives_it_back(self):
        """Locked is limit x remaining x minutes plus the surcharge, after each fill and amend."""
        provider, buyer = await self.provider(gpus=8), await self.buyer()
        start = (await self.balances(buyer))["free"]

        async def locked_is(expected, escrow=0):
            found = await self.balances(buyer)
            self.assertEqual((found["locked"], found["escrow"]), (expected, escrow))
            self.assertEqual(found["free"], start - expected - escrow)

        order = await self.bid(buyer, self.symbol, "2.60", 7, tier="premium")
        await locked_is(lock(2_600_000, 7, MINUTES, "premium"))
        result = await buyer.call("order.amend", order_id=order, gpus=6)
        self.assertEqual((result["gpus"], result["remaining"], result["kept_priority"]),
                         (6, 6, True))
        await locked_is(lock(2_600_000, 6, MINUTES, "premium"))
        result = await buyer.call("order.amend", order_id=order, price="2.70", gpus=9)
        self.assertEqual((result["price"], result["kept_priority"]), ("2.70", False))
        await locked_is(lock(2_700_000, 9, MINUTES, "premium"))
        await self.ask(provider, self.symbol, "2.50", 4)  # trades at the resting 2.70
        escrow = lock(2_700_000, 4, MINUTES, "premium")
        await locked_is(lock(2_700_000, 5, MINUTES, "premium"), escrow)
        result = await buyer.call("order.cancel", order_id=order)
        self.assertEqual((result["order_id"], result["cancelled_gpus"]), (order, 5))
        await locked_is(0, escrow)
        again = await self.bid(buyer, self.symbol, "2.70", 2, cl_ord_id="named")
        result = await buyer.call("order.amend", cl_ord_id="named", gpus=1)
        self.assertEqual(result["remaining"], 1)
        result = await buyer.call("order.cancel", cl_ord_id="named")
        self.assertEqual(result["order_id"], again)
        await locked_is(0, escrow)

    async def test_price_then_tier_then_time_decide_the_queue(self):
        """A better price goes before every tier; inside a price premium, standard, economy; inside
        a tier the earlier order."""
        provider = await self.provider(gpus=16)
        queue = [("economy", "2.50"), ("standard", "2.50"), ("premium", "2.50"),
                 ("standard", "2.50"), ("economy", "2.55")]
        buyers = [await self.buyer(burn="100") for _ in queue]
        sold = await provider.subscribe("executions")
        feeds, orders = [], []
        for buyer, (tier, price) in zip(buyers, queue):
            feeds.append(await buyer.subscribe("executions"))
            orders.append(await self.bid(buyer, self.symbol, price, 1, tier=tier))
        ask = await self.ask(provider, self.symbol, "2.50", 5)
        fills = await self.filled(provider, sold, ask, 5)
        leases = {}
        for number, (buyer, feed, order) in enumerate(zip(buyers, feeds, orders)):
            fill, = await self.filled(buyer, feed, order, 1)
            self.check_fill(fill, "buy", queue[number][1], 1, 0, "maker", queue[number][0])
            leases[fill["lease_id"]] = number
        self.assertEqual([leases[fill["lease_id"]] for fill in fills], [4, 2, 1, 3, 0])

    async def test_time_in_force_and_post_only(self):
        """What an ioc leaves is cancelled, a fok is all or nothing, a post-only order never
        takes."""
        provider, buyer = await self.provider(gpus=8), await self.buyer()
        bought = await buyer.subscribe("executions")
        start = (await self.balances(buyer))["free"]
        await self.ask(provider, self.symbol, "2.50", 4)

        await self.refuses("fok_not_fillable", buyer, "order.place", symbol=self.symbol, side="buy",
                           order_type="limit", price="2.50", gpus=5, time_in_force="fok")
        await self.refuses("post_only_would_trade", buyer, "order.place", symbol=self.symbol,
                           side="buy", order_type="limit", price="2.50", gpus=1, post_only=True)
        self.assertEqual((await self.balances(buyer))["free"], start)
        whole = await self.bid(buyer, self.symbol, "2.50", 1, time_in_force="fok")
        await self.filled(buyer, bought, whole, 1)
        part = await self.bid(buyer, self.symbol, "2.50", 5, time_in_force="ioc")
        await self.filled(buyer, bought, part, 1)
        end = await self.cancelled(buyer, bought, part)
        self.assertEqual((end["reason"], end["filled"], end["remaining"]), ("ioc_remainder", 3, 2))
        quiet = await self.bid(buyer, self.symbol, "2.50", 1, post_only=True)
        self.assertEqual(list(await self.open_orders(buyer)), [quiet])
        result = await buyer.call("order.place", symbol=self.symbol, side="buy", gpus=1,
                                  order_type="market", price="2.45")
        end = await self.cancelled(buyer, bought, result["order_id"])
        self.assertEqual((end["reason"], end["filled"]), ("ioc_remainder", 0))
        await buyer.call("order.cancel", order_id=quiet)
        self.assertEqual((await self.balances(buyer))["free"],
                         start - lock(2_500_000, 4, MINUTES, "standard"))

    async def test_an_amend_that_asks_for_less_keeps_its_place(self):
        """Fewer GPUs keep priority, more lose it, another price may trade; at or below what is
        filled the order ends."""
        provider = await self.provider(gpus=32)
        early, late = await self.buyer(), await self.buyer()
        first_feed, second_feed = await early.subscribe("executions"), await late.subscribe(
            "executions")
        first = await self.bid(early, self.symbol, "2.50", 4)
        second = await self.bid(late, self.symbol, "2.50", 4)
        await early.call("order.amend", order_id=first, gpus=2)
        await self.ask(provider, self.symbol, "2.50", 1)
        await self.filled(early, first_feed, first, 1)
        self.assertEqual(second_feed.data(event="filled"), [])
        await early.call("order.amend", order_id=first, gpus=4)  # 3 left, now behind the other
        await self.ask(provider, self.symbol, "2.50", 4)
        fill, = await self.filled(late, second_feed, second, 1)
        self.assertEqual((fill["gpus"], fill["remaining"]), (4, 0))
        self.assertEqual((await self.open_orders(early))[first]["remaining"], 3)

        result = await early.call("order.amend", order_id=first, gpus=1)
        self.assertEqual(result, {"order_id": first, "cancelled": True})
        end = await self.cancelled(early, first_feed, first)
        self.assertEqual((end["reason"], end["filled"]), ("amended_filled", 1))
        await self.refuses("unknown_order", early, "order.amend", order_id=first, gpus=9)

        await self.ask(provider, self.symbol, "2.60", 2)
        third = await self.bid(early, self.symbol, "2.50", 2)
        await early.call("order.amend", order_id=third, price="2.60")
        fill, = await self.filled(early, first_feed, third, 1)
        self.check_fill(fill, "buy", "2.60", 2, 0, "taker", "standard")

    async def test_minimum_fill_and_minimum_assurance_pass_over_what_does_not_suit(self):
        """An ask too small or not good enough stays, crossed; the right one behind it trades."""
        listed = await self.provider(gpus=8, assurance="listed")
        attested = await self.provider(gpus=8, assurance="attested")
        buyer = await self.buyer()
        bought = await buyer.subscribe("executions")
        book = await buyer.subscribe("book", self.symbol)
        small = await self.ask(listed, self.symbol, "2.40", 2)
        gang = await self.bid(buyer, self.symbol, "2.50", 4, min_fill=4)
        picky = await self.bid(buyer, self.symbol, "2.50", 1, min_assurance="verified")
        await buyer.wait(lambda: book.levels("bids") == [(2_500_000, 5)], "a crossed book")
        self.assertEqual(book.levels("asks"), [(2_400_000, 2)])
        await self.refuses("invalid_min_fill", buyer, "order.place", symbol=self.symbol, side="buy",
                           order_type="limit", price="2.50", gpus=1, min_fill=2)
        await self.ask(attested, self.symbol, "2.45", 5)
        (whole,), (good,) = (await self.filled(buyer, bought, gang, 1),
                             await self.filled(buyer, bought, picky, 1))
        self.check_fill(whole, "buy", "2.50", 4, 0, "maker", "standard")
        self.check_fill(good, "buy", "2.50", 1, 0, "maker", "standard")
        self.assertEqual(list(await self.open_orders(listed)), [small])

        # At one price the better assurance is first, though it came last.
        await self.ask(attested, self.symbol, "2.40", 1)
        seen = await attested.subscribe("executions")
        await self.bid(buyer, self.symbol, "2.40", 1)
        await attested.wait(lambda: seen.data(event="filled"), "the attested ask's fill")
        self.assertEqual((await self.open_orders(listed))[small]["remaining"], 2)

    async def test_capacity_and_limits_bound_what_a_provider_asks(self):
        """Neither GPUs nor bonded limit can be sold twice; when they fall the newest asks go."""
        provider = await self.provider(gpus=8, limit_usd="20.00")
        feed = await provider.subscribe("executions")
        whole = {"symbol": self.symbol, "side": "sell", "order_type": "limit",
                 "node": provider.node}
        await self.refuses("insufficient_capacity", provider, "order.place", price="2.50", gpus=9,
                           **whole)
        await self.refuses("bonded_limit_exceeded", provider, "order.place", price="2.55", gpus=8,
                           **whole)
        await self.refuses("unknown_node", provider, "order.place", price="2.50", gpus=1,
                           **{**whole, "node": "999999"})
        old = await self.ask(provider, self.symbol, "2.50", 5)
        new = await self.ask(provider, self.symbol, "2.50", 3)
        await self.refuses("insufficient_capacity", provider, "order.place", price="2.50", gpus=1,
                           **whole)
        await self.operator.call("capacity.set", node=provider.node, gpus=7, assurance="verified")
        end = await self.cancelled(provider, feed, new)
        self.assertEqual(end["reason"], "capacity_reduced")
        await self.operator.call("limit.set", account=str(provider.account), limit_usd="12.49")
        end = await self.cancelled(provider, feed, old)
        self.assertEqual(end["reason"], "limit_reduced")

    async def test_nobody_trades_with_himself(self):
        """By default the incoming order is cancelled where it could meet an own one."""
        both = await self.provider(gpus=8)
        await self.deposit(both, "100")
        await both.call("credits.buy", burn="100")
        feed = await both.subscribe("executions")
        ask = await self.ask(both, self.symbol, "2.50", 2)
        bid = await self.bid(both, self.symbol, "2.50", 2)
        self.assertEqual((await self.cancelled(both, feed, bid))["reason"], "self_trade")
        self.assertEqual(list(await self.open_orders(both)), [ask])
        bid = await self.bid(both, self.symbol, "2.50", 2, stp="cancel_oldest")
        self.assertEqual((await self.cancelled(both, feed, ask))["reason"], "self_trade")
        self.assertEqual(list(await self.open_orders(both)), [bid])
        self.assertEqual(feed.data(event="filled"), [])

    # -- Names, times, states

    async def test_a_client_order_id_names_one_order(self):
        """The same content again gets the first answer; other content is refused; a refused order
        uses no name up."""
        buyer, other = await self.buyer(), await self.buyer()
        order = {"symbol": self.symbol, "side": "buy", "order_type": "limit", "price": "2.50",
                 "gpus": 2, "cl_ord_id": "job-42"}
        await self.refuses("price_off_tick", buyer, "order.place", **{**order, "price": "2.51"})
        first = await buyer.call("order.place", **order)
        self.assertEqual(first["cl_ord_id"], "job-42")
        self.assertNotIn("duplicate", first)
        self.assertEqual(await buyer.call("order.place", **order), {**first, "duplicate": True})
        error = await self.refuses("client_order_id_reused", buyer, "order.place",
                                   **{**order, "gpus": 3})
        self.assertEqual(error["number"], 2004)
        self.assertEqual(list(await self.open_orders(buyer)), [first["order_id"]])
        theirs = await other.call("order.place", **order)  # unique per account only
        self.assertNotEqual(theirs["order_id"], first["order_id"])
        await buyer.call("order.cancel", cl_ord_id="job-42")
        self.assertEqual(await buyer.call("order.place", **order), {**first, "duplicate": True})
        self.assertEqual(await self.open_orders(buyer), {})

    async def test_validate_checks_everything_and_changes_nothing(self):
        """A valid order that is only validated leaves no trace; an invalid one is refused."""
        buyer = await self.buyer()
        order = {"symbol": self.symbol, "side": "buy", "order_type": "limit", "price": "2.50",
                 "gpus": 2, "validate": True}
        before = await self.balances(buyer)
        self.assertEqual(await buyer.call("order.place", **order), {"validated": True})
        await self.refuses("insufficient_credits", buyer, "order.place",
                           **{**order, "gpus": 100_000})
        self.assertEqual(await self.balances(buyer), before)
        self.assertEqual(await self.open_orders(buyer), {})

    async def test_deadlines_and_expiries_are_the_sequencers(self):
        """An order past its deadline is refused; a gtd order ends at its time, and its lock is
        free again."""
        buyer = await self.buyer()
        feed = await buyer.subscribe("executions")
        start = await self.balances(buyer)
        now = await buyer.market_time()
        order = {"symbol": self.symbol, "side": "buy", "order_type": "limit", "price": "2.50",
                 "gpus": 2}
        await self.refuses("deadline_passed", buyer, "order.place", deadline=now - 1, **order)
        await self.refuses("expiry_in_past", buyer, "order.place", time_in_force="gtd",
                           expires=now - 1, **order)
        until = now + 2 * MINUTE_US
        short = await self.bid(buyer, self.symbol, "2.50", 2, time_in_force="gtd", expires=until,
                               deadline=until)
        await buyer.wait(lambda: feed.data(event="accepted", order_id=short), "its acceptance")
        entry, = feed.data(event="accepted", order_id=short)
        self.assertEqual((entry["time_in_force"], entry["expires"]), ("gtd", until))
        end = await self.cancelled(buyer, feed, short)
        self.assertEqual((end["reason"], end["remaining"]), ("expired", 2))
        self.assertGreaterEqual(await buyer.market_time(), until)
        self.assertEqual(await self.balances(buyer), start)

    async def test_a_halted_instrument_takes_cancels_only(self):
        """Halt and resume are the operator's; meanwhile orders and amends are refused."""
        buyer = await self.buyer()
        order = await self.bid(buyer, self.symbol, "2.50", 2)
        kept = await self.bid(buyer, self.symbol, "2.45", 2)
        await self.operator.call("instrument.halt", symbol=self.symbol)
        await self.refuses("instrument_halted", buyer, "order.place", symbol=self.symbol,
                           side="buy", order_type="limit", price="2.50", gpus=1)
        await self.refuses("instrument_halted", buyer, "order.amend", order_id=order, gpus=1)
        await buyer.call("order.cancel", order_id=order)
        row, = [row for row in (await buyer.call("instruments"))["instruments"]
                if row["symbol"] == self.symbol]
        self.assertEqual(row["state"], "halted")
        await self.operator.call("instrument.resume", symbol=self.symbol)
        await buyer.call("order.amend", order_id=kept, gpus=1)
        await self.operator.call("instrument.halt", symbol=self.symbol)
        result = await buyer.call("order.cancel_all", symbol=self.symbol, side="buy")
        self.assertEqual(result, {"cancelled_orders": 1})
        self.assertEqual((await buyer.call("order.cancel_all"))["cancelled_orders"], 0)
        await self.operator.call("instrument.resume", symbol=self.symbol)

    # -- Channels

    async def test_two_subscribers_see_the_same_proven_book(self):
        """Through some hundred random orders every book's checksum holds, and early and late
        subscribers, open orders and book agree."""
        random.seed(20261201)
        provider = await self.provider(gpus=1000, limit_usd="10000000.00")
        buyers = [await self.buyer(burn="100000") for _ in range(2)]
        watcher = await self.connect()  # public channels need no logon
        books = [await watcher.subscribe("book", self.symbol),
                 await buyers[0].subscribe("book", self.symbol)]
        books.append(await watcher.subscribe("orders", self.symbol))
        trades = await watcher.subscribe("trades", self.symbol)
        ticker = await watcher.subscribe("ticker", self.symbol)
        executions = await provider.subscribe("executions")
        live = []
        for _ in range(300):
            draw = random.random()
            if live and draw < 0.25:
                client, order = live.pop(random.randrange(len(live)))
                await client.request("order.cancel", {"order_id": order})
            elif live and draw < 0.35:
                client, order = random.choice(live)
                await client.request("order.amend", {
                    "order_id": order, "gpus": random.randint(1, 12),
                    "price": f"{random.randrange(200, 300, 5) / 100:.2f}"})
            else:
                client = random.choice([provider, *buyers])
                price = f"{random.randrange(200, 300, 5) / 100:.2f}"
                place = self.ask if client is provider else self.bid
                live.append((client, await place(client, self.symbol, price,
                                                 random.randint(1, 12))))
        late = await self.connect()
        books.append(await late.subscribe("book", self.symbol))
        books.append(await late.subscribe("orders", self.symbol))
        expected = {"buy": {}, "sell": {}}
        for client in (provider, *buyers):
            for row in (await self.open_orders(client)).values():
                level = expected[row["side"]]
                price = price_micros(row["price"])
                level[price] = level.get(price, 0) + row["remaining"]
        for client, book in zip((watcher, buyers[0], watcher, late, late), books):
            await client.wait(lambda book=book: book.sides == {"bids": expected["buy"],
                                                               "asks": expected["sell"]},
                              "the book that the open orders make")
        sold = sum(entry["gpus"] for entry in executions.data(event="filled"))
        await watcher.wait(lambda: sum(t["gpus"] for t in trades.data()) == sold, "all trades")
        self.assertGreater(sold, 100)
        # Both who listened from the beginning and who came last know every queue.
        for side in ("bids", "asks"):
            self.assertEqual(books[2].queue(side), books[4].queue(side))
        told = ticker.messages[-1]["data"]
        best = {side: books[0].levels(side)[0] for side in ("bids", "asks")}
        self.assertEqual(told["volume_gpus"], sold)
        self.assertEqual(told["volume_gpu_minutes"], sold * MINUTES)
        self.assertEqual(told["trades"], len(trades.data()))
        self.assertEqual((price_micros(told["bid"]), told["bid_gpus"]), best["bids"])
        self.assertEqual((price_micros(told["ask"]), told["ask_gpus"]), best["asks"])

    async def test_private_channels_add_up_without_a_gap(self):
        """One connection with all three channels misses no event of its account, and what the
        channels say makes the balances that the account has."""
        provider, buyer = await self.provider(gpus=500), await self.buyer(burn="10000")
        executions, balances, leases = [await buyer.subscribe(channel) for channel in
                                        ("executions", "balances", "leases")]
        first = buyer.private.last
        for number in range(40):
            price = f"{2.30 + 0.05 * (number % 7):.2f}"
            await self.bid(buyer, self.symbol, price, 1 + number % 3,
                           tier=("premium", "standard", "economy")[number % 3])
            if number % 4 == 3:
                await self.ask(provider, self.symbol, "2.40", 5)
        for order in await self.open_orders(buyer):
            await buyer.call("order.cancel", order_id=order)
        found = await self.balances(buyer)
        await buyer.wait(lambda: balances.credits["free"] == found["free"], "the last balance")
        # Every event of the buyer is on one of the channels, so none may be missing between them.
        seen = sorted({seq for seq in buyer.private.seen if seq > first})
        self.assertEqual(seen, list(range(first + 1, first + 1 + len(seen))))
        fills = executions.data(event="filled")
        self.assertGreater(len(fills), 10)
        spent = sum(credits_of(fill["notional"]) + credits_of(fill["surcharge"])
                    for fill in fills)
        self.assertEqual((found["escrow"], found["locked"]), (spent, 0))
        self.assertEqual(balances.credits, {"free": found["free"], "locked": 0})
        self.assertEqual({row["lease_id"] for row in leases.data(state="reserved")},
                         {fill["lease_id"] for fill in fills})
        rows = (await buyer.call("account.leases"))["leases"]
        self.assertEqual({row["lease_id"] for row in rows}, {fill["lease_id"] for fill in fills})

    async def test_a_second_key_does_what_its_scopes_say(self):
        """A key with read alone sees the account and changes nothing."""
        owner = await self.buyer()
        reader_key = Key()
        await owner.call("key.add", public_key=reader_key.public_hex, scopes=["read"])
        reader = await self.logged_on(owner.account, reader_key)
        self.assertEqual((await reader.call("session.status"))["scopes"], ["read"])
        self.assertEqual(await self.balances(reader), await self.balances(owner))
        feed = await reader.subscribe("executions")
        await self.refuses("scope_missing", reader, "order.place", symbol=self.symbol, side="buy",
                           order_type="limit", price="2.50", gpus=1)
        order = await self.bid(owner, self.symbol, "2.50", 1)
        await reader.wait(lambda: feed.data(event="accepted", order_id=order),
                          "the order on the other connection")
        snapshot = await self.logged_on(owner.account, reader_key)
        rows = (await snapshot.subscribe("executions")).messages[0]["data"]
        self.assertEqual([row["order_id"] for row in rows], [order])

    async def test_many_requests_in_flight_are_each_answered(self):
        """Two hundred orders sent at once get their own two hundred answers, in order."""
        buyer = await self.buyer(burn="100000")
        replies = await asyncio.gather(*(
            buyer.begin("order.place", {"symbol": self.symbol, "side": "buy", "price": "2.00",
                                        "order_type": "limit", "gpus": 1, "cl_ord_id": f"n-{n}"})
            for n in range(200)))
        self.assertTrue(all(reply["success"] for reply in replies))
        self.assertEqual([reply["result"]["cl_ord_id"] for reply in replies],
                         [f"n-{n}" for n in range(200)])
        ids = [int(reply["result"]["order_id"]) for reply in replies]
        sequences = [reply["seq"] for reply in replies]
        self.assertEqual((ids, sequences), (sorted(set(ids)), sorted(set(sequences))))
        self.assertEqual(len(await self.open_orders(buyer)), 200)


if __name__ == "__main__":
    market.main()
