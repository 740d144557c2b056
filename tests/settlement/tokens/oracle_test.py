#!/usr/bin/python3
"""The token rules against a second reading of the design (2-tokens, Money flow 4 to 7), in Python's
own integers and fractions: it shares nothing with the product but the words.

    oracle_test.py FIGURES  (the program of figures.cc)
"""

import random
import subprocess
import sys
from fractions import Fraction
from math import ceil, floor

FIGURES = sys.argv[1]
UTOK = 10**6
CREDITS = 60  # of a micro-USD
SETTLEMENTS = 40_000
QUEUES = 4_000
BONUSES = 2_000
COVERAGES = 20_000
DAYS = 365


def settle(notional, surcharge, verified, high, vault, emission, emission_first):
    """consumed, burned, refunded, owed, gross, provider, fee, retire, emitted."""
    gross = floor(Fraction(verified * UTOK, CREDITS * high))
    if gross > 10**15:
        return None
    burned = ceil(Fraction(surcharge * verified, notional))
    refunded = notional + surcharge - verified - burned
    retire_due = ceil(Fraction(5 * gross, 100))
    fee_due = floor(Fraction(2 * gross, 100))
    due = gross - retire_due
    if due == 0:
        return (verified, burned, refunded, 0, gross, 0, 0, min(vault, retire_due), 0)
    missing, paid = due, {"vault": 0, "emission": 0}
    left = {"vault": vault, "emission": emission}
    for source in ("emission", "vault") if emission_first else ("vault", "emission"):
        paid[source] = min(left[source], missing)
        missing -= paid[source]
    fee = floor(Fraction(fee_due * (due - missing), due))
    owed = ceil(Fraction(verified * missing, due))
    retire = min(vault - paid["vault"], ceil(Fraction(retire_due * paid["vault"], due)))
    return (verified - owed, burned, refunded, owed, gross, due - missing - fee, fee, retire,
            paid["emission"])


def deferred(high, vault, emission, emission_first, queue):
    """[(number, settlement)], and what is left of vault and emission."""
    paid = []
    for number, owed in enumerate(queue, 1):
        settled = settle(owed, 0, owed, high, vault, emission, emission_first)
        if settled is None or settled[3] == owed:
            break
        _, _, _, left, _, provider, fee, retire, emitted = settled
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


def ask_settlements(asked):
    for _ in range(SETTLEMENTS):
        notional = 1 + any_up_to(1_440_000_000_000_000)
        surcharge = any_up_to(notional // 200)
        verified = random.choice((notional, 1 + any_up_to(notional - 1)))
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


def ask_bonuses(asked):
    for _ in range(BONUSES):
        budget = any_up_to(93_000_000_000)
        grosses = [any_up_to(10**13) for _ in range(random.randrange(40))]
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
        debt = 10**14 + sum(queue)
        before_today = before
        before = state(before, coverage(vault, high, debt))
        asked.ask(str(before), "state", before_today, coverage(vault, high, debt))
        first = int(before == 2)
        vault += any_up_to(10**11)  # burned by buyers
        left = max(0, budget // 2 - spent)
        asked.ask(f"{left} {budget - spent}", "emission", budget, spent)
        outcome, vault_left, emission_left = deferred(high, vault, left, first, queue)
        answer = "".join(f"{number} {text(settled)} ; " for number, settled in outcome)
        asked.ask(f"{answer}{vault_left} {emission_left}", "deferred", high, vault, left, first,
                  *queue)
        for number, settled in outcome:
            paid_for += queue[number - 1] - settled[3]
        ended = sum(1 for _, settled in outcome if settled[3] == 0)
        if len(outcome) > ended:
            queue[ended] = outcome[-1][1][3]
        queue = queue[ended:]
        spent += left - emission_left
        vault = vault_left
        work = []
        for _ in range(random.randrange(1, 6)):
            notional = 1 + any_up_to(4 * 10**12)
            left = max(0, budget // 2 - spent)
            question = (notional, notional // 200, notional, high, vault, left, first)
            settled = settle(*question)
            asked.ask(text(settled), "settle", *question)
            _, _, _, owed, gross, provider, fee, retire, emitted = settled
            vault -= provider + fee - emitted + retire
            spent += emitted
            promised += notional
            paid_for += notional - owed
            work.append(gross)
            if owed:
                queue.append(owed)
        bonuses = bonus(budget - spent, work)
        asked.ask(text(bonuses), "bonus", budget - spent, *work)
        for given, gross in zip(bonuses, work):
            assert 100 * given <= 4 * gross
        minted += spent + sum(bonuses)
        assert spent + sum(bonuses) <= budget and spent <= budget // 2
        pool -= spent + sum(bonuses)
        assert promised == paid_for + sum(queue)
        assert vault >= 0 and pool + minted == 600_000_000 * UTOK


def main():
    random.seed(20261127)
    asked = Asked()
    ask_settlements(asked)
    ask_queues(asked)
    ask_bonuses(asked)
    ask_coverages(asked)
    ask_a_year(asked)
    print(f"{asked.check()} figures agree")


if __name__ == "__main__":
    main()
