"""Commands and stored functions over a real workspace: what they answer, what they store, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.base.errors import WorkbenchError


@pytest.fixture
def ws(tmp_path: Path) -> workbench.Workspace:
    """Six records of `App` in a workspace called `mine`."""
    opened = workbench.open(str(tmp_path / "mine"), create=True)
    opened.ingest(
        "App", [{"TimeGenerated": "2026-01-01T00:00:00Z", "Size": i, "Host": f"h{i % 2}"} for i in range(6)]
    )
    return opened


def rows(ws: workbench.Workspace, text: str, **more: Any) -> list[tuple[Any, ...]]:
    return ws.query(text, **more).frame.rows()


def mistake(ws: workbench.Workspace, text: str, **more: Any) -> str:
    with pytest.raises(WorkbenchError) as caught:
        ws.query(text, **more)
    return caught.value.render()


# ---- .show ------------------------------------------------------------------------------------


def test_tables_are_shown_with_kustos_columns(ws: workbench.Workspace) -> None:
    result = ws.query(".show tables")
    assert result.columns == ["TableName", "DatabaseName", "Folder", "DocString"]
    assert result.frame.rows() == [("App", "mine", "", "")]
    assert rows(ws, ".show table App") == rows(ws, ".show tables (App)") == [("App", "mine", "", "")]


def test_details_count_what_the_log_counts(ws: workbench.Workspace) -> None:
    result = ws.query(".show tables details")
    assert len(result.columns) == 23
    assert result.columns[-1] == "TableId"
    (row,) = result.frame.to_dicts()
    assert (row["TotalRowCount"], row["TotalExtents"], row["HotRowCount"]) == (6, 1, 6)
    assert row["TotalExtentSize"] > 0
    assert rows(ws, ".show table App details | project TotalRowCount") == [(6,)]


def test_the_schema_of_a_table_as_json_and_as_text(ws: workbench.Workspace) -> None:
    ((name, shown, database, _, _),) = rows(ws, ".show table App schema as json")
    columns = json.loads(shown)["OrderedColumns"]
    assert (name, database) == ("App", "mine")
    assert columns[1] == {"Name": "Size", "Type": "System.Int64", "CslType": "long"}
    ((_, text, _, _, _),) = rows(ws, ".show table App cslschema")
    assert text == "TimeGenerated:datetime,Size:long,Host:string,_TimeReceived:datetime"
    assert rows(ws, ".show table App schema as csl") == rows(ws, ".show table App kqlschema")


def test_the_schema_of_the_database(ws: workbench.Workspace) -> None:
    ws.query(".create function f(n:long) { print n }")
    flat = ws.query(".show database schema")
    assert flat.columns[:4] == ["DatabaseName", "TableName", "ColumnName", "ColumnType"]
    assert ("mine", "App", "Size", "System.Int64") in [r[:4] for r in flat.frame.rows()]
    (((shown,),)) = rows(ws, ".show database mine schema as json")
    described = json.loads(shown)["Databases"]["mine"]
    assert described["Tables"]["App"]["OrderedColumns"][0]["CslType"] == "datetime"
    assert described["Functions"]["f"]["Body"] == "{ print n }"
    script = [line for (line,) in rows(ws, ".show schema as csl script")]
    assert script[1] == ".create-or-alter function f (n:long) { print n }"
    assert mistake(ws, ".show database other schema").startswith("KQL405 at 1:16")


def test_what_is_shown_can_be_asked_further(ws: workbench.Workspace) -> None:
    assert rows(ws, ".show tables\n| where TableName has 'app' | count") == [(1,)]
    assert mistake(ws, ".show tables | where Tablename == 'x'").splitlines()[:3] == [
        "KQL101 at 1:22: no column named 'Tablename'", "  .show tables | where Tablename == 'x'",
        "                       ^^^^^^^^^",
    ]  # fmt: skip


def test_databases_and_version(ws: workbench.Workspace) -> None:
    (row,) = ws.query(".show databases").frame.to_dicts()
    assert (row["DatabaseName"], row["DatabaseId"], row["IsCurrent"]) == (
        "mine",
        ws.repository.workspace_id,
        True,
    )
    assert ws.query(".show version").columns == ["BuildVersion", "BuildTime", "ServiceType", "ProductVersion"]


# ---- functions --------------------------------------------------------------------------------


def test_a_function_is_stored_shown_and_called(ws: workbench.Workspace) -> None:
    made = ws.query(
        ".create function with (docstring=\"big ones\", folder='x') Big(n:long = 3) {\n App | where Size > n }"
    )
    assert made.columns == ["Name", "Parameters", "Body", "Folder", "DocString"]
    shown = [("Big", "(n:long = 3)", "{\n App | where Size > n }", "x", "big ones")]
    assert made.frame.rows() == rows(ws, ".show functions") == rows(ws, ".show function Big") == shown
    again = workbench.open(ws.path)
    for query, count in (("Big", 2), ("Big()", 2), ("Big(4)", 1), ("Big(n=4)", 1), ("table('Big')", 2)):
        assert rows(again, f"{query} | count") == [(count,)]
    assert rows(ws, "App | where Size in (Big | project Size) | count") == [(2,)]


def test_create_alter_and_drop_say_when_there_is_or_is_none(ws: workbench.Workspace) -> None:
    assert mistake(ws, ".alter function f() { print 1 }").startswith("KQL413 at 1:17")
    ws.query(".create function with (docstring='d') f() { print x = 1 }")
    assert mistake(ws, ".create function f() { print 1 }").startswith("KQL414 at 1:18")
    ws.query(".create function ifnotexists f() { print x = 2 }")
    assert rows(ws, "f") == [(1,)]
    ws.query(".alter function f() { print x = 3 }")
    assert rows(ws, "f") == [(3,)]
    assert rows(ws, ".show function f | project DocString") == [("d",)]
    ws.query(".alter function f docstring 'e'")
    ws.query(".alter function f folder @'a\\b'")
    assert rows(ws, ".show function f | project Folder, DocString") == [("a\\b", "e")]
    assert rows(ws, ".drop function f") == [("f",)]
    assert rows(ws, ".drop function f ifexists") == []
    assert mistake(ws, ".drop function f").startswith("KQL413 at 1:16")
    assert mistake(ws, "f").startswith("KQL102")


def test_several_functions_are_dropped_together_or_not_at_all(ws: workbench.Workspace) -> None:
    for name in "abc":
        ws.query(f".create function {name}() {{ print 1 }}")
    assert mistake(ws, ".drop functions (a, d)").startswith("KQL413 at 1:21")
    assert rows(ws, ".drop functions (a, c)") == [("b", "()", "{ print 1 }", "", "")]


def test_a_body_is_tried_before_it_is_stored(ws: workbench.Workspace) -> None:
    told = mistake(ws, ".create function f() {\n  App\n  | where Sze > 1\n}")
    assert told.splitlines()[:3] == [
        "KQL101 at 3:11: no column named 'Sze'",
        "    | where Sze > 1",
        "            ^^^",
    ]
    assert mistake(ws, ".create function f() { Nope | take 1 }").startswith("KQL102")
    assert mistake(ws, ".create function f( { 1 }").startswith("KQL003")
    assert rows(ws, ".show functions") == []
    ws.query(".create function with (skipvalidation=true) f() { Nope | take 1 }")
    assert mistake(ws, "f").startswith("KQL102 at 1:6: in the function 'f': no table named 'Nope'")


@pytest.mark.parametrize(
    "declared",
    [
        "f(n:long) { App | take n }",
        "f(d:dynamic, t:timespan, when:datetime) { App | where TimeGenerated > ago(t) and Host in (d) | extend when }",
        "f(a:long, b:long = 2) { a * b }",
        "f(T:(Size:long, *), k:string) { T | where Size > 2 | extend k, x = Anything }",
        "f(T:(*)) { T | summarize count() by Anything }",
        "f(T:(Size:long)) { T | extend y = Size + 1 }",
        "f(name:string) { table(name) | where Whatever > 1 }",
        "f() { App | extend b = bag_pack('x', Size) | evaluate bag_unpack(b) | project x }",
        "f() { let top = toscalar(App | summarize max(Size)); App | where Size == top }",
        "f(re:string) { App | where Host matches regex re }",
    ],
)
def test_trying_a_body_takes_what_a_call_would(ws: workbench.Workspace, declared: str) -> None:
    ws.query(f".create function {declared}")
    assert len(rows(ws, ".show functions")) == 1


def test_a_function_wins_over_a_table_of_its_name_as_in_kusto(ws: workbench.Workspace) -> None:
    ws.query(".create function App(least:long = 1) { table('App') | where Size >= least }")
    assert rows(ws, "App | count") == [(5,)]
    assert rows(ws, "App(4) | count") == [(2,)]
    assert rows(ws, "table('App') | count") == [(6,)]
    assert rows(ws, "database('mine').App | count") == [(5,)]
    assert rows(ws, "let App = datatable(x:long)[1]; App | count") == [(1,)]


def test_recursion_is_refused_when_stored_and_when_called(ws: workbench.Workspace) -> None:
    assert mistake(ws, ".create function a() { a() }").startswith(
        "KQL403 at 1:24: the function 'a' calls itself"
    )
    ws.query(".create function with (skipvalidation=true) a() { b | take 1 }")
    assert "a → b → a" in mistake(ws, ".create function b() { a }").replace("b → a → b", "a → b → a")
    ws.query(".create function with (skipvalidation=true) b() { a }")
    assert "KQL403" in mistake(ws, "a")
    assert "KQL403" in mistake(ws, "union a, App")


def test_an_error_while_it_runs_points_into_the_function_too(ws: workbench.Workspace) -> None:
    ws.query(".create function Own() {\n  App\n  | where Host matches regex '('\n}")
    ws.query(".create function Given(p:string) {\n  App\n  | where Host matches regex p\n}")
    assert mistake(ws, "// a line\nOwn").startswith(
        "KQL209 at 3:30: in the function 'Own': '(' is no regular"
    )
    assert mistake(ws, "// a line\nGiven('(')").startswith("KQL209 at 2:7: '(' is no regular expression")


def test_a_function_sees_nothing_of_its_caller(ws: workbench.Workspace) -> None:
    ws.query(".create function with (skipvalidation=true) f() { print x = hidden }")
    assert mistake(ws, "let hidden = 1; f").startswith("KQL101 at 1:16: in the function 'f'")
    assert mistake(ws, "f", parameters={"hidden": 1}).startswith("KQL101")
    assert mistake(ws, "f", scope={"hidden": 1}.__getitem__).startswith("KQL101")


def test_functions_call_functions_and_values(ws: workbench.Workspace) -> None:
    ws.query(".create function Twice(a:long) { a * 2 }")
    ws.query(".create function Doubled(n:long = 1) { App | where Size == n | extend d = Twice(Size) }")
    assert rows(ws, "Doubled(3) | project d") == [(6,)]
    assert rows(ws, "print Twice(Twice(2)), database('mine').Twice(5)") == [(8, 10)]
    assert mistake(ws, "Twice | count").startswith("KQL203")
    assert mistake(ws, "print Doubled()").startswith("KQL207")


def test_views_are_found_by_wildcards(ws: workbench.Workspace) -> None:
    ws.query(".create function with (view=true) Appx() { App | take 1 }")
    ws.query(".create function Appy() { App | take 1 }")
    assert sorted(rows(ws, "union withsource=t App* | summarize count() by t")) == [("App", 6), ("Appx", 1)]


def test_names_that_the_language_has_are_refused(ws: workbench.Workspace) -> None:
    for name in ("strlen", "count", "now", "table", "_GetWatchlist", "workspace"):
        assert mistake(ws, f".create function {name}() {{ print 1 }}").startswith("KQL415 at 1:18")


def test_restrict_holds_back_functions_and_tables(ws: workbench.Workspace) -> None:
    ws.query(".create function Some() { App | take 1 }")
    only = "restrict access to (Some); "
    assert rows(ws, only + "Some | count") == [(1,)]
    for text in ("App", "table('App')", "database().App", "print toscalar(App | count)", "union App, Some"):
        assert mistake(ws, only + text).startswith("KQL404"), text
    assert rows(ws, "restrict access to (database().*); App | count") == [(6,)]
    assert rows(ws, "let V = view () { App | where Size > 4 }; restrict access to (V); V | project Size") == [
        (5,)
    ]
    assert mistake(ws, "restrict access to (*); App").startswith("KQL404")
    assert rows(ws, "restrict access to (database().A*); search in (A*) 'h1' | count") == [(3,)]
    assert mistake(ws, "restrict access to (App); _GetWatchlist('x')").startswith("KQL404")


# ---- other workspaces -------------------------------------------------------------------------


def test_a_query_asks_its_own_workspace_by_any_of_its_names(ws: workbench.Workspace) -> None:
    names = ("mine", "MINE", ws.path, ws.repository.workspace_id, "/subscriptions/x/workspaces/mine")
    for name in names:
        assert rows(ws, f"workspace('{name}').App | count") == [(6,)]
    for text in (
        "database().App", "database(current_database()).App", "cluster('localhost').database('mine').App",
        "app('mine').App", "workspace('mine').table('App')", "alias database d = database('mine'); database('d').App",
    ):  # fmt: skip
        assert rows(ws, text + " | count") == [(6,)], text
    assert rows(ws, "union withsource=t workspace('mine').App, App | distinct t") == [("App",)]


@pytest.mark.parametrize(
    "text",
    [
        "workspace('other').App", "union workspace('other').App, App", "cluster('https://x.net').database('mine').App",
        "cluster('localhost').database('other').App", "alias database d = cluster('c').database('e'); database('d').App",
        "print x = database('other').f(1)", "workspace('other').table('App')",
    ],
)  # fmt: skip
def test_another_workspace_is_refused_by_name(ws: workbench.Workspace, text: str) -> None:
    told = mistake(ws, text)
    assert told.startswith("KQL405")
    assert "known as: mine" in told


def test_a_fuzzy_union_passes_over_other_workspaces(ws: workbench.Workspace) -> None:
    assert rows(ws, "union isfuzzy=true workspace('other').App, App | count") == [(6,)]


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (".drop table App", "KQL412 at 1:1: .drop table is not supported"),
        (".ingest inline into table T <| 1,2", "KQL412 at 1:1: .ingest is not supported"),
        (".set-or-append T <| print 1", "KQL412 at 1:1: .set-or-append is not supported"),
        (".create table T (a:long)", "KQL412 at 1:1: .create table is not supported"),
        (".delete table T records <| T", "KQL412 at 1:1: .delete table is not supported"),
        (".show extents", "KQL411 at 1:1: no command named '.show extents'"),
        (".frobnicate", "KQL411 at 1:1: no command named '.frobnicate'"),
        (".", "KQL003 at 1:2: expected a tabular operator, found the end of the query"),
        (".show tables App", "KQL003 at 1:14: expected the end of the command, found 'App'"),
        (".show table Nope schema as json", "KQL102 at 1:13: no table named 'Nope'"),
        (".show function nope", "KQL413 at 1:16: no stored function named 'nope'"),
        (".create function with (colour='red') f() { print 1 }", "KQL008 at 1:24"),
        (".create function f() { print 1 } | count", "KQL003 at 1:34: expected the end of the command"),
    ],
)
def test_a_command_that_is_not_here_says_so(ws: workbench.Workspace, text: str, told: str) -> None:
    assert mistake(ws, text).startswith(told)


def test_a_query_behind_a_comment_with_dots_is_a_query(ws: workbench.Workspace) -> None:
    assert rows(ws, "// see .show tables, e.g. here\n\n  // and .here\nApp | count") == [(6,)]
    assert rows(ws, "\n// what is there.\n  .show tables | count") == [(1,)]


def test_a_command_has_no_plan(ws: workbench.Workspace) -> None:
    with pytest.raises(WorkbenchError) as caught:
        ws.explain(".show tables")
    assert caught.value.code == "KQL417"


# ---- parameters and options -------------------------------------------------------------------


def test_parameters_are_converted_as_they_are_declared(ws: workbench.Workspace) -> None:
    declared = (
        "declare query_parameters(n:long, t:datetime, s:string, d:dynamic, b:bool = true, r:real = 1); "
    )
    given = {"n": "7", "t": "datetime(2024-02-03)", "s": 5, "d": '{"a": [1]}', "b": "false", "r": 2}
    (row,) = ws.query(declared + "print n, t, s, tostring(d.a), b, r", parameters=given).frame.rows()
    assert (row[0], row[1].isoformat(), *row[2:]) == (7, "2024-02-03T00:00:00+00:00", "5", "[1]", False, 2.0)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("long", "x"), ("long", 1.5), ("long", True), ("int", 2**40), ("datetime", "soon"), ("datetime", 5),
        ("bool", "maybe"), ("dynamic", "{"), ("guid", "1"), ("timespan", "long ago"), ("long", [1]),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_parameter(ws: workbench.Workspace, type_: str, value: object) -> None:
    told = mistake(ws, f"declare query_parameters(p:{type_}); print p", parameters={"p": value})
    assert told.startswith(f"KQL402 at 1:26: the parameter 'p' is a {type_}")


def test_a_notebook_variable_feeds_a_parameter(ws: workbench.Workspace) -> None:
    result = ws.query("declare query_parameters(n:long = 1); print n", scope={"n": 4}.__getitem__)
    assert result.frame.rows() == [(4,)]
    assert result.statistics.bound == (("n", "long"),)


def test_an_unknown_option_is_a_warning(ws: workbench.Workspace) -> None:
    result = ws.query("set notruncatio = true; set notruncation; print 1")
    assert result.statistics.warnings == (
        "set notruncatio: there is no such option, it was left out; did you mean notruncation?",
    )
