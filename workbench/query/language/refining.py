"""A query with one clause more: a condition, or a column, that somebody chose in its answer.

The clause goes where it means the most: before the `summarize`, `take` or `render` that it can pass without
another meaning, else at the end. What is there stays as it is written, comments too. It runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields

from workbench.base.diagnostics import language as diagnostics
from workbench.query import syntax
from workbench.query.lexer import tokenize
from workbench.query.operators.distinct import DistinctSyntax
from workbench.query.operators.extend import ExtendSyntax
from workbench.query.operators.project import ProjectSyntax
from workbench.query.operators.project_family import PatternsSyntax
from workbench.query.operators.render import RenderSyntax
from workbench.query.operators.sort import SortSyntax
from workbench.query.operators.summarize import SummarizeSyntax
from workbench.query.operators.take import TakeSyntax
from workbench.query.operators.top import TopSyntax
from workbench.query.operators.where import WhereSyntax
from workbench.query.parser import parse


def filtered(text: str, column: str, condition: str) -> str:
    """The query with a condition on one column of its answer.

    Parameters
    ----------
    text : str
        KQL.
    column : str
        The column that the condition reads.
    condition : str
        As `literals.condition` writes it.

    Raises
    ------
    WorkbenchError
        KQL… where the text can't be read, ADV101 where it gives several tables.

    Examples
    --------
    >>> print(filtered("Heartbeat\\n| summarize count() by Computer", "Computer", 'Computer == "web01"'))
    Heartbeat
    | where Computer == "web01"
    | summarize count() by Computer
    """
    gathered = False

    def passes(operator: syntax.Operator) -> bool:
        nonlocal gathered
        # Rows that are counted must be the same ones: no condition goes before the `take` that they came through.
        if gathered and isinstance(operator, TakeSyntax | TopSyntax):
            return False
        gathered = gathered or isinstance(operator, SummarizeSyntax | DistinctSyntax)
        return _passes(operator, column)

    return _with_clause(text, f"where {condition}", passes)


def extended(text: str, name: str, expression: str) -> str:
    """The query with a column more in its answer.

    Examples
    --------
    >>> extended("T | take 5", "User", "tostring(Props.User)")
    'T | take 5 | extend User = tostring(Props.User)'
    """
    return _with_clause(
        text, f"extend {name} = {expression}", lambda operator: isinstance(operator, RenderSyntax)
    )


def source_table(text: str) -> str | None:
    """The one table that a query starts from, where it has one; None for a `let` name too.

    Examples
    --------
    >>> source_table("Heartbeat | count"), source_table("union A, B"), source_table("let A = B; A")
    ('Heartbeat', None, None)
    """
    query = parse(text)
    source = query.pipelines[0].source if len(query.pipelines) == 1 else None
    named = {s.name for s in query.statements if isinstance(s, syntax.Let)}
    return source.name if isinstance(source, syntax.Name) and source.name not in named else None


def filters_time(text: str, column: str = "TimeGenerated") -> bool:
    """Whether a text says by itself of which time its records are.

    Examples
    --------
    >>> filters_time("T | where TimeGenerated > ago(1h)"), filters_time("T | summarize max(TimeGenerated)")
    (True, False)
    """
    query = parse(text)
    return any(isinstance(n, WhereSyntax) and _reads(n, column) for n in _nodes(query))


def _reads(node: syntax.Node, column: str) -> bool:
    return any(isinstance(n, syntax.Name) and n.name == column for n in _nodes(node))


def _nodes(value: object) -> Iterator[syntax.Node]:
    """All nodes in a node."""
    if isinstance(value, syntax.Node):
        yield value
        for field in fields(value):
            yield from _nodes(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)


def _with_clause(text: str, clause: str, passes: Callable[[syntax.Operator], bool]) -> str:
    pipeline = _answering(text)
    place = len(pipeline.operators)
    for at in range(len(pipeline.operators) - 1, -1, -1):
        operator = pipeline.operators[at]
        if not passes(operator):
            break
        # Only these are worth a clause in the middle of the text; what stands between goes along.
        if isinstance(operator, _WORTH_PASSING):
            place = at
    changed = _inserted(text, pipeline, place, clause)
    parse(changed)
    return changed


def _answering(text: str) -> syntax.Pipeline:
    query = parse(text)
    if len(query.pipelines) != 1:
        raise diagnostics.several_answers()
    return query.pipelines[0]


_WORTH_PASSING = (RenderSyntax, TakeSyntax, TopSyntax, SortSyntax, SummarizeSyntax, DistinctSyntax)


def _passes(operator: syntax.Operator, column: str) -> bool:
    """Whether a condition on the column may stand before the operator, for the rows that are asked for."""
    if isinstance(operator, WhereSyntax | RenderSyntax | TakeSyntax | TopSyntax | SortSyntax):
        return True
    if isinstance(operator, SummarizeSyntax):
        return _handed_on(operator.keys, column)
    if isinstance(operator, DistinctSyntax | ProjectSyntax):
        return _handed_on(operator.columns, column)
    if isinstance(operator, ExtendSyntax):
        return not any(_makes(item, column) for item in operator.columns)
    return isinstance(operator, PatternsSyntax)


def _handed_on(items: Sequence[syntax.Expression], column: str) -> bool:
    """Whether the column comes through a list as it is."""
    kept = any(isinstance(i, syntax.Name) and i.name == column for i in items)
    everything = any(isinstance(i, syntax.Star) and i.pattern == "*" for i in items)
    return (kept or everything) and not any(isinstance(i, syntax.Named) and column in i.names for i in items)


def _makes(item: syntax.Expression, column: str) -> bool:
    """Whether an item of `extend` may give the column another value: by its name, or by one that is made for it."""
    if isinstance(item, syntax.Named):
        return column in item.names
    return not isinstance(item, syntax.Name | syntax.Star)


def _inserted(text: str, pipeline: syntax.Pipeline, place: int, clause: str) -> str:
    """The text with the clause before operator number `place`, or behind the last."""
    if place < len(pipeline.operators):
        at = _pipe_before(text, pipeline.operators[place].span.start)
        line = text.rfind("\n", 0, at) + 1
        indent = text[line:at]
        if indent.strip():
            return f"{text[:at]}| {clause} {text[at:]}"
        return f"{text[:at]}| {clause}\n{indent}{text[at:]}"
    at = pipeline.span.end
    if not pipeline.operators or "\n" not in text[pipeline.span.start : at]:
        return f"{text[:at]} | {clause}{text[at:]}"
    pipe = _pipe_before(text, pipeline.operators[-1].span.start)
    indent = text[text.rfind("\n", 0, pipe) + 1 : pipe]
    lead = f"\n{indent}" if not indent.strip() else " "
    return f"{text[:at]}{lead}| {clause}{text[at:]}"


def _pipe_before(text: str, at: int) -> int:
    """Where the `|` in front of an operator stands."""
    return max(t.span.start for t in tokenize(text) if t.span.start < at and t.is_mark("|"))
