"""`new_activity_metrics`: what became of the ids that were first seen in a window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import Computed, PluginCall, plugin, projected
from workbench.query.operators.plugins._timeline import (
    ID,
    STEP,
    TIME,
    Timeline,
    bounds,
    duration,
    steps,
    timeline,
)
from workbench.query.plan import Col, Distinct, Expr, Rel

T = ScalarType
_MOST_PAIRS = 1_000_000  # windows compared with windows
_FIRST = "__first"


@plugin(
    "new_activity_metrics",
    syntax="new_activity_metrics(ID, TIME, START, END, WINDOW [, COHORT] [, DIMENSION, …] [, LOOKBACK])",
)
class NewActivityMetrics:
    """For the ids first seen in a window (a cohort) and each window from it on: how many came back or did not.

    `COHORT` tells just the one cohort of that time. Ids in the table `LOOKBACK` were seen before.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        rest = call.rest(5)
        line, when = timeline(call, source, b, [])
        start, stop = bounds(call, 2, line.type, b)
        labels = steps(call, start, stop, duration(call, 4, "Window", line.type, b))
        if len(labels) ** 2 > _MOST_PAIRS:
            raise diagnostics.bad_argument(call.name, f"{len(labels):,} windows are too many", call.span)
        cohort: Any = None
        if rest and not _is_column(rest[0], source) and not b.is_table(rest[0], source):
            cohort = b.constant(rest[0], "Cohort of new_activity_metrics()", line.type)
            rest = rest[1:]
        before: pl.Series | None = None
        name, who = call.column(0, "IdColumn", source, b)
        if rest and not _is_column(rest[-1], source):
            before = _ids(rest[-1], name, who, b)
            rest = rest[:-1]
        by = b.columns(rest, source)
        call.finish()
        line = replace(
            line,
            source=projected(source, [(ID, who), (TIME, when), *by]),
            dimensions=tuple(Column(n, e.type) for n, e in by),
            labels=labels,
        )
        schema = (
            Column(f"from_{line.name}", line.type), Column(f"to_{line.name}", line.type), *line.dimensions,
            Column("dcount_new_values", T.LONG), Column("dcount_retained_values", T.LONG),
            Column("dcount_churn_values", T.LONG), Column("retention_rate", T.REAL), Column("churn_rate", T.REAL),
        )  # fmt: skip
        place = None if cohort is None else labels.index(cohort) if cohort in labels else -1

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            inside = rows.filter((pl.col(TIME) >= start) & (pl.col(TIME) <= stop))
            found = _metrics(line, inside, before, place)
            return found.select([c.name for c in schema]).sort([schema[0].name, schema[1].name, *line.by()])

        return Computed(schema, line.source, compute, ordered=True)


def _is_column(node: syntax.Expression, source: Rel) -> bool:
    return isinstance(node, syntax.Name) and source.column(node.name) is not None


def _ids(node: syntax.Expression, name: str, who: Expr, b: BinderApi) -> pl.Series:
    """The ids of a table: its column of the same name, else its first of that type."""
    table = b.table(node)
    column = table.column(name) or next((c for c in table.schema if c.type is who.type), None)
    if column is None:
        raise diagnostics.unknown_column(name, node.span, table.names())
    ids = projected(table, [(ID, Col(column.type, column.name))])
    return b.evaluate(Distinct(ids.schema, ids))[ID]


def _metrics(line: Timeline, rows: pl.DataFrame, before: pl.Series | None, only: int | None) -> pl.DataFrame:
    by = line.by()
    seen = line.placed(rows).select([*by, ID, STEP]).unique()
    if before is not None:
        earlier = before.cast(seen[ID].dtype, strict=False)
        seen = seen.join(earlier.to_frame(), on=ID, how="anti", nulls_equal=True)
    seen = seen.with_columns(pl.col(STEP).min().over([*by, ID]).alias(_FIRST))
    cohorts = seen.filter(pl.col(_FIRST) == pl.col(STEP)).group_by([*by, _FIRST]).agg(pl.len().alias("size"))
    # All ids of a window that were new at some time, by when: those new after a cohort are new to it.
    active = seen.group_by([*by, _FIRST, STEP]).agg(pl.len().cast(pl.Int64).alias("ids"))
    if only is not None:
        cohorts = cohorts.filter(pl.col(_FIRST) == only)
    last = len(line.labels)
    pairs = cohorts.with_columns(pl.int_ranges(pl.col(_FIRST), last, dtype=pl.Int64).alias(STEP)).explode(
        STEP
    )
    how: Any = {"on": [*by, STEP], "how": "left", "nulls_equal": True}
    met = pairs.join(active, suffix="_then", **how)
    then, ids = pl.col(f"{_FIRST}_then"), pl.col("ids").fill_null(0)
    own = pl.when(then == pl.col(_FIRST)).then(ids).otherwise(0)
    later = pl.when(then > pl.col(_FIRST)).then(ids).otherwise(0)
    counted = met.group_by([*by, _FIRST, STEP, "size"]).agg(
        own.sum().alias("dcount_retained_values"), later.sum().alias("__later")
    )
    size, kept = pl.col("size").cast(pl.Int64), pl.col("dcount_retained_values")
    counted = counted.with_columns(
        pl.when(pl.col(STEP) == pl.col(_FIRST))
        .then(size)
        .otherwise(pl.col("__later"))
        .alias("dcount_new_values"),
        (size - kept).alias("dcount_churn_values"),
        (kept / size).alias("retention_rate"),
        ((size - kept) / size).alias("churn_rate"),
    )
    labels = pl.Series(line.labels, dtype=pl.Float64() if line.type is T.REAL else pl.Int64())
    return counted.with_columns(
        labels.gather(counted[_FIRST]).alias(f"from_{line.name}"),
        labels.gather(counted[STEP]).alias(f"to_{line.name}"),
    )
