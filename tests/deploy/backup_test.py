#!/usr/bin/python3
"""Backup and restore: deploy/backup's programs on a journal and a ledger of a real market, which is made once
for all tests. deploy/dev/backup-drill does the same at length, under load."""

import json
import os
import re
import shutil
import sys
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path[:0] = [os.path.join(ROOT, "deploy/backup"), os.path.join(ROOT, "tests/deploy")]
import copies  # noqa: E402
import journal_files  # noqa: E402
import ledger as ledgers  # noqa: E402
from backup_drill import BACKUP, RESTORE, Drill  # noqa: E402
from market import main, run, warpbook_binary  # noqa: E402


class ConnectionTest(unittest.TestCase):
    def test_a_password_is_in_no_command_line(self):
        cases = {
            "host=a password=secret user=b": ("host=a user=b", "secret"),
            "password='a b\\'c' host=x": ("host=x", "a b'c"),
            "host=x  password = p\\ q dbname=y": ("host=x  dbname=y", "p q"),
            "postgresql://u:secret@h:5/d?x=y": ("postgresql://u@h:5/d?x=y", "secret"),
            "host=/run/postgresql dbname=w": ("host=/run/postgresql dbname=w", None),
        }
        for conninfo, (shown, password) in cases.items():
            with self.subTest(conninfo=conninfo):
                ledger = ledgers.Ledger(conninfo)
                self.assertEqual(ledger._conninfo, shown)
                self.assertEqual(ledger._environment.get("PGPASSWORD"), password)

    def test_times_are_utc_to_the_microsecond(self):
        micros = copies.parse_time("2026-12-01T14:00:00.25Z")
        self.assertEqual(copies.format_time(micros), "2026-12-01T14:00:00.250000Z")
        self.assertEqual(copies.parse_time("2026-12-01 14:00"), micros - 250_000)
        for wrong in ("yesterday", "2026-12-01", "2026-13-01T00:00Z", "2026-12-01T14:00:00+01:00"):
            with self.subTest(wrong=wrong), self.assertRaises(journal_files.Fault):
                copies.parse_time(wrong)


