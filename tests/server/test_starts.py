"""A runbook started by each who can: a person, a program, the clock, a webhook; through a real service."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import urllib.parse
from typing import Any

import pytest
from runbook_service import Jobs, wait_for

from workbench.cli.app import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    made = Jobs(service)
    made.bring(
        "hooked",
        "print(site, WebhookData['RequestBody'])",
        parameters="site: str = ''\nWebhookData: dict = {}",
    )
    # Its parameter has the name of a line magic, which IPython would take it for.
    made.bring("greet", "print(who)", parameters="who: str = 'you'")
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


def job_of(jobs: Jobs, trigger: str, printed: str) -> list[Any]:
    """The one job of that trigger at its end, as its records tell."""
    told = f"Job | where Trigger startswith '{trigger}' and State == 'Completed'"
    (row,) = wait_for(lambda: jobs.rows(f"{told} | project JobId, RunbookName, Worker, Attempt, Error"))
    assert jobs.lines(row[0]) == [["Output", f"{printed}\n"]]
    return row[1:]


def test_the_clock_starts_a_job(jobs: Jobs, said: Any) -> None:
    while True:
        at = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)).replace(tzinfo=None)
        words = ("--runbook", "greet", "-p", "who=clock", "--misfire", "all:1")
        made = said("schedule", "create", "soon", f"once {at.isoformat()}", *words)
        if made != "SCH002":  # a machine that takes two seconds to come here
            break
    assert (made["state"], made["when"][:5], made["runs"]) == ("active", "once ", [made["next"]])
    assert job_of(jobs, "schedule: soon", "clock") == ["greet", "service", 1, ""]
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
    token = said("token", "create", "--role", "operator", "--name", "deploy")["token"]
    status, _ = jobs.service.ask(
        "POST", "/api/runbooks/greet/start", {"parameters": {"who": "api"}}, token=token
    )
    assert status == 202
    said("runbook", "start", "greet", "-p", "who=ada", "--wait")
    assert job_of(jobs, "person: owner", "ada") == ["greet", "service", 1, ""]
    assert job_of(jobs, "api: deploy", "api") == ["greet", "service", 1, ""]


def post(url: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """What a caller of a webhook is answered."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("POST", f"{parts.path}?{parts.query}", body, headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told if answer.status == 202 else told["error"]["code"]


def test_a_webhook_starts_a_job_and_its_token_is_nowhere(jobs: Jobs, said: Any) -> None:
    made = said("webhook", "create", "push", "--runbook", "hooked", "-p", "site=b")
    assert made["url"] == f"{jobs.service.url}/webhooks?token={made['token']}"
    body = b'{"site": "c", "a=1\\nimport os": 2}'
    status, told = post(made["url"], body, Authorization="Bearer abc")
    assert (status, list(told)) == (202, ["JobIds"])
    assert job_of(jobs, "webhook: push", f"b {body.decode()}") == ["hooked", "service", 1, ""]
    assert said("webhook", "show", "push")["last_job"] == told["JobIds"][0]
    assert post(f"{jobs.service.url}/webhooks") == post(made["url"] + "x") == (400, "WHK101")
    assert post(made["url"], b"x" * 600_000) == (413, "OTL101")
    said("webhook", "disable", "push")
    assert post(made["url"]) == (400, "WHK103")
    assert said("webhook", "enable", "push")["state"] == "enabled"
    assert post(said("webhook", "rotate", "push")["url"])[0] == 202
    assert post(made["url"]) == (400, "WHK101")
    assert [w["name"] for w in said("webhook", "list")] == ["push"]
    assert said("webhook", "remove", "push") == {"name": "push"}
    wait_for(lambda: ["Removed"] in jobs.rows("Webhook | project Change"))
    assert " /webhooks 202 " in jobs.service.log()
    holding = [
        p
        for p in jobs.service.workspace.parent.rglob("*")
        if p.is_file() and made["token"].encode() in p.read_bytes()
    ]
    assert holding == []


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
        ("GET", "/api/webhooks", 200), ("PUT", "/api/webhooks/x", 403), ("POST", "/api/webhooks/x/rotate", 403),
        ("GET", "/api/schedules", 200), ("GET", "/api/next-runs?when=daily+06:30", 200),
        ("PUT", "/api/schedules/x", 403), ("POST", "/api/schedules/x/pause", 403), ("DELETE", "/api/schedules/x", 403),
    ]  # fmt: skip
    assert [jobs.service.ask(m, p, body, token=token)[0] for m, p, _ in asked] == [s for *_, s in asked]
    assert jobs.service.ask("GET", "/api/schedules/x", token=token)[0] == 404
