"""Operators' own relations as SQL, where SQL can say them, and borders: rows that a function of Python makes."""

from __future__ import annotations

from workbench.query.backends.sql.context import SqlContext, refuse
from workbench.query.lowering import SqlFrame, to_sql
from workbench.query.operators.externaldata import External
from workbench.query.operators.plugins._card import Computed
from workbench.query.plan import Rel, Values


def _border(rel: Rel, context: SqlContext) -> SqlFrame:
    """Rows that are made outside of any engine: made now, then read by the query as a table."""
    if context.evaluate is None:
        return refuse(rel, context)  # type: ignore[no-any-return]
    return context.frame(Values(rel.schema, (), context.evaluate(rel), ordered=rel.serialized))


to_sql.register(Computed)(_border)
to_sql.register(External)(_border)
