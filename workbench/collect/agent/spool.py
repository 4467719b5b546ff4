"""The agent's spool on disk: batches in the order of their numbers until the service has acknowledged them.

In go the batches of one reading of a source with its marks, in one synced write, all or none; out come frames,
oldest first. A number is given once for ever: it rises, and begins at each start above the clock, so that even
a state folder that was set back gives no number again. When the spool is full `Perf` goes first, then the
oldest; in the place of what went stands a record that tells how many, and is sent like any other.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.base import clock
from workbench.collect.agent import frames
from workbench.collect.agent.frames import Frame, State
from workbench.collect.agent.segments import FIRST_TO_GO, Segment, framed, marked, recovered, thinned
from workbench.collect.sources._card import Batch

log = logging.getLogger("workbench.agent")
SPOOL_BYTES = 10 * 2**30
SEGMENT_BYTES = 8 * 2**20
MOST_BATCHES = 400
"""In one post: each is two members of its gzip body, and a door takes 1,000 of them."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> None:
    return None


class Spool:
    """The spool in a folder of its own. Safe for threads; one process at a time.

    Parameters
    ----------
    folder : Path
    computer : str
        Named in the records about what was dropped.
    limit : int
        Bytes on disk.
    own_numbers : bool
        Whether this spool gives the numbers (and not the agent that it is kept for).

    Attributes
    ----------
    on_news : callable
        Called when there is something to send.

    Examples
    --------
    >>> import tempfile
    >>> spool = Spool(Path(tempfile.mkdtemp()))
    >>> number = spool.put([Batch("App", [{"Level": "info"}], marks={"offset": 17})], "file")
    >>> [frame.number == number for frame in spool.first()], spool.marks("file")
    ([True], {'offset': 17})
    >>> spool.done(number)
    >>> spool.first()
    []
    """

    def __init__(
        self,
        folder: Path,
        computer: str = "",
        limit: int = SPOOL_BYTES,
        *,
        own_numbers: bool = True,
    ) -> None:
        self._folder = folder
        self._computer = computer
        self._limit = limit
        self._segment_bytes = max(4096, min(SEGMENT_BYTES, limit // 8))
        self._changed = threading.RLock()
        self.on_news: Callable[[], None] = _nothing
        self._acknowledged = 0
        self._in_flight = 0
        self._at = 0
        self._damaged: set[tuple[int, int]] = set()
        folder.mkdir(parents=True, exist_ok=True)
        found = recovered(folder)
        self._segments, self._marks, self._last = found.segments, found.marks, found.last
        self._lost_bytes = found.lost
        if own_numbers:
            self._last = max(self._last, clock.now_us())
        self._descriptor: int | None = None
        self._reading: tuple[int, int] | None = None  # segment that is open to read, and its descriptor

    # ---- sources ------------------------------------------------------------------------------

    def put(
        self,
        batches: Sequence[Batch],
        scope: str = "",
        more: Callable[[str], Mapping[str, Any]] = lambda _: NOTHING,
    ) -> int:
        """Keep batches and the marks they carry; returns when they are on disk.

        Parameters
        ----------
        batches : sequence of Batch
        scope : str
            The source, for its marks.
        more : callable, optional
            Table → what is sent beside its records (the rule they were read for).

        Returns
        -------
        int
            The last number given.

        Raises
        ------
        OSError
            They could not be written; nothing of them is kept, the same may be handed over again.
        """
        made: list[Frame] = []
        for batch in batches:
            made += framed(batch.table, batch.records, more(batch.table))
            if batch.marks:
                made.append(Frame(0, scope=scope, marks=batch.marks))
        with self._changed:
            given = self._last
            for place, frame in enumerate(made):
                given += 1 if frame.rows else 0
                number = given if frame.rows else 0
                made[place] = replace(frame, number=number, place=(place, len(made)))
            # A number that was tried is not given again, however the write ends.
            self._last = given
            self._write(made)
            return given

    def take(self, batches: Sequence[Frame]) -> None:
        """Keep the batches of another agent under its own numbers; those that are known are left out."""
        with self._changed:
            fresh = [frame for frame in batches if frame.number > self._last]
            if fresh:
                self._write([replace(f, place=(n, len(fresh))) for n, f in enumerate(fresh)])
                self._last = max(frame.number for frame in fresh)

    def marks(self, scope: str) -> Mapping[str, Any]:
        """What a source kept with its last batches."""
        with self._changed:
            return dict(self._marks.get(scope, {}))

    def number_from(self, last: int) -> None:
        """Give no number up to `last` any more."""
        with self._changed:
            self._last = max(self._last, last)

    def forget(self, scopes: Sequence[str]) -> None:
        """Drop the marks of sources that are gone for good; on disk with the next segment."""
        with self._changed:
            for scope in scopes:
                self._marks.pop(scope, None)

    def scopes(self) -> list[str]:
        with self._changed:
            return list(self._marks)

    def lost_bytes(self) -> int:
        """Bytes that were found damaged since the last call."""
        with self._changed:
            lost, self._lost_bytes = self._lost_bytes, 0
            return lost

    @property
    def last(self) -> int:
        """The highest number in the spool's life."""
        return self._last

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.end for segment in list(self._segments))

    @property
    def full(self) -> bool:
        """Whether more would make something go."""
        return self.size + self._segment_bytes > self._limit

    # ---- the sender ---------------------------------------------------------------------------

    def first(self, most: int = 1 << 20, most_text: int = 8 << 20) -> list[Frame]:
        """The oldest batches that are not acknowledged, at least one if there is any; they stay."""
        found: list[Frame] = []
        size = text = 0
        with self._changed:
            place, at = 0, self._at
            while place < len(self._segments):
                segment = self._segments[place]
                if at >= segment.end:
                    place, at = place + 1, 0
                    continue
                frame, at = self._read(segment, max(at, segment.start))
                if frame is None or frame.number <= self._acknowledged:
                    continue
                size, text = size + len(frame.body), text + frame.size
                if found and (size > most or text > most_text or len(found) == MOST_BATCHES):
                    break
                found.append(frame)
            if found:
                self._in_flight = found[-1].number
            elif self.waiting:
                # What is left can't be read; it was told, and nothing may wait for it.
                self.done(max(segment.last for segment in self._segments))
        return found

    def done(self, number: int) -> None:
        """All batches up to `number` are stored by the service: what holds no others is deleted."""
        with self._changed:
            self._acknowledged = max(self._acknowledged, number)
            while len(self._segments) > 1 and self._segments[0].last <= self._acknowledged:
                self._remove(self._segments[0])
            if not self._segments:
                return
            segment = self._segments[0]
            at = max(self._at, segment.start)
            descriptor = self._open(segment)
            while at < segment.end:
                head = frames.found_at(descriptor, at, segment.end)
                if head is None:
                    at = frames.search(descriptor, at + 1, segment.end) or segment.end
                elif head.head["n"] > self._acknowledged:
                    break
                else:
                    at = head.end
            self._at = at

    @property
    def waiting(self) -> bool:
        """Whether a batch is not acknowledged."""
        with self._changed:
            return any(segment.last > self._acknowledged for segment in self._segments)

    def close(self) -> None:
        with self._changed:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
            self._close_reading()

    # ---- writing ------------------------------------------------------------------------------

    def _write(self, made: Sequence[Frame]) -> None:
        pieces = [frame.encoded() for frame in made]
        if not pieces:
            return
        segment = self._current()
        assert self._descriptor is not None
        try:
            os.lseek(self._descriptor, segment.end, os.SEEK_SET)
            frames.write_all(self._descriptor, b"".join(pieces))
            os.fdatasync(self._descriptor)
        except BaseException:
            # Nobody may trust what lies behind the end: the next segment says where this one ends.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, segment.end)
            self._end_segment()
            raise
        for frame, piece in zip(made, pieces, strict=True):
            segment.end += len(piece)
            segment.count(frame, len(piece))
            marked(self._marks, frame)
        if self.size > self._limit:
            self._shed()
        self.on_news()

    def _current(self) -> Segment:
        """The segment to write to; a new one where there is none, or it is full."""
        if self._descriptor is not None and self._segments[-1].end >= self._segment_bytes:
            self._end_segment()
        if self._descriptor is None:
            before = (self._segments[-1].number, self._segments[-1].end) if self._segments else None
            number = self._segments[-1].number + 1 if self._segments else 1
            path = self._folder / frames.file_name(number)
            state = State(self._last, self._marks, before).encoded()
            self._descriptor = frames.write_file(path, [state])
            self._segments.append(Segment(number, path, len(state), len(state)))
            # The one before may have been kept for its state alone.
            self.done(self._acknowledged)
        return self._segments[-1]

    def _end_segment(self) -> None:
        assert self._descriptor is not None
        os.close(self._descriptor)
        self._descriptor = None

    # ---- reading ------------------------------------------------------------------------------

    def _read(self, segment: Segment, at: int) -> tuple[Frame | None, int]:
        """The frame at a place (None: damaged, or one with marks only), and where to go on."""
        descriptor = self._open(segment)
        found = frames.found_at(descriptor, at, segment.end)
        if found is None:
            after = frames.search(descriptor, at + 1, segment.end) or segment.end
            self._tell_lost(segment, at, after)
            return None, after
        if not found.head["n"] or found.head["n"] <= self._acknowledged:
            return None, found.end
        body = frames.body_of(descriptor, found)
        if not found.is_whole(body):
            self._tell_lost(segment, at, found.end)
            return None, found.end
        return found.frame(body), found.end

    def _tell_lost(self, segment: Segment, at: int, end: int) -> None:
        if (segment.number, at) not in self._damaged:
            self._damaged.add((segment.number, at))
            self._lost_bytes += end - at
            log.error("%s is damaged: %d bytes of records can't be read", segment.path, end - at)

    def _open(self, segment: Segment) -> int:
        if self._reading is None or self._reading[0] != segment.number:
            self._close_reading()
            self._reading = (segment.number, os.open(segment.path, os.O_RDONLY))
        return self._reading[1]

    def _close_reading(self) -> None:
        if self._reading is not None:
            os.close(self._reading[1])
            self._reading = None

    def _remove(self, segment: Segment) -> None:
        if self._reading is not None and self._reading[0] == segment.number:
            self._close_reading()
        segment.path.unlink(missing_ok=True)
        self._segments.remove(segment)
        self._at = 0

    # ---- a full spool -------------------------------------------------------------------------

    def _shed(self) -> None:
        """Drop the oldest `Perf` batches, then the oldest of all, until the limit holds; never what is on its way."""
        for kind in ("perf", "others"):
            for segment in list(self._segments):
                if self.size <= self._limit:
                    return
                if getattr(segment, kind) and segment.last > max(self._in_flight, self._acknowledged):
                    self._drop(segment, perf_only=kind == "perf")

    def _drop(self, segment: Segment, *, perf_only: bool) -> None:
        """Write a segment anew without what may go; a record of it takes the number of the last that went."""
        if self._descriptor is not None and segment is self._segments[-1]:
            self._end_segment()
            self._current()
        spared = max(self._in_flight, self._acknowledged)

        def goes(frame: Frame) -> bool:
            return frame.number > spared and (bool(frame.lost) or frame.table == FIRST_TO_GO or not perf_only)

        self._close_reading()
        lost = thinned(segment, goes, self._acknowledged, self._computer)
        if segment is self._segments[0]:
            self._at = 0
        log.warning("the spool is full: %d records were dropped", lost)
