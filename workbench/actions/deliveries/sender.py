"""The thread that brings notices to their actions: it takes, claims, and has several tries run at once."""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

from workbench.actions.deliveries.queue import Deliveries, Delivery
from workbench.actions.deliveries.sending import Sending
from workbench.base import clock
from workbench.base.errors import WorkbenchError

log = logging.getLogger("workbench.alerts")
LONGEST = 1.0
"""Seconds that it sleeps at most: another process may have written a notice."""
AT_ONCE = 8
_STOP_SECONDS = 5.0
_FORGET_SECONDS = 3600.0


class Sender:
    """Runs inside its `with` block. Several, on one control database, deliver each notice; a kill loses none."""

    def __init__(self, deliveries: Deliveries, sending: Sending, at_once: int = AT_ONCE) -> None:
        self._deliveries, self._sending = deliveries, sending
        self._free = threading.Semaphore(at_once)
        self._news = deliveries.notices.news
        self._stopping = False
        self._threads: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End. A try that is on its way gets a moment; what it did not finish is tried again by the next service."""
        self._stopping = True
        self._news.set()
        self._thread.join()
        until = time.monotonic() + _STOP_SECONDS
        for thread in [*self._threads]:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        forgot = time.monotonic()
        while not self._stopping:
            self._news.clear()
            wait = LONGEST
            try:
                self._deliveries.take()
                self._start_all()
                due = self._deliveries.next_due()
                # What is due by now and was not started waits for a try to end, which is news.
                if due is not None:
                    wait = min(LONGEST, max(0.0, (due - clock.now_us()) / 1_000_000))
                if time.monotonic() - forgot > _FORGET_SECONDS:
                    forgot = time.monotonic()
                    self._deliveries.forget()
            except WorkbenchError as why:
                log.warning("alerts could not be delivered yet: %s", why)
            except Exception:
                log.exception("a fault while alerts were delivered; it is tried again")
            self._news.wait(wait)

    def _start_all(self) -> None:
        """Start a try of everything that is due, as many as may run at once."""
        while not self._stopping and self._free.acquire(blocking=False):
            delivery = None
            try:
                delivery = self._deliveries.claim()
            finally:
                if delivery is None:
                    self._free.release()
            if delivery is None:
                return
            thread = threading.Thread(target=self._try, args=(delivery,), name="alert delivery", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _try(self, delivery: Delivery) -> None:
        try:
            d = delivery
            outcome = self._sending.once(d.notice, d.group, d.action, d.failures, d.remaining)
            self._deliveries.done(delivery, outcome)
        except WorkbenchError as why:  # its lease ends, and it is tried again
            log.warning("what became of a delivery could not be kept: %s", why)
        except Exception:
            log.exception("a fault while a delivery ended; it is tried again")
        finally:
            self._threads.discard(threading.current_thread())
            self._free.release()
            self._news.set()
