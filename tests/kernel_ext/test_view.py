"""Rows as a grid looks at them, against the same question answered in plain Python."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.widgets.column_statistics import BINS, as_shown, statistics
from workbench.kernel_ext.widgets.view import Arrangement, Condition, View
from workbench.kernel_ext.widgets.wire import empty_columns, window

T = ScalarType
SCHEMA = (Column("host", T.STRING), Column("n", T.LONG))
ROWS = st.lists(
    st.tuples(st.sampled_from(["web1", "web2", "", "DB"]), st.none() | st.integers(-5, 5)), max_size=30
)


def view_of(rows: list[tuple[str, int | None]]) -> View:
    frame = pl.DataFrame(rows, schema={"host": pl.String, "n": pl.Int64}, orient="row")
    return View(frame, SCHEMA)


def rows_of(view: View) -> list[int]:
    return [line.row for line in view.lines(0, view.height)]


@given(ROWS, st.booleans(), st.sampled_from(["", "web", "WEB2", "d"]), st.integers(-5, 5))
def test_order_search_and_condition_are_those_of_a_list(
    rows: list[tuple[str, int | None]], descending: bool, search: str, least: int
) -> None:
    view = view_of(rows)
    view.arrange(Arrangement(((1, descending),), (Condition(1, ">=", str(least)),), search))
    kept = [
        (i, n)
        for i, (host, n) in enumerate(rows)
        if n is not None and n >= least and (search.lower() in host.lower() or search in str(n))
    ]
    wanted = sorted(kept, key=lambda pair: -pair[1] if descending else pair[1])
    assert rows_of(view) == [i for i, _ in wanted]
    assert view.rows == len(wanted)


@given(ROWS, st.sets(st.integers(0, 4)), st.integers(0, 40), st.integers(0, 40))
def test_any_window_of_groups_is_a_piece_of_all_lines(
    rows: list[tuple[str, int | None]], opened: set[int], start: int, count: int
) -> None:
    view = view_of(rows)
    view.arrange(Arrangement(group=0))
    for group in opened:
        view.toggle(group)
    everything = view.lines(0, view.height)
    assert len(everything) == view.height
    assert view.lines(start, count) == everything[start : start + count]
    heads = [line for line in everything if line.group is not None]
    assert [h.count for h in heads] == sorted((h.count for h in heads), reverse=True)
    assert sum(h.count for h in heads) == len(rows)
    shown = [line.row for line in everything if line.group is None]
    wanted = [i for h in heads if h.opened for i, (host, _) in enumerate(rows) if host == rows[h.row][0]]
    assert shown == wanted


@pytest.mark.parametrize(
    ("kql", "values", "sign", "text", "found"),
    [
        (T.STRING, ["a", None, "B"], "contains", "b", [2]),
        (T.STRING, ["a(", None, "b"], "contains", "(", [0]),
        (T.LONG, [1, None, 2], "==", "2", [2]),
        (T.LONG, [1, None, 2000], "!=", "2,000", [0, 1]),
        (T.REAL, [1.5, None, 2.0], "<=", "1.5", [0]),
        (T.BOOL, [True, None, False], "==", "TRUE", [0]),
        (T.LONG, [1, None, 2], "==", None, [1]),
        (T.LONG, [1, None, 2], "!=", None, [0, 2]),
        (T.DATETIME, [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None, dt.datetime(2026, 1, 2, tzinfo=dt.UTC)], ">=", "2026-01-02", [2]),
        (T.TIMESPAN, [dt.timedelta(hours=1), None, dt.timedelta(hours=2)], ">=", "2h", [2]),
    ],
)  # fmt: skip
def test_conditions_read_what_was_typed_by_the_type_of_the_column(
    kql: ScalarType, values: list[Any], sign: str, text: str | None, found: list[int]
) -> None:
    view = View(pl.DataFrame({"v": values}), (Column("v", kql),))
    view.arrange(Arrangement(conditions=(Condition(0, sign, text),)))
    assert rows_of(view) == found


def test_what_is_no_value_of_the_type_is_told_and_changes_nothing() -> None:
    view = view_of([("a", 1), ("b", 2)])
    view.arrange(Arrangement(search="b"))
    with pytest.raises(WorkbenchError, match="LAB301"):
        view.arrange(Arrangement(conditions=(Condition(1, "==", "many"),)))
    assert rows_of(view) == [1]


def test_statistics_of_a_column_are_counted_over_the_rows_of_the_view() -> None:
    view = view_of([("a", 1), ("b", 3), ("b", None), ("", 3)])
    view.arrange(Arrangement(conditions=(Condition(0, "!=", "a"),)))
    hosts, numbers = statistics(view, 0), statistics(view, 1)
    assert (hosts.rows, hosts.nulls, hosts.empty, hosts.distinct) == (3, 0, 1, 2)
    assert hosts.top[0] == ("b", 2)
    assert (numbers.nulls, numbers.least, numbers.greatest, numbers.bins) == (1, 3, 3, ())
    assert as_shown(numbers, SCHEMA[1])["summary"][1] == ["Null", "1 (33.3 %)"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50, unique=True))
@example([0.0, 5e-324])
@example([-5e-324, 0.0, 5e-324])
def test_a_histogram_has_every_value_in_one_bin(values: list[float]) -> None:
    found = statistics(View(pl.DataFrame({"v": values}), (Column("v", T.REAL),)), 0)
    assert len(found.bins) == BINS
    assert sum(found.bins) == len(values)
    assert found.bins[0] > 0
    assert found.bins[-1] > 0


def test_a_window_has_the_texts_of_the_cells_and_cuts_long_ones() -> None:
    view = View(
        pl.DataFrame({"n": [1234567, None], "t": ["x" * 300, "a\x1b[31m"]}),
        (Column("n", T.LONG), Column("t", T.STRING)),
    )
    read = pl.read_ipc_stream(window(view, 0, 10, [0, 1]))
    assert read["c0"].to_list() == ["1,234,567", None]
    assert read["c1"].to_list() == ["x" * 200 + "…", "a\\x1b[31m"]


def test_columns_without_a_value_are_found() -> None:
    frame = pl.DataFrame(
        {"a": ["", None], "b": [None, None], "c": ["", "x"]}, schema_overrides={"b": pl.Int64}
    )
    schema = (Column("a", T.STRING), Column("b", T.LONG), Column("c", T.STRING))
    assert empty_columns(View(frame, schema)) == [0, 1]
