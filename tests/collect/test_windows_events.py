"""The shipped mapping `windows_events` on a small file of our own, and on the shared captures."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.base.dtypes import ScalarType, find_column
from workbench.collect.importing import import_source
from workbench.collect.mapping import load
from workbench.repository.tables import Repository

SMALL = Path(__file__).parent / "cases" / "windows_events.jsonl"
NAMES = (
    "cmd_bitsadmin_download_psh_script", "cmd_dumping_ntds_dit_file_volume_shadow_copy",
    "covenant_dcom_iertutil_dll_hijack", "empire_mimikatz_lsadump_patch", "empire_psexec_dcerpc_tcp_svcctl",
    "empire_shell_net_local_users", "metasploit_logonpasswords_lsass_memory_dump", "proxylogon_ssrf_rce_poc",
    "purplesharp_ad_playbook_I",
)  # fmt: skip
EXPORTS = {
    "Syslog": ("syslog_auoms_auditd_log4shell_cve2021_44228_jndi_reference", 50),
    "VMConnection": ("vminsights_vmconnection_log4shell_cve2021_44228_jndi_reference", 5),
}
Table = Callable[..., list[dict[str, Any]]]


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """A plain reader, on purpose not ours."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as lines:
            yield from map(json.loads, lines)
    else:
        yield from map(json.loads, path.read_text().splitlines())


def _security(record: dict[str, Any]) -> bool:
    return str(record.get("Channel")).lower() == "security"


def test_small_file(repository: Repository, table: Table) -> None:
    summary = import_source(repository, SMALL, mapping="windows_events")
    assert (summary.lines, summary.stored, summary.quarantined) == (6, {"SecurityEvent": 2, "Event": 4}, 0)
    first, second = table("SecurityEvent")
    assert first["TimeGenerated"].isoformat() == "2020-10-23T02:36:10.123000+00:00"
    taken = (
        "Computer",
        "EventLog",
        "Channel",
        "Source",
        "EventLevelName",
        "RenderedDescription",
        "TargetUserName",
    )
    assert [first[name] for name in taken] == [
        "WS1.lab", "Security", "Security", "Microsoft-Windows-Security-Auditing", "Information",
        "An account was logged on.", "ann",
    ]  # fmt: skip
    assert (first["LogonType"], first["KeyLength"], first["Task"], first["Version"]) == (3, 0, 12544, 2)
    assert (first["Keywords"], second["Keywords"]) == ("-9214364837600034816", "0x8020000000000000")
    assert json.loads(first["EventData"]) == {
        "@version": "1", "host": "forwarder", "SeverityValue": 2, "EventTime": "2020-10-22 22:36:10",
        "tags": ["a", "b"],
    }  # fmt: skip
    # What does not fit its declared type is beside it, not lost.
    assert (second["LogonType"], second["LogonType_s"]) == (None, "%%x")
    assert (second["EventLevelName"], second["Level"], second["TargetDomainName"]) == ("Information", "0", "")


def test_small_file_other_channels(repository: Repository, table: Table) -> None:
    import_source(repository, SMALL, mapping="windows_events")
    sysmon, level_only, *repeated = table("Event")
    assert (sysmon["EventLevelName"], sysmon["UserName"], sysmon["EventLog"]) == (
        "Verbose", "SYSTEM", "Microsoft-Windows-Sysmon/Operational",
    )  # fmt: skip
    # Names that differ only in case both live; Level stays although it is a fallback.
    assert json.loads(sysmon["EventData"]) == {
        "ProcessID": 7,
        "ProcessId": "8",
        "port": 1,
        "Port": "2",
        "Level": "5",
    }
    assert level_only["EventLevelName"] == "Error"
    assert json.loads(level_only["EventData"]) == {"Level": 2, "ProcessId": "0x10", "Computer": "other"}
    # Equal records are two records; a null is no value, so the next field is taken.
    assert len(repeated) == 2
    assert repeated[0] == repeated[1]
    assert (repeated[0]["Computer"], repeated[0]["EventLevelName"]) == ("WS3.lab", "NOTICE")
    assert json.loads(repeated[0]["EventData"]) == {"Hostname": None}


