"""Where the values of a column come from: the stored columns that reach it unchanged."""

from __future__ import annotations

from workbench.query.plan import Col, Join, Project, Rel, Scan, Summarize, Union

_MOST = 4


def origins(rel: Rel, name: str) -> list[tuple[str, str]]:
    """Stored (table, column) pairs whose values `name` has; none where it is computed.

    Examples
    --------
    >>> from workbench.base.dtypes import Column, ScalarType
    >>> scan = Scan((Column("Computer", ScalarType.STRING),), "Heartbeat")
    >>> origins(scan, "Computer")
    [('Heartbeat', 'Computer')]
    """
    if rel.column(name) is None:
        return []
    if isinstance(rel, Scan):
        return [(rel.table, name)]
    if isinstance(rel, Project | Summarize):
        pairs = rel.columns if isinstance(rel, Project) else rel.keys
        made = next((e for n, e in pairs if n == name), None)
        return origins(rel.source, made.name) if isinstance(made, Col) else []
    if isinstance(rel, Union):
        found = [o for part in rel.parts[:_MOST] for o in origins(part, name)]
        return list(dict.fromkeys(found))[:_MOST]
    if isinstance(rel, Join):
        for side, names in ((rel.left, rel.left_names), (rel.right, rel.right_names)):
            for inner, outer in names:
                if outer == name:
                    return origins(side, inner)
        return []
    inputs = [r for r in rel.inputs if r.column(name) is not None]
    return origins(inputs[0], name) if len(inputs) == 1 else []
