"""One query on its way: bound, its borders run, rewritten, lowered, collected.

`run` makes a `Runner` a query; the binder calls back into it where columns or constants depend on data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span, WorkbenchError
from workbench.query import backends as _backends  # noqa: F401
from workbench.query.backends import join as _join  # noqa: F401
from workbench.query.backends import per_group as _per_group  # noqa: F401
from workbench.query.backends import series as _series  # noqa: F401
from workbench.query.backends import top_nested as _top_nested  # noqa: F401
from workbench.query.backends import top_rows as _top_rows  # noqa: F401
from workbench.query.backends import unnest as _unnest  # noqa: F401
from workbench.query.backends import unpack as _unpack  # noqa: F401
from workbench.query.backends.polars import Context, canonical_columns
from workbench.query.binder import Bound, Hooks, bind
from workbench.query.control import Control
from workbench.query.frames import Tables
from workbench.query.functions.forms import loads
from workbench.query.lowering import Frame
from workbench.query.outside import table_of, value_of
from workbench.query.parser import parse
from workbench.query.plan import Call, Const, Expr, Limit, Range, Rel, Values, columns_of, walk
from workbench.query.rewrite import rewrite
from workbench.query.timerange import within

T = ScalarType


class Runner:
    """One query on its way."""

    def __init__(self, source: Tables, scope: Callable[[str], Any] | None, parameters: Mapping[str, Any] | None, control: Control | None = None) -> None:  # fmt: skip
        self.source = source
        self.control = control or Control()
        self.scope = scope
        self.tables: dict[str, Values] = {}
        self.parameters: dict[str, Const] = {}
        for name, value in (parameters or {}).items():
            found = value_of(value)
            if found is None:
                self.tables[name] = table_of(value)
            else:
                self.parameters[name] = found
        self.files_of: dict[str, int] = {}
        self.files: set[str] = set()
        self.warnings: list[str] = []

    def bind(self, text: str, time_range: tuple[int | None, int | None] | None) -> Bound:
        hooks = Hooks(self.evaluate, self.fold, self.outside)
        bound = bind(parse(text), text, self.source, hooks, self.parameters)
        if time_range is not None:
            bound = Bound(within(bound.rel, time_range), bound.render, bound.names)
        return bound

    def outside(self, name: str) -> Const | Values | None:
        if name in self.tables:
            return self.tables[name]
        if self.scope is None:
            return None
        try:
            value = self.scope(name)
        except KeyError:
            return None
        if value is None:
            return None
        known = value_of(value)
        if known is not None:
            return known
        self.tables[name] = table_of(value)
        return self.tables[name]

    def fold(self, expr: Expr) -> Expr:
        """A constant where `expr` reads no column."""
        if columns_of(expr) or _impure(expr):
            return expr
        context = Context(self.source, collect)
        one = pl.DataFrame({"__row": [0]}).lazy()
        made = context.canonical(expr, Frame(one, {})).alias("value")
        value = collect(one.select(made))["value"][0]
        if expr.type is T.DYNAMIC:
            value = loads(value)
        elif expr.type is T.DECIMAL and value is not None:
            value = str(value)
        return Const(expr.type, value, getattr(expr, "span", None) or Span(0, 0))

    def evaluate(self, rel: Rel) -> pl.DataFrame:
        return self.run(rel)[0]

    def run(self, rel: Rel, limit: int | None = None) -> tuple[pl.DataFrame, Rel]:
        rel = rewrite(rel, self.fold)
        if limit is not None:
            rel = Limit(rel.schema, rel, limit)
        context = Context(self.source, collect)
        frame = context.frame(rel)
        lazy = canonical_columns(frame, rel)
        found = collect(
            lazy.select(rel.names()) if rel.schema else lazy, stored=context.scanned or _large(rel)
        )
        self.files_of.update(context.tables)
        self.files |= context.files
        self.warnings += [w for w in context.warnings if w not in self.warnings]
        return found, rel


_LARGE = 100_000


def _large(rel: Rel) -> bool:
    """Whether rows made by the query itself are so many that only the streaming engine, which an
    interrupt stops, should run it."""
    for node in walk(rel):
        if isinstance(node, Range):
            start, stop, step = node.start.value, node.stop.value, node.step.value
            if None not in (start, stop, step) and step and (stop - start) / step > _LARGE:
                return True
        if isinstance(node, Values) and max(len(node.rows), getattr(node.frame, "height", 0)) > _LARGE:
            return True
    return False


_IMPURE = frozenset({"rand", "new_guid", "row_number"})


def _impure(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return expr.function in _IMPURE or any(_impure(a) for a in expr.args)
    return False


def collect(lazy: pl.LazyFrame, stored: bool = False) -> pl.DataFrame:
    """Run a lazy frame: the streaming engine for stored tables, the in-memory one for small frames."""
    try:
        return lazy.collect(engine="streaming" if stored else "in-memory")
    except pl.exceptions.PolarsError as error:
        inner = _cause(error)
        if inner is not None:
            raise inner from None
        raise diagnostics.run_failed(str(error).split("\n")[0]) from error


def _cause(error: BaseException) -> WorkbenchError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, WorkbenchError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
