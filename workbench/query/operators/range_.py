"""`range`: a column of evenly spaced values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import ONE_ROW, Const, Range, Rel

T = ScalarType
_MOST_ROWS = 100_000_000


@dataclass(frozen=True, slots=True)
class RangeSyntax(syntax.Operator):
    name: str
    start: syntax.Expression
    stop: syntax.Expression
    step: syntax.Expression


@operator("range", syntax="range NAME from START to STOP step STEP", source=True)
class RangeOperator:
    """One row a value from START up to STOP, both inside."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> RangeSyntax:
        name = str(p.name().value)
        p.expect_word("from")
        start = p.expression()
        p.expect_word("to")
        stop = p.expression()
        p.expect_word("step")
        step = p.expression()
        return RangeSyntax(keyword.span.to(p.last_span), "range", name, start, stop, step)

    @staticmethod
    def bind(s: RangeSyntax, source: Rel | None, b: BinderApi) -> Rel:
        row = ONE_ROW
        start, stop, step = (b.expr(n, row) for n in (s.start, s.stop, s.step))
        type_ = start.type
        if T.REAL in (start.type, stop.type, step.type):
            type_ = T.REAL
        elif start.type is T.INT and T.LONG in (stop.type, step.type):
            type_ = T.LONG
        if type_ not in (T.INT, T.LONG, T.REAL, T.DATETIME, T.TIMESPAN):
            raise diagnostics.wrong_type("range", "numbers or times", type_.value, s.start.span)
        step_type = T.TIMESPAN if type_ is T.DATETIME else type_
        constants = []
        for node, bound, wanted in (
            (s.start, start, type_),
            (s.stop, stop, type_),
            (s.step, step, step_type),
        ):
            folded = b.fold(b.convert(bound, wanted))
            if not isinstance(folded, Const):
                raise diagnostics.not_constant("a bound of range", node.span)
            if isinstance(folded.value, float) and not math.isfinite(folded.value):
                raise diagnostics.bad_argument(
                    "range", f"{folded.value} is no place to count from or to", node.span
                )
            constants.append(folded)
        first, last, by = (c.value for c in constants)
        if None not in (first, last, by) and by and (last - first) / by > _MOST_ROWS:
            why = f"{(last - first) // by + 1:,} rows are more than {_MOST_ROWS:,}"
            raise diagnostics.bad_argument("range", why, s.span)
        return Range((Column(s.name, type_),), constants[0], constants[1], constants[2])
