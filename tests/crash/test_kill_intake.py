"""kill -9 at a random moment of intake, drain, compaction and vacuum: what was acknowledged is there, once.

`WORKBENCH_KILLS` says how often (`make soak`: 100), `WORKBENCH_KILL_SEED` where chance starts. Each kill is aimed at a
stage in turn; where it fell is read from what the process left, counted and printed.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from stages import AIMS, Stages, fresh

from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, take
from workbench.collect.intake import Intake
from workbench.repository.tables import Repository

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("WORKBENCH_KILLS", "3"))
SEED = int(os.environ.get("WORKBENCH_KILL_SEED", "1"))
LANES = 3
DEADLINE = 60.0 if KILLS < 20 else 900.0


class Taker:
    """The process that is killed, and what it said was stored."""

    def __init__(self, path: Path, seed: int, acknowledged: list[int], faults: Sequence[str] = ()) -> None:
        self.acknowledged = acknowledged
        said = path.with_name("stages")
        self.stages: Stages = fresh(said)
        script = str(Path(__file__).with_name("taker.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, str(path), str(seed), str(said), *faults],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(str(n + 1) for n in acknowledged) + "\n")
        self.process.stdin.flush()

    def run_until_killed(self, acknowledgements: int, aim: str, seconds: float) -> set[str]:
        """Read so many acknowledgements, wait for a stage and a little longer, kill, and read what was said before.

        Gives the stages in which the kill fell.
        """
        assert self.process.stdout is not None
        for _ in range(acknowledgements):
            line = self.process.stdout.readline()
            assert line, "it ended by itself"
            self._heard(line)
        ended = time.monotonic() + DEADLINE
        while aim not in self.stages.now():
            # Somebody has to read on, or the process waits for us.
            self._heard(self.process.stdout.readline())
            assert time.monotonic() < ended, f"no {aim} was seen"
        time.sleep(seconds)
        self.process.kill()
        for line in self.process.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                self._heard(line)
        assert self.process.wait() == -9
        return self.stages.now()

    def _heard(self, line: str) -> None:
        lane, number = map(int, line.split())
        assert number == self.acknowledged[lane] + 1
        self.acknowledged[lane] = number


def stored(path: Path) -> pl.DataFrame:
    """How many rows and batches each number of each lane has, and whether the sequence has gaps."""
    scan = Repository.open(str(path)).scan("App", ["Lane", "N", "_BatchId", "_Writer", "_Sequence"])
    rows = scan.lazy.collect()
    by_writer = rows.group_by("_Writer").agg(
        pl.len(), pl.col("_Sequence").n_unique().alias("different"), pl.col("_Sequence").max().alias("last")
    )
    for _, count, different, last in by_writer.iter_rows():
        assert count == different == last
    return (
        rows.group_by("Lane", "N")
        .agg(pl.len(), pl.col("_BatchId").n_unique().alias("batches"))
        .sort("Lane", "N")
    )


@pytest.mark.parametrize("faults", [(), ("0.1",)], ids=["a good disk", "a disk whose syncs fail"])
def test_what_was_acknowledged_is_there_once(tmp_path: Path, faults: tuple[str, ...]) -> None:
    path = tmp_path / "w"
    Repository.open(str(path), create=True)
    run(path, faults, KILLS if not faults else max(KILLS // 3, 2))


def run(path: Path, faults: Sequence[str], kills: int) -> None:
    """Start, kill and look, again and again."""
    chance = random.Random(SEED)
    acknowledged = [-1] * LANES
    before: set[tuple[int, int]] = set()
    fell: Counter[str] = Counter()
    for kill in range(kills):
        taker = Taker(path, SEED * 1000 + kill, acknowledged, faults)
        # Stages take from a millisecond to a second: short pauses must be as likely as long ones.
        pause = 0.5 * chance.random() ** 6
        fell.update(taker.run_until_killed(chance.randint(1, 200), AIMS[kill % len(AIMS)], pause))
        found = stored(path)
        there = {(lane, n) for lane, n, _, _ in found.iter_rows()}
        assert there >= before, "rows that were seen once are gone"
        before = there
        for lane, last in enumerate(acknowledged):
            numbers = found.filter(pl.col("Lane") == lane)["N"].to_list()
            # One more than was heard of can be there: its acknowledgement died with the process.
            assert numbers in (list(range(last + 1)), list(range(last + 2))), (kill, lane, last)
        assert found["batches"].to_list() == [1] * found.height
        assert (
            found.filter(pl.col("Lane") > 0)["len"].to_list() == [1] * found.filter(pl.col("Lane") > 0).height
        )
        assert set(found.filter(pl.col("Lane") == 0)["len"]) <= {1, 3, 400}
    assert min(acknowledged) > 0
    print(f"{kills} kills fell in: {', '.join(f'{stage} {count}' for stage, count in fell.most_common())}")
    assert kills < 3 * len(AIMS) or set(AIMS) <= fell.keys()


def test_a_full_disk_stops_acknowledgement_and_no_query(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        _fill(disk)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(disk: Path) -> None:
    repository = Repository.open(str(disk / "w"), create=True)
    # The second has no reserve: there it is the disk itself that refuses.
    for reserve, code in ((4 << 20, "REP302"), (-1, "REP303")):
        spool = repository.open_spool(reserve)
        intake = Intake(repository, spool)
        acknowledged = repository.scan("App").rows if repository.has("App") else 0
        more, refusal = _until_refused(intake)
        acknowledged += more
        assert refusal == code
        assert repository.scan("App", ["N"]).lazy.collect().height == acknowledged
        with contextlib.suppress(WorkbenchError):  # no room: it stays in the spool
            repository.drain(spool)
        assert repository.scan("App", ["N"]).lazy.collect().height == acknowledged
        spool.close()
    subprocess.run(["mount", "-o", "remount,size=96m", str(disk)], check=True)
    spool = repository.open_spool(-1)
    acknowledged += _post(Intake(repository, spool))
    repository.drain(spool)
    assert repository.scan("App", ["N"]).lazy.collect().height == acknowledged
    spool.close()


def _until_refused(intake: Intake) -> tuple[int, str]:
    """Rows that were acknowledged before the first refusal, and its code."""
    rows = 0
    while True:
        try:
            rows += _post(intake)
        except WorkbenchError as why:
            return rows, why.code


def _post(intake: Intake) -> int:
    part, _ = take("App", [{"N": n, "Text": os.urandom(20_000).hex()} for n in range(10)], source="test")
    assert part is not None
    return intake.accept(Batch("ingest", "test", [part])).rows
