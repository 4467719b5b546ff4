"""Forms of values in Polars, and conversions between KQL types.

Everything that knows how a KQL type is held in Polars is here: literals, form changes, casts.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _cast
from workbench.query.functions.values import DECIMAL_TYPE, POLARS_TYPES, dumps, loads
from workbench.query.lowering import Form, Value


def literal(value: Any, type_: ScalarType) -> pl.Expr:
    """A constant in canonical form."""
    if value is None or value == "":
        return _blank(None if value is None else "", type_)
    return _made(value, type_)


@cache
def _blank(value: str | None, type_: ScalarType) -> pl.Expr:
    """What pads the columns of a wide union, thousands of times."""
    return _made(value, type_)


def _made(value: Any, type_: ScalarType) -> pl.Expr:
    dtype = POLARS_TYPES[type_]
    if type_ is ScalarType.DYNAMIC:
        value = dumps(value)
    if type_ is ScalarType.STRING and value is None:
        value = ""
    if type_ is ScalarType.DECIMAL and value is not None:
        from decimal import Decimal

        return pl.lit(Decimal(str(value))).cast(dtype)
    return pl.lit(value, dtype=dtype)


def canonical(value: Value) -> pl.Expr:
    """The expression in the canonical form of its type."""
    if value.form is Form.CANONICAL:
        return value.expr
    if value.form is Form.NULLABLE:
        return value.expr.fill_null("")
    if value.form is Form.MICROSECONDS:
        return value.expr.to_physical() * 10
    return value.expr.map_batches(_parsed, return_dtype=pl.String, is_elementwise=True)


def _parsed(series: pl.Series) -> pl.Series:
    """Text as dynamic values: JSON in compact form, other text a JSON string."""
    return pl.Series(series.name, [dumps(loads(v)) if v else None for v in series.to_list()], pl.String)


def converted(value: Value, to: ScalarType) -> Value:
    """The value as another type; what does not convert is null ("" for a string)."""
    if value.type is to:
        return value
    if to is ScalarType.STRING and value.as_text is not None:
        return Value(value.as_text, to)
    return Value(_cast.cast(canonical(value), value.type, to), to)


__all__ = ["DECIMAL_TYPE", "POLARS_TYPES", "canonical", "converted", "dumps", "literal", "loads"]
