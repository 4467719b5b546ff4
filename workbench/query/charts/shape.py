"""Which column is what in a chart: a `Result` in, one long frame of points out.

Chooses the columns as Kusto does, unfolds the arrays of `make-series`, turns durations and bytes into
a readable unit. The frame of a `Shape` has x (Int64 µs for time, Float64, or String), y (Float64) and
s (String, the name of the series). It draws nothing and leaves no point out but those without x.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema, find_column, parse_datetime
from workbench.query.charts.properties import Properties, read
from workbench.query.result import Result

_VALUES = frozenset(
    {ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL, ScalarType.TIMESPAN}
)
_GROUPS = frozenset({ScalarType.STRING, ScalarType.GUID, ScalarType.BOOL})
_OVER_TIME = frozenset({"timechart"})
_OVER_NUMBERS = frozenset({"linechart", "areachart", "stackedareachart"})
_DURATIONS = (("d", 86_400e6), ("h", 3_600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3), ("µs", 1.0))
_BYTES = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))
_UNSEEN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """A result as points.

    Attributes
    ----------
    kind : str
        A name of `properties.KINDS`.
    frame : polars.DataFrame
        x, y, s; in the order of the result.
    x_kind : str
        `time`, `number` or `category`.
    x_title, y_title : str
        With unit.
    y_names : tuple of str
        The value columns, for the rule by which a rest is put together.
    notes : tuple of str
        What a reader has to know: rows left out and the like.
    """

    kind: str
    frame: pl.DataFrame
    x_kind: str
    x_title: str
    y_title: str
    y_names: tuple[str, ...]
    properties: Properties
    notes: tuple[str, ...] = ()


def shape_of(result: Result) -> Shape:
    """The points of a result, by its `render` or, without one, by its columns.

    Raises
    ------
    WorkbenchError
        LAB201 to LAB206.

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
    frame, schema = _unfolded(result.frame, result.schema)
    if kind == "card":
        return _card(frame, schema, asked)
    roles = _roles(kind, schema, asked)
    return _points(kind, frame, roles, asked)


def _kind_by_columns(result: Result) -> str:
    types = [c.type for c in _unfolded(result.frame.head(1), result.schema)[1]]
    values = sum(t in _VALUES for t in types)
    if result.frame.height == 1 and values == len(types):
        return "card"
    if ScalarType.DATETIME in types and values:
        return "timechart"
    if any(t in _GROUPS for t in types) and values:
        return "columnchart"
    if values >= 2:
        return "scatterchart"
    raise diagnostics.nothing_to_draw(
        "chart", "a column of numbers, and one to set it against", _told(result.schema)
    )


def _told(schema: Schema) -> list[tuple[str, str]]:
    return [(c.name, c.type.value) for c in schema]


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
            if y.type not in _VALUES:
                raise diagnostics.not_a_number_column(y.name, y.type.value, "ycolumns")
    else:
        taken = {x.name, *(asked.series or ())}
        ys = tuple(c for c in schema if c.type in _VALUES and c.name not in taken)
    if not ys:
        raise diagnostics.nothing_to_draw(kind, "a column of numbers for y", _told(schema))
    if asked.series is not None:
        series = tuple(_named(schema, name, "series") for name in asked.series)
    else:
        used = {x.name, *(y.name for y in ys)}
        series = tuple(c for c in schema if c.type in _GROUPS and c.name not in used)
    if kind == "piechart":
        return _Roles(x, ys[:1], ())
    return _Roles(x, ys, series)


def _named(schema: Schema, name: str, prop: str) -> Column:
    found = find_column(schema, name)
    if found is None:
        raise diagnostics.no_such_column(name, prop, [c.name for c in schema])
    return found


def _default_x(kind: str, schema: Schema, asked: Properties) -> Column:
    """The first column of the type that the kind wants on its x axis."""
    free = [c for c in schema if c.name not in (*(asked.y_columns or ()), *(asked.series or ()))]
    times = [c for c in free if c.type is ScalarType.DATETIME]
    if kind in _OVER_TIME:
        if not times:
            raise diagnostics.nothing_to_draw(kind, "a datetime column for x", _told(schema))
        return times[0]
    numbers = [c for c in free if c.type in _VALUES]
    if kind in _OVER_NUMBERS or kind == "scatterchart":
        fitting = [c for c in free if c.type is ScalarType.DATETIME or c.type in _VALUES]
        if fitting and (kind == "scatterchart" or fitting[0] is free[0] or times):
            return times[0] if times else fitting[0]
    elif free and len(numbers) == 1 and free[0] is numbers[0] and len(free) > 1:
        return free[1]
    if not free:
        raise diagnostics.nothing_to_draw(kind, "a column for x", _told(schema))
    return free[0]


