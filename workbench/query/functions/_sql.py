"""Builders of sqlglot trees for the second lowering, so that a card's `sql` stays one line.

In go trees or Python values (each becomes a literal), out come new trees; nothing that is passed in is changed or
shared. Functions are named as DuckDB names them. sqlglot is imported when a builder first runs, never before:
a query that Polars answers must not pay for it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from workbench.base.dtypes import DECIMAL_SCALE
from workbench.query.functions import _unsayable

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.expressions import Expr as Sql

_DIALECT = "duckdb"
PLAIN = "plain"
"""Key of a node's meta: what it is in an engine whose whole numbers wrap by themselves (Spark)."""
SORTED = "sorted"
"""Key of a node's meta: an aggregate whose result follows the order of rows."""


class Unsayable(Exception):
    """What SQL can't say, with the reason: raised while lowering, told to the user as KQL305.

    The message is the reason, one sentence without full stop, in the user's words.
    """


def own(value: Any) -> Sql:
    """`value` as a tree that no other tree holds: a Python value as a literal, a part of a tree as a copy."""
    from sqlglot import exp

    if isinstance(value, exp.Expr):
        return value.copy() if value.parent is not None else value
    return lit(value)


def lit(value: Any) -> Sql:
    """A Python value as a literal: None, bool, int, float, Decimal, str.

    Examples
    --------
    >>> [text(lit(v)) for v in (None, True, -3, 0.5, "it's")]
    ['NULL', 'TRUE', '-3', "CAST('0.5' AS DOUBLE)", "'it''s'"]
    """
    from sqlglot import exp

    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, int):
        if value == -(2**63):
            return cast(str(value), "BIGINT")
        return exp.Neg(this=exp.Literal.number(-value)) if value < 0 else exp.Literal.number(value)
    if isinstance(value, float):
        return cast(repr(value), "DOUBLE")
    if isinstance(value, Decimal):
        return cast(str(value), f"DECIMAL(38, {DECIMAL_SCALE})")
    if isinstance(value, str):
        if "\0" in value:
            raise Unsayable(_unsayable.ZERO_CHARACTER)
        return exp.Literal.string(value)
    raise TypeError(f"no SQL literal for {type(value).__name__}")


def text(tree: Sql, dialect: str = _DIALECT) -> str:
    """The tree as SQL text."""
    return tree.sql(dialect=dialect)


def func(name: str, *args: Any) -> Sql:
    """A call of DuckDB's function `name`. What sqlglot knows by that name other engines get by theirs.

    Examples
    --------
    >>> text(func("strlen", "abc")), text(func("epoch_us", None), "spark")
    ("STRLEN('abc')", 'EPOCH_US(NULL)')
    """
    from sqlglot import exp

    return exp.func(name, *(own(a) for a in args), copy=False, dialect=_DIALECT)


def plain_func(name: str, *args: Any) -> Sql:
    """A call that is printed just as it is written here, for functions that sqlglot would rewrite."""
    from sqlglot import exp

    return exp.Anonymous(this=name, expressions=[own(a) for a in args])


_OPERATORS = {
    "+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "//": "IntDiv", "%": "Mod", "||": "DPipe", "=": "EQ", "<>": "NEQ",
    "<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE", "&": "BitwiseAnd", "|": "BitwiseOr", "<<": "BitwiseLeftShift",
    ">>": "BitwiseRightShift", "is distinct from": "NullSafeNEQ", "is not distinct from": "NullSafeEQ", "like": "Like",
}  # fmt: skip


def op(operator: str, a: Any, b: Any) -> Sql:
    """`a operator b`, each side in parentheses where it needs them.

    Examples
    --------
    >>> text(op("*", op("+", 1, 2), 3))
    '(1 + 2) * 3'
    """
    from sqlglot import exp

    node: type[exp.Expr] = getattr(exp, _OPERATORS[operator])
    return node(this=_wrapped(a), expression=_wrapped(b))


