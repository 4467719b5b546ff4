"""Jobs, what belongs to them and what starts them over a control database of SQLite, then of PostgreSQL; a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runbook_service import notebook

from workbench.actions.jobs import Jobs, told
from workbench.actions.runbook.automation import Automation
from workbench.actions.workers import registry
from workbench.base import clock
from workbench.base.access import Access
from workbench.base.database import Database
from workbench.collect.intake import Intake
from workbench.collect.record_outbox import RecordOutbox
from workbench.repository.tables import Repository


@pytest.fixture
def outbox(control_place: Path) -> RecordOutbox:
    return RecordOutbox(Database.open(control_place), {**told.TYPES, **registry.TYPES})


@pytest.fixture
def jobs(outbox: RecordOutbox) -> Jobs:
    return Jobs(outbox)


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Intake:
    return Intake(Repository.open(str(tmp_path_factory.mktemp("w")), create=True))


@pytest.fixture
def automation(outbox: RecordOutbox, intake: Intake, tmp_path: Path) -> Automation:
    """With a runbook `clean` that takes `days`, and `hook` that takes a `WebhookData`."""
    made = Automation(outbox, tmp_path / "jobs", intake, Access(outbox.database, "w"))
    made.library.bring("clean", notebook(parameters="days: int = 7"))
    made.library.bring("hook", notebook(parameters="site: str = ''\nWebhookData: dict = {}"))
    return made


class Hand:
    """The hand of a clock; seconds."""

    def __init__(self) -> None:
        self.ticks = 17_640_000_000_000_000

    def forward(self, seconds: float) -> None:
        self.ticks += int(seconds * 10_000_000)
        clock._frozen = self.ticks


@pytest.fixture
def hand() -> Iterator[Hand]:
    hand = Hand()
    with clock.frozen(hand.ticks):
        yield hand
