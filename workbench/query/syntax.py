"""Syntax nodes: what was written, each with its span. No names are looked up here.

Expressions are a closed set. A tabular operator brings its own node (a subclass of `Operator`,
beside its parser and binder in `workbench.query.operators`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span


@dataclass(frozen=True, slots=True)
class Node:
    """Anything that was written."""

    span: Span


# ---- expressions ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """Something that has a value."""


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A constant; `value` is None for null.

    datetime and timespan are ticks (int), dynamic is a Python value of JSON shape, guid is text,
    decimal is text.
    """

    value: Any
    type: ScalarType


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A column, a `let` name, a table or a parameter."""

    name: str
    quoted: bool = False


PLACES = frozenset(
    {"workspace", "app", "resource", "cluster", "database"}
)  # calls that say where a table lies


@dataclass(frozen=True, slots=True)
class Star(Expression):
    """`*`, or a name with wildcards such as `User*`; `place` says where such tables lie: `database("d").User*`."""

    pattern: str = "*"
    place: Expression | None = None


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """`name(arguments)`; arguments may be `Named` (for let functions and a few built-ins)."""

    name: str
    arguments: tuple[Expression, ...]
    name_span: Span


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    operator: str
    operand: Expression


WORD_OPERATORS = frozenset(
    {
        "and", "or", "in", "has", "has_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "contains", "contains_cs",
        "startswith", "startswith_cs", "endswith", "endswith_cs", "like", "like_cs", "notlike", "notlike_cs", "has_any", "has_all",
    }
)  # fmt: skip
"""Words that stand between two values; they can't be called."""


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """`left operator right` for arithmetic, comparison, text match, `and`, `or`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Between(Expression):
    value: Expression
    low: Expression
    high: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class InList(Expression):
    """`value in (items)` and its kin: in, !in, in~, !in~, has_any, has_all."""

    operator: str
    value: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """`base.name`; `quoted` when written `base.['name']`."""

    base: Expression
    name: str
    name_span: Span


@dataclass(frozen=True, slots=True)
class Qualified(Expression):
    """A call behind another: `cluster("c").database("d")`, `workspace("w").table("T")`."""

    base: Expression
    call: Call


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """`base[selector]`."""

    base: Expression
    selector: Expression


@dataclass(frozen=True, slots=True)
class Named(Expression):
    """`name = expression`, or `(a, b) = expression` with several names."""

    names: tuple[str, ...]
    value: Expression
    compound: bool = False


@dataclass(frozen=True, slots=True)
class Typed(Expression):
    """`name: type` or `name to typeof(type)` where an operator takes it; `expression` is the name."""

    value: Expression
    type: ScalarType


@dataclass(frozen=True, slots=True)
class Ordered(Expression):
    """A sort key; `descending` and `nulls_first` are None where not written."""

    value: Expression
    descending: bool | None = None
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Lambda(Expression):
    """A pipeline in parentheses where an expression may stand: `toscalar(T | count)`, `in (T)`."""

    pipeline: Pipeline


# ---- tabular --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operator(Node):
    """A tabular operator; `keyword` is its canonical name."""

    keyword: str


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """`source | operator | …`; a source is an expression or a source operator (`print`, `range`)."""

    source: Expression | Operator
    operators: tuple[Operator, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """A parameter of a function: scalar (`type`), or tabular (`columns`, None for `(*)`).

    `open` is written `(x: long, *)`; a table keeps the columns that are not named either way.
    """

    name: str
    type: ScalarType | None
    columns: tuple[tuple[str, ScalarType], ...] | None = None
    default: Expression | None = None
    open: bool = False

    @property
    def tabular(self) -> bool:
        return self.type is None


@dataclass(frozen=True, slots=True)
class FunctionBody(Node):
    """`(parameters) { statements; result }`."""

    parameters: tuple[Parameter, ...]
    statements: tuple[Statement, ...]
    result: Pipeline | Expression | None
    text: str = ""
    view: bool = False


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """Something that ends in a semicolon."""


@dataclass(frozen=True, slots=True)
class Let(Statement):
    name: str
    value: Pipeline | Expression | FunctionBody
    name_span: Span = field(default=Span(0, 0))


@dataclass(frozen=True, slots=True)
class SetOption(Statement):
    name: str
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class DeclareParameters(Statement):
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class PatternCase(Node):
    """`("a", "b").["path"] = { … }`: the values it fits, and what it stands for."""

    values: tuple[Expression, ...]
    path: Expression | None
    body: FunctionBody


@dataclass(frozen=True, slots=True)
class DeclarePattern(Statement):
    """`declare pattern NAME = (a: string)[path: string] { cases }`; without cases it only has a name."""

    name: str
    parameters: tuple[Parameter, ...]
    path: Parameter | None
    cases: tuple[PatternCase, ...]
    name_span: Span = field(default=Span(0, 0))


@dataclass(frozen=True, slots=True)
class AliasDatabase(Statement):
    """`alias database NAME = cluster("…").database("…")`."""

    name: str
    target: Expression


@dataclass(frozen=True, slots=True)
class Restrict(Statement):
    """`restrict access to (…)`: names, `Star` patterns, and `Member`s of databases with either."""

    entities: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Query(Node):
    """A whole text: statements, and pipelines, each of which gives a table of the answer."""

    statements: tuple[Statement, ...]
    pipelines: tuple[Pipeline, ...]
