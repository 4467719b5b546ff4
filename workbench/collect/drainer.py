"""The thread that moves acknowledged records into data files, and stores what the intake tells of itself.

In goes an intake with a spool; nothing comes out. It drains when enough waits or the oldest has waited long enough:
queries see the records before, so few large commits are better than many small ones.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.intake import Intake

log = logging.getLogger("workbench.intake")
CATEGORY = "Intake"
SECONDS = 10.0
BYTES = 32 * 2**20
_TICK = 0.25


class Drainer:
    """Drains the spool of an intake until it is stopped.

    Parameters
    ----------
    intake : Intake
    after : callable, optional
        Told the tables of each drain, on the drainer's thread.
    seconds, size : float, int
        It drains when something has waited that long, or so many bytes wait.
    """

    def __init__(
        self,
        intake: Intake,
        after: Callable[[Iterable[str]], None] | None = None,
        seconds: float = SECONDS,
        size: int = BYTES,
    ) -> None:
        assert intake.spool is not None
        self._intake = intake
        self._spool = intake.spool
        self._after = after
        self._seconds, self._size = seconds, size
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        found = self._spool.recovered
        if found.lost_bytes or found.holes:
            told = diagnostics.spool_damaged(found.lost_bytes)
            intake.operations.reason(CATEGORY, told, status="Error", count=max(1, found.holes))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Drain a last time, store what was counted, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        since: float | None = None
        while not self._stopping.wait(_TICK):
            self._tell(whole=False)
            waits = self._spool.waiting_bytes
            since = None if not waits else since or time.monotonic()
            if since is not None and (waits > self._size or time.monotonic() - since > self._seconds):
                since = None if self._drain() else time.monotonic()
        self._tell(whole=True)
        self._drain()

    def _tell(self, *, whole: bool) -> None:
        taken = self._intake.operations.take(whole=whole)
        if taken is not None:
            try:
                for batch in taken.batches:
                    self._intake.accept(batch)
            except WorkbenchError as why:  # the disk is full: its reserve is for others
                self._intake.operations.put_back(taken)
                log.warning("what the intake counted can't be stored yet: %s", why)
            else:
                self._intake.operations.told()

    def _drain(self) -> bool:
        try:
            done = self._intake.repository.drain(self._spool)
        except Exception as why:  # the records are safe in the spool; the next turn tries again
            log.exception("the spool could not be drained; it is tried again in %g s", self._seconds)
            told = why if isinstance(why, WorkbenchError) else diagnostics.not_drained(type(why).__name__)
            self._intake.operations.reason(CATEGORY, told, status="Error")
            return False
        if done.rows and self._after is not None:
            self._after(list(done.rows))
        return True
