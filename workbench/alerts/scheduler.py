"""The thread that evaluates rules: it sleeps until the next one is due, or until a rule changes."""

from __future__ import annotations

import logging
import threading
from typing import Self

from workbench.alerts.evaluator import Evaluator
from workbench.base import clock
from workbench.base.errors import WorkbenchError

log = logging.getLogger("workbench.alerts")
LONGEST = 5.0
"""Seconds that it sleeps at most: a clock can be set, and another service may have made a rule."""
_LEAST = 0.05


class AlertScheduler:
    """Runs inside its `with` block. Of several on one control database one evaluates, and the next when it is gone."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._stopping = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        evaluator.alerts.on_news.append(self._news.set)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the evaluation that is under way; what is due from now on waits for the next service."""
        self._stopping = True
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._news.clear()
            self._news.wait(self._turn())
        try:
            self._evaluator.release()
        except WorkbenchError as why:  # it runs out by itself
            log.warning("the lease of evaluation could not be given back: %s", why)

    def _turn(self) -> float:
        """Evaluate what is due; the seconds until there is more."""
        try:
            done = self._evaluator.turn(lambda: self._stopping)
            due = self._evaluator.next_due()
        except WorkbenchError as why:
            log.warning("rules that are due could not be evaluated yet: %s", why)
            return LONGEST
        except Exception:
            log.exception("a fault while evaluating rules; they are tried again")
            return LONGEST
        if due is None:
            return LONGEST
        wait = (due - clock.now_us()) / 1_000_000
        # Due, and yet not evaluated: another process does, or the rule changed just then.
        return min(LONGEST, max(0.0 if done else 1.0, wait)) if wait <= 0 else min(LONGEST, max(_LEAST, wait))
