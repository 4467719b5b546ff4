"""How an agent or a worker gets its identity: it signs a request with the workspace key and is given an id and a token.

The token is kept in the agent's state folder (mode 0600); the key is not kept. What is signed covers the body.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from dataclasses import asdict, dataclass
from email.utils import formatdate
from pathlib import Path

import orjson

from workbench.base.diagnostics import agent as diagnostics
from workbench.collect.agent.link import Endpoint, Link, Unreachable, checked_url

PATH = "/api/agent/enrol"
FILE = "identity.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an agent is, and at which service ("" where that is found by other means)."""

    id: str
    token: str
    url: str = ""


def text_to_sign(body: bytes, date: str) -> str:
    """What the signature of an enrolment covers; `date` is the header `x-ms-date`.

    Examples
    --------
    >>> text_to_sign(b"{}", "Mon, 04 Apr 2016 08:00:00 GMT").split("\\n")[:3]
    ['POST', '2', 'application/json']
    """
    digest = hashlib.sha256(body).hexdigest()
    return f"POST\n{len(body)}\napplication/json\nx-ms-date:{date}\n{PATH}\n{digest}"


def sign(key: str, text: str) -> str:
    """HMAC-SHA256 of a text under a workspace key, as base64.

    Raises
    ------
    WorkbenchError
        AGT006 for what is no key.
    """
    try:
        raw = base64.b64decode(key.strip(), validate=True)
    except (binascii.Error, ValueError) as broken:
        raise diagnostics.bad_key(str(broken)) from None
    if not raw:
        raise diagnostics.bad_key("it is empty")
    return base64.b64encode(hmac.digest(raw, text.encode(), "sha256")).decode()


def enrol(url: str, key: str, computer: str, worker_group: str = "") -> Identity:
    """Ask a service, or a gateway to one, for an identity: an agent's, or a worker's of that group.

    Raises
    ------
    WorkbenchError
        AGT001, AGT002 for the URL, AGT004 when the key is refused, AGT005 when nobody answers, AGT006.
    """
    url = checked_url(url)
    told = {"computer": computer, "nonce": secrets.token_hex(16)}
    body = orjson.dumps({**told, "worker_group": worker_group} if worker_group else told)
    date = formatdate(usegmt=True)
    headers = {
        "Authorization": f"SharedKey agent:{sign(key, text_to_sign(body, date))}",
        "Content-Type": "application/json",
        "x-ms-date": date,
    }
    link = Link(lambda: Endpoint(url, ""))
    try:
        answer = link.ask("POST", PATH, body, headers, token="")
    except Unreachable as away:
        raise diagnostics.service_away(url, str(away)) from None
    finally:
        link.close()
    given = answer.json()
    if answer.status != 200 or not _is_plain(given.get("id")) or not _is_plain(given.get("token")):
        raise diagnostics.enrolment_refused(url, answer.why)
    return Identity(str(given["id"]), str(given["token"]), url)


def _is_plain(told: object) -> bool:
    """Whether an id or token can stand in a header and a file."""
    return isinstance(told, str) and 0 < len(told) <= 512 and told.isascii() and told.isprintable()


def load(state: Path) -> Identity | None:
    """The identity that a state folder holds."""
    try:
        return Identity(**orjson.loads((state / FILE).read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None


def keep(state: Path, identity: Identity) -> None:
    """Put an identity into a state folder; nobody but its owner may read it."""
    write_private(state / FILE, orjson.dumps(asdict(identity)) + b"\n")


def write_private(path: Path, data: bytes) -> None:
    """Replace a file as a whole; nobody but its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
