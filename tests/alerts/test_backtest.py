"""When a rule would have fired over stored records: moments, late records, history, and that every way comes to the same."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.alerts.backtest import backtest
from workbench.alerts.reading import read
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.frames import FrameTables

MINUTE = 60 * 1_000_000
DAY = 1_440 * MINUTE
START = 20_000 * DAY
SCHEMA = (
    Column("TimeGenerated", ScalarType.DATETIME), Column("_TimeReceived", ScalarType.DATETIME),
    Column("Computer", ScalarType.STRING), Column("N", ScalarType.LONG),
)  # fmt: skip


def _tables(rows: list[tuple[float, float, str, int]]) -> FrameTables:
    """Records: when, when they came (both in minutes from the start), of whom, and a number."""
    types = {"TimeGenerated": pl.Int64, "_TimeReceived": pl.Int64, "Computer": pl.String, "N": pl.Int64}
    made = [(START + int(t * MINUTE), START + int(r * MINUTE), c, n) for t, r, c, n in rows]
    times = pl.col("TimeGenerated", "_TimeReceived").cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame(made, schema=types, orient="row").with_columns(times)
    return FrameTables({"App": (frame, SCHEMA)})


def _fired(
    text: str, rows: list[tuple[float, float, str, int]], minutes: int = 60
) -> list[tuple[object, ...]]:
    rule = read(f"name: r\nevery: 5m\nover: 10m\n{text}")
    found = backtest(rule, _tables(rows), START, START + minutes * MINUTE)
    return [
        ((f.at - START) / MINUTE, f.resolved_at and (f.resolved_at - START) / MINUTE, f.dimensions.get("Computer"), f.value)
        for f in found.firings
    ]  # fmt: skip


ROWS = [(1, 1, "a", 1), (7, 7, "a", 2), (8, 8, "b", 3), (31, 31, "b", 4)]


def test_it_fires_and_is_resolved_at_moments_of_its_grid() -> None:
    assert _fired("query: App\nwhen: count > 1", ROWS) == [(10, 20, None, 3)]
    assert _fired("query: App", ROWS) == [(5, 20, None, 1), (35, 45, None, 1)]
    assert _fired("query: App", ROWS, 35)[-1] == (35, None, None, 1)


def test_dimensions_measures_and_rows() -> None:
    assert _fired("query: App\nsplit by: Computer\nwhen: maximum(N) >= 3", ROWS) == [
        (10, 25, "b", 3), (35, 50, "b", 4),
    ]  # fmt: skip
    assert [f[0] for f in _fired("query: App\neach row: true", ROWS)] == [5, 10, 10, 35]
    assert [f[0] for f in _fired("query: App\nwhen: count < 1", ROWS, 30)] == [20]


def test_a_late_record_counts_when_it_came_and_an_imported_one_at_its_time() -> None:
    assert _fired("query: App", [(1, 32, "a", 1)]) == [(35, 45, None, 1)]
    assert _fired("query: App", [(1, 5_000, "a", 1)]) == [(5, 15, None, 1)]


def test_a_bound_of_time_in_the_window_does_not_lose_late_records() -> None:
    assert _fired("query: App | where TimeGenerated > ago(10m)", [(1, 32, "a", 1)]) == [(35, 45, None, 1)]


def test_a_longer_bound_reads_history() -> None:
    new = "query: App | where TimeGenerated > ago(30m) | summarize First = min(TimeGenerated) by Computer | where First > ago(5m)"
    assert [f[0] for f in _fired(new, [(1, 1, "a", 1), (21, 21, "a", 1), (58, 58, "a", 1)])] == [5, 60]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 3), st.sampled_from("ab")), max_size=12),
    st.integers(0, 3),
)
def test_counting_and_asking_come_to_the_same(found: list[tuple[int, int, str]], threshold: int) -> None:
    rows = [(float(t), float(t + late), c, 1) for t, late, c in found]
    when = f"when: count > {threshold}"
    counted = _fired(f"query: App | where Computer == 'a'\n{when}", rows)
    assert counted == _fired(f"query: App | where Computer == 'a' | extend M = N\n{when}", rows)
    assert counted == _fired(
        f"query: App | where now() > TimeGenerated - 1d | where Computer == 'a'\n{when}", rows
    )


def test_what_it_costs_is_told_and_bounded() -> None:
    rule = read("name: r\nquery: App | where N == 1 | project N\nevery: 5m")
    found = backtest(rule, _tables(ROWS), START, START + 30 * DAY)
    assert (len(found.measured), found.asked, found.records) == (8_640, 2, 1)
    assert found.chart().columns == ["TimeGenerated", "Measured", "Threshold"]
    with pytest.raises(WorkbenchError, match="ALR131"):
        backtest(read("name: r\nquery: App\nevery: 5s"), _tables(ROWS), START, START + 30 * DAY)
    with pytest.raises(WorkbenchError, match="KQL101"):
        backtest(read("name: r\nquery: App | where Q == 1"), _tables(ROWS), START, START + DAY)
