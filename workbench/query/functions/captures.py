"""Captures of one regular expression in a text: what `parse` and its kin are lowered to.

No query names these cards: operators put them into plans. All captures of one text share one run of
the expression, since Polars computes an equal subexpression once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, STRING, const, scalar
from workbench.query.functions._sql_regex import re2
from workbench.query.functions.forms import POLARS_TYPES, canonical, converted, dumps
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Const, Expr

NO_SQL = (
    "pairs of keys and values are read one after the other, quotes and all, which no expression of SQL does"
)

T = ScalarType
_PLAIN_NUMBERS = (T.INT, T.LONG, T.REAL)


def _text(subject: Value) -> pl.Expr:
    """The text to search; a null text matches nothing unless the expression takes ""."""
    if subject.type is T.STRING and subject.form is Form.NULLABLE:
        return subject.expr
    return canonical(converted(subject, T.STRING))


def _sql_text(subject: SqlValue) -> _sql.Sql:
    if subject.type is T.STRING and subject.form is Form.NULLABLE:
        return subject.expr
    return _sql_cast.canonical(_sql_cast.converted(subject, T.STRING))


def _groups(pattern: str) -> list[str]:
    return pl.select(pl.lit("").str.extract_groups(pattern)).to_series().struct.fields


def _constant(expr: Expr) -> str:
    assert isinstance(expr, Const)  # the operator made it
    return str(expr.value)


@scalar("<capture>", [ANY, const(STRING), const(STRING)], STRING, source="Kusto reference: parse operator")
class ParseCapture:
    """A named group of a regular expression, as the type of the call; null or "" without a match.

    A group whose name starts with `number` holds digits only, which Polars converts by itself.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        group = _constant(args[2])
        found = _text(values[0]).str.extract_groups(_constant(args[1])).struct.field(group)
        if returns is T.STRING:
            return Value(found, T.STRING, Form.NULLABLE)
        if group.startswith("number") and returns in _PLAIN_NUMBERS:
            return Value(found.cast(POLARS_TYPES[returns], strict=False), returns)
        return converted(Value(found.fill_null(""), T.STRING), returns)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        text, pattern, group = _sql_text(values[0]), _constant(args[1]), _constant(args[2])
        number = _groups(pattern).index(group) + 1
        found = _sql.plain_func("regexp_extract", text, re2(pattern), number)
        if group.startswith("number") and returns in _PLAIN_NUMBERS:
            return SqlValue(_sql.try_cast(found, _sql_cast.SQL_TYPES[returns]), returns)
        return _sql_cast.converted(SqlValue(_sql.coalesce(found, ""), T.STRING), returns)


@scalar("<match>", [ANY, const(STRING)], BOOL, source="Kusto reference: parse operator")
class ParseMatch:
    """Whether a text has a match of a regular expression."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        return Value(_text(values[0]).str.contains(_constant(args[1])).fill_null(False), T.BOOL)

    @staticmethod
    def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
        return _text(values[0]).str.contains(_constant(args[1]))

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        found = _sql.matches(_sql_text(values[0]), re2(_constant(args[1])))
        return SqlValue(_sql.coalesce(found, False), T.BOOL)


# ---- keys and values --------------------------------------------------------------------------


@scalar("<key values>", [STRING, const(DYNAMIC)], DYNAMIC, source="Kusto reference: parse-kv operator")
class KeyValues:
    """The values of some keys in a text, as a bag; a key that comes twice keeps its first value."""

    @staticmethod
    def row(text: str, how: dict[str, Any]) -> dict[str, str]:
        wanted = set(how["keys"])
        found: dict[str, str] = {}
        for key, value in _pairs(text, how):
            if key in wanted:
                found.setdefault(key, value)
        return found


def _pairs(text: str, how: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if how["pair"] is None or how["kv"] is None:
        return _loose_pairs(text, how)
    return _delimited_pairs(text, how)


def _loose_pairs(text: str, how: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Without delimiters: a key, signs, then a quoted text or the next word."""
    for key in how["keys"]:
        for m in re.finditer(rf"(?<!\w){re.escape(key)}(?!\w)", text):
            at = m.end()
            while at < len(text) and not text[at].isalnum() and not _opening(text, at, how):
                at += 1
            quoted = _quoted(text, at, how)
            word = re.compile(r"\w*").match(text, at)
            assert word is not None  # it may be empty
            yield key, quoted[0] if quoted is not None else word[0]


