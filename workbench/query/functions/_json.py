"""Values as pieces of JSON text, natively where Polars can: what packs, lists and sets are made of.

`text` goes from a lowered value to an expression, `element` from one Python value to the Python
value that stands for it in JSON. Times and decimals become strings, as everywhere in dynamic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._cast import decimal_text, python_cast
from workbench.query.functions._cast_columns import datetime_text, timespan_text
from workbench.query.functions.forms import canonical
from workbench.query.lowering import Form, Value

T = ScalarType


def text(value: Value) -> pl.Expr:
    """JSON text of each value; null stays null (so that a caller can drop it or write `null`)."""
    if value.form is Form.MICROSECONDS and value.type is T.DATETIME:
        return _quoted(value.expr.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f0Z"))
    expr = canonical(value)
    kind = value.type
    if kind in (T.BOOL, T.INT, T.LONG):
        return expr.cast(pl.String)
    if kind is T.REAL:
        return _real(expr)
    if kind is T.DYNAMIC:
        return expr
    if kind is T.GUID:
        return _quoted(expr)
    if kind is T.DECIMAL:
        return _quoted(expr.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end("."))
    if kind.is_time:
        written = datetime_text(expr) if kind is T.DATETIME else timespan_text(expr)
        return pl.when(expr.is_not_null()).then(_quoted(written))
    # The encoder of structs is the one native JSON writer: {"x":"…"} without its frame.
    boxed = pl.struct(expr.alias("x")).struct.json_encode()
    return boxed.str.strip_prefix('{"x":').str.strip_suffix("}")


def or_null(value: Value) -> pl.Expr:
    """JSON text of each value, `null` for null."""
    return text(value).fill_null("null")


def _quoted(expr: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit('"'), expr, pl.lit('"'))


def _real(expr: pl.Expr) -> pl.Expr:
    return (
        pl.when(expr.is_finite())
        .then(expr.cast(pl.String))
        .when(expr.is_nan())
        .then(pl.lit('"NaN"'))
        .when(expr > 0)
        .then(pl.lit('"Infinity"'))
        .when(expr < 0)
        .then(pl.lit('"-Infinity"'))
    )


def element(value: Any, type_: ScalarType) -> Any:
    """A Python value of a KQL type (dynamic parsed, time as ticks) as it stands in JSON."""
    if type_ is T.DYNAMIC or value is None:
        return value
    if type_ is T.DECIMAL:
        return decimal_text(value)
    return python_cast(value, type_, T.DYNAMIC)


def key(value: Any) -> Any:
    """What makes two JSON values the same: hashable, `true` is not 1, the order of keys is nothing.

    Examples
    --------
    >>> key({"a": 1, "b": 2}) == key({"b": 2, "a": 1}), key(True) == key(1), key(1) == key(1.0)
    (True, False, True)
    """
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list | dict):
        return ("json", orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS))
    return value


def distinct(values: Iterable[Any]) -> list[Any]:
    """Each JSON value once, in the order of first appearance."""
    seen: dict[Any, Any] = {}
    for value in values:
        seen.setdefault(key(value), value)
    return list(seen.values())
