"""Plugins that give a table another shape: `narrow`, `preview`, `schema_merge`, `rows_near`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import MOST_ROWS, BinderApi
from workbench.query.operators._several import leaf_of, several
from workbench.query.operators.plugins._card import Computed, PluginCall, plugin, projected
from workbench.query.plan import Aggregate, Col, Expr, Limit, Rel, Summarize, columns_of

T = ScalarType
_OUT_OF_ORDER = "ERROR(columns are out of order)"
_TWO_TYPES = "ERROR(column has more than one type)"


@dataclass(frozen=True, slots=True)
class Narrowed(Rel):
    """One row a cell of `source`, whose columns are all texts."""

    source: Rel

    @property
    def serialized(self) -> bool:
        return True


@to_polars.register
def _narrowed(rel: Narrowed, context: PolarsContext) -> Frame:
    lazy = context.canonical_frame(rel.source).with_row_index("Row")
    cells = lazy.unpivot(rel.source.names(), index="Row", variable_name="Column", value_name="Value")
    return Frame(cells.with_columns(pl.col("Row").cast(pl.Int64)).sort("Row", maintain_order=True), {})


@plugin("narrow", syntax="narrow()")
class Narrow:
    """One row a cell: the number of its row from 0, the name of its column, its value as text."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        call.finish(0)
        texts = [(c.name, b.convert(Col(c.type, c.name), T.STRING)) for c in source.schema if not c.hidden]
        schema = (Column("Row", T.LONG), Column("Column", T.STRING), Column("Value", T.STRING))
        return Narrowed(schema, projected(source, texts))


@plugin("preview", syntax="preview(N)")
class Preview:
    """Two tables: the first N rows, and in `Count` how many there are."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        count = call.constant(0, "NumberOfRows", b, T.LONG, 1)
        call.finish(1)
        leaf = leaf_of(source)
        first = Limit(leaf.schema, leaf, min(max(0, int(count or 0)), MOST_ROWS))
        return several(source, leaf, [("Results", first), ("Results_2", _counted(leaf, "Count"))])


def _counted(source: Rel, name: str) -> Rel:
    column = Column(name, T.LONG)
    return Summarize((column,), source, (), (Aggregate("count", (), (), (column,)),))


@plugin("estimate_rows_count", syntax="estimate_rows_count()")
class EstimateRowsCount:
    """How many rows there are, counted."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        call.finish(0)
        return _counted(source, "EstimatedRowsCount")


@plugin("identity", syntax="identity()")
class Identity:
    """The same rows."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        call.finish(0)
        return source


@plugin("identity_v3", syntax="identity_v3([MODE [, TEXT]])")
class IdentityV3:
    """The same rows, whatever the arguments say."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        call.constant(0, "mode", b, T.STRING)
        call.constant(1, "exceptionText", b, T.STRING)
        call.finish(2)
        return source


@dataclass(frozen=True, slots=True)
class Near(Rel):
    """Rows at most `before` before or `after` after one for which `condition` holds."""

    source: Rel
    condition: Expr
    before: int
    after: int

    @property
    def serialized(self) -> bool:
        return self.source.serialized

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        source = prune(self.source, None if needed is None else needed | columns_of(self.condition))
        return replace(self, schema=source.schema, source=source)


@to_polars.register
def _near(rel: Near, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    here = pl.int_range(pl.len())
    hits = pl.when(context.canonical(rel.condition, source)).then(here)
    since, until = here - hits.forward_fill(), hits.backward_fill() - here
    return Frame(source.lazy.filter((since <= rel.after) | (until <= rel.before)), source.forms)


@plugin("rows_near", syntax="rows_near(CONDITION, ROWS [, ROWS_AFTER])")
class RowsNear:
    """The rows for which a condition holds and the rows around them."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        condition = b.predicate(call.needed(0, "Condition"), source)
        call.needed(1, "NumRows")
        before = int(call.constant(1, "NumRows", b, T.LONG) or 0)
        after = call.constant(2, "RowsAfter", b, T.LONG, before)
        call.finish(3)
        return Near(source.schema, source, condition, before, int(after or 0))


@plugin("schema_merge", syntax="schema_merge([PRESERVE_ORDER])")
class SchemaMerge:
    """One schema out of several that `getschema` gave; tells of columns that changed place or type."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        keep_order = bool(call.constant(0, "PreserveOrder", b, T.BOOL, True))
        call.finish(1)
        names = ("ColumnName", "ColumnOrdinal", "DataType", "ColumnType")
        types = (T.STRING, T.INT, T.STRING, T.STRING)
        given = [b.columns([_name(n, call)], source)[0][1] for n in names]
        columns = [(n, b.convert(e, t)) for n, e, t in zip(names, given, types, strict=True)]
        schema = tuple(Column(n, t) for n, t in zip(names, types, strict=True))
        return Computed(schema, projected(source, columns), lambda rows: _merged(rows, keep_order), True)


def _name(name: str, call: PluginCall) -> syntax.Name:
    return syntax.Name(call.span, name)


def _merged(rows: pl.DataFrame, keep_order: bool) -> pl.DataFrame:
    merged = rows.group_by("ColumnName", maintain_order=True).agg(
        pl.col("ColumnOrdinal").first().alias("first"),
        pl.col("ColumnOrdinal").max().alias("last"),
        pl.col("ColumnOrdinal").n_unique().alias("places"),
        pl.col("DataType").first(),
        pl.col("ColumnType").first(),
        pl.col("ColumnType").n_unique().alias("types"),
    )
    moved = (pl.col("places") > 1) & pl.lit(keep_order)
    fault = pl.when(moved).then(pl.lit(_OUT_OF_ORDER)).when(pl.col("types") > 1).then(pl.lit(_TWO_TYPES))
    bad = fault.is_not_null()
    ordered = merged.sort("last", maintain_order=True).with_columns(fault.alias("fault"))
    ordinal = pl.col("first") if keep_order else pl.int_range(pl.len(), dtype=pl.Int32)
    named = pl.concat_str(pl.lit("ERROR(unknown CSL type:"), "fault", pl.lit(")"))
    made = ordered.with_columns(
        pl.when(bad).then(pl.lit(-1, dtype=pl.Int32)).otherwise(ordinal).alias("ColumnOrdinal"),
        pl.when(bad).then(named).otherwise("DataType").alias("DataType"),
        pl.when(bad).then("fault").otherwise("ColumnType").alias("ColumnType"),
    )
    return pl.concat([made.filter(~bad), made.filter(bad)])
