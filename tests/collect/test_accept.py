"""Deliveries: stored whole, once, seen at once; what can't be stored stands beside it; the intake tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench
from workbench.base import clock
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect import fitting
from workbench.collect.batch import Batch, batch_id, take
from workbench.collect.drainer import Drainer
from workbench.collect.intake import Intake
from workbench.collect.settling import settled
from workbench.repository.tables import Repository

MINUTE = 600_000_000


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    repository = Repository.open(str(tmp_path / "w"), create=True)
    spool = repository.open_spool()
    yield Intake(repository, spool)
    spool.close()


def deliver(intake: Intake, table: str, records: list[Any], told: str = "") -> dict[str, int]:
    part, refused = take(table, records, source="me")
    batch = Batch("ingest", "me", [part] if part else [], refused, size=100)
    batch.id = batch_id("key", table, told, b"") if told else ""
    return dict(intake.accept(batch).stored)


def ask(intake: Intake, text: str) -> list[tuple[Any, ...]]:
    return workbench.open(intake.repository.path).query(text).frame.rows()


def test_good_records_and_refused_ones_are_there_at_once(intake: Intake) -> None:
    far = {"TimeGenerated": "2200-01-01T00:00:00Z", "A": 1}
    assert deliver(intake, "App", [{"A": 1}, 7, {"A": 2, "": 3}, far, {"A": "x"}]) == {"App": 2}
    assert ask(intake, "App | project A, A_s | sort by A asc nulls last") == [(1, ""), (None, "x")]
    refused = ask(intake, "_Quarantine | project Table, Code, Original, Source | sort by Original asc")
    assert [r[2] for r in refused] == ["7", '{"A":2,"":3}', '{"TimeGenerated":"2200-01-01T00:00:00Z","A":1}']
    assert {r[0] for r in refused} == {"App"}
    assert {r[3] for r in refused} == {"me"}


def test_a_delivery_is_known_again(intake: Intake) -> None:
    assert deliver(intake, "App", [{"A": 1}], "first") == {"App": 1}
    assert deliver(intake, "App", [{"A": 1}], "first") == {}
    assert deliver(intake, "App", [{"A": 1}], "second") == {"App": 1}
    assert ask(intake, "App | count") == [(2,)]


def test_a_time_that_is_missing_is_when_it_came(intake: Intake) -> None:
    with clock.frozen(MINUTE):
        deliver(intake, "App", [{"A": 1}, {"A": 2, "TimeGenerated": "1970-01-01T00:00:00Z"}])
    found = ask(intake, "App | extend i = ingestion_time() | project A, tolong(TimeGenerated - datetime(1970)), i == datetime(1970-01-01 00:01) | sort by A asc")  # fmt: skip
    assert found == [(1, MINUTE, True), (2, 0, True)]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from(["2020-01-31T23:59:59Z", "", "7"]), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "a_s", "b_d", "TimeGenerated", "_Day", "_BatchId"])
DELIVERIES = st.lists(st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=6), max_size=4)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(DELIVERIES)
def test_the_quick_way_stores_what_the_long_way_does(tmp_path_factory: pytest.TempPathFactory, deliveries: list[list[dict[str, Any]]]) -> None:  # fmt: skip
    place = tmp_path_factory.mktemp("ways")
    found = []
    with clock.frozen(clock.now_ticks()):
        for way in ("quick", "long"):
            repository = Repository.open(str(place / way), create=True)
            spool = repository.open_spool()
            for records in deliveries:
                part, _ = take("App", records, source="me")
                if part is None:
                    continue
                if way == "quick":
                    rows = fitting.rows_of(repository, part)
                else:
                    schema = repository.schema("App") if repository.has("App") else ()
                    rows = repository.placed("App", *settled(part.columns, schema, part.declared))
                spool.add([rows])
            if repository.has("App"):
                found.append(
                    (repository.schema("App"), repository.scan("App").lazy.collect().sort("_Sequence"))
                )
                repository.drain(spool)
                after = repository.scan("App").lazy.collect().sort("_Sequence")
                assert (
                    found[-1][1]
                    .with_columns(pl.col(pl.String).fill_null(""))
                    .equals(after.with_columns(pl.col(pl.String).fill_null("")))
                )
            spool.close()
    if found:
        assert set(found[0][0]) == set(found[1][0])
        names = [c.name for c in found[0][0]]
        texts = pl.col(pl.String).fill_null("")
        assert (
            found[0][1]
            .select(names)
            .with_columns(texts)
            .equals(found[1][1].select(names).with_columns(texts))
        )


def test_refusals_are_one_row_a_door_reason_and_minute(intake: Intake) -> None:
    start = clock.now_ticks() // MINUTE * MINUTE
    why = WorkbenchError("DCA403", "the signature does not fit")
    with clock.frozen(start):
        for _ in range(3):
            intake.refused("Data Collector", why)
        intake.refused("syslog", why)
        assert intake.operations.take() is None
    with clock.frozen(start + MINUTE):
        intake.refused("syslog", why)
        told = intake.operations.take()
        assert told is not None
        intake.accept(told.batches[0])
    found = ask(intake, "Operation | project OperationCategory, OperationStatus, OperationKey, Detail, Count | sort by Count desc")  # fmt: skip
    assert found == [
        ("Data Collector", "Error", "DCA403", "the signature does not fit", 3),
        ("syslog", "Error", "DCA403", "the signature does not fit", 1),
    ]


def test_a_reason_is_its_code_whatever_the_text_says(intake: Intake) -> None:
    start = clock.now_ticks() // MINUTE * MINUTE
    with clock.frozen(start):
        for column in range(5):
            why = WorkbenchError("RUL304", f"the body is no JSON: column {column}")
            intake.refused("Logs Ingestion", why)
    with clock.frozen(start + MINUTE):
        told = intake.operations.take()
        assert told is not None
        intake.accept(told.batches[0])
    found = ask(intake, "Operation | project OperationKey, Detail, Count")
    assert found == [("RUL304", "the body is no JSON: column 0", 5)]


def test_what_could_not_be_told_is_told_later(intake: Intake) -> None:
    start = clock.now_ticks() // (60 * MINUTE) * (60 * MINUTE)
    with clock.frozen(start):
        deliver(intake, "App", [{"A": 1}])
        intake.refused("syslog", WorkbenchError("LOG101", "no"))
        told = intake.operations.take(whole=True)
        assert told is not None
        intake.refused("syslog", WorkbenchError("LOG101", "no"))
        intake.operations.put_back(told)
        again = intake.operations.take(whole=True)
        assert again is not None
        for batch in again.batches:
            intake.accept(batch)
    assert ask(intake, "Operation | project OperationKey, Count") == [("LOG101", 2)]
    assert ask(intake, "Usage | project DataType, Records") == [("App", 1)]


def test_amounts_are_one_row_a_table_and_hour(intake: Intake) -> None:
    start = clock.now_ticks() // (60 * MINUTE) * (60 * MINUTE)
    with clock.frozen(start):
        deliver(intake, "App", [{"A": 1}] * 3)
        deliver(intake, "Web", [{"A": 1}])
    with clock.frozen(start + MINUTE * 61):
        told = intake.operations.take()
        assert told is not None
        intake.accept(told.batches[0])
        found = ask(intake, "Usage | project DataType, Records, Quantity, QuantityUnit, EndTime - StartTime == 1h | sort by DataType asc")  # fmt: skip
    assert found == [("App", 3, 0.0001, "MBytes", True), ("Web", 1, 0.0001, "MBytes", True)]


def test_a_kill_loses_no_amount_and_doubles_none(tmp_path: Path) -> None:
    """Before the hour is told, and between that it was stored and that this was noted."""
    repository = Repository.open(str(tmp_path / "w"), create=True)
    start = clock.now_ticks() // (60 * MINUTE) * (60 * MINUTE)
    for died in range(3):
        spool = repository.open_spool()
        intake = Intake(repository, spool)
        with clock.frozen(start + MINUTE * died):
            deliver(intake, "App", [{"A": died}] * 2)
        if died:
            with (spool.folder / "usage.jsonl").open("ab") as file:
                file.write(b'[17, "App", 9')  # a line that was not written to its end
        spool.close()  # what the process knew is gone
    for _ in range(2):
        spool = repository.open_spool()
        intake = Intake(repository, spool)
        with clock.frozen(start + MINUTE * 61):
            told = intake.operations.take()
            assert told is not None
            for batch in told.batches:
                intake.accept(batch)
        spool.close()
    with clock.frozen(start + MINUTE * 61):
        assert ask(intake, "Usage | project DataType, Records") == [("App", 6)]


def test_the_drainer_moves_what_waits_and_says_what_it_found_broken(tmp_path: Path) -> None:
    repository = Repository.open(str(tmp_path / "w"), create=True)
    spool = repository.open_spool()
    deliver(Intake(repository, spool), "App", [{"A": 1}])
    path, end = spool.segments[0].path, spool.segments[0].end
    spool.close()
    with path.open("r+b") as file:
        file.truncate(end - 3)
    spool = repository.open_spool()
    intake = Intake(repository, spool)
    told: list[str] = []
    drainer = Drainer(intake, told.extend, seconds=0.01)
    drainer.start()
    deliver(intake, "App", [{"A": 2}])
    drainer.stop()
    assert "App" in told
    assert spool.waiting_bytes == 0
    spool.close()
    assert ask(intake, "App | project A") == [(2,)]
    assert ask(intake, "Operation | project OperationCategory, OperationStatus, Count") == [
        ("Intake", "Error", 1)
    ]


@pytest.mark.parametrize("first", [[1.5], [2**70, 1], [2**63], [True], ["x"], [7, 1.5]], ids=str)
def test_a_declared_type_does_not_depend_on_what_comes_first(intake: Intake, first: list[Any]) -> None:
    for values in (first, [3]):
        part, refused = take("App", [{"N": v} for v in values], source="me", declared={"N": T.LONG})
        assert part is not None
        assert not refused
        intake.accept(Batch("ingest", "me", [part], [], size=1))
    assert {c.name: c.type for c in intake.repository.schema("App")}["N"] is T.LONG
    assert (3,) in ask(intake, "App | where isnotnull(N) | project N")
    assert ask(intake, "App | count") == [(len(first) + 1,)]


def test_a_declared_text_stays_text_also_where_it_reads_like_a_time(intake: Intake) -> None:
    time = "2026-01-31T23:59:59+02:00"
    part, _ = take("App", [{"At": time}], source="me", declared={"At": T.STRING})
    assert part is not None
    intake.accept(Batch("ingest", "me", [part], [], size=1))
    assert ask(intake, "App | project At, gettype(At)") == [(time, "string")]
