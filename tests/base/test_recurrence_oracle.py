"""Cron in every zone against a wall clock that is watched minute by minute.

The oracle reads the fields by itself and asks the zone for nothing but its offset. It keeps the latest time that the clock
has shown: a fixed time is due at the minute in which the clock comes to it or leaps over it, a repeating one at each
minute that shows it. `make soak` (WORKBENCH_SCHEDULES=full) goes through every distinct set of rules and ten years;
without it a few zones that have been trouble, two years, and forms drawn with a seed.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import zoneinfo
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice, takewhile

import numpy as np
import pytest

from workbench.base.recurrence import Recurrence, read, zone

FULL = os.environ.get("WORKBENCH_SCHEDULES") == "full"
SEED = 20261128
EPOCH = dt.datetime(1970, 1, 1)
BEGIN = dt.datetime(2026, 1, 1)
YEARS = 10 if FULL else 2
MINUTE = 60_000_000
DAY = 1440
FIRST = int((BEGIN - EPOCH).total_seconds()) // 60
COUNT = (BEGIN.replace(year=BEGIN.year + YEARS) - BEGIN).days * DAY
SPARE = 2 * DAY
"""Minutes before and after what is watched, so that no offset leads out of it."""
TROUBLE = [
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Kathmandu",
]

DAILY = [
    "30 2 * * *", "0 0 * * *", "59 23 * * *", "15 1 * * *", "0 3 * * *", "45 2 * * 0", "30 1 1 * *", "0 0 31 * *",
    "30 2 L * *", "0 1 LW * *", "15 2 * * 7L", "30 2 * * sun#1", "0 0 29 2 *", "30 2 1-7 3,10,11 *", "0 12 13 * 5",
    "20 2 */3 * sun", "5 0 * 9-10 sat,sun", "0 2 1 jan *",
]  # fmt: skip
FINER = [
    "*/15 * * * *", "* 2 * * *", "0 * * * *", "30 */2 * * *", "*/20 0 * * *", "10-50/20 1-3 * * *", "0,30 2 * * *",
    "0 0,1,2,3 * * *", "*/7 1,2 * * sat,sun", "30 * 1-7 * *", "5,35 0-4 * 3,4,9,10,11 *", "*/10 23 L * *",
]  # fmt: skip
NAMES = {
    name: number
    for number, name in [*enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
                         *enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)]
}  # fmt: skip


# ---- the oracle ---------------------------------------------------------------------------------


def values(field: str, first: int, last: int) -> set[int]:
    found = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        low, _, high = span.partition("-")
        begin = first if span == "*" else NAMES.get(low) or int(NAMES.get(low, low))
        end = last if span == "*" or (step and not high) else int(NAMES.get(high, high or begin))
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def wanted_day(days: str, months: str, weekdays: str, day: dt.date) -> bool:
    following = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    last = (following - dt.timedelta(days=1)).day
    if days == "L":
        of_month = day.day == last
    elif days == "LW":
        of_month = day.day == max(d for d in range(last - 2, last + 1) if day.replace(day=d).weekday() < 5)
    else:
        of_month = day.day in values(days, 1, 31)
    number = (day.weekday() + 1) % 7
    if weekdays.endswith("L"):
        of_week = number == int(weekdays[:-1]) % 7 and day.day > last - 7
    elif "#" in weekdays:
        name, _, nth = weekdays.partition("#")
        of_week = number == NAMES[name] and (day.day - 1) // 7 + 1 == int(nth)
    else:
        of_week = number in {n % 7 for n in values(weekdays, 0, 6)}
    both = days.startswith("*") or weekdays.startswith("*")
    return day.month in values(months, 1, 12) and (of_month and of_week if both else of_month or of_week)


@lru_cache(maxsize=40)
def matches(text: str) -> np.ndarray:
    """For each minute of a wall clock whether it is wanted."""
    minute, hour, days, months, weekdays = text.split()
    of_day = np.zeros(DAY, dtype=bool)
    for h in values(hour, 0, 23):
        for m in values(minute, 0, 59):
            of_day[h * 60 + m] = True
    first = (EPOCH + dt.timedelta(minutes=FIRST - SPARE)).date()
    dates = [first + dt.timedelta(days=n) for n in range((COUNT + 2 * SPARE) // DAY)]
    wanted = np.array([wanted_day(days, months, weekdays, d) for d in dates])
    return (wanted[:, None] & of_day[None, :]).ravel()


@cache
def clock(name: str) -> np.ndarray:
    """What the clock of a zone shows at each minute of UTC, in minutes since `FIRST - SPARE`."""
    where = zoneinfo.ZoneInfo(name)

    def offset(minute: int) -> int:
        told = dt.datetime.fromtimestamp((FIRST + minute) * 60, where).utcoffset()
        assert told is not None
        return int(told.total_seconds()) // 60

    offsets = np.empty(COUNT, dtype=np.int64)
    before = offset(-60)
    for hour in range(0, COUNT, 60):
        now, then = offset(hour), offset(hour + 59)
        same = before == now == then
        offsets[hour : hour + 60] = now if same else [offset(m) for m in range(hour, hour + 60)]
        before = then
    return np.arange(COUNT) + offsets + SPARE


def due(text: str, name: str) -> np.ndarray:
    """Minutes since `FIRST` at which a cron form is due."""
    shown, wanted = clock(name), matches(text)
    if any(field.startswith("*") for field in text.split()[:2]):
        return np.flatnonzero(wanted[shown])
    passed = np.concatenate([[0], np.cumsum(wanted)])
    latest = np.maximum.accumulate(shown) + 1
    before = np.concatenate([[shown[0]], latest[:-1]])
    return np.flatnonzero(passed[latest] > passed[before])


def windows(name: str) -> Iterator[tuple[int, int]]:
    """Three days around each move of a zone's clock; of one that has none, its first days."""
    moved = np.flatnonzero(np.diff(clock(name)) != 1) + 1
    for at in moved if len(moved) else [3 * DAY]:
        yield max(0, int(at) - 3 * DAY), min(COUNT, int(at) + 3 * DAY)


