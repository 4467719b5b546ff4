"""Python functions over columns, for cards that check or prepare their constants before rows come.

What such a function raises while rows are computed is lost on the way through Polars, so a mistake in
a constant argument has to be found before, when the card is lowered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl


def over_rows(function: Callable[..., Any], dtype: pl.DataType, *columns: pl.Expr) -> pl.Expr:
    """`function` of the cells of each row, which come as Python values (dynamic as JSON text).

    Examples
    --------
    >>> pl.select(over_rows(lambda a, b: a * b, pl.Int64(), pl.lit(6), pl.lit(7))).item()
    42
    """
    packed = pl.struct(column.alias(f"a{i}") for i, column in enumerate(columns))

    def batch(s: pl.Series) -> pl.Series:
        rows = zip(*(f.to_list() for f in s.struct.unnest().get_columns()), strict=True)
        return pl.Series(s.name, [function(*r) for r in rows], dtype)

    return packed.map_batches(batch, return_dtype=dtype, is_elementwise=True)
