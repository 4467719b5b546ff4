"""kill -9 of a scheduler at each boundary of a firing, while another one fires: each due moment is one job.

`WORKBENCH_KILLS` says how often (`make soak`: 100), `WORKBENCH_KILL_SEED` where chance starts. Beside the one that is
killed one fires all the while, and one was stopped with a due moment in its hands and goes on when it is long past.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from runbook_service import notebook

sys.path.insert(0, str(Path(__file__).parent))
from firing import BOUNDARIES, intake_of, schedules_of

from workbench.base import clock

pytestmark = pytest.mark.slow
ROUNDS = -(-int(os.environ.get("WORKBENCH_KILLS", "1")) // len(BOUNDARIES))
KILLS = ROUNDS * len(BOUNDARIES)
SEED = int(os.environ.get("WORKBENCH_KILL_SEED", "1"))
DEADLINE = 90.0
BEGIN_US = 1_764_000_000_000_000
MINUTE_US = 60_000_000


class Scene:
    """The process that forks schedulers."""

    def __init__(self, folder: Path) -> None:
        self.fired = folder / "fired"
        self.fired.touch()
        script = str(Path(__file__).with_name("firing.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def ask(self, line: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def firings(self, pid: int) -> int:
        """How often a scheduler has fired."""
        return sum(line.startswith(f"{pid} ") for line in self.fired.read_text().splitlines())

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # one that is stopped holds the pipe
        self.process.communicate()


def wait_for(look: Callable[[], bool]) -> None:
    ends = time.monotonic() + DEADLINE
    while not look():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_each_due_moment_is_one_job_whoever_is_killed(control_place: Path) -> None:
    draw = random.Random(SEED)
    with clock.frozen(BEGIN_US * 10):
        schedules = schedules_of(control_place, intake_of(control_place))
        schedules._automation.library.bring("clean", notebook(parameters="days: int = 7"))
        asked = {"runbook": "clean", "overlap": "allow", "misfire": "all:100"}
        for name, when in (("a", "* * * * *"), ("b", "every 60s")):
            schedules.put(name, {**asked, "when": when}, "ada")
    scene = Scene(control_place)
    try:
        other = scene.ask("never 1")  # fires all the while
        for turn in range(KILLS):
            if turn % 3 == 0:
                slow = scene.ask(f"stopped {draw.randint(1, 3)}")
                wait_for(lambda slow=slow: stopped(slow))
            killed = scene.ask(f"{BOUNDARIES[turn % len(BOUNDARIES)]} {draw.randint(2, 5)}")
            assert scene.ask(f"wait {killed}") == -signal.SIGKILL
            if turn % 3 == 2:
                seen = scene.firings(other)
                wait_for(lambda seen=seen: scene.firings(other) > seen + 1)
                os.kill(slow, signal.SIGCONT)
                wait_for(lambda slow=slow: scene.firings(slow) > 3)
                os.kill(slow, signal.SIGKILL)
                assert scene.ask(f"wait {slow}") == -signal.SIGKILL
        os.kill(other, signal.SIGKILL)
        assert scene.ask(f"wait {other}") == -signal.SIGKILL
    finally:
        scene.close()
    with schedules._database.read() as connection:
        jobs = connection.execute(sa.text("SELECT start_key FROM jobs")).scalars().all()
        told = (
            connection.execute(sa.text("SELECT record FROM record_outbox WHERE target = 'Schedule'"))
            .scalars()
            .all()
        )
        ends = connection.execute(sa.text("SELECT id, next_due FROM schedules")).all()
    keys = Counter(key for key in jobs)
    wanted = {
        f"schedule/{number}/{due}"
        for number, end in ends
        for due in range(BEGIN_US // MINUTE_US * MINUTE_US + MINUTE_US, end, MINUTE_US)
    }
    assert set(keys) == wanted
    assert set(keys.values()) == {1}
    assert sum('"Fired"' in record for record in told) == len(wanted)
    assert not any('"Missed"' in record or '"Refused"' in record for record in told)
    print(f"{KILLS} kills, {len(wanted)} due moments, each one job")
