"""Reading inside dynamic values: `a.b[0]["c"]`, and JSON text as dynamic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import ANY, DYNAMIC, STRING, const, scalar
from workbench.query.functions._cast import python_cast
from workbench.query.functions.forms import canonical
from workbench.query.functions.values import dumps, loads
from workbench.query.lowering import Form, Value
from workbench.query.plan import Const, Expr


def step_into(value: Any, step: Any) -> Any:
    """One step of a path: a property of a bag, an element of an array (negative from the end)."""
    if isinstance(value, dict):
        return value.get(step) if isinstance(step, str) else None
    if isinstance(value, list) and isinstance(step, int) and not isinstance(step, bool):
        return value[step] if -len(value) <= step < len(value) else None
    return None


def _json_of(value: Value) -> pl.Expr:
    """JSON text of a dynamic value, which may be as somebody wrote it; "" or null for null."""
    return value.expr if value.form is Form.RAW else canonical(value)


def _steps(args: Sequence[Expr]) -> list[Any]:
    steps = args[1]
    assert isinstance(steps, Const)  # made by the binder
    found: list[Any] = steps.value
    return found


def _followed(text: str | None, path: Sequence[Any]) -> Any:
    value = loads(text) if text else None
    for step in path:
        if value is None:
            return None
        value = step_into(value, step)
    return value


@scalar("<path>", [DYNAMIC, const(DYNAMIC)], DYNAMIC, source="Kusto reference: dynamic type, accessors")
class Path:
    """The value at a constant path, null where there is none."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        path = _steps(args)

        def batch(series: pl.Series) -> pl.Series:
            cells = [dumps(_followed(text, path)) for text in series.to_list()]
            return pl.Series(series.name, cells, pl.String)

        expr = _json_of(values[0]).map_batches(batch, return_dtype=pl.String, is_elementwise=True)
        return Value(expr, DYNAMIC)


@scalar("<path text>", [DYNAMIC, const(DYNAMIC), const(STRING)], STRING, source="Kusto reference: dynamic type, accessors")  # fmt: skip
class PathText:
    """The value at a path as text, or "" where the JSON cannot hold what is looked for.

    The third argument is a regular expression for the JSON text: rows that it does not match are not
    read. `rewrite.json_texts` makes these calls, where "" gives the same answer.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        path, sought = _steps(args), args[2]
        assert isinstance(sought, Const)
        pattern: str = sought.value

        def text(json: str | None) -> str:
            found: str = python_cast(_followed(json, path), DYNAMIC, STRING)
            return found

        def batch(series: pl.Series) -> pl.Series:
            likely = series.str.contains(pattern).fill_null(False)
            places = likely.arg_true()
            if len(places) == len(series):
                return pl.Series(series.name, [text(json) for json in series.to_list()], pl.String)
            nothing = pl.repeat("", len(series), dtype=pl.String, eager=True).alias(series.name)
            if not len(places):
                return nothing
            cells = [text(json) for json in series.gather(places).to_list()]
            return nothing.scatter(places, pl.Series(cells, dtype=pl.String))

        expr = _json_of(values[0]).map_batches(batch, return_dtype=pl.String, is_elementwise=True)
        return Value(expr, STRING)


@scalar("element", [DYNAMIC, ANY], DYNAMIC, source="Kusto reference: dynamic type, accessors")
class Element:
    """The element or property that a value of the row names."""

    @staticmethod
    def row(value: Any, step: Any) -> Any:
        return step_into(value, step)
