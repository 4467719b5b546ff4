"""Statements: `let`, `set`, `declare`, `alias`, `restrict`; functions, their parameters and bodies."""

from __future__ import annotations

from workbench.base.diagnostics import query as diagnostics
from workbench.query import syntax
from workbench.query.lexer import Kind
from workbench.query.parser.expressions import ExpressionParser


class DeclarationParser(ExpressionParser):
    """The part of the parser that reads statements."""

    def statement(self) -> syntax.Statement | None:
        """A statement, or None where a pipeline stands."""
        token = self.peek()
        if (token.is_word("let") and self.peek(2).is_mark("=")) or (
            token.is_word("let") and self.peek(1).is_mark("[")
        ):
            return self._let()
        if token.is_word("set") and self.peek(1).kind is Kind.NAME:
            self.next()
            name = self.name()
            value = self.unnamed_expression() if self.accept("=") else None
            return syntax.SetOption(token.span.to(self.last_span), str(name.value), value)
        if token.is_word("declare") and self.peek(1).is_word("query_parameters"):
            return self._query_parameters()
        if token.is_word("declare") and self.peek(1).is_word("pattern"):
            return self._pattern()
        if token.is_word("alias") and self.peek(1).is_word("database"):
            return self._alias()
        if token.is_word("restrict") and self.peek(1).is_word("access"):
            return self._restrict()
        return None

    # ---- let and functions ------------------------------------------------------------------

    def _let(self) -> syntax.Let:
        start = self.next()
        name = self.name()
        self.expect("=")
        value: syntax.Pipeline | syntax.Expression | syntax.FunctionBody
        view = self.accept_word("view") is not None
        if self._at_function():
            value = self.function(view)
        else:
            found = self.pipeline_or_expression()
            value = found.pipeline if isinstance(found, syntax.Lambda) else found
        return syntax.Let(start.span.to(self.last_span), str(name.value), value, name.span)

    def _at_function(self) -> bool:
        if not self.peek().is_mark("("):
            return False
        if self.peek(1).is_mark(")"):
            return self.peek(2).is_mark("{")
        after = 2 if self.peek(1).kind is Kind.NAME else 4  # ['quoted name'] is three tokens
        if not self.peek(after).is_mark(":"):
            return False
        word = self.peek(after + 1)
        return word.is_mark("(") or word.kind is Kind.NAME

    def function(self, view: bool = False) -> syntax.FunctionBody:
        """`(parameters) { statements; result }`."""
        start = self.peek()
        parameters = self.parameters()
        return self._body(start.span.start, parameters, view)

    def block(self) -> syntax.FunctionBody:
        """`(statements; result)`: a subquery of its own, without parameters."""
        return self._body(self.peek().span.start, (), view=False, marks="()")

    def _body(self, begins: int, parameters: tuple[syntax.Parameter, ...], view: bool, marks: str = "{}") -> syntax.FunctionBody:  # fmt: skip
        start = self.expect(marks[0])
        statements: list[syntax.Statement] = []
        result: syntax.Pipeline | syntax.Expression | None = None
        while not self.peek().is_mark(marks[1]):
            if self.accept(";"):
                continue
            statement = self.statement()
            if statement is not None:
                statements.append(statement)
            else:
                found = self.pipeline_or_expression()
                result = found.pipeline if isinstance(found, syntax.Lambda) else found
            if not self.peek().is_mark(marks[1]):
                self.expect(";")
        end = self.expect(marks[1])
        text = self.text[begins : end.span.end]
        return syntax.FunctionBody(start.span.to(end.span), parameters, tuple(statements), result, text, view)

    def parameters(self) -> tuple[syntax.Parameter, ...]:
        """`(name: type = default, table: (column: type, *), …)`."""
        self.expect("(")
        found = [] if self.peek().is_mark(")") else self.list_of(self._parameter)
        self.expect(")")
        names = set[str]()
        for p in found:
            if p.name in names:
                raise diagnostics.name_declared_twice(p.name, p.span)
            names.add(p.name)
        return tuple(found)

    def _parameter(self) -> syntax.Parameter:
        name = self.name()
        self.expect(":")
        if self.peek().is_mark("("):
            return self._table_parameter(str(name.value), name.span.start)
        type_ = self.type_name()
        default = self.expression() if self.accept("=") else None
        return syntax.Parameter(name.span, str(name.value), type_, None, default)

    def _table_parameter(self, name: str, begins: int) -> syntax.Parameter:
        start = self.expect("(")
        columns = []
        is_open = False
        while not self.peek().is_mark(")"):
            if self.accept("*"):
                is_open = True
                break
            columns.append(self._column())
            if not self.accept(","):
                break
        end = self.expect(")")
        span = start.span.to(end.span)
        if is_open and not columns:
            return syntax.Parameter(span, name, None, None)
        return syntax.Parameter(span, name, None, tuple(columns), None, is_open)

    # ---- declare ----------------------------------------------------------------------------

    def _query_parameters(self) -> syntax.DeclareParameters:
        start = self.next()
        self.next()
        parameters = self.parameters()
        for p in parameters:
            if p.tabular:
                raise diagnostics.expected("a type", "a table", p.span, "a query parameter is a single value")
        return syntax.DeclareParameters(start.span.to(self.last_span), parameters)

    def _pattern(self) -> syntax.DeclarePattern:
        start = self.next()
        self.next()
        name = self.name()
        parameters: tuple[syntax.Parameter, ...] = ()
        path = None
        cases: list[syntax.PatternCase] = []
        if self.accept("="):
            parameters = self.parameters()
            if self.accept("["):
                path = self._parameter()
                self.expect("]")
            self.expect("{")
            while not self.peek().is_mark("}"):
                cases.append(self._case(len(parameters)))
                if not self.peek().is_mark("}"):
                    self.expect(";")
            self.expect("}")
        span = start.span.to(self.last_span)
        return syntax.DeclarePattern(span, str(name.value), parameters, path, tuple(cases), name.span)

    def _case(self, count: int) -> syntax.PatternCase:
        start = self.expect("(")
        values = tuple(self.list_of(self.unnamed_expression))
        end = self.expect(")")
        if len(values) != count:
            raise diagnostics.wrong_count("pattern", f"{count} values", len(values), start.span.to(end.span))
        path = None
        if self.accept("."):
            self.expect("[")
            path = self.unnamed_expression()
            self.expect("]")
        self.expect("=")
        body = self._body(self.peek().span.start, (), False)
        return syntax.PatternCase(start.span.to(self.last_span), values, path, body)

    # ---- alias, restrict --------------------------------------------------------------------

    def _alias(self) -> syntax.AliasDatabase:
        start = self.next()
        self.next()
        name = self.name()
        self.expect("=")
        target = self.unnamed_expression()
        return syntax.AliasDatabase(start.span.to(self.last_span), str(name.value), target)

    def _restrict(self) -> syntax.Restrict:
        start = self.next()
        self.next()
        self.expect_word("to")
        self.expect("(")
        entities = tuple(self.list_of(self._entity, trailing=")"))
        self.expect(")")
        if self.accept_word("with"):
            self.expect("(")
            self.list_of(self._argument)
            self.expect(")")
        return syntax.Restrict(start.span.to(self.last_span), entities)

    def _entity(self) -> syntax.Expression:
        """A name, a pattern, or either behind `database(…)` and its like."""
        base: syntax.Expression | None = None
        while self.peek().kind is Kind.NAME and self.peek(1).is_mark("("):
            call = self._call(self.next())
            assert isinstance(call, syntax.Call)
            base = call if base is None else syntax.Qualified(base.span.to(call.span), base, call)
            self.expect(".")
        name = self.name_pattern()
        text = str(name.value)
        if base is not None:
            return syntax.Member(base.span.to(name.span), base, text, name.span)
        if "*" in text and name.kind is Kind.NAME:
            return syntax.Star(name.span, text)
        return syntax.Name(name.span, text)
