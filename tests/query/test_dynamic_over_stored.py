"""Operators on dynamic values over stored tables: other forms of times and texts, hidden columns."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from workbench.base.dtypes import Column, ScalarType
from workbench.query.run import FrameTables, run

T = ScalarType
_UTC = dt.UTC

SCHEMA = (
    Column("TimeGenerated", T.DATETIME),
    Column("Name", T.STRING),
    Column("Took", T.TIMESPAN),
    Column("Tags", T.DYNAMIC),
    Column("Wide", T.STRING),
    Column("_BatchId", T.STRING, True),
)
STORED = pl.DataFrame(
    {
        "TimeGenerated": [dt.datetime(2020, 1, d, 3, tzinfo=_UTC) for d in (1, 2, 3)],
        "Name": ["a", None, "a"],
        "Took": [dt.timedelta(hours=1), None, dt.timedelta(seconds=2)],
        "Tags": ['["x","y"]', None, '[{"k":1}]'],
        "Wide": ["w", "w", None],
        "_BatchId": ["b1", "b1", "b2"],
    },
    schema_overrides={"TimeGenerated": pl.Datetime("us", "UTC"), "Took": pl.Duration("us")},
)
TYPED = """let T = datatable(TimeGenerated:datetime, Name:string, Took:timespan, Tags:dynamic, Wide:string)[
    datetime(2020-01-01 03:00), 'a', 1h, dynamic(['x','y']), 'w',
    datetime(2020-01-02 03:00), '', timespan(null), dynamic(null), 'w',
    datetime(2020-01-03 03:00), 'a', 2s, dynamic([{'k':1}]), ''];
"""
QUERIES = [
    "T | mv-expand Tags | project TimeGenerated, Name, Took, Tags",
    "T | mv-expand with_itemindex=i t = Tags to typeof(string) | where Name == '' | project i, t, Took",
    "T | mv-expand Tags | count",
    "T | mv-apply t = Tags on (where isnotnull(t) | summarize n = count(), first = min(TimeGenerated))",
    "T | mv-apply t = Tags on (take 1) | project Name, TimeGenerated, t",
    "T | mv-apply t = Tags on (summarize n = count()) | summarize sum(n), max(TimeGenerated)",
    "T | make-series n = count(), m = max(Took) on TimeGenerated from datetime(2020-01-01) to datetime(2020-01-04) step 1d by Name",
    "T | make-series n = count() on TimeGenerated step 12h",
    "T | top-nested 1 of Name by max(TimeGenerated), top-nested of Wide with others='o' by count()",
    "T | partition by Name (top 1 by TimeGenerated | project TimeGenerated, Name, Wide)",
    "T | partition by Name (summarize n = count(), l = make_list(Took) by Wide)",
    "T | partition by TimeGenerated (where Wide == 'w' | summarize n = count())",
    "T | summarize make_list(Name), make_set(Name), make_list(TimeGenerated), make_list(Took), make_list_with_nulls(Took)",
    "T | extend p = pack_all() | project p, q = pack_array(TimeGenerated, Name, Took, Tags)",
    "T | extend p = pack_all(true) | evaluate bag_unpack(p, 'p_') | project p_Name, p_Took, Name",
    "T | project d = bag_pack('n', Name, 't', TimeGenerated) | evaluate bag_unpack(d) | where n == ''",
    "T | evaluate pivot(Name, count(), Wide)",
    "T | evaluate pivot(Name, max(TimeGenerated), Wide)",
    "T | evaluate narrow()",
    "T | sort by TimeGenerated asc | evaluate rows_near(isempty(Name), 1, 0)",
    "T | evaluate activity_counts_metrics(Name, TimeGenerated, datetime(2020-01-01), datetime(2020-01-03), 1d, Wide)",
    "T | evaluate rolling_percentile(Took, 50, TimeGenerated, 1d, 2)",
]


def _rows(frame: pl.DataFrame) -> list[str]:
    return sorted(map(repr, frame.rows()))


@pytest.mark.parametrize("query", QUERIES)
def test_stored_and_written_rows_give_the_same(query: str) -> None:
    stored = run(query, FrameTables({"T": (STORED, SCHEMA)}))
    written = run(TYPED + query, FrameTables({}))
    assert stored.exact.columns == written.exact.columns
    assert stored.types == written.types
    assert _rows(stored.exact) == _rows(written.exact)
    assert "_BatchId" not in stored.exact.columns


def test_hidden_columns_can_be_asked_for_behind_them() -> None:
    tables = FrameTables({"T": (STORED, SCHEMA)})
    expanded = run("T | mv-expand Tags | project _BatchId", tables)
    assert expanded.exact["_BatchId"].to_list() == ["b1", "b1", "b1", "b2"]
    applied = run("T | mv-apply t = Tags on (summarize n = count()) | project _BatchId, n", tables)
    assert sorted(applied.exact.rows()) == [("b1", 1), ("b1", 2), ("b2", 1)]
