"""The journal's files, as schema/journal/README.md specifies them: enough to copy a journal while it is
written, and to end a copy at a sequence or a time.

A batch proves the one before it by its SHA-256, a segment the last batch before it: whatever is read here
is held against that chain. The checksums of records are left to `warpbook journal verify`, which also runs
the engine over them.
"""

import hashlib
import os
import re
import struct
from dataclasses import dataclass

PAGE = 4096
SEGMENT_NAME = re.compile(r"(\d{8,})\.segment")
SNAPSHOT_NAME = re.compile(r"(\d{20})\.snapshot")
SEGMENT_MAGIC, BATCH_MAGIC, WATERMARK_MAGIC = b"WRPBSEG1", b"WRPBBAT1", b"WRPBMRK1"
SEGMENT_HEADER = struct.Struct("<8sIIQQQQ32s")
BATCH_HEADER = struct.Struct("<8sIIIIQQIIQQ32s")
WATERMARK = struct.Struct("<8sQQ")
RECORD_HEADER = struct.Struct("<HHI")
COMMAND_HEADER = struct.Struct("<Qq")  # sequence, market's time in microseconds; more follows
FIRST_EVENT_TYPE = 1000
NO_HASH = bytes(32)


class Fault(Exception):
    """What is wrong, in one sentence."""


@dataclass(frozen=True)
class Segment:
    """A segment's header, and where the file lies."""
    path: str
    number: int
    rules_version: int
    epoch: int
    first_sequence: int
    size: int  # that it was made with
    previous_hash: bytes


@dataclass(frozen=True)
class Batch:
    offset: int
    end: int  # where the next one begins
    first_sequence: int
    commands: int
    hash: bytes
    previous_hash: bytes
    first_time: int  # of the first command; of a marker without commands 0

    @property
    def last_sequence(self):
        return self.first_sequence + self.commands - 1


def segment_name(number):
    return f"{number:08}.segment"


def read_segment(path):
    """The header of a segment."""
    with open(path, "rb") as file:
        page = file.read(SEGMENT_HEADER.size)
    if len(page) < SEGMENT_HEADER.size:
        raise Fault(f"{path}: it is cut short in its header")
    magic, version, rules, number, epoch, first, size, previous = SEGMENT_HEADER.unpack(page)
    named = SEGMENT_NAME.fullmatch(os.path.basename(path))
    if magic != SEGMENT_MAGIC or version != 1 or not named or int(named.group(1)) != number:
        raise Fault(f"{path}: not a segment of format version 1 under its own number")
    return Segment(path, number, rules, epoch, first, size, previous)


def list_segments(journal):
    """All segments, by number. Those that move to the archive meanwhile are found there."""
    found = {}
    for _ in range(3):
        for folder in (journal, os.path.join(journal, "archive")):
            for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
                if SEGMENT_NAME.fullmatch(name):
                    found[int(SEGMENT_NAME.fullmatch(name).group(1))] = os.path.join(folder, name)
        try:
            segments = [read_segment(found[number]) for number in sorted(found)]
        except FileNotFoundError:
            continue
        numbers = [segment.number for segment in segments]
        if numbers != list(range(numbers[0], numbers[-1] + 1) if numbers else ()):
            raise Fault(f"{journal}: segments are missing: there are {numbers}")
        return segments
    raise Fault(f"{journal}: segments come and go faster than they are listed")


def open_segment(segment):
    """It may have moved to the archive since it was listed."""
    try:
        return open(segment.path, "rb")
    except FileNotFoundError:
        folder, name = os.path.split(segment.path)
        return open(os.path.join(folder, "archive", name), "rb")


def read_batches(segment, file):
    """The batches of a segment that continue it, one after the other, up to the first place where none
    stands that does. `file` is open on the segment."""
    expected, previous, offset = segment.first_sequence, segment.previous_hash, PAGE
    while True:
        batch = _read_batch(segment, file, offset, expected, previous)
        if batch is None:
            return
        yield batch
        expected, previous, offset = batch.first_sequence + batch.commands, batch.hash, batch.end


