"""A segment file of the agent's spool: frames with checks, and the state that each segment begins with.

In go batches as compressed JSON, out come frames. A group of frames was written at once and counts as a whole
or not at all. The first frame of a segment is its *state*: the next number, the marks of all sources, and where
the segment before it ends; so segments before it may go at any time. Must not know what records mean.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

MAGIC = b"WBAF"
_FRAME = struct.Struct("<4sIIII")  # magic, bytes of head and body, check of head, check of body
Marks = dict[str, dict[str, Any]]
"""Source → name → value."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One batch in a segment; `number` 0: it has marks only.

    Attributes
    ----------
    number : int
    table : str
    rows : int
    size : int
        Bytes of the records as JSON.
    body : bytes
        A gzip member: the rest of a JSON object behind its number (`"table":…,"records":[…]}`).
    scope : str
        The source, for its marks.
    marks : mapping
    place : tuple of int
        Which frame of its group this is, and of how many.
    lost : int
        Of a frame that stands for dropped ones: how many records they had.
    """

    number: int
    table: str = ""
    rows: int = 0
    size: int = 0
    body: bytes = b""
    scope: str = ""
    marks: Mapping[str, Any] = field(default_factory=dict)
    place: tuple[int, int] = (0, 1)
    lost: int = 0

    def encoded(self) -> bytes:
        """The frame as it lies in the file."""
        told: dict[str, Any] = {"n": self.number, "t": self.table, "r": self.rows, "s": self.size}
        if self.marks:
            told |= {"o": self.scope, "m": dict(self.marks)}
        if self.place != (0, 1):
            told["g"] = list(self.place)
        if self.lost:
            told["l"] = self.lost
        return _packed(orjson.dumps(told), self.body)


@dataclass(frozen=True, slots=True)
class State:
    """What a segment begins with: the number before its first, all marks, and the segment before with its end."""

    last: int
    marks: Marks
    before: tuple[int, int] | None

    def encoded(self) -> bytes:
        return _packed(orjson.dumps({"last": self.last, "marks": self.marks, "before": self.before}), b"")


@dataclass(frozen=True, slots=True)
class Found:
    """A frame's place in its file: head as it stands, where its body begins, where the next frame does."""

    head: dict[str, Any]
    body: int
    end: int
    check: int

    def is_whole(self, body: bytes) -> bool:
        return len(body) == self.end - self.body and zlib.crc32(body) == self.check

    def frame(self, body: bytes = b"") -> Frame:
        head = self.head
        place = tuple(head.get("g", (0, 1)))
        return Frame(
            head["n"], head["t"], head["r"], head["s"], body, head.get("o", ""), head.get("m", {}),
            (place[0], place[1]), head.get("l", 0),
        )  # fmt: skip


def text_of(table: str, records: Sequence[Mapping[str, Any]], more: Mapping[str, Any] | None = None) -> bytes:
    """The JSON of a batch behind its number.

    Examples
    --------
    >>> text_of("App", [{"Level": "info"}])
    b'"table":"App","records":[{"Level":"info"}]}'
    """
    told = {"table": table, **(more or {}), "records": records}
    try:
        return orjson.dumps(told, default=str, option=orjson.OPT_NON_STR_KEYS)[1:]
    except TypeError:  # a number beyond 64 bit, or half of a surrogate pair: the slow way writes both
        return json.dumps(told, default=str, separators=(",", ":")).encode()[1:]


def squeezed(text: bytes) -> bytes:
    """A gzip member; members may be put behind one another."""
    return gzip.compress(text, 1, mtime=0)


def file_name(number: int) -> str:
    return f"{number:012}.spool"


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """The segments of a folder by number; what was being made at a kill is removed."""
    found = []
    for path in folder.iterdir():
        if path.name.endswith(".new"):
            path.unlink()
        elif path.suffix == ".spool" and path.stem.isdigit():
            found.append((int(path.stem), path))
    return sorted(found)


def write_file(path: Path, pieces: Sequence[bytes]) -> int:
    """Make a file, or replace it, as a whole and on disk; gives its open descriptor, at its end."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, b"".join(pieces))
        os.fsync(descriptor)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """All of the bytes, however little the kernel takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def found_at(descriptor: int, at: int, stop: int) -> Found | None:
    """The frame that begins at `at`, without a look at its body; None where none lies there whole."""
    if at + _FRAME.size > stop:
        return None
    raw = os.pread(descriptor, min(_FRAME.size + 512, stop - at), at)
    if len(raw) < _FRAME.size:
        return None
    magic, length, size, head_check, check = _FRAME.unpack_from(raw)
    body = at + _FRAME.size + length
    if magic != MAGIC or body + size > stop:
        return None
    head = raw[_FRAME.size : _FRAME.size + length]
    if len(head) < length:
        head = os.pread(descriptor, length, at + _FRAME.size)
    if _head_check(head, size) != head_check:
        return None
    return Found(orjson.loads(head), body, body + size, check)


def body_of(descriptor: int, found: Found) -> bytes:
    return os.pread(descriptor, found.end - found.body, found.body)


def search(descriptor: int, at: int, stop: int) -> int | None:
    """Where the next frame with a good head begins, from `at` on."""
    while at < stop:
        piece = os.pread(descriptor, min(1 << 20, stop - at), at)
        place = piece.find(MAGIC)
        if place < 0:
            at += max(1, len(piece) - len(MAGIC) + 1)
            continue
        if found_at(descriptor, at + place, stop) is not None:
            return at + place
        at += place + 1
    return None


def groups(descriptor: int, at: int, stop: int, *, look: bool) -> Iterator[tuple[list[Found], int]]:
    """The whole groups from `at` to `stop`, each with the bytes before it that were none.

    Parameters
    ----------
    look : bool
        Whether bodies are read, too, and checked.
    """
    group: list[Found] = []
    lost, begin = 0, at  # bytes that are no frames, and where the group at hand begins
    while at < stop:
        found = found_at(descriptor, at, stop)
        if found is None or (look and not found.is_whole(body_of(descriptor, found))):
            after = found.end if found is not None else search(descriptor, at + 1, stop)
            if after is None:
                return
            group, lost, begin, at = [], lost + after - begin, after, after
            continue
        index, of = found.head.get("g", (0, 1))
        if index != len(group):
            group, lost, begin = [], lost + at - begin, at
        at = found.end
        if index != len(group):
            lost, begin = lost + at - begin, at
            continue
        group.append(found)
        if len(group) == of:
            yield group, lost
            group, lost, begin = [], 0, at


def _packed(head: bytes, body: bytes) -> bytes:
    return (
        _FRAME.pack(MAGIC, len(head), len(body), _head_check(head, len(body)), zlib.crc32(body)) + head + body
    )


def _head_check(head: bytes, size: int) -> int:
    """Covers the body's length, too: where the next frame begins must not be a guess."""
    return zlib.crc32(size.to_bytes(4, "little"), zlib.crc32(head))
