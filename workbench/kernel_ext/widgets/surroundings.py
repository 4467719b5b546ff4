"""The rows around one: those before and after it by time, on the same host.

They come from the table that the query starts from, where it starts from one; else from the result itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.cells import moment
from workbench.query.language import refining
from workbench.query.language.candidates import written
from workbench.query.result import Result

TIME, HOST = "TimeGenerated", "Computer"
MOST = 500
_SAME_MOMENT = 100
Ask = Callable[[str, Mapping[str, Any]], Result]


@dataclass(frozen=True, slots=True)
class Around:
    """Rows by time; `marked` is the place of the first one of the asked moment."""

    result: Result
    marked: int
    note: str
    query: str = ""


def missing(result: Result) -> str | None:
    """The column without which there is no context, where it is missing."""
    there = any(c.name == TIME and c.type is ScalarType.DATETIME for c in result.schema)
    return None if there else TIME


def around(result: Result, query: str, row: int, count: int, ask: Ask) -> Around:
    """The `count` rows before and after a row.

    Raises
    ------
    WorkbenchError
        LAB304 where the result has no time.
    """
    if (gone := missing(result)) is not None:
        raise diagnostics.no_context(gone)
    at = result.frame[TIME][row]
    if at is None:
        raise diagnostics.no_context(f"{TIME} with a value in this row")
    host = result.frame[HOST][row] if HOST in result.columns else None
    count = min(MOST, max(1, count))
    note = f"{count:,} before and after {moment(at)}" + (f" on {host}" if host else "")
    found = _from_table(query, at, host, count, ask) if query else None
    if found is None:
        return _from_result(result, at, host, row, count, f"{note}, of this result")
    marked = (found.frame[TIME] == at).arg_true()
    return Around(found, int(marked[0]) if len(marked) else -1, note, found.query)


def _from_table(query: str, at: Any, host: Any, count: int, ask: Ask) -> Result | None:
    try:
        table = refining.source_table(query)
    except WorkbenchError:
        return None
    if table is None:
        return None
    source = written(table)
    if host is not None:
        source += f" | where {HOST} == workbench_host"
    text = (
        f"let before = {source} | where {TIME} < workbench_time | top {count} by {TIME} desc;\n"
        f"let same = {source} | where {TIME} == workbench_time | take {_SAME_MOMENT};\n"
        f"let after = {source} | where {TIME} > workbench_time | top {count} by {TIME} asc;\n"
        f"union before, same, after | sort by {TIME} asc"
    )
    try:
        return ask(text, {"workbench_time": at, "workbench_host": host or ""})
    except WorkbenchError:
        return None  # the name is a function, or its rows have no such columns: the result has them


def _from_result(result: Result, at: Any, host: Any, row: int, count: int, note: str) -> Around:
    frame = result.frame.with_row_index("\0row").sort(TIME, maintain_order=True)
    if host is not None:
        frame = frame.filter(pl.col(HOST) == host)
    place = int((frame["\0row"] == row).arg_true()[0])
    start = max(0, place - count)
    kept = frame[start : place + count + 1].drop("\0row")
    return Around(Result(kept, result.schema), place - start, note)
