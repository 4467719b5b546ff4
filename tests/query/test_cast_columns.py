"""Casting a whole column at once gives what casting each value gives."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import ScalarType as T
from workbench.query.functions._cast import cast, python_cast
from workbench.query.functions.values import POLARS_TYPES, dumps, loads

NUMBERS_AS_TEXT = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.text("0123456789+-.eExXaf_ \tinINyT", max_size=12),
    st.sampled_from(
        ["", "0x1F", "-0x8", "1e400", "9223372036854775808", "NaN", "Infinity", "1_0", "+7", ".5"]
    ),
)
TIMES_AS_TEXT = st.one_of(
    st.datetimes().map(lambda t: t.isoformat() + "Z"),
    st.datetimes().map(lambda t: f"{t:%Y-%m-%d %H:%M:%S}"),
    st.sampled_from(
        ["2020-01-01T00:00:00.123456789Z", "2020-02-30T00:00:00Z", "2020-01-01T24:00:00Z", "soon"]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
NOT_QUITE_JSON = st.sampled_from(['"', '"a', 'a"', "text", "{bad", "nul", "", "1.", "-", "NaN", '"1"'])


def agree(values: list[str | None] | list[float | None], source: T, to: T) -> None:
    column = pl.DataFrame({"x": pl.Series(values, dtype=POLARS_TYPES[source])})
    found = column.select(cast(pl.col("x"), source, to)).to_series().to_list()
    inside: list[Any] = [loads(v) for v in values] if source is T.DYNAMIC else list(values)  # type: ignore[arg-type]
    expected = [python_cast(v, source, to) for v in inside]
    for value, a, b in zip(values, found, expected, strict=True):
        same = a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))
        assert same, f"{value!r}: {a!r}, not {b!r}"


@pytest.mark.parametrize("to", [T.LONG, T.INT, T.REAL])
@settings(max_examples=60)
@given(values=st.lists(NUMBERS_AS_TEXT, max_size=5))
def test_numbers_in_text(values: list[str | None], to: T) -> None:
    agree(values, T.STRING, to)
    agree([*(dumps(v) for v in values), None], T.DYNAMIC, to)


@settings(max_examples=60)
@given(values=st.lists(TIMES_AS_TEXT, max_size=5))
def test_times_in_text(values: list[str | None]) -> None:
    agree(values, T.STRING, T.DATETIME)
    agree([*(dumps(v) for v in values), None], T.DYNAMIC, T.DATETIME)


@settings(max_examples=50)
@given(values=st.lists(JSON.map(dumps) | NOT_QUITE_JSON, max_size=5))
def test_dynamic_values_as_text(values: list[str | None]) -> None:
    agree(values, T.DYNAMIC, T.STRING)


@settings(max_examples=50)
@given(values=st.lists(st.floats() | st.none(), max_size=5))
def test_reals_as_text(values: list[float | None]) -> None:
    agree(values, T.REAL, T.STRING)


@settings(max_examples=60)
@given(values=st.lists(JSON.map(dumps) | NOT_QUITE_JSON, max_size=5))
def test_dynamic_values_as_numbers(values: list[str | None]) -> None:
    agree(values, T.DYNAMIC, T.LONG)
    agree(values, T.DYNAMIC, T.REAL)
