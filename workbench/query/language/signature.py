"""Help inside the parentheses of a call: the signature and which of its parameters the cursor is in."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.query import syntax
from workbench.query.binder.scope import FunctionEntry
from workbench.query.frames import FrameTables, Tables
from workbench.query.language import describe
from workbench.query.language.binding import Study
from workbench.query.language.describe import Described
from workbench.query.language.model import SignatureHelp
from workbench.query.language.outline import Outline, outline
from workbench.query.language.place import names_in_reach
from workbench.query.language.scanning import scan
from workbench.query.lexer import Kind, Token
from workbench.query.operators.plugins import PLUGINS


def signature(text: str, position: int, source: Tables | None = None) -> SignatureHelp | None:
    """The call around the cursor; None outside of calls.

    Parameters
    ----------
    source : Tables, optional
        For the stored functions of a workspace.

    Examples
    --------
    >>> found = signature("print substring('abc', ", 23)
    >>> found.label, found.active
    ('substring(text: string, start: long, [length: long]) → string', 1)
    """
    tokens = scan(text[:position]).tokens
    made = outline(tokens)
    for opener in reversed(made.open_at_end()):
        if not made.mark(opener, "(") or opener == 0 or tokens[opener - 1].kind is not Kind.NAME:
            continue
        found = _function(text, made, opener, source)
        if found is not None:
            arguments = made.split(opener + 1, len(tokens), ",")
            return _help(found, len(arguments) - 1, opener + 1 < len(tokens))
    return None


def _function(text: str, made: Outline, opener: int, source: Tables | None) -> Described | None:
    tokens = made.tokens
    name = str(tokens[opener - 1].value)
    if opener >= 2 and tokens[opener - 2].is_word("evaluate"):
        return _plugin(name)
    local = _declared(text, made, name, source)
    if local is not None:
        return local
    if _keyword(tokens, opener):
        return None
    return describe.function(name)


def _keyword(tokens: Sequence[Token], opener: int) -> bool:
    """Whether the word before a parenthesis is no function there (`between (`, `has_any (`)."""
    return tokens[opener - 1].is_word("in", "between", "has_any", "has_all", "and", "or", "by", "on", "with")


def _plugin(name: str) -> Described | None:
    card = PLUGINS.get(name)
    if card is None:
        return None
    inner = card.syntax.partition("(")[2].partition(")")[0]
    parts = [
        p.strip() for p in inner.replace("[,", ",").replace("[", "").replace("]", "").split(",") if p.strip()
    ]
    label, spans = describe.labelled(name, parts, "table")
    return Described(
        name, (label,), (spans,), describe.first_sentence(card.doc), ("…" in inner,), ((0, None),)
    )


def _declared(text: str, made: Outline, name: str, source: Tables | None) -> Described | None:
    """A function of the query or of the workspace."""
    study = Study(text, made, source if source is not None else FrameTables({}))
    entry = names_in_reach(study).find(name)
    if not isinstance(entry, FunctionEntry):
        return None
    body: syntax.FunctionBody = entry.body
    return describe.declared(name, body)


def _help(found: Described, active: int, begun: bool) -> SignatureHelp:
    number = found.overload(active + 1 if begun else 0)
    places = found.places[number]
    if found.repeats[number] and places:
        active = min(active, len(places) - 1)
    others = tuple(label for n, label in enumerate(found.labels) if n != number)
    return SignatureHelp(found.labels[number], places, active, found.doc, others)
