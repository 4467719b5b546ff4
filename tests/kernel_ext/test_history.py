"""The queries of cells as rows of `LAQueryLogs`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.query_log import MISTAKE, OK, PARTIAL, STOPPED, TABLE
from workbench.kernel_ext.history import History
from workbench.query.result import Result
from workbench.workspace import Workspace

ASKED = f"{TABLE} | sort by TimeGenerated asc | project QueryText, ResponseCode, ResponseRowCount, RequestClientApp"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workbench.open(str(tmp_path / "w"), create=True)


def history_of(workspace: Workspace, **environment: str) -> History:
    return History(lambda path: workspace, environment)


def test_answers_mistakes_and_stops_are_rows_of_a_table(workspace: Workspace) -> None:
    history = history_of(workspace)
    answer = workspace.query("print n = 1")
    with history.noting(workspace.path, "print n = 1", "PT1H") as note:
        note.result = answer
    with history.noting(workspace.path, "print h'secret'") as note:
        note.result = Result(answer.frame, answer.schema, partial_note="partial: 1 of 2 files")
    with pytest.raises(WorkbenchError), history.noting(workspace.path, "prin"):
        workspace.query("prin")
    with pytest.raises(WorkbenchError), history.noting(workspace.path, "long"):
        raise diagnostics.interrupted()
    with pytest.raises(KeyboardInterrupt), history.noting(workspace.path, "longer"):
        raise KeyboardInterrupt
    history.before(workspace.path, "Heartbeat")
    assert TABLE not in workspace.tables
    history.before(workspace.path, ASKED)
    assert workspace.query(ASKED).frame.rows() == [
        ("print n = 1", OK, 1, "workbench-notebook"),
        ("print h'…'", PARTIAL, 1, "workbench-notebook"),
        ("prin", MISTAKE, 0, "workbench-notebook"),
        ("long", STOPPED, 0, "workbench-notebook"),
        ("longer", STOPPED, 0, "workbench-notebook"),
    ]
    ranges = workspace.query(f"{TABLE} | where isnotnull(QueryTimeRangeStart) | project QueryText")
    assert ranges.frame.rows() == [("print n = 1",)]


def test_it_can_be_off(workspace: Workspace) -> None:
    history = history_of(workspace, WORKBENCH_QUERY_LOG="off")
    with history.noting(workspace.path, "print 1"):
        pass
    history.before(workspace.path, TABLE)
    assert TABLE not in workspace.tables


@pytest.mark.slow
def test_what_a_killed_process_asked_is_stored_once_by_the_next(workspace: Workspace, tmp_path: Path) -> None:
    script = tmp_path / "asks.py"
    script.write_text(
        "import os, signal, workbench\n"
        "from workbench.kernel_ext.history import History\n"
        f"history = History(workbench.open, {{}})\n"
        f"with history.noting({workspace.path!r}, 'print 1'):\n"
        "    pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, str(script)], env=os.environ, check=False).returncode == -9
    journal = next((Path(workspace.path) / "state" / "asked").iterdir())
    assert journal.stat().st_mode & 0o777 == 0o600
    with journal.open("ab") as cut:
        cut.write(b'{"text": "half a li')
    history = history_of(workspace)
    whole = journal.read_bytes()
    for _ in range(2):
        history.before(workspace.path, ASKED)
        assert [r[0] for r in workspace.query(ASKED).frame.rows()] == ["print 1"]
        journal.write_bytes(whole)  # as if it had been killed between the commit and the removal


def test_a_folder_that_takes_nothing_is_no_trouble(workspace: Workspace) -> None:
    (Path(workspace.path) / "state" / "asked").parent.mkdir(exist_ok=True)
    (Path(workspace.path) / "state" / "asked").write_text("")
    history = history_of(workspace)
    with history.noting(workspace.path, "print 1") as note:
        note.result = workspace.query("print 1")
    assert len(note.result) == 1
