"""Which plans make rows of each stored row by itself, so that they can run over some files at a time.

Such a plan is a *chain*: filters, projections and the like over scans, and unions of those. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workbench.query.functions import FUNCTIONS
from workbench.query.functions.purity import looks_around
from workbench.query.operators._per_group import Held
from workbench.query.operators.plugins.bag_unpack import Unpack
from workbench.query.plan import (
    Call,
    Col,
    Expr,
    Filter,
    Project,
    Range,
    Rel,
    Scan,
    Union,
    Unnest,
    Values,
    expressions_of,
    map_inputs,
)

_STATIC = (Values, Range, Held)


def is_chain(rel: Rel) -> bool:
    """Whether `rel` over all files has the rows that it has over each part of them, in any order."""
    if isinstance(rel, Scan):
        return True
    if isinstance(rel, Filter):
        return not looks_around(rel.condition) and is_chain(rel.source)
    if isinstance(rel, Project):
        return not any(looks_around(e) for _, e in rel.columns) and is_chain(rel.source)
    if isinstance(rel, Unnest | Unpack):
        return is_chain(rel.source)
    if isinstance(rel, Union):
        return all(is_chain(p) or isinstance(p, _STATIC) for p in rel.parts) and any(scans_of(rel))
    return False


def scans_of(chain: Rel) -> Iterator[Scan]:
    """Its scans, each once."""
    seen: set[int] = set()
    for scan in _all_scans(chain):
        if id(scan) not in seen:
            seen.add(id(scan))
            yield scan


def _all_scans(chain: Rel) -> Iterator[Scan]:
    if isinstance(chain, Scan):
        yield chain
    for below in chain.inputs:
        yield from _all_scans(below)


def narrowed(chain: Rel, live: set[int], *, first: bool) -> Rel | None:
    """The chain without the scans whose `id` is not in `live`; rows that no file holds are in the first part."""
    if isinstance(chain, Scan):
        return chain if id(chain) in live else None
    if isinstance(chain, _STATIC):
        return chain if first else None
    if isinstance(chain, Union):
        parts = [narrowed(p, live, first=first) for p in chain.parts]
        left = tuple(p for p in parts if p is not None)
        return replace(chain, parts=left) if left else None
    source = narrowed(chain.inputs[0], live, first=first)
    return None if source is None else map_inputs(chain, lambda _: source)


def is_slow(chain: Rel) -> bool:
    """Whether something in it is computed by Python, row by row."""
    if isinstance(chain, Unnest | Unpack) or any(_by_row(e) for e in expressions_of(chain)):
        return True
    return any(is_slow(below) for below in chain.inputs)


def _by_row(expr: Expr) -> bool:
    if not isinstance(expr, Call):
        return False
    card = FUNCTIONS.get(expr.function)
    known = card.implementation if card is not None else None
    slow = hasattr(known, "row") and not hasattr(known, "polars") and not hasattr(known, "lower")
    return slow or any(_by_row(a) for a in expr.args)


def has_union(chain: Rel) -> bool:
    return isinstance(chain, Union) or any(has_union(below) for below in chain.inputs)


def is_time(chain: Rel, name: str) -> bool:
    """Whether the column `name` is everywhere the stored `TimeGenerated`, of which files know the bounds."""
    if isinstance(chain, Scan):
        return name == "TimeGenerated"
    if isinstance(chain, Filter):
        return is_time(chain.source, name)
    if isinstance(chain, Project):
        expr = next(e for n, e in chain.columns if n == name)
        return isinstance(expr, Col) and is_time(chain.source, expr.name)
    if isinstance(chain, Unnest):
        made = {chain.index, *(n for n, _ in chain.expand)}
        return name not in made and is_time(chain.source, name)
    return isinstance(chain, Union) and all(is_time(p, name) for p in chain.parts)
