"""Completion and findings for SQL texts: what an editor asks about a `%%logsearch --sql` cell.

A text that is being written is read word by word, in no dialect; tables of a FROM and what WITH and subqueries give
are bound by `query.sql`. Nothing runs. What can't be known gives fewer items, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from workbench.base.dtypes import Column
from workbench.base.errors import Span, WorkbenchError
from workbench.query.frames import Tables, surroundings_of
from workbench.query.language import candidates, describe, ranking
from workbench.query.language.binding import Study
from workbench.query.language.model import Completion, Diagnostic, Item, Kind, Severity
from workbench.query.language.outline import outline

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|$))|(?P<text>'(?:[^']|'')*(?:'|$))|(?P<quoted>"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$))"""
    r"|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\S)",
    re.DOTALL,
)
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_TYPED = re.compile(r"[A-Za-z_]\w*$")
_REST = re.compile(r"\w*")
_SETS = frozenset({"UNION", "EXCEPT", "INTERSECT"})
_BEHIND_TABLES = frozenset(
    {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "QUALIFY", "WINDOW", "OFFSET", *_SETS}
)
_KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "LEFT JOIN", "ON", "USING", "AS",
    "AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS NULL", "IS NOT NULL", "CASE", "WHEN", "THEN", "ELSE", "END",
    "DISTINCT", "ASC", "DESC", "WITH", "UNION ALL", "EXCEPT", "INTERSECT", "EXISTS", "OVER", "PARTITION BY", "INTERVAL",
    "CAST", "EXTRACT", "FULL JOIN", "CROSS JOIN", "OFFSET", "NULLS LAST", "NULLS FIRST", "FILTER", "NULL", "TRUE", "FALSE",
)  # fmt: skip
# The order of the groups: what the data has, then the language.
_COLUMN, _TABLE, _FUNCTION, _KEYWORD = range(4)


def complete_sql(
    text: str, position: int, source: Tables, scope: Callable[[str], Any] | None = None, dialect: str | None = None
) -> Completion:  # fmt: skip
    """What may stand at a place of a SQL text.

    Parameters
    ----------
    text : str
        A SELECT, also an unfinished one.
    position : int
        The cursor: how many characters stand before it.
    source : Tables
    scope : callable, optional
        Notebook variables, which `:name` stands for; a method `names()` lists them.
    dialect : str, optional
        As in `run`.

    Examples
    --------
    >>> import polars as pl
    >>> from workbench.base.dtypes import ScalarType
    >>> from workbench.query.frames import FrameTables
    >>> known = FrameTables({"T": (pl.DataFrame({"Load": [1.0]}), (Column("Load", ScalarType.REAL),))})
    >>> found = complete_sql("select  from T where Load > 1", 7, known)
    >>> [i.insert for i in found.items][:2], found.replace
    (['Load', 'T'], Span(start=7, end=7))
    """
    position = max(0, min(position, len(text)))
    there = _there(text, position)
    if there is None:
        return Completion((), Span(position, position))
    typed = found[0] if (found := _TYPED.search(text, 0, position)) else ""
    start = position - len(typed)
    rest = _REST.match(text, position)
    place = Span(start, rest.end() if rest else position)
    asking = _Asking(text, start, Study(text, outline([]), source, scope), scope, dialect)
    fits = ((ranking.fit(i.label, typed), group, i) for group, i in asking.items(typed))
    kept = sorted(
        ((f, g, i.order, n, i) for n, (f, g, i) in enumerate(fits) if f is not None), key=lambda k: k[:4]
    )
    return Completion(tuple(k[-1] for k in kept), place)


def diagnose_sql(text: str, source: Tables, scope: Callable[[str], Any] | None = None, dialect: str | None = None) -> list[Diagnostic]:  # fmt: skip
    """The first mistake of a SQL text.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> [(d.code, d.span.start) for d in diagnose_sql("select 1 as a from Nowhere", FrameTables({}))]
    [('SQL101', 19)]
    """
    try:
        _bound(text, Study(text, outline([]), source, scope), dialect)
    except WorkbenchError as error:
        span = error.span or Span(0, len(text))
        return [Diagnostic(span, error.code, error.message, error.hint, Severity.ERROR)]
    return []


def _bound(text: str, study: Study, dialect: str | None) -> Sequence[Column]:
    from workbench.query.sql.binding import bind

    return bind(text, dialect, study.catalog, study.binder().hooks).rel.schema


@dataclass(frozen=True, slots=True)
class _Word:
    """A token: `text` as it is written, in capitals where it is a name; `name` what it names."""

    text: str
    name: str
    span: Span


