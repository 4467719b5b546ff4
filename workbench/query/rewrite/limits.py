"""`take` as near to the tables as it can go: below computed columns, into the parts of a union.

The first rows of a projection are the projection of the first rows, unless a column looks at rows
that follow. Of a union, which has no order, any rows will do, so no part need give more than all.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.query.functions.purity import any_looks_around
from workbench.query.plan import Limit, Project, Rel, Union, Values, map_inputs


def push_limits(rel: Rel) -> Rel:
    """The rule."""
    if isinstance(rel, Limit):
        return _pushed(rel, rel.source, rel.count)
    return map_inputs(rel, push_limits)


def _pushed(rel: Limit, source: Rel, count: int) -> Rel:
    """The first `count` rows of `source`; `rel` is the limit that asks for them."""
    if isinstance(source, Limit):
        return _pushed(source, source.source, min(count, source.count))
    if isinstance(source, Project) and not any_looks_around(source.columns):
        below = Limit(source.source.schema, source.source, count)
        return replace(source, source=_pushed(below, source.source, count))
    if isinstance(source, Union):
        parts = tuple(p if _small(p, count) else _part(p, count) for p in source.parts)
        same = all(a is b for a, b in zip(parts, source.parts, strict=True))
        source = source if same else replace(source, parts=parts)
    else:
        source = push_limits(source)
    return rel if source is rel.source and count == rel.count else Limit(source.schema, source, count)


def _part(rel: Rel, count: int) -> Rel:
    return _pushed(Limit(rel.schema, rel, count), rel, count)


def _small(rel: Rel, count: int) -> bool:
    """Whether it gives no more rows anyway."""
    while isinstance(rel, Project):
        rel = rel.source
    if isinstance(rel, Values):
        return rel.frame is None and len(rel.rows) <= count
    return isinstance(rel, Limit) and rel.count <= count
