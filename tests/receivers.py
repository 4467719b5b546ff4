"""Receivers of alerts on loopback: an HTTP server that answers as it is told to, a mail server with TLS and log-in."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "workbench", "correct horse"


@dataclass
class Certificate:
    """A certificate of its own for some names, in one file with its key."""

    file: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


def certificate(folder: Path, *names: str) -> Certificate:
    """For names and addresses, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    known: list[x509.GeneralName] = []
    for name in names:
        try:
            known.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            known.append(x509.DNSName(name))
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{names[0]}.pem"
    pkcs8 = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return Certificate(file)


@dataclass
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """Answers each request with the next status of `answers`, with 200 when none is left; `None` never answers."""

    url: str
    port: int
    answers: list[int | None] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)
    location: str = ""
    says: bytes = b"{}"
    let_go: threading.Event = field(default_factory=threading.Event)


@contextmanager
def web(tls: Certificate | None = None, host: str = "127.0.0.1") -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            # As one step, so that answers go to requests in their order.
            with lock:
                place.got.append(Received(self.path, headers, body))
                status = place.answers.pop(0) if place.answers else 200
            if status is None:
                place.let_go.wait(120)
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", place.location)
            self.send_header("Content-Length", str(len(place.says)))
            self.end_headers()
            self.wfile.write(place.says)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None: ...  # a client that does not trust the certificate

    lock = threading.Lock()
    server = Server((host, 0), Handler)
    if tls is not None:
        server.socket = tls.server().wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    port = int(server.server_address[1])
    shown = f"[{host}]" if ":" in host else host
    place = Web(f"{'https' if tls else 'http'}://{shown}:{port}", port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield place
    finally:
        place.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mail:
    """A mail server: what it took, and what it says to some recipients."""

    port: int
    got: list[Envelope] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    """Recipient → what is said to it, once."""


@contextmanager
def mail(tls: Certificate, *, from_the_start: bool = False, log_in: bool = True) -> Iterator[Mail]:
    place = Mail(0)

    class Handler:
        async def handle_RCPT(
            self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
        ) -> str:
            if address in place.refuses:
                return place.refuses.pop(address)
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
            place.got.append(envelope)
            return "250 taken"

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        fits = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=fits, handled=fits)

    more: dict[str, Any] = {"ssl_context": tls.server()} if from_the_start else {"tls_context": tls.server()}
    if log_in:
        more |= {"authenticator": known, "auth_required": True, "auth_require_tls": not from_the_start}
    if not from_the_start:
        more["require_starttls"] = True
    controller = Controller(Handler(), hostname="127.0.0.1", port=_free_port(), **more)
    controller.start()
    place.port = controller.port
    try:
        yield place
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
