"""When something that repeats is due: every so often, or daily at a time, in UTC.

In goes a text such as `1h` or `daily 06:30`, out come moments. Moments lie on a fixed grid, so a restart moves none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.base.diagnostics import kept as diagnostics

SECOND_US = 1_000_000
DAY_SECONDS = 86_400
_EVERY = re.compile(r"(\d{1,6})\s*(s|m|min|h|d)")
_DAILY = re.compile(r"daily(?:\s+(\d{2}):(\d{2}))?")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": DAY_SECONDS}
_LEAST, _MOST = 1, 366 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due each `every` seconds, `offset` seconds after each multiple of that since 1970.

    Examples
    --------
    >>> Schedule.parse("daily 06:30")
    Schedule(every=86400, offset=23400)
    >>> Schedule.parse("20m").after(0) // SECOND_US
    1200
    """

    every: int
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read `90s`, `20m`, `1h`, `1d`, `daily` or `daily HH:MM`.

        Raises
        ------
        WorkbenchError
            SAV001 for anything else, and for more than 366 days.
        """
        told = text.strip().lower()
        if m := _EVERY.fullmatch(told):
            seconds = int(m[1]) * _UNITS[m[2]]
            if _LEAST <= seconds <= _MOST:
                return cls(seconds)
        elif (m := _DAILY.fullmatch(told)) and int(m[1] or 0) < 24 and int(m[2] or 0) < 60:
            return cls(DAY_SECONDS, int(m[1] or 0) * 3600 + int(m[2] or 0) * 60)
        raise diagnostics.bad_schedule(text)

    def after(self, moment: int) -> int:
        """The first due moment after `moment`, both in µs since 1970."""
        every, offset = self.every * SECOND_US, self.offset * SECOND_US
        return (moment - offset) // every * every + every + offset
