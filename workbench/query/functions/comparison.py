"""Comparison: `==`, `!=`, `<` and kin, `in`, with KQL's nulls.

One null side: `==` is false, `!=` true. Two null sides: both null. `<` and kin stay null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.functions import _sql, _sql_cast, _unsayable
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, const, rep, scalar, widest
from workbench.query.functions.forms import canonical, converted
from workbench.query.functions.values import DECIMAL_TYPE
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import FLIPPED, Const, Expr

T = ScalarType


def _refuse_unlike(operator: str, values: Sequence[Value | SqlValue], args: Sequence[Expr]) -> None:
    """Nothing is compared with a value of quite another kind: a time with a number, a guid with a bool."""
    a, b = values[0].type, values[1].type
    weak = (T.STRING, T.DYNAMIC)
    if a in weak or b in weak or widest([a, b]) is not None or {a, b} in ({T.BOOL, T.LONG}, {T.BOOL, T.INT}):
        return
    left, right = (getattr(arg, "span", Span(0, 0)) for arg in args)
    raise diagnostics.no_operator_for(operator, a.value, b.value, left.to(right))


def aligned(a: Value, b: Value) -> tuple[Value, Value]:
    """Both values in one type and, where both are times in µs or text, in one cheap form."""
    if a.type is not b.type:
        together = widest([a.type, b.type])
        if together is None:
            together = _meeting(a.type, b.type)
        a, b = converted(a, together), converted(b, together)
    if a.form is b.form and a.form in (Form.MICROSECONDS, Form.NULLABLE):
        return a, b
    return Value(canonical(a), a.type), Value(canonical(b), b.type)


def sql_aligned(a: SqlValue, b: SqlValue) -> tuple[_sql.Sql, _sql.Sql, ScalarType]:
    """Both values in one type, as trees in one form, and that type."""
    if a.type is not b.type:
        together = widest([a.type, b.type]) or _meeting(a.type, b.type)
        a, b = _sql_cast.converted(a, together), _sql_cast.converted(b, together)
    if a.form is b.form is Form.MICROSECONDS:
        return a.expr, b.expr, a.type
    return _sql_cast.canonical(a), _sql_cast.canonical(b), a.type


def _meeting(a: ScalarType, b: ScalarType) -> ScalarType:
    """Where two types of different kind are compared: dynamic and text give way to the other."""
    for weak in (T.DYNAMIC, T.STRING):
        if a is weak:
            return b
        if b is weak:
            return a
    if {a, b} == {T.BOOL, T.LONG} or {a, b} == {T.BOOL, T.INT}:
        return T.LONG
    return T.STRING


def in_microseconds(ticks: int, operator: str) -> tuple[int, str]:
    """A bound in ticks as one in µs that lets the same microseconds through."""
    whole, rest = divmod(ticks, 10)
    if not rest:
        return whole, operator
    return (whole, ">") if operator in (">", ">=") else (whole, "<=")


_SQL_OPS = {"==": "=", "!=": "<>"}
_OPS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
}


def _timed(values: Sequence[Value | SqlValue], args: Sequence[Expr], operator: str) -> tuple[int, int | None, str] | None:  # fmt: skip
    """A stored time against a constant: the side of the time, the bound in µs or None where nothing is equal to it,
    the operator with the time on its left."""
    time, other = (1, args[0]) if isinstance(args[0], Const) else (0, args[1])
    operator = FLIPPED[operator] if time else operator
    if values[time].form is not Form.MICROSECONDS or not isinstance(other, Const):
        return None
    if other.type is not values[time].type or not isinstance(other.value, int):
        return None
    if operator == "==" and other.value % 10:
        return time, None, operator
    return time, *in_microseconds(other.value, operator)


def _by_time(values: Sequence[Value], args: Sequence[Expr], operator: str) -> pl.Expr | None:
    """A stored time against a constant, in µs: what the reader's statistics understand."""
    found = _timed(values, args, operator)
    if found is None:
        return None
    side, bound, operator = found
    if bound is None:
        return pl.lit(False)
    dtype = pl.Datetime("us", "UTC") if values[side].type is T.DATETIME else pl.Duration("us")
    return _OPS[operator](values[side].expr, pl.lit(bound, dtype=pl.Int64).cast(dtype))


