"""Text: finding, counting and replacing other text in it, and splitting at it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.functions import _json_text, _sql, _sql_cast, _sql_lists, _unsayable
from workbench.query.functions._card import DYNAMIC, LONG, STRING, Naming, const, opt, scalar
from workbench.query.functions._rows import over_rows
from workbench.query.functions._sql_regex import re2
from workbench.query.functions.forms import canonical, loads
from workbench.query.functions.matching import checked_regex, python_match, sql_has
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import NO_SPAN, Const, Expr, columns_of


def constant_text(arg: Expr) -> str | None:
    """The text that a constant argument is, or None where it differs from row to row."""
    return arg.value if isinstance(arg, Const) and isinstance(arg.value, str) else None


def span_of(arg: Expr) -> Span | None:
    """Where a constant argument stands in the query, for messages about it."""
    return arg.span if isinstance(arg, Const) and arg.span != NO_SPAN else None


@scalar("split", [STRING, STRING, opt(LONG)], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class Split:
    """The parts of the text between delimiters as an array, or an array of just the part asked for.

    A part that is not there gives null; an empty delimiter does not split.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        text, delimiter = canonical(values[0]), constant_text(args[1])
        if len(values) == 2 and delimiter is not None:
            if delimiter:
                text = text.str.replace_all(delimiter, _json_text.BETWEEN, literal=True)
            return Value(_json_text.array(text), DYNAMIC)
        by = canonical(values[1])
        parts = pl.when(by == "").then(pl.concat_list(text)).otherwise(text.str.split(by=by))
        if len(values) == 2:
            return Value(_json_text.array(parts.list.join(_json_text.BETWEEN)), DYNAMIC)
        part = parts.list.get(canonical(values[2]), null_on_oob=True)
        return Value(_json_text.array(part), DYNAMIC)

    @staticmethod
    def sql(text: _sql.Sql, by: _sql.Sql, part: _sql.Sql | None = None) -> _sql.Sql:
        parts = _sql.case(
            (_sql.op("=", by, ""), _sql_lists.listed(text)), otherwise=_sql_lists.split(text, by)
        )
        if part is None:
            return _sql_lists.array(_sql_lists.each(parts, _sql_cast.quoted))
        following = _sql.op("+", _sql.func("least", part, 2**31), 1)
        place = _sql.case((_sql.op("<", part, 0), part), otherwise=following)
        found = _sql_cast.quoted(_sql_lists.at(parts, place))
        return _sql.concat("[", found, "]")


