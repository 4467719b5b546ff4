"""Sigma rules over our tables: the query that each becomes, that it binds, finds what it should, and what is refused."""

from __future__ import annotations

import polars as pl
import pytest

from workbench.alerts import binding
from workbench.alerts.importing import read
from workbench.alerts.rule import Severity
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.collect import mapping
from workbench.query.frames import FrameTables, stored_type
from workbench.query.run import run

RULE = """
title: Dump of credentials
id: 00000000-0000-4000-8000-000000000000
status: test
description: A process reads them.
logsource: {LOG}
detection:
    DETECTION
level: high
"""
SYSMON = "Microsoft-Windows-Sysmon/Operational"


def _rule(log: str, detection: str) -> str:
    return RULE.replace("LOG", log).replace("DETECTION", detection.strip().replace("\n", "\n    "))


def _query(log: str, detection: str) -> str:
    [one] = read(_rule(log, detection))
    return one.rule.query


def _tables() -> FrameTables:
    """Events as the shipped mapping stores them: two of Sysmon, one of the channel Security."""
    layouts = {t.table: t.layout() for t in mapping.load("windows_events").tables}
    event = {"TimeGenerated": None, "Computer": "web01", "EventID": 1, "EventLog": SYSMON, "Source": "Sysmon",
             "EventLevelName": "", "UserName": "", "RenderedDescription": "Process Create",
             "EventData": r'{"Image":"C:\\Tools\\Mimi.exe","CommandLine":"mimi \"x\" 10.1.2.3","ParentImage":"C:\\cmd.exe"}'}  # fmt: skip
    other = event | {"EventID": 3, "EventData": '{"DestinationIp":"10.1.2.3","DestinationPort":"445"}'}
    logged = {"Computer": "web01", "EventID": 4688, "EventLog": "Security", "NewProcessName": r"C:\Tools\mimi.exe",
              "CommandLine": "mimi", "ParentProcessName": r"C:\cmd.exe", "LogonType": 3}  # fmt: skip
    made = {}
    for table, rows in (("Event", [event, other]), ("SecurityEvent", [logged])):
        schema = tuple(Column(n, t or ScalarType.STRING) for n, t in layouts[table].items())
        columns = {
            c.name: pl.Series([r.get(c.name) for r in rows], dtype=stored_type(c.type)) for c in schema
        }
        made[table] = (pl.DataFrame(columns), schema)
    return FrameTables(made)


CREATION = "category: process_creation, product: windows"
FOUND = [
    (CREATION, "sel:\n    Image|endswith: '\\mimi.exe'\ncondition: sel", 2),
    (CREATION, "sel:\n    Image: 'C:\\\\*\\mimi.ex?'\ncondition: sel", 2),
    (CREATION, "sel:\n    CommandLine|contains|all: ['\"x\"', MIMI]\ncondition: sel", 1),
    (CREATION, "sel:\n    CommandLine|contains|cased: MIMI\ncondition: sel", 0),
    (CREATION, "sel:\n    CommandLine|re: '^mimi.*\\d$'\ncondition: sel", 1),
    (CREATION, "sel:\n    ParentImage: ['C:\\CMD.exe', 'C:\\x.exe']\nfilter:\n    CommandLine: mimi\ncondition: sel and not filter", 1),
    (CREATION, "sel:\n    Image|endswith: .exe\n    OriginalFileName: null\ncondition: sel", 1),
    (CREATION, "sel:\n    CommandLine: '*'\ncondition: sel", 2),
    (CREATION, "one:\n    Image: '*a'\ntwo:\n    Image: '*exe'\ncondition: 1 of *", 2),
    ("category: network_connection, product: windows", "sel:\n    DestinationIp|cidr: 10.0.0.0/8\n    DestinationPort: 445\ncondition: sel", 1),
    ("category: network_connection, product: windows", "sel:\n    DestinationPort|gte: 446\ncondition: sel", 0),
    ("service: security, product: windows", "sel:\n    EventID: [4688, 4689]\n    LogonType: 3\ncondition: sel", 1),
    ("service: security, product: windows", "sel:\n    EventID|startswith: '46'\ncondition: sel", 1),
    ("service: sysmon, product: windows", "keywords: ['process create', other]\ncondition: keywords", 2),
]  # fmt: skip


@pytest.mark.parametrize(("log", "detection", "count"), FOUND, ids=range(len(FOUND)))
def test_a_converted_rule_finds_what_it_describes(log: str, detection: str, count: int) -> None:
    assert run(_query(log, detection), _tables()).frame.height == count


def test_what_becomes_of_a_rule() -> None:
    [one] = read(_rule(CREATION, "sel:\n    Image: a.exe\n    OriginalFileName: b.exe\ncondition: sel"))
    assert one.rule.name == "Dump of credentials"
    assert (one.rule.severity, one.rule.auto_resolve) == (Severity.ERROR, False)
    assert one.rule.properties["status"] == "test"
    assert one.rule.query == (
        f'Event\n| where EventLog == "{SYSMON}" and EventID == 1\n'
        '| where tostring(EventData.Image) =~ "a.exe" and tostring(EventData.OriginalFileName) =~ "b.exe"'
    )
    assert one.remarks == (
        "SecurityEvent is not asked: the field 'OriginalFileName' has no counterpart here: SecurityEvent has none for it",
    )
    assert binding.columns(one.rule, _tables()) is not None


@pytest.mark.parametrize(
    ("log", "detection", "said"),
    [
        ("category: process_creation, product: linux", "sel:\n    Image: a\ncondition: sel", "ALR127: the log source (product linux, category process_creation)"),
        ("category: process_creation, product: macos", "sel:\n    Image: a\ncondition: sel", "ALR127: the log source"),
        ("product: windows", "keywords: [a]\ncondition: keywords", "ALR127: the log source (product windows)"),
        ("category: file_event, product: windows", "sel:\n    Imagge: a\ncondition: sel", "ALR127: the field 'Imagge' has no counterpart"),
        ("service: auditd, product: linux", "sel:\n    type: EXECVE\n    shell: a\ncondition: sel", "ALR127: the field 'shell'"),
        (CREATION, "sel:\n    Image|expand: '%admins%'\ncondition: sel", "ALR127: its condition"),
        (CREATION, "sel:\n    Image|novel: a\ncondition: sel", "ALR126: this is no Sigma rule"),
        (CREATION, "sel:\n    Image: a\ncondition: sel and other", "ALR12"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused(log: str, detection: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read(_rule(log, detection))
    assert said in caught.value.render()


def test_rules_of_linux() -> None:
    assert _query("service: sshd, product: linux", "words: ['error in libcrypto']\ncondition: words") == (
        'Syslog\n| where ProcessName == "sshd"\n| where SyslogMessage contains "error in libcrypto"'
    )
    assert _query(
        "service: auditd, product: linux", "sel:\n    type: EXECVE\n    a0: rm\ncondition: sel"
    ) == ('LinuxAuditLog\n| where RecordType =~ "EXECVE" and a0 =~ "rm"')
