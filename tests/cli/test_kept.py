"""`search`, `export`, `summary`, `archive`: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli.app import run

RECORDS = [{"TimeGenerated": f"2026-01-02T0{n}:30:00Z", "N": n} for n in range(4)]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a command in this process: its exit status, and what it printed, as JSON where it is."""
    import workbench

    path = str(tmp_path / "workspace")
    monkeypatch.setenv("WORKBENCH_WORKSPACE", path)
    workbench.open(path, create=True).ingest("App", RECORDS)

    def ask(*arguments: str) -> tuple[int, Any]:
        status = run(arguments)
        printed = capfd.readouterr()
        text = printed.out if status == 0 or printed.out else printed.err
        return status, json.loads(text) if "--json" in arguments and text else text

    return ask


@pytest.mark.slow
def test_a_search_is_saved_run_and_given_to_power_bi(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "q.kql"
    file.write_text("declare query_parameters(least:long = 0);\nApp | where N >= least | count")
    assert call("search", "save", "Many", str(file), "--category", "C", "-p", "least=1")[0] == 0
    assert call("search", "show", "Many") == (0, file.read_text() + "\n")
    assert call("search", "run", "Many", "--format", "csv") == (0, "Count\n3\n")
    assert call("search", "run", "Many", "--format", "csv", "-p", "least=3") == (0, "Count\n1\n")
    status, text = call("search", "m", "Many")
    assert (status, "App | where N >= least | count" in text) == (0, True)
    status, rows = call("search", "list", "--json")
    assert [(r["name"], r["category"], r["parameters"]) for r in rows] == [("Many", "C", {"least": "1"})]
    assert call("search", "remove", "Many")[0] == 0
    status, text = call("search", "run", "Many")
    assert (status, text.startswith("SAV003")) == (1, True)
    status, text = call("search", "save", "Bad", "--query", "App | whre N")
    assert (status, "^" in text) == (1, True)
    assert call("search", "save", "None", str(tmp_path / "none"))[0] == 1


def test_an_export_is_made_run_listed_and_removed(call: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    made = (
        "export",
        "create",
        "E",
        "--query",
        "App | project N",
        "--to",
        out,
        "--every",
        "1h",
        "--since-last",
    )
    assert call(*made, "--format", "jsonl")[0] == 0
    status, row = call("export", "run", "E", "--json")
    assert (status, row["rows"], row["state"]) == (0, 4, "Succeeded")
    assert len(Path(row["file"]).read_text().splitlines()) == 4
    assert call("export", "list", "--json")[1][0]["next_run"].endswith("00:00Z")
    status, rows = call("query", "Operation | where OperationCategory == 'Export' | project Detail", "--json")
    assert rows == [{"Detail": f"E: 4 rows to {row['file']}"}]
    assert call("export", "remove", "E")[0] == 0
    assert call("export", "run", "E")[0] == 1


@pytest.mark.slow
def test_what_is_made_and_removed_can_be_read_by_programs(call: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    query = ("--query", "App | summarize n=count()")
    assert call("search", "save", "S", *query, "--json") == (0, {"name": "S", "state": "saved"})
    status, made = call("export", "create", "E", "--search", "S", "--to", out, "--every", "1h", "--json")
    assert (status, made["name"], made["next_run"][13:]) == (0, "E", ":00:00Z")
    status, made = call("summary", "create", "H", *query, "--bin", "1h", "--table", "H_CL", "--json")
    assert (status, made["table"], made["bin"]) == (0, "H_CL", 60)
    for group, name in (("export", "E"), ("search", "S"), ("summary", "H")):
        assert call(group, "remove", name, "--json") == (0, {"name": name, "state": "removed"})
        assert call(group, "remove", name)[0] == 1


@pytest.mark.slow
def test_tables_and_retention_show_what_is_kept(call: Any) -> None:
    assert call("retention", "App") == (0, "App: kept for ever\n")
    assert call("retention", "App", "36500", "--archive", "10")[0] == 0
    assert call("retention", "App") == (0, "App: kept for 36500 days, then 10 in the archive\n")
    wanted = {"table": "App", "retention_days": 36500, "archive_days": 10}
    assert call("retention", "App", "--json") == (0, wanted)
    status, rows = call("tables", "--json")
    (row,) = [r for r in rows if r["table"] == "App"]
    assert (status, row["rows"], row["retention_days"], row["archive_days"]) == (0, 4, 36500, 10)
    assert row["bytes"] > 0
    assert [call("retention", "App", days)[0] for days in ("0", "-1", "x", "\u0663", "1.5")] == [2] * 5
    assert call("retention", "Nowhere")[0] == 1


@pytest.mark.slow
def test_a_summary_is_backfilled_and_a_bin_run_again(call: Any) -> None:
    made = ("summary", "create", "S", "--query", "App | summarize n=count()", "--bin", "1h")
    assert call(*made, "--table", "S")[0] == 1
    assert call(*made, "--table", "S_CL")[0] == 0
    status, bins = call(
        "summary", "backfill", "S", "--from", "2026-01-02", "--to", "2026-01-02T03:00Z", "--json"
    )
    assert (status, [b["rows"] for b in bins]) == (0, [1, 1, 1])
    status, bins = call("summary", "run", "S", "--bin", "2026-01-02T01:00:00Z", "--json")
    assert (status, bins[0]["skipped"]) == (0, True)
    assert call("query", "S_CL | count", "--format", "csv")[1] == "Count\n3\n"
    assert [r["bins"] for r in call("summary", "list", "--json")[1]] == [3]
    assert len(call("summary", "list", "S", "--json")[1]) == 3
    assert call(*made[:2], "Broken", "--query", "Nowhere", "--bin", "1h", "--table", "B_CL")[0] == 0
    status, bins = call("summary", "run", "Broken", "--bin", "2026-01-02", "--json")
    assert (status, bins[0]["state"]) == (1, "Failed")
    assert call("summary", "remove", "S")[0] == 0


@pytest.mark.slow
def test_archived_days_are_listed_and_restored(call: Any) -> None:
    status, done = call("retention", "App", "1", "--archive", "100000", "--json")
    assert (status, done["archived_rows"]) == (0, 4)
    assert call("query", "App | count", "--format", "csv")[1] == "Count\n0\n"
    status, rows = call("archive", "list", "--json")
    assert [(r["table"], r["rows"], r["first"], r["days"]) for r in rows] == [
        ("App", 4, "2026-01-02", 100000)
    ]
    assert [r["day"] for r in call("archive", "list", "App", "--json")[1]] == ["2026-01-02"]
    status, done = call(
        "archive", "restore", "App", "--from", "2026-01-02T01:00", "--to", "2026-01-02T03:00", "--json"
    )
    assert (status, done) == (0, {"table": "App_RST", "rows": 2, "files": 1})
    assert call("query", "App_RST | summarize sum(N)", "--format", "csv")[1] == "sum_N\n3\n"
    assert call("archive", "restore", "App", "--from", "soon", "--to", "later")[0] == 1
    assert call("retention", "App", "1", "--archive", "0", "--json")[1]["expired_rows"] == 4
    assert call("archive", "list", "App", "--json") == (0, [])
    details = call("query", "Operation | where OperationKey == 'Retention' | project Detail", "--json")[1]
    assert any("4 rows archived, 0 deleted" in d["Detail"] for d in details)
