"""Plugins over sliding windows and sessions, and the intersection of sketches."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import Computed, PluginCall, plugin, projected
from workbench.query.operators.plugins._timeline import (
    ID,
    STEP,
    TIME,
    bounds,
    duration,
    origin,
    steps,
    timeline,
)
from workbench.query.plan import Expr, Rel

T = ScalarType


@plugin(
    "sliding_window_counts",
    syntax="sliding_window_counts(ID, TIME, START, END, LOOKBACK, BIN [, DIMENSION, …])",
)
class SlidingWindowCounts:
    """For each bin: rows and different ids in the window that ends with it."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line, _ = timeline(call, source, b, call.rest(6))
        start, stop = bounds(call, 2, line.type, b)
        back = duration(call, 4, "LookbackWindow", line.type, b)
        size = duration(call, 5, "Bin", line.type, b)
        line = replace(line, labels=steps(call, start, stop, size))
        call.finish()
        width = max(1, int(back // size)) if not isinstance(size, str) else 1

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            by = line.by()
            if isinstance(size, str):
                placed = line.placed(rows)
            else:
                place = ((pl.col(TIME) - start) / size).floor() if line.type is T.REAL else (pl.col(TIME) - start) // size  # fmt: skip
                placed = rows.with_columns(place.cast(pl.Int64).alias(STEP))
            spread = placed.with_columns(pl.int_ranges(pl.col(STEP), pl.col(STEP) + width).alias(STEP))
            counted = (
                spread.explode(STEP)
                .group_by([*by, STEP])
                .agg(
                    pl.len().cast(pl.Int64).alias("Count"),
                    pl.col(ID).n_unique().cast(pl.Int64).alias("Dcount"),
                )
            )
            return line.labelled(counted)

        return line.computed([Column("Count", T.LONG), Column("Dcount", T.LONG)], compute)


@plugin("session_count", syntax="session_count(ID, TIME, START, END, BIN, LOOKBACK [, DIMENSION, …])")
class SessionCount:
    """For each bin: sessions that begin in it; an id begins one when it was not seen for the lookback."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line, _ = timeline(call, source, b, call.rest(6))
        start, stop = bounds(call, 2, line.type, b)
        size = duration(call, 4, "Bin", line.type, b)
        back = duration(call, 5, "LookBackWindow", line.type, b)
        call.finish()
        if not isinstance(size, str):
            zero = origin(line.type)
            start_bin = zero + (start - zero) // size * size
        else:
            start_bin = start
        line = replace(line, labels=steps(call, start_bin, stop, size))

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            by = line.by()
            near = rows.filter((pl.col(TIME) > start - back) & (pl.col(TIME) <= stop)).sort(TIME)
            gap = pl.col(TIME) - pl.col(TIME).shift(1).over([*by, ID])
            begins = near.filter((gap.is_null() | (gap >= back)) & (pl.col(TIME) >= start))
            counted = (
                line.placed(begins).group_by([*by, STEP]).agg(pl.len().cast(pl.Int64).alias("count_sessions"))
            )
            return line.labelled(counted)

        return line.computed([Column("count_sessions", T.LONG)], compute)


@plugin(
    "rolling_percentile",
    syntax="rolling_percentile(VALUE, PERCENTILE, INDEX, BIN, BINS_PER_WINDOW [, DIMENSION, …])",
)
class RollingPercentile:
    """For each bin: a percentile of the values in the window of bins that ends with it."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        value_name, value = call.column(0, "ValueColumn", source, b)
        call.needed(1, "Percentile")
        percent = float(call.constant(1, "Percentile", b, T.REAL) or 0)
        name, index = call.column(2, "IndexColumn", source, b)
        if index.type is T.INT:
            index = b.convert(index, T.LONG)
        size = duration(call, 3, "BinSize", index.type, b)
        call.needed(4, "BinsPerWindow")
        width = max(1, int(call.constant(4, "BinsPerWindow", b, T.LONG) or 1))
        dimensions = b.columns(call.rest(5), source)
        call.finish()
        by = [n for n, _ in dimensions]
        zero = origin(index.type)
        shown = int(percent) if percent.is_integer() else percent
        made = f"rolling_{width}_percentile_{value_name}_{shown}".replace(".", "_")

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            place = ((pl.col(TIME) - zero) / size).floor().cast(pl.Int64) if index.type is T.REAL else (pl.col(TIME) - zero) // size  # fmt: skip
            placed = rows.with_columns(place.alias(STEP))
            spread = placed.with_columns(pl.int_ranges(pl.col(STEP), pl.col(STEP) + width).alias(STEP))
            rank = (pl.col(ID).count() * (percent / 100)).ceil().clip(1).cast(pl.Int64) - 1
            found = (
                spread.explode(STEP)
                .group_by([*by, STEP])
                .agg(pl.col(ID).drop_nulls().sort().get(rank, null_on_oob=True).alias(made))
            )
            own = found.join(
                placed.select([*by, STEP]).unique(), on=[*by, STEP], how="semi", nulls_equal=True
            )
            return own.with_columns((pl.col(STEP) * size + zero).alias(name)).sort([*by, name])

        schema = (
            Column(name, index.type),
            *(Column(n, e.type) for n, e in dimensions),
            Column(made, value.type),
        )
        rows = projected(source, [(ID, value), (TIME, index), *dimensions])
        return Computed(schema, rows, compute, ordered=True)


@plugin("dcount_intersect", syntax="dcount_intersect(HLL, HLL, …)")
class DCountIntersect:
    """Columns `s0`, `s1`, …: how many different values the first set of `hll()` has, the first two share, and so on."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        call.needed(1, "hll_2")
        call.finish(16)
        sets = [b.convert(e, T.DYNAMIC) for _, e in b.columns(call.rest(0), source)]
        columns: list[tuple[str, Expr]] = [
            (f"s{i}", b.call("<dcount shared>", *sets[: i + 1], span=call.span)) for i in range(len(sets))
        ]
        return projected(source, columns)
