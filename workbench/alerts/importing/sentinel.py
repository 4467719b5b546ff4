"""Sentinel analytics rules (YAML of kind Scheduled or NRT), unchanged.

A Sentinel rule fires anew at each evaluation that has results and is never resolved by itself, so these don't either. Its
severities have no Critical: High is Error, Medium Warning, Low Informational, Informational Verbose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.alerts.importing.imported import Imported, checked, kept, name_of
from workbench.alerts.phrases import seconds_of
from workbench.alerts.rule import Operator, Rule, Severity
from workbench.base.diagnostics import alerts as diagnostics

_OPERATORS = {
    "gt": Operator.GREATER_THAN, "greaterthan": Operator.GREATER_THAN, "lt": Operator.LESS_THAN,
    "lessthan": Operator.LESS_THAN, "eq": Operator.EQUALS, "equal": Operator.EQUALS,
}  # fmt: skip
_SEVERITIES = {
    "high": Severity.ERROR, "medium": Severity.WARNING, "low": Severity.INFORMATIONAL, "informational": Severity.VERBOSE,
}  # fmt: skip
_MINUTE = 60
_MEANT = (
    "name", "displayName", "description", "severity", "kind", "enabled", "query", "queryFrequency", "queryPeriod",
    "triggerOperator", "triggerThreshold", "entityMappings", "eventGroupingSettings", "suppressionDuration",
    "suppressionEnabled", "alertDetailsOverride", "incidentConfiguration", "status",
)  # fmt: skip
_KEPT = (
    "id", "version", "tactics", "relevantTechniques", "techniques", "subTechniques", "tags", "requiredDataConnectors",
    "sentinelEntitiesMappings", "customDetails", "metadata", "alertRuleTemplateName", "templateVersion", "author",
    "severityOverride", "source", "support", "categories",
)  # fmt: skip
"""Goes with the rule's alerts as properties; the columns that `customDetails` names are in their records."""


def imported(found: Mapping[str, Any]) -> Imported:
    """The rule that an analytics rule's YAML says.

    Raises
    ------
    WorkbenchError
        ALR121 for a kind or a condition that can't be had here, ALR124 for what is missing, KQL… for its query.

    Examples
    --------
    >>> made = imported({"name": "r", "kind": "Scheduled", "query": "T", "queryFrequency": "1h", "queryPeriod": "P1D",
    ...                  "triggerOperator": "gt", "triggerThreshold": 3, "severity": "Low"})
    >>> made.rule.window, made.rule.threshold, made.rule.auto_resolve
    (86400, 3.0, False)
    """
    remarks = [
        f"{key} is not known here and was left out" for key in found if key not in _MEANT and key not in _KEPT
    ]
    kind = str(found.get("kind") or "Scheduled")
    if kind.lower() not in ("scheduled", "nrt"):
        raise diagnostics.no_counterpart(f"a rule of the kind {kind}", "Scheduled and NRT rules are taken")
    near_real_time = kind.lower() == "nrt"
    operator, threshold = (Operator.GREATER_THAN, 0.0) if near_real_time else _condition(found)
    for key in ("name", "query") if found.get("displayName") is None else ("query",):
        if not str(found.get(key) or "").strip():
            raise diagnostics.missing_part(key)
    frequency = _MINUTE if near_real_time else _seconds(found, "queryFrequency")
    rule = Rule(
        name=name_of(str(found.get("displayName") or found.get("name"))),
        description=str(found.get("description") or "").strip().strip("'").strip(),
        query=str(found["query"]).strip(),
        frequency=frequency,
        window=_MINUTE if near_real_time else _seconds(found, "queryPeriod"),
        operator=operator,
        threshold=threshold,
        per_row=_per_row(found),
        severity=_severity(found, remarks),
        mute=_mute(found),
        auto_resolve=False,
        entities=tuple(found.get("entityMappings") or ()),
        properties=kept(found, _KEPT),
        enabled=bool(found.get("enabled", True)),
    )
    _remark(found, remarks)
    return checked(rule, remarks)


def _condition(found: Mapping[str, Any]) -> tuple[Operator, float]:
    word, threshold = str(found.get("triggerOperator", "gt")).lower(), found.get("triggerThreshold", 0)
    try:
        number = float(threshold)
    except (TypeError, ValueError):
        raise diagnostics.no_counterpart(f"the triggerThreshold {threshold!r}", "it is no number") from None
    if word in ("ne", "notequal"):
        if number == 0:  # a count is never below 0
            return Operator.GREATER_THAN, 0.0
        raise diagnostics.no_counterpart(
            f"triggerOperator {word} {number:g}", "a count is compared by >, <, or =="
        )
    if word not in _OPERATORS:
        raise diagnostics.no_counterpart(
            f"triggerOperator {word[:40]!r}", f"known are {', '.join(_OPERATORS)}, ne"
        )
    return _OPERATORS[word], number


def _seconds(found: Mapping[str, Any], key: str) -> int:
    given = found.get(key)
    if given is None:
        raise diagnostics.missing_part(key)
    seconds = seconds_of(str(given).upper() if str(given).upper().startswith("P") else str(given))
    if not seconds:
        raise diagnostics.no_counterpart(f"{key} {given!r}", "it is no span such as 5m or PT5M")
    return seconds


def _severity(found: Mapping[str, Any], remarks: list[str]) -> Severity:
    word = str(found.get("severity", "Medium"))
    if word.lower() not in _SEVERITIES:
        remarks.append(f"the severity {word!r} is not known here; it is taken as Medium")
    return _SEVERITIES.get(word.lower(), Severity.WARNING)


def _per_row(found: Mapping[str, Any]) -> bool:
    settings = found.get("eventGroupingSettings") or {}
    return str(settings.get("aggregationKind", "")).lower() == "alertperresult"


def _mute(found: Mapping[str, Any]) -> int:
    if not found.get("suppressionEnabled"):
        return 0
    return seconds_of(str(found.get("suppressionDuration") or "5h")) or 0


def _remark(found: Mapping[str, Any], remarks: list[str]) -> None:
    override = found.get("alertDetailsOverride") or {}
    if override:
        remarks.append(
            f"alertDetailsOverride ({', '.join(sorted(override))}) is not applied: alerts have the rule's own name, text and severity"
        )
    grouping = (found.get("incidentConfiguration") or {}).get("groupingConfiguration") or {}
    if grouping.get("enabled"):
        remarks.append("incidentConfiguration is left out: alerts are not grouped into incidents here")
    if str(found.get("status", "Available")).lower() not in ("available", "experimental"):
        remarks.append(f"status {found['status']!r} is left out")
