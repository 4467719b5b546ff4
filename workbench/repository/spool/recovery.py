"""What an earlier process left in a spool: its segments, looked through byte by byte, and what could not be read.

In goes the spool's folder, out come segments with their good frames; the bad tail of each is cut off. Must not write
frames.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.repository.spool import segment
from workbench.repository.spool.ledger import Ledger
from workbench.repository.spool.segment import START, Frame


@dataclass(slots=True)
class Segment:
    """A segment that is not drained yet, with its frames."""

    number: int
    path: Path
    frames: list[Frame] = field(default_factory=list)
    end: int = START


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the spool found at its start: batches that had waited, and bytes that could not be read."""

    batches: int = 0
    rows: int = 0
    lost_bytes: int = 0
    holes: int = 0


@dataclass(slots=True)
class Found:
    """All of it, and by table folder the first sequence number that no frame has."""

    segments: list[Segment] = field(default_factory=list)
    first_free: dict[str, int] = field(default_factory=dict)
    told: Recovered = Recovered()


def recover(folder: Path, ledger: Ledger) -> Found:
    """Look through all segments of a spool; the batches in them are in the ledger when this returns."""
    made = Found()
    batches = rows = lost = holes = 0
    there = segment.numbered(folder)
    for place, (number, path) in enumerate(there):
        descriptor = os.open(path, os.O_RDWR)
        try:
            header = segment.read_header(descriptor)
            length = os.fstat(descriptor).st_size
            if header is None:
                lost += max(0, length - START)
                path.rename(path.with_suffix(".damaged")) if length > START else path.unlink()
                continue
            length = min(length, _end_told(there[place + 1 :], number) or length)
            found = segment.checked(descriptor, header.mark, length)
            os.ftruncate(descriptor, found.end)
            os.fsync(descriptor)
            segment.set_mark(descriptor, found.end)
        finally:
            os.close(descriptor)
        lost, holes = lost + found.lost, holes + found.holes
        batches += len(found.frames)
        for frame in found.frames:
            ledger.add(frame)
            for part in frame.parts:
                rows += part.rows
                made.first_free[part.folder] = max(made.first_free.get(part.folder, 1), part.last + 1)
        made.segments.append(Segment(number, path, list(found.frames), found.end))
    made.told = Recovered(batches, rows, lost, holes)
    return made


def last_number(folder: Path) -> int:
    """The greatest number of a segment in a spool, 0 without one."""
    return max((number for number, _ in segment.numbered(folder)), default=0)


def _end_told(after: Sequence[tuple[int, Path]], number: int) -> int | None:
    """Where the segment `number` ends, as one behind it tells."""
    for _, path in after:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            header = segment.read_header(descriptor)
        finally:
            os.close(descriptor)
        if header is not None and header.before is not None and header.before[0] == number:
            return header.before[1]
    return None
