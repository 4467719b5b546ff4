"""Tables cut by position: what came in between, late or not, and what of a query's own bounds gives way to it."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.since import Since, position, position_at
from workbench.query.run import run
from workbench.repository.layout import SEQUENCE, WRITER
from workbench.workspace import Workspace
from workbench.workspace import open as open_workspace

NOW = 1_764_000_000_000_000
WINDOW = 300_000_000


def ago(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(NOW / 1e6 - seconds, dt.UTC)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two rows before the window, behind them three: one of now, one that is an hour late, one of the day before."""
    opened = open_workspace(str(tmp_path_factory.mktemp("w")), create=True)
    for moment, rows in (
        (NOW - 2 * WINDOW, [(1, 10), (2, 1000)]),
        (NOW - 100_000_000, [(3, 10), (4, 3600), (5, 90_000)]),
    ):
        with clock.frozen(moment * 10):
            opened.ingest("E", [{"A": a, "TimeGenerated": ago(s)} for a, s in rows])
    return opened


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("E", {3, 4, 5}),
        ("E | where TimeGenerated > ago(5m)", {3, 4, 5}),
        ("E | where A != 3 and TimeGenerated >= now() - 1m", {4, 5}),
        ("E | where TimeGenerated between (ago(5m) .. now())", {3, 4, 5}),
        ("union E, (E | extend B = 1) | where ago(5m) <= TimeGenerated", {3, 4, 5}),
        ("let recent = E | where TimeGenerated > ago(5m); recent | sort by A", {3, 4, 5}),
        # A longer one reads by time, up to the same end; one of a computed time is the query's own affair.
        ("E | where TimeGenerated > ago(1d)", {1, 2, 3, 4}),
        ("E | extend TimeGenerated = TimeGenerated - 1h | where TimeGenerated > ago(5m)", set()),
        ("E | where TimeGenerated > ago(5m) or A == 4", {3, 4}),
    ],
)
def test_what_came_counts_not_when_it_happened(workspace: Workspace, query: str, found: set[int]) -> None:
    low = position_at(workspace.source, "E", NOW - WINDOW)
    cut = Since(workspace.source, {"E": low}, history_before=NOW - WINDOW)
    options = {"query_now": format_datetime(NOW * 10)}
    result = run(query, cut, arrived_from=NOW - WINDOW, options=options)
    assert set(result.frame["A"].to_list()) == found
    assert cut.until == {"E": {next(iter(low)): 5}}


def test_a_position_is_known_without_reading_and_covers_all(tmp_path: Path) -> None:
    opened = open_workspace(str(tmp_path / "w"), create=True)
    assert position(opened.source, "E") == {}
    with closing(opened.repository.open_spool()) as spool:
        for turn in range(4):
            rows = [{"A": turn, "TimeGenerated": ago(turn * 50_000)}]
            spool.add([opened.repository.placed("E", pl.DataFrame(rows))])
            if turn == 1:
                opened.repository.drain(spool)
            if turn == 2:
                opened.repository.compact("E")
            rows_there = opened.repository.scan("E", [WRITER, SEQUENCE]).lazy.collect()
            last = rows_there.group_by(WRITER).agg(pl.col(SEQUENCE).max())
            assert position(opened.source, "E") == dict(sorted(last.iter_rows()))
    behind = {"E": position(opened.source, "E")}
    assert opened.source.behind(behind).scan("E", ["A"], (None, None)).files_read == 0
