"""Which column is what in a chart: a `Result` in, one long frame of points out.

Chooses the columns as Kusto does, unfolds the arrays of `make-series`, turns durations and bytes into
a readable unit. The frame of a `Shape` has x (Int64 µs for time, Float64, or String), y (Float64) and
s (String, the name of the series). Kinds with columns of their own are shaped in `groups`.
It draws nothing and leaves no point out but those without x.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema, find_column
from workbench.query.charts import groups
from workbench.query.charts.arrays import unfolded
from workbench.query.charts.properties import Properties, read
from workbench.query.charts.values import (
    GROUPS,
    VALUES,
    Shape,
    as_float,
    clean,
    labels,
    told,
    unit_of,
    with_unit,
)
from workbench.query.result import Result

_OVER_TIME = frozenset({"timechart", "anomalychart"})
_FLAG = re.compile(r"(^|_)(ad_flag|anomal\w*)$", re.IGNORECASE)
_MOST_AXES, _MOST_PANELS = 4, 8
_OVER_NUMBERS = frozenset({"linechart", "areachart", "stackedareachart"})


def shape_of(result: Result) -> Shape:
    """The points of a result, by its `render` or, without one, by its columns.

    Raises
    ------
    WorkbenchError
        LAB201 to LAB207.

    Examples
    --------
    >>> r = Result(pl.DataFrame({"host": ["a", "b"], "count_": [3, 5]}),
    ...            (Column("host", ScalarType.STRING), Column("count_", ScalarType.LONG)))
    >>> shape_of(r).kind, shape_of(r).x_title, shape_of(r).y_title
    ('columnchart', 'host', 'count_')
    """
    if result.render is None or result.render.kind.lower() == "table":
        kind, asked = _kind_by_columns(result), Properties()
    else:
        kind, asked = read(result.render.kind, result.render.properties)
    frame, schema = unfolded(result.frame, result.schema)
    if kind == "card":
        return _card(frame, schema, asked)
    if kind in groups.SHAPERS:
        return groups.SHAPERS[kind](frame, schema, asked)
    roles = _roles(kind, schema, asked)
    flags: tuple[Column, ...] = ()
    if kind == "anomalychart":
        roles, flags = _anomalies(roles, schema, asked)
    if asked.split == "none" or len(roles.ys) < 2:
        return _points(kind, frame, roles, asked, flags)
    return _apart(kind, frame, roles, asked, flags)


def _kind_by_columns(result: Result) -> str:
    types = [c.type for c in unfolded(result.frame.head(1), result.schema)[1]]
    values = sum(t in VALUES for t in types)
    if result.frame.height == 1 and values == len(types):
        return "card"
    if ScalarType.DATETIME in types and values:
        return "timechart"
    if any(t in GROUPS for t in types) and values:
        return "columnchart"
    if values >= 2:
        return "scatterchart"
    raise diagnostics.nothing_to_draw(
        "chart", "a column of numbers, and one to set it against", told(result.schema)
    )


# ---- columns --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Roles:
    x: Column
    ys: tuple[Column, ...]
    series: tuple[Column, ...]


def _roles(kind: str, schema: Schema, asked: Properties) -> _Roles:
    """The columns of each role: as asked, else as Kusto chooses them."""
    x = _named(schema, asked.x_column, "xcolumn") if asked.x_column else _default_x(kind, schema, asked)
    if asked.y_columns is not None:
        ys = tuple(_named(schema, name, "ycolumns") for name in asked.y_columns)
        for y in ys:
            if y.type not in VALUES:
                raise diagnostics.not_a_number_column(y.name, y.type.value, "ycolumns")
    else:
        taken = {x.name, *(asked.series or ())}
        ys = tuple(c for c in schema if c.type in VALUES and c.name not in taken)
    if not ys:
        raise diagnostics.nothing_to_draw(kind, "a column of numbers for y", told(schema))
    if asked.series is not None:
        series = tuple(_named(schema, name, "series") for name in asked.series)
    else:
        used = {x.name, *(y.name for y in ys)}
        series = tuple(c for c in schema if c.type in GROUPS and c.name not in used)
    if kind == "piechart":
        return _Roles(x, ys[:1], ())
    return _Roles(x, ys, series)


def _named(schema: Schema, name: str, prop: str) -> Column:
    found = find_column(schema, name)
    if found is None:
        raise diagnostics.no_such_column(name, prop, [c.name for c in schema])
    return found


def _anomalies(roles: _Roles, schema: Schema, asked: Properties) -> tuple[_Roles, tuple[Column, ...]]:
    """The columns that say where a value is out of line (1, -1, else 0), taken out of those that are drawn.

    Without `anomalycolumns`: those that `series_decompose_anomalies` names so; its score is not drawn either.
    """
    if asked.anomaly_columns is not None:
        flags = tuple(_named(schema, name, "anomalycolumns") for name in asked.anomaly_columns)
        for flag in flags:
            if flag.type not in VALUES:
                raise diagnostics.not_a_number_column(flag.name, flag.type.value, "anomalycolumns")
    else:
        flags = tuple(c for c in schema if c.type in VALUES and _FLAG.search(c.name))
    hidden = {c.name for c in flags}
    if asked.y_columns is None:
        hidden |= {c.name for c in schema if c.name.endswith("_ad_score")}
    ys = tuple(y for y in roles.ys if y.name not in hidden)
    if not ys:
        raise diagnostics.nothing_to_draw(
            "anomalychart", "a column of numbers beside the anomalies", told(schema)
        )
    return replace(roles, ys=ys), flags


def _default_x(kind: str, schema: Schema, asked: Properties) -> Column:
    """The first column of the type that the kind wants on its x axis."""
    free = [c for c in schema if c.name not in (*(asked.y_columns or ()), *(asked.series or ()))]
    times = [c for c in free if c.type is ScalarType.DATETIME]
    if kind in _OVER_TIME:
        if not times:
            raise diagnostics.nothing_to_draw(kind, "a datetime column for x", told(schema))
        return times[0]
    numbers = [c for c in free if c.type in VALUES]
    if kind in _OVER_NUMBERS or kind == "scatterchart":
        fitting = [c for c in free if c.type is ScalarType.DATETIME or c.type in VALUES]
        if fitting and (kind == "scatterchart" or fitting[0] is free[0] or times):
            return times[0] if times else fitting[0]
    elif free and len(numbers) == 1 and free[0] is numbers[0] and len(free) > 1:
        return free[1]
    if not free:
        raise diagnostics.nothing_to_draw(kind, "a column for x", told(schema))
    return free[0]


# ---- points ---------------------------------------------------------------------------------


def _apart(
    kind: str, frame: pl.DataFrame, roles: _Roles, asked: Properties, flags: tuple[Column, ...]
) -> Shape:
    """A part for each y column, each in its own unit."""
    split, notes = asked.split, []
    if split == "axes" and len(roles.ys) > _MOST_AXES:
        split = "panels"
        notes.append(f"panels, since no more than {_MOST_AXES} axes can be told apart")
    if len(roles.ys) > _MOST_PANELS:
        notes.append(f"{_MOST_PANELS} of {len(roles.ys)} columns shown")
    whole = _points(kind, frame, roles, replace(asked, split=split), flags)
    parts = []
    for i, y in enumerate(roles.ys[:_MOST_PANELS]):
        own = flags[i : i + 1]
        part = _points(kind, frame, replace(roles, ys=(y,)), replace(asked, y_title=None, title=None), own)
        parts.append(replace(part, panel=i, notes=()))
    return replace(whole, parts=tuple(parts), notes=(*whole.notes, *notes))


def _points(
    kind: str, frame: pl.DataFrame, roles: _Roles, asked: Properties, flags: tuple[Column, ...] = ()
) -> Shape:
    x_kind, x, x_unit = _x_of(kind, frame, roles.x)
    label = labels(frame, roles.series)
    if asked.accumulate:
        frame = _added_up(frame, roles.ys, x, label, ordered=x_kind != "category")
    y_unit, factors = unit_of(frame, roles.ys)
    parts, marked = [], []
    for i, y in enumerate(roles.ys):
        name = y.name if len(roles.ys) > 1 else ""
        values = as_float(frame[y.name], y.type) / factors[y.name]
        part = pl.DataFrame({"x": x, "y": values}).with_columns(
            s=pl.Series(_joined(label, name)) if label is not None else pl.lit(name or y.name)
        )
        parts.append(part)
        for flag in flags[i : i + 1]:
            state = as_float(frame[flag.name], flag.type)
            marked.append(part.with_columns(up=state > 0).filter(state.is_not_null() & (state != 0)))
    long = pl.concat(parts).with_columns(y=pl.when(pl.col("y").is_finite()).then("y"))
    notes = []
    without = long["x"].null_count() // len(roles.ys)
    if without:
        notes.append(f"{without:,} rows without {roles.x.name} left out")
        long = long.filter(pl.col("x").is_not_null())
    if x_kind != "category":
        long = long.sort("x", maintain_order=True)
    y_name = roles.ys[0].name if len(roles.ys) == 1 else ""
    return Shape(
        kind,
        long,
        x_kind,
        asked.x_title if asked.x_title is not None else with_unit(roles.x.name, x_unit),
        asked.y_title if asked.y_title is not None else with_unit(y_name, y_unit),
        tuple(y.name for y in roles.ys),
        _in_unit(asked, roles.ys[0], factors),
        tuple(notes),
        pl.concat(marked).drop_nulls() if marked else None,
    )


def _added_up(
    frame: pl.DataFrame, ys: Sequence[Column], x: pl.Series, label: pl.Series | None, *, ordered: bool
) -> pl.DataFrame:
    """The frame with running sums along x in the place of its values, each series by itself."""
    at = pl.DataFrame({"wb x": x}).with_columns(
        label.alias("wb s") if label is not None else pl.lit("").alias("wb s")
    )
    floats = at.with_columns(
        as_float(frame[y.name], y.type).alias(str(i)) for i, y in enumerate(ys)
    ).with_row_index("wb n")
    if ordered:
        floats = floats.sort("wb x", maintain_order=True)
    sums = floats.with_columns(
        pl.when(pl.col(str(i)).is_finite() & pl.col("wb x").is_not_null()).then(str(i)).cum_sum().over("wb s")
        for i in range(len(ys))
    ).sort("wb n")
    return frame.with_columns(sums[str(i)].alias(y.name) for i, y in enumerate(ys))


def _in_unit(asked: Properties, y: Column, factors: Mapping[str, float]) -> Properties:
    """The ends of the y axis in the unit that is drawn."""
    factor = factors[y.name] / (1e6 if y.type is ScalarType.TIMESPAN else 1)
    low, high = (None if end is None else end / factor for end in (asked.y_min, asked.y_max))
    return replace(asked, y_min=low, y_max=high)


def _x_of(kind: str, frame: pl.DataFrame, x: Column) -> tuple[str, pl.Series, str]:
    """Kind, values and unit of the x axis."""
    column = frame[x.name]
    if x.type is ScalarType.DATETIME and kind != "piechart":
        return "time", column.cast(pl.Int64), "UTC"
    if x.type in VALUES and kind not in ("piechart", "columnchart", "barchart"):
        unit, factors = unit_of(frame, (x,))
        return "number", as_float(column, x.type) / factors[x.name], unit
    return "category", clean(column, x.type), ""


def _joined(label: pl.Series, y_name: str) -> pl.Series:
    return label if not y_name else label + f": {y_name}"


# ---- card -----------------------------------------------------------------------------------


def _card(frame: pl.DataFrame, schema: Schema, asked: Properties) -> Shape:
    """The first row: one big figure a column. x is the column's name, s the figure as text."""
    shown = [c for c in schema if not asked.y_columns or c.name in asked.y_columns]
    if not frame.height or not shown:
        raise diagnostics.nothing_to_draw("card", "a row", told(schema))
    figures = [_figure(frame[c.name][0]) for c in shown]
    points = pl.DataFrame({"x": [c.name for c in shown], "y": [0.0] * len(shown), "s": figures})
    points = points.with_columns(
        x=clean(points["x"], ScalarType.STRING), s=clean(points["s"], ScalarType.STRING)
    )
    notes = (f"first of {frame.height:,} rows",) if frame.height > 1 else ()
    return Shape("card", points, "category", "", "", (), asked, notes)


def _figure(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return str(value).removesuffix("+00:00")
