"""Whole texts and pipelines. Tabular operators are looked up by keyword."""

from __future__ import annotations

from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Kind, Token
from workbench.query.operators import OPERATORS
from workbench.query.operators.refused import REFUSED
from workbench.query.parser.declarations import DeclarationParser


def parse(text: str) -> syntax.Query:
    """The syntax of a query text.

    Raises
    ------
    WorkbenchError
        KQL00x with the place in `text`.

    Examples
    --------
    >>> len(parse("let n = 5; Heartbeat | take n").statements)
    1
    """
    try:
        parser = Parser(text)
        try:
            return parser.query()
        except RecursionError:
            raise diagnostics.too_deep(parser.peek().span) from None
    except WorkbenchError as error:
        raise error.within(text) from None


def parse_function(text: str, begins: int = 0) -> syntax.FunctionBody:
    """The syntax of `(parameters) { body }`; its spans count from `begins`.

    Raises
    ------
    WorkbenchError
        KQL00x with a span that counts from `begins`.

    Examples
    --------
    >>> parse_function("(n: long = 5) { T | take n }").parameters[0].name
    'n'
    """
    parser = Parser(" " * begins + text)
    try:
        body = parser.function()
    except RecursionError:
        raise diagnostics.too_deep(parser.peek().span) from None
    token = parser.peek()
    if token.kind is not Kind.END:
        raise diagnostics.expected("the end of the function", token.shown, token.span)
    return body