def test_security_event_has_the_columns_of_its_schema(repository: Repository, captures: Path) -> None:
    import_source(repository, SMALL, mapping="windows_events")
    known = json.loads((captures.parents[1] / "schemas" / "log_analytics_tables.json").read_text())
    schema = repository.schema("SecurityEvent")
    wrong = {}
    for name, type_ in known["SecurityEvent"]:
        column = find_column(schema, name)
        if name != "EventData" and (column is None or column.type.value != type_):
            wrong[name] = column
    assert wrong == {}
    event_data = find_column(schema, "EventData")
    assert event_data is not None
    assert event_data.type is ScalarType.DYNAMIC


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_capture(repository: Repository, captures: Path, table: Table, name: str) -> None:
    path = captures / f"{name}.zip"
    lines, by_log, logons = 0, Counter[str](), Counter[str]()
    values = 0
    for record in _records(path):
        lines += 1
        by_log[record["Channel"].lower()] += 1
        values += sum(v is not None for v in record.values())
        if _security(record) and record["EventID"] == 4624:
            logons[record["TargetUserName"]] += 1
    summary = import_source(repository, path, mapping="windows_events")
    assert summary.problems == []
    assert (summary.lines, sum(summary.stored.values()), summary.quarantined) == (lines, lines, 0)
    found = Counter[str]()
    for target in ("Event", "SecurityEvent"):
        found.update(row["EventLog"].lower() for row in table(target, "EventLog"))
    assert found == by_log
    rows = table("SecurityEvent", "EventID", "TargetUserName")
    assert Counter(r["TargetUserName"] for r in rows if r["EventID"] == 4624) == logons
    again = import_source(repository, path, mapping="windows_events")
    assert (sum(again.stored.values()), again.quarantined, again.skipped) == (0, 0, lines)


def test_nothing_of_a_capture_is_lost(repository: Repository, captures: Path, table: Table) -> None:
    """Each value of each record is in the row's columns or in its EventData."""
    path = captures / "cmd_bitsadmin_download_psh_script.zip"
    import_source(repository, path, mapping="windows_events")
    renamed = {"@timestamp": "TimeGenerated", "Hostname": "Computer", "Channel": "EventLog", "SourceName": "Source",
               "AccountName": "UserName", "Message": "RenderedDescription", "Severity": "EventLevelName"}  # fmt: skip
    mapping = load("windows_events")
    named = {rule.table: {c.name for c in rule.columns} for rule in mapping.tables}
    stored = {target: iter(table(target)) for target in named}
    checked = 0
    for record in _records(path):
        target = "SecurityEvent" if _security(record) else "Event"
        row = next(stored[target])
        rest = json.loads(row["EventData"])
        for name, value in record.items():
            column = name if name in named[target] and target == "SecurityEvent" else renamed.get(name, name)
            if name in rest:
                assert rest[name] == value
            elif column == "TimeGenerated":
                assert row[column].isoformat(timespec="milliseconds").replace("+00:00", "Z") == value
            elif column == "EventLevelName":
                assert row[column] == {"INFO": "Information", "ERROR": "Error", "WARNING": "Warning"}.get(
                    value, value
                )
            else:
                assert str(row[column]) == str(value), (name, row)
            checked += 1
    assert checked > 9_000


@pytest.mark.parametrize("target", EXPORTS)
def test_log_analytics_export(repository: Repository, captures: Path, table: Table, target: str) -> None:
    name, lines = EXPORTS[target]
    path = captures / f"{name}.zip"
    summary = import_source(repository, path, table=target)
    assert (summary.lines, summary.stored, summary.quarantined) == (lines, {target: lines}, 0)
    assert import_source(repository, path, table=target).stored == {target: 0}
    schema = {c.name: c.type for c in repository.schema(target)}
    rows = table(target)
    if target == "Syslog":
        assert (schema["EventTime"], schema["SyslogMessage"]) == (ScalarType.DATETIME, ScalarType.STRING)
    else:
        assert schema["BytesSent"] is ScalarType.LONG
        assert sum(r["BytesSent"] for r in rows) == sum(r["BytesSent"] for r in _records(path))
    times = pl.Series([r["TimeGenerated"] for r in rows])
    assert times.dt.year().unique().to_list() == [2022]
