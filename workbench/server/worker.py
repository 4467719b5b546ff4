"""The worker that a service includes, as a process.

It is started when there is something to run: a workspace without runbooks pays for none. It ends with its service. What
it is told comes over its standard input, so that no secret stands in a command line.

    python -m workbench.server.worker < {"url", "token", "folder"}
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.actions.jobs.store import DEFAULT_GROUP
from workbench.actions.runbook.isolation import settled
from workbench.actions.runbook.worker import SLOTS, Worker
from workbench.actions.workers import Workers
from workbench.base.errors import WorkbenchError
from workbench.collect.agent.link import Endpoint
from workbench.server.children import die_with_parent

log = logging.getLogger("workbench.worker")
NAME = "service"
GRACE_SECONDS = 5.0


class IncludedWorker:
    """The worker of group `default` that runs beside a service. Safe for threads.

    One thread of its own starts it: the kernel ends a child with the thread that made it.
    """

    def __init__(
        self, workers: Workers, url: str, folder: Path, job_user: str = "", hidden: Sequence[str] = ()
    ) -> None:
        self._workers, self._url, self._folder = workers, url, folder
        self._job_user, self._hidden = job_user, list(hidden)
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._identity = ""
        self._thread = threading.Thread(target=self._run, name="included worker", daemon=True)
        self._thread.start()

    def ensure(self) -> None:
        """Have it started where it does not run."""
        self._wanted.set()

    def close(self) -> None:
        """End it and what it runs; jobs that ran are given to the next worker when their leases end."""
        self._closing.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if not self._closing.is_set() and (self._process is None or self._process.poll() is not None):
                try:
                    self._start()
                except (OSError, WorkbenchError) as why:
                    log.warning("the included worker could not be started: %s", why)
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._forget()

    def _start(self) -> None:
        self._forget()
        self._identity, token = self._workers.enrol(NAME, DEFAULT_GROUP)
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "worker.log").open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.server.worker"],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        told = {
            "url": self._url, "token": token, "folder": str(self._folder), "job_user": self._job_user,
            "hidden": self._hidden,
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told).encode())
        self._process.stdin.close()

    def _forget(self) -> None:
        if self._identity:
            self._workers.remove(self._identity)
            self._identity = ""


def work(
    find: Callable[[], Endpoint | None],
    folder: Path,
    slots: int = SLOTS,
    *,
    job_user: str = "",
    hidden: Sequence[str] = (),
) -> bool:
    """Run jobs until SIGTERM (what runs comes to its end) or SIGINT (it is given up); False for a removed worker.

    Parameters
    ----------
    find : callable
    folder : Path
        For logs and installed modules.
    slots : int
    job_user : str
        As whom jobs run; "" for `workbench-job` where root runs this and that user exists, else as who runs this.
    hidden : sequence of str
        Folders that jobs of another user must not see.

    Raises
    ------
    WorkbenchError
        JOB341 to JOB343 when jobs can't run as that user.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    modules = folder / "modules"
    modules.mkdir(parents=True, exist_ok=True)
    isolation = settled(job_user, hidden, [str(modules)])
    log.info("jobs run with isolation: %s%s", isolation.word, f" ({isolation.why})" if isolation.why else "")
    worker = Worker(find, folder, slots=slots, isolation=isolation)
    signal.signal(signal.SIGTERM, lambda *_: worker.drain())
    # Runners die with this process; the leases of their jobs end, and others take them.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    worker.run()
    return not worker.removed


def main() -> int:
    told = json.loads(sys.stdin.read())
    endpoint = Endpoint(told["url"], told["token"])
    try:
        work(lambda: endpoint, Path(told["folder"]), job_user=told["job_user"], hidden=told["hidden"])
    except WorkbenchError as why:
        log.error("no job can be run: %s", why.render())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
