"""Figures and moments of tiles as text: four digits at most, the exact value beside it, how fresh, which time."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.kernel_ext.cells import NULL, cell, duration, printable

_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def figure(value: Any, kql: ScalarType, unit: str = "") -> tuple[str, str]:
    """A value as a tile shows it, and exactly.

    Examples
    --------
    >>> figure(12345, ScalarType.LONG), figure(0.123456, ScalarType.REAL, "%")
    (('12,345', '12,345'), ('0.1235 %', '0.123456'))
    >>> figure(3 * 2**20, ScalarType.LONG, "bytes"), figure(73214882, ScalarType.LONG)
    (('3 MiB', '3,145,728'), ('73.21 M', '73,214,882'))
    """
    exact = cell(value, kql)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        text = exact.text if value is not None else NULL
        return (text or "–", exact.exact or exact.text)
    if isinstance(value, float) and not math.isfinite(value):
        return exact.text, exact.text
    if unit == "bytes":
        for size, name in _BYTES:
            if abs(value) >= size:
                return f"{_four(value / size)} {name}", exact.exact or exact.text
        return f"{_four(value)} B", exact.exact or exact.text
    text = short(value)
    return (f"{text} {unit}" if unit else text), exact.exact or exact.text


def short(value: float) -> str:
    """At most four digits; from ten million on in millions and more.

    Examples
    --------
    >>> short(1234567), short(0.5), short(2.5e10)
    ('1,234,567', '0.5', '25 G')
    """
    for size, name in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= max(size, 1e7):
            return f"{_four(value / size)} {name}"
    return _four(value)


def _four(value: float) -> str:
    if float(value).is_integer() and abs(value) < 1e7:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def age(newest: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in the two largest units.

    Examples
    --------
    >>> age(dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, 0, 36))
    '36 min'
    """
    return duration(dt.timedelta(seconds=max(0, round((now - newest).total_seconds()))))


def moment(value: dt.datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC")


def label(value: Any, kql: ScalarType) -> str:
    """A value as the name of a bar or a slice."""
    if value is None:
        return NULL
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # a number that names something: 4625, not 4,625
    text = printable(cell(value, kql).text)
    return text or "(empty)"
