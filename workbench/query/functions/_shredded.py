"""Values of a path from where a data file holds them: a column of one kind, or JSON text.

In goes a column of one of the kinds that `repository.shredded` names, out comes the path's value as
a KQL type: just what the conversion of `<path>` to that type gives.
"""

from __future__ import annotations

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json
from workbench.query.functions._cast import cast, to_string
from workbench.query.functions.forms import canonical, converted
from workbench.query.functions.paths import path_in
from workbench.query.functions.values import POLARS_TYPES, dumps
from workbench.query.lowering import Value

T = ScalarType


def from_place(column: pl.Expr, kind: str, keys: tuple[str, ...], to: ScalarType) -> pl.Expr:
    """The values of a path as `to`: canonical form, except that a string may be null for "".

    Parameters
    ----------
    column : polars.Expr
        The column of the data file.
    kind : str
        `string`, `long`, `bool`, `real` (the values themselves), `json` (their JSON text), `rest`, `text`
        (JSON text in which the path `keys` is to be followed), `null` (no values).
    """
    if kind == "null":
        return pl.lit(None, POLARS_TYPES[to])
    if kind in ("rest", "text"):
        return canonical(converted(path_in(column, keys), to))
    direct = _direct(column, kind, to)
    if direct is not None:
        return direct
    return canonical(converted(Value(_json_text(column, kind), T.DYNAMIC), to))


def _direct(column: pl.Expr, kind: str, to: ScalarType) -> pl.Expr | None:
    """Without JSON text in between, where that gives the same."""
    if kind == "string" and to is not T.DYNAMIC:
        return column if to is T.STRING else cast(column, T.STRING, to)
    if kind == "long" and to in (T.STRING, T.LONG, T.INT, T.REAL, T.BOOL):
        return column.cast(pl.String) if to is T.STRING else cast(column, T.LONG, to)
    if kind == "bool" and to in (T.STRING, T.BOOL, T.INT, T.LONG, T.REAL):
        return column.cast(pl.String) if to is T.STRING else cast(column, T.BOOL, to)
    if kind == "real" and to is T.REAL:
        return column
    return to_string(column, T.REAL) if kind == "real" and to is T.STRING else None


def _json_text(column: pl.Expr, kind: str) -> pl.Expr:
    if kind == "json":
        return column
    if kind in ("long", "bool"):
        return column.cast(pl.String)
    if kind == "string":
        return pl.when(column.is_not_null()).then(_json.text(Value(column, T.STRING)))
    return column.map_batches(_real_texts, return_dtype=pl.String, is_elementwise=True)


def _real_texts(series: pl.Series) -> pl.Series:
    return pl.Series(series.name, [dumps(v) for v in series.to_list()], pl.String)
