"""Reading: files are skipped by time, filters and columns reach the reader, order and groups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from workbench.base.errors import WorkbenchError
from workbench.repository.deltalog import DeltaLog, FileEntry
from workbench.repository.tables import Repository

At = Callable[..., dt.datetime]


def micros(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


@pytest.fixture
def days(repository: Repository, at: At) -> Repository:
    """Six files: three days with one at 1 h and one at 20 h, appended out of order."""
    for hour in (20, 68, 1, 44, 49, 25):
        frame = pl.DataFrame({"TimeGenerated": [at(hour + 0.5), at(hour)], "Hour": [hour, hour]})
        repository.append("T", frame.with_columns(Span=pl.duration(hours="Hour")))
    return repository


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (None, None, [1, 20, 25, 44, 49, 68]),
        (24, None, [25, 44, 49, 68]),
        (None, 24, [1, 20]),
        (25.5, 44, [25, 44]),
        (26, 43, []),
        (20.5, 20.5, [20]),
        (1000, None, []),
    ],
)
def test_files_are_skipped_by_time(
    start: float | None, end: float | None, hours: list[int], days: Repository, at: At
) -> None:
    low = None if start is None else micros(at(start))
    high = None if end is None else micros(at(end))
    scan = days.scan("T", ["Hour"], (low, high))
    assert scan.files_total == 6
    assert scan.files_read == len(scan.files) == len(hours)
    assert scan.rows == 2 * len(hours)
    assert sorted(set(scan.lazy.collect()["Hour"])) == hours


def test_no_row_of_the_asked_time_is_missing(days: Repository, at: At) -> None:
    whole = days.scan("T").lazy.collect()
    for start in range(0, 70, 3):
        for end in range(start, 73, 7):
            inside = pl.col("TimeGenerated").is_between(at(start), at(end))
            part = days.scan("T", None, (micros(at(start)), micros(at(end)))).lazy.filter(inside).collect()
            assert part.sort("_Sequence").equals(whole.filter(inside).sort("_Sequence"))


def test_files_come_newest_first_and_rows_rise_inside(days: Repository) -> None:
    scan = days.scan("T", ["Hour", "TimeGenerated"])
    parts = [g.collect() for g in scan.groups(1)]
    assert [p["Hour"][0] for p in parts] == [68, 49, 44, 25, 20, 1]
    assert all(p["TimeGenerated"].is_sorted() for p in parts)
    assert [e.rows for e in scan.entries] == [2] * 6


def test_groups_hold_the_same_rows(days: Repository) -> None:
    scan = days.scan("T", ["_Sequence", "Span"])
    groups = scan.groups(4)
    assert len(groups) == 2
    together = pl.concat([g.collect() for g in groups])
    assert together.sort("_Sequence").equals(scan.lazy.collect().sort("_Sequence"))
    assert days.scan("T", None, (0, 0)).groups(4) == []


def test_filters_and_columns_reach_the_reader(days: Repository) -> None:
    days.append("T", pl.DataFrame({"Hour": [0.5], "hour": ["x"]}))  # widened, and a second spelling
    lazy = days.scan("T").lazy
    shown = lazy.filter((pl.col("hour") == "x") & (pl.col("Span") > dt.timedelta(1))).select("Span").explain()
    assert "FILTER" not in shown
    assert "SELECTION" in shown
    assert "PROJECT 2/" in shown


def test_a_plain_table_is_nothing_but_a_scan(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"A": [1], "B": ["x"]}))
    shown = repository.scan("T", ["A", "TimeGenerated"]).lazy.filter(pl.col("A") == 1).explain()
    assert shown.startswith("Parquet SCAN")


def test_columns_come_as_asked_with_their_types(days: Repository) -> None:
    scan = days.scan("T", ["Span", "_Writer", "Hour", "Span"])
    assert [(c.name, c.type.value, c.hidden) for c in scan.schema] == [
        ("Span", "timespan", False), ("_Writer", "int", True), ("Hour", "long", False),
    ]  # fmt: skip
    assert scan.lazy.collect_schema() == {"Span": pl.Duration("us"), "_Writer": pl.Int32, "Hour": pl.Int64}


def test_no_columns_still_count(days: Repository) -> None:
    assert days.scan("T", []).lazy.select(pl.len()).collect().item() == 12


def test_unknown_names_are_told_with_a_near_one(days: Repository) -> None:
    with pytest.raises(WorkbenchError) as raised:
        days.scan("T", ["Huor"])
    assert (raised.value.code, raised.value.hint) == ("REP102", "did you mean 'Hour'?")
    with pytest.raises(WorkbenchError) as raised:
        days.scan("t")
    assert (raised.value.code, raised.value.hint) == ("REP101", "did you mean 'T'?")
    with pytest.raises(WorkbenchError, match="REP101"):
        days.schema("Nope")
    assert (days.has("T"), days.has("t")) == (True, False)


def test_an_open_repository_sees_what_another_one_does(days: Repository) -> None:
    reader = Repository.open(days.path)
    assert reader.scan("T", ["Hour"]).rows == 12
    days.append("T", pl.DataFrame({"Hour": [1], "New": ["a"]}))
    days.append("Other", pl.DataFrame({"A": [1]}))
    assert reader.tables() == ["Other", "T"]
    assert reader.scan("T", ["New"]).rows == 13
    assert reader.scan("T", ["New"]).lazy.collect()["New"].drop_nulls().to_list() == ["a"]


@pytest.mark.slow
def test_another_engine_reads_the_same_rows(days: Repository) -> None:
    """The tables are plain Delta tables: Delta's own reader agrees."""
    deltalake = pytest.importorskip("deltalake")
    found: Any = deltalake.DeltaTable(f"{days.path}/tables/T").to_pyarrow_table()
    other = pl.DataFrame(pl.from_arrow(found)).sort("_Sequence")
    assert (
        other["Hour"].to_list()
        == days.scan("T", ["Hour", "_Sequence"]).lazy.collect().sort("_Sequence")["Hour"].to_list()
    )
    assert other["_Day"].to_list() == other["TimeGenerated"].dt.date().to_list()


def test_a_column_that_widens_during_a_scan_loses_no_value(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.append("T", pl.DataFrame({"X": [1]}))
    reader = Repository.open(repository.path)
    assert reader.scan("T", ["X"]).rows == 1
    whole = DeltaLog.files

    def late(log: DeltaLog) -> tuple[FileEntry, ...]:
        monkeypatch.setattr(DeltaLog, "files", whole)
        repository.append("T", pl.DataFrame({"X": [2.5]}))
        return whole(log)

    monkeypatch.setattr(DeltaLog, "files", late)
    assert sorted(reader.scan("T", ["X"]).lazy.collect()["X"].to_list()) == [1.0, 2.5]
