"""Scans: a stored table as its Parquet files, a frame in memory as a registered table."""

from __future__ import annotations

from typing import Any, cast

import polars as pl
from sqlglot import exp

from workbench.base.dtypes import ScalarType
from workbench.query.backends.polars import TableScan
from workbench.query.backends.sql.context import SqlContext
from workbench.query.functions import _sql as build
from workbench.query.functions._sql_cast import SQL_TYPES
from workbench.query.lowering import Form, SqlFrame, to_sql
from workbench.query.plan import Scan

T = ScalarType
# How data files hold a type, where that is not the canonical form: `repository/FORMAT.md`, part 5.
_STORED = {T.DATETIME: "TIMESTAMPTZ", T.DECIMAL: "VARCHAR"}


@to_sql.register
def _scan(rel: Scan, context: SqlContext) -> SqlFrame:
    forms: dict[str, Form] = {}
    for c in rel.schema:
        if c.type.is_time:
            forms[c.name] = Form.MICROSECONDS
        elif c.type is T.STRING:
            forms[c.name] = Form.NULLABLE
    if not context.engine.reads_files:
        # Such an engine has the table under its own name: any reader of Delta can give it that.
        columns = [(exp.column(n, quoted=True), n) for n in rel.names()]
        query = exp.select(*(context.named(t, n) for t, n in columns))
        return context.add(rel, query.from_(exp.Table(this=exp.to_identifier(rel.table, quoted=True))), forms)
    found = context.scan(rel)
    stored: tuple[Any, ...] = getattr(found, "columns", ())
    if not stored or not found.files:
        return context.add(rel, _held_rows(rel, found.lazy, context), forms)
    files = _files(rel, found, stored, context)
    if getattr(found, "pending", None) is None:
        return context.add(rel, files, forms)
    # Rows that are in no file yet stand behind the files.
    waiting = _held_rows(rel, cast(Any, found).part((len(found.files),)), context)
    both = exp.union(files, waiting, distinct=False, copy=False)
    return context.add(rel, exp.select("*").from_(both.subquery()), forms)


def _held_rows(rel: Scan, lazy: pl.LazyFrame, context: SqlContext) -> exp.Select:
    """Rows in memory, as the scan gives those of files."""
    table = context.register(_physical(lazy, rel), rel.names())
    trees = [(_read(context.column(c.name), c.type), c.name) for c in rel.schema]
    return exp.select(*(context.named(t, n) for t, n in trees)).from_(table)


def _physical(lazy: pl.LazyFrame, rel: Scan) -> pl.LazyFrame:
    """Durations as whole µs, which is how files hold them."""
    spans = [c.name for c in rel.schema if c.type is T.TIMESPAN]
    return lazy.with_columns(pl.col(spans).to_physical()) if spans else lazy


def _read(tree: exp.Expr, type_: ScalarType) -> exp.Expr:
    return build.try_cast(tree, SQL_TYPES[T.DECIMAL]) if type_ is T.DECIMAL else tree


def _files(rel: Scan, found: TableScan, stored: tuple[Any, ...], context: SqlContext) -> exp.Select:
    """`read_parquet` of the files that can matter, its columns under their KQL names."""
    by_name = {c.name: c for c in stored}
    held = _held(found.files)
    trees = []
    for column in rel.schema:
        known = by_name[column.name]
        parts = [(known.stored, known.type), *((f.stored, f.type) for f in known.former)]
        present = [_cast(name, type_, column.type) for name, type_ in parts if name in held]
        if not present:
            tree: exp.Expr = build.cast(None, _STORED.get(column.type, SQL_TYPES[column.type]))
        else:
            tree = build.coalesce(*present) if len(present) > 1 else present[0]
        trees.append(context.named(_read(tree, column.type), column.name))
    options = {"union_by_name": True, "hive_partitioning": False}
    reader = exp.Anonymous(
        this="read_parquet",
        expressions=[
            exp.Array(expressions=[exp.Literal.string(f) for f in found.files]),
            *(exp.EQ(this=exp.to_identifier(k), expression=build.lit(v)) for k, v in options.items()),
        ],
    )
    return exp.select(*trees).from_(exp.Table(this=reader))


def _cast(name: str, type_: ScalarType, wanted: ScalarType) -> exp.Expr:
    tree = exp.column(name, quoted=True)
    return tree if type_ is wanted else build.cast(tree, SQL_TYPES[wanted])


def _held(files: list[str]) -> set[str]:
    """The stored names of the columns that at least one file has."""
    names: set[str] = set()
    for file in files:
        names.update(pl.read_parquet_schema(file))
    return names
