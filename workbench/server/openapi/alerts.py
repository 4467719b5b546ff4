"""What can be asked at `/api/alertRules` and `/api/alerts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.server.openapi.schemas import OBJECT, TEXT, list_of, of, shape

_RULES, _RULE = "/api/alertRules", "/api/alertRules/{name}"
_ALERTS, _ALERT = "/api/alerts", "/api/alerts/{id}"


def describe(add: Callable[..., None], asked: Callable[..., dict[str, Any]]) -> None:
    """Describe the operations by `operations._add`; `asked` makes what stands in a query string."""
    rules, alerts = "alert rules", "alerts"
    text = {**OBJECT, "description": "`text`: the rule as YAML; or the words of its text as JSON."}
    comment = shape({"comment": TEXT})
    which = [
        asked("rule", "Only those of this rule."),
        asked("open", "`true`: only those that fire and are not closed."),
        asked("most", "How many at most; 100."),
    ]
    add(rules, "reader", "get", _RULES, "listAlertRules", "The alert rules", list_of("rules", "AlertRule"))
    add(rules, "reader", "get", _RULE, "getAlertRule", "A rule, its series and its last evaluations", of("AlertRule"), mistakes="404")  # fmt: skip
    add(rules, "operator", "put", _RULE, "putAlertRule", "Make or change an alert rule", of("AlertRule"), body=text, mistakes="413")  # fmt: skip
    add(rules, "operator", "delete", _RULE, "removeAlertRule", "Remove an alert rule", shape({"name": TEXT}, ["name"]), mistakes="404")  # fmt: skip
    for verb, summary in (
        ("enable", "Evaluate a rule from now on"),
        ("disable", "Evaluate a rule no more"),
        ("run", "Evaluate a rule at once"),
    ):
        add(rules, "operator", "post", f"{_RULE}/{verb}", f"{verb}AlertRule", summary, of("AlertRule"), mistakes="404")  # fmt: skip
    add(rules, "operator", "post", f"{_RULE}/test", "testAlertRule", "What a rule would find now", of("AlertTest"), body=text, mistakes="404 413")  # fmt: skip
    add(alerts, "reader", "get", _ALERTS, "listAlerts", "Alerts, the newest first", list_of("alerts", "Alert"), asked=which)  # fmt: skip
    add(alerts, "reader", "get", _ALERT, "getAlert", "An alert", of("Alert"), mistakes="404")
    for verb, name, summary in (
        ("acknowledge", "acknowledgeAlert", "Say that somebody looks after an alert"),
        ("close", "closeAlert", "Say that an alert is dealt with"),
        ("comment", "commentAlert", "Put a comment on an alert"),
    ):
        add(alerts, "operator", "post", f"{_ALERT}/{verb}", name, summary, of("Alert"), body=comment, mistakes="404 413")  # fmt: skip
