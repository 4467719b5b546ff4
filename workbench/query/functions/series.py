"""`series_*` on elements: arithmetic, comparison and mathematics on arrays, and what sums them up.

Any element that is no number, and any that the other array lacks, gives null.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_lists, _sql_series
from workbench.query.functions._card import BOOL, DYNAMIC, LONG, REAL, const, opt, scalar
from workbench.query.functions._series import (
    SERIES,
    SERIES_OR_NUMBER,
    Number,
    Numbers,
    fsum,
    mean,
    number,
    numbers,
    prefixed,
    variance,
    written,
)

NO_SQL = (
    "series are computed along their elements, each from those before it, which no expression of SQL does"
)

Pair = Callable[[Number, Number], Number | bool | None]


def _pairs(a: Any, b: Any) -> list[tuple[Number | None, Number | None]] | None:
    """Elements side by side; a lone number stands beside each element of the other."""
    left, right = numbers(a), numbers(b)
    if left is None and right is None:
        return None
    if left is None:
        left = [number(a)] * len(right or ())
    if right is None:
        right = [number(b)] * len(left)
    return list(zip_longest(left, right))


def _on_pairs(name: str, compute: Pair, build: _sql_series.Pair, doc: str) -> None:
    @scalar(f"series_{name}", [SERIES_OR_NUMBER, SERIES_OR_NUMBER], DYNAMIC)
    class _OnPairs:
        @staticmethod
        def row(a: Any, b: Any) -> list[Any] | None:
            pairs = _pairs(a, b)
            if pairs is None:
                return None
            return written(None if x is None or y is None else compute(x, y) for x, y in pairs)

        @staticmethod
        def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
            return _sql_series.on_pairs(a, b, types, build)

    _OnPairs.__doc__ = doc


def divided(a: Number, b: Number) -> float:
    """A quotient of reals: infinite or NaN over zero."""
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


def _power(a: Number, b: Number) -> float:
    try:
        return math.pow(a, b)
    except ValueError:
        return math.nan
    except OverflowError:
        return math.inf


_on_pairs("add", operator.add, _sql_series.whole_or_real("+"), "The sums of two arrays' elements.")
_on_pairs(
    "subtract", operator.sub, _sql_series.whole_or_real("-"), "The differences of two arrays' elements."
)
_on_pairs("multiply", operator.mul, _sql_series.whole_or_real("*"), "The products of two arrays' elements.")
_on_pairs("divide", divided, _sql_series.divided, "The quotients of two arrays' elements, as reals.")
_on_pairs("pow", _power, _sql_series.power, "The first array's elements to the power of the second's.")
_on_pairs(
    "greater",
    operator.gt,
    _sql_series.compared(">"),
    "Where the first array's element is larger than the second's.",
)
_on_pairs(
    "greater_equals",
    operator.ge,
    _sql_series.compared(">="),
    "Where the first array's element is not smaller than the second's.",
)
_on_pairs(
    "less",
    operator.lt,
    _sql_series.compared("<"),
    "Where the first array's element is smaller than the second's.",
)
_on_pairs(
    "less_equals",
    operator.le,
    _sql_series.compared("<="),
    "Where the first array's element is not larger than the second's.",
)
_on_pairs("equals", operator.eq, _sql_series.compared("="), "Where two arrays' elements are equal.")
_on_pairs("not_equals", operator.ne, _sql_series.compared("<>"), "Where two arrays' elements differ.")


def _on_each(name: str, compute: Callable[[Number], Number], build: _sql_series.Single, doc: str) -> None:
    def safe(value: Number) -> Number:
        try:
            return compute(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    @scalar(f"series_{name}", [SERIES], DYNAMIC)
    class _OnEach:
        @staticmethod
        def row(series: Any) -> list[Any] | None:
            values = numbers(series)
            return None if values is None else written(None if v is None else safe(v) for v in values)

        @staticmethod
        def sql(series: _sql.Sql) -> _sql.Sql:
            return _sql_series.on_each(series, build)

    _OnEach.__doc__ = doc


def _whole(rounding: Callable[[float], int]) -> Callable[[Number], float]:
    return lambda v: float(rounding(v)) if math.isfinite(v) else float(v)


def _log(value: Number) -> float:
    return -math.inf if value == 0 else math.log(value)


_on_each("abs", abs, _sql_series.absolute, "The elements without their signs.")
_on_each("sign", lambda v: (v > 0) - (v < 0), _sql_series.sign, "The elements' signs: 1, 0 or -1.")
_on_each(
    "ceiling",
    _whole(math.ceil),
    _sql_series.real("ceil"),
    "The least whole numbers that are not below the elements.",
)
_on_each(
    "floor",
    _whole(math.floor),
    _sql_series.real("floor"),
    "The largest whole numbers that are not above the elements.",
)
_on_each("exp", math.exp, _sql_series.real("exp"), "e to the power of each element.")
_on_each("log", _log, _sql_series.real("ln"), "The natural logarithms of the elements.")
_on_each("sin", math.sin, _sql_series.real("sin"), "The sines of the elements.")
_on_each("cos", math.cos, _sql_series.real("cos"), "The cosines of the elements.")
_on_each("tan", math.tan, _sql_series.real("tan"), "The tangents of the elements.")
_on_each("asin", math.asin, _sql_series.real("asin"), "The angles whose sines the elements are.")
_on_each("acos", math.acos, _sql_series.real("acos"), "The angles whose cosines the elements are.")
_on_each("atan", math.atan, _sql_series.real("atan"), "The angles whose tangents the elements are.")


# ---- one number out of an array -------------------------------------------------------------


def _over_all(name: str, compute: Callable[[list[Number]], float], build: Callable[[_sql.Sql], _sql.Sql], doc: str) -> None:  # fmt: skip
    @scalar(f"series_{name}", [SERIES], REAL)
    class _OverAll:
        @staticmethod
        def row(series: Any) -> float | None:
            values = numbers(series)
            known = [v for v in values or () if v is not None]
            return None if values is None or len(known) < len(values) else compute(known)

        @staticmethod
        def sql(series: _sql.Sql) -> _sql.Sql:
            return _sql_lists.bound(
                _sql_series.numbers(series), lambda v: _sql.case((_sql_series.full(v), build(v))), "v0"
            )

    _OverAll.__doc__ = doc


_over_all("sum", fsum, _sql_series.total, "The sum of the elements; null if one is no number.")
_over_all("product", lambda values: float(math.prod(values)), _sql_series.product, "The product of the elements; null if one is no number.")  # fmt: skip
_over_all("magnitude", lambda values: math.sqrt(fsum(v * v for v in values)), _sql_series.magnitude, "The length of the vector: the root of the sum of squares.")  # fmt: skip


@scalar("series_dot_product", [SERIES_OR_NUMBER, SERIES_OR_NUMBER], REAL)
class SeriesDotProduct:
    """The sum of the products of two arrays' elements."""

    @staticmethod
    def row(a: Any, b: Any) -> float | None:
        found = _complete(_pairs(a, b))
        return None if found is None else fsum(x * y for x, y in found)

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        x, y = _sql_series.beside(a, b, types)
        products = _sql_series.products(x, y)
        found = _sql_lists.bound(products, _sql_series.total_if_full, "p")
        return _sql.known(found, products, a, b)


