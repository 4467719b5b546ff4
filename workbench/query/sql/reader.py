"""SQL text → sqlglot tree of one question; what can't be read becomes a coded error with a caret."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.errors import Span
from workbench.query.sql.dialect import Permissive

MOST_DEPTH = 150  # parentheses, brackets and CASEs inside of each other
MOST_TOKENS = 200_000
_BEGINS = frozenset({"SELECT", "WITH", "VALUES", "FROM", "("})
_OPENS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_PREFIXES = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE})
_TOKEN = re.compile(r" but got <Token.*$", re.DOTALL)


def read(text: str, dialect: str | None = None) -> exp.Query:
    """The question that a text holds.

    Parameters
    ----------
    text : str
        One SELECT (with WITH, UNION and its kin) or VALUES.
    dialect : str, optional
        The name of a dialect that sqlglot knows, such as `postgres` or `tsql`; by default a permissive one.

    Raises
    ------
    WorkbenchError
        SQL001 to SQL007, with the place in `text` where there is one.

    Examples
    --------
    >>> read("select 1 as n").sql()
    'SELECT 1 AS n'
    """
    rules = dialect_named(dialect)
    tokens = _tokens(text, rules)
    _check(tokens)
    try:
        trees = rules.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, text)
    except ParseError as error:
        raise _unreadable(error, text) from None
    except (SqlglotError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        # A reader of many dialects may trip over a text that none of them has.
        raise diagnostics.unreadable(_plain(str(error)) or "this can't be read", _whole(text)) from None
    found = [t for t in trees if t is not None]
    tree = found[0] if found else None
    if isinstance(tree, exp.Values):
        return exp.select("*").from_(tree)
    if isinstance(tree, exp.Subquery):
        tree = exp.select("*").from_(tree) if tree.args.get("alias") else tree
    if not isinstance(tree, exp.Query):
        raise diagnostics.only_select(tokens[0].text, _span(tokens[0]))
    return tree


def dialect_named(name: str | None) -> Dialect:
    """The rules of a dialect (SQL006 where sqlglot has none of that name)."""
    if name is None:
        return Permissive()
    known = sorted(n for n in Dialect.classes if n and n != "permissive")
    chosen = {"mssql": "tsql", "postgresql": "postgres", "sparksql": "spark"}.get(name.lower(), name.lower())
    if chosen not in known:
        from sqlglot.dialects import DIALECTS

        listed = sorted({d.lower() for d in DIALECTS} - {"dialect"})
        if chosen not in listed:
            raise diagnostics.unknown_dialect(name, listed)
    return Dialect.get_or_raise(chosen)


def _tokens(text: str, rules: Dialect) -> list[Token]:
    try:
        return list(rules.tokenize(text))
    except (SqlglotError, ValueError) as error:
        at = _opened(text)
        if at is None:
            raise diagnostics.unreadable(_plain(str(error)), _whole(text)) from None
        raise diagnostics.open_quote(Span(at, len(text.rstrip()))) from None


def _opened(text: str) -> int | None:
    """Where the last quote or comment begins that nothing closes."""
    at = 0
    pattern = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`", re.DOTALL)
    while at < len(text):
        found = pattern.match(text, at)
        if found is not None:
            at = found.end()
        elif text[at] in "'\"`" or text.startswith("/*", at):
            return at
        else:
            at += 1
    return None


def _check(tokens: list[Token]) -> None:
    """What needs no parser to be refused, and what a parser should not be asked to read."""
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise diagnostics.empty()
    if tokens[0].text.upper() not in _BEGINS:
        kql = len(tokens) > 1 and tokens[1].token_type is TokenType.PIPE
        raise diagnostics.only_select(tokens[0].text, _span(tokens[0]), kql)
    depth = prefixes = 0
    for number, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            raise diagnostics.several_statements(_span(tokens[number + 1]))
        prefixes = prefixes + 1 if token.token_type in _PREFIXES else 0
        depth += (token.token_type in _OPENS) - (token.token_type in _CLOSES)
        if max(depth, prefixes) > MOST_DEPTH:
            raise diagnostics.too_much("parts inside of each other", MOST_DEPTH, _span(token))
    if len(tokens) > MOST_TOKENS:
        hint = "a long list of values goes in as a table or as :name"
        raise diagnostics.too_much("words", MOST_TOKENS, _span(tokens[MOST_TOKENS]), hint)


def _span(token: Token) -> Span:
    return Span(token.start, token.end + 1)


def _whole(text: str) -> Span:
    return Span(0, max(1, len(text)))


def _unreadable(error: ParseError, text: str) -> Exception:
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    what = _plain(str(first.get("description") or error))
    line, column, shown = first.get("line"), first.get("col"), str(first.get("highlight") or "")
    if not isinstance(line, int) or not isinstance(column, int):
        return diagnostics.unreadable(what, _whole(text))
    lines = text.split("\n")
    end = sum(len(one) + 1 for one in lines[: line - 1]) + column  # behind the token's last character
    start = max(0, end - max(1, len(shown)))
    kql = text[:start].rstrip().endswith("|") or shown.startswith("|")
    hint = "is it written in KQL? leave --sql out" if kql else None
    return diagnostics.unreadable(what, Span(start, max(end, start + 1)), hint)


def _plain(message: str) -> str:
    """The reader's own sentence, without its place and its tokens, as ours begin."""
    text = _TOKEN.sub("", message.split("\n")[0]).split(". Line ")[0].rstrip(". ")
    missing = re.match(r"Required keyword: '\w+' missing for <class '[\w.]*?(\w+)'>", text)
    if missing is not None:
        return f"something is missing in this {missing[1].lower()}"
    text = text.replace("Invalid expression / Unexpected token", "this word is not expected here")
    return text[:1].lower() + text[1:]


def place(node: exp.Expr) -> Span | None:
    """Where a part of the tree was written, as far as its words know."""
    starts, ends = [], []
    for part in node.walk():
        start, end = part.meta.get("start"), part.meta.get("end")
        if isinstance(start, int) and isinstance(end, int):
            starts.append(start)
            ends.append(end + 1)
    return Span(min(starts), max(ends)) if starts else None
