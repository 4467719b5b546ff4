"""Scalar expressions: names, literals, paths, operators."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.binder import calls, places, several
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import FunctionEntry, ScalarEntry, TableEntry
from workbench.query.plan import (
    ONE_ROW,
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Limit,
    Project,
    Rel,
    Serialize,
    Shared,
    Sort,
    Unnest,
    Values,
)


def bind(b: Inside, node: syntax.Expression, row: Rel) -> Expr:
    """The typed expression of `node` over the columns of `row`."""
    return _bind(node, b, row)


@singledispatch
def _bind(node: syntax.Expression, b: Inside, row: Rel) -> Expr:
    raise diagnostics.expected("an expression", type(node).__name__.lower(), node.span)


@_bind.register(syntax.Literal)
def _(node: syntax.Literal, b: Inside, row: Rel) -> Expr:
    value = node.value
    if node.type is ScalarType.DYNAMIC:
        value = _plain(value)
    return Const(node.type, value, node.span)


def _plain(value: Any) -> Any:
    """A dynamic literal with times as text."""
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


@_bind.register(syntax.Name)
def _(node: syntax.Name, b: Inside, row: Rel) -> Expr:
    column = row.column(node.name)
    if column is not None:
        return Col(column.type, column.name, node.span)
    entry = b.resolved(node.name)
    if isinstance(entry, ScalarEntry):
        return entry.expr
    if isinstance(entry, TableEntry):
        raise diagnostics.expected_scalar(node.span)
    if isinstance(entry, FunctionEntry):
        if all(p.default is not None for p in entry.body.parameters):
            return calls.bind_call(b, syntax.Call(node.span, node.name, (), node.span), row)
        raise diagnostics.bad_argument(node.name, "is a function, call it with parentheses", node.span)
    found = b.outside(node.name)
    if isinstance(found, Const):
        return Const(found.type, found.value, node.span)
    if isinstance(found, Values) or node.name in b.catalog.tables():
        raise diagnostics.expected_scalar(node.span)
    if _undecided(row):
        return Const(ScalarType.DYNAMIC, None, node.span)
    visible = [c.name for c in row.schema if not c.hidden]
    raise diagnostics.unknown_column(node.name, node.span, visible)


def _undecided(row: Rel) -> bool:
    """Whether columns come from data of which there are none (`bag_unpack` of no rows)."""
    if getattr(row, "undecided", False):
        return True
    if isinstance(row, Project):
        kept = {c.name for c in row.schema}
        return all(c.name in kept for c in row.source.schema) and _undecided(row.source)
    return isinstance(row, Filter | Sort | Limit | Serialize | Shared | Unnest) and _undecided(row.source)


@_bind.register(syntax.Lambda)
def _(node: syntax.Lambda, b: Inside, row: Rel) -> Expr:
    raise diagnostics.expected_scalar(node.span)


@_bind.register(syntax.Named)
def _(node: syntax.Named, b: Inside, row: Rel) -> Expr:
    return bind(b, node.value, row)


@_bind.register(syntax.Call)
def _(node: syntax.Call, b: Inside, row: Rel) -> Expr:
    return calls.bind_call(b, node, row)


@_bind.register(syntax.Qualified)
def _(node: syntax.Qualified, b: Inside, row: Rel) -> Expr:
    places.here(b, node.base)
    if b.looks_tabular(node, row):
        raise diagnostics.expected_scalar(node.span)
    return calls.bind_call(b, node.call, row)


@_bind.register(syntax.Unary)
def _(node: syntax.Unary, b: Inside, row: Rel) -> Expr:
    return calls.call(b, "unary -", [bind(b, node.operand, row)], node.span)


@_bind.register(syntax.Binary)
def _(node: syntax.Binary, b: Inside, row: Rel) -> Expr:
    if isinstance(node.left, syntax.Star):
        return _any_column(b, node, row)
    left, right = bind(b, node.left, row), bind(b, node.right, row)
    return calls.call(b, node.operator, [left, right], node.span)


def _any_column(b: Inside, node: syntax.Binary, row: Rel) -> Expr:
    """`* has "x"`: true where any column that can be text matches; `* !has "x"` where none does."""
    right = bind(b, node.right, row)
    negated = node.operator.startswith("!") and node.operator != "!="
    operator = node.operator[1:] if negated else node.operator
    terms = [
        calls.call(b, operator, [calls.convert(Col(c.type, c.name), ScalarType.STRING), right], node.span)
        for c in row.schema
        if not c.hidden
    ]
    found = _any(b, terms)
    return calls.call(b, "not", [found], node.span) if negated else found


def _any(b: Inside, terms: list[Expr]) -> Expr:
    if not terms:
        return Const(ScalarType.BOOL, False)
    while len(terms) > 1:
        joined = [calls.call(b, "or", [x, y], None) for x, y in zip(terms[::2], terms[1::2], strict=False)]
        terms = joined + ([terms[-1]] if len(terms) % 2 else [])
    return terms[0]


@_bind.register(syntax.Between)
def _(node: syntax.Between, b: Inside, row: Rel) -> Expr:
    value, low, high = (bind(b, n, row) for n in (node.value, node.low, node.high))
    if high.type is ScalarType.TIMESPAN and value.type is ScalarType.DATETIME:
        high = calls.call(b, "+", [low, high], node.high.span)
    above = calls.call(b, ">=", [value, low], node.span)
    below = calls.call(b, "<=", [value, high], node.span)
    both = calls.call(b, "and", [above, below], node.span)
    return calls.call(b, "not", [both], node.span) if node.negated else both


@_bind.register(syntax.InList)
def _(node: syntax.InList, b: Inside, row: Rel) -> Expr:
    operator, negated = node.operator.lstrip("!"), node.operator.startswith("!")
    if isinstance(node.value, syntax.Star):
        terms = [
            _in_list(b, node, operator, calls.convert(Col(c.type, c.name), ScalarType.STRING), row)
            for c in row.schema
            if not c.hidden
        ]
        found = _any(b, terms)
    else:
        found = _in_list(b, node, operator, bind(b, node.value, row), row)
    return calls.call(b, "not", [found], node.span) if negated else found


def _in_list(b: Inside, node: syntax.InList, operator: str, value: Expr, row: Rel) -> Expr:
    """`in` and its kin as a call of the card `in`, `in~`, `has_any` or `has_all`.

    The second argument is one dynamic constant (a list) where all items are constant, else each
    item is an argument of its own.
    """
    constants: list[Any] = []
    others: list[Expr] = []
    text = operator != "in" or value.type in (ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.GUID)
    wanted = ScalarType.STRING if operator != "in" else value.type
    if wanted is ScalarType.DYNAMIC:
        wanted = ScalarType.STRING
    for item in node.items:
        if _tabular(b, item):
            constants += _first_column(b, item, wanted)
            continue
        bound = b.fold(bind(b, item, row))
        if not isinstance(bound, Const):
            others.append(bound)
        elif isinstance(bound.value, list):
            constants += [_as_const(b, v, wanted) for v in bound.value if not isinstance(v, list | dict)]
        elif isinstance(bound.value, dict):
            constants += [_as_const(b, v, wanted) for v in bound.value.values()]
        elif bound.type is wanted or bound.value is None:
            constants.append(bound.value)
        else:
            # A real in a list of integers counts where it is a whole number.
            fraction = isinstance(bound.value, float) and not bound.value.is_integer()
            converted = b.fold(calls.convert(bound, wanted))
            if isinstance(converted, Const) and not (
                fraction and wanted in (ScalarType.INT, ScalarType.LONG)
            ):
                constants.append(converted.value)
    if value.type is not wanted and (text or others):
        value = calls.convert(value, wanted)
    listed = Const(ScalarType.DYNAMIC, constants, node.span)
    return Call(ScalarType.BOOL, operator, (value, listed, *others), (None,) * (2 + len(others)), node.span)


def _as_const(b: Inside, value: Any, wanted: ScalarType) -> Any:
    from workbench.base.dtypes import parse_datetime, parse_timespan

    if wanted is ScalarType.STRING:
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)
    if isinstance(value, str):
        if wanted is ScalarType.DATETIME:
            return parse_datetime(value)
        if wanted is ScalarType.TIMESPAN:
            return parse_timespan(value)
        if wanted.is_number:
            try:
                return float(value) if wanted in (ScalarType.REAL, ScalarType.DECIMAL) else int(value)
            except ValueError:
                return None
    if isinstance(value, float) and wanted in (ScalarType.LONG, ScalarType.INT):
        return int(value) if value.is_integer() else None
    return value


def _tabular(b: Inside, item: syntax.Expression) -> bool:
    if isinstance(item, syntax.Lambda):
        return True
    return b.looks_tabular(item, ONE_ROW)


def _first_column(b: Inside, item: syntax.Expression, wanted: ScalarType) -> list[Any]:
    rel = b.table(item)
    frame = b.evaluate(rel)
    column = next((c for c in rel.schema if not c.hidden), None)
    if column is None:
        return []
    values = frame[column.name].unique().to_list()
    if column.type is ScalarType.DYNAMIC:
        from workbench.query.functions.forms import loads

        spread: list[Any] = []
        for v in values:
            parsed = loads(v)
            spread += parsed if isinstance(parsed, list) else [parsed]
        return [_as_const(b, v, wanted) for v in spread]
    if column.type is wanted:
        return values
    if column.type.is_time:
        return values if wanted is column.type else [None]
    return [_as_const(b, v, wanted) for v in values]


@_bind.register(syntax.Member)
def _(node: syntax.Member, b: Inside, row: Rel) -> Expr:
    if isinstance(node.base, syntax.Name) and row.column(node.base.name) is None:
        if node.base.name in ("$left", "$right"):
            return bind(b, syntax.Name(node.span, node.name), row)
        whole = row.column(f"{node.base.name}.{node.name}")
        if whole is not None:
            return Col(whole.type, whole.name, node.span)
    return _path(b, node, bind(b, node.base, row), Const(ScalarType.STRING, node.name))


@_bind.register(syntax.Index)
def _(node: syntax.Index, b: Inside, row: Rel) -> Expr:
    selector = bind(b, node.selector, row)
    columns = several.columns_of_call(b, node.base, row)
    place = selector.value if isinstance(selector, Const) else None
    if columns is not None and isinstance(place, int) and 0 <= place < len(columns):
        return columns[place][1]
    return _path(b, node, bind(b, node.base, row), selector)


def _path(b: Inside, node: syntax.Expression, base: Expr, selector: Expr) -> Expr:
    if base.type is ScalarType.STRING:
        # Kusto's analyser refuses it, its engine parses the text: what users wrote works.
        base = calls.call(b, "parse_json", [base], node.span)
    if base.type is not ScalarType.DYNAMIC:
        raise diagnostics.wrong_type("a path", "a dynamic value", base.type.value, node.span)
    selector = b.fold(selector)
    if isinstance(base, Call) and base.function == "<path>" and isinstance(selector, Const):
        steps = base.args[1]
        assert isinstance(steps, Const)
        return Call(
            ScalarType.DYNAMIC, "<path>",
            (base.args[0], Const(ScalarType.DYNAMIC, [*steps.value, selector.value])), (None, None), node.span,
        )  # fmt: skip
    if isinstance(selector, Const):
        steps = Const(ScalarType.DYNAMIC, [selector.value])
        return Call(ScalarType.DYNAMIC, "<path>", (base, steps), (None, None), node.span)
    return calls.call(b, "element", [base, selector], node.span)


@_bind.register(syntax.Star)
def _(node: syntax.Star, b: Inside, row: Rel) -> Expr:
    raise diagnostics.expected("an expression", "'*'", node.span)
