"""Documents that fit a width: text, places to break, groups that break as a whole.

A group is written on one line where it fits; else each of its own lines breaks. `HARD` always breaks, and
so do all groups around it. Knows nothing of the language.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Text:
    """Written as it is; may hold line ends (a string of several lines)."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """`flat` where the group fits on a line, else a line end; `hard`: always one; `blank`: an empty line."""

    flat: str = " "
    hard: bool = False
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Nest:
    """What is inside is indented by more."""

    inner: Doc
    by: int = 4


@dataclass(frozen=True, slots=True)
class Group:
    """On one line, or with all its own lines broken."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Fill:
    """Items as many to a line as fit."""

    items: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Cat:
    """One after the other."""

    parts: tuple[Doc, ...]


Doc = Union[Text, Line, Nest, Group, Fill, Cat]  # noqa: UP007  (its members name it)
NOTHING = Text("")
LINE, SOFT, HARD, BLANK = Line(), Line(""), Line(hard=True), Line(hard=True, blank=True)


def cat(parts: Iterable[Doc]) -> Doc:
    """Documents one after the other."""
    return Cat(tuple(parts))


def render(doc: Doc, width: int) -> str:
    """The document as text, no white space at the ends of lines.

    Examples
    --------
    >>> items = cat([Text("f("), Nest(cat([SOFT, Text("first,"), LINE, Text("second")])), SOFT, Text(")")])
    >>> print(render(Group(items), 80))
    f(first, second)
    >>> print(render(Group(items), 10))
    f(
        first,
        second
    )
    """
    out: list[str] = []
    column = 0
    broken = _broken(doc)
    stack: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while stack:
        indent, flat, item = stack.pop()
        if isinstance(item, Text):
            out.append(item.text)
            end = item.text.rfind("\n")
            column = column + len(item.text) if end < 0 else len(item.text) - end - 1
        elif isinstance(item, Cat):
            stack += [(indent, flat, p) for p in reversed(item.parts)]
        elif isinstance(item, Nest):
            stack.append((indent + item.by, flat, item.inner))
        elif isinstance(item, Group):
            fits = flat or (id(item) not in broken and _fits(width - column, item.inner, stack))
            stack.append((indent, fits, item.inner))
        elif isinstance(item, Fill):
            stack += _filled(item, indent, flat)
        elif flat and not item.hard:
            out.append(item.flat)
            column += len(item.flat)
        else:
            # No white space at the end of a line; what a Text ends in is left as it is.
            while out and not out[-1].strip(" "):
                out.pop()
            out.append("\n\n" if item.blank else "\n")
            out.append(" " * indent)
            column = indent
    return "".join(out)


def _filled(item: Fill, indent: int, flat: bool) -> list[tuple[int, bool, Doc]]:
    parts: list[tuple[int, bool, Doc]] = []
    for number, inner in enumerate(item.items):
        # A group of the break and its item: it breaks where the item does not fit any more.
        parts.append((indent, flat, Group(cat([LINE, inner])) if number else inner))
    return parts[::-1]


def _broken(doc: Doc) -> set[int]:
    """The groups that hold a hard line."""
    found: set[int] = set()

    def hard(item: Doc) -> bool:
        if isinstance(item, Text):
            return "\n" in item.text
        if isinstance(item, Line):
            return item.hard
        if isinstance(item, Nest):
            return hard(item.inner)
        if isinstance(item, Group):
            inside = hard(item.inner)
            if inside:
                found.add(id(item))
            return inside
        parts = item.items if isinstance(item, Fill) else item.parts
        inside = False
        for part in parts:  # all of them: each group has to be looked at
            inside = hard(part) or inside
        return inside

    hard(doc)
    return found


def _fits(room: int, doc: Doc, after: list[tuple[int, bool, Doc]]) -> bool:
    """Whether the document, flat, and what follows it up to the next possible break fit in the room."""
    stack: list[tuple[bool, Doc]] = [(True, doc)]
    rest = len(after)
    while room >= 0:
        if not stack:
            if rest == 0:
                return True
            rest -= 1
            stack.append((after[rest][1], after[rest][2]))
            continue
        flat, item = stack.pop()
        if isinstance(item, Text):
            line = item.text.split("\n", 1)
            room -= len(line[0])
            if len(line) > 1:
                return room >= 0
        elif isinstance(item, Cat):
            stack += [(flat, p) for p in reversed(item.parts)]
        elif isinstance(item, Nest | Group):
            stack.append((flat, item.inner))
        elif isinstance(item, Fill):
            stack += [(flat, p) for i in reversed(item.items) for p in (i, LINE)][:-1]
        elif flat and not item.hard:
            room -= len(item.flat)
        else:
            return room >= 0
    return False