def _complete(pairs: Sequence[tuple[Number | None, Number | None]] | None) -> list[tuple[Number, Number]] | None:  # fmt: skip
    """The pairs where every one has both numbers; else None."""
    if pairs is None:
        return None
    known = [(x, y) for x, y in pairs if x is not None and y is not None]
    return known if len(known) == len(pairs) else None


@scalar("series_pearson_correlation", [SERIES, SERIES], REAL)
class SeriesPearsonCorrelation:
    """How well one array follows the other in a straight line: from -1 to 1."""

    @staticmethod
    def row(a: Any, b: Any) -> float | None:
        found = _complete(_pairs(a, b)) if isinstance(a, list) and isinstance(b, list) else None
        if not found:
            return None
        x, y = mean([p[0] for p in found]), mean([p[1] for p in found])
        together = fsum((p[0] - x) * (p[1] - y) for p in found)
        apart = fsum((p[0] - x) ** 2 for p in found) * fsum((p[1] - y) ** 2 for p in found)
        return divided(together, math.sqrt(apart))


@scalar("series_cosine_similarity", [SERIES, SERIES, opt(REAL), opt(REAL)], REAL)
class SeriesCosineSimilarity:
    """The cosine of the angle between two vectors, whose lengths may be given."""

    nulls = True

    @staticmethod
    def row(a: Any, b: Any, length1: float | None = None, length2: float | None = None) -> float | None:
        if not isinstance(a, list) or not isinstance(b, list):
            return None
        pairs = [(number(x), number(y)) for x, y in zip(a, b, strict=False)]
        known = [(x, y) for x, y in pairs if x is not None and y is not None]
        if not known:
            return None
        first = length1 if length1 is not None else math.sqrt(fsum(x * x for x, _ in known))
        second = length2 if length2 is not None else math.sqrt(fsum(y * y for _, y in known))
        return divided(fsum(x * y for x, y in known), first * second)


# ---- statistics -----------------------------------------------------------------------------

_STATISTICS: tuple[tuple[str, ScalarType], ...] = (
    ("min", REAL), ("min_idx", LONG), ("max", REAL), ("max_idx", LONG), ("avg", REAL), ("stdev", REAL), ("variance", REAL),
)  # fmt: skip


def _statistics(values: Numbers | None, lenient: bool) -> dict[str, Any] | None:
    """The statistics by name; None where there is nothing to count or an element is no finite number."""
    known = [(i, v) for i, v in enumerate(values or ()) if v is not None and math.isfinite(v)]
    if not known or (not lenient and len(known) < len(values or ())):
        return None
    low, high = min(known, key=lambda p: p[1]), max(known, key=lambda p: p[1])
    spread = variance([v for _, v in known])
    return {
        "min": float(low[1]), "min_idx": low[0], "max": float(high[1]), "max_idx": high[0], "avg": mean([v for _, v in known]),
        "stdev": math.sqrt(spread), "variance": spread, "sum": fsum(v for _, v in known), "len": len(known),
    }  # fmt: skip


@scalar("series_stats", [SERIES, opt(const(BOOL))], DYNAMIC)
class SeriesStats:
    """Least, largest, mean and spread of an array, as columns.

    They are null where an element is no finite number, unless the second argument says to leave those out.
    """

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return [(prefixed("series_stats", names[0], n), t) for n, t in _STATISTICS]

    @staticmethod
    def row(series: Any, lenient: bool = False) -> list[Any] | None:
        found = _statistics(numbers(series), lenient)
        return None if found is None else [found[name] for name, _ in _STATISTICS]


@scalar("series_stats_dynamic", [SERIES, opt(const(BOOL))], DYNAMIC)
class SeriesStatsDynamic:
    """Least, largest, mean, spread, sum and length of an array, as a bag."""

    @staticmethod
    def row(series: Any, lenient: bool = False) -> dict[str, Any] | None:
        values = numbers(series)
        if values is None:
            return None
        names = [*(n for n, _ in _STATISTICS), "sum", "len"]
        return _statistics(values, lenient) or dict.fromkeys(names, None)
