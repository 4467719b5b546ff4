"""What the panel of alerts asks: rules and how their evaluations went, alerts and what people made of them.

Questions of the channel in, objects of JSON out, asked of the workspace's service with the owner's token, as
`automation` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.kernel_ext.automation import path_of
from workbench.server import client
from workbench.server.place import ServicePlace

Question = Mapping[str, Any]
MOST_FIRING, MOST_PAST = 200, 50
_RULES, _ALERTS = path_of("alertRules"), path_of("alerts")
_RULE = (
    "name", "enabled", "state", "severity", "frequency", "window", "description", "last", "next", "value", "error",
)  # fmt: skip


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


WAYS: dict[str, Callable[[ServicePlace, Question], Any]] = {"alerts": overview}
"""The questions of the channel that a workspace's service answers."""
