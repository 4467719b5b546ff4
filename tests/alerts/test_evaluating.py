"""Rules evaluated over real tables: windows by position, measures, dimensions, mute, resolving, no data and failures."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from workbench.alerts import evaluator
from workbench.alerts.evaluating import Answer, Evaluating, Window
from workbench.alerts.rule import Dimension, Measure, Operator, Rule, Violations

LESS = {"operator": Operator.LESS_THAN, "threshold": 1.0}


def test_a_rule_fires_once_and_is_resolved(scene: Any) -> None:
    scene.come({"N": 1})
    scene.put("E | where N == 1", window=120)
    assert scene.evaluate() == ["Fired"]
    scene.come({"N": 1})
    assert scene.evaluate() == []
    assert scene.shown()["state"] == "Firing"
    assert scene.evaluate() == []
    assert scene.evaluate() == ["Resolved"]
    fired, resolved = scene.notices()
    assert (fired["condition"], resolved["condition"]) == ("Fired", "Resolved")
    assert fired["alert_id"] == resolved["alert_id"] == scene.told()[0]["AlertId"]
    assert fired["count"] == 1
    assert [c for c in fired["columns"] if c[0] == "N"] == [["N", "long"]]
    assert [r[[c[0] for c in fired["columns"]].index("N")] for r in fired["records"]] == [1]
    alert = scene.alerts.alerts()[0]
    assert (alert["state"], alert["condition"], alert["response"]) == ("Resolved", "Resolved", "New")


def test_a_late_record_is_seen_once(scene: Any) -> None:
    scene.put("E | where TimeGenerated > ago(1m)", per_row=True)
    scene.come({"N": 1})
    assert scene.evaluate() == ["Fired"]
    scene.come({"N": 2}, late=3600)
    assert scene.evaluate() == ["Fired"]
    assert scene.evaluate() == []


def test_n_of_m_is_pending_before_it_fires(scene: Any) -> None:
    scene.put("E", periods=3, failing=2)
    scene.come({})
    assert scene.evaluate() == ["Pending"]
    assert scene.evaluate() == []
    scene.come({})
    assert scene.evaluate() == ["Fired"]
    assert scene.evaluate() == ["Resolved"]
    assert scene.conditions() == ["Fired", "Resolved"]


def test_clean_checks_resolve(scene: Any) -> None:
    scene.put("E", clean=2)
    scene.come({})
    assert scene.evaluate() == ["Fired"]
    assert scene.evaluate() == []
    assert scene.evaluate() == ["Resolved"]


def test_dimensions_have_states_of_their_own(scene: Any) -> None:
    dimensions = (Dimension("C", ("x",), exclude=True),)
    scene.put("E", dimensions=dimensions, threshold=1.0)
    scene.come({"C": "a"}, {"C": "a"}, {"C": "b"}, {"C": "x"}, {"C": "x"})
    assert scene.evaluate() == ["Fired"]
    assert scene.told()[0]["Dimensions"] == {"C": "a"}
    scene.come({"C": "a"}, {"C": "b"}, {"C": "b"})
    assert sorted(scene.evaluate()) == ["Fired", "Resolved"]
    assert {(r["Change"], r["Dimensions"]["C"]) for r in scene.told()[1:]} == {
        ("Resolved", "a"),
        ("Fired", "b"),
    }
    assert scene.evaluate() == []  # gone once
    assert scene.evaluate() == ["Resolved"]
    assert scene.told()[-1]["Detail"].startswith("MissingSeries")
    assert scene.shown()["series"] == []


def test_a_mute_writes_records_and_tells_nobody(scene: Any) -> None:
    scene.put("E", auto_resolve=False, mute=150)
    for _ in range(4):
        scene.come({})
        assert scene.evaluate() == ["Fired"]
    assert scene.conditions() == ["Fired", "Fired"]  # the first, and the first behind the mute
    assert [r["Muted"] for r in scene.told()] == [False, True, True, False]


def test_who_fires_in_a_mute_and_goes_on_is_told_late(scene: Any) -> None:
    scene.put("E", mute=150)
    scene.come({})
    assert scene.evaluate() == ["Fired"]
    assert scene.evaluate() == ["Resolved"]
    scene.come({})
    assert scene.evaluate() == ["Fired"]
    assert scene.conditions() == ["Fired", "Resolved"]
    scene.come({})
    assert scene.evaluate() == []
    assert scene.conditions() == ["Fired", "Resolved", "Fired"]
    assert scene.evaluate() == ["Resolved"]
    assert scene.conditions() == ["Fired", "Resolved", "Fired", "Resolved"]
    assert len({n["key"] for n in scene.notices()}) == 4


def test_metric_measures(scene: Any) -> None:
    scene.come({"V": 99.0})
    scene.until(scene.now + 120_000_000)
    scene.put("E", measure=Measure.AVERAGE, column="V", threshold=10.0)
    assert scene.evaluate() == []
    assert scene.shown()["state"] == "NoData"
    scene.come({"V": 5.0}, {"V": 25.0})
    assert scene.evaluate() == ["Fired"]
    assert scene.told()[0]["Value"] == 15.0
    assert scene.evaluate() == []  # no data resolves nothing
    assert scene.shown()["state"] == "Firing"
    assert [r["Change"] for r in scene.told("AlertRule")] == ["Created", "NoData", "Recovered", "NoData"]


@pytest.mark.parametrize(
    ("violations", "values", "fires"),
    [
        (Violations(2), [9, 1, 9, 1], True),
        (Violations(2, consecutive=True), [9, 1, 9, 1], False),
        (Violations(2, consecutive=True), [1, 9, 9, 1], True),
        (Violations(3), [9, 9, 1, 1], False),
    ],
)
def test_metric_measurement_counts_bins(scene: Any, violations: Violations, values: list[int], fires: bool) -> None:  # fmt: skip
    query = "E | summarize AggregatedValue = avg(V) by bin(TimeGenerated, 1m), C"
    scene.put(
        query, window=300, measure=Measure.AVERAGE, column="AggregatedValue", threshold=5.0, violations=violations,
        dimensions=(Dimension("C"),),
    )  # fmt: skip
    for place, value in enumerate(values):
        scene.come({"C": "a", "V": value}, late=60 * (len(values) - place))
    assert scene.evaluate() == (["Fired"] if fires else [])


def test_an_absence_rule_tells_nothing_while_nothing_could_come_in(scene: Any) -> None:
    scene.come({"N": 1})
    scene.put("E", **LESS)
    scene.taking_in_since = scene.now
    due = scene.evaluator.next_due()
    scene.until(due)
    scene.taking_in_since = due - 30_000_000
    assert scene.evaluate() == []
    assert scene.shown()["state"] == "NoData"
    assert scene.evaluate() == ["Fired"]


def test_a_failed_query_is_an_error_and_disables_its_rule_when_nobody_mends_it(scene: Any) -> None:
    scene.come({"N": 1})
    scene.put("E | where Nope == 1", **LESS)
    for _ in range(10):
        assert scene.evaluate() == []
    assert scene.notices() == []
    assert [r["Change"] for r in scene.told("AlertRule")] == ["Created", "Failed", "Disabled"]
    shown = scene.shown()
    assert (shown["state"], shown["enabled"]) == ("Error", False)
    assert shown["error"].startswith("KQL")


def test_what_could_not_be_asked_is_asked_later(scene: Any) -> None:
    scene.put("Nobody | where N == 1", per_row=True)
    for _ in range(12):
        assert scene.evaluate() == []
    shown = scene.shown()
    assert (shown["enabled"], shown["state"]) == (True, "NoData"), "the table may still come"
    assert shown["error"].startswith("KQL102")
    scene.come({"N": 1}, table="Nobody")
    scene.until(scene.now + 600_000_000)
    assert scene.evaluate() == ["Fired"]
    assert scene.evaluate() == []


def test_after_a_stop_one_evaluation_sees_all_that_came(scene: Any) -> None:
    scene.put("E | where N == 1")
    assert scene.evaluate() == []
    scene.come({"N": 1})
    scene.until(scene.now + 3_600_000_000)
    assert scene.evaluate() == ["Fired"]
    assert len(scene.shown()["evaluations"]) == 2
    assert scene.evaluate() == ["Resolved"]


def test_two_evaluators_take_turns(scene: Any) -> None:
    other = evaluator.Evaluator(scene.alerts, Evaluating(scene.workspace.source))
    scene.put("E", frequency=5, window=5)
    assert scene.evaluate() == []
    scene.until(scene.evaluator.next_due())
    assert other.turn() == 0
    scene.evaluator.release()
    assert other.turn() == 1
    scene.until(scene.evaluator.next_due())
    assert scene.evaluator.turn() == 0


def test_people_answer_alerts(scene: Any) -> None:
    scene.put("E", auto_resolve=False)
    scene.come({})
    scene.evaluate()
    number = scene.alerts.alerts(open_only=True)[0]["id"]
    assert scene.alerts.acknowledge(number[:8], "ada")["response"] == "Acknowledged"
    assert scene.alerts.comment(number, "bob", "it is the fan")["comments"][0]["text"] == "it is the fan"
    closed = scene.alerts.close(number, "ada")
    assert (closed["response"], closed["condition"]) == ("Closed", "Resolved")
    assert [r["Change"] for r in scene.told()] == ["Fired", "Acknowledged", "Commented", "Closed", "Resolved"]
    assert scene.conditions() == ["Fired", "Resolved"]
    assert scene.alerts.alerts(open_only=True) == []


def test_a_removed_rule_leaves_no_open_alert(scene: Any) -> None:
    scene.put("E")
    scene.come({})
    scene.evaluate()
    scene.alerts.remove("R", "ada")
    assert scene.conditions() == ["Fired", "Resolved"]
    assert scene.alerts.all() == []
    assert scene.alerts.comment(scene.alerts.alerts()[0]["id"], "ada", "gone")["comments"]


def test_a_rule_that_takes_long_does_not_hold_the_others(scene: Any) -> None:
    began, go = threading.Event(), threading.Event()
    ask = scene.evaluator.asking.ask

    def waits(rule_id: str, rule: Rule, window: Window) -> Answer:
        if rule.name == "Slow":
            began.set()
            assert go.wait(60)
        return ask(rule_id, rule, window)

    scene.evaluator.asking.ask = waits
    scene.evaluator.patience = 0.05
    for name in ("Slow", "R"):
        scene.put("E", name=name)
    scene.come({})
    scene.until(scene.now + 60_000_000)
    scene.evaluator.patience = 0.05
    until = time.monotonic() + 60
    while not scene.told() and time.monotonic() < until:
        scene.evaluator.turn()
    assert began.is_set()
    assert [r["AlertName"] for r in scene.told()] == ["R"]
    go.set()
    while len(scene.told()) < 2 and time.monotonic() < until:
        scene.evaluator.turn()
    assert [r["AlertName"] for r in scene.told()] == ["R", "Slow"]


def test_a_query_that_never_ends_is_an_error_and_asked_once(
    scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, asked = threading.Event(), []

    def waits(rule_id: str, rule: Rule, window: Window) -> Answer:
        asked.append(window.at)
        assert go.wait(60)
        return Answer(None, {})

    scene.evaluator.asking.ask = waits
    scene.evaluator.patience = 0.05
    monkeypatch.setattr(evaluator, "seconds_of", lambda _: -evaluator.GIVE_UP_SECONDS)
    scene.put("E")
    assert scene.evaluate() == []
    assert scene.evaluate() == []
    go.set()
    assert scene.shown()["error"].startswith("KQL304")
    assert len(asked) == 1


def test_old_alerts_are_listed_no_more_but_those_that_still_fire(scene: Any) -> None:
    scene.put("E | where N == 1", name="Over")
    scene.put("E | where N == 2 and TimeGenerated > ago(365d)", name="On")
    scene.come({"N": 1}, {"N": 2})
    for _ in range(3):
        scene.until(scene.now + 60_000_000)
        scene.evaluate()
    assert {a["rule"] for a in scene.alerts.alerts()} == {"Over", "On"}
    scene.until(scene.now + 100 * 86_400_000_000)
    scene.evaluate()
    assert [(a["rule"], a["state"]) for a in scene.alerts.alerts()] == [("On", "Firing")]
