"""From a card and lowered arguments to a lowered value: conversions, constants, row functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import Card, Signature
from workbench.query.functions.forms import POLARS_TYPES, canonical, converted, dumps, loads
from workbench.query.lowering import Value
from workbench.query.plan import Const, Expr

Types = Sequence[ScalarType | None]
ByPython = Callable[[Card, list[Any], list[ScalarType], ScalarType, dict[str, Any]], pl.Expr]


def apply_scalar(
    card: Card,
    args: Sequence[Expr],
    values: Sequence[Value],
    types: Types,
    returns: ScalarType,
    signature: Signature,
) -> Value:
    """A call of `card`, lowered. `types` are the parameter types the binder chose (None: as it is)."""
    return _apply(card, args, values, types, returns, signature, _row_call)


def apply_aggregate(
    card: Card,
    args: Sequence[Expr],
    values: Sequence[Value],
    types: Types,
    returns: ScalarType,
    signature: Signature,
) -> Value:
    """An aggregating expression for a card with `lower`, `polars` or `group`."""
    return _apply(card, args, values, types, returns, signature, _group_call)


def _apply(
    card: Card, args: Sequence[Expr], values: Sequence[Value], types: Types, returns: ScalarType,
    signature: Signature, by_python: ByPython,
) -> Value:  # fmt: skip
    implementation = card.implementation
    ready = [v if t is None else converted(v, t) for v, t in zip(values, types, strict=True)]
    if hasattr(implementation, "lower"):
        result: Value = implementation.lower(ready, args, returns)
        return result
    given: list[Any] = []
    for i, (value, arg) in enumerate(zip(ready, args, strict=True)):
        param = signature.at(i)
        constant = param is not None and param.constant and isinstance(arg, Const)
        given.append(arg.value if constant else canonical(value))  # type: ignore[attr-defined]
    more: dict[str, Any] = {"types": [v.type for v in ready]} if card.wants_types else {}
    if hasattr(implementation, "polars"):
        return Value(implementation.polars(*given, **more), returns)
    return Value(by_python(card, given, [v.type for v in ready], returns, more), returns)


def _row_call(card: Card, given: list[Any], types: list[ScalarType], returns: ScalarType, more: dict[str, Any]) -> pl.Expr:  # fmt: skip
    row: Callable[..., Any] = card.implementation.row
    columns = [i for i, g in enumerate(given) if isinstance(g, pl.Expr)]
    nulls = card.nulls
    needed = [i for i in columns if types[i] is not ScalarType.STRING]
    dtype = POLARS_TYPES[returns]

    def one(cells: Sequence[Any]) -> Any:
        args = list(given)
        for i, cell in zip(columns, cells, strict=True):
            args[i] = loads(cell) if types[i] is ScalarType.DYNAMIC else cell
            if cell is None and types[i] is ScalarType.STRING:
                args[i] = ""  # Polars tries a branch of iff() on a row of nulls
        if not nulls and any(args[i] is None for i in needed):
            return "" if returns is ScalarType.STRING else None
        try:
            value = row(*args, **more)
        except (OverflowError, ZeroDivisionError):
            value = None  # a number that no value of the type can hold
        if returns is ScalarType.DYNAMIC:
            return dumps(value)
        if value is None and returns is ScalarType.STRING:
            return ""
        return value

    if not columns:
        return pl.lit(one(()), dtype=dtype)
    if len(columns) == 1:

        def batch_one(series: pl.Series) -> pl.Series:
            return pl.Series(series.name, [one((v,)) for v in series.to_list()], dtype, strict=False)

        return given[columns[0]].map_batches(batch_one, return_dtype=dtype, is_elementwise=True)  # type: ignore[no-any-return]

    def batch(struct: pl.Series) -> pl.Series:
        cells = zip(*(f.to_list() for f in struct.struct.unnest().get_columns()), strict=True)
        return pl.Series(struct.name, [one(c) for c in cells], dtype, strict=False)

    packed = pl.struct(given[i].alias(f"a{i}") for i in columns)
    return packed.map_batches(batch, return_dtype=dtype, is_elementwise=True)


def _group_call(card: Card, given: list[Any], types: list[ScalarType], returns: ScalarType, more: dict[str, Any]) -> pl.Expr:  # fmt: skip
    """`group(*lists)` gets one Python list an argument (constants as they are), gives one value."""
    group: Callable[..., Any] = card.implementation.group
    columns = [i for i, g in enumerate(given) if isinstance(g, pl.Expr)]
    dtype = POLARS_TYPES[returns]

    def run(series: Sequence[pl.Series]) -> pl.Series:
        args = list(given)
        for i, s in zip(columns, series, strict=True):
            cells = s.to_list()
            args[i] = [loads(c) for c in cells] if types[i] is ScalarType.DYNAMIC else cells
        value = group(*args, **more)
        if returns is ScalarType.DYNAMIC:
            value = dumps(value)
        elif value is None and returns is ScalarType.STRING:
            value = ""
        return pl.Series("", [value], dtype, strict=False)

    return pl.map_groups([given[i] for i in columns], run, return_dtype=dtype, returns_scalar=True)
