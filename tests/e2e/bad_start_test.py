#!/usr/bin/python3
"""A catalogue, a configuration, a journal or an address that is wrong stops the start with one
clear sentence and a status that is not 0, and changes nothing."""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import socket
import struct
import tempfile
import unittest

import market
from market import (DEFAULT_CATALOGUE, LEDGER_ROLE, Market, claim_port, run, settlement_binary,
                    warpbook_binary)
from market_test_case import MarketTestCase

PAGE = 4096


def digest(path):
    """Of the file's size and data; holes are skipped, as most of a segment is one."""
    found = hashlib.sha256(str(os.path.getsize(path)).encode())
    with open(path, "rb") as file:
        end = 0
        with contextlib.suppress(OSError):  # no data after `end`
            while True:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
                end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                data = os.pread(file.fileno(), end - start, start)
                found.update(f"{start}:".encode() + data.rstrip(b"\0"))
    return found.hexdigest()


def files_of(folder):
    """{path: digest} of all files below."""
    return {path: digest(path) for path in glob.glob(folder + "/**", recursive=True)
            if os.path.isfile(path)}


def copy_sparsely(source, target):
    done = run(["cp", "--archive", "--sparse=always", source, target])
    assert done.returncode == 0, done


class StartTestCase(unittest.TestCase):
    """What all of these tests say about a start that fails."""

    def fails(self, argv, *words, env=None, status=None):
        """The program ends by itself, not with 0, with one sentence that has these words."""
        done = run(argv, timeout=20, env={**os.environ, **(env or {})}, cwd="/")
        said = "\n".join(line for line in done.stderr.strip().splitlines()
                         if '"level":"info"' not in line)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertGreater(done.returncode, 0, f"a signal ended it: {done}")
        if status is not None:
            self.assertEqual(done.returncode, status, done)
        self.assertTrue(said, done)
        self.assertEqual(len(said.splitlines()), 1, f"one sentence, not:\n{said}")
        for word in words:
            self.assertIn(word, said)
        for noise in ("Aborted", "terminate called", "CHECK", "what():", "core dumped"):
            self.assertNotIn(noise, done.stderr)
        return said


