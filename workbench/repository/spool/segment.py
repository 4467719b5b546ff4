"""One segment of the spool: a file of frames, each a batch, with checks that tell good bytes from torn ones.

In go batches as bytes, out come frames. The writer syncs a segment and then moves its *mark*; readers look no
further than the mark, so what a query saw can't be taken back. After a crash the frames behind the mark whose
checks fit are kept, too; what does not fit is cut off. Must not know tables' content.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

MAGIC = b"WBSPOOL1"
FRAME = b"WBFR"
_HEADER = struct.Struct("<8sIQQQI")  # magic, writer, number, number and end of the one before, check
_MARK = struct.Struct("<Q")
_MARK_AT = 48
START = 64
"""Where the first frame begins."""
_FRAME = struct.Struct("<4sIQII")  # magic, bytes of head and body, check of head, check of body
NONE_BEFORE = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table in a frame: an Arrow stream of `size` bytes, `at` bytes into the frame's body.

    `first` is the sequence number of the first row, `start` and `end` the span of its times in µs.
    """

    table: str
    folder: str
    first: int
    rows: int
    start: int
    end: int
    at: int
    size: int

    @property
    def last(self) -> int:
        """The sequence number of the last row."""
        return self.first + self.rows - 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One batch as it lies in a segment; `body` is where its bytes begin, `end` where the next frame does."""

    body: int
    end: int
    received: int
    batch: str
    sender: str
    number: int
    parts: tuple[Part, ...] = field(default=())

    def head(self) -> bytes:
        """The frame's head as it is written."""
        told: dict[str, Any] = {"received": self.received, "batch": self.batch}
        if self.sender:
            told |= {"sender": self.sender, "number": self.number}
        told["parts"] = [
            [p.table, p.folder, p.first, p.rows, p.start, p.end, p.at, p.size] for p in self.parts
        ]
        return orjson.dumps(told)


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a segment: who wrote it, and where the one before it ends (None: there was none)."""

    writer: int
    number: int
    before: tuple[int, int] | None
    mark: int


def file_name(number: int) -> str:
    """The name of a segment's file."""
    return f"{number:012}.segment"


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """The segments of a folder by number."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = [(int(n[:12]), folder / n) for n in names if n.endswith(".segment") and n[:12].isdigit()]
    return sorted(found)


def create(path: Path, writer: int, number: int, before: tuple[int, int] | None) -> int:
    """Make a segment without frames, on disk when this returns; gives its open descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        last, end = before or (NONE_BEFORE, 0)
        told = _HEADER.pack(MAGIC, writer, number, last, end, 0)[:-4]
        raw = told + struct.pack("<I", zlib.crc32(told))
        raw = raw.ljust(_MARK_AT, b"\0") + _MARK.pack(START)
        os.pwrite(descriptor, raw.ljust(START, b"\0"), 0)
        os.lseek(descriptor, START, os.SEEK_SET)
        os.fsync(descriptor)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def set_mark(descriptor: int, length: int) -> None:
    """Let readers see the segment up to `length`; what lies there is synced."""
    os.pwrite(descriptor, _MARK.pack(length), _MARK_AT)


def read_header(descriptor: int) -> Header | None:
    """The head of a segment; None for a file that is none, or one that was cut while it was made."""
    raw = os.pread(descriptor, START, 0)
    if len(raw) < START:
        return None
    magic, writer, number, last, end, check = _HEADER.unpack_from(raw)
    if magic != MAGIC or check != zlib.crc32(raw[: _HEADER.size - 4]):
        return None
    (mark,) = _MARK.unpack_from(raw, _MARK_AT)
    return Header(writer, number, None if last == NONE_BEFORE else (last, end), mark)


def encoded(frame: Frame, body: Sequence[bytes], check: int) -> list[bytes]:
    """The bytes of a frame; `check` is the CRC-32 of the whole body."""
    head = frame.head()
    size = sum(map(len, body))
    return [_FRAME.pack(FRAME, len(head), size, zlib.crc32(head), check), head, *body]


def frames(descriptor: int, start: int, stop: int) -> Iterator[Frame]:
    """The frames from `start` to `stop`, without a look at their bodies; ends where one does not fit."""
    at = start
    while (found := _frame_at(descriptor, at, stop)) is not None:
        yield found[0]
        at = found[0].end


def _frame_at(descriptor: int, at: int, stop: int) -> tuple[Frame, int] | None:
    """The frame that begins at `at`, and the check of its body; None where none lies there whole."""
    if at + _FRAME.size > stop:
        return None
    # Most heads are short: one read gets both.
    raw = os.pread(descriptor, min(_FRAME.size + 512, stop - at), at)
    magic, length, size, head_check, check = _FRAME.unpack_from(raw)
    body = at + _FRAME.size + length
    if magic != FRAME or body + size > stop:
        return None
    head = raw[_FRAME.size : _FRAME.size + length]
    if len(head) < length:
        head = os.pread(descriptor, length, at + _FRAME.size)
    if zlib.crc32(head) != head_check:
        return None
    told = orjson.loads(head)
    parts = tuple(Part(*part) for part in told["parts"])
    return Frame(
        body, body + size, told["received"], told["batch"], told.get("sender", ""), told.get("number", 0), parts
    ), check  # fmt: skip


def is_whole(descriptor: int, frame: Frame, check: int) -> bool:
    """Whether the body of a frame has the bytes that were written."""
    found, at = 0, frame.body
    while at < frame.end:
        piece = os.pread(descriptor, min(1 << 20, frame.end - at), at)
        if not piece:
            return False
        found, at = zlib.crc32(piece, found), at + len(piece)
    return found == check


@dataclass(frozen=True, slots=True)
class Checked:
    """A segment after a look at each byte: its good frames, the bytes that are not, and where the good ones end."""

    frames: tuple[Frame, ...]
    end: int
    lost: int
    holes: int


def checked(descriptor: int, mark: int, length: int) -> Checked:
    """Look through a whole segment.

    Behind the first bad frame all is cut off where nobody was told of it; before the mark, where every frame was
    acknowledged once, the search goes on to the next good frame: a hole costs what lies in it and no more.
    """
    found: list[Frame] = []
    at, lost, holes = START, 0, 0
    while at < length:
        next_ = _frame_at(descriptor, at, length)
        if next_ is not None and is_whole(descriptor, *next_):
            found.append(next_[0])
            at = next_[0].end
            continue
        after = (
            next_[0].end if next_ is not None and next_[0].end < mark else _search(descriptor, at + 1, mark)
        )
        if after is None:
            return Checked(tuple(found), at, lost + max(0, length - at), holes + (1 if at < mark else 0))
        lost, holes, at = lost + after - at, holes + 1, after
    return Checked(tuple(found), at, lost, holes)


def _search(descriptor: int, at: int, stop: int) -> int | None:
    """Where the next frame with a good head begins, before `stop`."""
    while at < stop:
        piece = os.pread(descriptor, min(1 << 20, stop - at), at)
        place = piece.find(FRAME)
        if place < 0:
            at += max(1, len(piece) - len(FRAME) + 1)
            continue
        if _frame_at(descriptor, at + place, stop) is not None:
            return at + place
        at += place + 1
    return None
