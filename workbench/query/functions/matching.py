"""Text operators: `has`, `contains`, `startswith`, `matches regex` and kin.

Case is ignored by an `(?i)` regex on the escaped text, which lets the engine look for the literal
first; lower-casing the column costs twice as much (references: Polars, measured).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.functions import _sql, _sql_cast, _unsayable
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, STRING, const, rep, scalar
from workbench.query.functions._sql_regex import re2
from workbench.query.functions.forms import canonical, converted
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

T = ScalarType


def escaped(text: str) -> str:
    """`text` as a regular expression that matches just it (RE2 and Rust syntax)."""
    return re.sub(r"([\\.+*?()|\[\]{}^$#&\-~])", r"\\\1", text)


def _pattern(text: str, before: bool, after: bool, ignore_case: bool) -> str:
    """A regex for `text` bounded by term borders on the sides asked for.

    A term is a run of letters and digits, so `_` is a border, which the half boundaries alone would
    not see; they are what lets the engine search for the literal first (ten times faster than
    `(?:^|[^letters])`). Where the text itself ends in another sign there is a border already.
    """
    flag = "(?i)" if ignore_case else ""
    left = r"(?:_|\b{start-half})" if before and text[:1].isalnum() else ""
    right = r"(?:_|\b{end-half})" if after and text[-1:].isalnum() else ""
    return f"{flag}{left}{escaped(text)}{right}"


Test = Callable[[pl.Expr, str], pl.Expr]


def _contains(e: pl.Expr, t: str) -> pl.Expr:
    return e.str.contains("(?i)" + escaped(t)) if t.lower() != t.upper() else e.str.contains(t, literal=True)


def _term(before: bool, after: bool, ignore_case: bool) -> Test:
    def test(e: pl.Expr, t: str) -> pl.Expr:
        if not t:
            return pl.lit(True) | e.is_null()
        return e.str.contains(_pattern(t, before, after, ignore_case))

    return test


_TESTS: dict[str, Test] = {
    "contains": _contains,
    "contains_cs": lambda e, t: e.str.contains(t, literal=True),
    "startswith": lambda e, t: e.str.contains("(?i)^" + escaped(t)),
    "startswith_cs": lambda e, t: e.str.starts_with(t),
    "endswith": lambda e, t: e.str.contains("(?i)" + escaped(t) + "$"),
    "endswith_cs": lambda e, t: e.str.ends_with(t),
    "has": _term(True, True, True),
    "has_cs": _term(True, True, False),
    "hasprefix": _term(True, False, True),
    "hasprefix_cs": _term(True, False, False),
    "hassuffix": _term(False, True, True),
    "hassuffix_cs": _term(False, True, False),
    "=~": lambda e, t: e.str.contains("(?i)^" + escaped(t) + "$") if t.lower() != t.upper() else e == t,
}


def python_match(name: str, value: str, text: str) -> bool:
    """The same test on two Python strings, for a right side that differs from row to row."""
    if not name.endswith("_cs"):
        value, text = value.lower(), text.lower()
    bare = name.removesuffix("_cs")
    if bare == "=~":
        return value == text
    if bare == "contains":
        return text in value
    if bare == "startswith":
        return value.startswith(text)
    if bare == "endswith":
        return value.endswith(text)
    if not text:
        return True
    at = value.find(text)
    while at >= 0:
        end = at + len(text)
        left = bare == "hassuffix" or not text[0].isalnum() or at == 0 or not value[at - 1].isalnum()
        right = bare == "hasprefix" or not text[-1].isalnum() or end == len(value) or not value[end].isalnum()
        if left and right:
            return True
        at = value.find(text, at + 1)
    return False


def _matched(name: str, values: Sequence[Value], args: Sequence[Expr], filled: bool) -> pl.Expr:
    subject, text = values
    constant = args[1].value if isinstance(args[1], Const) else None
    if isinstance(constant, str):
        # A stored text may be null for "": the test of "" decides what null gives.
        expr = (
            subject.expr
            if subject.type is T.STRING and not filled
            else canonical(converted(subject, T.STRING))
        )
        return _TESTS[name](expr, constant)
    packed = pl.struct(
        canonical(converted(subject, T.STRING)).alias("v"), canonical(converted(text, T.STRING)).alias("t")
    )

    def batch(s: pl.Series) -> pl.Series:
        return pl.Series(
            s.name, [python_match(name, r["v"] or "", r["t"] or "") for r in s.to_list()], pl.Boolean
        )

    return packed.map_batches(batch, return_dtype=pl.Boolean, is_elementwise=True)


# Signs that a term is made of. Connecting punctuation but `_` belongs to words for the first lowering.
_IN_TERM = r"\p{L}\p{M}\p{Nd}\p{Nl}\x{203F}\x{2040}\x{2054}\x{FE33}\x{FE34}\x{FE4D}-\x{FE4F}\x{FF3F}"


def _re2_pattern(text: str, before: bool, after: bool, ignore_case: bool) -> str:
    """`_pattern` for RE2, which has no half boundaries."""
    flag = "(?i)" if ignore_case else ""
    left = f"(?:^|[^{_IN_TERM}])" if before and text[:1].isalnum() else ""
    right = f"(?:$|[^{_IN_TERM}])" if after and text[-1:].isalnum() else ""
    return f"{flag}{left}{re.escape(text)}{right}"


def _sql_text(value: SqlValue) -> _sql.Sql:
    return _sql_cast.canonical(_sql_cast.converted(value, T.STRING))


_TERMS = {"has": (True, True), "hasprefix": (True, False), "hassuffix": (False, True)}
_PLACED = {"contains": "{}", "startswith": "^{}", "endswith": "{}$", "=~": "^{}$"}


def sql_has(value: _sql.Sql, word: str) -> _sql.Sql:
    """Whether a text has a word as a whole term, in any case; it has the empty one."""
    return _sql.matches(value, _re2_pattern(word, True, True, True)) if word else _sql.lit(True)


def _sql_matched(name: str, value: _sql.Sql, arg: Expr) -> _sql.Sql:
    text = arg.value if isinstance(arg, Const) else None
    if not isinstance(text, str):
        raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
    bare, ignore_case = name.removesuffix("_cs"), not name.endswith("_cs")
    if bare in _TERMS:
        return _sql.matches(value, _re2_pattern(text, *_TERMS[bare], ignore_case)) if text else _sql.lit(True)
    if not ignore_case:
        function = {"contains": "contains", "startswith": "starts_with", "endswith": "ends_with"}[bare]
        return _sql.plain_func(function, value, text)
    if bare == "=~" and text.lower() == text.upper():
        return _sql.op("=", value, text)
    return _sql.matches(value, "(?i)" + _PLACED[bare].format(re.escape(text)))


def _operator(name: str, doc: str) -> None:
    negated = name.startswith("!")
    test = "=~" if name == "!~" else name.lstrip("!")

    @scalar(name, [ANY, ANY], BOOL, source="Kusto reference: string operators")
    class _Match:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            found = _matched(test, values, args, filled=True)
            return Value(~found if negated else found, T.BOOL)

        @staticmethod
        def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
            constant = args[1].value if isinstance(args[1], Const) else None
            if negated or not constant:
                return None
            return _matched(test, values, args, filled=False)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            found = _sql_matched(test, _sql_text(values[0]), args[1])
            return SqlValue(_sql.negated(found) if negated else found, T.BOOL)

        @staticmethod
        def sql_filter(values: Sequence[SqlValue], args: Sequence[Expr]) -> _sql.Sql | None:
            constant = args[1].value if isinstance(args[1], Const) else None
            if negated or not constant or values[0].type is not T.STRING:
                return None
            return _sql_matched(test, values[0].expr, args[1])

    _Match.__doc__ = doc


_DOCS = {
    "has": "Contains the text as a whole term, in any case.",
    "contains": "Contains the text, in any case.",
    "startswith": "Starts with the text, in any case.",
    "endswith": "Ends with the text, in any case.",
    "hasprefix": "A term starts with the text, in any case.",
    "hassuffix": "A term ends with the text, in any case.",
}
for _name, _doc in _DOCS.items():
    _operator(_name, _doc)
    _operator(f"!{_name}", "Not: " + _doc)
    _operator(f"{_name}_cs", _doc.replace(", in any case", ", case-sensitive"))
    _operator(f"!{_name}_cs", "Not: " + _doc.replace(", in any case", ", case-sensitive"))
_operator("=~", "Equal in any case.")
_operator("!~", "Not equal in any case.")


def _like(name: str) -> None:
    negated, ignore_case = name.startswith("not"), not name.endswith("_cs")

    @scalar(name, [STRING, const(STRING)], BOOL, source="Kusto reference: like")
    class _Like:
        """Matches a pattern in which `*` stands for any text."""

        @staticmethod
        def polars(value: pl.Expr, pattern: str) -> pl.Expr:
            body = ".*".join(escaped(p) for p in pattern.split("*"))
            found = value.str.contains(("(?is)" if ignore_case else "(?s)") + "^" + body + "$")
            return ~found if negated else found

        @staticmethod
        def sql(value: _sql.Sql, pattern: str) -> _sql.Sql:
            body = ".*".join(re.escape(p) for p in pattern.split("*"))
            found = _sql.matches(value, ("(?is)" if ignore_case else "(?s)") + "^" + body + "$")
            return _sql.negated(found) if negated else found


for _name in ("like", "like_cs", "notlike", "notlike_cs"):
    _like(_name)


def _octal(m: re.Match[str]) -> str:
    return f"\\x{{{int(m[1], 8):x}}}" if m[1] else m[0]


def checked_regex(pattern: str, span: Span | None = None) -> str:
    """The pattern in the engine's words, or KQL209 (at `span`) where the engine cannot read it.

    Kusto knows `\\0` to `\\377` as characters by octal code; the engine does not.
    """
    pattern = re.sub(r"\\(?:([0-7]{1,3})|.)", _octal, pattern, flags=re.DOTALL)
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError as error:
        lines = str(error).split("\n")
        why = next((x for x in lines if x.startswith("error: ")), lines[0]).removeprefix("error: ")
        raise diagnostics.bad_regex(pattern, why, span) from None
    return pattern


def _regex(name: str) -> None:
    negated = name.startswith("!")

    @scalar(name, [STRING, STRING], BOOL, source="Kusto reference: matches regex operator")
    class _Regex:
        """Some part of the text matches the regular expression."""

        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            pattern, text = args[1], canonical(values[0])
            if isinstance(pattern, Const):
                span = pattern.span if pattern.span.end else None
                found = text.str.contains(checked_regex(str(pattern.value), span))
            else:  # a pattern of the row that is none matches nothing
                found = text.str.contains(canonical(values[1]), strict=False).fill_null(value=False)
            return Value(~found if negated else found, T.BOOL)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            pattern = args[1]
            if not isinstance(pattern, Const):
                raise _sql.Unsayable(_unsayable.PATTERN_DIFFERS)
            span = pattern.span if pattern.span.end else None
            found = _sql.matches(_sql_text(values[0]), re2(checked_regex(str(pattern.value), span)))
            return SqlValue(_sql.negated(found) if negated else found, T.BOOL)


_regex("matches regex")
_regex("!matches regex")


# ---- lists ----------------------------------------------------------------------------------


def _has_list(name: str, every: bool) -> None:
    @scalar(name, [ANY, const(DYNAMIC), rep(ANY, least=0)], BOOL, source=f"Kusto reference: {name} operator")
    class _HasList:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            return Value(_tested(values, args, filled=True), T.BOOL)

        @staticmethod
        def in_filter(values: Sequence[Value], args: Sequence[Expr]) -> pl.Expr | None:
            return _tested(values, args, filled=False) if values[0].type is T.STRING else None

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            listed = args[1]
            assert isinstance(listed, Const)  # the binder collects the constants
            if len(values) > 2:
                raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
            text = _sql_text(values[0])
            tests = [_sql.matches(text, _re2_pattern(str(i), True, True, True)) for i in listed.value if i]
            if not tests:
                return SqlValue(_sql.lit(every), T.BOOL)
            return SqlValue(_sql.all_of(*tests) if every else _sql.any_of(*tests), T.BOOL)

    def _tested(values: Sequence[Value], args: Sequence[Expr], filled: bool) -> pl.Expr:
        listed = args[1]
        assert isinstance(listed, Const)  # the binder collects the constants
        subject = values[0]
        expr = canonical(converted(subject, T.STRING)) if filled else subject.expr
        tests = [_TESTS["has"](expr, str(item)) for item in listed.value if item]
        if not every and len(tests) > 1:
            # One regex with alternatives reads the text once.
            patterns = [_pattern(str(i), True, True, False) for i in listed.value if i]
            tests = [expr.str.contains("(?i)(?:" + "|".join(patterns) + ")")]
        for other, arg in zip(values[2:], args[2:], strict=True):
            tests.append(_per_row(subject, other, arg, every))
        if not tests:
            return pl.lit(every) & expr.is_not_null()
        found = tests[0]
        for test in tests[1:]:
            found = (found & test) if every else (found | test)
        return found

    _HasList.__doc__ = f"Contains {'every' if every else 'any'} item as a whole term, in any case."


def _per_row(subject: Value, other: Value, arg: Expr, every: bool) -> pl.Expr:
    """An item that differs from row to row: text, or an array of texts."""
    from workbench.query.functions.forms import loads

    packed = pl.struct(canonical(converted(subject, T.STRING)).alias("v"), canonical(other).alias("t"))
    dynamic = other.type is T.DYNAMIC

    def items(cell: Any) -> list[str]:
        value = loads(cell) if dynamic else cell
        return [str(v) for v in value] if isinstance(value, list) else [str(value or "")]

    def batch(s: pl.Series) -> pl.Series:
        check = all if every else any
        out = [check(python_match("has", r["v"] or "", t) for t in items(r["t"])) for r in s.to_list()]
        return pl.Series(s.name, out, pl.Boolean)

    return packed.map_batches(batch, return_dtype=pl.Boolean, is_elementwise=True)


_has_list("has_any", every=False)
_has_list("has_all", every=True)
