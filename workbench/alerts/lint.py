"""What is unwise in a rule that can be evaluated: holes between its windows, conditions that never or always hold, dear queries.

In goes a rule, and the tables where they are at hand; out come findings. Asks no rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from workbench.alerts.binding import NO_TABLE, check_columns
from workbench.alerts.phrases import span_text, when_text
from workbench.alerts.rule import Measure, Operator, Rule
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.frames import Tables
from workbench.query.operators.count import CountSyntax
from workbench.query.operators.join import JoinSyntax
from workbench.query.operators.summarize import SummarizeSyntax
from workbench.query.operators.take import TakeSyntax
from workbench.query.operators.top import TopSyntax
from workbench.query.parser import parse

_TICKS = 10_000_000
_ONE_TO_ONE = ("extend", "project", "project-away", "project-keep", "project-rename", "project-reorder", "sort", "order", "serialize", "as", "render")  # fmt: skip
"""Operators that give as many rows as they get."""
_OUTSIDE = frozenset({"externaldata", "_getwatchlist", "print", "datatable", "range"})


class Level(StrEnum):
    """How much a finding matters: the rule can't do what it says, it may not do what is meant, or it costs more than it must."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a rule: what is about it in a sentence, and what to do."""

    level: Level
    name: str
    message: str
    hint: str = ""


def lint(rule: Rule, source: Tables | None = None) -> list[Finding]:
    """All findings about a rule, the gravest first.

    Parameters
    ----------
    rule : Rule
    source : Tables, optional
        Binds the query, to see whether its columns are there.

    Examples
    --------
    >>> [f.name for f in lint(Rule("r", "Heartbeat", frequency=3600, window=1800))]
    ['window-shorter-than-frequency']
    """
    query = parse(rule.query)
    found = [finding for check in _CHECKS for finding in check(rule, query)]
    if source is not None:
        found += _bound(rule, source)
    return sorted(found, key=lambda f: list(Level).index(f.level))


# ---- time -------------------------------------------------------------------------------------


