"""Lists of things that may stand at a cursor: tables, columns, functions, operators and so on, as items.

Each function gives one kind, unfiltered; `completion` chooses among them and `ranking` orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from workbench.base.dtypes import Column, ScalarType
from workbench.query.binder.scope import FunctionEntry, PendingEntry, ScalarEntry, Scope, TableEntry
from workbench.query.frames import surroundings_of
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.language import choices, describe
from workbench.query.language.binding import Study
from workbench.query.language.describe import Described
from workbench.query.language.model import Item, Kind
from workbench.query.operators import OPERATORS
from workbench.query.operators.plugins import PLUGINS
from workbench.query.plan import Values

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALLED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AFTER_PIPE_TOO = frozenset({"union", "search", "evaluate"})
_STARTS = {
    "let": ("let NAME = VALUE;", "Names a value, a table or a function."),
    "set": ("set OPTION = VALUE;", "Sets an option of the query."),
    "declare": ("declare query_parameters(NAME: TYPE = VALUE);", "Declares parameters of the query."),
}
_LITERALS = {
    "datetime": ("datetime(2026-01-31 12:00)", "A moment."),
    "timespan": ("timespan(1.02:03:04)", "A length of time."),
    "dynamic": ('dynamic({"a": [1]})', "An array or a bag."),
    "true": ("bool", ""),
    "false": ("bool", ""),
}


def written(name: str) -> str:
    """A name as a query writes it.

    Examples
    --------
    >>> written("Computer"), written("my column"), written("it's")
    ('Computer', "['my column']", '["it\\'s"]')
    """
    if _PLAIN.fullmatch(name):
        return name
    return f"['{name}']" if "'" not in name and "\\" not in name else f"[{text_of(name)}]"


def text_of(value: str, quote: str = '"') -> str:
    """A string literal.

    Examples
    --------
    >>> text_of('a "b"')
    '"a \\\\"b\\\\""'
    """
    return quote + inside_text(value, quote) + quote


def inside_text(value: str, quote: str) -> str:
    """What stands between the quotes of a string literal."""
    if quote.startswith("@"):
        return value.replace(quote[1:], quote[1:] * 2)
    if len(quote) > 1:
        return value
    made = value.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return made.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


# ---- tables and names -------------------------------------------------------------------------


def tables(study: Study) -> Iterator[Item]:
    """Stored tables."""
    for name in study.catalog.tables():
        yield Item(name, Kind.TABLE, written(name), "table", order=1 if name.startswith("_") else 0)


def outside_names(study: Study, names: Iterable[str], *, as_table: bool) -> Iterator[Item]:
    """Notebook variables: DataFrames where a table may stand, values elsewhere."""
    for name in names:
        found = study.outside(name)
        if isinstance(found, Values) is as_table and found is not None:
            detail = "notebook table" if isinstance(found, Values) else found.type.value
            yield Item(name, Kind.VARIABLE, written(name), detail, "A variable of the notebook.")


def declared(study: Study, scope: Scope) -> Iterator[tuple[str, object]]:
    """Names of `let` and of parameters with their entries, the nearest first, each once."""
    seen: set[str] = set()
    inner: Scope | None = scope
    while inner is not None:
        for name, entry in inner.entries.items():
            if name not in seen and _PLAIN.fullmatch(name):
                seen.add(name)
                known = study.meaning(name, inner) if isinstance(entry, PendingEntry) else entry
                yield name, known or entry
        inner = inner.outer


def let_names(study: Study, scope: Scope, *, as_table: bool) -> Iterator[Item]:
    """What the query itself names: tables and tabular functions, or values and other functions."""
    braces = [o for o in study.outline.open_at_end() if study.outline.mark(o, "{")]
    given = {p.name for brace in braces for p in study.parameters_before(brace)}
    for name, entry in declared(study, scope):
        if isinstance(entry, FunctionEntry):
            if entry.stored:
                continue
            tabular = study.is_tabular(entry)
            if tabular is as_table:
                yield of_function(describe.declared(name, entry.body), Kind.FUNCTION)
        kind = Kind.PARAMETER if name in given else Kind.VARIABLE
        if isinstance(entry, TableEntry) and as_table:
            yield Item(name, kind, written(name), "table", _columns_told(entry))
        elif isinstance(entry, ScalarEntry) and not as_table:
            yield Item(name, kind, written(name), entry.expr.type.value)


def _columns_told(entry: TableEntry) -> str:
    names = [c.name for c in entry.rel.schema if not c.hidden]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"Columns: {', '.join(names[:6])}{more}." if names else ""


def stored_functions(study: Study, scope: Scope) -> Iterator[Item]:
    """Functions of the workspace."""
    for name in surroundings_of(study.source).functions():
        entry = study.meaning(name, scope)
        if isinstance(entry, FunctionEntry):
            yield of_function(describe.declared(name, entry.body), Kind.FUNCTION)


@cache
def table_functions() -> tuple[Item, ...]:
    """Functions that give a table."""
    made = (describe.function(n) for n in describe.TABLE_FUNCTIONS)
    return tuple(of_function(d, Kind.FUNCTION) for d in made if d is not None)


# ---- columns ----------------------------------------------------------------------------------


def columns(schema: Sequence[Column], doc: str = "") -> Iterator[Item]:
    """Columns in their order; hidden ones and the service's own last."""
    for c in schema:
        if not c.name.startswith("__"):
            order = 2 if c.hidden else 1 if c.name.startswith("_") else 0
            yield Item(c.name, Kind.COLUMN, written(c.name), c.type.value, doc, order)


# ---- functions --------------------------------------------------------------------------------


def of_function(described: Described, kind: Kind) -> Item:
    """A function as an item; one that needs no argument is written with both parentheses."""
    name = described.name
    nothing = any(c[0] == 0 and not r for c, r in zip(described.counts, described.repeats, strict=True))
    order = choices.COMMON.get(name, len(choices.COMMON))
    return Item(name, kind, f"{name}()" if nothing else f"{name}(", described.labels[0], described.doc, order)


@cache
def functions() -> tuple[Item, ...]:
    """Scalar functions, old spellings last; window functions apart."""
    return tuple(_functions(window=False))


@cache
def window_functions() -> tuple[Item, ...]:
    """Functions that look at other rows."""
    return tuple(_functions(window=True))


def _functions(*, window: bool) -> Iterator[Item]:
    names = [n for n, c in FUNCTIONS.items() if c.window is window]
    if not window:
        names += [n for n in (*describe.special_names(),) if n not in FUNCTIONS]
    for name in names:
        if not _CALLED.fullmatch(name) or name in _NO_FUNCTIONS:
            continue
        made = describe.function(name)
        if made is not None:
            item = of_function(made, Kind.FUNCTION)
            card = FUNCTIONS.get(name)
            old = card is not None and card.name != name
            yield Item(item.label, item.kind, item.insert, item.detail, item.doc, 1000 if old else item.order)


# Cards of operators and of what the binder writes, which no query calls.
_NO_FUNCTIONS = frozenset(
    [
        "and",
        "or",
        "in",
        "has",
        "has_cs",
        "contains",
        "contains_cs",
        "startswith",
        "startswith_cs",
        "endswith",
        "endswith_cs",
        "hasprefix",
        "hasprefix_cs",
        "hassuffix",
        "hassuffix_cs",
        "has_any",
        "has_all",
        "like",
        "like_cs",
        "notlike",
        "notlike_cs",
        "element",
        "gettype_dynamic",
        "pack_non_empty",
        "between",
        "convert",
    ]
)


@cache
def aggregates() -> tuple[Item, ...]:
    """Aggregates."""
    made = (describe.function(n) for n in AGGREGATES if _CALLED.fullmatch(n))
    return tuple(of_function(d, Kind.AGGREGATE) for d in made if d is not None)


@cache
def plugins() -> tuple[Item, ...]:
    """What `evaluate` can call."""
    return tuple(
        Item(
            n,
            Kind.PLUGIN,
            f"{n}()" if c.syntax == f"{n}()" else f"{n}(",
            c.syntax,
            describe.first_sentence(c.doc),
        )
        for n, c in PLUGINS.items()
    )


# ---- words ------------------------------------------------------------------------------------


@cache
def operators(*, source: bool) -> tuple[Item, ...]:
    """Tabular operators that begin a query, or those that follow a pipe."""
    found = []
    for name, card in OPERATORS.items():
        fits = card.source if source else not card.source or name in _AFTER_PIPE_TOO
        if not fits:
            continue
        alone = card.syntax == card.name
        insert = name if alone or card.syntax.startswith(f"{card.name} [as") else f"{name} "
        if card.syntax.startswith(f"{card.name} by "):
            insert = f"{name} by "
        order = 2 if name in choices.OLD_OPERATORS else 0 if name in _FREQUENT else 1
        found.append(Item(name, Kind.OPERATOR, insert, card.syntax, describe.first_sentence(card.doc), order))
    return tuple(found)


_FREQUENT = frozenset(
    [
        "where",
        "summarize",
        "project",
        "extend",
        "take",
        "sort",
        "top",
        "count",
        "distinct",
        "join",
        "render",
        "mv-expand",
        "project-away",
        "union",
    ]
)


def starts() -> Iterator[Item]:
    """Words that begin a statement."""
    for word, (syntax, doc) in _STARTS.items():
        yield Item(word, Kind.KEYWORD, f"{word} ", syntax, doc)


def literals() -> Iterator[Item]:
    """Words that begin a constant."""
    for word, (example, doc) in _LITERALS.items():
        yield Item(word, Kind.KEYWORD, word if example == "bool" else f"{word}(", example, doc)


def words(found: Iterable[str], kind: Kind = Kind.KEYWORD, ending: str = "") -> Iterator[Item]:
    """Plain words."""
    for word in found:
        yield Item(word, kind, word + ending)


@cache
def types() -> tuple[Item, ...]:
    """The scalar types."""
    return tuple(Item(t.value, Kind.TYPE, t.value, "type") for t in ScalarType)


_T = ScalarType
_ORDERED = frozenset({_T.INT, _T.LONG, _T.REAL, _T.DECIMAL, _T.DATETIME, _T.TIMESPAN})
_INFIX: tuple[tuple[str, str, frozenset[ScalarType] | None], ...] = (
    ("==", "equal", None),
    ("!=", "not equal", None),
    ("has", "has the word, in any case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("contains", "has the text anywhere, in any case; slower than has", frozenset({_T.STRING, _T.DYNAMIC})),
    ("startswith", "begins with the text, in any case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("endswith", "ends with the text, in any case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("in", "is one of", None),
    ("!in", "is none of", None),
    ("in~", "is one of, in any case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("=~", "equal in any case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("!~", "not equal in any case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("has_any", "has one of the words", frozenset({_T.STRING, _T.DYNAMIC})),
    ("has_all", "has all the words", frozenset({_T.STRING, _T.DYNAMIC})),
    ("matches regex", "matches a regular expression", frozenset({_T.STRING, _T.DYNAMIC})),
    ("between", "lies between, ends included", _ORDERED | {_T.DYNAMIC}),
    (">", "greater", _ORDERED | {_T.DYNAMIC}),
    (">=", "greater or equal", _ORDERED | {_T.DYNAMIC}),
    ("<", "less", _ORDERED | {_T.DYNAMIC}),
    ("<=", "less or equal", _ORDERED | {_T.DYNAMIC}),
    ("!has", "has not the word", frozenset({_T.STRING, _T.DYNAMIC})),
    ("!contains", "has the text nowhere", frozenset({_T.STRING, _T.DYNAMIC})),
    ("!startswith", "begins otherwise", frozenset({_T.STRING, _T.DYNAMIC})),
    ("!endswith", "ends otherwise", frozenset({_T.STRING, _T.DYNAMIC})),
    ("has_cs", "has the word, in this case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("contains_cs", "has the text anywhere, in this case", frozenset({_T.STRING, _T.DYNAMIC})),
    ("hasprefix", "has a word that begins so", frozenset({_T.STRING, _T.DYNAMIC})),
    ("hassuffix", "has a word that ends so", frozenset({_T.STRING, _T.DYNAMIC})),
)


def infix(type_: ScalarType | None, words_asked: Iterable[str]) -> Iterator[Item]:
    """Operators that may follow a value of a type; None where the type is not known."""
    for name, doc, types_ in _INFIX:
        if type_ is None or types_ is None or type_ in types_:
            opens = name in ("in", "!in", "in~", "has_any", "has_all", "between")
            yield Item(
                name, Kind.KEYWORD, f"{name} (" if opens else f"{name} ", doc=f"{doc[0].upper()}{doc[1:]}."
            )
    for word in sorted(words_asked):
        yield Item(
            word, Kind.KEYWORD, f"{word} ", order=-1 if word in ("by", "on", "with", "asc", "desc") else 0
        )
