"""`bag_unpack` in Polars: each bag is read once, whatever the number of its properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._cast import python_cast
from workbench.query.functions.forms import canonical
from workbench.query.functions.values import POLARS_TYPES, dumps, loads
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.operators.plugins.bag_unpack import Unpack

T = ScalarType
_BAG = "__bag"


@to_polars.register
def _unpack(rel: Unpack, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    forms = {n: f for n, f in source.forms.items() if n not in {f[1] for f in rel.fields}}
    if not rel.fields:
        return Frame(source.lazy.select(rel.names()), forms)
    text = canonical(Value(pl.col(rel.bag), T.DYNAMIC, source.forms.get(rel.bag, Form.CANONICAL)))
    dtype = pl.Struct({f"f{i}": POLARS_TYPES[t] for i, (_, _, t) in enumerate(rel.fields)})
    read = text.map_batches(_reader(rel.fields), return_dtype=dtype, is_elementwise=True)
    columns = [pl.col(_BAG).struct.field(f"f{i}").alias(name) for i, (_, name, _) in enumerate(rel.fields)]
    lazy = source.lazy.with_columns(read.alias(_BAG)).with_columns(columns)
    return Frame(lazy.select(rel.names()), forms)


def _reader(fields: Sequence[tuple[str, str, ScalarType]]) -> Callable[[pl.Series], pl.Series]:
    def batch(series: pl.Series) -> pl.Series:
        cells: list[list[Any]] = [[] for _ in fields]
        for text in series.to_list():
            bag = loads(text)
            here = bag if isinstance(bag, dict) else {}
            for column, (key, _, type_) in zip(cells, fields, strict=True):
                column.append(_value(here.get(key), type_))
        made = [
            pl.Series(f"f{i}", column, POLARS_TYPES[type_], strict=False)
            for i, (column, (_, _, type_)) in enumerate(zip(cells, fields, strict=True))
        ]
        return pl.DataFrame(made).to_struct(series.name)

    return batch


def _value(value: Any, type_: ScalarType) -> Any:
    return dumps(value) if type_ is T.DYNAMIC else python_cast(value, T.DYNAMIC, type_)
