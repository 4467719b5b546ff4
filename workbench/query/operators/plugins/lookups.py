"""`ipv4_lookup`, `ipv6_lookup`: rows of a table whose network holds an address."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import PluginCall, plugin
from workbench.query.plan import Col, Expr, Project, Rel, unique

T = ScalarType
_ADDRESS, _NETWORK, _ROW = "__address", "__network", "__match"


@dataclass(frozen=True, slots=True)
class NetworkLookup(Rel):
    """Rows of `left` with those of `right` whose `__network` holds `__address` and whose keys are equal.

    `keys` pairs hidden columns of both sides; `added` says which columns of the right side go on.
    """

    left: Rel
    right: Rel
    keys: tuple[tuple[str, str], ...]
    added: tuple[tuple[str, str], ...]
    unmatched: bool
    bits: int

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        needed = set(self.names()) if needed is None else needed
        added = tuple(pair for pair in self.added if pair[1] in needed)
        gone = {new for _, new in self.added}
        left = prune(self.left, (needed - gone) | {_ADDRESS, *(a for a, _ in self.keys)})
        right = prune(self.right, {_NETWORK, *(b for _, b in self.keys), *(old for old, _ in added)})
        kept = {*left.names(), *(new for _, new in added)}
        schema = tuple(c for c in self.schema if c.name in kept)
        return replace(self, schema=schema, left=left, right=right, added=added)


@to_polars.register
def _lookup(rel: NetworkLookup, context: PolarsContext) -> Frame:
    right = context.collect(context.canonical_frame(rel.right)).with_row_index(_ROW)
    right = right.with_columns(pl.col(_ROW).cast(pl.Int64))
    found = _Networks(right, [r for _, r in rel.keys], rel.bits)
    asked = [_ADDRESS, *(a for a, _ in rel.keys)]
    lazy = context.canonical_frame(rel.left)
    rows = pl.struct(asked).map_batches(found.matches, return_dtype=pl.List(pl.Int64), is_elementwise=True)
    lazy = lazy.with_columns(rows.alias(_ROW))
    # A row without a match has a list of one null, so that it stays where it is asked for.
    lazy = lazy.explode(_ROW)
    added = right.select(_ROW, *(pl.col(o).alias(n) for o, n in rel.added)).lazy()
    joined = lazy.join(added, on=_ROW, how="left" if rel.unmatched else "inner", maintain_order="left")
    new = {n for _, n in rel.added}
    texts = [c.name for c in rel.schema if c.name in new and c.type is T.STRING]
    if rel.unmatched and texts:
        joined = joined.with_columns(pl.col(texts).fill_null(""))
    return Frame(joined.select([c.name for c in rel.schema]), {})


class _Networks:
    """The networks of a table, found by prefix length."""

    def __init__(self, rows: pl.DataFrame, keys: Sequence[str], bits: int) -> None:
        self.bits = bits
        self._known: dict[tuple[Any, ...], list[int | None]] = {}
        self._tables: dict[tuple[Any, ...], dict[int, dict[int, list[int]]]] = {}
        for row in rows.select(_ROW, _NETWORK, *keys).iter_rows():
            network = _parsed(row[1], bits)
            if network is not None:
                number, length = network
                lengths = self._tables.setdefault(row[2:], {})
                lengths.setdefault(length, {}).setdefault(number >> (bits - length), []).append(row[0])

    def matches(self, series: pl.Series) -> pl.Series:
        cells = zip(*(f.to_list() for f in series.struct.unnest().get_columns()), strict=True)
        return pl.Series(series.name, [self._of(c) for c in cells], pl.List(pl.Int64))

    def _of(self, asked: tuple[Any, ...]) -> list[int | None]:
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = self._found(asked)
        return known

    def _found(self, asked: tuple[Any, ...]) -> list[int | None]:
        address = _parsed(asked[0], self.bits)
        if address is None:
            return [None]
        number, own = address
        rows: list[int | None] = []
        for length, networks in self._tables.get(asked[1:], {}).items():
            if length <= own:
                rows += networks.get(number >> (self.bits - length), [])
                continue
            # An address with a mask of its own is held by what lies inside of it too.
            inside = number >> (self.bits - own)
            rows += [r for n, found in networks.items() if n >> (length - own) == inside for r in found]
        ordered: list[int | None] = [*sorted(r for r in rows if r is not None)]
        return ordered or [None]


def _parsed(text: str | None, bits: int) -> tuple[int, int] | None:
    """(number, prefix length) of an address with or without `/length`; None where it is none."""
    if not text:
        return None
    host, _, suffix = text.strip().partition("/")
    try:
        address = ipaddress.ip_address(host)
        length = int(suffix) if suffix else address.max_prefixlen
    except ValueError:
        return None
    if not 0 <= length <= address.max_prefixlen or address.max_prefixlen > bits:
        return None
    number = int(address)
    if address.max_prefixlen < bits:
        # IPv4 in the space of IPv6: ::ffff:a.b.c.d
        number, length = number | 0xFFFF << 32, length + 96
    return number, length


def _registered(name: str, bits: int, family: str) -> None:
    @plugin(name, syntax=f"{name}(TABLE, ADDRESS, NETWORK [, KEY, …] [, return_unmatched=true])")
    class _Lookup:
        """Columns of the rows of a table whose network holds the address of this row."""

        @staticmethod
        def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
            return _bound(call, source, b, bits, family)


def _bound(call: PluginCall, source: Rel, b: BinderApi, bits: int, family: str) -> Rel:
    right = b.table(call.needed(0, "LookupTable"))
    address = b.convert(b.expr(call.needed(1, f"Source{family}Key"), source), T.STRING)
    network = b.convert(b.expr(call.needed(2, f"{family}LookupKey"), right), T.STRING)
    rest = call.rest(3)
    unmatched = False
    if rest and isinstance(last := rest[-1], syntax.Literal):
        unmatched, rest = bool(last.value), rest[:-1]
    unmatched = bool(call.constant(10**6, "return_unmatched", b, T.BOOL, unmatched))
    call.finish()
    shared = {k.name for k in rest if isinstance(k, syntax.Name)}
    left_keys = [(f"__key{i}", b.convert(b.expr(k, source), T.STRING)) for i, k in enumerate(rest)]
    right_keys = [(f"__key{i}", b.convert(b.expr(k, right), T.STRING)) for i, k in enumerate(rest)]
    keys = tuple((n, n) for n, _ in left_keys)
    names: list[tuple[str, str]] = []
    schema = list(source.schema)
    taken = {c.name for c in schema}
    for column in right.schema:
        if column.name in shared or column.hidden:
            continue
        free = unique(column.name, taken)
        taken.add(free)
        names.append((column.name, free))
        schema.append(Column(free, column.type))
    visible = [c for c in schema if not c.hidden]
    whole = (*visible, *(c for c in schema if c.hidden))
    left = _with(source, [(_ADDRESS, address), *left_keys])
    table = _with(right, [(_NETWORK, network), *right_keys])
    return NetworkLookup(whole, left, table, keys, tuple(names), unmatched, bits)


def _with(rel: Rel, added: list[tuple[str, Expr]]) -> Rel:
    columns = (*((c.name, Col(c.type, c.name)) for c in rel.schema), *added)
    return Project((*rel.schema, *(Column(n, e.type, True) for n, e in added)), rel, columns)


_registered("ipv4_lookup", 32, "IPv4")
_registered("ipv6_lookup", 128, "IPv6")
