"""New lines of text files: those that a rule names, or all under `/var/log`.

Without a rule, lines in the form of syslog go to `Syslog`, those of `dpkg.log` to
`ConfigurationChange`, all others to `FileLog_CL` as they are. With one, its file patterns, form and
stream count; what lies outside of the paths that the machine allows is never opened. Files are
followed through rotation and truncation; the places reached are kept together with the records.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.collect.sources._allowed import open_file
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._changes import with_marks
from workbench.collect.sources._followed import NO_TEXT, ROTATED, Followed, Place
from workbench.collect.sources._log_forms import Form, form_of
from workbench.collect.sources._patterns import checked_pattern, files_of
from workbench.collect.sources._settings import seconds_of, texts_of
from workbench.collect.sources._text import shown

log = logging.getLogger("workbench.agent")
BATCH_RECORDS = 5000
TURN_BYTES = 4 << 20
"""After so much the other files wait for the next turn: as records it is ten times as large."""
LIST_SECONDS = 10.0
LEAVE_AFTER = 30.0
"""Seconds of quiet after which a file without its name is given up: its writer has gone on to the next."""
FLUSH_SECONDS = 5.0
MOST_FILES = 1000
_STARTED = "started"


class TextFiles:
    """Follows text files.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        An entry of a rule's `logFiles`: `filePatterns`, `format` (text, json), `streams`, and under
        `settings.text` `recordStartTimestampFormat` or `recordStartPattern`, `encoding`, `maxLines`;
        `flushSeconds` (5): how long the last lines wait for more of their record.

    Raises
    ------
    WorkbenchError
        `MAC201` for a pattern outside of what the machine allows, `MAC202` for other settings.
    """

    def __init__(self, machine: Machine, settings: Settings = NO_SETTINGS) -> None:
        self._machine = machine
        self._allowed = machine.allow_paths if settings else (machine.log_root,)
        self._patterns = [checked_pattern(p, self._allowed) for p in texts_of(settings, "filePatterns")]
        self._by_rule = bool(settings)
        self._form = form_of(settings) if settings else Form()
        self._flush_after = seconds_of(settings, "flushSeconds", FLUSH_SECONDS, 0)
        self._first_start = _STARTED not in machine.marks
        self._places = _places(machine.marks)
        self._files: dict[str, Followed] = {}
        self._listed = float("-inf")
        self._told: set[str] = set()
        self.more = False

    def collect(self) -> Iterable[Batch]:
        marks: dict[str, Any] = {}
        if time.monotonic() - self._listed >= LIST_SECONDS:
            marks |= self._list()
        records: dict[str, list[Record]] = {}
        read = 0
        self.more = False
        for key, file in list(self._files.items()):
            if read >= TURN_BYTES:
                self.more = True
                break
            before = file.place.offset if file.place is not None else 0
            ended = not file.named and file.quiet >= LEAVE_AFTER
            found = file.news(self._form, self._allowed, flush_after=self._flush_after, ended=ended)
            for text in found or ():
                table, record = self._form.record(shown(str(file.path)), text, self._machine)
                records.setdefault(table, []).append(record)
            if found is not None and file.place is not None:
                marks[key] = file.place.json()
                read += max(file.place.offset - before, 0)
                self.more = self.more or file.more
                # Who was read goes to the end, so that none waits for ever behind a busy one.
                self._files[key] = self._files.pop(key)
            elif ended:
                marks[key] = None
                file.close()
                del self._files[key]
        if self._first_start:
            marks[_STARTED] = True
        self._first_start = False
        batches = [
            Batch(table, rows[start : start + BATCH_RECORDS])
            for table, rows in records.items()
            for start in range(0, len(rows), BATCH_RECORDS)
        ]
        return with_marks(batches, marks, self._form.table or "FileLog_CL")

    def close(self) -> None:
        """Let go of all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _list(self) -> dict[str, Any]:
        """Find the files anew; what comes back are marks that are no longer wanted."""
        self._listed = time.monotonic()
        found = dict(self._found())
        for key, file in self._files.items():
            file.named = key in found
            if file.named:
                file.path = found[key]
        for key, path in found.items():
            if key not in self._files:
                self._follow(key, path)
        gone = {key: None for key in self._places if key not in found}
        # What can't be opened now keeps its place until it can.
        self._places = {key: p for key, p in self._places.items() if key in found and key not in self._files}
        return gone

    def _found(self) -> Iterator[tuple[str, Path]]:
        """The files to follow by device and inode; a rotated one only if it was followed before."""
        known = {**self._places, **self._files}
        count = 0
        for path in self._candidates():
            try:
                status = path.stat()
            except OSError:  # gone since it was listed
                continue
            key = f"{status.st_dev}:{status.st_ino}"
            if key in known or not ROTATED.search(path.name):
                count += 1
                yield key, path
            if count >= MOST_FILES:
                self._tell("many", f"more than {MOST_FILES} files: the others are not followed")
                return

    def _candidates(self) -> Iterator[Path]:
        if not self._by_rule:
            yield from _walk(self._machine.log_root)
            return
        for pattern in self._patterns:
            yield from (path for path in files_of(pattern) if not NO_TEXT.search(path.name))
        # A file that was renamed while the agent was away lies beside where it lay.
        for place in self._places.values():
            yield from _beside(Path(place.path))

    def _follow(self, key: str, path: Path) -> None:
        try:
            handle = open_file(path, self._allowed)
        except (OSError, WorkbenchError) as broken:
            if not isinstance(broken, FileNotFoundError):
                self._tell(str(path), f"{path} is left out: {broken}")
            return
        status = os.fstat(handle)
        if f"{status.st_dev}:{status.st_ino}" != key:  # exchanged since it was listed
            os.close(handle)
            return
        file = Followed(path, handle, self._places.get(key))
        near = (f for f in self._files.values() if f.path.parent == path.parent)
        if file.place is None and self._first_start:
            file.start_at_last_lines(self._form)
        elif file.place is None and any(f.was_copied_to(handle) for f in near):
            file.start_at_end()  # its lines were read from the file that it is a copy of
        self._files[key] = file

    def _tell(self, key: str, what: str) -> None:
        if key not in self._told:
            self._told.add(key)
            log.warning("%s", what)


def _places(marks: Settings) -> dict[str, Place]:
    return {key: Place(**value) for key, value in marks.items() if isinstance(value, dict)}


def _beside(path: Path) -> Sequence[Path]:
    """The files in the same folder that are named like a path, or like it when rotated."""
    try:
        near = sorted(path.parent.iterdir())
    except OSError:
        return []
    return [p for p in near if p.name.startswith(path.name) and not NO_TEXT.search(p.name) and p.is_file()]


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if not NO_TEXT.search(name) and path.is_file() and not path.is_symlink():
                yield path


CARD = SourceCard(
    "text_files",
    ("Syslog", "ConfigurationChange", "FileLog_CL"),
    1,
    TextFiles,
    rereads=True,
    rule_key="logFiles",
)