def _read_batch(segment, file, offset, expected, previous):
    file.seek(offset)
    head = file.read(PAGE)
    if len(head) < BATCH_HEADER.size:
        return None
    (magic, length, _, _, _, epoch, first, commands, _, _, own_offset,
     claimed) = BATCH_HEADER.unpack_from(head)
    if (magic, epoch, first, own_offset, claimed) != (
            BATCH_MAGIC, segment.epoch, expected, offset, previous) or length < BATCH_HEADER.size:
        return None
    body = head[:length] if length <= PAGE else head + file.read(length - PAGE)
    if len(body) < length:
        return None
    time = 0
    if commands:
        time = COMMAND_HEADER.unpack_from(body, BATCH_HEADER.size + RECORD_HEADER.size)[1]
    end = offset + (length + PAGE - 1) // PAGE * PAGE
    return Batch(offset, end, first, commands, hashlib.sha256(body).digest(), claimed, time)


def last_time(file, batch):
    """When its last command was taken, in microseconds of the market's clock."""
    file.seek(batch.offset)
    body = file.read(batch.end - batch.offset)
    length = BATCH_HEADER.unpack_from(body)[1]
    at, time = BATCH_HEADER.size, 0
    while at + RECORD_HEADER.size <= length:
        kind, size, _ = RECORD_HEADER.unpack_from(body, at)
        if kind < FIRST_EVENT_TYPE:
            time = COMMAND_HEADER.unpack_from(body, at + RECORD_HEADER.size)[1]
        at += RECORD_HEADER.size + size
    return time


def read_watermark(journal):
    """The sequence up to which everything is durable."""
    path = os.path.join(journal, "watermark")
    try:
        with open(path, "rb") as file:
            magic, sequence, complement = WATERMARK.unpack(file.read(WATERMARK.size))
    except FileNotFoundError:
        raise Fault(f"{journal}: there is no journal") from None
    except struct.error:
        raise Fault(f"{path} is not a journal's watermark") from None
    if magic != WATERMARK_MAGIC:
        raise Fault(f"{path} is not a journal's watermark")
    return min(sequence, complement ^ 0xFFFFFFFFFFFFFFFF)


def write_watermark(journal, sequence):
    with open(os.path.join(journal, "watermark"), "wb") as file:
        file.write(WATERMARK.pack(WATERMARK_MAGIC, sequence, sequence ^ 0xFFFFFFFFFFFFFFFF))
        file.flush()
        os.fsync(file.fileno())


def list_snapshots(journal):
    """(sequence, path) of each, ascending. A file with a snapshot's name is whole."""
    folder = os.path.join(journal, "snapshots")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [(int(match.group(1)), os.path.join(folder, match.group()))
            for match in map(SNAPSHOT_NAME.fullmatch, names) if match]


def read_cursor(journal, name):
    """How far a reader has gone; None where it has no cursor."""
    try:
        with open(os.path.join(journal, "cursors", name), encoding="ascii") as file:
            return int(file.read().split()[1])
    except FileNotFoundError:
        return None


def end_at_sequence(sequence):
    """Takes batches up to the last one that ends at or before the sequence. Of a marker behind that nobody
    knows whether it is written to its end."""
    return lambda batch, _: max(batch.first_sequence, batch.last_sequence) <= sequence


def whole(_batch, _file):
    """Takes all of a segment that another one follows."""
    return True


def end_at_time(micros):
    """Takes batches up to the last one whose commands were all taken at or before the time."""
    def takes(batch, file):
        if batch.commands == 0:
            return True
        return batch.first_time <= micros and last_time(file, batch) <= micros
    return takes


@dataclass(frozen=True)
class Cut:
    """Where a copy of a segment ends."""
    end: int  # offset behind the last batch that is taken
    last_sequence: int  # of the journal up to there
    last_hash: bytes
    last_time: int  # of the last command in it; 0: it has none
    stopped: bool  # a batch follows that is not taken


def find_cut(segment, takes):
    """Reads a segment's batches up to the first one that `takes` refuses."""
    end, sequence, digest, last, stopped = (
        PAGE, segment.first_sequence - 1, segment.previous_hash, None, False)
    with open_segment(segment) as file:
        for batch in read_batches(segment, file):
            if not takes(batch, file):
                stopped = True
                break
            end, sequence, digest = batch.end, batch.last_sequence, batch.hash
            if batch.commands:
                last = batch
        time = last_time(file, last) if last else 0
    return Cut(end, sequence, digest, time, stopped)
