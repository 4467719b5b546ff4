"""`restrict access to`: which names a place in the query may use, and the check of each use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workbench.base.diagnostics import statements as diagnostics
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.binder import places
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import Allowed


def restrict(b: Inside, statement: syntax.Restrict) -> None:
    """From here on only the listed tables, views, functions and patterns can be used."""
    declared: list[str] = []
    stored: list[str] = []
    for entity in statement.entities:
        if isinstance(entity, syntax.Star):
            declared.append(entity.pattern)  # a bare pattern means lets, as in Kusto
        elif isinstance(entity, syntax.Name):
            (declared if _is_declared(b, entity.name) else stored).append(entity.name)
        elif isinstance(entity, syntax.Member):
            places.here(b, entity.base)
            stored.append(entity.name)
    b.scope = b.scope.child()
    b.scope.allowed = Allowed(tuple(declared), tuple(stored))


def _is_declared(b: Inside, name: str) -> bool:
    holder = b.scope.holder(name)
    return holder is not None and holder.behind is None


def permitted(b: Inside, name: str, *, stored: bool = False) -> bool:
    """Whether a table, a view, a function or a pattern may be used here.

    `stored`: the one that the workspace keeps is meant, whatever a `let` of that name says.
    """
    return _barrier(b, name, stored) is None


def permit(b: Inside, name: str, span: Span, *, stored: bool = False) -> None:
    """Raise KQL404 unless `permitted`."""
    allowed = _barrier(b, name, stored)
    if allowed is not None:
        raise diagnostics.restricted(name, span, [*allowed.declared, *allowed.stored])


def _barrier(b: Inside, name: str, stored: bool) -> Allowed | None:
    """The `restrict` between here and the declaration of `name` that does not list it."""
    holder = None if stored else b.scope.holder(name)
    declared = holder is not None and holder.behind is None
    scope = b.scope
    while scope is not holder:
        if scope.allowed is not None:
            patterns = scope.allowed.declared if declared else scope.allowed.stored
            if not _fits(name, patterns):
                return scope.allowed
        if scope.outer is None:
            break
        scope = scope.outer
    return None


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(
        re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name, re.DOTALL)
        for pattern in patterns
    )
