"""One HTTP request to somebody outside: to a checked address, with an end, without redirects.

In go a URL, headers and a body, out comes what the other side answered. The connection goes to the addresses of the
guard; `Host`, the name in TLS and the certificate are those of the URL.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore

from workbench.actions.notify.guard import Guard, Target
from workbench.actions.notify.outcome import Outcome, Verdict
from workbench.base.diagnostics import notify as diagnostics

AGAIN = frozenset({408, 429, 503, 504})
"""Answers after which another try may work; of all others it would be the same again."""
MOST_ANSWER = 64 << 10


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and the first bytes of an answer."""

    status: int
    body: bytes

    def outcome(self) -> Outcome:
        """What it means for a delivery."""
        said = self.body[:200].decode("utf-8", "replace")
        detail = "".join(c if c.isprintable() else " " for c in said).strip()
        if 200 <= self.status < 300:
            return Outcome(Verdict.DELIVERED, "", self.status)
        if 300 <= self.status < 400:
            return Outcome(Verdict.REFUSED, "it redirects, and redirects are not followed", self.status)
        verdict = Verdict.AGAIN if self.status in AGAIN else Verdict.REFUSED
        return Outcome(verdict, detail, self.status)


def post(guard: Guard, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply | Outcome:
    """Send a body, and read the answer; what became of it where there is none.

    Parameters
    ----------
    guard : Guard
    url : str
    headers : mapping
        Beside `Host`.
    body : bytes
    seconds : float
        For all of it: also an answer that drips has to end.

    Raises
    ------
    WorkbenchError
        NOT101 to NOT106.
    """
    parts = guard.url(url)
    target = guard.target(parts.host, parts.port, plain=parts.scheme == "http")
    backend = _Checked(guard, target, time.monotonic() + seconds)
    asked = httpcore.URL(scheme=parts.scheme, host=parts.host, port=parts.port, target=parts.path)
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    all_headers: list[tuple[bytes | str, bytes | str]] = [
        ("Host", _host(parts.host, parts.port, parts.scheme)),
        *headers.items(),
    ]
    try:
        with (
            httpcore.ConnectionPool(ssl_context=guard.context(), network_backend=backend) as pool,
            pool.stream(
                "POST", asked, headers=all_headers, content=body, extensions={"timeout": timeout}
            ) as answer,
        ):
            return Reply(answer.status, _beginning(answer.iter_stream()))
    except httpcore.TimeoutException:
        return Outcome(Verdict.AGAIN, f"no answer within {seconds:g} seconds")
    except (httpcore.NetworkError, httpcore.ProtocolError) as why:
        if isinstance(why.__context__, ssl.SSLCertVerificationError):
            raise diagnostics.bad_certificate(parts.host, why.__context__.verify_message) from None
        return Outcome(Verdict.AGAIN, f"the connection broke: {str(why) or type(why).__name__}")


def _host(host: str, port: int, scheme: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == {"https": 443, "http": 80}[scheme] else f"{shown}:{port}"


def _beginning(chunks: Iterable[bytes]) -> bytes:
    found = b""
    for chunk in chunks:
        found += chunk
        if len(found) >= MOST_ANSWER:
            break
    return found[:MOST_ANSWER]


class _Checked(httpcore.NetworkBackend):
    """Connects to the addresses of a target alone, whatever host is asked for."""

    def __init__(self, guard: Guard, target: Target, until: float) -> None:
        self._target, self._until = target, until
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        assert port == self._target.port
        broken: Exception | None = None
        for address in self._target.addresses:
            try:
                return _Timed(self._plain.connect_tcp(address, port, _left(self._until)), self._until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as why:
                broken = why
        raise broken or httpcore.ConnectError("no address")


class _Timed(httpcore.NetworkStream):
    """A stream on which everything has to be over at one moment."""

    def __init__(self, inner: httpcore.NetworkStream, until: float) -> None:
        self._inner, self._until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._until))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        made = self._inner.start_tls(ssl_context, server_hostname, _left(self._until))
        return _Timed(made, self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("its time is over")
    return left
