"""Paths in a column of JSON texts: the quick ways give what reading each text by itself gives."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.base.json_values import dumps
from workbench.query.functions import _json_paths
from workbench.query.functions._json_paths import follow, text_of, texts_at, values_at

KEYS = st.sampled_from(["a", "b c", ":true,", ",", "x[0]", "é", "", 'q"', "a/b", "A"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.floats(), st.text('ab":,{}[]\\/\n\x7fé', max_size=5),
    st.sampled_from(["true", "1", "null", "-0", "NaN", "x,\"a\":1", "\u2028"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=5,
)


@st.composite
def texts(draw: st.DrawFn) -> str | None:
    """Objects as somebody may write them, cut off, with repeated or escaped keys; or other text."""
    flat = st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS, max_size=2)), max_size=4)
    value = draw(st.one_of(flat, flat, VALUES))
    way = draw(st.integers(0, 7))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=1 if way == 1 else None)
    if way == 2:
        return draw(
            st.sampled_from([None, "", "plain", '"a"', '{"a":"x"', '{"a":01}', '{"a":1,}', '{"a":"\\uZZ"}'])
        )
    if way == 3:
        return '{"a": 1, "a" : ' + text + "}"
    if way == 4:
        return '{"\\u0061":' + text + "}"
    if way == 5:
        return text[:-1] if draw(st.booleans()) else text + "}"
    if way == 6:
        return '{"a":"\\ud800","b c":' + text + "}"
    return text


PATHS = st.lists(st.one_of(KEYS, st.integers(-2, 2)), min_size=1, max_size=3)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(texts(), min_size=1, max_size=8), PATHS, st.booleans())
@example(['{"a":"x,\\":b","c":1}', '{"\\"a":1}', '{"x":",a","a":-0}'], ["a"], True)
@example(['{"a":"1","b":{"a":2}}', '{"b":{"a":2}}', '[{"a":1}]', ' {"a" : null } '], ["a"], True)
def test_any_way_gives_the_value_that_one_text_has(
    rows: list[str | None], path: list[Any], quick: bool
) -> None:
    series = pl.Series("d", rows, pl.String)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_json_paths, "_FEW", 0)
        if quick:  # as if most rows were flat objects
            patch.setattr(_json_paths, "_mostly_flat", lambda s: True)
        try:
            expected = pl.Series("d", [dumps(follow(r, path)) for r in rows], pl.String)
            as_text = pl.Series("d", [text_of(follow(r, path)) for r in rows], pl.String)
        except UnicodeEncodeError:
            return  # a lone surrogate is no text
        assert values_at(series, path).to_list() == expected.to_list()
        assert texts_at(series, path).to_list() == as_text.to_list()


def test_only_rows_in_doubt_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sure = [
        '{"a":"x","n":[1,2]}',
        '{"a":7}',
        '{"b":1,"c":"a"}',
        '{"a":true}',
        '{"a":null}',
        '{"b":"\\""}',
    ] * 200
    doubt = ['{"a":1.5}', '{"a":"\\n"}', '{"a":1,"a":2}', '{"a":{}}', '{"a":[1]}']
    seen: list[str | None] = []

    def watched(text: str | None, path: list[Any]) -> Any:
        seen.append(text)
        return follow(text, path)

    monkeypatch.setattr(_json_paths, "follow", watched)
    found = texts_at(pl.Series(sure + doubt), ["a"]).to_list()
    assert seen == doubt
    assert found == ["x", "7", "", "true", "", ""] * 200 + ["1.5", "\n", "2", "{}", "[1]"]
