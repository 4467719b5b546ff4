"""Filters as near to the tables as they can go, so that less is read, carried and joined.

A condition goes below a node where the rows that it drops could not have changed what becomes of the
others. It is stated over the columns that are there: a computed column is put into it where that is
cheap (`purity.cheap`), or where the condition itself then reads JSON only of likely rows (`json_texts`).
Window functions, `rand()` and `assert()` stay where they are, and nothing passes a window function.
Adjacent filters become one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from workbench.base.dtypes import ScalarType
from workbench.query.functions.purity import any_looks_around, cheap, looks_around, movable
from workbench.query.plan import (
    Call,
    Col,
    Const,
    Distinct,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    Sort,
    Summarize,
    Union,
    Unnest,
    columns_of,
    map_inputs,
)
from workbench.query.rewrite.conditions import above, always, conjuncts, never, nothing, substituted
from workbench.query.rewrite.constants import Fold, folded, simpler
from workbench.query.rewrite.joins import Sides, sides
from workbench.query.rewrite.json_texts import quick

Conditions = tuple[Expr, ...]
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


@runtime_checkable
class Passing(Protocol):
    """A node of an operator's own over one `source` that lets filters pass."""

    @property
    def passing(self) -> frozenset[str]:
        """Columns that come from `source` as they are, and of which a filter may be taken there instead:
        each row of the node is made of source rows that have the same values in them."""


def pushed(rel: Rel, wanted: Conditions, fold: Fold) -> Rel:
    """`rel` cut to the rows for which all `wanted` hold, as far down as they can go."""
    return _Push(fold).into(rel, wanted)


@dataclass(frozen=True, slots=True)
class _Push:
    fold: Fold

    def into(self, rel: Rel, wanted: Conditions) -> Rel:
        if any(never(c) for c in wanted):
            return nothing(rel)
        wanted = tuple(c for c in wanted if not always(c))
        rule = _RULES.get(type(rel))
        if rule is not None:
            return rule(self, rel, wanted)
        if wanted and isinstance(rel, Passing):
            return self.own(rel, wanted)
        return self._stop(rel, wanted)

    def _stop(self, rel: Rel, wanted: Conditions) -> Rel:
        return above(map_inputs(rel, lambda r: self.into(r, ())), wanted)

    def _through(self, rel: Rel, wanted: Conditions, below: Callable[[Expr], Expr | None]) -> Rel:
        """Below a node with one input those conditions that `below` can state over it, above it the rest."""
        going: list[Expr] = []
        staying: list[Expr] = []
        for condition in wanted:
            stated = below(condition)
            (staying if stated is None else going).append(condition if stated is None else stated)
        return above(map_inputs(rel, lambda r: self.into(r, tuple(going))), staying)

    def own(self, rel: Any, wanted: Conditions) -> Rel:
        """A node of an operator's own, which may hold other relations beside its source."""
        passing = rel.passing
        going = tuple(c for c in wanted if columns_of(c) <= passing)
        source = self.into(rel.source, going)
        rest = map_inputs(rel, lambda r: source if r is rel.source else self.into(r, ()))
        return above(rest, [c for c in wanted if not columns_of(c) <= passing])

    # ---- one node each --------------------------------------------------------------------

    def filter(self, rel: Filter, wanted: Conditions) -> Rel:
        own = conjuncts(rel.condition)
        if any(looks_around(c) for c in own):
            return self._stop(rel, wanted)
        going = tuple(c for c in own if movable(c))
        staying = [c for c in own if not movable(c)]
        done = above(self.into(rel.source, (*going, *wanted)), staying)
        return rel if not wanted and _same(done, rel, own) else done

    def project(self, rel: Project, wanted: Conditions) -> Rel:
        if any_looks_around(rel.columns):
            return self._stop(rel, wanted)
        values = dict(rel.columns)
        return self._through(rel, wanted, lambda c: self._stated(c, values))

    def summarize(self, rel: Summarize, wanted: Conditions) -> Rel:
        keys = dict(rel.keys)

        def below(condition: Expr) -> Expr | None:
            used = columns_of(condition)
            # 0.0 and -0.0 are one group, and not every function gives the same for both.
            exact = _compares(condition) or all(keys[n].type is not ScalarType.REAL for n in used & set(keys))
            return self._stated(condition, keys) if used and used <= set(keys) and exact else None

        return self._through(rel, wanted, below)

    def _stated(self, condition: Expr, values: Mapping[str, Expr]) -> Expr | None:
        """`condition` over the columns that `values` are made of, None where it must not be repeated."""
        used = {n: values[n] for n in columns_of(condition)}
        dear = [e for e in used.values() if isinstance(e, Call) and not (movable(e) and cheap(e))]
        stated = substituted(condition, used)
        if dear and (not all(movable(e) for e in dear) or quick(stated) is stated):
            return None
        if any(not isinstance(e, Col) for e in used.values()):
            stated = simpler(folded(stated, self.fold))
        return stated

    def distinct(self, rel: Distinct | Sort, wanted: Conditions) -> Rel:
        return self._through(rel, wanted, lambda c: c)

    def unnest(self, rel: Unnest, wanted: Conditions) -> Rel:
        made = {n for n, _ in rel.expand} | {rel.index}
        return self._through(rel, wanted, lambda c: None if columns_of(c) & made else c)

    def union(self, rel: Union, wanted: Conditions) -> Rel:
        return map_inputs(rel, lambda r: self.into(r, wanted))

    def join(self, rel: Join, wanted: Conditions) -> Rel:
        found: Sides = sides(rel, wanted)
        left, right = self.into(rel.left, found.left), self.into(rel.right, found.right)
        changed = rel if left is rel.left and right is rel.right else replace(rel, left=left, right=right)
        return above(changed, found.staying)


def _same(done: Rel, rel: Filter, own: Conditions) -> bool:
    """Whether nothing moved."""
    if not isinstance(done, Filter) or done.source is not rel.source:
        return False
    now = conjuncts(done.condition)
    return len(now) == len(own) and all(a is b for a, b in zip(now, own, strict=True))


def _compares(condition: Expr) -> bool:
    """A comparison of a column with a constant, which takes equal numbers for equal."""
    return (
        isinstance(condition, Call)
        and condition.function in _COMPARISONS
        and all(isinstance(a, Col | Const) for a in condition.args)
    )


_RULES: Mapping[type[Rel], Callable[[_Push, Any, Conditions], Rel]] = {
    Filter: _Push.filter, Project: _Push.project, Summarize: _Push.summarize, Distinct: _Push.distinct,
    Sort: _Push.distinct, Unnest: _Push.unnest, Union: _Push.union, Join: _Push.join,
}  # fmt: skip
