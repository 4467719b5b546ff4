"""The life of jobs: one holder at a time, nothing lost, each change of state one record."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from toldrows import rows, states

from workbench.actions.jobs import Claim, Jobs, Outcome, Overlap, Start, State, Steps
from workbench.actions.jobs.store import LEASE_SECONDS
from workbench.actions.jobs.told import Line, Stream
from workbench.base.diagnostics import jobs as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.record_outbox import RecordOutbox

WHY = WorkbenchError("JOB999", "it broke")


def claimed(jobs: Jobs, **more: Any) -> Claim:
    claim = jobs.claim(["default"], "w1", **more)
    assert claim is not None
    return claim


def test_a_job_goes_its_way(jobs: Jobs, outbox: RecordOutbox) -> None:
    job = jobs.start(Start("clean", 3, "person", "ada", {"days": 7}))
    assert job["state"] == State.QUEUED
    claim = claimed(jobs)
    jobs.running(claim.token)
    assert jobs.finish(claim.token, Outcome.COMPLETED) == State.COMPLETED
    assert states(outbox, job["id"]) == ["New", "Queued", "Starting", "Running", "Completed"]
    done = jobs.get(job["id"])
    assert (done["worker"], done["attempt"], json.loads(done["parameters"])) == ("w1", 1, {"days": 7})
    assert done["started"] <= done["ended"]


def test_a_start_with_a_key_is_one_job(jobs: Jobs) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: jobs.start(Start("r", 1, "schedule", key="nightly/1")), range(8)))
    assert len({job["id"] for job in made}) == 1
    assert len(jobs.all()) == 1


def test_each_job_is_claimed_once(jobs: Jobs) -> None:
    for _ in range(12):
        jobs.start(Start("r", 1, "person"))
    with ThreadPoolExecutor(6) as pool:
        found = [c for c in pool.map(lambda n: jobs.claim(["default"], f"w{n}"), range(20)) if c is not None]
    assert len({c.job["id"] for c in found}) == len(found) == 12


def test_a_worker_takes_jobs_of_its_groups_only(jobs: Jobs) -> None:
    jobs.start(Start("r", 1, "person", group="site-b"))
    assert jobs.claim(["default"], "w1") is None
    assert jobs.claim(["default", "site-b"], "w1") is not None


def test_a_lost_worker_is_fenced(jobs: Jobs, outbox: RecordOutbox, hand: Any) -> None:
    job = jobs.start(Start("r", 1, "person"))
    old = claimed(jobs)
    jobs.running(old.token)
    hand.forward(LEASE_SECONDS + 1)
    assert jobs.give_up_lost() == 1
    new = claimed(jobs)
    for write in (
        lambda: jobs.renew(old.token),
        lambda: jobs.running(old.token),
        lambda: jobs.write(old.token, [Line(1, Stream.OUTPUT, "stale", 0)]),
        lambda: jobs.finish(old.token, Outcome.COMPLETED),
        lambda: Steps(jobs).commit(old.token, "s", 1),
    ):
        with pytest.raises(WorkbenchError) as refused:
            write()
        assert refused.value.code == "JOB002"
    jobs.running(new.token)
    jobs.finish(new.token, Outcome.COMPLETED)
    assert states(outbox, job["id"]) == [
        "New", "Queued", "Starting", "Running", "Queued", "Starting", "Running", "Completed",
    ]  # fmt: skip


def test_a_claim_that_is_renewed_is_kept(jobs: Jobs, hand: Any) -> None:
    jobs.start(Start("r", 1, "person"))
    claim = claimed(jobs)
    for _ in range(4):
        hand.forward(LEASE_SECONDS - 1)
        assert jobs.renew(claim.token)
        assert jobs.give_up_lost() == 0


def test_three_losses_suspend_a_job_and_a_person_resumes_it(jobs: Jobs) -> None:
    job = jobs.start(Start("r", 1, "person"))
    for _ in range(3):
        jobs.finish(claimed(jobs).token, Outcome.LOST, WHY)
    found = jobs.get(job["id"])
    assert (found["state"], found["error_code"]) == (State.SUSPENDED, "JOB021")
    assert jobs.claim(["default"], "w1") is None
    jobs.resume(job["id"])
    jobs.finish(claimed(jobs).token, Outcome.COMPLETED)
    assert jobs.get(job["id"])["state"] == State.COMPLETED


def test_a_failure_is_tried_again_as_often_as_told(jobs: Jobs, hand: Any) -> None:
    job = jobs.start(Start("r", 1, "person", retries=2, retry_delay=60))
    for _ in range(2):
        assert jobs.finish(claimed(jobs).token, Outcome.FAILED, WHY) == State.QUEUED
        assert jobs.claim(["default"], "w1") is None
        hand.forward(61)
    # A lost worker is no failure of the runbook: it costs no try.
    assert jobs.finish(claimed(jobs).token, Outcome.LOST, WHY) == State.QUEUED
    assert jobs.finish(claimed(jobs).token, Outcome.FAILED, WHY) == State.FAILED
    assert jobs.get(job["id"])["error"] == "it broke"


def test_stopping_waits_for_the_worker(jobs: Jobs) -> None:
    job = jobs.start(Start("r", 1, "person"))
    claim = claimed(jobs)
    assert jobs.cancel(job["id"]) == State.STOPPING
    assert not jobs.renew(claim.token)
    assert jobs.finish(claim.token, Outcome.FAILED, WHY) == State.STOPPED
    with pytest.raises(WorkbenchError) as refused:
        jobs.cancel(job["id"])
    assert refused.value.code == "JOB003"


def test_stopping_what_waits_is_at_once(jobs: Jobs) -> None:
    job = jobs.start(Start("r", 1, "person"))
    assert jobs.cancel(job["id"]) == State.STOPPED
    assert jobs.claim(["default"], "w1") is None


def test_a_worker_that_is_lost_while_it_stops_leaves_a_stopped_job(jobs: Jobs, hand: Any) -> None:
    job = jobs.start(Start("r", 1, "person"))
    claimed(jobs)
    jobs.cancel(job["id"])
    hand.forward(LEASE_SECONDS + 1)
    jobs.give_up_lost()
    assert jobs.get(job["id"])["state"] == State.STOPPED


def test_jobs_of_one_key_run_one_after_the_other(jobs: Jobs) -> None:
    first, second = (jobs.start(Start("r", 1, "person", concurrency="db")) for _ in range(2))
    claim = claimed(jobs)
    assert claim.job["id"] == first["id"]
    assert jobs.claim(["default"], "w2") is None
    jobs.finish(claim.token, Outcome.COMPLETED)
    assert claimed(jobs).job["id"] == second["id"]


def test_a_job_can_be_skipped_where_another_is_there(jobs: Jobs) -> None:
    jobs.start(Start("r", 1, "person", concurrency="db"))
    skipped = jobs.start(Start("r", 1, "person", concurrency="db", overlap=Overlap.SKIP))
    assert (skipped["state"], skipped["error_code"]) == (State.STOPPED, "JOB023")


def test_a_job_can_take_the_place_of_another(jobs: Jobs) -> None:
    first = jobs.start(Start("r", 1, "person", concurrency="db"))
    claim = claimed(jobs)
    second = jobs.start(Start("r", 1, "person", concurrency="db", overlap=Overlap.REPLACE))
    assert not jobs.renew(claim.token)
    assert jobs.claim(["default"], "w2") is None
    jobs.finish(claim.token, Outcome.STOPPED)
    assert jobs.get(first["id"])["state"] == State.STOPPED
    assert claimed(jobs).job["id"] == second["id"]


def test_a_job_waits_for_others(jobs: Jobs) -> None:
    first, second = (jobs.start(Start("r", 1, "person")) for _ in range(2))
    last = jobs.start(Start("r", 1, "person", awaits=(first["id"], second["id"])))
    assert last["state"] == State.NEW
    for _ in range(2):
        jobs.finish(claimed(jobs).token, Outcome.COMPLETED)
    assert claimed(jobs).job["id"] == last["id"]


def test_a_job_that_waits_for_a_failure_is_stopped_and_so_on(jobs: Jobs) -> None:
    first = jobs.start(Start("r", 1, "person"))
    second = jobs.start(Start("r", 1, "person", awaits=(first["id"],)))
    third = jobs.start(Start("r", 1, "person", awaits=(second["id"],)))
    jobs.finish(claimed(jobs).token, Outcome.FAILED, WHY)
    assert [jobs.get(j["id"])["state"] for j in (second, third)] == [State.STOPPED] * 2
    assert jobs.start(Start("r", 1, "person", awaits=(first["id"],)))["state"] == State.STOPPED


def test_what_is_awaited_has_to_be_there(jobs: Jobs) -> None:
    with pytest.raises(WorkbenchError) as refused:
        jobs.start(Start("r", 1, "person", awaits=("nobody",)))
    assert refused.value.code == "JOB001"
    assert jobs.all() == []


def test_messages_are_kept_once(jobs: Jobs, outbox: RecordOutbox) -> None:
    job = jobs.start(Start("r", 1, "person"))
    claim = claimed(jobs)
    lines = [Line(n, Stream.OUTPUT, f"line {n}", n) for n in range(1, 6)]
    assert jobs.write(claim.token, lines[:3]) == 3
    assert jobs.write(claim.token, lines[1:]) == 5  # the answer to the first was lost, say
    assert jobs.write(claim.token, lines[:2]) == 5
    found = [r["Sequence"] for r in rows(outbox, "JobStream") if r["JobId"] == job["id"]]
    assert found == [1, 2, 3, 4, 5]


def test_a_committed_step_stays_over_claims(jobs: Jobs) -> None:
    steps = Steps(jobs)
    jobs.start(Start("r", 1, "person"))
    first = claimed(jobs)
    assert steps.committed(first.token, "copy") == (False, None)
    steps.commit(first.token, "copy", {"rows": [1, None]})
    steps.commit(first.token, "copy", {"rows": [1, None]})
    jobs.finish(first.token, Outcome.LOST, WHY)
    second = claimed(jobs)
    assert steps.committed(second.token, "copy") == (True, {"rows": [1, None]})
    with pytest.raises(WorkbenchError) as refused:
        steps.commit(second.token, "copy", {"rows": []})
    assert refused.value.code == "JOB005"


@pytest.mark.parametrize(
    ("result", "code"), [(object(), "JOB006"), (float("nan"), "JOB006"), ("x" * (1 << 20), "JOB007")]
)
def test_a_result_that_cannot_be_kept_is_refused(jobs: Jobs, result: object, code: str) -> None:
    jobs.start(Start("r", 1, "person"))
    with pytest.raises(WorkbenchError) as refused:
        Steps(jobs).commit(claimed(jobs).token, "s", result)
    assert refused.value.code == code


def test_one_who_waits_for_a_person_gives_its_worker_back(jobs: Jobs) -> None:
    job = jobs.start(Start("r", 1, "person"))
    assert jobs.finish(claimed(jobs).token, Outcome.WAITS, diagnostics.no_such_job("x")) == State.SUSPENDED
    jobs.resume(job["id"])
    assert claimed(jobs).job["attempt"] == 2
