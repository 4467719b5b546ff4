"""Paths into JSON: reading only likely rows, and not parsing before it is needed, change no answer."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType
from workbench.query import rewrite as rules
from workbench.query.functions.values import dumps
from workbench.query.rewrite.json_texts import json_texts
from workbench.query.run import FrameTables, explain, run

T = ScalarType
SCHEMA = (Column("d", T.DYNAMIC), Column("s", T.STRING))

run("print 1", FrameTables({}))  # deep queries raise the recursion limit, which hypothesis watches

# Keys with dots, quotes and brackets; texts that look like numbers, paths and JSON.
KEYS = st.sampled_from(["a", "b.c", "it's", 'q"q', "x[0]", "é", ""])
TEXTS = st.one_of(
    st.sampled_from(["bob", "Bob", "b\\ob", "a/bob", "1.0", "100", "true", "null", "NaN", '{"a":1}', "ſ", "K", "\u2028", ""]),
    st.text(max_size=6),
)  # fmt: skip
NUMBERS = st.one_of(st.integers(-(2**63), 2**64), st.floats(), st.sampled_from([1.0, 1e2, 1e20, -0.0]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
SOUGHT = st.one_of(
    TEXTS, st.sampled_from(["ob", "k", "s", "C:\\", "tru", "inf", "e+2", "1,2", ": 1"])
).filter(lambda t: "\x00" not in t)
OPERATORS = ["==", "!=", "=~", "!~", "has", "!has", "has_cs", "contains", "!contains", "contains_cs",
             "startswith", "endswith", "!endswith_cs", "hasprefix", "hassuffix"]  # fmt: skip


@st.composite
def written(draw: st.DrawFn) -> str:
    """JSON as somebody may write it: spaces, escapes, repeated keys, or no JSON at all."""
    value = draw(VALUES)
    way = draw(st.integers(0, 4))
    if way == 0:
        return json.dumps(value)
    if way == 1:
        return json.dumps(value, ensure_ascii=False, indent=1).replace("/", "\\/")
    if way == 2:
        inner = json.dumps(value, ensure_ascii=True)
        return '{"a": "bob", "a" : ' + inner + "}"
    if way == 3:
        return draw(TEXTS)
    # Every letter in the longest form that JSON knows.
    escaped = "".join(f"\\u{ord(c):04x}" for c in draw(st.text("abo/\\", max_size=5)))
    return '{"a":"' + escaped + '"}'


def literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def rows(query: str, texts: list[str], monkeypatch: pytest.MonkeyPatch, *, quick: bool) -> list[Any]:
    frame = pl.DataFrame(
        {"d": [dumps(_read(t)) for t in texts], "s": texts}, {"d": pl.String, "s": pl.String}
    )
    with monkeypatch.context() as patch:
        if not quick:
            patch.setattr(rules, "json_texts", lambda rel: rel)
        return run(query, FrameTables({"T": (frame, SCHEMA)})).exact.rows()


def _read(text: str) -> Any:
    from workbench.query.functions.values import loads

    return loads(text) if text else None


QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@QUICK
@given(st.lists(written(), min_size=1, max_size=6), SOUGHT, st.sampled_from(OPERATORS), KEYS)
@example(['{"a":"\\u0062ob"}', '{"a":"bob"}', '{"a":1e2}', '{"a":[1, 2]}'], "bob", "==", "a")
@example(['{"a":1e2}'], "100", "startswith", "a")
@example(['{"a":"C:\\\\Users"}', '{"a":{"p":"C:\\\\Users"}}'], "C:\\", "contains", "a")
def test_likely_rows_are_all_rows_that_match(texts: list[str], sought: str, operator: str, key: str) -> None:
    query = "\n".join(
        [
            f"T | extend p = parse_json(s) | project x = d[{literal(key)}] {operator} {literal(sought)},",
            f"y = tostring(p[{literal(key)}]) {operator} {literal(sought)},",
            f"z = tostring(d[0]) in~ ({literal(sought)}), w = p[-1] has_any ({literal(sought)})",
        ]
    )
    patch = pytest.MonkeyPatch()
    assert rows(query, texts, patch, quick=True) == rows(query, texts, patch, quick=False)


@pytest.mark.slow
@QUICK
@given(st.lists(written(), min_size=1, max_size=6), KEYS)
def test_parsing_late_gives_the_same(texts: list[str], key: str) -> None:
    late = f"T | extend p = parse_json(s) | project a = p[{literal(key)}], b = tostring(p[0]), c = array_length(p)"
    early = late.replace("extend p = parse_json(s)", "extend p = coalesce(parse_json(s), dynamic(null))")
    patch = pytest.MonkeyPatch()
    assert rows(late, texts, patch, quick=True) == rows(early, texts, patch, quick=True)


def test_the_rule_is_used_where_it_holds() -> None:
    tables = FrameTables({"T": (pl.DataFrame(schema={"d": pl.String, "s": pl.String}), SCHEMA)})
    for condition in (
        "d.a == 'bob'",
        "tostring(parse_json(s).a.b[0]) has 'bob'",
        "d.a in ('bob', 'al')",
        "'bob' == d.a",
    ):
        assert "<path text>" in explain(f"T | where {condition}", tables), condition
    for condition in (
        "d.a == ''",
        "d.a == '1.0'",
        "d.a contains '[1'",
        "d.a =~ 'é'",
        "d.a == s",
        "d.a has_all ('x', '')",
    ):
        assert "<path text>" not in explain(f"T | where {condition}", tables), condition


def test_grouping_by_parsed_text_knows_equal_json() -> None:
    frame = pl.DataFrame(
        {"d": [None] * 3, "s": ['{"a":1}', '{ "a" : 1 }', ""]}, {"d": pl.String, "s": pl.String}
    )
    tables = FrameTables({"T": (frame, SCHEMA)})
    grouped = run("T | extend p = parse_json(s) | summarize n = count() by tostring(p)", tables).exact
    assert sorted(grouped.rows()) == [("", 1), ('{"a":1}', 2)]
    distinct = run("T | extend p = parse_json(s) | project p | distinct p | count", tables).exact
    assert distinct.item() == 2
    assert json_texts is rules.json_texts
