"""How the bytes of a log are lines, and lines are records: encoding, records of several lines, target.

In go the bytes behind the place reached; out come the records that are whole, and how many bytes they
took. What is not whole yet is left for the next reading, or taken when its file has been quiet.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.base import clock
from workbench.base.diagnostics import machine as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import Machine, Record, Settings
from workbench.collect.sources._lines import record_of
from workbench.collect.sources._settings import count_of, text_of

MOST_LINES = 1000
LONGEST_RECORD = 1 << 20
_ENCODINGS = ("auto", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "ascii")
_ALIASES = {"iso-8859-1": "latin-1", "windows-1252": "cp1252", "utf8": "utf-8", "utf16": "utf-16"}
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_STAMPS = {
    "ISO 8601": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d",
    "YYYY-MM-DD HH:MM:SS": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "M/D/YYYY HH:MM:SS AM/PM": r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M",
    "Mon DD, YYYY HH:MM:SS": _MONTH + r" \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d",
    "yyMMdd HH:mm:ss": r"\d{6} \d{1,2}:\d\d:\d\d",
    "ddMMyy HH:mm:ss": r"\d{6} \d{1,2}:\d\d:\d\d",
    "MMM d hh:mm:ss": _MONTH + r" [ \d]?\d \d\d:\d\d:\d\d",
    "dd/MMM/yyyy:HH:mm:ss zzz": r"\d\d/" + _MONTH + r"/\d{4}:\d\d:\d\d:\d\d",
    "yyyy-MM-ddTHH:mm:ssK": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
}
Starts = Callable[[Sequence[str]], list[bool]]
"""Which of some lines begin a record."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the files of one entry of a rule are read; the default is what `/var/log` needs.

    Attributes
    ----------
    encoding : str
        `auto`: by the byte order mark, UTF-8 without one.
    starts : callable or None
        None: every line is a record.
    table : str
        "": by the form of each line.
    json : bool
        Whether a line is a JSON object.
    most_lines : int
        Of one record; it is cut there and the rest is another.
    """

    encoding: str = "auto"
    starts: Starts | None = None
    table: str = ""
    json: bool = False
    most_lines: int = MOST_LINES

    def text_encoding(self, head: bytes) -> tuple[str, int]:
        """The encoding of a file with these first bytes, and the length of its byte order mark."""
        for mark, encoding in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            fits = self.encoding in ("auto", encoding) or (
                self.encoding == "utf-16" and encoding.startswith("utf-16")
            )
            if fits and head.startswith(mark):
                return encoding, len(mark)
        return {"auto": "utf-8", "utf-16": "utf-16-le"}.get(self.encoding, self.encoding), 0

    def whole_records(
        self, data: bytes, encoding: str, *, full: bool, quiet: bool = False, ended: bool = False
    ) -> tuple[list[str], int]:
        """The records in some bytes and how many bytes they are.

        Parameters
        ----------
        data : bytes
            From the start of a record on.
        encoding : str
        full : bool
            Whether there is more behind these bytes; a record that is longer then comes in pieces.
        quiet : bool
            Whether nothing came for a while: the last whole lines are a record.
        ended : bool
            Whether nothing will come: a last line without an end is one.

        Examples
        --------
        >>> Form().whole_records(b"one\\ntwo\\nthr", "utf-8", full=False)
        (['one', 'two'], 8)
        """
        lines = _split(data, encoding)
        rest = lines.pop()
        if rest and (ended or (full and not lines)):
            lines.append(rest)
        texts = [line.decode(encoding, "backslashreplace").rstrip("\r\n") for line in lines]
        if self.starts is None:
            return [text for text in texts if text.strip()], sum(map(len, lines))
        groups = self._groups(texts, [len(line) for line in lines])
        # Whether the last one is whole shows only with the start of the next.
        if (
            groups
            and not (quiet or ended)
            and not (full and len(groups) == 1)
            and not self._is_long(groups[-1])
        ):
            groups.pop()
        used = sum(size for group in groups for _, size in group)
        records = ["\n".join(text for text, _ in group).strip("\n") for group in groups]
        return [record for record in records if record.strip()], used

    def _groups(self, texts: list[str], sizes: list[int]) -> list[list[tuple[str, int]]]:
        assert self.starts is not None
        groups: list[list[tuple[str, int]]] = []
        size = 0
        for text, length, begins in zip(texts, sizes, self.starts(texts), strict=True):
            if begins or not groups or len(groups[-1]) >= self.most_lines or size + length > LONGEST_RECORD:
                groups.append([])
                size = 0
            groups[-1].append((text, length))
            size += length
        return groups

    def _is_long(self, group: list[tuple[str, int]]) -> bool:
        return len(group) >= self.most_lines

    def record(self, path: str, text: str, machine: Machine) -> tuple[str, Record]:
        """The table and record of a text."""
        if not self.table or self.table == "Syslog":
            table, record = record_of(path, text, machine)
            return (self.table or table, record) if table != "FileLog_CL" else (table, record)
        found = _object(text) if self.json else None
        shared = {"Computer": machine.computer, "FilePath": path}
        now = format_datetime(clock.now_ticks())
        if found is None:
            return self.table, {"TimeGenerated": now, **shared, "RawData": text}
        return self.table, {"TimeGenerated": now, **shared, **found}


def form_of(settings: Settings) -> Form:
    """What an entry of a rule says about the form of its files.

    Raises
    ------
    WorkbenchError
        `MAC202` for what it can't say.
    """
    kind = text_of(settings, "format", "text").lower()
    if kind not in ("text", "json"):
        raise diagnostics.bad_setting("format", kind, "text or json")
    inner = settings.get("settings", {})
    text = inner.get("text", {}) if isinstance(inner, dict) else {}
    text = text if isinstance(text, dict) else {}
    named = text_of(text, "encoding", text_of(settings, "encoding", "auto")).lower()
    encoding = _ALIASES.get(named, named)
    if encoding not in _ENCODINGS:
        raise diagnostics.bad_setting("encoding", named, f"one of {', '.join(_ENCODINGS)}")
    starts = None if kind == "json" else _starts(text)
    lines = count_of(text, "maxLines", MOST_LINES, 100_000)
    return Form(encoding, starts, _table(settings), kind == "json", lines)


def _table(settings: Settings) -> str:
    """The table of the first stream; the service may map the stream to another."""
    streams = settings.get("streams")
    stream = streams[0] if isinstance(streams, list) and streams and isinstance(streams[0], str) else ""
    return stream.removeprefix("Custom-").removeprefix("Microsoft-") or "FileLog_CL"


def _starts(text: Settings) -> Starts | None:
    stamp, pattern = text_of(text, "recordStartTimestampFormat"), text_of(text, "recordStartPattern")
    if pattern:
        return _by_pattern(pattern)
    if not stamp:
        return None
    if stamp not in _STAMPS:
        raise diagnostics.bad_setting("recordStartTimestampFormat", stamp, f"one of {', '.join(_STAMPS)}")
    compiled = re.compile(r"\W{0,2}" + _STAMPS[stamp])
    return lambda lines: [compiled.match(line) is not None for line in lines]


def _by_pattern(pattern: str) -> Starts:
    """Lines that a rule's own pattern finds; its engine takes time by the length of a line alone.

    A pattern comes from elsewhere, so Python's `re`, which some patterns keep busy for ever, is not used.
    """
    import polars as pl  # only for rules that have a pattern: it is large

    def starts(lines: Sequence[str]) -> list[bool]:
        return pl.Series(lines, dtype=pl.String).str.contains(pattern).to_list()

    try:
        starts([""])
    except pl.exceptions.ComputeError as broken:
        raise diagnostics.bad_setting(
            "recordStartPattern", pattern, "a regular expression of RE2"
        ) from broken
    return starts


def _split(data: bytes, encoding: str) -> list[bytes]:
    """Lines with their ends; the last is what stands behind the last end, maybe nothing."""
    end = "\n".encode(encoding)
    width = len(end)
    lines = []
    start = place = 0
    while (place := data.find(end, place)) >= 0:
        if place % width:  # half of one sign and half of the next
            place += 1
            continue
        place += width
        lines.append(data[start:place])
        start = place
    lines.append(data[start:])
    return lines


def _object(text: str) -> Record | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
