"""Reading inside dynamic values: `a.b[0]["c"]`, and JSON text as dynamic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _unsayable
from workbench.query.functions._card import ANY, DYNAMIC, STRING, const, scalar
from workbench.query.functions._json_paths import step_into, texts_at, values_at
from workbench.query.functions.forms import canonical
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Const, Expr


def _json_of(value: Value) -> pl.Expr:
    """JSON text of a dynamic value, which may be as somebody wrote it; "" or null for null."""
    return value.expr if value.form is Form.RAW else canonical(value)


def _steps(args: Sequence[Expr]) -> list[Any]:
    steps = args[1]
    assert isinstance(steps, Const)  # made by the binder
    found: list[Any] = steps.value
    return found


def path_in(json: pl.Expr, path: Sequence[Any]) -> Value:
    """The value at a path of JSON texts, as `<path>` gives it."""

    def values(series: pl.Series) -> pl.Series:
        return values_at(series, path)

    def texts(series: pl.Series) -> pl.Series:
        return texts_at(series, path)

    expr, text = (json.map_batches(f, return_dtype=pl.String, is_elementwise=True) for f in (values, texts))
    return Value(expr, DYNAMIC, as_text=text)


def _sql_at(value: SqlValue, path: Sequence[Any]) -> _sql.Sql:
    """The JSON text of the value at a path; null where there is none and for text that is no JSON."""
    steps = []
    for step in path:
        if isinstance(step, str) and not {'"', "\\", "*"} & set(step) and step:
            steps.append(f'."{step}"')
        elif isinstance(step, int) and not isinstance(step, bool):
            steps.append(f"[{step}]" if step >= 0 else f"[#{step}]")
        else:
            raise _sql.Unsayable(_unsayable.ODD_KEY)
    json = value.expr if value.form is Form.RAW else _sql_cast.canonical(value)
    found = _sql.cast(_sql.plain_func("json_extract", json, "$" + "".join(steps)), "VARCHAR")
    return _sql.case((_sql.plain_func("json_valid", json), _sql.func("nullif", found, "null")))


@scalar("<path>", [DYNAMIC, const(DYNAMIC)], DYNAMIC, source="Kusto reference: dynamic type, accessors")
class Path:
    """The value at a constant path, null where there is none."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        return path_in(_json_of(values[0]), _steps(args))

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        return SqlValue(_sql_at(values[0], _steps(args)), DYNAMIC)


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

        def batch(series: pl.Series) -> pl.Series:
            likely = series.str.contains(pattern).fill_null(False)
            places = likely.arg_true()
            if len(places) == len(series):
                return texts_at(series, path)
            nothing = pl.repeat("", len(series), dtype=pl.String, eager=True).alias(series.name)
            return nothing.scatter(places, texts_at(series.gather(places), path)) if len(places) else nothing

        expr = _json_of(values[0]).map_batches(batch, return_dtype=pl.String, is_elementwise=True)
        return Value(expr, STRING)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        at = SqlValue(_sql_at(values[0], _steps(args)), DYNAMIC)
        return _sql_cast.converted(at, STRING)


@scalar("element", [DYNAMIC, ANY], DYNAMIC, source="Kusto reference: dynamic type, accessors")
class Element:
    """The element or property that a value of the row names."""

    @staticmethod
    def row(value: Any, step: Any) -> Any:
        return step_into(value, step)
