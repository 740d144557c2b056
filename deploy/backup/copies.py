"""Folders of backups: each backup is a folder named by its time, complete by itself, and holds

    backup.json     what it is: sequences, times, segments (Backup)
    SHA256SUMS      of every other file, as sha256sum -c reads it
    journal/        segments, the last one cut at the watermark; snapshots; the watermark
    ledger.dump     PostgreSQL, as pg_dump -Fc writes it; may be missing: the journal holds all of it
    also/           configuration, as it was given

A file that the backup before has too is a hard link to it, so that a backup takes little more room than what
is new. A folder whose name begins with a dot is a backup that was interrupted.
"""

import dataclasses
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone

from journal_files import PAGE, Fault

FORMAT = 1
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
CHUNK = 1 << 20


@dataclass(frozen=True)
class Backup:
    """What backup.json holds."""
    format: int
    made: str  # UTC
    sequence: int  # the journal's last, here
    market_time: str  # of its last command; "": of none
    segments: list  # the numbers of the first and the last
    epoch: int
    rules_version: int
    ledger_sequence: int  # where the ledger stands; -1: there is none here


@dataclass(frozen=True)
class Stored:
    """A backup and its folder."""
    folder: str
    about: Backup

    def path(self, *names):
        return os.path.join(self.folder, *names)


def format_time(micros):
    if not micros:
        return ""
    return datetime.fromtimestamp(micros // 1_000_000, timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S.") + f"{micros % 1_000_000:06}Z"


def parse_time(text):
    """Microseconds since 1970 of a UTC time."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d)?)(\.(\d{1,6}))?Z?", text)
    if not match:
        raise Fault(f'"{text}" is not a UTC time like 2026-12-01T14:00:00Z')
    try:
        moment = datetime.fromisoformat(f"{match.group(1)}T{match.group(2)}+00:00")
    except ValueError as error:
        raise Fault(f'"{text}": {error}') from None
    return int(moment.timestamp()) * 1_000_000 + int((match.group(5) or "0").ljust(6, "0"))


def load(folder):
    """The backup in a folder."""
    path = os.path.join(folder, "backup.json")
    try:
        with open(path, encoding="utf-8") as file:
            fields = json.load(file)
        if fields.get("format") != FORMAT:
            raise Fault(f"{path}: format {fields.get('format')} is not {FORMAT}")
        return Stored(folder, Backup(**fields))
    except FileNotFoundError:
        raise Fault(f"{folder}: there is no backup") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise Fault(f"{path}: {error}") from None


def list_backups(folder):
    """Those of a folder, oldest first."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [load(os.path.join(folder, name)) for name in names if NAME.fullmatch(name)]


def hash_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_sums(folder):
    """SHA256SUMS: {name: sum}."""
    with open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8") as file:
        return {line[66:].rstrip("\n"): line[:64] for line in file}


def check_sums(stored, names):
    """Holds files of a backup against its sums."""
    sums = read_sums(stored.folder)
    for name in names:
        if name not in sums:
            raise Fault(f"{stored.path(name)}: SHA256SUMS does not know it")
        if not os.path.exists(stored.path(name)):
            raise Fault(f"{stored.path(name)} is missing")
        if hash_of(stored.path(name)) != sums[name]:
            raise Fault(f"{stored.path(name)} is damaged: it is not what SHA256SUMS says")


def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder):
    """Everything in it, and itself."""
    for parent, _, names in os.walk(folder):
        for name in names:
            sync(os.path.join(parent, name))
        sync(parent)


class Builder:
    """Fills a folder with a backup, from the one before where that has the same file."""

    def __init__(self, folder, previous):
        self.folder = folder
        self.previous = previous  # Stored, or None
        self.sums = {}
        self.linked = 0  # files
        self._previous_sums = read_sums(previous.folder) if previous else {}

    def path(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def link(self, name, is_same):
        """Whether the backup before has it: then it is linked. `is_same` is asked about its file."""
        if name not in self._previous_sums or not is_same(self.previous.path(name)):
            return False
        os.link(self.previous.path(name), self.path(name))
        self.sums[name] = self._previous_sums[name]
        self.linked += 1
        return True

    def copy(self, name, source, end=None):
        """Up to `end` bytes of an open file, or all of it. Holes stay holes: segments end with zeros."""
        digest, done = hashlib.sha256(), 0
        with open(self.path(name), "wb") as file:
            source.seek(0)
            while end is None or done < end:
                chunk = source.read(CHUNK if end is None else min(CHUNK, end - done))
                if not chunk:
                    break
                digest.update(chunk)
                if chunk.count(0) == len(chunk):
                    file.seek(len(chunk), os.SEEK_CUR)
                else:
                    file.write(chunk)
                done += len(chunk)
            file.truncate(done)
        if end is not None and done != end:
            raise Fault(f"{name}: it ended at {done} while {end} bytes of it were copied")
        self.sums[name] = digest.hexdigest()

    def add(self, name):
        """A file that somebody else has written here."""
        self.sums[name] = hash_of(self.path(name))

    def finish(self, about):
        with open(self.path("backup.json"), "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(about), file, indent=1)
            file.write("\n")
        self.add("backup.json")
        with open(self.path("SHA256SUMS"), "w", encoding="utf-8") as file:
            for name in sorted(self.sums):
                file.write(f"{self.sums[name]}  {name}\n")
        sync_tree(self.folder)


def same_header(path, size, source):
    """Whether two sealed segments are one: the same length, and the same page at the head, whose hash of
    all that came before no other segment has."""
    if os.path.getsize(path) != size:
        return False
    with open(path, "rb") as file:
        source.seek(0)
        return file.read(PAGE) == source.read(PAGE)


def remove_oldest(folder, keep):
    """All but the newest ones, and what was interrupted. Their number."""
    old = [stored.folder for stored in list_backups(folder)][:-keep]
    for path in old:
        # Under a name that nobody takes for a backup, should this be interrupted.
        hidden = os.path.join(folder, "." + os.path.basename(path))
        os.rename(path, hidden)
    for name in os.listdir(folder):
        if name.startswith(".") and NAME.fullmatch(name[1:]):
            shutil.rmtree(os.path.join(folder, name))
    return len(old)
