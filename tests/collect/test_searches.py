"""Saved searches: kept, replaced, refused; their text for Power BI."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.base.database import Database
from workbench.base.errors import WorkbenchError
from workbench.collect.searches import Search, Searches, power_query


@pytest.fixture
def searches(tmp_path: Path) -> Searches:
    return Searches(Database.open(tmp_path))


def test_a_search_is_kept_as_it_is_and_replaced_by_name(searches: Searches, tmp_path: Path) -> None:
    text = "let n = 1; // ä\nHeartbeat\n| where Load > n"
    searches.save(Search("Load", text, "Machines", "too much", "P1D", {"n": "2"}))
    found = Searches(Database.open(tmp_path)).get("Load")
    assert (found.query, found.category, found.timespan, found.parameters) == (
        text,
        "Machines",
        "P1D",
        {"n": "2"},
    )
    searches.save(Search("Load", "Heartbeat"))
    searches.save(Search("About", "Heartbeat", "Z"))
    assert [(s.name, s.query) for s in searches.all()] == [("Load", "Heartbeat"), ("About", "Heartbeat")]
    searches.remove("Load")
    assert [s.name for s in searches.all()] == ["About"]


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("", "T", "SAV002"),
        ("a/b", "T", "SAV002"),
        (".hidden", "T", "SAV002"),
        ("a\nb", "T", "SAV002"),
        ("a" * 201, "T", "SAV002"),
        ("a", "  ", "SAV006"),
        ("a", ".show tables", "SAV007"),
        ("a", "T | where (", "KQL"),
    ],
)
def test_what_cannot_be_kept(searches: Searches, name: str, query: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        searches.save(Search(name, query))
    assert refused.value.code.startswith(code)
    assert searches.all() == []


def test_an_unknown_name_is_told_with_the_nearest(searches: Searches) -> None:
    searches.save(Search("Failed logons", "T"))
    for ask in (searches.get, searches.remove):
        with pytest.raises(WorkbenchError, match="SAV003") as refused:
            ask("Failed logon")
        assert "Failed logons" in (refused.value.hint or "")


def test_power_query_says_the_whole_query_as_one_literal() -> None:
    search = Search("Say", 'T\n| where A has "x#(lf)"\t// "', timespan="P1D")
    text = power_query(search, "http://127.0.0.1:8000/", "abc")
    assert 'query = "T#(lf)| where A has ""x#(#)(lf)""#(tab)// """, timespan = "P1D"' in text
    assert 'Service = "http://127.0.0.1:8000",' in text
    assert 'RelativePath = "v1/workspaces/abc/query"' in text
    for kind in (
        "string",
        "guid",
        "dynamic",
        "int",
        "long",
        "real",
        "decimal",
        "bool",
        "datetime",
        "timespan",
    ):
        assert f" {kind} = " in text
    assert [text.count(c) for c in "([{"] == [text.count(c) for c in ")]}"]
