"""Stored tables on DuckDB: the same files, columns under their KQL names, and the ways to be refused."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import engines
import polars as pl
import pytest

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.backends.sql.duckdb import _database
from workbench.workspace import Workspace
from workbench.workspace import open as open_workspace

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two appends over four days: a column that the first lacks, one that is widened, two names that differ in case."""
    found = open_workspace(str(tmp_path_factory.mktemp("engines")), create=True)
    hours = [START + dt.timedelta(hours=i) for i in range(100)]
    frame = pl.DataFrame(
        {
            "TimeGenerated": hours, "Port": range(100), "port": ["a b", "X", "", None] * 25,
            "Took": [dt.timedelta(seconds=i) for i in range(100)], "Load": [i / 4 for i in range(100)],
            "Paid": [None, "1.50"] * 50, "Id": ["6A4B3C2D-0000-0000-0000-000000000001"] * 100,
        }
    )  # fmt: skip
    found.repository.append("Event", frame, {"Paid": ScalarType.DECIMAL, "Id": ScalarType.GUID})
    later = pl.DataFrame({"TimeGenerated": hours[:10], "Port": [0.5] * 10, "New": ["q"] * 10})
    found.repository.append("Event", later)
    return found


@pytest.mark.parametrize(
    "query",
    [
        "Event | count",
        "Event | where TimeGenerated between (datetime(2024-01-02) .. 1d) and port has 'a' | sort by TimeGenerated asc",
        "Event | where TimeGenerated == datetime(2024-01-02 03:00) | project TimeGenerated, Port, port, Took, New",
        "Event | summarize count(), sum(Port), max(Took), avg(Load), dcount(port) by bin(TimeGenerated, 6h), New",
        "Event | top 3 by Load desc | project TimeGenerated, Port, port, Took, Load, Paid, Id",
        "Event | where isempty(port) | summarize n = count(), arg_max(TimeGenerated, Port, port) by New",
        "Event | summarize sum(Paid), min(TimeGenerated), max(_TimeReceived) > datetime(2024-01-01) by Id",
        "Event | where Took > 90s or Port == 0.5 | distinct port, New",
        "Event | where New == 'q' | join kind=leftouter (Event | where Load > 1 | project TimeGenerated, Load) on TimeGenerated | summarize count(), sum(Load1)",
        "let T = Event | summarize c = count() by port; T | union (T | where c > 1) | summarize sum(c) by port",
        "Event | where _Sequence < 5 | project _Writer, _Sequence | summarize count(), max(_Sequence)",
        "Event | where TimeGenerated > datetime(2030-01-01)",
    ],
)
def test_a_stored_table_gives_the_same_rows(workspace: Workspace, query: str) -> None:
    polars, duckdb = workspace.query(query), workspace.query(query, on="duckdb")
    assert duckdb.schema == polars.schema
    assert (
        engines.difference(engines.Both(polars.schema, "sort" in query, polars.exact, duckdb.exact)) is None
    )
    assert duckdb.statistics.files_read == polars.statistics.files_read


def test_the_result_is_cut_at_the_limit(workspace: Workspace) -> None:
    result = workspace.query("Event", limit=7, on="duckdb")
    assert (result.exact.height, result.truncated) == (7, True)


def test_rows_that_a_plugin_makes_are_made_before_the_query_runs(workspace: Workspace) -> None:
    query = "Event | project Port, port | evaluate autocluster() | summarize count(), sum(Count)"
    assert workspace.query(query, on="duckdb").exact.rows() == workspace.query(query).exact.rows()


def test_the_plan_is_shown_as_sql(workspace: Workspace) -> None:
    query = (
        "Event | where TimeGenerated > datetime(2024-01-02) and Port + 1 > 2 | summarize sum(Port) by port"
    )
    duckdb, spark = (workspace.explain(query, on=engine) for engine in ("duckdb", "spark"))
    assert "READ_PARQUET(" in duckdb
    assert "GROUP BY" in duckdb
    assert "FROM `Event`" in spark
    assert "INT128" not in spark


def test_what_sql_cannot_say_is_named(workspace: Workspace) -> None:
    with pytest.raises(WorkbenchError) as caught:
        workspace.query("Event | extend v = parse_version(port)", on="duckdb")
    assert caught.value.render() == (
        "KQL306 at 1:20: parse_version() can't be said in SQL for duckdb\n"
        "  Event | extend v = parse_version(port)\n"
        "                     ^^^^^^^^^^^^^^^^^^^\n"
        "hint: SQL has no reader for this kind of text"
    )


@pytest.mark.parametrize(("engine", "code"), [("spark", "KQL309"), ("postgres", "KQL308")])
def test_an_engine_that_runs_nothing_here_is_refused(workspace: Workspace, engine: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        workspace.query("Event | count", on=engine)
    assert caught.value.code == code


def test_a_missing_duckdb_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    _database.cache_clear()
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(WorkbenchError) as caught:
        workspace.query("Event | count", on="duckdb")
    assert caught.value.render() == (
        "KQL307: --on duckdb needs the package duckdb, which is not installed\nhint: pip install 'workbench[sql]'"
    )


@pytest.mark.slow
def test_polars_alone_loads_neither_sqlglot_nor_duckdb(tmp_path: Path) -> None:
    program = (
        "import sys; from workbench.query.run import run; from workbench.query.frames import FrameTables\n"
        "run('print a = 1 + 2 | where a has \"3\" | summarize sum(a)', FrameTables({}))\n"
        "print([m for m in ('sqlglot', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
