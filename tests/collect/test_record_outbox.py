"""Records told in a transaction of the control database: stored once, whatever ends in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from workbench.base.database import Database
from workbench.base.dtypes import ScalarType as T
from workbench.collect.intake import Intake
from workbench.collect.record_outbox import RecordOutbox
from workbench.query.run import run
from workbench.repository.tables import Repository
from workbench.workspace import StoredTables

TYPES = {"Job": {"TimeGenerated": T.DATETIME, "JobId": T.STRING, "Attempt": T.INT}}


class Place:
    def __init__(self, folder: Path, control: Path) -> None:
        self.repository = Repository.open(str(folder), create=True)
        self.spool = self.repository.open_spool()
        self.intake = Intake(self.repository, self.spool)
        self.outbox = RecordOutbox(Database.open(control), TYPES)

    def tell(self, *ids: str) -> None:
        rows = [{"TimeGenerated": "2026-11-28T09:00:00Z", "JobId": i, "Attempt": 1} for i in ids]
        with self.outbox.database.begin() as connection:
            self.outbox.add(connection, "Job", rows)

    def stored(self) -> list[str]:
        if not self.repository.has("Job"):
            return []
        return run("Job | sort by JobId asc", StoredTables(self.repository)).frame["JobId"].to_list()


@pytest.fixture
def place(control_place: Path, tmp_path: Path) -> Place:
    return Place(tmp_path / "workspace", control_place)


def test_what_was_told_is_stored_and_struck_off(place: Place) -> None:
    place.tell("1", "2")
    place.tell("3")
    assert place.outbox.waiting() == 3
    assert place.outbox.drain(place.intake) == 3
    assert (place.stored(), place.outbox.waiting()) == (["1", "2", "3"], 0)
    assert place.outbox.drain(place.intake) == 0


def test_who_waits_for_news_is_woken_when_it_can_be_seen(place: Place) -> None:
    outbox = place.outbox
    with outbox.database.begin() as connection:
        outbox.add(connection, "Job", [{"JobId": "1"}])
        assert not outbox.news.is_set()
    assert outbox.news.is_set()
    assert outbox.drain(place.intake) == 1


def test_a_transaction_that_is_undone_tells_nothing(place: Place) -> None:
    def undone() -> None:
        with place.outbox.database.begin() as connection:
            place.outbox.add(connection, "Job", [{"JobId": "1"}])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert not place.outbox.news.is_set()
    assert place.outbox.drain(place.intake) == 0


def test_what_was_stored_and_not_struck_off_is_not_stored_again(place: Place) -> None:
    place.tell("1", "2")
    with place.outbox.database.read() as connection:
        rows = connection.execute(text("SELECT id, target, record FROM record_outbox ORDER BY id")).all()
    place.outbox.drain(place.intake)
    # As if the process had died behind the intake's answer: the rows are there still.
    with place.outbox.database.begin() as connection:
        for row in rows:
            connection.execute(
                text("INSERT INTO record_outbox VALUES (:id, :target, :record)"), row._asdict()
            )
    place.tell("3")
    place.outbox.drain(place.intake)
    assert (place.stored(), place.outbox.waiting()) == (["1", "2", "3"], 0)


def test_a_database_made_anew_is_not_taken_for_the_old_one(place: Place, tmp_path: Path) -> None:
    place.tell("1")
    place.outbox.drain(place.intake)
    with place.outbox.database.begin() as connection:
        for table in ("record_outbox", "record_outbox_identity"):
            connection.execute(text(f"DROP TABLE {table}"))
    place.outbox = RecordOutbox(place.outbox.database, TYPES)
    place.tell("2")
    place.outbox.drain(place.intake)
    assert place.stored() == ["1", "2"]
