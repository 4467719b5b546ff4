"""Log search alert rules of Azure: resources `Microsoft.Insights/scheduledQueryRules` of an ARM template, in JSON.

Both forms are read: that of 2021-08-01 and later (`criteria`), and that of 2018-04-16 (`source`, `schedule`, `action`).
Parameters are taken by their default values (`arm_expressions`). Which machines a rule is for (`scopes`) is left to its query.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from workbench.alerts.importing.arm_expressions import Scope, Unresolved, resolved
from workbench.alerts.importing.imported import UNNAMED, Imported, checked, kept, name_of
from workbench.alerts.phrases import seconds_of
from workbench.alerts.rule import Dimension, Measure, Operator, Rule, Severity, Violations
from workbench.base.diagnostics import alerts as diagnostics

_TYPE = "microsoft.insights/scheduledqueryrules"
_OPERATORS = {o.value.lower(): o for o in Operator} | {"equal": Operator.EQUALS}
_MEASURES = {m.value.lower(): m for m in Measure}
_MEANT = (
    "displayname", "description", "severity", "enabled", "evaluationfrequency", "windowsize", "overridequerytimerange",
    "criteria", "muteactionsduration", "actions", "automitigate", "scopes", "targetresourcetypes",
    "checkworkspacealertsstorageconfigured", "skipqueryvalidation", "ruleresolveconfiguration", "source", "schedule", "action",
    "provisioningstate", "lastupdatedtime",
)  # fmt: skip
_AGGREGATED = "AggregatedValue"
E = TypeVar("E")


def all_imported(found: Any) -> list[Imported]:
    """Every log search alert rule of a template, or of a list of resources.

    Raises
    ------
    WorkbenchError
        ALR121 to ALR124, KQL….

    Examples
    --------
    >>> criterion = {"query": "Heartbeat", "timeAggregation": "Count", "operator": "LessThan", "threshold": 1}
    >>> resource = {"type": "Microsoft.Insights/scheduledQueryRules", "name": "[parameters('n')]", "properties": {
    ...     "severity": 1, "evaluationFrequency": "PT5M", "windowSize": "PT10M", "criteria": {"allOf": [criterion]}}}
    >>> made = all_imported({"parameters": {"n": {"defaultValue": "silent"}}, "resources": [resource]})[0]
    >>> made.rule.name, made.rule.operator.value, made.rule.window
    ('silent', 'LessThan', 600)
    """
    made = [rule for resource, scope in _resources(found, Scope({}, {})) for rule in _rules(resource, scope)]
    if not made:
        raise diagnostics.no_resource()
    return made


def _resources(found: Any, scope: Scope) -> Iterator[tuple[Mapping[str, Any], Scope]]:
    if isinstance(found, list):
        for item in found:
            yield from _resources(item, scope)
    elif isinstance(found, Mapping):
        if str(found.get("type", "")).lower() == _TYPE and isinstance(found.get("properties"), Mapping):
            yield found, scope
            return
        # A template, or what wraps one: a policy has parameters of its own around it.
        if isinstance(found.get("parameters"), Mapping) or isinstance(found.get("resources"), list):
            scope = Scope.of(found, scope if scope.parameters or scope.outer else None)
        for value in found.values():
            yield from _resources(value, scope)


def _rules(resource: Mapping[str, Any], scope: Scope) -> Iterator[Imported]:
    told = _Told(resource, scope)
    if "copy" in resource:
        told.remarks.append("copy is left out: one rule is made of the resource")
    if told.read("criteria", {}):
        yield from _of_2021(told)
    elif told.read("source", {}):
        yield _of_2018(told)
    else:
        raise diagnostics.missing_part("criteria, and no source")


class _Told:
    """The properties of one resource; each is worked out when it is asked for."""

    def __init__(self, resource: Mapping[str, Any], scope: Scope) -> None:
        self._properties = {k.lower(): v for k, v in resource["properties"].items()}
        self._scope = scope
        self.remarks = [
            f"{k} is not known here and was left out"
            for k in resource["properties"]
            if k.lower() not in _MEANT
        ]
        self.name = self.soft("name", resource.get("name"), "")

    def read(self, key: str, usual: Any = None) -> Any:
        """A property that the rule needs; ALR123 where it can't be told."""
        value = self._properties.get(key.lower())
        try:
            found = resolved(value, self._scope)
        except Unresolved as why:
            raise diagnostics.not_resolved(key, str(why)) from None
        return usual if found is None or found == "" else found

    def soft(self, key: str, value: Any, usual: Any) -> Any:
        """A value that only goes with the rule: a remark where it can't be told."""
        try:
            found = resolved(value, self._scope)
        except Unresolved as why:
            self.remarks.append(f"{key} is left out: {why}")
            return usual
        return usual if found is None else found

    def given(self, key: str, usual: Any) -> Any:
        return self.soft(key, self._properties.get(key.lower()), usual)

    def common(self) -> dict[str, Any]:
        """What both forms have."""
        name = str(self.given("displayName", "") or self.name)
        for key in ("scopes", "targetResourceTypes"):
            if self._properties.get(key.lower()):
                self.remarks.append(f"{key} is left out: the rule looks at all records that its query finds")
        # The rules of 2018 were stateless: without the setting they fire each time.
        resolve = self.given("autoMitigate", "criteria" in self._properties)
        return {
            "name": name_of(name) or _unnamed(self),
            "description": str(self.given("description", "")).strip(),
            "enabled": _flag(self.given("enabled", True)),
            "auto_resolve": _flag(resolve),
        }