class BackupTest(unittest.TestCase):
    """One market, two backups under load, and the market's end; each test restores or spoils copies."""

    @classmethod
    def setUpClass(cls):
        cls.market = Drill(2, report=lambda text: None)
        cls.market.start()
        cls.market.start_demo()
        cls.market.await_orders()
        cls.market.back_up()
        cls.market.trade(2)
        # A stop leaves a snapshot, and a start begins a segment.
        cls.market.engine.stop()
        cls.market.start_engine()
        cls.market.back_up()
        cls.market.trade(2)
        cls.promised = cls.market.back_up()
        cls.market.demo.stop()
        cls.stored = copies.list_backups(cls.market.backups)

    @classmethod
    def tearDownClass(cls):
        cls.market.kill()

    def setUp(self):
        self.folder = self.market.path(self._testMethodName[:40])
        os.mkdir(self.folder)
        self.addCleanup(shutil.rmtree, self.folder)
        self.journal = os.path.join(self.folder, "journal")

    def restore(self, *arguments, source=None):
        return run([RESTORE, "--from", source or self.market.backups, "--journal", self.journal,
                    *arguments])

    def copy_of_backups(self):
        return shutil.copytree(self.market.backups, os.path.join(self.folder, "backups"))

    def times_of(self, journal):
        """{sequence: time} of every command, by the program's own dump."""
        dump = run([warpbook_binary(), "journal", "dump", journal]).stdout
        return {int(number): time for number, time in re.findall(r"^(\d+) (\S+) \w", dump, re.M)}

    def end_of_first_batch(self):
        """The exchange opens all its instruments in one batch: there is no point in time before that."""
        segment = journal_files.list_segments(self.stored[0].path("journal"))[0]
        with journal_files.open_segment(segment) as file:
            return next(journal_files.read_batches(segment, file)).last_sequence

    def test_what_was_promised_is_in_the_backup_and_the_ledger_is_not_ahead(self):
        self.assertEqual(len(self.stored), 3)
        ended = self.restore()
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertIn("the journal is right", ended.stdout)
        self.assertLessEqual(self.promised, self.market.orders_of(self.journal))
        for stored in self.stored:
            self.assertGreater(stored.about.ledger_sequence, 0)
            self.assertLessEqual(stored.about.ledger_sequence, stored.about.sequence)

    def test_sealed_segments_are_kept_once(self):
        first, second = (os.stat(stored.path("journal", "00000001.segment"))
                         for stored in self.stored[1:])
        self.assertEqual(first.st_ino, second.st_ino)
        checked = run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.stored[-1].folder)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))

    def test_restored_to_a_sequence_it_ends_there_and_its_ledger_is_not_ahead(self):
        self.assertEqual(self.restore().returncode, 0)
        whole = self.times_of(self.journal)
        shutil.rmtree(self.journal)
        wanted = self.stored[0].about.ledger_sequence + 3
        self.market.query("CREATE DATABASE by_sequence", database="postgres")
        ended = self.restore("--to-sequence", str(wanted), "--database",
                             self.market.conninfo("by_sequence"))
        self.assertEqual(ended.returncode, 0, ended)
        self.assertRegex(ended.stdout, r"TOTAL \d+ of \d+ hold")
        times = self.times_of(self.journal)
        self.assertEqual(times, {number: whole[number] for number in range(1, max(times) + 1)})
        self.assertLessEqual(max(times), wanted)
        # A batch is a whole: what is missing up to there is of one batch.
        self.assertLess(wanted - max(times), 200)
        self.assertLessEqual(self.market.posted("by_sequence"), max(times))

    def test_restored_to_a_time_nothing_later_is_there(self):
        self.assertEqual(self.restore().returncode, 0)
        whole = self.times_of(self.journal)
        shutil.rmtree(self.journal)
        first = self.end_of_first_batch()
        for part in (1, 3):  # in the first segment, and in the last
            moment = whole[first + (len(whole) - first) * part // 4]
            ended = self.restore("--to-time", moment)
            self.assertEqual(ended.returncode, 0, ended)
            times = self.times_of(self.journal)
            self.assertLessEqual(max(times.values()), moment)
            following = [time for number, time in whole.items() if number > max(times)]
            self.assertLess(sum(time <= moment for time in following), 200)
            shutil.rmtree(self.journal)

    def test_before_any_ledger_settlement_makes_it_anew(self):
        self.market.query("CREATE DATABASE anew", database="postgres")
        first = self.end_of_first_batch()
        ended = self.restore("--to-sequence", str(first), "--database", self.market.conninfo("anew"))
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("settlement makes it anew", ended.stdout)
        self.assertEqual(self.market.posted("anew"), 0)

    def test_nothing_is_overwritten(self):
        os.makedirs(self.journal)
        with open(os.path.join(self.journal, "watermark"), "w", encoding="ascii") as file:
            file.write("mine")
        ended = self.restore()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("is not empty (watermark): move it away first; nothing was changed", ended.stderr)
        self.assertEqual(os.listdir(self.journal), ["watermark"])
        shutil.rmtree(self.journal)
        ended = self.restore("--database", self.market.conninfo("warpbook"))
        self.assertEqual(ended.returncode, 1)
        self.assertIn("the database is not empty", ended.stderr)
        self.assertFalse(os.path.exists(self.journal))

    def test_the_folders_that_the_package_makes_are_no_journal(self):
        os.makedirs(os.path.join(self.journal, "cursors"))
        self.assertEqual(self.restore().returncode, 0)

    def test_a_damaged_backup_is_refused_and_named(self):
        backups = self.copy_of_backups()
        name = os.path.basename(self.stored[-1].folder)
        path = os.path.join(backups, name, "journal", "00000001.segment")
        with open(path, "r+b") as file:
            file.seek(5000)
            file.write(b"damage")
        ended = self.restore(source=backups)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("00000001.segment is damaged: it is not what SHA256SUMS says", ended.stderr)
        self.assertFalse(os.path.exists(self.journal))

    def test_a_point_that_no_backup_reaches_is_refused(self):
        last = self.stored[-1].about
        for point, message in ((("--to-sequence", str(last.sequence + 1)),
                                f"the backups end at sequence {last.sequence}"),
                               (("--to-time", "2099-01-01T00:00:00Z"),
                                f"the backups end at {last.market_time}"),
                               (("--to-time", "2000-01-01T00:00:00Z"),
                                "that is before the journal's first command")):
            with self.subTest(point=point):
                ended = self.restore(*point)
                self.assertEqual(ended.returncode, 1)
                self.assertIn(message, ended.stderr)
                shutil.rmtree(self.journal + ".restoring", ignore_errors=True)

    def test_a_damaged_journal_gives_no_backup(self):
        journal = shutil.copytree(self.market.journal, self.journal)
        path = os.path.join(journal, "00000001.segment")
        with open(path, "r+b") as file:
            file.seek(journal_files.PAGE + 300)
            file.write(b"damage")
        backups = os.path.join(self.folder, "new")
        ended = run([BACKUP, "--journal", journal, "--to", backups, "--no-ledger"])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("00000001.segment: damaged at offset", ended.stderr)
        self.assertEqual([name for name in os.listdir(backups) if name != ".lock"], [])

    def test_a_torn_end_is_not_in_the_backup(self):
        """What stands behind the watermark may be written just now, in any order."""
        journal = shutil.copytree(self.market.journal, self.journal)
        durable = journal_files.read_watermark(journal)
        last = journal_files.list_segments(journal)[-1]
        cut = journal_files.find_cut(last, journal_files.whole)
        with open(last.path, "r+b") as file:
            file.seek(cut.end)
            file.write(journal_files.BATCH_MAGIC + b"half a batch")
        backups = os.path.join(self.folder, "new")
        ended = run([BACKUP, "--journal", journal, "--to", backups, "--no-ledger"])
        self.assertEqual(ended.returncode, 0, ended)
        shutil.rmtree(journal)
        self.assertEqual(self.restore(source=backups).returncode, 0)
        self.assertEqual(max(self.times_of(self.journal)), durable)

    def test_a_journal_whose_beginning_was_moved_away_is_proved_from_its_snapshot(self):
        journal = shutil.copytree(self.market.journal, self.journal)
        self.assertEqual(len(journal_files.list_snapshots(journal)), 1)
        os.remove(os.path.join(journal, "00000001.segment"))
        backups = os.path.join(self.folder, "new")
        ended = run([BACKUP, "--journal", journal, "--to", backups, "--no-ledger"])
        self.assertEqual(ended.returncode, 0, ended)
        shutil.rmtree(journal)
        ended = self.restore(source=backups)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
        self.assertIn("only what a start reads is proved\n", ended.stdout)
        self.assertIn("a start would begin behind the snapshot of sequence", ended.stdout)

    def test_a_backup_without_segments_in_the_middle_is_refused(self):
        backups = self.copy_of_backups()
        last = os.path.join(backups, os.path.basename(self.stored[-1].folder))
        os.remove(os.path.join(last, "journal", "00000001.segment"))
        ended = self.restore(source=last)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("00000001.segment is missing", ended.stderr)

    def test_old_backups_go_and_what_was_interrupted(self):
        backups = self.copy_of_backups()
        os.mkdir(os.path.join(backups, ".20200101T000000Z"))
        ended = run([BACKUP, "--journal", self.market.journal, "--to", backups, "--no-ledger",
                     "--keep", "2"])
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("2 old backups removed", ended.stdout)
        names = sorted(name for name in os.listdir(backups) if name != ".lock")
        self.assertEqual(len(names), 2)
        self.assertEqual(names[0], os.path.basename(self.stored[-1].folder))

    def test_configuration_goes_along_and_private_keys_do_not(self):
        also = os.path.join(self.folder, "etc")
        os.mkdir(also)
        for name in ("warpbook.conf", "operator.pem", "tls.key"):
            with open(os.path.join(also, name), "w", encoding="ascii") as file:
                file.write("x\n")
        backups = os.path.join(self.folder, "new")
        ended = run([BACKUP, "--journal", self.market.journal, "--to", backups, "--no-ledger",
                     "--also", also])
        self.assertEqual(ended.returncode, 0, ended)
        stored = copies.list_backups(backups)[0]
        self.assertEqual(os.listdir(stored.path("also") + also), ["warpbook.conf"])
        with open(stored.path("backup.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["ledger_sequence"], -1)


if __name__ == "__main__":
    main()
