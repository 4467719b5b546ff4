"""`workbench rule`: collection rules without a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_rule_is_made_listed_shown_and_removed(run: Any, tmp_path: Path) -> None:
    at = ("--workspace", str(tmp_path / "w"))
    made = run("rule", "create", "windows_events", "--json", *at)
    number = json.loads(made.stdout)["immutable_id"]
    assert (made.returncode, made.stderr) == (0, b"")
    assert run("rule", "create", "windows_events", *at).stdout.decode() == f"{number}\n"
    (row,) = json.loads(run("rule", "list", "--json", *at).stdout)
    assert (row["name"], row["immutable_id"], row["tables"]) == (
        "windows_events",
        number,
        "SecurityEvent, Event",
    )
    for name in (number, "windows_events"):
        assert json.loads(run("rule", "show", name, *at).stdout)["immutableId"] == number
    assert run("rule", "remove", "windows_events", *at).stdout.decode() == f"removed {number}\n"
    gone = run("rule", "remove", number, *at)
    assert (gone.returncode, gone.stderr.decode().split(":")[0]) == (1, "RUL116")


def test_a_mistake_in_the_kql_is_shown_with_its_place(run: Any, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(
        "streamDeclarations: {Custom-App: {columns: [{name: Level, type: string}]}}\n"
        "destinations: {logAnalytics: [{name: here}]}\n"
        "dataFlows:\n"
        "- {streams: [Custom-App], destinations: [here], transformKql: 'source | where Levl == 1'}\n"
    )
    said = run("rule", "create", str(tmp_path / "app.yaml"), "--workspace", str(tmp_path / "w"))
    assert said.returncode == 1
    assert said.stderr.decode().splitlines() == [
        "KQL101 at 1:16: the rule, dataFlows[0].transformKql: no column named 'Levl'",
        "  source | where Levl == 1",
        "                 ^^^^",
        "hint: did you mean 'Level'? columns here: Level",
    ]


def test_a_rule_that_is_not_there(run: Any, tmp_path: Path) -> None:
    said = run("rule", "create", "window_events", "--workspace", str(tmp_path / "w"))
    assert (said.returncode, said.stderr.decode().split(":")[0]) == (1, "RUL101")
    assert not (tmp_path / "w").exists(), "nothing was made for a rule that can't be read"
