"""The exchange as its users run it, for tests: real processes on loopback.

What is in this folder:
  market.py           a private PostgreSQL, `warpbook serve` and `warpbook-settlement serve`
  client.py           an independent client: its own signing, its own books, every message checked
  token_arithmetic.py 2-tokens of the design once more, in Python's own integers: the oracle
  market_test_case.py members, operators and constant prices for the tests below
  trading_test.py     orders, books and private channels
  settlement_test.py  leases from fill to ledger
  reports_test.py     supply, disclosures, statements and leases as people read them
  resale_test.py      leases that are resold, at gains and losses, from fill to ledger
  resume_test.py      who was cut off hears what he missed, byte for byte
  peers.py            members on clients that others wrote, all with the same commands
  clients/            the member in JavaScript, for Node.js and for Chromium
  line.py             a TCP line that a test cuts
  clients_test.py     one scenario on each of those clients, with cuts
  bad_input_test.py   each malformed or forbidden request has its own answer
  bad_messages.py     what there is to be wrong with them
  raw_socket.py       handshakes and frames made by hand
  bad_frame_test.py   frames, handshakes and bare sockets that are not what they should be
  canary_test.py      secrets are in no log, no file and no memory where they do not belong
  operations_test.py  metrics, health, settlement's configuration, the doctor
  bad_start_test.py   what is wrong before the start stops it with one sentence
  crash_test.py       kill -9 of each process under load
  tls_test.py         everybody by TLS, and whom nobody believes
  api_documents.py    the API's documents, and a recorder that holds every message against them
  api_documents_test.py  every method, channel and kind of message is as documented
  api_validity_test.py   the documents are valid by what npm/ installs
  prometheus.py       a real Prometheus beside a market, and what the dashboards ask it
  observe_test.py     every panel has data, every rule evaluates, no alert fires
  faults.py           faults that deploy/dev/alert-drill causes

The binaries come from WARPBOOK_BINARY and WARPBOOK_SETTLEMENT_BINARY (CMake sets them). Python 3.11,
Debian's python3-websockets and python3-cryptography, node-ws and chromium; nothing but loopback is
used.
Debian's python3-websockets, python3-cryptography, python3-jsonschema and python3-yaml; nothing but loopback is used.
"""

import contextlib
import csv
import ctypes
import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

POSTGRES_BIN = "/usr/lib/postgresql/15/bin"
SOURCE_ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
DEFAULT_CATALOGUE = os.path.join(SOURCE_ROOT, "schema/catalogue/catalogue.conf")
SERVER_NAME = "warpbook-e2e"
LEDGER_ROLE = "warpbook_settlement"  # may read and add, as the migrations say
# Below the ephemeral ports, so that no outgoing connection takes one while its owner restarts.
PORTS = range(18400, 18600)
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 20.0
LOG_TAIL_LINES = 60

_running = []  # every Market that was started, for the report of a failure


def warpbook_binary():
    return os.environ["WARPBOOK_BINARY"]


def settlement_binary():
    return os.environ["WARPBOOK_SETTLEMENT_BINARY"]


def _die_with_parent():
    """The child is killed when the thread that started it ends: the main thread, always."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, seconds=START_DEADLINE_S):
    """Waits for a condition outside of any connection."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def claim_port():
    """(port, claim): a port that is free, and ours among all tests for as long as the claim is
    open."""
    for port in random.sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                claim.bind(f"\0warpbook-e2e-port-{port}")
                probe.bind(("127.0.0.1", port))
                return port, claim
            except OSError:
                claim.close()
    raise AssertionError("no free port")


class Process:
    """A program with its log; it dies with the tests."""

    def __init__(self, name, argv, log_path, user=None):
        self.name = name
        self.argv = argv
        self.log_path = log_path
        self.user = user
        self.popen = None

    def start(self):
        identity = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with open(self.log_path, "ab") as log:
            log.write(f"==== {' '.join(self.argv)}\n".encode())
            log.flush()
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, preexec_fn=_die_with_parent, **identity)

    @property
    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def kill(self):
        """kill -9."""
        self.popen.kill()
        self.popen.wait()

    def stop(self, signal_number=signal.SIGTERM):
        """Asks it to end; its exit status."""
        if not self.running:
            return self.popen.returncode if self.popen else None
        self.popen.send_signal(signal_number)
        try:
            return self.popen.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end in {STOP_DEADLINE_S} s") from None

    def log_tail(self):
        with contextlib.suppress(FileNotFoundError), open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-LOG_TAIL_LINES:])
        return ""


