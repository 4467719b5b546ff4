"""What the intake tells of itself: refusals and repairs as rows of `Operation`, amounts as rows of `Usage`.

In go events as they happen, out come batches: one `Operation` row a door, reason and minute, one `Usage` row a table
and hour. A refused sender that comes a thousand times a second costs one row a minute, whatever he sends: a reason is
the code of its message, and the row has the first sentence that was said. Must not store.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field

import polars as pl

from workbench.base import clock
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, Part
from workbench.collect.record import TIME, Columns
from workbench.repository.physical import UTC_MICROSECONDS

OPERATION, USAGE = "Operation", "Usage"
OPERATION_TYPES = {
    "OperationCategory": T.STRING, "OperationStatus": T.STRING, "OperationKey": T.STRING, "Solution": T.STRING,
    "Computer": T.STRING, "Detail": T.STRING, "Count": T.LONG,
}  # fmt: skip
USAGE_TYPES = {
    "DataType": T.STRING, "Solution": T.STRING, "Quantity": T.REAL, "QuantityUnit": T.STRING, "IsBillable": T.BOOL,
    "StartTime": T.DATETIME, "EndTime": T.DATETIME, "Records": T.LONG,
}  # fmt: skip
_MINUTE_US, _HOUR_US = 60_000_000, 3_600_000_000
_MOST = 1000
"""Different reasons of one minute; what comes beyond them counts as one."""
Key = tuple[str, str, str, str]  # category, status, key, detail


@dataclass(slots=True)
class Operations:
    """Counts what happened until somebody takes it. Safe for threads."""

    _counts: dict[tuple[int, Key], int] = field(default_factory=lambda: defaultdict(int))
    _said: dict[tuple[int, Key], str] = field(default_factory=dict)
    _amounts: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def tell(
        self, category: str, detail: str, *, status: str = "Warning", key: str = "", count: int = 1
    ) -> None:
        """Note that something happened `count` times: `category` is the door or part, `key` the message's code."""
        self._count((category, status, key, detail), detail, count)

    def reason(self, door: str, why: WorkbenchError, *, status: str = "Warning", count: int = 1) -> None:
        """Note that a door refused or changed something `count` times: by the code alone, texts differ too much."""
        self._count((door, status, why.code, ""), why.message, count)

    def _count(self, key: Key, detail: str, count: int) -> None:
        now = clock.now_us()
        with self._guard:
            place = (now - now % _MINUTE_US, key)
            if place not in self._counts and len(self._counts) >= _MOST:
                place = (place[0], (*key[:3], "many different reasons"))
                detail = place[1][3]
            self._counts[place] = self._counts.get(place, 0) + count
            self._said.setdefault(place, detail)

    def stored(self, table: str, rows: int, size: int) -> None:
        """Note rows and bytes that a table took."""
        now = clock.now_us()
        with self._guard:
            found = self._amounts.setdefault((now - now % _HOUR_US, table), [0, 0])
            found[0] += rows
            found[1] += size

    def take(self, *, whole: bool = False) -> Taken | None:
        """The rows of minutes and hours that are over (`whole`: of those that run, too), or None.

        What could not be stored goes back by `put_back`.
        """
        now = clock.now_us()
        with self._guard:
            told = [p for p in self._counts if whole or p[0] + _MINUTE_US <= now]
            counts = {p: self._counts.pop(p) for p in told}
            full = [p for p in self._amounts if whole or p[0] + _HOUR_US <= now]
            amounts = {p: self._amounts.pop(p) for p in full}
            said = {p: self._said.pop(p) for p in told}
        parts = []
        if counts:
            parts.append(_operations(counts, said))
        if amounts:
            parts.append(_usage(amounts, now))
        return Taken(Batch("workbench", "workbench", parts), counts, said, amounts) if parts else None

    def put_back(self, taken: Taken) -> None:
        """Count again what could not be stored: it is told when there is room."""
        with self._guard:
            for place, count in taken.counts.items():
                if place in self._counts or len(self._counts) < 2 * _MOST:
                    self._counts[place] = self._counts.get(place, 0) + count
                    self._said.setdefault(place, taken.said[place])
            for amount_place, (rows, size) in taken.amounts.items():
                found = self._amounts.setdefault(amount_place, [0, 0])
                found[0] += rows
                found[1] += size


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows as a delivery, and what they were made of."""

    batch: Batch
    counts: dict[tuple[int, Key], int]
    said: dict[tuple[int, Key], str]
    amounts: dict[tuple[int, str], list[int]]


def _operations(counts: dict[tuple[int, Key], int], said: dict[tuple[int, Key], str]) -> Part:
    places = list(counts)
    texts = {
        "OperationCategory": [p[1][0] for p in places],
        "OperationStatus": [p[1][1] for p in places],
        "OperationKey": [p[1][2] for p in places],
        "Detail": [said[p] for p in places],
    }
    series = {(n, T.STRING): pl.Series(n, v, pl.String) for n, v in texts.items()}
    columns = Columns(len(places), {(TIME, T.DATETIME): _times(TIME, [p[0] for p in places]), **series})
    columns.series["Count", T.LONG] = pl.Series("Count", [counts[p] for p in places], pl.Int64)
    return Part(OPERATION, columns, OPERATION_TYPES)


def _usage(amounts: dict[tuple[int, str], list[int]], now: int) -> Part:
    places = list(amounts)
    ends = [min(p[0] + _HOUR_US, now) for p in places]
    count = len(places)
    columns = Columns(count, {(TIME, T.DATETIME): _times(TIME, ends)})
    columns.series |= {
        ("DataType", T.STRING): pl.Series("DataType", [p[1] for p in places], pl.String),
        ("Quantity", T.REAL): pl.Series("Quantity", [amounts[p][1] / 1e6 for p in places], pl.Float64),
        ("QuantityUnit", T.STRING): pl.Series("QuantityUnit", ["MBytes"] * count, pl.String),
        ("IsBillable", T.BOOL): pl.Series("IsBillable", [False] * count, pl.Boolean),
        ("StartTime", T.DATETIME): _times("StartTime", [p[0] for p in places]),
        ("EndTime", T.DATETIME): _times("EndTime", ends),
        ("Records", T.LONG): pl.Series("Records", [amounts[p][0] for p in places], pl.Int64),
    }
    return Part(USAGE, columns, USAGE_TYPES)


def _times(name: str, values: list[int]) -> pl.Series:
    return pl.Series(name, values, pl.Int64).cast(UTC_MICROSECONDS)