def _of_2021(told: _Told) -> Iterator[Imported]:
    criteria = told.read("criteria")
    listed = criteria.get("allOf") or []
    if not listed:
        raise diagnostics.missing_part("criteria.allOf")
    frequency = _span(told, "evaluationFrequency")
    window = _span(told, "windowSize", frequency)
    override = _span(told, "overrideQueryTimeRange", 0)
    if override > window:
        told.remarks.append(
            "overrideQueryTimeRange is left out: the query's own ago() reads beyond the window here"
        )
    resolving = told.given("ruleResolveConfiguration", {})
    if isinstance(resolving, Mapping) and resolving.get("timeToResolve"):
        told.remarks.append(
            "ruleResolveConfiguration is left out: a rule is resolved by its first evaluation that is not violated"
        )
    actions = told.given("actions", {})
    actions = actions if isinstance(actions, Mapping) else {}
    if len(listed) > 1:
        told.remarks.append(
            f"each of its {len(listed)} conditions is a rule of its own; there all of them had to hold"
        )
    common = told.common()
    common["severity"] = _severity(told.read("severity", 3))
    for number, one in enumerate(listed, 1):
        remarks = list(told.remarks)
        periods = one.get("failingPeriods") or {}
        measure = _word(one.get("timeAggregation", "Count"), _MEASURES, "timeAggregation")
        rule = Rule(
            **{**common, "name": common["name"] + (f" {number}" if len(listed) > 1 else "")},
            query=str(one.get("query") or "").strip(),
            frequency=frequency,
            window=window,
            measure=measure,
            column="" if measure is Measure.COUNT else str(one.get("metricMeasureColumn") or _AGGREGATED),
            operator=_word(one.get("operator"), _OPERATORS, "operator"),
            threshold=_number(one.get("threshold"), "threshold"),
            dimensions=_dimensions(one),
            periods=_whole(periods.get("numberOfEvaluationPeriods"), 1),
            failing=_whole(periods.get("minFailingPeriodsToAlert"), 1),
            mute=_span(told, "muteActionsDuration", 0),
            actions=_groups(actions.get("actionGroups")),
            properties=kept(actions, ("customProperties",)),
        )  # fmt: skip
        yield checked(rule, remarks)


def _of_2018(told: _Told) -> Imported:
    source, schedule, action = told.read("source"), told.read("schedule", {}), told.read("action", {})
    trigger = action.get("trigger") or {}
    metric = trigger.get("metricTrigger") or {}
    groups = action.get("aznsAction") or {}
    payload = groups.get("customWebhookPayload")
    common = told.common()
    remarks = told.remarks
    made: dict[str, Any] = {"operator": _word(trigger.get("thresholdOperator"), _OPERATORS, "thresholdOperator"),
                            "threshold": _number(trigger.get("threshold"), "threshold")}  # fmt: skip
    if metric:
        made |= _metric(metric)
    if str(source.get("queryType", "ResultCount")).lower() != "resultcount":
        remarks.append(f"queryType {source['queryType']!r} is left out")
    rule = Rule(
        **common,
        **made,
        query=str(source.get("query") or "").strip(),
        frequency=_minutes(schedule.get("frequencyInMinutes"), "frequencyInMinutes"),
        window=_minutes(schedule.get("timeWindowInMinutes"), "timeWindowInMinutes"),
        severity=_severity(action.get("severity", 3)),
        mute=60 * _whole(action.get("throttlingInMin"), 0),
        actions=_groups(groups.get("actionGroup")),
        subject=str(groups.get("emailSubject") or ""),
        payload=_payload(payload, remarks),
    )
    return checked(rule, remarks)


