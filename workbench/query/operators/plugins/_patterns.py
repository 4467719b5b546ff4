"""Values that rows share: what `autocluster`, `basket` and `diffpatterns` search in.

A pattern is a set of items; an item is a column and a value of it. The rows that have it are the bits of
a Python integer, so that the rows of a pattern are an `&`, and their number is counted by the processor.
Rows that are equal are one row with a weight; where more than `MOST_ROWS` differ, the heaviest are
searched and what is found is counted anew in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

import polars as pl

MOST_ROWS = 65_536
WEIGHT = "__weight"
Pattern = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a column, by the column's place, and the rows that have it."""

    column: int
    value: Any
    rows: int


class Rows:
    """Different rows with weights, and the items that are frequent in them.

    Parameters
    ----------
    frame : polars.DataFrame
        The dimensions, and the whole numbers `__weight`.
    share : float
        An item that fewer of all rows have is left out.
    within : str, optional
        A dimension that parts the rows, and is none itself: frequent in any part is enough.
    """

    def __init__(self, frame: pl.DataFrame, share: float, within: str | None = None) -> None:
        self.frame = frame
        self.columns = [c for c in frame.columns if c not in (WEIGHT, within)]
        keys = [c for c in frame.columns if c != WEIGHT]
        if keys:
            alike = frame.group_by(keys, maintain_order=True).agg(pl.col(WEIGHT).sum())
        else:
            alike = frame.select(pl.col(WEIGHT).sum())
        alike = alike.filter(pl.col(WEIGHT) > 0)
        self.sampled = alike.height > MOST_ROWS
        if self.sampled:
            alike = alike.sort(WEIGHT, descending=True, maintain_order=True).head(MOST_ROWS)
        self.height = alike.height
        self.all = (1 << alike.height) - 1
        self._planes = _planes(alike[WEIGHT].to_list())
        self.total = self.count(self.all)
        parts = [self.all]
        if within is not None:
            parts = list(_places(alike[within].to_list()).values())
        self.parts = dict(zip(_places(alike[within].to_list()) if within else [None], parts, strict=True))
        floors = [(p, share * self.count(p)) for p in parts]
        self.items: list[Item] = []
        for place, name in enumerate(self.columns):
            for value, bits in _places(alike[name].to_list()).items():
                if any(self.count(bits & p) >= floor and bits & p for p, floor in floors):
                    self.items.append(Item(place, value, bits))

    def count(self, rows: int) -> int:
        """The weight of rows."""
        return sum((rows & plane).bit_count() << power for power, plane in enumerate(self._planes))

    def rows_of(self, pattern: Pattern) -> int:
        """The rows that have all items of a pattern."""
        return reduce(and_, (self.items[i].rows for i in pattern), self.all)

    def closed(self, rows: int) -> Pattern:
        """All items that all of `rows` have."""
        return tuple(i for i, item in enumerate(self.items) if rows & item.rows == rows)

    def weights(self, pattern: Pattern, within: str | None = None) -> dict[Any, int]:
        """The weight of the rows that have a pattern, in each part; of all rows, not of the searched."""
        if not self.sampled:
            rows = self.rows_of(pattern)
            return {part: self.count(rows & bits) for part, bits in self.parts.items()}
        same = [pl.col(self.columns[self.items[i].column]).eq_missing(self.value(i)) for i in pattern]
        found = self.frame.filter(*same)
        if within is None:
            return {None: int(found[WEIGHT].sum())}
        counted = dict(found.group_by(within).agg(pl.col(WEIGHT).sum()).iter_rows())
        return {part: int(counted.get(part, 0)) for part in self.parts}

    def value(self, item: int) -> Any:
        """The value of an item, as a cell holds it."""
        value = self.items[item].value
        return float("nan") if value is _NAN else value


_NAN = object()


def _planes(weights: Sequence[int]) -> list[int]:
    """Bits of the weights: the rows whose weight has the power of two."""
    highest = max(weights, default=0).bit_length()
    return [_bits([i for i, w in enumerate(weights) if w >> power & 1]) for power in range(highest)]


def _places(values: Sequence[Any]) -> dict[Any, int]:
    """The rows of each value, as bits."""
    places: dict[Any, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(_NAN if value != value else value, []).append(place)
    return {value: _bits(rows) for value, rows in places.items()}


def _bits(places: Sequence[int]) -> int:
    if not places:
        return 0
    packed = bytearray((places[-1] >> 3) + 1)
    for place in places:
        packed[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(packed, "little")


def frequent(rows: Rows, enough: Callable[[int], bool], dimensions: int | None, most: int) -> Iterator[Pattern]:  # fmt: skip
    """Every largest set of items that the same rows share, if those rows are `enough`.

    It is found from few items first; `dimensions` says how many may be needed to tell its rows from
    all others (items that follow from them are part of it too). Ends after `most`.
    """
    start = rows.closed(rows.all)
    level: dict[Pattern, int] = {start: rows.all}
    seen = {start}
    depth = 0
    if start and enough(rows.all):
        yield start
    while level and (dimensions is None or depth < dimensions):
        below: dict[Pattern, int] = {}
        for pattern, having in level.items():
            taken = {rows.items[i].column for i in pattern}
            for item in rows.items:
                if item.column in taken:
                    continue
                narrower = having & item.rows
                if not narrower or not enough(narrower):
                    continue
                found = rows.closed(narrower)
                if found in seen:
                    continue
                seen.add(found)
                below[found] = narrower
                yield found
                if len(seen) > most:
                    return
        level, depth = below, depth + 1
