"""What the panel of alerts asks: rules and how their evaluations went, alerts and what people made of them, and texts of
rules that are being written.

Questions of the channel in, objects of JSON out, asked of the workspace's service with the owner's token, as
`automation` does; only what is wrong in a text is found here, over the tables that the kernel knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.alerts import reading
from workbench.alerts.binding import columns
from workbench.alerts.lint import lint
from workbench.alerts.phrases import when_text
from workbench.alerts.rule import Rule
from workbench.base.diagnostics import alerting as diagnostics
from workbench.base.dtypes import ScalarType, format_datetime, parse_datetime
from workbench.base.errors import Span, WorkbenchError
from workbench.kernel_ext.automation import path_of
from workbench.query.frames import Tables
from workbench.query.language.model import Diagnostic, Severity
from workbench.server import client
from workbench.server.place import ServicePlace

Question = Mapping[str, Any]
MOST_FIRING, MOST_PAST, MOST_OF_RULE, MOST_SERIES, MOST_HISTORY = 200, 50, 20, 50, 200
_RULES, _ALERTS = path_of("alertRules"), path_of("alerts")
_RULE = (
    "name", "enabled", "state", "severity", "frequency", "window", "description", "last", "next", "value", "error",
)  # fmt: skip
_HISTORY = (
    "Alert | where AlertId == '{alert}' | top {most} by TimeGenerated asc"
    " | project TimeGenerated, Change, ChangedBy, Comments, Value, Detail"
)
_NEW = """\
name: New rule
description:
severity: Warning
query: |
  Heartbeat
every: 5m
over: 15m
when: count < 1
"""
_TICKS = 10_000_000
_NOWHERE = Span(0, 0)


# ---- what is there ------------------------------------------------------------------------------


def overview(place: ServicePlace, question: Question) -> dict[str, Any]:
    """All rules, the alerts that fire and are not closed, and the newest others; null where a service is older."""
    rules = _list(place, _RULES, "rules")
    firing = _list(place, f"{_ALERTS}?open=true&most={MOST_FIRING}", "alerts")
    newest = _list(place, f"{_ALERTS}?most={MOST_PAST}", "alerts")
    known = {alert["id"] for alert in firing or ()}
    return {
        "workspace": place.workspace,
        "rules": None if rules is None else [_kept(rule, _RULE) for rule in rules],
        "firing": firing,
        "past": None if newest is None else [alert for alert in newest if alert["id"] not in known],
    }


def _list(place: ServicePlace, path: str, name: str) -> list[dict[str, Any]] | None:
    answer = client.ask(place, "GET", path)
    if answer is not None and answer.status == 404:
        return None
    found: list[dict[str, Any]] = client.understood(place, answer)[name]
    return found


def _kept(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row.get(name) for name in names}


# ---- a rule -------------------------------------------------------------------------------------


def rule(place: ServicePlace, question: Question) -> dict[str, Any]:
    """A rule, its last evaluations (the newest last), its combinations of dimensions and its newest alerts."""
    name = str(question["rule"])
    found = client.asked(place, "GET", path_of("alertRules", name))
    series = sorted(found["series"], key=lambda one: one["state"] != "Firing")
    newest = client.asked(place, "GET", f"{_ALERTS}?{_query(rule=name, most=MOST_OF_RULE)}")["alerts"]
    return {
        **_kept(found, _RULE),
        **_terms(reading.of(found["rule"])),
        "every": found["rule"]["every"],
        "over": found["rule"]["over"],
        "text": found["text"],
        "evaluations": found["evaluations"][::-1],
        "series": series[:MOST_SERIES],
        "all_series": len(series),
        "alerts": newest,
    }


def _query(**asked: object) -> str:
    from urllib.parse import urlencode

    return urlencode(asked)


def _terms(rule: Rule) -> dict[str, Any]:
    """When it fires, in words and numbers."""
    return {
        "when": when_text(rule), "operator": rule.operator.value, "threshold": rule.threshold, "failing": rule.failing,
        "periods": rule.periods, "each_row": rule.per_row, "window": rule.window, "query": rule.query,
    }  # fmt: skip


def switch(place: ServicePlace, question: Question) -> dict[str, Any]:
    """Have a rule evaluated, or no more, or at once: `how` is enable, disable or run."""
    return client.asked(place, "POST", path_of("alertRules", str(question["rule"]), str(question["how"])))


# ---- an alert -----------------------------------------------------------------------------------


def alert(place: ServicePlace, question: Question) -> dict[str, Any]:
    """An alert, what its records tell of it, and its rule where that is still there."""
    found = client.asked(place, "GET", path_of("alerts", str(question["alert"])))
    # The id as the service gave it, since it becomes part of a query.
    answer = client.query(place, _HISTORY.format(alert=found["id"], most=MOST_HISTORY))
    tables = answer.body.get("tables") if answer is not None and isinstance(answer.body, dict) else None
    names = ("time", "change", "by", "comment", "value", "detail")
    history = [dict(zip(names, row, strict=True)) for row in (tables[0]["rows"] if tables else ())]
    kept = client.ask(place, "GET", path_of("alertRules", found["rule"]))
    known = reading.of(kept.body["rule"]) if kept is not None and kept.status == 200 else None
    return {"alert": found, "history": history, "rule": None if known is None else _terms(known)}


def respond(place: ServicePlace, question: Question) -> dict[str, Any]:
    """Acknowledge, close or comment an alert: `how`."""
    path = path_of("alerts", str(question["alert"]), str(question["how"]))
    return client.asked(place, "POST", path, {"comment": str(question.get("comment", ""))})


def behind(source: Tables, place: ServicePlace, question: Question) -> dict[str, Any]:
    """The search behind an alert: its rule's query over the window in which it fired, of its dimensions alone."""
    found = client.asked(place, "GET", path_of("alerts", str(question["alert"])))
    kept = client.asked(place, "GET", path_of("alertRules", found["rule"]))
    rule = reading.of(kept["rule"])
    fired = parse_datetime(found["fired"]) or 0
    return {
        "query": narrowed(rule, found["dimensions"], source),
        "timespan": f"{format_datetime(fired - rule.window * _TICKS)}/{format_datetime(fired)}",
    }


