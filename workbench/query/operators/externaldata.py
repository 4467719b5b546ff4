"""`externaldata`: a table that lies outside. Its columns bind; its rows are not fetched.

Gives an `Unread` relation: the declared columns, no rows, and a warning that says so, which the
result carries in its statistics. Nothing here opens a file or a connection.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import ONE_ROW, Const, Filter, Project, Rel


@dataclass(frozen=True, slots=True)
class Unread(Rel):
    """A table whose rows are not read: empty, with `warning` told to the user when it is used."""

    warning: str


@dataclass(frozen=True, slots=True)
class ExternalDataSyntax(syntax.Operator):
    columns: tuple[tuple[str, ScalarType], ...]
    places: tuple[syntax.Expression, ...]


@operator(
    "externaldata",
    syntax="externaldata (NAME: TYPE, …) [PLACE, …] [with (PROPERTY = VALUE, …)]",
    aliases=("external_data",),
    source=True,
)
class ExternalData:
    """The declared columns without rows: files outside are not fetched, which a warning says."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ExternalDataSyntax:
        columns = p.column_list()
        p.expect("[")
        places = [] if p.peek().is_mark("]") else p.list_of(p.expression, trailing="]")
        p.expect("]")
        if p.accept_word("with"):
            p.expect("(")
            while not p.accept(")"):
                p.name()
                p.expect("=")
                p.expression()
                if not p.peek().is_mark(")"):
                    p.expect(",")
        return ExternalDataSyntax(keyword.span.to(p.last_span), "externaldata", columns, tuple(places))

    @staticmethod
    def bind(s: ExternalDataSyntax, source: Rel | None, b: BinderApi) -> Rel:
        taken: set[str] = set()
        for name, _ in s.columns:
            if name in taken:
                raise diagnostics.name_declared_twice(name, s.span)
            taken.add(name)
        places = [str(b.constant(p, "a place of externaldata", ScalarType.STRING)) for p in s.places]
        # A link may carry a key behind the `?`: it is not shown.
        shown = ", ".join(place.split("?")[0].split(";")[0] for place in places) or "no place"
        warning = f"externaldata gave no rows: {shown} is not fetched; store it with: workbench import."
        return Unread(tuple(Column(n, t) for n, t in s.columns), warning)


@to_polars.register
def _unread(rel: Unread, context: PolarsContext) -> Frame:
    context.warn(rel.warning)
    # One row of nulls that a false condition drops: no engine types are known here.
    one = ONE_ROW
    nulls = tuple((c.name, Const(c.type, None)) for c in rel.schema)
    typed = Project(rel.schema, one, nulls)
    return context.frame(Filter(rel.schema, typed, Const(ScalarType.BOOL, False)))
