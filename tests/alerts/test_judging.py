"""Laws of judging: whatever is measured, firings and resolutions alternate, and who heard of one hears of the other."""

from __future__ import annotations

import itertools
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from workbench.alerts.judging import MOST_ROWS, Change, Group, Series, State, judge, key_of, violates
from workbench.alerts.rule import Dimension, Operator, Rule

MINUTE = 60_000_000
COUNTS = st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 4), max_size=3)
RULES = st.builds(
    lambda periods, failing, clean, mute, auto: Rule(
        "r", "T", 60, 60, dimensions=(Dimension("C"),), threshold=1.0, periods=periods,
        failing=min(failing, periods), clean=clean, mute=mute, auto_resolve=auto,
    ),
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.sampled_from((0, 90, 600)), st.booleans(),
)  # fmt: skip


def judged(rule: Rule, runs: list[dict[str, int | None]]) -> tuple[list[Change], dict[str, Series]]:
    known: dict[str, Series] = {}
    changes: list[Change] = []
    for turn, counts in enumerate(runs, 1):
        groups = [
            Group({"C": c}, n if n is None else float(n), n is not None and violates(rule, float(n)), n or 0)
            for c, n in counts.items()
        ]
        verdict = judge(rule, "1", known, groups, turn * MINUTE)
        assert verdict == judge(rule, "1", dict(known), groups, turn * MINUTE), "an evaluation done again"
        changes += verdict.changes
        for key, series in verdict.series.items():
            if series is None:
                del known[key]
            else:
                known[key] = series
    return changes, known


@given(RULES, st.lists(COUNTS, max_size=25))
def test_firing_and_resolved_alternate_and_are_told_alike(
    rule: Rule, runs: list[dict[str, int | None]]
) -> None:
    changes, known = judged(rule, runs)
    of_alert: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.alert:
            of_alert[change.alert].append(change)
    for found in of_alert.values():
        states = [c.state for c in found if not c.late]
        assert states in ([State.FIRING], [State.FIRING, State.RESOLVED])
        assert len({(c.series, c.fired_at) for c in found}) == 1
        heard = sum(c.tell for c in found if c.state is State.FIRING)
        assert heard <= 1
        if states[-1] is State.RESOLVED:
            assert found[-1].tell == bool(heard)
    open_ones = {c.alert for c in changes if c.alert} - {
        c.alert for c in changes if c.state is State.RESOLVED
    }
    assert {s.alert for s in known.values() if s.alert} == (open_ones if rule.auto_resolve else set())
    assert all((s.state is State.FIRING) == bool(s.alert) for s in known.values()) or not rule.auto_resolve


@given(RULES, st.lists(COUNTS, max_size=25))
def test_a_mute_tells_one_firing_at_most(rule: Rule, runs: list[dict[str, int | None]]) -> None:
    changes, _ = judged(rule, runs)
    told: dict[str, list[int]] = defaultdict(list)
    for change in changes:
        if change.state is State.FIRING and change.tell and not change.late and change.fired_at is not None:
            told[change.series].append(change.fired_at)
    for moments in told.values():
        gaps = [b - a for a, b in itertools.pairwise(moments)]
        assert all(gap >= rule.mute * 1_000_000 for gap in gaps)


@given(st.sampled_from(Operator), st.integers(-3, 3), st.integers(-3, 3))
def test_an_operator_and_its_opposite(operator: Operator, value: int, threshold: int) -> None:
    opposite = {
        Operator.GREATER_THAN: Operator.LESS_THAN_OR_EQUAL, Operator.LESS_THAN: Operator.GREATER_THAN_OR_EQUAL,
        Operator.GREATER_THAN_OR_EQUAL: Operator.LESS_THAN, Operator.LESS_THAN_OR_EQUAL: Operator.GREATER_THAN,
    }  # fmt: skip
    holds = violates(Rule("r", "T", operator=operator, threshold=threshold), float(value))
    if operator is Operator.EQUALS:
        assert holds == (value == threshold)
    else:
        assert holds != violates(
            Rule("r", "T", operator=opposite[operator], threshold=threshold), float(value)
        )


def test_rows_beyond_the_most_share_an_alert() -> None:
    rule = Rule("r", "T", per_row=True)
    groups = [Group({}, 1.0, True, 1, n) for n in range(MOST_ROWS + 5)]
    changes = judge(rule, "1", {}, groups, MINUTE).changes
    assert (len(changes), changes[-1].count) == (MOST_ROWS + 1, 5)
    assert len({c.alert for c in changes}) == MOST_ROWS + 1


def test_dimensions_are_told_apart() -> None:
    assert key_of({"a": "1,b"}) != key_of({"a": "1", "b": ""})
