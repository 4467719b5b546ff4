"""Schedules: each due moment is one job, whoever looks and whenever; what does not run is told."""

from __future__ import annotations

import datetime as dt
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from runbook_service import notebook
from toldrows import rows

import workbench.actions.schedules as schedules_package
from workbench.actions.jobs import Jobs, Outcome
from workbench.actions.runbook.automation import Automation
from workbench.actions.schedules import Schedules
from workbench.actions.schedules.policy import MOST
from workbench.actions.schedules.scheduler import Scheduler
from workbench.actions.schedules.store import preview
from workbench.base import clock
from workbench.base.errors import WorkbenchError
from workbench.base.recurrence import read
from workbench.collect.record_outbox import RecordOutbox

DAY = 86_400
NIGHTLY = {"runbook": "clean", "when": "daily 02:30"}


@pytest.fixture
def schedules(automation: Automation) -> Schedules:
    return Schedules(automation)


def set_clock(hand: Any, text: str) -> None:
    hand.forward(
        (dt.datetime.fromisoformat(text + "+00:00").timestamp() * 10_000_000 - hand.ticks) / 10_000_000
    )


@pytest.fixture(autouse=True)
def noon(hand: Any) -> None:
    set_clock(hand, "2026-11-28T12:00:00")


def changes(outbox: RecordOutbox) -> list[str]:
    return [row["Change"] for row in rows(outbox, "Schedule")]


def due(jobs: Jobs) -> list[str]:
    """The due moments that made jobs, as they are told; oldest first."""
    return sorted(job["trigger_name"].split()[1].removesuffix("+00:00") for job in jobs.all(most=1000))


def test_a_due_moment_makes_one_job_that_says_why(
    schedules: Schedules, outbox: RecordOutbox, jobs: Jobs, hand: Any
) -> None:
    made = schedules.put(
        "nightly", {**NIGHTLY, "parameters": {"days": 3}, "group": "site-b", "retries": 2}, "ada"
    )
    assert made["next"] == "2026-11-29T02:30:00+00:00"
    assert schedules.fire() == 0
    set_clock(hand, "2026-11-29T02:30:00")
    assert [schedules.fire(), schedules.fire()] == [1, 0]
    (job,) = jobs.all()
    assert (job["runbook"], job["trigger"], job["trigger_name"], job["worker_group"], job["retries"]) == (
        "clean", "schedule", "nightly 2026-11-29T02:30:00+00:00", "site-b", 2,
    )  # fmt: skip
    found = schedules.get("nightly")
    assert (found["last"], found["last_job"], found["state"]) == (
        "2026-11-29T02:30:00+00:00",
        job["id"],
        "active",
    )
    assert found["runs"][:2] == ["2026-11-30T02:30:00+00:00", "2026-12-01T02:30:00+00:00"]
    fired = rows(outbox, "Schedule")[-1]
    assert (fired["Change"], fired["JobId"], fired["DueTime"], fired["RunbookName"]) == (
        "Fired", job["id"], "2026-11-29T02:30:00.000000+00:00", "clean",
    )  # fmt: skip
    told = rows(outbox, "Job")[0]
    assert (told["Trigger"], told["Parameters"]) == (
        "schedule: nightly 2026-11-29T02:30:00+00:00",
        {"days": 3},
    )


def test_many_schedulers_fire_a_moment_once(automation: Automation, hand: Any) -> None:
    several = [Schedules(automation) for _ in range(4)]
    for n in range(3):
        several[0].put(f"s{n}", NIGHTLY, "ada")
    hand.forward(DAY)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda s: s.fire(), several))
    assert sum(made) == 3
    assert len(automation.jobs.all()) == 3


def test_one_that_looked_before_it_was_stopped_does_nothing_when_it_goes_on(
    schedules: Schedules, outbox: RecordOutbox, automation: Automation, hand: Any
) -> None:
    schedules.put("nightly", NIGHTLY, "ada")
    hand.forward(DAY)
    stopped, go_on = threading.Event(), threading.Event()

    class Stopped(Schedules):
        def _start(self, row: Any, due: int) -> Any:
            stopped.set()
            assert go_on.wait(60)
            return super()._start(row, due)

    slow = Stopped(automation)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(slow.fire)
        assert stopped.wait(60)
        assert schedules.fire() == 1
        go_on.set()
        assert late.result(60) == 0
    assert len(automation.jobs.all()) == 1


