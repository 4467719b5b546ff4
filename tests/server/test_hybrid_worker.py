"""A worker of a group as a process of its own: enrolled with a key, asking its service for jobs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runbook_service import Jobs, wait_for

from workbench.base.access import Access
from workbench.base.database import Database

pytestmark = pytest.mark.slow
GROUP = "onpremises"


class Workers:
    """Starts workers of a service, and ends those that still run."""

    def __init__(self, jobs: Jobs, folder: Path) -> None:
        self.jobs, self.folder = jobs, folder
        self.service = jobs.service
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *arguments: str, key: str = "") -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "workbench.cli", "worker", "run", "--group", GROUP, "--state",
                    str(self.folder / name), "--slots", "1", *arguments,
                ],
                env={**os.environ, "WORKBENCH_KEY": key},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def there(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.service.ask("GET", "/api/workers")[1]["workers"]
        return [w for w in found if w["group"] == GROUP]

    def ready(self, count: int = 1) -> dict[str, Any]:
        found = wait_for(lambda: [w for w in self.there() if w["state"] == "Ready"][: count or None])
        return dict(found[-1])


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    found = Jobs(service)
    found.bring("where", "import os\nprint(os.getpid())")
    found.bring(
        "waits",
        "import pathlib, time\npathlib.Path(mark).touch()\nwhile not pathlib.Path(go).exists():\n    time.sleep(0.05)",
        parameters="mark: str = ...\ngo: str = ...",
    )
    return found


@pytest.fixture
def workers(jobs: Jobs, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(jobs, tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for worker in made.there():
        jobs.service.ask("DELETE", f"/api/workers/{worker['id']}")


def key_of(service: Any) -> str:
    return Access(Database.open(service.workspace / "state"), service.workspace_id).keys().primary


def test_a_job_waits_for_its_group_and_runs_there(workers: Workers) -> None:
    jobs, service = workers.jobs, workers.service
    elsewhere = jobs.start("where")
    job = jobs.start("where", group=GROUP)
    assert jobs.until(elsewhere, "Completed")["worker"] == "service"
    assert jobs.get(job)["state"] == "Queued"

    process = workers.start("first", "--service", service.url, key=key_of(service))
    found = jobs.until(job, "Completed", "Failed")
    assert (found["state"], found["worker"]) == ("Completed", workers.there()[0]["name"])
    assert found["worker"] != "service"

    # The second start needs no key: the identity lies in its folder. Two on one folder are refused.
    assert workers.start("first").wait(60) == 1
    assert "JOB320" in workers.log("first")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    wait_for(lambda: [w["state"] for w in workers.there()] == ["Stopped"])
    again = jobs.start("where", group=GROUP)
    workers.start("first")
    jobs.until(again, "Completed")
    assert len(workers.there()) == 1
    states = f"WorkerHealth | where WorkerGroup == '{GROUP}' | sort by TimeGenerated asc | project State, Slots, Isolation"
    wait_for(lambda: len(jobs.rows(states)) >= 4)
    # As whom its jobs run, which is what the job's own record says.
    isolation = jobs.rows(f"Job | where JobId == '{job}' and State == 'Running' | project Isolation")[0][0]
    assert isolation
    expected = [["Ready", 1], ["Draining", 1], ["Stopped", 1], ["Ready", 1]]
    assert jobs.rows(states)[:4] == [[*row, isolation] for row in expected]


def test_a_worker_that_drains_ends_what_it_runs_and_takes_no_more(workers: Workers, tmp_path: Path) -> None:
    jobs = workers.jobs
    process = workers.start("drains", "--service", workers.service.url, key=key_of(workers.service))
    mark, go = tmp_path / "mark", tmp_path / "go"
    job = jobs.start("waits", parameters={"mark": str(mark), "go": str(go)}, group=GROUP)
    wait_for(mark.exists)
    process.send_signal(signal.SIGTERM)
    wait_for(lambda: [w["state"] for w in workers.there()] == ["Draining"])
    later = jobs.start("where", group=GROUP)
    go.touch()
    assert process.wait(60) == 0
    found = jobs.until(job, "Completed", "Failed")
    assert (found["state"], found["attempt"]) == ("Completed", 1)
    assert jobs.get(later)["state"] == "Queued"
    assert jobs.service.ask("POST", f"/api/jobs/{later}/cancel")[0] == 200


def test_a_worker_that_was_stopped_past_its_lease_changes_nothing(workers: Workers, tmp_path: Path) -> None:
    jobs = workers.jobs
    process = workers.start("frozen", "--service", workers.service.url, key=key_of(workers.service))
    mark, go = tmp_path / "mark", tmp_path / "go"
    job = jobs.start("waits", parameters={"mark": str(mark), "go": str(go)}, group=GROUP)
    wait_for(mark.exists)
    mark.unlink()
    os.killpg(process.pid, signal.SIGSTOP)
    workers.start("other", "--service", workers.service.url, key=key_of(workers.service))
    wait_for(mark.exists)  # the other one has it, and this one wakes up as if nothing had been
    os.killpg(process.pid, signal.SIGCONT)
    wait_for(lambda: "left this worker" in workers.log("frozen"))
    go.touch()
    found = jobs.until(job, "Completed", "Failed")
    assert (found["state"], found["attempt"]) == ("Completed", 2)
    ends = f"Job | where JobId == '{job}' and State in ('Completed', 'Failed', 'Stopped') | count"
    assert jobs.rows(ends) == [[1]]


def test_a_removed_worker_ends_and_says_why(workers: Workers) -> None:
    process = workers.start("gone", "--service", workers.service.url, key=key_of(workers.service))
    number = workers.ready()["id"]
    assert workers.service.ask("DELETE", f"/api/workers/{number}")[0] == 200
    assert process.wait(90) == 1
    assert "JOB323" in workers.log("gone")
    assert not (workers.folder / "gone" / "identity.json").exists()
    status, told = workers.service.ask("DELETE", f"/api/workers/{number}")
    assert (status, told["error"]["packed"]["code"]) == (404, "JOB322")


def test_a_wrong_key_or_group_makes_no_worker(workers: Workers) -> None:
    url = workers.service.url
    assert workers.start("wrong", "--service", url, key="d3Jvbmc=").wait(60) == 1
    assert "AGT004" in workers.log("wrong")
    assert workers.start("odd", "--service", url, "--group", "a b", key=key_of(workers.service)).wait(60) == 1
    assert "JOB321" in workers.log("odd")
    assert workers.there() == []


def test_the_worker_of_a_local_workspace_needs_no_key(workers: Workers) -> None:
    workers.start("local", "--workspace", str(workers.service.workspace))
    job = workers.jobs.start("where", group=GROUP)
    assert workers.jobs.until(job, "Completed", "Failed")["state"] == "Completed"
    listing = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "worker", "list", "--workspace", str(workers.service.workspace), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert GROUP in {w["group"] for w in json.loads(listing.stdout)}
