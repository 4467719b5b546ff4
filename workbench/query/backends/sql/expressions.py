"""Expressions and aggregates of a plan as SQL trees: the card, its arguments, their conversions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.query.functions import AGGREGATES, FUNCTIONS, Card
from workbench.query.functions import _sql as build
from workbench.query.functions._sql import Unsayable
from workbench.query.functions._sql_cast import canonical, converted, literal
from workbench.query.functions._unsayable import SHOWN, function_reason
from workbench.query.lowering import Form, SqlFrame, SqlValue
from workbench.query.plan import Aggregate, Call, Col, Const, Expr

if TYPE_CHECKING:
    from sqlglot import exp

    from workbench.query.backends.sql.context import SqlContext


def value(expr: Expr, frame: SqlFrame, context: SqlContext) -> SqlValue:
    """An expression over `frame`, in whatever form it comes.

    Raises
    ------
    WorkbenchError
        KQL306: something in it can't be said.
    """
    if isinstance(expr, Col):
        return SqlValue(context.column(expr.name), expr.type, frame.forms.get(expr.name, Form.CANONICAL))
    try:
        if isinstance(expr, Const):
            return SqlValue(literal(expr.value, expr.type), expr.type)
        assert isinstance(expr, Call)
        if expr.function == "convert":
            return converted(context.let(value(expr.args[0], frame, context), frame), expr.type)
        card = FUNCTIONS.get(expr.function)
        assert card is not None  # the binder found it
        return _applied(card, expr, [context.let(value(a, frame, context), frame) for a in expr.args])
    except Unsayable as unsayable:
        raise _refusal(expr, str(unsayable), context) from None


def _refusal(expr: Expr, reason: str, context: SqlContext) -> WorkbenchError:
    what = "a constant"
    if isinstance(expr, Call):
        what = called(expr.function) if expr.function != "convert" else f"a conversion to {expr.type.value}"
    span = getattr(expr, "span", None)
    return diagnostics.not_in_sql(what, context.engine.name, reason, span if span and span.end else None)


def called(name: str) -> str:
    """A function or operator as the user knows it."""
    if name in SHOWN:
        return SHOWN[name]
    return f"{name}()" if name[0].isalpha() and name.replace("_", "").isalnum() else f"'{name}'"


def _ready(types: tuple[Any, ...], values: list[SqlValue]) -> list[SqlValue]:
    types = types or (None,) * len(values)
    return [v if t is None else converted(v, t) for v, t in zip(values, types, strict=True)]


def _applied(card: Card, call: Call, values: list[SqlValue]) -> SqlValue:
    implementation = card.implementation
    if hasattr(implementation, "sql_lower"):
        found: SqlValue = implementation.sql_lower(_ready(call.types, values), call.args, call.type)
        return found
    if not hasattr(implementation, "sql"):
        raise Unsayable(function_reason(card))
    ready = _ready(call.types, values)
    return SqlValue(_called(card, call.args, ready), call.type)


def _called(card: Card, args: tuple[Expr, ...], ready: list[SqlValue]) -> exp.Expr:
    """`sql` of the card with canonical trees, constants as Python values."""
    signature = card.signature(len(args))
    given: list[Any] = []
    for i, (v, arg) in enumerate(zip(ready, args, strict=True)):
        param = signature.at(i)
        constant = param is not None and param.constant and isinstance(arg, Const)
        given.append(arg.value if constant else canonical(v))  # type: ignore[attr-defined]
    more = {"types": [v.type for v in ready]} if _wants_types(card.implementation.sql) else {}
    tree: exp.Expr = card.implementation.sql(*given, **more)
    return tree


@lru_cache(maxsize=1024)
def _wants_types(function: Callable[..., Any]) -> bool:
    return "types" in inspect.signature(function).parameters


def predicate(expr: Expr, frame: SqlFrame, context: SqlContext) -> exp.Expr:
    """A condition for WHERE, in which null may stand for false: shorter, and what a reader of files can use."""
    if isinstance(expr, Call):
        if expr.function in ("and", "or"):
            parts = [predicate(a, frame, context) for a in expr.args]
            return build.all_of(*parts) if expr.function == "and" else build.any_of(*parts)
        card = FUNCTIONS.get(expr.function)
        sql_filter = getattr(card.implementation, "sql_filter", None) if card else None
        if sql_filter is not None:
            values = [context.let(value(a, frame, context), frame) for a in expr.args]
            try:
                found: exp.Expr | None = sql_filter(_ready(expr.types, values), expr.args)
            except Unsayable as unsayable:
                raise _refusal(expr, str(unsayable), context) from None
            if found is not None:
                return found
    return context.canonical(expr, frame)


def aggregate(node: Aggregate, frame: SqlFrame, context: SqlContext) -> list[SqlValue]:
    """The columns of an aggregate, as aggregating trees."""
    card = AGGREGATES.get(node.function)
    assert card is not None  # the binder found it
    try:
        ready = _ready(node.types, [context.let(value(a, frame, context), frame) for a in node.args])
        implementation = card.implementation
        if hasattr(implementation, "sql_many"):
            found: list[SqlValue] = implementation.sql_many(ready, node)
            return found
        if hasattr(implementation, "sql_lower"):
            return [implementation.sql_lower(ready, node.args, node.columns[0].type)]
        if not hasattr(implementation, "sql"):
            raise Unsayable(function_reason(card))
        return [SqlValue(_called(card, node.args, ready), node.columns[0].type)]
    except Unsayable as unsayable:
        span = node.span if node.span.end else None
        raise diagnostics.not_in_sql(
            f"{node.function}()", context.engine.name, str(unsayable), span
        ) from None
