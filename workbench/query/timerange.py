"""Time ranges that come from beside the query: `P1D`, `start/end`, and their cut of every scan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from workbench.base import clock
from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, parse_datetime, parse_timespan
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.plan import (
    FLIPPED,
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Project,
    Rel,
    Scan,
    Sort,
    Union,
    columns_of,
    map_inputs,
)

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


TimeRange = tuple[int | None, int | None]
"""µs since 1970, both inside; None is open."""
_TIME = "TimeGenerated"
_SCOPE = "query_datetimescope_"


def scopes_of(statements: Iterable[syntax.Statement]) -> list[tuple[str, TimeRange]]:
    """The range that `set query_datetimescope_from`, `_to` and `_column` state, and the column that it is about.

    Raises
    ------
    WorkbenchError
        KQL208 for a bound that is no datetime.

    Examples
    --------
    >>> from workbench.query.parser import parse
    >>> scopes_of(parse("set query_datetimescope_from = datetime(1970-01-02); print 1").statements)
    [('TimeGenerated', (86400000000, None))]
    """
    said = {s.name.lower(): s for s in statements if isinstance(s, syntax.SetOption)}
    bounds = [_moment(said.get(_SCOPE + end)) for end in ("from", "to")]
    if bounds == [None, None]:
        return []
    column = said.get(_SCOPE + "column")
    named = column.value.value if column is not None and isinstance(column.value, syntax.Literal) else None
    return [(str(named or "TimeGenerated"), (bounds[0], bounds[1]))]


def _moment(option: syntax.SetOption | None) -> int | None:
    if option is None or option.value is None:
        return None
    value = option.value.value if isinstance(option.value, syntax.Literal) else None
    ticks = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(ticks, int) or isinstance(ticks, bool):
        raise diagnostics.bad_argument(
            option.name, "it is a datetime, such as datetime(2026-01-01)", option.span
        )
    return ticks // 10


def without_bounds_from(rel: Rel, start: int, fold: Callable[[Expr], Expr]) -> Rel:
    """Without those filters that say no more than that `TimeGenerated` of a table is at or behind `start` (µs), or later.

    For sources that are cut themselves, by what came rather than by when it happened: what is late must not fall to a
    filter that was meant to say the same. A bound before `start` stays.
    """
    rel = map_inputs(rel, lambda r: without_bounds_from(r, start, fold))
    if not isinstance(rel, Filter) or not _has_own_time(rel.source):
        return rel
    parts = _conjuncts(rel.condition)
    left = [part for part in parts if not _is_bound_from(part, start, fold)]
    if len(left) == len(parts):
        return rel
    found = rel.source
    for part in left:
        found = Filter(rel.schema, found, part)
    return found


def _has_own_time(rel: Rel) -> bool:
    """Whether `TimeGenerated` of a relation is that of the tables that it reads."""
    if isinstance(rel, Scan):
        return True
    if isinstance(rel, Project) and not any(n == _TIME and isinstance(e, Col) and e.name == n for n, e in rel.columns):  # fmt: skip
        return False
    if isinstance(rel, Filter | Project | Sort | Union):
        return all(_has_own_time(r) for r in rel.inputs)
    return False


def _conjuncts(condition: Expr) -> list[Expr]:
    if isinstance(condition, Call) and condition.function == "and":
        return [part for side in condition.args for part in _conjuncts(side)]
    return [condition]


def _is_bound_from(condition: Expr, start: int, fold: Callable[[Expr], Expr]) -> bool:
    if not (isinstance(condition, Call) and condition.function in FLIPPED and len(condition.args) == 2):
        return False
    (left, right), operator = condition.args, condition.function
    if columns_of(left) == set():
        left, right, operator = right, left, FLIPPED[operator]
    if operator not in (">", ">=") or not (isinstance(left, Col) and left.name == _TIME) or columns_of(right):
        return False
    bound = fold(right)
    return isinstance(bound, Const) and bound.type is T.DATETIME and bound.value is not None and bound.value >= start * 10  # fmt: skip


def within(rel: Rel, time_range: TimeRange, column: str = "TimeGenerated") -> Rel:
    """Every scan of a table with that column of time cut to the range."""
    rel = map_inputs(rel, lambda r: within(r, time_range, column))
    found = rel.column(column)
    if not isinstance(rel, Scan) or found is None or found.type is not T.DATETIME:
        return rel
    terms: list[Expr] = []
    for bound, operator in zip(time_range, (">=", "<="), strict=True):
        if bound is not None:
            args = (Col(T.DATETIME, column), Const(T.DATETIME, bound * 10))
            terms.append(Call(T.BOOL, operator, args, (None, None)))
    for term in terms:
        rel = Filter(rel.schema, rel, term)
    return rel
