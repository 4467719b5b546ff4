"""The text of a rule: what it says, the sentence and the place of every mistake, and that writing it loses nothing."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.alerts.checks import MOST_SECONDS
from workbench.alerts.reading import MOST_BYTES, as_text, load, of, read, written
from workbench.alerts.rule import Dimension, Measure, Operator, Rule, Severity, Violations
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.frames import FrameTables

FULL = """
Name: Many failures
description: of one machine
query: |

  declare query_parameters(least: long = 3);
  SecurityEvent
  | where EventID == 4625
  | summarize Failures = count(), Since = min(TimeGenerated) by Computer, Account
  | where Failures > least
parameters: {least: 5}
every: PT10M
over: 00:30:00
when: {measure: max, column: Failures, operator: ">=", threshold: 20.5}
bins: 3 in a row
split_by:
- Computer
- {column: Account, without: [SYSTEM]}
violated: 2 of 3
severity: 1
mute: 1h
auto-resolve: false
actions: on-call
payload: {text: "#alertrulename", at: 2026-01-01}
"""
SHORT = "name: r\nquery: SecurityEvent\n"
SCHEMA = tuple(
    Column(n, t)
    for n, t in (
        ("TimeGenerated", ScalarType.DATETIME), ("EventID", ScalarType.INT), ("Computer", ScalarType.STRING),
        ("Account", ScalarType.STRING), ("Data", ScalarType.DYNAMIC),
    )
)  # fmt: skip
TABLES = FrameTables({"SecurityEvent": (pl.DataFrame(), SCHEMA)})


def test_a_whole_rule() -> None:
    rule = read(FULL, TABLES)
    assert rule == Rule(
        name="Many failures", description="of one machine", query=rule.query, parameters={"least": 5}, frequency=600,
        window=1800, measure=Measure.MAXIMUM, column="Failures", operator=Operator.GREATER_THAN_OR_EQUAL, threshold=20.5,
        violations=Violations(3, True), dimensions=(Dimension("Computer"), Dimension("Account", ("SYSTEM",), True)),
        periods=3, failing=2, severity=Severity.ERROR, mute=3600, auto_resolve=False, actions=("on-call",),
        payload={"text": "#alertrulename", "at": "2026-01-01"},
    )  # fmt: skip
    assert rule.query.startswith("declare")
    assert rule.query.endswith("least")
    assert Rule.read(json.loads(json.dumps(rule.as_json()))) == rule


def test_a_short_rule_looks_back_as_far_as_it_is_often() -> None:
    rule = read(SHORT + "every: 15m")
    assert (rule.frequency, rule.window, rule.threshold, rule.measure) == (900, 900, 0, Measure.COUNT)


MISTAKES = [
    ("", "ALR102: a rule is keys and values"),
    ("name: [", "ALR101 at 1:8: this is no YAML"),
    ("name: r\nname: s\n", "ALR101 at 2:1: this is no YAML: 'name' is there twice\n  name: s\n  ^\n"[:-1]),
    ("name: &a r\nquery: *a\n", "ALR101 at 2:8: this is no YAML: aliases"),
    ("name: r\n", "ALR104: a rule needs a query"),
    ("name: ''\nquery: T", "ALR104 at 1:7: a rule needs a name"),
    (SHORT + "widnow: 5m", "ALR103 at 3:1: a rule has no key 'widnow'\n  widnow: 5m\n  ^^^^^^"),
    (SHORT + "split by: A\nsplit_by: B", "ALR106 at 4:1: a rule has 'split by' twice"),
    (SHORT + "every: often", "ALR105 at 3:8: every can't be 'often'\n  every: often\n         ^^^^^\nhint: it can be 5m"),
    (SHORT + "every: 15d", "every can't be '15d'"),
    (SHORT + "every: 0s", "every can't be '0s'"),
    (SHORT + "every: 5", "every can't be 5"),
    (SHORT + "when: count", "ALR105 at 3:7: when can't be 'count'"),
    (SHORT + "when: count(A) > 1", "count takes no column"),
    (SHORT + "when: average > 1", "average needs a column"),
    (SHORT + "when: count > nan", "when can't be 'count > nan'"),
    (SHORT + "when: {limit: 3}", "`when` has no key 'limit'"),
    (SHORT + "violated: 3 of 2", "violated can't be '3 of 2'\n"),
    (SHORT + "severity: 5", "ALR105 at 3:11: severity can't be 5"),
    (SHORT + "split by: [A, A]", "ALR106 at 3:11: split by has 'A' twice"),
    (SHORT + "split by: [A, B, C, D, E, F, G]", "it can be at most 6 columns"),
    (SHORT + "split by: [{column: A, like: [x]}]", "ALR103 at 3:24: a column to split by has no key 'like'"),
    (SHORT + "split by: [{column: A, only: [x], without: [y]}]", "split by can't be"),
    (SHORT + "bins: -1", "bins can't be -1"),
    (SHORT + "enabled: 1", "enabled can't be 1"),
    (SHORT + "actions: {a: b}", "actions can't be"),
    ("name: r\nquery: .show tables", "ALR108 at 2:8: a rule asks a query, not a command"),
    ("name: r\nquery: |\n  SecurityEvent\n  | wher x", "KQL005 at 4:5: no tabular operator named 'wher'\n    | wher x\n      ^^^^"),
    ("name: r\nquery: 'SecurityEvent | wher x'", "KQL005 at 2:25: no tabular operator named 'wher'"),
    ("name: r\nquery: >\n  SecurityEvent\n  | wher x", "KQL005 at 2:8: no tabular operator named 'wher'"),
    ("name: r\nquery: |\n  SecurityEvent\n  | where Computr == 1", "KQL101 at 4:11: no column named 'Computr'"),
    (SHORT + "when: average(Account) > 3", "ALR110 at 3:7: 'Account' is a string and can't be measured"),
    (SHORT + "when: average(Acount) > 3", "ALR109 at 3:7: when: the query gives no column 'Acount'"),
    (SHORT + "split by: Computr", "ALR109 at 3:11: split by: the query gives no column 'Computr'"),
    ("name: r\nquery: declare query_parameters(a:long); print a", "KQL401 at 2:33"),
    ("name: r\nquery: declare query_parameters(a:long); print a\nparameters: {a: x}", "KQL402 at 2:33"),
    ("x" * (MOST_BYTES + 1), "ALR107: a rule has no more than 256,000 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=range(len(MISTAKES)))
def test_every_mistake_shows_its_place(text: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read(text, TABLES)
    assert said in caught.value.render()


def test_what_needs_rows_to_be_bound_is_left_for_the_evaluation() -> None:
    read("name: r\nquery: Later | where Anything == 1\nsplit by: Whatever", TABLES)
    read(
        "name: r\nquery: SecurityEvent | evaluate bag_unpack(Data) | where Port == 1\nsplit by: Port", TABLES
    )
    with pytest.raises(WorkbenchError, match="Computr"):
        read("name: r\nquery: SecurityEvent | where Computr == 1 | evaluate bag_unpack(Data)", TABLES)


def test_a_file_that_cannot_be_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorkbenchError, match="ALR111"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    with pytest.raises(WorkbenchError, match="ALR111"):
        load(tmp_path / "latin.yaml")


# ---- writing loses nothing --------------------------------------------------------------------

_words = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12
).filter(lambda t: t == t.strip() and t.isprintable())
_texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
_columns = st.from_regex(r"[A-Za-z_][A-Za-z0-9_ .-]{0,8}", fullmatch=True).filter(lambda t: t == t.strip())
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_objects = st.dictionaries(_texts, _json, max_size=3)
_spans = st.integers(1, MOST_SECONDS)
_QUERIES = (
    "T",
    "T\n| where a == 'x: # y'\n| count",
    'print "é\\t"  \n  | extend b = 1',
    "T // |\n\n| take 1",
)


@st.composite
def _rules(draw: st.DrawFn) -> Rule:
    measure = draw(st.sampled_from(Measure))
    failing = draw(st.integers(1, 100))
    dimension = st.builds(
        Dimension, _columns, st.lists(_texts, min_size=1, max_size=3).map(tuple), st.booleans()
    )
    return Rule(
        name=draw(_words), query=draw(st.sampled_from(_QUERIES)), frequency=draw(_spans), window=draw(_spans),
        parameters=draw(_objects), measure=measure, column="" if measure is Measure.COUNT else draw(_columns),
        operator=draw(st.sampled_from(Operator)), threshold=draw(st.floats(allow_nan=False, allow_infinity=False)),
        violations=draw(st.none() | st.builds(Violations, st.integers(1, 9), st.booleans(), _columns)),
        dimensions=tuple(draw(st.lists(dimension | _columns.map(Dimension), max_size=6, unique_by=lambda d: d.name))),
        periods=draw(st.integers(failing, 100)), failing=failing, per_row=draw(st.booleans()),
        severity=draw(st.sampled_from(Severity)), mute=draw(st.integers(0, MOST_SECONDS)), auto_resolve=draw(st.booleans()),
        clean=draw(st.integers(1, 100)), actions=tuple(draw(st.lists(_words, max_size=3))), subject=draw(_texts),
        payload=draw(st.none() | _objects), entities=tuple(draw(st.lists(_objects, max_size=2))),
        properties=draw(_objects), description=draw(_texts), enabled=draw(st.booleans()),
    )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_rules())
def test_what_is_written_is_read_as_the_same_rule(rule: Rule) -> None:
    assert of(json.loads(json.dumps(written(rule)))) == rule
    assert read(as_text(rule)) == rule


@settings(deadline=None)
@given(_texts | st.just(FULL).flatmap(lambda t: st.integers(0, len(t)).map(lambda i: t[:i] + t[i + 1 :])))
def test_any_text_gets_a_rule_or_a_coded_sentence(text: str) -> None:
    code = ""
    try:
        read(text, TABLES)
    except WorkbenchError as error:
        code = error.code
    assert code[:3] in ("", "ALR", "KQL")
