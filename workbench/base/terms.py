"""Terms: what the index of a table knows of a text, and conditions on the terms that a file must hold.

A term of the index is a maximal run of ASCII letters and digits, in lower case. Every term that `has`
can find and that is all ASCII is one of them, because whatever ends a term there ends a run here;
words with other letters are not in the index, and nothing is concluded from them. In go texts of a
query, out come conditions for a scan. Must not know the index, nor the query's plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

TERM = "[0-9A-Za-z]+"
_TERM = re.compile(TERM)
# Longer lists are not worth a look into the index: each of their terms is looked up.
MOST_TERMS = 256


@dataclass(frozen=True, slots=True, repr=False)
class AllOf:
    """Every part is in the file."""

    parts: tuple[Terms, ...]

    def __repr__(self) -> str:
        return "(" + " and ".join(map(_shown, self.parts)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class AnyOf:
    """At least one part is in the file; of no part: no file can matter."""

    parts: tuple[Terms, ...]

    def __repr__(self) -> str:
        return "(" + " or ".join(map(_shown, self.parts)) + ")" if self.parts else "nothing"


Terms: TypeAlias = str | AllOf | AnyOf
"""A condition on the terms of a file: a term in lower case, or conditions joined."""

NOTHING = AnyOf(())
"""No file can matter."""


def all_of(parts: Iterable[Terms | None]) -> Terms | None:
    """All conditions together; None is a condition of which nothing is known.

    Examples
    --------
    >>> all_of(["a", None, all_of(["b", "a"])]), all_of([None]), all_of(["a", NOTHING])
    ((a and b), None, nothing)
    """
    known: dict[Terms, None] = {}
    for part in parts:
        if isinstance(part, AllOf):
            known.update(dict.fromkeys(part.parts))
        elif part is not None:
            known[part] = None
    if NOTHING in known:
        return NOTHING
    if len(known) < 2:
        return next(iter(known), None)
    return AllOf(tuple(known))


def any_of(parts: Iterable[Terms | None]) -> Terms | None:
    """One condition or another; if nothing is known of one, nothing is known of them together.

    Examples
    --------
    >>> any_of(["a", NOTHING, "b"]), any_of(["a", None]), any_of([])
    ((a or b), None, nothing)
    """
    known: dict[Terms, None] = {}
    for part in parts:
        if part is None:
            return None
        known.update(dict.fromkeys(part.parts if isinstance(part, AnyOf) else (part,)))
    if len(known) == 1:
        return next(iter(known))
    found = AnyOf(tuple(known))
    return found if sum(1 for _ in leaves(found)) <= MOST_TERMS else None


def leaves(terms: Terms) -> Iterator[str]:
    """The terms of a condition."""
    if isinstance(terms, str):
        yield terms
    else:
        for part in terms.parts:
            yield from leaves(part)


def whole_terms(text: str, *, starts: bool = True, ends: bool = True) -> Terms | None:
    """The terms that any text which contains `text` must have.

    Parameters
    ----------
    text : str
    starts, ends : bool
        Whether a term that begins (ends) where `text` does is known to be whole there. A term beside
        a sign that is not ASCII is left out: with other letters the run may be longer, in any case.

    Examples
    --------
    >>> whole_terms("Foo-bar_7"), whole_terms("a b c", starts=False, ends=False), whole_terms("é")
    ((foo and bar and 7), 'b', None)
    """
    found: list[Terms] = []
    for m in _TERM.finditer(text):
        before = text[m.start() - 1].isascii() if m.start() else starts
        after = text[m.end()].isascii() if m.end() < len(text) else ends
        if before and after:
            found.append(m[0].lower())
    return all_of(found)


def _shown(terms: Terms) -> str:
    return terms if isinstance(terms, str) else repr(terms)