# ---- ours ---------------------------------------------------------------------------------------


def ours(text: str, name: str, begin: int, end: int) -> list[int]:
    """The same minutes by the code under test: at `begin` or later, before `end`."""
    start, until = ((FIRST + m) * MINUTE for m in (begin, end))
    moments = Recurrence(read(text), zone(name), start).moments(start - 1)
    return [m // MINUTE - FIRST for m in takewhile(lambda m: m < until, moments)]


def rule_sets() -> list[str]:
    """Of the zones whose clocks go alike in these years, one each."""
    found: dict[tuple[object, ...], str] = {}
    for name in sorted(zoneinfo.available_timezones()):
        where = zoneinfo.ZoneInfo(name)
        days = range(FIRST * 60, (FIRST + COUNT) * 60, 86_400)
        found.setdefault(tuple(dt.datetime.fromtimestamp(d, where).utcoffset() for d in days), name)
    return list(found.values())


def chosen() -> list[tuple[str, list[str]]]:
    """Zones, each with the cron forms that it is tried with."""
    if FULL:
        return [(name, DAILY + FINER) for name in rule_sets()]
    draw = random.Random(SEED)
    return [(name, draw.sample(DAILY, 3) + draw.sample(FINER, 5)) for name in [*TROUBLE, "Europe/Brussels"]]


CHOSEN = chosen()


def test_there_are_thirty_forms_and_many_zones() -> None:
    assert len({*DAILY, *FINER}) == 30
    assert len(CHOSEN) >= (60 if FULL else 6)


@pytest.mark.parametrize(("name", "forms"), CHOSEN, ids=[name for name, _ in CHOSEN])
def test_a_schedule_is_due_as_the_watched_clock_says(name: str, forms: list[str]) -> None:
    draw = random.Random(SEED)
    for text in forms:
        wanted = due(text, name)
        if text in DAILY:
            assert ours(text, name, 0, COUNT) == wanted.tolist(), text
        for begin, end in windows(name):
            # From anywhere within them: a service may start in the middle of a night on which the clock moves.
            for since in (begin, draw.randrange(begin, end), begin + 3 * DAY + draw.randrange(-180, 180)):
                low, high = np.searchsorted(wanted, [since, end])
                assert ours(text, name, since, end) == wanted[low:high].tolist(), (text, since)


def test_the_watched_clock_tells_other_rules_apart() -> None:
    """Cronsim with a zone of its own, where it differs from what is documented here: the oracle sees each."""
    from cronsim import CronSim

    for name, text, begin, count in (
        ("Australia/Lord_Howe", "* 2 * * *", dt.datetime(2026, 4, 4, 12), 60),  # leaves times out
        ("Europe/Brussels", "30 2 * * *", dt.datetime(2027, 10, 31, 2, 10, fold=1), 1),  # goes back
    ):
        start = begin.replace(tzinfo=zoneinfo.ZoneInfo(name))
        theirs = [int(m.timestamp()) // 60 - FIRST for m in islice(CronSim(text, start), count)]
        first = int(start.timestamp()) // 60 - FIRST + 1
        wanted = [m for m in due(text, name).tolist() if m >= first][:count]
        assert theirs != wanted
        assert ours(text, name, first, wanted[-1] + 1) == wanted
