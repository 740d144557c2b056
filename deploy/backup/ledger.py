"""The ledger in PostgreSQL, through PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess

from journal_files import Fault

PASSWORD = re.compile(r"""\bpassword\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)\s*""")
URI_PASSWORD = re.compile(r"(?<=://)([^:@/]*):([^@/]*)@")


class Ledger:
    """A database, as a connection string names it. Passwords go through the environment: a command line
    is there for everybody to see."""

    def __init__(self, conninfo, user=None):
        """user: the programs run as this user of the system, which only root can ask for."""
        self._environment = dict(os.environ)
        self._conninfo = self._without_password(conninfo)
        self._full_conninfo = conninfo
        self._user = user
        self._identity = {"user": user, "group": user, "extra_groups": []} if user else {}

    @classmethod
    def of_file(cls, path, user=None):
        try:
            with open(path, encoding="utf-8") as file:
                return cls(file.read().strip(), user)
        except OSError as error:
            raise Fault(f"{path}: {error.strerror}") from None

    def _without_password(self, conninfo):
        if "://" in conninfo:
            match = URI_PASSWORD.search(conninfo)
            if match:
                self._environment["PGPASSWORD"] = match.group(2)
            return URI_PASSWORD.sub(r"\1@", conninfo)
        match = PASSWORD.search(conninfo)
        if match:
            quoted = match.group(1)
            text = quoted[1:-1] if quoted.startswith("'") else quoted
            self._environment["PGPASSWORD"] = re.sub(r"\\(.)", r"\1", text)
        return PASSWORD.sub("", conninfo)

    def _run(self, program, *arguments, conninfo=True, **options):
        argv = [program, *(["-d", self._conninfo] if conninfo else []), *arguments]
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        try:
            done = subprocess.run(argv, stderr=subprocess.PIPE, text=True, check=False, cwd="/",
                                  env=self._environment, **self._identity, **options)
        except FileNotFoundError:
            raise Fault(f"{program} is not installed (Debian: postgresql-client)") from None
        if done.returncode != 0:
            raise Fault(f"{program}: {(done.stderr or '').strip() or f'status {done.returncode}'}")
        return done.stdout

    def query(self, sql):
        """The rows, columns separated by a bar."""
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c",
                         sql).splitlines()

    def is_empty(self):
        return self.query("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                          ) == ["0"]

    def dump(self, path):
        """All of it, as of one moment."""
        with open(path, "wb") as file:
            self._run("pg_dump", "--format=custom", "--lock-wait-timeout=60s", stdout=file)

    def restore(self, path):
        """A dump into this database, which is empty: all of it or nothing. Its roles are made where they
        are not there, and get no password."""
        for role in ("warpbook_owner", "warpbook_settlement"):
            if not self.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
                self.query(f"CREATE ROLE {role} LOGIN")
        # Read here and not by pg_restore, whose user may not be able to.
        with open(path, "rb") as file:
            self._run("pg_restore", "--exit-on-error", "--single-transaction", stdin=file)

    def settlement(self, command, *arguments):
        """`warpbook-settlement COMMAND` on it: (status, what it says). The connection string goes by the
        environment. As another user it may still read the journal, which is not that user's."""
        environment = dict(self._environment, WARPBOOK_DATABASE=self._full_conninfo)
        environment.pop("WARPBOOK_DATABASE_FILE", None)
        program = os.environ.get("WARPBOOK_SETTLEMENT_BINARY", "warpbook-settlement")
        if shutil.which(program) is None:
            raise Fault(f"{program} is not installed")
        argv = [program, command, *arguments]
        if self._user:
            argv = ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--init-groups",
                    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--", *argv]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, cwd="/",
                              env=environment)
        return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def sequence_of_dump(path):
    """The sequence at which the ledger in a dump stands."""
    done = subprocess.run(["pg_restore", "--data-only", "--table=journal_cursor", "--file=-", path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        raise Fault(f"pg_restore: {done.stderr.strip()}")
    copy = re.search(r"^COPY \S*journal_cursor \(([^)]*)\) FROM stdin;\n(.*)$", done.stdout, re.M)
    if not copy:
        raise Fault(f"{path}: there is no ledger in it")
    if copy.group(2) == "\\.":
        return 0
    columns = [name.strip() for name in copy.group(1).split(",")]
    return int(copy.group(2).split("\t")[columns.index("sequence")])
