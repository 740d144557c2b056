#!/usr/bin/python3
"""Leases, from the fill to the last unit in PostgreSQL, by the oracle of token_arithmetic.py."""

import asyncio
import random

import market
from client import Key, check_usd, credits_of, price_micros
from market_test_case import (FEEDS, MINUTE_US, TOKEN_PRICE_MICROS, MarketTestCase,
                              ShortWindowsTestCase, heartbeat_params, symbol_of)
from token_arithmetic import (PricePath, lock, notional, settle, surcharge,
                              top_up_credits)

SETTLE_DEADLINE_S = 30
LEAD_MINUTES = 12  # of the market: what it takes to trade before a window begins


def ceil_to_minute(time_us):
    return -(-time_us // MINUTE_US) * MINUTE_US


class Deal:
    """One lease between a provider and a buyer of its own."""

    def __init__(self, test, provider, buyer, price, gpus, tier):
        self.test, self.provider, self.buyer = test, provider, buyer
        self.price, self.gpus, self.tier = price, gpus, tier

    @classmethod
    async def prepare(cls, test, price="2.50", gpus=8, tier="standard", burn="1000", **where):
        provider, buyer = await test.provider(gpus=gpus, **where), await test.buyer(burn=burn)
        deal = cls(test, provider, buyer, price, gpus, tier)
        deal.executions = await buyer.subscribe("executions")
        deal.buyer_leases = await buyer.subscribe("leases")
        deal.buyer_money = await buyer.subscribe("balances")
        deal.provider_leases = await provider.subscribe("leases")
        deal.provider_money = await provider.subscribe("balances")
        deal.money_before = await test.balances(buyer)
        return deal

    async def trade(self, symbol):
        """Ask, bid, fill; the lease is reserved."""
        await self.test.ask(self.provider, symbol, self.price, self.gpus)
        await self.test.bid(self.buyer, symbol, self.price, self.gpus, tier=self.tier)
        await self.buyer.wait(lambda: self.executions.data(event="filled"), "the fill")
        fill, = self.executions.data(event="filled")
        self.lease, self.minutes = fill["lease_id"], fill["minutes"]
        self.start, self.end = fill["delivery_start"], fill["delivery_end"]
        self.traded_at = self.executions.messages[-1]["ts"]
        self.test.assertEqual(self.end - self.start, self.minutes * MINUTE_US)
        value = notional(price_micros(self.price), self.gpus, self.minutes)
        self.test.assertEqual(check_usd(fill, "notional"), value)
        self.test.assertEqual(check_usd(fill, "surcharge"), surcharge(value, self.tier))
        return fill

    async def begin(self):
        await self.test.until_market_time(self.start)
        await self.provider.call("lease.start", lease=self.lease)

    def heartbeat_params(self, minute_us, key=None):
        return heartbeat_params(key or self.provider.device, self.lease, minute_us)

    async def deliver(self, numbers):
        await self.test.deliver(self.provider, self.lease, self.start, numbers)

    async def until(self, state):
        """Both sides are told that the lease is in this state."""
        for client, feed, role in ((self.buyer, self.buyer_leases, "buyer"),
                                   (self.provider, self.provider_leases, "provider")):
            await client.wait(lambda feed=feed: feed.data(lease_id=self.lease, state=state),
                              f"{state} of lease {self.lease} for its {role}", SETTLE_DEADLINE_S)
            for entry in feed.data(lease_id=self.lease):
                self.test.assertEqual(entry["role"], role)

    def record(self):
        row, = self.test.market.query(f"SELECT * FROM lease_records WHERE id = {self.lease}")
        return row

    async def check_settled(self, expected, delivered_minutes):
        """PostgreSQL, both members' balances and every transfer say what the oracle says."""
        await self.until("settled")
        test = self.test
        market.wait_until(lambda: self.record()["state"] == "settled", "the settled row")
        row = self.record()
        found = {name: int(row[column]) for name, column in (
            ("verified", "verified"), ("consumed", "consumed"), ("burned", "burned"),
            ("refunded", "refunded"), ("owed", "owed"), ("gross", "gross_utok"),
            ("provider", "provider_utok"), ("fee", "fee_utok"), ("retire", "retire_utok"),
            ("emitted", "emitted_utok"))}
        test.assertEqual(found, vars(expected))
        test.assertEqual(int(row["settled_minutes"]), delivered_minutes)
        escrow = lock(price_micros(self.price), self.gpus, self.minutes, self.tier)
        test.assertEqual(expected.consumed + expected.burned + expected.refunded + expected.owed,
                         escrow)
        # In the engine (the account's view), on the channel and in the ledger.
        free = self.money_before["free"] - escrow + expected.refunded
        buyer = await test.balances(self.buyer)
        test.assertEqual((buyer["free"], buyer["locked"], buyer["escrow"]), (free, 0, 0))
        await self.buyer.wait(lambda: self.buyer_money.credits["free"] == free, "the refund")
        provider = await test.balances(self.provider)
        test.assertEqual(provider["tok"], expected.provider)
        await self.provider.wait(lambda: self.provider_money.tok == expected.provider, "the reward")
        for member, balances in ((self.buyer, buyer), (self.provider, provider)):
            ledger = test.ledger_balances(member.account)
            test.assertEqual({name: ledger.get(name, 0) for name in ("free", "locked", "escrow")},
                             {name: balances[name] for name in ("free", "locked", "escrow")})
            test.assertEqual(ledger.get("tokens", 0), balances["tok"])
        moved = {(t["from_holding"], t["to_holding"]): int(t["amount"]) for t in test.market.query(
            f"SELECT * FROM ledger WHERE lease_id = {self.lease}")}
        wanted = {("locked", "escrow"): None, ("free", "escrow"): None,
                  ("escrow", "consumed"): expected.consumed,
                  ("escrow", "burned"): expected.burned, ("escrow", "free"): expected.refunded,
                  ("escrow", "owed"): expected.owed, ("vault", "issuance"): expected.retire}
        paid = expected.provider + expected.fee
        fee_minted = expected.fee * expected.emitted // paid if paid else 0
        minted = {"tokens": expected.emitted - fee_minted, "fee": fee_minted}
        for holding, whole in (("tokens", expected.provider), ("fee", expected.fee)):
            wanted["issuance", holding] = minted[holding]
            wanted["vault", holding] = whole - minted[holding]
        for way, amount in moved.items():
            test.assertIn(way, wanted)
            if wanted[way] is not None:
                test.assertEqual(amount, wanted[way], way)
        for way, amount in wanted.items():
            if amount:
                test.assertIn(way, moved)


class SettlementTest(MarketTestCase):
    clock_factor = 240

    async def test_every_end_of_a_lease(self):
        """In one window: delivered whole, in part, from a late start, never, not completed, and
        with every wrong message on the way; then the books are audited."""
        names = ("whole", "partial", "late", "no_show", "forgotten", "messages")
        deals = await asyncio.gather(
            Deal.prepare(self), Deal.prepare(self, "2.55", 4, "premium"),
            Deal.prepare(self, "2.45", 3, "economy"), Deal.prepare(self, "2.50", 2, "premium"),
            Deal.prepare(self, "2.60", 1), Deal.prepare(self, "2.65", 1))
        resting = await self.buyer()
        window = await self.window_after(LEAD_MINUTES)
        symbol = window["symbol"]
        self.assertEqual(symbol, symbol_of("H100-SXM", "us-east", window["window_start"]))
        for deal in deals:  # one after the other, so that each ask meets its own bid
            await deal.trade(symbol)
            self.assertEqual((deal.start, deal.minutes), (window["window_start"], 60))
        scenarios = [getattr(self, "ends_" + name)(deal) for name, deal in zip(names, deals)]
        await asyncio.gather(self.rests_until_the_gate(resting, window), *scenarios)
        self.audits_pass()

    async def ends_whole(self, deal):
        """The worked example of the design: 8 GPUs, 60 minutes, $2.50, TOK at $2."""
        await deal.begin()
        await deal.until("active")
        await deal.deliver(range(60))
        await deal.until("delivered")
        await deal.buyer.call("lease.complete", lease=deal.lease)
        expected = settle(2_500_000, 8, 60, 60, "standard", TOKEN_PRICE_MICROS)
        self.assertEqual((expected.verified, expected.gross, expected.retire, expected.fee,
                          expected.provider),
                         (1_200_000_000, 10_000_000, 500_000, 200_000, 9_300_000))
        await deal.check_settled(expected, 60)
        await self.refuses("unknown_lease" if not await self.knows(deal) else "lease_wrong_state",
                           deal.buyer, "lease.complete", lease=deal.lease)

    async def knows(self, deal):
        rows = (await deal.buyer.call("account.leases"))["leases"]
        return any(row["lease_id"] == deal.lease for row in rows)

    async def ends_partial(self, deal):
        """37 of 60 minutes have a heartbeat: the rest is refunded, surcharge and all."""
        await deal.begin()
        minutes = sorted(random.Random(37).sample(range(60), 37))
        await deal.deliver(minutes)
        await deal.until("delivered")
        await deal.buyer.call("lease.complete", lease=deal.lease)
        await deal.check_settled(settle(2_550_000, 4, 60, 37, "premium", TOKEN_PRICE_MICROS), 37)
        bits = "".join("1" if number in minutes else "0" for number in range(60))
        self.assertEqual(deal.record()["delivered"], bits)

    async def ends_late(self, deal):
        """Started within the five minutes: what had ended before the start is not paid, heartbeat
        or not."""
        await self.until_market_time(deal.start + 2 * MINUTE_US + MINUTE_US // 2)
        await deal.provider.call("lease.start", lease=deal.lease)
        await deal.deliver(range(60))
        await deal.until("delivered")
        await deal.buyer.call("lease.complete", lease=deal.lease)
        await deal.until("settled")
        started = int(deal.record()["started_at_us"])
        lost = (started - deal.start) // MINUTE_US  # minutes that had ended
        self.assertIn(lost, range(2, 6))
        await deal.check_settled(
            settle(2_450_000, 3, 60, 60 - lost, "economy", TOKEN_PRICE_MICROS), 60 - lost)

    async def ends_no_show(self, deal):
        """The provider never starts, or too late: all is refunded, nothing minted."""
        await self.until_market_time(deal.start + 5 * MINUTE_US + 1)
        await self.refuses("lease_start_too_late", deal.provider, "lease.start", lease=deal.lease)
        await deal.until("failed")
        await deal.check_settled(settle(2_500_000, 2, 60, 0, "premium", TOKEN_PRICE_MICROS), 0)
        buyer = await self.balances(deal.buyer)
        self.assertEqual(buyer, deal.money_before)

    async def ends_forgotten(self, deal):
        """The buyer never completes: it is settled when the dispute time is over."""
        await deal.begin()
        await deal.deliver(range(60))
        await deal.check_settled(settle(2_600_000, 1, 60, 60, "standard", TOKEN_PRICE_MICROS), 60)
        self.assertGreaterEqual(int(deal.record()["settled_at_us"]), deal.end + 10 * MINUTE_US)
        self.assertEqual(deal.record()["completed"], "f")

    async def ends_messages(self, deal):
        """Each wrong lease message has its own answer, and none of them counts."""
        lease = {"lease": deal.lease}
        await self.refuses("lease_not_startable", deal.provider, "lease.start", **lease)
        await self.refuses("lease_not_delivered", deal.buyer, "lease.complete", **lease)
        await self.refuses("unknown_lease", deal.buyer, "lease.start", **lease)
        await self.refuses("unknown_lease", deal.provider, "lease.complete", **lease)
        await self.refuses("unknown_lease", deal.provider, "lease.start", lease="999999999")
        await self.refuses("lease_wrong_state", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.start))
        await deal.begin()
        await self.refuses("lease_wrong_state", deal.provider, "lease.start", **lease)
        await self.refuses("bad_signature", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.start, Key()))
        await self.refuses("minute_outside_lease", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.start - MINUTE_US))
        await self.refuses("minute_outside_lease", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.start + 1))
        await self.refuses("minute_outside_lease", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.end))
        await self.refuses("minute_in_future", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.end - MINUTE_US))
        await deal.deliver([0, 1])
        await deal.provider.call("lease.heartbeat", **deal.heartbeat_params(deal.start))  # again
        await self.until_market_time(deal.start + 10 * MINUTE_US)
        await self.refuses("heartbeat_too_late", deal.provider, "lease.heartbeat",
                           **deal.heartbeat_params(deal.start + 3 * MINUTE_US))
        await deal.until("delivered")
        await deal.buyer.call("lease.complete", lease=deal.lease)
        await deal.check_settled(settle(2_650_000, 1, 60, 2, "standard", TOKEN_PRICE_MICROS), 2)

    async def rests_until_the_gate(self, buyer, window):
        """What rests when the gate closes is cancelled, and its lock is free again; its name still
        gets the first answer when the window is over."""
        feed = await buyer.subscribe("executions")
        before = await self.balances(buyer)
        params = {"symbol": window["symbol"], "side": "buy", "order_type": "limit",
                  "price": "2.00", "gpus": 5, "cl_ord_id": "rests"}
        first = await buyer.call("order.place", **params)
        order = first["order_id"]
        await buyer.wait(lambda: feed.data(event="cancelled", order_id=order), "the gate", 60)
        entry, = feed.data(event="cancelled", order_id=order)
        self.assertEqual((entry["reason"], entry["remaining"]), ("gate_closed", 5))
        self.assertGreaterEqual(await buyer.market_time(), window["gate"])
        self.assertEqual(window["gate"], window["window_start"] + 57 * MINUTE_US)
        self.assertEqual(await self.balances(buyer), before)
        other = {**params, "cl_ord_id": "another"}
        await self.refuses("instrument_gate_closed", buyer, "order.place", **other)
        while (error := (await buyer.request("order.place", other))["error"]
               )["code"] != "instrument_closed":
            self.assertEqual(error["code"], "instrument_gate_closed")
            # The window is over with the sequencer's next second.
            self.assertLess(await buyer.market_time(), window["window_start"] + 80 * MINUTE_US)
            await asyncio.sleep(0.1)
        self.assertEqual(await buyer.call("order.place", **params), {**first, "duplicate": True})

    async def test_spot_capacity_is_delivered_from_the_notice_on(self):
        """A fill in the running window gets the whole minutes from two minutes later to its end,
        and pays for those alone."""
        deal = await Deal.prepare(self, "2.50", 6)
        while True:
            now = await self.operator.market_time()
            window = next(row for row in await self.windows() if row["gate"] > now)
            if window["window_start"] <= now <= window["gate"] - 20 * MINUTE_US:
                break
            await self.until_market_time((await self.window_after(0))["window_start"])
        before = await self.operator.market_time()
        fill = await deal.trade(window["symbol"])
        after = await self.operator.market_time()
        self.assertIn(deal.start, range(ceil_to_minute(before + 2 * MINUTE_US),
                                        ceil_to_minute(after + 2 * MINUTE_US) + 1, MINUTE_US))
        self.assertEqual(deal.end, window["window_start"] + 60 * MINUTE_US)
        self.assertLess(fill["minutes"], 60)
        await deal.begin()
        await deal.deliver(range(deal.minutes))
        await deal.until("delivered")
        await deal.buyer.call("lease.complete", lease=deal.lease)
        await deal.check_settled(settle(2_500_000, 6, deal.minutes, deal.minutes, "standard",
                                        TOKEN_PRICE_MICROS), deal.minutes)


