"""`getschema`: the columns of a table as rows."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel, Values

DOTNET = {
    "bool": "System.SByte", "int": "System.Int32", "long": "System.Int64", "real": "System.Double",
    "decimal": "System.Data.SqlTypes.SqlDecimal", "string": "System.String", "datetime": "System.DateTime",
    "timespan": "System.TimeSpan", "dynamic": "System.Object", "guid": "System.Guid",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GetSchemaSyntax(syntax.Operator):
    pass


@operator("getschema", syntax="getschema")
class GetSchema:
    """One row a column: ColumnName, ColumnOrdinal, DataType, ColumnType."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> GetSchemaSyntax:
        return GetSchemaSyntax(keyword.span, "getschema")

    @staticmethod
    def bind(s: GetSchemaSyntax, source: Rel, b: BinderApi) -> Rel:
        schema = (
            Column("ColumnName", ScalarType.STRING),
            Column("ColumnOrdinal", ScalarType.LONG),
            Column("DataType", ScalarType.STRING),
            Column("ColumnType", ScalarType.STRING),
        )
        visible = [c for c in source.schema if not c.hidden]
        rows = tuple((c.name, i, DOTNET[c.type.value], c.type.value) for i, c in enumerate(visible))
        return Values(schema, rows)
