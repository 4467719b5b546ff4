"""Who is told of a notice, how often it is tried, when it waits; with receivers that time out, refuse and redirect."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import receivers
from notices import notice, resolved
from runbook_service import notebook

from workbench.actions.deliveries.groups import Group
from workbench.actions.deliveries.queue import KEPT_SECONDS, Policies, Policy
from workbench.actions.deliveries.schema import table
from workbench.base import clock
from workbench.base.errors import WorkbenchError

MINUTE = 60


@pytest.fixture(autouse=True)
def still(hand: Any) -> None:
    """The clock moves when a test moves it."""


def hook(desk: Any, web: receivers.Web, name: str = "ops", **more: Any) -> None:
    url = f"https://hook.example:{web.port}/hook"
    desk.groups.put(name, {"webhooks": [{"name": "hook", "url": url, "form": "common"}], **more}, by="ada")


def test_a_notice_is_told_once_with_its_key(desk: Any, web: receivers.Web) -> None:
    hook(desk, web)
    desk.add(notice())
    assert desk.turn() == ["Delivered"]
    assert [(r.headers["idempotency-key"], r.json["data"]["essentials"]["alertRule"]) for r in web.got] == [
        ("r1/d1/Fired/7", "AcmeRule")
    ]
    assert (desk.turn(), desk.deliveries.take(), desk.deliveries.waiting(), desk.deliveries.next_due()) == (
        [],
        0,
        0,
        None,
    )
    assert desk.told("State", "Attempt", "ResultCode", "Target") == [
        ("Delivered", 1, 200, f"hook.example:{web.port}")
    ]


def test_what_may_work_later_is_tried_three_times_then_left_alone(
    desk: Any, web: receivers.Web, hand: Any
) -> None:
    hook(desk, web)
    web.answers = [503, 429, 504]
    desk.add(notice("k1"))
    assert desk.turn() == ["Waiting"]
    hand.forward(9.9)
    assert desk.turn() == []
    hand.forward(0.2)
    assert desk.turn() == ["Waiting"]
    hand.forward(29.9)
    assert desk.turn() == []
    hand.forward(0.2)
    assert desk.turn() == ["Failed"]
    assert desk.told("State", "Attempt", "ResultCode") == [
        ("Waiting", 1, 503),
        ("Waiting", 2, 429),
        ("Failed", 3, 504),
    ]
    assert len({r.headers["webhook-id"] for r in web.got}) == 1
    # Skipped for a quarter of an hour, and nothing is lost by that.
    desk.add(notice("k2"))
    hand.forward(15 * MINUTE - 1)
    assert (desk.turn(), len(web.got)) == ([], 3)
    hand.forward(2)
    assert desk.turn() == ["Delivered"]
    assert web.got[-1].headers["webhook-id"] == "k2"


def test_a_receiver_that_never_answers_is_a_time_out(desk: Any, web: receivers.Web, hand: Any) -> None:
    quick = Policies(kinds={**Policies().kinds, "webhook": Policy((0.5, 60, 60), pause=900)})
    desk = dataclasses.replace(desk, policies=quick)
    hook(desk, web)
    web.answers = [None]
    desk.add(notice())
    assert desk.turn() == ["Waiting"]
    hand.forward(1)
    assert desk.turn() == ["Delivered"]
    assert desk.told("Detail")[0] == "no answer within 0.5 seconds"


@pytest.mark.parametrize("status", [308, 400, 401, 404, 500])
def test_what_would_be_the_same_again_is_final(desk: Any, web: receivers.Web, status: int) -> None:
    hook(desk, web)
    web.answers, web.location = [status], f"https://hook.example:{web.port}/elsewhere"
    desk.add(notice("k1"))
    assert desk.turn() == ["Failed"]
    desk.add(notice("k2"))
    assert desk.turn() == ["Delivered"]
    assert [r.path for r in web.got] == ["/hook", "/hook"]


def test_a_sender_that_vanished_is_followed_by_another_with_the_same_key(
    desk: Any, web: receivers.Web, hand: Any
) -> None:
    hook(desk, web)
    desk.add(notice())
    lost = desk.deliveries.claim()
    outcome = desk.sending.once(lost.notice, lost.group, lost.action)
    assert desk.turn() == []
    hand.forward(desk.policies.lease + 1)
    assert desk.turn() == ["Delivered"]
    # The first one comes back, and changes nothing any more.
    assert desk.deliveries.done(lost, outcome) is None
    assert [r.headers["webhook-id"] for r in web.got] == ["r1/d1/Fired/7"] * 2
    assert desk.told("State") == ["Delivered"]


def test_a_delivery_that_kills_its_senders_is_given_up(desk: Any, web: receivers.Web, hand: Any) -> None:
    hook(desk, web)
    desk.add(notice())
    for _ in range(10):
        assert desk.deliveries.claim() is not None
        hand.forward(desk.policies.lease + 1)
    assert desk.deliveries.claim() is None
    assert desk.told("State", "Detail") == [("Failed", "NOT112: its sender was lost 10 times while it sent")]


def test_what_ended_is_known_for_a_month(desk: Any, web: receivers.Web, hand: Any) -> None:
    hook(desk, web)
    web.answers = [404]
    desk.add(notice("k1"), notice("k2"))
    assert sorted(desk.turn()) == ["Delivered", "Failed"]

    def kept() -> int:
        with desk.deliveries.database.read() as connection:
            assert connection.execute(table("alert_taken").select()).all() == []
            return len(connection.execute(table("alert_deliveries").select()).all())

    hand.forward(KEPT_SECONDS - 1)
    desk.deliveries.forget()
    assert kept() == 2
    hand.forward(2)
    desk.deliveries.forget()
    assert kept() == 0


def test_quiet_hours_hold_or_drop(desk: Any, web: receivers.Web, hand: Any) -> None:
    # The clock stands at 2025-11-25 00:00:00 UTC and some.
    at = clock.now_us() // 1_000_000 % 86_400 // 60
    begin, end = (at - 10) % 1440, (at + 30) % 1440
    hours = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
    hook(desk, web, "held", quiet={"hours": hours, "mode": "hold"})
    hook(desk, web, "dropped", quiet={"hours": hours, "mode": "drop"})
    hook(desk, web, "loud", quiet={"hours": hours, "days": [], "zone": "Pacific/Auckland"})
    desk.add(notice("k", "held", "dropped", "loud", "gone"))
    assert desk.turn() == ["Delivered"]
    hand.forward(31 * MINUTE)
    assert desk.turn() == ["Delivered"]
    assert desk.told("ActionGroup", "State") == [
        ("held", "Held"), ("dropped", "Dropped"), ("gone", "Failed"), ("loud", "Delivered"), ("held", "Delivered"),
    ]  # fmt: skip


def test_an_action_is_told_of_what_it_asked_for(desk: Any, web: receivers.Web) -> None:
    hook(desk, web, on=["Fired"])
    desk.groups.put("off", {"enabled": False, "webhooks": [{"url": "https://hook.example/"}]}, by="ada")
    desk.add(resolved("k1", "ops", "off"), notice("k2", "ops"))
    assert desk.turn() == ["Delivered"]
    assert [r.headers["webhook-id"] for r in web.got] == ["k2"]
    assert desk.told("ActionGroup", "State") == [("off", "Dropped"), ("ops", "Delivered")]


def mail_group(desk: Any, port: int, to: str = "ada@example.org; bob@example.org", **fields: Any) -> None:
    desk.automation.assets.put(
        "credential", "mailbox", {"user": receivers.USER, "password": receivers.PASSWORD}, by="ada"
    )
    about = {
        "host": "mail.example",
        "port": port,
        "from": "alerts@example.org",
        "credential": "mailbox",
        **fields,
    }
    desk.automation.assets.put("connection", "mail", {"type": "smtp", "fields": about}, by="ada")
    desk.groups.put("post", {"email": [{"to": to, "connection": "mail", "chart": False}]}, by="ada")


def test_who_was_not_taken_is_tried_again_and_nobody_else(
    desk: Any, certificate: receivers.Certificate, hand: Any
) -> None:
    with receivers.mail(certificate) as place:
        mail_group(desk, place.port)
        place.refuses = {"bob@example.org": "450 try later"}
        desk.add(notice("k", "post"))
        assert desk.turn() == ["Waiting"]
        hand.forward(31)
        assert desk.turn() == ["Delivered"]
        assert [e.rcpt_tos for e in place.got] == [["ada@example.org"], ["bob@example.org"]]
        place.refuses = {"bob@example.org": "550 nobody", "ada@example.org": "550 nobody"}
        desk.add(notice("k2", "post"))
        assert desk.turn() == ["Failed"]


# That server takes no connection without TLS, and does not know it.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_mail_goes_over_tls_or_not_at_all(desk: Any, certificate: receivers.Certificate, hand: Any) -> None:
    with receivers.mail(certificate, from_the_start=True) as place:
        mail_group(desk, place.port, tls="tls")
        desk.add(notice("k1", "post"))
        assert (desk.turn(), len(place.got)) == (["Delivered"], 1)
        # Whoever has another certificate, or none, is told nothing, the password least of all.
        desk.automation.assets.put(
            "connection", "mail",
            {"type": "smtp", "fields": {"host": "other.example", "port": place.port, "from": "a@example.org", "tls": "tls",
                                        "credential": "mailbox"}},
            by="ada",
        )  # fmt: skip
        desk.add(notice("k2", "post"))
        assert (desk.turn(), len(place.got)) == (["Failed"], 1)
        assert desk.told("Detail")[-1].startswith("NOT106")
    desk.automation.assets.put("credential", "mailbox", {"user": "eve", "password": "wrong"}, by="ada")
    mail_group(desk, 1, tls="none")
    desk.add(notice("k3", "post"))
    assert desk.turn() == ["Failed"]
    assert desk.told("Detail")[-1].startswith("NOT108")


def test_a_hundred_mails_an_hour(desk: Any, certificate: receivers.Certificate, hand: Any) -> None:
    few = dataclasses.replace(desk, policies=Policies(mails=2))
    with receivers.mail(certificate) as place:
        mail_group(few, place.port)
        few.add(*[notice(f"k{n}", "post") for n in range(4)])
        assert (few.turn(), len(place.got)) == (["Delivered", "Delivered"], 2)
        hand.forward(3599)
        assert few.turn() == []
        hand.forward(2)
        assert (few.turn(), len(place.got)) == (["Delivered", "Delivered"], 4)
        assert few.told("State").count("Held") == 1


def test_a_runbook_gets_the_alert_and_starts_once(desk: Any, hand: Any) -> None:
    desk.groups.put(
        "act", {"runbooks": [{"runbook": "hook", "group": "site-b", "parameters": {"site": "b"}}]}, by="ada"
    )
    desk.add(notice("k", "act", rows=1000))
    lost = desk.deliveries.claim()
    first = desk.sending.once(lost.notice, lost.group, lost.action)
    hand.forward(desk.policies.lease + 1)
    assert desk.turn() == ["Delivered"]
    (job,) = desk.automation.jobs.all()
    assert (job["id"], job["trigger"], job["trigger_name"], job["worker_group"]) == (
        first.job,
        "alert",
        "AcmeRule",
        "site-b",
    )
    given = json.loads(job["parameters"])
    assert (given["site"], set(given["WebhookData"])) == (
        "b",
        {"WebhookName", "RequestHeader", "RequestBody"},
    )
    said = json.loads(given["WebhookData"]["RequestBody"])
    assert (said["ResultCount"], len(said["SearchResults"]["value"])) == (1000, 1000)
    assert given["WebhookData"]["RequestHeader"]["idempotency-key"] == "k"


def test_records_that_a_job_can_not_hold_are_left_out(desk: Any) -> None:
    desk.automation.library.bring("text", notebook(parameters="WebhookData: str = ''"))
    desk.groups.put("act", {"runbooks": [{"runbook": "text"}, {"runbook": "gone"}]}, by="ada")
    wide = tuple(("2020-07-09T14:00:00.0000000Z", "web01", 1, '"\\é' * 400) for _ in range(900))
    desk.add(notice("k", "act", records=wide, count=900))
    assert desk.turn() == ["Delivered", "Failed"]
    (job,) = desk.automation.jobs.all()
    said = json.loads(json.loads(json.loads(job["parameters"])["WebhookData"])["RequestBody"])
    assert said["ResultCount"] == 900
    assert 0 < len(said["SearchResults"]["value"]) < 900


def test_a_secret_is_read_by_its_name_and_only_where_it_may(desk: Any, web: receivers.Web) -> None:
    assets = desk.automation.assets
    assets.put(
        "credential",
        "place",
        {"user": "-", "password": f"https://hook.example:{web.port}/T0KEN-of-place"},
        by="ada",
    )
    assets.put("credential", "bearer", {"user": "-", "password": "Bearer s3cr3t-abcdef"}, by="ada")
    desk.groups.put(
        "ops", {"webhooks": [{"name": "w", "url_from": "place", "authorization": "bearer"}]}, by="ada"
    )
    desk.add(notice("k1"))
    assert desk.turn() == ["Delivered"]
    assert (web.got[0].path, web.got[0].headers["authorization"]) == (
        "/T0KEN-of-place",
        "Bearer s3cr3t-abcdef",
    )
    # A receiver that repeats what it was sent, which is shown.
    web.answers, web.says = [500], b"no Bearer s3cr3t-abcdef at /T0KEN-of-place, really"
    desk.add(notice("k0"))
    assert desk.turn() == ["Failed"]
    assert desk.told("Detail")[-1] == "no *** at ***, really"
    assets.allow("credential", "bearer", ["clean"], by="ada")
    desk.add(notice("k2"))
    assert desk.turn() == ["Failed"]
    assert desk.told("Detail")[-1].startswith("AST201")
    assets.remove("credential", "place", by="ada")
    desk.add(notice("k3"))
    assert (desk.turn(), len(web.got)) == (["Failed"], 2)
    assert desk.told("Detail")[-1].startswith("NOT107")


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"webhooks": [{"url": "https://x.example/"}] * 11}, "NOT006"),
        ({"webhooks": [{"name": f"w{n}", "url": "https://x.example/"} for n in range(11)]}, "NOT004"),
        ({"runbooks": [{"runbook": f"r{n}"} for n in range(11)]}, "NOT004"),
        ({"email": [{"to": [f"p{n}@x.example" for n in range(1001)], "connection": "m"}]}, "NOT004"),
        ({"email": [{"to": "nobody", "connection": "m"}]}, "NOT007"), ({"email": [{"to": "a@b.cd"}]}, "NOT003"),
        ({"webhooks": [{"url": "https://x.example/", "form": "xml"}]}, "NOT003"), ({"webhooks": [{}]}, "NOT003"),
        ({"webhooks": [{"url": "https://x.example/", "url_from": "c"}]}, "NOT003"), ({"email": {}}, None),
        ({"webhooks": {"url": "x"}}, "NOT003"), ({"on": ["Closed"]}, "NOT003"), ({"sms": []}, "NOT003"),
        ({"quiet": {"hours": "25:00-26:00"}}, "NOT003"), ({"quiet": {"hours": "10:00-10:00"}}, "NOT003"),
        ({"quiet": {"hours": "10:00-12:00", "zone": "Mars/Base"}}, "NOT003"), ({"enabled": "yes"}, "NOT003"),
        ({"quiet": {"hours": "10:00-12:00", "mode": "loud"}}, "NOT003"), ({"name": "other"}, "NOT003"),
        ({"runbooks": [{"runbook": "r", "timeout": True}]}, "NOT003"),
    ],
)  # fmt: skip
def test_a_group_is_checked_as_a_whole(spec: dict[str, Any], code: str | None) -> None:
    if spec.get("webhooks") and code == "NOT006":
        spec = {"webhooks": [{**one, "name": "w"} for one in spec["webhooks"]]}
    if code is None:
        assert Group.read("ops", spec).actions == ()
        return
    with pytest.raises(WorkbenchError) as refused:
        Group.read("ops", spec)
    assert refused.value.code == code
