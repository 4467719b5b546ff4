"""Where the service listens: loopback unless told, TLS where others reach it, and only by its names."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workbench.server.place import ServicePlace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `logs.example` and 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "logs.example")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("logs.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def command(workspace: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "workbench.cli", "serve", "--workspace", str(workspace), *more]


@pytest.fixture(scope="module")
def secure(files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A service on all addresses, over TLS: its URL and its workspace."""
    workspace = tmp_path_factory.mktemp("secure") / "workspace"
    more = (
        "--host",
        "0.0.0.0",
        "--name",
        "logs.example",
        "--tls-cert",
        str(files[0]),
        "--tls-key",
        str(files[1]),
    )
    process = subprocess.Popen(
        command(workspace, *more), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], workspace
    finally:
        process.terminate()
        rest = process.stdout.read()
        process.stdout.close()
        assert (process.wait(20), rest) == (0, "")


def health(url: str, host: str, certificate: Path | None = None) -> int:
    """The status that a request for `host` gets; it always goes to 127.0.0.1."""
    port = int(url.rsplit(":", 1)[1])
    connection: Any = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    if certificate is not None:
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    connection.request("GET", "/api/health", headers={"Host": host})
    answer: http.client.HTTPResponse = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_others_reach_it_over_tls_by_its_names(secure: tuple[str, Path], files: tuple[Path, Path]) -> None:
    url, _ = secure
    assert url.startswith("https://logs.example:")
    names = ("logs.example", "LOGS.example:443", "127.0.0.1", "localhost")
    assert [health(url, name, files[0]) for name in names] == [200] * 4
    foreign = ("evil.example", "10.0.0.1", "logs.example.evil", "")
    assert [health(url, name, files[0]) for name in foreign] == [403] * 4


def test_without_tls_nothing_is_answered_there(secure: tuple[str, Path]) -> None:
    with pytest.raises((http.client.HTTPException, OSError)):
        health(secure[0], "127.0.0.1")


def test_processes_of_this_machine_have_a_plain_address(secure: tuple[str, Path]) -> None:
    url, workspace = secure
    address = ServicePlace(str(workspace)).address()
    assert address is not None
    assert address.url.startswith("http://127.0.0.1:")
    assert address.url.rsplit(":", 1)[1] != url.rsplit(":", 1)[1]
    assert health(address.url, "127.0.0.1") == 200


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--host", "0.0.0.0"), "SRV020"),
        (("--host", "::"), "SRV020"),
        (("--tls-cert", "CERT"), "SRV019"),
        (("--tls-key", "KEY"), "SRV019"),
        (("--tls-cert", "KEY", "--tls-key", "CERT"), "SRV021"),
        (("--tls-cert", "/none", "--tls-key", "/none"), "SRV021"),
        (("--host", "no.such.host.invalid"), "SRV022"),
    ],
)
def test_a_binding_that_is_not_allowed_is_refused_before_anything_is_made(
    arguments: tuple[str, ...], code: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    given = [{"CERT": str(files[0]), "KEY": str(files[1])}.get(a, a) for a in arguments]
    ran = subprocess.run(command(tmp_path / "w", *given), capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"{code}: ")
    assert not (tmp_path / "w" / "catalog.json").exists()
