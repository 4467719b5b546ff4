"""`datatable`: rows that are written in the query."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel, Values


@dataclass(frozen=True, slots=True)
class DatatableSyntax(syntax.Operator):
    columns: tuple[tuple[str, ScalarType], ...]
    cells: tuple[syntax.Expression, ...]


@operator("datatable", syntax="datatable (NAME: TYPE, …) [VALUE, …]", source=True)
class Datatable:
    """Rows cut from a list of constants, as many to a row as there are columns."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> DatatableSyntax:
        columns = p.column_list()
        p.expect("[")
        cells = [] if p.peek().is_mark("]") else p.list_of(p.expression, trailing="]")
        p.expect("]")
        return DatatableSyntax(keyword.span.to(p.last_span), "datatable", columns, tuple(cells))

    @staticmethod
    def bind(s: DatatableSyntax, source: Rel | None, b: BinderApi) -> Rel:
        width = len(s.columns)
        if width == 0 or len(s.cells) % width:
            raise diagnostics.bad_argument(
                "datatable", f"{len(s.cells)} values do not fill rows of {width}", s.span
            )
        names = [n for n, _ in s.columns]
        twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
        if twice is not None:
            raise diagnostics.name_declared_twice(twice, s.span)
        values = [_cell(b, node, s.columns[i % width][1]) for i, node in enumerate(s.cells)]
        rows = tuple(tuple(values[i : i + width]) for i in range(0, len(values), width))
        return Values(tuple(Column(n, t) for n, t in s.columns), rows)


def _cell(b: BinderApi, node: syntax.Expression, type_: ScalarType) -> object:
    if isinstance(node, syntax.Literal) and node.type is type_ and type_ is not ScalarType.DYNAMIC:
        return node.value
    return b.constant(node, "a value of datatable", type_)
