"""Money, as the design writes it (1-market, Money; 2-tokens, Money flow), in Python's own integers.

Written from the design alone: it is the oracle for what the exchange computes. Credits are 1/60
micro-USD, prices micro-USD, TOK micro-TOK.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

CREDITS_PER_USD = 60_000_000
SURCHARGE_PER_MILLE = {"premium": 5, "standard": 1, "economy": 0}


def ceil_div(numerator, denominator):
    return -(-numerator // denominator)


def notional(price, gpus, minutes):
    """Exact: price x GPUs x minutes."""
    return price * gpus * minutes


def surcharge(of_notional, tier):
    """Exact: a price is a multiple of 1,000 micro-USD and a rate one of 0.1%."""
    product = of_notional * SURCHARGE_PER_MILLE[tier]
    assert product % 1000 == 0
    return product // 1000


def lock(price, gpus, minutes, tier):
    """What a bid of which `gpus` are left has locked."""
    value = notional(price, gpus, minutes)
    return value + surcharge(value, tier)


def top_up_credits(burned, p_low):
    return burned * p_low * 60 * (10_000 - 25) // (10**6 * 10**4)


@dataclass
class Settled:
    """What becomes of a lease: credits, then uTOK."""
    verified: int
    consumed: int
    burned: int
    refunded: int
    owed: int
    gross: int
    provider: int
    fee: int
    retire: int
    emitted: int = 0  # of provider and fee


def settle(price, gpus, minutes, delivered_minutes, tier, p_high, vault=None, emission=0):
    """What becomes of a lease; `vault` is what there is to pay from, None: enough; `emission` what
    is minted before that, as under stress."""
    whole = notional(price, gpus, minutes)
    extra = surcharge(whole, tier)
    verified = price * gpus * delivered_minutes * 10_000 // 10_000
    burned = ceil_div(extra * verified, whole)
    gross = verified * 10**6 // (60 * p_high)
    retire = ceil_div(5 * gross, 100)
    full_fee = 2 * gross // 100
    due = gross - retire
    vault = gross if vault is None else vault
    emitted = min(due, emission)
    from_vault = min(due - emitted, vault)
    paid = emitted + from_vault
    owed = ceil_div(verified * (due - paid), due) if due else 0
    fee = full_fee * paid // due if due else 0
    return Settled(verified=verified, consumed=verified - owed, burned=burned,
                   refunded=whole + extra - verified - burned, owed=owed, gross=gross,
                   provider=paid - fee, fee=fee,
                   retire=min(vault - from_vault, ceil_div(retire * from_vault, due)) if due else 0,
                   emitted=emitted)


@dataclass
class Purse:
    """A member's credits, as its lots move them."""
    free: int
    escrow: int = 0


@dataclass
class Sale:
    """Who bought a lot, at which price, in which tier."""
    buyer: Purse
    price: int
    tier: str


class Lot:
    """GPUs of one lease: sold by their provider and then perhaps resold, the last buyer being the one
    whom they are delivered to (1-market, Sides; engine/core/README.md on the trader's surcharge)."""

    def __init__(self, gpus, minutes, sales):
        self.gpus, self.minutes, self.sales = gpus, minutes, sales
        self.last = sales[-1]
        paid = lock(self.last.price, gpus, minutes, self.last.tier)
        self.last.buyer.free -= paid
        self.last.buyer.escrow += paid

    def resell(self, buyer, price, gpus, tier):
        """The new buyer's lot. Of what the trader had paid, the smaller price comes back to it, a loss
        stays in escrow, the surcharge is burned."""
        made = Lot(gpus, self.minutes, [*self.sales, Sale(buyer, price, tier)])
        trader, bought_at = self.last.buyer, self.last.price
        loss = notional(max(bought_at - price, 0), gpus, self.minutes)
        trader.escrow -= lock(bought_at, gpus, self.minutes, self.last.tier) - loss
        trader.free += notional(min(bought_at, price), gpus, self.minutes)
        self.gpus -= gpus
        return made

    @property
    def differences(self):
        """[(trader, gain or, below 0, loss per GPU-hour)] of its resales, oldest first."""
        return [(before.buyer, after.price - before.price)
                for before, after in pairwise(self.sales)]

    @property
    def losses(self):
        """What its traders have left in escrow."""
        return sum(notional(max(-difference, 0), self.gpus, self.minutes)
                   for _, difference in self.differences)

    def settle(self, delivered_minutes, p_high):
        """(Settled, gains): the provider is paid by its own price, the buyer pays by its own, traders
        get their gains and pay their losses in the same proportion; the rest goes back to whoever
        paid it."""
        buyer, price, tier = self.last.buyer, self.last.price, self.last.tier
        refunds = []
        paid_in = lock(price, self.gpus, self.minutes, tier)
        burned = ceil_div(surcharge(notional(price, self.gpus, self.minutes), tier)
                          * delivered_minutes, self.minutes)
        refunds.append(paid_in - notional(price, self.gpus, delivered_minutes) - burned)
        buyer.escrow -= paid_in
        buyer.free += refunds[-1]
        gains = 0
        for trader, difference in self.differences:
            if difference > 0:
                gain = notional(difference, self.gpus, delivered_minutes)
                trader.free += gain
                gains += gain
            else:
                refunds.append(notional(-difference, self.gpus, self.minutes - delivered_minutes))
                trader.escrow -= notional(-difference, self.gpus, self.minutes)
                trader.free += refunds[-1]
        settled = settle(self.sales[0].price, self.gpus, self.minutes, delivered_minutes, "economy",
                         p_high)
        return replace(settled, burned=burned, refunded=sum(refunds)), gains


class PricePath:
    """The price of TOK after a series of price.set commands, all feeds fresh."""

    def __init__(self):
        self.median = self.mean = None
        self.variance = 0

    def set(self, feeds):
        ordered = sorted(feeds)
        middle = ordered[len(ordered) // 2]
        near = [p for p in ordered if abs(p - middle) * 10_000 <= 150 * middle]
        half = len(near) // 2
        self.median = near[half] if len(near) % 2 else (near[half - 1] + near[half]) // 2
        if self.mean is None:
            self.mean = self.median
            return
        d = self.median - self.mean
        self.mean += d // 64
        self.variance += (d * d - self.variance) // 64

    @property
    def low(self):
        root = math.isqrt(self.variance)
        sigma = root + (root * root < self.variance)
        return min(self.median, self.mean - 2 * sigma)

    @property
    def high(self):
        return max(self.median, self.mean)
