"""Which addresses nothing is sent to unless an owner allows it, however they are written.

In go texts and addresses, out comes why one is not open to everybody. Asks no network.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), why)
    for why, networks in {
        "an address of this machine": ("127.0.0.0/8", "::1/128"),
        "no address of a machine": ("0.0.0.0/8", "::/128"),
        "a link-local address, where clouds tell secrets": ("169.254.0.0/16", "fe80::/10"),
        "an address of a private network": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        "an address of a carrier's network": ("100.64.0.0/10",),
        "a multicast address": ("224.0.0.0/4", "ff00::/8"),
        "a reserved address": (
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "240.0.0.0/4", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
        ),
    }.items()
    for network in networks
)  # fmt: skip
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")


def why_refused(address: Address) -> str:
    """Why an address is not open to everybody; "" where it is.

    Addresses that carry one of IPv4 inside (mapped, 6to4, NAT64, Teredo) are what they carry: a router on the way may
    unpack it.

    Examples
    --------
    >>> from ipaddress import ip_address
    >>> why_refused(ip_address("::ffff:10.0.0.1")), why_refused(ip_address("9.9.9.9"))
    ('an address of a private network', '')
    """
    for one in (address, *carried(address)):
        for network, why in _REFUSED:
            if one.version == network.version and one in network:
                return why
    return ""


def carried(address: Address) -> list[IPv4Address]:
    """The addresses of IPv4 inside one of IPv6."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64[0] or address in _NAT64[1] or (address in _COMPATIBLE and int(address) > 0xFFFF):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def as_address(host: str) -> Address | None:
    """The address that a host is written as, also in the forms that C libraries read (`2130706433`, `0x7f.1`,
    `0177.0.0.1`); None for a name.

    Examples
    --------
    >>> as_address("2130706433"), as_address("0177.0.0.1"), as_address("[::1]"), as_address("mail.corp")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), IPv6Address('::1'), None)
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bare = bare.partition("%")[0]  # a zone names an interface, and changes no address
    if ":" not in bare and _NUMBER.fullmatch(bare.rstrip(".").rsplit(".", 1)[-1]):
        try:
            return IPv4Address(socket.inet_aton(bare.rstrip(".")))
        except OSError:
            return None
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        return None
