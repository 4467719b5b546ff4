"""Calendar functions: starts and ends of periods, parts, sums and differences of datetimes.

Days are counted from 1970-01-01 and computed with whole-number arithmetic on columns: it holds from year 1 to 9999
and needs no calendar object. Weeks start on Sunday, except for the ISO week number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import (
    MAX_DATETIME_TICKS,
    MIN_DATETIME_TICKS,
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MILLISECOND,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    ScalarType,
)
from workbench.query.functions import _sql, _sql_cast, _sql_time
from workbench.query.functions._card import (
    ANY,
    DATETIME,
    INT,
    LONG,
    REAL,
    STRING,
    TIMESPAN,
    Naming,
    const,
    opt,
    scalar,
)
from workbench.query.functions.forms import canonical, converted
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Const, Expr

_UTC = pl.Datetime("us", "UTC")
_MICROSECONDS_PER_DAY = TICKS_PER_DAY // 10
# Ticks in the units that are always as long.
_TICKS = {
    "week": 7 * TICKS_PER_DAY, "day": TICKS_PER_DAY, "hour": TICKS_PER_HOUR, "minute": TICKS_PER_MINUTE,
    "second": TICKS_PER_SECOND, "millisecond": TICKS_PER_MILLISECOND, "microsecond": 10,
}  # fmt: skip
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_UNITS = (*_MONTHS, *_TICKS, "nanosecond")
_MOST_DAYS = 2**63 // TICKS_PER_DAY - 1  # of a timespan
_MOST_UNITS = 4_000_000  # days that leave the range of datetimes from wherever one begins


def moment(value: Value) -> pl.Expr:
    """A datetime value as Polars' Datetime in µs, without a zone."""
    if value.form is Form.MICROSECONDS:
        return value.expr.dt.replace_time_zone(None)
    return (canonical(value) // 10).cast(pl.Datetime("us"))


def in_range(ticks: pl.Expr) -> pl.Expr:
    """The ticks, null where they lie outside years 1 to 9999."""
    return pl.when(ticks.is_between(MIN_DATETIME_TICKS, MAX_DATETIME_TICKS)).then(ticks)


def _days_in_range(days: pl.Expr) -> pl.Expr:
    """Days from 1970-01-01, null where they lie outside years 1 to 9999."""
    first, last = MIN_DATETIME_TICKS // TICKS_PER_DAY, MAX_DATETIME_TICKS // TICKS_PER_DAY
    return pl.when(days.is_between(first, last)).then(days)


def _bounded(number: pl.Expr, most: int) -> pl.Expr:
    """A number of units that can't overflow; what is beyond `most` leaves the range of datetimes anyway."""
    return number.clip(-most, most)


def days_of(year: pl.Expr, month: pl.Expr, day: pl.Expr | int = 1) -> pl.Expr:
    """Days from 1970-01-01 to a date, all Int64. The year is taken to begin in March."""
    early = month <= 2
    y = pl.when(early).then(year - 1).otherwise(year)
    m = pl.when(early).then(month + 9).otherwise(month - 3)
    return y * 365 + y // 4 - y // 100 + y // 400 + (m * 153 + 2) // 5 + day - 719469


def _day(value: Value) -> pl.Expr:
    """Days from 1970-01-01 to the value's day."""
    if value.form is Form.MICROSECONDS:
        return value.expr.to_physical() // _MICROSECONDS_PER_DAY
    return canonical(value) // TICKS_PER_DAY


def _year(value: Value) -> pl.Expr:
    return moment(value).dt.year().cast(pl.Int64)


def _month_index(value: Value) -> pl.Expr:
    """Months from year 0 on."""
    return _year(value) * 12 + moment(value).dt.month().cast(pl.Int64) - 1


def _first_of_month(index: pl.Expr) -> pl.Expr:
    return days_of(index // 12, index % 12 + 1)


def _start(unit: str, value: Value, offset: pl.Expr | int) -> pl.Expr:
    """Days from 1970-01-01 to the first day of the period `offset` periods away."""
    if unit == "day":
        return _day(value) + offset
    if unit == "week":
        day = _day(value)
        return day - (day + 4) % 7 + offset * 7
    if unit == "month":
        return _first_of_month(_month_index(value) + offset)
    return days_of(_year(value) + offset, pl.lit(1, pl.Int64))


def _period(unit: str) -> None:
    naming = Naming.FIRST_ARGUMENT if unit == "day" else Naming.NONE

    @scalar(f"startof{unit}", [DATETIME, opt(LONG)], DATETIME, naming=naming)
    class _StartOf:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            offset = _bounded(canonical(values[1]), _MOST_UNITS) if len(values) > 1 else 0
            days = _start(unit, values[0], offset)
            if unit == "week" or len(values) > 1:
                days = _days_in_range(days)
            if values[0].form is Form.MICROSECONDS:
                return Value((days * _MICROSECONDS_PER_DAY).cast(_UTC), DATETIME, Form.MICROSECONDS)
            return Value(days * TICKS_PER_DAY, DATETIME)

        @staticmethod
        def sql(value: _sql.Sql, offset: _sql.Sql | None = None) -> _sql.Sql:
            if offset is None:
                return _sql_time.start_of(unit, value, 0, bounds=unit == "week")
            return _sql_time.start_of(unit, value, _sql_time.bounded(offset, _MOST_UNITS), bounds=True)

    _StartOf.__doc__ = f"First tick of the {unit}, or of the one `offset` {unit}s away."

    @scalar(f"endof{unit}", [DATETIME, opt(LONG)], DATETIME)
    class _EndOf:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            offset = _bounded(canonical(values[1]), _MOST_UNITS) if len(values) > 1 else 0
            return Value(in_range(_start(unit, values[0], offset + 1) * TICKS_PER_DAY - 1), DATETIME)

        @staticmethod
        def sql(value: _sql.Sql, offset: _sql.Sql | None = None) -> _sql.Sql:
            return _sql_time.end_of(
                unit, value, 0 if offset is None else _sql_time.bounded(offset, _MOST_UNITS)
            )

    _EndOf.__doc__ = f"Last tick of the {unit}, or of the one `offset` {unit}s away."


for _unit in ("day", "week", "month", "year"):
    _period(_unit)


# ---- parts ----------------------------------------------------------------------------------


def _of_second(value: Value, ticks: int) -> pl.Expr:
    """What is beyond the second, in units of `ticks`."""
    return canonical(value) % TICKS_PER_SECOND // ticks


_PARTS: dict[str, Callable[[Value], pl.Expr]] = {
    "year": lambda v: moment(v).dt.year(),
    "quarter": lambda v: moment(v).dt.quarter(),
    "month": lambda v: moment(v).dt.month(),
    "week_of_year": lambda v: moment(v).dt.week(),
    "weekofyear": lambda v: moment(v).dt.week(),
    "day": lambda v: moment(v).dt.day(),
    "dayofyear": lambda v: moment(v).dt.ordinal_day(),
    "hour": lambda v: moment(v).dt.hour(),
    "minute": lambda v: moment(v).dt.minute(),
    "second": lambda v: moment(v).dt.second(),
    "millisecond": lambda v: _of_second(v, TICKS_PER_MILLISECOND),
    "microsecond": lambda v: _of_second(v, 10),
    "nanosecond": lambda v: _of_second(v, 1) * 100,
}


def _part_function(name: str, part: str, doc: str, *aliases: str) -> None:
    @scalar(name, [DATETIME], INT, aliases=aliases)
    class _Part:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            return Value(_PARTS[part](values[0]).cast(pl.Int32), INT)

        @staticmethod
        def sql(value: _sql.Sql) -> _sql.Sql:
            return _sql.cast(_sql_time.PARTS[part](value), "INTEGER")

    _Part.__doc__ = doc


_part_function("getyear", "year", "The year.")
_part_function("getmonth", "month", "The month, 1 to 12.", "monthofyear")
_part_function("dayofmonth", "day", "The day of the month, 1 to 31.")
_part_function("dayofyear", "dayofyear", "The day of the year, 1 to 366.")
_part_function("hourofday", "hour", "The hour, 0 to 23.")
_part_function(
    "week_of_year", "week_of_year", "The ISO week: week 1 has the year's first Thursday.", "weekofyear"
)


@scalar("dayofweek", [DATETIME], TIMESPAN)
class DayOfWeek:
    """Days since Sunday, as a timespan."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        return Value((_day(values[0]) + 4) % 7 * TICKS_PER_DAY, TIMESPAN)

    @staticmethod
    def sql(value: _sql.Sql) -> _sql.Sql:
        since_sunday = _sql_time.rest(_sql.op("+", value, 4 * TICKS_PER_DAY), 7 * TICKS_PER_DAY)
        return _sql.op("*", _sql.op("//", since_sunday, TICKS_PER_DAY), TICKS_PER_DAY)


def _named(arg: Expr, function: str, known: Sequence[str]) -> str:
    """The unit that a constant names, in any case."""
    assert isinstance(arg, Const)  # the binder demands it
    found = str(arg.value).lower()
    if found not in known:
        why = f"{arg.value!r} is no part of a datetime, known are {', '.join(known)}"
        raise diagnostics.bad_argument(f"{function}()", why, arg.span)
    return found


@scalar("datetime_part", [const(STRING), DATETIME], INT)
class DatetimePart:
    """A part of a datetime by its name: year, quarter, week_of_year, hour and so on."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        part = _named(args[0], "datetime_part", tuple(_PARTS))
        return Value(_PARTS[part](values[1]).cast(pl.Int32), INT)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        part = _named(args[0], "datetime_part", tuple(_PARTS))
        found = _sql_time.PARTS[part](_sql_cast.canonical(values[1]))
        return SqlValue(_sql.cast(found, "INTEGER"), INT)


# ---- sums and differences -------------------------------------------------------------------


@scalar("datetime_add", [const(STRING), LONG, DATETIME], DATETIME)
class DatetimeAdd:
    """A datetime moved by a number of units; a day that the month lacks becomes its last."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        unit = _named(args[0], "datetime_add", _UNITS)
        number, value = canonical(values[1]), values[2]
        ticks = canonical(value)
        if unit == "nanosecond":
            return Value(in_range(ticks + number // 100), DATETIME)
        if unit in _TICKS:
            # Twice the range of datetimes leaves it from wherever one begins, and does not overflow.
            most = 2 * (MAX_DATETIME_TICKS - MIN_DATETIME_TICKS) // _TICKS[unit]
            return Value(in_range(ticks + _bounded(number, most) * _TICKS[unit]), DATETIME)
        index = _month_index(value) + _bounded(number, _MOST_UNITS) * _MONTHS[unit]
        first = _first_of_month(index)
        day = moment(value).dt.day().cast(pl.Int64)
        last = _first_of_month(index + 1) - first
        moved = (first + pl.min_horizontal(day, last) - 1) * TICKS_PER_DAY + ticks % TICKS_PER_DAY
        # A min over columns passes by nulls: where one is missing, so is the sum.
        return Value(pl.when(ticks.is_not_null() & number.is_not_null()).then(in_range(moved)), DATETIME)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        unit = _named(args[0], "datetime_add", _UNITS)
        number, ticks = (_sql_cast.canonical(v) for v in values[1:])
        if unit == "nanosecond":
            moved = _sql_time.in_range(_sql.op("+", ticks, _sql.floor_div(number, 100)))
        elif unit in _TICKS:
            most = 2 * (MAX_DATETIME_TICKS - MIN_DATETIME_TICKS) // _TICKS[unit]
            by = _sql.op("*", _sql_time.bounded(number, most), _TICKS[unit])
            moved = _sql_time.in_range(_sql.op("+", ticks, by))
        else:
            months = _sql.op("*", _sql_time.bounded(number, _MOST_UNITS), _MONTHS[unit])
            moved = _sql_time.moved_by_months(ticks, months)
        return SqlValue(moved, DATETIME)


@scalar("datetime_diff", [const(STRING), DATETIME, DATETIME], LONG)
class DatetimeDiff:
    """How many borders of the unit lie between the second datetime and the first."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        unit = _named(args[0], "datetime_diff", _UNITS)
        a, b = values[1], values[2]
        if unit == "nanosecond":
            return Value((canonical(a) - canonical(b)) * 100, LONG)
        if unit in _MONTHS:
            size = _MONTHS[unit]
            return Value(_month_index(a) // size - _month_index(b) // size, LONG)
        if unit == "week":
            return Value((_day(a) + 4) // 7 - (_day(b) + 4) // 7, LONG)
        size = _TICKS[unit]
        return Value(canonical(a) // size - canonical(b) // size, LONG)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        unit = _named(args[0], "datetime_diff", _UNITS)
        a, b = (_sql_cast.canonical(v) for v in values[1:])
        if unit == "nanosecond":
            return SqlValue(_sql.wrapped("*", _sql.op("-", a, b), 100), LONG)

        def place(ticks: _sql.Sql) -> _sql.Sql:
            if unit in _MONTHS:
                return _sql.floor_div(_sql_time.month_index(ticks), _MONTHS[unit])
            if unit == "week":
                return _sql_time.whole(_sql.op("+", ticks, 4 * TICKS_PER_DAY), 7 * TICKS_PER_DAY)
            return _sql_time.whole(ticks, _TICKS[unit])

        return SqlValue(_sql.op("-", place(a), place(b)), LONG)


# ---- making ---------------------------------------------------------------------------------


@scalar(
    "make_datetime",
    overloads=[
        ([ANY], DATETIME),
        ([LONG, LONG, LONG], DATETIME),
        ([LONG, LONG, LONG, LONG, opt(LONG), opt(REAL)], DATETIME),
    ],
    naming=Naming.ONLY_ARGUMENT,
)
class MakeDatetime:
    """A datetime of year, month, day, hour, minute and second; null where there is no such time."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        if len(values) == 1:
            return converted(values[0], DATETIME)
        given = [canonical(v) for v in values]
        year, month, day, hour, minute, second = given + [pl.lit(0, pl.Int64)] * (6 - len(given))
        first = days_of(year, month)
        last = days_of(year + month // 12, month % 12 + 1) - first
        possible = (
            year.is_between(1, 9999)
            & month.is_between(1, 12)
            & (day >= 1)
            & (day <= last)
            & _possible_clock(hour, minute, second)
        )
        ticks = (first + day - 1) * TICKS_PER_DAY + _clock(hour, minute, second)
        return Value(pl.when(possible).then(ticks), DATETIME)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if len(values) == 1:
            return _sql_cast.converted(values[0], DATETIME)
        given = [_sql_cast.canonical(v) for v in values]
        year, month, day, hour, minute, second = given + [_sql.lit(0)] * (6 - len(given))
        date = _sql_time.ticks_of(_sql.plain_func("make_timestamp", year, month, day, 0, 0, 0.0))
        possible = _sql.all_of(_sql.between(year, 1, 9999), _sql_possible_clock(hour, minute, second))
        ticks = _sql.op("+", date, _sql_clock(hour, minute, second))
        return SqlValue(_sql.case((possible, ticks)), DATETIME)


def _possible_clock(hour: pl.Expr, minute: pl.Expr, second: pl.Expr) -> pl.Expr:
    return hour.is_between(0, 23) & minute.is_between(0, 59) & (second >= 0) & (second < 60)


def _clock(hour: pl.Expr, minute: pl.Expr, second: pl.Expr) -> pl.Expr:
    fine = (second * TICKS_PER_SECOND).round().cast(pl.Int64, strict=False)
    return hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + fine


def _sql_possible_clock(hour: _sql.Sql, minute: _sql.Sql, second: _sql.Sql) -> _sql.Sql:
    seconds = _sql.all_of(_sql.op(">=", second, 0), _sql.op("<", second, 60))
    return _sql.all_of(_sql.between(hour, 0, 23), _sql.between(minute, 0, 59), seconds)


def _sql_clock(hour: _sql.Sql, minute: _sql.Sql, second: _sql.Sql) -> _sql.Sql:
    """Ticks of a possible time of day."""
    fine = _sql.try_cast(_sql.to_even(_sql.op("*", second, float(TICKS_PER_SECOND))), "BIGINT")
    clock = _sql.op("+", _sql.op("*", hour, TICKS_PER_HOUR), _sql.op("*", minute, TICKS_PER_MINUTE))
    return _sql.op("+", clock, fine)


@scalar(
    "make_timespan",
    overloads=[
        ([ANY], TIMESPAN),
        ([LONG, LONG], TIMESPAN),
        ([LONG, LONG, REAL], TIMESPAN),
        ([LONG, LONG, LONG, REAL], TIMESPAN),
    ],
    naming=Naming.ONLY_ARGUMENT,
)
class MakeTimespan:
    """A timespan of hour, minute and second, or with days before; null where they are out of range."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        if len(values) == 1:
            return converted(values[0], TIMESPAN)
        given = [canonical(v) for v in values]
        days = given.pop(0) if len(given) == 4 else pl.lit(0, pl.Int64)
        hour, minute, second = given if len(given) == 3 else (*given, pl.lit(0.0))
        ticks = days * TICKS_PER_DAY + _clock(hour, minute, second)
        possible = _possible_clock(hour, minute, second) & days.abs().is_between(0, _MOST_DAYS)
        return Value(pl.when(possible).then(ticks), TIMESPAN)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if len(values) == 1:
            return _sql_cast.converted(values[0], TIMESPAN)
        given = [_sql_cast.canonical(v) for v in values]
        days = given.pop(0) if len(given) == 4 else _sql.lit(0)
        hour, minute, second = given if len(given) == 3 else (*given, _sql.lit(0.0))
        near = _sql.between(days, -_MOST_DAYS, _MOST_DAYS)
        possible = _sql.all_of(near, _sql_possible_clock(hour, minute, second))
        ticks = _sql.op("+", _sql.op("*", days, TICKS_PER_DAY), _sql_clock(hour, minute, second))
        return SqlValue(_sql.case((possible, ticks)), TIMESPAN)


def _unixtime(unit: str, ticks: int) -> None:
    def scaled(number: pl.Expr) -> pl.Expr:
        return number * ticks if ticks else number // 100

    @scalar(f"unixtime_{unit}s_todatetime", overloads=[([LONG], DATETIME), ([REAL], DATETIME)])
    class _UnixTime:
        @staticmethod
        def polars(number: pl.Expr, types: Sequence[Any]) -> pl.Expr:
            # Numbers of another unit overflow 64 bits: they are tried as reals first.
            near = scaled(number.cast(pl.Float64)).is_between(MIN_DATETIME_TICKS, MAX_DATETIME_TICKS)
            found = scaled(number)
            return pl.when(near).then(
                found.round().cast(pl.Int64, strict=False) if types[0] is REAL else found
            )

        @staticmethod
        def sql(number: _sql.Sql, types: Sequence[Any]) -> _sql.Sql:
            real = _sql.cast(number, "DOUBLE")
            if types[0] is REAL:
                found = (
                    _sql.op("*", real, float(ticks))
                    if ticks
                    else _sql.func("floor", _sql.op("/", real, 100.0))
                )
                whole = _sql.try_cast(_sql.to_even(found), "BIGINT")
            else:
                found = _sql.op("*", real, float(ticks)) if ticks else _sql.op("/", real, 100.0)
                whole = _sql.op("*", number, ticks) if ticks else _sql.floor_div(number, 100)
            near = _sql.between(found, float(MIN_DATETIME_TICKS), float(MAX_DATETIME_TICKS))
            return _sql.case((near, whole))

    _UnixTime.__doc__ = f"The datetime that lies so many {unit}s after 1970."


for _name, _size in (("second", TICKS_PER_SECOND), ("millisecond", 10_000), ("microsecond", 10), ("nanosecond", 0)):  # fmt: skip
    _unixtime(_name, _size)
