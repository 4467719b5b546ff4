"""IPv6 addresses; IPv4 ones are taken for the IPv6 addresses that stand for them (`::ffff:…`).

Prefixes count 128 bits; one that is written behind an IPv4 address counts 32 of them, the last.
What is no address gives null (text: "").
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from workbench.query.functions._card import BOOL, LONG, STRING, TEXT_LIKE, opt, rep, scalar
from workbench.query.functions.network import number_of

NO_SQL = "SQL reads no addresses of IPv6"

_MAPPED = 0xFFFF << 32


@lru_cache(maxsize=4096)
def parsed(text: str) -> tuple[int, int] | None:
    """Number and prefix of an address, None where it is none.

    Examples
    --------
    >>> parsed("1.2.3.4/24") == (0xFFFF01020304, 120), parsed("::1"), parsed("x")
    (True, (1, 128), None)
    """
    body, slash, suffix = text.partition("/")
    if slash and not (suffix.isascii() and suffix.isdigit()):
        return None
    old = "." in body
    prefix = int(suffix) if slash else (32 if old else 128)
    if prefix > (32 if old else 128):
        return None
    if old and ":" not in body:
        known = number_of(body)
        return None if known is None else (_MAPPED | known[0], 96 + prefix)
    try:
        number = int(ipaddress.IPv6Address(body.partition("%")[0]))
    except ValueError:
        return None
    # `::1.2.3.4` is an older way to write the same as `::ffff:1.2.3.4`.
    return (_MAPPED | number & 0xFFFFFFFF, 96 + prefix) if old else (number, prefix)


def _kept(number: int, prefix: int) -> int:
    return number >> (128 - prefix) << (128 - prefix)


def _written(number: int) -> str:
    return ipaddress.IPv6Address(number).exploded


def _difference(a: str, b: str, prefix: int) -> int | None:
    """-1, 0 or 1 over the bits of the shortest prefix; None where one is no address."""
    x, y = parsed(a), parsed(b)
    if x is None or y is None or not 0 <= prefix <= 128:
        return None
    shortest = min(x[1], y[1], prefix)
    left, right = _kept(x[0], shortest), _kept(y[0], shortest)
    return (left > right) - (left < right)


@scalar("parse_ipv6", [STRING], STRING)
class ParseIpv6:
    """The address in full (eight groups of four digits) with its prefix applied."""

    @staticmethod
    def row(address: str) -> str:
        known = parsed(address)
        return _written(_kept(*known)) if known else ""


@scalar("parse_ipv6_mask", [STRING, LONG], STRING)
class ParseIpv6Mask:
    """The address in full, of which the given number of leading bits are kept."""

    @staticmethod
    def row(address: str, prefix: int) -> str:
        known = parsed(address)
        if known is None or not 0 <= prefix <= 128:
            return ""
        return _written(_kept(known[0], min(known[1], prefix)))


@scalar("ipv6_compare", [STRING, STRING, opt(LONG)], LONG)
class Ipv6Compare:
    """-1, 0 or 1: how the first address stands to the second."""

    @staticmethod
    def row(a: str, b: str, prefix: int = 128) -> int | None:
        return _difference(a, b, prefix)


@scalar("ipv6_is_match", [STRING, STRING, opt(LONG)], BOOL)
class Ipv6IsMatch:
    """Whether two addresses are the same."""

    @staticmethod
    def row(a: str, b: str, prefix: int = 128) -> bool | None:
        found = _difference(a, b, prefix)
        return None if found is None else found == 0


@scalar("ipv6_is_in_range", [STRING, STRING], BOOL)
class Ipv6IsInRange:
    """Whether the address is in the range."""

    @staticmethod
    def row(address: str, range_: str) -> bool | None:
        return Ipv6IsMatch.row(address, range_)


@scalar("ipv6_is_in_any_range", [STRING, TEXT_LIKE, rep(TEXT_LIKE, least=0)], BOOL)
class Ipv6IsInAnyRange:
    """Whether the address is in one of the ranges, which are texts or arrays of them."""

    @staticmethod
    def row(address: str, *ranges: Any) -> bool | None:
        if parsed(address) is None:
            return None
        listed = [r for one in ranges for r in (one if isinstance(one, list) else [one])]
        return any(Ipv6IsMatch.row(address, str(r)) for r in listed)
