"""IPv4 addresses: as numbers, in ranges, inside text.

An address may carry a prefix (`10.1.2.3/8`). Comparisons look at as many leading bits as the shortest
prefix in the call. Addresses are parsed by column operations, not by Python per row; what is no
address gives null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _unsayable
from workbench.query.functions._card import (
    BOOL,
    DYNAMIC,
    INT,
    LONG,
    STRING,
    TEXT_LIKE,
    Param,
    opt,
    rep,
    scalar,
)
from workbench.query.functions.forms import canonical, loads
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

_ADDRESS = r"^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?$"
_PRIVATE = (("10.0.0.0", 8), ("172.16.0.0", 12), ("192.168.0.0", 16))


class Network(NamedTuple):
    """An address column: the number as written, null where it is no address, and its prefix."""

    number: pl.Expr
    prefix: pl.Expr


def network(text: pl.Expr) -> Network:
    """The number (Int64) and prefix (Int64, 32 where none is written) of IPv4 text."""
    groups = text.str.extract_groups(_ADDRESS)
    octets = [groups.struct.field(str(i)).cast(pl.Int64) for i in range(1, 5)]
    prefix = groups.struct.field("5").cast(pl.Int64).fill_null(32)
    number = octets[0] * 2**24 + octets[1] * 2**16 + octets[2] * 2**8 + octets[3]
    valid = pl.max_horizontal(octets) < 256
    return Network(pl.when(valid & (prefix <= 32)).then(number), prefix)


def masked(number: pl.Expr, prefix: pl.Expr) -> pl.Expr:
    """The number with only its `prefix` leading bits kept; null where the prefix is not 0 to 32."""
    size = pl.lit(2, dtype=pl.Int64).pow(32 - pl.when(prefix.is_between(0, 32)).then(prefix))
    return (number // size.cast(pl.Int64)) * size.cast(pl.Int64)


# ---- in SQL -----------------------------------------------------------------------------------

_SQL_ADDRESS = _ADDRESS.replace("\\d", "[0-9]")


class SqlNetwork(NamedTuple):
    """The same as trees."""

    number: _sql.Sql
    prefix: _sql.Sql


def sql_network(text: _sql.Sql) -> SqlNetwork:
    parts = [_sql.plain_func("regexp_extract", text, _SQL_ADDRESS, i) for i in range(1, 6)]
    octets = [_sql.try_cast(p, "BIGINT") for p in parts]
    prefix = _sql.coalesce(octets.pop(), 32)
    number = _sql.op("*", octets[0], 2**24)
    for octet, size in zip(octets[1:], (2**16, 2**8, 1), strict=True):
        number = _sql.op("+", number, _sql.op("*", octet, size))
    valid = _sql.all_of(*(_sql.op("<", o, 256) for o in octets), _sql.op("<=", prefix, 32))
    return SqlNetwork(_sql.case((valid, number)), prefix)


def sql_masked(number: _sql.Sql, prefix: _sql.Sql) -> _sql.Sql:
    known = _sql.case((_sql.between(prefix, 0, 32), prefix))
    size = _sql.cast(_sql.func("pow", 2.0, _sql.op("-", 32, known)), "BIGINT")
    return _sql.op("*", _sql.op("//", number, size), size)


def _sql_shortest(*prefixes: _sql.Sql) -> _sql.Sql:
    valid = _sql.all_of(*(_sql.between(p, 0, 32) for p in prefixes))
    return _sql.case((valid, _sql.func("least", *prefixes)))


def _sql_both(a: _sql.Sql, b: _sql.Sql, prefix: _sql.Sql | None) -> tuple[_sql.Sql, _sql.Sql]:
    x, y = sql_network(a), sql_network(b)
    shortest = _sql_shortest(x.prefix, y.prefix, *([] if prefix is None else [prefix]))
    return sql_masked(x.number, shortest), sql_masked(y.number, shortest)


def number_of(text: str) -> tuple[int, int] | None:
    """Number and prefix of one IPv4 text, for constants.

    Examples
    --------
    >>> number_of("10.0.0.1/8"), number_of("10.0.0.256")
    ((167772161, 8), None)
    """
    m = re.match(_ADDRESS, text, re.ASCII)
    octets = [int(g) for g in m.groups()[:4]] if m else []
    prefix = int(m[5]) if m and m[5] else 32
    if m is None or max(octets) > 255 or prefix > 32:
        return None
    return int.from_bytes(bytes(octets), "big"), prefix


@scalar("parse_ipv4", [STRING], LONG)
class ParseIpv4:
    """The address as a number (its prefix applied), null where it is none."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        n = network(text)
        return masked(n.number, n.prefix)

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return sql_masked(*sql_network(text))


@scalar("parse_ipv4_mask", [STRING, LONG], LONG)
class ParseIpv4Mask:
    """The address as a number of which the given number of leading bits are kept."""

    @staticmethod
    def polars(text: pl.Expr, prefix: pl.Expr) -> pl.Expr:
        n = network(text)
        return masked(n.number, _shortest(n.prefix, prefix))

    @staticmethod
    def sql(text: _sql.Sql, prefix: _sql.Sql) -> _sql.Sql:
        n = sql_network(text)
        return sql_masked(n.number, _sql_shortest(n.prefix, prefix))


