"""A query's result, or its error, as JSON values: one spelling for the service and the command line.

In goes a `Result` or a `WorkbenchError`; out come plain Python values that `orjson` writes. Cells
are spelt by KQL type: datetime with seven digits and `Z`, timespan `[-][d.]hh:mm:ss[.fffffff]`,
NaN and the infinities as text, dynamic as the JSON value itself, decimal and guid as text, null as
null. This module runs no query and prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

from workbench.base.dtypes import (
    TICKS_PER_MICROSECOND,
    Column,
    ScalarType,
    format_datetime,
    format_timespan,
)
from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    import polars as pl

    from workbench.query.result import Result

Cell = Any
SLICE_ROWS = 20_000


def dump(value: Any) -> bytes:
    """`value` as JSON bytes, without a line end; what JSON has no form for as its text.

    Examples
    --------
    >>> dump({"a": [1, None, "é"]}).decode()
    '{"a":[1,null,"é"]}'
    """
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)


# ---- cells ------------------------------------------------------------------------------------


def dynamic_value(text: str) -> Any:
    """JSON text as a value that is written as it stands; other text as a JSON string.

    Examples
    --------
    >>> dump(dynamic_value('{"a": 1.0}')), dump(dynamic_value("not json"))
    (b'{"a": 1.0}', b'"not json"')
    """
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return orjson.Fragment(text)


def real_value(value: float) -> float | str:
    """A real, or the name of a value that JSON has no number for.

    Examples
    --------
    >>> real_value(1.5), real_value(float("-inf"))
    (1.5, '-Infinity')
    """
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


_CELL: dict[ScalarType, Callable[[Any], Cell]] = {
    ScalarType.REAL: real_value,
    ScalarType.DATETIME: format_datetime,
    ScalarType.TIMESPAN: format_timespan,
    ScalarType.DECIMAL: str,
    ScalarType.GUID: str,
}


def _column_cells(series: pl.Series, column: Column, dynamic: Callable[[str], Cell]) -> list[Cell]:
    import polars as pl

    if column.type.is_time and series.dtype != pl.Int64:
        # A column that came straight from a table is in microseconds, not in ticks.
        series = series.to_physical() * TICKS_PER_MICROSECOND
    values = series.to_list()
    if column.type is ScalarType.STRING:
        return ["" if v is None else v for v in values]
    if column.type is ScalarType.DYNAMIC:
        return [None if v is None else dynamic(v) if isinstance(v, str) else v for v in values]
    write = _CELL.get(column.type)
    if write is None:
        return values
    return [None if v is None else write(v) for v in values]


def rows(
    result: Result, *, dynamic_as_text: bool = False, start: int = 0, stop: int | None = None
) -> list[list[Cell]]:
    """The cells of rows `[start, stop)`, row by row.

    Parameters
    ----------
    result : Result
    dynamic_as_text : bool
        Write a dynamic value as its JSON text (the Log Search API does), not as a value.
    start, stop : int
        Positions of rows.
    """
    frame = result.exact[start:stop]
    dynamic: Callable[[str], Cell] = str if dynamic_as_text else dynamic_value
    columns = [
        _column_cells(series, column, dynamic)
        for series, column in zip(frame.iter_columns(), result.schema, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(frame.height)]


def slices(result: Result, *, dynamic_as_text: bool = False) -> Iterator[list[list[Cell]]]:
    """All rows, `SLICE_ROWS` at a time, so that a large result is never held twice."""
    for start in range(0, result.exact.height, SLICE_ROWS):
        yield rows(result, dynamic_as_text=dynamic_as_text, start=start, stop=start + SLICE_ROWS)


# ---- answers ----------------------------------------------------------------------------------


def answer(result: Result) -> dict[str, Any]:
    """What `query --stdio` answers: columns, types, rows; what was cut or left unread, if anything.

    `others` are the other tables of a query that gives several, each with its name.
    """
    found = _one_table(result)
    if result.partial:
        found["partial"] = result.partial_note
    if result.statistics.warnings:
        found["warnings"] = list(result.statistics.warnings)
    if result.others:
        found["others"] = [{"name": o.name, **_one_table(o)} for o in result.others]
    return found


def _one_table(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {"columns": result.columns, "types": result.types, "rows": rows(result)}
    if result.truncated:
        found["truncated"] = True
    return found


_VISUAL = (
    "Title", "XColumn", "Series", "YColumns", "AnomalyColumns", "XTitle", "YTitle", "XAxis", "YAxis", "Legend", "YSplit",
    "Kind",
)  # fmt: skip


def render(result: Result, *, capital: bool = False) -> dict[str, Any]:
    """The `render` operator with every property that clients look for; names begin in lower case, or as Kusto has them.

    Examples
    --------
    >>> import polars as pl
    >>> from workbench.query.result import Render, Result
    >>> found = render(Result(pl.DataFrame(), (), render=Render("piechart", {"title": "Errors"})))
    >>> found["visualization"], found["title"], found["xColumn"], found["accumulate"]
    ('piechart', 'Errors', None, False)
    """
    given = {} if result.render is None else {k.lower(): v for k, v in result.render.properties.items()}
    found: dict[str, Any] = {"Visualization": result.render.kind if result.render else None}
    found |= {name: given.get(name.lower()) for name in _VISUAL}
    found |= {"Accumulate": given.get("accumulate") in (True, "true"), "IsQuerySorted": False}
    found |= {name: given.get(name.lower(), "NaN") for name in ("YMin", "YMax")}
    return found if capital else {name[0].lower() + name[1:]: value for name, value in found.items()}


def statistics(result: Result) -> dict[str, Any]:
    """What a query took, as the Log Search API writes it: seconds, rows of each table, data files read."""
    took = result.statistics
    tables = [{"tableRowCount": len(t), "tableSize": int(t.frame.estimated_size())} for t in result.tables]
    files = {"total": took.files_total, "scanned": took.files_read}
    return {
        "query": {
            "executionTime": took.seconds,
            "inputDatasetStatistics": {"extents": files},
            "datasetStatistics": tables,
            "warnings": list(took.warnings),
        }
    }


def log_search(result: Result, *, with_statistics: bool = False, with_render: bool = False) -> dict[str, Any]:
    """What the Log Search API answers: the table `PrimaryResult` and the others; a cut one says so.

    `with_statistics` and `with_render` are what the header `Prefer` asks for beside the tables.
    """
    tables = [
        {
            "name": table.name if place and table.name else "PrimaryResult",
            "columns": [{"name": c.name, "type": c.type.value} for c in table.schema],
            "rows": rows(table, dynamic_as_text=True),
        }
        for place, table in enumerate(result.tables)
    ]
    body: dict[str, Any] = {"tables": tables}
    if with_statistics:
        body["statistics"] = statistics(result)
    if with_render:
        body["render"] = render(result)
    missing = [f"the result was cut after {len(t):,} rows" for t in result.tables if t.truncated]
    if result.partial:
        missing.append(result.partial_note)
    if missing:
        body["error"] = {
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": [{"code": "EngineError", "message": m} for m in missing],
        }
    return body


def error_value(error: WorkbenchError) -> dict[str, Any]:
    """A user's mistake as JSON: code, message, line and column (from 1), hint, and the drawn text."""
    value: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.position is not None:
        value["line"], value["column"] = error.position
    if error.hint:
        value["hint"] = error.hint
    value["text"] = error.render()
    return value


def log_search_error(error: WorkbenchError) -> dict[str, Any]:
    """A user's mistake in the form of the Log Search API: `BadArgumentError` with our error inside."""
    kinds = {"KQL0": "SyntaxError", "KQL3": "EngineError"}
    kind = kinds.get(error.code[:4], "SemanticError")
    return {
        "error": {
            "message": "The request had some invalid properties",
            "code": "BadArgumentError",
            "innererror": {"code": kind, "message": error.render(), "innererror": error_value(error)},
        }
    }
