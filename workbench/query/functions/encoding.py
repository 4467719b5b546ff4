"""Text in other forms: base64, percent encoding, compression, hexadecimal, sizes, canonical JSON.

Nothing here raises for bad data: what cannot be decoded is "" (text) or null.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes
from uuid import UUID, uuid4

import orjson
import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _sql_lists, _unsayable
from workbench.query.functions._card import (
    ANY,
    DYNAMIC,
    GUID,
    INT,
    INTEGER,
    LONG,
    NUMBER,
    STRING,
    Naming,
    const,
    opt,
    scalar,
)
from workbench.query.functions._cast import python_cast
from workbench.query.functions._rows import over_rows
from workbench.query.functions.forms import canonical
from workbench.query.functions.searching import constant_text, span_of
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import NO_SPAN, Const, Expr

_MOST_BYTES = 64 * 1024 * 1024  # a decompressed text may not be larger, whatever a small input claims


def decoded(text: str) -> bytes | None:
    """The bytes of base64 text, or None where it is none.

    Examples
    --------
    >>> decoded("S3VzdG8="), decoded("x0x0x0")
    (b'Kusto', None)
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def utf8(data: bytes | None) -> str:
    """The text of UTF-8 bytes, "" where they are no UTF-8."""
    try:
        return "" if data is None else data.decode()
    except UnicodeDecodeError:
        return ""


def _sql_bytes(text: _sql.Sql) -> _sql.Sql:
    """The bytes of base64 text in hexadecimal, null where it is none."""
    # Only whole groups of four: what Python refuses, and DuckDB reads differently from version to version.
    form = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
    data = _sql.plain_func("hex", _sql.plain_func("try", _sql.plain_func("from_base64", text)))
    return _sql.case((_sql.plain_func("regexp_full_match", text, form), data))


def _sql_base64(hexadecimal: _sql.Sql) -> _sql.Sql:
    return _sql.plain_func("base64", _sql.plain_func("unhex", hexadecimal))


def _sql_mixed(hexadecimal: _sql.Sql) -> _sql.Sql:
    """32 digits of a guid with those of its first three parts turned round, as bytes hold them."""

    def bytes_at(*places: int) -> _sql.Sql:
        return _sql.concat(*(_sql.plain_func("substring", hexadecimal, 2 * p + 1, 2) for p in places))

    return _sql.concat(bytes_at(3, 2, 1, 0, 5, 4, 7, 6), _sql.plain_func("substring", hexadecimal, 17))


# ---- base64 ---------------------------------------------------------------------------------


