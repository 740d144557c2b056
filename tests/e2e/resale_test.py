#!/usr/bin/python3
"""Resale: what was bought is sold again before its window, and each who ever paid or earned gets its
own, by the oracle of token_arithmetic.py."""

import asyncio
import random

import market
from client import price_micros
from market_test_case import MINUTE_US, TOKEN_PRICE_MICROS, MarketTestCase
from token_arithmetic import Lot, Purse, Sale, lock, notional

SETTLE_DEADLINE_S = 30
LEAD_MINUTES = 25  # of the market: what it takes to trade before resale ends
NOTICE_MINUTES = 2  # resale ends so long before the window
RESALES_MAX = 4  # of a lease, at other prices


class Lease:
    """A lease on the exchange, and the oracle's lot beside it."""

    def __init__(self, lease_id, fill, lot, owner):
        self.id, self.lot, self.owner = lease_id, lot, owner
        self.start, self.minutes = fill["delivery_start"], fill["minutes"]


class ResaleTest(MarketTestCase):
    clock_factor = 240

    async def party(self, client=None):
        """A member with feeds of its private channels and the oracle's view of its credits."""
        client = client or await self.buyer()
        client.executions = await client.subscribe("executions")
        client.leases = await client.subscribe("leases")
        client.money = await client.subscribe("balances")
        client.purse = Purse(free=(await self.balances(client))["free"])
        return client

    async def parties(self, count):
        return await asyncio.gather(*(self.party() for _ in range(count)))

    async def sell(self, provider, buyer, window, price, gpus, tier="standard"):
        """The provider's own sale."""
        await self.ask(provider, window["symbol"], price, gpus)
        fill = await self.filled(buyer, window, price, gpus, tier)
        lot = Lot(gpus, fill["minutes"], [Sale(buyer.purse, price_micros(price), tier)])
        return Lease(fill["lease_id"], fill, lot, buyer)

    async def resell(self, lease, buyer, window, price, gpus, tier="standard"):
        """The lease's owner sells GPUs of it; the buyer's lease."""
        trader = lease.owner
        await self.place(trader, window["symbol"], "sell", price, gpus, lease=lease.id)
        fill = await self.filled(buyer, window, price, gpus, tier)
        lot = lease.lot.resell(buyer.purse, price_micros(price), gpus, tier)
        await trader.wait(lambda: trader.leases.data(resold_as=fill["lease_id"]), "the resale")
        told, = trader.leases.data(resold_as=fill["lease_id"])
        self.assertEqual(
            {name: told[name] for name in ("lease_id", "role", "gpus", "resold_gpus",
                                           "resold_price")},
            {"lease_id": lease.id, "role": "buyer", "gpus": lease.lot.gpus, "resold_gpus": gpus,
             "resold_price": price})
        sold, = trader.executions.data(event="filled", lease_id=fill["lease_id"])
        self.assertEqual((sold["side"], sold["price"], sold["gpus"], sold["surcharge"]),
                         ("sell", price, gpus, "0"))
        return Lease(fill["lease_id"], fill, lot, buyer)

    async def filled(self, buyer, window, price, gpus, tier):
        order = await self.bid(buyer, window["symbol"], price, gpus, tier=tier)
        await buyer.wait(lambda: buyer.executions.data(event="filled", order_id=order), "the fill")
        fill, = buyer.executions.data(event="filled", order_id=order)
        self.assertEqual((fill["price"], fill["gpus"]), (price, gpus))
        self.assertEqual((fill["delivery_start"], fill["minutes"]), (window["window_start"], 60))
        return fill

    async def test_everyone_gets_its_own(self):
        """A trader buys nine GPUs and resells three at a gain, two at a loss, two into a chain of two
        resales and one that nobody delivers; it keeps one."""
        provider = await self.party(await self.provider(gpus=9))
        trader, gainer, loser, middle, last, unlucky = await self.parties(6)
        window = await self.window_after(LEAD_MINUTES)
        bought = await self.sell(provider, trader, window, "2.50", 9)
        gained = await self.resell(bought, gainer, window, "2.80", 3, "premium")
        lost = await self.resell(bought, loser, window, "2.20", 2, "economy")
        passed_on = await self.resell(bought, middle, window, "2.70", 2)
        chained = await self.resell(passed_on, last, window, "2.40", 2, "premium")
        failed = await self.resell(bought, unlucky, window, "2.30", 1)
        leases = [bought, gained, lost, chained, failed]
        parties = [provider, trader, gainer, loser, middle, last, unlucky]
        self.assertEqual([lease.lot.gpus for lease in leases], [1, 3, 2, 2, 1])
        self.assertEqual(passed_on.lot.gpus, 0)
        await self.check_leases(provider, leases)
        await self.check_credits(parties)

        dice = random.Random(41)
        delivered = {bought: range(60), gained: sorted(dice.sample(range(60), 37)),
                     lost: range(45), chained: sorted(dice.sample(range(60), 53))}
        await self.until_market_time(window["window_start"])
        for lease in delivered:
            await provider.call("lease.start", lease=lease.id)
        await asyncio.gather(*(self.deliver(provider, lease.id, lease.start, numbers)
                               for lease, numbers in delivered.items()))
        tok = 0
        for lease in leases:
            if lease in delivered:
                await self.until_state(lease, "delivered")
                await lease.owner.call("lease.complete", lease=lease.id)
        for lease in leases:
            tok += await self.check_settled(lease, len(delivered.get(lease, ())))
        await self.check_credits(parties)
        self.assertEqual(sum(party.purse.escrow for party in parties), 0)
        self.assertEqual((await self.balances(provider))["tok"], tok)
        self.assertEqual(self.ledger_balances(provider.account)["tokens"], tok)
        record = self.record(passed_on)
        self.assertEqual((record["state"], record["gpus"], record["resold_gpus"]),
                         ("resold", "0", "2"))
        self.audits_pass()

    async def check_leases(self, provider, leases):
        """Each sees its leases at its own price."""
        for owner in {lease.owner for lease in leases}:
            rows = (await owner.call("account.leases"))["leases"]
            self.assertEqual(
                [(row["lease_id"], row["role"], price_micros(row["price"]), row["gpus"])
                 for row in rows],
                [(lease.id, "buyer", lease.lot.last.price, lease.lot.gpus)
                 for lease in leases if lease.owner is owner])
        rows = (await provider.call("account.leases"))["leases"]
        self.assertEqual([(row["lease_id"], row["role"], row["price"], row["gpus"], row["node"])
                          for row in rows],
                         [(lease.id, "provider", "2.50", lease.lot.gpus, provider.node)
                          for lease in leases])

    async def check_credits(self, parties):
        """Engine, private channel and ledger have for each what the oracle has."""
        for party in parties:
            wanted = {"free": party.purse.free, "locked": 0, "escrow": party.purse.escrow}
            found = await self.balances(party)
            found.pop("tok")
            self.assertEqual(found, wanted)
            await party.wait(lambda party=party: party.money.credits["free"] == party.purse.free,
                             "the last change of its credits")

            def in_ledger(party=party):
                held = self.ledger_balances(party.account)
                return {name: held.get(name, 0) for name in ("free", "locked", "escrow")}
            if in_ledger() != wanted:  # settlement reads what the engine has decided already
                market.wait_until(lambda: in_ledger() == wanted, f"{wanted} in the ledger")

    async def until_state(self, lease, state):
        await lease.owner.wait(
            lambda: lease.owner.leases.data(lease_id=lease.id, state=state),
            f"{state} of lease {lease.id}", SETTLE_DEADLINE_S)

    def record(self, lease):
        row, = self.market.query(f"SELECT * FROM lease_records WHERE id = {lease.id}")
        return row

    async def check_settled(self, lease, delivered_minutes):
        """The lease's row says what the oracle says; what the provider got for it, in uTOK."""
        lot = lease.lot
        paid_in = lock(lot.last.price, lot.gpus, lot.minutes, lot.last.tier) + lot.losses
        expected, gains = lot.settle(delivered_minutes, TOKEN_PRICE_MICROS)
        self.assertEqual(expected.consumed + expected.burned + expected.refunded + gains, paid_in)
        await self.until_state(lease, "settled")
        market.wait_until(lambda: self.record(lease)["state"] == "settled", "the settled row")
        row = self.record(lease)
        wanted = {
            **{name: getattr(expected, name)
               for name in ("verified", "consumed", "burned", "refunded", "owed")},
            **{f"{name}_utok": getattr(expected, name)
               for name in ("gross", "provider", "fee", "retire")},
            "price": lot.last.price, "provider_price": lot.sales[0].price, "gpus": lot.gpus,
            "notional": notional(lot.last.price, lot.gpus, lot.minutes), "losses": lot.losses,
            "gains": gains, "settled_minutes": delivered_minutes}
        self.assertEqual({name: int(row[name]) for name in wanted}, wanted)
        legs = self.market.query(
            f"SELECT difference FROM lease_legs WHERE lease_id = {lease.id} ORDER BY leg")
        self.assertEqual([int(leg["difference"]) for leg in legs],
                         [difference for _, difference in lot.differences])
        return expected.provider

    async def test_what_cannot_be_resold_is_refused_with_its_reason(self):
        provider = await self.party(await self.provider())
        trader, other, third = await self.parties(3)
        window, later = [await self.window_after(minutes) for minutes in (LEAD_MINUTES,
                                                                         LEAD_MINUTES + 60)]
        lease = await self.sell(provider, trader, window, "2.50", 4)

        def resale(gpus=1, lease_id=lease.id, symbol=window["symbol"], **more):
            return {"symbol": symbol, "side": "sell", "order_type": "limit", "price": "2.60",
                    "gpus": gpus, "lease": lease_id, **more}

        async def refuses(code, param, client, **params):
            error = await self.refuses(code, client, "order.place", **params)
            self.assertEqual(error["data"]["param"], param)
            return error["data"]["reason"]

        await refuses("unknown_lease", "lease", trader, **resale(lease_id="999999999"))
        for stranger in (other, provider):
            await refuses("unknown_lease", "lease", stranger, **resale())
        await refuses("lease_not_resalable", "lease", trader, **resale(symbol=later["symbol"]))
        await refuses("ask_needs_node_or_lease", "node", provider, **resale(node=provider.node))
        await refuses("field_not_for_side", "lease", trader, **{**resale(), "side": "buy"})
        self.assertEqual(
            await refuses("insufficient_lease_gpus", "gpus", trader, **resale(gpus=5)), "4")
        # An open ask takes its GPUs from the others.
        resting = await self.place(trader, window["symbol"], "sell", "2.90", 3, lease=lease.id)
        self.assertEqual(
            await refuses("insufficient_lease_gpus", "gpus", trader, **resale(gpus=2)), "1")
        self.assertEqual((await self.balances(trader))["escrow"], trader.purse.escrow)
        await self.never_ends(lease, [other, third], window, refuses, resale)

        # The end of resale: what rests expires, and what comes then is refused.
        await trader.wait(
            lambda: trader.executions.data(event="cancelled", order_id=resting),
            "the end of resale", 60)
        gone, = trader.executions.data(event="cancelled", order_id=resting)
        self.assertEqual((gone["reason"], gone["remaining"]), ("expired", 3))
        resale_end = window["window_start"] - NOTICE_MINUTES * MINUTE_US
        self.assertGreaterEqual(await self.operator.market_time(), resale_end)
        self.assertEqual(
            await refuses("lease_not_resalable", "lease", trader, **resale()), str(resale_end))
        await self.until_market_time(window["gate"])
        await refuses("instrument_gate_closed", "symbol", trader, **resale())

    async def never_ends(self, lease, others, window, refuses, resale):
        """One GPU goes from hand to hand, each time at another price, until the chain is too long."""
        for number in range(RESALES_MAX):
            lease = await self.resell(lease, others[number % 2], window, f"2.{60 + 5 * number}", 1)
        self.assertEqual(
            await refuses("resale_chain_too_long", "lease", lease.owner,
                          **resale(lease_id=lease.id)), str(RESALES_MAX))


if __name__ == "__main__":
    market.main()
