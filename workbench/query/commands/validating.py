"""Whether a function's body means something over the present tables: bound with sample arguments.

No data is read: where the body asks for rows while it is bound, it gets none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as query_diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.binder import Hooks, bind
from workbench.query.binder.places import PLACES
from workbench.query.binder.special import FORMS
from workbench.query.binder.tables import TABULAR_CALLS
from workbench.query.frames import Tables, surroundings_of
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.functions.forms import POLARS_TYPES
from workbench.query.operators.datatable import DatatableSyntax
from workbench.query.operators.print_ import PrintSyntax
from workbench.query.plan import Rel, Values
from workbench.query.runner import Runner
from workbench.query.sources import Sources
from workbench.query.stored import StoredFunctions

T = ScalarType
_TEXT = "a sample of a text"
_ANY = "a sample of a table: "
_SAMPLES: dict[ScalarType, Any] = {
    T.BOOL: True, T.INT: 1, T.LONG: 1, T.REAL: 1.0, T.DECIMAL: "1", T.STRING: _TEXT, T.DATETIME: 0,
    T.TIMESPAN: 10_000_000, T.DYNAMIC: [], T.GUID: "00000000-0000-0000-0000-000000000000",
}  # fmt: skip


def kind_of_builtin(name: str) -> str | None:
    """What the language has under that name, if anything: a stored function could not be called."""
    if name in AGGREGATES:
        return "an aggregate"
    if name in FUNCTIONS or name in FORMS or name in TABULAR_CALLS or name in PLACES:
        return "a function"
    return None


def validate(name: str, body: syntax.FunctionBody, text: str, source: Tables) -> None:
    """Bind a call of the function, as if it were stored already.

    Raises
    ------
    WorkbenchError
        What a query that calls it would raise, with the place in `text`.
    """
    runner = Runner(source, None, None)
    around = surroundings_of(source)
    sources = Sources(text)
    stored = _With(name, body, StoredFunctions(around, sources))
    hooks = Hooks(_no_rows, runner.fold, _sample_table, stored, around, sources)
    call = syntax.Call(body.span, name, tuple(_sample(p) for p in body.parameters), body.span)
    try:
        _bind(syntax.Pipeline(body.span, call), text, source, hooks)
    except WorkbenchError as error:
        if error.code != query_diagnostics.EXPECTED_TABLE:
            raise
        printed = PrintSyntax(body.span, "print", (call,))
        _bind(syntax.Pipeline(body.span, printed), text, source, hooks)


def _bind(pipeline: syntax.Pipeline, text: str, source: Tables, hooks: Hooks) -> None:
    try:
        bind(syntax.Query(pipeline.span, (), (pipeline,)), text, _Catalog(source), hooks)
    except _Undecidable:
        return  # the body names a table by its parameter: only a call can tell
    except RecursionError:
        raise query_diagnostics.too_deep(pipeline.span) from None


class _Undecidable(Exception):
    """What comes depends on the value of a parameter."""


class _Catalog:
    """The tables of a source; the sample of a text is none of them."""

    def __init__(self, source: Tables) -> None:
        self._source = source

    def tables(self) -> list[str]:
        return self._source.tables()

    def schema(self, table: str) -> Schema | None:
        if table == _TEXT:
            raise _Undecidable
        return self._source.schema(table)


class _With:
    """The stored functions and one more, whose spans lie in the command's own text."""

    def __init__(self, name: str, body: syntax.FunctionBody, others: StoredFunctions) -> None:
        self._name = name
        self._body = body
        self._others = others

    def names(self) -> Sequence[str]:
        return sorted({self._name, *self._others.names()})

    def body(self, name: str) -> syntax.FunctionBody | None:
        return self._body if name == self._name else self._others.body(name)


def _no_rows(rel: Rel) -> pl.DataFrame:
    return pl.DataFrame(schema={c.name: POLARS_TYPES[c.type] for c in rel.schema})


def _sample(p: syntax.Parameter) -> syntax.Expression:
    if p.type is not None:
        return p.default or syntax.Literal(p.span, _SAMPLES[p.type], p.type)
    if p.columns is None or p.open:
        return syntax.Name(p.span, _ANY + json.dumps([[n, t.value] for n, t in p.columns or ()]))
    return syntax.Lambda(p.span, syntax.Pipeline(p.span, DatatableSyntax(p.span, "datatable", p.columns, ())))


@dataclass(frozen=True, slots=True)
class _AnyTable(Values):
    """A table of which only some columns are known; see `binder.expressions`."""

    undecided: bool = True


def _sample_table(name: str) -> Values | None:
    if not name.startswith(_ANY):
        return None
    return _AnyTable(tuple(Column(n, T(t)) for n, t in json.loads(name.removeprefix(_ANY))))
