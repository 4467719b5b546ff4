"""Segments of the agent's spool: found again at a start, and written anew without what has to go.

In go a folder or a segment, out come segments with their frames counted. A cut or damaged end is told and taken off.
Must not decide when something goes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.agent import frames
from workbench.collect.agent.frames import Frame, Marks
from workbench.collect.sources._card import Record

log = logging.getLogger("workbench.agent")
BATCH_BYTES = 4 * 2**20
FIRST_TO_GO = "Perf"
_GONE = -1


@dataclass(slots=True)
class Segment:
    """A file of frames: its number, where its good bytes end, its last batch number, and bytes that may go."""

    number: int
    path: Path
    start: int
    end: int
    last: int = 0
    perf: int = 0
    others: int = 0

    def count(self, frame: Frame, size: int) -> None:
        """Take a frame into account."""
        self.last = max(self.last, frame.number)
        if frame.number and not frame.lost:
            if frame.table == FIRST_TO_GO:
                self.perf += size
            else:
                self.others += size


@dataclass(slots=True)
class Recovered:
    """What an earlier process left: segments, the marks of all sources, the last number, bytes that are damaged."""

    segments: list[Segment] = field(default_factory=list)
    marks: Marks = field(default_factory=dict)
    last: int = 0
    lost: int = 0


def framed(table: str, records: Sequence[Record], more: Mapping[str, Any]) -> list[Frame]:
    """The records of a batch, in parts of a bearable size."""
    if not records:
        return []
    text = frames.text_of(table, records, more)
    if len(text) > BATCH_BYTES and len(records) > 1:
        half = len(records) // 2
        return framed(table, records[:half], more) + framed(table, records[half:], more)
    return [Frame(0, table, len(records), len(text), frames.squeezed(text))]


def marked(marks: Marks, frame: Frame) -> None:
    """Put the marks of a frame to those that are known."""
    if frame.marks:
        kept = {**marks.get(frame.scope, {}), **frame.marks}
        marks[frame.scope] = {name: value for name, value in kept.items() if value is not None}


def recovered(folder: Path) -> Recovered:
    """The segments of a folder; the last one, which may have been cut by a kill, is looked through byte by byte."""
    found = Recovered()
    there = frames.numbered(folder)
    for place, (number, path) in enumerate(there):
        descriptor = os.open(path, os.O_RDWR)
        try:
            length = os.fstat(descriptor).st_size
            is_last = place == len(there) - 1
            end = length if is_last else _end_told(there[place + 1][1], number) or length
            _recover(found, number, path, descriptor, end, is_last=is_last)
        finally:
            os.close(descriptor)
    return found


def _recover(found: Recovered, number: int, path: Path, descriptor: int, end: int, *, is_last: bool) -> None:
    state = frames.found_at(descriptor, 0, end)
    start = 0
    if state is not None and "marks" in state.head:
        start = state.end
        found.last = max(found.last, state.head["last"])
        found.marks = state.head["marks"]
    segment = Segment(number, path, start, start)
    for group, lost in frames.groups(descriptor, start, end, look=is_last):
        found.lost += lost
        for one in group:
            frame = one.frame()
            segment.count(frame, one.end - one.body)
            found.last = max(found.last, frame.number)
            marked(found.marks, frame)
        segment.end = group[-1].end
    if is_last and segment.end < end:
        log.warning("%s: %d bytes at its end were not written whole and are cut", path, end - segment.end)
        os.ftruncate(descriptor, segment.end)
        os.fsync(descriptor)
    found.segments.append(segment)


def thinned(segment: Segment, goes: Callable[[Frame], bool], acknowledged: int, computer: str) -> int:
    """Write a segment anew without the frames that go; gives how many records they had.

    A record that tells so stands in the place, and under the number, of the last of them: it is there exactly if
    they are not. Frames up to the number `acknowledged` are left out, too; they are no loss.
    """
    kept: list[Frame] = []
    lost = last = 0
    descriptor = os.open(segment.path, os.O_RDONLY)
    try:
        pieces = [os.pread(descriptor, segment.start, 0)]
        for group, _ in frames.groups(descriptor, segment.start, segment.end, look=False):
            for one in group:
                frame = one.frame(frames.body_of(descriptor, one))
                if 0 < frame.number <= acknowledged:
                    continue
                if goes(frame):
                    lost, last = lost + (frame.lost or frame.rows), frame.number
                    frame = Frame(frame.number, lost=_GONE)
                kept.append(replace(frame, place=(0, 1)))
    finally:
        os.close(descriptor)
    fresh = replace(segment, last=0, perf=0, others=0)
    for frame in kept:
        if frame.lost == _GONE and frame.number != last:
            continue
        told = _dropped(last, lost, computer) if frame.lost == _GONE else frame
        pieces.append(told.encoded())
        fresh.count(told, len(pieces[-1]))
    os.close(frames.write_file(segment.path, pieces))
    segment.end = sum(map(len, pieces))
    segment.last, segment.perf, segment.others = fresh.last, fresh.perf, fresh.others
    return lost


def _dropped(number: int, lost: int, computer: str) -> Frame:
    record = {
        "TimeGenerated": format_datetime(clock.now_ticks()),
        "Computer": computer,
        "OperationCategory": "Data Collection",
        "OperationStatus": "Warning",
        "OperationKey": "spool full",
        "Detail": f"the agent's spool was full: {lost} records were dropped, oldest Perf first",
        "Count": lost,
    }
    (frame,) = framed("Operation", [record], {})
    return replace(frame, number=number, lost=lost)


def _end_told(path: Path, number: int) -> int | None:
    """Where the segment `number` ends, as the one behind it tells."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        state = frames.found_at(descriptor, 0, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    before = state.head.get("before") if state is not None else None
    return int(before[1]) if before and before[0] == number else None
