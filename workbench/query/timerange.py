"""Time ranges that come from beside the query: `P1D`, `start/end`, and their cut of every scan."""

from __future__ import annotations

import re

from workbench.base import clock
from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, parse_datetime, parse_timespan
from workbench.base.errors import Span
from workbench.query.plan import Call, Col, Const, Expr, Filter, Rel, Scan, map_inputs

T = ScalarType


def parse_timerange(text: str) -> tuple[int | None, int | None]:
    """`P1D`, `PT1H`, `1d`, or `start/end` → µs since 1970, inclusive; None is open."""
    if "/" in text:
        first, last = text.split("/", 1)
        start_span, end_span = duration(first), duration(last)
        start, end = parse_datetime(first), parse_datetime(last)
        if start is not None and end is None and end_span is not None:
            end = start + end_span
        if end is not None and start is None and start_span is not None:
            start = end - start_span
        if start is None or end is None:
            raise diagnostics.bad_argument("timespan", f"{text!r} is no time range, such as P1D or 2026-01-01/2026-01-02", Span(0, 0))  # fmt: skip
        return start // 10, end // 10
    span = duration(text)
    if span is None:
        raise diagnostics.bad_argument("timespan", f"{text!r} is no time range, such as P1D or 2026-01-01/2026-01-02", Span(0, 0))  # fmt: skip
    return (clock.now_ticks() - span) // 10, None


def duration(text: str) -> int | None:
    """An ISO 8601 duration or a KQL timespan in ticks."""
    m = re.fullmatch(r"P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?", text)  # fmt: skip
    if m and any(m.groups()):
        scale = (604800, 86400, 3600, 60, 1)
        return round(sum(float(g) * s for g, s in zip(m.groups(), scale, strict=True) if g) * 10_000_000)
    return parse_timespan(text) if not text.isdigit() else None


def within(rel: Rel, time_range: tuple[int | None, int | None]) -> Rel:
    """Every scan of a table with TimeGenerated cut to the range."""
    rel = map_inputs(rel, lambda r: within(r, time_range))
    if not isinstance(rel, Scan) or rel.column("TimeGenerated") is None:
        return rel
    terms: list[Expr] = []
    for bound, operator in zip(time_range, (">=", "<="), strict=True):
        if bound is not None:
            args = (Col(T.DATETIME, "TimeGenerated"), Const(T.DATETIME, bound * 10))
            terms.append(Call(T.BOOL, operator, args, (None, None)))
    for term in terms:
        rel = Filter(rel.schema, rel, term)
    return rel
