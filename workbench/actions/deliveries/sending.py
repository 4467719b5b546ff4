"""One try: a notice for one action, with the secrets that the action names. Keeps nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.actions.deliveries.groups import Action
from workbench.actions.deliveries.picture import picture
from workbench.actions.deliveries.queue import Policies
from workbench.actions.deliveries.secrets import Secrets
from workbench.actions.deliveries.starting import start
from workbench.actions.notify import chat, mail, smtp, webhook
from workbench.actions.notify.guard import Guard
from workbench.actions.notify.outcome import Outcome, Verdict, failed
from workbench.actions.notify.telling import Told
from workbench.actions.runbook.automation import Automation
from workbench.alerts.notice import Notice
from workbench.base.diagnostics import notify as diagnostics
from workbench.base.errors import WorkbenchError

log = logging.getLogger("workbench.alerts")
_MAIL_SECONDS = 60.0


@dataclass(frozen=True)
class Sending:
    """Tells one action of one notice.

    Parameters
    ----------
    automation : Automation
        Starts runbooks, and knows assets.
    guard : Guard
        Before every way out.
    service : str
        The URL of the service, for links.
    policies : Policies, optional
    """

    automation: Automation
    guard: Guard
    service: str
    policies: Policies = field(default_factory=Policies)

    def once(
        self, notice: Notice, group: str, action: Action, failures: int = 0, remaining: Sequence[str] = ()
    ) -> Outcome:
        """Try once; what became of it. Raises nothing: a fault of ours is an outcome as well, and is logged."""
        waits = self.policies.kinds[action.kind].waits
        secrets = Secrets(self.automation.assets)
        try:
            one = _Try(
                Told.of(notice, self.service),
                group,
                action,
                waits[min(failures, len(waits) - 1)],
                remaining,
                secrets,
            )
            outcome = _WAYS[action.kind](self, one)
        except WorkbenchError as why:
            outcome = failed(why)
        except Exception as fault:
            log.exception("a fault while %s %r of group %r was told", action.kind, action.name, group)
            outcome = Outcome(Verdict.AGAIN, str(diagnostics.cannot_deliver(type(fault).__name__)))
        return secrets.scrubbed(outcome)


@dataclass(frozen=True, slots=True)
class _Try:
    told: Told
    group: str
    action: Action
    seconds: float
    remaining: Sequence[str]
    secrets: Secrets

    def secret(self, field: str) -> str:
        """The password of the credential that a field of the action names; "" where it names none."""
        name = self.action.fields.get(field)
        return self.secrets.password(name) if name else ""

    def field(self, name: str, usual: Any = None) -> Any:
        return self.action.fields.get(name, usual)


def _webhook(sending: Sending, one: _Try) -> Outcome:
    url = one.field("url") or one.secret("url_from")
    secret, authorization = one.secret("secret"), one.secret("authorization")
    hook = webhook.Webhook(url, one.field("form"), one.field("payload"), secret, authorization)
    return webhook.send(sending.guard, hook, one.told, one.seconds)


def _email(sending: Sending, one: _Try) -> Outcome:
    server = one.secrets.mail_server(one.field("connection"))
    to = list(one.remaining or one.field("to"))
    drawn = picture(one.told.notice) if one.field("chart", True) else None
    message = mail.message(one.told, server.sender, to, subject=one.field("subject", ""), picture=drawn)
    return smtp.send(sending.guard, server, message, to, _MAIL_SECONDS)


def _chat(sending: Sending, one: _Try) -> Outcome:
    return chat.send(sending.guard, one.secret("url_from"), one.told, one.seconds)


def _runbook(sending: Sending, one: _Try) -> Outcome:
    job = start(sending.automation, one.told, one.group, one.action)
    return Outcome(Verdict.DELIVERED, job=str(job["id"]))


_WAYS: dict[str, Callable[[Sending, _Try], Outcome]] = {
    "webhook": _webhook,
    "email": _email,
    "chat": _chat,
    "runbook": _runbook,
}
