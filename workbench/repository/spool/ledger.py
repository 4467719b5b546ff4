"""Which batches are known: those of the last 24 hours by id, and the last number of each numbered sender.

The ids lie in the frames of the segments; when a segment goes, its ids move here first, into a file an hour, and
the numbers into one file that is replaced. At a start all of it is read back, so a batch that was acknowledged
before a crash is known after it. The ids of the running hour are a set; those of hours that are over lie sorted in
16 bytes each, for a day can have millions. Must not decide what a batch is.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path

import orjson

from workbench.repository.files import sync
from workbench.repository.spool.segment import Frame

WINDOW_US = 24 * 3600 * 1_000_000
_HOUR_US = 3600 * 1_000_000
_ENTRY = struct.Struct("<16sQ")
_ID = 16
_SENDERS = "senders.json"


class Ledger:
    """The known batches of one spool. Not safe for threads: the group commit alone asks and writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hours: dict[int, set[bytes]] = {}
        self._past: dict[int, bytes] = {}
        self._senders: dict[str, int] = {}

    def load(self, now: int) -> None:
        """Read what earlier processes kept, without what is older than the window."""
        for name in os.listdir(self._folder):
            if not (name.startswith("batches-") and name[8:].isdigit()):
                continue
            hour = int(name[8:])
            if (hour + 1) * _HOUR_US < now - WINDOW_US:
                (self._folder / name).unlink(missing_ok=True)
                continue
            raw = (self._folder / name).read_bytes()
            whole = len(raw) - len(raw) % _ENTRY.size
            ids = self._hours.setdefault(hour, set())
            ids.update(batch for batch, _ in _ENTRY.iter_unpack(raw[:whole]))
        self._pack(now)
        kept = self._folder / _SENDERS
        if kept.exists():
            self._senders = {k: int(v) for k, v in orjson.loads(kept.read_bytes()).items()}

    def knows(self, batch: str, sender: str, number: int) -> bool:
        """Whether a batch was taken before: a sender's number says so for ever, an id for the window."""
        if sender and number <= self._senders.get(sender, 0):
            return True
        if not batch:
            return False
        key = bytes.fromhex(batch)
        return any(key in ids for ids in self._hours.values()) or any(
            _is_in(key, ids) for ids in self._past.values()
        )

    def last(self, sender: str) -> int:
        """The last number of a sender that was taken, 0 before its first."""
        return self._senders.get(sender, 0)

    def add(self, frame: Frame) -> None:
        """Remember a batch that is on disk."""
        if frame.sender:
            self._senders[frame.sender] = max(self._senders.get(frame.sender, 0), frame.number)
        if frame.batch:
            self._hours.setdefault(frame.received // _HOUR_US, set()).add(bytes.fromhex(frame.batch))

    def forget(self, now: int) -> None:
        """Drop the hours that lie behind the window."""
        self._pack(now)
        for hour in [h for h in self._past if (h + 1) * _HOUR_US < now - WINDOW_US]:
            del self._past[hour]
            (self._folder / f"batches-{hour}").unlink(missing_ok=True)

    def _pack(self, now: int) -> None:
        """Have hours that are over take 16 bytes an id."""
        for hour in [h for h in self._hours if h < now // _HOUR_US]:
            before = self._past.get(hour, b"")
            ids = self._hours.pop(hour) | {before[at : at + _ID] for at in range(0, len(before), _ID)}
            self._past[hour] = b"".join(sorted(ids))

    def keep(self, frames: Iterable[Frame]) -> None:
        """Have the ids and numbers of a segment on disk before it goes. Twice does no harm."""
        by_hour: dict[int, list[bytes]] = {}
        numbered = False
        for frame in frames:
            numbered |= bool(frame.sender)
            if frame.batch:
                entry = _ENTRY.pack(bytes.fromhex(frame.batch), frame.received)
                by_hour.setdefault(frame.received // _HOUR_US, []).append(entry)
        for hour, entries in by_hour.items():
            _append(self._folder / f"batches-{hour}", b"".join(entries))
        if numbered:
            fresh = self._folder / f".{_SENDERS}.new"
            fresh.write_bytes(orjson.dumps(self._senders))
            sync(fresh)
            fresh.replace(self._folder / _SENDERS)
        if by_hour or numbered:
            sync(self._folder)


def _is_in(key: bytes, ids: bytes) -> bool:
    """Whether sorted ids have this one.

    Examples
    --------
    >>> ids = b"".join(bytes([n]) * 16 for n in (1, 5, 9))
    >>> [n for n in range(10) if _is_in(bytes([n]) * 16, ids)]
    [1, 5, 9]
    """
    low, high = 0, len(ids) // _ID
    while low < high:
        middle = (low + high) // 2
        found = ids[middle * _ID : (middle + 1) * _ID]
        if found == key:
            return True
        low, high = (middle + 1, high) if found < key else (low, middle)
    return False


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # An entry that a crash cut would shift all that follow it.
        size = os.fstat(descriptor).st_size
        if size % _ENTRY.size:
            os.ftruncate(descriptor, size - size % _ENTRY.size)
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
