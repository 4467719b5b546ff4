"""A webhook: a payload in one of the forms, signed, with a key that is the same however often it is tried."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from workbench.actions.notify import http
from workbench.actions.notify.guard import Guard
from workbench.actions.notify.outcome import Outcome
from workbench.actions.notify.payloads import FORMS
from workbench.actions.notify.telling import Told
from workbench.base import clock
from workbench.base.standard_webhooks import ID, SIGNATURE, TIMESTAMP, secret_bytes, signature

AGENT = "Workbench-Alerts/1"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told, and how.

    Attributes
    ----------
    url : str
    form : str
        One of `payloads.FORMS`.
    payload : mapping, optional
        Of the form `custom`; the rule's own goes before it.
    secret : str
        Signs the message where it is given.
    authorization : str
        The header of that name.
    """

    url: str
    form: str = "oms"
    payload: Mapping[str, Any] | None = None
    secret: str = ""
    authorization: str = ""


def send(guard: Guard, webhook: Webhook, told: Told, seconds: float) -> Outcome:
    """Tell it, once.

    Parameters
    ----------
    guard : Guard
    webhook : Webhook
    told : Told
    seconds : float
        How long all of it may take.

    Raises
    ------
    WorkbenchError
        NOT101 to NOT106.
    """
    body = orjson.dumps(FORMS[webhook.form](told, webhook.payload), default=str)
    reply = http.post(guard, webhook.url, headers(webhook, told, body), body, seconds)
    return reply if isinstance(reply, Outcome) else reply.outcome()


def headers(webhook: Webhook, told: Told, body: bytes) -> dict[str, str]:
    """The headers of a message; its signature is of this moment."""
    key = header_key(told.notice.key)
    found = {"Content-Type": "application/json", "User-Agent": AGENT, "Idempotency-Key": key, ID: key}
    stamp = str(clock.now_us() // 1_000_000)
    found[TIMESTAMP] = stamp
    if webhook.secret:
        found[SIGNATURE] = signature(secret_bytes(webhook.secret), key, stamp, body)
    if webhook.authorization:
        found["Authorization"] = webhook.authorization
    return found


def header_key(key: str) -> str:
    """A notice's key as a header can hold it.

    Examples
    --------
    >>> header_key("r1/ab12/Fired/7"), header_key("rule ü")
    ('r1/ab12/Fired/7', 'rule%20%C3%BC')
    """
    return urllib.parse.quote(key, safe="/:._-~=,")
