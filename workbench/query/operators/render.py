"""`render`: how the rows want to be seen."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.query import syntax
from workbench.query.lexer import Kind, Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel

KINDS = (
    "anomalychart", "areachart", "barchart", "card", "columnchart", "graph", "ladderchart", "linechart", "piechart",
    "pivotchart", "plotly", "scatterchart", "stackedareachart", "table", "timechart", "timepivot", "treemap",
)  # fmt: skip
REFUSED = {"3dchart": "what lies behind can't be read; draw a scatterchart with series, or a timechart"}
"""Kinds that Data Explorer has and this project will not draw."""
PROPERTIES = (
    "accumulate", "anomalycolumns", "kind", "legend", "series", "title", "xaxis", "xcolumn", "xtitle", "yaxis",
    "ycolumns", "ymax", "ymin", "ysplit", "ytitle",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RenderSyntax(syntax.Operator):
    kind: str
    properties: tuple[tuple[str, object], ...]


@operator("render", syntax="render KIND [with (PROPERTY = VALUE, …)]")
class RenderOperator:
    """Leaves rows and columns as they are; the cell draws the chart."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> RenderSyntax:
        kind = p.name()
        if kind.value in REFUSED:
            raise diagnostics.unsupported(f"render {kind.value}", kind.span, REFUSED[str(kind.value)])
        if kind.value not in KINDS:
            raise diagnostics.bad_option(str(kind.value), "render", kind.span, KINDS)
        properties: list[tuple[str, object]] = []
        if p.accept_word("with"):
            p.expect("(")
            while not p.accept(")"):
                properties.append(_property(p))
                p.accept(",")
        else:
            while p.peek().kind is Kind.NAME and p.peek(1).is_mark("="):
                properties.append(_property(p))
        return RenderSyntax(keyword.span.to(p.last_span), "render", str(kind.value), tuple(properties))

    @staticmethod
    def bind(s: RenderSyntax, source: Rel, b: BinderApi) -> Rel:
        b.render(s.kind, dict(s.properties))
        return source


def _property(p: ParserApi) -> tuple[str, object]:
    name = p.name()
    if name.value not in PROPERTIES:
        raise diagnostics.bad_option(str(name.value), "render", name.span, PROPERTIES)
    p.expect("=")
    if str(name.value) in ("ycolumns", "series", "anomalycolumns"):
        names = [str(p.name().value)]
        while p.peek().is_mark(",") and not p.peek(2).is_mark("="):
            p.next()
            names.append(str(p.name().value))
        return str(name.value), tuple(names)
    token = p.peek()
    if token.kind in (Kind.STRING, Kind.LONG, Kind.REAL) or token.is_word("true", "false"):
        return str(name.value), p.literal().value
    if token.is_mark("-"):
        p.next()
        number = p.literal().value
        return str(name.value), -number
    return str(name.value), str(p.name().value)