def _wrapped(value: Any) -> Sql:
    from sqlglot import exp

    tree = own(value)
    simple = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Null, exp.Boolean, exp.Identifier, exp.Case)
    if isinstance(tree, simple) and not isinstance(tree, exp.Connector):
        return tree
    return exp.Paren(this=tree)


def all_of(*conditions: Any) -> Sql:
    """The conditions joined with AND; true without any."""
    return _joined("And", conditions, True)


def any_of(*conditions: Any) -> Sql:
    """The conditions joined with OR; false without any."""
    return _joined("Or", conditions, False)


def _joined(kind: str, conditions: tuple[Any, ...], empty: bool) -> Sql:
    from sqlglot import exp

    if not conditions:
        return lit(empty)
    node: type[exp.Expr] = getattr(exp, kind)

    def beside(condition: Any) -> Sql:
        tree = own(condition)
        # Chains of one kind stay flat: thousands of terms must not nest parentheses.
        other = isinstance(tree, exp.Connector) and not isinstance(tree, node)
        return exp.Paren(this=tree) if other else tree

    found = beside(conditions[0])
    for condition in conditions[1:]:
        found = node(this=found, expression=beside(condition))
    return found


def negated(condition: Any) -> Sql:
    """NOT."""
    from sqlglot import exp

    return exp.Not(this=_wrapped(condition))


def minus(value: Any) -> Sql:
    """The number with the other sign."""
    from sqlglot import exp

    return exp.Neg(this=_wrapped(value))


def is_null(value: Any) -> Sql:
    from sqlglot import exp

    return exp.Is(this=_wrapped(value), expression=exp.null())


def not_null(value: Any) -> Sql:
    return negated(is_null(value))


def case(*branches: tuple[Any, Any], otherwise: Any = None) -> Sql:
    """The value of the first branch (condition, value) whose condition is true, else `otherwise`.

    Examples
    --------
    >>> text(case((True, 1), otherwise=2))
    'CASE WHEN TRUE THEN 1 ELSE 2 END'
    """
    from sqlglot import exp

    ifs = [exp.If(this=own(condition), true=own(value)) for condition, value in branches]
    return exp.Case(ifs=ifs, default=own(otherwise))


def coalesce(*values: Any) -> Sql:
    """The first value that is not null."""
    return func("coalesce", *values)


def known(tree: Any, *arguments: Any) -> Sql:
    """The tree where no argument is null, else null."""
    return case((all_of(*map(not_null, arguments)), tree))


def concat(*parts: Any) -> Sql:
    """Texts one behind the other; null where one is null."""
    found = own(parts[0])
    for part in parts[1:]:
        found = op("||", found, part)
    return found


def member(value: Any, items: Any) -> Sql:
    """`value IN (items…)`; false without items."""
    from sqlglot import exp

    listed = [own(i) for i in items]
    return exp.In(this=_wrapped(value), expressions=listed) if listed else lit(False)


def between(value: Any, low: Any, high: Any) -> Sql:
    """`value BETWEEN low AND high`, both inside."""
    from sqlglot import exp

    return exp.Between(this=_wrapped(value), low=_wrapped(low), high=_wrapped(high))


def cast(value: Any, type_: str) -> Sql:
    """CAST to a type of DuckDB: BIGINT, INTEGER, HUGEINT, DOUBLE, VARCHAR, BOOLEAN, DECIMAL."""
    from sqlglot import exp

    return exp.Cast(this=own(value), to=exp.DataType.build(type_, dialect=_DIALECT))


def moment(microseconds: int) -> Sql:
    """A constant TIMESTAMPTZ, of µs since 1970."""
    from workbench.base.dtypes import format_datetime

    written = format_datetime(microseconds * 10)
    if not written:
        raise Unsayable(_unsayable.FAR_TIME)
    return cast(f"{written[:10]} {written[11:26]}+00", "TIMESTAMPTZ")