def _shortest(*prefixes: pl.Expr) -> pl.Expr:
    """The shortest prefix; a given one that is not 0 to 32 makes it null."""
    valid = pl.all_horizontal(p.is_between(0, 32) for p in prefixes)
    return pl.when(valid).then(pl.min_horizontal(prefixes))


def _both(a: pl.Expr, b: pl.Expr, prefix: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
    x, y = network(a), network(b)
    shortest = _shortest(x.prefix, y.prefix, *([] if prefix is None else [prefix]))
    return masked(x.number, shortest), masked(y.number, shortest)


@scalar("ipv4_compare", [STRING, STRING, opt(LONG)], LONG)
class Ipv4Compare:
    """-1, 0 or 1: how the first address stands to the second."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, prefix: pl.Expr | None = None) -> pl.Expr:
        x, y = _both(a, b, prefix)
        return (x - y).sign()

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, prefix: _sql.Sql | None = None) -> _sql.Sql:
        x, y = _sql_both(a, b, prefix)
        return _sql.cast(_sql.func("sign", _sql.op("-", x, y)), "BIGINT")


@scalar("ipv4_is_match", [STRING, STRING, opt(LONG)], BOOL)
class Ipv4IsMatch:
    """Whether two addresses are the same."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, prefix: pl.Expr | None = None) -> pl.Expr:
        x, y = _both(a, b, prefix)
        return x == y

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, prefix: _sql.Sql | None = None) -> _sql.Sql:
        return _sql.op("=", *_sql_both(a, b, prefix))


@scalar("ipv4_is_in_range", [STRING, STRING], BOOL)
class Ipv4IsInRange:
    """Whether the address is in the range."""

    @staticmethod
    def polars(address: pl.Expr, range_: pl.Expr) -> pl.Expr:
        return Ipv4IsMatch.polars(address, range_)

    @staticmethod
    def sql(address: _sql.Sql, range_: _sql.Sql) -> _sql.Sql:
        return Ipv4IsMatch.sql(address, range_)


def _in_constant(address: Network, number: int, prefix: int) -> pl.Expr:
    shortest = pl.min_horizontal(address.prefix, pl.lit(prefix, dtype=pl.Int64))
    return masked(address.number, shortest) == masked(pl.lit(number, dtype=pl.Int64), shortest)


@scalar("ipv4_is_in_any_range", [STRING, TEXT_LIKE, rep(TEXT_LIKE, least=0)], BOOL)
class Ipv4IsInAnyRange:
    """Whether the address is in one of the ranges, which are texts or arrays of them."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        address = network(canonical(values[0]))
        found: pl.Expr = pl.when(address.number.is_not_null()).then(pl.lit(False))
        for value, arg in zip(values[1:], args[1:], strict=True):
            if isinstance(arg, Const):
                listed = arg.value if isinstance(arg.value, list) else [arg.value]
                for known in filter(None, (number_of(str(v)) for v in listed)):
                    found = found | _in_constant(address, *known)
            elif value.type is DYNAMIC:
                found = found | _in_listed(address, canonical(value))
            else:
                found = found | Ipv4IsMatch.polars(canonical(values[0]), canonical(value))
        return Value(found, BOOL)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        text = _sql_cast.canonical(values[0])
        address = sql_network(text)
        tests = []
        for value, arg in zip(values[1:], args[1:], strict=True):
            if isinstance(arg, Const):
                listed = arg.value if isinstance(arg.value, list) else [arg.value]
                tests += [
                    _sql_in_constant(address, *known) for known in map(number_of, map(str, listed)) if known
                ]
            elif value.type is DYNAMIC:
                raise _sql.Unsayable(_unsayable.ARRAY_DIFFERS)
            else:
                tests.append(Ipv4IsMatch.sql(text, _sql_cast.canonical(value)))
        # One that is null is neither true nor false, as in the first lowering.
        none = _sql.case((_sql.not_null(address.number), False))
        return SqlValue(_sql.any_of(none, *tests), BOOL)


def _sql_in_constant(address: SqlNetwork, number: int, prefix: int) -> _sql.Sql:
    shortest = _sql.func("least", address.prefix, prefix)
    return _sql.op("=", sql_masked(address.number, shortest), sql_masked(_sql.lit(number), shortest))


def _in_listed(address: Network, ranges: pl.Expr) -> pl.Expr:
    """Whether the address is in a range of an array that differs from row to row."""

    def test(row: dict[str, Any]) -> bool | None:
        if row["n"] is None:
            return None
        listed = loads(row["r"])
        for text in listed if isinstance(listed, list) else [listed]:
            known = number_of(str(text))
            if known is not None:
                drop = 32 - min(known[1], row["p"])
                if row["n"] >> drop == known[0] >> drop:
                    return True
        return False

    packed = pl.struct(address.number.alias("n"), address.prefix.alias("p"), ranges.alias("r"))
    return packed.map_batches(
        lambda s: pl.Series(s.name, [test(r) for r in s.to_list()], pl.Boolean),
        return_dtype=pl.Boolean, is_elementwise=True,
    )  # fmt: skip


@scalar("ipv4_is_private", [STRING], BOOL)
class Ipv4IsPrivate:
    """Whether the address is in one of the ranges for private networks."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        address = network(text)
        ranges = [number_of(f"{base}/{prefix}") for base, prefix in _PRIVATE]
        return pl.any_horizontal(_in_constant(address, *r) for r in ranges if r)

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        address = sql_network(text)
        ranges = [number_of(f"{base}/{prefix}") for base, prefix in _PRIVATE]
        return _sql.any_of(*(_sql_in_constant(address, *r) for r in ranges if r))


