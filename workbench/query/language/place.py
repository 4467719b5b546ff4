"""A cursor in a text: what was typed there, what the grammar wants, which names and columns are in reach."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.binder.scope import Scope
from workbench.query.frames import Tables
from workbench.query.language.binding import UNKNOWN, Row, Study
from workbench.query.language.outline import Outline, outline
from workbench.query.language.probe import Frame, Probe, Wanted
from workbench.query.language.scanning import scan
from workbench.query.language.slices import SliceParser
from workbench.query.lexer import Kind, Token

_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_]*$")
_HINT = re.compile(r"hint(?:\.[A-Za-z_]*)?$")
_HYPHENED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]*)+$")
_REST = re.compile(r"[A-Za-z0-9_]*")
_QUOTE = re.compile(r"""[hH]?(@?"|@?'|```|~~~)""")
_CLAUSES = (
    "by",
    "on",
    "with",
    "from",
    "to",
    "step",
    "of",
    "in",
    "where",
    "project",
    "default",
    "as",
    "limit",
)
_LONG = 6  # items of a list; shorter ones are read whole
_BODIES = {"mv": "on", "mvapply": "on", "partition": None, "fork": None, "facet": "with"}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands at the cursor: the part before it, the stretch to replace, and for a text its quote.

    `end` is how many tokens stand before it.
    """

    text: str
    replace: Span
    end: int
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Everything about a cursor that completion asks for."""

    text: str
    typed: Typed
    outline: Outline
    wanted: Wanted
    study: Study
    scope: Scope
    row: Row | None

    @property
    def tokens(self) -> Sequence[Token]:
        return self.outline.tokens

    def before(self, back: int = 1) -> Token | None:
        """A token before what was typed; 1 is the nearest."""
        return self.tokens[-back] if len(self.tokens) >= back else None

    def operator_range(self) -> tuple[int, int]:
        """The tokens of the innermost tabular operator up to the cursor; empty outside of one."""
        frame = self.wanted.operator
        if frame is None:
            return len(self.tokens), len(self.tokens)
        return place_of(self.tokens, self.wanted.starts[frame.begins]), len(self.tokens)

    def passed(self, *words: str) -> bool:
        """Whether one of the words stands in the operator, outside of brackets, before the cursor."""
        start, end = self.operator_range()
        inner = {
            i for o in self.outline.groups(start, end) for i in range(o, min(end, self.outline.ends[o] + 1))
        }
        return any(i not in inner and self.tokens[i].is_word(*words) for i in range(start + 1, end))


def typed_at(text: str, position: int) -> Typed | None:
    """What stands at the cursor; None in a comment and behind a number.

    Examples
    --------
    >>> typed_at("T | where Comp", 14).text, typed_at("T | take 5", 10)
    ('Comp', None)
    """
    found = scan(text[:position])
    tokens = found.tokens
    if found.open_string is not None:
        start = found.open_string
        quote = _QUOTE.match(text, start)
        assert quote is not None  # a string begins with one
        inner = quote.end()
        return Typed(text[inner:position], Span(inner, position), _count(tokens, start), quote[1])
    end = tokens[-1].span.end if tokens else 0
    line = text[max(end, text.rfind("\n", 0, position) + 1) : position]
    if "//" in line:
        return None
    rest = _REST.match(text, position)
    stop = rest.end() if rest else position
    here = text[text.rfind("\n", 0, position) + 1 : position]
    for pattern in (_HINT, _HYPHENED, _WORD):
        m = pattern.search(here)
        if m is None:
            continue
        start = position - len(m[0])
        if pattern is _HYPHENED and not _keyword_place(tokens, _count(tokens, start)):
            continue
        return Typed(m[0], Span(start, stop), _count(tokens, start))
    if tokens and end == position and tokens[-1].kind in (Kind.LONG, Kind.REAL, Kind.TIMESPAN, Kind.TYPED):
        return None
    if tokens and end == position and tokens[-1].kind is Kind.STRING:
        return None
    return Typed("", Span(position, position), len(tokens))


def _count(tokens: Sequence[Token], offset: int) -> int:
    """How many tokens begin before a place."""
    return bisect_left(tokens, offset, key=lambda t: t.span.start)


def place_of(tokens: Sequence[Token], offset: int) -> int:
    """The number of the token that begins at a place."""
    return bisect_left(tokens, offset, key=lambda t: t.span.start)


