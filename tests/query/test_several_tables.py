"""Queries that give several tables: what `Result` holds, how the wire, a cell and a terminal show it."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.cli import output
from workbench.kernel_ext import display
from workbench.query.frames import FrameTables
from workbench.query.result import Result
from workbench.query.run import explain, run
from workbench.server import wire

LOGS = pl.DataFrame({"host": ["a", "b", "a"], "size": [1, 2, 3], "note": ["x", "y", "z"]})
SCHEMA = (
    Column("host", ScalarType.STRING),
    Column("size", ScalarType.LONG),
    Column("note", ScalarType.STRING),
)
SOURCE = FrameTables({"Logs": (LOGS, SCHEMA)})
FORK = "Logs | fork big = (where size > 1 | project size) (summarize n = count() by host | sort by host asc | as hosts) (count)"  # fmt: skip


def ask(text: str, **more: Any) -> Result:
    return run(text, SOURCE, **more)


def rows(result: Result) -> list[tuple[str | None, list[list[Any]]]]:
    return [(t.name, wire.rows(t)) for t in result.tables]


def test_fork_gives_a_table_a_subquery() -> None:
    result = ask(FORK)
    assert rows(result) == [("big", [[2], [3]]), ("hosts", [["a", 2], ["b", 1]]), ("Results_3", [[3]])]
    assert [t.query for t in result.tables] == [FORK] * 3
    assert result.others[0].types == ["string", "long"]


def test_facet_gives_its_subquery_then_a_table_a_column() -> None:
    result = ask("Logs | facet by host, size with (where size > 2 | project note)")
    assert rows(result) == [
        ("Results", [["z"]]),
        ("Facet", [["a", 2], ["b", 1]]),
        ("Facet_2", [[1, 1], [2, 1], [3, 1]]),
    ]


def test_all_subqueries_see_the_same_rows() -> None:
    text = "range x from 1 to 100 step 1 | extend r = rand() | fork (summarize s = sum(r)) (summarize s = sum(r))"
    first, second = ask(text).tables
    assert first.frame["s"][0] == second.frame["s"][0]


def test_the_sample_that_is_forked_is_drawn_once() -> None:
    first, second = ask("range x from 1 to 1000 step 1 | sample 5 | fork (project x | sort by x asc) (summarize l = make_list(x) | project l = array_sort_asc(l))").tables  # fmt: skip
    assert first.frame["x"].to_list() == json.loads(second.frame["l"][0])


def test_queries_one_after_the_other_are_tables() -> None:
    assert rows(ask("Logs | count; let n = 2; print n; Logs | take 1 | fork (project host) (count)")) == [
        ("Results", [[3]]),
        ("Results_2", [[2]]),
        ("Results", [["a"]]),
        ("Results_2", [[1]]),
    ]


def test_preview_and_the_funnel_give_several_tables() -> None:
    assert rows(ask("Logs | evaluate preview(1)"))[1] == ("Results_2", [[3]])
    funnel = ask("Logs | evaluate funnel_sequence(host, size, 0, 10, 5, 10, note, dynamic(['x']))")
    assert [t.columns for t in funnel.tables] == [
        ["size", "prev", "next", "dcount", "samples"],
        ["size", "prev", "dcount", "samples"],
        ["size", "next", "dcount", "samples"],
    ]
    assert wire.rows(funnel.others[1], dynamic_as_text=True) == [[0, "z", 1, '["a"]']]


def test_each_table_has_its_own_cap() -> None:
    result = ask("Logs | fork (project host) (take 1 | project host)", limit=2)
    assert [(len(t), t.truncated) for t in result.tables] == [(2, True), (1, False)]
    assert wire.log_search(result)["error"]["details"][0]["message"] == "the result was cut after 2 rows"


def test_a_query_of_one_table_has_no_others() -> None:
    result = ask("Logs | count")
    assert (result.name, result.others) == (None, ())
    assert "others" not in wire.answer(result)


def test_the_wire_has_all_tables() -> None:
    result = ask(FORK)
    answer = json.loads(wire.dump(wire.answer(result)))
    assert (answer["columns"], answer["rows"]) == (["size"], [[2], [3]])
    assert [(o["name"], o["columns"]) for o in answer["others"]] == [
        ("hosts", ["host", "n"]),
        ("Results_3", ["Count"]),
    ]
    assert [t["name"] for t in wire.log_search(result)["tables"]] == ["PrimaryResult", "hosts", "Results_3"]


def test_a_cell_shows_all_tables() -> None:
    shown = display.outputs(ask(FORK), 50)
    assert len(shown) == 3
    assert [o.data["text/plain"].split("\n")[-1].split(" · ")[0] for o in shown] == [
        "big",
        "hosts",
        "Results_3",
    ]
    assert display.joined(shown).data["text/html"].count("<table") == 3


def test_a_terminal_shows_all_tables() -> None:
    shown = output.preview(ask(FORK))
    assert [name in shown for name in ("big · rows 2 of 2", "hosts · rows 2 of 2", "Results_3 · rows 1 of 1")] == [True] * 3  # fmt: skip


def test_programs_get_all_tables(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    result = ask(FORK)
    output.write(result, "json")
    assert json.loads(capfdbinary.readouterr().out) == {
        "big": [{"size": 2}, {"size": 3}],
        "hosts": [{"host": "a", "n": 2}, {"host": "b", "n": 1}],
        "Results_3": [{"Count": 3}],
    }
    output.write(result, "csv")
    assert capfdbinary.readouterr().out.decode() == "size\n2\n3\n\nhost,n\na,2\nb,1\n\nCount\n3\n"
    with pytest.raises(WorkbenchError, match="3 tables"):
        output.write(result, "parquet")


def test_explain_tells_the_plan_of_each_table() -> None:
    assert explain(FORK, SOURCE).count("rewritten") == 3


@pytest.mark.parametrize(
    "text",
    ["Logs | fork (count) (count) | take 1", "let f = Logs | fork (count) (count); f | take 1", "print x = toscalar(Logs | fork (count) (count))"],
)  # fmt: skip
def test_nothing_can_follow_several_tables(text: str) -> None:
    with pytest.raises(WorkbenchError) as raised:
        ask(text)
    assert raised.value.code == "KQL211"