def microseconds(moment: Any) -> Sql:
    """A TIMESTAMPTZ as µs since 1970."""
    from sqlglot import exp

    return exp.UnixMicros(this=own(moment))


def try_cast(value: Any, type_: str) -> Sql:
    """The same, null where the value does not convert. Reals are rounded: `trunc` them before."""
    from sqlglot import exp

    return exp.TryCast(this=own(value), to=exp.DataType.build(type_, dialect=_DIALECT))


# ---- whole numbers ----------------------------------------------------------------------------

_HALF, _WHOLE = 2**63, 2**64


def wrapped(operator: str, a: Any, b: Any) -> Sql:
    """`a operator b` (`+ - *`) of whole numbers of 64 bits, which wraps where it overflows, as KQL does."""
    return wrap(op(operator, cast(a, "HUGEINT"), b), op(operator, a, b))


def wrap(wide: Any, plain: Sql) -> Sql:
    """A HUGEINT cut to its lowest 64 bits, as BIGINT; `plain` is the same where whole numbers wrap by themselves."""
    low = op("&", op("+", wide, _HALF), _WHOLE - 1)
    return elsewhere(cast(op("-", low, _HALF), "BIGINT"), plain)


def elsewhere(tree: Sql, plain: Sql) -> Sql:
    """The tree, and what it is in an engine whose whole numbers wrap by themselves."""
    tree.meta[PLAIN] = plain
    return tree


def floor_mod(a: Any, b: Any) -> Sql:
    """Remainder of whole numbers that is never negative; null for a divisor of 0."""
    size = func("abs", nonzero(b))
    return op("%", op("+", op("%", a, nonzero(b)), size), size)


def to_even(value: Any) -> Sql:
    """A real rounded to a whole one, halves to the even neighbour."""
    return plain_func("round_even", value, 0)


def nonzero(value: Any) -> Sql:
    """The number, null for 0."""
    return func("nullif", value, 0)


def floor_div(a: Any, b: int) -> Sql:
    """Quotient of a whole number by a positive constant, rounded down (SQL's own rounds toward zero)."""
    return op("-", op("//", a, b), case((op("<", op("%", a, b), 0), 1), otherwise=0))


def floor_mod_by(a: Any, b: int) -> Sql:
    """Remainder by a positive constant, never negative."""
    return op("%", op("+", op("%", a, b), b), b)


# ---- aggregates and windows -------------------------------------------------------------------


def where(aggregate: Any, condition: Any) -> Sql:
    """The aggregate over the rows for which the condition is true."""
    from sqlglot import exp

    return exp.Filter(this=own(aggregate), expression=exp.Where(this=own(condition)))


def distinct(value: Any) -> Sql:
    """The argument of an aggregate over different values: `func("count", distinct(x))`."""
    from sqlglot import exp

    return exp.Distinct(expressions=[own(value)])


def star() -> Sql:
    from sqlglot import exp

    return exp.Star()


def in_order(aggregate: Any) -> Sql:
    """Marks an aggregate that follows the order of rows (first, list, string_agg), where they have one."""
    found = own(aggregate)
    found.meta[SORTED] = True
    return found


def over(function: Any, *, by: Any = None) -> Sql:
    """A window function over the rows up to this one in their order, in each group of `by`.

    One may stand inside another, or in a condition: the lowering takes them apart.
    """
    from sqlglot import exp

    from workbench.query.lowering import ORDER

    order = exp.Order(expressions=[exp.Ordered(this=exp.column(ORDER, quoted=True), nulls_first=False)])
    return exp.Window(this=own(function), order=order, partition_by=[] if by is None else [own(by)])


def matches(value: Any, pattern: str) -> Sql:
    """Whether some part of the text matches a regular expression (RE2)."""
    return func("regexp_matches", value, pattern)


if TYPE_CHECKING:
    __all__ = ["Sql", "exp"]
