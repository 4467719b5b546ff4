"""What a plan has more than once is computed once.

`let` tables that are used twice, and functions called twice, are bound as trees of their own. Before the
other rules, equal relations that gather rows (groups, first rows) are taken out of the plan; a
`Use` stands in their places, so that no rule makes the uses different, and each is rewritten by itself.
At the end the plan is put together with one `Shared` node for all uses of a relation, which has the
columns that any of them needs. A condition that all uses have goes into it.

Rows that are only filtered and computed are not held: filters and columns of their own serve each use
better. Where such relations are still equal after all rules, they become one object, of which the engine
makes one scan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from workbench.query.functions.purity import movable, repeatable
from workbench.query.operators._per_group import Leaf
from workbench.query.operators.make_series import Series
from workbench.query.operators.top_nested import TopNested
from workbench.query.plan import (
    Col,
    Distinct,
    Expr,
    Filter,
    Limit,
    Project,
    Rel,
    Scan,
    Shared,
    Summarize,
    Values,
    map_inputs,
)
from workbench.query.rewrite.conditions import above, conjuncts
from workbench.query.rewrite.structure import Key, Structure, key_of

# What gives few rows for many.
_GATHERING = (Summarize, Distinct, Limit, Series, TopNested)


@dataclass(frozen=True, slots=True)
class Use(Rel):
    """Stands for a shared relation while the rules work."""

    number: int
    ordered: bool = False

    @property
    def serialized(self) -> bool:
        return self.ordered

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        if needed is None:
            return self
        return replace(self, schema=tuple(c for c in self.schema if c.name in needed) or self.schema[:1])


@dataclass(slots=True)
class Parts:
    """A plan taken apart: `main` and the shared relations, each before those that it uses."""

    main: Rel
    shared: dict[int, Rel] = field(default_factory=dict)

    def map(self, change: Callable[[Rel], Rel]) -> None:
        """Each part changed by a rule."""
        self.main = change(self.main)
        for number, rel in self.shared.items():
            self.shared[number] = change(rel)

    def all(self) -> list[Rel]:
        return [self.main, *self.shared.values()]


def taken_apart(rel: Rel) -> Parts:
    """`rel` with a `Use` for each relation that is worth keeping for more than one reader."""
    if not _may_repeat(rel):
        return Parts(rel)
    rel = Structure().once(rel)
    readers: Counter[int] = Counter(id(r) for node in nodes(rel) for r in node.inputs)
    worth = _Worth()
    parts = Parts(rel)
    uses: dict[int, Use] = {}

    def used(node: Rel) -> Rel:
        if id(node) in uses:
            return uses[id(node)]
        asked = isinstance(node, Shared)
        if readers[id(node)] < 2:
            return map_inputs(node.source, used) if isinstance(node, Shared) else map_inputs(node, used)
        if not asked and not worth.keeping(node):
            return map_inputs(node, used)
        number = len(uses) + 1
        uses[id(node)] = use = Use(node.schema, number, node.serialized)
        whole = node.source if isinstance(node, Shared) else node
        parts.shared[number] = map_inputs(whole, used)
        return use

    parts.main = used(rel)
    parts.shared = {n: parts.shared[n] for n in _outermost_first(parts)}
    return parts


def _outermost_first(parts: Parts) -> list[int]:
    """The shared relations so that each comes before those that it uses."""
    done: list[int] = []

    def visit(number: int) -> None:
        if number not in done:
            for node in nodes(parts.shared[number]):
                if isinstance(node, Use):
                    visit(node.number)
            done.append(number)

    for number in parts.shared:
        visit(number)
    return done[::-1]


def put_together(parts: Parts) -> Rel:
    """The plan in which all uses of a shared relation read one `Shared` node."""
    made: dict[int, Shared] = {}

    def restored(rel: Rel) -> Rel:
        if not isinstance(rel, Use):
            return map_inputs(rel, restored)
        if rel.number not in made:
            whole = restored(parts.shared[rel.number])
            made[rel.number] = Shared(whole.schema, whole, rel.number)
        shared = made[rel.number]
        if rel.names() == shared.names():
            return shared
        return Project(rel.schema, shared, tuple((c.name, Col(c.type, c.name)) for c in rel.schema))

    whole = restored(parts.main)
    return Structure().once(whole) if _scans_alike(whole) else whole


def materialized(rel: Rel) -> list[Shared]:
    """What `materialize()` names in a plan and is few rows, the innermost first."""
    worth = _Worth()
    found = [n for n in nodes(rel) if isinstance(n, Shared) and worth.few(n)]
    return sorted(found, key=lambda n: n.number)


def with_rows(rel: Rel, rows: Mapping[int, Values]) -> Rel:
    """`rel` with rows that are there in place of what `materialize()` named."""
    if isinstance(rel, Shared) and rel.number in rows:
        return rows[rel.number]
    return map_inputs(rel, lambda r: with_rows(r, rows))


def prune_parts(parts: Parts, prune: Callable[[Rel, set[str] | None], Rel]) -> None:
    """Each part with the columns that its readers need."""
    parts.main = prune(parts.main, None)
    for number in parts.shared:
        needed = {n for use in _uses(parts, number) for n in use.names()}
        parts.shared[number] = prune(parts.shared[number], needed)


def push_common(parts: Parts, push: Callable[[Rel, tuple[Expr, ...]], Rel]) -> None:
    """Filters pushed in each part; those that stand above every use of a shared relation, into it."""
    parts.main = push(parts.main, ())
    for number in parts.shared:
        common = _common(parts, number)
        if common:
            keys = {key_of(c) for c in common}
            parts.map(lambda rel, n=number, k=keys: _without(rel, n, k))  # type: ignore[misc]
        parts.shared[number] = push(parts.shared[number], common)


def _common(parts: Parts, number: int) -> tuple[Expr, ...]:
    """The conditions right above every use."""
    found: dict[Key, Expr] | None = None
    for node in (n for part in parts.all() for n in nodes(part)):
        own = {
            key_of(c): c
            for r in node.inputs
            if isinstance(r, Use) and r.number == number and isinstance(node, Filter)
            for c in conjuncts(node.condition)
            if movable(c)
        }
        if any(isinstance(r, Use) and r.number == number for r in node.inputs):
            found = own if found is None else {k: c for k, c in found.items() if k in own}
    return tuple(found.values()) if found else ()


def _without(rel: Rel, number: int, keys: set[Key]) -> Rel:
    rel = map_inputs(rel, lambda r: _without(r, number, keys))
    if isinstance(rel, Filter) and isinstance(rel.source, Use) and rel.source.number == number:
        return above(rel.source, [c for c in conjuncts(rel.condition) if key_of(c) not in keys])
    return rel


def _uses(parts: Parts, number: int) -> Iterator[Use]:
    for part in parts.all():
        for node in nodes(part):
            if isinstance(node, Use) and node.number == number:
                yield node


def nodes(rel: Rel) -> Iterable[Rel]:
    """Every node of a plan once, also where it is read more than once."""
    seen: dict[int, Rel] = {}
    waiting = [rel]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            waiting += node.inputs
    return seen.values()


def _may_repeat(rel: Rel) -> bool:
    """Whether a look for equal parts can find any."""
    read: set[object] = set()
    parents: set[int] = set()
    for node in nodes(rel):
        if isinstance(node, Shared):
            return True
        for r in node.inputs:
            if id(r) in parents and not isinstance(r, Leaf):
                return True
            parents.add(id(r))
        if isinstance(node, Scan):
            if node.table in read:
                return True
            read.add(node.table)
    return False


def _scans_alike(rel: Rel) -> bool:
    """Whether two scans read the same columns of the same files: without, no two relations can be equal."""
    read: set[Key] = set()
    for node in nodes(rel):
        if isinstance(node, Scan):
            key = (node.table, node.time_range, node.terms, node.paths, *node.names())
            if key in read:
                return True
            read.add(key)
    return False


class _Worth:
    """Which relations pay to be held: they read a table, and gather its rows."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bool, bool, bool]] = {}

    def few(self, rel: Rel) -> bool:
        """Whether its rows can be held whole."""
        _, gathers, loose = self._of(rel)
        return gathers and not loose

    def keeping(self, rel: Rel) -> bool:
        stored, gathers, loose = self._of(rel)
        return stored and gathers and not loose and repeatable(rel)

    def _of(self, rel: Rel) -> tuple[bool, bool, bool]:
        """Reads a table; gathers rows; stands for rows of a group that only its place tells."""
        known = self._known.get(id(rel))
        if known is None:
            below = [self._of(r) for r in rel.inputs]
            stored = isinstance(rel, Scan) or any(b[0] for b in below)
            gathers = isinstance(rel, (*_GATHERING, Values)) or (bool(below) and all(b[1] for b in below))
            loose = isinstance(rel, Leaf) or any(b[2] for b in below)
            known = self._known[id(rel)] = (stored, gathers, loose)
        return known
