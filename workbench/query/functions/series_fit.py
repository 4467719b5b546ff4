"""`series_fit_*`: lines and polynomials through arrays by least squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import DYNAMIC, LONG, REAL, opt, scalar
from workbench.query.functions._series import (
    SERIES,
    Number,
    bounded,
    fsum,
    is_full,
    mean,
    numbers,
    prefixed,
    squares,
    variance,
)

NO_SQL = (
    "series are computed along their elements, each from those before it, which no expression of SQL does"
)

Columns = tuple[tuple[str, ScalarType], ...]
_LINE: Columns = (
    ("rsquare", REAL), ("slope", REAL), ("variance", REAL), ("rvariance", REAL), ("interception", REAL),
    ("line_fit", DYNAMIC),
)  # fmt: skip
_SIDE = ("rsquare", "slope", "interception", "variance", "rvariance")
_TWO_LINES: Columns = (
    ("rsquare", REAL), ("split_idx", LONG), ("variance", REAL), ("rvariance", REAL), ("line_fit", DYNAMIC),
    *((f"{side}_{name}", REAL) for side in ("right", "left") for name in _SIDE),
)  # fmt: skip
_POLYNOMIAL: Columns = (
    ("rsquare", REAL), ("coefficients", DYNAMIC), ("variance", REAL), ("rvariance", REAL), ("poly_fit", DYNAMIC),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A line through the points (1, y1), (2, y2), …"""

    slope: float
    interception: float

    def through(self, count: int) -> list[float]:
        """Its values at 1, 2, … count."""
        return [self.slope * x + self.interception for x in range(1, count + 1)]


def fitted(values: Sequence[Number]) -> Line:
    """The line of least squares through one value or more.

    Examples
    --------
    >>> fitted([1, 3, 5])
    Line(slope=2.0, interception=-1.0)
    """
    count = len(values)
    middle, center = (count + 1) / 2, mean(values)
    across = fsum((x - middle) * (y - center) for x, y in enumerate(values, 1))
    along = fsum((x - middle) ** 2 for x in range(1, count + 1))
    slope = across / along if along else 0.0
    return Line(slope, center - slope * middle)


def _quality(values: Sequence[Number], fit: Sequence[float]) -> dict[str, float]:
    """How much of the spread the fit explains: r-square, variance, and that of what is left."""
    left = [y - f for y, f in zip(values, fit, strict=True)]
    total, rest = squares(values, mean(values)), fsum(v * v for v in left)
    return {
        "rsquare": 1 - rest / total if total else 1.0 if rest == 0 else 0.0,
        "variance": variance(values),
        "rvariance": variance(left),
    }


def _line(values: Sequence[Number]) -> dict[str, Any]:
    line = fitted(values)
    fit = line.through(len(values))
    return {**_quality(values, fit), "slope": line.slope, "interception": line.interception, "line_fit": fit}


def _two_lines(values: Sequence[Number]) -> dict[str, Any] | None:
    """The two lines, before and from one index on, that leave the least; None under four values.

    Each line counts from its own first point.
    """
    best: tuple[float, int, dict[str, Any], dict[str, Any]] | None = None
    for split in _splits(values):
        left, right = _line(values[:split]), _line(values[split:])
        rest = _rest(values[:split], left) + _rest(values[split:], right)
        if best is None or rest < best[0]:
            best = (rest, split, left, right)
    if best is None:
        return None
    _, split, left, right = best
    fit = left["line_fit"] + right["line_fit"]
    sides = {f"{n}_{k}": side[k] for n, side in (("right", right), ("left", left)) for k in _SIDE}
    return {**_quality(values, fit), "split_idx": split, "line_fit": fit, **sides}


_FEW = 300  # values up to which each split is tried
_NEAREST = 20  # of more values, how many splits are compared exactly


def _splits(values: Sequence[Number]) -> Sequence[int]:
    """The splits that may be the best one: of long arrays those with the least rest by running sums."""
    count = len(values)
    if count <= _FEW:
        return range(2, count - 1)
    bounded("series_fit_2lines", count * _NEAREST)
    before, after = _rests(values), _rests(values[::-1])
    both = {split: before[split - 1] + after[count - split - 1] for split in range(2, count - 1)}
    return sorted(sorted(both, key=both.__getitem__)[:_NEAREST])


def _rests(values: Sequence[Number]) -> list[float]:
    """For each stretch from the first value on, the squares that its line of least squares leaves."""
    found: list[float] = []
    middle = center = along = across = spread = 0.0
    for count, y in enumerate(values, 1):
        # Running means and products of distances from them, which lose no digits.
        dx, dy = count - middle, y - center
        middle += dx / count
        center += dy / count
        along += dx * (count - middle)
        across += dx * (y - center)
        spread += dy * (y - center)
        found.append(max(0.0, spread - across * across / along if along else 0.0))
    return found


