"""The logical plan: what a query means, typed, with no engine in it.

Relations are a small closed core; an operator that none of them can say brings its own `Rel`
with its lowering (see `workbench.query.operators`). Every node knows its schema. Expressions
refer to columns by name: a relation never has two columns of one name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from operator import is_
from typing import Any

from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.base.errors import Span
from workbench.base.terms import Terms

NO_SPAN = Span(0, 0)
FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}
"""The comparison that says the same with its sides exchanged."""


# ---- expressions ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expr:
    """A typed scalar expression."""

    type: ScalarType


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A constant. `value`: see `syntax.Literal`; a list of constants for `in` is no Const."""

    value: Any
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class Col(Expr):
    """A column of the input relation."""

    name: str
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function card applied to arguments.

    `function` is the registered name (operators have names such as `==`, `has`, `and`); `types`
    are the parameter types that were chosen, to which the arguments are converted when lowered;
    None leaves an argument as it is.
    """

    function: str
    args: tuple[Expr, ...]
    types: tuple[ScalarType | None, ...] = ()
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate card applied: gives the columns `names` (more than one for arg_max(…, *))."""

    function: str
    args: tuple[Expr, ...]
    types: tuple[ScalarType | None, ...]
    columns: Schema
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class SortKey:
    value: Expr
    descending: bool
    nulls_first: bool


# ---- relations ------------------------------------------------------------------------------


_FIELDS: dict[type, tuple[str, ...]] = {}


