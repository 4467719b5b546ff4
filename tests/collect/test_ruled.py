"""Records through a rule, without a service: types, several flows, failing transforms, long values, agents, rates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.database import Database
from workbench.base.dtypes import ScalarType
from workbench.collect.batch import take
from workbench.collect.doors.logs_ingestion import Rates, batch_of, records_of
from workbench.collect.rule_text import Rule, checked
from workbench.collect.ruled import VALUE_BYTES, Ruled, for_agents, ruled
from workbench.collect.rules import Rules

T = ScalarType
STREAM = "Custom-App"


def content(*kqls: str, **columns: str) -> dict[str, Any]:
    """A rule with a flow a transform, to the tables T0, T1 and so on."""
    return {
        "name": "app",
        "streamDeclarations": {STREAM: {"columns": [{"name": n, "type": t} for n, t in columns.items()]}},
        "destinations": {"logAnalytics": [{"name": "here"}]},
        "dataFlows": [
            {"streams": [STREAM], "destinations": ["here"], "transformKql": k, "outputStream": f"Custom-T{n}_CL"}
            for n, k in enumerate(kqls)
        ],
    }  # fmt: skip


def rule(*kqls: str, **columns: str) -> Rule:
    return checked(content(*kqls, **columns))


def values(found: Ruled, part: int = 0) -> dict[str, list[Any]]:
    series = found.parts[part].columns.series
    return {f"{name}:{type_.value}": s.to_list() for (name, type_), s in series.items()}


def test_flows_of_one_stream_fill_several_tables() -> None:
    app = rule("source", "source | where A > 1 | project B = A * 2", "source | where A > 9", A="long")
    found = ruled(app, STREAM, [{"A": 1}, {"A": 2}, {"A": 3}], "me")
    assert [part.table for part in found.parts] == ["T0_CL", "T1_CL"]
    assert values(found) == {"A:long": [1, 2, 3]}
    assert values(found, 1) == {"B:long": [4, 6]}


@pytest.mark.parametrize("kql", ["source", "source | where true"])
def test_what_a_type_does_not_hold_lies_beside_it(kql: str) -> None:
    app = rule(kql, A="int", B="datetime", C="dynamic", D="boolean")
    records = [
        {"A": "7", "B": "2026-01-02T03:04:05Z", "C": "text", "D": "true"},
        {"A": 2**40, "B": "soon", "C": {"x": 1}, "D": 7},
    ]
    found = ruled(app, STREAM, records, "me")
    series = found.parts[0].columns.series
    assert series["A", T.INT].to_list() == [7, None]
    assert series["C", T.DYNAMIC].to_list() == ['"text"', '{"x":1}']
    assert found.parts[0].columns.height == 2
    kept = {str(v) for s in series.values() for v in s.to_list() if v is not None}
    assert {str(2**40), "soon"} <= {text.removesuffix(".0") for text in kept}
    assert found.refused == []


def test_types_of_the_output_are_declared() -> None:
    kql = "source | project TimeGenerated = todatetime(At), S = tostring(A), I = toint(A), G = toguid('x'), D = pack('a', A), P = 1.5s, M = todecimal(A)"
    found = ruled(rule(kql, At="string", A="long"), STREAM, [{"At": "2026-01-01", "A": 1}], "me")
    assert found.parts[0].declared == {
        "TimeGenerated": T.DATETIME, "S": T.STRING, "I": T.INT, "G": T.GUID, "D": T.DYNAMIC, "P": T.TIMESPAN, "M": T.DECIMAL,
    }  # fmt: skip
    series = found.parts[0].columns.series
    assert ("G", T.GUID) not in series, "a column without any value is only declared"
    assert series["D", T.DYNAMIC].to_list() == ['{"a":1}']
    assert str(series["TimeGenerated", T.DATETIME][0]) == "2026-01-01 00:00:00+00:00"
    assert found.parts[0].columns.height == 1


def test_records_on_which_a_transform_fails_are_set_aside() -> None:
    app = rule("source | extend X = assert(A > 0, 'A has to be more than zero')", "source", A="long")
    found = ruled(app, STREAM, [{"A": n} for n in (1, -2, 3, 4, 5, -6, 7)], "me")
    kept = [
        value for part in found.parts if part.table == "T0_CL" for value in part.columns.series["A", T.LONG]
    ]
    assert sorted(kept) == [1, 3, 4, 5, 7]
    assert [(r.table, r.why.code, json.loads(r.original)) for r in found.refused] == [
        ("T0_CL", "RUL206", {"A": -2}),
        ("T0_CL", "RUL206", {"A": -6}),
    ]
    assert "more than zero" in found.refused[0].why.message
    assert [part.columns.height for part in found.parts if part.table == "T1_CL"] == [7]


def test_a_time_that_a_transform_makes_is_looked_at() -> None:
    app = rule("source | extend TimeGenerated = now() + A * 1d", A="long")
    found = ruled(app, STREAM, [{"A": 0}, {"A": 2}], "me")
    assert values(found)["A:long"] == [0]
    assert [(r.why.code, json.loads(r.original)["A"]) for r in found.refused] == [("IMP111", 2)]


def test_long_values_are_cut_where_a_letter_ends() -> None:
    app = rule("source", A="string", D="dynamic")
    long = {"k": "é" * VALUE_BYTES}
    found = ruled(
        app, STREAM, [{"A": "é" * VALUE_BYTES}, {"A": "x", "D": long}, {"A": "y" * VALUE_BYTES}], "me"
    )
    texts = found.parts[0].columns.series["A", T.STRING].to_list()
    assert texts == ["é" * (VALUE_BYTES // 2), "x", "y" * VALUE_BYTES]
    assert isinstance(json.loads(found.parts[0].columns.series["D", T.DYNAMIC][1]), str)
    assert found.cut == {"A": 1, "D": 1}


def test_a_mapping_shapes_before_the_transform() -> None:
    text = content("source | where Size > 1 | extend Twice = Size * 2")
    text["streamDeclarations"][STREAM] = {
        "mapping": {
            "tables": [
                {"table": "T0_CL", "where": {"field": "kind", "equals": "app"}, "rest": "More",
                 "columns": {"TimeGenerated": "@timestamp", "Size": {"field": "size", "type": "long"}}},
                {"table": "Other_CL"},
            ]
        }
    }  # fmt: skip
    records = [{"kind": "app", "size": n, "@timestamp": "2026-01-01T00:00:00Z", "a": n} for n in (1, 2)]
    found = ruled(checked(text), STREAM, [*records, {"kind": "web"}, 7], "me")
    assert [part.table for part in found.parts] == ["T0_CL"]
    assert values(found)["Twice:long"] == [4]
    assert values(found)["More:dynamic"] == ['{"kind":"app","a":2}']
    assert [(r.table, r.why.code, r.original) for r in found.refused] == [("T0_CL", "IMP103", b"7")]


def test_records_too_deep_for_a_mapping_are_set_aside_as_they_came() -> None:
    text = content("source")
    text["streamDeclarations"][STREAM] = {"mapping": {"tables": [{"table": "T0_CL", "rest": "More"}]}}
    body = b'[{"a":1,"b":2},{"a":' + b"[" * 400 + b"]" * 400 + b'},{"b":3}]'
    batch, _ = batch_of(checked(text), "dcr-1", STREAM, body, source="me")
    assert batch.parts[0].columns.series["More", T.DYNAMIC].to_list() == ['{"a":1,"b":2}', '{"b":3}']
    assert [r.original for r in batch.refused] == [b'{"a":' + b"[" * 400 + b"]" * 400 + b"}"]


def test_many_bad_records_are_found_together() -> None:
    """Each found anew would take days for a delivery of the largest size."""
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    records: list[Any] = [{"": n} for n in range(2_000)] + [{"A": deep}, {"A": 7}, 8] * 500
    part, refused = take("App", records, source="me")
    assert part is not None
    assert part.columns.series["A", T.LONG].to_list() == [7] * 500
    codes = [r.why.code for r in refused]
    assert {code: codes.count(code) for code in codes} == {"IMP103": 500, "IMP112": 2_000, "IMP113": 500}


def test_what_agents_read_for_a_rule_goes_through_it(tmp_path: Path) -> None:
    rules = Rules(Database.open(tmp_path))
    number = rules.create(content("source | where A > 1 | extend B = 'x'", A="long"))
    through = for_agents(rules)
    found = through(number, STREAM, [{"A": 1}, {"A": 2}, 7], "agent-1")
    assert found is not None
    assert [(part.table, part.columns.height) for part in found[0]] == [("T0_CL", 1)]
    assert [(r.source, r.original) for r in found[1]] == [("agent-1", b"7")]
    assert through(number, "Microsoft-Perf", [{}], "agent-1") is None
    assert through("dcr-none", STREAM, [{}], "agent-1") is None


def test_a_stream_of_the_agents_own_needs_no_declaration() -> None:
    made = checked({
        "destinations": {"logAnalytics": [{"name": "here"}]},
        "dataFlows": [{"streams": ["Microsoft-Perf"], "destinations": ["here"],
                       "transformKql": "source | where CounterValue > 5"}],
        "dataSources": {"performanceCounters": [{"streams": ["Microsoft-Perf"], "counterSpecifiers": ["*"]}]},
    })  # fmt: skip
    found = ruled(made, "Microsoft-Perf", [{"CounterValue": 1.5}, {"CounterValue": 9.5}], "agent-1")
    assert [(part.table, part.columns.height) for part in found.parts] == [("Perf", 1)]
    # Records without the column that the transform asks for are not lost.
    found = ruled(made, "Microsoft-Perf", [{"Other": 1}], "agent-1")
    assert [(r.table, r.why.code, r.original) for r in found.refused] == [("Perf", "RUL206", b'{"Other":1}')]


def test_rates_hold_for_each_rule_and_minute() -> None:
    now = [120.0]
    rates = Rates(posts=3, size=100, clock=lambda: now[0])
    assert [rates.over("a", 10) for _ in range(3)] == [None] * 3
    assert rates.over("a", 10) == ("3 requests", 60)
    assert rates.over("b", 90) is None
    assert rates.over("b", 20) == ("100 bytes", 60)
    now[0] = 179.5
    assert rates.over("a", 10) == ("3 requests", 1)
    now[0] = 180.0
    assert rates.over("a", 10) is None


WHOLE = st.integers(-(2**70), 2**70) | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1])


@settings(max_examples=50, deadline=None)
@given(
    numbers=st.lists(WHOLE, min_size=1, max_size=4),
    nested=st.booleans(),
    text=st.sampled_from(["", "9" * 30]),
)
def test_whole_numbers_that_were_rounded_are_counted(numbers: list[int], nested: bool, text: str) -> None:
    records = [{"B": text, "C": {"x": [n, n / 3]} if nested else n} for n in numbers]
    _, found = batch_of(EVERY, "dcr-1", STREAM, json.dumps(records).encode(), source="me")
    beyond = sum(not -(2**63) <= n < 2**64 for n in numbers)
    assert found.rounded == ({"C": beyond} if beyond else {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(["A", "B", "C", "D", "E", "TimeGenerated", "Other", ""])
EVERY = rule(
    "source", "source | extend X = strcat(tostring(A), B), Y = C.x | where isnotempty(B) or A > 0",
    A="long", B="string", C="dynamic", D="datetime", E="boolean", TimeGenerated="datetime",
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(NAMES, JSON, max_size=5) | JSON, min_size=1, max_size=8))
def test_every_record_is_stored_or_set_aside(records: list[Any]) -> None:
    body = json.dumps(records).encode()
    posted = records_of(body)
    batch, _ = batch_of(EVERY, "dcr-1", STREAM, body, source="me")
    plain = sum(part.columns.height for part in batch.parts if part.table == "T0_CL")
    assert plain + sum(r.table == "T0_CL" for r in batch.refused) == len(posted)
    assert all(json.loads(r.original) in posted for r in batch.refused if r.table == "T0_CL")