def _window(rule: Rule, query: syntax.Query) -> Iterator[Finding]:
    if rule.window < rule.frequency and not rule.per_row:
        yield Finding(
            Level.ERROR, "window-shorter-than-frequency",
            f"each evaluation looks back {span_text(rule.window)}, but there is one every {span_text(rule.frequency)}: what comes between is never looked at",
            f"set over to {span_text(rule.frequency)} or more",
        )  # fmt: skip
    if rule.window > rule.frequency and not rule.auto_resolve and not rule.per_row and not rule.mute:
        times = -(-rule.window // rule.frequency)
        yield Finding(
            Level.WARNING, "fires-again",
            f"the same records are in up to {times} windows, and the rule fires in each: auto resolve is off",
            f"set mute to {span_text(rule.window)}, or auto resolve to true",
        )  # fmt: skip
    if 0 < rule.mute < rule.frequency:
        yield Finding(
            Level.HINT, "mute-too-short",
            f"a mute of {span_text(rule.mute)} is over before the next evaluation, {span_text(rule.frequency)} later",
        )  # fmt: skip


def _ago(rule: Rule, query: syntax.Query) -> Iterator[Finding]:
    for node in _nodes(query):
        if not (isinstance(node, syntax.Binary) and isinstance(node.left, syntax.Name)):
            continue
        reach = _ago_of(node.right)
        if reach is None or node.left.name != "TimeGenerated":
            continue
        if node.operator in (">", ">=") and reach > rule.window:
            yield Finding(
                Level.HINT, "ago-beyond-window",
                f"ago({span_text(reach)}) is longer than the window of {span_text(rule.window)}: there the query reads history by time, the same records at each evaluation",
                f"where the history is not meant, leave the filter out or set over to {span_text(reach)}",
            )  # fmt: skip
        if node.operator in ("<", "<=") and reach >= rule.window:
            yield Finding(
                Level.ERROR, "older-than-window",
                f"TimeGenerated {node.operator} ago({span_text(reach)}) leaves nothing but late records: the window is {span_text(rule.window)}",
                f"set over to more than {span_text(reach)}",
            )  # fmt: skip


def _ago_of(node: Any) -> int | None:
    """Seconds of `ago(1h)`."""
    if isinstance(node, syntax.Call) and node.name == "ago" and len(node.arguments) == 1:
        span = node.arguments[0]
        if isinstance(span, syntax.Literal) and span.type is ScalarType.TIMESPAN and span.value is not None:
            return int(span.value) // _TICKS
    return None


def _no_time(rule: Rule, query: syntax.Query) -> Iterator[Finding]:
    """Where nothing of what is read is cut to the window."""
    for pipeline in query.pipelines:
        source = pipeline.source
        word = source.keyword if isinstance(source, syntax.Operator) else source.name if isinstance(source, syntax.Call) else ""  # fmt: skip
        tables = [n for n in _nodes(pipeline) if isinstance(n, JoinSyntax)]
        if str(word).lower() in _OUTSIDE and not tables:
            yield Finding(
                Level.WARNING, "no-records-of-the-window",
                f"the query reads {word}, and no table whose records come in: each evaluation sees the same",
            )  # fmt: skip


# ---- the condition ----------------------------------------------------------------------------


def _condition(rule: Rule, query: syntax.Query) -> Iterator[Finding]:
    if rule.measure is not Measure.COUNT or rule.violations is not None:
        return
    always = _least_and_most(query.pipelines[0]) if len(query.pipelines) == 1 else (0, None)
    least, most = (0, always[1]) if rule.dimensions else always
    can, must = _possible(rule, least, most)
    if not can:
        limit = f"the query gives at most {most:,} row{'s' * (most != 1)}" if most is not None else "a number of rows is whole and not below 0"  # fmt: skip
        yield Finding(
            Level.ERROR, "never-fires", f"{when_text(rule)} never holds: {limit}",
            "measure a column of the row: when: maximum(Count) > 10" if most == 1 else "",
        )  # fmt: skip
    elif must:
        why = "the query always gives a row" if least else "a number of rows is never below 0"
        yield Finding(
            Level.ERROR, "always-fires", f"{when_text(rule)} always holds: {why}",
            "filter behind it: | where Count > 10, or measure its column" if least else "",
        )  # fmt: skip


def _least_and_most(pipeline: syntax.Pipeline) -> tuple[int, int | None]:
    """How many rows a pipeline gives at least, and at most (None: any number)."""
    least, most = 0, None
    for step in pipeline.operators:
        if isinstance(step, CountSyntax) or (isinstance(step, SummarizeSyntax) and not step.keys):
            least, most = 1, 1
        elif isinstance(step, TakeSyntax | TopSyntax):
            limit = getattr(step, "count", None)
            if isinstance(limit, syntax.Literal) and isinstance(limit.value, int):
                most = limit.value if most is None else min(most, limit.value)
                least = min(least, most)
        elif isinstance(step, SummarizeSyntax) or step.keyword in ("where", "filter", "distinct"):
            least = 0
        elif step.keyword not in _ONE_TO_ONE:
            least, most = 0, None
    return least, most


def _possible(rule: Rule, least: int, most: int | None) -> tuple[bool, bool]:
    """Whether a number of rows between two bounds can stand so to the threshold, and whether each does."""
    threshold = rule.threshold
    tests: dict[Operator, Callable[[float], bool]] = {
        Operator.GREATER_THAN: lambda n: n > threshold,
        Operator.GREATER_THAN_OR_EQUAL: lambda n: n >= threshold,
        Operator.LESS_THAN: lambda n: n < threshold,
        Operator.LESS_THAN_OR_EQUAL: lambda n: n <= threshold,
        Operator.EQUALS: lambda n: n == threshold,
    }
    if rule.operator is Operator.EQUALS:
        inside = threshold == int(threshold) and threshold >= least and (most is None or threshold <= most)
        return inside, inside and least == most
    test = tests[rule.operator]
    ends = (test(least), test(float("inf") if most is None else most))
    return any(ends), all(ends)


# ---- cost -------------------------------------------------------------------------------------


def _joins(rule: Rule, query: syntax.Query) -> Iterator[Finding]:
    for node in _nodes(query):
        if isinstance(node, JoinSyntax) and isinstance(node.right, syntax.Name):
            yield Finding(
                Level.HINT, "unbounded-join",
                f"join reads all records of {node.right.name} in the window, every {span_text(rule.frequency)}",
                "filter or summarize its side first",
            )  # fmt: skip


def _nodes(node: Any) -> Iterator[syntax.Node]:
    if isinstance(node, syntax.Node):
        yield node
    if isinstance(node, tuple | list):
        for item in node:
            yield from _nodes(item)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _nodes(getattr(node, field.name))


_CHECKS = (_window, _ago, _no_time, _condition, _joins)


# ---- columns ----------------------------------------------------------------------------------


def _bound(rule: Rule, source: Tables) -> Iterator[Finding]:
    """What is measured and split by, each by itself, so that one mistake hides no other."""
    parts = [dataclasses.replace(rule, dimensions=())]
    parts += [dataclasses.replace(rule, measure=Measure.COUNT, dimensions=(d,)) for d in rule.dimensions]
    told = set()
    for part in parts:
        try:
            check_columns(part, source)
        except WorkbenchError as error:
            if error.message not in told:
                told.add(error.message)
                yield Finding(Level.ERROR, error.code, error.message, error.hint or "")
    yield from _missing_tables(rule, source)


def _missing_tables(rule: Rule, source: Tables) -> Iterator[Finding]:
    from workbench.query.language import diagnose

    for one in diagnose(rule.query, source):
        if one.code == NO_TABLE:
            yield Finding(
                Level.WARNING, "no-table", f"{one.message}: until it is there each evaluation is an error", one.hint or ""
            )  # fmt: skip
