"""Calendar arithmetic as SQL: days, months and parts of a datetime in ticks, as `datetimes` has them in Polars.

A tree names its argument as seldom as it can: where calls are nested, each name more would double the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.base.dtypes import (
    MAX_DATETIME_TICKS,
    MIN_DATETIME_TICKS,
    TICKS_PER_DAY,
    TICKS_PER_MILLISECOND,
    TICKS_PER_SECOND,
)
from workbench.query.functions import _sql

if TYPE_CHECKING:
    from workbench.query.functions._sql import Sql

_MONTHS = {"month": 1, "year": 12}
# A multiple of every unit, weeks too, and longer than the time since year 1: with it, division rounds down.
_AHEAD = 1_400_000 * TICKS_PER_DAY


def moment(ticks: Sql) -> Sql:
    """Ticks as TIMESTAMP."""
    return _sql.plain_func("make_timestamp", whole(ticks, 10))


def whole(ticks: Sql, unit: int) -> Sql:
    """How many whole units lie before a datetime, rounded down. What is divided is never negative."""
    return _sql.op("-", _sql.op("//", _sql.op("+", ticks, _AHEAD), unit), _AHEAD // unit)


def rest(ticks: Sql, unit: int) -> Sql:
    """What of a datetime is beyond its last whole unit."""
    return _sql.op("%", _sql.op("+", ticks, _AHEAD), unit)


def ticks_of(timestamp: Sql) -> Sql:
    """TIMESTAMP as ticks; null where it can't be one."""
    return _sql.plain_func("try", _sql.op("*", _sql.plain_func("epoch_us", timestamp), 10))


def in_range(ticks: Sql) -> Sql:
    """The ticks, null where they lie outside years 1 to 9999."""
    return _sql.case((_sql.between(ticks, MIN_DATETIME_TICKS, MAX_DATETIME_TICKS), ticks))


def bounded(number: Sql, most: int) -> Sql:
    """A number of units that can't overflow; null for null."""
    clipped = _sql.func("least", _sql.func("greatest", number, -most), most)
    return _sql.case((_sql.not_null(number), clipped))


def day(ticks: Sql) -> Sql:
    """Days from 1970-01-01 to the day of the ticks."""
    return whole(ticks, TICKS_PER_DAY)


def _extracted(name: str) -> Callable[[Sql], Sql]:
    return lambda ticks: _sql.cast(_sql.plain_func(name, moment(ticks)), "BIGINT")


year, month, day_of_month = _extracted("year"), _extracted("month"), _extracted("day")


def month_index(ticks: Sql) -> Sql:
    """Months from year 0 on."""
    return _sql.op("-", _sql.op("+", _sql.op("*", year(ticks), 12), month(ticks)), 1)


def _truncated(unit: str, timestamp: Sql) -> Sql:
    return _sql.plain_func("date_trunc", unit, timestamp)


def start(unit: str, ticks: Sql, offset: Any) -> Sql:
    """The first tick of the period `offset` periods away."""
    if unit in _MONTHS:
        first = _truncated(unit, moment(ticks))
        if offset != 0:
            months = _sql.plain_func("to_months", _sql.op("*", offset, _MONTHS[unit]))
            first = _sql.op("+", first, months)
        return ticks_of(first)
    if unit == "day":
        days = _sql.op("+", day(ticks), offset)
    else:
        since_sunday = rest(_sql.op("+", ticks, 4 * TICKS_PER_DAY), 7 * TICKS_PER_DAY)
        sunday = _sql.op("//", _sql.op("-", ticks, since_sunday), TICKS_PER_DAY)
        days = _sql.op("+", sunday, _sql.op("*", offset, 7))
    return _sql.op("*", days, TICKS_PER_DAY)


def start_of(unit: str, ticks: Sql, offset: Any, *, bounds: bool) -> Sql:
    """The first tick of a period; null outside of years 1 to 9999 where `bounds` says to look."""
    found = start(unit, ticks, offset)
    return in_range(found) if bounds else found


def end_of(unit: str, ticks: Sql, offset: Any) -> Sql:
    """The last tick of a period."""
    following = offset + 1 if isinstance(offset, int) else _sql.op("+", offset, 1)
    return in_range(_sql.op("-", start(unit, ticks, following), 1))


def _of_second(unit: int, times: int = 1) -> Callable[[Sql], Sql]:
    """What is beyond the second, in units of so many ticks."""
    return lambda ticks: _sql.op("*", _sql.op("//", _sql.floor_mod_by(ticks, TICKS_PER_SECOND), unit), times)


PARTS: dict[str, Callable[[Sql], Sql]] = {
    "year": year,
    "quarter": _extracted("quarter"),
    "month": month,
    "week_of_year": _extracted("weekofyear"),
    "weekofyear": _extracted("weekofyear"),
    "day": day_of_month,
    "dayofyear": _extracted("dayofyear"),
    "hour": _extracted("hour"),
    "minute": _extracted("minute"),
    "second": _extracted("second"),
    "millisecond": _of_second(TICKS_PER_MILLISECOND),
    "microsecond": _of_second(10),
    "nanosecond": _of_second(1, 100),
}


def moved_by_months(ticks: Sql, months: Sql) -> Sql:
    """A datetime some months away; a day that the month lacks becomes its last. Null where one is."""
    moved = ticks_of(_sql.op("+", moment(ticks), _sql.plain_func("to_months", months)))
    return in_range(_sql.op("+", moved, rest(ticks, 10)))
