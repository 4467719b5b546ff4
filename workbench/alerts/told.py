"""What alerts tell of themselves: rows of `Alert` (one a transition, or what somebody made of it) and of `AlertRule`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from workbench.alerts.rule import Operator, Rule
from workbench.base.clock import moment
from workbench.base.dtypes import ScalarType as T

ALERT, ALERT_RULE = "Alert", "AlertRule"
SOURCE_SYSTEM = "OMS"
TYPES: dict[str, dict[str, T]] = {
    ALERT: {
        "TimeGenerated": T.DATETIME, "SourceSystem": T.STRING, "AlertName": T.STRING, "AlertSeverity": T.STRING,
        "AlertDescription": T.STRING, "AlertId": T.STRING, "AlertRuleId": T.STRING, "AlertRuleVersion": T.INT,
        "State": T.STRING, "Change": T.STRING, "ChangedBy": T.STRING, "Comments": T.STRING, "Query": T.STRING,
        "QueryExecutionStartTime": T.DATETIME, "QueryExecutionEndTime": T.DATETIME, "ThresholdOperator": T.STRING,
        "ThresholdValue": T.REAL, "Value": T.REAL, "ResultCount": T.LONG, "Dimensions": T.DYNAMIC,
        "TimeRaised": T.DATETIME, "TimeResolved": T.DATETIME, "Muted": T.BOOL, "Detail": T.STRING,
    },
    ALERT_RULE: {
        "TimeGenerated": T.DATETIME, "AlertName": T.STRING, "AlertRuleId": T.STRING, "AlertRuleVersion": T.INT,
        "Change": T.STRING, "ChangedBy": T.STRING, "Code": T.STRING, "Detail": T.STRING,
    },
}  # fmt: skip
OPERATORS = {
    Operator.GREATER_THAN: "Greater Than", Operator.GREATER_THAN_OR_EQUAL: "Greater Than or Equal",
    Operator.LESS_THAN: "Less Than", Operator.LESS_THAN_OR_EQUAL: "Less Than or Equal", Operator.EQUALS: "Equals",
}  # fmt: skip
"""As `ThresholdOperator` spells them."""


class AlertChange(StrEnum):
    """What a row of `Alert` is about: a transition, or what somebody made of the alert."""

    FIRED = "Fired"
    PENDING = "Pending"
    RESOLVED = "Resolved"
    ACKNOWLEDGED = "Acknowledged"
    CLOSED = "Closed"
    COMMENTED = "Commented"


class RuleChange(StrEnum):
    """What happened to a rule. `Failed`, `NoData` and `Recovered` are about its evaluation."""

    CREATED = "Created"
    CHANGED = "Changed"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    REMOVED = "Removed"
    FAILED = "Failed"
    NO_DATA = "NoData"
    RECOVERED = "Recovered"


def alert_row(
    rule: Rule,
    rule_id: str,
    version: int,
    time: int,
    change: AlertChange,
    *,
    state: str,
    alert: str = "",
    by: str = "",
    comment: str = "",
    asked: tuple[int, int] | None = None,
    value: float | None = None,
    count: int | None = None,
    dimensions: Mapping[str, str] | None = None,
    fired_at: int | None = None,
    resolved_at: int | None = None,
    muted: bool = False,
    detail: str = "",
) -> dict[str, Any]:
    """The row of `Alert`; times in µs since 1970, `asked` when the query began and ended."""
    began, ended = asked or (None, None)
    return {
        "TimeGenerated": moment(time), "SourceSystem": SOURCE_SYSTEM, "AlertName": rule.name,
        "AlertSeverity": rule.severity.value, "AlertDescription": rule.description, "AlertId": alert,
        "AlertRuleId": rule_id, "AlertRuleVersion": version, "State": state, "Change": change.value, "ChangedBy": by,
        "Comments": comment, "Query": rule.query, "QueryExecutionStartTime": moment(began),
        "QueryExecutionEndTime": moment(ended), "ThresholdOperator": OPERATORS[rule.operator],
        "ThresholdValue": rule.threshold, "Value": value, "ResultCount": count, "Dimensions": dict(dimensions or {}),
        "TimeRaised": moment(fired_at), "TimeResolved": moment(resolved_at), "Muted": muted, "Detail": detail,
    }  # fmt: skip


def rule_row(
    name: str, rule_id: str, version: int, time: int, change: RuleChange, *, by: str = "", code: str = "", detail: str = ""
) -> dict[str, Any]:  # fmt: skip
    """The row of `AlertRule`."""
    return {
        "TimeGenerated": moment(time), "AlertName": name, "AlertRuleId": rule_id, "AlertRuleVersion": version,
        "Change": change.value, "ChangedBy": by, "Code": code, "Detail": detail,
    }  # fmt: skip
