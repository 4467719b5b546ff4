"""Syslog over the network: bytes of a connection as messages, messages as rows of `Syslog`.

In go bytes and who sent them, out come a batch and counts of what was mended. Nothing that a sender may say is an
error: a message of no known form is stored as it is, with the time of its arrival, the address of its sender as
computer and, where it has no priority either, as `user.notice` (RFC 3164, 4.3). Bytes that are no UTF-8 are written
as `\\xff`; a message over `MESSAGE_BYTES` is cut. Only a time more than a day ahead is refused. Must not store.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, Part
from workbench.collect.doors.rows import columns_of_rows, json_text
from workbench.collect.formats.syslog import FACILITIES, SEVERITIES, parse
from workbench.collect.quarantine import Refused
from workbench.collect.settling import refuse_times
from workbench.repository.physical import MAX_MICROSECONDS, MIN_MICROSECONDS

DOOR = TABLE_SOURCE = "syslog"
TABLE = "Syslog"
MESSAGE_BYTES = 65_536
"""What is stored of a message; a datagram can't be longer."""
TYPES = {
    "TimeGenerated": T.DATETIME, "Computer": T.STRING, "EventTime": T.DATETIME, "Facility": T.STRING,
    "HostName": T.STRING, "SeverityLevel": T.STRING, "SyslogMessage": T.STRING, "HostIP": T.STRING,
    "ProcessName": T.STRING, "ProcessID": T.INT, "CollectorHostName": T.STRING, "SourceSystem": T.STRING,
    "MessageId": T.STRING, "StructuredData": T.DYNAMIC,
}  # fmt: skip
CUT, NO_UTF8, NO_FORM = (
    f"messages over {MESSAGE_BYTES:,} bytes were cut",
    "messages held bytes that are no UTF-8",
    "messages of no known form were stored as they are",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PRIORITY = re.compile(r"<(\d{1,3})>")
_COUNT = re.compile(rb"[1-9][0-9]*")
_MOST_DIGITS = 7
_ENDS = b"\r\n\0"


# ---- from bytes to messages ------------------------------------------------------------------


class Framer:
    """Cuts the bytes of one connection into messages (RFC 6587), whatever pieces they come in.

    Each message says by its own first bytes how it is framed: `LENGTH SP <` means that it has that many bytes, any
    other that it ends at a line feed.

    Attributes
    ----------
    cut : int
        Messages that were too long so far.

    Examples
    --------
    >>> framer = Framer()
    >>> framer.feed(b"6 <1>a\\nb<2>c\\r\\n<3"), framer.feed(b">d"), framer.finish()
    ([b'<1>a\\nb', b'<2>c'], [], ([b'<3>d'], None))
    """

    def __init__(self, limit: int = MESSAGE_BYTES) -> None:
        self.cut = 0
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 0  # no line feed stands before this place
        self._skip = 0  # bytes of a counted message that are left out
        self._to_line_feed = False  # the rest of a line is left out

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that end in these bytes."""
        self._buffer += data
        out: list[bytes] = []
        start = 0
        while start < len(self._buffer):
            after = self._next(start, out)
            if after is None:
                break
            start = after
        del self._buffer[:start]
        self._scanned = max(0, self._scanned - start)
        return out

    def finish(self) -> tuple[list[bytes], Refused | None]:
        """What is left when the connection ends: a line without its end is a message, half a counted one is not."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        counted = _counted(rest, 0)
        if counted:
            begin, length = counted
            why = diagnostics.frame_cut_off(length, len(rest) - begin)
            return [], Refused(TABLE, why, TABLE_SOURCE, None, rest)
        message = rest.rstrip(_ENDS)
        return ([message] if message else []), None

    def _next(self, start: int, out: list[bytes]) -> int | None:
        """Take one message, or a piece of what is left out; where the next begins, None when bytes are missing."""
        buffer = self._buffer
        if self._skip:
            step = min(self._skip, len(buffer) - start)
            self._skip -= step
            return start + step
        if self._to_line_feed:
            end = buffer.find(b"\n", start)
            self._to_line_feed = end < 0
            return len(buffer) if end < 0 else end + 1
        if buffer[start] in _ENDS:
            return start + 1
        counted = _counted(buffer, start)
        if counted is None:
            return None
        return self._line(start, out) if not counted else self._counted_message(*counted, out)

    def _counted_message(self, begin: int, length: int, out: list[bytes]) -> int | None:
        kept = min(length, self._limit)
        if len(self._buffer) - begin < kept:
            return None
        self._add(begin, begin + kept, out)
        self._skip = length - kept
        self.cut += length > kept
        return begin + kept

    def _line(self, start: int, out: list[bytes]) -> int | None:
        end = self._buffer.find(b"\n", max(start, self._scanned))
        length = (len(self._buffer) if end < 0 else end) - start
        if length > self._limit:
            self._add(start, start + self._limit, out)
            self.cut += 1
            self._to_line_feed = True
            return start + self._limit
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        self._add(start, end, out)
        return end + 1

    def _add(self, start: int, end: int, out: list[bytes]) -> None:
        message = bytes(self._buffer[start:end]).rstrip(_ENDS)
        if message:
            out.append(message)


def _counted(buffer: bytes | bytearray, start: int) -> tuple[int, int] | tuple[()] | None:
    """Where a counted message begins and its length; () when it is not counted, None when that can't be told yet."""
    found = _COUNT.match(buffer, start, start + _MOST_DIGITS + 1)
    if found is None or found.end() - start > _MOST_DIGITS:
        return ()
    end = found.end()
    behind = buffer[end : end + 2]
    if behind == b" <":
        return end + 1, int(found[0])
    return None if b" <".startswith(behind) else ()


# ---- from messages to rows -------------------------------------------------------------------


class Message(NamedTuple):
    """One message as it came."""

    raw: bytes
    peer: str
    received: int
    """Microseconds since 1970."""


def batch_of(messages: Sequence[Message], collector: str) -> tuple[Batch, Counter[str]]:
    """Messages as a delivery, and how many of them had to be mended, by what was wrong.

    Parameters
    ----------
    messages : sequence of Message
    collector : str
        Name of this machine.

    Examples
    --------
    >>> batch, mended = batch_of([Message(b"<34>1 - web su - - - hi", "10.0.0.1", 1_000_000)], "here")
    >>> [batch.parts[0].columns.series[key][0] for key in ((("Computer", T.STRING)), ("SyslogMessage", T.STRING))]
    ['web', 'hi']
    """
    mended: Counter[str] = Counter()
    rows = [row_of(message, collector, mended) for message in messages]
    batch = Batch(DOOR, TABLE_SOURCE, id=uuid.uuid4().hex, size=sum(len(m.raw) for m in messages))

    def refuse(row: int, why: WorkbenchError) -> None:
        batch.refused.append(Refused(TABLE, why, messages[row].peer, None, messages[row].raw))

    if rows:
        now = max(message.received for message in messages)
        columns, left = refuse_times(columns_of_rows(TYPES, rows), now, refuse)
        batch.parts += [Part(TABLE, columns, TYPES)] if left else []
    return batch, mended


def row_of(message: Message, collector: str, mended: Counter[str]) -> tuple[Any, ...]:
    """A message as a row of `TYPES`."""
    try:
        text = message.raw.decode("utf-8")
    except UnicodeDecodeError:
        text = message.raw.decode("utf-8", "backslashreplace")
        mended[NO_UTF8] += 1
    reference = _EPOCH + timedelta(microseconds=message.received)
    try:
        record = parse(text, reference, nearest)
    except ValueError:
        record = _as_it_is(text)
        mended[NO_FORM] += 1
    told = record.get("TimeGenerated")
    moment = None if told is None else _micros(told)
    host = record["Computer"] or message.peer
    data = record.get("StructuredData")
    return (
        message.received if moment is None else moment,
        host,
        moment,
        record["Facility"] or "user",
        host,
        record["SeverityLevel"] or "notice",
        record["SyslogMessage"],
        message.peer,
        record.get("ProcessName") or None,
        record.get("ProcessID") or None,
        collector,
        "Linux",
        record.get("MessageId") or None,
        json_text(data) if data else None,
    )


def nearest(month: int, day: int, clock_time: str, reference: datetime) -> str:
    """The time of RFC 3164 that is nearest to the reference, in the zone of this machine.

    Raises
    ------
    ValueError
        If there is no such day.

    Examples
    --------
    >>> nearest(12, 31, "23:59:59", datetime(2026, 1, 1, tzinfo=UTC))[:10] in ("2025-12-31", "2026-01-01")
    True
    """
    # The 29th of February needs up to eight years.
    for reach in (1, 8):
        found: list[datetime] = []
        for year in range(reference.year - reach, reference.year + reach + 1):
            with contextlib.suppress(ValueError):
                local = datetime.fromisoformat(f"{year:04d}-{month:02d}-{day:02d}T{clock_time}")
                found.append(local.astimezone(UTC))
        if found:
            return min(found, key=lambda moment: abs(moment - reference)).isoformat()
    raise ValueError("no such day")


def _as_it_is(text: str) -> dict[str, Any]:
    """A message of no known form: what stands behind the priority."""
    found = _PRIORITY.match(text)
    record: dict[str, Any] = {"Computer": "", "Facility": "", "SeverityLevel": "", "SyslogMessage": text}
    if found is not None and int(found[1]) < len(FACILITIES) * 8:
        facility, severity = divmod(int(found[1]), 8)
        record["Facility"], record["SeverityLevel"] = FACILITIES[facility], SEVERITIES[severity]
        record["SyslogMessage"] = text[found.end() :]
    return record


def _micros(text: str) -> int | None:
    """An ISO time in microseconds; None where it is none (a 13th month, a second 60) or out of range."""
    try:
        moment = (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None
    return moment if MIN_MICROSECONDS <= moment <= MAX_MICROSECONDS else None
