"""Regular expressions: `extract`, `replace_regex`, `trim` and kin.

The syntax is that of Rust's `regex` crate, which is the family that Kusto's is of: no look-around, no
back-references, `\\d` and `\\w` know all of Unicode. Patterns are constants and are checked when a call
is lowered, so a bad one is KQL209 and never a failure in the middle of a run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json_text, _sql, _sql_cast, _sql_lists
from workbench.query.functions._card import DYNAMIC, LONG, STRING, const, opt, scalar
from workbench.query.functions._sql_regex import re2
from workbench.query.functions.forms import canonical
from workbench.query.functions.matching import checked_regex
from workbench.query.functions.searching import span_of
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import NO_SPAN, Const, Expr


def _constant(args: Sequence[Expr], index: int) -> Any:
    arg = args[index]
    assert isinstance(arg, Const)  # the binder demanded it
    return arg.value


def _pattern(args: Sequence[Expr], index: int) -> str:
    return checked_regex(_constant(args, index), span_of(args[index]))


# ---- replacing ------------------------------------------------------------------------------


def rewrite_text(rewrite: str) -> str:
    r"""A KQL rewrite (`\1`, `\0`, `\\`) in the engine's words (`${1}`, `$$`).

    Examples
    --------
    >>> rewrite_text(r"was: \1 for $5")
    'was: ${1} for $$5'
    """

    def word(m: re.Match[str]) -> str:
        if m[0] == "$":
            return "$$"
        return f"${{{m[1]}}}" if m[1].isdigit() else m[1]

    return re.sub(r"\$|\\(\d|.)", word, rewrite, flags=re.DOTALL)


def _sql_rewrite(rewrite: str, groups: int) -> str:
    r"""The same in RE2's words (`\1`, `\\`); a group that the pattern lacks is empty."""

    def word(m: re.Match[str]) -> str:
        if m[1].isdigit():
            return m[0] if int(m[1]) <= groups else ""
        return "\\\\" if m[1] == "\\" else m[1]

    return re.sub(r"\\(\d|.)", word, rewrite, flags=re.DOTALL)


def _sql_replaced(text: SqlValue, pattern: str, rewrite: str) -> SqlValue:
    replacement = _sql_rewrite(rewrite, len(_groups(pattern)))
    found = _sql.plain_func("regexp_replace", _sql_cast.canonical(text), re2(pattern), replacement, "g")
    return SqlValue(found, STRING)


@scalar("replace_regex", [STRING, const(STRING), const(STRING)], STRING)
class ReplaceRegex:
    r"""The text with each match of the pattern replaced; `\1` stands for the first group."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        rewrite = rewrite_text(_constant(args, 2))
        return Value(canonical(values[0]).str.replace_all(_pattern(args, 1), rewrite), STRING)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        return _sql_replaced(values[0], _pattern(args, 1), _constant(args, 2))


@scalar("replace", [const(STRING), const(STRING), STRING], STRING)
class Replace:
    """The old form of `replace_regex()`: pattern, rewrite, then the text."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        rewrite = rewrite_text(_constant(args, 1))
        return Value(canonical(values[2]).str.replace_all(_pattern(args, 0), rewrite), STRING)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        return _sql_replaced(values[2], _pattern(args, 0), _constant(args, 1))


_START, _END = "^(?:{})", "(?:{})$"