# ---- arrays of make-series ------------------------------------------------------------------


def _unfolded(frame: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, Schema]:
    """Arrays of numbers and times as rows; other columns repeated beside them."""
    arrays: dict[str, tuple[ScalarType, list[list[Any]]]] = {}
    for i, column in enumerate(schema):
        if column.type is ScalarType.DYNAMIC:
            found = _arrays(frame.to_series(i))
            if found is not None:
                arrays[column.name] = found
    if not arrays:
        return frame, schema
    longest = [max(len(a[1][row]) for a in arrays.values()) for row in range(frame.height)]
    parts = []
    for column in schema:
        if column.name not in arrays:
            parts.append(frame[column.name])
            continue
        kql, lists = arrays[column.name]
        padded = [row + [None] * (n - len(row)) for row, n in zip(lists, longest, strict=True)]
        inner = pl.Int64 if kql is ScalarType.DATETIME else pl.Float64
        series = pl.Series(column.name, padded, dtype=pl.List(inner))
        parts.append(series.cast(pl.List(pl.Datetime("us", "UTC"))) if kql is ScalarType.DATETIME else series)
    changed = tuple(replace(c, type=arrays[c.name][0]) if c.name in arrays else c for c in schema)
    return pl.DataFrame(parts).explode(list(arrays)), changed


def _arrays(column: pl.Series) -> tuple[ScalarType, list[list[Any]]] | None:
    """The lists of a dynamic column when it holds arrays of numbers or of times, else None."""
    lists: list[list[Any]] = []
    for value in column:
        parsed = _parsed(value)
        if parsed is not None and not isinstance(parsed, list):
            return None
        lists.append(parsed or [])
    values = [v for row in lists for v in row if v is not None]
    if not values:
        return None
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return ScalarType.REAL, [[None if v is None else float(v) for v in row] for row in lists]
    if all(isinstance(v, str) for v in values):
        ticks = [[None if v is None else parse_datetime(v) for v in row] for row in lists]
        if all(
            t is not None
            for row, old in zip(ticks, lists, strict=True)
            for t, o in zip(row, old, strict=True)
            if o
        ):
            return ScalarType.DATETIME, [[None if t is None else t // 10 for t in row] for row in ticks]
    return None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value.to_list() if isinstance(value, pl.Series) else value
    if not value.startswith("["):
        return None if not value or value == "null" else value
    try:
        return json.loads(value)
    except ValueError:
        return value


# ---- points ---------------------------------------------------------------------------------


def _points(kind: str, frame: pl.DataFrame, roles: _Roles, asked: Properties) -> Shape:
    x_kind, x, x_unit = _x_of(kind, frame, roles.x)
    y_unit, factors = _unit(frame, roles.ys)
    label = _labels(frame, roles.series)
    parts = []
    for y in roles.ys:
        name = y.name if len(roles.ys) > 1 else ""
        values = _float(frame[y.name], y.type) / factors[y.name]
        parts.append(
            pl.DataFrame({"x": x, "y": values}).with_columns(
                s=pl.Series(_joined(label, name)) if label is not None else pl.lit(name or y.name)
            )
        )
    long = pl.concat(parts).with_columns(y=pl.when(pl.col("y").is_finite()).then("y"))
    notes = []
    without = long["x"].null_count() // len(roles.ys)
    if without:
        notes.append(f"{without:,} rows without {roles.x.name} left out")
        long = long.filter(pl.col("x").is_not_null())
    if x_kind != "category":
        long = long.sort("x", maintain_order=True)
    if asked.accumulate:
        long = long.with_columns(y=pl.col("y").cum_sum().over("s"))
    y_name = roles.ys[0].name if len(roles.ys) == 1 else ""
    return Shape(
        kind,
        long,
        x_kind,
        asked.x_title if asked.x_title is not None else _with_unit(roles.x.name, x_unit),
        asked.y_title if asked.y_title is not None else _with_unit(y_name, y_unit),
        tuple(y.name for y in roles.ys),
        asked,
        tuple(notes),
    )


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})".strip() if unit else name


