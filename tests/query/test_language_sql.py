"""Completion and findings of SQL texts: `▮` in a text is the cursor."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from workbench.base.dtypes import Column, ScalarType
from workbench.query.frames import FrameTables
from workbench.query.language import complete_sql, diagnose_sql

T = ScalarType
TABLES = FrameTables(
    {
        "Beats": (
            pl.DataFrame({"Computer": ["a"], "Load": [1.0], "free space": [1]}),
            (Column("Computer", T.STRING), Column("Load", T.REAL), Column("free space", T.LONG)),
        ),
        "Hosts": (pl.DataFrame({"Host": ["a"], "Site": ["x"]}), (Column("Host", T.STRING), Column("Site", T.STRING))),
    }
)  # fmt: skip


class Variables:
    """Two variables of a notebook."""

    def __call__(self, name: str) -> object:
        return {"limit": 1.5, "since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}[name]

    def names(self) -> list[str]:
        return ["limit", "since"]


def offered(text: str) -> list[str]:
    at = text.index("▮")
    made = complete_sql(text.replace("▮", ""), at, TABLES, Variables())
    assert text[made.replace.start : at].isidentifier() or made.replace.start == at
    return [i.insert for i in made.items]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("SELECT ▮ FROM Beats", ["Computer", "Load", '"free space"', "Beats"]),
        ("SELECT Lo▮ FROM Beats", ["Load", "LOWER("]),
        ("SELECT Computer FROM ▮", ["Beats", "Hosts"]),
        ("SELECT 1 FROM Beats b, ▮", ["Beats", "Hosts"]),
        ("SELECT b.▮ FROM Beats AS b JOIN Hosts h ON b.Computer = h.Host", ["Computer", "Load", '"free space"']),
        ("SELECT 1 FROM Beats b JOIN Hosts h ON b.Computer = h.▮", ["Host", "Site"]),
        ("SELECT 1 FROM Beats WHERE ▮", ["Computer", "Load"]),
        ("SELECT 1 FROM Beats UNION ALL SELECT ▮ FROM Hosts", ["Host", "Site", "Hosts"]),
        ("SELECT ▮ FROM (SELECT Load / 2 AS Half FROM Beats) q", ["Half", "q"]),
        ("SELECT 1 FROM (SELECT ▮ FROM Hosts) q", ["Host", "Site", "Hosts"]),
        ("SELECT upper(▮) FROM Hosts", ["Host", "Site"]),
        ("WITH busy AS (SELECT Load AS Much FROM Beats) SELECT Mu▮ FROM busy", ["Much"]),
        ("WITH busy AS (SELECT Load FROM Beats) SELECT 1 FROM ▮", ["busy", "Beats"]),
        ("SELECT 1 FROM Beats WHERE Load > :▮", ["limit", "since"]),
        ("select * from Beats whe▮", ["where ", "when "]),
        ("select cou▮ from Beats", ["count(", "count_if("]),
        ("▮", ["SELECT ", "FROM "]),
    ],
)  # fmt: skip
def test_what_may_stand_there(text: str, first: list[str]) -> None:
    assert offered(text)[: len(first)] == first


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'a▮' FROM Beats",
        "SELECT 1 -- a▮",
        "SELECT 12▮",
        "SELECT 1 AS ▮ FROM Beats",
        "SELECT nobody.▮ FROM Beats",
        "SELECT 'open ▮",
    ],
)
def test_where_nothing_can_be_said(text: str) -> None:
    assert offered(text) == []


@pytest.mark.parametrize(
    "text", ["SELECT Load FROM Beats ▮", "((((▮", "WITH a AS (▮", "SELECT (SELECT ▮", ") ▮ ("]
)
def test_any_text_gets_an_answer(text: str) -> None:
    offered(text)


def test_a_mistake_is_found_at_its_place() -> None:
    text = "SELECT Lod FROM Beats"
    (found,) = diagnose_sql(text, TABLES)
    assert text[found.span.start : found.span.end] == "Lod"
    assert "Load" in (found.hint or "")
    assert diagnose_sql("SELECT Load FROM Beats WHERE Load > :limit", TABLES, Variables()) == []
    assert [d.code[:3] for d in diagnose_sql("SELECT Load FROM", TABLES)] == ["SQL"]
