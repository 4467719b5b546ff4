"""Asks the sources in turn and hands what they read to the spool.

A few threads read, so that a slow source does not hold up the others; one source is never asked twice at once.
When the plan changes, what is no longer wanted is closed and what is new begins; the rest goes on undisturbed.
Must not send.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.agent.planning import Wanted
from workbench.collect.agent.spool import Spool
from workbench.collect.sources._card import Batch, Machine, Source

log = logging.getLogger("workbench.agent")
THREADS = 4
AGAIN_SECONDS = 60.0
"""After so long a source that could not start is tried again."""


@dataclass
class _Turn:
    """A source at work, when it is due next (monotonic seconds), and what it read that is not kept yet."""

    wanted: Wanted
    source: Source | None
    due: float
    told: str = ""
    reading: Future[None] | None = None
    pending: list[Batch] = field(default_factory=list)


class Turns:
    """The sources of a machine at work.

    Parameters
    ----------
    machine : Machine
    spool : Spool
    """

    def __init__(self, machine: Machine, spool: Spool) -> None:
        self._machine = machine
        self._spool = spool
        self._turns: dict[str, _Turn] = {}
        self._plan: Mapping[str, Wanted] = {}
        self._news = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="source")

    def want(self, plan: Mapping[str, Wanted]) -> None:
        """Have these sources run, and no others, from now on."""
        self._plan = dict(plan)
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    def run(self, stopping: threading.Event) -> None:
        """Read until `stopping`; readings that run then are kept, too."""
        while not stopping.is_set():
            self._news.clear()
            self._apply()
            now = time.monotonic()
            for scope, turn in list(self._turns.items()):
                if turn.due <= now and (turn.reading is None or turn.reading.done()):
                    # Counted from the due time, so that a slow reading does not shift the rest.
                    turn.due = max(turn.due + turn.wanted.every, now)
                    turn.reading = self._pool.submit(self._read, scope, turn)
            due = min((turn.due for turn in self._turns.values()), default=now + 1.0)
            self._news.wait(min(max(due - time.monotonic(), 0.02), 1.0))
        self._pool.shutdown(wait=True)
        for turn in self._turns.values():
            _close(turn)

    def _apply(self) -> None:
        """Bring the sources at work in line with the plan; one that reads right now changes at a later turn."""
        plan = self._plan
        for scope, turn in list(self._turns.items()):
            same = plan.get(scope) == turn.wanted
            if not same and (turn.reading is None or turn.reading.done()) and not turn.pending:
                _close(turn)
                del self._turns[scope]
        for scope, wanted in plan.items():
            if scope not in self._turns:
                self._turns[scope] = _Turn(wanted, None, time.monotonic() + wanted.card.first_after)
                self._start(scope, self._turns[scope])

    def _start(self, scope: str, turn: _Turn) -> None:
        own = turn.wanted.card.name == scope
        folder = self._machine.state if own else self._machine.state / "sources" / _folder_name(scope)
        machine = replace(self._machine, state=folder, marks=self._spool.marks(scope))
        try:
            turn.source = turn.wanted.card.start(machine, turn.wanted.settings)
        except Exception as why:  # what this machine can't give must not end the others; it is told
            if turn.told != str(why):
                turn.told = str(why)
                log.exception("source %s can't start", scope)
                self.tell(scope, f"source {scope} can't start: {why}")
            turn.due = time.monotonic() + AGAIN_SECONDS

    def _read(self, scope: str, turn: _Turn) -> None:
        """One turn; whatever goes wrong is told here and never reaches the other sources."""
        if turn.source is None:
            self._start(scope, turn)
        if turn.source is None:
            return
        if not turn.pending:
            if turn.wanted.card.rereads and self._spool.full:
                return
            try:
                turn.pending = list(turn.source.collect())
            except Exception as why:  # one broken source must not end the others; it is told
                # What it had read of before it broke is not lost: a new one starts from the marks kept.
                _close(turn)
                turn.source = None
                if turn.told != str(why):
                    turn.told = str(why)
                    log.exception("source %s failed; it is asked again in %g s", scope, turn.wanted.every)
                    self.tell(scope, f"source {scope} failed: {why}")
                return
            turn.told = ""
        self._keep(scope, turn)

    def _keep(self, scope: str, turn: _Turn) -> None:
        try:
            self._spool.put(turn.pending, scope, turn.wanted.more)
        except OSError as full:  # they are handed over again at the next turn
            log.error("the records of %s can't be kept on disk: %s", scope, full)
            return
        pending, turn.pending = turn.pending, []
        for batch in pending:
            batch.acknowledged()
        if getattr(turn.source, "more", False):
            turn.due = time.monotonic()
            self._news.set()
        lost = self._spool.lost_bytes()
        if lost:
            self.tell("spool", f"{lost} bytes of the agent's spool were damaged and are lost", count=lost)

    def tell(self, key: str, detail: str, count: int = 1) -> None:
        """Have the agent say something of itself: a row of `Operation`, sent like any record."""
        record: dict[str, Any] = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self._machine.computer,
            "OperationCategory": "Data Collection",
            "OperationStatus": "Error",
            "OperationKey": key,
            "Detail": detail[:2000],
            "Count": count,
        }
        try:
            self._spool.put([Batch("Operation", [record])])
        except OSError as full:
            log.error("not kept on disk: %s (%s)", detail, full)


def _close(turn: _Turn) -> None:
    close = getattr(turn.source, "close", None)
    if close is None:
        return
    try:
        close()
    except Exception:  # what can't be closed must not hold up the others; the log tells it
        log.exception("a source of %s can't be closed", turn.wanted.card.name)


def _folder_name(scope: str) -> str:
    return hashlib.blake2b(scope.encode(), digest_size=8).hexdigest()
