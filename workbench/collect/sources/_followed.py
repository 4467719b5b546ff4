"""One text file that is followed: through growth, truncation in place, renaming and removal.

It is held open, so what was written to it until the end is read although its name is gone. How far it
was read is a `Place`: with hashes of its first bytes and of those just before the place, so a file
that was cut back and grew again, or a new one under an old inode, is told from the same one grown.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.collect.sources._allowed import open_file
from workbench.collect.sources._log_forms import Form

READ_BYTES = 2 << 20
TAIL_BYTES = 1 << 19
HEAD_BYTES = 256
FIRST_LINES = 1000
"""Lines of a file that is there before a source's first start."""
ROTATED = re.compile(r"(\.\d+|[-.]\d{8}(-\d+)?|\.old|\.bak|~)$")
NO_TEXT = re.compile(r"\.(gz|xz|bz2|zst|zip|Z|lz4|journal|db|sqlite3?|gpg)(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read.

    Attributes
    ----------
    offset : int
        Bytes that need not be read again.
    head, tail : str
        Hashes of the first bytes, and of the last before `offset` (at most 256 each).
    path : str
        Where the file lay.
    """

    offset: int
    head: str
    tail: str
    path: str = ""

    def json(self) -> dict[str, Any]:
        """As a mark."""
        return asdict(self)


class Followed:
    """A file from the place reached on.

    Parameters
    ----------
    path : Path
    handle : int
        Its descriptor, which is closed with `close`.
    place : Place, optional
        How far it was read before; None: not at all.
    """

    def __init__(self, path: Path, handle: int, place: Place | None) -> None:
        self.path, self.handle, self.place = path, handle, place
        self.named = True
        """Whether its path still leads to it."""
        self.more = False
        """Whether the last reading left text behind it."""
        self.quiet_since = time.monotonic()
        self.former: Place | None = None
        """How far it was read before it was cut back last."""
        self._looked: tuple[int, int] | None = None

    @property
    def quiet(self) -> float:
        """Seconds since it last grew."""
        return time.monotonic() - self.quiet_since

    def close(self) -> None:
        os.close(self.handle)

    def start_at_last_lines(self, form: Form) -> None:
        """Begin with the last 1000 lines instead of the first."""
        size = os.fstat(self.handle).st_size
        start = _start_of_last_lines(self.handle, size)
        encoding, _ = form.text_encoding(os.pread(self.handle, HEAD_BYTES, 0))
        self.place = self._at(min(start + start % 2, size) if encoding.startswith("utf-16") else start)

    def start_at_end(self) -> None:
        """Begin with what is written from now on."""
        self.place = self._at(os.fstat(self.handle).st_size)

    def was_copied_to(self, handle: int) -> bool:
        """Whether this file was cut back, and the one behind the descriptor is the copy made before."""
        place = self.former
        if self.place is not None and not _begins_as(self.handle, self.place):
            place = self.place  # cut back since the last reading
        return place is not None and place.offset > 0 and _begins_as(handle, place)

    def news(
        self, form: Form, allowed: Sequence[Path], *, flush_after: float, ended: bool = False
    ) -> list[str] | None:
        """The records behind the place reached, which is moved; None when there is nothing to do.

        Parameters
        ----------
        form : Form
        allowed : sequence of Path
            For the copy of a file that was copied and truncated.
        flush_after : float
            Seconds of quiet after which the last lines count as a whole record.
        ended : bool
            Whether nothing more will be written to it.
        """
        status = os.fstat(self.handle)
        looked = (status.st_size, status.st_mtime_ns)
        if looked != self._looked:
            self._looked, self.quiet_since = looked, time.monotonic()
        elif self.place is not None and self.place.offset >= status.st_size:
            return None
        quiet = self.quiet >= flush_after
        head = os.pread(self.handle, HEAD_BYTES, 0)
        encoding, mark = form.text_encoding(head)
        records: list[str] = []
        start = self.place.offset if self.place is not None else 0
        if self.place is not None and not _begins_as(self.handle, self.place):
            records += self._rest_of_copy(form, encoding, allowed)
            self.former = self.place
            start = self._behind_nulls(head)
        elif start == 0 and b"\0" in head and not encoding.startswith("utf-16"):
            return None  # binary
        start = max(start, mark)
        data = os.pread(self.handle, READ_BYTES, start)
        self.more = full = len(data) == READ_BYTES
        found, used = form.whole_records(data, encoding, full=full, quiet=quiet, ended=ended and not full)
        before = self.place
        self.place = self._at(start + used)
        return records + found if records or found or self.place != before else None

    def _behind_nulls(self, head: bytes) -> int:
        """Where the text begins: a writer that was not told of the truncation goes on at its old place."""
        if not head.startswith(b"\0"):
            return 0
        try:
            start = os.lseek(self.handle, 0, os.SEEK_DATA)
        except OSError:  # nothing but a hole
            return os.fstat(self.handle).st_size
        data = os.pread(self.handle, READ_BYTES, start)
        return start + len(data) - len(data.lstrip(b"\0"))

    def _rest_of_copy(self, form: Form, encoding: str, allowed: Sequence[Path]) -> list[str]:
        """What was written after the last reading and before a truncation, out of the copy made of it."""
        assert self.place is not None
        place = self.place
        for copy in self._copies():
            try:
                handle = open_file(copy, allowed)
            except (OSError, WorkbenchError):
                continue
            try:
                if place.offset and _begins_as(handle, place):
                    return self._all_from(handle, form, encoding)
            finally:
                os.close(handle)
        return []

    def _all_from(self, handle: int, form: Form, encoding: str) -> list[str]:
        """All records of a copy behind the place reached."""
        assert self.place is not None
        offset = self.place.offset
        records: list[str] = []
        while data := os.pread(handle, READ_BYTES, offset):
            full = len(data) == READ_BYTES
            found, used = form.whole_records(data, encoding, full=full, ended=not full)
            records += found
            offset += used
            if not used:
                break
        return records

    def _copies(self) -> Iterator[Path]:
        """Files beside it that are named like a copy of it, newest first."""
        name, stem = self.path.name, self.path.name.partition(".")[0]
        try:
            near = [p for p in self.path.parent.iterdir() if p.name.startswith(stem) and p.name != name]
            near.sort(key=lambda p: p.lstat().st_mtime_ns, reverse=True)
        except OSError:  # removed meanwhile
            return
        yield from (p for p in near[:20] if not NO_TEXT.search(p.name))

    def _at(self, offset: int) -> Place:
        head = os.pread(self.handle, min(HEAD_BYTES, offset), 0)
        return Place(offset, _hash(head), _tail_at(self.handle, offset), str(self.path))


def _begins_as(handle: int, place: Place) -> bool:
    """Whether a file is the one of the place, grown or not: it has the same bytes around it."""
    head = os.pread(handle, min(HEAD_BYTES, place.offset), 0)
    return (
        os.fstat(handle).st_size >= place.offset
        and _hash(head) == place.head
        and _tail_at(handle, place.offset) == place.tail
    )


def _tail_at(handle: int, offset: int) -> str:
    length = min(HEAD_BYTES, offset)
    return _hash(os.pread(handle, length, offset - length))


def _start_of_last_lines(handle: int, size: int) -> int:
    """Where the last `FIRST_LINES` lines of a file start (looked for in its last `TAIL_BYTES`)."""
    begin = max(0, size - TAIL_BYTES) & ~1
    data = os.pread(handle, size - begin, begin)
    place = len(data)
    for _ in range(FIRST_LINES + 1):
        place = data.rfind(b"\n", 0, place)
        if place < 0:
            # Fewer lines than asked for: from the file's start, or from the first whole line.
            return 0 if begin == 0 else begin + data.find(b"\n") + 1
    return begin + place + 1


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
