"""Text: joining, measuring, cutting, comparing.

Positions and lengths count Unicode characters (code points). Text is never null here: a null
argument of another type has become "" when it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _sql_lists, _unsayable
from workbench.query.functions._card import (
    BOOL,
    LONG,
    STRING,
    Naming,
    opt,
    rep,
    scalar,
)
from workbench.query.lowering import SqlValue
from workbench.query.plan import Const, Expr

_MOST_REPEATS = 67_108_864


@scalar("strcat", [rep(STRING)], STRING)
class Strcat:
    """All arguments as text, one behind the other."""

    @staticmethod
    def polars(*args: pl.Expr) -> pl.Expr:
        return pl.concat_str(args)

    @staticmethod
    def sql(*args: _sql.Sql) -> _sql.Sql:
        return _sql.concat(*args)


@scalar("strcat_delim", [STRING, STRING, rep(STRING)], STRING)
class StrcatDelim:
    """The arguments behind the first one as text, with the first one between them."""

    @staticmethod
    def polars(delimiter: pl.Expr, *args: pl.Expr) -> pl.Expr:
        parts = [args[0]]
        for arg in args[1:]:
            parts += [delimiter, arg]
        return pl.concat_str(parts)

    @staticmethod
    def sql(delimiter: _sql.Sql, *args: _sql.Sql) -> _sql.Sql:
        return _sql.concat(args[0], *(part for arg in args[1:] for part in (delimiter, arg)))


@scalar("strlen", [STRING], LONG, naming=Naming.PREFIX_AND_FIRST, prefix="strlen")
class Strlen:
    """Number of characters, not bytes."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.len_chars().cast(pl.Int64)

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.cast(_sql.func("length", text), "BIGINT")


@scalar("string_size", [STRING], LONG, naming=Naming.PREFIX_AND_FIRST, prefix="string_size")
class StringSize:
    """Number of bytes in UTF-8."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.len_bytes().cast(pl.Int64)

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.cast(_sql.plain_func("strlen", text), "BIGINT")


@scalar("tolower", [STRING], STRING)
class ToLower:
    """The text in lower case."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.to_lowercase()

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.func("lower", text)


@scalar("toupper", [STRING], STRING)
class ToUpper:
    """The text in upper case."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.to_uppercase()

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        # DuckDB has a capital letter for ß.
        return _sql.func("upper", _sql.plain_func("replace", text, "ß", "SS"))


@scalar("substring", [STRING, LONG, opt(LONG)], STRING)
class Substring:
    """The characters from a position on (negative: from the end), a number of them or all.

    What lies before the beginning counts too: from ten before the end of `abc`, eight characters are `a`.
    """

    @staticmethod
    def polars(text: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
        size = text.str.len_chars().cast(pl.Int64)
        before = pl.when(start < 0).then(start + size).otherwise(start)
        first = before.clip(0)
        if length is None:
            return text.str.slice(first).fill_null("")
        count = (pl.min_horizontal(length, size - before) + pl.min_horizontal(before, 0)).clip(0)
        return pl.when(length.is_null()).then(None).otherwise(text.str.slice(first, count)).fill_null("")

    @staticmethod
    def sql(text: _sql.Sql, start: _sql.Sql, length: _sql.Sql | None = None) -> _sql.Sql:
        size = _sql.cast(_sql.func("length", text), "BIGINT")
        before = _sql.case(
            (_sql.op("<", start, 0), _sql.op("+", start, size)), otherwise=_sql.func("least", start, size)
        )
        first = _sql.op("+", _sql.func("greatest", before, 0), 1)
        first = _sql.case((_sql.not_null(start), first))
        if length is None:
            return _sql.coalesce(_sql.func("substring", text, first), "")
        kept = _sql.op(
            "+", _sql.func("least", length, _sql.op("-", size, before)), _sql.func("least", before, 0)
        )
        kept = _sql.case((_sql.not_null(length), _sql.func("greatest", kept, 0)))
        return _sql.coalesce(_sql.func("substring", text, first, kept), "")


@scalar("reverse", [STRING], STRING)
class Reverse:
    """The characters of the text in reverse order."""

    @staticmethod
    def row(text: str) -> str:
        return text[::-1]

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        # DuckDB's own turns round what people see as one character, not code points.
        return _sql_lists.joined(_sql.plain_func("list_reverse", _sql_lists.chars(text)), "")


@scalar("strcmp", [STRING, STRING], LONG)
class Strcmp:
    """-1, 0 or 1: how the first text stands to the second by code points."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return pl.when(a == b).then(0).when(a < b).then(-1).otherwise(1).cast(pl.Int64)

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql) -> _sql.Sql:
        return _sql.case((_sql.op("=", a, b), 0), (_sql.op("<", a, b), -1), otherwise=1)


