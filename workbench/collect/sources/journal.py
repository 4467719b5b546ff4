"""`Syslog` from the journal of systemd, read with `journalctl` from the place reached before.

A machine without a journal has no such records, and nothing is said about it; a rule then gets the
messages that a daemon writes to files, which state no facility or level to choose by. Without a rule
the journal is left alone where there are such files, as `text_files` follows them.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.base import clock
from workbench.base.diagnostics import machine as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.collect import programs
from workbench.collect.formats.syslog import FACILITIES, SEVERITIES
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._changes import with_marks
from workbench.collect.sources._settings import texts_of
from workbench.collect.sources.text_files import TextFiles

log = logging.getLogger("workbench.agent")
FOLDERS = (Path("/var/log/journal"), Path("/run/log/journal"))
FIRST_LINES = 1000
_BYTES = 8 << 20
_DEADLINE = 30.0
_IN_FILES = ("syslog", "messages")
_AUTH_FILES = ("auth.log", "secure")
_AUTH = frozenset({FACILITIES.index("auth"), FACILITIES.index("authpriv")})
_LEVELS = {
    "emergency": "emerg", "panic": "emerg", "critical": "crit", "error": "err", "warn": "warning",
    "informational": "info",
}  # fmt: skip
_FIELDS = "MESSAGE,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_COMM,_HOSTNAME,_TRANSPORT"
_DAEMON = FACILITIES.index("daemon")


class Journal:
    """Reads what the journal got since the last reading.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `facilityNames` and `logLevels`, as a rule's `syslog` has them; `*` or none: all.
    program : str
        The program to ask.
    directory : Path, optional
        The folder of a journal; that of the machine by default.
    """

    def __init__(
        self,
        machine: Machine,
        settings: Settings = NO_SETTINGS,
        program: str = "journalctl",
        directory: Path | None = None,
    ) -> None:
        self._machine = machine
        self._facilities = numbers_of(texts_of(settings, "facilityNames"), FACILITIES, "a facility")
        levels = tuple(_LEVELS.get(level.lower(), level) for level in texts_of(settings, "logLevels"))
        self._levels = numbers_of(levels, SEVERITIES, "a level")
        self._program = shutil.which(program)
        self._directory = directory
        self._by_rule = bool(settings)
        self._files: TextFiles | None = None
        self._cursor: str | None = machine.marks.get("cursor")
        self.more = False

    def collect(self) -> Iterable[Batch]:
        if self._program is None or not _has_files(self._directory):
            return self._from_files() if self._by_rule else []
        if not self._by_rule and any((self._machine.log_root / name).exists() for name in _IN_FILES):
            return []
        entries, cursor = self._read()
        records = [record for entry in entries if (record := self._record(entry)) is not None]
        batches = [Batch("Syslog", records)] if records else []
        if cursor is None or cursor == self._cursor:
            return batches
        self._cursor = cursor
        return with_marks(batches, {"cursor": cursor}, "Syslog")

    def close(self) -> None:
        if self._files is not None:
            self._files.close()

    def _from_files(self) -> Iterable[Batch]:
        if self._files is None:
            wants_auth = self._facilities is None or self._facilities & _AUTH
            names = (*_IN_FILES, *_AUTH_FILES) if wants_auth else _IN_FILES
            patterns = [str(self._machine.log_root / name) for name in names]
            rule = {"filePatterns": patterns, "streams": ["Microsoft-Syslog"]}
            self._files = TextFiles(self._machine, rule)
        found = list(self._files.collect())
        self.more = self._files.more
        return found

    def _read(self) -> tuple[list[dict[str, Any]], str | None]:
        """The next entries, oldest first, and the place behind them."""
        ended = self._ask(self._cursor)
        if ended.code > 0 and self._cursor is not None:
            # Its files were removed or exchanged since: what is there now is read from its last lines.
            log.warning("the journal no longer knows the place reached: %s", ended.why)
            self._cursor = None
            ended = self._ask(None)
        entries = list(entries_of(ended.out))
        if ended.cut and not entries:
            # One entry is larger than all that may be read: without its long fields it is not.
            ended = self._ask(self._cursor, long_fields=False)
            entries = list(entries_of(ended.out))
        if ended.code != 0 and not ended.cut:
            raise RuntimeError(f"journalctl: {ended.why}")
        self.more = ended.cut and bool(entries)
        return entries, (entries[-1].get("__CURSOR") if entries else None)

    def _ask(self, cursor: str | None, *, long_fields: bool = True) -> programs.Ended:
        # The newest journalctl could limit the lines from the oldest on; the limit of bytes does it for all.
        options = [f"--after-cursor={cursor}"] if cursor else [f"--lines={FIRST_LINES}"]
        options += [f"--directory={self._directory}"] if self._directory else []
        options += ["--all"] if long_fields else []
        options += ["--output=json", f"--output-fields={_FIELDS}", "--no-pager", "--quiet"]
        return programs.run([self._program or "journalctl", *options], seconds=_DEADLINE, limit=_BYTES)

    def _record(self, entry: dict[str, Any]) -> Record | None:
        facility = _number(
            entry.get("SYSLOG_FACILITY"), 0 if entry.get("_TRANSPORT") == "kernel" else _DAEMON
        )
        level = _number(entry.get("PRIORITY"), 6)
        if (self._facilities is not None and facility not in self._facilities) or (
            self._levels is not None and level not in self._levels
        ):
            return None
        microseconds = _number(entry.get("__REALTIME_TIMESTAMP"), clock.now_us())
        moment = format_datetime(microseconds * 10)
        pid = text_of_field(entry.get("SYSLOG_PID")) or text_of_field(entry.get("_PID"))
        return {
            "TimeGenerated": moment,
            "EventTime": moment,
            "Computer": self._machine.computer,
            "CollectorHostName": self._machine.computer,
            "HostName": text_of_field(entry.get("_HOSTNAME")) or self._machine.computer,
            "Facility": FACILITIES[facility] if 0 <= facility < len(FACILITIES) else str(facility),
            "SeverityLevel": SEVERITIES[level] if 0 <= level < len(SEVERITIES) else str(level),
            "ProcessName": text_of_field(entry.get("SYSLOG_IDENTIFIER")) or text_of_field(entry.get("_COMM")),
            **({"ProcessID": int(pid)} if pid.isdigit() and len(pid) < 10 else {}),
            "SyslogMessage": text_of_field(entry.get("MESSAGE")),
            "SourceSystem": "Linux",
        }


def numbers_of(names: Sequence[str], known: Sequence[str], what: str) -> frozenset[int] | None:
    """The numbers of facilities or levels; None: all.

    Raises
    ------
    WorkbenchError
        `MAC202` for a name that is none.

    Examples
    --------
    >>> sorted(numbers_of(["auth", "kern"], FACILITIES, "a facility"))
    [0, 4]
    >>> numbers_of(["*"], FACILITIES, "a facility") is None
    True
    """
    if not names or "*" in names:
        return None
    lowered = [name.lower() for name in names]
    for name in lowered:
        if name not in known:
            raise diagnostics.bad_setting(what, name, f"one of {', '.join(known)}")
    return frozenset(known.index(name) for name in lowered)


def entries_of(output: bytes) -> Iterator[dict[str, Any]]:
    """The entries of `--output=json`, one a line; what is no whole object is left out.

    Examples
    --------
    >>> list(entries_of(b'{"MESSAGE": "a"}\\n{"MESS'))
    [{'MESSAGE': 'a'}]
    """
    for line in output.split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:  # a line that the limit of output cut off is read the next time
            continue
        if isinstance(entry, dict):
            yield entry


def text_of_field(value: Any) -> str:
    """A field as text: bytes that are no UTF-8 come as numbers, repeated fields as a list.

    Examples
    --------
    >>> text_of_field([99, 97, 102, 233]), text_of_field("x"), text_of_field(["a", [98]]), text_of_field(None)
    ('caf\\\\xe9', 'x', 'a b', '')
    """
    if isinstance(value, list):
        if value and all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 256 for n in value):
            return bytes(value).decode("utf-8", "backslashreplace")
        return " ".join(text_of_field(part) for part in value)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: Any, default: int) -> int:
    text = text_of_field(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else default


def _has_files(directory: Path | None) -> bool:
    if directory is not None:
        return next(directory.glob("*.journal"), None) is not None
    return any(next(folder.glob("*/*.journal"), None) is not None for folder in FOLDERS)


CARD = SourceCard("journal", ("Syslog", "FileLog_CL"), 2, Journal, rereads=True, rule_key="syslog")
