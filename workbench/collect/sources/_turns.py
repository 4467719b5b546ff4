"""When a source that is asked more often than it reads is to read again."""

from __future__ import annotations

import time
from collections.abc import Callable

_EARLY = 0.25
"""Seconds: who is asked on the beat, a little early, must not wait for the next beat."""


class Turns:
    """Says yes at the first asking and then every `seconds`, on a fixed beat; late ones are not made up.

    Examples
    --------
    >>> now = iter([0.0, 5.0, 9.9, 20.0, 45.0, 54.9]).__next__
    >>> turns = Turns(10, now)
    >>> [turns.due() for _ in range(6)]
    [True, False, True, True, True, True]
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._next = float("-inf")

    def due(self) -> bool:
        now = self._now()
        if now < self._next - _EARLY:
            return False
        late = now - self._next
        beat = now if late > self._seconds else self._next
        self._next = beat + self._seconds
        return True
