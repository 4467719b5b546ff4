"""White space between two tokens on one line: where none may stand, where one looks right.

Reads tokens with their places in the text: where touching matters to the grammar (`mv-expand`,
`User*`), tokens that touched go on touching and others do not begin to.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.query.language.keeping import apart
from workbench.query.language.outline import Outline
from workbench.query.lexer import LITERAL_TYPES, Kind, Token
from workbench.query.operators import OPERATORS

HYPHENED = frozenset({n for n in OPERATORS if "-" in n} | {"granny-asc", "granny-desc", "project-smart"})
# Words before a parenthesis that call nothing.
_NO_CALLS = frozenset(
    [
        "in",
        "between",
        "has_any",
        "has_all",
        "and",
        "or",
        "by",
        "on",
        "with",
        "where",
        "join",
        "lookup",
        "union",
        "from",
        "to",
        "step",
        "of",
        "view",
        "not_in",
        "contains",
        "has",
        "startswith",
        "endswith",
        "as",
        "find",
        "search",
        "extend",
        "project",
        "summarize",
        "print",
        "fork",
        "facet",
        "declare",
        "access",
    ]
)
# Words that a value follows, so that a sign behind them is no subtraction.
_BEFORE_VALUES = frozenset(
    [
        "by",
        "and",
        "or",
        "in",
        "on",
        "from",
        "to",
        "step",
        "of",
        "has",
        "contains",
        "startswith",
        "endswith",
        "between",
        "with",
        "limit",
        "desc",
        "asc",
        "default",
        "print",
        "extend",
        "project",
        "summarize",
        "where",
        "take",
        "top",
    ]
)
_PATTERNS = frozenset(
    {"project-away", "project-keep", "project-reorder", "union", "find", "search", "restrict"}
)
OPTION_WORDS = frozenset(
    [
        "kind",
        "withsource",
        "with_source",
        "isfuzzy",
        "bagexpansion",
        "with_itemindex",
        "with_item_index",
        "with_match_id",
        "datascope",
        "flags",
        "decodeblocks",
        "expandoutput",
        "output",
        "default",
        "threshold",
        "characters",
    ]
)
_NOT_NAMED = frozenset({"query_parameters", "join", "lookup", "union", "on", "in", "by", "and", "or"})


class Spacing:
    """The white space of one text."""

    def __init__(self, text: str, made: Outline) -> None:
        self._text = text
        self._made = made
        self._tokens: Sequence[Token] = made.tokens
        self._tight: set[int] = set()
        self._patterns: set[int] = set()
        self._pairs: set[int] = set()  # colons of bags
        self.keywords: set[int] = set()
        self._named_arguments()

    # ---- what is noted on the way -----------------------------------------------------------

    def _named_arguments(self) -> None:
        """`name=value` in calls and behind `with` is written without spaces."""
        made = self._made
        for opener, end in made.ends.items():
            before = self._tokens[opener - 1] if opener else None
            if made.mark(opener, "{") and before is not None and before.is_mark("(", "[", ",", ":"):
                self._pairs.update(s + 1 for s, _ in made.split(opener + 1, end, ","))
            if before is None or before.kind is not Kind.NAME or not made.mark(opener, "("):
                continue
            if before.value in _NOT_NAMED or made.mark(opener - 2, "=") or made.word(opener + 1, "step"):
                continue
            if len(made.split(opener + 1, end, "|")) == 1:
                named = (s + 1 for s, e in made.split(opener + 1, end, ",") if e > s + 1)
                self._tight.update(i for i in named if made.mark(i, "="))

    def operator(self, begins: int, ends: int) -> int:
        """Note the keyword of a tabular operator and its options; gives where its arguments begin."""
        at = begins + 1
        while at + 1 < ends and self._made.mark(at, "-") and self._touch(at - 1) and self._touch(at):
            at += 2
        self.keywords.update(range(begins, at))
        name = self._text[self._tokens[begins].span.start : self._tokens[at - 1].span.end]
        if name in _PATTERNS:
            self._patterns.update(range(begins, ends))
        while True:
            after = self._option(at, ends)
            if after == at:
                break
            at = after
        for i in range(at, ends):
            if self._tokens[i].is_word(*OPTION_WORDS) and self._made.mark(i + 1, "=") and not self._made.mark(i - 1, ","):  # fmt: skip
                self._tight.add(i + 1)
        return at

    def _option(self, at: int, ends: int) -> int:
        """Where `name=value` that begins at `at` ends; `at` itself where there is none."""
        made = self._made
        if made.word(at, "hint") and made.mark(at + 1, ".") and made.mark(at + 3, "=") and at + 4 < ends:
            self._tight.add(at + 3)
            return at + 5
        if made.word(at, *OPTION_WORDS) and made.mark(at + 1, "=") and at + 2 < ends:
            self._tight.add(at + 1)
            return at + 3
        return at

    def _touch(self, place: int) -> bool:
        """Whether a token touches the next one."""
        return self._tokens[place].span.end == self._tokens[place + 1].span.start

    # ---- between two tokens -----------------------------------------------------------------

    def between(self, b: int) -> str:
        """What stands before token `b` where no line breaks: nothing or a space."""
        first, second = self._tokens[b - 1].span, self._tokens[b].span
        usual = self._usual(b)
        if usual or first.end == second.start:
            return usual
        stay_two = apart(self._text[first.start : first.end], self._text[second.start : second.end])
        return "" if stay_two else " "

    def _usual(self, b: int) -> str:
        first, second = self._tokens[b - 1], self._tokens[b]
        touch = first.span.end == second.span.start
        if first.kind is not Kind.PUNCTUATION and second.kind is not Kind.PUNCTUATION:
            return " "
        after = str(second.value) if second.kind is Kind.PUNCTUATION else ""
        before = str(first.value) if first.kind is Kind.PUNCTUATION else ""
        if after in (",", ";", ")", "]", ".") or before in ("(", "[", ".", "!"):
            return ""
        if before == "{" or after == "}":
            return ""
        if "*" in (before, after) and b in self._patterns:
            return "" if touch else " "
        if "=" in (before, after):
            return "" if (b if after == "=" else b - 1) in self._tight else " "
        if after == "~":
            return ""
        if after == ":":
            return " " if before == ")" else ""
        if before == ":":
            return "" if touch and second.kind is Kind.STRING and b - 1 not in self._pairs else " "
        if before in ("-", "+") and self._sign(b - 1):
            return ""
        if "-" in (before, after) and self._hyphened(b):
            return ""
        if after == "(":
            return self._before_parenthesis(b)
        if after == "[":
            return "" if touch and (first.kind is Kind.NAME or before in (")", "]")) and b - 1 not in self.keywords else " "  # fmt: skip
        if "@" in (before, after):
            return "" if touch else " "
        return " "

    def _sign(self, place: int) -> bool:
        """Whether a minus or plus belongs to the value behind it alone."""
        if place == 0:
            return True
        before = self._tokens[place - 1]
        if before.kind is Kind.PUNCTUATION:
            return not before.is_mark(")", "]", "}")
        return place - 1 in self.keywords or (before.kind is Kind.NAME and before.value in _BEFORE_VALUES)

    def _hyphened(self, b: int) -> bool:
        """Whether a hyphen next to the gap is part of a keyword."""
        hyphen = b if self._tokens[b].is_mark("-") else b - 1
        if hyphen == 0 or hyphen + 1 >= len(self._tokens):
            return False
        if hyphen in self.keywords and b in self.keywords:
            return True
        word = self._text[self._tokens[hyphen - 1].span.start : self._tokens[hyphen + 1].span.end]
        return word in HYPHENED

    def _before_parenthesis(self, b: int) -> str:
        first = self._tokens[b - 1]
        if first.kind is not Kind.NAME:
            return " "
        if first.value in ("datatable", "externaldata", "external_data"):
            return ""
        if first.value in _NO_CALLS or b - 1 in self.keywords or (b >= 2 and b - 2 in self._tight):
            return " "
        if self._made.word(b - 2, "by") and first.span.end < self._tokens[b].span.start:
            return " "  # `partition by Column (…)`
        if first.value in LITERAL_TYPES and "\n" in self._text[first.span.end : self._tokens[b].span.start]:
            return " "  # together they would be one token
        return ""
