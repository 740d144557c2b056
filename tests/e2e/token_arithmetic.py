"""Money, as the design writes it (1-market, Money; 2-tokens, Money flow), in Python's own integers.

Written from the design alone: it is the oracle for what the exchange computes. Credits are 1/60
micro-USD, prices micro-USD, TOK micro-TOK.
"""

import math
from dataclasses import dataclass

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


def settle(price, gpus, minutes, delivered_minutes, tier, p_high, vault=None):
    """What becomes of a lease; `vault` is what there is to pay from, None: enough."""
    whole = notional(price, gpus, minutes)
    extra = surcharge(whole, tier)
    verified = price * gpus * delivered_minutes * 10_000 // 10_000
    burned = ceil_div(extra * verified, whole)
    gross = verified * 10**6 // (60 * p_high)
    retire = ceil_div(5 * gross, 100)
    full_fee = 2 * gross // 100
    due = gross - retire
    vault = gross if vault is None else vault
    paid = min(due, vault)
    owed = ceil_div(verified * (due - paid), due) if due else 0
    fee = full_fee * paid // due if due else 0
    return Settled(verified=verified, consumed=verified - owed, burned=burned,
                   refunded=whole + extra - verified - burned, owed=owed, gross=gross,
                   provider=paid - fee, fee=fee,
                   retire=min(vault - paid, ceil_div(retire * paid, due)) if due else 0)


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
