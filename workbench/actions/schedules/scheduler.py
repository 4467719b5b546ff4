"""The thread that starts what is due: it sleeps until the next due moment, or until a schedule changes."""

from __future__ import annotations

import logging
import threading
from typing import Self

from workbench.actions.schedules.store import Schedules
from workbench.base import clock
from workbench.base.errors import WorkbenchError

log = logging.getLogger("workbench.schedules")
LONGEST = 5.0
"""Seconds that it sleeps at most: a clock can be set, and another service may have made a schedule."""


class Scheduler:
    """Runs inside its `with` block. Several, on one control database, fire each due moment once."""

    def __init__(self, schedules: Schedules) -> None:
        self._schedules = schedules
        self._stopping = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)
        schedules.on_news.append(self._news.set)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; what is due from now on waits for the next service."""
        self._stopping = True
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        fresh = False
        while not self._stopping:
            self._news.clear()
            wait = LONGEST
            try:
                if not fresh:
                    self._schedules.refresh()
                    fresh = True
                self._schedules.fire()
                due = self._schedules.next_due()
                if due is not None:
                    wait = min(LONGEST, max(0.0, (due - clock.now_us()) / 1_000_000))
            except WorkbenchError as why:
                log.warning("what is due could not be started yet: %s", why)
            except Exception:
                log.exception("a fault while starting what is due; it is tried again")
            self._news.wait(wait)
