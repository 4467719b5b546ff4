"""`make-series`: aggregates along an axis, as arrays with one element a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import MIN_DATETIME_TICKS, Column, ScalarType, Schema
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators._per_group import free_name
from workbench.query.plan import Aggregate, Col, Const, Expr, Filter, Project, Rel, Summarize, columns_of

T = ScalarType
_MOST = 2**20  # elements of a series


@dataclass(frozen=True, slots=True)
class MakeSeriesSyntax(syntax.Operator):
    """`inclusive`: written as `in range(…)`, which has its end inside and steps from zero."""

    aggregates: tuple[syntax.Expression, ...]
    defaults: tuple[syntax.Expression | None, ...]
    axis: syntax.Expression
    start: syntax.Expression | None
    stop: syntax.Expression | None
    step: syntax.Expression
    inclusive: bool
    keys: tuple[syntax.Expression, ...]
    nonempty: bool


@dataclass(frozen=True, slots=True)
class Binned(Rel):
    """`source` with the number of the step in which `axis` lies, counted from `anchor`."""

    source: Rel
    axis: Expr
    name: str
    anchor: Any
    step: Any

    @property
    def passing(self) -> frozenset[str]:
        """See `rewrite.push_down.Passing`."""
        return frozenset(self.source.names()) - {self.name}

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        below = None if needed is None else (needed - {self.name}) | columns_of(self.axis)
        source = prune(self.source, below)
        schema = (*source.schema, Column(self.name, T.LONG, True))
        return Binned(schema, source, self.axis, self.name, self.anchor, self.step)


@dataclass(frozen=True, slots=True)
class Series(Rel):
    """One row a combination of the columns `keys`; the columns `values` and the axis are arrays.

    `source` has one row a combination and step (column `place`). `first` and `last` are the numbers
    of the outermost steps, None where each series has its own. `nonempty`: a row also for no input.
    """

    source: Rel
    keys: tuple[str, ...]
    values: tuple[tuple[Column, Any], ...]
    place: str
    axis: Column
    anchor: Any
    step: Any
    first: int | None
    last: int | None
    nonempty: bool
    span: Span

    @property
    def passing(self) -> frozenset[str]:
        """See `rewrite.push_down.Passing`: each series is made of the rows with its keys."""
        return frozenset() if self.nonempty else frozenset(self.keys)

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        values = tuple(v for v in self.values if needed is None or v[0].name in needed)
        gone = {c.name for c, _ in self.values} - {c.name for c, _ in values}
        schema = tuple(c for c in self.schema if c.name not in gone)
        source = prune(self.source, {*self.keys, self.place, *(c.name for c, _ in values)})
        return replace(self, schema=schema, source=source, values=values)


@operator(
    "make-series",
    syntax="make-series [kind=nonempty] [NAME =] AGGREGATE [default=VALUE], … on AXIS [from START] [to END] step STEP [by KEY, …]",
)
class MakeSeries:
    """Aggregates for each step of an axis, as arrays; steps without rows have the default, 0.

    END is outside, START inside; a bound that is left out is where the data of each series end. In
    `in range(START, END, STEP)` the end is inside and steps are those of `bin()`.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> MakeSeriesSyntax:
        options = p.options("make-series", ("kind",))
        aggregates: list[syntax.Expression] = []
        defaults: list[syntax.Expression | None] = []
        while True:
            aggregates.append(p.named_expression())
            if p.accept_word("default"):
                p.expect("=")
                defaults.append(p.expression())
            else:
                defaults.append(None)
            if not p.accept(","):
                break
        p.expect_word("on")
        axis = p.named_expression()
        start, stop, step, inclusive = _bounds(p, axis)
        if isinstance(axis, syntax.InList):
            axis = axis.value
        keys = p.list_of(p.named_expression) if p.accept_word("by") else []
        return MakeSeriesSyntax(
            keyword.span.to(p.last_span), "make-series", tuple(aggregates), tuple(defaults), axis,
            start, stop, step, inclusive, tuple(keys), options.get("kind") == "nonempty",
        )  # fmt: skip

    @staticmethod
    def bind(s: MakeSeriesSyntax, source: Rel, b: BinderApi) -> Rel:
        axes = b.columns([s.axis], source)
        if len(axes) != 1:
            raise diagnostics.expected("one column to go by", f"{len(axes)}", s.axis.span)
        ((axis_name, axis),) = axes
        if axis.type not in (T.INT, T.LONG, T.REAL, T.DATETIME, T.TIMESPAN):
            raise diagnostics.wrong_type(
                "the axis of make-series", "times or numbers", axis.type.value, s.axis.span
            )
        axis = b.convert(axis, T.LONG if axis.type is T.INT else axis.type)
        step = b.constant(s.step, "the step", T.TIMESPAN if axis.type is T.DATETIME else axis.type)
        if step is None or step <= 0:
            raise diagnostics.bad_argument("make-series", "the step has to be greater than 0", s.step.span)
        source, start, stop = _cut(s, axis, source, b)
        anchor = MIN_DATETIME_TICKS if axis.type is T.DATETIME else 0
        if start is not None and not s.inclusive:
            anchor = start
        keys = b.columns(s.keys, source)
        place = free_name("__step", source)
        binned = Binned((*source.schema, Column(place, T.LONG, True)), source, axis, place, anchor, step)
        aggregates, made = b.aggregates(s.aggregates, binned, keys)
        if axis_name in {n for n, _ in (*keys, *made)}:
            raise diagnostics.name_declared_twice(axis_name, s.axis.span)
        by = [*keys, (place, Col(T.LONG, place))]
        values = tuple(
            (Column(n, e.type), _default(node, e.type, b))
            for node, (n, e) in zip(s.defaults, made, strict=True)
        )
        arrays = [*(c.name for c, _ in values), axis_name]
        schema: Schema = (*(Column(n, e.type) for n, e in keys), *(Column(n, T.DYNAMIC) for n in arrays))
        return Series(
            schema, _steps(binned, by, aggregates, made), tuple(n for n, _ in keys), values, place,
            Column(axis_name, axis.type), anchor, step, *_outermost(start, stop, step, anchor, s), s.nonempty, s.span,
        )  # fmt: skip


