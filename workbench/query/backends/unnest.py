"""`Unnest` in Polars: dynamic columns become lists, side by side and equally long, and are exploded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._cast import python_cast
from workbench.query.functions.forms import canonical
from workbench.query.functions.values import POLARS_TYPES, dumps, loads
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.plan import Unnest

T = ScalarType
_COUNT, _PLACES = "__elements", "__places"


@to_polars.register
def _unnest(rel: Unnest, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    names = [n for n, _ in rel.expand]
    lists = [
        _json(n, source.forms.get(n, Form.CANONICAL)).map_batches(
            _lists(type_, rel.bag_as_array), return_dtype=pl.List(POLARS_TYPES[type_]), is_elementwise=True
        )
        for n, type_ in rel.expand
    ]
    lazy = source.lazy.with_columns(e.alias(n) for e, n in zip(lists, names, strict=True))
    together = list(names)
    if len(names) > 1 or rel.index is not None or rel.limit is not None:
        count = pl.max_horizontal(pl.col(n).list.len() for n in names).cast(pl.Int64)
        if rel.limit is not None:
            count = pl.min_horizontal(count, pl.lit(max(0, rel.limit), dtype=pl.Int64))
        lazy = lazy.with_columns(pl.int_ranges(0, count).alias(_PLACES))
        lazy = lazy.with_columns(
            pl.col(n).list.gather(pl.col(_PLACES), null_on_oob=True) for n in names
        ).rename({_PLACES: rel.index or _PLACES})
        together.append(rel.index or _PLACES)
    lazy = lazy.explode(together)
    texts = [n for n, type_ in rel.expand if type_ is T.STRING]
    if texts:
        lazy = lazy.with_columns(pl.col(texts).fill_null(""))
    forms = {n: f for n, f in source.forms.items() if n not in names}
    return Frame(lazy.select(rel.names()), forms)


def _json(name: str, form: Form) -> pl.Expr:
    """The JSON text of a column, parsed or not."""
    if form is Form.RAW:
        return pl.when(pl.col(name) != "").then(pl.col(name))
    return canonical(Value(pl.col(name), T.DYNAMIC, form))


def _lists(type_: ScalarType, bag_as_array: bool) -> Callable[[pl.Series], pl.Series]:
    """A function from JSON texts to lists of elements of a type; null gives one null element."""
    convert = _CONVERSIONS.get(type_, _text_only)

    def elements(text: str | None) -> list[Any]:
        value = loads(text)
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            return [[k, v] if bag_as_array else {k: v} for k, v in value.items()]
        return [value]

    def batch(series: pl.Series) -> pl.Series:
        counts: list[int] = []
        flat: list[Any] = []
        for text in series.to_list():
            parts = elements(text)
            counts.append(len(parts))
            flat += [convert(part, type_) for part in parts]
        values = pl.Series("value", flat, POLARS_TYPES[type_], strict=False)
        return _cut(values, counts).alias(series.name)

    return batch


def _cut(values: pl.Series, counts: list[int]) -> pl.Series:
    """A flat column as lists of these lengths (a list of Python lists takes Polars ten times as long)."""
    rows = pl.DataFrame({"count": pl.Series(counts, dtype=pl.Int64)}).with_row_index("row")
    filled = rows.filter(pl.col("count") > 0)
    owner = filled.select(pl.col("row").repeat_by("count").explode())
    lists = owner.with_columns(values).group_by("row", maintain_order=True).agg("value")
    if filled.height == rows.height:
        return lists["value"]
    nothing = pl.Series([[]], dtype=pl.List(values.dtype))
    whole = rows.join(lists, on="row", how="left", maintain_order="left")
    return whole.select(pl.col("value").fill_null(pl.lit(nothing))).to_series()


def _text(value: Any, type_: ScalarType) -> Any:
    return dumps(value)


def _string(value: Any, type_: ScalarType) -> Any:
    return value if isinstance(value, str) else python_cast(value, T.DYNAMIC, T.STRING)


def _number(value: Any, type_: ScalarType) -> Any:
    """Numbers only: a text is not read."""
    if type(value) is int and type_ is T.LONG and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return python_cast(value, T.DYNAMIC, type_)


def _real(value: Any, type_: ScalarType) -> Any:
    """Numbers, and the texts that stand for numbers which JSON lacks."""
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    return _number(value, type_)


def _bool(value: Any, type_: ScalarType) -> Any:
    return value if isinstance(value, bool) else None


def _text_only(value: Any, type_: ScalarType) -> Any:
    """Times, guids and decimals, which are texts inside dynamic values."""
    return python_cast(value, T.DYNAMIC, type_)


_CONVERSIONS: dict[ScalarType, Callable[[Any, ScalarType], Any]] = {
    T.DYNAMIC: _text, T.STRING: _string, T.INT: _number, T.LONG: _number, T.REAL: _real, T.BOOL: _bool,
}  # fmt: skip
