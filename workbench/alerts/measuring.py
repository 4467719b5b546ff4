"""From the rows of an evaluation to what was measured of each combination of dimensions.

In go a rule and a `Result`, out comes a `Measured`: groups for `judging`, and the rows behind each for its notice. Asks
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from workbench.alerts.judging import Group, key_of, violates
from workbench.alerts.notice import MOST_RECORDS
from workbench.alerts.rule import Measure, Operator, Rule, Violations
from workbench.base.diagnostics import alerting as diagnostics
from workbench.base.dtypes import Column, ScalarType, format_datetime, format_timespan
from workbench.query.result import Result

T = ScalarType
MOST_SERIES = 5_000
"""Combinations of dimensions that a rule can watch."""
MOST_BYTES = 1_000_000
"""Of the records that a notice carries, as JSON."""
_NUMBERS = {T.INT, T.LONG, T.REAL, T.DECIMAL, T.BOOL}
_ROW = "__row"


@dataclass(frozen=True, slots=True)
class Measured:
    """What an evaluation found.

    Attributes
    ----------
    groups : tuple of Group
    columns : tuple of (str, str)
        Names and KQL types of the rows.
    count : int
        Rows in all.
    """

    groups: tuple[Group, ...]
    columns: tuple[tuple[str, str], ...]
    count: int
    result: Result
    places: Mapping[str, Sequence[int]]

    def records(self, series: str, row: int | None = None) -> tuple[tuple[Any, ...], ...]:
        """The first rows of a group as values of JSON; of one alert a row that row, the last one and those behind it.

        Parameters
        ----------
        series : str
            See `judging.key_of`.
        row : int, optional
        """
        places: Iterable[int] = self.places.get(series, ())
        if row is not None:
            last = any(g.row == row + 1 for g in self.groups)
            places = [row] if last or row < len(self.groups) else range(row, self.count)
        wanted = list(places)[:MOST_RECORDS]
        return tuple(as_json(self.result, wanted))

    def first(self, most: int) -> tuple[tuple[Any, ...], ...]:
        """The first rows as values of JSON."""
        return tuple(as_json(self.result, range(min(most, self.count))))


def measure(rule: Rule, result: Result) -> Measured:
    """Measure the rows that a rule's query gave.

    Raises
    ------
    WorkbenchError
        ALR011 to ALR013 where its columns are none of the query's, or no numbers; ALR014 for too many combinations.
    """
    frame = result.exact
    for name in [d.name for d in rule.dimensions] + _measured_columns(rule):
        if name not in result.columns:
            raise diagnostics.no_column(name, result.columns)
    columns = tuple((c.name, c.type.value) for c in result.schema)
    if rule.per_row:
        groups = tuple(Group({}, 1.0, True, 1, n) for n in range(frame.height))
        return Measured(groups, columns, frame.height, result, {})
    types = {c.name: c for c in result.schema}
    names = [d.name for d in rule.dimensions]
    rows = frame.select(_texts(frame[n], types[n]).alias(f"__d{i}") for i, n in enumerate(names))
    rows = rows.with_columns(pl.int_range(frame.height).alias(_ROW)) if names else pl.DataFrame({_ROW: range(frame.height)})  # fmt: skip
    if rule.measure is not Measure.COUNT:
        rows = rows.with_columns(_numbers(frame[rule.column], types[rule.column]).alias("__value"))
    for place, dimension in enumerate(rule.dimensions):
        if dimension.values:
            inside = pl.col(f"__d{place}").is_in(dimension.values)
            rows = rows.filter(~inside if dimension.exclude else inside)
    keys = [f"__d{i}" for i in range(len(names))]
    found: list[tuple[dict[str, str], pl.DataFrame]] = []
    if keys:
        parts = rows.partition_by(keys, as_dict=True, maintain_order=True)
        if len(parts) > MOST_SERIES:
            raise diagnostics.too_many_series(len(parts), MOST_SERIES)
        found = [(dict(zip(names, map(str, values), strict=True)), part) for values, part in parts.items()]
    else:
        found = [({}, rows)]
    bins = _bins(result.exact, types, rule.violations) if rule.violations else None
    groups = tuple(_group(rule, dimensions, part, bins) for dimensions, part in found)
    places = {key_of(dimensions): part[_ROW].to_list() for dimensions, part in found}
    return Measured(groups, columns, frame.height, result, places)


def _measured_columns(rule: Rule) -> list[str]:
    named = [] if rule.measure is Measure.COUNT else [rule.column]
    return named + ([rule.violations.column] if rule.violations else [])


def _group(rule: Rule, dimensions: dict[str, str], rows: pl.DataFrame, bins: pl.Series | None) -> Group:
    if rule.violations is not None and bins is not None:
        value, violated = _binned(rule, rule.violations, rows, bins)
        return Group(dimensions, value, violated, rows.height)
    value = (
        float(rows.height) if rule.measure is Measure.COUNT else _aggregated(rule.measure, rows["__value"])
    )
    return Group(dimensions, value, violates(rule, value), rows.height)


def _aggregated(measure: Measure, values: pl.Series) -> float | None:
    values = values.drop_nulls()
    if not len(values):
        return None
    found: Any = {
        Measure.AVERAGE: values.mean, Measure.MINIMUM: values.min, Measure.MAXIMUM: values.max, Measure.TOTAL: values.sum,
    }[measure]()  # fmt: skip
    return float(found) if found is not None and math.isfinite(found) else None


def _binned(rule: Rule, wanted: Violations, rows: pl.DataFrame, bins: pl.Series) -> tuple[float | None, bool]:
    """The most extreme value of the bins, and whether so many of them are violated, anywhere or in a row."""
    if not rows.height:
        return None, False
    at = bins.gather(rows[_ROW]).alias("__bin")
    values = rows["__value"] if "__value" in rows.columns else pl.Series("__value", [1.0] * rows.height)
    found = pl.DataFrame([at, values]).drop_nulls().sort("__bin")
    if not found.height:
        return None, False
    distinct = bins.drop_nulls().unique().sort()
    step = distinct.diff().drop_nulls().min() if len(distinct) > 1 else None
    most = run = 0
    before: int | None = None
    for moment, value in found.iter_rows():
        hit = violates(rule, value)
        # A bin without a row lies between: nothing was violated there.
        beside = before is None or step is None or moment - before <= step
        run = (
            (run + 1 if beside or not wanted.consecutive else 1)
            if hit
            else (0 if wanted.consecutive else run)
        )
        most, before = max(most, run), moment
    low = rule.operator in (Operator.LESS_THAN, Operator.LESS_THAN_OR_EQUAL)
    extreme: Any = found["__value"].min() if low else found["__value"].max()
    return float(extreme), most >= wanted.count


def _bins(frame: pl.DataFrame, types: Mapping[str, Column], violations: Violations) -> pl.Series:
    """The times of the bins as numbers."""
    column = types[violations.column]
    if column.type not in (T.DATETIME, T.TIMESPAN, T.INT, T.LONG):
        raise diagnostics.no_bin(violations.column, column.type.value)
    series = frame[violations.column]
    return series.to_physical().cast(pl.Int64)


def _numbers(series: pl.Series, column: Column) -> pl.Series:
    if column.type not in _NUMBERS:
        raise diagnostics.no_number(column.name, column.type.value)
    return series.cast(pl.Float64, strict=False).fill_nan(None)


def _texts(series: pl.Series, column: Column) -> pl.Series:
    """Values as the texts that name a dimension; no value is ""."""
    if column.type is T.STRING:
        return series.fill_null("")
    if column.type.is_time:
        spell = format_datetime if column.type is T.DATETIME else format_timespan
        ticks = series if series.dtype == pl.Int64 else series.to_physical() * 10
        return pl.Series(series.name, ["" if v is None else spell(v) for v in ticks], pl.String)
    return pl.Series(series.name, ["" if v is None else _text(v) for v in series], pl.String)


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def as_json(result: Result, places: Sequence[int]) -> Iterable[tuple[Any, ...]]:
    """Rows as values of JSON, as many as fit into `MOST_BYTES`."""
    frame = result.exact[list(places)] if places else result.exact.head(0)
    columns = [[_cell(v, c, s.dtype) for v in s] for s, c in zip(frame.iter_columns(), result.schema, strict=True)]  # fmt: skip
    size = 0
    for row in zip(*columns, strict=True):
        size += len(orjson.dumps(row, default=str))
        if size > MOST_BYTES:
            return
        yield row


def _cell(value: Any, column: Column, dtype: Any) -> Any:
    if value is None:
        return "" if column.type is T.STRING else None
    if column.type.is_time:
        spell = format_datetime if column.type is T.DATETIME else format_timespan
        return (
            spell(value)
            if dtype == pl.Int64
            else spell(pl.Series([value], dtype=dtype).to_physical()[0] * 10)
        )
    if column.type is T.REAL:
        return (
            value
            if math.isfinite(value)
            else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        )
    if column.type is T.DYNAMIC and isinstance(value, str):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value if isinstance(value, bool | int | float | str) else str(value)