@pytest.mark.parametrize(
    ("misfire", "ran", "missed"),
    [
        ("skip", [], "from 2026-11-29T02:30:00+00:00 to 2026-12-03T02:30:00+00:00"),
        ("once", ["2026-12-03T02:30:00"], "from 2026-11-29T02:30:00+00:00 to 2026-12-02T02:30:00+00:00"),
        ("all:2", ["2026-12-02T02:30:00", "2026-12-03T02:30:00"], "from 2026-11-29T02:30:00+00:00 to 2026-12-01T02:30:00+00:00"),
        ("all:9", [f"2026-{d}T02:30:00" for d in ("11-29", "11-30", "12-01", "12-02", "12-03")], None),
    ],
)  # fmt: skip
def test_what_was_missed_runs_as_the_schedule_says(
    schedules: Schedules,
    outbox: RecordOutbox,
    jobs: Jobs,
    hand: Any,
    misfire: str,
    ran: list[str],
    missed: str | None,
) -> None:
    schedules.put("nightly", {**NIGHTLY, "misfire": misfire}, "ada")
    set_clock(hand, "2026-12-03T12:00:00")
    schedules.fire()
    assert due(jobs) == ran
    told = [row["Detail"] for row in rows(outbox, "Schedule") if row["Change"] == "Missed"]
    assert told == ([f"not run {missed}"] if missed else [])
    assert schedules.get("nightly")["next"] == "2026-12-04T02:30:00+00:00"


def test_one_that_is_due_now_stands_for_the_missed_ones(schedules: Schedules, jobs: Jobs, hand: Any) -> None:
    schedules.put("often", {"runbook": "clean", "when": "*/5 * * * *"}, "ada")
    set_clock(hand, "2026-11-28T13:00:30")
    schedules.fire()
    assert due(jobs) == ["2026-11-28T13:00:00"]


def test_a_minute_late_is_on_time(schedules: Schedules, outbox: RecordOutbox, hand: Any) -> None:
    schedules.put("nightly", {**NIGHTLY, "misfire": "skip"}, "ada")
    set_clock(hand, "2026-11-29T02:31:00")
    assert schedules.fire() == 1
    set_clock(hand, "2026-11-30T02:31:01")
    assert schedules.fire() == 0
    assert changes(outbox) == ["Created", "Fired", "Missed"]


def test_a_clock_that_is_set_back_fires_nothing_twice(schedules: Schedules, jobs: Jobs, hand: Any) -> None:
    schedules.put("often", {"runbook": "clean", "when": "*/30 * * * *", "misfire": "all:9"}, "ada")
    set_clock(hand, "2026-11-28T14:00:01")
    assert schedules.fire() == 4
    set_clock(hand, "2026-11-28T12:00:01")
    schedules.refresh()
    schedules.pause("often", "ada")
    schedules.resume("often", "ada")
    assert schedules.fire() == 0
    set_clock(hand, "2026-11-28T14:30:00")
    assert schedules.fire() == 1
    assert len(due(jobs)) == len(set(due(jobs))) == 5


def test_a_paused_one_rests_and_misses_nothing(schedules: Schedules, outbox: RecordOutbox, hand: Any) -> None:
    schedules.put("nightly", NIGHTLY, "ada")
    assert schedules.pause("nightly", "ada")["state"] == "paused"
    assert schedules.pause("nightly", "ada")["next"] is None
    hand.forward(3 * DAY)
    assert schedules.fire() == 0
    assert schedules.resume("nightly", "bob")["next"] == "2026-12-02T02:30:00+00:00"
    assert schedules.fire() == 0
    assert changes(outbox) == ["Created", "Paused", "Resumed"]


def test_start_and_end_bound_it(schedules: Schedules, outbox: RecordOutbox, jobs: Jobs, hand: Any) -> None:
    bounds = {"zone": "Europe/Brussels", "start": "2026-12-01T00:00", "end": "2026-12-02T12:00"}
    assert schedules.put("nightly", {**NIGHTLY, **bounds}, "ada")["runs"] == [
        "2026-12-01T02:30:00+01:00", "2026-12-02T02:30:00+01:00",
    ]  # fmt: skip
    for day in (1, 2, 3):
        set_clock(hand, f"2026-12-0{day}T01:30:00")
        schedules.fire()
    assert due(jobs) == ["2026-12-01T01:30:00", "2026-12-02T01:30:00"]
    assert schedules.get("nightly")["state"] == "ended"
    assert changes(outbox)[-1] == "Ended"


def test_a_changed_one_goes_by_its_new_words(
    schedules: Schedules, outbox: RecordOutbox, jobs: Jobs, hand: Any
) -> None:
    schedules.put("nightly", NIGHTLY, "ada")
    schedules.put("nightly", {"runbook": "clean", "when": "once 2026-11-28T13:00"}, "bob")
    assert [s["when"] for s in schedules.all()] == ["once 2026-11-28T13:00"]
    set_clock(hand, "2026-11-28T13:00:00")
    assert schedules.fire() == 1
    schedules.remove("nightly", "bob")
    assert schedules.all() == []
    assert [(r["Change"], r["ChangedBy"]) for r in rows(outbox, "Schedule")] == [
        ("Created", "ada"), ("Changed", "bob"), ("Fired", ""), ("Ended", ""), ("Removed", "bob"),
    ]  # fmt: skip


