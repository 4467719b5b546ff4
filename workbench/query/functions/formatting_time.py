"""`format_datetime` and `format_timespan`: a constant format becomes one column expression.

A run of one letter is cut into the longest specifiers there are: `dddd` is `dd` twice. Whatever is no specifier stands
for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import (
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    ScalarType,
)
from workbench.query.functions import _sql, _sql_cast, _sql_time
from workbench.query.functions._card import DATETIME, STRING, TIMESPAN, Naming, const, scalar
from workbench.query.functions.datetimes import moment
from workbench.query.functions.forms import canonical
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

_OF_DATETIME = re.compile(r"yyyy|yy|y|MM?|dd?|HH?|hh?|mm?|ss?|f{1,7}|F{1,7}|tt|.", re.DOTALL)
_OF_TIMESPAN = re.compile(r"d{1,8}|HH?|hh?|mm?|ss?|f{1,7}|F{1,7}|.", re.DOTALL)


def _padded(number: pl.Expr, width: int) -> pl.Expr:
    text = number.cast(pl.String)
    return text.str.zfill(width) if width > 1 else text


def _fraction(ticks: pl.Expr, specifier: str) -> pl.Expr:
    """Digits after the second; with `F` zeros at the end are left out."""
    digits = len(specifier)
    text = _padded(ticks % TICKS_PER_SECOND // 10 ** (7 - digits), digits)
    return text.str.strip_chars_end("0") if specifier[0] == "F" else text


def _clock(specifier: str, ticks: pl.Expr) -> pl.Expr:
    """A part of the time of day that both formats know; `ticks` are never negative."""
    letter, width = specifier[0], len(specifier)
    if letter in "Hh":
        return _padded(ticks % TICKS_PER_DAY // TICKS_PER_HOUR, width)
    if letter == "m":
        return _padded(ticks % TICKS_PER_HOUR // TICKS_PER_MINUTE, width)
    if letter == "s":
        return _padded(ticks % TICKS_PER_MINUTE // TICKS_PER_SECOND, width)
    return _fraction(ticks, specifier)


def _of_datetime(specifier: str, value: Value, ticks: pl.Expr) -> pl.Expr:
    letter, width = specifier[0], len(specifier)
    if letter == "y":
        year = moment(value).dt.year()
        return _padded(year if width == 4 else year % 100, width)
    if letter == "M":
        return _padded(moment(value).dt.month(), width)
    if letter == "d":
        return _padded(moment(value).dt.day(), width)
    if letter == "h":
        hour = ticks % TICKS_PER_DAY // TICKS_PER_HOUR
        return _padded((hour + 11) % 12 + 1, width)
    if specifier == "tt":
        return pl.when(ticks % TICKS_PER_DAY < TICKS_PER_DAY // 2).then(pl.lit("AM")).otherwise(pl.lit("PM"))
    return _clock(specifier, ticks)


def _sql_padded(number: _sql.Sql, width: int) -> _sql.Sql:
    """As `_padded`: SQL's own padding would cut what is longer."""
    text = _sql.cast(number, "VARCHAR")
    if width == 1:
        return text
    return _sql.case(
        (_sql.op("<", _sql.func("length", text), width), _sql_cast.padded(number, width)), otherwise=text
    )


def _sql_clock(specifier: str, ticks: _sql.Sql) -> _sql.Sql:
    letter, width = specifier[0], len(specifier)
    sizes = {
        "H": (TICKS_PER_DAY, TICKS_PER_HOUR), "h": (TICKS_PER_DAY, TICKS_PER_HOUR),
        "m": (TICKS_PER_HOUR, TICKS_PER_MINUTE), "s": (TICKS_PER_MINUTE, TICKS_PER_SECOND),
    }  # fmt: skip
    if letter in sizes:
        of, unit = sizes[letter]
        return _sql_padded(_sql.op("//", _sql.op("%", ticks, of), unit), width)
    digits = _sql.op("//", _sql.op("%", ticks, TICKS_PER_SECOND), 10 ** (7 - width))
    text = _sql_cast.padded(digits, width)
    return _sql.func("rtrim", text, "0") if letter == "F" else text


