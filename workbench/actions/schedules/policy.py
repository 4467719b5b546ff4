"""Which due moments run when some of them were missed.

A service that was off, or a machine that slept, finds due moments that lie back. Up to a minute late is on time and always
runs; what lies further back was missed, and the schedule says what becomes of it. In go moments, out come those that
run and the span of those that do not.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import schedules as diagnostics
from workbench.base.recurrence import Recurrence

GRACE_US = 60 * 1_000_000
MOST = 100
"""Missed moments that a schedule may catch up with."""
_MOST_ON_TIME = 1000


@dataclass(frozen=True, slots=True)
class Misfire:
    """What becomes of missed moments.

    `skip`: none of them runs. `once`: the newest of them runs, unless another run is due right now. `all:N`: the newest N
    run, each as a job of its own.

    Examples
    --------
    >>> Misfire.parse("all:5")
    Misfire(kind='all', most=5)
    """

    kind: str
    most: int

    @classmethod
    def parse(cls, text: str) -> Misfire:
        """Read `skip`, `once` or `all:N`; raises SCH103."""
        kind, _, count = text.partition(":")
        if text in ("skip", "once"):
            return cls(text, int(text == "once"))
        if kind == "all" and count.isdecimal() and len(count) < 4 and 1 <= int(count) <= MOST:
            return cls(kind, int(count))
        raise diagnostics.bad_misfire(text[:40], MOST)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Moments that run, and the first and last of those that do not, if there are any."""

    run: list[int]
    missed: tuple[int, int] | None


def choose(due: Recurrence, first: int, now: int, misfire: Misfire) -> Chosen:
    """What runs of the due moments from `first` to `now`.

    Examples
    --------
    >>> from workbench.base.recurrence import read, zone
    >>> hourly = Recurrence(read("every 1h"), zone("UTC"), 0)
    >>> HOUR = 3_600_000_000
    >>> choose(hourly, HOUR, 5 * HOUR + GRACE_US + 1, Misfire("all", 2)) == Chosen([4 * HOUR, 5 * HOUR], (HOUR, 3 * HOUR))
    True
    >>> choose(hourly, HOUR, 5 * HOUR, Misfire("once", 1)) == Chosen([5 * HOUR], (HOUR, 4 * HOUR))
    True
    """
    border = now - GRACE_US - 1  # up to there they were missed
    run = due.newest(max(first - 1, border), now, _MOST_ON_TIME)
    if first > border:
        return Chosen(run, None)
    most = 0 if misfire.kind == "once" and run else misfire.most
    late = due.newest(first - 1, border, most) if most else []
    left = due.newest(first - 1, late[0] - 1 if late else border, 1)
    return Chosen(late + run, (first, left[0]) if left else None)
