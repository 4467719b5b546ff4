"""Casts of a whole column at once: what most values look like, so that Python sees only the odd ones.

`quick` gives the cast column and which rows it leaves to `_cast.python_cast`; it never changes what a value means.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from workbench.base.dtypes import (
    MAX_DATETIME_TICKS,
    MIN_DATETIME_TICKS,
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    ScalarType,
)

T = ScalarType
Quick = tuple[pl.Series, pl.Series]


def quick(series: pl.Series, source: ScalarType, to: ScalarType) -> Quick | None:
    """The column as `to`, and the rows that have to be cast one by one; None: all of them.

    Examples
    --------
    >>> done, left = quick(pl.Series(["12", "0x1f", "x"]), ScalarType.STRING, ScalarType.LONG)
    >>> done.to_list(), left.to_list()
    ([12, None, None], [False, True, True])
    """
    rule = _RULES.get((source, to))
    return rule(series) if rule is not None else None


def datetime_text(ticks: pl.Expr) -> pl.Expr:
    """Ticks as `2020-01-31T23:59:59.1234567Z`; "" for null and outside years 1 to 9999."""
    known = ticks.is_between(MIN_DATETIME_TICKS, MAX_DATETIME_TICKS)
    second = (ticks // 10).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = (ticks % TICKS_PER_SECOND).cast(pl.String).str.zfill(7)
    return pl.when(known).then(pl.concat_str(second, pl.lit("."), fraction, pl.lit("Z"))).otherwise(pl.lit(""))  # fmt: skip


def timespan_text(ticks: pl.Expr) -> pl.Expr:
    """Ticks as `[-][d.]hh:mm:ss[.fffffff]`; "" for null."""
    size = ticks.abs()

    def two(number: pl.Expr) -> pl.Expr:
        return number.cast(pl.String).str.zfill(2)

    days, fraction = size // TICKS_PER_DAY, size % TICKS_PER_SECOND
    return pl.concat_str(
        pl.when(ticks < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        pl.when(days > 0).then(days.cast(pl.String) + ".").otherwise(pl.lit("")),
        two(size % TICKS_PER_DAY // TICKS_PER_HOUR), pl.lit(":"),
        two(size % TICKS_PER_HOUR // TICKS_PER_MINUTE), pl.lit(":"),
        two(size % TICKS_PER_MINUTE // TICKS_PER_SECOND),
        pl.when(fraction > 0).then("." + fraction.cast(pl.String).str.zfill(7)).otherwise(pl.lit("")),
    ).fill_null("")  # fmt: skip


# ---- out of text ----------------------------------------------------------------------------


def _unquoted(series: pl.Series) -> pl.Series:
    """The text inside a JSON string; other JSON as it is."""
    return series.str.strip_prefix('"').str.strip_suffix('"')


def _number(dtype: pl.DataType) -> Callable[[pl.Series], Quick]:
    def read(series: pl.Series) -> Quick:
        found = series.str.strip_chars().cast(dtype, strict=False)
        return found, found.is_null() & series.is_not_null() & (series != "")

    return read


def _from_dynamic(read: Callable[[pl.Series], Quick]) -> Callable[[pl.Series], Quick]:
    return lambda series: read(_unquoted(series))


def _datetime(series: pl.Series) -> Quick:
    """ISO 8601 in UTC with seconds: what logs hold. Nanoseconds reach from 1677 to 2262."""
    near = series.str.contains(r"^(?:1[789]|20|21)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$")
    plain = series.set(~near.fill_null(False), None) if not near.all() else series
    read = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", strict=False).to_physical() // 100
    return read, read.is_null() & series.is_not_null() & (series != "")


# ---- into text ------------------------------------------------------------------------------


def _real_text(series: pl.Series) -> Quick:
    size = series.abs()
    # Beyond these bounds reals are written with an exponent, in a way of Kusto's own.
    plain = ((size >= 1e-4) & (size < 1e15)) | (size == 0)
    return series.cast(pl.String).fill_null(""), ~plain & series.is_not_null()


def _dynamic_text(series: pl.Series) -> Quick:
    """Strings without their quotes, whole numbers, arrays and bags as they are."""
    text = _unquoted(series)
    odd = series.str.contains(r'^"[^\\]*\\|^-?[\d.]*[.eE]|^null$|^"?$|^[^"]*"$|^"[^"]*$').fill_null(False)
    return text.fill_null(""), odd


_RULES: dict[tuple[ScalarType, ScalarType], Callable[[pl.Series], Quick]] = {
    (T.STRING, T.LONG): _number(pl.Int64()),
    (T.STRING, T.INT): _number(pl.Int32()),
    (T.STRING, T.REAL): _number(pl.Float64()),
    (T.STRING, T.DATETIME): _datetime,
    (T.DYNAMIC, T.LONG): _from_dynamic(_number(pl.Int64())),
    (T.DYNAMIC, T.INT): _from_dynamic(_number(pl.Int32())),
    (T.DYNAMIC, T.REAL): _from_dynamic(_number(pl.Float64())),
    (T.DYNAMIC, T.DATETIME): _from_dynamic(_datetime),
    (T.DYNAMIC, T.STRING): _dynamic_text,
    (T.REAL, T.STRING): _real_text,
}