class Market:
    """One exchange: PostgreSQL, engine with gateway, settlement."""

    def __init__(self, clock_factor=1, catalogue=DEFAULT_CATALOGUE, tls=False, **serve_options):
        """tls: both listeners; this process, and those that it starts, then believe the certificate."""
        self.clock_factor = clock_factor
        self.catalogue = catalogue
        self.serve_options = serve_options  # as serve_argv takes them
        self.folder = tempfile.mkdtemp(prefix="wb-e2e-", dir="/tmp")
        os.chmod(self.folder, 0o711)
        self.journal = self.path("journal")
        self.port, self._claim = claim_port()
        self.admin_port, self._admin_claim = claim_port()
        self.reports_port, self._reports_claim = claim_port()
        self.reports_address = f"127.0.0.1:{self.reports_port}"
        self.certificate = self._make_certificate() if tls else None
        scheme = "wss" if tls else "ws"
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self.admin_address = f"{scheme}://127.0.0.1:{self.admin_port}"
        self.url, self.admin_url = self.address + "/ws", self.admin_address + "/ws"
        self.keys = {}
        _running.append(self)

    def path(self, name):
        return os.path.join(self.folder, name)

    # -- Life

    def start(self):
        self.make_keys()
        self._make_postgres()
        self.create_database("warpbook")
        self.engine = Process("warpbook", self.serve_argv(), self.path("warpbook.log"))
        self.settlement = Process("settlement", [
            settlement_binary(), "serve", "--journal", self.journal, "--database",
            self.conninfo("warpbook", LEDGER_ROLE), "--engine", self.admin_address, "--server-name",
            SERVER_NAME, "--key", self.path("settlement.pem"), "--catalogue", self.catalogue,
            "--http", self.reports_address
        ], self.path("settlement.log"))
        self.start_engine()
        self.settlement.start()
        return self

    def start_engine(self):
        self.engine.start()
        self.wait_until_ready()

    def stop(self):
        """Ends everything; the exit statuses of engine and settlement must be 0."""
        statuses = {}
        try:
            for process in (self.settlement, self.engine):
                if process.running:
                    statuses[process.name] = process.stop()
            statuses["postgres"] = self.postgres.stop(signal.SIGINT)
        finally:
            self.kill()
        for name, status in statuses.items():
            assert status == 0, f"{name} ended with {status}"

    def kill(self):
        for name in ("settlement", "engine", "postgres"):
            process = getattr(self, name, None)
            if process is not None and process.running:
                process.kill()

    def remove(self):
        self._claim.close()
        self._admin_claim.close()
        self._reports_claim.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_ready(self):
        def ready():
            if not self.engine.running:
                raise AssertionError(f"warpbook ended: {self.engine.log_tail()}")
            return self.http_status("/readyz") == 200
        wait_until(ready, "/readyz")

    def http_status(self, path):
        try:
            with urllib.request.urlopen(self.admin_address.replace("ws", "http", 1) + path,
                                        timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def http_get(self, target):
        """The result of a question to the read-only HTTP API."""
        url = self.address.replace("ws", "http", 1) + target
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["result"]

    # -- Commands

    def serve_argv(self, **replaced):
        """The command line of `warpbook serve`; options replaced or, with None, left out. True: a
        flag."""
        options = {
            "journal": self.journal, "catalogue": self.catalogue,
            "listen": f"127.0.0.1:{self.port}", "admin_listen": f"127.0.0.1:{self.admin_port}",
            "server_name": SERVER_NAME, "operator_key_file": self.path("operator.pub"),
            "settlement_key_file": self.path("settlement.pub"),
            "settlement": self.reports_address,
            "clock_factor": str(self.clock_factor)
        }
        options.update(self.serve_options)
        options.update(replaced)
        argv = [warpbook_binary(), "serve"]
        for name, value in options.items():
            if value is not None:
                argv += ["--" + name.replace("_", "-"), *([value] if value is not True else [])]
        return argv

    def make_demo(self):
        """Members who trade; they want `probe_profile="small"`. To be started."""
        return Process("demo", [
            warpbook_binary(), "demo", "--connect", self.address, "--admin", self.admin_address,
            "--operator-key", self.path("operator.pem"), "--keys-dir", self.path("demo-keys")],
            self.path("demo.log"))

    def audit(self, *extra):
        """`warpbook-settlement audit`."""
        return run([settlement_binary(), "audit", "--database",
                    self.conninfo("warpbook", LEDGER_ROLE), "--journal", self.journal, *extra])

    def make_keys(self):
        for name in ("operator", "settlement"):
            made = run([warpbook_binary(), "keys", "new", self.path(name + ".pem")])
            assert made.returncode == 0, made
            public = made.stdout.strip()
            with open(self.path(name + ".pub"), "w", encoding="ascii") as file:
                file.write(public + "\n")

    def _make_certificate(self):
        """The file of one that signs itself; whoever is started from here believes it."""
        certificate, key = self.path("tls.crt"), self.path("tls.key")
        made = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=warpbook",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                    certificate])
        assert made.returncode == 0, made
        for listener in ("", "admin_"):
            self.serve_options[listener + "tls_certificate"] = certificate
            self.serve_options[listener + "tls_key"] = key
        os.environ["SSL_CERT_FILE"] = os.environ["NODE_EXTRA_CA_CERTS"] = certificate
        return certificate

    # -- PostgreSQL

    def _make_postgres(self):
        user = "postgres" if os.geteuid() == 0 else None
        data = self.path("pg")
        os.mkdir(data, 0o700)
        if user:
            shutil.chown(data, user, user)
        identity = {"user": user, "group": user, "extra_groups": []} if user else {}
        made = run([f"{POSTGRES_BIN}/initdb", "--pgdata", data, "--auth", "trust", "--username",
                    "postgres", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
                   cwd="/", **identity)
        assert made.returncode == 0, made
        self.postgres = Process("postgres", [
            f"{POSTGRES_BIN}/postgres", "-D", data, "-k", data, "-c", "listen_addresses=", "-c",
            "fsync=on", "-c", "shared_buffers=32MB", "-c", "max_connections=20"
        ], self.path("postgres.log"), user)
        self.start_postgres()

    def start_postgres(self):
        def answers():
            self.revive_postgres()
            return self.postgres_answers()
        wait_until(answers, "PostgreSQL")

    def revive_postgres(self):
        """Starts it where it does not run: after a crash it refuses until its old backends are
        gone."""
        if not self.postgres.running:
            self.postgres.start()

    def postgres_answers(self):
        return run([f"{POSTGRES_BIN}/pg_isready", "-q", "-U", "postgres", "-h",
                    self.path("pg")]).returncode == 0

    def conninfo(self, database, user="postgres"):
        return f"host={self.path('pg')} user={user} dbname={database}"

    def create_database(self, name):
        """A new database, migrated."""
        self.query(f'CREATE DATABASE "{name}"', database="postgres")
        migrated = run([settlement_binary(), "migrate", "--database", self.conninfo(name)])
        assert migrated.returncode == 0, migrated

    def query(self, sql, database="warpbook"):
        """The rows of a query, as dictionaries of strings."""
        done = run(["psql", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1", "-d",
                    self.conninfo(database), "-c", sql])
        assert done.returncode == 0, done
        return list(csv.DictReader(io.StringIO(done.stdout)))


def run(argv, **options):
    """Runs a command to its end."""
    options.setdefault("timeout", 60)
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, **options)


def main():
    """unittest.main, with the ends of all logs where a test failed. WARPBOOK_E2E_KEEP=1 keeps the
    folders."""
    try:
        passed = unittest.main(exit=False, verbosity=2, module="__main__").result.wasSuccessful()
        if not passed:
            for market in _running:
                for log in sorted(os.listdir(market.folder)):
                    if log.endswith(".log"):
                        tail = Process(log, [], market.path(log)).log_tail()
                        print(f"---- the end of {market.path(log)}\n{tail}", file=sys.stderr)
    finally:
        for market in _running:
            market.kill()
            if not os.environ.get("WARPBOOK_E2E_KEEP"):
                market.remove()
    sys.exit(0 if passed else 1)