def _there(text: str, position: int) -> bool | None:
    """None inside of a comment, a text, a number."""
    for found in _TOKEN.finditer(text):
        inside = found.start() < position <= found.end()
        if inside and found.lastgroup in ("comment", "text", "number", "quoted"):
            closed = found.lastgroup != "number" and position == found.end() and len(found[0]) > 1 and found[0][-1] in "'\"`/"  # fmt: skip
            return True if closed else None
    return True


def _words(text: str) -> list[_Word]:
    made = []
    for found in _TOKEN.finditer(text):
        kind, said, span = found.lastgroup, found[0], Span(*found.span())
        if kind == "name":
            made.append(_Word(said.upper(), said, span))
        elif kind == "quoted":
            made.append(_Word('""', said[1:].rstrip(said[0]), span))
        elif kind != "comment":
            made.append(_Word(said if kind == "mark" else "0", "", span))
    return made


class _Asking:
    """One cursor: the SELECT around it, and what its FROM gives."""

    def __init__(self, text: str, start: int, study: Study, scope: Callable[[str], Any] | None, dialect: str | None) -> None:  # fmt: skip
        self.text, self.start, self.study, self.scope, self.dialect = text, start, study, scope, dialect
        self.words = _words(text)
        self.at = sum(w.span.start < start for w in self.words)  # words before what is typed

    def items(self, typed: str) -> Iterator[tuple[int, Item]]:
        """What fits the place, with its group; words of the language in the case of the text."""
        small = (typed or (self.words[0].name if self.words else "")).islower()
        for group, item in self._items():
            loud = group in (_FUNCTION, _KEYWORD) and item.label.isupper() and small
            yield (
                group,
                replace(item, label=item.label.lower(), insert=item.insert.lower()) if loud else item,
            )

    def _items(self) -> Iterator[tuple[int, Item]]:
        before = [w.text for w in self.words[: self.at]]
        last = before[-1] if before else ""
        touching = self.at and self.words[self.at - 1].span.end == self.start
        if last == "." and touching:
            yield from ((_COLUMN, i) for i in self._behind_dot())
        elif last == ":" and touching:
            yield from ((_COLUMN, i) for i in self._variables())
        elif last == "AS":
            return
        elif last in ("FROM", "JOIN") or (last == "," and self._among_tables()):
            yield from ((_TABLE, i) for i in self._tables())
        else:
            if before:
                yield from ((_COLUMN, i) for i in self._columns())
                yield from ((_TABLE, Item(n, Kind.TABLE, _written(n), "table")) for n, _ in self._from())
                yield from ((_FUNCTION, i) for i in _functions())
            yield from ((_KEYWORD, i) for i in _keywords())

    # ---- what stands around -------------------------------------------------------------------

    def _region(self) -> tuple[int, int]:
        """The words of the SELECT around the cursor."""
        begin, depth = self.at, 0
        while begin > 0:
            text = self.words[begin - 1].text
            if text == ")":
                depth += 1
            elif text == "(":
                if (
                    depth == 0
                    and begin < len(self.words)
                    and self.words[begin].text in ("SELECT", "WITH", "FROM")
                ):
                    break
                depth = max(0, depth - 1)
            elif depth == 0 and (text in _SETS or text == "ALL"):
                break
            begin -= 1
        end, depth = begin, 0
        while end < len(self.words):
            text = self.words[end].text
            depth += {"(": 1, ")": -1}.get(text, 0)
            if depth < 0 or (depth == 0 and text in _SETS and end >= self.at):
                break
            end += 1
        return begin, end

    def _closing(self, opens: int) -> int:
        """The word that closes a parenthesis, or the end."""
        depth = 0
        for n in range(opens, len(self.words)):
            depth += {"(": 1, ")": -1}.get(self.words[n].text, 0)
            if depth == 0:
                return n
        return len(self.words)

    def _from(self) -> list[tuple[str, str]]:
        """The tables of the SELECT around the cursor: the name that each has there, and how its columns are asked for."""
        begin, end = self._region()
        found: list[tuple[str, str]] = []
        n, wanted, seen = begin, False, False
        while n < end:
            word = self.words[n]
            if word.text in ("FROM", "JOIN"):
                wanted = seen = True
            elif word.text in _BEHIND_TABLES:
                seen = False
            elif word.text == "," and seen:
                wanted = True
            elif word.text == "(":
                closes = min(self._closing(n), len(self.words))
                if wanted and n + 1 < len(self.words) and self.words[n + 1].text in ("SELECT", "WITH"):
                    inner = (
                        self.text[word.span.start : self.words[closes].span.end]
                        if closes < len(self.words)
                        else ""
                    )
                    found.append(
                        (self._alias(closes + 1) or "", f"SELECT * FROM {inner} AS wb_inner" if inner else "")
                    )
                    wanted = False
                n = closes
            elif wanted and word.name and word.span.start != self.start:
                found.append((self._alias(n + 1) or word.name, f"SELECT * FROM {self._source(n)}"))
                wanted = False
            n += 1
        return found

    def _source(self, n: int) -> str:
        span = self.words[n].span
        return self.text[span.start : span.end]

    def _alias(self, n: int) -> str:
        """The name behind a table."""
        if n < len(self.words) and self.words[n].text == "AS":
            n += 1
        if n < len(self.words) and self.words[n].name and self.words[n].text not in _NO_ALIAS and self.words[n].span.start != self.start:  # fmt: skip
            return self.words[n].name
        return ""

    def _with(self) -> tuple[str, list[str]]:
        """The WITH in front of the text up to the last part that ends before the cursor, and the names that it gives."""
        if not self.words or self.words[0].text != "WITH":
            return "", []
        names, upto, n = [], 0, 1
        while n + 2 < len(self.words) and self.words[n].name:
            opens = next((m for m in range(n, len(self.words)) if self.words[m].text == "("), len(self.words))
            closes = self._closing(opens)
            if closes >= self.at:
                break
            names.append(self.words[n].name)
            upto, n = self.words[closes].span.end, closes + 1
            if n >= len(self.words) or self.words[n].text != ",":
                break
            n += 1
        return (self.text[:upto] + " ", names) if names else ("", [])

    def _among_tables(self) -> bool:
        """Whether a comma stands in a FROM."""
        begin, _ = self._region()
        for word in reversed(self.words[begin : self.at]):
            if word.text in ("FROM", "JOIN"):
                return True
            if word.text in _BEHIND_TABLES or word.text in ("SELECT", "ON", "BY"):
                return False
        return False

    # ---- items --------------------------------------------------------------------------------

    def _schema(self, asked: str) -> Sequence[Column]:
        if not asked:
            return ()
        before, _ = self._with()
        try:
            return [c for c in _bound(before + asked, self.study, self.dialect) if not c.hidden]
        except WorkbenchError:
            return ()

    def _columns(self) -> Iterator[Item]:
        seen: set[str] = set()
        for _, asked in self._from():
            for column in self._schema(asked):
                if column.name not in seen:
                    seen.add(column.name)
                    yield _column(column)

    def _behind_dot(self) -> Iterator[Item]:
        owner = self.words[self.at - 2].name if self.at > 1 else ""
        for name, asked in self._from():
            if owner and name.lower() == owner.lower():
                yield from (_column(c) for c in self._schema(asked))

    def _tables(self) -> Iterator[Item]:
        for name in self._with()[1]:
            yield Item(name, Kind.TABLE, _written(name), "WITH", order=-1)
        for name in self.study.catalog.tables():
            yield Item(name, Kind.TABLE, _written(name), "table", order=1 if name.startswith("_") else 0)
        for name in surroundings_of(self.study.source).functions():
            yield Item(name, Kind.FUNCTION, f"{name}()", "function", order=2)

    def _variables(self) -> Iterator[Item]:
        names = getattr(self.scope, "names", None)
        for name in names() if names is not None else ():
            found = self.study.outside(name)
            if found is not None and hasattr(found, "type"):
                yield Item(name, Kind.VARIABLE, name, found.type.value, "A variable of the notebook.")


