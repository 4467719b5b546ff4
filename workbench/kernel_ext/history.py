"""The queries of a kernel's cells as records: one history a workspace that was asked, and what the side panel shows of it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import polars as pl

from workbench.base.errors import WorkbenchError
from workbench.collect import query_history, query_log
from workbench.collect.query_history import Note
from workbench.kernel_ext.cell_query import cell_query

APPLICATION, DASHBOARDS = "workbench-notebook", "workbench-dashboard"
MOST_ASKED = 50
_LOOKED_AT = 500  # rows: many are the same text again
_COLUMNS = "TimeGenerated, QueryText, ResponseCode, ResponseRowCount, ResponseDurationMs, RequestClientApp, RequestContextFilters"  # fmt: skip
# Tiles ask the same again and again; their searches are opened by a click on them.
_MINE = f"{query_log.TABLE} | where AADEmail == asker and RequestClientApp != '{DASHBOARDS}'"


class History:
    """Notes the queries of one kernel, by workspace.

    Parameters
    ----------
    workspace : callable
        Opens a workspace by its path.
    """

    def __init__(self, workspace: Callable[[str], Any], environment: Mapping[str, str] = os.environ) -> None:
        self._workspace = workspace
        self._environment = environment
        self._of: dict[str, query_history.History] = {}

    def before(self, path: str, text: str) -> None:
        """Have what was asked so far in the table, where a query asks for it."""
        if query_log.TABLE in text:
            self._history(path).before(text)

    @contextmanager
    def noting(self, path: str, text: str, timespan: str = "", *, sql: bool = False) -> Iterator[Note]:
        """Note the query that runs inside of the block."""
        with self._history(path).noting(text, timespan, sql=sql) as note:
            yield note

    def past(self, path: str, cells: Sequence[str]) -> list[dict[str, Any]]:
        """What its user asked of a workspace, also in other sessions and at the command line: the newest first, each
        text once. `cells` are those of this session, which say how a query was written.
        """
        workspace = self._workspace(path)
        waiting = self._history(path).waiting()
        mine = (pl.col("AADEmail") == query_log.user()) & (pl.col("RequestClientApp") != DASHBOARDS)
        rows = waiting.filter(mine).select(_COLUMNS.split(", ")).rows()
        try:
            if query_log.TABLE in workspace.tables:
                text = f"{_MINE} | top {_LOOKED_AT} by TimeGenerated | project {_COLUMNS}"
                rows += workspace.query(text, scope=lambda _: query_log.user()).frame.rows()
        except WorkbenchError:
            pass  # of an older form: what was asked since is still shown
        written = {q.text.strip(): code for code in cells if (q := cell_query(code)) is not None}
        found: dict[str, dict[str, Any]] = {}
        for row in sorted(rows, key=lambda r: r[0], reverse=True):
            text = str(row[1]).strip()
            if text and text not in found:
                found[text] = _told(text, written.get(text), *row)
            if len(found) == MOST_ASKED:
                break
        return list(found.values())

    def _history(self, path: str) -> query_history.History:
        if path not in self._of:
            repository = self._workspace(path).repository
            self._of[path] = query_history.History(repository, APPLICATION, environment=self._environment)
        return self._of[path]


def _told(
    text: str, code: str | None, moment: dt.datetime, _: str, status: int, rows: int, milliseconds: float,
    application: str, filters: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "query": text,
        "code": code or _cell(text, orjson.loads(filters) if filters else {}),
        "moment": moment.isoformat().replace("+00:00", "Z"),
        "status": status,
        "rows": rows,
        "milliseconds": milliseconds,
        "application": application,
    }


def _cell(text: str, filters: Mapping[str, str]) -> str:
    """A cell that asks the same."""
    timespan, sql = filters.get("timespan"), filters.get("language") == "sql"
    options = [f"--timespan {timespan}"] if timespan else []
    options += ["--sql"] if sql else []
    return "\n".join([" ".join(["%%logsearch", *options]), text])