def _metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    """A metric measurement: so many bins, anywhere or in a row, stand so to the threshold."""
    operator = _word(metric.get("thresholdOperator"), _OPERATORS, "metricTrigger.thresholdOperator")
    count = _number(metric.get("threshold"), "metricTrigger.threshold")
    least = {Operator.GREATER_THAN: count + 1, Operator.GREATER_THAN_OR_EQUAL: count}.get(operator)
    if least is None or least < 1 or least != int(least):
        raise diagnostics.no_counterpart(
            f"metricTrigger {operator.value} {count:g}", "it counts at least so many violated bins"
        )
    consecutive = str(metric.get("metricTriggerType", "Total")).lower() == "consecutive"
    columns = [c.strip() for c in str(metric.get("metricColumn") or "").split(",") if c.strip()]
    return {
        "measure": Measure.AVERAGE,
        "column": _AGGREGATED,
        "violations": Violations(int(least), consecutive),
        "dimensions": tuple(Dimension(c) for c in columns),
    }


# ---- values -----------------------------------------------------------------------------------


def _dimensions(one: Mapping[str, Any]) -> tuple[Dimension, ...]:
    made = []
    for given in one.get("dimensions") or ():
        values = tuple(str(v) for v in given.get("values") or ())
        exclude = str(given.get("operator", "Include")).lower() == "exclude"
        made.append(
            Dimension(str(given.get("name")), () if "*" in values else values, exclude and bool(values))
        )
    column = one.get("resourceIdColumn")
    if column and column not in [d.name for d in made]:
        made.append(Dimension(str(column)))
    return tuple(made)


def _groups(found: Any) -> tuple[str, ...]:
    """Names of action groups: the last part of each resource id."""
    made = []
    for given in found if isinstance(found, list) else []:
        told = given.get("actionGroupId", "") if isinstance(given, Mapping) else given
        name = str(told or "").rstrip("/").rsplit("/", 1)[-1].strip()
        if name:
            made.append(name)
    return tuple(dict.fromkeys(made))


def _payload(found: Any, remarks: list[str]) -> Mapping[str, Any] | None:
    if not found:
        return None
    try:
        value = json.loads(found) if isinstance(found, str) else found
    except ValueError:
        value = None
    if not isinstance(value, Mapping):
        remarks.append("customWebhookPayload is left out: it is no JSON object")
        return None
    return value


def _severity(found: Any) -> Severity:
    level = _whole(found, 3)
    if not 0 <= level <= 4:
        raise diagnostics.no_counterpart(f"severity {found!r}", "it is 0 to 4")
    return list(Severity)[level]


def _span(told: _Told, key: str, usual: int | None = None) -> int:
    found = told.read(key)
    if found is None:
        if usual is None:
            raise diagnostics.missing_part(key)
        return usual
    seconds = seconds_of(str(found).upper())
    if seconds is None:
        raise diagnostics.no_counterpart(f"{key} {found!r}", "it is no span such as PT5M")
    return seconds


def _minutes(found: Any, key: str) -> int:
    if found is None:
        raise diagnostics.missing_part(f"schedule.{key}")
    return 60 * _whole(found, 0)


def _whole(found: Any, usual: int) -> int:
    try:
        return usual if found in (None, "") else int(float(found))
    except (TypeError, ValueError, OverflowError):
        raise diagnostics.no_counterpart(
            f"the value {str(found)[:60]!r}", "a whole number is needed there"
        ) from None


def _number(found: Any, key: str) -> float:
    try:
        return float(found)
    except (TypeError, ValueError):
        raise diagnostics.no_counterpart(f"{key} {str(found)[:60]!r}", "it is no number") from None


def _flag(found: Any) -> bool:
    return str(found).strip().lower() not in ("false", "0", "no")


def _word(found: Any, known: Mapping[str, E], key: str) -> E:
    if str(found).lower() not in known:
        raise diagnostics.no_counterpart(f"{key} {str(found)[:60]!r}", f"known are {', '.join(known)}")
    return known[str(found).lower()]


def _unnamed(told: _Told) -> str:
    told.remarks.append("the rule had no name that can be told")
    return UNNAMED
