"""The clock on the wall of a time zone: what it shows at a moment, and when it shows what is wanted.

In go moments (µs since 1970) and times without a zone, out come the other of the two. Nothing but the moments at which
a zone moves its clock is kept.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator
from functools import lru_cache

from workbench.base.diagnostics import schedules as diagnostics

SECOND_US = 1_000_000
Wall = Callable[[dt.datetime], Iterator[dt.datetime]]
"""Gives the wanted times of a wall clock after one, in their order."""
_EPOCH = dt.datetime(1970, 1, 1)
_US = dt.timedelta(microseconds=1)
_LOOK = 6 * 3600
"""Seconds between two looks at an offset. No zone has moved its clock and back again within them."""


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of an IANA name; raises SCH003.

    Examples
    --------
    >>> zone("Europe/Brussels").key
    'Europe/Brussels'
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise diagnostics.unknown_zone(name[:100], zoneinfo.available_timezones()) from None


def shown(moment: int, where: dt.tzinfo) -> dt.datetime:
    """What the clock shows at a moment.

    Examples
    --------
    >>> shown(0, zone("Asia/Tokyo"))
    datetime.datetime(1970, 1, 1, 9, 0)
    """
    return (_EPOCH + moment * _US).replace(tzinfo=dt.UTC).astimezone(where).replace(tzinfo=None)


def moment(wall: dt.datetime, where: dt.tzinfo) -> int:
    """The first moment at which the clock shows a time, or has gone past it.

    Examples
    --------
    >>> brussels = zone("Europe/Brussels")
    >>> shown(moment(dt.datetime(2027, 3, 28, 2, 30), brussels), brussels)
    datetime.datetime(2027, 3, 28, 3, 0)
    """
    found = _since(wall.replace(tzinfo=where, fold=0).astimezone(dt.UTC))
    if shown(found, where) == wall:
        return found
    # The gap leaves it out; read with the offset of before, it lies behind the change.
    return next(c for c in reversed(_changes(where, *_years(found, found))) if c <= found)


def fixed(after: int, wall: Wall, where: dt.tzinfo) -> Iterator[int]:
    """Moments of times that are each due once, see the package."""
    last = after
    for wanted in wall(shown(after, where)):
        found = moment(wanted, where)
        if found > last:
            yield found
            last = found


def repeating(after: int, wall: Wall, where: dt.tzinfo) -> Iterator[int]:
    """Every moment at which the clock shows a wanted time, see the package."""
    at, begin = after, shown(after, where)
    while True:
        offset = _since(shown(at, where)) - at
        for wanted in wall(begin):
            found = _since(wanted) - offset
            change = _next_change(where, at, found)
            if change is not None:
                break
            yield found
        else:
            return
        # From there on the clock shows other times, and the first of them may be wanted.
        at, begin = change, shown(change, where) - _US


def _next_change(where: dt.tzinfo, after: int, until: int) -> int | None:
    return next((c for c in _changes(where, *_years(after, until)) if after < c <= until), None)


def _years(first: int, last: int) -> tuple[int, int]:
    return (_EPOCH + first * _US).year, (_EPOCH + last * _US).year


def _changes(where: dt.tzinfo, first: int, last: int) -> list[int]:
    """When a zone moves its clock in some years of UTC, and in the one before them."""
    return [change for year in range(first - 1, last + 1) for change in _changes_of(where, year)]


@lru_cache(maxsize=4096)
def _changes_of(where: dt.tzinfo, year: int) -> tuple[int, ...]:
    begin, end = (_since(dt.datetime(y, 1, 1, tzinfo=dt.UTC)) // SECOND_US for y in (year, year + 1))
    found = []
    for low in range(begin, end, _LOOK):
        before, high = _offset(low, where), low + _LOOK
        if _offset(high, where) != before:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(middle, where) == before else (low, middle)
            found.append(high * SECOND_US)
    return tuple(found)


def _offset(second: int, where: dt.tzinfo) -> dt.timedelta | None:
    return dt.datetime.fromtimestamp(second, where).utcoffset()


def _since(time: dt.datetime) -> int:
    return (time.replace(tzinfo=None) - _EPOCH) // _US
