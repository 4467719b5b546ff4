"""Queries as rows of `LAQueryLogs`: the journal that all processes write, and what of it becomes rows."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.query_history import History
from workbench.collect.query_log import MISTAKE, OK, PARTIAL, STOPPED, TABLE
from workbench.workspace import Workspace

ASKED = f"{TABLE} | sort by TimeGenerated asc | project QueryText, ResponseCode, ResponseRowCount, RequestClientApp"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workbench.open(str(tmp_path / "w"), create=True)


def history_of(workspace: Workspace, **environment: str) -> History:
    return History(workspace.repository, "test", after=None, environment=environment)


def journals(workspace: Workspace) -> Path:
    return Path(workspace.path) / "state" / "asked"


def ask(history: History, *texts: str) -> None:
    for text in texts:
        with history.noting(text):
            pass


def stored(workspace: Workspace, history: History) -> list[Any]:
    history.before(ASKED)
    return [row[0] for row in workspace.query(ASKED).frame.rows()] if TABLE in workspace.tables else []


def test_answers_mistakes_and_stops_are_rows_of_a_table(workspace: Workspace) -> None:
    history = history_of(workspace)
    with history.noting("print n = 1", "PT1H", sql=True, who="alice") as note:
        note.answered(workspace.query("print n = 1"))
    with history.noting("print h'secret'") as note:
        note.rows, note.partial = 1, True
    with pytest.raises(WorkbenchError), history.noting("prin"):
        workspace.query("prin")
    with pytest.raises(WorkbenchError), history.noting("long"):
        raise diagnostics.interrupted()
    with pytest.raises(KeyboardInterrupt), history.noting("longer"):
        raise KeyboardInterrupt
    assert history.waiting()["QueryText"].to_list() == ["print n = 1", "print h'…'", "prin", "long", "longer"]
    history.before("Heartbeat")
    assert TABLE not in workspace.tables
    history.before(ASKED)
    assert not history.waiting().height
    assert workspace.query(ASKED).frame.rows() == [
        ("print n = 1", OK, 1, "test"),
        ("print h'…'", PARTIAL, 1, "test"),
        ("prin", MISTAKE, 0, "test"),
        ("long", STOPPED, 0, "test"),
        ("longer", STOPPED, 0, "test"),
    ]
    told = (
        "project AADEmail, tostring(RequestContextFilters.timespan), tostring(RequestContextFilters.language)"
    )
    ranges = workspace.query(f"{TABLE} | where isnotnull(QueryTimeRangeStart) | {told}")
    assert ranges.frame.rows() == [("alice", "PT1H", "sql")]


def test_it_can_be_off(workspace: Workspace) -> None:
    history = history_of(workspace, WORKBENCH_QUERY_LOG="off")
    ask(history, "print 1")
    assert stored(workspace, history) == []


def test_several_processes_write_one_journal_and_each_query_is_one_row(workspace: Workspace) -> None:
    one, other = history_of(workspace), history_of(workspace)
    ask(one, "print 1")
    ask(other, "print 2")
    assert [f.name for f in journals(workspace).iterdir()] == ["open"]
    with (journals(workspace) / "open").open() as held:
        # Whoever has the journal just now is not waited for.
        fcntl.flock(held, fcntl.LOCK_EX)
        ask(one, "print 3")
        assert len(list(journals(workspace).iterdir())) == 2
        assert stored(workspace, other) == ["print 3"]
    ask(one, "print 4")
    assert sorted(stored(workspace, other)) == [f"print {n}" for n in (1, 2, 3, 4)]
    assert list(journals(workspace).iterdir()) == []


def test_what_a_killed_process_asked_is_stored_once_by_the_next(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(history_of(workspace), "print 1")
    journal = journals(workspace) / "open"
    assert journal.stat().st_mode & 0o777 == 0o600
    with journal.open("ab") as cut:
        cut.write(b'{"text": "half a li')
    history = history_of(workspace)
    ask(history, "print 2")
    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", lambda path, **_: os.stat(path))  # between the commit and the removal
        assert sorted(stored(workspace, history)) == ["print 1", "print 2"]
    (closed,) = journals(workspace).iterdir()
    assert sorted(stored(workspace, history)) == ["print 1", "print 2"]
    assert not closed.exists()


@pytest.mark.slow
def test_a_process_that_ends_by_a_kill_leaves_its_queries(workspace: Workspace, tmp_path: Path) -> None:
    script = tmp_path / "asks.py"
    script.write_text(
        "import os, signal, workbench\n"
        "from workbench.collect.query_history import History\n"
        f"history = History(workbench.open({workspace.path!r}).repository, 'test')\n"
        "with history.noting('print 1'):\n"
        "    pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, str(script)], env=os.environ, check=False).returncode == -9
    assert stored(workspace, history_of(workspace)) == ["print 1"]


def test_a_large_journal_is_stored_by_whoever_wrote_it(workspace: Workspace) -> None:
    history = history_of(workspace)
    ask(history, "print 1")
    history.keep_small()
    assert history.waiting().height == 1
    ask(history, f"print '{'long ' * 60_000}'")
    history.keep_small()
    assert history.waiting().height == 0
    assert len(stored(workspace, history)) == 2


def test_a_folder_that_takes_nothing_is_no_trouble(workspace: Workspace) -> None:
    journals(workspace).parent.mkdir(exist_ok=True)
    journals(workspace).write_text("")
    history = history_of(workspace)
    with history.noting("print 1") as note:
        note.answered(workspace.query("print 1"))
    assert note.rows == 1
    assert history.waiting().height == 0
