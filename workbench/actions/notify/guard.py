"""The guard before every way out: a host is looked up once, each of its addresses is checked, and only these are connected to.

In go what an action names and the list that owners keep, out come a `Target` or a coded refusal. What a name means is
asked once: a name that means something else a moment later changes nothing (DNS rebinding). Proxies of the environment
are not asked, so that nobody else looks the name up again.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from workbench.actions.notify.addresses import Address, Network, as_address, carried, why_refused
from workbench.base.diagnostics import notify as diagnostics

_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_PORTS = {"https": 443, "http": 80}
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Destination:
    """One entry of the list that owners keep: a network, or a host by its name; and whether it may be told without TLS."""

    text: str
    plain: bool = False

    @property
    def network(self) -> Network | None:
        try:
            return ipaddress.ip_network(self.text)
        except ValueError:
            return None

    @classmethod
    def read(cls, text: str, plain: bool = False) -> Destination:
        """From what an owner wrote; raises NOT201.

        Examples
        --------
        >>> Destination.read("10.1.0.7/16").text, Destination.read("Mail.Corp.").text
        ('10.1.0.0/16', 'mail.corp')
        """
        low = text.strip().lower().rstrip(".").strip("[]")
        try:
            return cls(str(ipaddress.ip_network(low, strict=False)), plain)
        except ValueError:
            if not _NAME.fullmatch(low) or as_address(low) is not None or "/" in low:
                raise diagnostics.bad_destination(text) from None
            return cls(low, plain)


@dataclass(frozen=True, slots=True)
class Target:
    """A host whose addresses were checked.

    Attributes
    ----------
    host : str
        As it is told to the other side: `Host`, the name in its certificate.
    port : int
    addresses : tuple of str
        The only ones that may be connected to.
    """

    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Url:
    """A URL taken apart once; what is sent is made of these parts, so no second reader sees another host in it."""

    scheme: str
    host: str
    port: int
    path: str


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, of the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True)
class Guard:
    """Checks who may be told.

    Parameters
    ----------
    allowed : callable
        Gives the list that owners keep, as it is now.
    resolve : callable, optional
    context : callable, optional
        Gives the TLS settings; the system's by default, with its certificates (`SSL_CERT_FILE` adds others).

    Examples
    --------
    >>> guard = Guard(lambda: [], resolve=lambda host, port: ["169.254.169.254"])
    >>> try:
    ...     guard.target("rebound.example", 443)
    ... except Exception as refused:
    ...     print(refused.code)
    NOT102
    """

    allowed: Callable[[], Iterable[Destination]]
    resolve: Resolve = resolve
    context: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)

    def url(self, text: str) -> Url:
        """Take a URL apart.

        Raises
        ------
        WorkbenchError
            NOT101.
        """
        if not text.isascii() and "//" in text:
            head, _, rest = text.partition("//")
            host, slash, path = rest.partition("/")
            text = f"{head}//{_ascii(host)}{slash}{urllib.parse.quote(path, safe='/?&=#%:@!$()*+,;~')}"
        if not text.isprintable() or not text.isascii() or re.search(r"[\s\\]", text):
            raise diagnostics.bad_url("it has characters that no URL has")
        try:
            parts = urllib.parse.urlsplit(text)
            port = parts.port
        except ValueError as why:
            raise diagnostics.bad_url(str(why)) from None
        if parts.scheme not in _PORTS:
            raise diagnostics.bad_url("it begins with neither https:// nor http://")
        if "@" in parts.netloc:
            raise diagnostics.bad_url("a user's name stands in it; name a credential instead")
        host = parts.hostname or ""
        _checked_host(host)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Url(parts.scheme, host, port or _PORTS[parts.scheme], path)

    def target(self, host: str, port: int, *, plain: bool = False) -> Target:
        """The addresses of a host, each of them checked.

        Parameters
        ----------
        host : str
        port : int
        plain : bool
            Whether it is to be told without TLS, which only an owner can allow.

        Raises
        ------
        WorkbenchError
            NOT101 to NOT104.
        """
        host = _checked_host(_ascii(host))
        written = as_address(host)
        entries = [*self.allowed()]
        if written is not None:
            found = [written]
        else:
            try:
                found = [
                    ipaddress.ip_address(one.partition("%")[0])
                    for one in self.resolve(host.rstrip("."), port)
                ]
            except (OSError, UnicodeError, ValueError) as why:
                raise diagnostics.not_found(host, getattr(why, "strerror", None) or str(why)) from None
            if not found:
                raise diagnostics.not_found(host, "the name is known without one")
        named = [e for e in entries if written is None and e.text == host.lower().rstrip(".")]
        for address in found:
            covering = [*_named_for(named, address), *(e for e in entries if _covers(e, address))]
            closed = why_refused(address)
            if closed and not covering:
                raise diagnostics.refused_address(host, str(address), closed)
            if plain and not any(e.plain for e in covering):
                raise diagnostics.plain_http(host)
        return Target(host, port, tuple(str(a) for a in found))

    def connect(self, target: Target, seconds: float) -> socket.socket:
        """A connection to the first address that answers; raises NOT105."""
        said = "nobody answers"
        for address in target.addresses:
            try:
                return socket.create_connection((address, target.port), timeout=seconds)
            except OSError as failed:
                said = failed.strerror or str(failed)
        raise diagnostics.no_connection(target.host, said)


def _named_for(named: list[Destination], address: Address) -> list[Destination]:
    """A host's name opens what it means, but never link-local: that only its network does."""
    link_local = any(
        one.version == n.version and one in n for one in (address, *carried(address)) for n in _LINK_LOCAL
    )
    return [] if link_local else named


def _covers(entry: Destination, address: Address) -> bool:
    network = entry.network
    if network is None:
        return False
    # An address of IPv6 that carries one of IPv4 is opened by the network of what it carries.
    inside: Sequence[Address] = carried(address) or [address]
    return all(one.version == network.version and one in network for one in inside) or (
        address.version == network.version and address in network
    )


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise diagnostics.bad_url("its host is no name") from None


def _checked_host(host: str) -> str:
    bare = host.lower()[:-1] if host.endswith(".") else host.lower()
    if not bare or (as_address(bare) is None and not _NAME.fullmatch(bare)):
        raise diagnostics.bad_url("its host is no name and no address")
    return host
