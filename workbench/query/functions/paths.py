"""Reading inside dynamic values: `a.b[0]["c"]`, and JSON text as dynamic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import ANY, DYNAMIC, const, scalar
from workbench.query.functions.forms import canonical, dumps, loads
from workbench.query.lowering import Value
from workbench.query.plan import Const, Expr


def step_into(value: Any, step: Any) -> Any:
    """One step of a path: a property of a bag, an element of an array (negative from the end)."""
    if isinstance(value, dict):
        return value.get(step) if isinstance(step, str) else None
    if isinstance(value, list) and isinstance(step, int) and not isinstance(step, bool):
        return value[step] if -len(value) <= step < len(value) else None
    return None


def parsed(value: Value) -> pl.Expr:
    """Text as a dynamic value: strict JSON in compact form, other text a JSON string."""

    def batch(series: pl.Series) -> pl.Series:
        return pl.Series(series.name, [_compact(v) for v in series.to_list()], pl.String)

    return canonical(value).map_batches(batch, return_dtype=pl.String, is_elementwise=True)


def _compact(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return dumps(orjson.loads(text))
    except orjson.JSONDecodeError:
        found = loads(text)
        return dumps(found)


@scalar("<path>", [DYNAMIC, const(DYNAMIC)], DYNAMIC, source="Kusto reference: dynamic type, accessors")
class Path:
    """The value at a constant path, null where there is none."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        steps = args[1]
        assert isinstance(steps, Const)  # made by the binder
        path: list[Any] = steps.value

        def batch(series: pl.Series) -> pl.Series:
            return pl.Series(series.name, [_at(v, path) for v in series.to_list()], pl.String)

        expr = canonical(values[0]).map_batches(batch, return_dtype=pl.String, is_elementwise=True)
        return Value(expr, DYNAMIC)


def _at(text: str | None, path: Sequence[Any]) -> str | None:
    value = loads(text)
    for step in path:
        if value is None:
            return None
        value = step_into(value, step)
    return dumps(value)


@scalar("element", [DYNAMIC, ANY], DYNAMIC, source="Kusto reference: dynamic type, accessors")
class Element:
    """The element or property that a value of the row names."""

    @staticmethod
    def row(value: Any, step: Any) -> Any:
        return step_into(value, step)
