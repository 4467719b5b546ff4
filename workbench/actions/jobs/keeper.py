"""The thread that stores what jobs tell, and takes jobs back from workers that were lost."""

from __future__ import annotations

import logging
import threading
import time

from workbench.actions.jobs.store import Jobs
from workbench.base.errors import WorkbenchError
from workbench.collect.intake import Intake
from workbench.collect.record_outbox import RecordOutbox

log = logging.getLogger("workbench.jobs")
SECONDS = 1.0
"""How often it looks for lost workers, and for what another process told."""


class Keeper:
    """Runs beside a service until it is stopped."""

    def __init__(self, jobs: Jobs, outbox: RecordOutbox, intake: Intake) -> None:
        self._jobs, self._outbox, self._intake = jobs, outbox, intake
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
        try:
            lost = self._jobs.give_up_lost()
        except WorkbenchError as why:
            log.warning("lost workers could not be looked for: %s", why)
            return
        if lost:
            log.warning("%d jobs were taken back from lost workers", lost)
