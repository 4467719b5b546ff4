"""Joins in Polars: every kind of KQL, null keys match each other, columns named by the plan."""

from __future__ import annotations

from typing import Literal, cast

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions.forms import canonical
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.plan import Join, Rel

_HOW = {
    "inner": "inner", "innerunique": "inner", "leftouter": "left", "rightouter": "right", "fullouter": "full",
    "leftsemi": "semi", "rightsemi": "semi", "leftanti": "anti", "rightanti": "anti",
}  # fmt: skip
_JoinHow = Literal["inner", "left", "right", "full", "semi", "anti", "cross"]


@to_polars.register
def _join(rel: Join, context: PolarsContext) -> Frame:
    left, left_keys = _side(rel.left, context, "l", [a for a, _ in rel.on])
    right, right_keys = _side(rel.right, context, "r", [b for _, b in rel.on])
    kind = rel.kind
    if kind == "innerunique":
        left = left.unique(subset=left_keys, keep="any") if left_keys else left.head(1)
    if kind in ("rightsemi", "rightanti"):
        left, right, left_keys, right_keys = right, left, right_keys, left_keys
    how = cast(_JoinHow, _HOW[kind])
    if left_keys:
        joined = left.join(
            right, left_on=left_keys, right_on=right_keys, how=how, nulls_equal=True, coalesce=False
        )
    else:
        joined = left.join(right, how="cross")
    made = []
    for prefix, names, side in (("l", rel.left_names, rel.left), ("r", rel.right_names, rel.right)):
        types = {c.name: c.type for c in side.schema}
        for old, new in names:
            expr = pl.col(f"{prefix}.{old}")
            if types[old] is ScalarType.STRING:
                expr = expr.fill_null("")
            made.append(expr.alias(new))
    order = rel.names()
    return Frame(joined.select(made).select(order), {})


def _side(rel: Rel, context: PolarsContext, prefix: str, keys: list[str]) -> tuple[pl.LazyFrame, list[str]]:
    """A side with its columns prefixed, canonical."""
    frame = context.frame(rel)
    columns = [
        canonical(Value(pl.col(c.name), c.type, frame.forms.get(c.name, Form.CANONICAL))).alias(
            f"{prefix}.{c.name}"
        )
        for c in rel.schema
    ]
    return frame.lazy.select(columns), [f"{prefix}.{k}" for k in keys]