@scalar("ipv4_netmask_suffix", [STRING], LONG)
class Ipv4NetmaskSuffix:
    """The prefix that the address is written with, 32 where it has none."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        n = network(text)
        return pl.when(n.number.is_not_null()).then(n.prefix)

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        n = sql_network(text)
        return _sql.case((_sql.not_null(n.number), n.prefix))


@scalar("ipv4_range_to_cidr_list", [STRING, STRING], DYNAMIC)
class Ipv4RangeToCidrList:
    """The ranges with prefixes that cover just the addresses from the first to the second."""

    @staticmethod
    def row(start: str, end: str) -> list[str] | None:
        import ipaddress

        first, last = number_of(start), number_of(end)
        if first is None or last is None or first[0] > last[0]:
            return None
        ends = ipaddress.IPv4Address(first[0]), ipaddress.IPv4Address(last[0])
        return [str(n) for n in ipaddress.summarize_address_range(*ends)]


# ---- addresses as text ----------------------------------------------------------------------

_ADDRESS_LIKE = Param(frozenset({STRING, LONG, INT}))


def _formatted(text: Any, prefix: int) -> tuple[str, int] | None:
    known = (text, 32) if isinstance(text, int) else number_of(text)
    if known is None or not 0 <= prefix <= 32 or not 0 <= known[0] < 2**32:
        return None
    shortest = min(prefix, known[1])
    number = known[0] >> (32 - shortest) << (32 - shortest)
    return ".".join(map(str, number.to_bytes(4, "big"))), shortest


def _sql_formatted(
    address: _sql.Sql, prefix: _sql.Sql | None, type_: ScalarType
) -> tuple[_sql.Sql, _sql.Sql]:
    """The text of an address, null where it is none, and its prefix."""
    given = _sql.lit(32) if prefix is None else prefix
    known = (
        sql_network(address) if type_ is STRING else SqlNetwork(_sql.cast(address, "BIGINT"), _sql.lit(32))
    )
    shortest = _sql.case((_sql.between(given, 0, 32), _sql.func("least", given, known.prefix)))
    number = _sql.case((_sql.between(known.number, 0, 2**32 - 1), sql_masked(known.number, shortest)))
    octets = [_sql.op("&", _sql.op(">>", number, shift), 255) for shift in (24, 16, 8, 0)]
    dotted = [part for o in octets for part in (".", _sql.cast(o, "VARCHAR"))][1:]
    return _sql.concat(*dotted), shortest


@scalar("format_ipv4", [_ADDRESS_LIKE, opt(LONG)], STRING)
class FormatIpv4:
    """An address (text or number) as text with its prefix applied, "" where it is none."""

    @staticmethod
    def row(address: Any, prefix: int = 32) -> str:
        found = _formatted(address, prefix)
        return found[0] if found else ""

    @staticmethod
    def sql(address: _sql.Sql, prefix: _sql.Sql | None = None, *, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql.coalesce(_sql_formatted(address, prefix, types[0])[0], "")


@scalar("format_ipv4_mask", [_ADDRESS_LIKE, opt(LONG)], STRING)
class FormatIpv4Mask:
    """An address (text or number) in CIDR notation, "" where it is none."""

    @staticmethod
    def row(address: Any, prefix: int = 32) -> str:
        found = _formatted(address, prefix)
        return f"{found[0]}/{found[1]}" if found else ""

    @staticmethod
    def sql(address: _sql.Sql, prefix: _sql.Sql | None = None, *, types: Sequence[ScalarType]) -> _sql.Sql:
        text, shortest = _sql_formatted(address, prefix, types[0])
        return _sql.coalesce(_sql.concat(text, "/", _sql.cast(shortest, "VARCHAR")), "")


@scalar("geo_info_from_ip_address", [STRING], DYNAMIC)
class GeoInfoFromIpAddress:
    """Always null: no database of places comes with this engine, so every address is unknown."""

    @staticmethod
    def row(address: str) -> None:
        return None

    @staticmethod
    def sql(address: _sql.Sql) -> _sql.Sql:
        return _sql.cast(None, "VARCHAR")
