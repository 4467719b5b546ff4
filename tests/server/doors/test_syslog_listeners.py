"""The syslog listeners inside one process: who may send, what is kept when it can't be stored at once."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import errno
import os
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workbench.base.errors import WorkbenchError
from workbench.collect.intake import Intake
from workbench.repository.tables import Repository
from workbench.server import syslog
from workbench.server.syslog import Settings, settings

pytestmark = pytest.mark.slow


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    repository = Repository.open(str(tmp_path / "w"), create=True)
    spool = repository.open_spool()
    yield Intake(repository, spool)
    spool.close()


@asynccontextmanager
async def running(intake: Intake, chosen: Settings) -> AsyncIterator[int]:
    """The listeners of these settings; gives their port."""
    with syslog.bound(chosen) as place:
        assert place is not None
        async with syslog.listening(place, intake):
            yield place.stream.getsockname()[1]


def messages(intake: Intake) -> list[str]:
    known = intake.repository.schema("Syslog") if intake.repository.has("Syslog") else ()
    if all(column.name != "SyslogMessage" for column in known):
        return []
    scan = intake.repository.scan("Syslog", ["SyslogMessage", "_Sequence"])
    return scan.lazy.collect().sort("_Sequence")["SyslogMessage"].to_list()


def told(intake: Intake) -> Counter[str]:
    """What the intake counted so far, by code."""
    found: Counter[str] = Counter()
    for (_, (_, _, code, detail)), count in intake.operations._counts.copy().items():
        found[code or detail] += count
    return found


async def until(seen: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.02)


async def send(port: int, data: bytes, host: str = "127.0.0.1", **more: Any) -> None:
    _, writer = await asyncio.open_connection(host, port, **more)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


def test_another_machine_is_refused_and_counted_unless_its_network_is_named(intake: Intake) -> None:
    own = own_address()

    async def walk(allow: tuple[str, ...], seen: Callable[[], bool]) -> None:
        async with running(intake, settings("0.0.0.0:0", allow)) as port:
            with contextlib.suppress(
                OSError
            ):  # a connection that is refused may break while it is written to
                await send(port, b"<13>over TCP\n", own)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"<13>over UDP", (own, port))
            await until(seen)

    asyncio.run(walk((), lambda: told(intake)["LOG101"] == 2))
    assert messages(intake) == []
    asyncio.run(walk((own + "/32",), lambda: len(messages(intake)) == 2))
    assert sorted(messages(intake)) == ["over TCP", "over UDP"]
    assert told(intake)["LOG101"] == 2


def test_more_connections_than_there_may_be_are_refused(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "CONNECTIONS", 2)

    async def walk() -> None:
        async with running(intake, settings("127.0.0.1:0")) as port:
            open_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            await until(lambda: told(intake).get("LOG103") == 1)
            assert await open_ones[2][0].read() == b""
            open_ones[0][1].write(b"<13>still here\n")
            await until(lambda: messages(intake) == ["still here"])
            for _, writer in open_ones:
                writer.close()

    asyncio.run(walk())


def test_what_can_not_be_stored_at_once_is_kept_and_stored_once(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = 0
    really = os.fdatasync

    def sync(descriptor: int) -> None:
        nonlocal failed
        failed += 1
        if failed <= 3:
            raise OSError(errno.EIO, "injected")
        really(descriptor)

    async def walk() -> None:
        async with running(intake, settings("127.0.0.1:0")) as port:
            monkeypatch.setattr(os, "fdatasync", sync)
            await send(port, b"".join(b"<13>message %d\n" % n for n in range(500)))
            await until(lambda: len(messages(intake)) >= 500)

    asyncio.run(walk())
    assert failed > 3
    assert messages(intake) == [f"message {n}" for n in range(500)]


def test_a_sender_is_held_back_while_nothing_can_be_stored(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "MOST_MESSAGES", 1000)
    monkeypatch.setattr(syslog, "BATCH_MESSAGES", 400)
    broken = True
    really = os.fdatasync

    def sync(descriptor: int) -> None:
        if broken:
            raise OSError(errno.EIO, "injected")
        really(descriptor)

    line = b"<13>" + b"x" * 1000 + b"\n"

    async def walk() -> None:
        nonlocal broken
        async with running(intake, settings("127.0.0.1:0")) as port:
            monkeypatch.setattr(os, "fdatasync", sync)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            sent = asyncio.create_task(_flood(writer, line, 30_000))
            await asyncio.wait({sent}, timeout=1.5)
            assert not sent.done(), "30 MB were taken in while nothing could be stored"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                datagrams.sendto(b"<13>no room", ("127.0.0.1", port))
            await until(lambda: told(intake).get("LOG104"))
            broken = False
            await sent
            await until(lambda: len(messages(intake)) >= 30_000, 60)

    asyncio.run(walk())
    assert len(messages(intake)) == 30_000


async def _flood(writer: asyncio.StreamWriter, line: bytes, count: int) -> None:
    for _ in range(count // 100):
        writer.write(line * 100)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


def test_the_end_stores_what_was_read(intake: Intake) -> None:
    async def walk() -> None:
        async with running(intake, settings("127.0.0.1:0")) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"<13>first\n")
            await until(lambda: messages(intake) == ["first"])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"<13>last", ("127.0.0.1", port))
            # Not yet stored: it is gathered for some milliseconds more.
            await asyncio.sleep(0.01)
            writer.close()

    asyncio.run(walk())
    assert messages(intake) == ["first", "last"]


def test_a_message_that_is_cut_off_goes_to_quarantine(intake: Intake) -> None:
    async def walk() -> None:
        async with running(intake, settings("127.0.0.1:0")) as port:
            await send(port, b"9 <13>whole50 <13>half")
            await until(lambda: intake.repository.has("_Quarantine"))

    asyncio.run(walk())
    kept = intake.repository.scan("_Quarantine", ["Code", "Source", "Original"]).lazy.collect()
    assert kept.rows() == [("LOG105", "127.0.0.1", "50 <13>half")]
    assert messages(intake) == ["whole"]


# ---- TLS -------------------------------------------------------------------------------------


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificates(folder: Path) -> dict[str, Path]:
    """An authority, and a server's and a client's certificate of it, as PEM files."""
    files: dict[str, Path] = {}
    now = dt.datetime.now(dt.UTC)
    keys = {
        name: ec.generate_private_key(ec.SECP256R1())
        for name in ("authority", "server", "client", "stranger")
    }
    for name, key in keys.items():
        alone = name in ("authority", "stranger")
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(name if alone else "authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=alone, path_length=None), critical=True)
            .sign(key if alone else keys["authority"], hashes.SHA256())
        )
        files[name] = folder / f"{name}.pem"
        files[name].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        files[name + " key"] = folder / f"{name}.key"
        files[name + " key"].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return files


def test_over_tls_only_who_has_a_certificate_may_send(intake: Intake, tmp_path: Path) -> None:
    files = certificates(tmp_path)
    chosen = settings(
        "127.0.0.1:0",
        certificate=str(files["server"]),
        key=str(files["server key"]),
        authority=str(files["authority"]),
    )

    def client(name: str | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(files["authority"]))
        context.check_hostname = False
        if name:
            context.load_cert_chain(files[name], files[name + " key"])
        return context

    async def refused(port: int, count: int, context: ssl.SSLContext | None, data: bytes) -> None:
        with contextlib.suppress(OSError):  # some learn of it while they still write
            await send(port, data, ssl=context)
        await until(lambda: told(intake).get("LOG102") == count)

    async def walk() -> None:
        async with running(intake, chosen) as port:
            await send(port, b"<13>in secret\n", ssl=client("client"))
            await until(lambda: messages(intake) == ["in secret"])
            await refused(port, 1, client(None), b"<13>no\n")
            await refused(port, 2, client("stranger"), b"<13>no\n")
            await refused(port, 3, None, b"<13>plain text\n")

    asyncio.run(walk())
    assert messages(intake) == ["in secret"]


@pytest.mark.parametrize(
    ("address", "more", "code"),
    [
        ("localhost", {}, "LOG106"),
        ("127.0.0.1:x", {}, "LOG106"),
        ("127.0.0.1:70000", {}, "LOG106"),
        ("127.0.0.1:0", {"allow": ["10.0.0.0/40"]}, "LOG107"),
        ("127.0.0.1:0", {"certificate": "a.pem"}, "LOG109"),
        ("127.0.0.1:0", {"certificate": "a.pem", "key": "b.pem", "authority": "c.pem"}, "LOG110"),
    ],
)
def test_mistakes_in_the_settings(address: str, more: dict[str, Any], code: str) -> None:
    with pytest.raises(WorkbenchError) as mistake:
        settings(address, **more)
    assert mistake.value.code == code


def test_a_taken_address_is_a_coded_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        chosen = settings(f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(WorkbenchError) as mistake, syslog.bound(chosen):
            pass
    assert mistake.value.code == "LOG108"


def test_the_frame_is_of_the_documented_types(intake: Intake) -> None:
    async def walk() -> None:
        async with running(intake, settings("[::1]:0")) as port:
            await send(
                port, b"<13>1 2026-01-01T00:00:00Z h app 12 - - x\n<13>1 - h app p7 - - y\n", host="::1"
            )
            await until(lambda: len(messages(intake)) == 2)

    asyncio.run(walk())
    found = intake.repository.scan(
        "Syslog", ["ProcessID", "ProcessID_s", "HostIP", "EventTime"]
    ).lazy.collect()
    assert found.schema["ProcessID"] == pl.Int32
    assert found.select("ProcessID", "ProcessID_s", "HostIP").rows() == [
        (12, "", "::1"),
        (None, "p7", "::1"),
    ]
