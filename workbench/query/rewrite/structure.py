"""Equal parts of a plan found in one pass: each relation gets a number, equal ones the same.

Comparing dataclasses pair by pair would walk the same trees again and again. Here a node's key is made of
its own fields, with numbers in place of what it reads, and looked up once. Values compare by type and
text, so that 1, 1.0 and true, or 0.0 and -0.0, are not taken for the same; spans do not count.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any

from workbench.base.dtypes import Schema
from workbench.base.errors import Span
from workbench.query.operators._per_group import Leaf
from workbench.query.plan import Call, Col, Const, Expr, Project, Rel, map_inputs

Key = tuple[Any, ...]


def key_of(expr: Expr) -> Key:
    """What is equal for equal expressions alone."""
    # Types are singletons: their ids compare faster than they do.
    if isinstance(expr, Col):
        return ("col", expr.name)
    if isinstance(expr, Const):
        return ("const", id(expr.type), repr(expr.value))
    if isinstance(expr, Call):
        types = tuple(map(id, expr.types))
        return (expr.function, id(expr.type), types, *(key_of(a) for a in expr.args))
    return ("other", id(expr))


class Structure:
    """Plans with each of their equal parts there once."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._known: dict[int, tuple[Rel, Rel]] = {}
        self._firsts: list[Rel] = []
        self._schemas: dict[int, tuple[Schema, Key]] = {}

    def once(self, rel: Rel) -> Rel:
        """`rel` in which equal relations are one and the same object; also across calls."""
        known = self._known.get(id(rel))
        if known is not None:
            return known[1]
        made = map_inputs(rel, self.once)
        number = self._numbers.setdefault(self._key(made), len(self._firsts))
        if number == len(self._firsts):
            self._firsts.append(made)
        first = self._firsts[number]
        # The node itself is kept beside its number: its id must not be given to another one.
        self._known[id(rel)] = (rel, first)
        self._known[id(made)] = (made, first)
        return first

    def _key(self, rel: Rel) -> Key:
        if isinstance(rel, Leaf):
            return ("leaf", id(rel))  # which group it stands for, only its place says
        if isinstance(rel, Project):
            # Most columns of most projections are handed on as they are.
            columns = [(n, e.name if isinstance(e, Col) else key_of(e)) for n, e in rel.columns]
            return (Project, self._schema(rel.schema), id(self.once(rel.source)), *columns)
        parts = (self._part(getattr(rel, n), compared) for n, compared in _fields(type(rel)) if n != "schema")
        return (type(rel), self._schema(rel.schema), *parts)

    def _schema(self, schema: Schema) -> Key:
        known = self._schemas.get(id(schema))
        if known is None:
            known = (schema, tuple((c.name, id(c.type), c.hidden) for c in schema))
            self._schemas[id(schema)] = known
        return known[1]

    def _part(self, value: Any, compared: bool) -> Any:
        kind = type(value)
        if kind is tuple:
            return tuple([self._part(v, True) for v in value]) if compared else id(value)
        if kind is str or value is None:
            return value
        if isinstance(value, Expr):
            return key_of(value)
        if isinstance(value, Rel):
            return id(self.once(value))
        if kind is Span:
            return None
        if not compared:
            return id(value)
        if isinstance(value, Enum):
            return id(value)
        if hasattr(type(value), "__dataclass_fields__"):
            parts = (self._part(getattr(value, n), compared) for n, compared in _fields(type(value)))
            return (type(value), *parts)
        if isinstance(value, bool | int | float | list | dict):
            return (type(value), repr(value))
        return id(value)


_FIELDS: dict[type, tuple[tuple[str, bool], ...]] = {}


def _fields(kind: type) -> tuple[tuple[str, bool], ...]:
    """The fields of a dataclass, and whether each counts for equality."""
    known = _FIELDS.get(kind)
    if known is None:
        known = _FIELDS[kind] = tuple((f.name, f.compare) for f in fields(kind))
    return known
