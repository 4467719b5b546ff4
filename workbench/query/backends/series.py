"""`make-series` in Polars: rows by step, gathered into one array a series, gaps filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json
from workbench.query.functions.forms import literal
from workbench.query.functions.values import dumps
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.operators.make_series import Binned, Series

_MOST = 2**20  # elements of a series
_FIRST, _LAST, _ALL = "__first", "__last", "__all"


@to_polars.register
def _binned(rel: Binned, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    axis = context.canonical(rel.axis, source)
    step = ((axis - rel.anchor) / rel.step).floor() if isinstance(rel.step, float) else (axis.cast(pl.Int64) - rel.anchor) // rel.step  # fmt: skip
    lazy = source.lazy.with_columns(step.cast(pl.Int64).alias(rel.name)).filter(axis.is_not_null())
    return Frame(lazy, source.forms)


@to_polars.register
def _series(rel: Series, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    pieces = [
        _json.or_null(Value(pl.col(c.name), c.type, source.forms.get(c.name, Form.CANONICAL))).alias(c.name)
        for c, _ in rel.values
    ]
    keys = rel.keys or (_ALL,)
    lazy = source.lazy.with_columns(pieces)
    if not rel.keys:
        lazy = lazy.with_columns(pl.lit(0).alias(_ALL))
    place = pl.col(rel.place)
    first = place.min() if rel.first is None else pl.lit(rel.first, dtype=pl.Int64)
    last = place.max() if rel.last is None else pl.lit(rel.last, dtype=pl.Int64)
    names = [c.name for c, _ in rel.values]
    rows = lazy.group_by(keys, maintain_order=True).agg(
        first.alias(_FIRST), last.alias(_LAST), place, *(pl.col(n) for n in names)
    )
    arrays = [_array(rel, c.name, _text(default, c.type)) for c, default in rel.values]
    lazy = rows.with_columns(*arrays, _axis(rel)).select(rel.names())
    if rel.nonempty and not rel.keys and rel.first is not None and rel.last is not None:
        lazy = pl.concat([lazy, _defaults(rel)], how="vertical").head(1)
    forms = {n: f for n, f in source.forms.items() if n in rel.keys}
    return Frame(lazy, forms)


def _text(value: Any, type_: ScalarType) -> str:
    """A default as JSON text."""
    found: Any = pl.select(_json.or_null(Value(literal(value, type_), type_))).item()
    return str(found)


def _length(rel: Series, first: int, last: int) -> int:
    count = max(0, last - first + 1)
    if count > _MOST:
        raise diagnostics.bad_argument("make-series", f"{count} steps are more than {_MOST}", rel.span)
    return count


def _array(rel: Series, name: str, default: str) -> pl.Expr:
    """One array a row, out of the numbers of the steps and their pieces."""

    def filled(row: dict[str, Any]) -> str:
        cells = [default] * _length(rel, row["first"], row["last"])
        for place, piece in zip(row["places"], row["pieces"], strict=True):
            at = place - row["first"]
            if 0 <= at < len(cells):
                cells[at] = piece
        return "[" + ",".join(cells) + "]"

    packed = pl.struct(
        pl.col(_FIRST).alias("first"), pl.col(_LAST).alias("last"),
        pl.col(rel.place).alias("places"), pl.col(name).alias("pieces"),
    )  # fmt: skip
    return packed.map_batches(_each(filled), return_dtype=pl.String, is_elementwise=True).alias(name)


def _each(make: Callable[[dict[str, Any]], str]) -> Callable[[pl.Series], pl.Series]:
    def batch(series: pl.Series) -> pl.Series:
        return pl.Series(series.name, [make(row) for row in series.to_list()], pl.String)

    return batch


def _axis(rel: Series) -> pl.Expr:
    """The values of the axis at each step."""
    known: dict[tuple[int, int], str] = {}

    def points(row: dict[str, Any]) -> str:
        bounds = (row["first"], row["last"])
        if bounds not in known:
            known[bounds] = _points(rel, *bounds)
        return known[bounds]

    packed = pl.struct(pl.col(_FIRST).alias("first"), pl.col(_LAST).alias("last"))
    return packed.map_batches(_each(points), return_dtype=pl.String, is_elementwise=True).alias(rel.axis.name)


def _points(rel: Series, first: int, last: int) -> str:
    values = [rel.anchor + rel.step * i for i in range(first, first + _length(rel, first, last))]
    return dumps([_json.element(v, rel.axis.type) for v in values]) or "[]"


def _defaults(rel: Series) -> pl.LazyFrame:
    """The row for no input."""
    assert rel.first is not None
    assert rel.last is not None
    count = _length(rel, rel.first, rel.last)
    cells = {c.name: "[" + ",".join([_text(d, c.type)] * count) + "]" for c, d in rel.values}
    cells[rel.axis.name] = _points(rel, rel.first, rel.last)
    return pl.LazyFrame({n: [cells[n]] for n in rel.names()})
