"""The agent as a process of its own: settings of the machine, one agent a state folder, its unit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.base.diagnostics import agent as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.agent.enrolment import Identity, keep
from workbench.server import unit
from workbench.server.local_agent import (
    LOCK,
    MachineSettings,
    alone,
    enrol_at,
    host_and_port,
    machine_settings,
    run_agent,
)


def test_the_owners_file_says_what_may_be_read(tmp_path: Path) -> None:
    assert machine_settings(tmp_path) == MachineSettings()
    text = "allow_paths: [/srv/app, /var/log]\ncommands: /srv/commands.d\nspool_bytes: 2000000\n"
    (tmp_path / "agent.yaml").write_text(text)
    assert machine_settings(tmp_path) == MachineSettings(
        (Path("/srv/app"), Path("/var/log")), Path("/srv/commands.d"), 2_000_000
    )


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "allow_path: [/srv]",
        "allow_paths: /srv",
        "allow_paths: [srv]",
        "commands: 7",
        "spool_bytes: 10",
        "spool_bytes: yes",
        "allow_paths: [",
        "\0",
    ],
)
def test_an_owners_file_that_is_wrong_is_never_taken_for_another(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.yaml").write_text(text)
    with pytest.raises(WorkbenchError, match="AGT008"):
        machine_settings(tmp_path)


def test_one_agent_has_a_state_folder(tmp_path: Path) -> None:
    keep(tmp_path, Identity("a-1", "t", "https://logs.example"))
    with alone(tmp_path, LOCK, diagnostics.runs_already), pytest.raises(WorkbenchError, match="AGT007"):
        run_agent(state=tmp_path)


def test_without_an_identity_an_agent_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="AGT003"):
        run_agent(state=tmp_path)


def test_an_agent_has_one_service(tmp_path: Path) -> None:
    keep(tmp_path, Identity("a-1", "t", "https://logs.example"))
    assert enrol_at("https://logs.example/", "", tmp_path).id == "a-1"
    with pytest.raises(WorkbenchError, match="AGT011"):
        enrol_at("https://other.example", "a2V5", tmp_path)


@pytest.mark.parametrize("text", ["", "here", ":80", "a:b", "a:70000"])
def test_a_place_to_listen_has_a_host_and_a_port(text: str) -> None:
    with pytest.raises(WorkbenchError, match="AGT009"):
        host_and_port(text)


def test_the_unit_hardens_and_names_what_rules_may_read(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("allow_paths: ['/srv/my app', /var/log]\n")
    text = unit.text(tmp_path)
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert lines["NoNewPrivileges"] == "yes"
    assert lines["ProtectSystem"] == "strict"
    assert lines["ReadWritePaths"] == str(tmp_path)
    assert lines["ReadOnlyPaths"] == '"-/srv/my app" -/var/log'
    assert lines["ExecStart"] == f"{sys.executable} -m workbench.cli agent run --state {tmp_path}"


def test_the_unit_is_written_and_what_is_left_is_said(tmp_path: Path) -> None:
    said = unit.install("text", tmp_path / "state", tmp_path / "units")
    assert (tmp_path / "units" / unit.NAME).read_text() == "text"
    assert any("agent enrol" in line for line in said)
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkbenchError, match="AGT012"):
        unit.install("text", tmp_path / "state", tmp_path / "file")


@pytest.mark.slow
def test_print_writes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "agent", "install", "--print", "--state", str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == unit.text(tmp_path)
    assert list(tmp_path.iterdir()) == []
