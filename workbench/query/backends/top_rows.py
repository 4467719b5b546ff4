"""`TopRows` in Polars: run the narrow part, then read the few files and rows that it named."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from workbench.query.lowering import Form, Frame, PolarsContext, to_polars
from workbench.query.plan import Limit, Rel, Scan, Sort, TopRows, map_inputs

_STORED = pl.Datetime("us", "UTC")


@to_polars.register
def _top_rows(rel: TopRows, context: PolarsContext) -> Frame:
    found = context.collect(context.canonical_frame(rel.narrow).select(rel.narrow.names()), stored=True)
    time_range: tuple[int | None, int | None] = (None, None)
    if "__time" in found.columns and found.height and found["__time"].null_count() == 0:
        ticks = found["__time"]
        time_range = (int(ticks.min()) // 10, int(ticks.max()) // 10)  # type: ignore[arg-type]
    wide = _ranged(rel.wide, time_range)
    source = context.frame(wide)
    rows = found.select("_Writer", "_Sequence").unique()
    picked = source.lazy
    if time_range != (None, None) and source.forms.get("__time") is Form.MICROSECONDS:
        # Rows lie by time in a file, their numbers need not: this is what skips row groups.
        first, last = (pl.lit(moment).cast(_STORED) for moment in time_range)
        picked = picked.filter(pl.col("__time").is_between(first, last))
    # The list has the reader decode the other columns for these rows only; the join tells writers apart.
    # A Series, not a literal's `implode()`: that one is searched from its start for each row.
    picked = picked.filter(pl.col("_Sequence").is_in(rows["_Sequence"].unique().sort().implode()))
    if rows["_Writer"].n_unique() > 1:
        picked = picked.join(rows.lazy(), on=["_Writer", "_Sequence"], how="semi")
    elif rows.height:
        picked = picked.filter(pl.col("_Writer") == rows["_Writer"][0])
    held = _Held(wide.schema, Frame(picked, source.forms))
    ordered = context.frame(Limit(wide.schema, Sort(wide.schema, held, rel.keys), max(found.height, 0)))
    kept = rel.names()
    return Frame(ordered.lazy.select(kept), {n: f for n, f in ordered.forms.items() if n in kept})


def _ranged(rel: Rel, time_range: tuple[int | None, int | None]) -> Rel:
    if isinstance(rel, Scan):
        return replace(rel, time_range=time_range) if time_range != (None, None) else rel
    return map_inputs(rel, lambda r: _ranged(r, time_range))


@dataclass(frozen=True, slots=True)
class _Held(Rel):
    """A relation that is lowered already."""

    frame: Frame


@to_polars.register
def _held(rel: _Held, context: PolarsContext) -> Frame:
    return rel.frame