def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a node's class without its schema, which holds neither relation nor expression.

    Each rule asks this of each node, and `dataclasses.fields` looks it up anew each time.
    """
    known = _FIELDS.get(kind)
    if known is None:
        known = _FIELDS[kind] = tuple(f.name for f in fields(kind) if f.name != "schema")
    return known


@dataclass(frozen=True, slots=True)
class Rel:
    """A table: rows in the order that `ordered` says, or in none."""

    schema: Schema

    @property
    def inputs(self) -> tuple[Rel, ...]:
        """The relations that this one reads."""
        values = [getattr(self, name) for name in field_names(type(self))]
        several = [v for v in values if type(v) is tuple and v and isinstance(v[0], Rel)]
        return (*(v for v in values if isinstance(v, Rel)), *(r for rels in several for r in rels))

    @property
    def serialized(self) -> bool:
        """Whether rows have a fixed order that `prev()` and its kin may rely on."""
        return False

    def names(self) -> list[str]:
        return [c.name for c in self.schema]

    def column(self, name: str) -> Column | None:
        return next((c for c in self.schema if c.name == name), None)


@dataclass(frozen=True, slots=True)
class PathColumn:
    """A column that a scan makes of the values at `keys` of its dynamic column `column`, converted to `type`."""

    name: str
    column: str
    keys: tuple[str, ...]
    type: ScalarType


@dataclass(frozen=True, slots=True)
class Scan(Rel):
    """A stored table, or a table that the caller bound by name.

    `time_range` (µs, inclusive, None = open) and `terms` (what a file must hold to matter, None =
    anything) only help to skip files; `columns` None means all.
    Columns of the schema that are named in `paths` are paths of dynamic columns (`rewrite.shredded`).
    """

    table: str
    time_range: tuple[int | None, int | None] = (None, None)
    numbered: bool = False  # rows can be told apart by `_Writer` and `_Sequence`
    paths: tuple[PathColumn, ...] = ()
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Values(Rel):
    """Rows that are written in the query; each cell a Const value of the column's type.

    `frame` holds rows that are already computed (a border of `query.run`), in the backend's form.
    """

    rows: tuple[tuple[Any, ...], ...] = ()
    frame: Any = field(default=None, compare=False)
    ordered: bool = True

    @property
    def serialized(self) -> bool:
        return self.ordered


ONE_ROW = Values((), ((),))
"""One row without columns: what constants are bound over."""


@dataclass(frozen=True, slots=True)
class Range(Rel):
    """`range X from a to b step c`: constants."""

    start: Const
    stop: Const
    step: Const

    @property
    def serialized(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Filter(Rel):
    source: Rel
    condition: Expr

    @property
    def serialized(self) -> bool:
        return self.source.serialized


@dataclass(frozen=True, slots=True)
class Project(Rel):
    """Columns computed from `source`, in order; `extend` is a Project that keeps what was there."""

    source: Rel
    columns: tuple[tuple[str, Expr], ...]

    @property
    def serialized(self) -> bool:
        return self.source.serialized


@dataclass(frozen=True, slots=True)
class Summarize(Rel):
    """Groups by `keys`, aggregates in each; without keys one row, also for no input."""

    source: Rel
    keys: tuple[tuple[str, Expr], ...]
    aggregates: tuple[Aggregate, ...]


@dataclass(frozen=True, slots=True)
class Distinct(Rel):
    source: Rel


@dataclass(frozen=True, slots=True)
class Sort(Rel):
    source: Rel
    keys: tuple[SortKey, ...]

    @property
    def serialized(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Limit(Rel):
    """The first `count` rows, any rows where the source has no order."""

    source: Rel
    count: int

    @property
    def serialized(self) -> bool:
        return self.source.serialized


@dataclass(frozen=True, slots=True)
class TopRows(Rel):
    """`Limit(Sort(…))` in two steps: `narrow` finds which rows, `wide` then fetches just them.

    `narrow` gives `_Writer`, `_Sequence` and, if the table has it, `__time` of the rows; `wide` has all
    their columns beside `_Writer` and `_Sequence`; `keys` order them.
    """

    narrow: Rel
    wide: Rel
    keys: tuple[SortKey, ...]

    @property
    def serialized(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Serialize(Rel):
    source: Rel

    @property
    def serialized(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Join(Rel):
    """`kind` is one of innerunique, inner, leftouter, rightouter, fullouter, leftanti, leftsemi,
    rightanti, rightsemi. `on` pairs left and right column names. `left_names`/`right_names` say
    under which output name each side's column goes on (None: not in the output).
    """

    left: Rel
    right: Rel
    kind: str
    on: tuple[tuple[str, str], ...]
    left_names: tuple[tuple[str, str], ...]
    right_names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Union(Rel):
    """All rows of all parts; each part already has exactly this schema."""

    parts: tuple[Rel, ...]


@dataclass(frozen=True, slots=True)
class Unnest(Rel):
    """`mv-expand`: the columns `expand` (name, type) of `source` become one row an element.

    `index` names the item-index column; `bag_as_array` is bagexpansion=array; `limit` rows a row.
    """

    source: Rel
    expand: tuple[tuple[str, ScalarType], ...]
    index: str | None = None
    bag_as_array: bool = False
    limit: int | None = None

    @property
    def serialized(self) -> bool:
        return self.source.serialized


@dataclass(frozen=True, slots=True)
class Shared(Rel):
    """A relation that more than one node reads, and that is to be computed once.

    `materialize()` makes it, and `rewrite.shared` for what a plan has twice: every reader then holds
    the very same node. `number` tells the shared relations of a query apart. A backend that cannot keep
    rows may lower it as `source`, except that what differs from run to run (`rand()`) would differ; of
    that the binder has made `Values`.
    """

    source: Rel
    number: int

    @property
    def serialized(self) -> bool:
        return self.source.serialized


# ---- walking --------------------------------------------------------------------------------


def walk(rel: Rel) -> Iterator[Rel]:
    """`rel` and everything below it, top first."""
    yield rel
    for source in rel.inputs:
        yield from walk(source)


def expressions_of(rel: Rel) -> Iterator[Expr]:
    """The expressions that the node itself holds, each whole; not those of its inputs."""
    for name in field_names(type(rel)):
        yield from _expressions_in(getattr(rel, name))


def _expressions_in(value: Any) -> Iterator[Expr]:
    if isinstance(value, Expr):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _expressions_in(item)
    elif not isinstance(value, _PLAIN) and hasattr(value, "__dataclass_fields__"):
        for name in field_names(type(value)):
            yield from _expressions_in(getattr(value, name))


_PLAIN = (str, Column, Rel, type)


def map_inputs(rel: Rel, change: Callable[[Rel], Rel]) -> Rel:
    """The same node over changed inputs (the node itself when nothing changed)."""
    changes: dict[str, Any] = {}
    for name in field_names(type(rel)):
        value = getattr(rel, name)
        if isinstance(value, Rel):
            new: Any = change(value)
            if new is not value:
                changes[name] = new
        elif type(value) is tuple and value and isinstance(value[0], Rel):
            new = tuple(change(v) for v in value)
            if any(a is not b for a, b in zip(new, value, strict=True)):
                changes[name] = new
    return replace(rel, **changes) if changes else rel


def map_expr(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """`change` applied bottom-up to `expr` and all its arguments."""
    if isinstance(expr, Call):
        args = tuple(map_expr(a, change) for a in expr.args)
        if any(a is not b for a, b in zip(args, expr.args, strict=True)):
            expr = replace(expr, args=args)
    return change(expr)


def map_columns(rel: Project, change: Callable[[Expr], Expr]) -> Project:
    """The projection with changed expressions; columns that are handed on, nearly all of a wide table's, stay."""
    columns = [c if type(c[1]) is Col else _changed(c, change) for c in rel.columns]
    return rel if all(map(is_, columns, rel.columns)) else replace(rel, columns=tuple(columns))


def _changed(column: tuple[str, Expr], change: Callable[[Expr], Expr]) -> tuple[str, Expr]:
    made = change(column[1])
    return column if made is column[1] else (column[0], made)


def columns_of(expr: Expr) -> set[str]:
    """Names of the columns that `expr` reads."""
    if isinstance(expr, Col):
        return {expr.name}
    if isinstance(expr, Call):
        found: set[str] = set()
        for a in expr.args:
            found |= columns_of(a)
        return found
    return set()


def columns_of_all(exprs: Iterable[Expr]) -> set[str]:
    """Names of the columns that any of `exprs` reads."""
    found: set[str] = set()
    for expr in exprs:
        if type(expr) is Col:
            found.add(expr.name)
        else:
            found |= columns_of(expr)
    return found


def unique(name: str, taken: Collection[str]) -> str:
    """`name`, or `name1`, `name2`, … whichever is free.

    Examples
    --------
    >>> unique("Key", {"Key", "Key1"})
    'Key2'
    """
    if name not in taken:
        return name
    number = 1
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"
