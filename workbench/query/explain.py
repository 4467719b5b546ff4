"""A plan as an indented text, for `--explain`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from workbench.query.plan import Aggregate, Call, Col, Const, Expr, Rel, SortKey


def show(rel: Rel, depth: int = 0) -> str:
    """`rel` and its inputs, one line a node."""
    parts = []
    for f in fields(rel):
        if f.name in ("schema", "frame"):
            continue
        value = getattr(rel, f.name)
        if isinstance(value, Rel) or (isinstance(value, tuple) and any(isinstance(v, Rel) for v in value)):
            continue
        parts.append(f"{f.name}={_text(value)}")
    shown = ", ".join(c.name for c in rel.schema[:12]) + (", …" if len(rel.schema) > 12 else "")
    line = f"{'  ' * depth}{type(rel).__name__}({', '.join(parts)}) -> [{shown}]"
    return "\n".join([line, *(show(r, depth + 1) for r in rel.inputs)])


def _text(value: Any) -> str:
    if isinstance(value, Const):
        return repr(value.value)
    if isinstance(value, Col):
        return value.name
    if isinstance(value, Call):
        return f"{value.function}({', '.join(_text(a) for a in value.args)})"
    if isinstance(value, Aggregate):
        names = ", ".join(c.name for c in value.columns)
        return f"{names} = {value.function}({', '.join(_text(a) for a in value.args)})"
    if isinstance(value, SortKey):
        return f"{_text(value.value)} {'desc' if value.descending else 'asc'}"
    if isinstance(value, tuple):
        shown = [_text(v) for v in value[:12]] + (["…"] if len(value) > 12 else [])
        return f"({', '.join(shown)})"
    if isinstance(value, Expr):
        return type(value).__name__
    return repr(value)
