"""Deliveries over a control database of SQLite, then of PostgreSQL, with a receiver on loopback that the guard lets through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import receivers
from notices import notice
from toldrows import rows

from workbench.actions.assets import told as asset_records
from workbench.actions.deliveries import ActionGroups, Deliveries, told
from workbench.actions.deliveries.queue import Policies
from workbench.actions.deliveries.sending import Sending
from workbench.actions.notify.guard import Guard
from workbench.actions.runbook.automation import Automation
from workbench.alerts.notice import Notice
from workbench.alerts.outbox import AlertOutbox
from workbench.collect.record_outbox import RecordOutbox


@dataclass
class Desk:
    """A group's deliveries, driven by a test one step at a time."""

    automation: Automation
    outbox: RecordOutbox
    groups: ActionGroups
    notices: AlertOutbox
    context: Callable[[], Any]
    policies: Policies = field(default_factory=Policies)
    deliveries: Deliveries = field(init=False)
    sending: Sending = field(init=False)

    def __post_init__(self) -> None:
        self.deliveries = Deliveries(self.notices, self.groups, self.outbox, self.policies)
        guard = Guard(self.groups.allowed, lambda _host, _port: ["127.0.0.1"], self.context)
        self.sending = Sending(self.automation, guard, "https://ops.example", self.policies)

    def add(self, *found: Notice) -> None:
        with self.notices.database.begin() as connection:
            self.notices.add(connection, found)
        self.deliveries.take()

    def turn(self) -> list[str]:
        """Try all that is due now, once; what became of each."""
        states = []
        while (delivery := self.deliveries.claim()) is not None:
            outcome = self.sending.once(
                delivery.notice, delivery.group, delivery.action, delivery.failures, delivery.remaining
            )
            state = self.deliveries.done(delivery, outcome)
            states.append(str(state and state.value))
        return states

    def told(self, *names: str) -> list[Any]:
        """Some columns of the records so far."""
        found = rows(self.outbox, told.ALERT_DELIVERY)
        return [row[names[0]] if len(names) == 1 else tuple(row[n] for n in names) for row in found]


@pytest.fixture
def certificate(tmp_path_factory: pytest.TempPathFactory) -> receivers.Certificate:
    return receivers.certificate(tmp_path_factory.mktemp("tls"), "hook.example", "mail.example", "localhost")


@pytest.fixture
def web(certificate: receivers.Certificate) -> Iterator[receivers.Web]:
    with receivers.web(certificate) as place:
        yield place


@pytest.fixture
def desk(automation: Automation, outbox: RecordOutbox, certificate: receivers.Certificate) -> Desk:
    assert asset_records.TYPES
    groups = ActionGroups(outbox.database)
    groups.allow("127.0.0.0/8", by="ada")
    return Desk(automation, outbox, groups, AlertOutbox(outbox.database), certificate.client)


def several(count: int, *groups: str) -> Sequence[Notice]:
    return [notice(f"r1/d{n}/Fired/7", *groups) for n in range(count)]
