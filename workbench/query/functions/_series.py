"""Arrays of numbers: reading them out of dynamic values, writing them back, and sums over them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

from workbench.base.diagnostics import query as diagnostics
from workbench.query.functions._card import DECIMAL, DYNAMIC, INT, LONG, REAL, Param

Number = int | float
Numbers = list[Number | None]
SERIES = Param(frozenset({DYNAMIC}))
SERIES_OR_NUMBER = Param(frozenset({DYNAMIC, INT, LONG, REAL, DECIMAL}))
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


_MOST_STEPS = 20_000_000  # a few seconds of work


def bounded(name: str, steps: int) -> None:
    """Refuse work of more than a few seconds on one array (KQL310)."""
    if steps > _MOST_STEPS:
        raise diagnostics.too_much(name, f"{steps:,} steps for one array, more than {_MOST_STEPS:,}")


def number(value: Any) -> Number | None:
    """A number of an array; text that stands for NaN and infinities too, anything else is None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    return _WORDS.get(value) if isinstance(value, str) else None


def numbers(value: Any) -> Numbers | None:
    """The elements of an array as numbers; None where it is no array."""
    return [number(v) for v in value] if isinstance(value, list) else None


def is_full(series: Numbers | None) -> TypeGuard[list[Number]]:
    """Whether it is an array of one number or more, with no gaps and none of them infinite or NaN."""
    return bool(series) and all(v is not None and math.isfinite(v) for v in series or ())


def written(values: Iterable[Number | bool | None]) -> list[Any]:
    """The numbers as JSON has them: NaN and infinities as text."""
    return [shown(v) for v in values]


def shown(value: Number | bool | None) -> Any:
    """One number as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def fsum(values: Iterable[Number]) -> float:
    """The exact sum; NaN of infinities of both signs, infinite where it is too large.

    Examples
    --------
    >>> fsum([0.1] * 10), fsum([math.inf, -math.inf]), fsum([1e308, 1e308])
    (1.0, nan, inf)
    """
    listed = list(values)
    try:
        return math.fsum(listed)
    except (ValueError, OverflowError):
        return float(sum(map(float, listed)))


def mean(values: Sequence[Number]) -> float:
    """The mean of one number or more."""
    return fsum(values) / len(values)


def squares(values: Sequence[Number], center: float) -> float:
    """The sum of squared distances from a value."""
    return fsum((v - center) ** 2 for v in values)


def variance(values: Sequence[Number]) -> float:
    """The variance of a sample; 0 of one value."""
    return squares(values, mean(values)) / (len(values) - 1) if len(values) > 1 else 0.0


def median(values: Sequence[Number]) -> float:
    """The middle of one number or more in order, or the mean of the two in the middle."""
    ordered, half = sorted(values), len(values) // 2
    return float(ordered[half]) if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def quantile(values: Sequence[Number], percent: float) -> float:
    """The percentile of one number or more, by linear interpolation between neighbours.

    Examples
    --------
    >>> quantile([1, 2, 3, 4], 50)
    2.5
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def prefixed(function: str, name: str | None, column: str) -> str:
    """The name of a column that a function gives: `series_stats_y_min`."""
    return "_".join(part for part in (function, name, column) if part)
