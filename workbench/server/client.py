"""What a process on this machine asks of a running service, by HTTP with the owner's token."""

from __future__ import annotations

import http.client
import urllib.parse
from dataclasses import dataclass
from typing import Any

import orjson

from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.server.place import ServicePlace

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body."""

    status: int
    body: Any


def get_json(url: str, headers: dict[str, str] | None = None, seconds: float = SECONDS) -> Answer | None:
    """`GET url`; None when nobody answers."""
    return _request("GET", url, None, headers or {}, seconds)


def query(place: ServicePlace, text: str) -> Answer | None:
    """Ask the service of `place`; None when none answers."""
    address, token = place.address(), place.token()
    if address is None or token is None:
        return None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{address.url}/v1/workspaces/{address.workspace_id}/query"
    return _request("POST", url, orjson.dumps({"query": text}), headers, SECONDS)


def ask(place: ServicePlace, method: str, path: str, body: object = None) -> Answer | None:
    """Ask the service of `place` with the owner's token and a JSON body; None when none answers."""
    address, token = place.address(), place.token()
    if address is None or token is None:
        return None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else orjson.dumps(body)
    return _request(method, address.url + path, data, headers, SECONDS)


def told(place: ServicePlace, method: str, path: str, body: object = None) -> dict[str, Any] | None:
    """The JSON object that the service of `place` answers; None when none runs.

    Raises
    ------
    WorkbenchError
        What the service refused it with.
    """
    answer = ask(place, method, path, body)
    return None if answer is None else _understood(answer)


def asked(place: ServicePlace, method: str, path: str, body: object = None) -> dict[str, Any]:
    """The JSON object that the service of `place` answers, which has to run.

    Raises
    ------
    WorkbenchError
        What the service refused it with; SRV023 where none runs.
    """
    return understood(place, ask(place, method, path, body))


def understood(place: ServicePlace, answer: Answer | None) -> dict[str, Any]:
    """The JSON object of an answer of `ask`; raises as `asked`."""
    if answer is None:
        raise diagnostics.needs_service(place.workspace)
    return _understood(answer)


def _understood(answer: Answer) -> dict[str, Any]:
    if answer.status < 300 and isinstance(answer.body, dict):
        return answer.body
    error = answer.body.get("error", {}) if isinstance(answer.body, dict) else {}
    if isinstance(error.get("packed"), dict):
        raise WorkbenchError.unpacked(error["packed"])
    raise diagnostics.bad_request(str(error.get("message", f"the service answered {answer.status}")))


def _request(
    method: str, url: str, body: bytes | None, headers: dict[str, str], seconds: float
) -> Answer | None:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=seconds)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    try:
        return Answer(answer.status, orjson.loads(data))
    except orjson.JSONDecodeError:
        return Answer(answer.status, None)