def _keyword_place(tokens: Sequence[Token], count: int) -> bool:
    """Whether a tabular operator may stand there, so that its hyphens belong to it."""
    return count == 0 or tokens[count - 1].is_mark("|", "(", ";", "{", ",")


def place(text: str, position: int, source: Tables, scope: Callable[[str], Any] | None) -> Place | None:
    """The cursor at `position`; None where nothing is to be completed."""
    typed = typed_at(text, position)
    if typed is None:
        return None
    before = scan(text[:position]).tokens[: typed.end]
    made = outline(before)
    wanted = _probed(text, made)
    study = Study(text, made, source, scope)
    names = names_in_reach(study)
    row = _row(study, wanted, names)
    if row is not None and row.named:
        names = Scope(names, dict(row.named))
    return Place(text, typed, made, wanted, study, names, row)


# ---- the grammar's side -----------------------------------------------------------------------


def _probed(text: str, made: Outline) -> Wanted:
    kept = _shortened(made)
    wanted = Probe(text, kept).probe()
    if not wanted.complete and not wanted.words:
        # What stands before the cursor in the same piece is broken too: any expression may follow.
        wanted.rules |= {"expression"}
        frame = _last_operator(made)
        if frame is not None:
            wanted.frames = (Frame("pipeline", "", frame[1]), Frame("operator", frame[0], frame[2]))
            wanted.starts = [t.span.start for t in made.tokens]
            return wanted
    if not kept or kept[-1].is_mark(";") or (kept[-1].is_mark("{") and _is_body(made)):
        wanted.rules |= {"statement", "source"}
    wanted.starts = [t.span.start for t in kept]
    return wanted


def _is_body(made: Outline) -> bool:
    last = len(made.tokens) - 1
    return made.mark(last - 1, ")")


def _last_operator(made: Outline) -> tuple[str, int, int] | None:
    """The keyword of the piece at the end of the tokens, where its pipeline and where it begin."""
    opens = made.open_at_end()
    for start in [*(o + 1 for o in reversed(opens)), 0]:
        parts = made.split(start, len(made.tokens), ";")
        pieces = made.split(*parts[-1], "|")
        if len(pieces) > 1 and pieces[-1][0] < len(made.tokens):
            keyword = made.tokens[pieces[-1][0]]
            if keyword.kind is Kind.NAME:
                begins = parts[-1][0] + _header(made, parts[-1][0])
                return str(keyword.value), begins, pieces[-1][0]
    return None


def _header(made: Outline, start: int) -> int:
    """How many tokens of a statement stand before its pipeline."""
    if made.word(start, "let") and made.mark(start + 2, "="):
        return 4 if made.word(start + 3, "view") else 3
    return 0


def _shortened(made: Outline) -> list[Token]:
    """The tokens before the cursor without finished statements and pieces: those can't matter to the
    grammar at the cursor, and may be broken."""
    kept: list[Token] = []
    tokens = made.tokens
    start = 0
    for opener in [*made.open_at_end(), None]:
        end = len(tokens) if opener is None else opener
        s, e = made.split(start, end, ";")[-1]
        pieces = made.split(s, e, "|")
        if len(pieces) > 1:
            begins = s + _header(made, s)
            kept += tokens[s:begins]
            stand_in = "count" if start and _only_operators(made, start - 1) else "_"
            kept.append(Token(Kind.NAME, stand_in, tokens[min(begins, len(tokens) - 1)].span))
            s = pieces[-1][0] - 1
        for begins, ends in _needed_items(made, s, e):
            kept += _without_pipelines(made, begins, ends)
        if opener is not None:
            kept.append(tokens[opener])
            start = opener + 1
    return kept


def _needed_items(made: Outline, start: int, end: int) -> list[tuple[int, int]]:
    """A piece without the middle of a long list: finished items that hold no word of a clause."""
    items = made.split(start, end, ",")
    if len(items) < _LONG:
        return [(start, end)]
    words = [i for i in range(start, end) if made.tokens[i].is_word(*_CLAUSES)]
    needed = [items[0][0]] + [s for s, e in items[1:-1] if any(s <= w < e for w in words)]
    return [(s, e + 1) for s, e in items[:-1] if s in needed] + [items[-1]]