@scalar("replace_string", [STRING, STRING, STRING], STRING)
class ReplaceString:
    """The text with each occurrence of the second text replaced by the third."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        text, lookup = canonical(values[0]), constant_text(args[1])
        if lookup == "":
            return Value(text, STRING)
        if lookup is not None and (columns_of(args[0]) or not columns_of(args[2])):
            return Value(
                text.str.replace_all(lookup, canonical(values[2]).fill_null(""), literal=True), STRING
            )

        def replaced(text: str, lookup: str, rewrite: str) -> str:
            # Polars tries a branch of iff() on a row of nulls, though a text is never null.
            return (text or "").replace(lookup, rewrite or "") if lookup else text

        return Value(over_rows(replaced, pl.String(), *map(canonical, values)), STRING)

    @staticmethod
    def sql(text: _sql.Sql, lookup: _sql.Sql, rewrite: _sql.Sql) -> _sql.Sql:
        replaced = _sql.plain_func("replace", text, lookup, rewrite)
        return _sql.case((_sql.op("=", lookup, ""), text), otherwise=replaced)


def _pairs(lookups: Any, rewrites: Any) -> dict[str, str]:
    """What to replace by what; an entry that is no text is left out, or replaced by itself."""
    pairs: dict[str, str] = {}
    if isinstance(lookups, list) and isinstance(rewrites, list):
        for lookup, rewrite in zip(lookups, rewrites, strict=False):
            if isinstance(lookup, str) and lookup:
                pairs.setdefault(lookup, rewrite if isinstance(rewrite, str) else lookup)
    return pairs


def _touch(a: str, b: str) -> bool:
    """Whether occurrences of two texts can share characters."""
    return a in b or any(a.endswith(b[:n]) for n in range(1, len(b)))


_STAND_INS = [chr(code) for code in range(0xFDD0, 0xFDF0)]  # noncharacters, which no valid text holds


@scalar("replace_strings", [STRING, DYNAMIC, DYNAMIC], STRING)
class ReplaceStrings:
    """The text with all the given texts replaced; an earlier one wins, what is replaced stays as it is."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        if isinstance(args[1], Const) and isinstance(args[2], Const):
            pairs = _pairs(args[1].value, args[2].value)
            text = canonical(values[0])
            if not pairs:
                return Value(text, STRING)
            if not any(_touch(x, y) for x, y in permutations(pairs, 2)):
                return Value(text.str.replace_many(list(pairs), list(pairs.values())), STRING)
        return Value(over_rows(_replaced_strings, pl.String(), *map(canonical, values)), STRING)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if not (isinstance(args[1], Const) and isinstance(args[2], Const)):
            raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
        pairs = _pairs(args[1].value, args[2].value)
        if len(pairs) > len(_STAND_INS):
            raise _sql.Unsayable(_unsayable.LONG_LIST)
        found = _sql_cast.canonical(values[0])
        # What stands in for a lookup is found by none of those after it.
        for lookup, mark in zip(pairs, _STAND_INS, strict=False):
            found = _sql.plain_func("replace", found, lookup, mark)
        for rewrite, mark in zip(pairs.values(), _STAND_INS, strict=False):
            found = _sql.plain_func("replace", found, mark, rewrite)
        return SqlValue(found, STRING)


def _replaced_strings(text: str, lookups: str | None, rewrites: str | None) -> str:
    """Each lookup in turn, on what the ones before it have left alone."""
    open_parts, closed = [text], list[str]()
    for lookup, rewrite in _pairs(loads(lookups), loads(rewrites)).items():
        # Parts and the replacements between them stay in step: closed[i] stands behind open_parts[i].
        parts, between = list[str](), list[str]()
        for i, part in enumerate(open_parts):
            pieces = part.split(lookup)
            parts += pieces
            between += [rewrite] * (len(pieces) - 1) + closed[i : i + 1]
        open_parts, closed = parts, between
    return "".join(a + b for a, b in zip(open_parts, [*closed, ""], strict=True))


@scalar("indexof", [STRING, STRING, opt(LONG), opt(LONG), opt(LONG)], LONG)
class IndexOf:
    """The position of a text in another, -1 where it is not there; null for the empty text.

    A search may begin at a position (negative: counted from the end), take in a number of
    characters (-1: all), and look for the n-th occurrence.
    """

    @staticmethod
    def row(text: str, match: str, start: int = 0, length: int = -1, occurrence: int = 1) -> int | None:
        if not match or length < -1 or occurrence < 1:
            return None
        if start < 0:
            start = max(len(text) + start, 0)
        at = start - 1
        for _ in range(occurrence):
            # The length counts anew behind each occurrence, as Kusto has it.
            at = text.find(match, at + 1, len(text) if length < 0 else at + 1 + length)
            if at < 0:
                return -1
        return at

    @staticmethod
    def sql(text: _sql.Sql, match: _sql.Sql, start: _sql.Sql | None = None, length: _sql.Sql | None = None, occurrence: _sql.Sql | None = None) -> _sql.Sql:  # fmt: skip
        size = _sql.cast(_sql.func("length", text), "BIGINT")
        start = _sql.lit(0) if start is None else start
        length = _sql.lit(-1) if length is None else length
        occurrence = _sql.lit(1) if occurrence is None else occurrence

        def after(at: _sql.Sql) -> _sql.Sql:
            """The place of the next match behind a place, -2 where there is none."""
            following = _sql.op("+", at, 1)
            window = _sql.plain_func("substring", text, _sql.op("+", following, 1), _sql.case((_sql.op("<", length, 0), size), otherwise=_sql.func("least", length, size)))  # fmt: skip
            found = _sql.cast(_sql.plain_func("strpos", window, match), "BIGINT")
            there = _sql.all_of(_sql.op(">", found, 0), _sql.op("<=", following, size))
            return _sql.case((there, _sql.op("+", at, found)), otherwise=-2)

        first = _sql.case(
            (_sql.op("<", start, 0), _sql.func("greatest", _sql.op("+", size, start), 0)),
            otherwise=_sql.func("least", start, _sql.op("+", size, 1)),
        )
        begin = _sql.cast(_sql.op("-", first, 1), "BIGINT")
        found = _sql_lists.folded(
            _sql.plain_func("range", _sql.func("least", occurrence, _sql.op("+", size, 2))),
            begin,
            lambda at, _: _sql.case((_sql.op("=", at, -2), -2), otherwise=after(at)),
        )
        found = _sql.func("greatest", found, -1)
        valid = _sql.all_of(_sql.op("<>", match, ""), _sql.op(">=", length, -1), _sql.op(">=", occurrence, 1))
        return _sql.case((valid, _sql.known(found, start)))


