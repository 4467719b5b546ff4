"""What SQL's names stand for: the fields of a relation, by table alias and name.

Strings are never null in a table; where an outer join had no partner, a hidden column (`marker`) of the
side is null, and the strings of that side count as null with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.query.plan import Col, Expr, Filter, Project, Rel


@dataclass(frozen=True, slots=True)
class Field:
    """A column that SQL can name: `table.name` lies in `column` of the relation.

    `covered` ones (the other side of USING) are found only behind their table's name. `marker` names the
    column that is null where this text is.
    """

    table: str | None
    name: str
    column: str
    type: ScalarType
    hidden: bool = False
    covered: bool = False
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A relation and its fields, in the order of SELECT *."""

    rel: Rel
    fields: tuple[Field, ...]

    def tables(self) -> list[str]:
        return list(dict.fromkeys(f.table for f in self.fields if f.table is not None))

    def find(self, name: str, table: str | None, quoted: bool, span: Span) -> Field | None:
        """The field of a name (SQL103 where several have it); exact spelling goes before any other."""
        among = [f for f in self.fields if (same(f.table, table) if table else not f.covered)]
        found = [f for f in among if f.name == name]
        if not found and not quoted:
            found = [f for f in among if f.name.lower() == name.lower()]
        if len(found) > 1 and not all(f.column == found[0].column for f in found):
            seen = [f for f in found if not f.hidden] or found[:1]
            if len(seen) > 1:
                raise diagnostics.ambiguous(name, span, dict.fromkeys(f.table or "…" for f in seen))
            found = seen
        return found[0] if found else None

    def marker(self, column: str) -> str | None:
        return next((f.marker for f in self.fields if f.column == column and f.marker), None)

    def over(self, rel: Rel) -> Row:
        return Row(rel, self.fields)

    def named(self, table: str | None, names: Sequence[str] = ()) -> Row:
        """The same rows as a table of that name, its columns renamed as far as `names` reach."""
        seen = [f for f in self.fields if not f.hidden]
        given = {id(f): n for f, n in zip(seen, names, strict=False)}
        fields = (replace(f, table=table, name=given.get(id(f), f.name), covered=False) for f in self.fields)
        return Row(self.rel, tuple(fields))


def same(a: str | None, b: str | None) -> bool:
    return (a or "").lower() == (b or "").lower()


def row_of(rel: Rel, table: str | None) -> Row:
    """A relation as it is."""
    return Row(rel, tuple(Field(table, c.name, c.name, c.type, c.hidden) for c in rel.schema))


def extended(rel: Rel, added: Iterable[tuple[str, Expr]], *, hidden: bool = True) -> Rel:
    """`rel` with more columns."""
    new = list(added)
    if not new:
        return rel
    kept = tuple((c.name, Col(c.type, c.name)) for c in rel.schema)
    schema = (*rel.schema, *(Column(n, e.type, hidden) for n, e in new))
    return Project(schema, rel, (*kept, *new))


def filtered(rel: Rel, condition: Expr | None) -> Rel:
    return rel if condition is None else Filter(rel.schema, rel, condition)
