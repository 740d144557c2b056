"""What operators look at: /metrics, /livez and /readyz of both processes, settlement's configuration
file, and `warpbook doctor`, which must tell a good installation from a bad one."""

import os
import re
import signal
import unittest
import urllib.error
import urllib.request

import market
from market import (DEFAULT_CATALOGUE, LEDGER_ROLE, SOURCE_ROOT, Market, run, settlement_binary,
                    wait_until, warpbook_binary)


def get(address, path):
    """(status, text) of plain HTTP; (None, "") where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None, ""


def sample(text, series):
    """The value of a series; None where it is not there."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


class OperationsTest(unittest.TestCase):
    """One market; each test leaves it as it was."""

    @classmethod
    def setUpClass(cls):
        cls.market = Market()
        cls.addClassCleanup(cls.market.kill)
        cls.market.start()
        cls.reports = cls.market.reports_address
        cls.admin = f"127.0.0.1:{cls.market.admin_port}"
        wait_until(lambda: get(cls.reports, "/readyz")[0] == 200, "settlement's /readyz")

    @classmethod
    def tearDownClass(cls):
        cls.market.stop()

    def settlement_sample(self, series):
        return sample(get(self.reports, "/metrics")[1], series)

    def test_both_live_and_are_ready(self):
        for address in (self.admin, self.reports):
            self.assertEqual(get(address, "/livez"), (200, '{"status":"alive"}'))
            self.assertEqual(get(address, "/readyz"), (200, '{"status":"ready"}'))

    def test_metrics_of_both_and_who_they_are(self):
        for address, service in ((self.admin, "warpbook"), (self.reports, "warpbook-settlement")):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
                self.assertEqual(answer.headers["Content-Type"],
                                 "text/plain; version=0.0.4; charset=utf-8")
                text = answer.read().decode()
            self.assertRegex(text, rf'(?m)^warpbook_build_info{{.*service="{service}".*}} 1$')
            self.assertGreater(sample(text, "process_resident_memory_bytes"), 1e6)
        status, _ = get(f"127.0.0.1:{self.market.port}", "/metrics")
        self.assertEqual(status, 404, "clients have no business with them")

    def test_every_metric_that_is_exported_is_in_the_table(self):
        table = run([warpbook_binary(), "metrics"]).stdout
        names = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.M))
        self.assertGreater(len(names), 40)
        for address in (self.admin, self.reports):
            for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", get(address, "/metrics")[1],
                                         re.M):
                self.assertEqual(names.get(name), kind, name)

    def test_the_document_has_the_programs_table(self):
        with open(os.path.join(SOURCE_ROOT, "deploy/METRICS.md"), encoding="utf-8") as document:
            text = document.read()
        table = run([warpbook_binary(), "metrics"]).stdout
        self.assertEqual(text[text.index("| metric |"):], table, "run deploy/dev/metrics-reference")

    def test_settlement_that_loses_its_database_says_so_and_comes_back(self):
        before = self.settlement_sample('warpbook_settlement_failures_total{reason="database"}')
        self.market.postgres.stop(signal.SIGQUIT)
        try:
            wait_until(lambda: get(self.reports, "/readyz")[0] == 503, "/readyz to say no")
            self.assertEqual(get(self.reports, "/livez")[0], 200)
            self.assertEqual(self.settlement_sample("warpbook_settlement_database_connected"), 0)
            self.assertGreater(
                self.settlement_sample('warpbook_settlement_failures_total{reason="database"}'),
                before)
            # The market goes on, a command a second at least, and nobody posts it.
            wait_until(lambda: self.settlement_sample("warpbook_settlement_lag_sequences") > 1,
                       "the lag")
            self.assertGreater(self.settlement_sample("warpbook_settlement_lag_seconds"), 0)
        finally:
            self.market.start_postgres()
        wait_until(lambda: get(self.reports, "/readyz")[0] == 200, "/readyz to say yes")
        wait_until(lambda: self.settlement_sample("warpbook_settlement_lag_seconds") < 1,
                   "settlement to catch up")
        self.assertEqual(self.settlement_sample("warpbook_settlement_database_connected"), 1)

    def test_a_row_that_somebody_changed_shows_as_imbalance(self):
        series = 'warpbook_ledger_imbalance{asset="tokens"}'
        wait_until(lambda: self.settlement_sample(series) == 0, "a ledger that adds up")
        outside = "UPDATE account_balances SET balance = balance %s 5 WHERE account = 3"
        quiet = "SET session_replication_role = replica; "
        self.market.query(quiet + outside % "+")
        try:
            wait_until(lambda: self.settlement_sample(series) == 5, "the imbalance")
        finally:
            self.market.query(quiet + outside % "-")
        wait_until(lambda: self.settlement_sample(series) == 0, "a ledger that adds up again")

    # -- Settlement's configuration

    def check_config(self, text, *flags, **environment):
        path = self.market.path("settlement.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return run([settlement_binary(), "serve", "--check-config", "--config", path, *flags],
                   env={**os.environ, **environment})

    def good_config(self):
        secret = self.market.path("database.secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(self.market.conninfo("warpbook", LEDGER_ROLE) + "\n")
        return (f'journal = "{self.market.journal}"\ndatabase-file = "{secret}"\n'
                f'key = "{self.market.path("settlement.pem")}"\n'
                f'catalogue = "{DEFAULT_CATALOGUE}"\n')

    def test_settlements_file_is_overruled_by_environment_and_that_by_flags(self):
        good = self.good_config()
        self.assertEqual(self.check_config(good).returncode, 0)
        bad = good + 'electricity-tariff = "11"\n'
        self.assertEqual(self.check_config(bad).returncode, 2)
        tariff = {"WARPBOOK_ELECTRICITY_TARIFF": "0.2"}
        self.assertEqual(self.check_config(bad, **tariff).returncode, 0)
        self.assertEqual(self.check_config(bad, "--electricity-tariff", "12", **tariff).returncode,
                         2)

    def test_settlements_file_is_strict(self):
        good = self.good_config()
        for text, words in ((good + "jurnal = 1\n", 'unknown key "jurnal"'),
                            (good + 'journal = "/x"\n', "must be given once"),
                            (good + "check-config = true\n", "unknown key"),
                            (good + 'database = "host=/x"\n', "are both given"),
                            (good.replace("database-file", "server-name"), "--database"),
                            (good + 'engine = "nonsense"\n', "host:port"),
                            (good + 'http = "0.0.0.0:1"\n', "loopback")):
            with self.subTest(words):
                checked = self.check_config(text)
                self.assertEqual(checked.returncode, 2, checked)
                self.assertIn(words, checked.stderr)
                self.assertEqual(checked.stderr.count("\n"), 1, "one sentence")

    # -- The doctor

    def doctor(self, *extra, **replaced):
        argv = self.market.serve_argv(**replaced)
        argv[1] = "doctor"
        return run(argv + ["--database", self.market.conninfo("warpbook", LEDGER_ROLE), *extra])

    def test_the_doctor_finds_nothing_wrong_with_what_runs(self):
        seen = self.doctor()
        faults = [line for line in seen.stdout.splitlines() if line.startswith("FAULT")]
        # Tests may run in memory; anything else is the exchange's.
        self.assertEqual([line for line in faults if "lies in memory" not in line], [], seen)
        for words in ("It runs and is ready", "What is committed stays", "segments, durable up to"):
            self.assertIn(words, seen.stdout)
        self.assertNotIn(self.market.path("pg"), seen.stdout, "no connection string is told")

    def test_the_doctor_says_what_is_wrong(self):
        port, claim = market.claim_port()
        other, other_claim = market.claim_port()
        with claim, other_claim:
            free = {"listen": f"127.0.0.1:{port}", "admin_listen": f"127.0.0.1:{other}"}
            # Ours, by another address: nobody answers there as we do.
            seen = self.doctor(**{**free, "listen": f"127.0.0.1:{self.market.port}"})
            self.assertEqual(seen.returncode, 1)
            self.assertRegex(seen.stdout, "FAULT .*ports: .*cannot be listened on")
            seen = self.doctor(catalogue="/nowhere.conf", **free)
            self.assertRegex(seen.stdout, "FAULT .*configuration: /nowhere.conf")
            self.assertRegex(seen.stdout, "FAULT .*journal: ", "the exchange has it")
            empty = self.market.path("empty-journal")
            os.mkdir(empty)
            self.doctor(journal=empty, **free)
            self.assertEqual(os.listdir(empty), [], "what is looked at stays as it was")
            missing = self.market.path("no-such-journal")
            self.assertIn("the first start makes it", self.doctor(journal=missing, **free).stdout)
        seen = run([warpbook_binary(), "doctor", "--database", "host=/nowhere user=x password=s3cret"])
        self.assertEqual(seen.returncode, 1)
        self.assertRegex(seen.stdout, "FAULT .*postgresql: .*connecting")
        self.assertNotIn("s3cret", seen.stdout + seen.stderr)


if __name__ == "__main__":
    market.main()
