"""Forms of values in SQL, and conversions between KQL types: the second lowering's `forms` and `_cast`.

In go `SqlValue`s, out come trees that give what the first lowering gives. What cannot be said, such as reading the many
spellings of a time, raises `Unsayable` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.base.dtypes import (
    DECIMAL_SCALE,
    MAX_DATETIME_TICKS,
    MIN_DATETIME_TICKS,
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    ScalarType,
)
from workbench.base.json_values import dumps
from workbench.query.functions import _sql, _sql_time, _unsayable
from workbench.query.lowering import Form, SqlValue

if TYPE_CHECKING:
    from workbench.query.functions._sql import Sql

T = ScalarType
_YEAR_ONE = 621355968000000000

SQL_TYPES: dict[ScalarType, str] = {
    T.BOOL: "BOOLEAN", T.INT: "INTEGER", T.LONG: "BIGINT", T.REAL: "DOUBLE", T.DECIMAL: f"DECIMAL(38, {DECIMAL_SCALE})",
    T.STRING: "VARCHAR", T.DATETIME: "BIGINT", T.TIMESPAN: "BIGINT", T.DYNAMIC: "VARCHAR", T.GUID: "VARCHAR",
}  # fmt: skip


def literal(value: Any, type_: ScalarType) -> Sql:
    """A constant in canonical form, typed."""
    if type_ is T.DYNAMIC:
        value = dumps(value)
    if value is None:
        return _sql.lit("") if type_ is T.STRING else _sql.cast(None, SQL_TYPES[type_])
    if type_ is T.DECIMAL:
        return _sql.cast(str(value), SQL_TYPES[type_])
    if type_ is T.REAL:
        return _sql.lit(float(value))
    if type_ in (T.INT, T.LONG) or type_.is_time:
        return _sql.cast(_sql.lit(int(value)), SQL_TYPES[type_])
    return _sql.lit(value)


def canonical(value: SqlValue) -> Sql:
    """The tree in the canonical form of its type."""
    if value.form is Form.NULLABLE:
        return _sql.coalesce(value.expr, "")
    if value.form is Form.MICROSECONDS:
        physical = _sql.microseconds(value.expr) if value.type is T.DATETIME else value.expr
        return _sql.op("*", physical, 10)
    if value.form is Form.RAW:
        return _parsed(value.expr)
    return value.expr


def _parsed(text: Sql) -> Sql:
    """Text as dynamic: JSON in compact form, other text a JSON string."""
    compact = _sql.func("nullif", _sql.cast(_sql.plain_func("json", text), "VARCHAR"), "null")
    return _sql.case(
        (_sql.op("=", _sql.coalesce(text, ""), ""), None),
        (_sql.plain_func("json_valid", text), compact),
        otherwise=quoted(text),
    )


def converted(value: SqlValue, to: ScalarType) -> SqlValue:
    """The value as another type; what does not convert is null ("" for a string)."""
    if value.type is to:
        return value
    return SqlValue(convert(canonical(value), value.type, to), to)


def convert(expr: Sql, source: ScalarType, to: ScalarType) -> Sql:
    """`expr` (canonical form of `source`) in the canonical form of `to`; null where it fails.

    Raises
    ------
    Unsayable
        SQL has no such conversion.
    """
    if source is to:
        return expr
    if to is T.STRING:
        return to_text(expr, source)
    if to is T.DYNAMIC:
        return json_text(expr, source)
    if source is T.STRING:
        return _from_text(expr, to)
    if source is T.DYNAMIC:
        return _from_json(expr, to)
    rule = _DIRECT.get((source, to))
    if rule is None:
        raise _sql.Unsayable(_unsayable.NO_CONVERSION)
    return rule(expr)


def _truncated(type_: str) -> Callable[[Sql], Sql]:
    return lambda e: _sql.try_cast(_sql.func("trunc", e), type_)


def _clipped(type_: str) -> Callable[[Sql], Sql]:
    """A real without what is behind the point; beyond the range the nearest whole number; null if infinite or NaN."""
    bits = 63 if type_ == "BIGINT" else 31

    def clipped(e: Sql) -> Sql:
        return _sql.case(
            (_sql.negated(_sql.func("isfinite", e)), None),
            (_sql.op(">=", e, 2.0**bits), _sql.cast(2**bits - 1, type_)),
            (_sql.op("<", e, -(2.0**bits)), _sql.cast(-(2**bits), type_)),
            otherwise=_truncated(type_)(e),
        )

    return clipped


def _plain(type_: str) -> Callable[[Sql], Sql]:
    return lambda e: _sql.cast(e, type_)


def _nonzero(e: Sql) -> Sql:
    return _sql.op("<>", e, 0)


def _to_int(e: Sql) -> Sql:
    """The lowest 32 bits of a long."""
    low = _sql.plain_func("xor", _sql.op("&", e, 2**32 - 1), 2**31)
    return _sql.cast(_sql.op("-", low, 2**31), "INTEGER")


def _since_year_one(e: Sql) -> Sql:
    return _sql.wrapped("-", e, _YEAR_ONE)


_DECIMAL = SQL_TYPES[T.DECIMAL]
_DIRECT: dict[tuple[ScalarType, ScalarType], Callable[[Sql], Sql]] = {
    (T.INT, T.LONG): _plain("BIGINT"),
    (T.INT, T.REAL): _plain("DOUBLE"),
    (T.LONG, T.REAL): _plain("DOUBLE"),
    (T.LONG, T.INT): _to_int,
    (T.REAL, T.LONG): _clipped("BIGINT"),
    (T.REAL, T.INT): _clipped("INTEGER"),
    (T.INT, T.DECIMAL): _plain(_DECIMAL),
    (T.LONG, T.DECIMAL): _plain(_DECIMAL),
    (T.REAL, T.DECIMAL): lambda e: _sql.try_cast(e, _DECIMAL),
    (T.DECIMAL, T.REAL): _plain("DOUBLE"),
    (T.DECIMAL, T.LONG): _truncated("BIGINT"),
    (T.DECIMAL, T.INT): _truncated("INTEGER"),
    (T.BOOL, T.INT): _plain("INTEGER"),
    (T.BOOL, T.LONG): _plain("BIGINT"),
    (T.BOOL, T.REAL): _plain("DOUBLE"),
    (T.BOOL, T.DECIMAL): lambda e: _sql.cast(_sql.cast(e, "BIGINT"), _DECIMAL),
    (T.INT, T.BOOL): _nonzero,
    (T.LONG, T.BOOL): _nonzero,
    (T.REAL, T.BOOL): _nonzero,
    (T.DECIMAL, T.BOOL): _nonzero,
    (T.LONG, T.DATETIME): _since_year_one,
    (T.INT, T.DATETIME): lambda e: _since_year_one(_sql.cast(e, "BIGINT")),
    (T.REAL, T.DATETIME): lambda e: _since_year_one(_truncated("BIGINT")(e)),
    (T.LONG, T.TIMESPAN): lambda e: e,
    (T.INT, T.TIMESPAN): _plain("BIGINT"),
    (T.REAL, T.TIMESPAN): _truncated("BIGINT"),
    (T.DATETIME, T.LONG): lambda e: _sql.wrapped("+", e, _YEAR_ONE),
    (T.DATETIME, T.INT): lambda e: _to_int(_sql.wrapped("+", e, _YEAR_ONE)),
    (T.DATETIME, T.REAL): lambda e: _plain("DOUBLE")(_sql.wrapped("+", e, _YEAR_ONE)),
    (T.TIMESPAN, T.LONG): lambda e: e,
    (T.TIMESPAN, T.INT): _to_int,
    (T.TIMESPAN, T.REAL): _plain("DOUBLE"),
}


# ---- into text --------------------------------------------------------------------------------


def to_text(expr: Sql, source: ScalarType) -> Sql:
    """What `tostring()` gives: null is ""."""
    if source is T.STRING:
        return expr
    if source is T.BOOL:
        return _sql.case((_sql.is_null(expr), ""), (expr, "True"), otherwise="False")
    if source is T.DYNAMIC:
        return _dynamic_text(expr)
    made = {
        T.REAL: _printed, T.DECIMAL: decimal_text, T.DATETIME: datetime_text, T.TIMESPAN: timespan_text,
    }.get(source)  # fmt: skip
    written = made(expr) if made is not None else _sql.cast(expr, "VARCHAR")
    return _sql.coalesce(written, "")


def _printed(expr: Sql) -> Sql:
    """A real as `tostring` prints it: infinities are inf and -inf there."""
    sign = _sql.case((_sql.op(">", expr, 0), "inf"), otherwise="-inf")
    return _sql.case((_sql.func("isinf", expr), sign), otherwise=real_text(expr))


def real_text(expr: Sql) -> Sql:
    """A real as text in a dynamic value: 1.0, 0.1, 1E+20, NaN, Infinity; null for null."""
    size = _sql.func("abs", expr)
    # DuckDB writes an exponent only from 1e16 on, KQL from 1e15 on.
    near = _sql.all_of(_sql.op(">=", size, 1e15), _sql.op("<", size, 1e16))
    written = _sql.plain_func("replace", _sql.cast(size, "VARCHAR"), ".", "")
    digits = _sql.func("rtrim", written, "0")
    rest = _sql.func("substring", digits, 2)
    exponential = _sql.concat(
        _sql.case((_sql.op("<", expr, 0), "-"), otherwise=""), _sql.func("substring", digits, 1, 1),
        _sql.case((_sql.op("<>", rest, ""), _sql.concat(".", rest)), otherwise=""), "E+15",
    )  # fmt: skip
    return _sql.case(
        (_sql.func("isnan", expr), "NaN"),
        (_sql.func("isinf", expr), _sql.case((_sql.op(">", expr, 0), "Infinity"), otherwise="-Infinity")),
        (near, exponential),
        otherwise=_sql.plain_func("replace", _sql.cast(expr, "VARCHAR"), "e", "E"),
    )


def decimal_text(expr: Sql) -> Sql:
    """A decimal without trailing zeros; null for null."""
    return _sql.func("rtrim", _sql.func("rtrim", _sql.cast(expr, "VARCHAR"), "0"), ".")


def datetime_text(ticks: Sql) -> Sql:
    """Ticks as `2020-01-31T23:59:59.1234567Z`; null for null and outside years 1 to 9999."""
    second = _sql.plain_func("strftime", _sql_time.moment(ticks), "%Y-%m-%dT%H:%M:%S")
    fraction = padded(_sql_time.rest(ticks, TICKS_PER_SECOND), 7)
    known = _sql.between(ticks, MIN_DATETIME_TICKS, MAX_DATETIME_TICKS)
    return _sql.case((known, _sql.concat(second, ".", fraction, "Z")))


def timespan_text(ticks: Sql) -> Sql:
    """Ticks as `[-][d.]hh:mm:ss[.fffffff]`; null for null."""
    size = _sql.func("abs", ticks)

    def part(of: int, unit: int) -> Sql:
        return padded(_sql.op("//", _sql.op("%", size, of), unit), 2)

    days, fraction = _sql.op("//", size, TICKS_PER_DAY), _sql.op("%", size, TICKS_PER_SECOND)
    return _sql.concat(
        _sql.case((_sql.op("<", ticks, 0), "-"), otherwise=""),
        _sql.case((_sql.op(">", days, 0), _sql.concat(_sql.cast(days, "VARCHAR"), ".")), otherwise=""),
        part(TICKS_PER_DAY, TICKS_PER_HOUR), ":", part(TICKS_PER_HOUR, TICKS_PER_MINUTE), ":",
        part(TICKS_PER_MINUTE, TICKS_PER_SECOND),
        _sql.case((_sql.op(">", fraction, 0), _sql.concat(".", padded(fraction, 7))), otherwise=""),
    )  # fmt: skip


def padded(number: Sql, width: int) -> Sql:
    """A whole number, not negative, with zeros before it."""
    return _sql.plain_func("lpad", _sql.cast(number, "VARCHAR"), width, "0")


# ---- dynamic ----------------------------------------------------------------------------------


def quoted(text: Sql) -> Sql:
    """Text as a JSON string."""
    return _sql.cast(_sql.plain_func("to_json", text), "VARCHAR")


def json_text(expr: Sql, source: ScalarType) -> Sql:
    """A value as JSON text; null for null."""
    if source is T.DYNAMIC:
        return expr
    if source is T.REAL:
        return _sql.case(
            (_sql.func("isfinite", expr), _sql.cast(expr, "VARCHAR")),
            (_sql.not_null(expr), _sql.concat('"', real_text(expr), '"')),
        )
    if source is T.DECIMAL:
        return _sql.cast(_sql.cast(expr, "DOUBLE"), "VARCHAR")
    if source is T.DATETIME:
        return _sql.concat('"', datetime_text(expr), '"')
    if source is T.TIMESPAN:
        return _sql.concat('"', timespan_text(expr), '"')
    if source is T.GUID:
        return _sql.concat('"', expr, '"')
    if source is T.STRING:
        return quoted(expr)
    return _sql.cast(expr, "VARCHAR")


def kind(json: Sql) -> Sql:
    """What a dynamic value is: VARCHAR, BOOLEAN, BIGINT, UBIGINT, DOUBLE, ARRAY, OBJECT; null for text that is no JSON."""
    return _sql.case((_sql.plain_func("json_valid", json), _sql.plain_func("json_type", json)))


def unquoted(json: Sql) -> Sql:
    """The text inside a JSON string."""
    return _sql.plain_func("json_extract_string", json, "$")


def _dynamic_text(json: Sql) -> Sql:
    text = _sql.case(
        (_sql.op("=", kind(json), "DOUBLE"), real_text(_sql.try_cast(json, "DOUBLE"))),
        (_sql.plain_func("json_valid", json), unquoted(json)),
        otherwise=json,
    )
    return _sql.coalesce(text, "")


def _from_json(json: Sql, to: ScalarType) -> Sql:
    """A dynamic value as a scalar; null for null, arrays and bags."""
    text = _from_text(unquoted(json), to)
    if to.is_time or to is T.GUID:
        return _sql.case((_sql.op("=", kind(json), "VARCHAR"), text))
    long = convert(_sql.try_cast(json, "BIGINT"), T.LONG, to)
    if to is T.REAL:
        long = _sql.try_cast(json, "DOUBLE")
    real = convert(_sql.try_cast(json, "DOUBLE"), T.REAL, to)
    truth = convert(_sql.try_cast(json, "BOOLEAN"), T.BOOL, to)
    return _sql.case(
        (_sql.op("=", kind(json), "VARCHAR"), text),
        (_sql.member(kind(json), ["BIGINT", "UBIGINT"]), long),
        (_sql.op("=", kind(json), "DOUBLE"), real),
        (_sql.op("=", kind(json), "BOOLEAN"), truth),
    )


# ---- out of text ------------------------------------------------------------------------------

_WHOLE = "[+-]?[0-9]+"
_NUMBER = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_WORDS = "(?i)nan|[+-]?inf|-?infinity"
_BLANKS = " \t\n\r\x0b\x0c"


def stripped(text: Sql) -> Sql:
    return _sql.func("trim", text, _BLANKS)


def _fits(text: Sql, pattern: str) -> Sql:
    return _sql.plain_func("regexp_full_match", text, pattern)


def _from_text(text: Sql, to: ScalarType) -> Sql:
    bare = stripped(text)
    if to in (T.INT, T.LONG):
        return _whole(bare, SQL_TYPES[to])
    if to is T.REAL:
        return _sql.case((_fits(bare, f"{_NUMBER}|{_WORDS}"), _sql.try_cast(bare, "DOUBLE")))
    if to is T.DECIMAL:
        return _sql.case((_fits(bare, _NUMBER), _sql.try_cast(bare, _DECIMAL)))
    if to is T.BOOL:
        word = _sql.func("lower", text)
        number = _sql.op("<>", _sql.try_cast(bare, "HUGEINT"), 0)
        return _sql.case(
            (_sql.op("=", word, "true"), True), (_sql.op("=", word, "false"), False), (_fits(bare, _WHOLE), number)
        )  # fmt: skip
    if to is T.GUID:
        return _sql.cast(_sql.try_cast(bare, "UUID"), "VARCHAR")
    raise _sql.Unsayable(_unsayable.TIME_TEXT)


def _whole(bare: Sql, type_: str) -> Sql:
    """A whole number; in hexadecimal the highest bit is the sign."""
    bits = 32 if type_ == "INTEGER" else 64
    hexadecimal = _sql.cast(_sql.try_cast(bare, "UBIGINT"), "HUGEINT")
    negative = _sql.op("-", hexadecimal, 2**bits)
    read = _sql.case(
        (_sql.between(hexadecimal, 2 ** (bits - 1), 2**bits - 1), negative), otherwise=hexadecimal
    )
    return _sql.case(
        (_fits(bare, _WHOLE), _sql.try_cast(bare, type_)),
        (_fits(bare, "0[xX][0-9a-fA-F]+"), _sql.try_cast(read, type_)),
    )
