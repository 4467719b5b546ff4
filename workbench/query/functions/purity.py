"""What may be done with a call beside computing it: whether it may move, be repeated, or be left out.

A call that gives another value each time (`rand()`), one that looks at neighbouring rows (`prev()`), and
one that stops the query (`assert()`) stand where they were written. Reads expressions of the plan only.
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.query.functions._card import FUNCTIONS
from workbench.query.plan import Call, Col, Const, Expr, Limit, Rel, expressions_of

IMPURE = frozenset({"rand", "new_guid"})
"""Functions that give another value each time."""

FAILING = frozenset({"assert"})
"""Functions that may stop the query on some rows."""


def impure(expr: Expr) -> bool:
    """Whether the value may be another the next time."""
    return isinstance(expr, Call) and (expr.function in IMPURE or any(impure(a) for a in expr.args))


def looks_around(expr: Expr) -> bool:
    """Whether the value depends on other rows (`prev()`, `row_number()` and their kin)."""
    if not isinstance(expr, Call):
        return False
    card = FUNCTIONS.get(expr.function)
    return (card is not None and card.window) or any(looks_around(a) for a in expr.args)


def any_looks_around(columns: Iterable[tuple[str, Expr]]) -> bool:
    """Whether one of computed columns does."""
    return any(looks_around(e) for _, e in columns if type(e) is not Col)


def movable(expr: Expr) -> bool:
    """Whether the value of a row is the same, and as harmless, wherever the row passes by."""
    if not isinstance(expr, Call):
        return True
    if expr.function in IMPURE or expr.function in FAILING:
        return False
    card = FUNCTIONS.get(expr.function)
    return not (card is not None and card.window) and all(movable(a) for a in expr.args)


def repeatable(rel: Rel) -> bool:
    """Whether the relation has the same rows each time that it is computed."""
    if getattr(rel, "random", False) or any(impure(e) for e in expressions_of(rel)):
        return False
    if isinstance(rel, Limit) and rel.count and not rel.source.serialized:
        return False
    return all(repeatable(r) for r in rel.inputs)


# Functions whose value costs about as much as reading the column: comparing, adding, choosing.
_CHEAP = frozenset(
    [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "and",
        "or",
        "not",
        "+",
        "-",
        "*",
        "/",
        "%",
        "in",
        "iff",
        "case",
        "coalesce",
        "max_of",
        "min_of",
        "isnull",
        "isnotnull",
        "isempty",
        "isnotempty",
        "isnan",
        "isfinite",
        "isinf",
        "bin",
        "floor",
        "ceiling",
        "abs",
        "sign",
        "strlen",
        "tolower",
        "toupper",
        "strcat",
        "startofday",
        "startofweek",
        "startofmonth",
        "startofyear",
        "endofday",
        "endofweek",
        "endofmonth",
        "endofyear",
        "hourofday",
        "dayofmonth",
        "getyear",
        "datetime_part",
        "datetime_add",
        "bin_at",
        "toint",
        "tolong",
        "todouble",
        "toreal",
        "tobool",
        "tostring",
        "convert",
    ]
) | {"unary -"}
_MOST_CALLS = 8


def cheap(expr: Expr) -> bool:
    """Whether computing it twice costs next to nothing; JSON, regular expressions and Python do not."""
    return _calls(expr) <= _MOST_CALLS


def _calls(expr: Expr) -> int:
    """How many calls it is, very many where one is dear."""
    if not isinstance(expr, Call):
        return 0
    dynamic = any(a.type.value == "dynamic" and not isinstance(a, Const) for a in expr.args)
    if expr.function not in _CHEAP or dynamic:
        return _MOST_CALLS + 1
    return 1 + sum(_calls(a) for a in expr.args)
