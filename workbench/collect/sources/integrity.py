"""Watched files: what they are into `ConfigurationData`, what changed into `ConfigurationChange`.

A rule names files and folders; what lies outside of the paths that the machine allows is never
opened. The first time through a path makes its baseline and tells no changes. Each turn does a bounded
amount of work and goes on where it stopped; what is gone is told at the end of a round only.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench.base import clock
from workbench.base.diagnostics import machine as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._allowed import inside
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._changes import with_marks
from workbench.collect.sources._file_states import Budget, State, state_of
from workbench.collect.sources._settings import count_of, seconds_of, texts_of
from workbench.collect.sources._text import shown
from workbench.collect.sources._turns import Turns

log = logging.getLogger("workbench.agent")
TURN_SECONDS = 5.0
ROUND_SECONDS = 60.0
FULL_SECONDS = 86_400.0
FILES_A_TURN = 2000
BYTES_A_TURN = 32 << 20
MOST_FILES = 50_000
LARGEST = 1 << 30
_FIELDS = {"size": "Size", "mode": "Attributes", "owner": "Acls", "sum": "FileContentChecksum",
           "mtime": "DateModified", "target": "Current", "inode": "inode"}  # fmt: skip
_ROOT = "watched "
"""Before a path in the marks: it was gone through once, so what appears in it is new."""


class Integrity:
    """Goes round the watched paths.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `paths` (files, and folders with all in them), `roundFrequencyInSeconds` (60 by default: from
        one round to the next), `fullCheckFrequencyInSeconds` (86400: reads also what looks unchanged),
        `maxFiles`, `maxBytes` (of one file).

    Raises
    ------
    WorkbenchError
        `MAC201` for a path that the machine does not allow.
    """

    def __init__(self, machine: Machine, settings: Settings = NO_SETTINGS) -> None:
        self._machine = machine
        self._roots = [Path(os.path.normpath(text)) for text in dict.fromkeys(texts_of(settings, "paths"))]
        for root in self._roots:
            if not root.is_absolute() or not inside(root, machine.allow_paths):
                raise diagnostics.path_not_allowed(str(root), [str(p) for p in machine.allow_paths])
        self._turns = Turns(seconds_of(settings, "roundFrequencyInSeconds", ROUND_SECONDS))
        self._full = Turns(seconds_of(settings, "fullCheckFrequencyInSeconds", FULL_SECONDS))
        self._most = count_of(settings, "maxFiles", MOST_FILES, 1_000_000)
        self._largest = count_of(settings, "maxBytes", LARGEST, 1 << 40)
        self._known: dict[str, State] = {k: v for k, v in machine.marks.items() if k.startswith("/")}
        self._done = {k.removeprefix(_ROOT) for k in machine.marks if k.startswith(_ROOT)}
        self._budget = Budget(FILES_A_TURN, BYTES_A_TURN)
        self._round: Iterator[None] | None = None
        self._rows: list[tuple[str, Record]] = []
        self._marks: dict[str, Any] = {}
        # A restart is no reason to read every file again.
        if self._known:
            self._full.due()

    def collect(self) -> Iterable[Batch]:
        if self._round is None:
            if not self._roots or not self._turns.due():
                return []
            self._round = self._go_round(full=self._full.due())
        self._budget.refill()
        try:
            next(self._round)
        except StopIteration:
            self._round = None
        rows, self._rows = self._rows, []
        marks, self._marks = self._marks, {}
        tables: dict[str, list[Record]] = {}
        for table, row in rows:
            tables.setdefault(table, []).append(row)
        return with_marks([Batch(t, r) for t, r in tables.items()], marks, "ConfigurationChange")

    def _go_round(self, *, full: bool) -> Generator[None, None, None]:
        """One round; yields at the end of a turn's work."""
        for root in self._roots:
            seen: set[str] = set()
            is_new = str(root) not in self._done
            for path in _below(root):
                if len(seen) >= self._most:
                    log.warning("%s holds more than %d files: the rest is not watched", root, self._most)
                    break
                key = shown(str(path))
                before = self._known.get(key)
                known = None if full else before
                after = yield from state_of(
                    path, self._machine.allow_paths, known, self._budget, self._largest
                )
                if after is not None:
                    seen.add(key)
                    self._compare(key, before, after, is_new)
                if self._budget.spent:
                    yield
            for key in [k for k in self._known if k not in seen and _is_below(k, root)]:
                # Seen late or not at all: gone for certain only if it is gone now.
                if not os.path.lexists(key):
                    self._tell(self._change(key, self._known.pop(key), None))
                    self._marks[key] = None
            if is_new:
                self._done.add(str(root))
                self._marks[_ROOT + str(root)] = True

    def _compare(self, key: str, before: State | None, after: State, is_new: bool) -> None:
        if before == after:
            return
        self._known[key] = self._marks[key] = after
        if before is None:
            self._rows.append(("ConfigurationData", self._row(key, after)))
            if not is_new:
                self._tell(self._change(key, None, after))
        elif _changed(before, after):
            self._rows.append(("ConfigurationData", self._row(key, after)))
            self._tell(self._change(key, before, after))

    def _tell(self, row: Record) -> None:
        self._rows.append(("ConfigurationChange", row))

    def _shared(self, key: str) -> Record:
        return {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self._machine.computer,
            "SourceComputerId": self._machine.source_computer_id,
            "FileSystemPath": key,
            "Name": os.path.basename(key),
        }

    def _row(self, key: str, state: State) -> Record:
        return self._shared(key) | {"ConfigDataType": "Files"} | _columns(state, "")

    def _change(self, key: str, before: State | None, after: State | None) -> Record:
        row = self._shared(key) | {
            "ConfigChangeType": "Files",
            "ChangeCategory": "Modified" if before and after else "Added" if after else "Removed",
            "Previous": _words(before),
            "Current": _words(after),
        }
        if before and after:
            row["FieldsChanged"] = ", ".join(_changed(before, after))
        return row | _columns(after, "") | _columns(before, "Previous")


def _below(root: Path) -> Iterator[Path]:
    """A path, and if it is a folder all in it, in order; links are not followed."""
    if root.is_dir() and not root.is_symlink():
        for folder, folders, files in os.walk(root):
            folders.sort()
            yield Path(folder)
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in sorted([*files, *links]):
                yield Path(folder, name)
    else:
        yield root


def _is_below(key: str, root: Path) -> bool:
    return Path(key).is_relative_to(root)


def _changed(before: State, after: State) -> list[str]:
    """The columns in which two states differ; a file that was only put in place anew has none."""
    return [
        column for name, column in _FIELDS.items() if name != "inode" and before.get(name) != after.get(name)
    ]


def _columns(state: State | None, prefix: str) -> Record:
    if state is None:
        return {}
    return {
        f"{prefix}Size": state["size"],
        f"{prefix}Attributes": state["mode"],
        f"{prefix}Acls": f"{state['owner']} {state['mode']}",
        f"{prefix}FileContentChecksum": state["sum"],
        f"{prefix}DateModified": _time(state["mtime"]),
    }


def _words(state: State | None) -> str:
    if state is None:
        return ""
    what = f"-> {state['target']}" if "target" in state else f"sha256:{state['sum'] or 'not read'}"
    return f"{state['mode']} {state['owner']} {state['size']} bytes {what}"


def _time(nanoseconds: int) -> str | None:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:  # a file system keeps any number
        return None
    if nanoseconds == 0:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


CARD = SourceCard(
    "integrity",
    ("ConfigurationData", "ConfigurationChange"),
    TURN_SECONDS,
    Integrity,
    first_after=3,
    rule_key="fileIntegrity",
    unasked=False,
)
