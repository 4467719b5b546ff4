"""Group commit: batches of many senders go to the segment in one write and one sync, then their senders hear of it.

In go rows under stored names, out comes whether they are new; when `add` returns they are on disk and every scan
sees them. One thread writes. It gives the sequence numbers, so that what readers see is always a prefix of each
writer's rows. After a failed sync nobody may trust the segment's end: it is closed there, its successor says where
it ends, and the batches concerned are refused; their senders try again.
"""

from __future__ import annotations

import fcntl
import io
import logging
import os
import queue
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from workbench.base import clock
from workbench.base.diagnostics import repository as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.repository.files import open_lock
from workbench.repository.layout import TIME, writer_application
from workbench.repository.spool import segment
from workbench.repository.spool.ledger import Ledger
from workbench.repository.spool.recovery import Segment, last_number, recover
from workbench.repository.spool.room import Room, room
from workbench.repository.spool.segment import START, Frame, Part
from workbench.repository.spool.waiting import FOLDER, Waiting
from workbench.repository.store import Store

log = logging.getLogger("workbench.spool")
FIRST_WRITER = 1000
"""Spools number their rows apart from processes that append by themselves (see `writers`)."""
_MOST_SPOOLS = 1000
SEGMENT_BYTES = 64 * 2**20
WAITING_BYTES = 1024 * 2**20
"""So much may wait for the drain before senders are asked to wait."""
QUEUE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table under stored names (`repository.append.placed`), without the system's columns but the time."""

    table: str
    folder: str
    frame: pl.DataFrame


@dataclass(slots=True)
class _Job:
    parts: list[tuple[Part, bytes]]
    check: int
    batch: str
    sender: str
    number: int
    own: bool
    done: Future[bool] = field(default_factory=Future)

    @property
    def size(self) -> int:
        return sum(len(raw) for _, raw in self.parts)


