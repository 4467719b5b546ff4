"""What whoever asked may say to a running query, and what it tells them: limits, progress, a stop.

A `Control` is made by the asker and handed to `run`. The running query calls `check` between its parts;
`cancel` may be called from any thread. Knows no engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.base import memory
from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import WorkbenchError

ROW_CAP = 500_000
_TOLD_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take; None is no limit.

    `seconds` of wall time; `memory` in bytes that the process grows by; `rows` that the result keeps; `take` is how many
    are asked for, so that no more are missed.
    """

    seconds: float | None = None
    memory: int | None = None
    rows: int | None = None
    take: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a query is: data files done of those that it reads, rows found so far, seconds."""

    files_done: int
    files_total: int
    rows: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.files_done:,} of {self.files_total:,} files"


@dataclass(frozen=True, slots=True)
class PartSize:
    """When a query over stored files runs in parts, and how large they are.

    A scan of fewer than `least_files` or `least_rows` goes in one go. The first part has about
    `first_rows`; the others about as much as takes `seconds`, never more than `growth` times the one before. Where a
    query of the same shape ran before, its pace sizes the first part too.
    Where Python computes something row by row both numbers of rows are divided by `slower`.
    """

    least_files: int = 8
    least_rows: int = 1_000_000
    first_rows: int = 300_000
    seconds: float = 0.4
    growth: float = 40.0
    slower: int = 10


@dataclass(slots=True)
class Control:
    """One query's limits, its listener and its stop.

    `progress` is called ten times a second at most, on the thread that runs the query. `keep_partial`:
    a stopped query gives the rows that it has, labelled partial, instead of an error. `parts` None:
    everything in one go. `row_cap`: rows that a result keeps where neither the asker nor the text says.

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
    parts: PartSize | None = field(default_factory=PartSize)
    row_cap: int = ROW_CAP
    began: float = field(default_factory=time.monotonic)
    settling: bool = field(default=False, init=False)
    """The query has seen that it is to stop and makes its last rows ready: let it."""
    signalling: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Held by who signals the engine after a look at `settling`: so no signal comes when the query has settled."""
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _why: WorkbenchError | None = field(default=None, init=False)
    _memory_before: int = field(default_factory=memory.resident, init=False)
    _told: float = field(default=0.0, init=False)

    def cancel(self) -> None:
        """Ask the query to stop; it does at its next step."""
        self._stop.set()

    def settle(self) -> None:
        """The query says that it has seen its stop, and that what it does now is short."""
        with self.signalling:
            self.settling = True

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    @property
    def seconds(self) -> float:
        """Wall time since the query began."""
        return time.monotonic() - self.began

    @property
    def memory(self) -> int:
        """Bytes by which the process has grown since the query began."""
        return max(0, memory.resident() - self._memory_before)

    def reason(self) -> WorkbenchError | None:
        """Why the query has to stop, if it has to: KQL303 cancelled, KQL304 time, KQL305 memory.

        Once there is one it stays, also where the memory is free again.
        """
        if self._why is None:
            self._why = self._reason()
        return self._why

    def _reason(self) -> WorkbenchError | None:
        if self.cancelled:
            return diagnostics.interrupted()
        if self.limits.seconds is not None and self.seconds > self.limits.seconds:
            return diagnostics.out_of_time(self.limits.seconds)
        if self.limits.memory is not None and (used := self.memory) > self.limits.memory:
            return diagnostics.out_of_memory(used, self.limits.memory)
        return None

    def check(self) -> None:
        """Raise where the query has to stop; see `reason`."""
        if (error := self.reason()) is not None:
            raise error

    def tell(self, done: int, total: int, rows: int, *, last: bool = False) -> None:
        """Tell the listener how far the query is, unless it heard just now."""
        now = time.monotonic()
        if self.progress is not None and (last or now - self._told >= _TOLD_EVERY):
            self._told = now
            self.progress(Progress(done, total, rows, self.seconds))
