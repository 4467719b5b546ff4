"""Function cards: one function, one place.

A card is a class with a docstring and one way to compute it; `@scalar` or `@aggregate` registers it:

    @scalar("strlen", [STRING], LONG)
    class Strlen:
        '''Number of characters, not bytes.'''
        @staticmethod
        def polars(s: pl.Expr) -> pl.Expr:
            return s.str.len_chars().cast(pl.Int64)

Ways to compute, the first that is there is taken:
`lower(values: list[Value], args, returns) -> Value` gets values in any form, and the plan's arguments
(a `Const` shows its value); `in_filter(values, args)` may give a condition for a filter, where null is false;
`polars(*args: pl.Expr) -> pl.Expr` gets canonical forms (see `lowering`), constants as Python values;
`row(*args) -> value` is called with Python values of one row (dynamic parsed, time as ticks) and
gives a Python value; it is not called when a non-string argument is null unless `nulls = True`.
A `types` keyword in `polars` or `row` asks for the argument types after conversion.
A scalar function of several columns (`array_sort_asc(a, b)`) gives an array and says their names and types
with `columns(names, types)`: see `binder/several.py`.
Aggregates have `polars` (an aggregating expression) or `group(*lists) -> value`, called with the
Python values of one group.
An aggregate that can be computed part by part says how: `partial(values, node) -> list[Value]` gives aggregating
expressions over the rows of a part (None: not for these arguments), `merge(values, node)` the same columns
for those of several parts together, `finish(values, node)` the aggregate's own columns from merged ones (they
are it where there is no `finish`). One that counts different values has `distinct(values, node) -> pl.Expr` instead:
the value of which each one that is not null counts once.

The second lowering, to SQL trees (DuckDB runs them: the oracle of tests/query/test_engines.py), is beside the first.
`sql(*args: _sql.Sql) -> _sql.Sql` gets sqlglot trees in canonical forms (datetime and timespan BIGINT ticks, strings never
null, dynamic compact JSON VARCHAR, decimal DECIMAL(38, 10), guid lower-case VARCHAR, int INTEGER, long BIGINT, real DOUBLE),
arguments declared `const` as Python values, and `types` if it asks for it, just as `polars` does:

    @staticmethod
    def sql(s: _sql.Sql) -> _sql.Sql:
        return _sql.cast(_sql.func("length", s), "BIGINT")

`sql_lower(values: list[SqlValue], args, returns) -> SqlValue` gets values in any form, as `lower` does; `sql_filter(values,
args) -> Sql | None` is `in_filter`; `sql_many(values, node) -> list[SqlValue]` is `many`. All give exactly what the first
lowering gives, nulls, NaN and overflow included, in SQL's type of the result (a cast where DuckDB's own differs); text
is never null. Trees are made with the builders of `functions/_sql.py`, values converted with `functions/_sql_cast.py`;
what cannot be said for some arguments raises `_sql.Unsayable` with a reason of `_unsayable`. An aggregate's `sql` gives an aggregating
tree: `_sql.func("sum", x)`, `_sql.where(tree, condition)` for the `…if` kinds, `_sql.in_order(tree)` where the order of rows
matters; a window function's uses `_sql.over`. Why it has none a card says in `no_sql`,
its module in `NO_SQL` for the whole family (`_unsayable`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from workbench.base.dtypes import NUMBERS, ScalarType
from workbench.base.registry import Registry

BOOL, INT, LONG, REAL, DECIMAL = (ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL)  # fmt: skip
STRING, DATETIME, TIMESPAN = ScalarType.STRING, ScalarType.DATETIME, ScalarType.TIMESPAN
DYNAMIC, GUID = ScalarType.DYNAMIC, ScalarType.GUID

_EVERY = frozenset(ScalarType)


@dataclass(frozen=True, slots=True)
class Param:
    """What an argument may be.

    `types` are taken as they are; any other type is converted to `types`' widest if it can be.
    `constant`: the lowering gets a Python value, the binder demands a constant.
    """

    types: frozenset[ScalarType]
    optional: bool = False
    repeat: bool = False
    constant: bool = False

    @property
    def kept(self) -> bool:
        """Whether more than one type is taken as it is."""
        return len(self.types) > 1


ParamLike = Param | ScalarType
ANY = Param(_EVERY)
NUMBER = Param(NUMBERS)
INTEGER = Param(frozenset({INT, LONG}))
TEXT_LIKE = Param(frozenset({STRING, DYNAMIC}))
TIME = Param(frozenset({DATETIME, TIMESPAN}))


def _param(like: ParamLike) -> Param:
    return like if isinstance(like, Param) else Param(frozenset({like}))


def opt(like: ParamLike) -> Param:
    """The argument may be left out."""
    p = _param(like)
    return Param(p.types, optional=True, constant=p.constant)


def rep(like: ParamLike, *, least: int = 1) -> Param:
    """The last argument, any number of times (`least` 0 or 1)."""
    p = _param(like)
    return Param(p.types, optional=least == 0, repeat=True, constant=p.constant)


def const(like: ParamLike) -> Param:
    """The argument is a constant; the lowering gets its Python value."""
    p = _param(like)
    return Param(p.types, optional=p.optional, repeat=p.repeat, constant=True)


Returns = ScalarType | Callable[[Sequence[ScalarType]], ScalarType]


def same(types: Sequence[ScalarType]) -> ScalarType:
    """The type of the first argument."""
    return types[0]


_WIDTH = {INT: 0, LONG: 1, REAL: 2, DECIMAL: 3}


def widest(types: Iterable[ScalarType]) -> ScalarType | None:
    """The one type, or the widest of numbers, that all of `types` convert to; else None."""
    found = set(types)
    if len(found) == 1:
        return found.pop()
    if found and found <= NUMBERS:
        return max(found, key=_WIDTH.__getitem__)
    return None


def common(types: Sequence[ScalarType]) -> ScalarType:
    """The widest of all argument types; dynamic gives way to one other type, else wins."""
    concrete = [t for t in types if t is not DYNAMIC]
    return widest(concrete) or DYNAMIC


class Naming(Enum):
    """Which automatic column name a call gives its result (the analyser's ResultNameKind)."""

    NONE = "none"
    FIRST_ARGUMENT = "first argument"
    ONLY_ARGUMENT = "only argument"
    PREFIX_AND_FIRST = "prefix and first argument"
    PREFIX_ONLY = "prefix only"


@dataclass(frozen=True, slots=True)
class Signature:
    params: tuple[Param, ...]
    returns: Returns

    def at(self, index: int) -> Param | None:
        """The parameter that takes argument `index`."""
        if index < len(self.params):
            return self.params[index]
        return self.params[-1] if self.params and self.params[-1].repeat else None

    @property
    def least(self) -> int:
        return sum(not p.optional for p in self.params)

    @property
    def most(self) -> int | None:
        return None if self.params and self.params[-1].repeat else len(self.params)

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)


