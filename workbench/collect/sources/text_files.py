"""New lines of the text files under `/var/log`.

Lines in the form of syslog go to `Syslog`, those of `dpkg.log` to `ConfigurationChange`, all others
to `FileLog_CL` as they are. Files are followed through rotation and truncation; the place reached is
kept only after the service has the records, so a restart repeats nothing and skips nothing that
still lies in the files. Binary, compressed and unreadable files are left alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.collect.sources._card import Batch, Machine, Record, SourceCard
from workbench.collect.sources._lines import record_of
from workbench.collect.sources._marks import Mark, Marks

log = logging.getLogger("workbench.agent")
FIRST_LINES = 1000
"""Lines of a file that is there before the agent's first start."""
READ_BYTES = 4 << 20
BATCH_RECORDS = 5000
TAIL_BYTES = 1 << 19
HEAD_BYTES = 256
LIST_SECONDS = 10.0
_ROTATED = re.compile(r"(\.\d+|[-.]\d{8}(-\d+)?|\.old|\.bak|~)$")
_NO_TEXT = re.compile(r"\.(gz|xz|bz2|zst|zip|Z|lz4|journal|db|sqlite3?|gpg)(\.\d+)?$")


class TextFiles:
    """Follows all text files under `machine.log_root`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._marks = Marks(machine.state / "text_files.json")
        self._reached: dict[str, Mark] = dict(self._marks.items())
        self._first_start = self._marks.fresh
        self._files: dict[str, Path] = {}
        self._listed = float("-inf")
        self._unreadable: set[Path] = set()

    def collect(self) -> Iterable[Batch]:
        if time.monotonic() - self._listed > LIST_SECONDS:
            self._list()
        records: dict[str, list[Record]] = {}
        places: dict[str, Mark] = {}
        for key, path in self._files.items():
            try:
                lines, place = self._new_lines(key, path)
            except (PermissionError, FileNotFoundError) as broken:
                self._complain(path, broken)
                continue
            if place is not None:
                places[key] = place
                self._reached[key] = place
            for line in lines:
                table, record = record_of(str(path), line, self._machine)
                records.setdefault(table, []).append(record)
        self._first_start = False
        return self._batches(records, places)

    def _batches(self, records: dict[str, list[Record]], places: dict[str, Mark]) -> list[Batch]:
        """The records by table, in parts; when the last part is acknowledged, the places are kept."""
        parts = [
            (table, rows[start : start + BATCH_RECORDS])
            for table, rows in records.items()
            for start in range(0, len(rows), BATCH_RECORDS)
        ]
        waiting = len(parts)

        def acknowledged() -> None:
            nonlocal waiting
            waiting -= 1
            if waiting == 0:
                self._marks.keep(places)

        if places and not parts:
            self._marks.keep(places)
        return [Batch(table, rows, acknowledged) for table, rows in parts]

    def _list(self) -> None:
        """Find the files; a rotated one only counts when it was followed under its former name."""
        self._listed = time.monotonic()
        found: dict[str, Path] = {}
        for path in _walk(self._machine.log_root):
            try:
                status = path.stat()
            except OSError:  # gone since it was listed
                continue
            key = f"{status.st_dev}:{status.st_ino}"
            known = key in self._reached
            if known or not _ROTATED.search(path.name):
                found.setdefault(key, path)
        gone = set(self._reached) - set(found)
        for key in gone:
            del self._reached[key]
        self._marks.forget(gone)
        self._files = found

    def _new_lines(self, key: str, path: Path) -> tuple[list[str], Mark | None]:
        """Whole lines behind the place reached, and the new place (None: nothing to do)."""
        size = path.stat().st_size
        reached = self._reached.get(key)
        if reached is not None and size == reached.offset:
            return [], None
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if b"\0" in head:
                return [], None
            if reached is None:
                start = _start_of_last_lines(file.fileno(), size) if self._first_start else 0
            elif size < reached.offset or _hash(head[: reached.offset]) != reached.head:
                start = 0  # cut back, or another file under the same inode
            else:
                start = reached.offset
            file.seek(start)
            data = file.read(READ_BYTES)
        end = data.rfind(b"\n") + 1
        if not end and len(data) == READ_BYTES:
            end = len(data)  # a line longer than one reading comes in pieces
        if not end and reached is not None and reached.offset == start:
            return [], None
        lines = data[:end].decode("utf-8", "backslashreplace").split("\n")
        offset = start + end
        return [line for line in lines if line.strip()], Mark(offset, _hash(head[:offset]))

    def _complain(self, path: Path, broken: OSError) -> None:
        if isinstance(broken, PermissionError) and path not in self._unreadable:
            self._unreadable.add(path)
            log.warning("%s is not readable for this user and is left out", path)


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if not _NO_TEXT.search(name) and path.is_file() and not path.is_symlink():
                yield path


def _start_of_last_lines(handle: int, size: int) -> int:
    """Where the last `FIRST_LINES` lines of a file start (looked for in its last `TAIL_BYTES`)."""
    begin = max(0, size - TAIL_BYTES)
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


CARD = SourceCard("text_files", ("Syslog", "ConfigurationChange", "FileLog_CL"), 5, TextFiles, rereads=True)
