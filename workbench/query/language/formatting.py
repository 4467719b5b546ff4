"""The layout of queries: one pipe a line, lists and conditions broken where they grow too long.

Only white space changes: the tokens and comments of the text stay what they are and where they are, so
the result means the same. What is laid out twice stays as it is. Works on every text that lexes.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.query.language.keeping import around, same
from workbench.query.language.layout import (
    BLANK,
    HARD,
    LINE,
    NOTHING,
    SOFT,
    Doc,
    Fill,
    Group,
    Nest,
    Text,
    cat,
    render,
)
from workbench.query.language.outline import Outline, outline
from workbench.query.language.scanning import Scan, scan
from workbench.query.language.spacing import Spacing
from workbench.query.lexer import Kind
from workbench.query.operators import OPERATORS

WIDTH = 110
_SHORT = 60
_LISTS = frozenset(
    [
        "project",
        "project-away",
        "project-keep",
        "project-rename",
        "project-reorder",
        "extend",
        "summarize",
        "distinct",
        "print",
        "make-series",
        "sort",
        "order",
        "top-nested",
        "mv-expand",
        "mvexpand",
        "union",
        "serialize",
        "project-by-names",
    ]
)
_HEADS = frozenset({"sort", "order", "reduce", "partition"})
_CLAUSES = {"summarize": ("by",), "make-series": ("on", "from", "to", "step", "by")}
_PAIRS = frozenset({"case", "bag_pack", "pack", "pack_dictionary"})
_FILLED = 6
_DEEPEST = 40  # brackets in brackets; what is inside of more is written as it comes


def format(text: str, width: int = WIDTH) -> str:
    """The text laid out anew; lines get no wider than `width` characters where they can be broken.

    Raises
    ------
    WorkbenchError
        KQL001, KQL002 where the text has no tokens; any other text is laid out, right or wrong.

    Examples
    --------
    >>> print(format("Heartbeat|where Load>1 and Computer has 'web'|summarize n=count() by Computer"))
    Heartbeat
    | where Load > 1 and Computer has 'web'
    | summarize n = count() by Computer
    """
    found = scan(text)
    if found.errors:
        raise found.errors[0]
    if not found.tokens:
        return "\n".join(text[c.start : c.end].rstrip() for c in found.comments())
    if found.tokens[0].is_mark("."):
        return text.strip()  # a management command: its words are told apart by their white space
    made = _Writer(found, width).whole()
    return made if same(found, made) else text.strip()


class _Writer:
    """One text on its way to a document; places are numbers of tokens."""

    def __init__(self, found: Scan, width: int) -> None:
        self.text = found.text
        self.width = width
        self.tokens = found.tokens
        self.made: Outline = outline(found.tokens)
        self.around = around(found)
        self.spacing = Spacing(found.text, self.made)
        self.depth = 0

    def whole(self) -> str:
        end = len(self.tokens)
        parts = [self.lead(0, NOTHING), self.block(0, end)]
        for words, blank in self.around[end].before:
            parts += [BLANK if blank else HARD, Text(words)]
        return render(cat(parts), self.width).strip("\n")

    # ---- tokens -----------------------------------------------------------------------------

    def token(self, i: int) -> Doc:
        """A token with the comment behind it."""
        span = self.tokens[i].span
        words = self.text[span.start : span.end]
        behind = self.around[i].behind
        return Text(f"{words}  {behind}" if behind else words)

    def lead(self, i: int, usual: Doc) -> Doc:
        """What stands before a token: `usual`, or the lines of its comments."""
        around, first = self.around[i], i == 0
        forced = i > 0 and self.around[i - 1].behind != ""
        if not around.before:
            return HARD if forced and not (isinstance(usual, type(HARD)) and usual.hard) else usual
        parts: list[Doc] = []
        for number, (words, blank) in enumerate(around.before):
            if not (first and number == 0):
                parts.append(BLANK if blank else HARD)
            parts.append(Text(words))
        parts.append(BLANK if around.blank and first else HARD)
        return cat(parts)

    def run(self, s: int, e: int) -> Doc:
        """Tokens one after the other, brackets laid out; the white space before the first is not here."""
        parts: list[Doc] = []
        words = ""
        i = s
        while i < e:
            if i > s:
                space = self.spacing.between(i)
                if self._plainly(i):
                    words += space
                else:
                    parts += [Text(words), self.lead(i, Text(space) if space else NOTHING)]
                    words = ""
            if i in self.made.closed and self.made.ends[i] < e and self.depth < _DEEPEST:
                self.depth += 1
                parts += [Text(words), self.bracket(i)]
                words = ""
                self.depth -= 1
                i = self.made.ends[i]
            else:
                span, behind = self.tokens[i].span, self.around[i].behind
                words += self.text[span.start : span.end] + (f"  {behind}" if behind else "")
            i += 1
        return cat([*parts, Text(words)]) if parts else Text(words)

    def _plainly(self, i: int) -> bool:
        """Whether no comment stands between a token and the one before it."""
        return not self.around[i].before and not self.around[i - 1].behind

    # ---- statements and pipelines -----------------------------------------------------------

    def block(self, s: int, e: int) -> Doc:
        """Statements with their semicolons, a line or more each; nothing before the first token."""
        parts: list[Doc] = []
        at = s
        for begins, ends in self.made.split(s, e, ";"):
            if ends > begins:
                if begins > s:
                    parts.append(self.lead(begins, BLANK if self.around[begins].blank else HARD))
                parts.append(self.pipeline(begins, ends))
            at = ends
            if at < e:
                parts += [self.lead(at, NOTHING) if at > s else NOTHING, self.token(at)]
        return cat(parts)

    def pipeline(self, s: int, e: int, breaks: Doc = HARD) -> Doc:
        """`source | operator | …`, also with `let name =` before it or without a source."""
        pieces = self.made.split(s, e, "|")
        parts = [self.piece(*pieces[0])]
        for number, (begins, ends) in enumerate(pieces[1:]):
            if number or pieces[0][1] > pieces[0][0]:
                parts.append(self.lead(begins - 1, breaks))
            parts.append(self.token(begins - 1))
            if ends > begins:
                parts += [self.lead(begins, Text(" ")), self.piece(begins, ends)]
        return cat(parts)

    def piece(self, s: int, e: int) -> Doc:
        """A source or an operator with its arguments."""
        if e <= s:
            return NOTHING
        if self.made.word(s, "restrict"):
            self.spacing.operator(s, e)
        head = s
        if self.made.word(s, "let") and self.made.mark(s + 2, "="):
            head = s + 3 + self.made.word(s + 3, "view")
        first = self.made.word(head, *OPERATORS) or self.made.mark(s - 1, "|")
        if head >= e:
            return self.run(s, e)
        made = (
            self.operator(head, e) if first and self.tokens[head].kind is Kind.NAME else self.terms(head, e)
        )
        if head == s:
            return Group(made)
        return cat([self.run(s, head), self.lead(head, Text(" ")), Group(made)])

    def operator(self, s: int, e: int) -> Doc:
        begins = self.spacing.operator(s, e)
        name = self.text[self.tokens[s].span.start : self.tokens[max(s, self._keyword_end(s, e))].span.end]
        if name in _HEADS and self.made.word(begins, "by"):
            begins += 1
        head = self.run(s, begins)
        if begins >= e:
            return head
        if name not in _LISTS:
            return cat([head, self.lead(begins, Text(self.spacing.between(begins))), self.terms(begins, e)])
        clauses = self._clauses(begins, e, _CLAUSES.get(name, ()))
        items = self.made.split(*clauses[0], ",") if clauses[0][1] > clauses[0][0] else []
        if len(clauses) == 1 and len(items) == 1:
            return cat([head, self.lead(begins, Text(self.spacing.between(begins))), self.terms(begins, e)])
        parts: list[Doc] = []
        if items:
            parts += [self.lead(begins, LINE), self.items(items)]
        for cs, ce in clauses[1:]:
            parts += [self.lead(cs, LINE), self.clause(cs, ce)]
        return cat([head, Nest(cat(parts))])

    def _keyword_end(self, s: int, e: int) -> int:
        """The last token of a keyword with hyphens."""
        at = s
        while at + 1 in self.spacing.keywords and at + 1 < e:
            at += 1
        return at

    def _clauses(self, s: int, e: int, words: Sequence[str]) -> list[tuple[int, int]]:
        """A list of arguments cut before the words that begin its clauses."""
        found: list[tuple[int, int]] = []
        begin = s
        for i in self._outside(s, e):
            if words and self.tokens[i].is_word(*words) and not self.made.mark(i + 1, "="):
                found.append((begin, i))
                begin = i
        return [*found, (begin, e)]

    def _outside(self, s: int, e: int) -> list[int]:
        """The places of a range that stand in no bracket."""
        found, i = [], s
        while i < e:
            if i in self.made.closed:
                i = self.made.ends[i]
            else:
                found.append(i)
            i += 1
        return found

    def clause(self, s: int, e: int) -> Doc:
        """`by a, b`."""
        if e - s < 2:
            return self.run(s, e)
        items = self.made.split(s + 1, e, ",")
        inner = cat([self.lead(s + 1, LINE if len(items) > 1 else Text(" ")), self.items(items)])
        return cat([self.token(s), Group(Nest(inner))])

    # ---- lists and conditions ---------------------------------------------------------------

    def items(self, ranges: Sequence[tuple[int, int]], chunk: int = 1, breaks: Doc = LINE) -> Doc:
        """Items and their commas, `chunk` of them to a line."""
        parts: list[Doc] = []
        for number, (s, e) in enumerate(ranges):
            if number:
                parts += [self.lead(s - 1, NOTHING), self.token(s - 1)]
                if e > s:
                    parts.append(self.lead(s, breaks if number % chunk == 0 else Text(" ")))
            if e > s:
                parts.append(Group(self.terms(s, e)))
        return cat(parts)

    def terms(self, s: int, e: int) -> Doc:
        """An expression, broken before `and` and `or` where it is too long."""
        places = [i for i in self._outside(s, e) if i > s and self.tokens[i].is_word("and", "or")]
        if not places:
            return self.run(s, e)
        parts: list[Doc] = []
        for begins, ends in zip(places, [*places[1:], e], strict=True):
            parts += [self.lead(begins, LINE), self.run(begins, ends)]
        return Group(cat([self.run(s, places[0]), Nest(cat(parts))]))

    # ---- brackets ---------------------------------------------------------------------------

    def bracket(self, o: int) -> Doc:
        """A bracket with what is in it."""
        s, e = self.made.inside(o)
        if e <= s:
            return cat([self.token(o), self.lead(e, NOTHING), self.token(e)])
        if self.made.mark(o, "{") and not self.made.mark(o - 1, "(", "[", ",", ":"):
            return self._body(o, s, e)
        if len(self.made.split(s, e, ";")) > 1:
            return self._around_inner(o, e, self.block(s, e), HARD)
        pipes = len(self.made.split(s, e, "|")) - 1
        if pipes:
            short = pipes == 1 and not self._of_table(o) and e - s < 20
            breaks = (LINE, SOFT) if short else (HARD, HARD)
            return self._around_inner(o, e, self.pipeline(s, e, breaks[0]), breaks[1])
        ranges = self.made.split(s, e, ",")
        if len(ranges) == 1:
            return self._around_inner(o, e, self.piece(s, e), SOFT)
        width = self._row(o)
        if width > 1 and len(ranges) > width and self.made.mark(o, "["):
            return self._around_inner(o, e, self.items(ranges, width, HARD), HARD)
        if len(ranges) > _FILLED and self._plain(ranges):
            return self._around_inner(o, e, self._filled(ranges), SOFT)
        chunk = 2 if self.made.mark(o, "(") and self.made.word(o - 1, *_PAIRS) else 1
        return self._around_inner(o, e, self.items(ranges, chunk), SOFT)

    def _around_inner(self, o: int, e: int, inner: Doc, breaks: Doc) -> Doc:
        nested = Nest(cat([self.lead(o + 1, breaks), inner]))
        return Group(cat([self.token(o), nested, self.lead(e, breaks), self.token(e)]))

    def _body(self, o: int, s: int, e: int) -> Doc:
        """`{ statements }` of a function: on one line where it is a single expression."""
        single = len(self.made.split(s, e, ";")) == 1 and len(self.made.split(s, e, "|")) == 1
        return self._around_inner(o, e, self.block(s, e), LINE if single else HARD)

    def _of_table(self, o: int) -> bool:
        """Whether a parenthesis holds the table of a join or union, which is always broken."""
        return self.made.word(o - 1, "join", "lookup", "union", "on") or self.made.mark(o - 2, "=")

    def _row(self, o: int) -> int:
        """How many values make a row of `datatable (…) […]`; 0 elsewhere."""
        columns = next(
            (i for i, end in self.made.ends.items() if end == o - 1 and i in self.made.closed), None
        )
        if columns is None or not self.made.word(columns - 1, "datatable"):
            return 0
        return len(self.made.split(columns + 1, o - 1, ","))

    def _plain(self, ranges: Sequence[tuple[int, int]]) -> bool:
        """Whether all items are constants."""
        return all(
            e - s <= 2 and (e == s or self.tokens[e - 1].kind not in (Kind.NAME, Kind.PUNCTUATION))
            for s, e in ranges
        )

    def _filled(self, ranges: Sequence[tuple[int, int]]) -> Doc:
        commented = any(self.around[i].before or self.around[i].behind for s, e in ranges for i in (s, max(s, e - 1), max(0, s - 1)))  # fmt: skip
        if commented:
            return self.items(ranges)
        parts: list[Doc] = []
        for number, (s, e) in enumerate(ranges):
            comma = [self.token(e)] if number < len(ranges) - 1 else []
            if e > s or comma:
                parts.append(cat([self.run(s, e), *comma]))
        return Fill(tuple(parts))
