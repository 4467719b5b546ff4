"""Where a plan meets an engine: the dispatchers and what passes through them. Imports no engine.

A value has a KQL type and a *form*, which is how an engine holds it. The canonical forms are:
bool, int, long, real as themselves; decimal as a decimal number; string without nulls; datetime and
timespan as Int64 ticks of 100 ns; dynamic as compact JSON text (null for null); guid as text. Other
forms save work where nobody needs the canonical one; `functions.forms` converts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Protocol

from workbench.base.dtypes import ScalarType
from workbench.query.plan import Expr, Rel

if TYPE_CHECKING:
    import polars as pl
    from sqlglot import exp


class Form(Enum):
    """How an engine holds a value."""

    CANONICAL = "canonical"
    MICROSECONDS = "microseconds"  # datetime as Datetime("us", "UTC"), timespan as Duration("us")
    NULLABLE = "nullable"  # string in which null stands for ""
    RAW = "raw"  # dynamic as text that is still to be parsed, "" or null for null


@dataclass(frozen=True, slots=True)
class Value:
    """A lowered expression: the engine's expression, its KQL type and form.

    `as_text` is what `tostring` gives of it, where there is a shorter way than through `expr`.
    """

    expr: pl.Expr
    type: ScalarType
    form: Form = Form.CANONICAL
    as_text: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A lowered relation: a lazy frame whose columns have the schema's names, and their forms."""

    lazy: pl.LazyFrame
    forms: Mapping[str, Form]


@dataclass(frozen=True, slots=True)
class SqlValue:
    """The same for the second lowering: a sqlglot tree, its KQL type and form.

    Datetimes in microseconds are TIMESTAMPTZ, timespans BIGINT; a plain SQL null is null in every form.
    """

    expr: exp.Expr
    type: ScalarType
    form: Form = Form.CANONICAL


@dataclass(frozen=True, slots=True)
class SqlFrame:
    """A relation lowered to SQL: the name of its common table expression and the forms of its columns.

    Where `ordered`, the table has the column `lowering.ORDER` beside those of the schema: its rows are in
    that order.
    """

    table: str
    forms: Mapping[str, Form]
    ordered: bool = False


ORDER = "__order"


class PolarsContext(Protocol):
    """What a lowering may ask for, so that operators need not know the backend."""

    def frame(self, rel: Rel) -> Frame:
        """Lower an input."""

    def value(self, expr: Expr, frame: Frame) -> Value:
        """Lower an expression over `frame`, in whatever form it comes."""

    def canonical(self, expr: Expr, frame: Frame) -> pl.Expr:
        """Lower an expression over `frame` in the canonical form of its type."""

    def canonical_frame(self, rel: Rel) -> pl.LazyFrame:
        """Lower an input with every column in canonical form."""

    def collect(self, lazy: pl.LazyFrame, stored: bool = False) -> pl.DataFrame:
        """Run what precedes a border (the number of its columns or rows decides what follows)."""

    def warn(self, sentence: str) -> None:
        """Tell the user, beside the rows, what they do not show."""


@singledispatch
def to_polars(rel: Rel, context: PolarsContext) -> Frame:
    """The relation as a Polars frame; each node registers itself."""
    raise AssertionError(f"no Polars lowering for {type(rel).__name__}")


@singledispatch
def to_sql(rel: Rel, context: Any) -> Any:
    """The relation as a sqlglot query; each node registers itself."""
    raise AssertionError(f"no SQL lowering for {type(rel).__name__}")
