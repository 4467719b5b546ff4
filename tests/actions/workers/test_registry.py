"""Workers in the control database: groups, heartbeats, silence, removal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from workbench.actions.workers import Workers
from workbench.actions.workers.registry import SILENT_SECONDS, TELL_SECONDS
from workbench.base.access import Access
from workbench.base.errors import WorkbenchError
from workbench.collect.record_outbox import RecordOutbox


@pytest.fixture
def access(outbox: RecordOutbox) -> Access:
    return Access(outbox.database, "w")


@pytest.fixture
def workers(outbox: RecordOutbox, access: Access) -> Workers:
    return Workers(outbox, access)


def told(outbox: RecordOutbox) -> list[tuple[str, int]]:
    with outbox.database.read() as connection:
        rows = connection.scalars(text("SELECT record FROM record_outbox ORDER BY id")).all()
    records = [json.loads(row) for row in rows]
    return [(r["State"], r["RunningJobs"]) for r in records]


def test_a_worker_stays_in_its_group_whatever_it_says(workers: Workers) -> None:
    number, _ = workers.enrol("web01", "onpremises")
    workers.heard(number, {"group": "default", "worker_group": "default", "name": "other"})
    assert workers.group_of(number) == "onpremises"
    assert [(w["name"], w["group"]) for w in workers.all()] == [("web01", "onpremises")]


def test_health_is_told_once_a_minute_and_when_it_changes(
    workers: Workers, outbox: RecordOutbox, hand: Any
) -> None:
    number, _ = workers.enrol("web01", "default")
    workers.heard(number, {"running": 0, "slots": 4})
    hand.forward(TELL_SECONDS / 2)
    workers.heard(number, {"running": 3, "slots": 4})
    assert workers.all()[0]["running"] == 3
    hand.forward(TELL_SECONDS / 2)
    workers.heard(number, {"running": 2, "slots": 4})
    workers.heard(number, {"running": 1, "draining": True})
    workers.heard(number, {"running": 0, "stopped": True})
    assert told(outbox) == [("Ready", 0), ("Ready", 2), ("Draining", 1), ("Stopped", 0)]


def test_a_worker_that_drains_gets_no_job(workers: Workers) -> None:
    number, _ = workers.enrol("web01", "default")
    workers.heard(number, {"draining": True})
    assert workers.group_of(number) is None
    workers.heard(number, {})
    assert workers.group_of(number) == "default"


def test_a_worker_that_is_not_heard_of_is_silent_once(
    workers: Workers, outbox: RecordOutbox, hand: Any
) -> None:
    number, _ = workers.enrol("web01", "default")
    stopped, _ = workers.enrol("web02", "default")
    workers.heard(number, {})
    workers.heard(stopped, {"stopped": True})
    hand.forward(SILENT_SECONDS)
    assert workers.look() == 0
    hand.forward(1)
    assert (workers.look(), workers.look()) == (1, 0)
    assert sorted(w["state"] for w in workers.all()) == ["Silent", "Stopped"]
    workers.heard(number, {})
    assert [state for state, _ in told(outbox)] == ["Ready", "Stopped", "Silent", "Ready"]


def test_a_removed_worker_opens_nothing(workers: Workers, access: Access) -> None:
    number, token = workers.enrol("web01", "default")
    assert access.identify(token) is not None
    workers.remove(number)
    assert access.identify(token) is None
    assert workers.all() == []
    for ask in (workers.group_of, workers.remove, lambda n: workers.heard(n, {})):
        with pytest.raises(WorkbenchError, match="JOB322"):
            ask(number)


@pytest.mark.parametrize(
    "said",
    [
        {"running": True, "slots": "4", "version": 3, "isolation": None},
        {"running": -1, "slots": 10**30, "version": "1\x00\n" + "x" * 1000},
        {"running": [1], "slots": {}, "draining": "yes", "stopped": 1},
    ],
)
def test_what_a_worker_says_is_believed_as_far_as_it_can_be_so(
    workers: Workers, said: dict[str, Any]
) -> None:
    number, _ = workers.enrol("web01", "default")
    workers.heard(number, said)
    found = workers.all()[0]
    assert (found["state"], found["running"]) == ("Ready", 0)
    assert 0 <= found["slots"] <= 10_000
    assert len(found["version"]) <= 64
    assert "\n" not in found["version"]
