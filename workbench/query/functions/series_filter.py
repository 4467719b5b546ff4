"""`series_*` that look along an array: filling gaps, filters, and the Fourier transform."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import BOOL, DYNAMIC, Naming, Param, opt, scalar
from workbench.query.functions._series import (
    SERIES,
    SERIES_OR_NUMBER,
    bounded,
    fsum,
    numbers,
    prefixed,
    written,
)

NO_SQL = (
    "series are computed along their elements, each from those before it, which no expression of SQL does"
)

_PLACEHOLDER = Param(SERIES_OR_NUMBER.types - {DYNAMIC})

# ---- gaps -----------------------------------------------------------------------------------


def _gaps(series: list[Any], placeholder: Any) -> list[bool]:
    """Where the value is missing: null, or the number that stands for it."""
    if placeholder is None:
        return [v is None for v in series]
    wanted = float(placeholder)
    return [isinstance(v, int | float) and not isinstance(v, bool) and float(v) == wanted for v in series]


def _carried(series: list[Any], missing: list[bool]) -> list[Any]:
    filled: list[Any] = []
    for value, gap in zip(series, missing, strict=True):
        filled.append(filled[-1] if gap and filled else value)
    return filled


@scalar("series_fill_forward", [SERIES, opt(_PLACEHOLDER)], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class SeriesFillForward:
    """Gaps filled with the value before them."""

    nulls = True

    @staticmethod
    def row(series: Any, placeholder: Any = None) -> list[Any] | None:
        return _carried(series, _gaps(series, placeholder)) if isinstance(series, list) else None


@scalar("series_fill_backward", [SERIES, opt(_PLACEHOLDER)], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class SeriesFillBackward:
    """Gaps filled with the value after them."""

    nulls = True

    @staticmethod
    def row(series: Any, placeholder: Any = None) -> list[Any] | None:
        if not isinstance(series, list):
            return None
        return _carried(series[::-1], _gaps(series, placeholder)[::-1])[::-1]


@scalar(
    "series_fill_const", [SERIES, opt(_PLACEHOLDER), opt(_PLACEHOLDER)], DYNAMIC, naming=Naming.FIRST_ARGUMENT
)
class SeriesFillConst:
    """Gaps filled with a number, 0 unless told otherwise."""

    nulls = True

    @staticmethod
    def row(series: Any, value: Any = 0, placeholder: Any = None) -> list[Any] | None:
        if not isinstance(series, list):
            return None
        return [value if gap else v for v, gap in zip(series, _gaps(series, placeholder), strict=True)]


@scalar("series_fill_linear", [SERIES, opt(_PLACEHOLDER), opt(BOOL), opt(_PLACEHOLDER)], DYNAMIC, naming=Naming.FIRST_ARGUMENT)  # fmt: skip
class SeriesFillLinear:
    """Gaps filled along the straight line between their neighbours; at the ends with the nearest value.

    Arrays of whole numbers stay so. An array of gaps alone is filled with the last argument, 0 unless told otherwise.
    """

    nulls = True

    @staticmethod
    def row(series: Any, placeholder: Any = None, edges: bool | None = True, constant: Any = 0.0) -> list[Any] | None:  # fmt: skip
        if not isinstance(series, list):
            return None
        missing = _gaps(series, placeholder)
        known = [i for i, gap in enumerate(missing) if not gap and isinstance(series[i], int | float)]
        if not known:
            return [constant] * len(series)
        whole = all(isinstance(series[i], int) for i in known)
        filled = list(series)
        for i, j in pairwise(known):
            for k in range(i + 1, j):
                between = series[i] + (series[j] - series[i]) * (k - i) / (j - i)
                filled[k] = math.trunc(between) if whole else between
        if edges or edges is None:
            filled[: known[0]] = [series[known[0]]] * known[0]
            filled[known[-1] + 1 :] = [series[known[-1]]] * (len(series) - known[-1] - 1)
        return filled


# ---- filters --------------------------------------------------------------------------------


@scalar("series_fir", [SERIES, SERIES, opt(BOOL), opt(BOOL)], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class SeriesFir:
    """The array under a finite filter: each value a weighted sum of itself and those before it.

    The weights are divided by their sum unless one is negative or the third argument is false; the fourth
    puts the filter's middle on the value.
    """

    nulls = True

    @staticmethod
    def row(series: Any, weights: Any, normalize: bool | None = None, center: bool | None = None) -> list[Any] | None:  # fmt: skip
        values, factors = numbers(series), numbers(weights)
        if not values or not factors or None in values or None in factors:
            return [] if values == [] else None
        plain = [float(v) for v in values if v is not None]
        taps = [float(f) for f in factors if f is not None]
        negative = min(taps) < 0
        if normalize and negative:
            return None
        if normalize or (normalize is None and not negative):
            total = fsum(taps)
            taps = [t / total for t in taps] if total else taps
        ahead = (len(taps) - 1) // 2 if center else 0
        bounded("series_fir", len(plain) * min(len(plain), len(taps)))
        found = []
        for i in range(len(plain)):
            newest = i + ahead
            first, last = max(0, newest - len(plain) + 1), min(len(taps) - 1, newest)
            found.append(fsum(taps[k] * plain[newest - k] for k in range(first, last + 1)))
        return written(found)


@scalar("series_iir", [SERIES, SERIES, SERIES], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class SeriesIir:
    """The array under a recursive filter of numerators (over the input) and denominators (over the output)."""

    @staticmethod
    def row(series: Any, numerators: Any, denominators: Any) -> list[Any] | None:
        x, b, a = numbers(series), numbers(numerators), numbers(denominators)
        if x is None or not b or not a or None in b or None in a or not a[0]:
            return None
        bounded("series_iir", len(x) * min(len(x), len(a) + len(b)))
        found: list[float] = []
        for i in range(len(x)):
            taken = [(f, x[i - k]) for k, f in enumerate(b[: i + 1])]
            before = [(a[k], found[i - k]) for k in range(1, min(len(a) - 1, i) + 1)]
            if any(v is None for _, v in taken):
                return None
            total = fsum((f or 0) * (v or 0) for f, v in taken)
            found.append((total - fsum((f or 0) * v for f, v in before)) / a[0])
        return written(found)


# ---- Fourier --------------------------------------------------------------------------------


def fourier(values: Sequence[complex], inverse: bool = False) -> list[complex]:
    """The discrete Fourier transform of any length, in n log n steps.

    Examples
    --------
    >>> [round(abs(v), 6) for v in fourier([1, 1, 1])]
    [3.0, 0.0, 0.0]
    """
    n = len(values)
    if n == 0:
        return []
    size = n if n & (n - 1) == 0 else 3 << (2 * n).bit_length()
    bounded("series_fft", size * size.bit_length())
    sign = 1 if inverse else -1
    found = _halving(list(values), _turns(n, sign)) if n & (n - 1) == 0 else _chirped(values, sign)
    return [v / n for v in found] if inverse else found


def _turns(size: int, sign: int) -> list[complex]:
    """The first half of the roots of unity, which the transform of `size` values turns by."""
    return [cmath.rect(1, sign * math.tau * k / size) for k in range(size // 2)]


def _halving(values: list[complex], turns: list[complex]) -> list[complex]:
    """The transform of a power of two of values, without scaling."""
    if len(values) == 1:
        return values
    even, odd = _halving(values[::2], turns[::2]), _halving(values[1::2], turns[::2])
    turned = [t * v for t, v in zip(turns, odd, strict=True)]
    first = [a + b for a, b in zip(even, turned, strict=True)]
    return first + [a - b for a, b in zip(even, turned, strict=True)]


def _chirped(values: Sequence[complex], sign: int) -> list[complex]:
    """The transform as a convolution with a chirp (Bluestein), whose length is a power of two."""
    n = len(values)
    size = 1 << (2 * n - 1).bit_length()
    # The square is taken modulo 2n: large angles would lose digits.
    chirp = [cmath.rect(1, sign * math.pi * (k * k % (2 * n)) / n) for k in range(n)]
    padded = [v * c for v, c in zip(values, chirp, strict=True)] + [0j] * (size - n)
    kernel = [0j] * size
    for k, c in enumerate(chirp):
        kernel[k] = kernel[-k] = c.conjugate()
    there = _turns(size, -1)
    both = [a * b for a, b in zip(_halving(padded, there), _halving(kernel, there), strict=True)]
    back = _halving(both, [t.conjugate() for t in there])
    return [back[k] / size * chirp[k] for k in range(n)]


def _transform(name: str, inverse: bool, doc: str) -> None:
    @scalar(name, [SERIES, opt(SERIES)], DYNAMIC)
    class _Transform:
        @staticmethod
        def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
            return [(prefixed(name, names[0], part), DYNAMIC) for part in ("real", "imag")]

        @staticmethod
        def row(real: Any, imaginary: Any = None) -> list[list[Any]] | None:
            x = numbers(real)
            y = numbers(imaginary) if imaginary is not None else [0.0] * len(x or ())
            if x is None or y is None or len(x) != len(y) or None in x or None in y:
                return None
            found = fourier([complex(a or 0, b or 0) for a, b in zip(x, y, strict=True)], inverse)
            return [written(v.real for v in found), written(v.imag for v in found)]

    _Transform.__doc__ = doc


_transform("series_fft", False, "The discrete Fourier transform, as columns of real and imaginary parts.")
_transform("series_ifft", True, "The inverse of the discrete Fourier transform, as columns of both parts.")