def _sql_of_datetime(specifier: str, ticks: _sql.Sql) -> _sql.Sql:
    letter, width = specifier[0], len(specifier)
    if letter == "y":
        year = _sql_time.year(ticks)
        return _sql_padded(year if width == 4 else _sql.op("%", year, 100), width)
    if letter in "Md":
        return _sql_padded(_sql_time.month(ticks) if letter == "M" else _sql_time.day_of_month(ticks), width)
    of_day = _sql_time.rest(ticks, TICKS_PER_DAY)
    if letter == "h":
        hour = _sql.op("+", _sql.op("//", of_day, TICKS_PER_HOUR), 11)
        return _sql_padded(_sql.op("+", _sql.op("%", hour, 12), 1), width)
    if specifier == "tt":
        return _sql.case((_sql.op("<", of_day, TICKS_PER_DAY // 2), "AM"), otherwise="PM")
    return _sql_clock(specifier, of_day)


def _sql_text(parts: list[_sql.Sql]) -> SqlValue:
    return SqlValue(_sql.coalesce(_sql.concat(*parts), "") if parts else _sql.lit(""), STRING)


def _text(parts: list[pl.Expr], known: pl.Expr) -> Value:
    joined = pl.concat_str(parts) if parts else pl.lit("")
    return Value(pl.when(known).then(joined).otherwise(pl.lit("")), STRING)


_LONGEST = 1_000


def _format_of(arg: Expr) -> str:
    assert isinstance(arg, Const)  # the binder demands it
    text = str(arg.value)
    if len(text) > _LONGEST:
        why = f"a format has {_LONGEST:,} characters at most, not {len(text):,}"
        raise diagnostics.bad_argument("a format of time", why, arg.span)
    return text


@scalar("format_datetime", [DATETIME, const(STRING)], STRING, naming=Naming.FIRST_ARGUMENT)
class FormatDatetime:
    """A datetime as text by a format such as `yyyy-MM-dd HH:mm:ss.fff`; null is empty."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        ticks = canonical(values[0])
        parts = [
            _of_datetime(piece, values[0], ticks)
            if piece[0] in "yMdHhmsfF" or piece == "tt"
            else pl.lit(piece)
            for piece in _OF_DATETIME.findall(_format_of(args[1]))
        ]
        return _text(parts, ticks.is_not_null())

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        ticks = _sql_cast.canonical(values[0])
        parts = [
            _sql_of_datetime(piece, ticks) if piece[0] in "yMdHhmsfF" or piece == "tt" else _sql.lit(piece)
            for piece in _OF_DATETIME.findall(_format_of(args[1]))
        ]
        return _sql_text(parts)


@scalar("format_timespan", [TIMESPAN, const(STRING)], STRING, naming=Naming.FIRST_ARGUMENT)
class FormatTimespan:
    """A timespan as text by a format such as `d.hh:mm:ss.fff`; a minus goes first, null is empty."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        signed = canonical(values[0])
        ticks = signed.abs()
        parts = [pl.when(signed < 0).then(pl.lit("-")).otherwise(pl.lit(""))]
        for piece in _OF_TIMESPAN.findall(_format_of(args[1])):
            if piece[0] == "d":
                parts.append(_padded(ticks // TICKS_PER_DAY, len(piece)))
            else:
                parts.append(_clock(piece, ticks) if piece[0] in "HhmsfF" else pl.lit(piece))
        return _text(parts, signed.is_not_null())

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        signed = _sql_cast.canonical(values[0])
        ticks = _sql.func("abs", _sql.cast(signed, "HUGEINT"))
        parts = [_sql.case((_sql.op("<", signed, 0), "-"), (_sql.not_null(signed), ""))]
        for piece in _OF_TIMESPAN.findall(_format_of(args[1])):
            if piece[0] == "d":
                parts.append(_sql_padded(_sql.op("//", ticks, TICKS_PER_DAY), len(piece)))
            else:
                parts.append(_sql_clock(piece, ticks) if piece[0] in "HhmsfF" else _sql.lit(piece))
        return _sql_text(parts)
