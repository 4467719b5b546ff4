"""Rules of Sentinel and of Azure as they are written there: what they become, what is remarked, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.alerts.importing import read, read_file
from workbench.alerts.rule import Dimension, Measure, Operator, Severity, Violations
from workbench.base.errors import WorkbenchError

SENTINEL = """
id: 00000000-0000-0000-0000-000000000001
name: Many failed log-ins
description: |
  'More than ten in an hour.'
severity: High
requiredDataConnectors:
- connectorId: SecurityEvents
  dataTypes: [SecurityEvent]
queryFrequency: 1h
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 10
tactics: [CredentialAccess]
relevantTechniques: [T1110]
query: |
  SecurityEvent
  | where EventID == 4625
entityMappings:
- entityType: Host
  fieldMappings:
  - {identifier: HostName, columnName: Computer}
eventGroupingSettings: {aggregationKind: AlertPerResult}
suppressionEnabled: true
suppressionDuration: PT5H
customDetails: {Machine: Computer}
version: 1.0.2
kind: Scheduled
"""


def test_a_scheduled_rule_of_sentinel_needs_no_change() -> None:
    [one] = read(SENTINEL)
    rule = one.rule
    assert one.remarks == ()
    assert (rule.name, rule.severity, rule.description) == (
        "Many failed log-ins",
        Severity.ERROR,
        "More than ten in an hour.",
    )
    assert (rule.frequency, rule.window, rule.operator, rule.threshold) == (
        3600,
        86_400,
        Operator.GREATER_THAN,
        10,
    )
    assert (rule.per_row, rule.mute, rule.auto_resolve) == (True, 18_000, False)
    assert rule.entities[0]["entityType"] == "Host"
    assert rule.properties["relevantTechniques"] == ["T1110"]


def test_what_sentinel_has_and_we_do_not_is_remarked() -> None:
    more = "alertDetailsOverride: {alertDisplayNameFormat: 'On {{Computer}}'}\nrating: 5\n"
    [one] = read(SENTINEL + more)
    assert one.remarks == (
        "rating is not known here and was left out",
        "alertDetailsOverride (alertDisplayNameFormat) is not applied: alerts have the rule's own name, text and severity",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: Scheduled", "kind: Fusion", "ALR121: a rule of the kind Fusion has no counterpart here"),
        ("triggerOperator: gt", "triggerOperator: ne", "ALR121: triggerOperator ne 10"),
        ("triggerOperator: gt", "triggerOperator: like", "ALR121: triggerOperator 'like'"),
        ("triggerThreshold: 10", "triggerThreshold: many", "ALR121: the triggerThreshold 'many'"),
        ("queryFrequency: 1h\n", "", "ALR124: the rule has no queryFrequency"),
        ("queryFrequency: 1h\n", "queryFrequency: often\n", "ALR121: queryFrequency 'often'"),
        ("queryPeriod: 1d\n", "queryPeriod: 15d\n", "ALR105: over can't be '15d'"),
        ("  | where EventID", "  | wher EventID", "KQL005"),
        ("name: Many failed log-ins", "name: ''", "ALR124: the rule has no name"),
    ],
)
def test_what_would_change_the_meaning_is_refused(old: str, new: str, said: str) -> None:
    assert old in SENTINEL
    with pytest.raises(WorkbenchError) as caught:
        read(SENTINEL.replace(old, new))
    assert caught.value.render().startswith(said)


# ---- Azure ------------------------------------------------------------------------------------


def _template(properties: dict[str, Any], **more: Any) -> str:
    resource = {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": "2021-08-01",
        "name": "[concat(parameters('prefix'), '-cpu')]",
        "properties": properties,
    }
    return json.dumps(
        {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "parameters": {
                "prefix": {"type": "string", "defaultValue": "web"},
                "limit": {"defaultValue": 80},
            },
            "variables": {"every": "[format('PT{0}M', 5)]"},
            "resources": [resource],
            **more,
        }
    )


def _properties(**more: Any) -> dict[str, Any]:
    criterion = {
        "query": "Perf | where CounterName == '% Processor Time'",
        "timeAggregation": "Average",
        "metricMeasureColumn": "CounterValue",
        "dimensions": [
            {"name": "Computer", "operator": "Include", "values": ["*"]},
            {"name": "InstanceName", "operator": "Exclude", "values": ["_Total"]},
        ],
        "operator": "GreaterThan",
        "threshold": "[parameters('limit')]",
        "failingPeriods": {"numberOfEvaluationPeriods": 4, "minFailingPeriodsToAlert": 3},
    }
    return {
        "severity": "1",
        "evaluationFrequency": "[variables('every')]",
        "windowSize": "PT15M",
        "muteActionsDuration": "PT1H",
        "autoMitigate": False,
        "criteria": {"allOf": [criterion]},
        "actions": {
            "actionGroups": ["/subscriptions/x/providers/microsoft.insights/actionGroups/on-call"],
            "customProperties": {"team": "web"},
        },
        **more,
    }


def test_a_rule_of_2021() -> None:
    [one] = read(_template(_properties()))
    rule = one.rule
    assert one.remarks == ()
    assert (rule.name, rule.severity, rule.frequency, rule.window, rule.mute) == (
        "web-cpu", Severity.ERROR, 300, 900, 3600,
    )  # fmt: skip
    assert (rule.measure, rule.column, rule.threshold, rule.failing, rule.periods) == (
        Measure.AVERAGE, "CounterValue", 80, 3, 4,
    )  # fmt: skip
    assert rule.dimensions == (Dimension("Computer"), Dimension("InstanceName", ("_Total",), True))
    assert (rule.actions, rule.auto_resolve, rule.properties) == (
        ("on-call",), False, {"customProperties": {"team": "web"}},
    )  # fmt: skip


def test_a_rule_of_2018() -> None:
    properties = {
        "description": "CPU",
        "enabled": "true",
        "source": {"query": "Perf | summarize AggregatedValue = avg(CounterValue) by bin(TimeGenerated, 5m), Computer",
                   "dataSourceId": "/x", "queryType": "ResultCount"},
        "schedule": {"frequencyInMinutes": 15, "timeWindowInMinutes": 60},
        "action": {
            "severity": "2", "throttlingInMin": 30,
            "aznsAction": {"actionGroup": ["/a/on-call"], "emailSubject": "High CPU", "customWebhookPayload": '{"text": "#alertrulename"}'},
            "trigger": {"thresholdOperator": "GreaterThan", "threshold": 90,
                        "metricTrigger": {"thresholdOperator": "GreaterThan", "threshold": 2, "metricTriggerType": "Consecutive",
                                          "metricColumn": "Computer"}},
        },
    }  # fmt: skip
    [one] = read(_template(properties))
    rule = one.rule
    assert (rule.frequency, rule.window, rule.severity, rule.mute) == (900, 3600, Severity.WARNING, 1800)
    assert (rule.column, rule.threshold, rule.violations) == ("AggregatedValue", 90, Violations(3, True))
    assert (rule.dimensions, rule.subject, rule.payload) == (
        (Dimension("Computer"),), "High CPU", {"text": "#alertrulename"},
    )  # fmt: skip
    assert rule.auto_resolve is False


def test_a_template_has_as_many_rules_as_it_has() -> None:
    inner = json.loads(_template(_properties(scopes=["/x"])))
    text = json.dumps({"resources": [{"type": "Microsoft.Resources/deployments", "properties": {"template": inner}}, *inner["resources"]],
                       "parameters": {"limit": {"defaultValue": 5}, "prefix": {"defaultValue": "db"}}, "variables": inner["variables"]})  # fmt: skip
    names = [(one.rule.name, one.rule.threshold) for one in read("/* two */" + text) if one.remarks]
    assert names == [("web-cpu", 80), ("db-cpu", 5)]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (_properties(windowSize="[parameters('none')]"), "ALR123: windowSize can't be told: the parameter 'none' has no value"),
        (_properties(windowSize="[reference('x').y]"), "reference() is known only to a deployment"),
        (_properties(windowSize="[concat('a'"), None),
        (_properties(severity=7), "ALR121: severity 7"),
        (_properties(criteria={"allOf": []}), "ALR124: the rule has no criteria.allOf"),
        ({}, "ALR124: the rule has no criteria, and no source"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_an_error(properties: dict[str, Any], said: str | None) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read(_template(properties))
    assert said is None or said in caught.value.render()


def test_what_only_goes_with_the_rule_is_remarked() -> None:
    [one] = read(_template(_properties(description="[resourceGroup().name]", novelty=1)))
    assert one.remarks == (
        "novelty is not known here and was left out",
        "description is left out: resourceGroup() is known only to a deployment",
    )


def test_a_template_without_rules_says_so() -> None:
    with pytest.raises(WorkbenchError, match="ALR122"):
        read('{"resources": []}')


def test_a_rule_without_a_name_gets_that_of_its_file(tmp_path: Path) -> None:
    text = _template(_properties()).replace("[concat(parameters('prefix'), '-cpu')]", "[parameters('none')]")
    (tmp_path / "High CPU.json").write_text(text)
    assert [one.rule.name for one in read_file(tmp_path / "High CPU.json")] == ["High CPU"]


def test_our_own_text_is_one_of_the_formats() -> None:
    assert read("name: r\nquery: T")[0].rule.query == "T"