def _without_pipelines(made: Outline, start: int, end: int) -> list[Token]:
    """A stretch of tokens with a stand-in for the pipelines in its closed parentheses."""
    kept: list[Token] = []
    at = start
    for opener in made.groups(start, end):
        s, e = made.inside(opener)
        if opener not in made.closed or not made.mark(opener, "(") or len(made.split(s, e, "|")) < 2:
            continue
        stand_in = "count" if _only_operators(made, opener) else "_"
        kept += [*made.tokens[at:s], Token(Kind.NAME, stand_in, made.tokens[s].span)]
        at = e
    return kept + list(made.tokens[at:end])


def _only_operators(made: Outline, opener: int) -> bool:
    """Whether a parenthesis holds operators without a source, as that of mv-apply does."""
    outer = max((o for o, e in made.ends.items() if o < opener <= e), default=-1)
    s, e = made.split(outer + 1, opener, ";")[-1]
    first = made.split(s, e, "|")[-1][0]
    keyword = made.tokens[first]
    if keyword.kind is not Kind.NAME or str(keyword.value) not in _BODIES or opener == 0:
        return False
    word = _BODIES[str(keyword.value)]
    return word is None or made.word(opener - 1, word)


# ---- the binder's side ------------------------------------------------------------------------


def names_in_reach(study: Study) -> Scope:
    """The names in reach at the end of the tokens."""
    made = study.outline
    statements = made.split(0, len(made.tokens), ";")
    scope, _ = study.scope(0, _before(statements))
    for brace in made.open_at_end():
        if made.mark(brace, "{") and made.mark(brace - 1, ")"):
            inner = made.split(brace + 1, len(made.tokens), ";")
            scope, _ = study.scope(brace + 1, max(brace + 1, _before(inner)), study.body_scope(brace, scope))
    return scope


def _before(statements: list[tuple[int, int]]) -> int:
    return max(0, statements[-1][0] - 1)


def _row(study: Study, wanted: Wanted, scope: Scope) -> Row | None:
    """The columns in reach at the cursor; None outside of a pipeline's operators."""
    frames = list(wanted.frames)
    while frames and frames[-1].rule not in ("operator", "pipeline", "body"):
        frames.pop()
    while len(frames) > 1 and frames[-1].rule == "pipeline" and not _behind_pipe(study, wanted, frames[-1]):
        # A pipeline begins here: the columns are those of the operator that it stands in.
        frames.pop()
        while frames and frames[-1].rule not in ("operator", "pipeline", "body"):
            frames.pop()
    return _row_of(study, wanted, frames, scope)


def _behind_pipe(study: Study, wanted: Wanted, frame: Frame) -> bool:
    begins = _original(study, wanted, frame)
    return len(study.outline.split(begins, len(study.outline.tokens), "|")) > 1


def _original(study: Study, wanted: Wanted, frame: Frame) -> int:
    if frame.begins >= len(wanted.starts):
        return len(study.outline.tokens)
    return place_of(study.outline.tokens, wanted.starts[frame.begins])


def _row_of(study: Study, wanted: Wanted, frames: list[Frame], scope: Scope) -> Row | None:
    if frames and frames[-1].rule == "operator":
        frames = frames[:-1]
    while frames and frames[-1].rule not in ("pipeline", "body"):
        frames = frames[:-1]
    if not frames:
        return None
    holder = frames[-1]
    begins = _original(study, wanted, holder)
    pieces = study.outline.split(begins, len(study.outline.tokens), "|")
    first: Row | None = None
    if holder.rule == "body":
        first = _entered(study, wanted, frames[:-1], begins, scope)
    if len(pieces) < 2:
        return first
    return study.row(begins, pieces[-1][0] - 1, scope, first)


def _entered(study: Study, wanted: Wanted, frames: list[Frame], body: int, scope: Scope) -> Row:
    """The rows that a body of operators begins with."""
    outer = _row_of(study, wanted, frames, scope) or Row(UNKNOWN, False)
    if not frames or frames[-1].rule != "operator" or frames[-1].name != "mv-apply":
        return outer
    begins = _original(study, wanted, frames[-1])
    end = study.outline.tokens[body - 1].span
    # The operator with a body that changes nothing shows the columns inside of it.
    tokens = [
        *study.outline.tokens[begins:body], Token(Kind.NAME, "take", end), Token(Kind.LONG, 1, end),
        Token(Kind.PUNCTUATION, ")", end),
    ]  # fmt: skip
    read = SliceParser(study.text, tokens)
    try:
        operator: syntax.Operator = read.whole(read.operator)
        return Row(study.binder(scope).pipe(outer.rel, [operator]), outer.sure)
    except WorkbenchError:
        return Row(outer.rel, False)