def narrowed(rule: Rule, dimensions: Mapping[str, str], source: Tables) -> str:
    """A rule's query with the conditions that leave one combination of its dimensions.

    Raises
    ------
    WorkbenchError
        ALR009 for a rule with parameters: a cell would ask with other values.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> print(narrowed(Rule("r", "print Computer = 'web01', n = 1"), {"Computer": 'say "hi"', "n": "1"}, FrameTables({})))
    print Computer = 'web01', n = 1
    | where Computer == "say \\"hi\\""
    | where tostring(n) == "1"
    >>> narrowed(Rule("r", "declare query_parameters(n: long); print n", parameters={"n": 1}), {}, FrameTables({}))
    Traceback (most recent call last):
    workbench.base.errors.WorkbenchError: ALR009: the query of 'r' takes its parameters from the rule, which a cell has not
    hint: ask it in a cell where they are variables: n = 1
    """
    from workbench.query.language import literals
    from workbench.query.language.candidates import written

    if rule.parameters:
        raise diagnostics.has_parameters(rule.name, rule.parameters)
    types = {c.name: c.type for c in columns(rule, source) or ()} if dimensions else {}
    text = rule.query.rstrip().rstrip(";")
    for name, value in dimensions.items():
        if types.get(name) is ScalarType.STRING:
            text += f"\n| where {literals.condition(name, value, ScalarType.STRING)}"
        else:
            text += f"\n| where tostring({written(name)}) == {literals.literal(value, ScalarType.STRING)}"
    return text


# ---- the text of a rule -------------------------------------------------------------------------


def text(place: ServicePlace, question: Question) -> dict[str, Any]:
    """The text of a rule; without one what a new rule begins with."""
    name = question.get("rule")
    return {"text": _NEW if name is None else client.asked(place, "GET", path_of("alertRules", str(name)))["text"]}  # fmt: skip


def findings(source: Tables, question: Question) -> list[dict[str, Any]]:
    """What is wrong in the text of a rule, with its place; else what is unwise in the rule, which has no place."""
    text = str(question["text"])
    try:
        found = lint(reading.read(text, source), source)
    except WorkbenchError as error:
        span = error.span if error.span is not None and error.text == text else _NOWHERE
        return [Diagnostic(span, error.code, error.message, error.hint).to_json()]
    return [
        Diagnostic(_NOWHERE, one.name, one.message, one.hint or None, Severity(one.level.value)).to_json()
        for one in found
    ]


def preview(place: ServicePlace, question: Question) -> dict[str, Any]:
    """What a rule would measure now, and when it would fire; nothing is kept."""
    text = str(question["text"])
    rule = reading.read(text)
    return {**client.asked(place, "POST", path_of("alertRules", rule.name, "test"), {"text": text}), **_terms(rule)}  # fmt: skip


def save(place: ServicePlace, question: Question) -> dict[str, Any]:
    """Make a rule of a text, or change the one that was opened.

    Raises
    ------
    WorkbenchError
        ALR008 where another rule has that name already.
    """
    text, opened = str(question["text"]), question.get("rule")
    name = reading.read(text).name
    if name != opened:
        there = client.ask(place, "GET", path_of("alertRules", name))
        if there is not None and there.status == 200:
            raise diagnostics.rule_is_there(name)
    return {"rule": client.asked(place, "PUT", path_of("alertRules", name), {"text": text})["name"]}


WAYS: dict[str, Callable[[ServicePlace, Question], Any]] = {
    "alerts": overview, "alertRule": rule, "switchRule": switch, "alert": alert, "respond": respond,
    "alertText": text, "alertPreview": preview, "saveRule": save,
}  # fmt: skip
"""The questions of the channel that a workspace's service answers."""
