"""Plugins about who was active when: counts, new and returning ids, engagement."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import PluginCall, plugin
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
from workbench.query.plan import Rel

T = ScalarType


def _longs(*names: str) -> list[Column]:
    return [Column(n, T.LONG) for n in names]


def _in_steps(call: PluginCall, source: Rel, b: BinderApi) -> Timeline:
    """(id, time, Start, End, Step, dimensions …)."""
    line, when = timeline(call, source, b, call.rest(5))
    start, stop = bounds(call, 2, line.type, b)
    step = duration(call, 4, "Step", when.type if when.type is not T.INT else T.LONG, b)
    call.finish()
    return replace(line, labels=steps(call, start, stop, step))


def _inside(line: Timeline, rows: pl.DataFrame) -> pl.DataFrame:
    placed = line.placed(rows).filter(pl.col(STEP) >= 0)
    if len(line.labels) < 2:
        return placed
    end = line.labels[-1] + (line.labels[-1] - line.labels[-2])
    return placed.filter(pl.col(TIME) < end)


@plugin(
    "activity_counts_metrics", syntax="activity_counts_metrics(ID, TIME, START, END, STEP [, DIMENSION, …])"
)
class ActivityCountsMetrics:
    """For each step: rows, different ids, ids not seen in any step before, ids seen so far."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line = _in_steps(call, source, b)

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            by = line.by()
            placed = _inside(line, rows).with_columns(pl.col(STEP).min().over([*by, ID]).alias("first"))
            new = pl.col(ID).filter(pl.col("first") == pl.col(STEP)).n_unique().cast(pl.Int64)
            counted = placed.group_by([*by, STEP]).agg(
                pl.len().cast(pl.Int64).alias("count"),
                pl.col(ID).n_unique().cast(pl.Int64).alias("dcount"),
                new.alias("new_dcount"),
            )
            running = pl.col("new_dcount").cum_sum()
            ordered = counted.sort([*by, STEP])
            ordered = ordered.with_columns((running.over(by) if by else running).alias("aggregated_dcount"))
            return line.labelled(ordered)

        return line.computed(_longs("count", "dcount", "new_dcount", "aggregated_dcount"), compute)


@plugin("activity_metrics", syntax="activity_metrics(ID, TIME, START, END, STEP [, DIMENSION, …])")
class ActivityMetrics:
    """For each step: different ids, ids not seen in the step before, shares of those that came back and
    that were lost."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line = _in_steps(call, source, b)

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            by = line.by()
            seen = _inside(line, rows).select([*by, ID, STEP]).unique()
            before = seen.with_columns(pl.col(STEP) + 1, pl.lit(True).alias("again"))
            both = seen.join(before, on=[*by, ID, STEP], how="left", nulls_equal=True)
            counted = both.group_by([*by, STEP]).agg(
                pl.len().cast(pl.Int64).alias("dcount_values"),
                pl.col("again").is_null().sum().cast(pl.Int64).alias("dcount_newvalues"),
            )
            sizes = before.group_by([*by, STEP]).agg(pl.len().alias("size"))
            found = counted.join(sizes, on=[*by, STEP], how="left", nulls_equal=True)
            back = pl.col("dcount_values") - pl.col("dcount_newvalues")
            rate = (back / pl.col("size")).fill_null(float("nan"))
            found = found.with_columns(rate.alias("retention_rate"), (1 - rate).alias("churn_rate"))
            return line.labelled(found.drop("size"))

        columns = [*_longs("dcount_values", "dcount_newvalues"), Column("retention_rate", T.REAL), Column("churn_rate", T.REAL)]  # fmt: skip
        return line.computed(columns, compute, dimensions_last=True)


@plugin(
    "active_users_count",
    syntax="active_users_count(ID, TIME, START, END, LOOKBACK, PERIOD, PERIODS, BIN [, DIMENSION, …])",
)
class ActiveUsersCount:
    """For each bin: ids that were seen in at least so many periods of the stretch before."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line, _ = timeline(call, source, b, call.rest(8))
        start, stop = bounds(call, 2, line.type, b)
        back = duration(call, 4, "LookbackWindow", line.type, b)
        period = duration(call, 5, "Period", line.type, b)
        least = call.constant(6, "ActivePeriodsCount", b, T.LONG, 1)
        line = replace(line, labels=steps(call, start, stop, duration(call, 7, "Bin", line.type, b)))
        call.finish()

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            by = line.by()
            near = rows.filter((pl.col(TIME) > start - back) & (pl.col(TIME) <= stop)).unique()
            seen = near.with_columns((pl.col(TIME) // period).alias("period"))
            pairs = seen.filter(pl.col(TIME) >= start).join(
                seen.rename({TIME: "earlier", "period": "then"}), on=[*by, ID], how="inner", nulls_equal=True
            )
            inside = (pl.col("earlier") <= pl.col(TIME)) & (pl.col("earlier") > pl.col(TIME) - back)
            active = pairs.filter(inside).group_by([*by, ID, TIME]).agg(pl.col("then").n_unique())
            placed = line.placed(active.filter(pl.col("then") >= least))
            return line.labelled(
                placed.group_by([*by, STEP]).agg(pl.col(ID).n_unique().cast(pl.Int64).alias("dcount"))
            )

        return line.computed(_longs("dcount"), compute)


@plugin(
    "activity_engagement",
    syntax="activity_engagement(ID, TIME, START, END, INNER, OUTER [, DIMENSION, …])",
)
class ActivityEngagement:
    """For each inner window: different ids in it, in the outer window that ends with it, their ratio."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line, _ = timeline(call, source, b, call.rest(6))
        start, stop = bounds(call, 2, line.type, b)
        inner = duration(call, 4, "InnerActivityWindow", line.type, b)
        outer = duration(call, 5, "OuterActivityWindow", line.type, b)
        line = replace(line, labels=steps(call, start, stop, inner))
        call.finish()
        width = max(1, int(outer // inner))

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            by = line.by()
            placed = rows.with_columns(((pl.col(TIME) - start) // inner).cast(pl.Int64).alias(STEP))
            placed = placed.filter(pl.col(TIME) <= stop)
            inside = placed.filter(pl.col(STEP) >= 0)
            count = pl.col(ID).n_unique().cast(pl.Int64)
            own = inside.group_by([*by, STEP]).agg(count.alias("dcount_activities_inner"))
            spread = placed.with_columns(pl.int_ranges(pl.col(STEP), pl.col(STEP) + width).alias(STEP)).explode(STEP)  # fmt: skip
            wide = spread.group_by([*by, STEP]).agg(count.alias("dcount_activities_outer"))
            found = own.join(wide, on=[*by, STEP], how="inner", nulls_equal=True)
            ratio = pl.col("dcount_activities_inner") / pl.col("dcount_activities_outer")
            return line.labelled(found.with_columns(ratio.alias("activity_ratio")))

        columns = [*_longs("dcount_activities_inner", "dcount_activities_outer"), Column("activity_ratio", T.REAL)]  # fmt: skip
        return line.computed(columns, compute, dimensions_last=True)
