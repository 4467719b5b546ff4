"""The services of the machine: what there is into `ConfigurationData`, what changed into `ConfigurationChange`.

Asks every manager that the machine has. One that does not answer is told as such (`Operation`, once),
and its services keep their last known states: silence is no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect.services import Service, ServiceManager, managers
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._changes import changed_marks, with_marks
from workbench.collect.sources._settings import seconds_of, texts_of
from workbench.collect.sources._turns import Turns

EVERY_SECONDS = 60.0
INVENTORY_SECONDS = 3600.0
_WATCHED = ("state", "startup", "account", "path", "runlevels", "display_name")
_COLUMNS = {
    "state": ("SvcState", "SvcPreviousState"),
    "startup": ("SvcStartupType", "SvcPreviousStartupType"),
    "account": ("SvcAccount", "SvcPreviousAccount"),
    "path": ("SvcPath", "SvcPreviousPath"),
    "runlevels": ("SvcRunlevels", "SvcPreviousRunlevels"),
    "display_name": ("SvcDisplayName", None),
}
_Known = dict[str, dict[str, Any]]


class Services:
    """Compares the services with those of the reading before.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `services` (names, all when there are none), `inventoryFrequencyInSeconds` (3600 by default).
    among : sequence of ServiceManager, optional
        The managers to ask; those of the machine by default.
    """

    def __init__(
        self,
        machine: Machine,
        settings: Settings = NO_SETTINGS,
        among: Sequence[ServiceManager] | None = None,
    ) -> None:
        self._machine = machine
        self._among = among
        self._wanted = frozenset(texts_of(settings, "services"))
        self._inventory = Turns(seconds_of(settings, "inventoryFrequencyInSeconds", INVENTORY_SECONDS))
        self._known: _Known = dict(machine.marks)
        self._away: set[str] = set()

    def collect(self) -> Iterable[Batch]:
        now = format_datetime(clock.now_ticks())
        before = self._known
        after: _Known = {}
        operations: list[Record] = []
        answered: set[str] = set()
        for manager in managers() if self._among is None else self._among:
            try:
                listed = manager.list()
            except WorkbenchError as away:
                after |= {key: known for key, known in before.items() if known["manager"] == manager.name}
                if manager.name not in self._away:
                    self._away.add(manager.name)
                    operations.append(self._operation(now, str(away)))
                continue
            self._away.discard(manager.name)
            answered.add(manager.name)
            after |= {f"{s.manager}/{s.name}": asdict(s) for s in listed if self._is_wanted(s)}
        return self._batches(now, before, after, answered, operations)

    def _is_wanted(self, service: Service) -> bool:
        return not self._wanted or service.name in self._wanted

    def _batches(
        self, now: str, before: _Known, after: _Known, answered: set[str], operations: list[Record]
    ) -> list[Batch]:
        # A manager seen for the first time brings its services along: nothing was added then.
        seen = {known["manager"] for known in before.values()}
        changes = [
            self._change(now, before.get(key), after.get(key))
            for key in sorted({*before, *after})
            if _differs(before.get(key), after.get(key))
            and (after.get(key) or before[key])["manager"] in (seen & answered)
        ]
        inventory: list[Record] = []
        if self._inventory.due():
            inventory = [self._row(now, known) for _, known in sorted(after.items())]
        tables = {"ConfigurationChange": changes, "ConfigurationData": inventory, "Operation": operations}
        batches = [Batch(table, rows) for table, rows in tables.items() if rows]
        marks = changed_marks(before, after)
        self._known = after
        return with_marks(batches, marks, "ConfigurationChange")

    def _row(self, now: str, known: dict[str, Any]) -> Record:
        return {
            "TimeGenerated": now,
            "Computer": self._machine.computer,
            "SourceComputerId": self._machine.source_computer_id,
            "ConfigDataType": "Daemons",
            "SvcName": known["name"],
            "SvcDescription": known["description"],
            "SvcController": known["manager"],
            **{_COLUMNS[field][0]: known[field] for field in _WATCHED},
        }

    def _change(self, now: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Record:
        known = after or before
        assert known is not None
        row: Record = {
            "TimeGenerated": now,
            "Computer": self._machine.computer,
            "SourceComputerId": self._machine.source_computer_id,
            "ConfigChangeType": "Daemons",
            "ChangeCategory": "Modified" if before and after else "Added" if after else "Removed",
            "SvcName": known["name"],
            "SvcDisplayName": known["display_name"],
            "SvcController": known["manager"],
            "Previous": before["state"] if before else "",
            "Current": after["state"] if after else "",
        }
        changed = [f for f in _WATCHED if before and after and before.get(f) != after.get(f)]
        if changed:
            row["FieldsChanged"] = ", ".join(_COLUMNS[field][0] for field in changed)
        for field in _WATCHED:
            current, previous = _COLUMNS[field]
            row[current] = known[field] if after else row.get(current, "")
            if before and previous:
                row[previous] = before[field]
        return row

    def _operation(self, now: str, why: str) -> Record:
        return {
            "TimeGenerated": now,
            "Computer": self._machine.computer,
            "OperationCategory": "Services",
            "OperationStatus": "Error",
            "Detail": f"services could not be listed and count as they were last known: {why}",
        }


def _differs(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    if before is None or after is None:
        return before is not after
    return any(before.get(field) != after.get(field) for field in _WATCHED)


CARD = SourceCard(
    "services",
    ("ConfigurationData", "ConfigurationChange", "Operation"),
    EVERY_SECONDS,
    Services,
    first_after=2,
    rule_key="services",
)
