"""The secrets of one try: read by their names, and kept out of what is told of it.

In go names that an action gives, out come values of assets; each read is a record. What the other side answers may repeat
what it was sent.
"""

from __future__ import annotations

import dataclasses
import urllib.parse
from typing import Any

from workbench.actions.assets import Assets
from workbench.actions.assets.scrub import LEAST, Scrubber
from workbench.actions.notify import mail, smtp
from workbench.actions.notify.outcome import Outcome
from workbench.base.diagnostics import notify as diagnostics
from workbench.base.errors import WorkbenchError

READER = "alerts"
"""As who secrets are read; a credential that is kept for some runbooks names it too, or is not read."""


class Secrets:
    """What one try reads; not shared between tries."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._read: list[str] = []

    def password(self, name: str) -> str:
        """The password of a credential; raises NOT107, AST…"""
        return self._known(str(self._asset("credential", name)["password"]))

    def mail_server(self, name: str) -> smtp.Server:
        """The settings of a connection of type `smtp`; raises NOT107, NOT108, AST…"""
        found = self._asset("connection", name)
        host, sender, port, tls = (found.get(key) for key in ("host", "from", "port", "tls"))
        if not isinstance(host, str) or not host:
            raise diagnostics.no_mail_server(name, "it has no host")
        if not isinstance(sender, str) or len(mail.recipients(sender)) != 1:
            raise diagnostics.no_mail_server(name, "it has no 'from'")
        try:
            chosen = smtp.Tls(tls or "starttls")
            number = int(port or (465 if chosen is smtp.Tls.TLS else 587))
        except (TypeError, ValueError):
            raise diagnostics.no_mail_server(name, f"port {port!r} or tls {tls!r} is none") from None
        if not found.get("credential"):
            return smtp.Server(host, number, sender.strip(), chosen)
        if chosen is smtp.Tls.NONE:
            raise diagnostics.no_mail_server(name, "nobody logs in without TLS")
        login = self._asset("credential", str(found["credential"]))
        password = self._known(str(login["password"]))
        return smtp.Server(host, number, sender.strip(), chosen, str(login["user"]), password)

    def scrubbed(self, outcome: Outcome) -> Outcome:
        """An outcome in which none of them stands."""
        if not self._read:
            return outcome
        return dataclasses.replace(outcome, detail=Scrubber(self._read).text(outcome.detail))

    def _known(self, value: str) -> str:
        """Remember a value, and the parts of it that others would repeat: a token behind `Bearer`, the path of a URL."""
        parts = [value, *value.split()]
        if "://" in value:
            url = urllib.parse.urlsplit(value)
            parts += [url.path, url.query, *url.path.split("/")]
        self._read += [part for part in parts if len(part) >= 2 * LEAST or part == value]
        return value

    def _asset(self, kind: str, name: str) -> dict[str, Any]:
        try:
            return self._assets.value_for(READER, kind, name)
        except WorkbenchError as why:
            if why.code != "AST001":
                raise
            if kind == "connection":
                raise diagnostics.no_mail_server(name, "there is no such connection") from None
            raise diagnostics.no_secret(name) from None
