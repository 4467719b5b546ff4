"""Days that leave a table for its archive: kept, listed, brought back, deleted in the end; a kill loses or doubles none."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.base import clock
from workbench.base.errors import WorkbenchError
from workbench.repository.tables import Repository, RetainResult

At = Callable[..., dt.datetime]
Rows = Callable[[pl.LazyFrame], list[tuple[Any, ...]]]
DAY = 24


def us(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def ticks(moment: dt.datetime) -> int:
    return us(moment) * 10


@pytest.fixture
def filled(repository: Repository, at: At) -> Repository:
    """Table `T` with two rows on each of five days, one of which has two files."""
    for number, hour in enumerate((1, DAY + 1, DAY + 2, 2 * DAY + 1, 3 * DAY + 1, 4 * DAY + 1)):
        frame = pl.DataFrame(
            {"TimeGenerated": [at(hour), at(hour + 12)], "N": [number, number], "port": ["a", "b"]}
        )
        repository.append("T", frame)
    return repository


def numbers(repository: Repository, table: str = "T") -> list[int]:
    return sorted(repository.scan(table, ["N"]).lazy.collect()["N"].to_list())


def test_old_days_go_to_the_archive_and_from_there_for_ever(filled: Repository, at: At) -> None:
    with clock.frozen(ticks(at(5 * DAY))):
        done = filled.retain("T", 3, 2)
        assert done == RetainResult(2, 3, 6, "2024-01-03", archived_rows=6, bytes=done.bytes)
        assert numbers(filled) == [3, 3, 4, 4, 5, 5]
        assert [(a.files, a.rows) for a in filled.archived("T")] == [(1, 2), (2, 4)]
        assert filled.apply_retention("T") == RetainResult(before="2024-01-03")
    with clock.frozen(ticks(at(6 * DAY))):
        done = filled.apply_retention("T")
        assert (done.rows, done.archived_rows, done.expired_rows) == (2, 2, 2)
        assert [a.rows for a in filled.archived("T")] == [4, 2]
    archive = Path(filled.path, "archive", "T")
    assert sum(1 for _ in archive.glob("_Day=*/*")) == 3
    with clock.frozen(ticks(at(90 * DAY))):
        done = filled.apply_retention("T")
        assert (done.rows, done.archived_rows, done.expired_rows) == (4, 0, 6)
        assert filled.archived("T") == []
    assert not list(archive.glob("_Day=*/*"))


def test_without_an_archive_nothing_is_kept_and_ending_it_deletes_it(filled: Repository, at: At) -> None:
    with clock.frozen(ticks(at(5 * DAY))):
        filled.retain("T", 3, 10)
        assert filled.retain("T", 2).archived_rows == 2, "the archive stays as it was set"
        assert filled.archive_retention("T") == 10
        done = filled.retain("T", 1, None)
        assert (done.rows, done.archived_rows, done.expired_rows) == (2, 0, 8)
        assert filled.archived("T") == []


def test_archived_files_outlive_vacuum_and_come_back(filled: Repository, at: At, rows: Rows) -> None:
    before = rows(filled.scan("T").lazy.filter(pl.col("N") < 3))
    with clock.frozen(ticks(at(5 * DAY))):
        filled.retain("T", 3, 100)
    assert filled.vacuum("T", 0).files == 3
    done = filled.restore("T", us(at(0)), us(at(2 * DAY)))
    assert (done.table, done.rows, done.files) == ("T_RST", 6, 3)
    assert rows(filled.scan("T_RST").lazy) == before
    # Again, and another range: it stands in place of the first.
    assert filled.restore("T", us(at(0)), us(at(2 * DAY))).rows == 6
    assert rows(filled.scan("T_RST").lazy) == before
    assert filled.restore("T", us(at(12)), us(at(DAY + 2))).rows == 2
    assert numbers(filled, "T_RST") == [0, 1]
    filled.compact("T_RST")
    filled.vacuum("T_RST", 0)
    assert numbers(filled, "T_RST") == [0, 1]
    assert [a.rows for a in filled.archived("T")] == [2, 4]


def test_rows_that_come_late_for_an_archived_day_follow_it(filled: Repository, at: At) -> None:
    with clock.frozen(ticks(at(5 * DAY))):
        filled.retain("T", 3, 100)
        filled.append("T", pl.DataFrame({"TimeGenerated": [at(2)], "N": [77], "Extra": [1.5]}))
        assert filled.apply_retention("T").archived_rows == 1
    filled.restore("T", us(at(0)), us(at(DAY)))
    assert numbers(filled, "T_RST") == [0, 0, 77]
    extra = filled.scan("T_RST", ["Extra"]).lazy.collect()["Extra"].to_list()
    assert sorted(extra, key=str) == [1.5, None, None]


def test_columns_that_were_widened_later_are_read_from_archived_files(filled: Repository, at: At) -> None:
    with clock.frozen(ticks(at(5 * DAY))):
        filled.retain("T", 3, 100)
        filled.append("T", pl.DataFrame({"TimeGenerated": [at(4 * DAY)], "N": [1.5]}))
    filled.restore("T", us(at(0)), us(at(DAY)))
    assert filled.scan("T_RST", ["N"]).lazy.collect()["N"].to_list() == [0.0, 0.0]


def test_what_cannot_be_restored(filled: Repository, at: At) -> None:
    with pytest.raises(WorkbenchError, match="REP209"):
        filled.restore("T", us(at(0)), us(at(DAY)))
    with clock.frozen(ticks(at(5 * DAY))):
        filled.retain("T", 3, 100)
    with pytest.raises(WorkbenchError, match="REP207"):
        filled.restore("T", us(at(0)), us(at(DAY)), "Back")
    with pytest.raises(WorkbenchError, match="REP210"):
        filled.restore("T", us(at(DAY)), us(at(DAY)))
    filled.append("Own_RST", pl.DataFrame({"A": [1]}))
    with pytest.raises(WorkbenchError, match="REP208"):
        filled.restore("T", us(at(0)), us(at(DAY)), "Own_RST")
    with pytest.raises(WorkbenchError, match="REP101"):
        filled.archived("Nowhere")


_KILLED = """
import os, signal, sys
from workbench.base import clock
from workbench.repository import archive
from workbench.repository.deltalog import DeltaLog
from workbench.repository.tables import Repository

