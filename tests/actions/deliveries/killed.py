"""A sender that kills itself (-9) at one step: `python killed.py STATE-FOLDER PORT CERTIFICATE STEP`."""

from __future__ import annotations

import os
import signal
import ssl
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from workbench.actions.deliveries import ActionGroups, Deliveries, told
from workbench.actions.deliveries.queue import Policies
from workbench.actions.deliveries.sending import Sending
from workbench.actions.notify.guard import Guard
from workbench.alerts.outbox import AlertOutbox
from workbench.base.database import Database
from workbench.collect.record_outbox import RecordOutbox

STEPS = ("in the take", "taken", "claimed", "told", "in the end", "ended")
POLICIES = Policies(lease=0.0)


def desk(folder: Path, certificate: str) -> tuple[Deliveries, Sending]:
    database = Database.open(folder)
    groups = ActionGroups(database)
    deliveries = Deliveries(AlertOutbox(database), groups, RecordOutbox(database, told.TYPES), POLICIES)
    guard = Guard(
        groups.allowed, lambda _h, _p: ["127.0.0.1"], lambda: ssl.create_default_context(cafile=certificate)
    )
    automation: Any = SimpleNamespace(assets=None)  # a webhook without secrets asks for none
    return deliveries, Sending(automation, guard, "https://ops.example", POLICIES)


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, certificate: str, step: str) -> None:
    deliveries, sending = desk(Path(folder), certificate)
    if step == "in the take":
        spread = deliveries._spread
        deliveries._spread = lambda *what: die(spread(*what))  # type: ignore[method-assign,assignment,func-returns-value]
    deliveries.take()
    if step == "taken":
        die()
    delivery = deliveries.claim()
    assert delivery is not None
    if step == "claimed":
        die()
    outcome = sending.once(delivery.notice, delivery.group, delivery.action)
    if step == "told":
        die()
    if step == "in the end":
        add = deliveries.records.add
        deliveries.records.add = lambda *what: die(add(*what))  # type: ignore[method-assign,assignment,func-returns-value]
    deliveries.done(delivery, outcome)
    die()


if __name__ == "__main__":
    main(*sys.argv[1:])
