"""The syslog listeners of the service: UDP and TCP on one address, who may send, and how messages are stored.

In go datagrams and connections, out come deliveries to the intake. Syslog has no acknowledgement, so a message is
ours once it is read: it is gathered with others for at most `GATHER_SECONDS`, stored, and kept and tried again while
the intake can't take it. Meanwhile connections are not read on, which holds their senders back; datagrams that find
no room are dropped and counted. May send: this machine, a network that was named, or over TLS who has a certificate
of a known authority; anybody else is refused and counted. What a message means is in `collect/doors/syslog`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from workbench.base import clock
from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch
from workbench.collect.doors.syslog import CUT, DOOR, Framer, Message, batch_of
from workbench.collect.intake import Intake
from workbench.collect.quarantine import Refused
from workbench.server.sender import RETRY_AFTER

log = logging.getLogger("workbench.syslog")
GATHER_SECONDS = 0.05
BATCH_MESSAGES, BATCH_BYTES = 10_000, 8 << 20
MOST_MESSAGES, MOST_BYTES = 50_000, 32 << 20
"""What waits in memory at most, beside one piece of each connection."""
CONNECTIONS = 256
READ_BYTES = 1 << 16
HANDSHAKE_SECONDS = 10.0
STOP_SECONDS = 10.0
"""How long a stopping service still tries to store what it has read."""
_RECEIVE_BUFFER = 4 << 20
_RETRY_FIRST, _RETRY_MOST = 0.1, 5.0
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen and to whom."""

    host: str
    port: int
    networks: tuple[Network, ...] = ()
    tls: ssl.SSLContext | None = None

    def allows(self, peer: str) -> bool:
        """Whether an address may send without a certificate.

        Examples
        --------
        >>> one = settings("127.0.0.1:0", ["10.0.0.0/8"])
        >>> [one.allows(peer) for peer in ("127.0.0.2", "::1", "10.1.2.3", "::ffff:10.0.0.1", "11.0.0.1")]
        [True, True, True, True, False]
        """
        address: Any = ipaddress.ip_address(peer.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self.networks)


def settings(
    address: str, allow: Iterable[str] = (), *, certificate: str = "", key: str = "", authority: str = ""
) -> Settings:
    """What the command line says, checked.

    Parameters
    ----------
    address : str
        `HOST:PORT`; port 0 takes any free one.
    allow : iterable of str
        Networks whose machines may send.
    certificate, key, authority : str
        Files for TLS: all three or none. With them TCP is TLS, and every sender needs a certificate.

    Raises
    ------
    WorkbenchError
        LOG106 to LOG110.
    """
    host, _, port = address.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise diagnostics.bad_address(address)
    return Settings(host, int(port), tuple(map(_network, allow)), _tls(certificate, key, authority))


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise diagnostics.bad_network(text) from None


def _tls(certificate: str, key: str, authority: str) -> ssl.SSLContext | None:
    if not (certificate or key or authority):
        return None
    if not (certificate and key and authority):
        raise diagnostics.half_a_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
    except OSError as broken:
        raise diagnostics.bad_certificate(str(broken)) from None
    return context


@dataclass(frozen=True, slots=True)
class Bound:
    """The two sockets of an address."""

    settings: Settings
    stream: socket.socket
    datagrams: socket.socket

    @property
    def address(self) -> str:
        host, port = self.stream.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def bound(chosen: Settings | None) -> Generator[Bound | None]:
    """Both sockets of the address, open inside the block.

    Raises
    ------
    WorkbenchError
        LOG108 when the address can't be had.
    """
    if chosen is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            family, *_, place = socket.getaddrinfo(chosen.host, chosen.port, type=socket.SOCK_STREAM)[0]
            stream = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stream.bind(place)
            stream.listen(128)
            datagrams = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            datagrams.bind(stream.getsockname())
            stream.setblocking(False)
            datagrams.setblocking(False)
        except OSError as broken:
            address = f"{chosen.host}:{chosen.port}"
            raise diagnostics.address_taken(address, broken.strerror or str(broken)) from None
        yield Bound(chosen, stream, datagrams)


