"""Regular expressions: `extract`, `replace_regex`, `trim` and kin.

The syntax is that of Rust's `regex` crate, which is the family that Kusto's is of: no look-around, no
back-references, `\\d` and `\\w` know all of Unicode. Patterns are constants and are checked when the
query is bound to an engine, so a bad one is KQL209 and never a failure in the middle of a run.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import Span
from workbench.query.functions import _json_text
from workbench.query.functions._card import DYNAMIC, LONG, STRING, const, opt, scalar
from workbench.query.functions.matching import checked_regex

_NOWHERE = Span(0, 0)


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


@scalar("replace_regex", [STRING, const(STRING), const(STRING)], STRING)
class ReplaceRegex:
    r"""The text with each match of the pattern replaced; `\1` stands for the first group."""

    @staticmethod
    def polars(text: pl.Expr, pattern: str, rewrite: str) -> pl.Expr:
        return text.str.replace_all(checked_regex(pattern), rewrite_text(rewrite))


@scalar("replace", [const(STRING), const(STRING), STRING], STRING)
class Replace:
    """The old form of `replace_regex()`: pattern, rewrite, then the text."""

    @staticmethod
    def polars(pattern: str, rewrite: str, text: pl.Expr) -> pl.Expr:
        return ReplaceRegex.polars(text, pattern, rewrite)


def _without_start(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.replace(f"^(?:{pattern})", "")


def _without_end(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.replace(f"(?:{pattern})$", "")


@scalar("trim", [const(STRING), STRING], STRING)
class Trim:
    """The text without one match of the pattern at its start and one at its end."""

    @staticmethod
    def polars(pattern: str, text: pl.Expr) -> pl.Expr:
        checked_regex(pattern)
        return _without_end(_without_start(text, pattern), pattern)


@scalar("trim_start", [const(STRING), STRING], STRING)
class TrimStart:
    """The text without one match of the pattern at its start."""

    @staticmethod
    def polars(pattern: str, text: pl.Expr) -> pl.Expr:
        checked_regex(pattern)
        return _without_start(text, pattern)


@scalar("trim_end", [const(STRING), STRING], STRING)
class TrimEnd:
    """The text without one match of the pattern at its end."""

    @staticmethod
    def polars(pattern: str, text: pl.Expr) -> pl.Expr:
        checked_regex(pattern)
        return _without_end(text, pattern)


@scalar("extract", [const(STRING), const(LONG), STRING], STRING)
class Extract:
    """What a group of the pattern (0: the whole pattern) matched first, "" where nothing does.

    A fourth argument `typeof(…)` gives the result as that type.
    """

    @staticmethod
    def polars(pattern: str, group: int, text: pl.Expr) -> pl.Expr:
        if group < 0 or group > len(_groups(pattern)):
            return pl.when(text.is_null()).then(text).otherwise(pl.lit(""))
        return text.str.extract(pattern, group).fill_null("")


def _groups(pattern: str) -> list[str]:
    """The names of the capture groups of a pattern: their numbers where they have none."""
    checked_regex(pattern)
    found = pl.select(pl.lit("").str.extract_groups(pattern)).to_series()
    return found.struct.fields


@scalar("extract_all", overloads=[([const(STRING), STRING], DYNAMIC), ([const(STRING), const(DYNAMIC), STRING], DYNAMIC)], aliases=("extractall",))  # fmt: skip
class ExtractAll:
    """All matches of the pattern: an array of the texts of its group, or of arrays where it has several.

    A list of group numbers or names chooses among the groups; null where nothing matches.
    """

    @staticmethod
    def polars(pattern: str, *rest: Any) -> pl.Expr:
        text: pl.Expr = rest[-1]
        groups = _groups(pattern)
        if not groups:
            why = "the pattern needs a group in parentheses"
            raise diagnostics.bad_argument("extract_all()", why, _NOWHERE)
        chosen: list[Any] = list(range(1, len(groups) + 1)) if len(rest) == 1 else list(rest[0] or [])
        for group in chosen:
            known = group in groups if isinstance(group, str) else group in range(1, len(groups) + 1)
            if not known:
                why = f"the pattern has no group {group!r}"
                raise diagnostics.bad_argument("extract_all()", why, _NOWHERE)
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
        return pl.when(matches.list.len() > 0).then(whole)


@scalar("indexof_regex", [STRING, const(STRING), opt(LONG), opt(LONG), opt(const(LONG))], LONG)
class IndexOfRegex:
    """The position of the first (or n-th) match of the pattern, -1 where there is none."""

    @staticmethod
    def polars(text: pl.Expr, pattern: str, start: pl.Expr | None = None, length: pl.Expr | None = None, occurrence: int = 1) -> pl.Expr:  # fmt: skip
        checked_regex(pattern)
        start = pl.lit(0, dtype=pl.Int64) if start is None else start
        length = pl.lit(-1, dtype=pl.Int64) if length is None else length
        count = pl.when(length < 0).then(text.str.len_chars().cast(pl.Int64)).otherwise(length)
        window = text.str.slice(pl.when(start < 0).then(0).otherwise(start), count)
        # A mark before each match: what stands before the n-th mark is as long as its position.
        parts = window.str.replace_all(pattern, _json_text.BETWEEN + "${0}").str.split(_json_text.BETWEEN)
        before = parts.list.head(max(occurrence, 1)).list.join("").str.len_chars().cast(pl.Int64)
        found = pl.when(parts.list.len() > occurrence).then(before + start).otherwise(-1)
        valid = (start >= 0) & (length >= -1) & pl.lit(occurrence > 0)
        return pl.when(valid).then(found)


@scalar("regex_quote", [STRING], STRING)
class RegexQuote:
    """The text as a pattern that matches just it."""

    @staticmethod
    def polars(text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(r"[\\.+*?()|\[\]{}^$#&\-~]", r"\${0}")
