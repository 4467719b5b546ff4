"""Conversions between types: `tostring`, `tolong`, … and what JSON text is."""

from __future__ import annotations

from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DATETIME,
    DECIMAL,
    DYNAMIC,
    GUID,
    INT,
    LONG,
    REAL,
    STRING,
    TIMESPAN,
    Naming,
    scalar,
)
from workbench.query.functions.forms import converted
from workbench.query.lowering import Form, SqlValue, Value


def _conversion(name: str, to: ScalarType, doc: str, *aliases: str) -> None:
    @scalar(name, [ANY], to, aliases=aliases, naming=Naming.FIRST_ARGUMENT)
    class _To:
        @staticmethod
        def lower(values: list[Value], args: Any, returns: ScalarType) -> Value:
            return converted(values[0], to)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Any, returns: ScalarType) -> SqlValue:
            return _sql_cast.converted(values[0], to)

    _To.__doc__ = doc


_conversion("tostring", STRING, "As text; null is the empty string.")
_conversion("tolong", LONG, "As long; null where it is no whole number.")
_conversion("toint", INT, "As int; null where it is no whole number of 32 bits.")
_conversion("toreal", REAL, "As real; null where it is no number.", "todouble")
_conversion("todecimal", DECIMAL, "As decimal; null where it is no number.")
_conversion("tobool", BOOL, "As bool; null where it is neither.", "toboolean")
_conversion("todatetime", DATETIME, "As datetime; null where it is no time.")
_conversion("totimespan", TIMESPAN, "As timespan; null where it is none.", "totime")
_conversion("toguid", GUID, "As guid; null where it is none.")


@scalar(
    "parse_json", [ANY], DYNAMIC, aliases=("todynamic", "toobject", "parsejson"), naming=Naming.FIRST_ARGUMENT
)
class ParseJson:
    """JSON text as a dynamic value; text that is no JSON stays a string."""

    @staticmethod
    def lower(values: list[Value], args: Any, returns: ScalarType) -> Value:
        value = values[0]
        if value.type is STRING:
            return Value(value.expr, DYNAMIC, Form.RAW)
        return converted(value, DYNAMIC)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Any, returns: ScalarType) -> SqlValue:
        value = values[0]
        if value.type is STRING:
            return SqlValue(value.expr, DYNAMIC, Form.RAW)
        return _sql_cast.converted(value, DYNAMIC)


@scalar("gettype_dynamic", [DYNAMIC], STRING, source="Kusto reference: gettype()")
class GetTypeOfDynamic:
    """What a dynamic value holds: array, dictionary, string, long, double, bool, null."""

    nulls = True

    @staticmethod
    def row(value: Any) -> str:
        if value is None:
            return "null"
        kinds = (
            (bool, "bool"),
            (int, "long"),
            (float, "double"),
            (str, "string"),
            (list, "array"),
            (dict, "dictionary"),
        )
        return next((name for kind, name in kinds if isinstance(value, kind)), "string")

    @staticmethod
    def sql(value: _sql.Sql) -> _sql.Sql:
        names = {
            "BOOLEAN": "bool", "BIGINT": "long", "UBIGINT": "long", "DOUBLE": "double", "ARRAY": "array",
            "OBJECT": "dictionary",
        }  # fmt: skip
        kind = _sql_cast.kind(value)
        known = [(_sql.op("=", kind, ours), name) for ours, name in names.items()]
        return _sql.case((_sql.is_null(value), "null"), *known, otherwise="string")
