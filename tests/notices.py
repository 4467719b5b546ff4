"""Notices of alerts made by hand, for tests of what becomes of them."""

from __future__ import annotations

import dataclasses
from typing import Any

from workbench.alerts.notice import FIRED, RESOLVED, Notice

AT = 1_594_303_489_996_450
"""2020-07-09T14:04:49.996450Z."""
RULE = {
    "name": "AcmeRule", "query": "SecurityEvent\n| where EventID == 4625", "description": 'Too many "bad" log-ons',
    "severity": "Error", "every": "5m", "over": "10m", "when": "count > 2", "split by": ["Computer"],
}  # fmt: skip
COLUMNS = (("TimeGenerated", "datetime"), ("Computer", "string"), ("EventID", "int"), ("Note", "string"))


def notice(key: str = "r1/d1/Fired/7", *groups: str, rows: int = 3, **changes: Any) -> Notice:
    """One that fired, with that many records; `rule` adds to its rule."""
    records = tuple(
        (f"2020-07-09T14:0{n % 10}:00.0000000Z", "web01", 4625, f"record {n}") for n in range(rows)
    )
    made = Notice(
        key, "alert-1", FIRED, {**RULE, **changes.pop("rule", {})}, "r1", 3, "workspace-1", AT, None,
        AT - 600_000_000, AT, float(rows), {"Computer": "web01"}, rows, COLUMNS, records, groups or ("ops",),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def resolved(key: str = "r1/d1/Resolved/8", *groups: str, **changes: Any) -> Notice:
    return dataclasses.replace(
        notice(key, *groups, rows=0), condition=RESOLVED, resolved_at=AT + 300_000_000, **changes
    )
