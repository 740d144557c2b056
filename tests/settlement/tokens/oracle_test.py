#!/usr/bin/python3
"""The token rules against a second reading of the design (2-tokens), in Python's own integers
and fractions: it shares nothing with the product but the words.

    oracle_test.py FIGURES  (the program of figures.cc)
"""

import random
import subprocess
import sys
from fractions import Fraction
from math import ceil, floor, isqrt

FIGURES = sys.argv[1]
UTOK = 10**6
CREDITS = 60  # of a micro-USD
SETTLEMENTS = 40_000
QUEUES = 4_000
BONUSES = 2_000
COVERAGES = 20_000
DAYS = 365
PRICE_PATHS = 300
TOP_UPS = 20_000
INDICES = 2_000
EMISSIONS = 1_000
MINUTES = 60 * 10**6  # in microseconds
DOLLARS_MAX = 1_000 * 10**6  # the highest price of a TOK


def median_of(feeds, now):
    """Of (price, time); None where fewer than three are fresh and near."""
    def middle(prices):
        ordered, half = sorted(prices), len(prices) // 2
        if len(ordered) % 2:
            return ordered[half]
        return (ordered[half - 1] + ordered[half]) // 2
    fresh = [price for price, time in feeds
             if 0 < price <= DOLLARS_MAX and now - time <= 10 * MINUTES]
    if len(fresh) < 3:
        return None
    centre = middle(fresh)
    near = [price for price in fresh if Fraction(abs(price - centre), centre) <= Fraction(150, 10_000)]
    return middle(near) if len(near) >= 3 else None


class Prices:
    def __init__(self):
        self.mean, self.variance, self.feeds = None, 0, []

    def take(self, feeds, now):
        self.feeds = [(price, min(time, now)) for price, time in feeds]
        median = median_of(self.feeds, now)
        if median is None:
            return
        if self.mean is None:
            self.mean = median
            return
        distance = median - self.mean
        self.mean += floor(Fraction(distance, 64))
        self.variance += floor(Fraction(distance * distance - self.variance, 64))

    def quote(self, now):
        """median, P_low, P_high."""
        median = median_of(self.feeds, now)
        if median is None or self.mean is None:
            return None
        sigma = isqrt(self.variance)
        if sigma * sigma < self.variance:
            sigma += 1
        return median, min(median, self.mean - 2 * sigma), max(median, self.mean)


def top_up(burn, low):
    credits = floor(Fraction(burn * low * CREDITS * (10_000 - 25), UTOK * 10_000))
    return credits if credits < 2**63 else None


def daily(left):
    return left * 155 // 1_000_000


def bound(left, days):
    now = left
    for _ in range(days):
        if daily(now) == 0:
            break
        now -= daily(now)
    return left - now