def _sql_by_time(values: Sequence[SqlValue], args: Sequence[Expr], operator: str) -> _sql.Sql | None:
    """The same in SQL: as TIMESTAMPTZ, so that the reader skips row groups."""
    found = _timed(values, args, operator)
    if found is None:
        return None
    side, bound, operator = found
    if bound is None:
        return _sql.lit(False)
    moment = _sql.moment(bound) if values[side].type is T.DATETIME else _sql.lit(bound)
    return _sql.op(_SQL_OPS.get(operator, operator), values[side].expr, moment)


def _sql_among_numbers(found: _sql.Sql, sides: Sequence[_sql.Sql], args: Sequence[Expr]) -> _sql.Sql:
    """A comparison of reals that is false beside NaN, which DuckDB puts above every number."""
    known = [isinstance(x, Const) and isinstance(x.value, int | float) and x.value == x.value for x in args]
    numbers = [_sql.negated(_sql.func("isnan", s)) for s, sure in zip(sides, known, strict=True) if not sure]
    if any(known):
        return _sql.all_of(found, *numbers)
    return _sql.case((_sql.not_null(found), _sql.all_of(found, *numbers)))


def _ordering(name: str) -> None:
    operator = name

    @scalar(name, [ANY, ANY], BOOL, source="Kusto reference: numerical and datetime operators")
    class _Ordered:
        """Order of two values of one type; null with anything is null."""

        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            _refuse_unlike(operator, values, args)
            a, b = aligned(*values)
            found = _OPS[operator](a.expr, b.expr)
            if a.type is T.REAL:
                # Polars puts NaN above every number; KQL compares it with none.
                numbers = a.expr.is_not_nan() & b.expr.is_not_nan()
                found = pl.when(found.is_not_null()).then(found & numbers)
            return Value(found, T.BOOL)

        @staticmethod
        def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
            return _by_time(values, args, operator)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            _refuse_unlike(operator, values, args)
            a, b, type_ = sql_aligned(*values)
            found = _sql.op(operator, a, b)
            if type_ is T.REAL:
                found = _sql_among_numbers(found, (a, b), args)
            return SqlValue(found, T.BOOL)

        @staticmethod
        def sql_filter(values: Sequence[SqlValue], args: Sequence[Expr]) -> _sql.Sql | None:
            return _sql_by_time(values, args, operator)

    _Ordered.__name__ = f"Ordered{name}"


for _name in ("<", "<=", ">", ">="):
    _ordering(_name)


def _equal(a: Value, b: Value) -> pl.Expr:
    x, y = canonical(a), canonical(b)
    if a.type is T.STRING:
        return x == y
    same = x.eq_missing(y)
    if a.type is T.REAL:
        same = same & x.is_not_nan().fill_null(True)
    return pl.when(x.is_null() & y.is_null()).then(None).otherwise(same)


def _sql_equal(values: Sequence[SqlValue], args: Sequence[Expr], *, negated: bool) -> _sql.Sql:
    """`==` or `!=` with KQL's nulls; against a constant that is not null it is never null."""
    a, b, type_ = sql_aligned(*values)
    if type_ is T.STRING:
        return _sql.op("<>" if negated else "=", a, b)
    known = any(isinstance(x, Const) and x.value is not None for x in args) and type_ is not T.DYNAMIC
    found = _sql.op("is distinct from" if negated else "is not distinct from", a, b)
    if type_ is T.REAL:
        # DuckDB's NaN equals itself.
        nan = _sql.coalesce(_sql.func("isnan", a), False)
        found = _sql.any_of(found, nan) if negated else _sql.all_of(found, _sql.negated(nan))
    if known:
        return found
    return _sql.case((_sql.all_of(_sql.is_null(a), _sql.is_null(b)), None), otherwise=found)


