"""The doctor: each thing that can be wrong is said in a sentence, with what helps, and nothing is changed."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import workbench
from workbench.actions.runbook import isolation
from workbench.collect.agent import Spool, enrolment
from workbench.collect.agent.enrolment import Identity
from workbench.collect.sources import Batch
from workbench.server import doctor
from workbench.server.finding import Finding

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("workbench.server.local_agent.default_state", lambda: tmp_path / "none")
    monkeypatch.setattr("workbench.server.doctor_agents.default_state", lambda: tmp_path / "none")
    return tmp_path / "ws"


@pytest.fixture
def said(place: Path) -> Callable[[str], list[Finding]]:
    """What the doctor says of a thing."""
    return lambda what: [f for f in doctor.examine(str(place)) if f.what == what]


def test_a_damaged_workspace_is_told_with_its_file(place: Path, said: Callable[[str], list[Finding]]) -> None:
    workbench.open(str(place), create=True)
    (place / "workspace.json").write_text("{")
    (found,) = said("workspace")
    assert found.state == "problem"
    assert "workspace.json" in found.detail
    assert found.fix


def test_it_says_as_whom_jobs_run(place: Path, said: Callable[[str], list[Finding]]) -> None:
    workspace = workbench.open(str(place), create=True)
    (found,) = said("isolation")
    there = isolation.asked("") is not None
    assert (found.state, "isolation: none" in found.detail) == (("ok", False) if there else ("note", True))
    for word, state in (("user workbench-job", "ok"), ("none", "note")):
        workspace.ingest("Job", [{"JobId": "1", "Isolation": word, "Worker": "service"}])
        (found,) = said("isolation")
        assert (found.state, word in found.detail) == (state, True)
        assert bool(found.fix) == (state == "note")


def test_a_service_that_hangs_is_told_with_its_process(
    place: Path, said: Callable[[str], list[Finding]]
) -> None:
    from workbench.server.place import Address, ServicePlace

    workbench.open(str(place), create=True)
    there = ServicePlace(str(place))
    assert said("service")[0].state == "note"
    with there.held():
        there.publish(Address("http://127.0.0.1:9", 4711, "w"))
        (found,) = said("service")
    assert (found.state, "4711" in found.fix) == ("problem", True)
    (found,) = said("service")
    assert "ended without a word" in found.detail


def test_a_token_that_others_can_read_is_told(place: Path, said: Callable[[str], list[Finding]]) -> None:
    from workbench.server.place import ServicePlace

    workbench.open(str(place), create=True)
    there = ServicePlace(str(place))
    there.token(create=True)
    assert said("token") == []
    (there.folder / "owner.token").chmod(0o644)
    (found,) = said("token")
    assert found.state == "problem"
    assert "chmod 600" in found.fix


def test_a_disk_at_its_reserve_is_told_with_what_to_free(
    place: Path, said: Callable[[str], list[Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = os.statvfs(place.parent)
    total = disk.f_blocks * disk.f_frsize
    for share, state in ((0.5, "ok"), (0.07, "note"), (0.01, "problem")):
        usage = (total, int(total * (1 - share)), int(total * share))
        monkeypatch.setattr("shutil.disk_usage", lambda _, u=usage: type("U", (), dict(zip(("total", "used", "free"), u, strict=True))))  # fmt: skip
        (found,) = said("disk")
        assert found.state == state
    assert "503" in found.detail
    assert "free " in found.fix


def test_what_was_set_aside_and_what_failed_is_told(
    place: Path, said: Callable[[str], list[Finding]]
) -> None:
    opened = workbench.open(str(place), create=True)
    assert said("records")[0].state == "ok"
    opened.ingest("App", [{"TimeGenerated": "no time"}, {"TimeGenerated": "none either"}, {"n": 1}])
    opened.ingest(
        "Operation", [{"OperationCategory": "Drain", "OperationStatus": "Error", "Detail": "no way"}]
    )
    (found,) = said("records")
    assert (found.state, found.detail.startswith("2 records")) == ("note", True)
    (found,) = said("operation")
    assert "Drain" in found.detail
    assert "no way" in found.detail


def test_a_clock_that_was_set_back_is_told(
    place: Path, said: Callable[[str], list[Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = workbench.open(str(place), create=True)
    opened.ingest("Heartbeat", [{"Computer": "web01"}])
    assert said("clock")[0].state == "ok"
    from workbench.base import clock

    now = clock.now_us()
    monkeypatch.setattr("workbench.base.clock.now_us", lambda: now - 3_600_000_000)
    (found,) = said("clock")
    assert found.state == "problem"
    assert "set back" in found.detail


def test_agents_that_are_silent_or_ahead_are_named(place: Path, said: Callable[[str], list[Finding]]) -> None:
    opened = workbench.open(str(place), create=True)
    now = dt.datetime.now(dt.UTC)
    opened.ingest("Heartbeat", [{"Computer": "web01", "TimeGenerated": now}])
    assert [f.state for f in said("agents")] == ["ok"]
    late = [
        {"Computer": "web02", "TimeGenerated": now - dt.timedelta(minutes=40)},
        {"Computer": "web03", "TimeGenerated": now + dt.timedelta(hours=2)},
    ]
    opened.ingest("Heartbeat", late)
    told = [f.detail for f in said("agents")]
    assert any(t.startswith("web02 was heard of") for t in told)
    assert any(t.startswith("the clock of web03") for t in told)
    assert not any("web01" in t for t in told)


def test_the_agent_of_this_machine_is_looked_at(
    place: Path, said: Callable[[str], list[Finding]], tmp_path: Path
) -> None:
    workbench.open(str(place), create=True)
    assert said("agent")[0].state == "note"
    folder = place / "state" / "agent"
    folder.mkdir(parents=True)
    assert "no identity" in said("agent")[0].detail
    enrolment.keep(folder, Identity("a-1", "secret"))
    assert "does not run" in said("agent")[0].detail
    lock = os.open(folder / "agent.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert said("agent")[0].state == "ok"
    finally:
        os.close(lock)
    commands = tmp_path / "commands.d"
    commands.mkdir()
    (commands / "disk.yaml").write_text("x")
    (commands / "disk.yaml").chmod(0o666)
    (folder / "agent.yaml").write_text(f"spool_bytes: 1048576\ncommands: {commands}\n")
    (found,) = said("commands.d")
    assert "disk.yaml is not used" in found.detail
    spool = Spool(folder / "spool", limit=1 << 20)
    while spool.size < 900_000:
        spool.put([Batch("App_CL", [{"x": os.urandom(40_000).hex()}])])
    spool.close()
    assert said("agent spool")[0].state == "problem"
    (folder / "agent.yaml").write_text("spool_bytes: few\n")
    (found,) = said("agent.yaml")
    assert (found.state, "spool_bytes" in found.detail) == ("problem", True)


def test_nothing_is_changed(place: Path, said: Callable[[str], list[Finding]]) -> None:
    workbench.open(str(place), create=True).ingest("App", [{"n": 1}])
    before = {p: (p.stat().st_mtime_ns, stat.S_IMODE(p.stat().st_mode)) for p in place.rglob("*")}
    said("workspace")
    after = {p: (p.stat().st_mtime_ns, stat.S_IMODE(p.stat().st_mode)) for p in place.rglob("*")}
    assert {p: t for p, t in after.items() if p.is_file() and "readers" not in p.parts and "locks" not in p.parts} == {
        p: t for p, t in before.items() if p.is_file() and "readers" not in p.parts and "locks" not in p.parts
    }  # fmt: skip
