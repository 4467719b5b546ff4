"""A running query keeps the files it reads, whatever compaction and vacuum do; a dead one keeps nothing."""

from __future__ import annotations

import datetime as dt
import gc
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable

from workbench.query.run import run
from workbench.repository.readers import Readers
from workbench.repository.tables import Repository, VacuumResult
from workbench.workspace import StoredTables

At = Callable[..., dt.datetime]

_READER = """
import sys
from workbench.repository.tables import Repository

scan = Repository.open(sys.argv[1]).scan("T", ["N"])
print("open", flush=True)
sys.stdin.readline()
print(scan.lazy.collect()["N"].sum(), flush=True)
sys.stdin.readline()
"""


def fill(repository: Repository, at: At, first: int) -> None:
    for n in range(first, first + 4):
        repository.append("T", pl.DataFrame({"TimeGenerated": [at(n)], "N": [n]}))


def leases(repository: Repository) -> list[str]:
    folder = Path(repository.path, "state", "readers")
    return [p.name for p in folder.iterdir() if not p.name.endswith(".lock")]


@pytest.mark.slow
def test_another_process_reads_on_while_its_files_are_replaced(repository: Repository, at: At) -> None:
    fill(repository, at, 0)
    reader = subprocess.Popen(
        [sys.executable, "-c", _READER, repository.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdin is not None
    assert reader.stdout is not None
    try:
        assert reader.stdout.readline() == "open\n"
        repository.compact("T")
        fill(repository, at, 4)
        repository.compact("T")
        done = repository.vacuum("T", 0)
        # The four files that it reads stay; so does the first compacted one, which it might have read.
        assert (done.files, done.files_read) == (0, 9)
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "6\n"
    finally:
        reader.kill()
        reader.wait()
    assert repository.vacuum("T", 0).files == 9, "the kernel freed what it held"
    assert leases(repository) == []
    assert repository.scan("T").rows == 8


@pytest.mark.slow
def test_a_scan_that_is_open_keeps_its_files_and_no_others(repository: Repository, at: At) -> None:
    fill(repository, at, 0)
    repository.compact("T")
    scan = repository.scan("T", ["N"])
    fill(repository, at, 4)
    repository.compact("T")
    # Those that were replaced before it was opened go, those after stay.
    assert repository.vacuum("T", 0).files == 4
    assert sorted(scan.lazy.collect()["N"]) == [0, 1, 2, 3]
    del scan
    gc.collect()
    assert repository.vacuum("T", 0).files == 5


def test_a_scan_of_another_table_keeps_nothing(repository: Repository, at: At) -> None:
    fill(repository, at, 0)
    repository.append("Other", pl.DataFrame({"A": [1]}))
    scan = repository.scan("Other")
    repository.compact("T")
    assert repository.vacuum("T", 0).files == 4
    assert scan.rows == 1


def test_files_are_kept_where_the_log_of_their_time_is_gone(repository: Repository, at: At) -> None:
    fill(repository, at, 0)
    scan = repository.scan("T", ["N"])
    repository.compact("T")
    # As Delta does it itself after a month: the versions before a checkpoint go.
    folder = Path(repository.path, "tables", "T")
    DeltaTable(folder).create_checkpoint()
    (folder / "_delta_log" / "00000000000000000005.json").unlink()
    repository = Repository.open(repository.path)
    assert repository.vacuum("T", 0).files == 0
    assert scan.lazy.collect().height == 4


class Watching(StoredTables):
    """The tables of a repository; replaces their files and vacuums when the rows are about to be read."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self.repository = repository
        self.left: list[VacuumResult] = []

    def scan(self, *given: Any) -> Any:
        scan = super().scan(*given)

        def tidy(frame: pl.DataFrame) -> pl.DataFrame:
            self.repository.compact("T")
            self.left.append(self.repository.vacuum("T", 0))
            return frame

        first = pl.LazyFrame({"N": []}, schema={"N": pl.Int64}).map_batches(tidy)
        return replace(scan, lazy=pl.concat([first, scan.lazy.select("N")]))


@pytest.mark.slow
def test_a_query_holds_its_files_while_it_runs_and_lets_go(repository: Repository, at: At) -> None:
    fill(repository, at, 0)
    source = Watching(repository)
    result = run("T | summarize sum(N) by N", source)
    assert sorted(result.frame["sum_N"]) == [0, 1, 2, 3]
    assert [(done.files, done.files_read) for done in source.left] == [(0, 4)]
    gc.collect()
    assert leases(repository) == []
    assert repository.vacuum("T", 0).files == 4


def test_what_cannot_be_written_is_read_without_a_lease(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    assert Readers(in_the_way / "readers").lease("T", 1) is None
