"""Notebook variables on their way into a query."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy
import pandas
import polars as pl
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.bind import Scope
from workbench.query.run import FrameTables, run

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TABLES = FrameTables({})


def bound(value: Any) -> Any:
    return Scope([{"x": value}])("x")


@pytest.mark.parametrize(
    ("value", "as_bound"),
    [
        ("web01", "web01"),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (NOON, NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON.astimezone(dt.timezone(dt.timedelta(hours=2))), NOON),
        (NOON.date(), NOON.replace(hour=0)),
        (dt.timedelta(hours=1), dt.timedelta(hours=1)),
        (["a", 1, None], ["a", 1, None]),
        ({"at": NOON, "n": math.nan}, {"at": "2026-11-23T12:00:00Z", "n": None}),
        (range(3), [0, 1, 2]),
        (numpy.int64(7), 7),
        (numpy.array([1, 2]), [1, 2]),
        (pandas.Timestamp("2026-11-23T12:00:00Z"), NOON),
        (pandas.Timedelta(hours=1), dt.timedelta(hours=1)),
        (pl.Series([1, 2]), [1, 2]),
    ],
)
def test_values_keep_their_type(value: Any, as_bound: Any) -> None:
    found = bound(value)
    assert found == as_bound
    assert type(found) is type(as_bound)


@pytest.mark.parametrize(
    ("value", "code"),
    [(object(), "LAB101"), (b"bytes", "LAB101"), (2**63, "LAB102"), (None, "LAB103"), (pandas.NaT, "LAB103")],
)
def test_what_has_no_type_is_refused_by_name(value: Any, code: str) -> None:
    with pytest.raises(WorkbenchError, match="'x'") as caught:
        bound(value)
    assert caught.value.code == code


@pytest.mark.parametrize("value", [print, dt, dt.datetime, len, lambda: 1])
def test_functions_modules_and_classes_are_not_seen(value: Any) -> None:
    with pytest.raises(KeyError):
        bound(value)


@pytest.mark.parametrize("name", ["_", "_1", "__name__", "In"])
def test_names_of_the_notebook_are_not_seen(name: str) -> None:
    with pytest.raises(KeyError):
        Scope([{name: "secret"}], {"In"})(name)


def test_the_inner_namespace_wins() -> None:
    assert Scope([{"x": 1}, {"x": 2, "y": 3}])("x") == 1
    assert Scope([{"x": 1}, {"x": 2, "y": 3}])("y") == 3


FRAME = pl.DataFrame({"host": ["a", "b"], "n": [1, 2]})


@pytest.mark.parametrize(
    "table", [FRAME, FRAME.lazy(), FRAME.to_pandas(), FRAME.to_arrow(), FRAME.to_arrow().to_batches()[0]]
)
def test_tables_of_three_libraries_are_asked_as_tables(table: Any) -> None:
    assert isinstance(
        table, pl.DataFrame | pl.LazyFrame | pandas.DataFrame | pyarrow.Table | pyarrow.RecordBatch
    )
    answer = run("mine | where n > 1 | project host, n", TABLES, scope=Scope([{"mine": table}]))
    assert answer.frame.rows() == [("b", 2)]
    assert answer.statistics.bound == (("mine", "table"),)


def test_an_answer_is_a_table_again() -> None:
    first = run("print n = 3", TABLES)
    assert run("first | project n + 1", TABLES, scope=Scope([{"first": first}])).frame.item() == 4


def test_a_named_index_becomes_a_column() -> None:
    frame = pandas.DataFrame({"n": [1]}, index=pandas.Index(["a"], name="host"))
    assert bound(frame).to_dicts() == [{"host": "a", "n": 1}]


def test_wide_unsigned_and_binary_columns_lose_nothing() -> None:
    frame = pl.DataFrame({"u": [2**64 - 1], "b": [b"a\xff"]}, schema={"u": pl.UInt64, "b": pl.Binary})
    assert bound(frame).rows() == [(float(2**64 - 1), "a\ufffd")]


@given(st.text(max_size=60))
def test_no_text_changes_the_query(text: str) -> None:
    answer = run('print found = strcat("", x), other = 1', TABLES, scope=Scope([{"x": text}]))
    assert answer.columns == ["found", "other"]
    assert answer.frame["found"][0] == text
    assert answer.statistics.bound == (("x", "string"),)
