"""Collection rules: kept on both databases, checked with messages that say where, transforms held to one record."""

from __future__ import annotations

import copy
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from workbench.base.database import Database
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.collect import rule_text
from workbench.collect.rule_text import checked, load, read, shipped
from workbench.collect.rules import Rules
from workbench.collect.transform import Transform

APP: dict[str, Any] = {
    "name": "app",
    "streamDeclarations": {
        "Custom-App": {
            "columns": [
                {"name": "TimeGenerated", "type": "datetime"},
                {"name": "Level", "type": "string"},
                {"name": "Size", "type": "int"},
                {"name": "Extra", "type": "dynamic"},
            ]
        }
    },
    "destinations": {"logAnalytics": [{"name": "here", "workspaceResourceId": "/subscriptions/…"}]},
    "dataFlows": [
        {
            "streams": ["Custom-App"],
            "destinations": ["here"],
            "transformKql": "source | where Level != 'debug'",
            "outputStream": "Custom-App_CL",
        }
    ],
}
DISK = {"name": "disk", "streams": ["Microsoft-Perf"], "counterSpecifiers": ["\\Disk(*)\\% Free"]}


def rule(**changes: Any) -> dict[str, Any]:
    """`APP` with settings of its one data flow, or of the rule, changed."""
    made = copy.deepcopy(APP)
    for key, value in changes.items():
        (
            made["dataFlows"][0]
            if key in ("streams", "destinations_", "transformKql", "outputStream")
            else made
        )[key.removesuffix("_")] = value
    return made


def sources(**entries: Any) -> dict[str, Any]:
    return {"dataSources": {kind: [entry] for kind, entry in entries.items()}}


# ---- the store --------------------------------------------------------------------------------


@pytest.fixture
def rules(control_place: Path) -> Rules:
    return Rules(Database.open(control_place))


def test_a_rule_is_made_changed_and_removed(rules: Rules, control_place: Path) -> None:
    number = rules.create(APP)
    assert number.startswith("dcr-")
    assert len(number) == 36
    first = rules.version
    assert rules.create(rule(transformKql="source")) == number, "the same name is the same rule"
    assert rules.version > first
    again = Rules(Database.open(control_place))
    (found,) = again.all()
    assert (found["immutableId"], found["dataFlows"][0]["transformKql"]) == (number, "source")
    assert again.get(number) == found
    other = rules.create({k: v for k, v in APP.items() if k != "name"})
    assert other != number
    assert rules.remove("app") == number
    assert [r["immutableId"] for r in rules.all()] == [other]
    assert rules.get(number) is None
    with pytest.raises(WorkbenchError, match="RUL116"):
        rules.remove(number)


def test_a_bad_rule_changes_nothing(rules: Rules) -> None:
    number, version = rules.create(APP), rules.version
    with pytest.raises(WorkbenchError, match="KQL101"):
        rules.create(rule(transformKql="source | where Nope"))
    assert rules.version == version
    assert (rules.get(number) or {})["dataFlows"] == APP["dataFlows"]


def test_what_is_asked_for_with_each_post_follows_changes(rules: Rules) -> None:
    number = rules.create(APP)
    before = rules.checked(number)
    assert before is not None
    assert rules.checked(number) is before
    rules.create(rule(outputStream="Custom-Other_CL"))
    after = rules.checked(number)
    assert after is not None
    assert [flow.table for flow in after.flows] == ["Other_CL"]
    rules.remove(number)
    assert rules.checked(number) is None
    assert rules.checked("dcr-unknown") is None


def test_rules_for_an_agent(rules: Rules) -> None:
    rules.create(APP)
    rules.create({"name": "all", **sources(performanceCounters=DISK)})
    rules.create({"name": "web", "computers": ["web-*"], **sources(performanceCounters=DISK)})
    rules.create({"name": "one", "computers": ["a-7"], **sources(performanceCounters=DISK)})
    assert [r["name"] for r in rules.for_agent("a-1", "WEB-3")] == ["all", "web"]
    assert [r["name"] for r in rules.for_agent("a-7", "db-3")] == ["all", "one"]


