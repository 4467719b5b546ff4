"""Several tables from one pipeline: what `fork`, `facet` and some plugins have in common.

The parts are bound over a `Leaf` that stands for the rows of the source. They are never one relation:
`opened` gives them one by one, for `query.run` to answer; nothing can follow in the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.diagnostics import query as diagnostics
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._per_group import Leaf, substituted, used_of
from workbench.query.plan import ONE_ROW, Call, Col, Expr, Filter, Project, Rel, Scan, Values

if TYPE_CHECKING:
    import polars as pl

# Calls that give another value each time: rows that hold them have to be the same for all parts.
_CHANGING = frozenset({"rand", "new_guid", "row_number"})


@dataclass(frozen=True, slots=True)
class Several(Rel):
    """Tables over the rows of `source`, which `parts` read at `leaf`; `labels` name them.

    The schema is that of the first one.
    """

    source: Rel
    leaf: Leaf
    parts: tuple[Rel, ...]
    labels: tuple[str, ...]


@to_polars.register
def _several(rel: Several, context: PolarsContext) -> Frame:
    raise diagnostics.several_tables()


def several(source: Rel, leaf: Leaf, parts: Sequence[tuple[str, Rel]]) -> Several:
    """The parts as one node; of a single one too."""
    return Several(parts[0][1].schema, source, leaf, tuple(r for _, r in parts), tuple(n for n, _ in parts))


def batch(answers: Sequence[Rel]) -> Several:
    """The tables of a text with several queries, which share nothing."""
    leaf = leaf_of(ONE_ROW)
    return several(ONE_ROW, leaf, [(numbered("Results", place), rel) for place, rel in enumerate(answers)])


def leaf_of(source: Rel) -> Leaf:
    """What parts over the rows of `source` are bound over."""
    return Leaf(source.schema, source.serialized)


def numbered(stem: str, place: int) -> str:
    """The name of a table that has none of its own: `Results`, `Results_2`, …

    Examples
    --------
    >>> numbered("Results", 0), numbered("Results", 1)
    ('Results', 'Results_2')
    """
    return stem if place == 0 else f"{stem}_{place + 1}"


def opened(rel: Rel, evaluate: Callable[[Rel], pl.DataFrame] | None) -> list[tuple[str | None, Rel]]:
    """The tables of a query with their names; one without a name for any other relation.

    A source that is more than rows of a table, filtered or projected, is computed once for all parts,
    with just the columns that one of them reads; nothing is computed where `evaluate` is None.
    """
    if not isinstance(rel, Several):
        return [(None, rel)]
    source = rel.source
    if evaluate is not None and not _repeatable(source):
        used = set[str]().union(*(used_of(p, rel.leaf) for p in rel.parts))
        kept = tuple(c for c in source.schema if c.name in used) or source.schema[:1]
        columns = tuple((c.name, Col(c.type, c.name)) for c in kept)
        narrow = Project(kept, source, columns)
        source = Values(kept, (), evaluate(narrow), ordered=source.serialized)
    tables: list[tuple[str | None, Rel]] = []
    for label, part in zip(rel.labels, rel.parts, strict=True):
        inner = opened(substituted(part, rel.leaf, source), evaluate)
        tables += inner if isinstance(part, Several) else [(label, inner[0][1])]
    return tables


def _repeatable(rel: Rel) -> bool:
    """Whether reading the rows again is cheap and gives the same rows."""
    if isinstance(rel, Scan | Values):
        return True
    if isinstance(rel, Filter):
        return _steady(rel.condition) and _repeatable(rel.source)
    if isinstance(rel, Project):
        return all(_steady(e) for _, e in rel.columns) and _repeatable(rel.source)
    return False


def _steady(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return expr.function not in _CHANGING and all(_steady(a) for a in expr.args)
    return True
