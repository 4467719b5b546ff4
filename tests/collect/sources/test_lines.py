"""Lines of text logs of this machine: the table each belongs to, its time, its fields."""

from __future__ import annotations

import time

import pytest

from workbench.base import clock
from workbench.base.dtypes import parse_datetime
from workbench.collect.sources import Machine
from workbench.collect.sources._lines import record_of


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
            _, change = record_of(
                "/var/log/dpkg.log", "2026-01-02 15:00:00 remove nano:amd64 7.2 <none>", machine
            )
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
        "2026-01-02 15:00:00 status half-configured libc-bin:amd64 2.36-9",
    ],
)
def test_any_other_line_is_kept_as_it_is(machine: Machine, line: str) -> None:
    path = "/var/log/dpkg.log" if " status " in line else "/var/log/app.log"
    table, record = record_of(path, line, machine)
    assert (table, record["RawData"], record["FilePath"]) == ("FileLog_CL", line, path)


def test_a_long_line_of_any_kind_takes_no_time(machine: Machine) -> None:
    for line in ("x" * 2_000_000, "x " * 1_000_000, "2026-03-04T05:06:07Z " + "a:b " * 500_000):
        assert record_of("/var/log/app.log", line, machine)[0] in ("FileLog_CL", "Syslog")
