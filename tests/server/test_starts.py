"""A runbook started by each who can: a person, a program, the clock, a webhook; through a real service."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from runbook_service import Jobs, wait_for

from workbench.cli.app import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    made = Jobs(service)
    made.bring("greet", "print(name)", parameters="name: str = 'you'")
    return made


@pytest.fixture
def said(jobs: Jobs, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command prints in JSON, or the code of the mistake that it tells."""
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(jobs.service.workspace))

    def command(*words: str) -> Any:
        status = run([*words, "--json"])
        printed, told = capfdbinary.readouterr()
        return json.loads(printed) if status == 0 else told.decode().split()[0].rstrip(":")

    return command


def job_of(jobs: Jobs, trigger: str) -> list[Any]:
    """The one job of that trigger at its end, as its records tell."""
    told = f"Job | where Trigger startswith '{trigger}' and State == 'Completed'"
    (row,) = wait_for(
        lambda: jobs.rows(
            f"{told} | project JobId, RunbookName, tostring(Parameters), Worker, Attempt, Error"
        )
    )
    assert jobs.lines(row[0]) == [["Output", f"{json.loads(row[2])['name']}\n"]]
    return row[1:]


def test_the_clock_starts_a_job(jobs: Jobs, said: Any) -> None:
    while True:
        at = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)).replace(tzinfo=None)
        words = ("--runbook", "greet", "-p", "name=clock", "--misfire", "all:1")
        made = said("schedule", "create", "soon", f"once {at.isoformat()}", *words)
        if made != "SCH002":  # a machine that takes two seconds to come here
            break
    assert (made["state"], made["when"][:5], made["runs"]) == ("active", "once ", [made["next"]])
    assert job_of(jobs, "schedule: soon") == ["greet", '{"name":"clock"}', "service", 1, ""]
    found = said("schedule", "show", "soon")
    assert (found["state"], found["last"], jobs.get(found["last_job"])["trigger"]) == (
        "ended",
        made["next"],
        "schedule",
    )
    changes = wait_for(
        lambda: jobs.rows("Schedule | where Change == 'Ended' | project ScheduleName, RunbookName")
    )
    assert changes == [["soon", "greet"]]


def test_a_person_and_a_program_lead_to_the_same_kind_of_record(jobs: Jobs, said: Any) -> None:
    said("runbook", "start", "greet", "-p", "name=ada", "--wait")
    assert job_of(jobs, "person: owner") == ["greet", '{"name":"ada"}', "service", 1, ""]
    token = said("token", "create", "--role", "operator", "--name", "deploy")["token"]
    status, _ = jobs.service.ask(
        "POST", "/api/runbooks/greet/start", {"parameters": {"name": "api"}}, token=token
    )
    assert status == 202
    assert job_of(jobs, "api: deploy") == ["greet", '{"name":"api"}', "service", 1, ""]


def test_a_schedule_is_looked_at_paused_and_removed_by_commands(said: Any) -> None:
    assert said("schedule", "next", "monthly last 06:30", "--zone", "Europe/Brussels")[0].endswith(
        ("+01:00", "+02:00")
    )
    said("schedule", "create", "nightly", "30 2 * * *", "--runbook", "greet", "--zone", "Europe/Brussels")
    assert said("schedule", "pause", "nightly")["state"] == "paused"
    assert len(said("schedule", "resume", "nightly")["runs"]) == 5
    assert [s["name"] for s in said("schedule", "list") if s["state"] == "active"] == ["nightly"]
    assert said("schedule", "remove", "nightly") == {"name": "nightly"}
    assert said("schedule", "show", "nightly") == "SCH101"
    assert said("schedule", "create", "bad", "daily 25:00", "--runbook", "greet") == "SCH001"


def test_a_reader_looks_and_changes_nothing(jobs: Jobs, said: Any) -> None:
    token = said("token", "create", "--role", "reader")["token"]
    body = {"runbook": "greet", "when": "daily 06:30"}
    asked = [
        ("GET", "/api/schedules", 200), ("GET", "/api/next-runs?when=daily+06:30", 200),
        ("PUT", "/api/schedules/x", 403), ("POST", "/api/schedules/x/pause", 403), ("DELETE", "/api/schedules/x", 403),
    ]  # fmt: skip
    assert [jobs.service.ask(m, p, body, token=token)[0] for m, p, _ in asked] == [s for *_, s in asked]
    assert jobs.service.ask("GET", "/api/schedules/x", token=token)[0] == 404