class Parser(DeclarationParser):
    """The whole parser; operators get it as `ParserApi`."""

    def query(self) -> syntax.Query:
        statements: list[syntax.Statement] = []
        pipelines: list[syntax.Pipeline] = []
        start = self.peek().span
        while self.peek().kind is not Kind.END:
            if self.accept(";"):
                continue
            statement = self.statement()
            if statement is not None:
                statements.append(statement)
            else:
                pipelines.append(self.pipeline())
            if self.peek().kind is not Kind.END:
                token = self.peek()
                if not token.is_mark(";"):
                    hint = self._hint(statement, token, start)
                    raise diagnostics.expected("'|' or ';'", token.shown, token.span, hint)
        return syntax.Query(start.to(self.last_span), tuple(statements), tuple(pipelines))

    def _hint(self, statement: syntax.Statement | None, found: Token, start: Span) -> str | None:
        """What may have been meant where a query should have ended or gone on."""
        first = self.text[start.start : start.end].lower()
        if first in ("select", "with"):
            return "SQL is asked with --sql; in KQL the table comes first: T | where … | project …"
        if first == "var":
            return "a value is named with: let x = 5;"
        if found.is_mark("{"):
            return None  # the message knows one
        if statement is not None and not isinstance(statement, syntax.Let | syntax.SetOption):
            return "a statement ends with ';'"
        if found.kind is Kind.NAME and found.value != "as" and str(found.value) in OPERATORS:
            return (
                f"a pipe is missing: | {found.value} …" if statement is None else "a statement ends with ';'"
            )
        if first == "let" and self.peek(1).is_mark("("):
            return "a function is made with: let f = (x: long) { x + 1 };"
        return "a statement ends with ';'" if statement is not None else None

    # ---- pipelines --------------------------------------------------------------------------

    def pipeline(self) -> syntax.Pipeline:
        """`source | operator | …`."""
        found = self.pipeline_or_expression()
        if isinstance(found, syntax.Lambda):
            return found.pipeline
        return syntax.Pipeline(found.span, found)

    def pipeline_or_expression(self) -> syntax.Expression:
        source: syntax.Expression | syntax.Operator
        operator = self._source_operator()
        source = operator if operator is not None else self.expression()
        if isinstance(source, syntax.Lambda):
            inner = source.pipeline
            if not self.peek().is_mark("|"):
                return source
            source = syntax.Lambda(source.span, inner)
        operators = []
        while self.accept("|"):
            operators.append(self.operator())
        if isinstance(source, syntax.Expression) and not operators:
            return source
        span = source.span.to(operators[-1].span) if operators else source.span
        return syntax.Lambda(span, syntax.Pipeline(span, source, tuple(operators)))

    def operators_only(self) -> tuple[syntax.Operator, ...]:
        """`operator | operator …` without a source, as in the body of mv-apply."""
        found = [self.operator()]
        while self.accept("|"):
            found.append(self.operator())
        return tuple(found)

    def _source_operator(self) -> syntax.Operator | None:
        token = self.peek()
        if token.kind is not Kind.NAME:
            return None
        start = self.mark()
        keyword = self._keyword()
        card = OPERATORS.get(str(keyword.value))
        after = self.peek()
        if card is None and keyword.value in REFUSED and after.is_mark("("):
            raise diagnostics.unsupported(str(keyword.value), keyword.span, REFUSED[str(keyword.value)])
        self.rewind(start)
        if card is None or not card.source:
            return None
        if after.is_mark("|", ")", ",", ";", "=", ".") or after.kind is Kind.END:
            return None
        if token.value == "range" and (after.is_mark("(") or after.kind is not Kind.NAME):
            return None
        return self.operator()

    def operator(self) -> syntax.Operator:
        """One tabular operator, by its keyword."""
        keyword = self._keyword()
        card = OPERATORS.get(str(keyword.value))
        if card is None and keyword.value in REFUSED:
            raise diagnostics.unsupported(str(keyword.value), keyword.span, REFUSED[str(keyword.value)])
        if card is None:
            raise diagnostics.unknown_operator(str(keyword.value), keyword.span, list(OPERATORS))
        found: syntax.Operator = card.parse(self, keyword)
        return found

    def _keyword(self) -> Token:
        token = self.peek()
        if token.kind is not Kind.NAME:
            raise diagnostics.expected("a tabular operator", token.shown, token.span)
        self.next()
        name, span = str(token.value), token.span
        # `mv-expand` comes as three tokens: joined while they touch.
        while (
            self.peek().is_mark("-")
            and self.peek().span.start == span.end
            and self.peek(1).kind is Kind.NAME
            and self.peek(1).span.start == span.end + 1
        ):
            self.next()
            part = self.next()
            name, span = f"{name}-{part.value}", span.to(part.span)
        return Token(Kind.NAME, name, span)

    # ---- what operators share ---------------------------------------------------------------

    def named_expression(self) -> syntax.Expression:
        """`expr`, `name = expr` or `(a, b) = expr`."""
        start = self.mark()
        token = self.peek()
        if token.is_mark("(") and self._compound_names():
            self.rewind(start)
            self.next()
            names = self.list_of(self.name)
            self.expect(")")
            self.expect("=")
            value = self.expression()
            return syntax.Named(
                token.span.to(value.span), tuple(str(n.value) for n in names), value, compound=True
            )
        self.rewind(start)
        if (token.kind is Kind.NAME and self.peek(1).is_mark("=")) or (
            token.is_mark("[") and self.peek(3).is_mark("=")
        ):
            name = self.name()
        else:
            return self.expression()
        self.expect("=")
        value = self.expression()
        return syntax.Named(name.span.to(value.span), (str(name.value),), value)

    def _compound_names(self) -> bool:
        self.next()
        while self.peek().kind is Kind.NAME or self.peek().is_mark("["):
            if self.peek().is_mark("[") and self.peek(1).kind is not Kind.STRING:
                return False
            self.name()
            if not self.accept(","):
                break
        return self.accept(")") is not None and self.peek().is_mark("=")

    def sort_keys(self) -> tuple[syntax.Ordered, ...]:
        """`expr [asc|desc] [nulls first|last], …`."""
        return tuple(self.list_of(self._sort_key))

    def _sort_key(self) -> syntax.Ordered:
        value = self.named_expression()
        descending = nulls_first = None
        word = self.accept_word("asc", "desc", "granny-asc", "granny-desc")
        if word:
            descending = word.value == "desc"
        if self.accept_word("nulls"):
            nulls_first = self.expect_word("first", "last").value == "first"
        return syntax.Ordered(value.span.to(self.last_span), value, descending, nulls_first)