class BadConfigurationTest(StartTestCase):
    """Nothing runs here: the start fails before anything is served."""

    @classmethod
    def setUpClass(cls):
        cls.market = Market()
        cls.market.make_keys()

    def path(self, name, text):
        path = self.market.path(name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def tearDown(self):
        self.assertFalse(os.path.exists(self.market.journal), "a journal was made")

    def serve_fails(self, *words, env=None, status=2, more=(), **options):
        argv = self.market.serve_argv(**options) + list(more)
        said = self.fails(argv, *words, env=env, status=status)
        checked = self.fails(argv + ["--check-config"], *words, env=env, status=status)
        self.assertEqual(said, checked)

    def test_a_right_configuration_passes_the_check(self):
        """--check-config says so with status 0, and makes nothing."""
        done = run(self.market.serve_argv() + ["--check-config"])
        self.assertEqual(done.returncode, 0, done)

    def test_a_wrong_catalogue(self):
        """Each fault is named with file, line and key."""
        with open(DEFAULT_CATALOGUE, encoding="utf-8") as file:
            right = file.read()
        changes = [
            ("notice_seconds = 120", "notice_seconds = many", "notice_seconds"),
            ("notice_seconds = 120", "notice_seconds = -1", "notice_seconds"),
            ("notice_seconds = 120", "notice_seconds = 120\nnotice_seconds = 120",
             "notice_seconds"),
            ("gate_minutes = 3", "gate_minutes = 2", "gate_minutes"),
            ("windows_ahead = 24", "windows_ahead = 169", "windows_ahead"),
            ("windows_ahead = 24", "windows_ahead = 0", "windows_ahead"),
            ("windows_ahead = 24", "windows_behind = 24", "windows_ahead"),
            ("windows_ahead = 24", "windows_ahead", "windows_ahead"),
            ("tick = 0.002", "tick = 0.0025", "tick"),
            ("tick = 0.002", "tick = 0", "tick"),
            ("tick = 0.002", "tick = 2e-3", "tick"),
            ("band_low = 0.09", "band_low = 0.091", "band_low"),
            ("reference_price = 0.286", "reference_price = 9.00", "reference_price"),
            ("window_minutes = 60", "window_minutes = 3", "window_minutes"),
            ("tradable = yes", "tradable = maybe", "tradable"),
            ("[region us-west]", "[region us-east]", "us-east"),
            ("[class RTX-4090]", "[thing RTX-4090]", "thing"),
            ("[region us-west]\nid = 2", "[region us-west]\nid = 1", "id"),
        ]
        for old, new, word in changes:
            with self.subTest(change=new):
                self.assertIn(old, right)
                wrong = right.replace(old, new, 1)
                path = self.path("wrong.conf", wrong)
                said = self.fails(self.market.serve_argv(catalogue=path), path, word, status=2)
                line = re.search(re.escape(path) + r":(\d+)", said)
                self.assertIsNotNone(line, said)
                # At the fault, or at the section that lacks or holds it.
                changed = right[:right.index(old)].count("\n") + 1
                self.assertLessEqual(abs(int(line[1]) - changed), 12, said)
        for text in ("", "[market]\n", "nonsense\n", b"\xff\xfe\x00", right + "\n[class X]\n"):
            self.serve_fails(catalogue=self.path("wrong.conf", text))
        self.serve_fails("/nowhere.conf", catalogue="/nowhere.conf")
        self.serve_fails("/tmp", catalogue="/tmp")

    def test_wrong_options(self):
        """Unknown, missing and impossible options, by flag, environment and file."""
        self.serve_fails("--no-such-option", more=["--no-such-option", "1"])
        self.serve_fails("journal", journal=None)
        self.serve_fails("catalogue", catalogue=None)
        for value in ("0", "-1", "3601", "fast", "1.5", ""):
            self.serve_fails("clock-factor", clock_factor=value)
        self.serve_fails("WARPBOOK_CLOCK_FACTOR", env={"WARPBOOK_CLOCK_FACTOR": "0"},
                         clock_factor=None)
        self.serve_fails("server-name", server_name="")
        for text in ("", "xyz\n", "ab" * 31, "ab" * 33, "zz" * 32):
            path = self.path("wrong.pub", text)
            self.serve_fails(path, operator_key_file=path)
            self.serve_fails(path, settlement_key_file=path)
        self.serve_fails("/nowhere.pub", operator_key_file="/nowhere.pub")
        one_key = self.market.path("operator.pub")
        self.serve_fails("nowhere", settlement="nowhere")
        self.serve_fails("same key", operator_key_file=one_key, settlement_key_file=one_key)
        for value in ("", "warpbook.example", "https://warpbook.example/", "*"):
            self.serve_fails("origin", more=["--allowed-origin", value])
        self.serve_fails("origin", env={"WARPBOOK_ALLOWED_ORIGIN": "warpbook.example"})

    def test_what_must_be_allowed_in_so_many_words(self):
        """An address beyond loopback, by flag, environment and file; and a browser's origin."""
        def passes(more=(), env=None):
            argv = self.market.serve_argv(listen="0.0.0.0:18599") + list(more)
            done = run(argv + ["--check-config"], env={**os.environ, **(env or {})})
            return done.returncode == 0
        self.assertFalse(passes())
        self.assertTrue(passes(["--allow-plaintext-beyond-loopback"]))
        self.assertTrue(passes(env={"WARPBOOK_ALLOW_PLAINTEXT_BEYOND_LOOPBACK": "true"}))
        path = self.path("right.ini", "allow-plaintext-beyond-loopback = true\n"
                         "allowed-origin = \"https://a.example,http://b.example:8080\"\n")
        self.assertTrue(passes(["--config", path]))
        self.assertTrue(passes(["--config", path, "--allowed-origin", "https://a.example",
                                "--allowed-origin", "https://b.example"]))
        path = self.path("wrong.ini", "allowed-origin = \"https://a.example/page\"\n")
        self.serve_fails("https://a.example/page", more=["--config", path])

    def test_wrong_configuration_files(self):
        """Keys that are none, given twice or out of range, and files that are no configuration."""
        for text, word in (("no_such_key = 1\n", "no_such_key"),
                           ("clock-factor = 0\n", "clock-factor"),
                           ("clock-factor = 2\nclock-factor = 3\n", "clock-factor"),
                           ("[section]\nclock-factor = 2\n", "section"),
                           ("config = \"/x\"\n", "config")):
            with self.subTest(text=text):
                path = self.path("wrong.ini", text)
                self.serve_fails(path, word, more=["--config", path], clock_factor=None)
        self.serve_fails("/nowhere.ini", more=["--config", "/nowhere.ini"])

    def test_a_configuration_file_is_overruled_by_environment_and_flags(self):
        """File < environment < flags, shown by the value that is refused."""
        path = self.path("right.ini", "clock-factor = 7\n")
        argv = self.market.serve_argv(clock_factor=None) + ["--config", path, "--check-config"]
        self.assertEqual(run(argv).returncode, 0)
        done = run(argv, env={**os.environ, "WARPBOOK_CLOCK_FACTOR": "0"})
        self.assertEqual(done.returncode, 2, done)
        done = run(argv + ["--clock-factor", "5"],
                   env={**os.environ, "WARPBOOK_CLOCK_FACTOR": "6"})
        self.assertEqual(done.returncode, 0, done)

    def test_addresses_that_cannot_be_served(self):
        """A busy port is named; so is an address beyond loopback, as there is no TLS."""
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            address = f"127.0.0.1:{busy.getsockname()[1]}"
            for option in ("listen", "admin_listen"):
                self.fails(self.market.serve_argv(**{option: address}), address)
        for address in ("0.0.0.0:18599", "nonsense", "127.0.0.1", "127.0.0.1:99999",
                        "127.0.0.1:-1", "", ":", "127.0.0.1:http"):
            for option in ("listen", "admin_listen"):
                with self.subTest(address=address):
                    self.serve_fails(address, **{option: address})

    def test_keys_are_never_overwritten(self):
        """`keys new` refuses a file that is there."""
        path = self.market.path("operator.pem")
        with open(path, "rb") as file:
            before = file.read()
        self.fails([warpbook_binary(), "keys", "new", path], path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)
        self.fails([warpbook_binary(), "keys", "new", "/nowhere/key.pem"], "/nowhere/key.pem")
        self.assertEqual(os.stat(path).st_mode & 0o077, 0, "others may read the private key")


class BadJournalTest(MarketTestCase, StartTestCase):
    """A journal with orders and deposits in it, damaged in many ways."""

    clock_factor = 60

    @classmethod
    def tearDownClass(cls):
        pass  # the test has stopped it

    async def test_a_damaged_journal_is_refused_and_left_as_it_is(self):
        """A flipped bit below what was durable, files that are gone, cut or swapped: the start
        names what is wrong; undone, the exchange starts again with everything."""
        buyer = await self.buyer()
        symbol = (await self.windows())[-1]["symbol"]
        for n in range(100):
            await self.bid(buyer, symbol, "2.50", 1, cl_ord_id=f"order-{n}")
        orders = (await buyer.call("account.orders"))["orders"]
        await self.stop_everything()
        self.intact = self.market.path("intact")
        copy_sparsely(self.market.journal, self.intact)
        for name, damage in (self.flips() | self.cuts()).items():
            with self.subTest(damage=name):
                self.refuses_damage(damage)
        def spoil_cursor(folder):
            with open(os.path.join(folder, "cursors/settlement"), "w", encoding="ascii") as file:
                file.write("sequence ?\n")
        with self.subTest(damage="what settlement has posted is not known"):
            self.refuses_damage(spoil_cursor, proof_fails=False)  # the journal itself is right
        self.refuses_catalogues_that_lack_what_was_traded()
        self.refuses_keys_that_changed_their_accounts()
        self.two_never_share_a_journal()
        self.market.start_engine()
        again = await self.logged_on(buyer.account, buyer.key)
        self.assertEqual((await again.call("account.orders"))["orders"], orders)
        await again.close()
        self.assertEqual(self.market.engine.stop(), 0)
        verified = run([warpbook_binary(), "journal", "verify", "--journal", self.market.journal])
        self.assertEqual(verified.returncode, 0, verified)

    async def stop_everything(self):
        await self.stop_pricing()
        for client in self.clients:
            await client.close()
        self.market.stop()

    def segments(self):
        return sorted(glob.glob(self.market.journal + "/*.segment"))

    def used_bytes(self, path):
        with open(path, "rb") as file:
            return len(file.read().rstrip(b"\0"))

    def flips(self):
        """Single bits, from the first header to the last batches."""
        path = max(self.segments(), key=self.used_bytes)  # one more is made ahead
        batches = self.batches(path)
        self.assertGreater(len(batches), 40)

        def flip(offset):
            def damage(folder):
                with open(os.path.join(folder, os.path.basename(path)), "r+b") as file:
                    file.seek(offset)
                    byte = file.read(1)[0]
                    file.seek(offset)
                    file.write(bytes([byte ^ 0x10]))
            return damage

        offsets = [0, 8, 20, 60, PAGE, PAGE + 9, PAGE + 100]
        for part in range(2, 15, 3):
            begin, length = batches[len(batches) * part // 16]
            offsets += [begin, begin + 30, begin + length - 1]
        return {f"bit flipped at {offset}": flip(offset) for offset in offsets}

    def batches(self, path):
        """(offset, length) of each batch; from its length to the end of its page are zeros that
        nothing reads."""
        with open(path, "rb") as file:
            content = file.read()
        found, offset = [], PAGE
        while content[offset:offset + 8] == b"WRPBBAT1":
            length, = struct.unpack_from("<I", content, offset + 8)
            found.append((offset, length))
            offset += -(-length // PAGE) * PAGE
        return found

    def cuts(self):
        first = os.path.basename(self.segments()[0])
        used = self.used_bytes(self.segments()[0])

        def write(name, content):
            def damage(folder):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
            return damage

        def truncate(size):
            return lambda folder: os.truncate(os.path.join(folder, first), size)

        return {
            "first segment gone": lambda folder: os.remove(os.path.join(folder, first)),
            "first segment empty": truncate(0),
            "first segment cut in its header": truncate(40),
            "first segment cut in half": truncate(used // 2 // PAGE * PAGE),
            "first segment of another kind": write(first, b"hello\n" * 10_000),
            "segment number missing": lambda folder: os.rename(
                os.path.join(folder, first), os.path.join(folder, "00000007.segment")),
        }

    def refuses_damage(self, damage, proof_fails=True):
        """`serve` on a damaged copy names the journal's file and changes nothing in it."""
        folder = tempfile.mkdtemp(dir=self.market.folder)
        copy = os.path.join(folder, "journal")
        copy_sparsely(self.intact, copy)
        damage(copy)
        before = files_of(copy)
        self.fails(self.market.serve_argv(journal=copy), copy)
        if proof_fails:
            self.fails([warpbook_binary(), "journal", "verify", "--journal", copy], copy)
        self.assertEqual(files_of(copy), before)
        shutil.rmtree(folder)

    def refuses_catalogues_that_lack_what_was_traded(self):
        """`serve` names the id that the catalogue lacks, and changes nothing in the journal."""
        with open(DEFAULT_CATALOGUE, encoding="utf-8") as file:
            right = file.read()
        path = self.market.path("lacking.conf")
        before = files_of(self.market.journal)
        for section, words in (("[region us-west]\nid = 2\n", "region 2"),
                               ("[class H100-SXM]\nid = 9\n", "hardware class 9")):
            with self.subTest(lacks=words):
                begin = right.index(section)
                end = right.index("\n[", begin)
                lacking = right[:begin] + right[end + 1:]
                with open(path, "w", encoding="utf-8") as file:
                    file.write(lacking)
                self.fails(self.market.serve_argv(catalogue=path), words, "catalogue", status=1)
                self.assertEqual(files_of(self.market.journal), before)

    def refuses_keys_that_changed_their_accounts(self):
        """Operator and settlement cannot change keys with each other."""
        self.fails(self.market.serve_argv(operator_key_file=self.market.path("settlement.pub"),
                                          settlement_key_file=self.market.path("operator.pub")),
                   "operator key", "key_in_use", status=1)

    def two_never_share_a_journal(self):
        """A second `serve` on the same journal says that another process has it."""
        self.market.start_engine()
        (port, claim), (admin_port, admin_claim) = claim_port(), claim_port()
        with claim, admin_claim:
            self.fails(self.market.serve_argv(listen=f"127.0.0.1:{port}",
                                              admin_listen=f"127.0.0.1:{admin_port}"),
                       self.market.journal)
        self.assertEqual(self.market.engine.stop(), 0)


class BadSettlementStartTest(StartTestCase):
    """`warpbook-settlement` with something wrong."""

    @classmethod
    def setUpClass(cls):
        cls.market = Market()
        cls.addClassCleanup(cls.market.kill)
        cls.market.start()

    @classmethod
    def tearDownClass(cls):
        cls.market.stop()

    def serve_argv(self, **replaced):
        options = {"--journal": self.market.journal, "--database":
                   self.market.conninfo("warpbook", LEDGER_ROLE), "--engine":
                   f"127.0.0.1:{self.market.admin_port}", "--server-name": market.SERVER_NAME,
                   "--key": self.market.path("settlement.pem"), "--catalogue": DEFAULT_CATALOGUE}
        options.update({"--" + name: value for name, value in replaced.items()})
        return [settlement_binary(), "serve"] + [part for item in options.items()
                                                 if item[1] is not None for part in item]

    def test_wrong_options_files_and_databases(self):
        """Each is one sentence: a missing option, a key or catalogue that is none, a database that
        is not there or not migrated."""
        for option in ("journal", "database", "key", "catalogue"):
            self.fails(self.serve_argv(**{option: None}), option)
        self.market.create_database("spare")
        copy_sparsely(self.market.journal, self.market.path("spare"))
        spare = {"database": self.market.conninfo("spare", LEDGER_ROLE),
                 "journal": self.market.path("spare")}
        self.fails(self.serve_argv() + ["--no-such-option"], "--no-such-option")
        self.fails(self.serve_argv(key="/nowhere.pem"), "/nowhere.pem")
        self.fails(self.serve_argv(key=DEFAULT_CATALOGUE), DEFAULT_CATALOGUE)
        self.fails(self.serve_argv(catalogue="/nowhere.conf"), "/nowhere.conf")
        self.fails(self.serve_argv(engine="nonsense", **spare), "nonsense")
        self.fails(self.serve_argv(http="nonsense", **spare), "nonsense")
        self.fails(self.serve_argv(http="0.0.0.0:18399", **spare), "not a loopback address",
                   "--allow-http-beyond-loopback")
        self.fails(self.serve_argv(http=self.market.reports_address, **spare), "cannot listen on",
                   self.market.reports_address)
        for tariff in ("free", "0", "11", "-1"):
            self.fails(self.serve_argv(**{"electricity-tariff": tariff}, **spare), "USD per kWh")
        self.fails(self.serve_argv(), "another settlement worker")
        self.fails(self.serve_argv(database=self.market.conninfo("absent", LEDGER_ROLE)), "absent")
        self.market.query("CREATE DATABASE blank", database="postgres")
        self.fails(self.serve_argv(database=self.market.conninfo("blank", LEDGER_ROLE)), "migrate")
        self.fails([settlement_binary(), "migrate", "--database",
                    self.market.conninfo("absent")], "absent")

    def test_another_exchanges_database_is_refused(self):
        """A database that was posted from another journal is not continued."""
        self.market.create_database("other")
        self.market.query("INSERT INTO journal_cursor VALUES (true, 5, 7, 1, 0, 12345)", "other")
        self.fails(self.serve_argv(database=self.market.conninfo("other", LEDGER_ROLE)))

    def test_migrating_again_changes_nothing(self):
        """`migrate` is safe to repeat, and the ledger's role may add transfers but not change
        them."""
        again = run([settlement_binary(), "migrate", "--database",
                     self.market.conninfo("warpbook")])
        self.assertEqual(again.returncode, 0, again)
        for sql in ("UPDATE transfers SET amount = 1", "DELETE FROM transfers",
                    "TRUNCATE transfers"):
            done = run(["psql", "-X", "-q", "-d", self.market.conninfo("warpbook"), "-c",
                        "SET ROLE warpbook_settlement; " + sql])
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("permission denied", done.stderr)
            done = run(["psql", "-X", "-q", "-d", self.market.conninfo("warpbook"), "-c", sql])
            self.assertNotEqual(done.returncode, 0, "not even the owner")


if __name__ == "__main__":
    market.main()