def _overlaps(text: str) -> bool:
    """Whether two occurrences of the text can share characters."""
    return any(text.endswith(text[:n]) for n in range(1, len(text)))


def _count_overlapping(text: str, search: str) -> int:
    if not search:
        return 0
    count, at = 0, text.find(search)
    while at >= 0:
        count, at = count + 1, text.find(search, at + 1)
    return count


@scalar("countof", [STRING, STRING, opt(const(STRING))], LONG)
class CountOf:
    """How often a text occurs in another, overlaps too; or, with "regex", how often a pattern matches."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        text, search = canonical(values[0]), constant_text(args[1])
        regex = len(args) == 3 and constant_text(args[2]) == "regex"
        if regex:
            pattern = canonical(values[1]) if search is None else checked_regex(search, span_of(args[1]))
            return Value(text.str.count_matches(pattern).cast(pl.Int64), LONG)
        if search and not _overlaps(search):
            return Value(text.str.count_matches(search, literal=True).cast(pl.Int64), LONG)
        return Value(over_rows(_count_overlapping, pl.Int64(), text, canonical(values[1])), LONG)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        text, search = (_sql_cast.canonical(v) for v in values[:2])
        if len(args) == 3 and constant_text(args[2]) == "regex":
            pattern = constant_text(args[1])
            if pattern is None:
                raise _sql.Unsayable(_unsayable.PATTERN_DIFFERS)
            checked = re2(checked_regex(pattern, span_of(args[1])))
            return SqlValue(_sql_lists.size(_sql.plain_func("regexp_extract_all", text, checked)), LONG)

        def begins(place: _sql.Sql) -> _sql.Sql:
            return _sql.op(
                "=", _sql.plain_func("substring", text, place, _sql.func("length", search)), search
            )

        starts = _sql_lists.only(_sql_lists.places(_sql.func("length", text)), begins)
        return SqlValue(_sql.case((_sql.op("=", search, ""), 0), otherwise=_sql_lists.size(starts)), LONG)


@scalar("has_any_index", [STRING, DYNAMIC], LONG)
class HasAnyIndex:
    """The position in an array of the first item that the text has as a whole term, else -1."""

    @staticmethod
    def row(text: str, items: Any) -> int:
        if not isinstance(items, list):
            return -1
        found = (i for i, v in enumerate(items) if v is not None and python_match("has", text, str(v)))
        return next(found, -1)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if not isinstance(args[1], Const):
            raise _sql.Unsayable(_unsayable.ARRAY_DIFFERS)
        items = args[1].value if isinstance(args[1].value, list) else []
        text = _sql_cast.canonical(values[0])
        tests = [(sql_has(text, str(v)), i) for i, v in enumerate(items) if v is not None]
        found = _sql.case(*tests, otherwise=-1) if tests else _sql.lit(-1)
        known = _sql.case((_sql.not_null(_sql_cast.canonical(values[1])), found))
        return SqlValue(_sql.cast(known, "BIGINT"), LONG)
