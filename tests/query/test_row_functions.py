"""Row functions over a stored table: they see every row before them, whatever is filtered later."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.query.backends.polars import TableScan
from workbench.query.run import FrameTables, run

SCHEMA = (
    Column("TimeGenerated", ScalarType.DATETIME),
    Column("g", ScalarType.STRING),
    Column("v", ScalarType.LONG),
)


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    """5,000 rows in no order, with times that differ."""
    chance = random.Random(7)
    times = chance.sample(range(10**12), 5_000)
    return pl.DataFrame(
        {
            "TimeGenerated": pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            "g": [chance.choice("abcd") for _ in times],
            "v": [chance.randrange(100) for _ in times],
        }
    )


class Recording:
    """A source that remembers which time ranges it was asked for."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._source = FrameTables({"T": (frame, SCHEMA)})
        self.ranges: list[tuple[int | None, int | None]] = []

    def tables(self) -> list[str]:
        return self._source.tables()

    def schema(self, table: str) -> Schema | None:
        return self._source.schema(table)

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        self.ranges.append(time_range)
        return self._source.scan(table, columns, time_range)


def _apart(earlier: datetime, row: Mapping[str, Any]) -> float:
    """Seconds from a time to a row's."""
    return float((row["TimeGenerated"] - earlier).total_seconds())


LATE = "TimeGenerated > datetime(1970-01-06)"


@pytest.mark.parametrize(
    "pipeline",
    [
        f"sort by TimeGenerated asc | extend p = prev(v) | where {LATE}",
        f"sort by TimeGenerated asc | where v != prev(v) | where {LATE}",
        f"sort by TimeGenerated asc | where v != prev(v) and {LATE}",
        f"sort by TimeGenerated asc | extend n = row_number() + 1 | where {LATE}",
    ],
)
def test_files_before_a_time_range_are_read_for_row_functions(events: pl.DataFrame, pipeline: str) -> None:
    source = Recording(events)
    run(f"T | {pipeline}", source)
    assert source.ranges == [(None, None)]


def test_a_time_range_below_row_functions_still_skips_files(events: pl.DataFrame) -> None:
    source = Recording(events)
    run(f"T | where {LATE} | sort by TimeGenerated asc | extend p = prev(v) | count", source)
    assert source.ranges == [(432_000_000_000, None)]


def test_row_functions_agree_with_a_loop(events: pl.DataFrame) -> None:
    """All of them, in groups, before a filter, on the engine that stored tables use."""
    result = run(
        "T | sort by g asc, TimeGenerated asc"
        " | extend p = prev(v), later = next(v), n = row_number(1, g != prev(g)), total = row_cumsum(v, g != prev(g)),"
        " began = row_window_session(TimeGenerated, 1h, 10m, g != prev(g))"
        " | where v > 50 | extend kept = row_number() | project p, later, n, total, began, kept",
        FrameTables({"T": (events, SCHEMA)}),
    )
    ordered = events.sort("g", "TimeGenerated").rows(named=True)
    expected: list[tuple[Any, ...]] = []
    for i, row in enumerate(ordered):
        before = ordered[i - 1] if i else None
        if before is None or before["g"] != row["g"]:
            number, total, start = 0, 0, row["TimeGenerated"]
        elif _apart(start, row) >= 3600 or _apart(before["TimeGenerated"], row) >= 600:
            start = row["TimeGenerated"]
        number, total = number + 1, total + row["v"]
        after = ordered[i + 1]["v"] if i + 1 < len(ordered) else None
        if row["v"] > 50:
            kept = len(expected) + 1
            expected.append((before["v"] if before else None, after, number, total, start, kept))
    assert result.frame.rows() == expected
