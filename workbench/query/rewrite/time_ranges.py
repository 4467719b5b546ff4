"""Bounds on `TimeGenerated` reach the scans, so that they can skip files.

`push_down` has brought the filters as near to the scans as they go; here they are only read. A bound may
be of the time rounded down (`bin`, `startofday`), shifted by a constant, or of how long ago it was. What
lies between a filter and its scan may be projections that keep the time, sorts, unions.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.base.dtypes import ScalarType
from workbench.query.functions.purity import any_looks_around, looks_around
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
    map_inputs,
)

TIME = "TimeGenerated"
OPEN: tuple[int | None, int | None] = (None, None)
_DAY = 864_000_000_000
# What rounds a time down, and by how much at most; None: by the second argument.
_FLOORS: dict[str, int | None] = {
    "bin": None, "floor": None, "startofday": _DAY, "startofweek": 7 * _DAY,
    "startofmonth": 31 * _DAY, "startofyear": 366 * _DAY,
}  # fmt: skip


def push_time_ranges(rel: Rel) -> Rel:
    """Bounds on `TimeGenerated` in filters reach the scan, so that it can skip files."""
    return _push(rel, OPEN)


def _push(rel: Rel, bounds: tuple[int | None, int | None]) -> Rel:
    if isinstance(rel, Filter):
        inner = OPEN if looks_around(rel.condition) else _meet(bounds, time_bounds(rel.condition))
        return map_inputs(rel, lambda r: _push(r, inner))
    if isinstance(rel, Scan):
        return replace(rel, time_range=_meet(rel.time_range, bounds)) if bounds != OPEN else rel
    if isinstance(rel, Project):
        kept = any(n == TIME and isinstance(e, Col) and e.name == n for n, e in rel.columns)
        around = any_looks_around(rel.columns)
        inner = bounds if kept and not around else OPEN
        return map_inputs(rel, lambda r: _push(r, inner))
    if isinstance(rel, Sort | Union):
        return map_inputs(rel, lambda r: _push(r, bounds))
    return map_inputs(rel, lambda r: _push(r, OPEN))


def time_bounds(condition: Expr) -> tuple[int | None, int | None]:
    """The range of µs (inclusive) outside of which `condition` cannot hold; None is open.

    >>> from workbench.base.dtypes import ScalarType as T
    >>> time = Col(T.DATETIME, "TimeGenerated")
    >>> time_bounds(Call(T.BOOL, ">=", (time, Const(T.DATETIME, 70))))
    (7, None)
    """
    if not isinstance(condition, Call):
        return OPEN
    if condition.function == "and":
        return _meet(time_bounds(condition.args[0]), time_bounds(condition.args[1]))
    if condition.function == "or":
        a, b = time_bounds(condition.args[0]), time_bounds(condition.args[1])
        low = None if a[0] is None or b[0] is None else min(a[0], b[0])
        high = None if a[1] is None or b[1] is None else max(a[1], b[1])
        return low, high
    if condition.function == "in" and len(condition.args) == 2:
        return _listed(*condition.args)
    if condition.function in FLIPPED and len(condition.args) == 2:
        left, right = condition.args
        operator = condition.function
        if not isinstance(right, Const):
            left, right, operator = right, left, FLIPPED[operator]
        if isinstance(right, Const) and right.value is not None:
            return _compared(left, operator, right)
    return OPEN


def _listed(value: Expr, items: Expr) -> tuple[int | None, int | None]:
    """`TimeGenerated in (…)`: from the earliest to the latest."""
    if not (isinstance(value, Col) and value.name == TIME and isinstance(items, Const)):
        return OPEN
    ticks = [v for v in items.value if v is not None]
    if not ticks or not all(isinstance(v, int) for v in ticks):
        return OPEN
    return min(ticks) // 10, -(-max(ticks) // 10)


def _compared(side: Expr, operator: str, limit: Const) -> tuple[int | None, int | None]:
    """Bounds of `side <operator> limit`, where `side` is made of the time and constants alone."""
    ticks, type_ = limit.value, limit.type
    if not isinstance(ticks, int) or isinstance(ticks, bool):
        return OPEN
    width = 0  # how far below the time `side` may lie
    while isinstance(side, Call) and side.args:
        first, rest = side.args[0], side.args[1:]
        if side.function in _FLOORS and side.type is ScalarType.DATETIME:
            size = _FLOORS[side.function] if not rest else _constant(rest, ScalarType.TIMESPAN)
            if size is None or size <= 0 or (rest and _FLOORS[side.function] is not None):
                return OPEN
            width, side = width + size, first
            continue
        shift = _constant(rest, ScalarType.TIMESPAN) if first.type is ScalarType.DATETIME else None
        if side.function in ("+", "-") and shift is not None:
            ticks, side = ticks - shift if side.function == "+" else ticks + shift, first
            continue
        start = _constant((first,), ScalarType.DATETIME)
        if side.function == "-" and start is not None and len(rest) == 1 and not width:
            # How long ago: `now() - TimeGenerated < 1d`.
            ticks, side, operator = start - ticks, rest[0], FLIPPED[operator]
            type_ = ScalarType.DATETIME
            continue
        return OPEN
    if not (isinstance(side, Col) and side.name == TIME and type_ is ScalarType.DATETIME):
        return OPEN
    low, high = ticks // 10, -(-(ticks + width) // 10)
    return low if operator in (">", ">=", "==") else None, high if operator in ("<", "<=", "==") else None


def _constant(args: tuple[Expr, ...], type_: ScalarType) -> int | None:
    """The ticks of the one constant that `args` are."""
    if len(args) != 1 or not isinstance(args[0], Const) or args[0].type is not type_:
        return None
    return args[0].value if isinstance(args[0].value, int) else None


def _meet(
    a: tuple[int | None, int | None], b: tuple[int | None, int | None]
) -> tuple[int | None, int | None]:
    low = a[0] if b[0] is None else b[0] if a[0] is None else max(a[0], b[0])
    high = a[1] if b[1] is None else b[1] if a[1] is None else min(a[1], b[1])
    return low, high
