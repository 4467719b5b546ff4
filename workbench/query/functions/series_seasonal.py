"""Seasons, trends and outliers of series: `series_periods_*`, `series_decompose*`, `series_outliers`.

A period's score is how alike the series is to itself one and two periods later: the lesser of the two
autocorrelations. Scores of outliers are Tukey's, in units of the range between two percentiles; the factor makes
scores alike whichever percentiles these are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import DYNAMIC, LONG, REAL, STRING, Naming, opt, rep, scalar
from workbench.query.functions._series import (
    SERIES,
    Number,
    Numbers,
    is_full,
    mean,
    median,
    number,
    numbers,
    prefixed,
    quantile,
    written,
)
from workbench.query.functions.series_filter import fourier
from workbench.query.functions.series_fit import fitted

NO_SQL = (
    "series are computed along their elements, each from those before it, which no expression of SQL does"
)

_SHORTEST = 4
_MOST_PERIODS = 10_000
_SEASONAL_SCORE = 0.7  # what `series_seasonal` asks of a period it finds
_DECOMPOSE_SCORE = 0.6

# ---- periods --------------------------------------------------------------------------------


def _autocorrelation(values: Sequence[Number]) -> list[float]:
    """For each lag how alike the series is to itself, each lag by as many pairs as it has."""
    count, center = len(values), mean(values)
    # At least as many zeros as values, up to a power of two: the transform is fastest then.
    padded = [complex(v - center) for v in values] + [0j] * ((1 << (2 * count - 1).bit_length()) - count)
    power = [complex(abs(v) ** 2) for v in fourier(padded)]
    sums = [v.real for v in fourier(power, inverse=True)][:count]
    whole = sums[0] / count
    # What is left of a constant series is rounding.
    if whole <= 1e-12 * max(1.0, center * center):
        return [0.0] * count
    return [s / (count - lag) / whole for lag, s in enumerate(sums)]


class _Peaks:
    """The largest of a stretch of numbers, asked many times: maxima over stretches of powers of two."""

    def __init__(self, values: Sequence[float]) -> None:
        self._levels = [list(values)]
        width = 1
        while 2 * width <= len(values):
            last = self._levels[-1]
            self._levels.append([max(a, b) for a, b in zip(last, last[width:], strict=False)])
            width *= 2

    def of(self, first: int, last: int) -> float:
        """The largest from `first` to `last`, both inside."""
        last = min(last, len(self._levels[0]) - 1)
        level = (last - first + 1).bit_length() - 1
        values = self._levels[level]
        return max(values[first], values[last - (1 << level) + 1])


def _score(alike: Sequence[float], period: int, peaks: _Peaks | None = None) -> float:
    """0 to 1; 0 where the series is more alike at a lag near the period, or not twice as long."""
    if period < _SHORTEST or 2 * period >= len(alike):
        return 0.0
    near = max(1, period // 4)
    first, last = period - near, period + near
    if alike[period] < (max(alike[first : last + 1]) if peaks is None else peaks.of(first, last)):
        return 0.0
    return max(0.0, min(1.0, alike[period], alike[2 * period]))


def periods(values: Sequence[Number], shortest: float, longest: float, count: int) -> list[tuple[int, float]]:
    """The periods with the best scores, best first; multiples of one that was found are left out.

    Examples
    --------
    >>> [p for p, _ in periods([1, 2, 3, 4, 3, 2] * 5, 0, 15, 2)]
    [6]
    """
    alike = _autocorrelation(values)
    least, most = max(_SHORTEST, shortest), min(len(values) // 2, longest)
    if not least <= most:  # one of them may be no number
        return []
    within = range(math.ceil(least), math.floor(most) + 1)
    peaks = _Peaks(alike)
    scored = sorted(((_score(alike, p, peaks), p) for p in within), key=lambda s: (-round(s[0], 9), s[1]))
    found: list[tuple[int, float]] = []
    for score, period in scored:
        if score > 0 and len(found) < count and not any(period % known == 0 for known, _ in found):
            found.append((period, score))
    return found


_PERIODS = ("periods", "scores")


@scalar("series_periods_detect", [SERIES, REAL, REAL, LONG], DYNAMIC)
class SeriesPeriodsDetect:
    """The periods of a series, from the second argument to the third, with their scores, as columns.

    There are as many as the fourth argument says, zeros where fewer were found.
    """

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return [(prefixed("series_periods_detect", names[0], part), DYNAMIC) for part in _PERIODS]

    @staticmethod
    def row(series: Any, shortest: float, longest: float, count: int) -> list[list[float]] | None:
        values = numbers(series)
        if not is_full(values):
            return None
        if count > _MOST_PERIODS:
            raise diagnostics.too_much("series_periods_detect", f"more than {_MOST_PERIODS:,} periods")
        found = periods(values, shortest, longest, count)
        padding = [0.0] * (count - len(found))
        return [[float(p) for p, _ in found] + padding, [s for _, s in found] + padding]


@scalar("series_periods_validate", [SERIES, rep(REAL)], DYNAMIC)
class SeriesPeriodsValidate:
    """The given periods and how well each of them fits the series, as columns."""

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return [(prefixed("series_periods_validate", names[0], part), DYNAMIC) for part in _PERIODS]

    @staticmethod
    def row(series: Any, *given: float) -> list[list[float]] | None:
        values = numbers(series)
        if not is_full(values):
            return None
        alike = _autocorrelation(values)
        return [written(given), [_score(alike, round(p)) if math.isfinite(p) else 0.0 for p in given]]


# ---- decomposition --------------------------------------------------------------------------


def _seasonal(values: Numbers, period: int, learned: int) -> list[float]:
    """The median of each phase over the first `learned` values, for every value; zeros without a period."""
    if period < 1:
        return [0.0] * len(values)
    # A period longer than the series has no more phases than the series has values.
    shown = min(period, len(values))
    phases = [[v for v in values[phase:learned:period] if v is not None] for phase in range(shown)]
    medians = [median(p) if p else 0.0 for p in phases]
    return [medians[i % period] for i in range(len(values))]


def _period(values: Numbers, asked: int | None, threshold: float) -> int:
    """The period that was asked for, or the best one (for -1) if it scores well enough; 0 for none."""
    if asked is not None and asked != -1:
        return max(0, asked)
    if not is_full(values):
        return 0
    found = periods(values, _SHORTEST, len(values) / 2, 1)
    return found[0][0] if found and found[0][1] >= threshold else 0


@dataclass(frozen=True, slots=True)
class Decomposed:
    """A series as what returns, what changes slowly, and the rest."""

    seasonal: list[float]
    trend: list[float]
    residual: Numbers

    @property
    def baseline(self) -> list[float]:
        return [s + t for s, t in zip(self.seasonal, self.trend, strict=True)]


def decomposed(series: Any, period: int | None, trend: str | None, beyond: int | None, threshold: float | None) -> Decomposed | None:  # fmt: skip
    """A series taken apart, learned from all but its last `beyond` values; None where it is no series."""
    values = numbers(series)
    if not values:
        return None
    learned = max(0, len(values) - (beyond or 0))
    # Gaps are not learned from. NaN and infinities are gaps as well.
    values = [v if v is not None and math.isfinite(v) else None for v in values]
    length = _period(values[:learned], period, _DECOMPOSE_SCORE if threshold is None else threshold)
    seasonal = _seasonal(values, length, learned)
    rest = [None if v is None else v - s for v, s in zip(values, seasonal, strict=True)]
    known = [v for v in rest[:learned] if v is not None]
    slow = [0.0] * len(values)
    if known and trend in (None, "", "avg"):
        slow = [mean(known)] * len(values)
    elif known and trend == "linefit":
        filled = [v if v is not None else mean(known) for v in rest[:learned]]
        slow = fitted(filled).through(len(values))
    residual: Numbers = [None if v is None else v - t for v, t in zip(rest, slow, strict=True)]
    return Decomposed(seasonal, slow, residual)


_PARTS = ("baseline", "seasonal", "trend", "residual")


def _columns(function: str, names: Sequence[str | None], parts: Sequence[str]) -> list[tuple[str, ScalarType]]:  # fmt: skip
    return [(prefixed(function, names[0], part), DYNAMIC) for part in parts]


def _parts(found: Decomposed | None) -> list[Any] | None:
    return None if found is None else [found.baseline, found.seasonal, found.trend, found.residual]


@scalar("series_decompose", [SERIES, opt(LONG), opt(STRING), opt(LONG), opt(REAL)], DYNAMIC)
class SeriesDecompose:
    """Baseline, season, trend and residual of a series, as columns.

    Arguments: the season's length (-1 finds it, 0 is none), the trend (avg, linefit, none), how many values at the
    end to leave out when learning, and the least score of a season that is found.
    """

    nulls = True

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return _columns("series_decompose", names, _PARTS)

    @staticmethod
    def row(series: Any, period: int | None = None, trend: str | None = None, beyond: int | None = None, threshold: float | None = None) -> list[Any] | None:  # fmt: skip
        return _parts(decomposed(series, period, trend, beyond, threshold))


@scalar("series_decompose_forecast", [SERIES, LONG, opt(LONG), opt(STRING), opt(REAL)], DYNAMIC)
class SeriesDecomposeForecast:
    """What a series would be at its last values, learned from those before: the first column has it."""

    nulls = True

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return _columns("series_decompose_forecast", names, _PARTS)

    @staticmethod
    def row(series: Any, beyond: int | None, period: int | None = None, trend: str | None = None, threshold: float | None = None) -> list[Any] | None:  # fmt: skip
        return _parts(decomposed(series, period, trend, beyond, threshold))


@scalar("series_seasonal", [SERIES, opt(LONG), opt(LONG)], DYNAMIC)
class SeriesSeasonal:
    """What returns in a series: the median of each phase of a period that is given or found; zeros without one."""

    nulls = True

    @staticmethod
    def row(series: Any, period: int | None = None, beyond: int | None = None) -> list[float] | None:
        values = numbers(series)
        if values is None:
            return None
        learned = max(0, len(values) - (beyond or 0))
        return _seasonal(values, _period(values[:learned], period, _SEASONAL_SCORE), learned)


# ---- outliers -------------------------------------------------------------------------------


def _factor(low: float, high: float) -> float:
    """What makes a score between two percentiles as large as between the quartiles.

    Both give 1.5 at the same value of a normal distribution. For 10 and 90 this is the factor that Kusto's
    published scores have, which is not quite the exact one.
    """
    if (low, high) == (10, 90):
        return 2.772605605507915
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    quartile, bottom, top = z(0.75), z(low / 100), z(high / 100)
    beyond = 4 * quartile - top
    return 1.5 * (top - bottom) / beyond if beyond > 0 else 1.0


def outlier_scores(values: Numbers, low: float = 10, high: float = 90, learned: int | None = None) -> list[float]:  # fmt: skip
    """How far beyond the percentiles each value lies; 0 between them and for gaps.

    Examples
    --------
    >>> [round(s, 3) for s in outlier_scores([1, 2, 3, 4, 100], 25, 75)]
    [-0.5, 0.0, 0.0, 0.0, 48.0]
    """
    known = [v for v in values[:learned] if v is not None and math.isfinite(v)]
    if not known:
        return [0.0] * len(values)
    bottom, top = quantile(known, low), quantile(known, high)
    size = (top - bottom) / _factor(low, high)
    return [0.0 if v is None or math.isnan(v) else _beyond(v, bottom, top, size) for v in values]


def _beyond(value: float, bottom: float, top: float, size: float) -> float:
    distance = value - top if value > top else min(0.0, value - bottom)
    if size > 0:
        return distance / size
    return math.copysign(math.inf, distance) if distance else 0.0


def _percentiles(kind: str | None) -> tuple[float, float]:
    return (25, 75) if (kind or "").lower() == "tukey" else (10, 90)


@scalar("series_outliers", [SERIES, opt(STRING), opt(REAL), opt(REAL), opt(REAL), opt(LONG)], DYNAMIC, naming=Naming.FIRST_ARGUMENT)  # fmt: skip
class SeriesOutliers:
    """Scores of how far outside the usual each value lies: beyond 1.5 or -1.5 it is an outlier.

    The second argument is ctukey or tukey, the third a value that counts as missing, the next two the percentiles of
    ctukey (10 and 90).
    """

    nulls = True

    @staticmethod
    def row(series: Any, kind: str | None = None, ignored: float | None = None, low: float | None = None, high: float | None = None, beyond: int | None = None) -> list[Any] | None:  # fmt: skip
        values = numbers(series)
        if values is None:
            return None
        if ignored is not None:
            values = [None if v == ignored else v for v in values]
        bottom, top = _percentiles(kind)
        if (bottom, top) == (10, 90):
            bottom = bottom if low is None else min(98.0, max(2.0, low))
            top = top if high is None else min(98.0, max(2.0, high))
        return written(outlier_scores(values, bottom, top, len(values) - (beyond or 0)))


@scalar("series_decompose_anomalies", [SERIES, opt(REAL), opt(LONG), opt(STRING), opt(LONG), opt(STRING), opt(REAL)], DYNAMIC)  # fmt: skip
class SeriesDecomposeAnomalies:
    """Flags (1, -1 or 0), scores and the baseline of a series, as columns.

    Arguments: the score from which on a value is flagged (1.5), then those of `series_decompose()`, before its last
    one the test (ctukey or tukey).
    """

    nulls = True

    @staticmethod
    def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
        return _columns("series_decompose_anomalies", names, ("ad_flag", "ad_score", "baseline"))

    @staticmethod
    def row(
        series: Any,
        limit: float | None = None,
        period: int | None = None,
        trend: str | None = None,
        beyond: int | None = None,
        test: str | None = None,
        threshold: float | None = None,
    ) -> list[Any] | None:
        found = decomposed(series, period, trend, beyond, threshold)
        if found is None:
            return None
        learned = len(found.residual) - (beyond or 0)
        scores = outlier_scores(found.residual, *_percentiles(test), learned)
        edge = 1.5 if number(limit) is None else float(limit or 0)
        flags = [(s > edge) - (s < -edge) for s in scores]
        return [flags, written(scores), found.baseline]
