"""Functions, operators and plugins as text: signatures with parameter names, and their first sentence.

Reads the cards; what the binder decides without a card (`now()`, `toscalar()`) is described here.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from workbench.base.dtypes import NUMBERS, ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.binder.special import FORMS
from workbench.query.functions import AGGREGATES, FUNCTIONS, Card, Param, Signature

_WAYS = ("polars", "row", "group", "many")
_NO_NAMES = frozenset({"values", "args", "returns", "types", "self"})
# Parameters, result and meaning of what has no card of its own.
_SPECIAL: dict[str, tuple[str, str, str]] = {
    "now": ("[offset: timespan]", "datetime", "The moment at which the query began, moved by an offset."),
    "ago": ("offset: timespan", "datetime", "The moment that lies so long before the query began."),
    "toscalar": ("table", "value", "The first value of the first column of a table."),
    "column_ifexists": ("name: string, otherwise: any", "any", "A column, or another value where the table has none of that name."),
    "pack_all": ("[ignore_empty: bool]", "dynamic", "All columns of the row as a bag."),
    "pack_array": ("value: any, …", "dynamic", "An array of the values."),
    "bag_pack_columns": ("column, …", "dynamic", "A bag of columns under their own names."),
    "typeof": ("type", "type", "The name of a type, where an argument asks for one."),
    "gettype": ("value: any", "string", "The name of the value's type."),
    "column_names_of": ("table", "dynamic", "The names of a table's columns."),
    "bin_auto": ("value: number|datetime|timespan", "same", "The bin of a value, as large as 'set query_bin_auto_size' says."),
    "iff": ("condition: bool, then: any, otherwise: any", "any", "One of two values, by a condition."),
    "case": ("condition: bool, then: any, …, otherwise: any", "any", "The value behind the first condition that holds, else the last one."),
    "extract": ("regex: string, group: long, text: string, [typeof(type)]", "string", "The part of a text that a group of a regular expression matches."),
    "extract_json": ("path: string, text: string, [typeof(type)]", "string", "The value at a path of a JSON text."),
    "percentile_tdigest": ("digest: dynamic, percent: real, [typeof(type)]", "any", "The value below which a share of a digest lies."),
    "ingestion_time": ("", "datetime", "When the row was stored."),
    "current_principal": ("", "string", "Who asks."),
    "current_principal_details": ("", "dynamic", "Who asks, as a bag."),
    "current_principal_is_member_of": ("group: string, …", "bool", "Whether who asks belongs to one of the groups."),
    "current_database": ("", "string", "The name of the workspace."),
    "current_cluster_endpoint": ("", "string", "Where the workspace is served."),
    "cursor_current": ("", "string", "A mark of the newest stored rows, for cursor_after()."),
    "cursor_after": ("cursor: string", "bool", "Whether the row was stored after a mark."),
    "cursor_before_or_at": ("cursor: string", "bool", "Whether the row was stored before a mark or with it."),
    "estimate_data_size": ("column, …", "long", "About how many bytes the columns of the row take."),
    "table": ("name: string", "table", "The table of that name."),
    "materialize": ("table", "table", "A table that is computed once, however often it is used."),
    "totable": ("table", "table", "The table itself."),
    "materialized_view": ("name: string", "table", "The table of that name."),
    "external_table": ("name: string", "table", "The table of that name."),
    "stored_query_result": ("name: string", "table", "The table of that name."),
    "_GetWatchlist": ("name: string", "table", "The rows of a watchlist."),
    "workspace": ("name: string", "place", "The workspace of that name, before a dot and a table."),
    "database": ("name: string", "place", "The database of that name, before a dot and a table."),
    "cluster": ("name: string", "place", "The cluster of that name, before a dot and a database."),
}  # fmt: skip
_SAME = {"columnifexists": "column_ifexists", "iif": "iff", "extractjson": "extract_json", "current_cursor": "cursor_current", "iscolumnexists": ""}  # fmt: skip
TABLE_FUNCTIONS = (
    "materialize", "table", "_GetWatchlist", "totable", "materialized_view", "external_table", "workspace",
    "database", "cluster",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Described:
    """A function as text: one label an overload, with the places of its parameters in it."""

    name: str
    labels: tuple[str, ...]
    places: tuple[tuple[Span, ...], ...]
    doc: str
    repeats: tuple[bool, ...]
    counts: tuple[tuple[int, int | None], ...]

    def overload(self, count: int) -> int:
        """The first overload that takes so many arguments, else the widest."""
        for number, (least, most) in enumerate(self.counts):
            if count >= least and (most is None or count <= most):
                return number
        wide = [n for n, (_, most) in enumerate(self.counts) if most is None or count <= most]
        return wide[0] if wide else len(self.counts) - 1


def first_sentence(doc: str) -> str:
    """The first sentence of a docstring, on one line.

    Examples
    --------
    >>> first_sentence("Rows in order. Descending\\n is the default.")
    'Rows in order.'
    """
    text = " ".join(doc.split())
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


@cache
def function(name: str) -> Described | None:
    """A function or aggregate of that name; None where the language has none.

    Examples
    --------
    >>> function("strlen").labels
    ('strlen(text: string) → long',)
    """
    meant = _SAME.get(name) or name
    if meant in _SPECIAL:
        parameters, result, doc = _SPECIAL[meant]
        parts = [p for p in parameters.split(", ") if p]
        label, places = labelled(name, parts, result)
        repeats = "…" in parts
        least = sum(not p.startswith(("[", "…")) for p in parts)
        return Described(
            name, (label,), (places,), doc, (repeats,), ((least, None if repeats else len(parts)),)
        )
    card = FUNCTIONS.get(name) or AGGREGATES.get(name)
    if card is None:
        if name not in FORMS:
            return None
        return Described(name, (f"{name}(…)",), ((Span(len(name) + 1, len(name) + 2),),), "", (True,), ((0, None),))  # fmt: skip
    return _of_card(name, card)


def special_names() -> list[str]:
    """Functions that the binder decides without a card."""
    tables = {*TABLE_FUNCTIONS, "totable", "materialized_view", "external_table", "stored_query_result"}
    return [n for n in dict.fromkeys((*_SPECIAL, *FORMS)) if n not in tables]


def _of_card(name: str, card: Card) -> Described:
    known = _names(card)
    labels, places = [], []
    for signature in card.signatures:
        parts = [_parameter(p, i, known) for i, p in enumerate(signature.params)]
        label, spans = labelled(name, parts, _result(signature))
        labels.append(label)
        places.append(spans)
    repeats = tuple(bool(s.params) and s.params[-1].repeat for s in card.signatures)
    counts = tuple((s.least, s.most) for s in card.signatures)
    return Described(name, tuple(labels), tuple(places), first_sentence(card.doc), repeats, counts)


def _names(card: Card) -> list[str]:
    """The names that the implementation gives its parameters."""
    for way in _WAYS:
        made = getattr(card.implementation, way, None)
        if made is None:
            continue
        found = [p for p in inspect.signature(made).parameters.values() if p.name not in _NO_NAMES]
        return [p.name.strip("_") for p in found]
    return []


def _parameter(p: Param, place: int, names: Sequence[str]) -> str:
    name = names[place] if place < len(names) else ""
    text = f"{name}: {_types(p.types)}" if name else _types(p.types)
    if p.repeat:
        text += ", …"
    return f"[{text}]" if p.optional else text


def _types(types: frozenset[ScalarType]) -> str:
    if len(types) == len(ScalarType):
        return "any"
    rest = sorted(t.value for t in types - NUMBERS) if types >= NUMBERS else sorted(t.value for t in types)
    return "|".join(["number", *rest] if types >= NUMBERS else rest)


def _result(signature: Signature) -> str:
    returns = signature.returns
    if isinstance(returns, ScalarType):
        return returns.value
    return "same" if returns.__name__ == "same" else "any"


def labelled(name: str, parts: Sequence[str], result: str) -> tuple[str, tuple[Span, ...]]:
    label, spans = f"{name}(", []
    for i, part in enumerate(parts):
        label += ", " if i else ""
        spans.append(Span(len(label), len(label) + len(part)))
        label += part
    return f"{label}) → {result}", tuple(spans)


def declared(name: str, body: syntax.FunctionBody, doc: str = "") -> Described:
    """A function that the query or the workspace declares.

    Examples
    --------
    >>> from workbench.query.parser import parse
    >>> let = parse("let f = (n: long, T: (*)) { T | take n }; f(1, T)").statements[0]
    >>> declared("f", let.value).labels
    ('f(n: long, T: (*)) → table',)
    """
    parts = []
    for p in body.parameters:
        if p.type is not None:
            parts.append(
                f"[{p.name}: {p.type.value}]" if p.default is not None else f"{p.name}: {p.type.value}"
            )
        elif p.columns is None:
            parts.append(f"{p.name}: (*)")
        else:
            parts.append(f"{p.name}: ({', '.join(f'{n}: {t.value}' for n, t in p.columns)})")
    result = "table" if isinstance(body.result, syntax.Pipeline) else "value"
    label, spans = labelled(name, parts, result)
    least = sum(p.default is None for p in body.parameters)
    return Described(name, (label,), (spans,), doc, (False,), ((least, len(parts)),))
