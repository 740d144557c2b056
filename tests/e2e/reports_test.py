#!/usr/bin/python3
"""What people read of the ledger: supply, disclosures, statements and leases, over HTTP and by the
command, against sums that are made from the transfers here."""

import asyncio
import csv
import io
import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import market
from api_documents_test import Http
from market import run, wait_until, warpbook_binary
from market_test_case import ShortWindowsTestCase
from settlement_test import Deal

WHERE = {"hardware_class": "QUICK", "region": "here"}
ALL_TIME = ("--from", "2000-01-01", "--to", "2199-12-31")
HOLDINGS = {"tokens": 8, "free": 9, "locked": 10, "escrow": 11, "owed": 12}
MICROS = 10**6


def utc(micros):
    return datetime.fromtimestamp(micros // MICROS, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros_of(text):
    """A decimal with at most six digits behind the point, as a whole number of millionths."""
    sign = -1 if text.startswith("-") else 1
    whole, _, rest = text.lstrip("-").partition(".")
    return sign * (int(whole) * MICROS + int((rest + "000000")[:6]))


class ReportsTest(ShortWindowsTestCase):
    """One lease from its order to its end."""

    # -- Asking

    def command(self, *words, asks_gateway=False):
        """What `warpbook` prints."""
        where = (("--connect", self.market.address) if asks_gateway else
                 ("--settlement", self.market.reports_address))
        done = run([warpbook_binary(), *words, *where])
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def result(self, *words, **options):
        answer = json.loads(self.command(*words, "--json", **options))
        self.assertTrue(answer["success"])
        return answer["result"]

    def get(self, target):
        """(status, body) of settlement's own HTTP."""
        url = f"http://{self.market.reports_address}{target}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def sums(self, account, condition="true"):
        """{holding: sum} of an account's transfers, from the table itself."""
        found = {}
        for name, slot in HOLDINGS.items():
            number = account * 16 + slot
            row, = self.market.query(
                f"SELECT coalesce(sum(CASE WHEN credit_account = {number} THEN amount ELSE -amount END), 0)"
                f" AS sum FROM transfers WHERE {number} IN (debit_account, credit_account) AND {condition}")
            found[name] = int(row["sum"])
        return found

    @staticmethod
    def holdings(report):
        return {name: int(report[name + "_utok" if name == "tokens" else name]) for name in HOLDINGS}

    # -- The market

    async def trade(self):
        """Top-ups, an order that is withdrawn, one that is filled; the lease, and who took part."""
        deal = await Deal.prepare(self, "2.45", 2, burn="20", tier="premium", **WHERE)
        window = await self.window_after(4, **WHERE)
        order = await self.bid(deal.buyer, window["symbol"], "0.55", 3)
        await deal.buyer.call("order.cancel", order_id=order)
        await deal.trade(window["symbol"])
        await deal.begin()
        await deal.deliver(range(deal.minutes - 1))  # all minutes but one
        await deal.until("delivered")
        await deal.buyer.call("lease.complete", lease=deal.lease)
        await deal.until("settled")
        wait_until(lambda: deal.record()["state"] == "settled", "the settled row")
        await self.operator.call("token.withdraw", account=str(deal.provider.account),
                                 amount="0.05", reference='out,"quoted"')
        return deal

    async def test_everything_adds_up(self):
        deal = await self.trade()
        buyer, provider = deal.buyer.account, deal.provider.account
        await asyncio.to_thread(self.statements_add_up, deal, (buyer, provider))
        await asyncio.to_thread(self.the_lease_adds_up, deal)
        await asyncio.to_thread(self.the_supply_adds_up)
        await asyncio.to_thread(self.the_disclosures_are_true, deal)
        await asyncio.to_thread(self.what_is_wrong_is_refused)
        await asyncio.to_thread(self.settlement_may_be_away)
        # A process ends with the thread that started it, so this is the main thread's to do.
        self.market.settlement.start()
        await asyncio.to_thread(self.settlement_answers_again)

    def statements_add_up(self, deal, accounts):
        kinds = {}
        for account in accounts:
            report = self.result("statement", str(account), *ALL_TIME)
            self.assertEqual(self.holdings(report["opening"]), dict.fromkeys(HOLDINGS, 0))
            balances = self.sums(account)
            self.assertEqual(self.holdings(report["closing"]), balances)
            self.assertEqual(balances, {name: self.ledger_balances(account)[name] for name in HOLDINGS})
            running = dict.fromkeys(HOLDINGS, 0)
            for movement in report["movements"]:
                change = self.holdings(movement["change"])
                running = {name: running[name] + change[name] for name in HOLDINGS}
                self.assertEqual(self.holdings(movement["balances"]), running)
                kinds.setdefault(movement["kind"], []).append(movement)
            self.assertEqual(running, balances)
            self.csv_adds_up(account, balances)
            self.table_adds_up(account, balances)
        self.assertEqual({kind: len(found) for kind, found in kinds.items()},
                         {"deposit": 1, "top_up": 1, "orders": 1, "trade": 1, "settlement": 1,
                          "payment": 1, "withdrawal": 1})
        self.assertEqual(kinds["withdrawal"][0]["reference"], 'out,"quoted"')
        trade, settled = kinds["trade"][0], kinds["settlement"][0]
        self.assertEqual((trade["lease"], trade["counterparty"]), (deal.lease, str(deal.provider.account)))
        self.assertEqual(kinds["payment"][0]["counterparty"], str(deal.buyer.account))
        record = deal.record()
        self.assertEqual({part["to"]: part["amount"] for part in settled["parts"]},
                         {"consumed": record["consumed"], "burned": record["burned"],
                          "free": record["refunded"]})
        self.assertEqual(settled["time"], utc(int(record["settled_at_us"])))
        self.parts_of_a_time(deal.buyer.account, int(record["traded_at_us"]))

    def parts_of_a_time(self, account, traded_at):
        """A statement until before a second and one from it on are the whole, and the trade is in
        the later one."""
        middle = utc(traded_at)
        before = self.result("statement", str(account), "--from", "2000-01-01", "--to", middle)
        after = self.result("statement", str(account), "--from", middle, "--to", "2199-12-31")
        self.assertEqual(before["closing"], after["opening"])
        self.assertNotIn("trade", [movement["kind"] for movement in before["movements"]])
        self.assertIn("trade", [movement["kind"] for movement in after["movements"]])
        self.assertEqual(self.holdings(after["closing"]), self.sums(account))

    def csv_adds_up(self, account, balances):
        text = self.command("statement", str(account), *ALL_TIME, "--csv")
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([row["what"] for row in (rows[0], rows[-1])], ["opening", "closing"])
        for column in ("tok", "free_usd", "locked_usd", "escrow_usd", "owed_usd"):
            amounts = [micros_of(row[column]) for row in rows]
            self.assertEqual(sum(amounts[:-1]), amounts[-1], column)
        self.assertEqual(micros_of(rows[-1]["tok"]), balances["tokens"])
        for name in ("free", "locked", "escrow", "owed"):
            amounts = [int(row[name + "_credits"]) for row in rows]
            self.assertEqual(sum(amounts[:-1]), amounts[-1])
            self.assertEqual(amounts[-1], balances[name])
            self.assertEqual(micros_of(rows[-1][name + "_usd"]), balances[name] // 60)

    def table_adds_up(self, account, balances):
        """Every column of the table, by its own place, as a person adds it up."""
        lines = self.command("statement", str(account), *ALL_TIME).splitlines()
        self.assertTrue(lines[0].startswith(f"account {account} (owner "))
        ends = [lines[1].index(title) + len(title) for title in
                ("TOK", "free USD", "locked USD", "escrow USD", "owed USD")]
        begin = lines[1].index("what")
        closing = next(line for line in lines if "closing balance" in line)
        self.assertIs(closing, lines[-1])
        starts = [begin + max(len(line[begin:].split("  ")[0]) for line in lines)] + ends[:-1]
        for start, end, name in zip(starts, ends, HOLDINGS):
            cells = [line[start:end].strip().replace(",", "") for line in lines[2:]]
            amounts = [micros_of(cell.lstrip("+") or "0") for cell in cells]
            *parts, total, last = amounts
            self.assertEqual(sum(parts), last, (name, lines))
            self.assertEqual(sum(parts[1:]), total)
            self.assertEqual(last, balances[name] if name == "tokens" else balances[name] // 60)

    def the_lease_adds_up(self, deal):
        report = self.result("lease", deal.lease)
        record = deal.record()
        escrow = report["escrow"]
        self.assertIs(escrow["adds_up"], True)
        self.assertEqual(int(escrow["paid_in"]), int(record["notional"]) + int(record["surcharge"]))
        self.assertEqual(int(escrow["paid_in"]),
                         sum(int(escrow[part]) for part in ("consumed", "burned", "gains", "refunded", "owed")))
        for part in ("consumed", "burned", "refunded", "owed"):
            self.assertEqual(escrow[part], record[part])
        self.assertGreater(int(escrow["refunded"]), 0)
        self.assertEqual(report["delivered"], "1" * (deal.minutes - 1) + "0")
        self.assertEqual(report["settlement"]["provider_utok"], record["provider_utok"])
        self.assertEqual(report["life"]["settled_at"], utc(int(record["settled_at_us"])))
        count, = self.market.query(f"SELECT count(*) FROM transfers WHERE lease_id = {deal.lease}")
        self.assertEqual(len(report["transfers"]), int(count["count"]))
        text = self.command("lease", deal.lease)
        self.assertRegex(text.splitlines()[-1], r"^escrow [\d,]+ credits \([\d.]+ USD\) = consumed [\d,]+ \+ "
                         r"burned [\d,]+ \+ gains 0 \+ refunded [\d,]+ \+ owed 0: adds up$")

    def the_supply_adds_up(self):
        report = self.result("supply", asks_gateway=True)
        tokens = {name[:-5]: int(amount) for name, amount in report["tokens"].items() if name.endswith("_utok")}
        flows = {(row["from_holding"], row["to_holding"]): int(row["sum"]) for row in self.market.query(
            "SELECT from_holding, to_holding, sum(amount) FROM ledger WHERE asset = 'TOK' GROUP BY 1, 2")}
        balances = {row["holding"]: int(row["sum"]) for row in self.market.query(
            "SELECT holding, sum(balance) FROM balances WHERE asset = 'TOK' GROUP BY 1")}
        self.assertEqual(tokens["genesis"], flows["issuance", "outside"])
        self.assertEqual(tokens["burned"], flows["tokens", "vault"])
        self.assertEqual(tokens["reminted_provider"], flows["vault", "tokens"])
        self.assertEqual(tokens["reminted_fee"], flows["vault", "fee"])
        self.assertEqual(tokens["retired"], flows["vault", "issuance"])
        self.assertEqual(tokens["deposited"], flows["outside", "tokens"])
        self.assertEqual(tokens["withdrawn"], flows["tokens", "outside"])
        self.assertEqual(tokens["vault"], balances["vault"])
        self.assertEqual(tokens["supply"], -balances["issuance"] - balances["vault"])
        self.assertEqual(tokens["supply"], balances["outside"] + balances["tokens"] + balances["fee"])
        self.assertEqual(tokens["pool_left"], 600_000_000 * MICROS - tokens["emitted"])
        # Three days' emission, today's among them, each of what is left.
        today = datetime.strptime(report["market_time"][:10], "%Y-%m-%d")
        left = tokens["pool_left"]
        for _ in range(3):
            left -= left * 155 // MICROS
        date = (today + timedelta(days=2)).strftime("%Y-%m-%d")
        bound = self.result("supply", "--date", date)["bound"]
        self.assertEqual(bound["until_end_of"], date)
        self.assertEqual(int(bound["emission_at_most_utok"]), tokens["pool_left"] - left)
        self.assertEqual(int(bound["supply_at_most_utok"]),
                         -balances["issuance"] + tokens["pool_left"] - left)
        text = self.command("supply", asks_gateway=True)
        self.assertRegex(text, r"\n= circulating supply +[\d,.]+\n")
        self.assertRegex(text, r"\n1 TOK = 2.00 USD .* of [\d,.]+ USD of credits: sound\n$")

    def the_disclosures_are_true(self, deal):
        report = self.result("disclosures", asks_gateway=True)
        record = deal.record()
        work = report["delivered_work"]
        self.assertEqual(work["verified"], record["verified"])
        self.assertEqual((work["providers"], work["largest_ten_bps"], work["herfindahl_bps"]),
                         (1, 10_000, 10_000))
        self.assertEqual([(row["holding"], row["amount"]) for row in report["genesis"]],
                         [("outside", "400000000")])
        quick, = report["hardware_classes"]
        self.assertEqual(quick, {"hardware_class": "QUICK", "tdp_watts": 100, "electricity_floor": "0.015",
                                 "index_price": "2.50", "last_price": "2.45", "below_floor": False})
        self.assertRegex(self.command("disclosures"), r"\nQUICK +100 +0.015 +2.50 +2.45\n")
        documented = Http(self.market.port, self.market.admin_port)
        for path in ("/api/v1/supply", "/api/v1/disclosures"):
            self.assertEqual(documented.get(path)[0], 200)

    def what_is_wrong_is_refused(self):
        for target, status, code in (
                ("/", 404, "not_found"), ("/supply?date=x", 400, "bad_parameter"),
                ("/supply?date=1999-01-01", 400, "bad_parameter"), ("/supply?x=1", 400, "unknown_parameter"),
                ("/statement?account=1", 400, "bad_parameter"),
                ("/statement?account=1&from=2026-01-02&to=2026-01-01", 400, "bad_parameter"),
                ("/statement?account=999999&from=2026-01-01&to=2026-01-01", 404, "not_found"),
                ("/lease?id=%27%3B--", 400, "bad_parameter"), ("/lease?id=999999", 404, "not_found")):
            with self.subTest(target=target):
                found, body = self.get(target)
                self.assertEqual((found, body["error"]["code"]), (status, code))
        for words, code, message in (
                (("statement", "1"), 2, "--from is required"),
                (("statement", "1", "--from", "yesterday", "--to", "2026-01-01"), 1, "from: a day or a time"),
                (("statement", "999999", *ALL_TIME), 1, "there is no account 999999 (not_found)"),
                (("lease", "999999"), 1, "there is no lease 999999 (not_found)"),
                (("lease",), 2, "name a lease, or what to do"),
                (("lease", "0"), 2, "not in range"),
                (("supply", "--date", "x&y"), 1, "date: a day")):
            with self.subTest(words=words):
                done = run([warpbook_binary(), *words, "--settlement", self.market.reports_address])
                self.assertEqual(done.returncode, code, done)
                self.assertIn(message, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertEqual(done.stdout, "")

    def settlement_may_be_away(self):
        documented = Http(self.market.port, self.market.admin_port)
        self.assertEqual(self.market.settlement.stop(), 0)
        wait_until(lambda: documented.get("/api/v1/supply")[0] == 503, "settlement's absence")
        wait_until(lambda: documented.get("/api/v1/disclosures")[0] == 503, "what was kept is old")
        status, body = documented.get("/api/v1/disclosures")
        self.assertEqual((status, body["error"]["code"]), (503, "settlement_unavailable"))
        done = run([warpbook_binary(), "supply", "--connect", self.market.address])
        self.assertEqual(done.returncode, 1)
        self.assertIn("(settlement_unavailable)", done.stderr)
        done = run([warpbook_binary(), "lease", "1", "--settlement", self.market.reports_address])
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.market.reports_address}: cannot connect", done.stderr)

    def settlement_answers_again(self):
        documented = Http(self.market.port, self.market.admin_port)
        wait_until(lambda: documented.get("/api/v1/supply")[0] == 200, "settlement's return")


if __name__ == "__main__":
    market.main()
