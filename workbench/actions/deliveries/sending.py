"""One try: a notice for one action, with the secrets that the action names. Keeps nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.actions.assets import Assets
from workbench.actions.deliveries.groups import Action
from workbench.actions.deliveries.picture import picture
from workbench.actions.deliveries.queue import Policies
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
READER = "alerts"
"""As who secrets are read; a credential that is kept for some runbooks names it too, or is not read."""
_FAULT = "NOT113"


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
        seconds = waits[min(failures, len(waits) - 1)]
        try:
            return self._ways()[action.kind](Told.of(notice, self.service), group, action, seconds, remaining)
        except WorkbenchError as why:
            return failed(why)
        except Exception as fault:
            log.exception("a fault while %s %r of group %r was told", action.kind, action.name, group)
            return Outcome(Verdict.AGAIN, str(diagnostics.cannot_deliver(type(fault).__name__)))

    def _ways(self) -> dict[str, Callable[[Told, str, Action, float, Sequence[str]], Outcome]]:
        return {"webhook": self._webhook, "email": self._email, "chat": self._chat, "runbook": self._runbook}

    def _webhook(
        self, told: Told, _group: str, action: Action, seconds: float, _left: Sequence[str]
    ) -> Outcome:
        fields = action.fields
        url = fields.get("url") or self._password(fields["url_from"])
        hook = webhook.Webhook(
            url,
            fields["form"],
            fields.get("payload"),
            self._password(fields["secret"]) if fields.get("secret") else "",
            self._password(fields["authorization"]) if fields.get("authorization") else "",
        )
        return webhook.send(self.guard, hook, told, seconds)

    def _email(
        self, told: Told, _group: str, action: Action, _seconds: float, left: Sequence[str]
    ) -> Outcome:
        fields = action.fields
        server = self._mail_server(fields["connection"])
        to = list(left or fields["to"])
        drawn = picture(told.notice) if fields.get("chart", True) else None
        message = mail.message(told, server.sender, to, subject=fields.get("subject", ""), picture=drawn)
        return smtp.send(self.guard, server, message, to, _MAIL_SECONDS)

    def _chat(self, told: Told, _group: str, action: Action, seconds: float, _left: Sequence[str]) -> Outcome:
        return chat.send(self.guard, self._password(action.fields["url_from"]), told, seconds)

    def _runbook(
        self, told: Told, group: str, action: Action, _seconds: float, _left: Sequence[str]
    ) -> Outcome:
        job = start(self.automation, told, group, action)
        return Outcome(Verdict.DELIVERED, job=str(job["id"]))

    # ---- what assets hold --------------------------------------------------------------------------

    def _password(self, name: str) -> str:
        return str(self._asset("credential", name)["password"])

    def _mail_server(self, name: str) -> smtp.Server:
        """The settings of a connection of type `smtp`; raises NOT107, NOT108."""
        found = self._asset("connection", name)
        host, sender, port, tls = (found.get(key) for key in ("host", "from", "port", "tls"))
        if not isinstance(host, str) or not host:
            raise diagnostics.no_mail_server(name, "it has no host")
        if not isinstance(sender, str) or not mail.recipients(sender):
            raise diagnostics.no_mail_server(name, "it has no 'from'")
        try:
            chosen = smtp.Tls(tls or "starttls")
            number = int(port or (465 if chosen is smtp.Tls.TLS else 587))
        except (TypeError, ValueError):
            raise diagnostics.no_mail_server(name, f"port {port!r} or tls {tls!r} is none") from None
        login: dict[str, Any] = {}
        if found.get("credential"):
            login = self._asset("credential", str(found["credential"]))
        if login and chosen is smtp.Tls.NONE:
            raise diagnostics.no_mail_server(name, "nobody logs in without TLS")
        return smtp.Server(host, number, sender, chosen, login.get("user", ""), login.get("password", ""))

    def _asset(self, kind: str, name: str) -> dict[str, Any]:
        assets: Assets = self.automation.assets
        try:
            return assets.value_for(READER, kind, name)
        except WorkbenchError as why:
            if why.code != "AST001":
                raise
            if kind == "connection":
                raise diagnostics.no_mail_server(name, "there is no such connection") from None
            raise diagnostics.no_secret(name) from None


_MAIL_SECONDS = 60.0