@scalar("strrep", [STRING, LONG, opt(STRING)], STRING)
class Strrep:
    """The text a number of times, with a delimiter between where one is given."""

    @staticmethod
    def row(text: str, times: int, delimiter: str = "") -> str:
        times = min(times, _MOST_REPEATS)
        if times * (len(text) + len(delimiter)) > _MOST_REPEATS:
            raise diagnostics.too_much("strrep", f"a text of more than {_MOST_REPEATS:,} characters")
        return delimiter.join([text] * times)

    @staticmethod
    def sql(text: _sql.Sql, times: _sql.Sql, delimiter: _sql.Sql | None = None) -> _sql.Sql:
        between = _sql.lit("") if delimiter is None else delimiter
        count = _sql.func("least", times, _MOST_REPEATS)
        whole = _sql.op("*", count, _sql.op("+", _sql.func("length", text), _sql.func("length", between)))
        why = f"strrep makes a text of more than {_MOST_REPEATS:,} characters"
        rest = _sql.plain_func("repeat", _sql.concat(between, text), _sql.op("-", count, 1))
        found = _sql.case(
            (_sql.op(">", whole, _MOST_REPEATS), _sql.plain_func("error", why)),
            (_sql.op(">", count, 0), _sql.concat(text, rest)),
        )
        return _sql.coalesce(found, "")


@lru_cache(maxsize=256)
def _translation(search: str, replacement: str) -> dict[int, str | None]:
    """A table for `str.translate`: the last replacement stands in for those that are missing."""
    last = replacement[-1:] or None
    table: dict[int, str | None] = {}
    for i, char in enumerate(search):
        table.setdefault(ord(char), replacement[i] if i < len(replacement) else last)
    return table


@scalar("translate", [STRING, STRING, STRING], STRING)
class Translate:
    """The third text with each character of the first replaced by its partner in the second."""

    @staticmethod
    def row(search: str, replacement: str, text: str) -> str:
        return text.translate(_translation(search, replacement))

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        search, replacement = args[0], args[1]
        if not (isinstance(search, Const) and isinstance(replacement, Const)):
            raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
        table = _translation(str(search.value), str(replacement.value))
        # SQL leaves out the characters that have no partner: those stand last.
        kept = {chr(c): r for c, r in table.items() if r is not None}
        gone = "".join(chr(c) for c, r in table.items() if r is None)
        before, after = "".join(kept) + gone, "".join(kept.values())
        return SqlValue(_sql.plain_func("translate", _sql_cast.canonical(values[2]), before, after), STRING)


@scalar("isascii", [STRING], BOOL)
class IsAscii:
    """Whether the text has ASCII characters only."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.contains(r"^[\x00-\x7f]*$")

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.op("=", _sql.plain_func("strlen", text), _sql.func("length", text))


@scalar("isutf8", [STRING], BOOL)
class IsUtf8:
    """Whether the text is valid UTF-8, as all text in tables is."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.is_not_null()

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.not_null(text)