def _sql_same_text(values: Sequence[SqlValue], args: Sequence[Expr]) -> _sql.Sql | None:
    """A stored text against a constant one: its null is the same as ""."""
    a, b = values
    plain = any(isinstance(x, Const) and x.value not in ("", None) for x in args)
    return _sql.op("=", a.expr, b.expr) if a.type is b.type is T.STRING and plain else None


@scalar("==", [ANY, ANY], BOOL, source="Kusto reference: equals operator")
class Equals:
    """Equal, case-sensitive. False where one side is null, null where both are."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        _refuse_unlike("==", values, args)
        return Value(_equal(*aligned(*values)), T.BOOL)

    @staticmethod
    def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
        by_time = _by_time(values, args, "==")
        if by_time is not None:
            return by_time
        a, b = values
        # A null text is "", so only against "" does it matter that the column may hold nulls.
        plain = any(isinstance(x, Const) and x.value not in ("", None) for x in args)
        if a.type is b.type is T.STRING and plain:
            return a.expr == b.expr
        _refuse_unlike("==", values, args)
        x, y = aligned(a, b)
        return None if x.form is Form.NULLABLE or x.type is T.REAL else x.expr == y.expr

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        _refuse_unlike("==", values, args)
        return SqlValue(_sql_equal(values, args, negated=False), T.BOOL)

    @staticmethod
    def sql_filter(values: Sequence[SqlValue], args: Sequence[Expr]) -> _sql.Sql | None:
        found = _sql_by_time(values, args, "==") or _sql_same_text(values, args)
        if found is not None:
            return found
        _refuse_unlike("==", values, args)
        a, b, type_ = sql_aligned(*values)
        return None if type_ is T.REAL else _sql.op("=", a, b)


@scalar("!=", [ANY, ANY], BOOL, source="Kusto reference: not equals operator")
class NotEquals:
    """Not equal, case-sensitive. True where one side is null, null where both are."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        _refuse_unlike("!=", values, args)
        return Value(~_equal(*aligned(*values)), T.BOOL)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        _refuse_unlike("!=", values, args)
        return SqlValue(_sql_equal(values, args, negated=True), T.BOOL)


# ---- lists ----------------------------------------------------------------------------------


def _listed(value: Value, constants: Any, others: Sequence[Value]) -> pl.Expr:
    expr = canonical(value)
    kept = _comparable(constants, value.type)
    found: pl.Expr = pl.lit(False)
    if kept:
        if value.type is T.DECIMAL:
            listed = pl.Series([Decimal(str(c)) for c in kept], dtype=DECIMAL_TYPE)
            found = expr.is_in(listed.implode())
        elif value.type is T.GUID:
            found = expr.str.to_lowercase().is_in([str(c).lower() for c in kept])
        else:
            found = expr.is_in(pl.Series(kept, strict=False).implode()) if len(kept) > 1 else expr == kept[0]
        found = found.fill_null(False)
    for other in others:
        if other.type is T.DYNAMIC:
            found = found | _in_dynamic(value, other)
        else:
            a, b = aligned(value, other)
            found = found | canonical(a).eq_missing(canonical(b))
    return found


def _comparable(constants: Any, type_: ScalarType) -> list[Any]:
    """The items that a value of a type can be equal to: no null, and no bag where it is a number."""
    bags = type_ in (T.STRING, T.DYNAMIC)
    return [c for c in constants if c is not None and (bags or not isinstance(c, dict | list))]


