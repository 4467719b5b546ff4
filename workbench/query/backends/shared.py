"""`Shared` in Polars: one lazy frame for all readers, kept by the engine after its first run."""

from __future__ import annotations

from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.plan import Shared


@to_polars.register
def _shared(rel: Shared, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    return Frame(source.lazy.cache(), source.forms)
