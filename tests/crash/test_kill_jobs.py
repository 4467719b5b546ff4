"""kill -9 of service, worker, papermill child and kernel at each boundary of a job: none is lost, no step done again.

`WORKBENCH_KILLS` says how often (`make soak`: 100), `WORKBENCH_KILL_SEED` where chance starts. Each kill is aimed at a
process and a boundary in turn, and at a job of its own; jobs that were hit go on while the next ones are aimed at.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from runbook_service import notebook

from workbench.base.access import Access
from workbench.base.database import VARIABLE, Database

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("WORKBENCH_KILLS", "4"))
SEED = int(os.environ.get("WORKBENCH_KILL_SEED", "1"))
DEADLINE = 180.0
STEPS = 3
GROUP = "killed"
VICTIMS = ("service", "worker", "child", "kernel")
BOUNDARIES = ("claimed", "begun", "in a step", "committed", "at the end")
CELLS = (
    "import os, pathlib, time, workbench\n"
    "place = pathlib.Path(folder)\n"
    "def write(*words):\n"
    "    with (place / 'log').open('a') as file:\n"
    "        file.write(' '.join(map(str, words)) + '\\n')\n"
    "def effect(n):\n"
    "    key = workbench.runbook.step_key()\n"
    "    write('begin', key)\n"
    "    time.sleep(0.1)\n"
    "    (place / key.replace('/', '_')).touch()\n"
    "    return key\n"
    "write('kernel', workbench.runbook.job_id(), os.getpid())",
    f"for n in range({STEPS}):\n    write('committed', workbench.step(f's{{n}}', effect, n))",
    "write('end', workbench.runbook.job_id())",
)


class Scene:
    """A service and two workers of one group; what is killed is started again by `mend`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.effects = folder / "effects"
        self.effects.mkdir()
        (self.effects / "log").touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.mend(only="service")
        self.token = (folder / "w" / "state" / "owner.token").read_text().strip()
        self.ask("PUT", "/api/runbooks/steps", {"notebook": notebook(*CELLS, parameters="folder: str = ...")})

    def command(self, name: str) -> list[str]:
        if name == "service":
            return ["serve", "--workspace", str(self.folder / "w"), "--port", self.url.rpartition(":")[2]]
        state = str(self.folder / name)
        return ["worker", "run", "--group", GROUP, "--slots", "2", "--state", state, "--service", self.url]

    def mend(self, only: str = "") -> None:
        for name in [only] if only else ["service", "worker 1", "worker 2"]:
            process = self.processes.get(name)
            if process is not None and process.poll() is None:
                continue
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "workbench.cli", *self.command(name)],
                    env={**os.environ, "WORKBENCH_KEY": "" if name == "service" else self.key()},
                    stdout=log,
                    stderr=log,
                )
            if name == "service":
                wait_for(lambda: self.answers("/api/health"))

    def key(self) -> str:
        number = self.ask("GET", "/api/health")["workspace_id"]
        return Access(Database.open(self.folder / "w" / "state"), number).keys().primary

    def answers(self, path: str) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url + path, timeout=5):
            return True
        return False

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask until there is an answer: whoever answers may be dead just now."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()

        def told() -> Any:
            request = urllib.request.Request(self.url + path, data, headers, method=method)
            gone = contextlib.suppress(ConnectionError, TimeoutError, urllib.error.URLError)
            with gone, urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}") or {"empty": True}
            self.mend(only="service")
            return None

        return wait_for(told)

    def start(self, key: str) -> str:
        """Start a job under a key: asked twice it is one."""
        body = {"parameters": {"folder": str(self.effects)}, "group": GROUP, "key": key}
        return str(self.ask("POST", "/api/runbooks/steps/start", body)["job_id"])

    def job(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/api/jobs/{number}")
        return found

    def log(self, word: str) -> list[list[str]]:
        lines = [line.split() for line in (self.effects / "log").read_text().splitlines()]
        return [line[1:] for line in lines if line[0] == word]

    def rows(self, query: str) -> list[list[Any]]:
        number = self.ask("GET", "/api/health")["workspace_id"]
        found: list[list[Any]] = self.ask("POST", f"/v1/workspaces/{number}/query", {"query": query})[
            "tables"
        ][0]["rows"]
        return found

    def reached(self, job: str, boundary: str) -> bool:
        if boundary == "claimed":
            return self.job(job)["attempt"] > 0
        word, part = {
            "begun": ("kernel", ""), "in a step": ("begin", "/s1"), "committed": ("committed", "/s1"),
            "at the end": ("end", ""),
        }[boundary]  # fmt: skip
        return any(line[0] == job + part for line in self.log(word))

    def kill(self, job: str, victim: str, chance: random.Random) -> bool:
        """Kill the process that stands so to the job, or one like it while the job is with nobody."""
        if victim == "service":
            found = psutil.Process(self.processes["service"].pid)
        else:
            workers = [p for n, p in self.processes.items() if n != "service" and p.poll() is None]
            kernels = [int(line[1]) for line in self.log("kernel") if line[0] == job]
            try:
                if kernels:
                    line = [psutil.Process(kernels[-1]), *psutil.Process(kernels[-1]).parents()]
                else:
                    worker = psutil.Process(chance.choice(workers).pid)
                    children = [c for c in worker.children(recursive=True) if "ipykernel" in str(c.cmdline())]
                    line = [children[0], *children[0].parents()]
                ours = {w.pid for w in workers}
                if not ours & {p.pid for p in line}:
                    return False  # its worker has just ended, and something of the machine took what it left
                found = line[("kernel", "child", "worker").index(victim)]
            except (psutil.Error, IndexError):
                return False  # it has just ended
        with contextlib.suppress(psutil.NoSuchProcess):
            found.kill()
            found.wait(30)
        return True

    def close(self) -> None:
        for name in ("worker 1", "worker 2", "service"):
            process = self.processes.get(name)
            if process is not None:
                process.terminate()
                process.wait(60)


def wait_for(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + DEADLINE
    while not (found := look()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.delenv(VARIABLE, raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("postgresql").fresh())
    made = Scene(tmp_path)
    try:
        yield made
    finally:
        made.close()
        Database.open(tmp_path / "w" / "state").close()


def test_no_job_is_lost_and_no_committed_step_is_done_again(scene: Scene) -> None:
    chance = random.Random(SEED)
    fell: Counter[str] = Counter()
    jobs: list[str] = []
    for kill in range(KILLS):
        scene.mend()
        victim = VICTIMS[kill % len(VICTIMS)]
        boundary = BOUNDARIES[(kill // len(VICTIMS) + kill) % len(BOUNDARIES)]
        jobs.append(scene.start(f"kill {kill}"))
        wait_for(lambda at=boundary: mended(scene, jobs) and scene.reached(jobs[-1], at))
        time.sleep(0.2 * chance.random() ** 3)
        if scene.kill(jobs[-1], victim, chance):
            fell[f"{victim}, {boundary}"] += 1
    for job in jobs:
        wait_for(lambda of=job: mended(scene, jobs) and scene.job(of)["state"] == "Completed")
    print(f"{sum(fell.values())} kills: {', '.join(f'{at} {count}' for at, count in sorted(fell.items()))}")
    assert sum(fell.values()) >= 0.8 * KILLS

    done: set[str] = set()
    for line in (scene.effects / "log").read_text().splitlines():
        word, key = line.split()[:2]
        assert word != "begin" or key not in done, "a committed step ran again"
        if word == "committed":
            done.add(key)
    assert done == {f"{job}/s{n}" for job in jobs for n in range(STEPS)}

    told = "Job | where State == 'Completed' | summarize count() by JobId | project count_"
    wait_for(lambda: len(scene.rows(told)) == len(jobs))
    assert scene.rows(told) == [[1]] * len(jobs)
    assert scene.rows("JobStream | summarize n = count() by JobId, Sequence | where n > 1") == []
    back = "Job | sort by JobId asc, TimeGenerated asc | extend b = prev(Attempt), j = prev(JobId) | where j == JobId and b > Attempt"
    assert scene.rows(back) == []


def mended(scene: Scene, jobs: list[str]) -> bool:
    """Start what is dead again, and jobs that were suspended because too much was killed under them."""
    scene.mend()
    for job in jobs:
        found = scene.job(job)
        assert found["state"] != "Failed", found
        if found["state"] == "Suspended":
            scene.ask("POST", f"/api/jobs/{job}/resume", {})
    return True
