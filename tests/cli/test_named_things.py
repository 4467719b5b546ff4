"""Watchlists, folders, parameters and commands on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_watchlist_is_made_listed_asked_and_removed(run: Any, tmp_path: Path) -> None:
    path, file = str(tmp_path / "workspace"), tmp_path / "vips.csv"
    file.write_text("Name,IP\nann,10.0.0.1\n")
    made = run("watchlist", "create", "VIPs", str(file), "--key", "IP", "--workspace", path)
    assert (made.returncode, made.stdout) == (0, b"VIPs: items 1\n")
    (row,) = json.loads(run("watchlist", "list", "--json", "--workspace", path).stdout)
    assert (row["alias"], row["items"], row["key"]) == ("VIPs", 1, "IP")
    asked = run("query", "_GetWatchlist('VIPs') | project Name, SearchKey", "--json", "--workspace", path)
    assert json.loads(asked.stdout) == [{"Name": "ann", "SearchKey": "10.0.0.1"}]
    assert run("watchlist", "create", "VIPs", str(file), "--key", "ip", "--workspace", path).returncode == 1
    assert run("watchlist", "remove", "VIPs", "--workspace", path).returncode == 0
    gone = run("watchlist", "remove", "VIPs", "--workspace", path)
    assert (gone.returncode, gone.stderr.split(b":")[0]) == (1, b"IMP301")


def test_folders_are_allowed_and_taken_back(run: Any, workspace: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,1\n")
    query = f"externaldata(s:string, n:long)['{tmp_path}/a.csv']"

    def asked() -> Any:
        return json.loads(run("query", query, "--json", "--workspace", workspace).stdout)

    assert asked() == []
    assert run("folders", "allow", str(tmp_path), "--workspace", workspace).returncode == 0
    assert asked() == [{"s": "x", "n": 1}]
    listed = json.loads(run("folders", "list", "--json", "--workspace", workspace).stdout)
    assert {"folder": str(tmp_path), "there": True} in listed
    assert run("folders", "forbid", str(tmp_path), "--workspace", workspace).returncode == 0
    assert asked() == []
    assert run("folders", "forbid", str(tmp_path), "--workspace", workspace).stderr.startswith(b"KQL426")
    assert run("folders", "allow", str(tmp_path / "none"), "--workspace", workspace).stderr.startswith(
        b"KQL425"
    )


def test_parameters_come_from_the_command_line(run: Any, workspace: str) -> None:
    query = "declare query_parameters(n:long, s:string = 'd'); print n = n + 1, s = s"
    for given, row in ((("-p", "n=5"), {"n": 6, "s": "d"}), (("-p", "n=1", "--parameter", "s=a=b"), {"n": 2, "s": "a=b"})):  # fmt: skip
        assert json.loads(run("query", query, *given, "--json", "--workspace", workspace).stdout) == [row]
    for given, code in (((), b"KQL401"), (("-p", "n=x"), b"KQL402"), (("-p", "n"), b"KQL427")):
        ran = run("query", query, *given, "--workspace", workspace)
        assert (ran.returncode, ran.stderr[:6]) == (1, code)


def test_commands_come_through_the_same_doors(run: Any, workspace: str) -> None:
    made = run(
        "query", ".create-or-alter function Few(n:long = 2) { App | take n }", "--workspace", workspace
    )
    assert made.returncode == 0
    assert b"(n:long = 2)" in made.stdout
    assert json.loads(run("query", "Few | count", "--json", "--workspace", workspace).stdout) == [
        {"Count": 2}
    ]
    lines = (
        b'{"id": 1, "query": ".show functions | project Name"}\n{"id": 2, "query": ".drop function Few"}\n'
    )
    lines += b'{"id": 3, "query": "Few"}\n'
    answers = [
        json.loads(a)
        for a in run("query", "--stdio", "--workspace", workspace, stdin=lines).stdout.splitlines()
    ]
    assert [a.get("rows") for a in answers] == [[["Few"]], [["Few"]], None]
    assert answers[2]["error"].startswith("KQL102")
    assert run("query", ".show tables", "--explain", "--workspace", workspace).stderr.startswith(b"KQL417")


def test_nothing_can_be_stored_where_no_workspace_is(run: Any, tmp_path: Path) -> None:
    lines = b'{"id": 1, "query": ".create function f() { print 1 }"}\n{"id": 2, "query": ".show tables"}\n'
    ran = run("query", "--stdio", "--workspace", str(tmp_path / "none"), stdin=lines)
    first, second = (json.loads(a) for a in ran.stdout.splitlines())
    assert first["error"].startswith("KQL416")
    assert second["rows"] == []
