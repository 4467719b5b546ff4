"""The webhooks of a workspace: made, rotated, switched, and called.

In go what people ask for and what callers send, out come jobs. A token is shown once and only its SHA-256 is kept. A call,
its job and its record are one transaction, in which the webhook is as it was looked at.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.actions.runbook import standing, webhook_data
from workbench.actions.runbook.automation import Automation
from workbench.actions.runbook.declaration import MOST_BYTES
from workbench.actions.runbook.named import Named
from workbench.actions.webhooks import message, told
from workbench.actions.webhooks.schema import webhooks as table
from workbench.actions.webhooks.told import Change
from workbench.base import clock
from workbench.base.clock import moment
from workbench.base.diagnostics import webhooks as diagnostics
from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAYS, MOST_DAYS = 365, 366
_DAY_US = 86_400_000_000
_SECOND_US = 1_000_000
_KIND = "webhook"  # under which the secrets are sealed
_Row = dict[str, Any]


class Webhooks:
    """The webhooks in a control database. Safe for threads, and for several processes.

    Parameters
    ----------
    automation : Automation
        Makes their jobs; what they tell goes the way of what jobs tell.
    """

    def __init__(self, automation: Automation) -> None:
        self._automation = automation
        self._database = automation.jobs.database
        self._kept = Named(
            automation.jobs.outbox, table(), told.WEBHOOK, diagnostics.bad_name, diagnostics.no_such_webhook
        )

    # ---- who keeps them ----------------------------------------------------------------------------

    def put(self, name: str, asked: Mapping[str, Any], by: str) -> _Row:
        """Make a webhook, or change what the one of that name starts; as it is shown.

        A new one is shown with its `token`, and with `secret` when it is `signed`; nobody sees them again. A changed one
        keeps them, and its end.

        Parameters
        ----------
        name : str
        asked : mapping
            `runbook`, `days` that it is open (365), `signed` (whether messages have to be), `overlap` (`allow`, `queue`,
            `skip`, `replace`), and what a start takes: `parameters` (which no caller can change), `group`, `timeout`,
            `retries`, `retry_delay`.
        by : str
            Who asks.

        Raises
        ------
        WorkbenchError
            WHK002 to WHK005, and JOB0xx to JOB2xx where its runbook would not start so; nothing was changed.
        """
        self._kept.check(name)
        values = {"name": name, **standing.kept(asked, standing.ALLOW)}
        self._check(values, asked)
        now = clock.now_us()
        values |= {"changed": now, "changed_by": by, "last_error": ""}
        shown_once: dict[str, str] = {}
        with self._database.begin() as connection:
            known = self._kept.find(connection, name)
            if known is None:
                days = _days(asked.get("days"))
                number = str(uuid.uuid4())
                fresh, shown_once = self._secrets(connection, number, int(asked.get("signed") is True))
                row = {
                    "id": number, "enabled": True, "days": days, "expires": now + days * _DAY_US,
                    "created": now, "last_called": None, "last_job": None, **values, **fresh,
                }  # fmt: skip
                self._kept.insert(connection, row)
            else:
                row = {**known, **values}
                self._kept.update(connection, row["id"], values)
            self._kept.tell(
                connection, told.row(row, Change.CREATED if known is None else Change.CHANGED, now, by=by)
            )
        return _shown(row) | shown_once

    def get(self, name: str) -> _Row:
        """A webhook as it is shown; raises WHK001."""
        with self._database.read() as connection:
            return _shown(self._kept.row(connection, name))

    def all(self) -> list[_Row]:
        """All webhooks as they are shown, by name."""
        with self._database.read() as connection:
            return [_shown(row) for row in self._kept.all(connection)]

    def rotate(self, name: str, by: str) -> _Row:
        """A new token, and a new secret where messages are signed; the old ones open nothing any more.

        It is open for as many days again as when it was made. Raises WHK001.
        """
        now = clock.now_us()
        with self._database.begin() as connection:
            row = self._kept.row(connection, name)
            signed = row["signed"] + 1 if row["signed"] else 0
            fresh, shown_once = self._secrets(connection, row["id"], signed)
            values = {**fresh, "expires": now + row["days"] * _DAY_US, "changed": now, "changed_by": by}
            self._kept.update(connection, row["id"], values)
            self._kept.tell(connection, told.row(row | values, Change.ROTATED, now, by=by))
        return _shown(row | values) | shown_once

    def enable(self, name: str, by: str) -> _Row:
        """Let callers in again; raises WHK001."""
        return self._switch(name, by, True)

    def disable(self, name: str, by: str) -> _Row:
        """Let nobody in until it is enabled; raises WHK001."""
        return self._switch(name, by, False)

    def remove(self, name: str, by: str) -> None:
        """Remove a webhook; jobs that it made go on. Raises WHK001."""
        with self._database.begin() as connection:
            row = self._kept.row(connection, name)
            self._kept.drop(connection, row["id"])
            self._automation.assets.drop(connection, _KIND, row["id"])
            self._kept.tell(connection, told.row(row, Change.REMOVED, clock.now_us(), by=by))

    def _switch(self, name: str, by: str, enabled: bool) -> _Row:
        now = clock.now_us()
        with self._database.begin() as connection:
            row = self._kept.row(connection, name)
            if row["enabled"] != enabled:
                values = {"enabled": enabled, "changed": now, "changed_by": by}
                self._kept.update(connection, row["id"], values)
                row |= values
                self._kept.tell(
                    connection, told.row(row, Change.ENABLED if enabled else Change.DISABLED, now, by=by)
                )
        return _shown(row)

    def _check(self, row: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        """Whether its runbook would start so, when somebody calls."""
        if webhook_data.PARAMETER in (asked.get("parameters") or {}):
            raise diagnostics.data_is_the_callers()
        kind = webhook_data.kind(self._automation, row["runbook"])
        if kind is not None and kind not in webhook_data.TAKES:
            raise diagnostics.data_is_no_object(row["runbook"], kind)
        standing.prepared(self._automation, "webhook", row, by="", key="", more=webhook_data.given(kind, {}))

    # ---- who calls them ------------------------------------------------------------------------------

    def open(self, token: str) -> _Row:
        """The webhook that a token opens, to be handed to `call`.

        Raises
        ------
        WorkbenchError
            WHK101: there is no difference between a token that never was and one that was removed or rotated.
        """
        digest = _digest(token)
        with self._database.read() as connection:
            found = connection.execute(table().select().where(table().c.digest == digest)).one_or_none()
        if found is None or not hmac.compare_digest(bytes(found.digest), digest):
            raise diagnostics.unknown_token()
        return dict(found._mapping)

    def call(self, row: Mapping[str, Any], headers: Iterable[tuple[str, str]], body: bytes) -> list[str]:
        """Take a call; the ids of the jobs that it made.

        Parameters
        ----------
        row : mapping
            What `open` gave.
        headers : iterable of pairs
        body : bytes

        Raises
        ------
        WorkbenchError
            WHK101 to WHK109; nothing was started.
        """
        now = clock.now_us()
        headers = list(headers)
        key = ""
        if row["signed"]:
            known = {name.lower(): value for name, value in headers}
            number = message.checked_id(known, body, self._secret(row, now), now // _SECOND_US)
            key = f"webhook/{row['id']}/{hashlib.sha256(number.encode()).hexdigest()}"
        if row["expires"] <= now:
            raise diagnostics.expired()
        if not row["enabled"]:
            raise diagnostics.disabled()
        told_by_caller = message.data(row["name"], headers, body)
        try:
            kind = webhook_data.kind(self._automation, row["runbook"])
            more = webhook_data.given(kind, told_by_caller)
            start = standing.prepared(self._automation, "webhook", row, by=row["name"], key=key, more=more)
        except WorkbenchError as why:
            raise self._refused(row, why, now) from None
        with self._database.begin() as connection:
            found = connection.execute(table().select().where(table().c.id == row["id"])).one_or_none()
            if (
                found is None
                or bytes(found.digest) != bytes(row["digest"])
                or found.changed != row["changed"]
            ):
                raise diagnostics.cannot_start()  # it was changed while the call came in
            before = self._automation.jobs.of_key(connection, key) if key else None
            if before is not None:
                raise diagnostics.replayed(before["id"])
            job = self._automation.jobs.start_in(connection, start)
            self._kept.update(
                connection, row["id"], {"last_called": now, "last_job": job["id"], "last_error": ""}
            )
            self._kept.tell(connection, told.row(row, Change.CALLED, now, job=job["id"]))
        return [job["id"]]

    def _refused(self, row: Mapping[str, Any], why: WorkbenchError, now: int) -> WorkbenchError:
        """What the caller is told; who keeps the webhook is told all of it."""
        if why.code.startswith("CTL"):
            return why
        if why.code == "JOB106":
            return diagnostics.too_long(MOST_BYTES)
        words = f"{why.code}: {why.message}"
        with self._database.begin() as connection:
            self._kept.update(connection, row["id"], {"last_called": now, "last_error": words})
            self._kept.tell(connection, told.row(row, Change.REFUSED, now, detail=words))
        return diagnostics.cannot_start()

    def _secrets(self, connection: Connection, number: str, signed: int) -> tuple[_Row, dict[str, str]]:
        """A token, and a secret if `signed` is a version: what is kept of them, and what is shown once."""
        token = secrets.token_urlsafe(32)
        shown = {"token": token}
        if signed:
            secret = base64.b64encode(secrets.token_bytes(32)).decode()
            self._automation.assets.seal(connection, _KIND, number, signed, {"secret": secret})
            self._automation.assets.drop(connection, _KIND, number, but=signed)
            shown["secret"] = f"whsec_{secret}"
        return {"digest": _digest(token), "signed": signed}, shown

    def _secret(self, row: Mapping[str, Any], now: int) -> bytes:
        """What signs the messages of a webhook."""
        try:
            with self._database.read() as connection:
                kept = self._automation.assets.opened(connection, _KIND, row["id"], row["signed"])
        except WorkbenchError as why:
            raise self._refused(row, why, now) from None
        return base64.b64decode(kept["secret"])


def _days(value: object) -> int:
    if value is None:
        return DAYS
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DAYS:
        raise diagnostics.bad_days(MOST_DAYS)
    return value


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _shown(row: Mapping[str, Any]) -> _Row:
    """A webhook as JSON: nothing that opens it."""
    state = "disabled" if not row["enabled"] else "expired" if row["expires"] <= clock.now_us() else "enabled"
    return {
        "name": row["name"], "state": state, "expires": moment(row["expires"]), "signed": bool(row["signed"]),
        "last_called": moment(row["last_called"]), "last_job": row["last_job"], "last_error": row["last_error"],
        "changed": moment(row["changed"]), "changed_by": row["changed_by"], **standing.shown(row),
    }  # fmt: skip
