#!/usr/bin/python3
"""The real `warpbook-probe` from end to end, on a machine without a GPU: a verifier and a prover that
talk over loopback, and everything that can go wrong between them. WARPBOOK_PROBE_BINARY says where it is.
"""

import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

DEADLINE_S = 60
HELLO, ANSWER, CHALLENGE, QUESTION, VERDICT, REFUSAL = 1, 2, 3, 4, 5, 6
PRODUCTS, FILLED, GATHERED, OPENINGS = 0, 1, 2, 3
OK, FAILED, USAGE, NO_GPU, TOO_LATE, INVALID = 0, 1, 2, 3, 7, 8
ANY_KEY = "ab" * 32


def binary():
    return os.environ["WARPBOOK_PROBE_BINARY"]


def run(*arguments, **options):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=DEADLINE_S,
                          check=False, **options)


def message(kind, body=b"", stage=0, length=None):
    """A message's bytes; `length` may lie."""
    return b"WBP1" + struct.pack("<BBHI", kind, stage, 0,
                                 len(body) if length is None else length) + body


def hello(gpus=1, key=ANY_KEY, **more):
    return message(HELLO, json.dumps({"version": 1, "device_key": key, "gpus": gpus,
                                      **more}).encode())


def receive(connection):
    """(kind, stage, body), or None where the connection ends."""
    with contextlib.suppress(ConnectionError):
        head = connection.recv(12, socket.MSG_WAITALL)
        if len(head) < 12:
            return None
        assert head[:4] == b"WBP1", head
        kind, stage, _, length = struct.unpack("<BBHI", head[4:])
        return kind, stage, connection.recv(length, socket.MSG_WAITALL)
    return None


