"""The scalar types of KQL and their values as text. Knows no engine.

Time is counted in ticks of 100 ns: a datetime is ticks since 1970-01-01 UTC (negative before),
a timespan is ticks. Tables store microseconds (`TICKS_PER_MICROSECOND` apart).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import Enum

TICKS_PER_MICROSECOND = 10
TICKS_PER_MILLISECOND = 10_000
TICKS_PER_SECOND = 10_000_000
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_HOUR = 3600 * TICKS_PER_SECOND
TICKS_PER_DAY = 86400 * TICKS_PER_SECOND
EPOCH = dt.datetime(1970, 1, 1)
MIN_DATETIME_TICKS = -719162 * TICKS_PER_DAY  # 0001-01-01
MAX_DATETIME_TICKS = 2932897 * TICKS_PER_DAY - 1  # last tick of 9999-12-31


class ScalarType(Enum):
    """A KQL scalar type; `.value` is its name in the language."""

    BOOL = "bool"
    INT = "int"
    LONG = "long"
    REAL = "real"
    DECIMAL = "decimal"
    STRING = "string"
    DATETIME = "datetime"
    TIMESPAN = "timespan"
    DYNAMIC = "dynamic"
    GUID = "guid"

    def __repr__(self) -> str:
        return self.value

    @property
    def is_number(self) -> bool:
        return self in NUMBERS

    @property
    def is_time(self) -> bool:
        return self in (ScalarType.DATETIME, ScalarType.TIMESPAN)


DECIMAL_SCALE = 10
"""Digits after the point that a decimal keeps: before it stay 28, as many as `parse_version("2023.1")` needs."""
NUMBERS = frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL})

_ALIASES = {
    "boolean": "bool", "double": "real", "float": "real", "date": "datetime", "time": "timespan",
    "uuid": "guid", "uniqueid": "guid", "int32": "int", "int64": "long", "system.string": "string",
}  # fmt: skip


def parse_type(name: str) -> ScalarType | None:
    """The type of that name or alias, or None.

    Examples
    --------
    >>> parse_type("double"), parse_type("nope")
    (real, None)
    """
    lowered = name.lower()
    try:
        return ScalarType(_ALIASES.get(lowered, lowered))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its KQL name and type.

    `hidden` columns (`_BatchId` and its like) can be asked for by name but are no part of `*`.
    """

    name: str
    type: ScalarType
    hidden: bool = False


Schema = tuple[Column, ...]


def find_column(schema: Schema, name: str) -> Column | None:
    return next((c for c in schema if c.name == name), None)


# ---- time as text -------------------------------------------------------------------------


