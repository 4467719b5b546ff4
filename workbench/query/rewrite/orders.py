"""A sort whose order nobody sees is left out: below `distinct`, a join, and aggregates that do not mind.

Lists, `take_any` and ties of `arg_max` do mind. So does a window function between the sort and them.
"""

from __future__ import annotations

from workbench.query.functions.purity import any_looks_around, looks_around
from workbench.query.plan import (
    Distinct,
    Filter,
    Join,
    Project,
    Rel,
    Serialize,
    Sort,
    Summarize,
    Union,
    map_inputs,
)

# Aggregates that give the same whatever the order of the rows.
_INDIFFERENT = frozenset({
    "count", "countif", "sum", "sumif", "avg", "avgif", "min", "minif", "max", "maxif", "dcount", "dcountif",
    "count_distinct", "count_distinctif", "variance", "varianceif", "variancep", "stdev", "stdevif", "stdevp",
    "percentile", "percentiles", "binary_all_and", "binary_all_or", "binary_all_xor",
})  # fmt: skip


def drop_orders(rel: Rel) -> Rel:
    """The rule."""
    rel = map_inputs(rel, drop_orders)
    if isinstance(rel, Distinct | Join | Union):
        return map_inputs(rel, _unordered)
    if isinstance(rel, Summarize) and all(a.function in _INDIFFERENT for a in rel.aggregates):
        return map_inputs(rel, _unordered)
    return rel


def _unordered(rel: Rel) -> Rel:
    """`rel` without the sorts on its top."""
    if isinstance(rel, Sort | Serialize):
        return _unordered(rel.source)
    if isinstance(rel, Filter):
        return rel if looks_around(rel.condition) else map_inputs(rel, _unordered)
    if isinstance(rel, Project):
        return rel if any_looks_around(rel.columns) else map_inputs(rel, _unordered)
    return rel