def _rest(values: Sequence[Number], line: dict[str, Any]) -> float:
    return fsum((y - f) ** 2 for y, f in zip(values, line["line_fit"], strict=True))


def _polynomial(y: Sequence[Number], x: Sequence[Number], degree: int) -> dict[str, Any] | None:
    """The polynomial of least squares, by orthogonal columns of powers (modified Gram-Schmidt)."""
    # Powers of the raw values grow beyond what reals keep: x is moved and scaled to -1 … 1, and back at the end.
    low, high = min(x), max(x)
    center, scale = (low + high) / 2, (high - low) / 2 or 1.0
    u = [(v - center) / scale for v in x]
    degree = min(degree, len(set(x)) - 1)
    columns = [[v**k for v in u] for k in range(degree + 1)]
    triangle = [[0.0] * (degree + 1) for _ in columns]
    target, onto = [float(v) for v in y], []
    for k, column in enumerate(columns):
        size = math.sqrt(fsum(v * v for v in column))
        if size == 0:
            return None
        triangle[k][k] = size
        unit = [v / size for v in column]
        for j in range(k + 1, degree + 1):
            triangle[k][j] = fsum(a * b for a, b in zip(unit, columns[j], strict=True))
            columns[j] = [b - triangle[k][j] * a for a, b in zip(unit, columns[j], strict=True)]
        onto.append(fsum(a * b for a, b in zip(unit, target, strict=True)))
        target = [b - onto[k] * a for a, b in zip(unit, target, strict=True)]
    factors = [0.0] * (degree + 1)
    for k in range(degree, -1, -1):
        known = fsum(triangle[k][j] * factors[j] for j in range(k + 1, degree + 1))
        factors[k] = (onto[k] - known) / triangle[k][k]
    fit = [b - left for b, left in zip(y, target, strict=True)]
    return {**_quality(y, fit), "coefficients": _unscaled(factors, center, scale)[::-1], "poly_fit": fit}


def _unscaled(factors: Sequence[float], center: float, scale: float) -> list[float]:
    """Factors of powers of x out of those of (x - center) / scale, lowest first."""
    found = [0.0] * len(factors)
    for k, factor in enumerate(factors):
        for j in range(k + 1):
            found[j] += factor / scale**k * math.comb(k, j) * (-center) ** (k - j)
    return found


def _registered(name: str, columns: Columns, fit: Any, doc: str) -> None:
    """The function with columns, and its `_dynamic` twin that gives a bag."""

    @scalar(name, [SERIES], DYNAMIC)
    class _Fit:
        @staticmethod
        def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
            return [(prefixed(name, names[0], column), t) for column, t in columns]

        @staticmethod
        def row(series: Any) -> list[Any] | None:
            values = numbers(series)
            found = fit(values) if is_full(values) else None
            return None if found is None else [found[column] for column, _ in columns]

    _Fit.__doc__ = f"{doc}, as columns."

    @scalar(f"{name}_dynamic", [SERIES], DYNAMIC)
    class _FitDynamic:
        @staticmethod
        def row(series: Any) -> dict[str, Any] | None:
            values = numbers(series)
            found = fit(values) if is_full(values) else None
            return None if found is None else {column: found[column] for column, _ in columns}

    _FitDynamic.__doc__ = f"{doc}, as a bag."


_registered("series_fit_line", _LINE, _line, "The straight line of least squares through an array")
_registered(
    "series_fit_2lines", _TWO_LINES, _two_lines, "The two lines that fit an array best, one before a split and one after"
)  # fmt: skip


@scalar("series_fit_poly", [SERIES, opt(SERIES), opt(LONG)], DYNAMIC)
class SeriesFitPoly:
    """The polynomial of least squares through an array, as columns; the highest power's factor comes first.

    The second argument holds where the values lie (1, 2, 3, … unless told otherwise), the third is the degree (1).
    """

    nulls = True

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return [(prefixed("series_fit_poly", names[0], column), t) for column, t in _POLYNOMIAL]

    @staticmethod
    def row(series: Any, places: Any = None, degree: int | None = 1) -> list[Any] | None:
        y = numbers(series)
        x = numbers(places if places is not None else list(range(1, len(y or ()) + 1)))
        if not is_full(y) or not is_full(x) or len(x) != len(y):
            return None
        degree = max(0, 1 if degree is None else degree)
        bounded("series_fit_poly", len(y) * min(degree + 1, len(y)) ** 2)
        found = _polynomial(y, x, degree)
        return None if found is None else [found[column] for column, _ in _POLYNOMIAL]
