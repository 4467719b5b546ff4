"""`top-nested` in Polars: level by level, each row is given its value of the level or falls out."""

from __future__ import annotations

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query.functions.forms import canonical, literal
from workbench.query.functions.values import POLARS_TYPES
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._per_group import Held
from workbench.query.operators.top_nested import Level, TopNested
from workbench.query.plan import Col, Expr, Project, Rel, Summarize

_OF, _REST = "__of", "__rest"


@to_polars.register
def _top_nested(rel: TopNested, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    # Rows are looked at once a level, so they are read once.
    rows = context.collect(source.lazy.select(rel.source.names())).with_columns(pl.lit(False).alias(_REST))
    prefix: list[Column] = [Column(_REST, ScalarType.BOOL)]
    places: list[str] = []
    for number, level in enumerate(rel.levels):
        step = _Step(rel.source, source, level, number, tuple(prefix), context)
        rows = step.chosen(rows)
        prefix.insert(-1, Column(step.label, level.of.type))
        places.append(step.place)
    order = [*places]
    columns = [
        pl.col(f"__{part}{i}").alias(name)
        for i, level in enumerate(rel.levels)
        for part, name in (("label", level.name), ("measure", level.measure[0]))
    ]
    found = rows.unique(subset=[*places, *(c.name for c in prefix)], maintain_order=True)
    return Frame(found.sort(order, maintain_order=True).select(columns).lazy(), {})


class _Step:
    """One level: adds the columns `label`, `measure` and `place` to the rows that stay."""

    def __init__(self, rel: Rel, source: Frame, level: Level, number: int, prefix: tuple[Column, ...], context: PolarsContext) -> None:  # fmt: skip
        self.rel = rel
        self.source = source
        self.level = level
        self.prefix = prefix
        self.context = context
        self.label, self.measure, self.place = f"__label{number}", f"__measure{number}", f"__place{number}"

    def chosen(self, rows: pl.DataFrame) -> pl.DataFrame:
        level = self.level
        frame = Frame(rows.lazy(), self.source.forms)
        value = canonical(self.context.value(level.of, frame))
        rows = rows.lazy().with_columns(value.alias(_OF)).collect()
        open_rows, rest = rows.filter(~pl.col(_REST)), rows.filter(_REST)
        names = [c.name for c in self.prefix]
        totals = self._measured(open_rows, (*self.prefix, Column(_OF, level.of.type)))
        totals = totals.sort(self.measure, descending=level.descending, nulls_last=True, maintain_order=True)
        totals = totals.with_columns(pl.int_range(pl.len()).over(names).alias(self.place))
        if level.count is not None:
            totals = totals.filter(pl.col(self.place) < max(0, level.count))
        on = [*names, _OF]
        top = open_rows.join(totals, on=on, how="inner", nulls_equal=True).with_columns(
            pl.col(_OF).alias(self.label)
        )
        parts = [top]
        if level.others is not None:
            left = open_rows.join(totals, on=on, how="anti", nulls_equal=True)
            parts += [self._others(left), self._others(rest)]
        else:
            nothing = pl.lit(None, dtype=POLARS_TYPES[level.measure[1].type])
            label = literal(None, level.of.type)
            parts.append(rest.with_columns(nothing.alias(self.measure), _last(self.place), label.alias(self.label)))  # fmt: skip
        together = top.columns
        return pl.concat([p.select(together) for p in parts], how="vertical").drop(_OF)

    def _others(self, rows: pl.DataFrame) -> pl.DataFrame:
        """All these rows under the name of the others, measured together in their prefix."""
        assert self.level.others is not None
        totals = self._measured(rows, self.prefix).with_columns(_last(self.place))
        on = [c.name for c in self.prefix]
        label = literal(self.level.others.value, self.level.of.type).alias(self.label)
        joined = rows.join(totals, on=on, how="inner", nulls_equal=True)
        return joined.with_columns(label, pl.lit(True).alias(_REST))

    def _measured(self, rows: pl.DataFrame, by: tuple[Column, ...]) -> pl.DataFrame:
        schema = (*self.rel.schema, *by)
        # In the order of the rows, so that of equal measures the first one wins.
        held = Held(schema, Frame(rows.lazy(), self.source.forms), ordered=True)
        keys: tuple[tuple[str, Expr], ...] = tuple((c.name, Col(c.type, c.name)) for c in by)
        computed = tuple(c for a in self.level.aggregates for c in a.columns)
        grouped = Summarize((*by, *computed), held, keys, self.level.aggregates)
        expr = self.level.measure[1]
        columns = (*keys, (self.measure, expr))
        wanted = Project((*by, Column(self.measure, expr.type)), grouped, columns)
        return self.context.collect(self.context.canonical_frame(wanted))


def _last(name: str) -> pl.Expr:
    return pl.lit(2**40, dtype=pl.Int64).alias(name)
