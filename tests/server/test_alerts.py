"""Alert rules of a running service: made, evaluated, answered over HTTP and by commands; their records queried at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runbook_service import Jobs, wait_for

import workbench
from workbench.alerts.shipped import shipped
from workbench.cli.app import run
from workbench.server import own_rules
from workbench.server.openapi import document
from workbench.server.place import ServicePlace

pytestmark = pytest.mark.slow
TEXT = """\
name: Hot disks
description: A disk is hot
severity: Error
query: Disk | where TimeGenerated > ago(2s) | where Heat > 80
every: 1s
over: 2s
when: count > 0
split by: [Computer]
"""


@pytest.fixture
def call(service: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:  # fmt: skip
    """Runs a command against the service: its JSON, or its exit status and what it said."""
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(service.workspace))

    def ask(*arguments: str) -> Any:
        status = run(["alert", *arguments])
        printed = capfd.readouterr()
        return json.loads(printed.out) if status == 0 and "--json" in arguments else (status, printed.out + printed.err)  # fmt: skip

    return ask


def send(service: Any, *records: dict[str, Any]) -> None:
    workbench.open(str(service.workspace)).ingest("Disk", list(records))


def test_a_rule_lives_its_life(service: Any, call: Callable[..., Any], tmp_path: Path) -> None:
    rows = Jobs(service).rows
    send(service, {"Computer": "a", "Heat": 20})
    file = tmp_path / "hot.yaml"
    file.write_text(TEXT)
    assert call("test", str(file), "--json")["violated"] == 0
    made = call("create", str(file), "--json")
    assert (made["name"], made["version"], made["severity"]) == ("Hot disks", 1, "Error")
    send(service, {"Computer": "a", "Heat": 90, "TimeGenerated": "2026-01-01T00:00:00Z"}, {"Computer": "b", "Heat": 30})  # fmt: skip
    alert = wait_for(lambda: call("history", "--rule", "Hot disks", "--json"))[0]
    assert (alert["dimensions"], alert["count"]) == ({"Computer": "a"}, 1)
    told = f"Alert | where AlertId == '{alert['id']}'"
    assert wait_for(
        lambda: rows(f"{told} | where Change == 'Resolved' | project SourceSystem, AlertSeverity")
    ) == [["OMS", "Error"]]
    assert rows(f"{told} | sort by TimeGenerated asc | project Change") == [["Fired"], ["Resolved"]]
    number = alert["id"][:8]
    assert call("ack", number, "--comment", "a fan", "--json")["response"] == "Acknowledged"
    assert call("comment", number, "mended", "--json")["comments"][1]["text"] == "mended"
    assert call("close", number, "--json")["response"] == "Closed"
    wait_for(lambda: len(rows(told)) == 5)
    shown = call("show", "Hot disks", "--json")
    assert shown["evaluations"]
    assert shown["rule"]["split by"] == ["Computer"]
    assert "Hot disks" in call("list")[1]
    before = call("disable", "Hot disks", "--json")
    assert (before["enabled"], before["next"]) == (False, None)
    assert call("enable", "Hot disks", "--json")["enabled"]
    assert len(call("run", "Hot disks", "--wait", "--json")["evaluations"]) > 1
    assert call("remove", "Hot disks") == (0, "removed Hot disks\n")
    wait_for(lambda: rows("AlertRule | where Change == 'Removed'"))
    changes = [r[0] for r in rows("AlertRule | sort by TimeGenerated asc | project Change")]
    assert [c for c in changes if c in ("Created", "Disabled", "Enabled", "Removed")] == [
        "Created", "Disabled", "Enabled", "Removed",
    ]  # fmt: skip


def test_mistakes_are_told(service: Any, call: Callable[..., Any], tmp_path: Path) -> None:
    assert call("show", "Nope")[0] == 1
    assert "ALR001" in call("enable", "Nope")[1]
    assert "ALR021" in call("ack", "12345678")[1]
    file = tmp_path / "bad.yaml"
    file.write_text(TEXT.replace("Heat > 80", "Heat >"))
    status, said = call("create", str(file))
    assert (status, said.split()[0][:3]) == (1, "KQL")
    status, told = service.ask("PUT", "/api/alertRules/Other", {"text": TEXT})
    assert (status, told["error"]["packed"]["code"]) == (400, "ALR006")
    for path, wanted in (("/api/alertRules/Nope", 404), ("/api/alerts/none", 404), ("/api/alerts?open=true", 200)):  # fmt: skip
        assert service.ask("GET", path)[0] == wanted
    assert "/api/alertRules/{name}/run" in document()["paths"]


def test_the_rules_that_ship_are_made_once(service: Any, call: Callable[..., Any]) -> None:
    place = ServicePlace(str(service.workspace))
    assert own_rules.make(place) == list(shipped())
    assert own_rules.make(place) == []
    call("remove", "Job failed", "--json")
    assert own_rules.make(place) == []
    assert "Job failed" not in {rule["name"] for rule in call("list", "--json")}
    assert call("create", "--shipped", "job_failed", "--json")["enabled"]
    assert "ALR007" in call("create", "--shipped", "job_faild")[1]
    status, said = call("create")
    assert status == 2
    assert "--shipped" in said
    for rule in call("list", "--json"):
        call("remove", rule["name"])
