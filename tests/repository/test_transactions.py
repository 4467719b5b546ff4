"""Stored once, numbered without a gap, by several threads and processes, killed or not."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.repository.tables import Repository

ROOT = Path(__file__).resolve().parents[2]


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of its own that uses the repository; it answers on standard output."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_transaction_is_stored_once(repository: Repository) -> None:
    frame = pl.DataFrame({"A": [1, 2]})
    assert repository.transaction_version("T", "f") is None
    assert repository.append("T", frame, transaction=("f", 1)).stored == 2
    again = repository.append("T", frame, transaction=("f", 1))
    assert (again.stored, again.skipped) == (0, True)
    assert repository.append("T", frame, transaction=("f", 3)).stored == 2
    assert repository.append("T", frame, transaction=("f", 2)).skipped
    assert repository.append("T", frame, transaction=("g", 1)).stored == 2
    assert repository.append("U", frame, transaction=("f", 1)).stored == 2
    assert repository.transaction_version("T", "f") == 3
    assert Repository.open(repository.path).scan("T").rows == 6


def test_an_empty_transaction_counts_too(repository: Repository) -> None:
    assert not repository.append("T", pl.DataFrame(), transaction=("f", 1)).skipped
    assert repository.append("T", pl.DataFrame({"A": [1]}), transaction=("f", 1)).skipped


@pytest.mark.parametrize("transaction", [("f", 0), ("", 1), ("workbench/writer/0", 5)])
def test_a_transaction_that_cannot_be_is_refused(
    transaction: tuple[str, int], repository: Repository
) -> None:
    with pytest.raises(WorkbenchError, match="REP203"):
        repository.append("T", pl.DataFrame({"A": [1]}), transaction=transaction)
    assert not repository.has("T")


def test_another_handle_in_between_makes_no_second_copy(repository: Repository) -> None:
    other = Repository.open(repository.path)
    for version in range(1, 6):
        frame = pl.DataFrame({"A": [version]})
        assert not repository.append("T", frame, transaction=("f", version)).skipped
        assert other.append("T", frame, transaction=("f", version)).skipped
        assert not other.append("T", frame, transaction=("g", version)).skipped
        assert repository.append("T", frame, transaction=("g", version)).skipped
    assert repository.scan("T").rows == 10


@pytest.mark.slow
def test_threads_number_their_rows_without_a_gap(repository: Repository) -> None:
    def work(column: str) -> None:
        for i in range(6):
            repository.append("T", pl.DataFrame({column: [i, i]}))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("A", "a", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frame = repository.scan("T").lazy.collect()
    assert frame["_Sequence"].sort().to_list() == list(range(1, 37))
    assert {n: frame[n].drop_nulls().len() for n in ("A", "a", "B")} == {"A": 12, "a": 12, "B": 12}


RACE = """
    import sys
    import polars as pl
    from workbench.repository.tables import Repository

    path, name = sys.argv[1:]
    repository = Repository.open(path)
    print("ready", flush=True)
    sys.stdin.readline()
    stored = 0
    for version in range(1, 16):
        frame = pl.DataFrame({"V": [version] * 3, name + str(version % 4): [name] * 3, "X": [version if name == "a" else "t"] * 3})
        stored += repository.append("T", frame, transaction=("same", version)).stored
        repository.append("Own", pl.DataFrame({"By": [name] * 2}))
    print(stored, flush=True)
"""


@pytest.mark.slow
def test_processes_that_race_store_each_version_once(repository: Repository) -> None:
    children = [child(RACE, repository.path, name) for name in ("a", "b", "c")]
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    stored = [int(p.communicate("go\n", timeout=120)[0]) for p in children]
    assert [p.returncode for p in children] == [0, 0, 0]
    assert sum(stored) == 45
    frame = repository.scan("T").lazy.collect()
    assert frame["V"].value_counts()["count"].to_list() == [3] * 15
    own = repository.scan("Own", ["By", "_Writer", "_Sequence"]).lazy.collect()
    by_writer = own.sort("_Sequence").group_by("_Writer", maintain_order=True).agg("_Sequence", "By")
    assert own.height == 90
    for sequences in by_writer["_Sequence"].to_list():
        assert sequences == list(range(1, len(sequences) + 1))


KILLED = """
    import os, signal, sys
    import polars as pl
    from workbench.repository import append, deltalog, store
    from workbench.repository.tables import Repository

    path, step = sys.argv[1:]

    def die(*arguments, **named):
        os.kill(os.getpid(), signal.SIGKILL)

    repository = Repository.open(path)
    if step == "catalog":
        deltalog.DeltaLog.ensure = die
    elif step == "columns":
        append.write_file = die
    elif step == "files":
        deltalog.DeltaLog.commit = die
    elif step == "commit":
        deltalog.sync = die
    repository.append(sys.argv[2] + "New", pl.DataFrame({"A": [1], "B": ["x"], "C": [0.5]}), transaction=("f", 1)) \\
        if os.environ.get("FRESH") else \\
        repository.append("T", pl.DataFrame({"A": ["text"], "B": ["x"], "C": [0.5]}), transaction=("f", 1))
