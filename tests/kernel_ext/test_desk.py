"""What grids ask of a kernel, answered over a real workspace; kept results and what a disk does to them."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import workbench
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.live import kept_of
from workbench.kernel_ext.widgets import kept as kept_module
from workbench.kernel_ext.widgets.cell_text import with_timespan
from workbench.kernel_ext.widgets.desk import Desk
from workbench.kernel_ext.widgets.kept import Asked, Kept
from workbench.query.result import Result
from workbench.workspace import Workspace

ID = "0123456789ab"
START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = workbench.open(str(tmp_path / "w"), create=True)
    rows = [
        {
            "TimeGenerated": START + dt.timedelta(seconds=i), "Computer": f"web{i % 2}", "Load": i / 2,
            "Props": {"user": {"na me": f'a"{i}'}, "ports": [i, 443]},
        }
        for i in range(20)
    ]  # fmt: skip
    made.ingest("Perf", rows)
    return made


def desk_of(workspace: Workspace, notebook: str = "") -> Desk:
    def ask(path: str, text: str, parameters: Mapping[str, Any]) -> Result:
        return workbench.open(path).query(text, parameters)

    return Desk(lambda asked, place, timespan: None, ask, kept_of, notebook)


def shown(workspace: Workspace, query: str, line: str = "", notebook: str = "") -> Desk:
    """A desk with the answer of a query, as a cell puts it there."""
    desk = desk_of(workspace, notebook)
    result = workspace.query(query)
    desk.put(ID, result, Asked(line, query, query, notebook=notebook), workspace.path, "place")
    return desk


def ask(desk: Desk, what: str, **more: Any) -> dict[str, Any]:
    return desk.answer({"ask": what, "result": ID, **more})[0]


def write(desk: Desk, **more: Any) -> dict[str, Any]:
    return ask(desk, "write", row=1, column=1, action="filter", **more)


def test_a_value_goes_into_the_cell_as_it_is_now(workspace: Workspace) -> None:
    desk = shown(workspace, "Perf | sort by TimeGenerated asc | take 5", "--limit 9 --save Mine")
    assert write(desk)["cell"] == (
        '%%logsearch --limit 9\nPerf | where Computer == "web1" | sort by TimeGenerated asc | take 5'
    )
    edited = write(desk, source="%%logsearch --as r Perf\n| where Load > 1 // mine\n")
    assert edited["cell"] == '%%logsearch --as r\nPerf\n| where Load > 1\n| where Computer == "web1" // mine'


def test_another_cell_is_left_alone_and_a_broken_one_told(workspace: Workspace) -> None:
    desk = shown(workspace, "Perf")
    assert write(desk, source="r = %logsearch Perf")["cell"] == ""
    assert write(desk, source="%%logsearch\nPerf | where (")["code"].startswith("KQL")
    assert write(desk, source="%%logsearch\n  ")["code"] == "LAB303"


@pytest.mark.parametrize(
    ("path", "action", "clause"),
    [
        (["user", "na me"], "filter", '| where tostring(Props.user["na me"]) == "a\\"1"'),
        (["ports", 0], "exclude", "| where tolong(Props.ports[0]) != 1"),
        (["ports"], "column", "| extend Props_ports = Props.ports"),
        (["user", "na me"], "column", '| extend Props_user_na_me = tostring(Props.user["na me"])'),
    ],
)
def test_what_stands_at_a_path_becomes_a_clause_that_runs(
    workspace: Workspace, path: list[str | int], action: str, clause: str
) -> None:
    desk = shown(workspace, "Perf | sort by TimeGenerated asc")
    column = workspace.query("Perf").columns.index("Props")
    made = ask(desk, "write", row=1, column=column, action=action, path=path)
    assert made["clause"] == clause
    rows = workspace.query(made["query"])
    assert len(rows) == {"filter": 1, "exclude": 19, "column": 20}[action]


def test_a_path_that_is_not_there_is_told(workspace: Workspace) -> None:
    desk = shown(workspace, "Perf")
    column = workspace.query("Perf").columns.index("Props")
    assert ask(desk, "write", row=0, column=column, action="filter", path=["no", 1])["code"] == "LAB303"


def test_every_value_of_a_row_filters_to_rows_that_have_it(workspace: Workspace) -> None:
    query = "Perf | extend T = Load * 1s, I = toint(Load), D = todecimal(Load), G = guid(6f9619ff-8b86-d011-b42d-00c04fc964ff), B = Load > 3, N = int(null), E = ''"
    desk, result = shown(workspace, query), workspace.query(query)
    for number, column in enumerate(result.schema):
        made = ask(desk, "write", row=7, column=number, action="filter")
        rows = workspace.query(made["query"])
        value = result.exact[column.name][7]
        wanted = result.exact.filter(pl.col(column.name).eq_missing(value)).height
        assert len(rows) == wanted, made["clause"]
        other = ask(desk, "write", row=7, column=number, action="exclude")
        assert len(workspace.query(other["query"])) == 20 - wanted, other["clause"]


def test_another_time_is_an_option_of_the_cell() -> None:
    asked = Asked("--as r --timespan P1D", "Perf", "Perf")
    assert with_timespan(asked, "PT1H") == "%%logsearch --as r --timespan PT1H\nPerf"
    assert with_timespan(asked, "") == "%%logsearch --as r\nPerf"


def test_the_rows_around_one_come_from_the_table_else_from_the_result(workspace: Workspace) -> None:
    desk = shown(workspace, "Perf | where Load == 5")
    around = ask(desk, "context", row=0, count=2)
    assert (around["rows"], around["marked"]) == (5, 2)
    assert around["footer"][-1] == "2 before and after 2026-11-23 00:00:10 on web0"
    desk = shown(workspace, "union Perf | sort by TimeGenerated asc")
    around = ask(desk, "context", row=1, count=3)
    assert (around["rows"], around["marked"]) == (4, 0)
    assert around["footer"][-1].endswith("on web1, of this result")
    desk = shown(workspace, "Perf | summarize count() by Computer")
    assert ask(desk, "context", row=0, count=3)["code"] == "LAB304"


def test_a_kept_result_is_found_by_a_new_kernel_of_its_notebook_alone(workspace: Workspace) -> None:
    first = shown(workspace, "Perf | sort by TimeGenerated asc", notebook="/a.ipynb")
    wait_for_writers()
    again = desk_of(workspace, "/a.ipynb")
    again.know(workspace.path)
    assert ask(again, "known", results=[ID, "ffffffffffff"])["known"] == [ID]
    opened = ask(again, "open")
    assert opened["rows"] == 20
    assert opened["footer"][-1].startswith("kept since ")
    assert again.find(ID).result.frame.equals(first.find(ID).result.frame)
    other = desk_of(workspace, "/b.ipynb")
    other.know(workspace.path)
    assert ask(other, "known", results=[ID])["known"] == []


def wait_for_writers() -> None:
    for thread in threading.enumerate():
        if thread.name == "workbench-keep":
            thread.join(30)


def test_an_id_is_no_path(workspace: Workspace) -> None:
    desk = desk_of(workspace)
    desk.know(workspace.path)
    for name in ("../../etc/passwd", "0123456789ab/..", "", "0123456789AB"):
        assert desk.answer({"ask": "open", "result": name})[0]["code"] == "LAB302"


def rows_like(count: int) -> Result:
    return Result(pl.DataFrame({"n": range(count)}), (Column("n", ScalarType.LONG),))


def test_the_oldest_results_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "MOST_RESULTS", 3)
    kept = Kept(tmp_path)
    for number in range(5):
        assert kept.save(f"{number:012x}", rows_like(10), Asked())
    assert sorted(f.name for f in (tmp_path / "results").iterdir()) == sorted(
        f"{n:012x}{ending}" for n in (2, 3, 4) for ending in (".json", ".parquet")
    )


def test_a_broken_or_half_written_result_is_no_result(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.save(ID, rows_like(10), Asked())
    (tmp_path / "results" / f"{ID}.parquet").write_bytes(b"PAR1")
    with pytest.raises(WorkbenchError, match="LAB302"):
        kept.load(ID)
    (tmp_path / "results" / f"{ID}.json").write_text(json.dumps({"asked": 1})[:-3])
    assert kept.asked(ID) is None


def test_a_result_that_is_too_large_or_a_disk_that_is_full_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").write_text("no folder")
    assert not Kept(tmp_path).save(ID, rows_like(10), Asked())
    monkeypatch.setattr(kept_module, "MOST_BYTES", 10)
    assert not Kept(tmp_path / "other").save(ID, rows_like(10), Asked())
    assert not (tmp_path / "other").exists()
