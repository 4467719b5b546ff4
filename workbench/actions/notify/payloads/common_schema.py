"""The common alert schema (`azureMonitorCommonAlertSchema`, Log Alerts V2): at most 256 KB, else without the results."""

from __future__ import annotations

from typing import Any

import orjson

from workbench.actions.notify.telling import Told, duration, moment, plain_number
from workbench.alerts.rule import Operator

MOST_BYTES = 256 << 10
OPERATORS = {
    Operator.GREATER_THAN: "GreaterThan", Operator.GREATER_THAN_OR_EQUAL: "GreaterThanOrEqual",
    # The payload says Lower where the API of rules says Less.
    Operator.LESS_THAN: "LowerThan", Operator.LESS_THAN_OR_EQUAL: "LowerThanOrEqual", Operator.EQUALS: "Equals",
}  # fmt: skip


def body(told: Told) -> dict[str, Any]:
    """The alert as values of JSON. The results stand in the condition as `searchResults` while they are small enough."""
    condition = _condition(told)
    made = _made(told, {**condition, "searchResults": {"tables": told.tables}})
    return made if len(orjson.dumps(made)) <= MOST_BYTES else _made(told, condition)


def _made(told: Told, condition: dict[str, Any]) -> dict[str, Any]:
    notice, rule = told.notice, told.rule
    essentials = {
        "alertId": notice.alert_id,
        "alertRule": rule.name,
        "severity": f"Sev{rule.severity.level}",
        "signalType": "Log",
        "monitorCondition": notice.condition,
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": [notice.workspace_id],
        "configurationItems": told.entities,
        "originAlertId": notice.alert_id,
        "firedDateTime": moment(notice.fired_at),
        "description": rule.description,
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    if notice.resolved_at is not None:
        essentials["resolvedDateTime"] = moment(notice.resolved_at)
    context = {
        "properties": dict(rule.properties) or None,
        "conditionType": "LogQueryCriteria",
        "condition": {
            "windowSize": duration(told.seconds),
            "allOf": [condition],
            "windowStartTime": told.start,
            "windowEndTime": told.end,
        },
    }
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": essentials, "alertContext": context},
    }


def _condition(told: Told) -> dict[str, Any]:
    rule = told.rule
    return {
        "searchQuery": rule.query,
        "metricMeasure": rule.column or None,
        "targetResourceTypes": "[]",
        "operator": OPERATORS[rule.operator],
        "threshold": str(plain_number(rule.threshold)),
        "timeAggregation": rule.measure.value,
        "dimensions": told.dimensions,
        "metricValue": told.notice.value,
        "failingPeriods": {
            "numberOfEvaluationPeriods": rule.periods,
            "minFailingPeriodsToAlert": rule.failing,
        },
        "linkToSearchResultsUI": told.link,
        "linkToFilteredSearchResultsUI": told.filtered_link,
        "linkToSearchResultsAPI": told.link,
        "linkToFilteredSearchResultsAPI": told.filtered_link,
    }
