#!/usr/bin/python3
"""The drill of deploy/backup: a market under load is backed up, killed, destroyed and restored, to the end
and to a point in time; and what was promised must be there.

    backup_drill.py [--seconds N]     N of load before each of two backups and after; default 20

The binaries come from WARPBOOK_BINARY and WARPBOOK_SETTLEMENT_BINARY; deploy/dev/backup-drill builds them.
Prints each step with its time, and ends with 1 where something is lost or wrong.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
from market import (LEDGER_ROLE, Market, Process, run, settlement_binary,  # noqa: E402
                    wait_until, warpbook_binary)

BACKUP, RESTORE = (os.path.join(ROOT, "deploy/backup", name) for name in ("backup", "restore"))
CATCH_UP_S = 120.0
SERVER_NAME = "warpbook"  # the demo's


class Wrong(Exception):
    """What the drill found."""


def must(condition, what):
    if not condition:
        raise Wrong(what)


class Drill(Market):
    """A market with its demo, its backups, and what its members were told."""

    def __init__(self, seconds, report=lambda text: print(text, flush=True)):
        super().__init__(clock_factor=60, probe_profile="small", server_name=SERVER_NAME)
        self.seconds = seconds
        self.report = report
        self.backups = self.path("backups")
        self.demos = 0
        self.demo = None

    # -- Load

    def start(self):
        super().start()
        # The settlement of the e2e tests has a name of its own.
        self.settlement.kill()
        self.settlement.argv[self.settlement.argv.index("--server-name") + 1] = SERVER_NAME
        self.settlement.start()

    def start_demo(self):
        """Each with a list of its own: what a restore has lost may be given out again."""
        self.demos += 1
        self.acknowledged = self.path(f"acknowledged-{self.demos}")
        self.demo = Process("demo", [
            warpbook_binary(), "demo", "--connect", f"127.0.0.1:{self.port}", "--admin",
            f"127.0.0.1:{self.admin_port}", "--operator-key", self.path("operator.pem"), "--keys-dir", self.path("demo-keys"), "--acknowledged",
            self.acknowledged
        ], self.path("demo.log"))
        self.demo.start()

    def promised(self):
        """The orders that members were told are accepted: {"order account client_order_id"}."""
        if not os.path.exists(self.acknowledged):
            return set()
        with open(self.acknowledged, encoding="utf-8") as file:
            return {line.strip() for line in file if line.endswith("\n")}

    def await_orders(self):
        def trading():
            must(self.demo.running, f"the demo ended: {self.demo.log_tail()}")
            return len(self.promised()) > 20
        wait_until(trading, "the first orders", 120.0)

    def trade(self, seconds):
        end = time.monotonic() + seconds
        before = len(self.promised())
        while time.monotonic() < end:
            must(self.demo.running, f"the demo ended: {self.demo.log_tail()}")
            time.sleep(0.1)
        must(len(self.promised()) > before, "nobody traded")

    # -- Backups

    def back_up(self):
        """One while the market runs; what was promised before it began."""
        promised = self.promised()
        began = time.monotonic()
        with open(self.path("owner-database"), "w", encoding="utf-8") as file:
            file.write(self.conninfo("warpbook", "warpbook_owner") + "\n")
        made = run([BACKUP, "--journal", self.journal, "--to", self.backups, "--database-file",
                    self.path("owner-database"), "--also", self.catalogue])
        must(made.returncode == 0, f"no backup: {made.stderr}")
        self.report(f"  {time.monotonic() - began:6.1f} s  backup under load, {len(promised)} orders "
                    f"promised before: {re.sub('^.*/', '', made.stdout.strip())}")
        return promised

    def restore(self, journal, database, *point):
        """Into a new folder and a new database."""
        self.query(f'CREATE DATABASE "{database}"', database="postgres")
        began = time.monotonic()
        made = run([RESTORE, "--from", self.backups, "--journal", journal, "--database",
                    self.conninfo(database), *point], timeout=600)
        must(made.returncode == 0, f"no restore: {made.stdout}{made.stderr}")
        self.report(f"  {time.monotonic() - began:6.1f} s  restore {' '.join(point) or 'to the end'}: "
                    f"{made.stdout.strip().splitlines()[-1]}")
        return int(re.search(r"to sequence (\d+), in", made.stdout).group(1))

    # -- The end of everything

    def destroy(self):
        """kill -9 of everything, and nothing is left of journal and database."""
        for process in (self.demo, self.settlement, self.engine, self.postgres):
            process.kill()
        wait_until(lambda: not self.postgres_is_left(), "PostgreSQL's own processes to end")
        shutil.rmtree(self.journal)
        shutil.rmtree(self.path("pg"))

    def postgres_is_left(self):
        """PostgreSQL's children notice the death of their parent."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd").startswith(self.path("pg")):
                    return True
            except OSError:
                continue
        return False

    def make_postgres(self):
        self._make_postgres()

    # -- What is there

    def orders_of(self, journal, to_sequence=None):
        """Every accepted order in a journal, as `promised` has them."""
        end = ["--to", str(to_sequence)] if to_sequence else []
        dump = subprocess.run([warpbook_binary(), "journal", "dump", journal, *end],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        return {f"{order} {account} {name}" for account, order, name in re.findall(
            r'^\S+ \S+   OrderAccepted .*?account_id=(\d+) .*?order_id=(\d+) '
            r'.*?client_order_id="?([^ "]+)', dump, re.M)}

    def go_on(self, journal, database):
        """Starts exchange and settlement on what was restored."""
        self.journal = journal
        self.engine = Process("warpbook", self.serve_argv(), self.path("warpbook.log"))
        self.settlement = Process("settlement", [
            settlement_binary(), "serve", "--journal", journal, "--database",
            self.conninfo(database, LEDGER_ROLE), "--engine", f"127.0.0.1:{self.admin_port}",
            "--server-name", SERVER_NAME, "--key", self.path("settlement.pem"), "--catalogue",
            self.catalogue, "--http", self.reports_address
        ], self.path("settlement.log"))
        began = time.monotonic()
        self.start_engine()
        self.report(f"  {time.monotonic() - began:6.1f} s  the exchange is ready")
        self.settlement.start()

    def finish(self, database):
        """Stops the exchange, lets settlement post all of it, and proves it."""
        must(self.engine.stop() == 0, "the exchange did not end well")
        dump = run([warpbook_binary(), "journal", "dump", self.journal, "--from",
                    str(self.posted(database) or 1)])
        last = int(dump.stdout.strip().splitlines()[-1].split()[0])
        began = time.monotonic()
        wait_until(lambda: self.posted(database) >= last, f"settlement to post {last}", CATCH_UP_S)
        must(self.settlement.stop() == 0, "settlement did not end well")
        self.report(f"  {time.monotonic() - began:6.1f} s  settlement has posted everything, to {last}")
        replay = f"{database}_replay"
        self.query(f'CREATE DATABASE "{replay}"', database="postgres")
        began = time.monotonic()
        audit = run([settlement_binary(), "audit", "--database",
                     self.conninfo(database, LEDGER_ROLE), "--journal", self.journal,
                     "--replay-into", self.conninfo(replay)], timeout=600)
        must(audit.returncode == 0, f"the audit fails: {audit.stdout}{audit.stderr}")
        verified = run([warpbook_binary(), "journal", "verify", self.journal], timeout=600)
        must(verified.returncode == 0, f"the journal is wrong: {verified.stderr}")
        total = audit.stdout.strip().splitlines()[-1].split(":")[0]
        self.report(f"  {time.monotonic() - began:6.1f} s  journal verified; audit with replay: {total}")

    def posted(self, database):
        rows = self.query("SELECT sequence FROM journal_cursor", database)
        return int(rows[0]["sequence"]) if rows else 0

    # -- The drill

    def run(self):
        self.report("A market under load")
        self.start()
        self.start_demo()
        self.await_orders()
        self.trade(self.seconds)
        self.back_up()
        self.trade(self.seconds)
        middle = max(self.posted("warpbook"), 1)
        self.trade(self.seconds)
        promised = self.back_up()
        self.trade(self.seconds)
        lost = self.promised() - promised
        self.report(f"kill -9 of everything, journal and database deleted; {len(lost)} orders were "
                    "promised since")
        self.destroy()
        self.make_postgres()
        self.restored_to_the_end(promised)
        self.restored_to(middle)

    def restored_to_the_end(self, promised):
        self.report("Restored to the last backup")
        self.restore(self.path("restored"), "restored")
        found = self.orders_of(self.path("restored"))
        missing = promised - found
        must(not missing, f"{len(missing)} promised orders are lost, like {sorted(missing)[:3]}")
        self.report(f"           all {len(promised)} orders promised before that backup are there")
        self.refuses_to_overwrite()
        self.go_on(self.path("restored"), "restored")
        self.start_demo()
        self.await_orders()
        self.trade(self.seconds)
        must(self.demo.stop() == 0, "the demo did not end well")
        missing = self.promised() - self.orders_of(self.journal)
        must(not missing, f"{len(missing)} orders promised after the restore are lost")
        self.report(f"           {len(self.promised())} more orders, all there")
        self.finish("restored")

    def refuses_to_overwrite(self):
        again = run([RESTORE, "--from", self.backups, "--journal", self.path("restored")])
        must(again.returncode == 1 and "is not empty" in again.stderr,
             f"a journal was overwritten: {again}")

    def restored_to(self, sequence):
        self.report(f"Restored to a point in time: sequence {sequence}")
        reached = self.restore(self.path("earlier"), "earlier", "--to-sequence", str(sequence))
        must(reached <= sequence, f"it ends at {reached}")
        expected = self.orders_of(os.path.join(self.path("restored")), reached)
        must(self.orders_of(self.path("earlier")) == expected, "its orders are not those of then")
        self.report(f"           the {len(expected)} orders of then, and no other, are there")
        self.go_on(self.path("earlier"), "earlier")
        self.finish("earlier")
        self.postgres.stop(signal.SIGINT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=20)
    drill = Drill(parser.parse_args().seconds)
    began = time.monotonic()
    try:
        drill.run()
        print(f"The drill is passed, in {time.monotonic() - began:.0f} s.")
        return 0
    except (Wrong, AssertionError) as wrong:
        print(f"The drill FAILED: {wrong}", file=sys.stderr)
        return 1
    finally:
        drill.kill()
        if drill.demo and drill.demo.running:
            drill.demo.kill()
        if not os.environ.get("WARPBOOK_E2E_KEEP"):
            drill.remove()


if __name__ == "__main__":
    sys.exit(main())
