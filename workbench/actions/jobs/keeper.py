"""The thread that stores what jobs and workers tell, and looks every second for those that are lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from workbench.base.errors import WorkbenchError
from workbench.collect.intake import Intake
from workbench.collect.record_outbox import RecordOutbox

log = logging.getLogger("workbench.jobs")
SECONDS = 1.0
"""How often it looks for lost workers, and for what another process told."""


class Keeper:
    """Runs beside a service until it is stopped.

    Parameters
    ----------
    looks : sequence of callable
        Called every second; each says how many it found.
    outbox, intake : RecordOutbox, Intake
        From where to where records go.
    """

    def __init__(self, looks: Sequence[Callable[[], int]], outbox: RecordOutbox, intake: Intake) -> None:
        self._looks, self._outbox, self._intake = looks, outbox, intake
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Store the rest, and end."""
        self._stopping.set()
        self._outbox.news.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        looked = 0.0
        while not self._stopping.is_set():
            if self._drain():
                self._outbox.news.wait(SECONDS)
            else:
                self._stopping.wait(SECONDS)
            if time.monotonic() - looked >= SECONDS:
                looked = time.monotonic()
                self._look()
        self._drain()

    def _drain(self) -> bool:
        try:
            self._outbox.drain(self._intake)
        except WorkbenchError as why:  # the rows wait in the database
            log.warning("what jobs told could not be stored yet: %s", why)
            return False
        return True

    def _look(self) -> None:
        for look in self._looks:
            try:
                found = look()
            except WorkbenchError as why:
                log.warning("nobody could look for what is lost: %s", why)
                return
            if found:
                log.warning("%s: %d", look.__qualname__, found)
