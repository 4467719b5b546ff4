"""Calendar arithmetic as SQL: days, months and parts of a datetime in ticks, as `datetimes` has them in Polars.

Everything is counted with whole numbers, so that it holds from year 1 to 9999 and means the same in every engine.
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


def moment(ticks: Sql) -> Sql:
    """Ticks as TIMESTAMP."""
    return _sql.plain_func("make_timestamp", _sql.floor_div(ticks, 10))


def in_range(ticks: Sql) -> Sql:
    """The ticks, null where they lie outside years 1 to 9999."""
    return _sql.case((_sql.between(ticks, MIN_DATETIME_TICKS, MAX_DATETIME_TICKS), ticks))


def bounded(number: Sql, most: int) -> Sql:
    """A number of units that can't overflow; null for null."""
    clipped = _sql.func("least", _sql.func("greatest", number, -most), most)
    return _sql.case((_sql.not_null(number), clipped))


def day(ticks: Sql) -> Sql:
    """Days from 1970-01-01 to the day of the ticks."""
    return _sql.floor_div(ticks, TICKS_PER_DAY)


def days_of(year: Sql, month: Sql, of_month: Any = 1) -> Sql:
    """Days from 1970-01-01 to a date. The year is taken to begin in March."""
    early = _sql.op("<=", month, 2)
    y = _sql.case((early, _sql.op("-", year, 1)), otherwise=year)
    m = _sql.case((early, _sql.op("+", month, 9)), otherwise=_sql.op("-", month, 3))
    whole = _sql.op("*", y, 365)
    for sign, years in (("+", 4), ("-", 100), ("+", 400)):
        whole = _sql.op(sign, whole, _sql.floor_div(y, years))
    days = _sql.floor_div(_sql.op("+", _sql.op("*", m, 153), 2), 5)
    return _sql.op("-", _sql.op("+", _sql.op("+", whole, days), of_month), 719469)


def _extracted(name: str) -> Callable[[Sql], Sql]:
    return lambda ticks: _sql.cast(_sql.plain_func(name, moment(ticks)), "BIGINT")


year, month, day_of_month = _extracted("year"), _extracted("month"), _extracted("day")


def month_index(ticks: Sql) -> Sql:
    """Months from year 0 on."""
    return _sql.op("-", _sql.op("+", _sql.op("*", year(ticks), 12), month(ticks)), 1)


def first_of_month(index: Sql) -> Sql:
    """Days to the first day of a month by its index."""
    return days_of(_sql.floor_div(index, 12), _sql.op("+", _sql.floor_mod_by(index, 12), 1))


def start(unit: str, ticks: Sql, offset: Any) -> Sql:
    """Days from 1970-01-01 to the first day of the period `offset` periods away."""
    if unit == "day":
        return _sql.op("+", day(ticks), offset)
    if unit == "week":
        since_sunday = _sql.floor_mod_by(_sql.op("+", day(ticks), 4), 7)
        return _sql.op("+", _sql.op("-", day(ticks), since_sunday), _sql.op("*", offset, 7))
    if unit == "month":
        return first_of_month(_sql.op("+", month_index(ticks), offset))
    return days_of(_sql.op("+", year(ticks), offset), _sql.lit(1))


def start_of(unit: str, ticks: Sql, offset: Any, *, bounds: bool) -> Sql:
    """The first tick of a period; null outside of years 1 to 9999 where `bounds` says to look."""
    found = _sql.op("*", start(unit, ticks, offset), TICKS_PER_DAY)
    return in_range(found) if bounds else found


def end_of(unit: str, ticks: Sql, offset: Any) -> Sql:
    """The last tick of a period."""
    following = _sql.op("*", start(unit, ticks, _sql.op("+", offset, 1)), TICKS_PER_DAY)
    return in_range(_sql.op("-", following, 1))


def old_week(ticks: Sql) -> Sql:
    """Week of the year by the rule that ISO replaced: Sunday first, week 1 has four days of the year."""

    def week(of: Sql, in_year: Sql) -> Sql:
        first = days_of(in_year, _sql.lit(1))
        lead = _sql.floor_mod_by(_sql.op("-", 7, _sql.floor_mod_by(_sql.op("+", first, 4), 7)), 7)
        lead = _sql.case((_sql.op(">=", lead, 4), _sql.op("-", lead, 7)), otherwise=lead)
        return _sql.op("+", _sql.floor_div(_sql.op("-", _sql.op("-", of, first), lead), 7), 1)

    own = week(day(ticks), year(ticks))
    eve = _sql.op("-", days_of(year(ticks), _sql.lit(1)), 1)
    return _sql.case((_sql.op(">=", own, 1), own), otherwise=week(eve, _sql.op("-", year(ticks), 1)))


def _of_second(unit: int, times: int = 1) -> Callable[[Sql], Sql]:
    """What is beyond the second, in units of so many ticks."""
    return lambda ticks: _sql.op("*", _sql.op("//", _sql.floor_mod_by(ticks, TICKS_PER_SECOND), unit), times)


PARTS: dict[str, Callable[[Sql], Sql]] = {
    "year": year,
    "quarter": _extracted("quarter"),
    "month": month,
    "week_of_year": _extracted("weekofyear"),
    "weekofyear": old_week,
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
    index = _sql.op("+", month_index(ticks), months)
    first = first_of_month(index)
    last = _sql.op("-", first_of_month(_sql.op("+", index, 1)), first)
    of_month = _sql.func("least", day_of_month(ticks), last)
    days = _sql.op("-", _sql.op("+", first, of_month), 1)
    moved = _sql.op("+", _sql.op("*", days, TICKS_PER_DAY), _sql.floor_mod_by(ticks, TICKS_PER_DAY))
    known = _sql.all_of(_sql.not_null(ticks), _sql.not_null(months))
    return _sql.case((known, in_range(moved)))
