"""What whoever asked may say to a running query, and what it tells them: limits, progress, a stop.

A `Control` is made by the asker and handed to `run`. The running query calls `check` between its parts;
`cancel` may be called from any thread. Knows no engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.base.diagnostics import query as diagnostics


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take; None is no limit.

    `seconds` of wall time; `memory` in bytes of the process; `rows` that the result keeps.
    """

    seconds: float | None = None
    memory: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a query is: data files done of those that it reads, rows found so far, seconds."""

    files_done: int
    files_total: int
    rows: int
    seconds: float


@dataclass(slots=True)
class Control:
    """One query's limits, its listener and its stop.

    `keep_partial`: a stopped query gives the rows that it has, labelled partial, instead of an error.

    Examples
    --------
    >>> control = Control()
    >>> control.cancel()
    >>> control.cancelled
    True
    """

    limits: Limits = field(default_factory=Limits)
    progress: Callable[[Progress], None] | None = None
    keep_partial: bool = False
    began: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask the query to stop; it does at its next step."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    @property
    def seconds(self) -> float:
        """Wall time since the query began."""
        return time.monotonic() - self.began

    def check(self) -> None:
        """Raise where the query has to stop: KQL303 cancelled, KQL304 out of time."""
        if self.cancelled:
            raise diagnostics.interrupted()
        if self.limits.seconds is not None and self.seconds > self.limits.seconds:
            raise diagnostics.out_of_time(self.limits.seconds)
