"""Gamma, beta and error functions, and the Welch test built on them."""

from __future__ import annotations

import math
from collections.abc import Callable

from workbench.query.functions._card import REAL, Naming, scalar

NO_SQL = "SQL has no such function of statistics"

_NAN = math.nan


def _by_row(name: str, compute: Callable[[float], float], doc: str) -> None:
    @scalar(name, [REAL], REAL, naming=Naming.FIRST_ARGUMENT)
    class _ByRow:
        @staticmethod
        def row(value: float) -> float:
            return compute(value)

    _ByRow.__doc__ = doc


def _gamma(x: float) -> float:
    """Γ with NaN at its poles and infinity where it leaves the reals."""
    try:
        return math.gamma(x)
    except ValueError:
        return _NAN
    except OverflowError:
        return math.inf


def _loggamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


_by_row("gamma", _gamma, "The gamma function: n! at n + 1.")
_by_row("loggamma", _loggamma, "The natural logarithm of the gamma function's size.")
_by_row("erf", math.erf, "The error function.")
_by_row("erfc", math.erfc, "One minus the error function.")


def beta_share(x: float, a: float, b: float) -> float:
    """The share of the beta distribution below `x` (the regularised incomplete beta function).

    Examples
    --------
    >>> round(beta_share(0.5, 2.0, 3.0), 4)
    0.6875
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The continued fraction converges fast on one side of the mean only; the other side is one minus its mirror.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_share(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return front * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's way."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    found = d
    for m in range(1, 500):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + numerator / c
            c = c if abs(c) > tiny else tiny
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


@scalar("beta_cdf", [REAL, REAL, REAL], REAL)
class BetaCdf:
    """The share of a beta distribution that lies below the first argument."""

    @staticmethod
    def row(x: float, alpha: float, beta: float) -> float:
        if not (0 <= x <= 1 and alpha > 0 and beta > 0):
            return _NAN
        return beta_share(x, alpha, beta)


@scalar("beta_pdf", [REAL, REAL, REAL], REAL)
class BetaPdf:
    """The density of a beta distribution at the first argument."""

    @staticmethod
    def row(x: float, alpha: float, beta: float) -> float:
        if not (0 <= x <= 1 and alpha > 0 and beta > 0):
            return _NAN
        if x in (0, 1):
            edge = alpha if x == 0 else beta
            return math.inf if edge < 1 else (alpha if x else beta) * float(edge == 1)
        logs = math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta)
        return math.exp(logs + (alpha - 1) * math.log(x) + (beta - 1) * math.log1p(-x))


@scalar("beta_inv", [REAL, REAL, REAL], REAL)
class BetaInv:
    """Where the share of a beta distribution below is the first argument."""

    @staticmethod
    def row(probability: float, alpha: float, beta: float) -> float | None:
        if alpha <= 0 or beta <= 0:
            return _NAN
        if not 0 < probability <= 1:
            return None
        low, high = 0.0, 1.0
        while True:
            middle = (low + high) / 2
            if middle in (low, high):
                return middle
            low, high = (middle, high) if beta_share(middle, alpha, beta) < probability else (low, middle)


@scalar("welch_test", [REAL, REAL, REAL, REAL, REAL, REAL], REAL)
class WelchTest:
    """How probable so different means are by chance alone: two-sided, from mean, variance and count of two samples."""

    @staticmethod
    def row(mean1: float, variance1: float, count1: float, mean2: float, variance2: float, count2: float) -> float:  # fmt: skip
        if count1 < 2 or count2 < 2:
            return _NAN
        first, second = variance1 / count1, variance2 / count2
        spread = first + second
        if spread <= 0:
            return 1.0 if mean1 == mean2 else 0.0
        t = (mean1 - mean2) / math.sqrt(spread)
        freedom = spread**2 / (first**2 / (count1 - 1) + second**2 / (count2 - 1))
        return beta_share(freedom / (freedom + t * t), freedom / 2, 0.5)
