"""Rows of a door as typed columns.

In go tuples in the order of a table's columns, out come `Columns` for a part of a batch. A protocol with a fixed
set of fields needs no look at each value: its types are known. Must not decide what is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.collect.record import Columns, declared, typed
from workbench.repository.physical import UTC_MICROSECONDS

_DTYPES: Mapping[ScalarType, Any] = {
    T.STRING: pl.String, T.DYNAMIC: pl.String, T.REAL: pl.Float64, T.BOOL: pl.Boolean,
}  # fmt: skip


def columns_of_rows(types: Mapping[str, ScalarType], rows: Sequence[tuple[Any, ...]]) -> Columns:
    """The rows as columns.

    Parameters
    ----------
    types : mapping
        Columns in the order of the tuples. A datetime is given as microseconds since 1970, dynamic as JSON text.
    rows : sequence of tuple
        None is no value. A column without any value is left out.

    Examples
    --------
    >>> found = columns_of_rows({"a": T.REAL, "b": T.STRING}, [(1.5, None), (2.0, None)])
    >>> {key: series.to_list() for key, series in found.series.items()}
    {('a', real): [1.5, 2.0]}
    """
    found = Columns(len(rows))
    for (name, type_), values in zip(types.items(), zip(*rows, strict=True), strict=bool(rows)):
        for piece, series in _pieces(name, type_, values):
            if series.null_count() < len(series):
                found.series[name, piece] = series
    return found


def _pieces(name: str, type_: ScalarType, values: tuple[Any, ...]) -> Iterable[tuple[ScalarType, pl.Series]]:
    if type_ is T.DATETIME:
        return [(type_, pl.Series(name, values, pl.Int64).cast(UTC_MICROSECONDS))]
    dtype = _DTYPES.get(type_)
    if dtype is not None:
        return [(type_, pl.Series(name, values, dtype))]
    # Whole numbers on the wire may be larger than the column: they keep a type of their own.
    return declared(typed(name, values), type_)


def json_text(value: Any) -> str:
    """A value as the text of a dynamic column; numbers that JSON has no word for are null."""
    return orjson.dumps(value).decode()