def format_datetime(ticks: int) -> str:
    """Ticks since 1970 → `2020-01-31T23:59:59.1234567Z`, always seven digits.

    Examples
    --------
    >>> format_datetime(1)
    '1970-01-01T00:00:00.0000001Z'
    """
    days, rest = divmod(ticks, TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    day = EPOCH.toordinal() + days
    if not 1 <= day <= 3652059:
        return ""
    d = dt.date.fromordinal(day)
    return (
        f"{d.year:04d}-{d.month:02d}-{d.day:02d}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:"
        f"{seconds % 60:02d}.{fraction:07d}Z"
    )


def format_timespan(ticks: int) -> str:
    """Ticks → `[-][d.]hh:mm:ss[.fffffff]`.

    Examples
    --------
    >>> format_timespan(-TICKS_PER_DAY - 1), format_timespan(0)
    ('-1.00:00:00.0000001', '00:00:00')
    """
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    days, rest = divmod(ticks, TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{sign}{f'{days}.' if days else ''}{text}{f'.{fraction:07d}' if fraction else ''}"


_DATETIME = re.compile(
    r"""\s*(?P<year>\d{4})\s*[-/,]\s*(?P<month>\d{1,2})(?:\s*[-/,]\s*(?P<day>\d{1,2}))?
        (?:(?:\s*T\s*|\s+)(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?)?)?)?
        \s*(?P<zone>Z|GMT|UTC|[+-]\d{1,2}:?\d{2})?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_OTHER_FORMS = (
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m-%d-%Y", "%Y%m%d", "%Y",
    "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S", "%a, %d %b %y %H:%M:%S", "%d %b %y %H:%M:%S", "%a, %d %b %y %H:%M",
    "%d %b %y %H:%M", "%A, %d-%b-%y %H:%M:%S", "%A, %d-%b-%y %H:%M", "%a %b %d %H:%M:%S %Y",
    "%d %b %Y %H:%M:%S", "%d %B %Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%B %d %Y", "%b %d %Y", "%Y-%m", "%H:%M:%S",
)  # fmt: skip


def parse_datetime(text: str) -> int | None:
    """Text → ticks since 1970 UTC, or None where it is no point in time.

    Takes ISO 8601 and the RFC 822/850 forms that Kusto documents; without a zone it is UTC.

    Examples
    --------
    >>> parse_datetime("1970-01-01T00:00:01.0000001Z"), parse_datetime("soon")
    (10000001, None)
    """
    m = _DATETIME.fullmatch(text)
    if m:
        try:
            base = dt.datetime(
                int(m["year"]), int(m["month"]), int(m["day"] or 1),
                int(m["hour"] or 0), int(m["minute"] or 0), int(m["second"] or 0),
            )  # fmt: skip
        except ValueError:
            return None
        fraction = int(((m["fraction"] or "") + "0000000")[:7])
        return _ticks_of(base) + fraction - _zone_ticks(m["zone"])
    stripped = text.strip()
    for suffix in ("GMT", "UTC", "Z"):
        if stripped.endswith(suffix) and len(stripped) > len(suffix) + 3:
            stripped = stripped[: -len(suffix)].strip()
    for form in _OTHER_FORMS:
        try:
            found = dt.datetime.strptime(stripped, form)
        except ValueError:
            continue
        if form == "%H:%M:%S":
            return None
        offset = found.utcoffset()
        base = found.replace(tzinfo=None)
        return _ticks_of(base - offset if offset else base)
    return None


def _ticks_of(moment: dt.datetime) -> int:
    delta = moment - EPOCH
    return (delta.days * 86400 + delta.seconds) * TICKS_PER_SECOND + delta.microseconds * 10


def _zone_ticks(zone: str | None) -> int:
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:-2]) * 60 + int(digits[-2:])
    return (-1 if zone[0] == "-" else 1) * minutes * TICKS_PER_MINUTE


_UNITS = {
    "d": TICKS_PER_DAY, "day": TICKS_PER_DAY, "days": TICKS_PER_DAY,
    "h": TICKS_PER_HOUR, "hr": TICKS_PER_HOUR, "hrs": TICKS_PER_HOUR, "hour": TICKS_PER_HOUR, "hours": TICKS_PER_HOUR,
    "m": TICKS_PER_MINUTE, "min": TICKS_PER_MINUTE, "minute": TICKS_PER_MINUTE, "minutes": TICKS_PER_MINUTE,
    "s": TICKS_PER_SECOND, "sec": TICKS_PER_SECOND, "second": TICKS_PER_SECOND, "seconds": TICKS_PER_SECOND,
    "ms": TICKS_PER_MILLISECOND, "milli": TICKS_PER_MILLISECOND, "millis": TICKS_PER_MILLISECOND,
    "millisec": TICKS_PER_MILLISECOND, "millisecond": TICKS_PER_MILLISECOND, "milliseconds": TICKS_PER_MILLISECOND,
    "micro": 10, "micros": 10, "microsec": 10, "microsecond": 10, "microseconds": 10,
    "nano": 0.01, "nanos": 0.01, "nanosecond": 0.01, "nanoseconds": 0.01, "tick": 1, "ticks": 1,
}  # fmt: skip
TIMESPAN_UNITS = frozenset(_UNITS)
_WITH_UNIT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_CLOCK = re.compile(
    r"\s*(?P<sign>-)?(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2})(?:\.(?P<fraction>\d{1,7}))?)?\s*"
)


def parse_timespan(text: str) -> int | None:
    """Text (`1.02:03:04.5`, `2h`, `7`: days) → ticks, or None.

    Examples
    --------
    >>> parse_timespan("00:00:01"), parse_timespan("2d"), parse_timespan("x")
    (10000000, 1728000000000, None)
    """
    m = _CLOCK.fullmatch(text)
    if m:
        if int(m["hours"]) > 23 or int(m["minutes"]) > 59 or int(m["seconds"] or 0) > 59:
            return None
        ticks = int(m["days"] or 0) * TICKS_PER_DAY + int(m["hours"]) * TICKS_PER_HOUR
        ticks += int(m["minutes"]) * TICKS_PER_MINUTE + int(m["seconds"] or 0) * TICKS_PER_SECOND
        ticks += int(((m["fraction"] or "") + "0000000")[:7])
        return -ticks if m["sign"] else ticks
    m = _WITH_UNIT.fullmatch(text)
    if m and m[2].lower() in _UNITS:
        return timespan_of(m[1], m[2])
    try:
        return int(text.strip()) * TICKS_PER_DAY
    except ValueError:
        return None


_LONGEST = 2**63 - 1


def timespan_of(number: str, unit: str) -> int:
    """Ticks of a timespan literal such as `1.5h`."""
    scale = _UNITS[unit.lower()]
    whole = number.lstrip("-").isdigit() and scale >= 1
    ticks = int(number) * int(scale) if whole else float(number) * scale
    # More than a timespan can hold, such as 1e308s, is the longest there is.
    return round(min(max(ticks, -_LONGEST), _LONGEST))
