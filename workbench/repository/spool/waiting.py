"""What of a table waits in the spool: frames of every writer's segments, as any process reads them.

In go the state folder and a table's folder name, out come frames of rows under stored names. A segment that
vanishes while it is read was drained: its rows are in a data file of the version that the caller opens *after* this.
Must not write.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from workbench.repository.layout import BATCH, RECEIVED, SEQUENCE, WRITER
from workbench.repository.physical import UTC_MICROSECONDS
from workbench.repository.spool.segment import START, Frame, Part, frames, numbered, read_header

FOLDER = "spool"
_CACHED_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Waiting:
    """The rows of one batch for one table, not yet read."""

    path: Path
    writer: int
    frame: Frame
    part: Part

    def read(self, descriptor: int | None = None) -> pl.DataFrame | None:
        """The rows under stored names, with the system's columns but without the day; None where they are drained."""
        own = descriptor is None
        try:
            descriptor = os.open(self.path, os.O_RDONLY) if descriptor is None else descriptor
        except FileNotFoundError:
            return None
        try:
            raw = os.pread(descriptor, self.part.size, self.frame.body + self.part.at)
        finally:
            if own:
                os.close(descriptor)
        rows = pl.read_ipc_stream(io.BytesIO(raw))
        return rows.with_columns(
            pl.lit(self.frame.received).cast(UTC_MICROSECONDS).alias(RECEIVED),
            pl.lit(self.frame.batch).alias(BATCH),
            pl.lit(self.writer, pl.Int32).alias(WRITER),
            pl.int_range(self.part.first, self.part.last + 1, dtype=pl.Int64).alias(SEQUENCE),
        )


@dataclass(slots=True)
class _Known:
    """The frames of a segment up to where it was last looked through."""

    inode: int
    writer: int
    end: int
    frames: list[Frame] = field(default_factory=list)


class Spools:
    """All spools of a workspace, as a reader. Keeps what it read of each segment. Safe for threads."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._known: dict[Path, _Known] = {}
        self._rows: dict[tuple[Path, int, int], pl.DataFrame] = {}
        self._bytes = 0
        self._guard = threading.Lock()

    def waiting(self, folder: str) -> list[Waiting]:
        """What waits for a table, by writer and in order of its sequence."""
        found: list[Waiting] = []
        with self._guard:
            there = set()
            for path in self._segments():
                there.add(path)
                known = self._look(path)
                if known is not None:
                    found += [
                        Waiting(path, known.writer, f, p)
                        for f in known.frames
                        for p in f.parts
                        if p.folder == folder
                    ]
            for path in self._known.keys() - there:
                del self._known[path]
            for key in [k for k in self._rows if k[0] not in there]:
                self._bytes -= int(self._rows.pop(key).estimated_size())
        return found

    def read(self, waiting: Iterable[Waiting]) -> list[tuple[Waiting, pl.DataFrame]]:
        """The rows of what waits, without what was drained meanwhile."""
        found: list[tuple[Waiting, pl.DataFrame]] = []
        for one in waiting:
            key = (one.path, one.frame.body, one.part.at)
            rows = self._rows.get(key)
            if rows is None:
                rows = one.read()
                if rows is None:
                    continue
                with self._guard:
                    size = int(rows.estimated_size())
                    if self._bytes + size <= _CACHED_BYTES and key not in self._rows:
                        self._rows[key] = rows
                        self._bytes += size
            found.append((one, rows))
        return found

    def _segments(self) -> list[Path]:
        try:
            writers = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        return [path for writer in writers for _, path in numbered(self._folder / writer)]

    def _look(self, path: Path) -> _Known | None:
        known = self._known.get(path)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            inode = os.fstat(descriptor).st_ino
            header = read_header(descriptor)
            if header is None:
                return None
            if known is None or known.inode != inode:
                known = self._known[path] = _Known(inode, header.writer, START)
            if header.mark > known.end:
                for frame in frames(descriptor, known.end, header.mark):
                    known.frames.append(frame)
                    known.end = frame.end
            return known
        finally:
            os.close(descriptor)


def not_drained(waiting: Sequence[Waiting], drained: Mapping[int, int]) -> list[Waiting]:
    """Those that are not in the version whose last sequence number by writer is `drained`."""
    return [w for w in waiting if w.part.first > drained.get(w.writer, 0)]


def within(waiting: Sequence[Waiting], time_range: tuple[int | None, int | None]) -> list[Waiting]:
    """Those that can hold rows of a range of time (both bounds inside, in µs)."""
    start, end = time_range
    return [
        w for w in waiting if (end is None or w.part.start <= end) and (start is None or w.part.end >= start)
    ]