def _cut(s: MakeSeriesSyntax, axis: Expr, source: Rel, b: BinderApi) -> tuple[Rel, Any, Any]:
    """The rows inside of the bounds, and the bounds."""
    found: list[Any] = []
    for node, mark in ((s.start, ">="), (s.stop, "<=" if s.inclusive else "<")):
        value = None if node is None else b.constant(node, "a bound of make-series", axis.type)
        if value is not None and node is not None:
            limit = Const(axis.type, value, node.span)
            source = Filter(source.schema, source, b.call(mark, axis, limit, span=node.span))
        found.append(value)
    return source, found[0], found[1]


def _steps(binned: Rel, by: list[tuple[str, Expr]], aggregates: tuple[Aggregate, ...], made: list[tuple[str, Expr]]) -> Rel:  # fmt: skip
    """One row a series and step, with what was asked for."""
    keys = tuple(Column(n, e.type) for n, e in by)
    computed = tuple(c for a in aggregates for c in a.columns)
    grouped = Summarize((*keys, *computed), binned, tuple(by), aggregates)
    output = (*((c.name, Col(c.type, c.name)) for c in keys), *made)
    return Project(tuple(Column(n, e.type) for n, e in output), grouped, output)


_Bounds = tuple[syntax.Expression | None, syntax.Expression | None, syntax.Expression, bool]


def _bounds(p: ParserApi, axis: syntax.Expression) -> _Bounds:
    """The bounds behind the axis; `AXIS in range(a, b, c)` was read as one expression with it."""
    if isinstance(axis, syntax.InList):
        items = axis.items
        if len(items) == 1 and isinstance(items[0], syntax.Call) and len(items[0].arguments) == 3:
            start, stop, step = items[0].arguments
            return start, stop, step, True
        raise diagnostics.expected("range(START, END, STEP)", "something else", axis.span)
    first = p.expression() if p.accept_word("from") else None
    last = p.expression() if p.accept_word("to") else None
    p.expect_word("step")
    return first, last, p.expression(), False


def _outermost(start: Any, stop: Any, step: Any, anchor: Any, s: MakeSeriesSyntax) -> tuple[int | None, int | None]:  # fmt: skip
    """Numbers of the first and the last step, None where the data say it."""
    first = None if start is None else int((start - anchor) // step)
    if stop is None:
        return first, None
    last = (stop - anchor) // step if s.inclusive else -(-(stop - anchor) // step) - 1
    if first is not None and last - first >= _MOST:
        raise diagnostics.bad_argument("make-series", f"{int(last) - first + 1} steps are more than {_MOST}", s.step.span)  # fmt: skip
    return _within(first), _within(int(last))


def _within(number: int | None) -> int | None:
    """A step's number as 64 bits hold it: beyond them there is no row."""
    return None if number is None else min(max(number, -(2**62)), 2**62)


def _default(node: syntax.Expression | None, type_: ScalarType, b: BinderApi) -> Any:
    if node is not None:
        return b.constant(node, "the default", type_)
    return 0 if type_.is_number else None