def _without_start(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.replace(_START.format(pattern), "")


def _without_end(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.replace(_END.format(pattern), "")


def _trim(name: str, cut: Callable[[pl.Expr, str], pl.Expr], forms: Sequence[str], doc: str) -> None:
    @scalar(name, [const(STRING), STRING], STRING)
    class _Trim:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            return Value(cut(canonical(values[1]), _pattern(args, 0)), STRING)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            found, pattern = _sql_cast.canonical(values[1]), re2(_pattern(args, 0))
            for form in forms:
                found = _sql.plain_func("regexp_replace", found, form.format(pattern), "")
            return SqlValue(found, STRING)

    _Trim.__doc__ = doc


_trim("trim_start", _without_start, [_START], "The text without one match of the pattern at its start.")
_trim("trim_end", _without_end, [_END], "The text without one match of the pattern at its end.")
_trim(
    "trim",
    lambda text, pattern: _without_end(_without_start(text, pattern), pattern),
    [_START, _END],
    "The text without one match of the pattern at its start and one at its end.",
)


# ---- extracting -----------------------------------------------------------------------------


def _groups(pattern: str) -> list[str]:
    """The names of the capture groups of a checked pattern: their numbers where they have none."""
    found = pl.select(pl.lit("").str.extract_groups(pattern)).to_series()
    return found.struct.fields


@scalar("extract", [const(STRING), const(LONG), STRING], STRING)
class Extract:
    """What a group of the pattern (0: the whole pattern) matched first, "" where nothing does.

    A fourth argument `typeof(…)` gives the result as that type.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pattern, group, text = _pattern(args, 0), _constant(args, 1), canonical(values[2])
        if group not in range(len(_groups(pattern)) + 1):
            return Value(text.str.slice(0, 0), STRING)
        return Value(text.str.extract(pattern, group).fill_null(""), STRING)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        pattern, group, text = _pattern(args, 0), _constant(args, 1), _sql_cast.canonical(values[2])
        if group not in range(len(_groups(pattern)) + 1):
            return SqlValue(_sql.lit(""), STRING)
        found = _sql.plain_func("regexp_extract", text, re2(pattern), group)
        return SqlValue(_sql.coalesce(found, ""), STRING)


def _chosen(args: Sequence[Expr], groups: list[str]) -> list[Any]:
    """Numbers or names of the groups that `extract_all` is to give; KQL208 for one that is not there."""
    span = span_of(args[0]) or NO_SPAN
    if not groups:
        raise diagnostics.bad_argument("extract_all()", "the pattern needs a group in parentheses", span)
    numbers = range(1, len(groups) + 1)
    if len(args) == 2:
        return list(numbers)
    chosen = _constant(args, 1)
    for group in chosen if isinstance(chosen, list) and chosen else [chosen]:
        if group not in groups and (isinstance(group, str) or group not in numbers):
            why = f"the pattern has no group {group!r}"
            raise diagnostics.bad_argument("extract_all()", why, span_of(args[1]) or span)
    return list(chosen)


@scalar("extract_all", overloads=[([const(STRING), STRING], DYNAMIC), ([const(STRING), const(DYNAMIC), STRING], DYNAMIC)], aliases=("extractall",))  # fmt: skip
class ExtractAll:
    """All matches of the pattern: an array of the texts of its group, or of arrays where it has several.

    A list of group numbers or names chooses among the groups; null where nothing matches.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pattern, text = _pattern(args, 0), canonical(values[-1])
        chosen = _chosen(args, _groups(pattern))
        # Each match becomes BETWEEN group WITHIN group … BETWEEN, so every second part is a match.
        marked = _json_text.WITHIN.join(f"${{{g}}}" for g in chosen)
        marked = f"{_json_text.BETWEEN}{marked}{_json_text.BETWEEN}"
        parts = _json_text.escaped(text.str.replace_all(pattern, marked)).str.split(_json_text.BETWEEN)
        matches = parts.list.gather_every(2, 1)
        if len(chosen) == 1:
            whole = '["' + matches.list.join('","') + '"]'
        else:
            inner = matches.list.join('"],["').str.replace_all(_json_text.WITHIN, '","', literal=True)
            whole = '[["' + inner + '"]]'
        return Value(pl.when(matches.list.len() > 0).then(whole), DYNAMIC)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        pattern, text = _pattern(args, 0), _sql_cast.canonical(values[-1])
        names = _groups(pattern)
        numbers = [names.index(g) + 1 if isinstance(g, str) else g for g in _chosen(args, names)]
        columns = [_sql.plain_func("regexp_extract_all", text, re2(pattern), n) for n in numbers]
        if len(columns) == 1:
            pieces = _sql_lists.each(columns[0], _sql_cast.quoted)
        else:

            def row(place: _sql.Sql) -> _sql.Sql:
                cells = [_sql_cast.quoted(_sql.coalesce(_sql_lists.at(c, place), "")) for c in columns]
                return _sql_lists.array(_sql_lists.listed(*cells))

            pieces = _sql_lists.each(_sql_lists.places(_sql_lists.size(columns[0])), row)
        there = _sql.op(">", _sql_lists.size(columns[0]), 0)
        return SqlValue(_sql.case((there, _sql_lists.array(pieces))), DYNAMIC)


# ---- finding --------------------------------------------------------------------------------


@scalar("indexof_regex", [STRING, const(STRING), opt(LONG), opt(LONG), opt(const(LONG))], LONG)
class IndexOfRegex:
    """The position of the first (or n-th) match of the pattern, -1 where there is none."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pattern, text = _pattern(args, 1), canonical(values[0])
        zero = pl.lit(0, dtype=pl.Int64)
        start = canonical(values[2]) if len(values) > 2 else zero
        length = canonical(values[3]) if len(values) > 3 else zero - 1
        occurrence: int = (_constant(args, 4) or 0) if len(values) > 4 else 1
        count = pl.when(length < 0).then(text.str.len_chars().cast(pl.Int64)).otherwise(length)
        window = text.str.slice(pl.when(start < 0).then(0).otherwise(start), count)
        # A mark before each match: what stands before the n-th mark is as long as its position.
        parts = window.str.replace_all(pattern, _json_text.BETWEEN + "${0}").str.split(_json_text.BETWEEN)
        before = parts.list.head(max(occurrence, 1)).list.join("").str.len_chars().cast(pl.Int64)
        found = pl.when(parts.list.len() > occurrence).then(before + start).otherwise(-1)
        valid = (start >= 0) & (length >= -1) & pl.lit(occurrence > 0)
        return Value(pl.when(valid).then(found), LONG)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        pattern, text = re2(_pattern(args, 1)), _sql_cast.canonical(values[0])
        start = _sql_cast.canonical(values[2]) if len(values) > 2 else _sql.lit(0)
        length = _sql_cast.canonical(values[3]) if len(values) > 3 else _sql.lit(-1)
        occurrence: int = (_constant(args, 4) or 0) if len(values) > 4 else 1
        size = _sql.cast(_sql.func("length", text), "BIGINT")
        first = _sql.func("least", _sql.func("greatest", start, 0), size)
        count = _sql.case((_sql.op("<", length, 0), size), otherwise=_sql.func("least", length, size))
        window = _sql.plain_func("substring", text, _sql.op("+", first, 1), count)
        marked = _sql.plain_func("regexp_replace", window, pattern, _json_text.BETWEEN + "\\0", "g")
        parts = _sql_lists.split(marked, _json_text.BETWEEN)
        before = _sql_lists.joined(_sql_lists.part(parts, 1, max(occurrence, 1)), "")
        place = _sql.op("+", _sql.cast(_sql.func("length", before), "BIGINT"), start)
        found = _sql.case((_sql.op(">", _sql_lists.size(parts), occurrence), place), otherwise=-1)
        valid = _sql.all_of(_sql.op(">=", start, 0), _sql.op(">=", length, -1), occurrence > 0)
        return SqlValue(_sql.case((valid, found)), LONG)


_SIGNS = r"[\\.+*?()|\[\]{}^$#&\-~]"


@scalar("regex_quote", [STRING], STRING)
class RegexQuote:
    """The text as a pattern that matches just it."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(_SIGNS, r"\${0}")

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        return _sql.plain_func("regexp_replace", text, _SIGNS, "\\\\\\0", "g")
