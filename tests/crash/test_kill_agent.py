"""kill -9 of agent, gateway and service at random moments: each number that a source made arrives, once.

`WORKBENCH_KILLS` says how often (`make soak`: 100), `WORKBENCH_KILL_SEED` where chance starts.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from workbench.base.access import Access
from workbench.base.database import Database
from workbench.server import client
from workbench.server.local_agent import enrol_at
from workbench.server.place import ServicePlace

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("WORKBENCH_KILLS", "2"))
SEED = int(os.environ.get("WORKBENCH_KILL_SEED", "1"))
# A long run may stand behind everything else on its machine (nice): what is late there is not lost.
DEADLINE = 90.0 if KILLS < 20 else 900.0
SCRIPT = str(Path(__file__).with_name("counting_agent.py"))
T = TypeVar("T")


class Part:
    """A process that is killed and started again; all of its lives write to one log."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, key: str = "") -> None:
        self.name = name
        self._command = [sys.executable, *command]
        self._environment = {**os.environ, "WORKBENCH_KEY": key}
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment
            )

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class House:
    """Service, agent and, where there is one, the gateway between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = ServicePlace(str(folder / "workspace"))
        serve = ["-m", "workbench.cli", "serve", "--workspace", self.place.workspace]
        self.service = Part("service", serve, folder)
        self.agent = Part("agent", [SCRIPT, self.place.workspace, str(folder)], folder)
        self.gateway: Part | None = None

    def start(self, *, over_gateway: bool) -> None:
        self.service.start()
        address = until(self.place.address)
        if over_gateway:
            key = Access(Database.open(self.place.folder), address.workspace_id).keys().primary
            port = free_port()
            state = self.folder / "gateway"
            # The service has another port in each life: the gateway finds it as the local workspace's agent.
            command = [
                "-m", "workbench.cli", "agent", "--workspace", self.place.workspace, "--state", str(state),
                "--gateway", f"127.0.0.1:{port}", "--group", "Plant",
            ]  # fmt: skip
            self.gateway = Part("gateway", command, self.folder)
            self.gateway.start()
            until(lambda: b"gateway" in self.gateway.log.read_bytes() if self.gateway else False)
            until(lambda: (state / "identity.json").exists())
            enrol_at(f"http://127.0.0.1:{port}", key, self.folder / "agent")
            self.agent = Part("agent", [SCRIPT, "-", str(self.folder)], self.folder)
        self.agent.start()

    @property
    def parts(self) -> list[Part]:
        return [self.service, *([self.gateway] if self.gateway else []), self.agent]

    def stop(self) -> None:
        for part in reversed(self.parts):
            part.stop()

    def counted(self, table: str) -> tuple[int, int, int]:
        """Rows, the most rows of one number, and the highest number of a table."""
        question = f"{table} | summarize rows = count() by n | summarize sum(rows), max(rows), max(n)"
        answer = client.query(self.place, question)
        if answer is None or answer.status != 200 or not answer.body["tables"][0]["rows"]:
            return 0, 0, 0
        rows, most, highest = answer.body["tables"][0]["rows"][0]
        return int(rows or 0), int(most or 0), int(highest or 0)

    def last(self, name: str) -> int:
        """What a source says is its last number."""
        path = self.folder / f"{name}.last"
        until(lambda: path.exists() and path.read_text())
        return int(path.read_text())


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(condition: Callable[[], T | None]) -> T:
    """What `condition` gives, once it is something."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("over_gateway", [False, True], ids=["direct", "over a gateway"])
def test_each_number_arrives_once(house: House, over_gateway: bool) -> None:
    chance = random.Random(SEED)
    house.start(over_gateway=over_gateway)
    heard = 0
    killed: Counter[str] = Counter()
    for _ in range(KILLS if not over_gateway else max(KILLS // 2, 2)):
        # Something new has to have arrived first, so that each life counts.
        heard = until(lambda heard=heard: (n := house.counted("Count_CL")[0]) > heard and n)  # type: ignore[misc]
        time.sleep(chance.random())
        for part in chance.sample(house.parts, chance.choice((1, 1, 2))):
            part.kill()
            killed[part.name] += 1
            time.sleep(chance.random() * 0.5)
            part.start()
    (house.folder / "stop").touch()
    for name, table in (("counter", "Count_CL"), ("lines", "Lines_CL")):
        number = house.last(name)
        until(lambda table=table, number=number: house.counted(table)[2] >= number)  # type: ignore[misc]
        assert house.counted(table) == (number, 1, number)
    assert "Traceback" not in house.agent.log.read_text()
    print(f"killed: {', '.join(f'{name} {count}' for name, count in sorted(killed.items()))}")
    assert sum(killed.values()) < 10 or set(killed) == {part.name for part in house.parts}
