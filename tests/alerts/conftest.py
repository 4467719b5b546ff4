"""A workspace, its alerts over a control database, an evaluator and a clock that tests move."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from toldrows import rows

from workbench.alerts import told
from workbench.alerts.evaluating import Evaluating
from workbench.alerts.evaluator import Evaluator
from workbench.alerts.outbox import AlertOutbox
from workbench.alerts.rule import Rule
from workbench.alerts.store import Alerts
from workbench.base import clock
from workbench.base.database import Database
from workbench.collect.record_outbox import RecordOutbox
from workbench.workspace import Workspace
from workbench.workspace import open as open_workspace

BEGIN = 1_764_000_000_000_000
SECOND = 1_000_000


class Scene:
    """Rules, records that come in, and evaluations one after the other."""

    def __init__(self, folder: Path) -> None:
        self.workspace: Workspace = open_workspace(str(folder / "w"), create=True)
        self.database = Database.open(folder)
        records = RecordOutbox(self.database, told.TYPES)
        self.alerts = Alerts(records, AlertOutbox(self.database), "w")
        self.taking_in_since = 0
        self.evaluator = Evaluator(
            self.alerts, Evaluating(self.workspace.source), lambda: self.taking_in_since
        )
        self.now = BEGIN
        clock._frozen = BEGIN * 10

    def until(self, moment: int) -> None:
        self.now = moment
        clock._frozen = moment * 10

    def put(self, query: str = "E", name: str = "R", **more: Any) -> Rule:
        rule = Rule(name, query, **{"frequency": 60, "window": 60, **more})
        self.alerts.put(rule, "ada")
        self.until(self.now + SECOND)  # what comes now came after it was made
        return rule

    def come(self, *records: dict[str, Any], table: str = "E", late: float = 0) -> None:
        """Records come in now; they happened `late` seconds ago."""
        happened = dt.datetime.fromtimestamp(self.now / SECOND - late, dt.UTC)
        self.workspace.ingest(table, [{"TimeGenerated": happened, **r} for r in records or [{}]])
        self.until(self.now + SECOND)

    def evaluate(self) -> list[str]:
        """Wait for the next due moment, evaluate; the changes that `Alert` tells since before."""
        seen = len(self.told())
        due = self.evaluator.next_due()
        assert due is not None
        self.until(max(self.now, due))
        assert self.evaluator.turn() >= 1
        return [r["Change"] for r in self.told()[seen:]]

    def told(self, table: str = told.ALERT) -> list[dict[str, Any]]:
        return rows(self.alerts.records, table)

    def notices(self) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            found = connection.execute(sa.text("SELECT notice FROM alert_notices ORDER BY id")).scalars()
            return [json.loads(n) for n in found]

    def conditions(self) -> list[str]:
        return [n["condition"] for n in self.notices()]

    def shown(self, name: str = "R") -> dict[str, Any]:
        return self.alerts.get(name)

    def change(self, name: str = "R", **more: Any) -> None:
        self.alerts.put(dataclasses.replace(self.alerts.rule(name), **more), "ada")


@pytest.fixture
def scene(control_place: Path) -> Iterator[Scene]:
    with clock.frozen(0):
        yield Scene(control_place)


def names(found: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return [one[key] for one in found]
