"""`format_datetime` and `format_timespan`: a constant format becomes one column expression.

A run of one letter is cut into the longest specifiers there are: `dddd` is `dd` twice. Whatever is no specifier stands
for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from workbench.base.dtypes import (
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    ScalarType,
)
from workbench.query.functions._card import DATETIME, STRING, TIMESPAN, Naming, const, scalar
from workbench.query.functions.datetimes import moment
from workbench.query.functions.forms import canonical
from workbench.query.lowering import Value
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


def _text(parts: list[pl.Expr], known: pl.Expr) -> Value:
    joined = pl.concat_str(parts) if parts else pl.lit("")
    return Value(pl.when(known).then(joined).otherwise(pl.lit("")), STRING)


def _format_of(arg: Expr) -> str:
    assert isinstance(arg, Const)  # the binder demands it
    return str(arg.value)


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
