"""What a caller sends: whether it is signed as it should be, and what of it a runbook gets.

Signed messages follow the Standard Webhooks convention (`base/standard_webhooks.py`). In go headers and a body, out come a
`WebhookData` or a coded mistake. Nothing of it becomes a parameter by its name.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.actions.runbook import webhook_data
from workbench.base.diagnostics import webhooks as diagnostics
from workbench.base.standard_webhooks import ID, SIGNATURE, TIMESTAMP, signature

WINDOW_SECONDS = 300
_SECRET = re.compile(r"auth|cookie|token|secret|passw|api[-_]?key|access[-_]?key|credential|session|jwt")
"""Headers whose names hold one of these are not handed on: they open something."""


def checked_id(headers: Mapping[str, str], body: bytes, secret: bytes, now: int) -> str:
    """The id of a signed message.

    Parameters
    ----------
    headers : mapping
        By their names in small letters.
    body : bytes
    secret : bytes
    now : int
        Seconds since 1970.

    Raises
    ------
    WorkbenchError
        WHK104, WHK105.
    """
    number, stamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    wanted = signature(secret, number, stamp, body).encode()
    given = headers.get(SIGNATURE, "").split()
    # All are compared, each in the same time.
    fits = [hmac.compare_digest(wanted, one.encode("utf-8", "surrogatepass")) for one in given]
    if not any(fits) or not number or not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise diagnostics.bad_signature()
    if abs(now - int(stamp)) > WINDOW_SECONDS:
        raise diagnostics.stale(WINDOW_SECONDS)
    return number


def data(name: str, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """The `WebhookData` of a call. Header names are in small letters; several of one name are joined by commas.

    Raises
    ------
    WorkbenchError
        WHK108 when the body is no text.

    Examples
    --------
    >>> data("deploy", [("User-Agent", "curl"), ("Authorization", "Basic x")], b'{"a": 1}')
    {'WebhookName': 'deploy', 'RequestHeader': {'user-agent': 'curl'}, 'RequestBody': '{"a": 1}'}
    """
    kept: dict[str, str] = {}
    for header, value in headers:
        low = header.lower()
        if not _SECRET.search(low):
            kept[low] = f"{kept[low]}, {value}" if low in kept else value
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise diagnostics.not_text() from None
    return webhook_data.made(name, kept, text)