@asynccontextmanager
async def listening(place: Bound | None, intake: Intake) -> AsyncIterator[None]:
    """Messages are taken inside the block; at its end what was read is stored."""
    if place is None:
        yield
        return
    gatherer = _Gatherer(intake)
    streams = _Streams(place, gatherer, intake)
    storing = asyncio.create_task(gatherer.run())
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(place.settings, gatherer, intake), sock=place.datagrams
    )
    accepting = asyncio.create_task(streams.run())
    log.info("syslog on %s, UDP and %s", place.address, "TLS" if place.settings.tls else "TCP")
    try:
        yield
    finally:
        transport.close()
        await _ended(accepting, *streams.tasks)
        gatherer.finish()
        await storing


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Gatherer:
    """Messages of all senders, stored in groups and in the order in which they came."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._collector = socket.gethostname()
        self._waiting: list[Message] = []
        self._refused: list[Refused] = []
        self._bytes = 0
        self._finishing = False
        self._some, self._full, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room.set()

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < MOST_MESSAGES and self._bytes < MOST_BYTES

    def add(self, messages: Sequence[Message], refused: Sequence[Refused] = ()) -> None:
        self._waiting += messages
        self._refused += refused
        self._bytes += sum(len(message.raw) for message in messages)
        if self._waiting or self._refused:
            self._some.set()
        if len(self._waiting) >= BATCH_MESSAGES or self._bytes >= BATCH_BYTES:
            self._full.set()
        if not self.has_room:
            self._room.clear()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    def finish(self) -> None:
        """Store what waits, then end."""
        self._finishing = True
        self._some.set()
        self._full.set()

    async def run(self) -> None:
        while True:
            await self._some.wait()
            if not self._finishing:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), GATHER_SECONDS)
            messages = self._take()
            refused, self._refused = self._refused, []
            if messages or refused:
                await self._store(messages, refused)
            elif self._finishing:
                return

    def _take(self) -> list[Message]:
        count = size = 0
        for message in self._waiting[:BATCH_MESSAGES]:
            if count and size + len(message.raw) > BATCH_BYTES:
                break
            count, size = count + 1, size + len(message.raw)
        messages = self._waiting[:count]
        del self._waiting[:count]
        self._bytes -= size
        if not self._finishing:
            if not self._waiting:
                self._some.clear()
            if len(self._waiting) < BATCH_MESSAGES and self._bytes < BATCH_BYTES:
                self._full.clear()
        if self.has_room:
            self._room.set()
        return messages

    async def _store(self, messages: list[Message], refused: list[Refused]) -> None:
        """Store a group, and try for as long as the intake may take it later."""
        try:
            batch, mended = await asyncio.to_thread(batch_of, messages, self._collector)
            batch.refused += refused
            await self._accepted(batch)
        except WorkbenchError as why:
            log.error("%d syslog messages can't be stored: %s", len(messages), why.message)
            self._intake.operations.reason(DOOR, why, status="Error", count=len(messages))
        except Exception:
            # A fault of ours must not end the door for all that comes later.
            log.exception("%d syslog messages are lost", len(messages))
            self._intake.operations.tell(
                DOOR, "messages were lost by a fault of the service", status="Error", count=len(messages)
            )
        else:
            _tell(self._intake, mended)

    async def _accepted(self, batch: Batch) -> None:
        pause, spent = _RETRY_FIRST, 0.0
        while True:
            try:
                await asyncio.to_thread(self._intake.accept, batch)
                return
            except WorkbenchError as why:
                if why.code not in RETRY_AFTER or (self._finishing and spent >= STOP_SECONDS):
                    raise
                log.warning("syslog messages wait: %s", why.message)
            if self._finishing:
                spent += pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, _RETRY_MOST)


def _tell(intake: Intake, mended: Counter[str]) -> None:
    for detail, count in mended.items():
        intake.operations.tell(DOOR, detail, count=count)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, chosen: Settings, gatherer: _Gatherer, intake: Intake) -> None:
        self._settings = chosen
        self._gatherer = gatherer
        self._intake = intake

    def datagram_received(self, data: bytes, addr: Any) -> None:
        peer = addr[0]
        if not self._settings.allows(peer):
            self._intake.refused(DOOR, diagnostics.foreign_peer(peer))
        elif not self._gatherer.has_room:
            self._intake.refused(DOOR, diagnostics.too_fast(MOST_MESSAGES))
        elif message := data.rstrip(b"\r\n\0"):
            self._gatherer.add([Message(message, peer, clock.now_us())])


class _Streams:
    """Accepts connections; each is read by a task of its own."""

    def __init__(self, place: Bound, gatherer: _Gatherer, intake: Intake) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._settings = place.settings
        self._listener = place.stream
        self._gatherer = gatherer
        self._intake = intake

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(self._listener)
            except OSError as broken:
                # No more descriptors, or the peer has gone already: others may come.
                log.warning("a syslog connection could not be accepted: %s", broken)
                await asyncio.sleep(0.2)
                continue
            peer = address[0]
            why = self._refusal(peer)
            if why is not None:
                self._intake.refused(DOOR, why)
                accepted.close()
                continue
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            task = asyncio.create_task(self._read(accepted, peer))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _refusal(self, peer: str) -> WorkbenchError | None:
        if self._settings.tls is None and not self._settings.allows(peer):
            return diagnostics.foreign_peer(peer)
        return diagnostics.too_many_connections(CONNECTIONS) if len(self.tasks) >= CONNECTIONS else None

    async def _read(self, accepted: socket.socket, peer: str) -> None:
        reader = asyncio.StreamReader(READ_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        tls = self._settings.tls
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, accepted, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None
            )
        except OSError as broken:
            self._intake.refused(DOOR, diagnostics.no_certificate(peer, _reason(broken)))
            accepted.close()
            return
        framer = Framer()
        try:
            await self._messages(reader, framer, peer)
        finally:
            transport.close()
            if framer.cut:
                _tell(self._intake, Counter({CUT: framer.cut}))

    async def _messages(self, reader: asyncio.StreamReader, framer: Framer, peer: str) -> None:
        while True:
            try:
                data = await reader.read(READ_BYTES)
            except OSError as broken:
                log.info("the syslog connection of %s broke: %s", peer, broken)
                data = b""
            if not data:
                break
            self._gatherer.add([Message(raw, peer, clock.now_us()) for raw in framer.feed(data)])
            await self._gatherer.room()
        rest, cut_off = framer.finish()
        kept_aside = [] if cut_off is None else [replace(cut_off, source=peer)]
        self._gatherer.add([Message(raw, peer, clock.now_us()) for raw in rest], kept_aside)


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__
