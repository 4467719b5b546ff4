"""`assert-schema`: the query goes on only if the columns are these."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class AssertSchemaSyntax(syntax.Operator):
    columns: tuple[tuple[str, ScalarType], ...]


@operator("assert-schema", syntax="assert-schema (NAME: TYPE, …)")
class AssertSchema:
    """The same rows; an error where names, types or their order differ."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> AssertSchemaSyntax:
        columns = p.column_list()
        return AssertSchemaSyntax(keyword.span.to(p.last_span), "assert-schema", columns)

    @staticmethod
    def bind(s: AssertSchemaSyntax, source: Rel, b: BinderApi) -> Rel:
        have = [(c.name, c.type) for c in source.schema if not c.hidden]
        if have != list(s.columns):
            shown = ", ".join(f"{n}: {t.value}" for n, t in have)
            raise diagnostics.bad_argument("assert-schema", f"the columns are ({shown})", s.span)
        return source
