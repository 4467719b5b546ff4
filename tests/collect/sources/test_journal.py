"""The journal: a real journald of the test's own, its cursor over restarts, filters, bytes that are no text."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect.sources import journal
from workbench.collect.sources.journal import Journal

DAEMON = Path("/lib/systemd/systemd-journald")


class Daemon:
    """A journald in a namespace of its own."""

    def __init__(self, name: str) -> None:
        self.socket = Path(f"/run/systemd/journal.{name}/socket")
        self.folder = Path(f"/var/log/journal/{Path('/etc/machine-id').read_text().strip()}.{name}")

    def write(self, message: bytes, **fields: str) -> None:
        lines = [f"{key}={value}".encode() for key, value in fields.items()]
        lines.append(b"MESSAGE\n" + len(message).to_bytes(8, "little") + message)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(b"\n".join(lines) + b"\n", str(self.socket))

    def holds(self, text: str) -> bool:
        asked = subprocess.run(
            ["journalctl", f"--directory={self.folder}", "--output=cat", "--quiet", "--no-pager"],
            capture_output=True,
            check=False,
        )
        return text.encode() in asked.stdout


@pytest.fixture
def daemon(eventually) -> Iterator[Daemon]:
    if os.geteuid() != 0 or not DAEMON.exists() or shutil.which("journalctl") is None:
        pytest.skip("a journald of one's own needs root and systemd's programs")
    name = f"workbench-test-{os.getpid()}-{time.monotonic_ns()}"
    made = Daemon(name)
    child = subprocess.Popen([DAEMON, name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (made.socket.exists() and made.folder.exists()):
            if child.poll() is not None:
                pytest.skip("journald can't run here")
            assert time.monotonic() < deadline, "journald did not come up"
            time.sleep(0.02)
        eventually(lambda: made.holds("Journal started"))
        yield made
    finally:
        child.terminate()
        child.wait(30)
        shutil.rmtree(made.folder, ignore_errors=True)
        shutil.rmtree(made.socket.parent, ignore_errors=True)


@pytest.mark.slow
def test_entries_are_read_once_and_after_a_restart_from_the_cursor(daemon: Daemon, run, eventually) -> None:
    entries = run(
        lambda machine, settings: Journal(machine, settings, directory=daemon.folder), {"name": "x"}
    )
    entries.collect()
    daemon.write(
        b"caf\xe9 \xff", PRIORITY="3", SYSLOG_FACILITY="4", SYSLOG_IDENTIFIER="sshd", SYSLOG_PID="42"
    )
    daemon.write("wörld".encode() * 2000, PRIORITY="6", SYSLOG_IDENTIFIER="long")
    eventually(lambda: daemon.holds("wörld"))
    assert len(entries.collect(keep=False)["Syslog"]) == 2
    entries.restart()
    first, second = entries.collect()["Syslog"]
    assert (first["Facility"], first["SeverityLevel"]) == ("auth", "err")
    assert (first["ProcessName"], first["ProcessID"]) == ("sshd", 42)
    assert first["SyslogMessage"] == "caf\\xe9 \\xff"
    assert second["SyslogMessage"] == "wörld" * 2000
    entries.restart()
    assert entries.collect() == {}


@pytest.mark.slow
def test_facilities_and_levels_of_a_rule_are_kept_to(daemon: Daemon, run, eventually) -> None:
    settings = {"facilityNames": ["auth", "kern"], "logLevels": ["Error", "Critical"]}
    entries = run(lambda machine, settings: Journal(machine, settings, directory=daemon.folder), settings)
    for number, (facility, level) in enumerate([(4, 3), (4, 6), (3, 3), (0, 2)]):
        daemon.write(b"message %d" % number, PRIORITY=str(level), SYSLOG_FACILITY=str(facility))
    eventually(lambda: daemon.holds("message 3"))
    found = entries.collect()["Syslog"]
    assert [r["SyslogMessage"] for r in found] == ["message 0", "message 3"]


@pytest.mark.slow
def test_a_backlog_comes_in_parts_without_a_gap(
    daemon: Daemon, run, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_BYTES", 20_000)
    for number in range(200):
        daemon.write(b"number %d" % number, SYSLOG_IDENTIFIER="counter")
    daemon.write(b"x" * 60_000, SYSLOG_IDENTIFIER="counter")
    daemon.write(b"last one", SYSLOG_IDENTIFIER="counter")
    eventually(lambda: daemon.holds("last one"))
    entries = run(
        lambda machine, settings: Journal(machine, settings, directory=daemon.folder), {"name": "x"}
    )
    found = []
    while more := entries.collect().get("Syslog"):
        found += [r["SyslogMessage"] for r in more if r["ProcessName"] == "counter"]
    assert found[:200] == [f"number {n}" for n in range(200)]
    assert (len(found), found[-1]) == (202, "last one")


def test_a_machine_without_a_journal_has_none_and_says_nothing(run, tmp_path: Path, caplog) -> None:
    assert run(lambda m: Journal(m, directory=tmp_path)).collect() == {}
    assert run(lambda m: Journal(m, program="no-such-journalctl")).collect() == {}
    assert caplog.records == []


def test_without_a_rule_messages_in_files_are_not_read_twice(run, machine, tmp_path: Path) -> None:
    (tmp_path / "system.journal").write_bytes(b"no journal at all")
    (machine.log_root / "syslog").write_text("")
    assert run(lambda m: Journal(m, directory=tmp_path)).collect() == {}


def test_a_rule_gets_the_files_where_there_is_no_journal(run, machine, tmp_path: Path) -> None:
    line = "2026-03-04T05:06:07Z web01 sshd[42]: hello\n"
    for name in ("syslog", "auth.log"):
        (machine.log_root / name).write_text(line)

    def found(**settings: list[str]) -> list[str]:
        made = run(lambda m, s: Journal(m, s, directory=tmp_path), {"name": "x", **settings})
        records = made.collect()["Syslog"]
        made.restart()
        assert made.collect() == {}
        return [r["SyslogMessage"] for r in records]

    assert found() == ["hello", "hello"]
    assert found(facilityNames=["daemon"]) == ["hello"]


@pytest.mark.parametrize("settings", [{"facilityNames": ["nobody"]}, {"logLevels": ["Loud"]}])
def test_an_unknown_facility_or_level_is_told(machine, settings: dict[str, list[str]]) -> None:
    with pytest.raises(WorkbenchError) as told:
        Journal(machine, settings)
    assert told.value.code == "MAC202"


def test_a_cut_line_of_output_is_no_entry() -> None:
    whole = json.dumps({"MESSAGE": "a", "__CURSOR": "c"}).encode()
    assert [e["__CURSOR"] for e in journal.entries_of(whole + b"\n" + whole[:-3])] == ["c"]
