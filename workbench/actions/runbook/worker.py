"""A worker: asks the service for jobs of its group, runs a few at a time, each in a warm kernel of its own.

In goes an endpoint, out come requests. It only ever asks, so it works behind a firewall; which group it is of the service
knows. `drain` lets what runs come to its end and takes nothing new; a worker that was removed does so by itself.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from workbench.actions.assets.modules import Environments
from workbench.actions.runbook.attempt import Attempt
from workbench.actions.runbook.isolation import Isolation
from workbench.actions.runbook.runner import Runner
from workbench.collect.agent.link import Answer, Endpoint, Link, Unreachable

log = logging.getLogger("workbench.worker")
READY_SECONDS = 60.0
POLL_SECONDS = 20
AGAIN_SECONDS = (0.2, 5.0)
HEARTBEAT_SECONDS = 20.0
SLOTS = 4
"""How many jobs run at once, unless told."""
_JSON = {"Content-Type": "application/json"}


class Warm:
    """Runners that wait for a job. Safe for threads; one thread makes them."""

    def __init__(self, folder: Path, count: int, isolation: Isolation) -> None:
        self._folder, self._isolation = folder, isolation
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
        return runner or Runner(self._folder, self._isolation)

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
            runner = Runner(self._folder, self._isolation)
            runner.wait_ready(READY_SECONDS)
            with self._changed:
                self._waiting.append(runner)


class Worker:
    """Runs jobs until it is stopped.

    Parameters
    ----------
    find : callable
        The service's endpoint with the worker's token, or None while none runs.
    folder : Path
        For logs of its processes.
    slots, warm : int
        How many jobs run at once; how many kernels wait.
    isolation : Isolation, optional
        As whom jobs run; by default as who runs this.
    """

    def __init__(
        self,
        find: Callable[[], Endpoint | None],
        folder: Path,
        *,
        slots: int = SLOTS,
        warm: int = 1,
        isolation: Isolation | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._find = find
        self._isolation = isolation or Isolation()
        self._environments = Environments(folder / "modules")
        self._warm = Warm(folder, warm, self._isolation)
        self.removed = False
        """Whether the service knows this worker no more."""
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._running: set[str] = set()
        self._slots = slots
        self._threads = [threading.Thread(target=self._slot, name=f"slot {n}") for n in range(slots)]

    def run(self) -> None:
        """Work until `drain`; returns when the last job has ended."""
        ended = threading.Event()
        health = threading.Thread(target=self._tell_health, args=(ended,), name="health")
        health.start()
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        ended.set()
        self._changed.set()
        health.join()
        self._warm.close()

    def drain(self) -> None:
        """Take no new job."""
        self._stopping.set()
        self._changed.set()

    def _tell_health(self, ended: threading.Event) -> None:
        """Say how this worker is, every so often and as soon as it changes; at last that it ends."""
        link = Link(self._find)
        version = metadata.version("workbench")
        while True:
            self._changed.clear()
            over = ended.is_set()
            said = {
                "running": len(self._running), "slots": self._slots, "version": version,
                "isolation": self._isolation.word, "draining": self._stopping.is_set(), "stopped": over,
            }  # fmt: skip
            try:
                answer = link.ask("POST", "/api/worker/heartbeat", json.dumps(said).encode(), _JSON)
                self._mind_removal(answer)
            except Unreachable:
                pass  # the slots ask again too, and the service notices the silence
            if over:
                link.close()
                return
            self._changed.wait(HEARTBEAT_SECONDS)

    def _mind_removal(self, answer: Answer) -> None:
        if answer.status in (401, 403) and not self._stopping.is_set():
            log.warning("this worker was removed; it ends (%s)", answer.why)
            self.removed = True
            self.drain()

    def _slot(self) -> None:
        link = Link(self._find, seconds=POLL_SECONDS + 15)
        wait = AGAIN_SECONDS[0]
        while not self._stopping.is_set():
            asked = time.monotonic()
            try:
                wanted = json.dumps({"wait": POLL_SECONDS, "isolation": self._isolation.word}).encode()
                answer = link.ask("POST", "/api/worker/claim", wanted, _JSON)
            except Unreachable:
                self._stopping.wait(wait)
                wait = min(wait * 2, AGAIN_SECONDS[1])
                continue
            if answer.status == 200:
                self._one(answer.json(), link)
            elif answer.status != 204:
                log.warning("the service gives no jobs: %s", answer.why)
                self._mind_removal(answer)
                self._stopping.wait(AGAIN_SECONDS[1])
            elif time.monotonic() - asked < AGAIN_SECONDS[0]:
                self._stopping.wait(AGAIN_SECONDS[0])  # it has not heard yet that this worker is there again
            wait = AGAIN_SECONDS[0]
        link.close()

    def _one(self, told: dict[str, object], link: Link) -> None:
        endpoint = self._find()
        began = time.monotonic()
        self._running.add(str(told["job"]))
        url = endpoint.url if endpoint is not None else ""
        runner = self._warm.take()
        try:
            Attempt(told, runner, link, url, self._environments).run()
        except Exception:  # the claim's lease ends, and another try is made
            log.exception("job %s could not be run", told.get("job"))
        finally:
            runner.close()
            self._running.discard(str(told["job"]))
            log.info("job %s left this worker after %.1f s", told.get("job"), time.monotonic() - began)
