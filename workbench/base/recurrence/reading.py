"""The texts that say when something is due, read into a form.

    daily 06:30                     every 3 days 06:30,18:00
    weekly mon,fri 06:30            every 2 weeks mon 06:30
    monthly 1,15,last 06:30         monthly second tue 06:30        every 3 months last fri 06:30
    every 20m                       once 2026-12-01 06:30           30 2 * * mon-fri

In go a text, out comes a `Recurrence`, or a message that points to the word that is amiss.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import NoReturn

from workbench.base.diagnostics import schedules as diagnostics
from workbench.base.errors import Span
from workbench.base.recurrence import zones
from workbench.base.recurrence.forms import (
    LAST,
    Calendar,
    Cron,
    Days,
    Every,
    Form,
    MonthDays,
    MonthWeekday,
    Once,
    Weeks,
)

MOST_TEXT = 200
LEAST_SECONDS, MOST_SECONDS = 10, 366 * 86_400
YEARS = range(1970, 2200)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": LAST}
_UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip
_CALENDAR_UNITS = {"d": "day", "day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month", "months": "month"}  # fmt: skip
_CRON_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When something is due.

    Attributes
    ----------
    form : Form
    zone : ZoneInfo
        Whose wall clock is meant.
    start : int
        µs since 1970: nothing before is due, `every` counts from it.
    end : int, optional
        Nothing after it is due.

    Examples
    --------
    >>> brussels = zones.zone("Europe/Brussels")
    >>> due = Recurrence(read("daily 02:30"), brussels, 1_806_098_400_000_000)  # the night of a spring gap
    >>> [zones.shown(m, brussels).strftime("%d %H:%M") for m in due.upcoming(due.start, 3)]
    ['27 02:30', '28 03:00', '29 02:30']
    """

    form: Form
    zone: zoneinfo.ZoneInfo
    start: int
    end: int | None = None

    def moments(self, after: int) -> Iterator[int]:
        """The due moments after one, in µs since 1970."""
        found = self._endless(max(after, self.start - 1))
        return found if self.end is None else takewhile(lambda m: self.end is None or m <= self.end, found)

    def after(self, moment: int) -> int | None:
        """The first due moment after one."""
        return next(self.moments(moment), None)

    def upcoming(self, after: int, count: int) -> list[int]:
        """The next due moments after one."""
        return list(islice(self.moments(after), count))

    def newest(self, after: int, until: int, count: int) -> list[int]:
        """The newest due moments in (after, until], at most so many, in their order.

        What lies far back is not gone through one by one: a service may have been away for a year.
        """
        back = 3600 * zones.SECOND_US
        while True:
            since = max(after, until - back)
            found = list(takewhile(lambda m: m <= until, self.moments(since)))
            if len(found) >= count or since == after:
                return found[-count:]
            back *= 4

    def _endless(self, after: int) -> Iterator[int]:
        form = self.form
        if isinstance(form, Every):
            step = form.seconds * zones.SECOND_US
            return iter(range(self.start + ((after - self.start) // step + 1) * step, 1 << 62, step))
        begin = zones.shown(self.start, self.zone).date()
        follow = zones.repeating if form.repeating else zones.fixed
        return follow(after, lambda wall: form.wall(wall, begin), self.zone)


def read(text: str) -> Form:
    """The form that a text says.

    Raises
    ------
    WorkbenchError
        SCH001, which points to the word.

    Examples
    --------
    >>> read("monthly last fri 06:30")
    Calendar(rule=MonthWeekday(nth=-1, weekday=4, every=1), times=(datetime.time(6, 30),))
    >>> read("every 90 seconds")
    Every(seconds=90)
    """
    return _Reader(text).form()


def read_moment(name: str, text: str, where: zoneinfo.ZoneInfo) -> int:
    """A time such as `2026-12-01T06:30` of a zone's clock (or with an offset of its own); raises SCH004.

    Examples
    --------
    >>> read_moment("start", "1970-01-01 01:00", zones.zone("UTC"))
    3600000000
    """
    try:
        found = dt.datetime.fromisoformat(text)
        if found.year not in YEARS:
            raise ValueError
    except ValueError:
        raise diagnostics.bad_moment(name, text[:100]) from None
    if found.tzinfo is not None:
        return zones.moment(found.astimezone(dt.UTC).replace(tzinfo=None), zones.zone("UTC"))
    return zones.moment(found, where)


class _Reader:
    """The words of a text, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [(m[0], Span(*m.span())) for m in re.finditer(r"\S+", text[:MOST_TEXT])]
        self._at = 0

    def form(self) -> Form:
        if len(self._text) > MOST_TEXT:
            self._fail(f"it has more than {MOST_TEXT} characters", Span(0, 1))
        word = self._peek()
        if word in ("daily", "weekly", "monthly"):
            self._at += 1
            return self._calendar({"daily": "day", "weekly": "week", "monthly": "month"}[word], 1)
        if word == "every":
            self._at += 1
            return self._every()
        if word == "once":
            self._at += 1
            return self._once()
        if word == "cron":
            self._at += 1
        elif not word[:1].isdigit() and not word.startswith("*"):
            self._fail(f"no form begins with {word!r}" if word else "there is nothing")
        return self._cron()

    def _every(self) -> Form:
        match = re.fullmatch(r"(\d{1,9})([a-z]*)", self._peek())
        if match is None:
            self._fail("after 'every' comes a number, such as 20m")
        count, unit = int(match[1]), match[2]
        at = self._at
        self._at += 1
        if not unit:
            unit = self._peek()
            self._at += 1
        if unit in _UNITS:
            seconds = count * _UNITS[unit]
            if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
                self._fail(f"it is not from {LEAST_SECONDS} seconds to 366 days", self._words[at][1])
            self._nothing_more()
            return Every(seconds)
        if unit not in _CALENDAR_UNITS:
            self._fail(f"{unit!r} is no unit of time" if unit else "a unit of time is missing", back=1)
        if not 1 <= count <= 1000:
            self._fail("it is not from 1 to 1000", self._words[at][1])
        return self._calendar(_CALENDAR_UNITS[unit], count)

    def _calendar(self, unit: str, every: int) -> Calendar:
        rule: Days | Weeks | MonthDays | MonthWeekday
        if unit == "day":
            rule = Days(every)
        elif unit == "week":
            rule = Weeks(self._days("a day of the week", self._weekday), every)
        elif self._next_is_weekday():
            nth = _NTH[self._peek()]
            self._at += 1
            weekday = self._weekday(self._peek())
            assert weekday is not None
            self._at += 1
            rule = MonthWeekday(nth, weekday, every)
        else:
            rule = MonthDays(self._days("a day of the month, 1 to 31 or last", _month_day), every)
        times = self._times()
        self._nothing_more()
        return Calendar(rule, times)

    def _next_is_weekday(self) -> bool:
        following = self._words[self._at + 1][0].lower() if self._at + 1 < len(self._words) else ""
        return self._peek() in _NTH and self._weekday(following) is not None

    @staticmethod
    def _weekday(word: str) -> int | None:
        return next((n for n, day in enumerate(_WEEKDAYS) if len(word) >= 3 and day.startswith(word)), None)

    def _days(self, wanted: str, meaning: Callable[[str], int | None]) -> tuple[int, ...]:
        read = [meaning(part) for part in self._peek().split(",")]
        found = {n for n in read if n is not None}
        if None in read:
            self._fail(f"{self._peek()!r} is not {wanted}" if self._peek() else f"{wanted} is missing")
        self._at += 1
        return tuple(sorted(found))

    def _times(self) -> tuple[dt.time, ...]:
        if self._peek() == "at":
            self._at += 1
        word = self._peek()
        found = [re.fullmatch(r"(\d{1,2}):(\d{2})", part) for part in word.split(",")]
        if not word or any(m is None or int(m[1]) > 23 or int(m[2]) > 59 for m in found):
            self._fail(f"{word!r} is no time of day, such as 06:30" if word else "the time of day is missing")
        self._at += 1
        return tuple(sorted({dt.time(int(m[1]), int(m[2])) for m in found if m is not None}))

    def _once(self) -> Once:
        begin = self._at
        text = " ".join(word for word, _ in self._words[begin:])
        try:
            time = dt.datetime.fromisoformat(text)
            if time.tzinfo is not None or time.year not in YEARS:
                raise ValueError
        except ValueError:
            self._fail("after 'once' comes a time of the schedule's zone, such as 2026-12-01 06:30")
        return Once(time)

    def _cron(self) -> Cron:
        from cronsim import CronSim, CronSimError

        fields = self._words[self._at :]
        if len(fields) != len(_CRON_FIELDS):
            self._fail(
                f"cron has 5 fields (minute, hour, day of month, month, day of week), not {len(fields)}"
            )
        text = " ".join(word for word, _ in fields)
        try:
            CronSim(text, dt.datetime(2000, 1, 1))
        except CronSimError as why:
            name = str(why).removeprefix("Bad ")
            place = _CRON_FIELDS.index(name) if name in _CRON_FIELDS else 0
            self._fail(f"the field {_CRON_FIELDS[place]} can't be {fields[place][0]!r}", fields[place][1])
        return Cron(text)

    def _peek(self) -> str:
        return self._words[self._at][0].lower() if self._at < len(self._words) else ""

    def _nothing_more(self) -> None:
        if self._at < len(self._words):
            self._fail(f"nothing may follow, and there is {self._words[self._at][0]!r}")

    def _fail(self, why: str, span: Span | None = None, *, back: int = 0) -> NoReturn:
        at = self._at - back
        end = len(self._text)
        here = self._words[at][1] if at < len(self._words) else Span(end, end + 1)
        raise diagnostics.bad_when(self._text, span or here, why)


def _month_day(word: str) -> int | None:
    if word == "last":
        return LAST
    return int(word) if word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= 31 else None
