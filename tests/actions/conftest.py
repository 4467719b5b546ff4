"""Jobs and what belongs to them over a control database of SQLite, then of PostgreSQL; a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.actions.jobs import Jobs, told
from workbench.actions.workers import registry
from workbench.base import clock
from workbench.base.database import Database
from workbench.collect.record_outbox import RecordOutbox


@pytest.fixture
def outbox(control_place: Path) -> RecordOutbox:
    return RecordOutbox(Database.open(control_place), {**told.TYPES, **registry.TYPES})


@pytest.fixture
def jobs(outbox: RecordOutbox) -> Jobs:
    return Jobs(outbox)


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
