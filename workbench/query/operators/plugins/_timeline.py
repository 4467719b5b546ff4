"""What plugins over a timeline share: who (`id`), when (`time`), in which step, by which dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import MIN_DATETIME_TICKS, TICKS_PER_DAY, Column, ScalarType, Schema
from workbench.query import syntax
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import Computed, PluginCall, projected
from workbench.query.plan import Expr, Rel

T = ScalarType
ID, TIME, STEP = "__id", "__time", "__place"
_CALENDAR = ("week", "month", "year")
_MOST = 100_000  # steps of an analysis


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows with an id, a time and dimensions, and the analysis that is asked for.

    `labels` are the starts of the steps, in order.
    """

    source: Rel
    name: str
    type: ScalarType
    dimensions: Schema
    labels: tuple[Any, ...]

    def by(self) -> list[str]:
        return [c.name for c in self.dimensions]

    def computed(self, columns: Sequence[Column], compute: Callable[[pl.DataFrame], pl.DataFrame], *, dimensions_last: bool = False) -> Rel:  # fmt: skip
        """The plugin's rows: the time, dimensions, then `columns`; `compute` names the time `TIME`."""
        own = (Column(self.name, self.type),)
        middle = (*columns, *self.dimensions) if dimensions_last else (*self.dimensions, *columns)

        def run(rows: pl.DataFrame) -> pl.DataFrame:
            return compute(rows).rename({TIME: self.name}).sort([self.name, *self.by()])

        return Computed((*own, *middle), self.source, run, ordered=True)

    def placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the number of the step that they are in (-1: before the first)."""
        labels = pl.Series(self.labels, dtype=rows[TIME].dtype)
        return rows.with_columns(
            labels.search_sorted(rows[TIME], side="right").cast(pl.Int64).alias(STEP) - 1
        )

    def labelled(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The start of each step in place of its number."""
        labels = pl.DataFrame({TIME: pl.Series(self.labels, dtype=self._dtype())}).with_row_index(STEP)
        return rows.join(labels.with_columns(pl.col(STEP).cast(pl.Int64)), on=STEP, how="inner").drop(STEP)

    def _dtype(self) -> pl.DataType:
        return pl.Float64() if self.type is T.REAL else pl.Int64()


def timeline(call: PluginCall, source: Rel, b: BinderApi, dimensions: Sequence[syntax.Expression]) -> tuple[Timeline, Expr]:  # fmt: skip
    """The id and the time are the first two arguments; labels are for `with_steps` to add."""
    _, who = call.column(0, "IdColumn", source, b)
    name, when = call.column(1, "TimelineColumn", source, b)
    when = b.convert(when, T.LONG) if when.type is T.INT else when
    return _timeline(call, source, b, name, when, [(ID, who)], dimensions), when


def _timeline(call: PluginCall, source: Rel, b: BinderApi, name: str, when: Expr, more: list[tuple[str, Expr]], dimensions: Sequence[syntax.Expression]) -> Timeline:  # fmt: skip
    if when.type is T.INT:
        when = b.convert(when, T.LONG)
    if when.type not in (T.LONG, T.REAL, T.DATETIME, T.TIMESPAN):
        span = call.needed(1, "TimelineColumn").span
        raise diagnostics.wrong_type(f"the timeline of {call.name}()", "times or numbers", when.type.value, span)  # fmt: skip
    by = b.columns(list(dimensions), source)
    rows = projected(source, [*more, (TIME, when), *by])
    return Timeline(rows, name, when.type, tuple(Column(n, e.type) for n, e in by), ())


def bounds(call: PluginCall, place: int, when: ScalarType, b: BinderApi) -> tuple[Any, Any]:
    """The arguments Start and End."""
    call.needed(place, "Start")
    call.needed(place + 1, "End")
    start = call.constant(place, "Start", b, when)
    stop = call.constant(place + 1, "End", b, when)
    if start is None or stop is None:
        raise diagnostics.bad_argument(call.name, "the bounds must not be null", call.span)
    return start, stop


def duration(call: PluginCall, place: int, name: str, when: ScalarType, b: BinderApi) -> Any:
    """A stretch of the timeline: a timespan for times, else a number; `week`, `month`, `year`."""
    call.needed(place, name)
    value = call.constant(place, name, b)
    if isinstance(value, str) and value.lower() in _CALENDAR and when is T.DATETIME:
        return value.lower()
    value = call.constant(place, name, b, T.TIMESPAN if when is T.DATETIME else when)
    if value is None or isinstance(value, str) or value <= 0:
        raise diagnostics.bad_argument(call.name, f"{name} has to be greater than 0", call.span)
    return value


def steps(call: PluginCall, start: Any, stop: Any, step: Any) -> tuple[Any, ...]:
    """Starts of the steps from `start` to `stop`, both inside."""
    if isinstance(step, str):
        days = pl.select(pl.datetime_range(_datetime(start), _datetime(stop), "1d")).to_series()
        shift = pl.duration(days=1 if step == "week" else 0)
        unit = {"week": "1w", "month": "1mo", "year": "1y"}[step]
        starts = days.to_frame("d").select(((pl.col("d") + shift).dt.truncate(unit) - shift).unique().sort())
        return tuple((starts.to_series().dt.epoch("us") * 10).to_list())
    count = int((stop - start) // step) + 1
    if count > _MOST:
        raise diagnostics.bad_argument(call.name, f"{count} steps are more than {_MOST}", call.span)
    return tuple(start + i * step for i in range(max(0, count)))


def _datetime(ticks: int) -> pl.Expr:
    day = ticks - ticks % TICKS_PER_DAY
    return pl.lit(day // 10).cast(pl.Datetime("us"))


def origin(type_: ScalarType) -> int:
    """Where `bin()` counts from."""
    return MIN_DATETIME_TICKS if type_ is T.DATETIME else 0
