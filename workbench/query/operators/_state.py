"""Expressions over a row and the state of a `scan`: what each needs, computed as late as it must be.

An expression that reads no state is computed for all rows at once. In one that does, the parts that
read none are; what is left is worked out in Python where it is plain arithmetic, comparison or
logic, else by the engine over one row.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.lowering import Frame, PolarsContext
from workbench.query.plan import Call, Col, Const, Expr, Rel, columns_of

T = ScalarType
State = Mapping[int, Mapping[str, Any]]
Work = Callable[[int, State], Any]

_EXACT = {T.BOOL, T.INT, T.LONG, T.REAL, T.STRING, T.DATETIME, T.TIMESPAN}
_NUMERIC = {T.INT, T.LONG, T.REAL, T.DATETIME, T.TIMESPAN}
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_LONG = 2**63


class Evaluator:
    """Values of expressions at a row, given the rows that each step kept."""

    def __init__(self, rows: pl.DataFrame, source: Rel, declared: Sequence[tuple[str, Const]], steps: Sequence[str], context: PolarsContext) -> None:  # fmt: skip
        self._rows = rows
        self._source = source
        self._context = context
        self._steps = {name: k for k, name in enumerate(steps)}
        self._columns: dict[str, list[Any]] = {}
        self._works: dict[Hashable, Work] = {}
        consts = [context.canonical(c, Frame(rows.lazy(), {})).alias(n) for n, c in declared]
        made = context.collect(pl.LazyFrame({"__row": [0]}).select(consts)) if declared else pl.DataFrame()
        self.defaults: dict[str, Any] = {n: made[n][0] for n, _ in declared}
        self.dtypes: dict[str, pl.DataType] = dict(made.schema)
        self._empty = {c.name: "" if c.type is T.STRING else None for c in source.schema} | self.defaults
        # A column that is only declared has its default wherever no step is named.
        wide = rows.lazy().with_columns(consts)
        self._frame = context.collect(wide) if declared else rows

    def row(self, number: int, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a step keeps of a row: read when a later expression asks for it."""
        return _Row(self, number, given)

    def cell(self, name: str, number: int) -> Any:
        """A column of the source, or a declared one's default, at a row."""
        if name not in self._columns:
            self._columns[name] = self._frame[name].to_list()
        return self._columns[name][number]

    def add(self, key: Hashable, expr: Expr) -> None:
        """Prepare an expression under a key of the caller's."""
        self._works[key] = self._work(expr)

    def value(self, key: Hashable, number: int, state: State) -> Any:
        """The canonical value of a prepared expression at row `number`."""
        return self._works[key](number, state)

    # ---- how an expression is worked out ----------------------------------------------------

    def _stateful(self, expr: Expr) -> bool:
        return any(
            n.split(".", 1)[0] in self._steps for n in columns_of(expr) if "." in n and n not in self._empty
        )

    def _work(self, expr: Expr) -> Work:
        if isinstance(expr, Col) and self._stateful(expr):
            return self._of_state(expr)
        if not self._stateful(expr):
            return self._of_all(expr)
        assert isinstance(expr, Call)  # a Const reads no state
        return self._simple(expr) or self._by_engine(expr)

    def _of_state(self, expr: Col) -> Work:
        step, name = expr.name.split(".", 1)
        place, empty = self._steps[step], self._empty[name]

        def work(number: int, state: State) -> Any:
            kept = state.get(place)
            return empty if kept is None else kept[name]

        return work

    def _of_all(self, expr: Expr) -> Work:
        made = self._context.canonical(expr, Frame(self._frame.lazy(), {})).alias("__value")
        # Beside the rows, so that a constant comes once a row too.
        cells = self._context.collect(self._frame.lazy().with_columns(made))["__value"].to_list()
        return lambda number, state: cells[number]

    def _by_engine(self, expr: Call) -> Work:
        works = [self._work(a) for a in expr.args]

        def work(number: int, state: State) -> Any:
            args = tuple(_const(a.type, w(number, state)) for a, w in zip(expr.args, works, strict=True))
            call = Call(expr.type, expr.function, args, expr.types, expr.span)
            one = pl.LazyFrame({"__row": [0]})
            made = self._context.canonical(call, Frame(one, {})).alias("__value")
            return self._context.collect(one.select(made))["__value"][0]

        return work

    def _simple(self, expr: Call) -> Work | None:
        kinds = [t or a.type for t, a in zip(expr.types or (None,) * len(expr.args), expr.args, strict=True)]
        if any(k not in _EXACT for k in kinds) or not all(
            k is a.type or (k is T.REAL and a.type in (T.INT, T.LONG)) or (k is T.LONG and a.type is T.INT)
            for k, a in zip(kinds, expr.args, strict=True)
        ):
            return None
        works = [self._work(a) for a in expr.args]
        name = expr.function
        if name in ("iff", "iif") and len(works) == 3 and expr.type is kinds[1] is kinds[2]:
            test, yes, no = works
            return lambda n, s: yes(n, s) if test(n, s) is True else no(n, s)
        if len(works) == 2 and name in ("and", "or"):
            return _logic(name, works)
        if len(works) != 2:
            return None
        if name in ("==", "!=", *_ORDER):
            # NaN compares in ways of its own, which the engine knows.
            return _compared(name, works) if kinds[0] is kinds[1] is not T.REAL else None
        whole = expr.type in _NUMERIC - {T.INT, T.REAL} and T.REAL not in kinds
        if name in _SUMS and set(kinds) <= _NUMERIC and (whole or expr.type is T.REAL):
            return _summed(name, works, expr.type)
        return None


class _Row(Mapping[str, Any]):
    """A kept row: what was assigned, else the cells of the row."""

    def __init__(self, evaluator: Evaluator, number: int, given: Mapping[str, Any]) -> None:
        self._evaluator = evaluator
        self._number = number
        self._given = given

    def __getitem__(self, name: str) -> Any:
        return self._given[name] if name in self._given else self._evaluator.cell(name, self._number)

    def __iter__(self) -> Any:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def _const(type_: ScalarType, value: Any) -> Const:
    """A canonical cell as a constant of a plan."""
    if type_ is T.DYNAMIC and value is not None:
        value = orjson.loads(value)
    elif type_ is T.DECIMAL and value is not None:
        value = str(value)
    return Const(type_, value)


def _logic(name: str, works: Sequence[Work]) -> Work:
    """`and`, `or` with null as the unknown."""
    left, right = works
    decides = name == "or"

    def work(number: int, state: State) -> Any:
        a = left(number, state)
        if a is decides:
            return decides
        b = right(number, state)
        if b is decides:
            return decides
        return None if a is None or b is None else not decides

    return work


def _compared(name: str, works: Sequence[Work]) -> Work:
    left, right = works
    if name in ("==", "!="):

        def same(number: int, state: State) -> Any:
            a, b = left(number, state), right(number, state)
            return None if a is None and b is None else (a == b) is (name == "==")

        return same
    order = _ORDER[name]

    def work(number: int, state: State) -> Any:
        a, b = left(number, state), right(number, state)
        return None if a is None or b is None else order(a, b)

    return work


def _summed(name: str, works: Sequence[Work], type_: ScalarType) -> Work:
    left, right = works
    combine = _SUMS[name]

    def work(number: int, state: State) -> Any:
        a, b = left(number, state), right(number, state)
        if a is None or b is None:
            return None
        value = combine(a, b)
        return float(value) if type_ is T.REAL else (value + _LONG) % (2 * _LONG) - _LONG

    return work
