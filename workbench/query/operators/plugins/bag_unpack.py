"""`bag_unpack`: the properties of a bag as columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import PluginCall, plugin, projected
from workbench.query.plan import Col, Rel

T = ScalarType
_KINDS: dict[type, ScalarType] = {bool: T.BOOL, int: T.LONG, float: T.REAL, str: T.STRING}
_CONFLICTS = ("error", "replace_source", "keep_source")


@dataclass(frozen=True, slots=True)
class Unpack(Rel):
    """Properties of the bags in the column `bag` as columns: (property, name, type).

    `undecided`: no row had a property, so any column may be asked for; it is null.
    """

    source: Rel
    bag: str
    fields: tuple[tuple[str, str, ScalarType], ...]
    undecided: bool = False

    @property
    def serialized(self) -> bool:
        return self.source.serialized

    @property
    def passing(self) -> frozenset[str]:
        """See `rewrite.push_down.Passing`."""
        return frozenset(self.names()) - {self.bag, *(f[1] for f in self.fields)}

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        if needed is None:
            return Unpack(self.schema, prune(self.source, None), self.bag, self.fields, self.undecided)
        fields = tuple(f for f in self.fields if f[1] in needed)
        made = {f[1] for f in self.fields}
        source = prune(self.source, (needed - made) | {self.bag})
        left = {f[1] for f in fields} | {n for n in source.names() if n not in made}
        schema = tuple(c for c in self.schema if c.name in left)
        return Unpack(schema or source.schema, source, self.bag, fields, self.undecided)


@plugin(
    "bag_unpack", syntax="bag_unpack(COLUMN [, PREFIX] [, COLUMNS_CONFLICT] [, IGNORED]) [: (NAME: TYPE, …)]"
)
class BagUnpack:
    """A column for each property that some bag has, by name; the bag itself goes.

    Without an output schema the data are read to find the properties and their types. A name that the
    table has already is an error unless columnsConflict is 'replace_source' or 'keep_source'.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        name, expr = call.column(0, "Column", source, b)
        if not isinstance(expr, Col) or expr.type is not T.DYNAMIC:
            span = call.needed(0, "Column").span
            raise diagnostics.wrong_type("bag_unpack", "a dynamic column", expr.type.value, span)
        prefix = str(call.constant(1, "OutputColumnPrefix", b, T.STRING, ""))
        conflict = str(call.constant(2, "columnsConflict", b, T.STRING, "error"))
        ignored = call.constant(3, "ignoredProperties", b, T.DYNAMIC, [])
        call.finish(4)
        if conflict not in _CONFLICTS:
            raise diagnostics.bad_argument("bag_unpack", f"columnsConflict is one of {', '.join(_CONFLICTS)}", call.span)  # fmt: skip
        if call.schema is not None:
            others = {c.name for c in source.schema if c.name != name}
            asked = {n: t for n, t in call.schema.columns if call.schema.star or n not in others}
            found = [(n.removeprefix(prefix), t) for n, t in asked.items() if n.startswith(prefix)]
        else:
            found = _properties(b, source, name)
        skipped = {str(i) for i in ignored} if isinstance(ignored, list) else {str(ignored)}
        fields = [(key, prefix + key, type_) for key, type_ in found if key not in skipped]
        return _unpacked(call, source, name, fields, conflict)


def _properties(b: BinderApi, source: Rel, name: str) -> list[tuple[str, ScalarType]]:
    """Every property of every bag, by name, with the one type of its values, else dynamic."""
    rows = b.evaluate(projected(source, [(name, Col(T.DYNAMIC, name))]))
    kinds: dict[str, set[ScalarType]] = {}
    for text in rows[name].drop_nulls().unique().to_list():
        if text[:1] == "{":
            for key, value in _read(text).items():
                seen = kinds.setdefault(key, set())
                if value is not None:
                    seen.add(_KINDS.get(type(value), T.DYNAMIC))
    return [(k, next(iter(s)) if len(s) == 1 else T.DYNAMIC) for k, s in sorted(kinds.items())]


def _read(text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found


def _unpacked(
    call: PluginCall, source: Rel, name: str, fields: list[tuple[str, str, ScalarType]], conflict: str
) -> Rel:
    others = {c.name for c in source.schema if c.name != name and not c.hidden}
    clash = [f[1] for f in fields if f[1] in others]
    if clash and conflict == "error":
        raise diagnostics.bad_argument(
            "bag_unpack",
            f"the table has a column {clash[0]!r} already, tell which one counts: columnsConflict='replace_source' or 'keep_source'",
            call.span,
        )
    if conflict == "keep_source":
        fields = [f for f in fields if f[1] not in others]
    made = {f[1]: Column(f[1], f[2]) for f in fields}
    schema: list[Column] = []
    for column in source.schema:
        if column.name in made:
            schema.append(made.pop(column.name))
        elif column.name != name:
            schema.append(column)
    visible = [c for c in schema if not c.hidden]
    whole: Schema = (*visible, *made.values(), *(c for c in schema if c.hidden))
    return Unpack(whole, source, name, tuple(fields), undecided=not fields and call.schema is None)
