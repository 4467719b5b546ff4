"""Where the service listens: which address, with or without TLS, and by which names it may be asked.

In go the options of `workbench serve`, out come listening sockets. An address that other machines reach needs TLS.
Beside a TLS address there is always a plain one on loopback, for the processes of this machine (agent, JupyterLab,
command line), which can't know the certificate. Must not answer requests.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from workbench.base.diagnostics import service as diagnostics

HOST = "127.0.0.1"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_ANY = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Binding:
    """Where to listen.

    Attributes
    ----------
    host : str
        Address or name of this machine.
    port : int
        0 takes any free port.
    certificate, key : str
        PEM files; both or neither.
    names : tuple of str
        Further host names by which requests may ask for the service.
    """

    host: str = HOST
    port: int = 0
    certificate: str = ""
    key: str = ""
    names: tuple[str, ...] = ()

    @property
    def tls(self) -> bool:
        return bool(self.certificate)

    @property
    def known_names(self) -> frozenset[str]:
        """What a `Host` header may say, in small letters, an IPv6 address in brackets.

        Examples
        --------
        >>> sorted(Binding("::1", names=("Logs.example",)).known_names - {"localhost", "127.0.0.1"})
        ['[::1]', 'logs.example']
        """
        return LOOPBACK | {_shown(name).lower() for name in (*self.names, self.called)}

    @property
    def called(self) -> str:
        """The name for the URL: an address that stands for all of them is no name."""
        if self.host in _ANY:
            return self.names[0] if self.names else socket.gethostname()
        return self.host


@dataclass(frozen=True, slots=True)
class Listeners:
    """Bound sockets: `own` is plain and on loopback; `tls` is there where TLS was asked for."""

    own: socket.socket
    tls: socket.socket | None
    binding: Binding

    @property
    def own_url(self) -> str:
        """For processes of this machine."""
        host, port = self.own.getsockname()[:2]
        return f"http://{_shown(host)}:{port}"

    @property
    def url(self) -> str:
        """For others."""
        if self.tls is None:
            return self.own_url
        return f"https://{_shown(self.binding.called)}:{self.tls.getsockname()[1]}"


@contextmanager
def listening(binding: Binding) -> Generator[Listeners]:
    """Sockets for a binding, closed at the end.

    Raises
    ------
    WorkbenchError
        SRV012 when the port is taken, SRV019 to SRV021 when the binding is not allowed or not possible.
    """
    address = _checked(binding)
    with ExitStack() as stack:
        if not binding.tls:
            yield Listeners(stack.enter_context(_bound(address, binding.port)), None, binding)
            return
        tls = stack.enter_context(_bound(address, binding.port))
        yield Listeners(stack.enter_context(_bound((socket.AF_INET, HOST), 0)), tls, binding)


_Address = tuple[socket.AddressFamily, str]


def _checked(binding: Binding) -> _Address:
    """The address of the host, once all is as it must be."""
    if bool(binding.certificate) != bool(binding.key):
        raise diagnostics.half_of_tls()
    try:
        found = socket.getaddrinfo(binding.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as broken:
        raise diagnostics.no_such_host(binding.host, str(broken)) from None
    family, _, _, _, sockaddr = found[0]
    address = str(sockaddr[0])
    if binding.tls:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                binding.certificate, binding.key, password=_no_password
            )
        except (OSError, ValueError) as broken:  # ssl.SSLError is an OSError
            raise diagnostics.bad_certificate(binding.certificate, binding.key, str(broken)) from None
    elif not is_loopback(address):
        raise diagnostics.tls_needed(binding.host)
    return family, address


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own and no other's.

    Examples
    --------
    >>> [is_loopback(a) for a in ("127.0.0.3", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.1.2.3", "")]
    [True, True, True, False, False, False]
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


@contextmanager
def _bound(address: _Address, port: int) -> Generator[socket.socket]:
    family, host = address
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((host, port))
        except OSError as broken:
            raise diagnostics.port_taken(port, broken.strerror or str(broken)) from None
        yield listener
    finally:
        listener.close()
