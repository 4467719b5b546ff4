"""A query's tree as text: small tidying, and what another engine than DuckDB says otherwise."""

from __future__ import annotations

from sqlglot import exp

from workbench.query.backends.sql.context import Engine
from workbench.query.functions._sql import PLAIN

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.NullSafeEQ, exp.NullSafeNEQ)  # fmt: skip


def printed(query: exp.Query, engine: Engine) -> str:
    """The text, one line a part."""
    tree = query.transform(_tidy, copy=False)
    if engine.dialect != "duckdb":
        tree = tree.transform(_plain, copy=False)
    return tree.sql(dialect=engine.dialect, pretty=True)


def _tidy(node: exp.Expr) -> exp.Expr:
    """A whole number that is only compared needs no type."""
    if (
        isinstance(node, exp.Cast)
        and not isinstance(node, exp.TryCast)
        and isinstance(node.parent, _COMPARISONS)
    ):
        inside: exp.Expr = node.this
        number = inside.this if isinstance(inside, exp.Neg) else inside
        if isinstance(number, exp.Literal) and number.is_int:
            return inside
    return node


def _plain(node: exp.Expr) -> exp.Expr:
    plain: exp.Expr | None = node.meta.get(PLAIN)
    return node if plain is None else plain
