"""One kept connection to a service or a gateway: a request in, the answer out.

A connection that the other end closed while it was idle is opened anew once; everything asked over it may be
asked twice. A redirect is no answer, and no proxy is used. Must not know what is sent.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from workbench.base.diagnostics import agent as diagnostics
from workbench.base.errors import WorkbenchError

SECONDS = 30.0
_MOST = 16 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where records go: a URL without a slash at the end, and the bearer token."""

    url: str
    token: str


class Unreachable(Exception):
    """There is nobody to ask, or no answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def why(self) -> str:
        """The answer in words, for a log."""
        error = self.json().get("error")
        if isinstance(error, dict):
            return f"status {self.status}: {error.get('message')}"
        return f"status {self.status}: {self.body[:300].decode('utf-8', 'replace')}"

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, when the answer says so."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def checked_url(url: str) -> str:
    """A URL of a service without its slash at the end.

    Raises
    ------
    WorkbenchError
        AGT001 for what is no such URL, AGT002 for one without TLS that leaves this machine.

    Examples
    --------
    >>> checked_url("http://127.0.0.1:8080/")
    'http://127.0.0.1:8080'
    """
    parts = urllib.parse.urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or parts.path.strip("/"):
        raise diagnostics.no_service_url(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise diagnostics.needs_tls(url)
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("::1"), is_loopback("10.0.0.1")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Link:
    """A connection to wherever `find` says the service is now. For one thread."""

    def __init__(self, find: Callable[[], Endpoint | None], seconds: float = SECONDS) -> None:
        self._find = find
        self._seconds = seconds
        self._connection: http.client.HTTPConnection | None = None
        self._url = ""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Answer:
        """Ask, with the bearer token of the endpoint or another one ("": none).

        Raises
        ------
        Unreachable
            The request may have been taken all the same.
        """
        endpoint = self._find()
        if endpoint is None:
            raise Unreachable("no service is running")
        kept = self._connection is not None and self._url == endpoint.url
        bearer = endpoint.token if token is None else token
        told = {**({"Authorization": f"Bearer {bearer}"} if bearer else {}), **(headers or {})}
        try:
            return self._ask(endpoint.url, method, path, body, told)
        except (OSError, http.client.HTTPException) as broken:
            self.close()
            if not kept:
                raise Unreachable(f"{type(broken).__name__}: {broken}") from broken
        try:
            return self._ask(endpoint.url, method, path, body, told)
        except (OSError, http.client.HTTPException) as broken:
            self.close()
            raise Unreachable(f"{type(broken).__name__}: {broken}") from broken

    def _ask(self, url: str, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connected(url)
        connection.request(method, path, body or None, dict(headers))
        answer = connection.getresponse()
        data = _read(answer, time.monotonic() + self._seconds)
        if answer.will_close or not answer.isclosed():
            self.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, data)

    def _connected(self, url: str) -> http.client.HTTPConnection:
        if self._connection is None or self._url != url:
            self.close()
            try:
                parts = urllib.parse.urlsplit(checked_url(url))
            except WorkbenchError as refused:
                raise Unreachable(str(refused)) from None
            host = parts.hostname or "127.0.0.1"
            if parts.scheme == "https":
                context = ssl.create_default_context()  # SSL_CERT_FILE names an authority of one's own
                self._connection = http.client.HTTPSConnection(
                    host, parts.port, timeout=self._seconds, context=context
                )
            else:
                self._connection = http.client.HTTPConnection(host, parts.port, timeout=self._seconds)
            self._url = url
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, at most `_MOST` of it; who gives it byte by byte for ever is given up."""
    pieces: list[bytes] = []
    left = _MOST
    while left and (piece := answer.read1(min(left, 1 << 16))):
        pieces.append(piece)
        left -= len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer takes too long")
    if left:
        answer.read()  # nothing is left, and only so it knows that the connection can be used again
    return b"".join(pieces)