class Spool:
    """The spool that this process writes. Safe for threads; `close` it.

    Attributes
    ----------
    writer : int
        The `_Writer` of its rows.
    recovered : Recovered
        What an earlier process had left.
    """

    def __init__(self, store: Store, reserve: int | None = None) -> None:
        self._store = store
        self._reserve = reserve
        self.writer, self._lock = _free_writer(store.state)
        self.folder = store.state / FOLDER / str(self.writer)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ledger = Ledger(self.folder)
        self._ledger.load(clock.now_us())
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._queued = 0
        self._guard = threading.Lock()
        self._turn = threading.Lock()  # held while frames are written, and while a segment is closed or goes
        self._closed = False
        found = recover(self.folder, self._ledger)
        self.segments, self.recovered = found.segments, found.told
        self._next = {folder: self._behind(folder, first) for folder, first in found.first_free.items()}
        self._descriptor: int | None = None
        self._number = last_number(self.folder) + 1
        self._before = (self.segments[-1].number, self.segments[-1].end) if self.segments else None
        self._thread = threading.Thread(target=self._write_all, name="spool", daemon=True)
        self._thread.start()

    # ---- senders ------------------------------------------------------------------------------

    def add(self, rows: Sequence[Rows], batch: str = "", sender: str = "", number: int = 0, *, own: bool = False) -> bool:  # fmt: skip
        """Store a batch, all of it or nothing; returns when it is on disk.

        Parameters
        ----------
        rows : sequence of Rows
        batch : str
            32 hexadecimal digits; the same batch within 24 hours is stored once. "" is always new.
        sender : str
            Of a sender that numbers its batches from 1; a number up to its last one was stored before.
        number : int
        own : bool
            What the service tells of itself: it may use a part of the disk's reserve.

        Returns
        -------
        bool
            False where the batch was known: nothing was stored.

        Raises
        ------
        WorkbenchError
            REP301 too much waits already, REP302 the disk's reserve is reached, REP303 it could not be synced.
            Nothing of the batch was stored.
        """
        job = _encoded(rows, batch, sender, number, own)
        size = job.size
        with self._guard:
            if self._closed:
                raise diagnostics.spool_closed()
            if (self._queued and self._queued + size > QUEUE_BYTES) or self.waiting_bytes > WAITING_BYTES:
                raise diagnostics.too_much_waits(self._queued + self.waiting_bytes)
            self._queued += size
            self._jobs.put(job)
        try:
            return job.done.result()
        finally:
            with self._guard:
                self._queued -= size

    def last_number(self, sender: str) -> int:
        """The last number of a numbered sender that is stored."""
        with self._turn:
            return self._ledger.last(sender)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of segments that are not drained."""
        return sum(s.end - START for s in list(self.segments))

    def room(self) -> Room:
        """The room on its disk."""
        return room(self.folder, self._reserve)

    def close(self) -> None:
        """Write what was handed over, then end. What waits stays for the next process."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        if self._descriptor is not None:
            os.close(self._descriptor)
        os.close(self._lock)

    # ---- the writing thread -------------------------------------------------------------------

    def _write_all(self) -> None:
        ended = False
        while not ended:
            jobs: list[_Job] = []
            first = self._jobs.get()
            while True:
                if first is None:
                    ended = True
                    break
                jobs.append(first)
                try:
                    first = self._jobs.get_nowait()
                except queue.Empty:
                    break
            if jobs:
                self._group(jobs)

    def _group(self, jobs: Sequence[_Job]) -> None:
        with self._turn:
            try:
                found = self.room()
                fresh, known = self._commit([job for job in jobs if found.takes(own=job.own)])
            except Exception as why:  # noqa: BLE001 - each sender hears of it; the thread goes on
                failed = why if isinstance(why, WorkbenchError) else _unsynced(why)
                for job in jobs:
                    job.done.set_exception(failed)
                return
        for job in fresh:
            job.done.set_result(True)
        for job in known:
            job.done.set_result(False)
        for job in jobs:
            if not found.takes(own=job.own):
                job.done.set_exception(diagnostics.reserve_reached(str(self.folder)))

    def _commit(self, jobs: Sequence[_Job]) -> tuple[list[_Job], list[_Job]]:
        """Write and sync a group; gives the batches that are new and those that were known."""
        received = clock.now_us()
        self._ledger.forget(received)
        fresh: list[_Job] = []
        known: list[_Job] = []
        ids: set[tuple[str, str, int]] = set()
        for job in jobs:
            key = (job.batch, job.sender, job.number)
            twice = (job.batch or job.sender) and key in ids
            if twice or self._ledger.knows(*key):
                known.append(job)
            else:
                ids.add(key)
                fresh.append(job)
        if fresh:
            self._store_all(fresh, received)
        return fresh, known

    def _store_all(self, jobs: Sequence[_Job], received: int) -> None:
        current = self._current()
        assert self._descriptor is not None
        before = dict(self._next)
        at, buffers, made = current.end, [], []
        for job in jobs:
            parts = []
            for part, _ in job.parts:
                first = self._first_free(part.folder)
                self._next[part.folder] = first + part.rows
                parts.append(replace(part, first=first))
            frame = Frame(0, 0, received, job.batch, job.sender, job.number, tuple(parts))
            raw = segment.encoded(frame, [r for _, r in job.parts], job.check)
            body = at + len(raw[0]) + len(raw[1])
            at = body + job.size
            buffers += raw
            made.append(replace(frame, body=body, end=at))
        try:
            _write(self._descriptor, buffers)
            os.fdatasync(self._descriptor)
        except BaseException:
            # The numbers were never seen by anybody: the next batch gets them.
            self._next = before
            self._abandon()
            raise
        segment.set_mark(self._descriptor, at)
        current.end = at
        current.frames += made
        for frame in made:
            self._ledger.add(frame)

    def _first_free(self, folder: str) -> int:
        found = self._next.get(folder)
        if found is None:
            found = self._next[folder] = self._behind(folder, 1)
        return found

    def _behind(self, folder: str, first: int) -> int:
        """The first sequence number from `first` that is above those in the table's log."""
        drained = self._store.log_of_folder(folder).transaction_version(writer_application(self.writer))
        return max(first, (drained or 0) + 1)

    def _current(self) -> Segment:
        """The segment to write to; a new one where there is none or it is full."""
        if self._descriptor is not None and self.segments[-1].end >= SEGMENT_BYTES:
            self._shut()
        if self._descriptor is None:
            path = self.folder / segment.file_name(self._number)
            self._descriptor = segment.create(path, self.writer, self._number, self._before)
            self.segments.append(Segment(self._number, path))
            self._number += 1
        return self.segments[-1]

    def _shut(self) -> None:
        """End the current segment; the next batch begins another."""
        assert self._descriptor is not None
        os.close(self._descriptor)
        self._descriptor = None
        self._before = (self.segments[-1].number, self.segments[-1].end)

    def _abandon(self) -> None:
        log.error("segment %s can't be trusted behind byte %d", self.segments[-1].path, self.segments[-1].end)
        descriptor, end = self._descriptor, self.segments[-1].end
        assert descriptor is not None
        try:
            os.ftruncate(
                descriptor, end
            )  # so that a start finds nothing there; its successor says so as well
            os.lseek(descriptor, end, os.SEEK_SET)
        except OSError:
            pass
        self._shut()

    # ---- the drainer --------------------------------------------------------------------------

    def turn_over(self) -> None:
        """End the current segment where it has frames, so that it can go once it is drained."""
        with self._turn:
            if self._descriptor is not None and self.segments[-1].frames:
                self._shut()

    def waiting(self) -> dict[str, list[Waiting]]:
        """What waits in ended segments, by folder of its table, in the order of its sequence."""
        found: dict[str, list[Waiting]] = {}
        for one in self._ended():
            for frame in one.frames:
                for part in frame.parts:
                    found.setdefault(part.folder, []).append(Waiting(one.path, self.writer, frame, part))
        return found

    def retire(self, is_drained: Callable[[Frame], bool]) -> int:
        """Delete the ended segments of which all frames are in data files; gives how many went."""
        gone = 0
        for one in self._ended():
            if not all(is_drained(frame) for frame in one.frames):
                break  # in their order: a successor tells where its predecessor ends
            with self._turn:
                self._ledger.keep(one.frames)
                one.path.unlink(missing_ok=True)
                self.segments.remove(one)
            gone += 1
        return gone

    def _ended(self) -> list[Segment]:
        with self._turn:
            return list(self.segments if self._descriptor is None else self.segments[:-1])


