"""A disk that fills up while a job runs: how the job ends, and that nothing of it is half done. Only root can mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from runbook_service import Jobs, wait_for
from running_service import serving

pytestmark = pytest.mark.slow
WAITS = "import pathlib, time\npathlib.Path(mark).touch()\nwhile not pathlib.Path(go).exists():\n    time.sleep(0.05)"
LARGE = "from IPython.display import display\ndisplay({'text/html': 'x' * 4_000_000}, raw=True)"


class Disk:
    """A disk in memory. It holds no more than it is told, so it is full without being filled."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        self.mounted = self._mount("-t", "tmpfs", "-o", "size=1g", "tmpfs")

    def leave(self, free: int) -> None:
        """Let it have so many bytes free and no more."""
        found = os.statvfs(self.path)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        assert self._mount("-o", f"remount,size={used + free}")

    def _mount(self, *arguments: str) -> bool:
        return not subprocess.run(["mount", *arguments, str(self.path)], capture_output=True).returncode


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    made = Disk(tmp_path_factory.mktemp("full") / "workspace")
    if not made.mounted:
        pytest.skip("only root can mount a small disk")
    yield made
    subprocess.run(["umount", "-l", str(made.path)], check=True)


@pytest.fixture(scope="module")
def jobs(disk: Disk) -> Iterator[Jobs]:
    with serving(disk.path.parent) as service:
        made = Jobs(service)
        made.bring("large", WAITS, LARGE, parameters="mark: str = ...\ngo: str = ...")
        made.bring("brief", WAITS, "'done'", parameters="mark: str = ...\ngo: str = ...")
        yield made


def begun(jobs: Jobs, runbook: str, folder: Path) -> tuple[str, Path]:
    """A job whose notebook runs, and the file that lets it go on."""
    mark, go = folder / "mark", folder / "go"
    job = jobs.start(runbook, parameters={"mark": str(mark), "go": str(go)})
    wait_for(mark.exists)
    wait_for(lambda: jobs.get(job)["state"] == "Running")
    return job, go


def test_a_notebook_that_finds_no_room_fails_its_job(jobs: Jobs, disk: Disk, tmp_path: Path) -> None:
    job, go = begun(jobs, "large", tmp_path)
    disk.leave(2 << 20)
    go.touch()
    found = wait_for(lambda: found if (found := jobs.get(job))["state"] not in ("Running",) else None)
    assert (found["state"], found["error_code"], found["attempt"]) == ("Failed", "JOB314", 1)
    assert found["error"] == "the executed notebook could not be kept: No space left on device"
    assert list((disk.path / "state" / "jobs").glob(f"{job}*")) == []
    status, told = jobs.service.ask("GET", f"/api/jobs/{job}/notebook")
    assert (status, told["error"]["packed"]["code"]) == (400, "JOB008")

    disk.leave(1 << 30)
    jobs.until(job, "Failed")
    assert jobs.rows(f"Job | where JobId == '{job}' and isnotempty(EndTime) | project State, Error") == [
        ["Failed", f"JOB314: {found['error']}"]
    ]


def test_a_job_waits_for_room_to_say_how_it_ended(jobs: Jobs, disk: Disk, tmp_path: Path) -> None:
    job, go = begun(jobs, "brief", tmp_path)
    disk.leave(0)
    # Other starts take what room the database's file has left; then none is accepted any more.
    given = {"parameters": {"mark": "/", "go": "/"}, "group": "nobody"}
    refused = wait_for(lambda: told if (told := jobs.service.ask("POST", "/api/runbooks/brief/start", given))[0] != 202 else None)  # fmt: skip
    assert (refused[0], refused[1]["error"]["packed"]["code"]) == (503, "CTL001")
    go.touch()
    wait_for(lambda: "No space left" in jobs.service.log() or "is full" in jobs.service.log())
    assert jobs.get(job)["state"] in ("Running", "Queued")

    disk.leave(1 << 30)
    found = jobs.until(job, "Completed", "Failed", "Suspended")
    assert found["state"] == "Completed"
    assert jobs.rows(f"Job | where JobId == '{job}' and isnotempty(EndTime) | project State") == [
        ["Completed"]
    ]
    assert len(list((disk.path / "state" / "jobs").glob(f"{job}*"))) == 1
