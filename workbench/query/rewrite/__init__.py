"""Plan → a better plan with the same rows: one rule a file, applied in this order.

What a plan has more than once is taken apart first (`shared`), so that each rule sees a shared relation
once; a rule is a function from a relation to a relation, which gives the very same object where it has
nothing to do. To add one: its file, its line in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.query.plan import Expr, Rel
from workbench.query.rewrite.constants import Fold, fold_constants
from workbench.query.rewrite.empty import drop_empty
from workbench.query.rewrite.json_texts import json_texts
from workbench.query.rewrite.late_rows import late_rows
from workbench.query.rewrite.limits import push_limits
from workbench.query.rewrite.merge import merge_projections
from workbench.query.rewrite.orders import drop_orders
from workbench.query.rewrite.prune import pruned
from workbench.query.rewrite.push_down import pushed
from workbench.query.rewrite.shared import Parts, prune_parts, push_common, put_together, taken_apart
from workbench.query.rewrite.structure import Key, key_of
from workbench.query.rewrite.terms import push_terms
from workbench.query.rewrite.time_ranges import push_time_ranges

NEEDED = "needed columns only"

RULES: tuple[tuple[str, Callable[[Parts, Fold], None]], ...] = (
    # First, so that the others need not carry hundreds of columns along; again for what they freed.
    (NEEDED, lambda parts, fold: prune_parts(parts, pruned)),
    ("fold constants", lambda parts, fold: parts.map(lambda rel: fold_constants(rel, fold))),
    ("push filters down", lambda parts, fold: push_common(parts, lambda rel, c: pushed(rel, c, fold))),
    ("drop what has no rows", lambda parts, fold: parts.map(drop_empty)),
    ("push limits down", lambda parts, fold: parts.map(push_limits)),
    ("drop orders", lambda parts, fold: parts.map(drop_orders)),
    ("time ranges to the tables", lambda parts, fold: parts.map(push_time_ranges)),
    ("read likely JSON only", lambda parts, fold: parts.map(json_texts)),
    (NEEDED, lambda parts, fold: prune_parts(parts, pruned)),
    ("merge projections", lambda parts, fold: parts.map(merge_projections)),
    ("wide rows late", lambda parts, fold: parts.map(late_rows)),
    ("terms to the tables", lambda parts, fold: parts.map(push_terms)),
)
"""Name and rule, in the order in which they are applied."""


def rewrite(rel: Rel, fold: Fold) -> Rel:
    """Apply all rules."""
    return rewritten(rel, fold)[0]


def rewritten(rel: Rel, fold: Fold) -> tuple[Rel, tuple[str, ...]]:
    """The better plan, and the names of the rules that changed something."""
    parts, fold = taken_apart(rel), _remembering(fold)
    fired = ["compute once"] if parts.shared else []
    for name, rule in RULES:
        before = parts.all()
        rule(parts, fold)
        if any(a is not b for a, b in zip(parts.all(), before, strict=True)) and name not in fired:
            fired.append(name)
    return put_together(parts), tuple(fired)


def _remembering(fold: Fold) -> Fold:
    """`fold` that asks the engine once for what stands in many places, as the padding of unions does."""
    known: dict[Key, Expr] = {}

    def folded(expr: Expr) -> Expr:
        key = key_of(expr)
        if key not in known:
            known[key] = fold(expr)
        return known[key]

    return folded


__all__ = ["RULES", "rewrite", "rewritten"]