def _in_dynamic(value: Value, array: Value) -> pl.Expr:
    """Membership in an array that differs from row to row."""
    from workbench.query.functions.forms import loads

    text = converted(value, T.STRING)

    def batch(s: pl.Series) -> pl.Series:
        out = []
        for row in s.to_list():
            items = loads(row["a"])
            listed = items if isinstance(items, list) else [items]
            out.append(row["v"] in {str(i) for i in listed})
        return pl.Series(s.name, out, pl.Boolean)

    packed = pl.struct(canonical(text).alias("v"), canonical(array).alias("a"))
    return packed.map_batches(batch, return_dtype=pl.Boolean, is_elementwise=True)


def _sql_listed(value: SqlValue, constants: Any, others: Sequence[SqlValue]) -> _sql.Sql:
    tree = _sql_cast.canonical(value)
    kept = _comparable(constants, value.type)
    if value.type is T.GUID:
        tree, kept = _sql.func("lower", tree), [str(c).lower() for c in kept]
    if value.type is T.REAL:
        kept = [c for c in kept if c == c]
    parts = []
    if kept:
        found = _sql.member(tree, [_sql_cast.literal(c, _listed_type(c, value.type)) for c in kept])
        parts.append(found if value.type is T.STRING else _sql.coalesce(found, False))
    for other in others:
        if other.type is T.DYNAMIC:
            raise _sql.Unsayable(_unsayable.ARRAY_DIFFERS)
        a, b, _ = sql_aligned(value, other)
        parts.append(_sql.op("is not distinct from", a, b))
    return _sql.any_of(*parts)


def _listed_type(constant: Any, type_: ScalarType) -> ScalarType:
    """The type of an item: a real among whole numbers stays one."""
    return T.REAL if isinstance(constant, float) and type_ in (T.INT, T.LONG) else type_


@scalar("in", [ANY, const(DYNAMIC), rep(ANY, least=0)], BOOL, source="Kusto reference: in operator")
class In:
    """Equal to one of the items, case-sensitive; never null."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        listed = args[1]
        assert isinstance(listed, Const)  # the binder collects the constants
        return Value(_listed(values[0], listed.value, values[2:]), T.BOOL)

    @staticmethod
    def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
        value, listed = values[0], args[1]
        if (
            value.type is not T.STRING
            or len(values) > 2
            or not isinstance(listed, Const)
            or "" in listed.value
        ):
            return None
        return value.expr.is_in(pl.Series(listed.value, dtype=pl.String).implode())

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        listed = args[1]
        assert isinstance(listed, Const)  # the binder collects the constants
        return SqlValue(_sql_listed(values[0], listed.value, values[2:]), T.BOOL)

    @staticmethod
    def sql_filter(values: Sequence[SqlValue], args: Sequence[Expr]) -> _sql.Sql | None:
        value, listed = values[0], args[1]
        plain = (
            value.type is T.STRING
            and len(values) == 2
            and isinstance(listed, Const)
            and "" not in listed.value
        )
        return _sql.member(value.expr, listed.value) if plain else None  # type: ignore[attr-defined]


@scalar("in~", [ANY, const(DYNAMIC), rep(ANY, least=0)], BOOL, source="Kusto reference: in~ operator")
class InIgnoringCase:
    """Equal to one of the items in any case; never null."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        listed = args[1]
        assert isinstance(listed, Const)  # the binder collects the constants
        lowered = Value(canonical(converted(values[0], T.STRING)).str.to_lowercase(), T.STRING)
        others = [Value(canonical(converted(v, T.STRING)).str.to_lowercase(), T.STRING) for v in values[2:]]
        return Value(_listed(lowered, [str(c).lower() for c in listed.value], others), T.BOOL)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        listed = args[1]
        assert isinstance(listed, Const)  # the binder collects the constants
        lowered, *others = [
            SqlValue(_sql.func("lower", _sql_cast.canonical(_sql_cast.converted(v, T.STRING))), T.STRING)
            for v in (values[0], *values[2:])
        ]
        return SqlValue(_sql_listed(lowered, [str(c).lower() for c in listed.value], others), T.BOOL)
