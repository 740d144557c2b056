#!/usr/bin/python3
"""The server of the real `warpbook-probe`, and everything that can go wrong between it and who connects:
slow and broken lines, hostile sockets, signals. WARPBOOK_PROBE_BINARY says where the program is.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from probe_program import (ANSWER, ANY_KEY, CHALLENGE, DEADLINE_S, FAILED, FILLED, GATHERED, HELLO,
                           Line, OK, OPENINGS, PRODUCTS, ProgramTestCase, QUESTION, READY, REFUSAL,
                           SIZES, TOO_LATE, VERDICT, binary, challenge_of, greeting_of, hello,
                           message, receive, run, sizes_of)


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
        """Are refused with the limits, and cost the server nothing: there was no challenge."""
        server = self.serve(small=False)
        self.fails(self.prove(server.address), FAILED, "too much for a CPU", "the limit is")
        self.assertEqual(server.end(), OK)
        self.assertEqual(server.lines, [])

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
                challenge_of(stack.enter_context(server.connect()))
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
                   message(0), message(77), message(READY), hello(b"\0" * 32)]
        refused += [lambda greeting, fields=fields: hello(greeting, **fields) for fields in (
            {"gpus": 0}, {"gpus": 17}, {"gpus": -1}, {"device_key": "00"}, {"more": 1},
            {"device_key": "AB" * 32}, {"device_key": ANY_KEY}, {"signature": "00" * 64},
            {"signature": "00"}, {"version": 1})]
        for request in refused:
            with server.connect() as connection:
                greeting = greeting_of(connection)
                if callable(request):
                    request = request(greeting)
                with contextlib.suppress(ConnectionError):
                    connection.sendall(request)
                got = receive(connection)
                self.assertTrue(got is None or got[0] == REFUSAL, (request[:40], got))
        malformed = [message(ANSWER, b"x" * 64, FILLED), message(ANSWER, b"x" * 63, PRODUCTS),
                     message(ANSWER, length=0xfffffff0, stage=PRODUCTS), message(HELLO, b"x"),
                     message(ANSWER, b"x" * 64, 9), b"\0" * 12]
        for count, answer in enumerate(malformed, 1):
            with server.connect() as connection:
                challenge_of(connection)
                connection.sendall(answer)
                kind, _, body = receive(connection)
                self.assertEqual(kind, VERDICT)
                self.assertEqual(json.loads(body)["reasons"][0]["reason"], "malformed", answer[:20])
            self.assertEqual(len(server.verdicts(count)), count)
        with server.connect() as half:
            half.sendall(hello(greeting_of(half))[:20])
            with server.connect() as slow:
                for byte in hello(greeting_of(slow)):
                    slow.sendall(bytes([byte]))
                self.assertEqual(receive(slow)[0], SIZES)
                slow.sendall(message(READY))
                self.assertEqual(receive(slow)[0], CHALLENGE)
                slow.sendall(message(ANSWER, b"x" * 64, PRODUCTS)[:30])  # and then nothing
                kind, _, body = receive(slow)
                self.assertEqual(json.loads(body)["reasons"][0]["reason"], "too_late")
        self.assertEqual(self.prove(server.address).returncode, OK)
        self.assertEqual(server.end(), OK)

    def test_bytes_that_drip_across_the_end(self):
        """Hold no thread for ever: who sends them is too late, and SIGTERM still ends the server."""
        server = self.serve("--any-device", "--patience-seconds", "1")
        with contextlib.ExitStack() as stack:
            for count in range(1, 7):
                connection = stack.enter_context(server.connect())
                challenge_of(connection)
                end = time.monotonic() + 1
                connection.sendall(message(ANSWER, b"x" * 64, PRODUCTS) + message(ANSWER, b"", FILLED))
                self.assertEqual(receive(connection)[0], QUESTION)
                connection.sendall(message(ANSWER, b"x" * 32, GATHERED))
                self.assertEqual(receive(connection)[0], QUESTION)
                connection.sendall(message(ANSWER, length=16 << 20, stage=OPENINGS))
                with contextlib.suppress(ConnectionError):
                    while time.monotonic() < end + 0.008:
                        connection.send(b"x")
                self.assertEqual(server.verdicts(count)[-1]["reasons"][0]["reason"], "too_late")
            self.assertEqual(server.end(), OK)

    def test_a_server_that_is_told_to_stop(self):
        """Ends at once, with 0, whoever is still there; of whom it has cut off there is no verdict."""
        server = self.serve()
        with server.connect() as silent, server.connect() as ready, server.connect() as half:
            sizes_of(ready)
            challenge_of(half)
            half.sendall(message(ANSWER, b"x" * 64, PRODUCTS)[:30])
            began = time.monotonic()
            self.assertEqual(server.end(), OK)
            self.assertLess(time.monotonic() - began, 5)
            greeting_of(silent)
            for connection in (silent, ready, half):
                self.assertIn((receive(connection) or [REFUSAL])[0], [REFUSAL])
        self.assertEqual(server.lines, [])

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


if __name__ == "__main__":
    unittest.main()
