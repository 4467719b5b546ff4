"""`evaluate`: plugins, whose columns may depend on the data."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Kind, Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.plugins import PLUGINS, REFUSED, OutputSchema, PluginCall
from workbench.query.plan import ONE_ROW, Col, Const, Expr, Project, Rel


@dataclass(frozen=True, slots=True)
class EvaluateSyntax(syntax.Operator):
    call: syntax.Call
    schema: OutputSchema | None


@operator("evaluate", syntax="evaluate PLUGIN(ARGUMENTS) [: (NAME: TYPE, …)]", source=True)
class Evaluate:
    """What a plugin makes of the table so far."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> EvaluateSyntax:
        p.options("evaluate", ())
        call = p.unnamed_expression()
        if not isinstance(call, syntax.Call):
            raise diagnostics.expected("a call of a plugin", "something else", call.span)
        schema = _schema(p) if p.accept(":") else None
        return EvaluateSyntax(keyword.span.to(p.last_span), "evaluate", call, schema)

    @staticmethod
    def bind(s: EvaluateSyntax, source: Rel | None, b: BinderApi) -> Rel:
        name = s.call.name
        card = PLUGINS.get(name)
        if card is None and name in REFUSED:
            raise diagnostics.unsupported(f"the plugin {name}()", s.call.name_span, REFUSED[name])
        if card is None:
            raise diagnostics.unknown_function(name, s.call.name_span, list(PLUGINS))
        made = card.bind(PluginCall(s.call, s.schema), source or ONE_ROW, b)
        return made if s.schema is None else _shaped(made, s.schema, b)


def _schema(p: ParserApi) -> OutputSchema:
    start = p.expect("(").span
    star = p.accept("*") is not None
    columns: list[tuple[str, ScalarType]] = []
    if not star or p.accept(","):
        columns = [] if p.peek().is_mark(")") else p.list_of(lambda: _column(p), trailing=")")
    p.expect(")")
    return OutputSchema(tuple(columns), star, start.to(p.last_span))


def _column(p: ParserApi) -> tuple[str, ScalarType]:
    name = p.next() if p.peek().kind is Kind.STRING else p.name()
    p.expect(":")
    return str(name.value), p.type_name()


def _shaped(made: Rel, schema: OutputSchema, b: BinderApi) -> Rel:
    """The plugin's rows with the columns that were asked for; what it did not give is null."""
    wanted = dict(schema.columns)
    columns: list[tuple[str, Expr]] = []
    if schema.star:
        columns = [(c.name, Col(c.type, c.name)) for c in made.schema if c.name not in wanted]
    for name, type_ in schema.columns:
        own = made.column(name)
        value: Expr = Const(type_, "" if type_ is ScalarType.STRING else None)
        if own is not None:
            value = b.convert(Col(own.type, name), type_)
        columns.append((name, value))
    hidden = {c.name for c in made.schema if c.hidden}
    return Project(tuple(Column(n, e.type, n in hidden) for n, e in columns), made, tuple(columns))