@scalar("base64_encode_tostring", [STRING], STRING, aliases=("base64_encodestring",))
class Base64Encode:
    """The text's UTF-8 bytes as base64."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.encode("base64")

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.plain_func("base64", _sql.plain_func("encode", text))


@scalar("base64_decode_tostring", [STRING], STRING, aliases=("base64_decodestring",))
class Base64Decode:
    """The UTF-8 text behind base64, "" where there is none."""

    @staticmethod
    def row(text: str) -> str:
        return utf8(decoded(text))

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        data = _sql.plain_func("unhex", _sql_bytes(text))
        return _sql.coalesce(_sql.plain_func("try", _sql.plain_func("decode", data)), "")


@scalar("base64_decode_toarray", [STRING], DYNAMIC)
class Base64DecodeToArray:
    """The bytes behind base64 as an array of numbers, null where it is no base64."""

    @staticmethod
    def row(text: str) -> list[int] | None:
        data = decoded(text)
        return None if data is None else list(data)

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        digits = _sql_bytes(text)

        def number(place: _sql.Sql) -> _sql.Sql:
            pair = _sql.plain_func("substring", digits, _sql.op("-", _sql.op("*", place, 2), 1), 2)
            return _sql.cast(_sql.cast(_sql.concat("0x", pair), "INTEGER"), "VARCHAR")

        places = _sql_lists.places(_sql.op("//", _sql.func("length", digits), 2))
        return _sql.case((_sql.not_null(digits), _sql_lists.array(_sql_lists.each(places, number))))


@scalar("base64_encode_fromarray", [DYNAMIC], STRING)
class Base64EncodeFromArray:
    """An array of bytes as base64, "" where an item is no byte."""

    @staticmethod
    def row(items: Any) -> str:
        if not isinstance(items, list) or not all(isinstance(i, int) and 0 <= i < 256 for i in items):
            return ""
        return base64.b64encode(bytes(items)).decode()

    @staticmethod
    def sql(items: _sql.Sql) -> _sql.Sql:
        texts = _sql_lists.elements(items)

        def byte(text: _sql.Sql) -> _sql.Sql:
            number = _sql.case(
                (_sql.op("=", text, "true"), 1), (_sql.op("=", text, "false"), 0),
                (_sql_lists.is_whole(text), _sql.try_cast(text, "INTEGER")),
            )  # fmt: skip
            digits = _sql.plain_func("printf", "%02x", number)
            return _sql.case((_sql.between(number, 0, 255), digits))

        odd = _sql_lists.size(_sql_lists.only(texts, lambda t: _sql.is_null(byte(t)), "t"))
        data = _sql_base64(_sql_lists.joined(_sql_lists.each(texts, byte), ""))
        return _sql.case((_sql.op("=", odd, 0), data), otherwise="")


@scalar("base64_decode_toguid", [STRING], GUID)
class Base64DecodeToGuid:
    """The guid whose 16 bytes base64 holds, null where it does not."""

    @staticmethod
    def row(text: str) -> str | None:
        data = decoded(text)
        return str(UUID(bytes_le=data)) if data is not None and len(data) == 16 else None

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        digits = _sql_bytes(text)
        whole = _sql.op("=", _sql.func("length", digits), 32)
        guid = _sql.cast(_sql.try_cast(_sql_mixed(digits), "UUID"), "VARCHAR")
        return _sql.case((whole, guid))


@scalar("base64_encode_fromguid", [GUID], STRING)
class Base64EncodeFromGuid:
    """The 16 bytes of a guid as base64."""

    @staticmethod
    def row(guid: str) -> str:
        return base64.b64encode(UUID(guid).bytes_le).decode()

    @staticmethod
    def sql(guid: _sql.Sql) -> _sql.Sql:
        return _sql.coalesce(_sql_base64(_sql_mixed(_sql.plain_func("replace", guid, "-", ""))), "")


# ---- percent encoding -----------------------------------------------------------------------


def _percent(encoded: str) -> str:
    """Percent codes in lower case, and the tilde as one: what Kusto writes."""
    parts = encoded.replace("~", "%7e").split("%")
    return parts[0] + "".join("%" + p[:2].lower() + p[2:] for p in parts[1:])


def _sql_percent(text: _sql.Sql, space: str) -> _sql.Sql:
    def lowered(part: _sql.Sql) -> _sql.Sql:
        code = _sql.func("lower", _sql.plain_func("substring", part, 1, 2))
        return _sql.concat("%", code, _sql.plain_func("substring", part, 3))

    parts = _sql_lists.split(_sql.plain_func("url_encode", text), "%")
    rest = _sql_lists.each(_sql_lists.part(parts, 2, _sql_lists.size(parts)), lowered)
    found = _sql.concat(_sql_lists.at(parts, 1), _sql_lists.joined(rest, ""))
    for code, plain in (("%21", "!"), ("%2a", "*"), ("%28", "("), ("%29", ")"), ("~", "%7e"), ("%20", space)):
        found = _sql.plain_func("replace", found, code, plain)
    return found


@scalar("url_encode", [STRING], STRING)
class UrlEncode:
    """The text percent-encoded, with `+` for a space."""

    @staticmethod
    def row(text: str) -> str:
        return _percent(quote_plus(text, safe="!*()"))

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql_percent(text, "+")


@scalar("url_encode_component", [STRING], STRING)
class UrlEncodeComponent:
    """The text percent-encoded, with `%20` for a space."""

    @staticmethod
    def row(text: str) -> str:
        return _percent(quote(text, safe="!*()"))

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql_percent(text, "%20")


@scalar("url_decode", [STRING], STRING)
class UrlDecode:
    """Percent-encoded text in plain, `+` as a space."""

    @staticmethod
    def row(text: str) -> str:
        return unquote_to_bytes(text.replace("+", " ")).decode(errors="replace")


# ---- compression ----------------------------------------------------------------------------

_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS


def _compress(text: str, form: int) -> str:
    packer = zlib.compressobj(wbits=form)
    return base64.b64encode(packer.compress(text.encode()) + packer.flush()).decode()


def _decompress(text: str, form: int) -> str:
    data = decoded(text)
    if data is None:
        return ""
    unpacker = zlib.decompressobj(wbits=form)
    try:
        found = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error:
        return ""
    return utf8(found) if unpacker.eof else ""


def _compression(kind: str, form: int) -> None:
    @scalar(f"{kind}_compress_to_base64_string", [STRING], STRING)
    class _Compress:
        @staticmethod
        def row(text: str) -> str:
            return _compress(text, form)

    @scalar(f"{kind}_decompress_from_base64_string", [STRING], STRING)
    class _Decompress:
        @staticmethod
        def row(text: str) -> str:
            return _decompress(text, form)

    _Compress.__doc__ = f"The text compressed by {kind}, in base64."
    _Decompress.__doc__ = f'The text that {kind} and base64 hold, "" where there is none.'


_compression("gzip", _GZIP)
_compression("zlib", _ZLIB)


# ---- numbers and values as text -------------------------------------------------------------


@scalar("tohex", [INTEGER, opt(LONG)], STRING, naming=Naming.FIRST_ARGUMENT)
class ToHex:
    """A whole number in hexadecimal, padded with zeros to a length of at most 16.

    Negative numbers show all bits of their type: 8 digits for int, 16 for long.
    """

    @staticmethod
    def row(value: int, length: int = 1, *, types: Sequence[ScalarType]) -> str:
        bits = 32 if types[0] is INT else 64
        return format(value % 2**bits, "x").zfill(min(length, 16))

    @staticmethod
    def sql(value: _sql.Sql, length: _sql.Sql | None = None, *, types: Sequence[ScalarType]) -> _sql.Sql:
        bits = _sql.cast(value, "BIGINT")
        digits = _sql.plain_func("printf", "%x", _sql.op("&", bits, 2**32 - 1) if types[0] is INT else bits)
        if length is None:
            return _sql.coalesce(digits, "")
        width = _sql.func("least", length, 16)
        short = _sql.op("<", _sql.func("length", digits), width)
        padded = _sql.plain_func("lpad", digits, _sql.cast(width, "INTEGER"), "0")
        return _sql.coalesce(_sql.known(_sql.case((short, padded), otherwise=digits), length), "")


_UNITS = ("Bytes", "KB", "MB", "GB", "TB", "PB", "EB")


def _precision_and_unit(args: Sequence[Expr]) -> tuple[int, str]:
    precision, unit = 0, ""
    if len(args) > 1 and isinstance(args[1], Const):
        precision = max(args[1].value or 0, 0)
    if len(args) > 2:
        unit = constant_text(args[2]) or ""
    if unit and unit not in _UNITS:
        why = f"the units are {', '.join(_UNITS)}, not {unit!r}"
        raise diagnostics.bad_argument("format_bytes()", why, span_of(args[2]) or NO_SPAN)
    return precision, unit


def _sql_in_unit(number: _sql.Sql, size: _sql.Sql, power: int, precision: int) -> _sql.Sql:
    """A whole number of bytes in a unit, by whole numbers alone."""
    unit, places = 1024**power, min(precision, 12)
    scaled = _sql.op("+", _sql.op("*", size, 2 * 10**places), unit)
    rounded = _sql.op("//", scaled, 2 * unit)
    whole = _sql.cast(_sql.op("//", rounded, 10**places), "VARCHAR")
    digits = whole
    if places:
        rest = _sql_cast.padded(_sql.op("%", rounded, 10**places), places)
        digits = _sql.func("rtrim", _sql.func("rtrim", _sql.concat(whole, ".", rest), "0"), ".")
    sign = _sql.case((_sql.op("<", number, 0), "-"), otherwise="")
    return _sql.concat(sign, digits, f" {_UNITS[power]}")


@scalar("format_bytes", [NUMBER, opt(const(LONG)), opt(const(STRING))], STRING, naming=Naming.FIRST_ARGUMENT)
class FormatBytes:
    """A number of bytes as people read it: `564 Bytes`, `10.1 KB`."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        precision, unit = _precision_and_unit(args)

        def formatted(size: Any) -> str:
            return "" if size is None else bytes_text(Decimal(str(size)), precision, unit)

        return Value(over_rows(formatted, pl.String(), canonical(values[0])), STRING)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if values[0].type not in (INT, LONG):
            raise _sql.Unsayable(_unsayable.BYTES_REAL)
        precision, unit = _precision_and_unit(args)
        number = _sql_cast.canonical(values[0])
        size = _sql.func("abs", _sql.cast(number, "HUGEINT"))
        forms = {name: _sql_in_unit(number, size, power, precision) for power, name in enumerate(_UNITS)}
        if unit:
            found = forms[unit]
        else:
            large = [(_sql.op(">=", size, 1024**p), forms[_UNITS[p]]) for p in range(len(_UNITS) - 1, 0, -1)]
            found = _sql.case(*large, otherwise=forms[_UNITS[0]])
        return SqlValue(_sql.coalesce(found, ""), STRING)