class MovingPriceTest(ShortWindowsTestCase):
    """A market of its own, as prices of TOK are everybody's."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.stop_pricing()  # this test sets every price itself
        self.path = PricePath()
        self.path.set([TOKEN_PRICE_MICROS] * FEEDS)  # what setting up did

    async def set_feeds(self, prices):
        """One price.set, which the oracle takes as well."""
        await self.set_series([prices])

    async def set_series(self, series):
        """One price.set after the other, without waiting in between."""
        now = await self.operator.market_time()
        replies = await asyncio.gather(*(self.operator.begin("price.set", {"feeds": [
            {"price": f"{price // 10**6}.{price % 10**6:06d}", "time": now} for price in prices]})
                                         for prices in series))
        self.assertTrue(all(reply["success"] for reply in replies), replies)
        for prices in series:
            self.path.set(prices)

    async def keep_setting(self, price):
        while True:
            await self.set_feeds([price] * FEEDS)
            await asyncio.sleep(1)

    async def test_low_prices_burn_high_prices_pay_and_emission_pays_under_stress(self):
        """Through a falling price every top-up and settlement uses the oracle's low and high; as the
        vault covers too little, emission pays."""
        deal = await Deal.prepare(self, "2.50", 2, burn="4.5", hardware_class="QUICK",
                                  region="here")
        saver = await self.member(tok="1")
        dice = random.Random(7)
        price = TOKEN_PRICE_MICROS
        for steps, burns in ((4, True), (5, True), (52, True), (60, False), (280, False)):
            series = []
            for _ in range(steps):
                price = max(40_000, price * dice.randint(970, 1000) // 1000)
                series.append([price * dice.randint(990, 1010) // 1000 for _ in range(FEEDS)])
            await self.set_series(series)
            self.assertLess(self.path.low, self.path.high)
            if burns:
                result = await saver.call("credits.buy", burn="0.1")
                self.assertEqual(credits_of(result["credits"]),
                                 top_up_credits(100_000, self.path.low))
            else:  # the deviation is so large that nothing is safe to burn at
                self.assertLessEqual(self.path.low, 0)
                await self.refuses("prices_unavailable", saver, "credits.buy", burn="0.1")
        window = await self.window_after(2, hardware_class="QUICK", region="here")
        keeping = asyncio.create_task(self.keep_setting(price))
        await deal.trade(window["symbol"])
        await deal.begin()
        await deal.deliver(range(deal.minutes))
        await deal.until("delivered")
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await self.set_feeds([price] * FEEDS)
        vault = self.ledger_balances(0)["vault"]
        self.assertEqual(vault, 4_800_000)
        await deal.buyer.call("lease.complete", lease=deal.lease)
        half_a_day = 600_000_000_000_000 * 155 // 1_000_000 // 2
        expected = settle(2_500_000, 2, 6, 6, "standard", self.path.high, vault, half_a_day)
        self.assertGreater(expected.provider + expected.fee, vault)
        self.assertEqual(expected.owed, 0)
        await deal.check_settled(expected, 6)
        self.assertEqual(self.ledger_balances(0)["vault"], vault)
        genesis = 400_000_000_000_000
        self.assertEqual(self.ledger_balances(0)["issuance"], -genesis - expected.emitted)
        done = self.market.audit()
        self.assertEqual(done.returncode, 0, done)


if __name__ == "__main__":
    market.main()