"""


@pytest.mark.slow
@pytest.mark.parametrize("fresh", [False, True], ids=["old table", "new table"])
@pytest.mark.parametrize("step", ["catalog", "columns", "files", "commit"])
def test_a_kill_between_any_two_steps_leaves_a_usable_table(
    step: str, fresh: bool, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f"{step}New" if fresh else "T"
    if fresh:
        monkeypatch.setenv("FRESH", "1")
    else:
        repository.append("T", pl.DataFrame({"A": [1]}))
    process = child(KILLED, repository.path, step)
    assert process.wait(60) == -signal.SIGKILL
    process.communicate()
    there = step == "commit"
    before = 0 if fresh else 1
    assert repository.scan(table).lazy.collect().height == before + there
    again = repository.append(
        table, pl.DataFrame({"A": ["text"], "B": ["x"], "C": [0.5]}), transaction=("f", 1)
    )
    assert again.skipped is there
    frame = repository.scan(table).lazy.collect()
    assert frame.height == before + 1
    assert frame["C"].drop_nulls().to_list() == [0.5]
    for _, own in frame.group_by("_Writer"):
        assert own["_Sequence"].sort().to_list() == list(range(1, own.height + 1))


FULL = """
    import random, resource, sys
    import polars as pl
    from workbench.base.errors import WorkbenchError
    from workbench.repository.tables import Repository

    repository = Repository.open(sys.argv[1])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), limits[1]))
    frame = pl.DataFrame({"A": [random.random() for _ in range(20_000)], sys.argv[2]: [1] * 20_000})
    try:
        repository.append("T", frame)
    except WorkbenchError as e:
        print(e.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    print(repository.append("T", frame).stored)
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", [10, 40_000], ids=["catalog", "data file"])
def test_what_the_disk_refuses_is_told_and_leaves_nothing(limit: int, repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"A": [0.5]}))
    out = child(FULL, repository.path, str(limit)).communicate(timeout=60)[0]
    assert out.split() == ["REP005", "20000"]
    scan = repository.scan("T")
    assert scan.lazy.collect().height == 20_001
    there = {str(p) for p in Path(repository.path, "tables", "T").rglob("part-*")}
    assert there == set(scan.files)


SLOT = """
    import sys
    import polars as pl
    from workbench.repository.tables import Repository

    repository = Repository.open(sys.argv[1])
    repository.append("T", pl.DataFrame({"A": [1]}))
    print(repository.scan("T", ["_Writer"]).lazy.collect()["_Writer"].to_list(), flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_each_living_process_has_a_writer_number_of_its_own(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"A": [1]}))
    first = child(SLOT, repository.path)
    assert first.stdout is not None
    assert sorted(json.loads(first.stdout.readline())) == [0, 1]
    second = child(SLOT, repository.path)
    assert second.stdout is not None
    assert sorted(json.loads(second.stdout.readline())) == [0, 1, 2]
    first.kill()
    first.communicate()
    third = child(SLOT, repository.path)
    assert sorted(json.loads(third.communicate("\n", timeout=60)[0])) == [0, 1, 1, 2]
    second.communicate("\n", timeout=60)


@pytest.mark.slow
def test_everything_outlives_a_checkpoint(repository: Repository, at: Callable[..., Any]) -> None:
    """Past a hundred commits the log is read from a checkpoint: times, transactions, rows stay."""
    repository.append(
        "T", pl.DataFrame({"TimeGenerated": ["0001-01-01T00:00:00.000001Z"]}), transaction=("f", 7)
    )
    for i in range(104):
        repository.append(
            "T", pl.DataFrame({"TimeGenerated": [at(i / 10)], "A": [i]}), {"A": ScalarType.LONG}
        )
    assert list(Path(repository.path, "tables/T/_delta_log").glob("*.checkpoint.parquet"))
    fresh = Repository.open(repository.path)
    assert fresh.transaction_version("T", "f") == 7
    assert fresh.scan("T").lazy.collect().height == 105
    assert fresh.scan("T", None, (None, 0)).files_read == 1
    assert repository.scan("T").rows == 105
    assert repository.append("T", pl.DataFrame({"A": [1]})).stored == 1
    assert fresh.scan("T", ["_Sequence"]).lazy.collect()["_Sequence"].sort().to_list() == list(range(1, 107))
