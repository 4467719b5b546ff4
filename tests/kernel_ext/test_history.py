"""What the side panel shows of the query log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.collect import query_history
from workbench.collect.query_log import OK, TABLE
from workbench.kernel_ext.dashboards import spec
from workbench.kernel_ext.dashboards.board import Board
from workbench.kernel_ext.history import APPLICATION, DASHBOARDS, History
from workbench.workspace import Workspace

BOARD = "title: T\ntiles: [{tile: number, title: N, query: print 3}]"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workbench.open(str(tmp_path / "w"), create=True)


def past(history: History, workspace: Workspace, *cells: str) -> list[Any]:
    return history.past(workspace.path, cells)


def test_what_a_user_asked_anywhere_is_there_newest_first_and_each_text_once(workspace: Workspace) -> None:
    history = History(lambda path: workspace, {})
    elsewhere = query_history.History(workspace.repository, "workbench-cli", after=None, environment={})
    for text in ("print 1", "print 2", "print 1"):
        with elsewhere.noting(text, "P1D"):
            pass
    elsewhere.before(TABLE)
    with elsewhere.noting("print 'of another'", who="somebody"):
        pass
    with history.noting(workspace.path, "SELECT 1", sql=True) as note:
        note.rows = 1
    found = past(history, workspace, "x = 1")
    assert [(f["query"], f["code"], f["application"]) for f in found] == [
        ("SELECT 1", "%%logsearch --sql\nSELECT 1", APPLICATION),
        ("print 1", "%%logsearch --timespan P1D\nprint 1", "workbench-cli"),
        ("print 2", "%%logsearch --timespan P1D\nprint 2", "workbench-cli"),
    ]
    assert (found[0]["status"], found[0]["rows"]) == (OK, 1)
    # As it was written, where this session has asked it.
    cell = "%%logsearch --limit 7\nprint 2"
    assert past(history, workspace, cell)[2]["code"] == cell


def test_the_queries_of_a_dashboard_are_logged_and_no_history_of_its_viewer(workspace: Workspace) -> None:
    Board(workspace, spec.read(BOARD)).refresh()
    history = History(lambda path: workspace, {})
    assert past(history, workspace) == []
    history.before(workspace.path, TABLE)
    asked = workspace.query(f"{TABLE} | project QueryText, RequestClientApp, ResponseRowCount")
    assert asked.frame.rows() == [("print 3", DASHBOARDS, 1)]
    assert past(history, workspace) == []
