"""Names, types and scopes: what a query's columns are called, what a name stands for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.result import Result
from workbench.query.run import FrameTables, run

T = ScalarType
TABLE = "datatable(a:long, s:string, d:dynamic, t:datetime, r:real)[]"
STORED = FrameTables(
    {
        "Logs": (
            pl.DataFrame({"Message": ["one", None], "_BatchId": ["x", "y"]}),
            (Column("Message", T.STRING), Column("_BatchId", T.STRING, hidden=True)),
        )
    }
)


def ask(text: str, **more: Any) -> Result:
    return run(text, STORED, **more)


def columns(text: str) -> list[str]:
    result = ask(text)
    return [f"{n}:{t}" for n, t in zip(result.columns, result.types, strict=True)]


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ("project a, a + 1, a * 2", ["a:long", "Column1:long", "Column2:long"]),
        ("project tostring(a), toupper(s), d.x.y, d['k']", ["a:string", "Column1:string", "d_x_y:dynamic", "d_k:dynamic"]),
        ("project strcat(s, s), strlen(s), a == 1", ["Column1:string", "strlen_s:long", "Column2:bool"]),
        ("summarize count(), sum(a), avg(r), dcount(s)", ["count_:long", "sum_a:long", "avg_r:real", "dcount_s:long"]),
        ("summarize percentile(a, 95), make_set(s), take_any(s)", ["percentile_a_95:long", "set_s:dynamic", "s:string"]),
        ("summarize max(a), max(a)", ["max_a:long", "max_a1:long"]),
        ("summarize n = countif(a > 1) by bin(t, 1h), s", ["t:datetime", "s:string", "n:long"]),
        ("summarize arg_max(t, s, a) by r", ["r:real", "t:datetime", "s:string", "a:long"]),
        ("summarize 1.0 * sum(a) / count()", ["Column1:real"]),
        ("extend a = tostring(a), b = a", ["a:string", "s:string", "d:dynamic", "t:datetime", "r:real", "b:long"]),
        ("project a / 2, a / 2.0, a % 2, -a", ["Column1:long", "Column2:real", "Column3:long", "Column4:long"]),
        ("project t - t, t + 1h, t - 1d, 1d / 1h", ["Column1:timespan", "Column2:datetime", "Column3:datetime", "Column4:real"]),
        ("project x = iff(a > 1, 1, 2.5), y = case(a > 1, 's', 't')", ["x:real", "y:string"]),
        ("project x = coalesce(a, 1), y = max_of(a, r)", ["x:long", "y:real"]),
    ],
)  # fmt: skip
def test_columns_are_named_and_typed(operators: str, expected: list[str]) -> None:
    assert columns(f"{TABLE} | {operators}") == expected


def test_print_numbers_what_has_no_name() -> None:
    assert columns("print 1, x = 'a', strlen('a')") == ["print_0:long", "x:string", "print_2:long"]


def test_hidden_columns_are_no_part_of_a_star_but_can_be_named() -> None:
    assert columns("Logs") == ["Message:string"]
    assert columns("Logs | project *") == ["Message:string"]
    assert columns("Logs | where _BatchId == 'x' | project Message, _BatchId") == [
        "Message:string",
        "_BatchId:string",
    ]
    assert columns("union withsource=T Logs") == ["T:string", "Message:string"]


def test_a_null_text_of_a_table_is_empty() -> None:
    assert ask("Logs | where isempty(Message) | count").frame.item() == 1
    assert ask("Logs | extend n = strlen(Message) | summarize sum(n)").frame.item() == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("let a = 1; datatable(a:long)[7] | project x = a", 7),  # a column before a let
        ("let x = 1; let x = x + 1; print x", 2),  # a later let sees the earlier one
        ("let f = (n:long) { n * 2 }; let n = 5; print f(n + 1)", 12),
        ("let n = 1; let f = () { n }; let n = 2; print f()", 1),  # what stood there when it was written
        ("let f = (n:long = 3) { n }; print f()", 3),
        ("let f = (a:long, b:long) { a - b }; print f(b=1, a=5)", 4),
        ("let f = (n:long) { let m = n + 1; m * 10 }; print f(1)", 20),
        ("let g = (n:long) { n + 1 }; let f = (n:long) { g(g(n)) }; print f(1)", 3),
        ("let T = (n:long) { range x from 1 to n step 1 }; T(4) | summarize sum(x)", 10),
        ("let T = materialize(range x from 1 to 3 step 1); print toscalar(T | count)", 3),
        ("let T = range x from 1 to 3 step 1; print toscalar(T | summarize max(x)) + 1", 4),
        ("let f = (T:(x:long)) { T | where x > 1 }; range x from 1 to 3 step 1 | invoke f() | count", 2),
        ("declare query_parameters(n:long = 4); print n", 4),
        ("range x from 1 to 3 step 1 | where x in ((datatable(y:long)[2, 3])) | count", 2),
    ],
)
def test_what_a_name_stands_for(text: str, value: object) -> None:
    assert ask(text).frame.item() == value


def test_a_let_that_is_not_used_is_not_looked_into() -> None:
    assert ask("let broken = nothing + 1; print 1").frame.item() == 1


def test_parameters_are_typed_values_never_text() -> None:
    values = {
        "n": 3, "name": "x' or 1 == 1", "since": dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "span": dt.timedelta(hours=1),
        "some": ["a", "b"], "frame": pl.DataFrame({"k": [1, 2]}),
    }  # fmt: skip
    result = ask("print n, name, since, span, some", parameters=values)
    assert result.types == ["long", "string", "datetime", "timespan", "dynamic"]
    assert result.frame.row(0)[1] == "x' or 1 == 1"
    assert ask("frame | where k < n | count", parameters=values).frame.item() == 2


def test_names_of_the_notebook_are_told() -> None:
    def scope(name: str) -> Any:
        return {"limit": 2, "people": pl.DataFrame({"who": ["a", "b", "c"]})}[name]

    result = ask("people | take limit", scope=scope)
    assert len(result) == 2
    assert sorted(result.statistics.bound) == [("limit", "long"), ("people", "table")]


def test_a_column_wins_over_a_name_of_the_notebook() -> None:
    result = ask("datatable(n:long)[1] | project m = n", scope={"n": 5}.__getitem__)
    assert result.frame.item() == 1
    assert result.statistics.bound == ()


def test_what_is_not_read_is_told() -> None:
    result = ask("let L = externaldata(a:string)['https://example.net/x.csv?key=s3cret']; L | union Logs")
    assert len(result) == 2
    (warning,) = result.statistics.warnings
    assert "https://example.net/x.csv" in warning
    assert "s3cret" not in warning
    assert "'vips'" in ask("_GetWatchlist('vips') | project SearchKey").statistics.warnings[0]
    assert ask("print x = toscalar(externaldata(a:long)['f'] | count)").statistics.warnings != ()


def test_nothing_is_told_where_all_is_read() -> None:
    assert ask("Logs").statistics.warnings == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Logs | where Mesage == 'x'", "KQL101"),
        ("Log | count", "KQL102"),
        ("print strle('x')", "KQL103"),
        ("print let1", "KQL101"),
        ("let f = (n:long) { f(n) }; print f(1)", "KQL403"),
        ("let f = (n:long) { n }; print f(1, 2)", "KQL203"),
        ("let f = (n:long) { n }; print f", "KQL208"),
        ("let T = Logs; print T", "KQL207"),
        ("let n = 1; n | count", "KQL206"),
        ("print Logs", "KQL207"),
        ("Logs | extend x = count()", "KQL106"),
        ("Logs | summarize Message", "KQL107"),
        ("Logs | take strlen(Message)", "KQL204"),
        ("Logs | where toscalar(Message)", "KQL201"),
        ("Logs | extend p = prev(Message)", "KQL205"),
        ("1 + 1", "KQL206"),
    ],
)
def test_mistakes_are_coded(text: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        ask(text)
    assert caught.value.code == code, caught.value.render()
    assert caught.value.position is not None
