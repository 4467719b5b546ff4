"""The command line as its users meet it: exit statuses, what goes where, and that it starts fast."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from workbench.cli import app
from workbench.collect.query_history import History
from workbench.repository.tables import Repository

pytestmark = pytest.mark.slow

ENGINES = ("polars", "deltalake", "pyarrow", "altair", "sqlglot", "IPython", "starlette")


# ---- start-up ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["import workbench", "from workbench.cli import main; main(['--help'])"])
def test_starting_loads_no_engine(code: str) -> None:
    probe = f"{code}\nimport sys; print(*[m for m in {ENGINES!r} if m in sys.modules], file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == ""


def test_help_names_every_command(run: Any) -> None:
    shown = run("--help").stdout.decode()
    for command in (
        "up",
        "serve",
        "agent",
        "doctor",
        "query",
        "import",
        "tables",
        "schema",
        "retention",
        "compact",
    ):
        assert f"\n  {command} " in shown


# ---- exit statuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("query",),
        ("query", "print 1", "--format", "xml"),
        ("query", "print 1", "--stdio"),
        ("query", "print 1", "--schemas", "x"),
        ("import", "file", "--table", "T", "--map", "M"),
        ("retention", "App", "none"),
        ("serve", "--port", "70000"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_2(run: Any, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"Usage: workbench" in ran.stderr


def test_a_mistake_is_1_with_its_caret_on_standard_error(run: Any, workspace: str) -> None:
    ran = run("query", "App | where Computr == 'x'", "--workspace", workspace)
    assert (ran.returncode, ran.stdout) == (1, b"")
    lines = ran.stderr.decode().splitlines()
    assert lines[0].startswith("KQL101 at 1:13: no column named 'Computr'")
    assert lines[2].strip() == "^^^^^^^"
    assert "Computer" in lines[3]


@pytest.mark.parametrize(
    "command", [("query", "print 1"), ("tables",), ("schema", "App"), ("compact", "App")]
)
def test_a_missing_workspace_is_1_and_is_not_made(run: Any, tmp_path: Any, command: tuple[str, ...]) -> None:
    ran = run(*command, "--workspace", str(tmp_path / "none"))
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.startswith(b"REP001")
    assert not (tmp_path / "none").exists()


def test_a_fault_of_ours_is_3_in_one_line_that_says_where_the_traceback_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("workbench.cli.options.chosen", broken)
    assert app.run(["query", "print 1"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    path = said.err.strip().split("details: ")[1]
    with open(path) as file:
        assert "ZeroDivisionError: on purpose" in file.read()


# ---- query ------------------------------------------------------------------------------------


def test_the_workspace_comes_from_option_environment_or_default(run: Any, workspace: str) -> None:
    for ran in (
        run("query", "App | count", "--json", "--workspace", workspace),
        run("--workspace", workspace, "query", "App | count", "--json"),
        run("query", "App | count", "--json", environment={"WORKBENCH_WORKSPACE": workspace}),
    ):
        assert (ran.returncode, json.loads(ran.stdout), ran.stderr) == (0, [{"Count": 10}], b"")
    assert run("query", "App | count").returncode == 1


def test_a_table_is_a_preview_that_says_how_much_it_shows(run: Any, workspace: str) -> None:
    ran = run("query", "range x from 1 to 250 step 1", "--workspace", workspace)
    shown = ran.stdout.decode()
    assert ran.returncode == 0
    assert "100 of 250" in shown
    assert ran.stderr == b""


def test_json_holds_every_row(run: Any, workspace: str) -> None:
    ran = run("query", "range x from 1 to 30000 step 1", "--format", "json", "--workspace", workspace)
    assert [row["x"] for row in json.loads(ran.stdout)] == list(range(1, 30001))
    assert json.loads(run("query", "App | where Size > 99", "--json", "--workspace", workspace).stdout) == []


def test_csv_reads_back_as_it_was(run: Any, workspace: str) -> None:
    kql = "App | sort by Size asc | take 2 | project TimeGenerated, Size, Note, b = Size == 0, n = int(null)"
    ran = run("query", kql, "--format", "csv", "--workspace", workspace)
    rows = list(csv.reader(io.StringIO(ran.stdout.decode(), newline="")))
    assert rows == [
        ["TimeGenerated", "Size", "Note", "b", "n"],
        ["2026-01-02T03:04:00.0000000Z", "0", 'a "b", c\nd', "true", ""],
        ["2026-01-02T03:04:01.0000000Z", "1", 'a "b", c\nd', "false", ""],
    ]


def test_parquet_reads_back_as_it_was(run: Any, workspace: str) -> None:
    ran = run(
        "query",
        "App | sort by Size asc | project TimeGenerated, Size",
        "--format",
        "parquet",
        "--workspace",
        workspace,
    )
    frame = pl.read_parquet(io.BytesIO(ran.stdout))
    assert frame["Size"].to_list() == list(range(10))
    assert frame.schema["TimeGenerated"] == pl.Datetime("us", "UTC")


def test_the_query_may_come_from_standard_input(run: Any, workspace: str) -> None:
    ran = run("query", "-", "--json", "--workspace", workspace, stdin="print t = 'é'".encode())
    assert json.loads(ran.stdout) == [{"t": "é"}]


def test_a_timespan_keeps_only_its_records(run: Any, workspace: str) -> None:
    ran = run(
        "query", "App | count", "--json", "--timespan", "2026-01-02T03:04:07Z/P1D", "--workspace", workspace
    )
    assert json.loads(ran.stdout) == [{"Count": 3}]


def test_another_engine_gives_the_same_rows(run: Any, workspace: str) -> None:
    kql = "App | where Computer == 'web01' | summarize n = count(), s = sum(Size)"
    ran = run("query", kql, "--json", "--on", "duckdb", "--workspace", workspace)
    assert json.loads(ran.stdout) == [{"n": 5, "s": 25}]


def test_explain_prints_the_sql_for_another_engine(run: Any, workspace: str) -> None:
    ran = run("query", "App | where Size > 3", "--explain", "--on", "spark", "--workspace", workspace)
    assert b"FROM `App`" in ran.stdout
    refused = run("query", "App | count", "--on", "spark", "--workspace", workspace)
    assert refused.returncode == 1
    assert refused.stderr.startswith(b"KQL309: queries are not run on spark from here")


def test_explain_prints_the_plan_and_asks_nothing(run: Any, workspace: str) -> None:
    ran = run("query", "App | where Size > 3", "--explain", "--workspace", workspace)
    assert ran.returncode == 0
    assert b"Size" in ran.stdout


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_a_reader_that_goes_away_is_no_reason_to_complain(workspace: str, form: str) -> None:
    reading, writing = os.pipe()
    query = "range x from 1 to 300000 step 1"
    with subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "query", query, "--format", form, "--workspace", workspace],
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        os.close(reading)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


# ---- listings ---------------------------------------------------------------------------------


def test_tables_and_columns_are_listed(run: Any, workspace: str) -> None:
    tables = json.loads(run("tables", "--json", "--workspace", workspace).stdout)
    assert [row["table"] for row in tables] == ["App"]
    columns = json.loads(run("schema", "App", "--json", "--workspace", workspace).stdout)
    by_name = {row["column"]: row for row in columns}
    assert by_name["Size"] == {"column": "Size", "type": "long", "hidden": False}
    assert by_name["_Writer"]["hidden"]
    shown = run("schema", "App", "--workspace", workspace).stdout.decode()
    assert "Computer" in shown
    assert "_Writer" not in shown


def test_an_unknown_table_is_a_mistake_with_a_hint(run: Any, workspace: str) -> None:
    ran = run("schema", "Ap", "--workspace", workspace)
    assert ran.returncode == 1
    assert b"'App'" in ran.stderr


def test_compaction_and_retention_tell_what_they_did(run: Any, tmp_path: Any) -> None:
    import workbench

    path = str(tmp_path / "workspace")
    opened = workbench.open(path, create=True)
    for day in (1, 2, 3):
        opened.ingest("App", [{"TimeGenerated": f"2026-01-0{day}T00:00:00Z", "Size": day}])
        opened.ingest("App", [{"TimeGenerated": f"2026-01-0{day}T01:00:00Z", "Size": day}])
    told = json.loads(run("compact", "App", "--json", "--workspace", path).stdout)
    assert (told["files_before"], told["files_after"], told["files_indexed"]) == (6, 3, 3)
    assert told["terms_indexed"] > 0
    assert opened.query("App | count").frame.item() == 6
    ran = run("retention", "App", "1", "--json", "--workspace", path)
    assert ran.returncode == 0
    assert workbench.open(path).query("App | count").frame.item() == 0


def test_doctor_looks_and_changes_nothing(run: Any, tmp_path: Any) -> None:
    ran = run("doctor", "--json", "--workspace", str(tmp_path / "none"))
    found = {row["what"]: row["state"] for row in json.loads(ran.stdout)}
    assert found["python"] == "ok"
    assert found["workspace"] == "note"
    assert list(tmp_path.iterdir()) == []


# ---- import -----------------------------------------------------------------------------------


def test_import_prints_what_was_stored_and_what_was_not(run: Any, tmp_path: Any) -> None:
    path, file = str(tmp_path / "workspace"), tmp_path / "app.jsonl"
    file.write_bytes(b'{"TimeGenerated":"2026-01-01T00:00:00Z","Size":1}\n{broken\n{"Size":2}\n')
    ran = run("import", str(file), "--table", "App", "--json", "--workspace", path)
    (summary,) = json.loads(ran.stdout)
    assert (ran.returncode, summary["stored"], summary["quarantined"], summary["lines"]) == (
        0,
        {"App": 2},
        1,
        3,
    )
    again = json.loads(run("import", str(file), "--table", "App", "--json", "--workspace", path).stdout)
    assert sum(again[0]["stored"].values()) == 0
    count = run("query", "App | count", "--json", "--workspace", path)
    assert json.loads(count.stdout) == [{"Count": 2}]


def test_import_reads_standard_input(run: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "workspace")
    ran = run(
        "import", "-", "--table", "App", "--format", "jsonl", "--workspace", path, stdin=b'{"Size":1}\n'
    )
    assert ran.returncode == 0
    assert b"App" in ran.stdout
    assert ran.stderr == b""


def test_one_file_that_is_not_there_does_not_stop_the_others(run: Any, tmp_path: Any) -> None:
    path, file = str(tmp_path / "workspace"), tmp_path / "app.jsonl"
    file.write_bytes(b'{"Size":1}\n')
    ran = run(
        "import", str(tmp_path / "none.jsonl"), str(file), "--table", "App", "--json", "--workspace", path
    )
    assert ran.returncode == 1
    assert b"none.jsonl" in ran.stderr
    assert json.loads(ran.stdout)[0]["stored"] == {"App": 1}


def test_sql_is_answered_over_the_same_tables(run: Any, workspace: str) -> None:
    counted = run("query", "--sql", "SELECT count(*) AS n FROM app", "--json", "--workspace", workspace)
    kql = run("query", "App | summarize n = count()", "--json", "--workspace", workspace)
    assert counted.returncode == 0
    assert counted.stdout == kql.stdout
    wrong = run("query", "--dialect", "postgres", "SELECT Computr FROM App", "--workspace", workspace)
    assert wrong.returncode == 1
    assert b"SQL102 at 1:8" in wrong.stderr


def test_a_query_is_noted_however_it_ends(run: Any, workspace: str) -> None:
    run("query", "App | nothing", "--workspace", workspace)
    asked = History(Repository.open(workspace), "test", after=None).waiting()
    noted = asked.filter(QueryText="App | nothing").select("ResponseCode", "RequestClientApp").row(0)
    assert noted == (400, "workbench-cli")