class Server:
    """`serve-challenge` on a port of its own."""

    def __init__(self, *arguments, small=True):
        self.lines = []
        self.process = subprocess.Popen(
            [binary(), "serve-challenge", "--class", "H100-SXM", "--listen", "127.0.0.1:0",
             *(["--small"] if small else []), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.address = self.ready["address"]
        self.errors = []
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines),
                                     (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line)

    def connect(self):
        host, port = self.address.split(":")
        connection = socket.create_connection((host, int(port)), timeout=DEADLINE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def verdicts(self, count):
        """The reports of the first so many verdicts."""
        deadline = time.monotonic() + DEADLINE_S
        while len(self.lines) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.lines) >= count, (self.lines, self.errors)
        return [json.loads(line)["report"] for line in self.lines]

    def end(self, number=signal.SIGTERM):
        """The exit code, after a signal or by itself."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


class Line:
    """A TCP line to the server that a test delays or cuts: `on_message(kind, stage)` is called
    before a message of the prover's is passed on, and cuts by returning False."""

    def __init__(self, address, on_message):
        self.on_message = on_message
        self.target = (address.split(":")[0], int(address.split(":")[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        prover, _ = self.listener.accept()
        with prover, socket.create_connection(self.target) as server:
            back = threading.Thread(target=self.carry_back, args=(server, prover), daemon=True)
            back.start()
            while (got := receive(prover)) is not None:
                kind, stage, body = got
                if self.on_message(kind, stage) is False:
                    for end in (prover, server):  # the other thread still reads of both
                        end.shutdown(socket.SHUT_RDWR)
                    return
                with contextlib.suppress(OSError):
                    server.sendall(message(kind, body, stage))
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join(DEADLINE_S)

    @staticmethod
    def carry_back(server, prover):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                prover.sendall(data)

    def close(self):
        self.listener.close()
        self.thread.join(DEADLINE_S)


class ProgramTestCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="warpbook-probe-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.key = self.path("device.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, *arguments, **options):
        server = Server(*(arguments or ("--any-device",)), **options)

        def end():
            if server.process.poll() is None:
                server.process.kill()
                server.end(None)
        self.addCleanup(end)
        return server

    def prove(self, address, *more):
        return run("prove", "--server", address, "--device-key", self.key, "--cpu", *more)

    def fails(self, done, code, *words):
        """With that code, and sentences for people that have these words."""
        self.assertEqual(done.returncode, code, done)
        self.assertTrue(done.stderr.endswith("\n"), done)
        self.assertTrue(all(line for line in done.stderr.splitlines()), done)
        for word in words:
            self.assertIn(word, done.stderr)
        for noise in ("terminate called", "CHECK", "what():", "core dumped"):
            self.assertNotIn(noise, done.stderr)


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
                (["verify"], "--record"), (["inventory", "--fast"], "--fast"),
                (serve, "--any-device"), (serve + ["--any-device", "--device-key", ANY_KEY], "both"),
                (serve + ["--device-key", "abc"], "64"),
                (serve + ["--device-key", "Z" * 64], "64"),
                (serve + ["--any-device", "--patience-seconds", "0"], "patience"),
                (serve + ["--any-device", "--record-dir", "/nowhere"], "/nowhere"),
                (serve + ["--any-device", "--catalogue", "/nowhere"], "/nowhere"),
                (serve[:-1] + ["0.0.0.0:0", "--any-device"], "--listen-anywhere"),
                (serve[:-1] + ["127.0.0.1", "--any-device"], "127.0.0.1"),
                (serve[:-1] + ["127.0.0.1:70000", "--any-device"], "70000"),
                (["serve-challenge", "--class", "H900", "--any-device"], "H100-SXM")):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.fails(done, USAGE, word)
                self.assertEqual(len(done.stderr.splitlines()), 1, done)
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
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([binary(), "bench", "--cpu"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=DEADLINE_S, check=False)
        self.fails(done, FAILED, "stdout")


class ServerTest(ProgramTestCase):
    def test_an_answer_that_comes_too_late(self):
        """Is told so, whatever it was that took so long; prover and server say 7."""
        for late in (PRODUCTS, FILLED, GATHERED, OPENINGS):
            server = self.serve("--any-device", "--patience-seconds", "1", "--once")
            line = Line(server.address, lambda kind, stage, late=late:
                        time.sleep(1.6) if (kind, stage) == (ANSWER, late) else None)
            self.fails(self.prove(line.address), TOO_LATE, "expired")
            self.assertEqual(server.end(None), TOO_LATE)
            self.assertEqual(server.verdicts(1)[0]["reasons"][0]["reason"], "too_late")
            line.close()

    def test_a_connection_that_is_lost(self):
        """At each stage: the prover says so with 1, the server goes on and calls it unfinished."""
        server = self.serve()
        for count, lost in enumerate((PRODUCTS, FILLED, GATHERED, OPENINGS), 1):
            line = Line(server.address,
                        lambda kind, stage, lost=lost: (kind, stage) != (ANSWER, lost))
            self.fails(self.prove(line.address), FAILED)
            self.assertEqual(server.verdicts(count)[-1]["reasons"][0]["reason"], "unfinished")
            line.close()
        self.assertEqual(self.prove(server.address).returncode, OK)
        self.assertEqual(server.end(), OK)

    def test_the_key_and_the_gpus_that_are_asked_for(self):
        """Others are turned away before there is a challenge."""
        self.assertEqual(run("prove", "--self", "--cpu", "--device-key", self.key).returncode, OK)
        server = self.serve("--device-key", ANY_KEY)
        self.fails(self.prove(server.address), FAILED, "another device")
        server = self.serve("--any-device", "--gpus", "3")
        self.fails(self.prove(server.address), FAILED, "3 GPUs")
        self.assertEqual(self.prove(server.address, "--gpus", "3").returncode, OK)

    def test_sizes_that_a_cpu_cannot_do(self):
        """Are refused with the limits, and cost the server nothing."""
        server = self.serve(small=False)
        self.fails(self.prove(server.address), FAILED, "too much for a CPU", "the limit is")
        self.assertEqual(server.verdicts(1)[0]["reasons"][0]["reason"], "unfinished")

    def test_two_at_once_and_one_too_many(self):
        """Each has its own challenge; the ninth is told that there are too many."""
        server = self.serve()
        provers = [subprocess.Popen(
            [binary(), "prove", "--server", server.address, "--cpu", "--gpus", "2", "--device-key",
             self.path(f"{n}.pem")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for n in range(4)]
        reports = [json.loads(prover.communicate(timeout=DEADLINE_S)[0]) for prover in provers]
        self.assertEqual([prover.returncode for prover in provers], [OK] * 4)
        self.assertEqual(len({report["challenge_id"] for report in reports}), 4)
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                connection = stack.enter_context(server.connect())
                connection.sendall(hello())
                self.assertEqual(receive(connection)[0], CHALLENGE)
            ninth = stack.enter_context(server.connect())
            got = receive(ninth)
            self.assertTrue(got is None or got[0] == REFUSAL, got)
        server.verdicts(4 + 8)
        self.assertEqual(self.prove(server.address).returncode, OK)

    def test_hostile_sockets(self):
        """Any bytes, lengths that lie, half a message, byte by byte, a wrong stage: the server says
        so, and serves the next."""
        server = self.serve("--any-device", "--patience-seconds", "3")
        refused = [b"\0" * 12, os.urandom(4096), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                   message(HELLO, length=0xffffffff), message(HELLO, b"x" * 2000),
                   message(ANSWER, b"", PRODUCTS), message(HELLO, b"{}"), message(HELLO, b"[" * 999),
                   message(0), message(77), hello(0), hello(17), hello(-1), hello(key="00"),
                   hello(more=1), hello(key="AB" * 32)]
        for request in refused:
            with server.connect() as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(request)
                got = receive(connection)
                self.assertTrue(got is None or got[0] == REFUSAL, (request[:40], got))
        malformed = [message(ANSWER, b"x" * 64, FILLED), message(ANSWER, b"x" * 63, PRODUCTS),
                     message(ANSWER, length=0xfffffff0, stage=PRODUCTS), message(HELLO, b"x"),
                     message(ANSWER, b"x" * 64, 9), b"\0" * 12]
        for count, answer in enumerate(malformed, 1):
            with server.connect() as connection:
                connection.sendall(hello())
                self.assertEqual(receive(connection)[0], CHALLENGE)
                connection.sendall(answer)
                kind, _, body = receive(connection)
                self.assertEqual(kind, VERDICT)
                self.assertEqual(json.loads(body)["reasons"][0]["reason"], "malformed", answer[:20])
            self.assertEqual(len(server.verdicts(count)), count)
        with server.connect() as half:
            half.sendall(hello()[:20])
            with server.connect() as slow:
                for byte in hello():
                    slow.sendall(bytes([byte]))
                self.assertEqual(receive(slow)[0], CHALLENGE)
                slow.sendall(message(ANSWER, b"x" * 64, PRODUCTS)[:30])  # and then nothing
                kind, _, body = receive(slow)
                self.assertEqual(json.loads(body)["reasons"][0]["reason"], "too_late")
        self.assertEqual(self.prove(server.address).returncode, OK)
        self.assertEqual(server.end(), OK)

    def test_a_server_that_is_told_to_stop(self):
        """Ends at once, with 0, whoever is still there."""
        server = self.serve()
        with server.connect() as silent, server.connect() as half:
            half.sendall(hello())
            self.assertEqual(receive(half)[0], CHALLENGE)
            half.sendall(message(ANSWER, b"x" * 64, PRODUCTS)[:30])
            began = time.monotonic()
            self.assertEqual(server.end(), OK)
            self.assertLess(time.monotonic() - began, 5)
            self.assertIn((receive(silent) or [REFUSAL])[0], [REFUSAL])
        self.assertEqual(server.verdicts(1)[0]["reasons"][0]["reason"], "unfinished")

    def test_a_prover_that_is_told_to_stop(self):
        """Says so and ends with 1, at each stage."""
        for stage in (PRODUCTS, GATHERED):
            server = self.serve()
            reached = threading.Event()

            def hold(kind, at, stage=stage, reached=reached):
                if (kind, at) == (ANSWER, stage):
                    reached.set()
                    time.sleep(1)
            line = Line(server.address, hold)
            prover = subprocess.Popen(
                [binary(), "prove", "--server", line.address, "--cpu", "--device-key", self.key,
                 "--report", self.path("report")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertTrue(reached.wait(DEADLINE_S))
            prover.send_signal(signal.SIGTERM)
            out, error = prover.communicate(timeout=DEADLINE_S)
            self.assertEqual((prover.returncode, out), (FAILED, ""), error)
            self.assertIn("warpbook-probe: stopped by a signal; nothing was proved\n", error)
            self.assertEqual(os.listdir(self.folder), ["device.pem"])
            line.close()


class HostileServerTest(ProgramTestCase):
    """A server that is none: the prover says so with 1, and never 0."""

    def answers(self, *answers, ends=True):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    receive(connection)
                    for answer in answers:
                        connection.sendall(answer)
                    if not ends:
                        connection.recv(1)
        threading.Thread(target=serve, daemon=True).start()
        return self.prove(f"127.0.0.1:{listener.getsockname()[1]}")

    def test_what_is_no_verifier(self):
        verdict = {"schema": "warpbook-probe-report", "schema_version": 1, "verdict": "passed",
                   "reasons": [{"reason": "wrong_product"}]}
        for answer in (b"", b"HTTP/1.1 200 OK\r\n\r\n", message(CHALLENGE, b"nonsense"),
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
            done = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"],
                                  capture_output=True, check=True)
            connection.sendall(hello(key=done.stdout[-32:].hex()))
            challenge = message(CHALLENGE, receive(connection)[2])
        passed = {"schema": "warpbook-probe-report", "schema_version": 1, "verdict": "passed",
                  "reasons": []}
        for change, code in (({}, OK), ({"reasons": [{"reason": "wrong_product"}]}, FAILED),
                             ({"verdict": "refused"}, FAILED), ({"schema": "x"}, FAILED),
                             ({"schema_version": 2}, FAILED), ({"reasons": [{}]}, FAILED),
                             ({"verdict": "refused", "reasons": [{"reason": "slice"}]}, 6),
                             ({"verdict": "refused", "reasons": [{"reason": "too_late"}]}, TOO_LATE)):
            done = self.answers(challenge, message(VERDICT, json.dumps({**passed, **change}).encode()),
                                ends=False)
            self.assertEqual(done.returncode, code, (change, done))


if __name__ == "__main__":
    unittest.main()
