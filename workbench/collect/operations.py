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
from workbench.collect.amounts import HOUR_US, USAGE, Amounts, Journal, add, usage
from workbench.collect.batch import OWN_DOOR, Batch, Part, batch_id
from workbench.collect.record import TIME, Columns
from workbench.repository.physical import UTC_MICROSECONDS

__all__ = ["OPERATION", "USAGE", "Operations", "Taken"]

OPERATION = "Operation"
OPERATION_TYPES = {
    "OperationCategory": T.STRING, "OperationStatus": T.STRING, "OperationKey": T.STRING, "Solution": T.STRING,
    "Computer": T.STRING, "Detail": T.STRING, "Count": T.LONG,
}  # fmt: skip
_MINUTE_US = 60_000_000
_MOST = 1000
"""Different reasons of one minute; what comes beyond them counts as one."""
Key = tuple[str, str, str, str]  # category, status, key, detail


@dataclass(slots=True)
class Operations:
    """Counts what happened until somebody takes it. Safe for threads.

    Attributes
    ----------
    journal : Journal or None
        Where amounts are kept on disk until they are told.
    """

    journal: Journal | None = None
    _counts: dict[tuple[int, Key], int] = field(default_factory=lambda: defaultdict(int))
    _said: dict[tuple[int, Key], str] = field(default_factory=dict)
    _amounts: Amounts = field(default_factory=dict)
    _telling: Amounts = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.journal is not None:
            self._amounts = self.journal.found

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
            add(self._amounts, now - now % HOUR_US, table, rows, size)
            if self.journal is not None:
                self.journal.add(now - now % HOUR_US, table, rows, size)
                if self.journal.is_long:
                    self.journal.replace(self._amounts, self._telling)

    def take(self, *, whole: bool = False) -> Taken | None:
        """The rows of minutes and hours that are over (`whole`: of those that run, too), or None.

        Then follows `told` of what was stored, and `put_back` of what could not be.
        """
        now = clock.now_us()
        with self._guard:
            told = [p for p in self._counts if whole or p[0] + _MINUTE_US <= now]
            counts = {p: self._counts.pop(p) for p in told}
            full = [p for p in self._amounts if whole or p[0] + HOUR_US <= now]
            amounts = {p: self._amounts.pop(p) for p in full}
            said = {p: self._said.pop(p) for p in told}
            self._telling = amounts
        if not counts and not amounts:
            return None
        batches = []
        if counts:
            batches.append(Batch(OWN_DOOR, OWN_DOOR, [_operations(counts, said)]))
        if amounts:
            # A process that was killed before it could forget them tells the same amounts again: they are known then.
            known = batch_id("workbench", USAGE, "", repr(sorted(amounts.items())).encode())
            batches.append(Batch(OWN_DOOR, OWN_DOOR, [usage(amounts, now)], id=known))
        return Taken(batches, counts, said, amounts)

    def told(self) -> None:
        """Forget on disk the amounts that were taken: they are stored."""
        with self._guard:
            self._telling = {}
            if self.journal is not None:
                self.journal.replace(self._amounts)

    def put_back(self, taken: Taken) -> None:
        """Count again what could not be stored: it is told when there is room."""
        with self._guard:
            self._telling = {}
            for place, count in taken.counts.items():
                if place in self._counts or len(self._counts) < 2 * _MOST:
                    self._counts[place] = self._counts.get(place, 0) + count
                    self._said.setdefault(place, taken.said[place])
            for (hour, table), (rows, size) in taken.amounts.items():
                add(self._amounts, hour, table, rows, size)


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows as deliveries, and what they were made of."""

    batches: list[Batch]
    counts: dict[tuple[int, Key], int]
    said: dict[tuple[int, Key], str]
    amounts: Amounts


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


def _times(name: str, values: list[int]) -> pl.Series:
    return pl.Series(name, values, pl.Int64).cast(UTC_MICROSECONDS)