def bytes_text(number: Decimal, precision: int = 0, unit: str = "") -> str:
    """A number of bytes in a unit, or in the largest one of which there is one at least.

    Examples
    --------
    >>> bytes_text(Decimal(10332), 1), bytes_text(Decimal(20010332), 0, "KB")
    ('10.1 KB', '19541 KB')
    """
    if not number.is_finite():
        return ""
    power = _UNITS.index(unit) if unit else 0
    while not unit and power < len(_UNITS) - 1 and abs(number) >= 1024 ** (power + 1):
        power += 1
    with localcontext(prec=400):  # a real has up to 309 digits before its point
        rounded = (number / 1024**power).quantize(Decimal(1).scaleb(-min(precision, 12)), ROUND_HALF_UP)
    digits = format(rounded, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{digits} {_UNITS[power]}"


@scalar("dynamic_to_json", [ANY], STRING)
class DynamicToJson:
    """A dynamic value as canonical JSON, keys in order; other values as `tostring()` gives them."""

    @staticmethod
    def row(value: Any, types: Sequence[ScalarType]) -> str:
        if types[0] is DYNAMIC and isinstance(value, list | dict):
            return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()
        return str(python_cast(value, types[0], STRING))


@scalar("new_guid", [], GUID)
class NewGuid:
    """A random guid, another one in each row."""

    no_sql = "it gives something else each time, so that no two engines agree"

    @staticmethod
    def polars() -> pl.Expr:
        def batch(s: pl.Series) -> pl.Series:
            return pl.Series(s.name, [str(uuid4()) for _ in range(len(s))], pl.String)

        return pl.int_range(pl.len()).map_batches(batch, return_dtype=pl.String)