def index(reference, work):
    """Of (owner, price, notional)."""
    owners = {}
    for owner, price, notional in work:
        if notional:
            owners.setdefault(owner, []).append((price, notional))
    if len(owners) < 10:
        return reference
    everything = sum(notional for _, _, notional in work)
    weighted = []
    for lots in owners.values():
        own = sum(notional for _, notional in lots)
        mean = sum(price * notional for price, notional in lots) // own
        weighted.append((min(own, everything // 10), mean))
    return sum(weight * mean for weight, mean in weighted) // sum(weight for weight, _ in weighted)


def settle(notional, surcharge, verified, high, vault, emission, emission_first):
    """verified, consumed, burned, refunded, owed, gross, what counts of it for the bonus, provider,
    fee, retire, emitted."""
    if verified == 0:
        return (0, 0, 0, notional + surcharge) + 7 * (0,)
    gross = floor(Fraction(verified * UTOK, CREDITS * high))
    if gross > 10**15:
        return None
    burned = ceil(Fraction(surcharge * verified, notional))
    refunded = notional + surcharge - verified - burned
    retire_due = ceil(Fraction(5 * gross, 100))
    fee_due = floor(Fraction(2 * gross, 100))
    due = gross - retire_due
    if due == 0:
        return (verified, verified, burned, refunded, 0, gross, gross, 0, 0,
                min(vault, retire_due), 0)
    missing, paid = due, {"vault": 0, "emission": 0}
    left = {"vault": vault, "emission": emission}
    for source in ("emission", "vault") if emission_first else ("vault", "emission"):
        paid[source] = min(left[source], missing)
        missing -= paid[source]
    fee = floor(Fraction(fee_due * (due - missing), due))
    owed = ceil(Fraction(verified * missing, due))
    retire = min(vault - paid["vault"], ceil(Fraction(retire_due * paid["vault"], due)))
    counts = floor(Fraction(gross * (verified - owed), verified))
    return (verified, verified - owed, burned, refunded, owed, gross, counts, due - missing - fee,
            fee, retire, paid["emission"])


def deferred(high, vault, emission, emission_first, queue):
    """[(number, settlement)], and what is left of vault and emission."""
    paid = []
    for number, owed in enumerate(queue, 1):
        settled = settle(owed, 0, owed, high, vault, emission, emission_first)
        if settled is None or settled[4] == owed:
            break
        _, _, _, _, left, _, _, provider, fee, retire, emitted = settled
        vault -= provider + fee - emitted + retire
        emission -= emitted
        paid.append((number, settled))
        if left:
            break
    return paid, vault, emission


def bonus(budget, grosses):
    everybody = sum(grosses)
    return [floor(min(Fraction(budget * gross, everybody), Fraction(budget, 10),
                      Fraction(4 * gross, 100))) if gross else 0 for gross in grosses]


def coverage(vault, median, debt):
    if debt == 0:
        return 10_000
    return min(2**63 - 1, floor(Fraction(vault * median * CREDITS * 10_000, UTOK * debt)))


def surplus(vault, median, debt):
    if debt == 0:
        return 0
    kept = ceil(Fraction(15_000 * UTOK * debt, median * CREDITS * 10_000))
    return max(0, (vault - kept) // 2)


def state(before, bps):
    stressed = bps < (9_300 if before == 2 else 9_000)
    return 2 if stressed else 1 if bps < 9_500 else 0


class Asked:
    """Questions with what is expected of them, to be asked all at once."""

    def __init__(self):
        self.questions, self.expected = [], []

    def ask(self, expected, *question):
        self.questions.append(" ".join(map(str, question)))
        self.expected.append(expected)

    def check(self):
        answers = subprocess.run([FIGURES], input="\n".join(self.questions) + "\n", text=True,
                                 stdout=subprocess.PIPE, check=True).stdout.splitlines()
        assert len(answers) == len(self.questions)
        for question, expected, answer in zip(self.questions, self.expected, answers):
            assert answer.strip() == expected, f"{question}\n  expected {expected}\n  got {answer}"
        return len(answers)


def text(numbers):
    return "none" if numbers is None else " ".join(map(str, numbers))


def any_up_to(most):
    """Of any magnitude."""
    return random.randrange(most + 1) >> random.randrange(most.bit_length() or 1)


def funds_near(due):
    """Vault, emission and which is first: often just about enough."""
    def amount():
        return random.choice((0, any_up_to(10**15), any_up_to(2 * due + 2), due, max(0, due - 1)))
    return amount(), min(amount(), 46_500_000_000), random.randrange(2)


def ask_prices(asked):
    for _ in range(PRICE_PATHS):
        prices, now = Prices(), 1_800_000_000_000_000
        price = random.choice((1, DOLLARS_MAX, 1 + any_up_to(DOLLARS_MAX - 1)))
        question, answers = [], []
        for _ in range(random.randrange(1, 60)):
            now += random.choice((0, any_up_to(20 * MINUTES)))
            if random.randrange(3):
                price = random.choice((price, price * random.randrange(90, 112) // 100,
                                       1 + any_up_to(DOLLARS_MAX)))
            price = min(max(price, 1), DOLLARS_MAX)
            edge = price * 150 // 10_000
            later = random.choice((0, 0, 10 * MINUTES, any_up_to(12 * MINUTES)))
            feeds = [(random.choice((price, price, price + random.randrange(-3, 4),
                                     price + edge, price + edge + 1, price - edge,
                                     price - edge - 1, 0, any_up_to(2 * DOLLARS_MAX))),
                      now + random.choice((0, 0, 0, -10 * MINUTES, -10 * MINUTES - 1,
                                           random.randrange(-11, 3) * MINUTES)))
                     for _ in range(5)]
            prices.take(feeds, now)
            quote = prices.quote(now + later)
            question += [now, later] + [number for feed in feeds for number in feed]
            answers.append(text(quote))
        asked.ask("".join(f"{answer} ; " for answer in answers).strip(), "prices", *question)


def ask_top_ups(asked):
    for _ in range(TOP_UPS):
        burn, low = any_up_to(10**15), 1 + any_up_to(DOLLARS_MAX - 1)
        credits = top_up(burn, low)
        asked.ask("none" if credits is None else str(credits), "topup", burn, low)


def ask_pools(asked):
    for days in (0, 1, 2, 3, 364, 365, 3_650, 200_000):
        for _ in range(3):
            left = random.choice((600_000_000 * UTOK, any_up_to(600_000_000 * UTOK), 6_451, 6_452))
            asked.ask(f"{daily(left)} {bound(left, days)}", "pool", left, days)


def ask_emissions(asked):
    for _ in range(EMISSIONS):
        budget = any_up_to(93_000_000_000)
        spent = random.choice((0, budget, budget // 2, any_up_to(budget)))
        asked.ask(f"{max(0, budget // 2 - spent)} {budget - spent}", "emission", budget, spent)


def ask_indices(asked):
    for _ in range(INDICES):
        owners, most = random.randrange(7, 16), random.choice((10, 10**4, 10**15))
        work = [(1 + random.randrange(owners) if number >= owners else 1 + number,
                 1 + any_up_to(10**10), random.choice((0, 1, any_up_to(most), any_up_to(most))))
                for number in range(owners + random.randrange(20))]
        reference = 1 + any_up_to(10**7)
        asked.ask(str(index(reference, work)), "index", reference,
                  *(number for lot in work for number in lot))


def ask_settlements(asked):
    for _ in range(SETTLEMENTS):
        notional = 1 + any_up_to(1_440_000_000_000_000)
        surcharge = any_up_to(notional // 200)
        verified = random.choice((notional, any_up_to(notional)))
        high = 1 + any_up_to(10**9)
        funds = funds_near(verified * UTOK // (CREDITS * high))
        question = (notional, surcharge, verified, high, *funds)
        asked.ask(text(settle(*question)), "settle", *question)


def ask_queues(asked):
    for _ in range(QUEUES):
        high = 1 + any_up_to(10**8)
        queue = [1 + any_up_to(10**12) for _ in range(random.randrange(12))]
        vault, emission, first = funds_near(sum(queue) * UTOK // (CREDITS * high))
        vault = min(vault, 10**15)
        paid, vault_left, emission_left = deferred(high, vault, emission, first, queue)
        answer = "".join(f"{number} {text(settled)} ; " for number, settled in paid)
        asked.ask(f"{answer}{vault_left} {emission_left}", "deferred", high, vault, emission, first,
                  *queue)


def ask_queues_short_of_a_unit(asked):
    """A price at which a credit is worth about one uTOK: what is paid in part may lack one credit,
    and behind it waits work too small to be paid for at all."""
    for _ in range(QUEUES):
        high = random.randrange(15_000, 18_000)
        queue = [random.choice((1, 2, 1 + any_up_to(10**4))) for _ in range(random.randrange(1, 8))]
        dues = [settle(owed, 0, owed, high, 10**15, 0, 0) for owed in queue]
        due = sum(settled[7] + settled[8] for settled in dues[:random.randrange(1, len(dues) + 1)])
        vault, emission = max(0, due - random.randrange(3)), 0
        if random.randrange(2):
            vault, emission = emission, vault
        first = random.randrange(2)
        paid, vault_left, emission_left = deferred(high, vault, emission, first, queue)
        answer = "".join(f"{number} {text(settled)} ; " for number, settled in paid)
        asked.ask(f"{answer}{vault_left} {emission_left}", "deferred", high, vault, emission, first,
                  *queue)


def ask_bonuses(asked):
    for _ in range(BONUSES):
        most = random.choice((100, 10**5, 10**13))
        grosses = [any_up_to(most) for _ in range(random.randrange(40))]
        budget = random.choice((any_up_to(93_000_000_000), sum(grosses) // random.randrange(20, 99)))
        asked.ask(text(bonus(budget, grosses)), "bonus", budget, *grosses)


def ask_coverages(asked):
    before = 0
    for _ in range(COVERAGES):
        vault, median = any_up_to(10**15), 1 + any_up_to(10**9)
        worth = vault * median * CREDITS // UTOK
        debt = min(2**63 - 1, random.choice((any_up_to(2**62), worth, worth * 10 // 9, worth * 2 // 3,
                                             worth * 100 // 94, 0)))
        bps = coverage(vault, median, debt)
        asked.ask(f"{bps} {surplus(vault, median, debt)}", "coverage", vault, median, debt)
        bps = random.choice((bps, random.randrange(8_900, 9_600)))
        after = state(before, bps)
        asked.ask(str(after), "state", before, bps)
        before = after


def ask_a_year(asked):
    """A year of days with too little in the vault: queue, emission and bonus as they go on. What is
    paid, owed and minted adds up on every day."""
    pool, vault, queue, before = 600_000_000 * UTOK, 10**12, [], 0
    promised = paid_for = minted = 0
    for day in range(DAYS):
        budget = pool * 155 // 1_000_000
        spent = 0
        high = 1_000_000 + (day * 7_919) % 2_000_000
        debt = 10**14 + sum(owed for owed, _ in queue)
        before_today = before
        before = state(before, coverage(vault, high, debt))
        asked.ask(str(before), "state", before_today, coverage(vault, high, debt))
        first = int(before == 2)
        vault += any_up_to(10**11)  # burned by buyers
        left = max(0, budget // 2 - spent)
        asked.ask(f"{left} {budget - spent}", "emission", budget, spent)
        owing = [owed for owed, _ in queue]
        outcome, vault_left, emission_left = deferred(high, vault, left, first, owing)
        answer = "".join(f"{number} {text(settled)} ; " for number, settled in outcome)
        asked.ask(f"{answer}{vault_left} {emission_left}", "deferred", high, vault, left, first,
                  *owing)
        work = {}
        for number, settled in outcome:
            _, owner = queue[number - 1]
            paid_for += settled[1]
            work[owner] = work.get(owner, 0) + settled[6]
        ended = sum(1 for _, settled in outcome if settled[4] == 0)
        if len(outcome) > ended:
            queue[ended] = (outcome[-1][1][4], queue[ended][1])
        queue = queue[ended:]
        spent += left - emission_left
        vault = vault_left
        for _ in range(random.randrange(1, 6)):
            notional, owner = 1 + any_up_to(4 * 10**12), random.randrange(8)
            left = max(0, budget // 2 - spent)
            question = (notional, notional // 200, notional, high, vault, left, first)
            settled = settle(*question)
            asked.ask(text(settled), "settle", *question)
            _, consumed, _, _, owed, gross, counts, provider, fee, retire, emitted = settled
            vault -= provider + fee - emitted + retire
            spent += emitted
            promised += notional
            paid_for += consumed
            assert counts <= gross
            work[owner] = work.get(owner, 0) + counts
            if owed:
                queue.append((owed, owner))
        grosses = list(work.values())
        bonuses = bonus(budget - spent, grosses)
        asked.ask(text(bonuses), "bonus", budget - spent, *grosses)
        for given, gross in zip(bonuses, grosses):
            assert 100 * given <= 4 * gross
        minted += spent + sum(bonuses)
        assert spent + sum(bonuses) <= budget and spent <= budget // 2
        pool -= spent + sum(bonuses)
        assert promised == paid_for + sum(owed for owed, _ in queue)
        assert vault >= 0 and pool + minted == 600_000_000 * UTOK


def main():
    random.seed(20261127)
    asked = Asked()
    ask_prices(asked)
    ask_top_ups(asked)
    ask_pools(asked)
    ask_emissions(asked)
    ask_settlements(asked)
    ask_queues(asked)
    ask_queues_short_of_a_unit(asked)
    ask_bonuses(asked)
    ask_coverages(asked)
    ask_indices(asked)
    ask_a_year(asked)
    print(f"{asked.check()} figures agree")


if __name__ == "__main__":
    main()
