"""Fewer points that say the same: at most eight series, gaps where bins are missing, thin lines.

Each function takes the long frame of a `Shape` (x, y, s) and gives one back with a word about what
it left out, so that a chart can say how sure it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

MOST_SERIES = 8
MOST_POINTS = 2_000
MOST_RUNS = 400
# Times on a grid of whole seconds are what logs write anyway; on one of minutes they were binned.
_COARSE = 60_000_000
_MEANS = ("avg", "mean", "percentile", "median", "stdev", "variance", "rate")


def rule_of(names: Sequence[str]) -> str:
    """How the values of a rest are put together, by the name of their aggregate.

    Examples
    --------
    >>> rule_of(["avg_CounterValue"]), rule_of(["count_"]), rule_of(["max_Latency"])
    ('mean', 'sum', 'max')
    """
    first = names[0].lower() if names else ""
    if any(part in first for part in _MEANS):
        return "mean"
    return first[:3] if first.startswith(("min_", "max_")) else "sum"


def few_series(frame: pl.DataFrame, rule: str) -> tuple[pl.DataFrame, list[str], str | None]:
    """Keep the eight largest series; the others become one.

    Returns
    -------
    frame, names, rest
        The names in order of their size as it was first seen for ties; `rest` is the name of the
        series that holds the others, None when there is none.
    """
    sizes = (
        frame.with_row_index("at")
        .group_by("s")
        .agg(size=pl.col("y").abs().sum(), at=pl.col("at").min())
        .sort(["size", "at"], descending=[True, False])
    )
    if sizes.height <= MOST_SERIES:
        return frame, sizes.sort("at")["s"].to_list(), None
    kept = sizes.head(MOST_SERIES).sort("at")["s"].to_list()
    rest = f"other ({sizes.height - MOST_SERIES:,}, {rule})"
    others = _merged(frame.filter(~pl.col("s").is_in(kept)), rest, rule)
    return pl.concat([frame.filter(pl.col("s").is_in(kept)), others]), kept, rest


def few_categories(frame: pl.DataFrame, rule: str, most: int) -> tuple[pl.DataFrame, list[str], str | None]:
    """Keep the `most` largest values of x; the others become one bar at the end."""
    sizes = (
        frame.with_row_index("at")
        .group_by("x")
        .agg(size=pl.col("y").abs().sum(), at=pl.col("at").min())
        .sort(["size", "at"], descending=[True, False])
    )
    if sizes.height <= most:
        return frame, sizes.sort("at")["x"].to_list(), None
    kept = sizes.head(most).sort("at")["x"].to_list()
    rest = f"other ({sizes.height - most:,}, {rule})"
    others = frame.filter(~pl.col("x").is_in(kept)).with_columns(x=pl.lit(rest))
    one = _merged(others, None, rule)
    return pl.concat([frame.filter(pl.col("x").is_in(kept)), one]), [*kept, rest], rest


def _merged(frame: pl.DataFrame, name: str | None, rule: str) -> pl.DataFrame:
    """Points of the same x (and series) as one."""
    renamed = frame if name is None else frame.with_columns(s=pl.lit(name))
    value = pl.col("y")
    by = {"sum": value.sum(), "mean": value.mean(), "min": value.min(), "max": value.max()}[rule]
    return renamed.group_by(["x", "s"], maintain_order=True).agg(y=by).select("x", "y", "s")


def merged(frame: pl.DataFrame, rule: str) -> pl.DataFrame:
    """One value for each x and series."""
    return _merged(frame, None, rule)


def step_of(x: pl.Series) -> float | None:
    """The width of the bins on an axis, when its values lie on a grid.

    Parameters
    ----------
    x : polars.Series
        Int64 µs or Float64.

    Examples
    --------
    >>> step_of(pl.Series([0, 60, 120, 300])), step_of(pl.Series([0, 7, 31]))
    (60.0, None)
    """
    values = x.drop_nulls().unique().sort()
    if values.len() < 3:
        return None
    steps = values.diff().drop_nulls()
    least: Any = steps.min()
    if not least > 0:
        return None
    off: Any = ((steps / least).round() * least - steps).abs().max()
    largest: Any = values.abs().max()
    on_grid = off <= 1e-9 * float(largest or 1)
    usual = int((steps == least).sum()) * 2 >= steps.len()
    aligned = x.dtype == pl.Int64 and least >= _COARSE and bool((values % least == 0).all())
    return float(least) if on_grid and (usual or aligned) else None


def runs(frame: pl.DataFrame, step: float | None) -> pl.DataFrame:
    """Number the unbroken stretches of each series in a column `run`."""
    if step is None:
        return frame.with_columns(run=pl.lit(0, pl.UInt32))
    broken = pl.col("x").diff().over("s") > 1.5 * step
    numbered = frame.with_columns(run=broken.fill_null(False).cum_sum().over("s").cast(pl.UInt32))
    counted = numbered.select(pl.struct("s", "run").n_unique()).item()
    return numbered if counted <= MOST_RUNS else numbered.with_columns(run=pl.lit(0, pl.UInt32))


def thin(frame: pl.DataFrame, together: bool) -> tuple[pl.DataFrame, str | None]:
    """At most about `MOST_POINTS` points that keep the outline.

    Parameters
    ----------
    frame : polars.DataFrame
        x, y, s, run; sorted by x.
    together : bool
        The series are stacked, so each needs a value at the same x: means. Otherwise the least
        and the greatest point of each stretch are kept as they are.
    """
    if frame.height <= MOST_POINTS:
        return frame, None
    series = max(1, frame["s"].n_unique())
    low: Any = frame["x"].min()
    high: Any = frame["x"].max()
    buckets = max(50, MOST_POINTS // (series if together else 2 * series))
    wide = max((high - low) / buckets, 1e-9)
    keyed = frame.with_columns(
        bucket=((pl.col("x") - low) / wide).floor().cast(pl.Int64).clip(0, buckets - 1)
    )
    keys = ["s", "run", "bucket"]
    if together:
        start = (pl.col("bucket") * wide + low).cast(frame["x"].dtype)
        kept = keyed.group_by(keys, maintain_order=True).agg(y=pl.col("y").mean()).with_columns(x=start)
        how = "mean"
    else:
        ends = keyed.group_by(keys, maintain_order=True).agg(
            pl.col("x").get(pl.col("y").arg_min()).alias("x0"), pl.col("y").min().alias("y0"),
            pl.col("x").get(pl.col("y").arg_max()).alias("x1"), pl.col("y").max().alias("y1"),
        )  # fmt: skip
        kept = pl.concat([ends.select(*keys, x=f"x{i}", y=f"y{i}") for i in (0, 1)]).unique()
        how = "least and greatest"
    kept = kept.select("x", "y", "s", "run").filter(pl.col("x").is_not_null()).sort("x")
    span = f" of each {_span(wide)}" if frame["x"].dtype == pl.Int64 else ""
    return kept, f"{frame.height:,} points drawn as {kept.height:,} ({how}{span})"


def _span(microseconds: float) -> str:
    seconds = microseconds / 1e6
    return f"{seconds:.3g} s" if seconds < 120 else str(dt.timedelta(seconds=round(seconds)))


def with_gaps(frame: pl.DataFrame) -> pl.DataFrame:
    """A row without a value between two runs of a series, and `o` where a point stands alone."""
    ordered = frame.sort(["s", "x"], maintain_order=True)
    last = pl.col("run") != pl.col("run").shift(-1).over("s")
    middle = (pl.col("x") + pl.col("x").shift(-1).over("s")) / 2
    breaks = ordered.filter(last.fill_null(False)).height
    alone = pl.len().over(["s", "run"]) == 1
    marked = ordered.with_columns(o=alone)
    if not breaks:
        return marked.select("x", "y", "s", "o")
    holes = ordered.with_columns(x=middle.cast(ordered["x"].dtype), y=pl.lit(None, pl.Float64)).filter(
        last.fill_null(False)
    )
    joined = pl.concat([marked.select("x", "y", "s", "o"), holes.select("x", "y", "s", o=pl.lit(False))])
    return joined.sort(["s", "x"], maintain_order=True)


def thin_cloud(frame: pl.DataFrame) -> tuple[pl.DataFrame, str | None]:
    """Of points that fall on the same spot of the picture, the first."""
    if frame.height <= MOST_POINTS:
        return frame, None
    spots = [
        ((pl.col(c).cast(pl.Float64) - pl.col(c).min()) / (pl.col(c).max() - pl.col(c).min()) * n)
        .floor()
        .alias(f"at_{c}")
        for c, n in (("x", 160), ("y", 60))
    ]
    kept = frame.with_columns(spots).unique(["at_x", "at_y", "s"], keep="first", maintain_order=True)
    kept = kept.select("x", "y", "s")
    if kept.height > 2 * MOST_POINTS:
        kept = kept.gather_every(-(-kept.height // (2 * MOST_POINTS)))
    return kept, f"{frame.height:,} points drawn as {kept.height:,} (one a spot)"
