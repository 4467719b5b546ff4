"""Webhooks: who may start what, what a runbook gets of a call, and what each other caller is told."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from runbook_service import notebook
from toldrows import rows

import workbench.actions.webhooks as webhooks_package
from workbench.actions.jobs import Jobs
from workbench.actions.runbook.automation import Automation
from workbench.actions.webhooks import Webhooks
from workbench.actions.webhooks.message import WINDOW_SECONDS
from workbench.base import clock
from workbench.base.errors import WorkbenchError
from workbench.base.standard_webhooks import signature
from workbench.collect.record_outbox import RecordOutbox

DAY = 86_400
HOOK = {"runbook": "hook", "parameters": {"site": "b"}, "group": "site-b"}


@pytest.fixture
def webhooks(automation: Automation) -> Webhooks:
    return Webhooks(automation)


@pytest.fixture(autouse=True)
def still(hand: Any) -> None:
    """The clock moves when a test moves it."""


def call(webhooks: Webhooks, token: str, body: bytes = b"", headers: dict[str, str] | None = None) -> str:
    """The job that a call made."""
    (job,) = webhooks.call(webhooks.open(token), (headers or {}).items(), body)
    return job


def code(webhooks: Webhooks, *what: Any) -> str:
    """The code of the mistake that a call is told."""
    with pytest.raises(WorkbenchError) as refused:
        call(webhooks, *what)
    return refused.value.code


def signed(shown: dict[str, Any], body: bytes, number: str = "m1", ago: int = 0) -> dict[str, str]:
    """Headers of a message, as a library of Standard Webhooks makes them."""
    stamp = str(clock.now_us() // 1_000_000 - ago)
    secret = base64.b64decode(shown["secret"].removeprefix("whsec_"))
    return {
        "Webhook-Id": number,
        "Webhook-Timestamp": stamp,
        "Webhook-Signature": signature(secret, number, stamp, body),
    }


def changes(outbox: RecordOutbox) -> list[str]:
    return [row["Change"] for row in rows(outbox, "Webhook")]


def test_a_call_is_a_job_that_gets_what_was_sent(
    webhooks: Webhooks, outbox: RecordOutbox, jobs: Jobs
) -> None:
    made = webhooks.put("deploy", HOOK, "ada")
    body = b'{"site": "c", "a=1\\nimport os": 1}'
    number = call(
        webhooks, made["token"], body, {"X-Event": "push", "Authorization": "Basic x", "X-Api-Key": "k"}
    )
    job = jobs.get(number)
    assert (job["trigger"], job["trigger_name"], job["worker_group"], job["state"]) == (
        "webhook", "deploy", "site-b", "Queued",
    )  # fmt: skip
    assert json.loads(job["parameters"]) == {
        "site": "b",
        "WebhookData": {
            "WebhookName": "deploy",
            "RequestHeader": {"x-event": "push"},
            "RequestBody": body.decode(),
        },
    }
    assert rows(outbox, "Job")[0]["Trigger"] == "webhook: deploy"
    called = rows(outbox, "Webhook")[-1]
    assert (called["Change"], called["JobId"], called["WebhookName"]) == ("Called", number, "deploy")
    assert webhooks.get("deploy")["last_job"] == number


def test_a_runbook_that_declares_no_data_gets_none(
    webhooks: Webhooks, automation: Automation, jobs: Jobs
) -> None:
    made = webhooks.put("plain", {"runbook": "clean"}, "ada")
    assert json.loads(jobs.get(call(webhooks, made["token"], b'{"days": 1}'))["parameters"]) == {}
    automation.library.bring("text", notebook(parameters="WebhookData: str = ''"))
    made = webhooks.put("text", {"runbook": "text"}, "ada")
    given = json.loads(jobs.get(call(webhooks, made["token"], b"x"))["parameters"])["WebhookData"]
    assert json.loads(given)["RequestBody"] == "x"


def test_a_token_is_long_shown_once_and_kept_as_its_digest(webhooks: Webhooks, outbox: RecordOutbox) -> None:
    made = webhooks.put("deploy", {**HOOK, "signed": True}, "ada")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", made["token"])
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    call(webhooks, made["token"], b"", signed(made, b""))
    for shown in (webhooks.get("deploy"), webhooks.all()[0], webhooks.put("deploy", HOOK, "ada")):
        assert not {"token", "secret", "url"} & set(shown)
    with outbox.database.read() as connection:
        for name in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f"SELECT * FROM {name}")):
                assert made["token"] not in str(tuple(row))
                assert made["secret"].removeprefix("whsec_") not in str(tuple(row))


def test_a_token_that_opens_nothing_says_no_more_than_that(webhooks: Webhooks, outbox: RecordOutbox) -> None:
    made = webhooks.put("deploy", HOOK, "ada")
    gone = webhooks.put("gone", HOOK, "ada")["token"]
    webhooks.remove("gone", "ada")
    again = webhooks.rotate("deploy", "ada")
    said = set()
    for token in (
        "",
        "x",
        "deploy",
        made["token"],
        gone,
        again["token"][:-1],
        again["token"] + "A",
        "\ud800",
        "é\0",
    ):
        with pytest.raises(WorkbenchError) as refused:
            webhooks.open(token)
        said.add((refused.value.code, refused.value.message, refused.value.hint))
    assert said == {("WHK101", "the token opens nothing", None)}
    assert call(webhooks, again["token"])
    assert changes(outbox) == ["Created", "Created", "Removed", "Rotated", "Called"]


def test_an_expired_or_disabled_one_starts_nothing(webhooks: Webhooks, jobs: Jobs, hand: Any) -> None:
    token = webhooks.put("deploy", {**HOOK, "days": 2}, "ada")["token"]
    assert webhooks.disable("deploy", "ada")["state"] == "disabled"
    assert code(webhooks, token) == "WHK103"
    assert webhooks.enable("deploy", "ada")["state"] == "enabled"
    hand.forward(2 * DAY)
    assert webhooks.get("deploy")["state"] == "expired"
    webhooks.put("deploy", {**HOOK, "days": 300}, "ada")  # what it starts may change, its end does not
    assert code(webhooks, token) == "WHK102"
    assert jobs.all() == []
    fresh = webhooks.rotate("deploy", "ada")["token"]
    hand.forward(2 * DAY - 1)
    assert call(webhooks, fresh)


def test_one_that_is_switched_off_while_a_call_comes_in_starts_nothing(
    webhooks: Webhooks, jobs: Jobs, hand: Any
) -> None:
    token = webhooks.put("deploy", HOOK, "ada")["token"]
    row = webhooks.open(token)
    hand.forward(1)
    webhooks.disable("deploy", "ada")
    with pytest.raises(WorkbenchError) as refused:
        webhooks.call(row, [], b"")
    assert refused.value.code == "WHK107"
    assert jobs.all() == []


def test_a_signed_message_starts_one_job(webhooks: Webhooks, jobs: Jobs) -> None:
    made = webhooks.put("deploy", {**HOOK, "signed": True}, "ada")
    headers = signed(made, b"{}")
    number = call(webhooks, made["token"], b"{}", headers)
    with pytest.raises(WorkbenchError) as refused:
        call(webhooks, made["token"], b"{}", headers)
    assert (refused.value.code, number in refused.value.message) == ("WHK106", True)
    assert (
        code(webhooks, made["token"], b"{}", signed(made, b"{}", ago=10)) == "WHK106"
    )  # the same, signed anew
    assert call(webhooks, made["token"], b"{}", signed(made, b"{}", "m2")) != number
    assert len(jobs.all()) == 2
    given = json.loads(jobs.get(number)["parameters"])["WebhookData"]["RequestHeader"]
    assert given["webhook-id"] == "m1"


def test_a_secret_outlives_the_key_that_sealed_it(
    webhooks: Webhooks, automation: Automation, outbox: RecordOutbox, tmp_path: Path
) -> None:
    made = webhooks.put("deploy", {**HOOK, "signed": True}, "ada")
    other = webhooks.put("other", {**HOOK, "signed": True}, "ada")
    assert automation.assets.rotate_key(by="ada") == 2
    assert call(webhooks, made["token"], b"", signed(made, b""))
    again = webhooks.rotate("deploy", "ada")
    assert code(webhooks, again["token"], b"", signed(made, b"", "m2")) == "WHK104"
    assert call(webhooks, again["token"], b"", signed(again, b"", "m2"))
    webhooks.remove("other", "ada")
    with outbox.database.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM asset_versions")) == 1
    (tmp_path / "assets.key").unlink()
    assert code(webhooks, again["token"], b"", signed(again, b"", "m3")) == "WHK107"
    assert webhooks.get("deploy")["last_error"].startswith("AST10")
    assert code(webhooks, other["token"], b"") == "WHK101"


def test_a_message_sent_many_times_at_once_is_one_job(webhooks: Webhooks, jobs: Jobs) -> None:
    made = webhooks.put("deploy", {**HOOK, "signed": True}, "ada")
    headers = signed(made, b"")

    def one(_: int) -> str:
        try:
            return call(webhooks, made["token"], b"", headers)
        except WorkbenchError as why:
            return why.code

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(one, range(8)))
    assert told.count("WHK106") == 7
    assert len(jobs.all()) == 1


def test_a_message_that_is_not_signed_so_starts_nothing(webhooks: Webhooks, jobs: Jobs) -> None:
    made = webhooks.put("deploy", {**HOOK, "signed": True}, "ada")
    other = webhooks.put("other", {**HOOK, "signed": True}, "ada")
    good = signed(made, b"{}")
    for headers, wanted in (
        ({}, "WHK104"),
        ({**good, "Webhook-Signature": ""}, "WHK104"),
        ({**good, "Webhook-Signature": "v1,é"}, "WHK104"),
        ({**good, "Webhook-Id": "m2"}, "WHK104"),
        ({**good, "Webhook-Timestamp": "9"}, "WHK104"),
        (signed(made, b"{ }"), "WHK104"),
        (signed(other, b"{}"), "WHK104"),
        (signed(made, b"{}", ""), "WHK104"),
        (signed(made, b"{}", ago=WINDOW_SECONDS + 1), "WHK105"),
        (signed(made, b"{}", ago=-WINDOW_SECONDS - 1), "WHK105"),
    ):
        assert code(webhooks, made["token"], b"{}", headers) == wanted
    assert jobs.all() == []
    two = {**good, "Webhook-Signature": f"v1,AAAA v2,x {good['Webhook-Signature']}"}
    assert call(webhooks, made["token"], b"{}", two)
    webhooks.disable("deploy", "ada")
    assert code(webhooks, made["token"], b"{}", {}) == "WHK104"  # that it is off is for who can sign


def test_a_runbook_that_cannot_start_is_told_to_who_keeps_it(
    webhooks: Webhooks, automation: Automation, outbox: RecordOutbox
) -> None:
    token = webhooks.put("deploy", HOOK, "ada")["token"]
    automation.library.bring("hook", notebook(parameters="place: str = ''"))
    with pytest.raises(WorkbenchError) as refused:
        call(webhooks, token)
    assert (refused.value.code, "site" in refused.value.render()) == ("WHK107", False)
    assert webhooks.get("deploy")["last_error"] == "JOB102: the runbook declares no parameter 'site'"
    assert changes(outbox) == ["Created", "Refused"]


def test_bodies_that_cannot_be_given_on_are_told_so(webhooks: Webhooks, jobs: Jobs) -> None:
    token = webhooks.put("deploy", HOOK, "ada")["token"]
    assert code(webhooks, token, b"\xff") == "WHK108"
    assert code(webhooks, token, b"\x00" * 100_000) == "WHK109"  # as JSON six times as long
    assert jobs.all() == []
    assert call(webhooks, token, b"a\x00b")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"runbook": "nothing"}, "JOB201"),
    ({"runbook": "a\0"}, "SRV013"),
    ({"runbook": "list"}, "WHK004"),
    ({"parameters": {"WebhookData": {}}}, "WHK005"),
    ({"parameters": ["a"]}, "SRV013"),
    ({"parameters": {"place": 1}}, "JOB102"),
    ({"days": 0}, "WHK003"),
    ({"days": 367}, "WHK003"),
    ({"days": "7"}, "WHK003"),
    ({"overlap": "forbid"}, "JOB004"),
    ({"group": "a b"}, "JOB321"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "wanted"), WRONG, ids=[f"{c}-{n}" for n, (_, c) in enumerate(WRONG)])
def test_what_could_not_start_is_refused_when_it_is_made(
    webhooks: Webhooks, automation: Automation, change: dict[str, Any], wanted: str
) -> None:
    automation.library.bring("list", notebook(parameters="site: str = ''\nWebhookData: list = []"))
    with pytest.raises(WorkbenchError) as refused:
        webhooks.put("deploy", {**HOOK, **change}, "ada")
    assert refused.value.code == wanted
    assert webhooks.all() == []


def test_names_that_are_none_are_told_so(webhooks: Webhooks) -> None:
    webhooks.put("deploy", HOOK, "ada")
    for ask, wanted in (
        (lambda: webhooks.get("depoly"), "WHK001"),
        (lambda: webhooks.rotate("x", "ada"), "WHK001"),
        (lambda: webhooks.put("a/b", HOOK, "ada"), "WHK002"),
    ):
        with pytest.raises(WorkbenchError) as refused:
            ask()
        assert refused.value.code == wanted


def test_what_callers_are_promised_is_what_they_are_answered() -> None:
    from workbench.server.handlers.webhooks import STATUS

    text = (Path(webhooks_package.__file__).parent / "CALLERS.md").read_text()
    promised = {}
    for status, codes in re.findall(r"^\| .* \| (\d{3}) ([A-Z0-9, ]+) \|$", text, re.MULTILINE):
        promised |= dict.fromkeys(codes.split(", "), int(status))
    assert promised == STATUS


def test_calls_overlap_as_the_webhook_says(webhooks: Webhooks, jobs: Jobs) -> None:
    token = webhooks.put("deploy", {**HOOK, "overlap": "skip"}, "ada")["token"]
    states = [jobs.get(call(webhooks, token))["state"] for _ in range(2)]
    assert states == ["Queued", "Stopped"]
