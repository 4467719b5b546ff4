"""What may stand at the cursor, asked of the grammar itself.

The parser reads the tokens before the cursor and meets a `Cursor` at their end: every word it asks for
there, and every rule it enters there, is something that may follow. So an operator that learns a new
word or option is completed without a change here. What it does not know: names and types.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.language.slices import SliceParser
from workbench.query.lexer import Kind, Token
from workbench.query.operators import OPERATORS


@dataclass(frozen=True, slots=True)
class Frame:
    """A rule of the grammar that the cursor is inside of.

    `rule` is pipeline, body (operators without a source), operator, call, infix or statement; `name` is
    that of the operator, function or infix operator; `begins` the number of its first token;
    `left` the left side of an infix operator; `argument` the number of the argument of a call.
    """

    rule: str
    name: str
    begins: int
    left: syntax.Expression | None = None
    argument: int = 0


@dataclass(slots=True)
class Wanted:
    """What the grammar asked for at the cursor; `frames` are those of the first time, outermost first."""

    rules: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    frames: tuple[Frame, ...] = ()
    options: tuple[str, ...] = ()
    option: str = ""
    base: syntax.Expression | None = None
    operand: syntax.Expression | None = None
    complete: bool = False
    starts: list[int] = field(default_factory=list)  # where each of the tokens begins in the text

    def frame(self, rule: str) -> Frame | None:
        """The innermost frame of a rule."""
        return next((f for f in reversed(self.frames) if f.rule == rule), None)

    @property
    def operator(self) -> Frame | None:
        """The innermost tabular operator, unless a pipeline begins inside of it."""
        for frame in reversed(self.frames):
            if frame.rule == "operator":
                return frame
        return None


@dataclass(frozen=True, slots=True)
class Cursor(Token):
    """The END token at the cursor: remembers which words were asked of it."""

    words: set[str] = field(default_factory=set, compare=False)

    def is_word(self, *words: str) -> bool:
        self.words.update(words)
        return False


class Probe(SliceParser):
    """The parser over the tokens before a cursor."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.wanted = Wanted()
        end = tokens[-1].span.end if tokens else 0
        super().__init__(text, tokens, Cursor(Kind.END, "", Span(end, end), self.wanted.words))
        self._frames: list[Frame] = []

    def probe(self) -> Wanted:
        """Read up to the cursor; `Wanted.complete` tells whether it got there."""
        try:
            self.query()
        except WorkbenchError:
            pass
        except RecursionError:
            return self.wanted
        self.wanted.complete = self._at >= self._last
        return self.wanted

    # ---- what is noted ----------------------------------------------------------------------

    @property
    def _there(self) -> bool:
        return self._at >= self._last

    def _note(self, rule: str) -> bool:
        if not self._there:
            return False
        if not self.wanted.rules:
            self.wanted.frames = tuple(self._frames)
        self.wanted.rules.add(rule)
        return True

    @contextmanager
    def _within(self, rule: str, name: str = "", left: syntax.Expression | None = None) -> Iterator[None]:
        depth = len(self._frames)
        self._frames.append(Frame(rule, name, self._at, left))
        try:
            yield
        finally:
            del self._frames[depth:]

    # ---- the rules --------------------------------------------------------------------------

    def statement(self) -> syntax.Statement | None:
        self._note("statement")
        with self._within("statement"):
            return super().statement()

    def pipeline_or_expression(self) -> syntax.Expression:
        with self._within("pipeline"):
            self._note("source")
            return super().pipeline_or_expression()

    def _source_operator(self) -> syntax.Operator | None:
        card = OPERATORS.get(str(self.peek().value))
        # Nothing tells the keyword from a table's name yet; a space behind it does.
        if card is not None and card.source and self.peek().kind is Kind.NAME and self._at == self._last - 1:
            return self.operator()
        return super()._source_operator()

    def operators_only(self) -> tuple[syntax.Operator, ...]:
        with self._within("body"):
            return super().operators_only()

    def operator(self) -> syntax.Operator:
        self._note("operator")
        with self._within("operator", self._name_here()):
            return super().operator()

    def _name_here(self) -> str:
        """The keyword that comes, hyphens and all, without moving."""
        place = self.mark()
        try:
            return str(self._keyword().value)
        except WorkbenchError:
            return ""
        finally:
            self.rewind(place)

    def _primary(self) -> syntax.Expression:
        self._note("expression")
        return super()._primary()

    def _postfix(self, base: syntax.Expression) -> syntax.Expression:
        found = super()._postfix(base)
        if self._there and self.wanted.operand is None:
            self.wanted.operand = found
        return found

    def _infix(self, minimum: int) -> tuple[str, int, int] | None:
        self._note("infix")
        return super()._infix(minimum)

    def _apply(self, operator: str, level: int, left: syntax.Expression) -> syntax.Expression:
        with self._within("infix", operator, left):
            return super()._apply(operator, level, left)

    def _member(self, base: syntax.Expression) -> syntax.Expression:
        if self._note("member"):
            self.wanted.base = base
        return super()._member(base)

    def _call(self, name: Token) -> syntax.Expression:
        with self._within("call", str(name.value)):
            return super()._call(name)

    def _argument(self) -> syntax.Expression:
        call = self._frames[-1]
        found = super()._argument()
        if self._frames and self._frames[-1] is call:
            self._frames[-1] = Frame(call.rule, call.name, call.begins, call.left, call.argument + 1)
        return found

    def name(self) -> Token:
        self._note("name")
        return super().name()

    def name_pattern(self) -> Token:
        self._note("pattern")
        return super().name_pattern()

    def type_name(self) -> ScalarType:
        self._note("type")
        return super().type_name()

    def literal(self) -> syntax.Literal:
        self._note("literal")
        return super().literal()

    def options(self, operator: str, allowed: Collection[str]) -> dict[str, str | int | bool]:
        found = super().options(operator, allowed)
        if self._note("option"):
            self.wanted.options = tuple(a for a in allowed if a not in found)
        return found

    def _option_value(self) -> str | int | bool:
        if self._note("option value"):
            before = [str(t.value) for t in self._tokens[max(0, self._at - 4) : self._at - 1]]
            self.wanted.option = before[-1] if before else ""
            if len(before) > 1 and before[-2] == ".":
                self.wanted.option = "".join(before[-3:])
        return super()._option_value()
