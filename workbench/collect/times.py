"""Text as points in time, by the column.

In go text series, out come datetime series of microseconds with null where a text is no time
between the years 1 and 9999. A part finer than a microsecond is cut off.
"""

from __future__ import annotations

import polars as pl

from workbench.base.dtypes import parse_datetime
from workbench.repository.physical import MAX_MICROSECONDS, MIN_MICROSECONDS, UTC_MICROSECONDS

#: ISO 8601 with a stated zone: only such text is taken for a time where nobody said that it is one.
ISO = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?(Z|[+-]\d{2}:\d{2})$"
_NO_ZONE = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}([.,]\d{1,9})?$"


def all_iso(text: pl.Series) -> bool:
    """Whether there are values, and each is ISO 8601 with a zone.

    Examples
    --------
    >>> all_iso(pl.Series(["2020-01-31T23:59:59Z", None])), all_iso(pl.Series(["2020-01-31"]))
    (True, False)
    """
    first = text.drop_nulls().head(1)
    if not len(first) or not first.str.contains(ISO).all():
        return False
    found = iso(text)
    return found.null_count() == text.null_count()


def iso(text: pl.Series) -> pl.Series:
    """The times of ISO texts with a zone; null for all others.

    Examples
    --------
    >>> iso(pl.Series(["1970-01-01T01:00:00.5+01:00", "1970-01-01"])).to_physical().to_list()
    [500000, None]
    """
    value = pl.col("v")
    return _times_of(text, pl.when(value.str.contains(ISO)).then(value))


def time_of(text: pl.Series) -> pl.Series:
    """The times of texts in any form that KQL's `todatetime` takes; without a zone it is UTC.

    Examples
    --------
    >>> time_of(pl.Series(["1970-01-01 00:00:01", "soon"])).to_physical().to_list()
    [1000000, None]
    """
    found = iso(text)
    if found.null_count() == text.null_count():
        return found
    value = pl.col("v")
    plain = value.str.replace(" ", "T", literal=True).str.replace(",", ".", literal=True) + "Z"
    found = found.zip_with(
        found.is_not_null(), _times_of(text, pl.when(value.str.contains(_NO_ZONE)).then(plain))
    )
    left = text.filter(found.is_null() & text.is_not_null()).unique()
    if not len(left):
        return found.alias(text.name)
    ticks = {v: parse_datetime(v) for v in left.to_list()}
    by_text = {v: t // 10 for v, t in ticks.items() if t is not None}
    if not by_text:
        return found.alias(text.name)
    others = text.replace_strict(
        list(by_text), list(by_text.values()), default=None, return_dtype=pl.Int64
    ).cast(UTC_MICROSECONDS)
    return found.zip_with(found.is_not_null(), _within(others)).alias(text.name)


def _times_of(text: pl.Series, iso_text: pl.Expr) -> pl.Series:
    """The times of ISO texts that an expression makes of the column `v`: all in one go, which costs least."""
    parsed = iso_text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    moment = parsed.cast(UTC_MICROSECONDS)
    inside = moment.to_physical().is_between(MIN_MICROSECONDS, MAX_MICROSECONDS)
    return text.to_frame("v").select_seq(pl.when(inside).then(moment).alias(text.name)).to_series()


def _within(times: pl.Series) -> pl.Series:
    raw = times.to_physical()
    inside = raw.is_between(MIN_MICROSECONDS, MAX_MICROSECONDS)
    return times if inside.all() else times.zip_with(inside.fill_null(False), _nulls(times))


def _nulls(like: pl.Series) -> pl.Series:
    return pl.Series(like.name, [None], like.dtype).new_from_index(0, len(like))
