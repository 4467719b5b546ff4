"""The forms of a recurrence: what the clock on the wall shows when it is due.

In go a time of the wall clock, out come the wanted times after it in their order, at most for fifty years. `Every` is the
exception: it counts elapsed time. Must not know zones.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

LAST = -1
_DAY = dt.timedelta(days=1)
_MOST_DAYS = 50 * 366


@dataclass(frozen=True, slots=True)
class Once:
    """One time."""

    time: dt.datetime
    repeating: ClassVar[bool] = False

    def wall(self, after: dt.datetime, _begin: dt.date) -> Iterator[dt.datetime]:
        if self.time > after:
            yield self.time


@dataclass(frozen=True, slots=True)
class Every:
    """Each so many seconds of elapsed time."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields of cron: minute, hour, day of month, month, day of week.

    Where both day fields are given and none begins with `*`, one of them is enough, as in Debian's cron. `L` is the last
    day of a month, `LW` its last weekday, `5L` its last Friday, `2#3` its third Tuesday.

    Examples
    --------
    >>> next(Cron("30 2 * * mon").wall(dt.datetime(2026, 11, 28), dt.date(2026, 11, 28)))
    datetime.datetime(2026, 11, 30, 2, 30)
    """

    text: str

    @property
    def repeating(self) -> bool:
        return any(field.startswith("*") for field in self.text.split()[:2])

    def wall(self, after: dt.datetime, _begin: dt.date) -> Iterator[dt.datetime]:
        from cronsim import CronSim

        return iter(CronSim(self.text, after))


@dataclass(frozen=True, slots=True)
class Days:
    """Each so many days, counted from the first."""

    every: int = 1

    def has(self, day: dt.date, begin: dt.date) -> bool:
        return (day - begin).days % self.every == 0


@dataclass(frozen=True, slots=True)
class Weeks:
    """Some days (0: Monday) of each so many weeks, counted from the week of the first day."""

    days: tuple[int, ...]
    every: int = 1

    def has(self, day: dt.date, begin: dt.date) -> bool:
        weeks = (_monday(day) - _monday(begin)).days // 7
        return day.weekday() in self.days and weeks % self.every == 0


@dataclass(frozen=True, slots=True)
class MonthDays:
    """Some days of each so many months; `LAST` is the last one. A day that a month lacks is not due in it."""

    days: tuple[int, ...]
    every: int = 1

    def has(self, day: dt.date, begin: dt.date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        return (day.day in self.days or (LAST in self.days and day.day == last)) and _months(
            day, begin
        ) % self.every == 0


@dataclass(frozen=True, slots=True)
class MonthWeekday:
    """The nth of a weekday (0: Monday) in each so many months; `LAST` is the last one."""

    nth: int
    weekday: int
    every: int = 1

    def has(self, day: dt.date, begin: dt.date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        nth = day.day + 7 > last if self.nth == LAST else (day.day + 6) // 7 == self.nth
        return day.weekday() == self.weekday and nth and _months(day, begin) % self.every == 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Times of the days that a rule has.

    Examples
    --------
    >>> due = Calendar(MonthDays((LAST,)), (dt.time(6, 30),))
    >>> next(due.wall(dt.datetime(2027, 2, 1), dt.date(2027, 2, 1)))
    datetime.datetime(2027, 2, 28, 6, 30)
    """

    rule: Days | Weeks | MonthDays | MonthWeekday
    times: tuple[dt.time, ...]
    repeating: ClassVar[bool] = False

    def wall(self, after: dt.datetime, begin: dt.date) -> Iterator[dt.datetime]:
        for ahead in range(_MOST_DAYS):
            day = after.date() + ahead * _DAY
            if self.rule.has(day, begin):
                for time in self.times:
                    found = dt.datetime.combine(day, time)
                    if found > after:
                        yield found


Form = Once | Every | Cron | Calendar


def _monday(day: dt.date) -> dt.date:
    return day - day.weekday() * _DAY


def _months(day: dt.date, begin: dt.date) -> int:
    return (day.year - begin.year) * 12 + day.month - begin.month
