"""Compaction, retention, vacuum: rows, transactions and open scans outlive them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from workbench.base import clock
from workbench.base.errors import WorkbenchError
from workbench.repository import compaction
from workbench.repository.tables import CompactResult, Repository

At = Callable[..., dt.datetime]
Rows = Callable[[pl.LazyFrame], list[tuple[Any, ...]]]


def fill(repository: Repository, at: At, hours: list[float], rows: int = 5) -> None:
    for number, hour in enumerate(hours):
        times = [at(hour + i / 3600) for i in range(rows)]
        frame = pl.DataFrame({"TimeGenerated": times, "Hour": [hour] * rows, f"C{number % 3}": ["x"] * rows})
        repository.append("T", frame, transaction=("file", number + 1))


def test_rows_and_transactions_stay_and_an_open_scan_survives(
    repository: Repository, at: At, rows: Rows
) -> None:
    fill(repository, at, [5, 1, 3, 30, 29])
    before = repository.scan("T")
    expected = rows(before.lazy)
    result = repository.compact("T")
    assert (result.days, result.files_before, result.files_after, result.rows) == (2, 5, 2, 25)
    after = repository.scan("T")
    assert after.files_total == 2
    assert rows(after.lazy) == expected
    assert rows(before.lazy) == expected
    assert repository.vacuum("T").files == 0
    assert rows(before.lazy) == expected
    assert repository.transaction_version("T", "file") == 5
    assert repository.append("T", pl.DataFrame({"Hour": [0.0]}), transaction=("file", 5)).skipped
    assert all(g.collect()["TimeGenerated"].is_sorted() for g in after.groups(1))


def test_a_second_compaction_has_nothing_to_do(repository: Repository, at: At) -> None:
    fill(repository, at, [1, 2, 2, 26])
    repository.compact("T")
    assert repository.compact("T") == CompactResult()


def test_large_days_become_files_that_do_not_overlap(
    repository: Repository, at: At, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TARGET_FILE_ROWS", 10)
    fill(repository, at, [1, 1.0005, 1, 7, 9, 9.0001, 2], rows=5)
    expected = rows(repository.scan("T").lazy)
    repository.compact("T")
    scan = repository.scan("T")
    assert rows(scan.lazy) == expected
    assert all(e.rows <= 15 for e in scan.entries)
    for newer, older in zip(scan.entries, scan.entries[1:], strict=False):
        assert older.end - 999 <= newer.start
    assert repository.compact("T") == CompactResult()


def test_appends_go_on_while_compacting(repository: Repository, at: At) -> None:
    fill(repository, at, [1, 2, 3])
    done = threading.Event()

    def compact() -> None:
        while not done.is_set():
            repository.compact("T")

    thread = threading.Thread(target=compact)
    thread.start()
    try:
        fill_more = [
            repository.append("T", pl.DataFrame({"TimeGenerated": [at(4)]})).stored for _ in range(15)
        ]
    finally:
        done.set()
        thread.join()
    assert sum(fill_more) == 15
    sequences = repository.scan("T", ["_Sequence"]).lazy.collect()["_Sequence"].sort().to_list()
    assert sequences == list(range(1, 31))


def test_compaction_of_unknown_table(repository: Repository) -> None:
    with pytest.raises(WorkbenchError, match="REP101"):
        repository.compact("T")


def test_retention_deletes_whole_days_that_are_older(repository: Repository, at: At, rows: Rows) -> None:
    fill(repository, at, [1, 23, 25, 49, 73])
    before = repository.scan("T", ["Hour"])
    with clock.frozen(int(at(75).timestamp()) * 10_000_000):  # the fourth day
        result = repository.retain("T", 2)
        assert (result.days, result.files, result.rows, result.before) == (1, 2, 10, "2024-01-02")
        assert repository.retain("T", 2).files == 0
    assert sorted(set(repository.scan("T", ["Hour"]).lazy.collect()["Hour"])) == [25, 49, 73]
    assert len(rows(before.lazy)) == 25
    assert repository.retention("T") == 2
    assert repository.transaction_version("T", "file") == 5
    with clock.frozen(int(at(24 * 400).timestamp()) * 10_000_000):
        assert repository.apply_retention("T").rows == 15
    assert repository.scan("T").lazy.collect().height == 0
    assert repository.append("T", pl.DataFrame({"Hour": [1.0]})).stored == 1


def test_retention_for_ever_deletes_nothing(repository: Repository, at: At) -> None:
    fill(repository, at, [1])
    repository.retain("T", 10_000_000)
    assert repository.retain("T", None).before is None
    assert repository.retention("T") is None
    assert repository.scan("T").rows == 5


@pytest.mark.parametrize("days", [0, -1, True, 1.5])
def test_retention_is_a_whole_number_of_days(days: Any, repository: Repository, at: At) -> None:
    fill(repository, at, [1])
    with pytest.raises(WorkbenchError, match="REP205"):
        repository.retain("T", days)


def test_vacuum_deletes_what_no_version_needs(repository: Repository, at: At, rows: Rows) -> None:
    fill(repository, at, [1, 2, 3])
    expected = rows(repository.scan("T").lazy)
    repository.compact("T")
    assert repository.vacuum("T", 0).files == 3
    assert rows(repository.scan("T").lazy) == expected
    with pytest.raises(WorkbenchError, match="REP206"):
        repository.vacuum("T", -1)
