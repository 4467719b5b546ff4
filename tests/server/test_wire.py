"""Cells as they go over the wire, by KQL type."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.query.result import Result
from workbench.server import wire

T = ScalarType
UTC = dt.UTC


def over_the_wire(series: pl.Series, kind: ScalarType, *, as_text: bool = False) -> list[Any]:
    result = Result(series.alias("x").to_frame(), (Column("x", kind),))
    return [row[0] for row in json.loads(wire.dump(wire.rows(result, dynamic_as_text=as_text)))]


@pytest.mark.parametrize(
    ("series", "kind", "cells"),
    [
        (pl.Series([1, None]), T.LONG, [1, None]),
        (pl.Series([2**63 - 1, -(2**63)]), T.LONG, [2**63 - 1, -(2**63)]),
        (pl.Series([True, None]), T.BOOL, [True, None]),
        (pl.Series(["a", "", None]), T.STRING, ["a", "", ""]),
        (pl.Series([0.1, float("nan"), float("inf"), -float("inf"), None]), T.REAL, [0.1, "NaN", "Infinity", "-Infinity", None]),
        (pl.Series([1, None]), T.DATETIME, ["1970-01-01T00:00:00.0000001Z", None]),
        (pl.Series([dt.datetime(2026, 1, 2, tzinfo=UTC)]).dt.cast_time_unit("us"), T.DATETIME, ["2026-01-02T00:00:00.0000000Z"]),
        (pl.Series([-1, 864_000_000_000]), T.TIMESPAN, ["-00:00:00.0000001", "1.00:00:00"]),
        (pl.Series([dt.timedelta(microseconds=5)]), T.TIMESPAN, ["00:00:00.0000050"]),
        (pl.Series(["1.50", None]), T.DECIMAL, ["1.50", None]),
        (pl.Series(["6b8dcf7a-0000-0000-0000-000000000000"]), T.GUID, ["6b8dcf7a-0000-0000-0000-000000000000"]),
        (pl.Series(['{"a":[1,null]}', '"t"', "7", None]), T.DYNAMIC, [{"a": [1, None]}, "t", 7, None]),
        (pl.Series(["no json"]), T.DYNAMIC, ["no json"]),
    ],
)  # fmt: skip
def test_a_cell_is_spelt_by_its_type(series: pl.Series, kind: ScalarType, cells: list[Any]) -> None:
    assert over_the_wire(series, kind) == cells


def test_the_log_search_api_has_dynamic_as_text() -> None:
    assert over_the_wire(pl.Series(['{"a":1}', None]), T.DYNAMIC, as_text=True) == ['{"a":1}', None]


def test_a_cut_result_says_so() -> None:
    result = Result(pl.DataFrame({"x": [1]}), (Column("x", T.LONG),), truncated=True)
    assert wire.log_search(result)["error"]["code"] == "PartialError"


def test_slices_hold_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SLICE_ROWS", 3)
    result = Result(pl.DataFrame({"x": range(10)}), (Column("x", T.LONG),))
    parts = list(wire.slices(result))
    assert [len(p) for p in parts] == [3, 3, 3, 1]
    assert [row[0] for part in parts for row in part] == list(range(10))


def test_a_result_without_columns_keeps_its_rows_apart() -> None:
    assert wire.rows(Result(pl.DataFrame(), ())) == []


def test_an_error_has_code_place_hint_and_its_drawing() -> None:
    error = diagnostics.unknown_column("Computr", Span(4, 11), ["Computer"]).within("T |\nComputr")
    value = wire.error_value(error)
    assert (value["code"], value["line"], value["column"]) == ("KQL101", 2, 1)
    assert "Computer" in value["hint"]
    assert "^^^^^^^" in value["text"]
