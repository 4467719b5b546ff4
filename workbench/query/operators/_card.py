"""Operator cards: one tabular operator, one file: its syntax node, how it is read, what it means.

    @operator("take", syntax="take N", aliases=("limit",))
    class Take:
        '''The first N rows, any rows where there is no order.'''
        @staticmethod
        def parse(p: ParserApi, keyword: Token) -> TakeSyntax: ...
        @staticmethod
        def bind(s: TakeSyntax, source: Rel, b: BinderApi) -> Rel: ...

`bind` makes core nodes of `workbench.query.plan`; where none fits, the file has its own `Rel` and
registers its lowerings on `workbench.query.lowering.to_polars` (and `to_sql`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import Registry
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.plan import Aggregate, Expr, Rel, SortKey
from workbench.query.syntax import Operator as OperatorSyntax

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")


class ParserApi(Protocol):
    """What an operator may ask of the parser (see `parser.tokens` and `parser.statements`)."""

    text: str

    @property
    def last_span(self) -> Span: ...
    def peek(self, ahead: int = 0) -> Token: ...
    def next(self) -> Token: ...
    def mark(self) -> int: ...
    def rewind(self, place: int) -> None: ...
    def accept(self, *marks: str) -> Token | None: ...
    def accept_word(self, *words: str) -> Token | None: ...
    def expect(self, mark: str) -> Token: ...
    def expect_word(self, *words: str) -> Token: ...
    def list_of(self, item: Callable[[], T], trailing: str | None = None) -> list[T]: ...
    def name(self) -> Token: ...
    def name_pattern(self) -> Token: ...
    def type_name(self) -> ScalarType: ...
    def typeof(self) -> ScalarType: ...
    def column_list(self) -> tuple[tuple[str, ScalarType], ...]: ...
    def options(self, operator: str, allowed: Collection[str]) -> dict[str, str | int | bool]: ...
    def literal(self) -> syntax.Literal: ...
    def expression(self) -> syntax.Expression: ...
    def unnamed_expression(self) -> syntax.Expression: ...
    def named_expression(self) -> syntax.Expression: ...
    def sort_keys(self) -> tuple[syntax.Ordered, ...]: ...
    def pipeline(self) -> syntax.Pipeline: ...
    def pipeline_or_expression(self) -> syntax.Expression: ...
    def block(self) -> syntax.FunctionBody: ...
    def operators_only(self) -> tuple[syntax.Operator, ...]: ...


class BinderApi(Protocol):
    """What an operator may ask of the binder. `row` is the relation whose columns are in reach."""

    def expr(self, node: syntax.Expression, row: Rel) -> Expr:
        """A scalar expression over `row`."""

    def predicate(self, node: syntax.Expression, row: Rel) -> Expr:
        """A scalar expression that is a bool."""

    def constant(self, node: syntax.Expression, what: str, type_: ScalarType | None = None) -> Any:
        """The Python value of an expression that has to be constant (KQL204), converted to `type_`."""

    def fold(self, expr: Expr) -> Expr:
        """A Const where `expr` reads no column; else `expr`."""

    def call(self, function: str, *args: Expr, span: Span | None = None) -> Expr:
        """A function card applied to bound arguments, overload chosen."""

    def convert(self, expr: Expr, type_: ScalarType) -> Expr:
        """`expr` as that type."""

    def columns(
        self,
        nodes: Sequence[syntax.Expression],
        row: Rel,
        *,
        beside: Collection[str] = (),
        printed: bool = False,
        replacing: bool = False,
    ) -> list[tuple[str, Expr]]:
        """Named columns of a projection, names given, inferred or `Column<n>`; `*` expands.

        An inferred name does not take one of `beside` (what `serialize` keeps); `printed`: `print_<n>`;
        `replacing`: what is made of one column takes its place (`extend`)."""

    def aggregates(self, nodes: Sequence[syntax.Expression], row: Rel, keys: Sequence[tuple[str, Expr]]) -> tuple[tuple[Aggregate, ...], list[tuple[str, Expr]]]:  # fmt: skip
        """Aggregates to compute beside `keys`, and the columns made of them (Col or expressions over them)."""

    def sort_keys(self, keys: Sequence[syntax.Ordered], row: Rel) -> tuple[SortKey, ...]: ...

    def result_name(self, node: syntax.Expression, row: Rel) -> str | None:
        """The automatic name of an expression, None where it has none."""

    def table(self, node: syntax.Expression | syntax.Pipeline) -> Rel:
        """A tabular expression."""

    def is_table(self, node: syntax.Expression, row: Rel) -> bool:
        """Whether an argument over `row` is a table rather than a value."""

    def pipe(self, source: Rel, operators: Sequence[syntax.Operator]) -> Rel:
        """`source | operators`."""

    def tables_matching(self, star: syntax.Star) -> list[tuple[str, Rel]]:
        """Stored tables and tabular lets whose name fits a pattern with `*`; behind a place stored ones only."""

    def movable(self, expr: Expr) -> bool:
        """Whether the value of a row is the same, and as harmless, wherever the row passes by."""

    def evaluate(self, rel: Rel) -> pl.DataFrame:
        """Run `rel` now (canonical forms): a border where columns depend on data."""

    def folders(self) -> Sequence[str]:
        """Folders whose files `externaldata` may read."""

    def invoke(self, call: syntax.Call, source: Rel) -> Rel:
        """A let function with a table as its first argument."""

    def block(self, body: syntax.FunctionBody) -> Rel:
        """The table of a body without parameters, whose statements hold in it alone."""

    def label(self, node: syntax.Expression) -> str | None:
        """What `withsource` calls a table: a stored table's name, a view's, that of `as`; else None."""

    def declare(self, name: str, rel: Rel) -> None:
        """Name a relation for the rest of the query (`as`)."""

    def given(self, name: str, value: Expr) -> AbstractContextManager[None]:
        """A stretch of binding in which a name stands for a value."""

    def render(self, kind: str, properties: Mapping[str, Any]) -> None:
        """What `render` asks for."""

    def fail(self, error: WorkbenchError) -> WorkbenchError:
        """The error, told the text it points into."""


@dataclass(frozen=True, slots=True)
class OperatorCard:
    """A registered operator; `source` ones may start a pipeline."""

    name: str
    syntax: str
    doc: str
    parse: Callable[[Any, Token], OperatorSyntax]
    bind: Callable[[Any, Any, Any], Rel]
    source: bool = False


OPERATORS: Registry[OperatorCard] = Registry("operator")

C = TypeVar("C", bound=type)


def operator(name: str, *, syntax: str, aliases: Sequence[str] = (), source: bool = False) -> Callable[[C], C]:  # fmt: skip
    """Register a tabular operator."""

    def register(cls: C) -> C:
        card = OperatorCard(name, syntax, inspect.getdoc(cls) or "", cls.parse, cls.bind, source)  # type: ignore[attr-defined]
        for n in (name, *aliases):
            OPERATORS.add(n, card, cls.__module__)
        return cls

    return register


def schema_of(columns: Sequence[tuple[str, Expr]], source: Rel | None = None) -> Schema:
    """Schema of projected columns; a column of `source` that keeps its name stays hidden if it was."""
    from workbench.base.dtypes import Column

    hidden = {c.name for c in source.schema if c.hidden} if source is not None else set()
    return tuple(Column(n, e.type, n in hidden) for n, e in columns)


MOST_ROWS = 2**32 - 2
"""More rows than this no frame can have."""


def whole_number(b: BinderApi, node: syntax.Expression, what: str) -> int:
    """The value of a constant that says how many; null is none."""
    value = b.constant(node, what)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        kind = "a text" if isinstance(value, str) else f"{value!r}"
        raise diagnostics.wrong_type(what, "a whole number", kind, node.span)
    return min(max(0, value or 0), MOST_ROWS)
