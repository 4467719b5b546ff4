"""One SELECT while it is bound: the row its names are looked up in, what was found in it, the cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.binder import calls
from workbench.query.binder.projections import aggregates
from workbench.query.plan import Aggregate, Call, Col, Const, Expr, SortKey
from workbench.query.sql.reader import place
from workbench.query.sql.rows import Row

if TYPE_CHECKING:
    from workbench.query.binder.binder import Binder

T = ScalarType


@dataclass(slots=True)
class Whole:
    """What all SELECTs of a text share: KQL's binder, the tables of WITH, how subqueries are bound."""

    b: Binder
    text: str
    subquery: Callable[[exp.Query, Asking], Row]
    tables: dict[str, Row] = field(default_factory=dict)
    made: int = 0

    def fresh(self, what: str) -> str:
        """A column name that no text can write."""
        self.made += 1
        return f"${what}{self.made}"

    @contextmanager
    def inner(self) -> Iterator[None]:
        """A stretch in which WITH may add tables."""
        before = self.tables
        self.tables = dict(before)
        try:
            yield
        finally:
            self.tables = before


@dataclass(frozen=True, slots=True)
class Window:
    """`function(…) OVER (…)`, its parts bound, under the name of its column."""

    name: str
    function: str
    args: tuple[Expr, ...]
    by: tuple[Expr, ...]
    order: tuple[SortKey, ...]
    rows: bool  # the frame counts rows; else rows of equal order belong together
    bounded: bool  # up to the current row; else the whole partition
    type: ScalarType
    span: Span


@dataclass(slots=True)
class Asking:
    """A SELECT: expressions are bound in it one after the other.

    `where` names the clause for messages; aggregates and windows are collected where they may stand.
    """

    whole: Whole
    row: Row
    parent: Asking | None = None
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    aggregates: list[Aggregate] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    where: str = "SELECT"
    takes_aggregates: bool = False
    takes_windows: bool = False
    busy: set[str] = field(default_factory=set)

    @property
    def b(self) -> Binder:
        return self.whole.b

    def span(self, node: exp.Expr) -> Span:
        """Where a part is written; where it has no word of its own, that of the nearest around it."""
        seen: exp.Expr | None = node
        while seen is not None:
            found = place(seen)
            if found is not None:
                return found
            seen = seen.parent
        return Span(0, max(1, len(self.whole.text)))

    @contextmanager
    def clause(self, name: str, *, aggregates: bool = False, windows: bool = False) -> Iterator[None]:
        """A stretch of binding in another clause."""
        before = self.where, self.takes_aggregates, self.takes_windows
        self.where, self.takes_aggregates, self.takes_windows = name, aggregates, windows
        try:
            yield
        finally:
            self.where, self.takes_aggregates, self.takes_windows = before

    # ---- cards ------------------------------------------------------------------------------

    def call(self, function: str, *args: Expr, span: Span | None = None) -> Expr:
        """A card of KQL that is no special form."""
        return calls.call(self.b, function, list(args), span)

    def kql(self, function: str, args: Sequence[Expr], span: Span) -> Expr:
        """Any function of KQL, special forms and stored functions too, over bound arguments."""
        with self._given(args, span) as names:
            return self.b.expr(syntax.Call(span, function, names, span), self.row.rel)

    def aggregate(self, function: str, args: Sequence[Expr], span: Span) -> Col:
        """An aggregate of KQL; the same one is computed once."""
        name = self.whole.fresh("agg")
        with self._given(args, span) as names:
            node = syntax.Named(span, (name, f"{name}b"), syntax.Call(span, function, names, span))
            found, _ = aggregates(self.b, [node], self.row.rel, [])
        made = found[0]
        for other in self.aggregates:
            if (other.function, other.args, other.types) == (made.function, made.args, made.types):
                made = other
                break
        else:
            self.aggregates.append(made)
        return Col(made.columns[0].type, made.columns[0].name, span)

    @contextmanager
    def _given(self, args: Sequence[Expr], span: Span) -> Iterator[tuple[syntax.Expression, ...]]:
        names: list[syntax.Expression] = []
        with ExitStack() as stack:
            for arg in args:
                if isinstance(arg, Col) and self.row.rel.column(arg.name) is not None:
                    names.append(syntax.Name(arg.span, arg.name))
                    continue
                if isinstance(arg, Const):
                    names.append(syntax.Literal(arg.span, arg.value, arg.type))
                    continue
                name = self.whole.fresh("arg")
                stack.enter_context(self.b.given(name, arg))
                names.append(syntax.Name(getattr(arg, "span", span), name))
            yield tuple(names)

    # ---- small pieces -----------------------------------------------------------------------

    def all_of(self, terms: Sequence[Expr | None]) -> Expr | None:
        """All that are there joined by `and`, without a deep tree; None where there are none."""
        return self._joined("and", [t for t in terms if t is not None])

    def any_of(self, terms: Sequence[Expr | None]) -> Expr | None:
        return self._joined("or", [t for t in terms if t is not None])

    def _joined(self, operator: str, terms: list[Expr]) -> Expr | None:
        while len(terms) > 1:
            pairs = [self.call(operator, a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms = pairs + ([terms[-1]] if len(terms) % 2 else [])
        return terms[0] if terms else None

    def null_of(self, expr: Expr) -> Expr | None:
        """The condition that `expr` is null; None where it never is.

        Text is null only where it comes from a side without a partner, or from a value that is null.
        """
        if isinstance(expr, Const):
            return Const(T.BOOL, True) if expr.value is None else None
        if isinstance(expr, Col):
            if expr.type is not T.STRING:
                return self.call("isnull", expr)
            marker = self.row.marker(expr.name)
            column = self.row.rel.column(marker) if marker else None
            return self.call("isnull", Col(column.type, column.name)) if column is not None else None
        if not isinstance(expr, Call) or expr.function in _NEVER_NULL:
            return None
        if expr.type is not T.STRING:
            return self.call("isnull", expr)
        if expr.function == "iff":
            condition, then, otherwise = expr.args
            yes, no = self.null_of(then), self.null_of(otherwise)
            if yes is None and no is None:
                return None
            false = Const(T.BOOL, False)
            return self.call("iff", condition, yes or false, no or false)
        return self.any_of([self.null_of(a) for a in expr.args])

    def known(self, *exprs: Expr, text_only: bool = False) -> list[Expr]:
        """The conditions that none of `exprs` is null."""
        found = []
        for expr in exprs:
            null = None if text_only and expr.type is not T.STRING else self.null_of(expr)
            if null is not None:
                found.append(self.call("not", null))
        return found

    def null_where(self, null: Expr | None, expr: Expr) -> Expr:
        """`expr`, null where the condition holds."""
        return expr if null is None else self.call("iff", null, Const(expr.type, None), expr)

    def constant(self, expr: Expr) -> Const | None:
        folded = self.b.fold(expr)
        return folded if isinstance(folded, Const) else None


_NEVER_NULL = frozenset({"isnull", "isnotnull", "in", "isempty", "isnotempty", "strlen", "notnull"})


def columns_schema(columns: Sequence[tuple[str, Expr]], hidden: Sequence[str] = ()) -> tuple[Column, ...]:
    return tuple(Column(n, e.type, n in hidden) for n, e in columns)


def substituted(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """`expr` with the outermost parts replaced for which `change` gives something."""
    from dataclasses import replace

    new = change(expr)
    if new is not None:
        return new
    if isinstance(expr, Call):
        args = tuple(substituted(a, change) for a in expr.args)
        if any(a is not b for a, b in zip(args, expr.args, strict=True)):
            return replace(expr, args=args)
    return expr
