"""The KQL of a collection rule: `source | …` over the records of one delivery.

In go typed columns, out come typed columns; rows that a `where` drops are gone. A transform sees one record at a
time: operators that look at several are refused by name when the rule is made, as is every table but `source`. Must
not store, and knows nothing of rules.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn

import polars as pl

from workbench.base.diagnostics import rules as diagnostics
from workbench.base.dtypes import Schema
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.frames import FrameTables, empty_scan
from workbench.query.functions import FUNCTIONS
from workbench.query.parser import parse
from workbench.query.plan import Rel, Scan, walk
from workbench.query.run import shape
from workbench.query.runner import Runner

SOURCE = "source"
OPERATORS = frozenset(
    {
        "where", "extend", "project", "project-away", "project-keep", "project-rename", "project-reorder", "parse",
        "parse-where", "parse-kv",
    }
)  # fmt: skip
_ACROSS = frozenset({"toscalar", "materialize", "table", "external_table", "row_rank_dense", "row_rank_min"})
_RECURSION = 6_000


class Transform:
    """A transform that was checked.

    Parameters
    ----------
    kql : str
        "" is `source`.
    schema : Schema or None
        The columns of the stream; None where they are not known before the records come.

    Raises
    ------
    WorkbenchError
        RUL201 to RUL205, or what the KQL text itself has (KQLnnn), with the place in the text.

    Examples
    --------
    >>> from workbench.base.dtypes import Column, ScalarType
    >>> made = Transform("source | extend B = A * 2", (Column("A", ScalarType.LONG),))
    >>> [(c.name, c.type) for c in made.output]
    [('A', long), ('B', long)]
    """

    def __init__(self, kql: str, schema: Schema | None) -> None:
        self.kql = kql.strip() or SOURCE
        self.plain = self.kql == SOURCE
        """Whether all records go through as they are."""
        self.output = schema
        if self.plain:
            return
        if sys.getrecursionlimit() < _RECURSION:
            sys.setrecursionlimit(_RECURSION)
        try:
            query = parse(self.kql)
            _check(query)
            if schema is not None:
                self.output = _bound(self.kql, schema)
        except WorkbenchError as mistake:
            raise mistake.within(self.kql) from None

    def run(self, frame: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, Schema]:
        """The rows of `frame` (stored form) as the transform makes them.

        Raises
        ------
        WorkbenchError
            KQLnnn: it does not bind over these columns, or fails on one of these rows.
        """
        return (frame, schema) if self.plain else shape(frame, schema, self.kql)


class _Strict(Runner):
    """Binds without ever looking at rows: a transform has none of its own."""

    def evaluate(self, rel: Rel) -> NoReturn:
        raise diagnostics.not_from_source(Span(0, 1))


def _bound(kql: str, schema: Schema) -> Schema:
    tables = FrameTables({SOURCE: (empty_scan(schema, None).lazy.collect(), schema)})
    runner = _Strict(tables, None, None)
    try:
        rel = runner.bind(kql, None).rel
    except WorkbenchError as mistake:
        raise runner.located(mistake, kql) from None
    leaves = [node for node in walk(rel) if not node.inputs]
    if not all(isinstance(leaf, Scan) for leaf in leaves) or len(leaves) != 1:
        raise diagnostics.not_from_source(Span(0, len(kql)))
    return tuple(column for column in rel.schema if not column.hidden)


def _check(query: syntax.Query) -> None:
    """Refuse by name what a transform can't hold."""
    for statement in query.statements:
        if not isinstance(statement, syntax.Let):
            raise diagnostics.one_statement(statement.span)
    if len(query.pipelines) != 1:
        raise diagnostics.one_statement(query.span)
    names = {SOURCE}
    for node in _nodes(query):
        if isinstance(node, syntax.Operator) and node.keyword not in OPERATORS:
            raise diagnostics.operator_over_records(node.keyword, node.span, OPERATORS)
        if isinstance(node, syntax.Lambda):
            raise diagnostics.not_from_source(node.span)
        if isinstance(node, syntax.Call) and _is_across(node.name):
            raise diagnostics.function_over_records(node.name, node.name_span)
        if isinstance(node, syntax.Let) and isinstance(node.value, syntax.Pipeline):
            names.add(node.name)
    for node in _nodes(query):
        # A table where a value may stand (`x in (source)`) is every record at once.
        if isinstance(node, syntax.InList):
            for item in node.items:
                if isinstance(item, syntax.Name) and item.name in names:
                    raise diagnostics.not_from_source(item.span)


def _is_across(name: str) -> bool:
    card = FUNCTIONS.get(name)
    return name in _ACROSS or (card is not None and card.window)


def _nodes(node: Any) -> Iterator[syntax.Node]:
    if isinstance(node, syntax.Node):
        yield node
    if isinstance(node, tuple | list):
        for item in node:
            yield from _nodes(item)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _nodes(getattr(node, field.name))