def _free_writer(state: Path) -> tuple[int, int]:
    """The lowest writer of a spool that no living process has, and the lock that holds it."""
    for writer in range(FIRST_WRITER, FIRST_WRITER + _MOST_SPOOLS):
        descriptor = open_lock(state / "writers" / f"{writer}.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return writer, descriptor
    raise RuntimeError(f"all {_MOST_SPOOLS} spools are taken")


def _encoded(rows: Sequence[Rows], batch: str, sender: str, number: int, own: bool) -> _Job:
    parts: list[tuple[Part, bytes]] = []
    at = check = 0
    for one in rows:
        if not one.frame.height:
            continue
        out = io.BytesIO()
        one.frame.write_ipc_stream(out)
        raw = out.getvalue()
        times = one.frame[TIME].cast(pl.Int64)
        start, end = int(times.min()), int(times.max())  # type: ignore[arg-type]
        parts.append((Part(one.table, one.folder, 0, one.frame.height, start, end, at, len(raw)), raw))
        check = zlib.crc32(raw, check)
        at += len(raw)
    return _Job(parts, check, batch, sender, number, own)


def _write(descriptor: int, buffers: Sequence[bytes]) -> None:
    """All of the buffers, however little the kernel takes at once."""
    for some in _pieces(buffers):
        left = sum(map(len, some))
        done = os.writev(descriptor, some)
        if done < left:
            rest = b"".join(some)[done:]
            while rest:
                rest = rest[os.write(descriptor, rest) :]


def _pieces(buffers: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(buffers), 512):  # the kernel takes at most 1,024 at once
        yield buffers[start : start + 512]


def _unsynced(why: Exception) -> WorkbenchError:
    return diagnostics.not_synced(str(why))
