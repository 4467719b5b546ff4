"""An answer of the Log Search API as a `Result`: what a runbook's query gives, whichever machine it runs on.

In goes one table of JSON, out come the same rows, types and texts as a query in a notebook gives. Times lose their
seventh digit, as in any frame.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from workbench.base.dtypes import (
    DECIMAL_SCALE,
    Column,
    ScalarType,
    parse_datetime,
    parse_timespan,
    parse_type,
)
from workbench.query.result import Result
from workbench.repository.physical import FRAME

_TICKS = 10  # of 100 ns in a microsecond
_DTYPES = {**FRAME, ScalarType.DECIMAL: pl.Decimal(38, DECIMAL_SCALE)}


def result_of(table: Mapping[str, Any], query: str = "") -> Result:
    """The rows of a table as it stands in an answer.

    Examples
    --------
    >>> columns = [{"name": "t", "type": "timespan"}, {"name": "r", "type": "real"}]
    >>> result_of({"columns": columns, "rows": [["1.00:00:00", "Infinity"]]}).frame.rows()
    [(datetime.timedelta(days=1), inf)]
    """
    schema = tuple(Column(c["name"], parse_type(c["type"]) or ScalarType.STRING) for c in table["columns"])
    series = [_series(column, [row[place] for row in table["rows"]]) for place, column in enumerate(schema)]
    return Result(pl.DataFrame(series), schema, query=query)


def _series(column: Column, values: list[Any]) -> pl.Series:
    read = _READ.get(column.type)
    if read is not None:
        values = [None if value is None else read(value) for value in values]
    dtype = _DTYPES[column.type]
    if column.type.is_time:
        return pl.Series(column.name, values, pl.Int64).cast(dtype)
    return pl.Series(column.name, values, dtype)


def _microseconds(parse: Callable[[str], int | None]) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        ticks = parse(text)
        return None if ticks is None else ticks // _TICKS

    return read


def _real(value: Any) -> float:
    return {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}.get(value) or float(value)


_READ: dict[ScalarType, Callable[[Any], Any]] = {
    ScalarType.DATETIME: _microseconds(parse_datetime),
    ScalarType.TIMESPAN: _microseconds(parse_timespan),
    ScalarType.REAL: _real,
    ScalarType.DECIMAL: Decimal,
    ScalarType.DYNAMIC: lambda value: value if isinstance(value, str) else json.dumps(value),
}
