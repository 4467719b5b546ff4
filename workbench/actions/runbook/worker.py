"""A worker: asks the service for jobs of its groups, runs a few at a time, each in a warm kernel of its own.

In go an endpoint and groups, out come requests. It only ever asks, so it works behind a firewall. `drain` lets what runs
come to its end and takes nothing new.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.actions.runbook.attempt import Attempt
from workbench.actions.runbook.runner import Runner
from workbench.collect.agent.link import Endpoint, Link, Unreachable

log = logging.getLogger("workbench.worker")
READY_SECONDS = 60.0
POLL_SECONDS = 20
AGAIN_SECONDS = (0.2, 5.0)


class Warm:
    """Runners that wait for a job. Safe for threads; one thread makes them."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._waiting: list[Runner] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._fill, name="warm", daemon=True)
        self._thread.start()

    def take(self) -> Runner:
        """A runner, ready if one waits; the caller closes it."""
        with self._changed:
            runner = self._waiting.pop(0) if self._waiting else None
            self._changed.notify_all()
        return runner or Runner(self._folder)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        for runner in self._waiting:
            runner.close()

    def _fill(self) -> None:
        while True:
            with self._changed:
                while len(self._waiting) >= self._count and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
            runner = Runner(self._folder)
            runner.wait_ready(READY_SECONDS)
            with self._changed:
                self._waiting.append(runner)


class Worker:
    """Runs jobs until it is stopped.

    Parameters
    ----------
    find : callable
        The service's endpoint with the worker's token, or None while none runs.
    groups : sequence of str
    folder : Path
        For logs of its processes.
    slots, warm : int
        How many jobs run at once; how many kernels wait.
    """

    def __init__(
        self,
        find: Callable[[], Endpoint | None],
        groups: Sequence[str],
        folder: Path,
        *,
        slots: int = 4,
        warm: int = 1,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._find = find
        self._groups = list(groups)
        self._warm = Warm(folder, warm)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._slot, name=f"slot {n}") for n in range(slots)]

    def run(self) -> None:
        """Work until `drain`; returns when the last job has ended."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        self._warm.close()

    def drain(self) -> None:
        """Take no new job."""
        self._stopping.set()

    def _slot(self) -> None:
        link = Link(self._find, seconds=POLL_SECONDS + 15)
        wait = AGAIN_SECONDS[0]
        while not self._stopping.is_set():
            try:
                answer = link.ask(
                    "POST",
                    "/api/worker/claim",
                    json.dumps({"groups": self._groups, "wait": POLL_SECONDS}).encode(),
                    {"Content-Type": "application/json"},
                )
            except Unreachable:
                self._stopping.wait(wait)
                wait = min(wait * 2, AGAIN_SECONDS[1])
                continue
            if answer.status == 200:
                self._one(answer.json(), link)
            elif answer.status != 204:
                log.warning("the service gives no jobs: %s", answer.why)
                self._stopping.wait(AGAIN_SECONDS[1])
            wait = AGAIN_SECONDS[0]
        link.close()

    def _one(self, told: dict[str, object], link: Link) -> None:
        endpoint = self._find()
        began = time.monotonic()
        url = endpoint.url if endpoint is not None else ""
        runner = self._warm.take()
        try:
            Attempt(told, runner, link, url).run()
        except Exception:  # the claim's lease ends, and another try is made
            log.exception("job %s could not be run", told.get("job"))
        finally:
            runner.close()
            log.info("job %s left this worker after %.1f s", told.get("job"), time.monotonic() - began)
