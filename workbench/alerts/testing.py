"""What a rule would find now: asked like an evaluation, with nothing kept. Its window goes by the intake's clock."""

from __future__ import annotations

from typing import Any

from workbench.alerts.checks import checked
from workbench.alerts.evaluating import Evaluating, Window
from workbench.alerts.rule import Rule
from workbench.base import clock
from workbench.query.frames import Tables

SHOWN_GROUPS, SHOWN_RECORDS = 100, 10


def tested(rule: Rule, source: Tables) -> dict[str, Any]:
    """The measure of a rule now, as values of JSON.

    Raises
    ------
    WorkbenchError
        ALR0xx, and what its query is refused for.
    """
    rule = checked(rule)
    now = clock.now_us()
    answer = Evaluating(source).ask("", rule, Window(now, now - rule.window * 1_000_000, None))
    if answer.measured is None:
        assert answer.refused is not None
        raise answer.refused
    measured = answer.measured
    groups = sorted(measured.groups, key=lambda g: not g.violated)[:SHOWN_GROUPS]
    return {
        "count": measured.count, "violated": sum(g.violated for g in measured.groups),
        "start": clock.moment(now - rule.window * 1_000_000), "end": clock.moment(now),
        "groups": [
            {"dimensions": dict(g.dimensions), "value": g.value, "violated": g.violated, "count": g.count}
            for g in groups
        ],
        "columns": [{"name": n, "type": t} for n, t in measured.columns],
        "records": [list(r) for r in measured.first(SHOWN_RECORDS)],
    }  # fmt: skip
