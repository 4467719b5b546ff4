"""`declare pattern`: tuples of texts that stand for tables, and their use `name("a").["path"]`."""

from __future__ import annotations

from workbench.base.diagnostics import query as diagnostics
from workbench.base.diagnostics import statements
from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.binder import visible
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import Entry, PatternEntry, ScalarEntry, Scope
from workbench.query.plan import Const, Rel


def used(b: Inside, node: syntax.Expression) -> tuple[PatternEntry, syntax.Call, syntax.Expression | None] | None:  # fmt: skip
    """The pattern that `node` uses, its call, and the path behind it; None where it uses none."""
    path: syntax.Expression | None = None
    if isinstance(node, syntax.Member):
        path = syntax.Literal(node.name_span, node.name, ScalarType.STRING)
        node = node.base
    elif isinstance(node, syntax.Index):
        path, node = node.selector, node.base
    if not isinstance(node, syntax.Call):
        return None
    entry = b.scope.find(node.name)
    return (entry, node, path) if isinstance(entry, PatternEntry) else None


def table(b: Inside, entry: PatternEntry, call: syntax.Call, path: syntax.Expression | None) -> Rel:
    """The table that the first fitting case of a pattern stands for (KQL406 where none does)."""
    pattern = entry.pattern
    visible.permit(b, pattern.name, call.span)
    if not pattern.cases:
        raise statements.pattern_unknown(_shown(pattern.name, (), None), (), call.span)
    if len(call.arguments) != len(pattern.parameters):
        wanted = f"{len(pattern.parameters)} argument{'' if len(pattern.parameters) == 1 else 's'}"
        raise diagnostics.wrong_count(pattern.name, wanted, len(call.arguments), call.span)
    if (path is None) != (pattern.path is None):
        what = "needs a path: name(…).path" if path is None else "has no path"
        raise diagnostics.bad_argument(pattern.name, what, call.span)
    given = _texts(b, call.arguments)
    asked = None if path is None else _texts(b, (path,))[0]
    known = []
    for case in pattern.cases:
        values = _texts(b, case.values)
        at = None if case.path is None else _texts(b, (case.path,))[0]
        if values == given and at == asked:
            return _body(b, entry, case, dict(zip(pattern.parameters, given, strict=True)), asked)
        known.append(_shown(pattern.name, values, at))
    raise statements.pattern_unknown(_shown(pattern.name, given, asked), known, call.span)


def _body(b: Inside, entry: PatternEntry, case: syntax.PatternCase, given: dict[syntax.Parameter, str], path: str | None) -> Rel:  # fmt: skip
    if case.body.result is None:
        raise diagnostics.bad_argument(entry.pattern.name, "has no result", case.span)
    entries: dict[str, Entry] = {p.name: ScalarEntry(Const(ScalarType.STRING, v)) for p, v in given.items()}
    if entry.pattern.path is not None:
        entries[entry.pattern.path.name] = ScalarEntry(Const(ScalarType.STRING, path))
    before, b.scope = b.scope, Scope(entry.scope, entries)
    try:
        b.statements(case.body.statements)
        return b.table(case.body.result)
    finally:
        b.scope = before


def _texts(b: Inside, nodes: tuple[syntax.Expression, ...]) -> tuple[str, ...]:
    return tuple(str(b.constant(n, "a value of a pattern", ScalarType.STRING)) for n in nodes)


def _shown(name: str, values: tuple[str, ...], path: str | None) -> str:
    call = f"{name}({', '.join(map(repr, values))})" if values else name
    return call if path is None else f"{call}.[{path!r}]"
