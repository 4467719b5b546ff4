"""CAST: SQL's types as KQL's. A text that is no value of the type becomes null, as with TRY_CAST."""

from __future__ import annotations

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions._cast import python_cast
from workbench.query.plan import Const, Expr
from workbench.query.sql import expressions
from workbench.query.sql.asking import Asking

T = ScalarType
D = exp.DType
_TYPES = {
    T.BOOL: (D.BOOLEAN, D.BIT),
    T.INT: (D.TINYINT, D.SMALLINT, D.MEDIUMINT, D.INT, D.UTINYINT, D.USMALLINT),
    T.LONG: (D.BIGINT, D.UINT, D.UBIGINT, D.INT128, D.UINT128),
    T.REAL: (D.FLOAT, D.DOUBLE),
    T.DECIMAL: (D.DECIMAL, D.BIGDECIMAL, D.MONEY),
    T.STRING: (D.CHAR, D.NCHAR, D.VARCHAR, D.NVARCHAR, D.TEXT, D.NAME, D.TINYTEXT, D.MEDIUMTEXT, D.LONGTEXT),
    T.DATETIME: (D.DATE, D.DATE32, D.DATETIME, D.DATETIME2, D.DATETIME64, D.SMALLDATETIME, D.TIMESTAMP, D.TIMESTAMPTZ,
                 D.TIMESTAMPLTZ, D.TIMESTAMPNTZ, D.TIMESTAMP_S, D.TIMESTAMP_MS, D.TIMESTAMP_NS),
    T.TIMESPAN: (D.INTERVAL, D.TIME),
    T.DYNAMIC: (D.JSON, D.JSONB, D.VARIANT, D.OBJECT),
    T.GUID: (D.UUID,),
}  # fmt: skip
_KQL = {dtype: type_ for type_, all_ in _TYPES.items() for dtype in all_}


def cast(a: Asking, node: exp.Cast) -> Expr:
    """`CAST(x AS type)`, `x::type`, `DATE '…'`, `TIMESTAMP '…'`."""
    to = node.args["to"]
    dtype = to.this if isinstance(to, exp.DataType) else None
    type_ = _KQL.get(dtype) if dtype is not None else None
    if type_ is None:
        raise diagnostics.not_taken(f"the type {to.sql()}", a.span(node), "BIGINT, DOUBLE, VARCHAR, TIMESTAMP, JSON, …")  # fmt: skip
    if dtype is D.INTERVAL and isinstance(node.this, exp.Literal) and node.this.is_string:
        from workbench.query.sql import times

        return times.interval(a, exp.Interval(this=node.this))
    inner = expressions.bind(a, node.this)
    made = converted(a, inner, type_, node)
    return a.call("startofday", made) if dtype in (D.DATE, D.DATE32) else made


def converted(a: Asking, inner: Expr, type_: ScalarType, node: exp.Expr) -> Expr:
    """`inner` as `type_`; a real is rounded to a whole number."""
    if isinstance(inner, Const) and inner.value is None:
        return Const(type_, None, inner.span)
    if isinstance(inner, Const) and inner.type is T.STRING and type_ in (T.DATETIME, T.TIMESPAN, T.GUID):
        found = python_cast(inner.value, T.STRING, type_)
        if found is None:
            raise diagnostics.unfit_text(str(inner.value), type_.value, a.span(node))
        return Const(type_, found, inner.span)
    if type_ in (T.INT, T.LONG) and inner.type in (T.REAL, T.DECIMAL):
        inner = a.call("round", inner)
    if inner.type is T.STRING and type_ is T.DYNAMIC:
        return a.call("parse_json", inner)
    return a.b.convert(inner, type_)
