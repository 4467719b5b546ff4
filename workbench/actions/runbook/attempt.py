"""One try to run a job: a runner's words go to the service, the service's orders to the runner.

In go a claimed job and a runner, out comes nothing: the end is told to the service, by what the runner's process did.
The claim is renewed all the while; a worker that can't renew it in time kills the notebook, because another worker may
have the job then.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from workbench.actions.assets.modules import Environments
from workbench.actions.jobs.states import Outcome
from workbench.actions.jobs.store import LEASE_SECONDS
from workbench.actions.jobs.told import Stream
from workbench.actions.runbook.child import EXIT_LOST
from workbench.actions.runbook.runner import GRACE_SECONDS, Runner
from workbench.base import clock
from workbench.base.diagnostics import jobs as job_messages
from workbench.base.diagnostics import runbook as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.agent.link import Answer, Link, Unreachable

RENEW_SECONDS = 3.0
FLUSH_SECONDS = 0.2
MOST_LINES = 500
HOLD_SECONDS = 2.0
"""How long messages wait for the next one that may be the beginning of a secret."""


class Over(Exception):
    """The claim belongs to nobody here any more."""


class Attempt:
    """A claimed job on its way.

    Parameters
    ----------
    told : dict
        What the service gave with the claim: job, token, notebook, parameters, lines.
    runner : Runner
    link : Link
        To the service; its token is not used.
    environments : Environments
        Where the modules are that the runbook needs.
    """

    def __init__(
        self, told: dict[str, Any], runner: Runner, link: Link, url: str, environments: Environments
    ) -> None:
        self._told = told
        self._runner = runner
        self._link = link
        self._url = url
        self._lines: list[dict[str, Any]] = []
        self._held_back = 0
        """So many of them the service wants again with what follows: they may be the beginning of a secret."""
        self._released = 0
        """Up to this number they are stored all the same."""
        self._waiting: tuple[int, float] = 0, 0.0
        """The first one that is not stored yet, and since when; 0 for none."""
        self._number = int(told["lines"])
        self._began = self._renewed = time.monotonic()
        self._end: dict[str, Any] | None = None
        self._status: int | None = None
        self._given = self._running = False
        self._environments = environments
        self._modules: Path | None = None
        self._broken: WorkbenchError | None = None
        self._stop: WorkbenchError | None = None
        self._stopping_since = 0.0

    def run(self) -> None:
        """Run it to its end."""
        installing = threading.Thread(target=self._install, name="modules", daemon=True)
        installing.start()
        try:
            flushed = time.monotonic()
            while self._status is None and self._broken is None:
                if not self._given and self._runner.wait_ready(FLUSH_SECONDS) and not installing.is_alive():
                    self._runner.give(self._job())
                    self._given = True
                self._listen()
                now = time.monotonic()
                late = self._held_back > 0 and self._waiting[0] > 0 and now - self._waiting[1] > HOLD_SECONDS
                fresh = len(self._lines) > self._held_back and now - flushed > FLUSH_SECONDS
                if late or fresh or len(self._lines) - self._held_back >= MOST_LINES:
                    self._flush(release=late)
                    flushed = now
                if now - self._renewed > RENEW_SECONDS:
                    self._renew()
                self._mind_time(now)
            self._runner.end(0)
            self._finish()
        except Over:
            self._runner.end(0)

    def _job(self) -> dict[str, Any]:
        inside = {**{n: self._told[n] for n in ("job", "workspace", "token")}, "url": self._url}
        inside["modules"] = str(self._modules or "")
        return {"notebook": self._told["notebook"], "parameters": self._told["parameters"], "inside": inside}

    def _install(self) -> None:
        """Beside the loop: it may take minutes, and the claim has to be renewed."""
        try:
            self._modules = self._environments.made(self._told["modules"])
        except WorkbenchError as why:
            self._broken = why

    def _listen(self) -> None:
        for word in self._runner.said(FLUSH_SECONDS):
            if "stream" in word:
                self._add(word["stream"], word["message"])
            elif "cell" in word and not self._running:
                self._running = True
                self._ask("running", {})
            elif "end" in word:
                self._end = word
            elif "gone" in word:
                self._status = word["gone"]

    def _add(self, stream: str, message: str) -> None:
        self._number += 1
        line = {"number": self._number, "stream": stream, "message": message}
        self._lines.append({**line, "time": clock.now_us()})

    def _flush(self, *, release: bool = False, last: bool = False) -> None:
        lines, stuck = self._lines, False
        while lines:
            some = lines[:MOST_LINES]
            whole = len(some) == len(lines)
            # Where so many are wanted again, they are no secret in pieces, and waiting has an end.
            told = {"lines": some, "release": release and whole, "last": stuck or (last and whole)}
            newest = some[-1]["number"]
            settled = self._ask("lines", told).get("settled", newest)
            if told["release"]:
                self._released = newest
            left = [line for line in lines if line["number"] > settled]
            stuck = len(left) == len(lines)
            lines = left
            if whole:
                break
        self._lines, self._held_back = lines, len(lines)
        first = next((line["number"] for line in lines if line["number"] > self._released), 0)
        if first != self._waiting[0]:
            self._waiting = first, time.monotonic()

    def _renew(self) -> None:
        if not self._ask("renew", {})["go_on"] and self._stop is None:
            self._begin_stop(diagnostics.failed("stopped", ""))

    def _begin_stop(self, why: WorkbenchError) -> None:
        self._stop, self._stopping_since = why, time.monotonic()
        self._runner.interrupt()

    def _mind_time(self, now: float) -> None:
        limit = self._told["timeout"]
        if limit and self._stop is None and now - self._began > limit:
            self._begin_stop(job_messages.out_of_time(limit))
        if self._stop is not None and now - self._stopping_since > GRACE_SECONDS:
            self._runner.end()

    def _finish(self) -> None:
        outcome, why = self._outcome()
        if outcome is not Outcome.COMPLETED and (heard := self._runner.overheard()):
            self._add(Stream.VERBOSE, heard)
        self._flush(last=True)
        kept = self._keep_notebook()
        if kept is not None and outcome is Outcome.COMPLETED:
            # Without its evidence a run is not complete.
            outcome, why = Outcome.FAILED, kept
        self._ask("finish", {"outcome": outcome, "why": why.packed() if why else None})

    def _outcome(self) -> tuple[Outcome, WorkbenchError | None]:
        """How it ended: by the status of the process; its own words only say more of it."""
        end = self._end or {}
        if self._broken is not None:
            return Outcome.FAILED, self._broken
        if self._stop is not None:
            timed_out = self._stop.code == "JOB025"
            return (Outcome.FAILED, self._stop) if timed_out else (Outcome.STOPPED, None)
        if self._status == 0 and end.get("end") == Outcome.COMPLETED:
            return Outcome.COMPLETED, None
        if self._status == 0 and end.get("end") == Outcome.WAITS:
            return Outcome.WAITS, diagnostics.waits(end.get("value", ""))
        if self._status == 1 and end.get("end") == Outcome.FAILED:
            return Outcome.FAILED, diagnostics.failed(end.get("name", ""), end.get("value", ""))
        if self._status == EXIT_LOST:
            return Outcome.LOST, diagnostics.kernel_died()
        return Outcome.LOST, diagnostics.runner_died(self._status or 0)

    def _keep_notebook(self) -> WorkbenchError | None:
        data = self._runner.notebook()
        if data is None:
            return diagnostics.evidence_not_kept("it was never written")
        answer = self._sent("PUT", "notebook", data)
        if answer.status < 300:
            return None
        packed = answer.json().get("error", {}).get("packed")
        refused = WorkbenchError.unpacked(packed) if isinstance(packed, dict) else None
        if refused is not None and refused.code == "JOB314":
            return refused
        return diagnostics.evidence_not_kept(refused.message if refused is not None else answer.why)

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._sent("POST", what, json.dumps(body).encode()).json()

    def _sent(self, method: str, what: str, data: bytes) -> Answer:
        """Ask with the claim's token, again and again while the claim can still be ours.

        Raises
        ------
        Over
            When the claim is over, or could not be renewed in time.
        """
        while True:
            asked = time.monotonic()
            try:
                headers = {"Content-Type": "application/json"}
                answer = self._link.ask(method, f"/api/job/{what}", data, headers, token=self._told["token"])
            except Unreachable:
                answer = None
            if answer is not None and answer.status in (401, 403, 409):
                raise Over
            if answer is not None and answer.status < 500:
                # Each answer shows that the claim holds; only `renew` moves its end.
                if what == "renew":
                    self._renewed = asked
                return answer
            if time.monotonic() - self._renewed > LEASE_SECONDS:
                raise Over
            time.sleep(0.2)