_NO_ALIAS = frozenset(
    {"ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL", *_BEHIND_TABLES}
)


def _written(name: str) -> str:
    """A name as SQL writes it."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _column(column: Column) -> Item:
    order = 1 if column.name.startswith("_") else 0
    return Item(column.name, Kind.COLUMN, _written(column.name), column.type.value, order=order)


@cache
def _keywords() -> tuple[Item, ...]:
    return tuple(Item(w, Kind.KEYWORD, f"{w} ", order=n) for n, w in enumerate(_KEYWORDS))


@cache
def _functions() -> tuple[Item, ...]:
    """Functions and aggregates by their names in SQL, told by their cards."""
    from workbench.query.sql.functions import names

    found = []
    for name, card in names().items():
        made = describe.function(card) if card else None
        detail, doc = (made.labels[0], made.doc) if made is not None else ("", "")
        found.append(
            Item(name.upper(), Kind.FUNCTION, f"{name.upper()}(", detail, doc, 0 if name in _FREQUENT else 1)
        )
    taken = {item.label.lower() for item in found}
    own = [i for i in (*candidates.aggregates(), *candidates.functions()) if i.label not in taken]
    return (*found, *(replace(i, order=i.order + 2) for i in own))


_FREQUENT = frozenset(
    {"count", "sum", "avg", "min", "max", "date_trunc", "coalesce", "lower", "upper", "round", "now"}
)