@pytest.mark.parametrize(("overlap", "states"), [
    ("queue", ["Queued", "Running"]), ("skip", ["Running", "Stopped"]), ("replace", ["Queued", "Stopping"]),
])  # fmt: skip
def test_runs_overlap_as_the_schedule_says(
    schedules: Schedules, jobs: Jobs, hand: Any, overlap: str, states: list[str]
) -> None:
    schedules.put("nightly", {**NIGHTLY, "overlap": overlap}, "ada")
    hand.forward(DAY)
    schedules.fire()
    claim = jobs.claim(["default"], "w1", seconds=10 * DAY)
    assert claim is not None
    jobs.running(claim.token)
    hand.forward(DAY)
    schedules.fire()
    assert sorted(job["state"] for job in jobs.all()) == states
    assert jobs.claim(["default"], "w2") is None
    jobs.finish(claim.token, Outcome.COMPLETED)


def test_runs_that_may_overlap_do(schedules: Schedules, jobs: Jobs, hand: Any) -> None:
    schedules.put("nightly", {**NIGHTLY, "overlap": "allow", "misfire": "all:2"}, "ada")
    hand.forward(2 * DAY)
    schedules.fire()
    assert jobs.claim(["default"], "w1") is not None
    assert jobs.claim(["default"], "w2") is not None


def test_a_run_that_cannot_start_is_told_and_the_next_one_tried(
    schedules: Schedules, outbox: RecordOutbox, automation: Automation, hand: Any
) -> None:
    schedules.put("nightly", {**NIGHTLY, "parameters": {"days": 3}}, "ada")
    automation.library.bring("clean", notebook(parameters="weeks: int = 1"))
    hand.forward(DAY)
    assert schedules.fire() == 0
    found = schedules.get("nightly")
    assert found["last_error"] == "JOB102: the runbook declares no parameter 'days'"
    assert changes(outbox) == ["Created", "Refused"]
    automation.library.bring("clean", notebook(parameters="days: int = 1"))
    hand.forward(DAY)
    assert schedules.fire() == 1
    assert schedules.get("nightly")["last_error"] == ""


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"when": "daily"}, "SCH001"),
    ({"when": "once 2026-11-27"}, "SCH002"),
    ({"end": "2026-11-28T12:00"}, "SCH002"),
    ({"zone": "Europe/Brusels"}, "SCH003"),
    ({"start": "tomorrow"}, "SCH004"),
    ({"end": "9999-12-31"}, "SCH004"),
    ({"misfire": "all"}, "SCH103"),
    ({"misfire": f"all:{MOST + 1}"}, "SCH103"),
    ({"overlap": "forbid"}, "JOB004"),
    ({"runbook": "nothing"}, "JOB201"),
    ({"runbook": "a\0b"}, "SRV013"),
    ({"runbook": 1}, "SRV013"),
    ({"parameters": {"days": "x"}}, "JOB104"),
    ({"parameters": {"days=1\nimport os": 1}}, "JOB102"),
    ({"parameters": 5}, "SRV013"),
    ({"group": "a b"}, "JOB321"),
    ({"retries": -1}, "SRV013"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), WRONG, ids=[f"{c}-{n}" for n, (_, c) in enumerate(WRONG)])
def test_what_could_not_run_is_refused_when_it_is_made(
    schedules: Schedules, outbox: RecordOutbox, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        schedules.put("nightly", {**NIGHTLY, **change}, "ada")
    assert refused.value.code == code
    assert schedules.all() == []
    assert changes(outbox) == []


def test_names_that_are_none_are_told_so(schedules: Schedules) -> None:
    schedules.put("nightly", NIGHTLY, "ada")
    for call, code in (
        (lambda: schedules.get("nihgtly"), "SCH101"),
        (lambda: schedules.pause("x", "ada"), "SCH101"),
        (lambda: schedules.put("a b", NIGHTLY, "ada"), "SCH102"),
    ):
        with pytest.raises(WorkbenchError) as refused:
            call()
        assert refused.value.code == code


def test_each_text_of_the_documentation_is_one() -> None:
    text = (Path(schedules_package.__file__).parent / "SCHEDULES.md").read_text()
    table = text.partition("## WHEN")[2].partition("## The nights")[0]
    texts = [
        t
        for line in table.splitlines()
        for t in re.findall(r"`([^`]+)`", line.split("|")[1] if "|" in line else "")
    ]
    assert len(texts) == 11
    for one in texts:
        read(one)


def test_what_a_text_would_give_can_be_seen_before() -> None:
    assert preview("monthly last 06:30", "Europe/Brussels", 2) == [
        "2026-11-30T06:30:00+01:00", "2026-12-31T06:30:00+01:00",
    ]  # fmt: skip


def test_the_thread_wakes_for_what_is_made_and_for_what_is_due(
    schedules: Schedules, automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_frozen", None)
    made = threading.Event()
    automation.jobs.on_news.append(made.set)
    with Scheduler(schedules):
        while True:
            at = dt.datetime.fromtimestamp(clock.now_us() // 1_000_000 + 1, dt.UTC).replace(tzinfo=None)
            try:
                schedules.put("soon", {"runbook": "clean", "when": f"once {at.isoformat()}"}, "ada")
                break
            except WorkbenchError:  # it took longer than a second to come here
                continue
        assert made.wait(60)
    assert [job["trigger"] for job in automation.jobs.all()] == ["schedule"]
