#!/usr/bin/python3
"""The real `warpbook-probe` from end to end, on a machine without a GPU: whole proofs, their records, command
lines, files, and servers that are none. WARPBOOK_PROBE_BINARY says where the program is.
"""

import contextlib
import glob
import json
import os
import socket
import stat
import subprocess
import threading
import unittest

from cryptography.hazmat.primitives import serialization

from probe_program import (ANY_KEY, CHALLENGE, DEADLINE_S, FAILED, GREETING, INVALID, NO_GPU, OK,
                           ProgramTestCase, READY, REFUSAL, SIZES, TOO_LATE, USAGE, VERDICT,
                           binary, message, public_hex, receive, run, sizes_of)


class ProofTest(ProgramTestCase):
    """A whole proof, its record and its report."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("records"))
        server = self.serve("--any-device", "--record-dir", self.path("records"), "--once")
        self.done = self.prove(server.address, "--gpus", "2", "--transcript", self.path("t"),
                               "--report", self.path("report.json"))
        self.assertEqual(server.end(None), OK, server.errors)
        self.server_report = server.verdicts(1)[0]
        self.record = glob.glob(self.path("records/*.record.json"))[0]

    def verify(self, record=None, transcript=None, report=None):
        more = ["--report", report] if report else []
        return run("verify", "--record", record or self.record, "--transcript",
                   transcript or self.path("t"), *more)

    def edited(self, source, old, new, name="edited"):
        with open(source, "rb") as file:
            content = file.read()
        self.assertIn(old, content)
        with open(self.path(name), "wb") as file:
            file.write(content.replace(old, new, 1))
        return self.path(name)

    def test_a_proof_passes_and_everybody_has_the_same_report(self):
        """Prover, server and the offline check agree, byte for byte."""
        self.assertEqual(self.done.returncode, OK, self.done)
        self.assertIn("passed", self.done.stderr)
        report = json.loads(self.done.stdout)
        self.assertEqual(report, self.server_report)
        self.assertEqual(report["verdict"], "passed")
        self.assertEqual([one["reason"] for one in report["reasons"]], ["small_profile"])
        self.assertEqual(len(report["gpus_claimed"]), 2)
        with open(self.path("report.json"), encoding="utf-8") as file:
            self.assertEqual(file.read(), self.done.stdout)
        again = self.verify(report=self.path("report.json"))
        self.assertEqual((again.returncode, again.stdout), (OK, self.done.stdout), again)
        saved = glob.glob(self.path("records/*"))
        self.assertEqual(len(saved), 3, saved)
        for path in saved:
            if path.endswith(".report.json"):
                self.assertEqual(self.verify(report=path).returncode, OK)
            if path.endswith(".transcript"):
                self.assertEqual(self.verify(transcript=path).returncode, OK)
        self.assertEqual(os.stat(self.key).st_mode & 0o077, 0, "others may read the key")

    def test_an_edited_transcript_is_refused(self):
        """Each bit is under the signature, and what is no transcript has its own reason."""
        size = os.path.getsize(self.path("t"))
        with open(self.path("t"), "rb") as file:
            right = file.read()
        for at in range(0, size, size // 24):
            wrong = bytearray(right)
            wrong[at] ^= 0x04
            with open(self.path("wrong"), "wb") as file:
                file.write(wrong)
            self.assertEqual(self.verify(transcript=self.path("wrong")).returncode, INVALID, at)
        for content in (b"", b"nonsense", right[:-1], right[:size // 2], b"\0" * size):
            with open(self.path("wrong"), "wb") as file:
                file.write(content)
            done = self.verify(transcript=self.path("wrong"))
            self.assertEqual(done.returncode, INVALID, content[:20])
            self.assertEqual(json.loads(done.stdout)["verdict"], "refused")

    def test_an_edited_report_is_refused_and_the_field_is_named(self):
        """Also one that says the same with other blanks."""
        for old, new, field in ((b'"share_bps": 10000', b'"share_bps": 9999', "share_bps"),
                                (b'"verdict": "passed"', b'"verdict": "refused"', "verdict"),
                                (b'"fill_us": ', b'"fill_us": 1', "timings.fill_us"),
                                (b'"CPU reference"', b'"NVIDIA B300"', "gpus_claimed[0].name"),
                                (b'"gpus": 2', b'"gpus": 1', "gpus"),
                                (b'  "gpus": 2', b' "gpus": 2', "blanks"),
                                (b"{", b"", "the whole")):
            done = self.verify(report=self.edited(self.path("report.json"), old, new))
            self.fails(done, INVALID, field + " " if field != "blanks" else field, "differs")

    def test_an_edited_record_is_refused(self):
        """By its digest; a file that is not there is a wrong command line."""
        done = self.verify(record=self.edited(self.record, b'"products_us": ', b'"products_us": 1'))
        self.fails(done, INVALID, "sha256")
        self.fails(self.verify(record=self.edited(self.record, b'"gpus": 2', b'"gpus": "2"')),
                   INVALID, "challenge.gpus")
        self.fails(self.verify(record=self.path("nowhere")), USAGE, "nowhere")
        self.fails(self.verify(transcript=self.path("nowhere")), USAGE, "nowhere")
        self.fails(self.verify(report=self.path("nowhere")), USAGE, "nowhere")

    def test_one_transcript_does_for_no_other_record(self):
        """A transcript is the answer to one challenge."""
        os.mkdir(self.path("others"))
        server = self.serve("--any-device", "--record-dir", self.path("others"), "--once")
        self.assertEqual(self.prove(server.address).returncode, OK)
        self.assertEqual(server.end(None), OK)
        done = self.verify(record=glob.glob(self.path("others/*.record.json"))[0])
        self.assertEqual(done.returncode, INVALID, done)
        self.assertEqual(json.loads(done.stdout)["reasons"][0]["reason"], "wrong_challenge")


class UsageTest(ProgramTestCase):
    def test_a_machine_without_a_gpu(self):
        """Says so, with 3, by each command that needs one."""
        done = run("inventory", "--driver-folder", self.folder + "/none", "--nvml-library",
                   "none.so")
        self.fails(done, NO_GPU, "no GPU driver")
        self.assertFalse(json.loads(done.stdout)["has_driver"])
        self.fails(run("bench"), NO_GPU, "--cpu")
        self.fails(run("prove", "--self"), NO_GPU, "--cpu")
        self.fails(run("prove", "--server", "127.0.0.1:1", "--device-key", self.key), NO_GPU)
        self.assertFalse(os.path.exists(self.key), "a key was made in vain")

    def test_what_a_cpu_can_do(self):
        """Its benchmarks, labelled; a proof to itself, labelled."""
        done = run("bench", "--cpu")
        self.assertEqual(done.returncode, OK, done)
        figures = json.loads(done.stdout)
        self.assertIs(figures["proven"], False)
        self.assertTrue(all(value > 0 for value in figures["figures"].values()), figures)
        done = run("prove", "--self", "--cpu")
        self.assertEqual(done.returncode, OK, done)
        self.assertIn("proves nothing to others", json.loads(done.stdout)["clock"])
        self.assertIn("proves nothing to others", done.stderr)

    def test_wrong_command_lines(self):
        """One sentence, and 2."""
        account_key = self.path("account.pem")
        self.assertEqual(run("prove", "--self", "--cpu", "--device-key", account_key).returncode, OK)
        serve = ["serve-challenge", "--class", "H100-SXM", "--listen", "127.0.0.1:0"]
        for arguments, word in (
                ([], "subcommand"), (["nonsense"], "nonsense"), (["prove"], "--server"),
                (["prove", "--self", "--server", "x:1"], "give one of"),
                (["prove", "--exchange", "x:1", "--server", "x:1"], "give one of"),
                (["prove", "--cpu", "--exchange", "x:1"], "--device-key"),
                (["prove", "--cpu", "--exchange", "x:1", "--device-key", self.key], "--account"),
                (["prove", "--cpu", "--exchange", "x:1", "--device-key", self.key, "--account",
                  "3", "--key", self.key, "--node", "1", "--report", "r"], "no files"),
                (["prove", "--cpu", "--server", "127.0.0.1:1"], "--device-key"),
                (["prove", "--cpu", "--self", "--class", "H900"], "H900"),
                (["prove", "--cpu", "--self", "--gpus", "17"], "--gpus"),
                (["prove", "--cpu", "--self", "--gpus", "0"], "--gpus"),
                (["prove", "--cpu", "--server", "nonsense", "--device-key", self.key], "nonsense"),
                (["prove", "--cpu", "--self", "--device-key", self.folder], self.folder),
                (["prove", "--cpu", "--self", "--key", self.key], "--exchange"),
                (["prove", "--cpu", "--self", "--node", "1"], "--exchange"),
                (["prove", "--cpu", "--server", "x:1", "--account", "1"], "--exchange"),
                (["prove", "--cpu", "--server", "x:1", "--authorities", "a"], "--exchange"),
                (["prove", "--cpu", "--server", "x:1", "--class", "H200"], "--self"),
                (["prove", "--cpu", "--server", "x:1", "--catalogue", "c"], "--self"),
                (["prove", "--cpu", "--exchange", "nonsense", "--device-key", self.key,
                  "--account", "3", "--key", account_key, "--node", "1"], "nonsense"),
                (["prove", "--cpu", "--exchange", "ws://127.0.0.1:1", "--device-key", self.key,
                  "--account", "3", "--key", account_key, "--node", "1", "--authorities",
                  "/nowhere"], "/nowhere"),
                (["bench", "--cpu", "--nvml-library", "x"], "--cpu"),
                (["verify"], "--record"), (["inventory", "--fast"], "--fast"),
                (serve, "--any-device"), (serve + ["--any-device", "--device-key", ANY_KEY], "both"),
                (serve + ["--device-key", "abc"], "64"),
                (serve + ["--device-key", "Z" * 64], "64"),
                (serve + ["--any-device", "--patience-seconds", "0"], "patience"),
                (serve + ["--any-device", "--record-dir", "/nowhere"], "/nowhere"),
                (serve + ["--any-device", "--record-dir", self.path("x" * 300)], "xxx"),
                (serve + ["--any-device", "--catalogue", "/nowhere"], "/nowhere"),
                (serve[:-1] + ["0.0.0.0:0", "--any-device"], "--listen-anywhere"),
                (serve[:-1] + ["127.0.0.1", "--any-device"], "127.0.0.1"),
                (serve[:-1] + ["127.0.0.1:70000", "--any-device"], "70000"),
                (["serve-challenge", "--class", "H900", "--any-device"], "H100-SXM")):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.fails(done, USAGE, word)
                lines = [line for line in done.stderr.splitlines() if "public key" not in line]
                self.assertEqual(len(lines), 1, done)
                self.assertEqual(done.stdout, "")
        self.assertEqual(run("--help").returncode, OK)
        self.assertEqual(run("prove", "--help").returncode, OK)

    def test_what_fails_is_never_0(self):
        """A server that is not there, an address that is taken, files that cannot be written."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = run("serve-challenge", "--class", "H100-SXM", "--any-device", "--listen", address)
            self.fails(done, FAILED, address)
        self.fails(self.prove(address), FAILED, address)
        server = self.serve()
        self.fails(self.prove(server.address, "--report", "/nowhere/report"), FAILED, "/nowhere")
        self.fails(run("prove", "--self", "--cpu", "--device-key", "/nowhere/key"), FAILED, "/nowhere")
        for arguments in (["bench", "--cpu"], ["--help"], ["prove", "--help"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([binary(), *arguments], stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=DEADLINE_S, check=False)
            self.fails(done, FAILED, "stdout")

    def test_an_output_that_is_no_file(self):
        """Is written into, and is there afterwards; a link is replaced, and leads to no harm."""
        with open(self.path("victim"), "w", encoding="utf-8") as file:
            file.write("kept")
        for name in ("report", ".report"):
            os.symlink(self.path("victim"), self.path(name))
        os.mkfifo(self.path("pipe"))
        read = []

        def drain():
            with open(self.path("pipe"), "rb") as pipe:
                read.append(pipe.read())
        reader = threading.Thread(target=drain, daemon=True)
        reader.start()
        done = self.prove(self.serve().address, "--report", self.path("report"), "--transcript",
                          self.path("pipe"))
        self.assertEqual(done.returncode, OK, done)
        reader.join(DEADLINE_S)
        self.assertGreater(len(read[0]), 1000)
        with open(self.path("report"), encoding="utf-8") as file:
            self.assertEqual(file.read(), done.stdout)
        with open(self.path("victim"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "kept")
        self.assertEqual(self.prove(self.serve().address, "--report", "/dev/null").returncode, OK)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_the_public_key_is_said(self):
        """When the key is made and when it is used, so that a verifier can be told."""
        first = run("prove", "--self", "--cpu", "--device-key", self.key)
        with open(self.key, "rb") as file:
            public = public_hex(serialization.load_pem_private_key(file.read(), None))
        self.assertIn(f"{self.key}, new; its public key is {public}\n", first.stderr)
        server = self.serve("--device-key", public)
        done = self.prove(server.address)
        self.assertEqual(done.returncode, OK, done)
        self.assertIn(f"{self.key}; its public key is {public}\n", done.stderr)


class HostileServerTest(ProgramTestCase):
    """A server that is none: the prover says so with 1, and never 0."""

    def answers(self, *answers, ends=True):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    if answers[0][4:5] == bytes([SIZES]):
                        connection.sendall(message(GREETING, b"g" * 32))
                        receive(connection)
                    for answer in answers:
                        connection.sendall(answer)
                    if not ends:
                        while connection.recv(4096):
                            pass
        threading.Thread(target=serve, daemon=True).start()
        return self.prove(f"127.0.0.1:{listener.getsockname()[1]}")

    def test_what_is_no_verifier(self):
        verdict = {"schema": "warpbook-probe-report", "schema_version": 1, "verdict": "passed",
                   "reasons": [{"reason": "wrong_product"}]}
        for answer in (b"", b"HTTP/1.1 200 OK\r\n\r\n", message(CHALLENGE, b"nonsense"),
                       message(GREETING, b"short"), message(GREETING, b"g" * 33),
                       message(SIZES, b"nonsense"), message(SIZES, length=0xffffffff),
                       message(CHALLENGE, length=0xffffffff), message(REFUSAL, b"\x1b[2Jno"),
                       message(VERDICT, json.dumps(verdict).encode()), os.urandom(100)):
            done = self.answers(answer)
            self.fails(done, FAILED)
            self.assertEqual(done.stdout, "")
            self.assertNotIn("\x1b", done.stderr)

    def test_a_verdict_that_contradicts_itself(self):
        """Is not believed, at whatever stage it comes."""
        server = self.serve()
        with server.connect() as connection:
            self.assertEqual(run("prove", "--self", "--cpu", "--device-key", self.key).returncode, OK)
            with open(self.key, "rb") as file:
                key = serialization.load_pem_private_key(file.read(), None)
            sizes = message(SIZES, sizes_of(connection, key))
            connection.sendall(message(READY))
            challenge = message(CHALLENGE, receive(connection)[2])
        passed = {"schema": "warpbook-probe-report", "schema_version": 1, "verdict": "passed",
                  "reasons": []}
        for change, code in (({}, OK), ({"reasons": [{"reason": "wrong_product"}]}, FAILED),
                             ({"verdict": "refused"}, FAILED), ({"schema": "x"}, FAILED),
                             ({"schema_version": 2}, FAILED), ({"reasons": [{}]}, FAILED),
                             ({"verdict": "refused", "reasons": [{"reason": "slice"}]}, 6),
                             ({"verdict": "refused", "reasons": [{"reason": "too_late"}]}, TOO_LATE)):
            done = self.answers(sizes, challenge, message(VERDICT, json.dumps({**passed, **change}).encode()),
                                ends=False)
            self.assertEqual(done.returncode, code, (change, done))


if __name__ == "__main__":
    unittest.main()
