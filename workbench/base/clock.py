"""The only wall clock of the project, so that `now()`, schedules and tests share one."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

_frozen: int | None = None


def now_ticks() -> int:
    """Ticks of 100 ns since 1970-01-01 UTC."""
    return _frozen if _frozen is not None else time.time_ns() // 100


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return now_ticks() // 10


def moment(micros: int | None) -> str | None:
    """µs since 1970 as ISO text, as records and answers have it.

    Examples
    --------
    >>> moment(1_500_000)
    '1970-01-01T00:00:01.500000+00:00'
    """
    if micros is None:
        return None
    since = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)
    return since.isoformat(timespec="microseconds")


@contextmanager
def frozen(ticks: int) -> Iterator[None]:
    """Stop the clock at `ticks` inside the block.

    Examples
    --------
    >>> with frozen(10):
    ...     now_us()
    1
    """
    global _frozen
    before, _frozen = _frozen, ticks
    try:
        yield
    finally:
        _frozen = before