path, step, now = sys.argv[1], sys.argv[2], int(sys.argv[3])

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

commits = 0
really = DeltaLog.commit

def commit(self, *given, **more):
    global commits
    commits += 1
    if step == f"before commit {commits}":
        die()
    really(self, *given, **more)
    if step == f"after commit {commits}":
        die()

DeltaLog.commit = commit
if step == "before the links":
    archive._link = die
with clock.frozen(now):
    Repository.open(path).apply_retention("T")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "step", ["before the links", "before commit 1", "after commit 1", "before commit 2", "after commit 2"]
)
def test_a_kill_at_any_step_leaves_each_row_in_one_place(step: str, filled: Repository, at: At) -> None:
    now = ticks(at(5 * DAY))
    everything = numbers(filled)
    with clock.frozen(ticks(at(1))):
        filled.retain("T", 3, 100)
    died = subprocess.run([sys.executable, "-c", _KILLED, filled.path, step, str(now)], check=False)
    assert died.returncode == -signal.SIGKILL
    again = Repository.open(filled.path)
    # What compaction makes of the old days meanwhile must not meet their archived files again.
    again.compact("T")
    with clock.frozen(now):
        archived = [a.rows for a in again.archived("T")]
        assert archived == ([2, 4] if step == "after commit 2" else [])
        again.apply_retention("T")
        assert [a.rows for a in again.archived("T")] == [2, 4]
    again.restore("T", us(at(0)), us(at(5 * DAY)))
    assert sorted(numbers(again) + numbers(again, "T_RST")) == everything
