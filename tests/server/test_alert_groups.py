"""A notice in the outbox becomes an e-mail, a webhook and a job that really arrive; by a real service and its commands."""

from __future__ import annotations

import email.policy
import json
import os
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import receivers
from notices import notice
from runbook_service import Jobs, wait_for
from running_service import Running, serving

from workbench.alerts.outbox import AlertOutbox
from workbench.base.database import Database
from workbench.base.standard_webhooks import secret_bytes, signature
from workbench.cli.app import run

pytestmark = pytest.mark.slow
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[receivers.Certificate]:
    made = receivers.certificate(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")
    os.environ["SSL_CERT_FILE"] = str(made.file)
    yield made
    del os.environ["SSL_CERT_FILE"]


@pytest.fixture(scope="module")
def mail(trusted: receivers.Certificate) -> Iterator[receivers.Mail]:
    with receivers.mail(trusted) as place:
        yield place


@pytest.fixture(scope="module")
def web(trusted: receivers.Certificate) -> Iterator[receivers.Web]:
    with receivers.web(trusted) as place:
        yield place


@pytest.fixture(scope="module")
def service(trusted: receivers.Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def said(service: Running, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command prints in JSON with its exit status, or the code of the mistake that it tells."""
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(service.workspace))

    def command(*words: str) -> Any:
        status = run(["alert", "group", *words, "--json"])
        printed, told = capfdbinary.readouterr()
        return (status, json.loads(printed)) if printed else told.decode().split()[0].rstrip(":")

    return command


@pytest.fixture
def group(service: Running, mail: receivers.Mail, web: receivers.Web, tmp_path: Path, said: Any) -> str:
    """A group that mails, calls a webhook and starts a runbook."""
    assets = {
        "credential/mailbox": {"user": receivers.USER, "password": receivers.PASSWORD},
        "credential/signing": {"user": "-", "password": SECRET},
        "connection/mail": {
            "type": "smtp",
            "fields": {"host": "localhost", "port": mail.port, "from": "alerts@example.org", "credential": "mailbox"},
        },
    }  # fmt: skip
    for path, body in assets.items():
        assert service.ask("PUT", f"/api/assets/{path}", body)[0] == 200
    Jobs(service).bring(
        "respond",
        "import json\nsaid = json.loads(WebhookData['RequestBody'])\n"
        "print(said['AlertRuleName'], len(said['SearchResults']['value']))",
        parameters="WebhookData: dict = {}",
    )
    text = f"""
name: ops
description: who is told in tests
email:
  - to: ada@example.org; ops@example.org
    connection: mail
webhooks:
  - name: hook
    url: {web.url}/hook?token=abc
    secret: signing
runbooks:
  - runbook: respond
    on: Fired
"""
    file = tmp_path / "ops.yaml"
    file.write_text(text)
    assert said("create", str(file))[0] == 0
    return "ops"


def test_private_addresses_are_told_only_where_an_owner_allows_it(
    said: Any,
    group: str,
    service: Running,
    web: receivers.Web,
    mail: receivers.Mail,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    status, results = said("test", group)
    assert status == 1
    assert [(r["type"], r["state"], r["detail"][:6]) for r in results] == [
        ("email", "Failed", "NOT102"), ("webhook", "Failed", "NOT102"), ("runbook", "Delivered", ""),
    ]  # fmt: skip
    assert (web.got, mail.got) == ([], [])
    assert run(["token", "create", "--role", "operator", "--json"]) == 0
    operator = json.loads(capfdbinary.readouterr().out)["token"]
    body = {"destination": "127.0.0.0/8"}
    assert service.ask("POST", "/api/alert-destinations", body, token=operator)[0] == 403
    assert said("allow", "127.0.0.0/8")[1]["destination"] == "127.0.0.0/8"
    assert said("allow", "localhost")[1]["destination"] == "localhost"
    assert [d["destination"] for d in said("allow")[1]] == ["127.0.0.0/8", "localhost"]
    assert said("allow", "not a host") == "NOT201"


def test_a_notice_arrives_everywhere(
    said: Any, group: str, service: Running, web: receivers.Web, mail: receivers.Mail
) -> None:
    assert said("allow", "127.0.0.0/8")[0] == 0
    outbox = AlertOutbox(Database.open(service.workspace / "state"))
    told = notice("r1/d1/Fired/7", group)
    with outbox.database.begin() as connection:
        outbox.add(connection, [told])
    jobs = Jobs(service)
    query = f"AlertDelivery | where Key == '{told.key}' and State == 'Delivered' | sort by ActionType asc"
    rows = wait_for(
        lambda: (
            found
            if len(found := jobs.rows(f"{query} | project ActionType, ActionName, Target, JobId")) == 3
            else None
        )
    )
    assert [row[:3] for row in rows] == [
        ["email", "email 1", "ada@example.org; ops@example.org"],
        ["runbook", "respond", "respond"],
        ["webhook", "hook", f"127.0.0.1:{web.port}"],
    ]
    (hook,) = web.got
    key, stamp = hook.headers["webhook-id"], hook.headers["webhook-timestamp"]
    assert (key, hook.headers["idempotency-key"], hook.path) == (told.key, told.key, "/hook?token=abc")
    assert hook.headers["webhook-signature"] == signature(secret_bytes(SECRET), key, stamp, hook.body)
    assert hook.json["AlertRuleName"] == "AcmeRule"
    (envelope,) = mail.got
    assert envelope.rcpt_tos == ["ada@example.org", "ops@example.org"]
    message = message_from_bytes(envelope.content or b"", policy=email.policy.default)
    assert message["Subject"] == "[Error] Fired: AcmeRule (web01)"
    assert sorted(part.get_content_type() for part in message.walk() if not part.is_multipart()) == [
        "image/png", "text/html", "text/plain",
    ]  # fmt: skip
    job = jobs.until(rows[1][3], "Completed")
    assert (job["trigger"], job["trigger_name"]) == ("alert", "AcmeRule")
    assert jobs.lines(job["id"]) == [["Output", "AcmeRule 3\n"]]
    secrets = (SECRET.encode(), receivers.PASSWORD.encode(), b"token=abc")
    assert not any(secret in (service.workspace.parent / "service.log").read_bytes() for secret in secrets)


def test_groups_are_looked_at_and_removed(said: Any, group: str) -> None:
    assert [g["name"] for g in said("list")[1]] == ["ops"]
    assert said("show", "ops")[1]["webhooks"][0]["secret"] == "signing"
    assert said("remove", "ops") == (0, {"name": "ops"})
    assert said("show", "ops") == "NOT001"