def _x_of(kind: str, frame: pl.DataFrame, x: Column) -> tuple[str, pl.Series, str]:
    """Kind, values and unit of the x axis."""
    column = frame[x.name]
    if x.type is ScalarType.DATETIME and kind != "piechart":
        return "time", column.cast(pl.Int64), "UTC"
    if x.type in _VALUES and kind not in ("piechart", "columnchart", "barchart"):
        unit, factors = _unit(frame, (x,))
        return "number", _float(column, x.type) / factors[x.name], unit
    return "category", _clean(column, x.type), ""


def _float(column: pl.Series, kql: ScalarType) -> pl.Series:
    return column.cast(pl.Int64 if kql is ScalarType.TIMESPAN else pl.Float64, strict=False).cast(pl.Float64)


def _unit(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[str, dict[str, float]]:
    """The unit of the axis, and by what to divide each column: durations are kept in µs, bytes in bytes."""
    spans = [c for c in columns if c.type is ScalarType.TIMESPAN]
    sizes = [c for c in columns if c.name.lower().endswith("bytes") and c.type in _VALUES and c not in spans]
    factors = dict.fromkeys((c.name for c in columns), 1.0)
    for kind, units in ((spans, _DURATIONS), (sizes, _BYTES)):
        if not kind:
            continue
        largest = max((_largest(_float(frame[c.name], c.type)) for c in kind), default=0.0)
        name, size = next(((n, s) for n, s in units if largest >= s), units[-1] if largest else ("s", 1e6))
        if largest == 0.0 and kind is sizes:
            name, size = units[-1]
        if len(kind) == len(columns) or kind is spans:
            factors.update((c.name, float(size)) for c in kind)
        if len(kind) == len(columns):
            return name, factors
    return "", factors


def _largest(column: pl.Series) -> float:
    found: Any = column.abs().max()
    return 0.0 if found is None else float(found)


def _labels(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.Series | None:
    """The name of each row's series, or None where there is one series."""
    if not columns:
        return None
    cleaned = [_clean(frame[c.name], c.type).alias(str(i)) for i, c in enumerate(columns)]
    return pl.DataFrame(cleaned).select(pl.concat_str(pl.all(), separator=" · ")).to_series()


def _joined(label: pl.Series, y_name: str) -> pl.Series:
    return label if not y_name else label + f": {y_name}"


def _clean(column: pl.Series, kql: ScalarType) -> pl.Series:
    """Values as labels: one printable line each, something to read also for null and empty."""
    if kql is ScalarType.DATETIME:
        text = column.dt.to_string("%Y-%m-%d %H:%M:%S")
    elif kql in (ScalarType.REAL, ScalarType.TIMESPAN):
        text = pl.Series(
            [None if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in column],
            dtype=pl.String,
        )
    elif column.dtype.is_nested():
        text = pl.Series(
            [None if v is None else json.dumps(_parsed(v), default=str) for v in column], dtype=pl.String
        )
    else:
        text = column.cast(pl.String)
    text = text.str.slice(0, _LONGEST_LABEL).str.replace_all(_UNSEEN, "\ufffd")
    missing = "(empty)" if kql is ScalarType.STRING else "–"
    return text.fill_null(missing).replace("", "(empty)")


# ---- card -----------------------------------------------------------------------------------


def _card(frame: pl.DataFrame, schema: Schema, asked: Properties) -> Shape:
    """The first row: one big figure a column. x is the column's name, s the figure as text."""
    shown = [c for c in schema if not asked.y_columns or c.name in asked.y_columns]
    if not frame.height or not shown:
        raise diagnostics.nothing_to_draw("card", "a row", _told(schema))
    figures = [_figure(frame[c.name][0]) for c in shown]
    points = pl.DataFrame({"x": [c.name for c in shown], "y": [0.0] * len(shown), "s": figures})
    points = points.with_columns(
        x=_clean(points["x"], ScalarType.STRING), s=_clean(points["s"], ScalarType.STRING)
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