def _delimited_pairs(text: str, how: dict[str, Any]) -> Iterator[tuple[str, str]]:
    pair, kv = how["pair"], how["kv"]
    at = 0
    while at < len(text):
        quoted = _quoted(text, at, how)
        if quoted is not None and text.startswith(kv, quoted[1]):
            key, at = quoted[0], quoted[1]
        else:
            end = text.find(pair, at)
            cut = text.find(kv, at)
            if cut < 0:
                return
            if 0 <= end < cut:
                at = end + len(pair)  # a word without a value
                continue
            key, at = text[at:cut].strip(), cut
        at += len(kv)
        while not pair.isspace() and at < len(text) and text[at].isspace():
            at += 1
        quoted = _quoted(text, at, how)
        if quoted is not None:
            yield key, quoted[0]
            end = text.find(pair, quoted[1])
        else:
            end = _value_end(text, at, how)
            yield key, text[at : len(text) if end < 0 else end].strip()
        if end < 0:
            return
        at = end + len(pair)


def _value_end(text: str, at: int, how: dict[str, Any]) -> int:
    """Where a bare value ends: at the next delimiter; greedy: at the last one before the next key."""
    pair = how["pair"]
    if not how["greedy"]:
        return text.find(pair, at)
    following = text.find(how["kv"], at)
    return -1 if following < 0 else text.rfind(pair, at, following)


def _opening(text: str, at: int, how: dict[str, Any]) -> bool:
    return any(text.startswith(q[0], at) for q in how["quotes"])


def _quoted(text: str, at: int, how: dict[str, Any]) -> tuple[str, int] | None:
    """The quoted text that starts at `at` and where it ends; None where none does."""
    for quote in how["quotes"]:
        if not text.startswith(quote[0], at):
            continue
        out, i = "", at + 1
        while i < len(text):
            escaped = how["escape"] == text[i] and i + 1 < len(text)
            if escaped and (text[i] != quote[-1] or text[i + 1] == quote[-1]):
                out, i = out + text[i + 1], i + 2
            elif text[i] == quote[-1]:
                return out, i + 1
            else:
                out, i = out + text[i], i + 1
    return None


@scalar(
    "<regex key values>", [STRING, const(STRING), const(DYNAMIC)], DYNAMIC,
    source="Kusto reference: parse-kv operator",
)  # fmt: skip
class RegexKeyValues:
    """As `<key values>`, with pairs that a regular expression with two groups finds."""

    @staticmethod
    def polars(text: pl.Expr, regex: str, keys: list[str]) -> pl.Expr:
        wanted = set(keys)

        def bag(key: pl.Series, value: pl.Series) -> str | None:
            found: dict[str, str] = {}
            for k, v in zip(key, value, strict=True):
                if k in wanted:
                    found.setdefault(k, v or "")
            return dumps(found)

        def batch(series: pl.Series) -> pl.Series:
            groups = _both_groups(series, regex)
            return pl.Series(series.name, [bag(k, v) for k, v in groups], pl.String)

        return text.map_batches(batch, return_dtype=pl.String, is_elementwise=True)


def _both_groups(series: pl.Series, regex: str) -> Iterator[tuple[pl.Series, pl.Series]]:
    """Both groups of every match, by the engine's own expressions rather than Python's."""
    whole = series.str.extract_all(regex)
    for matches in whole:
        yield matches.str.extract(regex, 1), matches.str.extract(regex, 2)