@dataclass(frozen=True, slots=True)
class Card:
    """A registered function; see the module's docstring."""

    name: str
    signatures: tuple[Signature, ...]
    source: str
    implementation: Any
    naming: Naming = Naming.NONE
    prefix: str = ""
    aggregate: bool = False
    window: bool = False
    nulls: bool = False
    wants_types: bool = False
    aliases: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def doc(self) -> str:
        """The docstring, read late: families that make cards in a loop set it after registering."""
        return inspect.getdoc(self.implementation) or ""

    def signature(self, count: int) -> Signature:
        """The first overload that takes so many arguments."""
        return next((s for s in self.signatures if s.takes(count)), self.signatures[0])


FUNCTIONS: Registry[Card] = Registry("function")
AGGREGATES: Registry[Card] = Registry("aggregate")

C = TypeVar("C", bound=type)
Overloads = Sequence[tuple[Sequence[ParamLike], Returns]]


def _signatures(params: Sequence[ParamLike] | None, returns: Returns | None, overloads: Overloads | None) -> tuple[Signature, ...]:  # fmt: skip
    if overloads is None:
        assert params is not None
        assert returns is not None
        overloads = [(params, returns)]
    return tuple(Signature(tuple(_param(p) for p in ps), r) for ps, r in overloads)


def _card(cls: type, name: str, signatures: tuple[Signature, ...], **more: Any) -> Card:
    ways = ("lower", "polars", "row", "group")
    how = next((getattr(cls, w) for w in ways if hasattr(cls, w)), None)
    wants = how is not None and "types" in inspect.signature(how).parameters
    more.setdefault("source", f"Kusto reference: {name}()")
    return Card(
        name, signatures, implementation=cls, wants_types=wants, nulls=getattr(cls, "nulls", False), **more,
    )  # fmt: skip


def scalar(
    name: str,
    params: Sequence[ParamLike] | None = None,
    returns: Returns | None = None,
    *,
    overloads: Overloads | None = None,
    aliases: Sequence[str] = (),
    source: str | None = None,
    naming: Naming = Naming.NONE,
    prefix: str = "",
    window: bool = False,
) -> Callable[[C], C]:
    """Register a scalar function. `overloads` is a list of (params, returns), tried in order."""

    def register(cls: C) -> C:
        more: dict[str, Any] = {"naming": naming, "prefix": prefix, "window": window}
        if source is not None:
            more["source"] = source
        card = _card(cls, name, _signatures(params, returns, overloads), aliases=tuple(aliases), **more)
        for n in (name, *aliases):
            FUNCTIONS.add(n, card, cls.__module__)
        return cls

    return register


def aggregate(
    name: str,
    params: Sequence[ParamLike] | None = None,
    returns: Returns | None = None,
    *,
    overloads: Overloads | None = None,
    aliases: Sequence[str] = (),
    prefix: str | None = None,
    naming: Naming = Naming.PREFIX_AND_FIRST,
    source: str | None = None,
) -> Callable[[C], C]:
    """Register an aggregate. `prefix` is what its automatic name starts with (`sum` → `sum_X`)."""

    def register(cls: C) -> C:
        more: dict[str, Any] = {"naming": naming, "prefix": name if prefix is None else prefix}
        if source is not None:
            more["source"] = source
        signatures = _signatures(params, returns, overloads)
        card = _card(cls, name, signatures, aggregate=True, aliases=tuple(aliases), **more)
        for n in (name, *aliases):
            AGGREGATES.add(n, card, cls.__module__)
        return cls

    return register
