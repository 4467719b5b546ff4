"""The door through which a machine becomes an agent or a worker: a request signed with a workspace key, once.

In go headers and body, out comes what is asked for; whoever has the key may have it. The signature covers the body and the
date; a date that is off by more than 15 minutes is refused, and so is the same request a second time.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import orjson

from workbench.base import clock
from workbench.base.access import Access
from workbench.base.diagnostics import agent as diagnostics
from workbench.collect.agent.enrolment import text_to_sign

BODY_BYTES = 4096
WINDOW_SECONDS = 900
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A machine that wants an identity; `worker_group` is "" for an agent."""

    computer: str
    worker_group: str = ""


class Enrolment:
    """Checks machines that say they hold a key. Safe for threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._guard = threading.Lock()
        self._seen: dict[str, float] = {}

    def checked(self, headers: Mapping[str, str], body: bytes) -> Enrolling:
        """Who asks, with a key of this workspace and for the first time.

        Raises
        ------
        WorkbenchError
            AGT104, which does not tell what of it was wrong to who has no key.
        """
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        signature = rest.rpartition(":")[2].strip()
        if scheme.lower() != "sharedkey" or not signature:
            raise diagnostics.bad_enrolment("it is not signed (Authorization: SharedKey agent:…)")
        date = headers.get("x-ms-date", "")
        if self._access.verify_signature(text_to_sign(body, date), signature) is None:
            raise diagnostics.bad_enrolment("the signature does not fit a key of this workspace")
        if abs(_seconds(date) - clock.now_us() / 1e6) > WINDOW_SECONDS:
            raise diagnostics.bad_enrolment("the date is off by more than 15 minutes")
        found = _enrolling(body)
        self._once(signature)
        return found

    def _once(self, signature: str) -> None:
        now = time.monotonic()
        with self._guard:
            for old in [s for s, until in self._seen.items() if until < now]:
                del self._seen[old]
            if signature in self._seen:
                raise diagnostics.bad_enrolment("this very request came before")
            self._seen[signature] = now + 2 * WINDOW_SECONDS


def _seconds(date: str) -> float:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        raise diagnostics.bad_enrolment("x-ms-date is no date of RFC 1123") from None
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()


def _enrolling(body: bytes) -> Enrolling:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    computer = told.get("computer") if isinstance(told, dict) else None
    if not isinstance(computer, str) or not 0 < len(computer) <= _LONGEST_NAME:
        raise diagnostics.bad_enrolment("the body has no name of a computer")
    group = told.get("worker_group", "")
    if not isinstance(group, str):
        raise diagnostics.bad_enrolment("the body's worker_group is no text")
    return Enrolling(computer, group)
