"""Two engines, one plan: what the tests of the second lowering ask both for, and how they compare."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType, Schema
from workbench.base.errors import WorkbenchError
from workbench.query.backends.sql import duckdb
from workbench.query.control import Control
from workbench.query.frames import FrameTables
from workbench.query.plan import Rel
from workbench.query.rewrite import rewrite
from workbench.query.runner import Runner

T = ScalarType
TOLERANCE = 1e-9
NOT_SAYABLE = "KQL306"


@dataclass(frozen=True)
class Both:
    """The rows of one plan by both engines; `refusal` where SQL can't say it."""

    schema: Schema
    ordered: bool
    polars: pl.DataFrame | None = None
    duckdb: pl.DataFrame | None = None
    refusal: WorkbenchError | None = None
    sql: str = ""


def plan(text: str, tables: FrameTables) -> tuple[Rel, Runner]:
    """The rewritten plan of a query."""
    runner = Runner(tables, None, None)
    bound = runner.bind(text, None)
    return rewrite(bound.rel, runner.fold), runner


def both(text: str, tables: FrameTables) -> Both:
    """Run a query on both engines, unless SQL can't say it."""
    rel, runner = plan(text, tables)
    try:
        sql, _ = duckdb.lowered(rel, tables)
    except WorkbenchError as error:
        if error.code != NOT_SAYABLE:
            raise
        return Both(rel.schema, rel.serialized, refusal=error)
    found, _ = duckdb.run(rel, tables, Control())
    return Both(rel.schema, rel.serialized, runner.run(rel)[0], found, sql=sql)


def difference(pair: Both) -> str | None:
    """How the rows differ, in words; None where they are the same."""
    assert pair.polars is not None
    assert pair.duckdb is not None
    if pair.polars.height != pair.duckdb.height:
        return f"{pair.polars.height} rows by polars, {pair.duckdb.height} by duckdb"
    types = [c.type for c in pair.schema]
    names = [c.name for c in pair.schema]
    a, b = (f.select(names).rows() if names else [] for f in (pair.polars, pair.duckdb))
    if not pair.ordered:
        a, b = (sorted(rows, key=lambda row: _key(row, types)) for rows in (a, b))
    for number, (x, y) in enumerate(zip(a, b, strict=True)):
        for name, type_, p, d in zip(names, types, x, y, strict=True):
            if not _same(p, d, type_):
                return f"row {number}, column {name}: {p!r} by polars, {d!r} by duckdb"
    return None


def _key(row: Sequence[Any], types: Sequence[ScalarType]) -> tuple[Any, ...]:
    """An order of rows in which reals that differ only in their last digits come out alike."""
    return tuple(_cell_key(v, t) for v, t in zip(row, types, strict=True))


def _cell_key(value: Any, type_: ScalarType) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if type_ is T.REAL:
        if math.isnan(value):
            return (1, 0)
        return (2, float(f"{value:.9g}") + 0.0)
    return (2, value)


def _same(a: Any, b: Any, type_: ScalarType) -> bool:
    if a is None or b is None:
        return a is b
    if type_ is T.REAL:
        return _near(a, b)
    if type_ is T.DYNAMIC and a != b:
        return _same_json(_loaded(a), _loaded(b))
    return bool(a == b)


def _near(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=TOLERANCE)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _same_json(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return _near(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(_same_json(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same_json(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and bool(a == b)
