"""Laws of shaping: how lines are parted on their way to columns changes no row, type, refusal or count."""

from __future__ import annotations

import json
import pickle
import sys
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.base import clock
from workbench.collect import mapping, parallel
from workbench.collect.doors import splitting
from workbench.collect.formats import _lines, jsonl
from workbench.collect.mapping import parse
from workbench.collect.shaping import Mapped, OneTable, ShapedBlock, Shaper
from workbench.collect.streams import Stream

MAPPING = """
tables:
  - table: Security
    where: {field: Channel, equals: Security, ignore_case: true}
    columns:
      TimeGenerated: {first: ["@timestamp", TimeGenerated]}
      EventID: {field: EventID, type: int}
      Level: {first: [{field: Severity, values: {INFO: Information}}, {field: Level, keep: true}], type: string}
      Kind: {value: Windows}
    rest: EventData
    fields: {Task: int, Computer: string}
  - table: Other
    where: {field: Channel, exists: true}
    columns: {EventID: {field: EventID, type: long}, Odd: {kql: "EventID % 2 == 1", type: bool}}
"""
sys.setrecursionlimit(6_000)  # as the query engine sets it, which would look like a mistake of the law
SHAPERS: list[Shaper] = [
    Mapped(parse(MAPPING, "law.yaml", "law")),
    Mapped(mapping.load("windows_events")),
    OneTable("App", {}),
]
NAMES = st.sampled_from(
    ["Channel", "EventID", "Severity", "Level", "@timestamp", "Task", "Computer", "a", "A", "", "Message"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["Security", "security", "INFO", "7", "", "2026-01-02T03:04:05.678Z", "9999-01-01T00:00:00Z"]
    ),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda v: st.lists(v, max_size=2) | st.dictionaries(st.sampled_from("ab"), v, max_size=2),
    max_leaves=4,
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=6).map(lambda r: json.dumps(r, ensure_ascii=False).encode())
BROKEN = st.sampled_from(
    [
        b"", b" ", b"{", b"[]", b"7", b"null", b'{"a": NaN}', b'{"a": 1}, {"a": 2}', b'{"a": "\xff"}', b'{"a": 1e999}',
        b'{"a": 1, "a": "x"}', b'{"Channel": "x", "EventID": 1, "EventID": "y"}', b"\xef\xbb\xbf{}", b'{"a": "\\ud800"}',
        b'{"Channel": "Security", "a": ' + b"[" * 300 + b"]" * 300 + b"}", b'{"EventID": 123456789012345678901234567890}',
    ]
)  # fmt: skip
LINES = st.lists(st.one_of(RECORDS, RECORDS, BROKEN), max_size=12).map(b"\n".join)


def _shaped(
    shaper: Shaper, text: bytes, now: int, *, block: int = 1 << 20, few: int = 1 << 20
) -> list[ShapedBlock]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "_FEW_BYTES", few)
        parts = _lines.cut(Stream(iter([text])), block=block)
        return [shaper.shape(jsonl.blocks_of("law", part), now) for part in parts]


def _said(shaped: list[ShapedBlock]) -> tuple[list[Any], list[Any], int]:
    """All that later steps see of it."""
    parts = [
        (
            part.table,
            part.columns.height,
            [(k, s.name, s.dtype, s.to_list()) for k, s in part.columns.series.items()],
        )
        for one in shaped
        for part in one.parts
    ]
    refused = sorted(
        ((r.line, table, r.why.code, r.why.message, r.original) for one in shaped for table, r in one.refused)
    )
    return parts, refused, sum(one.blank for one in shaped)


@settings(max_examples=60, deadline=None)
@given(text=LINES, few=st.integers(1, 200), number=st.integers(0, len(SHAPERS) - 1))
@example(b'{"Channel":"Security","EventID":1}\n{"Channel":"Security","EventID":1.5}\n', 1, 0)
@example(b'{"Channel":"x","EventID":"all of another type"}', 1, 0)
def test_a_few_lines_at_a_time_are_all_at_once(text: bytes, few: int, number: int) -> None:
    shaper, now = SHAPERS[number], clock.now_us()
    assert _said(_shaped(shaper, text, now, few=few)) == _said(_shaped(shaper, text, now))


@settings(max_examples=40, deadline=None)
@given(text=LINES, number=st.integers(0, len(SHAPERS) - 1))
def test_another_process_says_the_same(text: bytes, number: int) -> None:
    shaper, now = SHAPERS[number], clock.now_us()
    here, there = [], []
    for part in _lines.cut(Stream(iter([text])), block=64):
        here.append(shaper.shape(jsonl.blocks_of("law", part), now))
        sent = pickle.loads(pickle.dumps(part))  # noqa: S301
        assert (sent.lines, sent.first, sent.size, sent.lengths) == (
            part.lines,
            part.first,
            part.size,
            part.lengths,
        )
        done = parallel.Done("law", part.size, shaper.shape(jsonl.blocks_of("law", sent), now))
        packed = pickle.dumps(parallel.packed(done))
        there.append(parallel.unpacked(pickle.loads(packed)).shaped)  # noqa: S301
    assert _said(there) == _said(here)


@settings(max_examples=40, deadline=None)
@given(text=LINES)
@example(b"\xef\xbb\xbf{}")
def test_each_record_is_one_row_or_one_refusal(text: bytes) -> None:
    """And what a mapping leaves of it lies in the rest, as the same JSON values."""
    shaped = _shaped(SHAPERS[1], text, clock.now_us(), few=1)
    rows = sum(part.columns.height for one in shaped for part in one.parts)
    refused = sum(len(one.refused) for one in shaped)
    lines = [line for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    assert rows + refused == len(lines)
    rests = []
    for line in lines:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            rests.append(record)
    for one in shaped:
        for part in one.parts:
            for (name, _), series in part.columns.series.items():
                if name == "EventData":
                    for value in series.drop_nulls():
                        rest = orjson.loads(value)
                        assert any(rest.items() <= r.items() for r in rests)


PIECES = st.sampled_from(
    ['"', "\\", "}", "{", "[", "]", ",", "},{", "} , {", "]},{[", ":", " ", "1", '"a":', "null", '"},{"']
)
BODIES = st.one_of(
    st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=5).map(json.dumps),
    st.lists(PIECES, max_size=25).map("".join).map(lambda inside: f"[{inside}]"),
    st.lists(PIECES, max_size=6).map("".join),
)


@settings(max_examples=200, deadline=None)
@given(body=BODIES.map(str.encode), few=st.integers(1, 20))
@example(b'[{"a": [{}, {}]}, {"b": "},{"}, {"c": 1}]', 1)
def test_an_array_read_a_few_at_a_time_is_what_it_is_at_once(body: bytes, few: int) -> None:
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        whole = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "_FEW_BYTES", few)
        try:
            found = [value for some in splitting.a_few(body) for value in some]
        except splitting.NoJson:
            assert not isinstance(whole, list) or body.strip() != body
        else:
            assert found == whole
