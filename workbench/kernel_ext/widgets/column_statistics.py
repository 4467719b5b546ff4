"""What a column of a view holds: how much is missing, the extremes, the most frequent values, how they spread.

Counted by Polars over all rows of the view, none sampled.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.kernel_ext.cells import cell, moment
from workbench.kernel_ext.widgets.view import View, has_order

T = ScalarType
TOP = 10
BINS = 24


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one column.

    `top` are values with their counts; `bins` counts of equal ranges from `least` to `greatest` (none for text).
    """

    rows: int
    nulls: int
    empty: int
    distinct: int
    least: Any = None
    greatest: Any = None
    mean: Any = None
    top: tuple[tuple[Any, int], ...] = ()
    bins: tuple[int, ...] = ()


def statistics(view: View, number: int) -> Statistics:
    """The statistics of a column over the rows of a view.

    Examples
    --------
    >>> view = View(pl.DataFrame({"n": [1, 2, 2, None]}), (Column("n", T.LONG),))
    >>> found = statistics(view, 0)
    >>> found.nulls, found.distinct, found.least, found.greatest, found.top
    (1, 2, 1, 2, ((2, 2), (1, 1), (None, 1)))
    """
    column = view.schema[number]
    order = view.order()
    values = view.frame[column.name].rename("value")
    values = values if order is None else values[order]
    if column.type is T.DECIMAL:
        values = values.cast(pl.Float64, strict=False)
    counted = values.value_counts(name="n", sort=False)
    most = counted.filter(pl.col("n") >= counted["n"].top_k(TOP).min()) if counted.height > TOP else counted
    most = most.sort(["n", "value"], descending=[True, False], nulls_last=True)
    nulls = values.null_count()
    empty = int((values == "").sum()) if values.dtype == pl.String else 0
    top = tuple((v, int(n)) for v, n in most.head(TOP).iter_rows())
    distinct = counted.height - (1 if nulls else 0)
    if not has_order(column.type) or nulls == len(values):
        return Statistics(len(values), nulls, empty, distinct, top=top)
    finite = values.drop_nans() if values.dtype.is_float() else values
    finite = finite.drop_nulls()
    if not len(finite):
        return Statistics(len(values), nulls, empty, distinct, top=top)
    return Statistics(
        len(values), nulls, empty, distinct, finite.min(), finite.max(), finite.mean(), top, _bins(finite)
    )


def _bins(values: pl.Series) -> tuple[int, ...]:
    numbers = values.to_physical().cast(pl.Float64)
    least, greatest = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    width = greatest - least
    if not 0 < width < float("inf"):
        return ()
    # The engine divides by multiplying, and one over the smallest numbers there are is no number.
    scale = 2.0**60 if width < 1e-290 else 1.0
    places = ((numbers - least) * scale / (width * scale) * BINS).cast(pl.Int32).clip(0, BINS - 1)
    found = dict(places.value_counts(name="n").iter_rows())
    return tuple(int(found.get(i, 0)) for i in range(BINS))


def as_shown(found: Statistics, column: Column) -> dict[str, Any]:
    """The statistics as texts and numbers for the browser."""

    def text(value: Any) -> str:
        if value is None:
            return cell(None, column.type).text or "null"
        if isinstance(value, dt.datetime):
            return moment(value)
        kql = T.REAL if isinstance(value, float) and column.type is not T.TIMESPAN else column.type
        return cell(value, kql).text[:200]

    summary = [["Rows", f"{found.rows:,}"], ["Null", _share(found.nulls, found.rows)]]
    if column.type is T.STRING:
        summary.append(["Empty", _share(found.empty, found.rows)])
    summary.append(["Distinct", f"{found.distinct:,}"])
    if found.least is not None:
        summary += [["Least", text(found.least)], ["Greatest", text(found.greatest)]]
        if column.type is not T.DATETIME:
            summary.append(["Mean", _mean(found.mean, column.type)])
    most = max((n for _, n in found.top), default=1)
    return {
        "summary": summary,
        "top": [
            {"text": text(v), "typed": typed(v), "null": v is None, "count": f"{n:,}", "share": n / most}
            for v, n in found.top
        ],
        "once": most == 1 and found.distinct > TOP,
        "bins": list(found.bins),
        "from": text(found.least) if found.bins else "",
        "to": text(found.greatest) if found.bins else "",
    }


def typed(value: Any) -> str | None:
    """A value as a condition of the view takes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        from workbench.base.dtypes import format_timespan

        return format_timespan(value // dt.timedelta(microseconds=1) * 10)
    return repr(value) if isinstance(value, float) else str(value)


def _share(part: int, of: int) -> str:
    if not part or not of:
        return "none"
    return f"{part:,} ({max(0.1, part / of * 100):.3g} %)"


def _mean(value: Any, kql: ScalarType) -> str:
    if isinstance(value, dt.timedelta):
        return cell(value, kql).text
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
