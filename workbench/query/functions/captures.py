"""Captures of one regular expression in a text: what `parse` and its kin are lowered to.

No query names these cards: operators put them into plans. All captures of one text share one run of
the expression, since Polars computes an equal subexpression once.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import ANY, BOOL, STRING, const, scalar
from workbench.query.functions.forms import POLARS_TYPES, canonical, converted
from workbench.query.lowering import Form, Value
from workbench.query.plan import Const, Expr

T = ScalarType
_PLAIN_NUMBERS = (T.INT, T.LONG, T.REAL)


def _text(subject: Value) -> pl.Expr:
    """The text to search; a null text matches nothing unless the expression takes ""."""
    if subject.type is T.STRING and subject.form is Form.NULLABLE:
        return subject.expr
    return canonical(converted(subject, T.STRING))


def _constant(expr: Expr) -> str:
    assert isinstance(expr, Const)  # the operator made it
    return str(expr.value)


@scalar(
    "parse_capture", [ANY, const(STRING), const(STRING)], STRING, source="Kusto reference: parse operator"
)
class ParseCapture:
    """A named group of a regular expression, as the type of the call; null or "" without a match.

    A group whose name starts with `number` holds digits only, which Polars converts by itself.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        group = _constant(args[2])
        found = _text(values[0]).str.extract_groups(_constant(args[1])).struct.field(group)
        if returns is T.STRING:
            return Value(found, T.STRING, Form.NULLABLE)
        if group.startswith("number") and returns in _PLAIN_NUMBERS:
            return Value(found.cast(POLARS_TYPES[returns], strict=False), returns)
        return converted(Value(found.fill_null(""), T.STRING), returns)


@scalar("parse_match", [ANY, const(STRING)], BOOL, source="Kusto reference: parse operator")
class ParseMatch:
    """Whether a text has a match of a regular expression."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        return Value(_text(values[0]).str.contains(_constant(args[1])).fill_null(False), T.BOOL)

    @staticmethod
    def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
        return _text(values[0]).str.contains(_constant(args[1]))
