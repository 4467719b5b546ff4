"""What the agent's sources read: their columns, and text files followed through all that happens to them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from workbench.base import clock
from workbench.base.dtypes import parse_datetime
from workbench.collect.sources import SOURCES, Batch, Machine
from workbench.collect.sources._lines import record_of
from workbench.collect.sources.heartbeat import Heartbeat
from workbench.collect.sources.packages import Packages
from workbench.collect.sources.performance import Performance
from workbench.collect.sources.text_files import FIRST_LINES, TextFiles


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    root = tmp_path / "log"
    root.mkdir()
    return Machine(tmp_path / "agent", root)


def relisting(source: TextFiles) -> TextFiles:
    """The same source, made to list its folder anew at the next reading."""
    source._listed = float("-inf")
    return source


def lines_of(batches: list[Batch]) -> list[str]:
    return [r["RawData"] for b in batches if b.table == "FileLog_CL" for r in b.records]


def read(source: TextFiles, *, acknowledge: bool = True) -> list[str]:
    batches = list(relisting(source).collect())
    if acknowledge:
        for batch in batches:
            batch.acknowledged()
    return lines_of(batches)


# ---- columns ----------------------------------------------------------------------------------


def test_every_source_fills_only_the_tables_it_names(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "app.log").write_text("started\n")
    for _, card in SOURCES.items():
        batches = list(card.make(Machine(tmp_path / "agent", tmp_path / "log")).collect())
        assert {b.table for b in batches} <= set(card.tables)
        for batch in batches:
            assert batch.records
            assert all(parse_datetime(r["TimeGenerated"]) is not None for r in batch.records)
            assert all(r["Computer"] == Machine(tmp_path).computer for r in batch.records)
            json.dumps(batch.records)


def test_heartbeat_says_what_the_machine_is(machine: Machine) -> None:
    (batch,) = Heartbeat(machine).collect()
    (record,) = batch.records
    assert record["Category"] == "Direct Agent"
    assert record["OSType"] == "Linux"
    assert record["Version"]
    assert record["SourceComputerId"] == Machine(machine.state).source_computer_id


def test_performance_has_the_counters_of_the_agent_for_linux(machine: Machine) -> None:
    (batch,) = Performance(machine).collect()
    seen = {(r["ObjectName"], r["CounterName"], r["InstanceName"]) for r in batch.records}
    assert {
        ("Processor", "% Processor Time", "_Total"),
        ("Memory", "% Used Memory", "Memory"),
        ("Logical Disk", "% Used Space", "/"),
        ("System", "Processes", "System"),
    } <= seen
    assert len(seen) == len(batch.records)
    shares = [r["CounterValue"] for r in batch.records if r["CounterName"].startswith("%")]
    assert all(0 <= share <= 100 for share in shares)
    assert batch.records[0]["CounterPath"].startswith("\\\\")


@pytest.mark.skipif(not Path("/usr/bin/dpkg-query").exists(), reason="no dpkg-query on this machine")
def test_packages_lists_what_is_installed(machine: Machine) -> None:
    (batch,) = Packages(machine).collect()
    by_name = {r["SoftwareName"]: r for r in batch.records}
    assert by_name["dpkg"]["CurrentVersion"]
    assert by_name["dpkg"]["ConfigDataType"] == "Software"


# ---- lines ------------------------------------------------------------------------------------


def test_a_line_of_syslog_becomes_a_syslog_record(machine: Machine) -> None:
    table, record = record_of(
        "/var/log/syslog", "2026-03-04T05:06:07.5+01:00 web01 sshd[42]: a: b [c]", machine
    )
    assert table == "Syslog"
    assert record["TimeGenerated"] == "2026-03-04T04:06:07.5000000Z"
    assert (record["HostName"], record["ProcessName"], record["ProcessID"]) == ("web01", "sshd", 42)
    assert record["SyslogMessage"] == "a: b [c]"


def test_a_syslog_line_without_a_year_is_never_ahead_of_now(machine: Machine) -> None:
    noon = parse_datetime("2026-01-02T12:00:00Z")
    assert noon is not None
    with clock.frozen(noon):
        table, record = record_of("/var/log/syslog", "Dec 31 23:59:59 web01 cron: done", machine)
    assert table == "Syslog"
    assert record["TimeGenerated"].startswith(("2025-12-31", "2026-01-01"))  # by the zone of the machine


def test_a_line_of_dpkg_log_becomes_a_change(machine: Machine) -> None:
    table, record = record_of("/var/log/dpkg.log", "2026-03-04 05:06:07 upgrade bash:amd64 5.1 5.2", machine)
    assert table == "ConfigurationChange"
    assert (record["SoftwareName"], record["Previous"], record["Current"]) == ("bash", "5.1", "5.2")
    assert (record["Computer"], record["ConfigChangeType"]) == (machine.computer, "Software")


def test_times_without_a_zone_are_of_this_machine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/GMT-3")
    time.tzset()
    try:
        noon = parse_datetime("2026-01-02T12:00:00Z")
        assert noon is not None
        with clock.frozen(noon):
            _, change = record_of("/var/log/dpkg.log", "2026-01-02 15:00:00 startup archives unpack", machine)
            _, message = record_of("/var/log/syslog", "Jan  2 15:00:00 web01 cron: done", machine)
            _, zoned = record_of("/var/log/syslog", "2026-01-02T12:00:00Z web01 cron: done", machine)
    finally:
        monkeypatch.undo()
        time.tzset()
    times = {parse_datetime(r["TimeGenerated"]) for r in (change, message, zoned)}
    assert times == {noon}


@pytest.mark.parametrize(
    "line",
    [
        "plain words",
        "2026-03-04T05:06:07Z INFO started",
        "Foo 99 99:99:99 host name: text",
        "2026-13-45T99:99:99Z h p: m",
    ],
)
def test_any_other_line_is_kept_as_it_is(machine: Machine, line: str) -> None:
    table, record = record_of("/var/log/app.log", line, machine)
    assert (table, record["RawData"], record["FilePath"]) == ("FileLog_CL", line, "/var/log/app.log")


# ---- files ------------------------------------------------------------------------------------


def test_the_first_start_takes_the_last_lines_of_each_file(machine: Machine) -> None:
    path = machine.log_root / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(FIRST_LINES + 50)))
    found = read(TextFiles(machine))
    assert (len(found), found[0], found[-1]) == (FIRST_LINES, "line 50", f"line {FIRST_LINES + 49}")


def test_a_short_file_is_taken_whole_and_only_once(machine: Machine) -> None:
    (machine.log_root / "app.log").write_text("one\ntwo\n")
    source = TextFiles(machine)
    assert read(source) == ["one", "two"]
    assert read(source) == []


def test_half_a_line_waits_for_its_end(machine: Machine) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\ntw")
    source = TextFiles(machine)
    assert read(source) == ["one"]
    with path.open("a") as file:
        file.write("o\n")
    assert read(source) == ["two"]


def test_a_file_that_appears_later_is_read_from_its_start(machine: Machine) -> None:
    source = TextFiles(machine)
    assert read(source) == []
    (machine.log_root / "new.log").write_text("".join(f"{n}\n" for n in range(FIRST_LINES + 1)))
    assert len(read(source)) == FIRST_LINES + 1


def test_a_rotated_file_is_read_to_its_end_under_its_new_name(machine: Machine) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    source = TextFiles(machine)
    assert read(source) == ["one"]
    with path.open("a") as file:
        file.write("two\n")
    path.rename(machine.log_root / "app.log.1")
    path.write_text("three\n")
    assert sorted(read(source)) == ["three", "two"]


def test_files_rotated_before_the_first_start_are_left_alone(machine: Machine) -> None:
    (machine.log_root / "app.log.1").write_text("old\n")
    (machine.log_root / "app.log-20260101").write_text("old\n")
    assert read(TextFiles(machine)) == []


def test_a_file_cut_back_in_place_is_read_from_its_start(machine: Machine) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\ntwo\n")
    source = TextFiles(machine)
    read(source)
    os.truncate(path, 0)
    path.write_text("new\n")
    assert read(source) == ["new"]


def test_a_file_cut_back_and_grown_longer_is_told_by_its_first_bytes(machine: Machine) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    source = TextFiles(machine)
    read(source)
    path.write_text("entirely new and longer\n")
    assert read(source) == ["entirely new and longer"]


def test_a_restart_goes_on_where_records_were_acknowledged(machine: Machine) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    read(TextFiles(machine))
    with path.open("a") as file:
        file.write("two\n")
    assert read(TextFiles(machine), acknowledge=False) == ["two"]
    assert read(TextFiles(machine)) == ["two"]
    assert read(TextFiles(machine)) == []


def test_places_are_kept_only_when_all_tables_are_acknowledged(machine: Machine) -> None:
    path = machine.log_root / "mixed.log"
    path.write_text("plain\n2026-03-04T05:06:07Z web01 sshd[42]: hello\n")
    batches = list(TextFiles(machine).collect())
    assert {b.table for b in batches} == {"FileLog_CL", "Syslog"}
    batches[0].acknowledged()
    assert TextFiles(machine)._marks.fresh
    batches[1].acknowledged()
    assert not TextFiles(machine)._marks.fresh


def test_binary_and_compressed_files_are_left_alone(machine: Machine) -> None:
    (machine.log_root / "wtmp").write_bytes(b"a\0b\n")
    (machine.log_root / "app.log.gz").write_bytes(b"text\n")
    assert read(TextFiles(machine)) == []


def test_bytes_that_are_no_utf8_stay_visible(machine: Machine) -> None:
    (machine.log_root / "app.log").write_bytes(b"caf\xe9\n")
    assert read(TextFiles(machine)) == ["caf\\xe9"]