def test_changes_at_once_are_all_counted(rules: Rules) -> None:
    def change(n: int) -> None:
        for _ in range(5):
            rules.create({**APP, "name": f"r{n % 2}"})

    threads = [threading.Thread(target=change, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rules.version == 20
    assert sorted(r["name"] for r in rules.all()) == ["r0", "r1"]


# ---- the text ---------------------------------------------------------------------------------

MISTAKES: list[tuple[Any, str, str]] = [
    ([], "RUL104", "top level"),
    ({**APP, "dataFlow": []}, "RUL105", "did you mean 'dataFlows'"),
    ({"properties": {"flows": []}}, "RUL105", "properties"),
    ({"name": "empty"}, "RUL104", "neither dataFlows nor dataSources"),
    (rule(streamDeclarations={"App": {"columns": []}}), "RUL111", "Custom-"),
    (rule(streamDeclarations={"Microsoft-App": {"columns": []}}), "RUL111", "Microsoft-App"),
    (rule(streamDeclarations={"Custom-App": {}}), "RUL104", "streamDeclarations.Custom-App"),
    (rule(streamDeclarations={"Custom-App": {"columns": [{"name": "a", "type": "text"}]}}), "RUL108", "columns[0]"),
    (rule(streamDeclarations={"Custom-App": {"columns": [{"name": "@a", "type": "int"}]}}), "RUL106", "'@a'"),
    (rule(streamDeclarations={"Custom-App": {"columns": [{"name": "a" * 46, "type": "int"}]}}), "RUL106", "45"),
    (rule(streamDeclarations={"Custom-App": {"columns": [{"name": "a", "type": "int"}] * 2}}), "RUL104", "twice"),
    (rule(streamDeclarations={"Custom-App": {"columns": [{"name": "TimeGenerated", "type": "string"}]}}), "RUL104", "datetime"),
    (rule(streamDeclarations={"Custom-App": {"mapping": "nope"}}), "RUL115", "'nope'"),
    (rule(streamDeclarations={"Custom-App": {"mapping": "windows_events"}}), "RUL115", "no table 'App_CL'"),
    (rule(streamDeclarations={**APP["streamDeclarations"], "Custom-Left": {"columns": [{"name": "a", "type": "int"}]}}), "RUL104", "Custom-Left"),
    (rule(streams=["Custom-Ap"]), "RUL109", "did you mean 'Custom-App'"),
    (rule(streams=[]), "RUL104", "dataFlows[0].streams"),
    (rule(destinations_=["there"]), "RUL110", "'there'"),
    (rule(destinations={"azureMonitorMetrics": {"name": "m"}}), "RUL114", "azureMonitorMetrics"),
    (rule(outputStream="App_CL"), "RUL111", "outputStream"),
    (rule(outputStream="Custom-_Quarantine"), "RUL111", "_Quarantine"),
    (rule(transformKql="source | extend Type = 1"), "RUL107", "'Type'"),
    (rule(transformKql="source | extend ['a b'] = 1"), "RUL106", "'a b'"),
    (rule(transformKql="source | project TimeGenerated = Level"), "RUL204", "todatetime"),
    (rule(transformKql="source | where Siz > 1"), "KQL101", "\n  source | where Siz > 1\n                 ^^^\n"),
    (rule(transformKql="source | summarize count()"), "RUL201", "'summarize'"),
    (rule(transformKql="source | where ("), "KQL003", "dataFlows[0].transformKql"),
    (rule(computers="web"), "RUL104", "computers"),
    (sources(commands={"commands": ["df -h; rm x"]}), "RUL112", "commands.d"),
    (sources(commands={"commands": ["/bin/sh"]}), "RUL112", "dataSources.commands[0].commands"),
    (sources(commands={"commands": ["smart"], "command": "rm x"}), "RUL105", "'command'"),
    (sources(commands={"commands": ["smart"], "arguments": ["-rf"]}), "RUL105", "'arguments'"),
    (sources(performanceCounters={"streams": ["Microsoft-Perf"]}), "RUL104", "counterSpecifiers is missing"),
    (sources(performanceCounters={**DISK, "samplingFrequencyInSeconds": 0}), "RUL104", "from 1"),
    (sources(performanceCounters={**DISK, "scheduledTransferPeriod": "soon"}), "RUL104", "PT1M"),
    (sources(syslog={"facilityNames": "auth"}), "RUL104", "dataSources.syslog[0].facilityNames"),
    (sources(logFiles={"filePatterns": ["var/log/x"]}), "RUL104", "begin with '/'"),
    (sources(logFiles={"filePatterns": ["/var/log/x"], "settings": {"text": {"lines": 1}}}), "RUL105", "settings.text"),
    (sources(fileIntegrity={"paths": ["/etc"], "maxFiles": -1}), "RUL104", "maxFiles"),
    (sources(sysloog={"facilityNames": ["auth"]}), "RUL113", "did you mean 'syslog'"),
    (sources(journal={"streams": ["Syslog"]}), "RUL111", "'Syslog'"),
    ({"dataSources": {"syslog": {"facilityNames": ["auth"]}}}, "RUL104", "a list"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "part"), MISTAKES)
def test_a_mistake_says_where(text: Any, code: str, part: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        checked(text)
    assert caught.value.code == code
    assert part in caught.value.render()


def test_all_kinds_of_data_sources() -> None:
    entries = {
        "performanceCounters": {**DISK, "samplingFrequencyInSeconds": 15, "scheduledTransferPeriod": "PT1M"},
        "syslog": {"name": "s", "streams": ["Microsoft-Syslog"], "facilityNames": ["auth"], "logLevels": ["Error"]},
        "logFiles": {
            "name": "l", "streams": ["Custom-App"], "filePatterns": ["/var/log/app/*.log"], "format": "text",
            "settings": {"text": {"recordStartTimestampFormat": "ISO 8601"}},
        },
        "windowsEventLogs": {"name": "w", "streams": ["Microsoft-Event"], "xPathQueries": ["System!*"]},
        "commands": {"name": "c", "streams": ["Custom-Disk_CL"], "commands": ["smart-health"], "intervalInSeconds": 600},
        "services": {"name": "v", "services": ["cron"]},
        "packages": {"name": "p"},
        "processes": {"name": "q", "intervalInSeconds": 60},
        "fileIntegrity": {"name": "f", "paths": ["/etc"], "roundFrequencyInSeconds": 300},
        "journal": {"name": "j", "units": ["cron.service"]},
    }  # fmt: skip
    found = checked({**APP, **sources(**entries)})
    assert list(found.content["dataSources"]) == list(entries)


def test_a_template_has_properties_around_the_rule() -> None:
    inside = {k: v for k, v in APP.items() if k != "name"}
    around = {"$schema": "x", "type": "Microsoft.Insights/dataCollectionRules", "name": "app", "location": "westeurope",
              "apiVersion": "2023-03-11", "properties": {**inside, "dataCollectionEndpointId": "…"}}  # fmt: skip
    found = checked(around)
    assert (found.name, found.flows[0].table) == ("app", "App_CL")


@pytest.mark.parametrize("name", shipped())
def test_shipped_rules_are_good(name: str) -> None:
    assert checked(load(name)).name == name


def test_files_in_json_and_yaml(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(APP))
    (tmp_path / "b.yaml").write_text("dataSources:\n  services:\n  - services: [cron]\n")
    assert load(str(tmp_path / "a.json")) == APP
    assert load(str(tmp_path / "b.yaml"))["name"] == "b"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "RUL103"), (b"a: [1", "RUL103"), (b"a: \xff", "RUL103"), (b"[1]", "RUL104"), (b"", "RUL104"),
        (b"[" * 100_000, "RUL103"), (b"a: " + b"[" * 5_000, "RUL103"), (b"- " * 20_000, "RUL103"),
        (b"a: &a [1, 2]\nb: &b [*a, *a]\nc: [*b, *b]", "RUL103"), (b" " * (rule_text.MOST_BYTES + 1), "RUL117"),
    ],
)  # fmt: skip
def test_files_that_are_no_rules(data: bytes, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read(data, "rule.yaml")
    assert caught.value.code == code


def test_an_unknown_file_names_what_is_shipped() -> None:
    with pytest.raises(WorkbenchError, match="windows_events") as caught:
        load("windows_event")
    assert caught.value.code == "RUL101"


# ---- transforms -------------------------------------------------------------------------------

SCHEMA = (
    Column("A", ScalarType.LONG), Column("B", ScalarType.STRING), Column("D", ScalarType.DYNAMIC),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kql", "names"),
    [
        ("", "A B D"), ("source", "A B D"), ("  source  ", "A B D"), ("source | where A > 1 and B has 'x'", "A B D"),
        ("source | extend C = tostring(D.x.y), N = now(), R = rand()", "A B D C N R"),
        ("source | project A, X = split(B, ',')[0]", "A X"), ("source | project-away D", "A B"),
        ("source | project-rename Q = A", "Q B D"), ("source | project-keep B, A", "A B"),
        ("source | project-reorder D", "D A B"), ("source | parse B with * 'x=' X:long ' ' *", "A B D X"),
        ("source | parse-where B with 'x' X", "A B D X"), ("source | parse-kv B as (k: string)", "A B D k"),
        ("let limit = 3; source | where A > limit", "A B D"), ("let twice = (x: long) { x * 2 }; source | extend T = twice(A)", "A B D T"),
        ("let t = source | where A > 1; t | extend Z = 1", "A B D Z"), ("source | where A in (1, 2) | where B in ('source')", "A B D"),
    ],
)  # fmt: skip
def test_what_a_transform_may(kql: str, names: str) -> None:
    found = Transform(kql, SCHEMA).output
    assert found is not None
    assert " ".join(c.name for c in found) == names


@pytest.mark.parametrize(
    ("kql", "code"),
    [
        ("source | summarize count()", "RUL201"), ("source | join source on A", "RUL201"), ("source | take 1", "RUL201"),
        ("source | sort by A", "RUL201"), ("source | mv-expand D", "RUL201"), ("union source, source", "RUL201"),
        ("source | evaluate bag_unpack(D)", "RUL201"), ("source | serialize", "RUL201"), ("print A = 1", "RUL201"),
        ("datatable(A: long) [1]", "RUL201"), ("externaldata(a: string) ['https://x.test/y']", "RUL201"),
        ("search 'x'", "RUL201"), ("source | invoke f()", "RUL201"), ("source | lookup source on A", "RUL201"),
        ("source | where A in ((source | project A))", "RUL203"), ("source | where A in (source)", "RUL203"),
        ("let t = source; source | where A in (t)", "RUL203"), ("source | extend C = toscalar(source | count)", "RUL202"),
        ("source | extend P = prev(A)", "RUL202"), ("source | extend N = row_number()", "RUL202"), ("table('source')", "RUL202"),
        ("source; source", "RUL205"), ("set notruncation; source", "RUL205"), ("Heartbeat", "KQL102"), ("source | where Q == 1", "KQL101"),
        ("source | where A has 1.5 +", "KQL003"), ("source | extend X = nofunction(A)", "KQL103"),
    ],
)  # fmt: skip
def test_what_a_transform_may_not(kql: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        Transform(kql, SCHEMA)
    assert caught.value.code == code, caught.value
    assert caught.value.span is not None
    assert caught.value.text == kql
