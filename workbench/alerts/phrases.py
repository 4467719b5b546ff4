"""The small phrases of a rule's text: `5m`, `count > 10`, `2 of 3`; values in, and phrases out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from workbench.alerts.rule import Measure, Operator, Rule, Violations
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.errors import Span
from workbench.query.timerange import duration

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_TICKS = 10_000_000
_SIGNS = {
    ">=": Operator.GREATER_THAN_OR_EQUAL, "<=": Operator.LESS_THAN_OR_EQUAL, ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN, "==": Operator.EQUALS,
}  # fmt: skip
_OPERATORS = {**_SIGNS, "=": Operator.EQUALS, **{o.value.lower(): o for o in Operator}}
_MEASURES = {
    **{m.value.lower(): m for m in Measure}, "avg": Measure.AVERAGE, "min": Measure.MINIMUM, "max": Measure.MAXIMUM,
    "sum": Measure.TOTAL,
}  # fmt: skip
_WHEN = re.compile(r"([A-Za-z]+)\s*(?:\(\s*(.*?)\s*\))?\s*(>=|<=|==|=|>|<)\s*(\S+)", re.DOTALL)
_OF = re.compile(r"(\d{1,4})\s*(?:of|/)\s*(\d{1,4})")
_BINS = re.compile(r"(\d{1,4})(\s+in a row)?")
_AS_WHEN = ("count > 10", "average(CounterValue) >= 90", "{measure, column, operator, threshold}")
_PARTS = ("measure", "column", "operator", "threshold")
_AS_BINS = ("3", "3 in a row", "{count: 3, consecutive: true, column: TimeGenerated}")


def seconds_of(found: Any) -> int | None:
    """A span as whole seconds: `5m`, `PT5M`, `00:05:00`; None where it is none.

    Examples
    --------
    >>> [seconds_of(t) for t in ("5m", "PT5M", "00:05:00", "1.5h", "5", "0s", "1ms")]
    [300, 300, 300, 5400, None, 0, None]
    """
    if not isinstance(found, str):
        return None
    ticks = duration(found.strip())
    return None if ticks is None or ticks % _TICKS or ticks < 0 else ticks // _TICKS


def span_text(seconds: int) -> str:
    """Seconds as the phrase that `seconds_of` reads.

    Examples
    --------
    >>> span_text(300), span_text(5400), span_text(0)
    ('5m', '90m', '0s')
    """
    unit = next((u for u, size in _UNITS.items() if seconds and seconds % size == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def condition_of(found: Any, place: Span | None) -> tuple[Measure, str, Operator, float]:
    """Measure, column, operator and threshold of `when`; without it a rule fires on any record."""
    if found is None:
        return Measure.COUNT, "", Operator.GREATER_THAN, 0.0
    if isinstance(found, Mapping):
        for key in found:
            if key not in _PARTS:
                raise diagnostics.unknown_key(place, str(key), "`when`", _PARTS)
        parts = [found.get(k, "") for k in _PARTS]
        parts[0] = parts[0] or "count"
    else:
        said = _WHEN.fullmatch(found.strip()) if isinstance(found, str) else None
        if said is None:
            raise diagnostics.bad_value(place, "when", found, _AS_WHEN)
        parts = [said[1], said[2] or "", said[3], said[4]]
    measure, operator = _MEASURES.get(str(parts[0]).lower()), _OPERATORS.get(str(parts[2]).lower())
    threshold, column = _number(parts[3]), parts[1]
    if measure is None or operator is None or threshold is None or not isinstance(column, str):
        raise diagnostics.bad_value(place, "when", found, _AS_WHEN)
    if (measure is Measure.COUNT) == bool(column):
        needed = "count takes no column" if column else f"{measure.value.lower()} needs a column"
        raise diagnostics.bad_value(place, "when", found, [f"{_AS_WHEN[bool(column) - 1]}: {needed}"])
    return measure, column, operator, threshold


def when_text(rule: Rule) -> str:
    """The condition as a phrase."""
    measured = rule.measure.value.lower() + (f"({rule.column})" if rule.column else "")
    sign = next(s for s, o in _SIGNS.items() if o is rule.operator)
    whole = rule.threshold == int(rule.threshold) and abs(rule.threshold) < 2**53
    return f"{measured} {sign} {int(rule.threshold) if whole else repr(rule.threshold)}"


def violated_of(found: Any, most: int, place: Span | None) -> tuple[int, int]:
    """`2 of 3` as failing and looked at."""
    if found is None:
        return 1, 1
    said = _OF.fullmatch(found.strip()) if isinstance(found, str) else None
    if said is None or not 1 <= int(said[1]) <= int(said[2]) <= most:
        raise diagnostics.bad_value(place, "violated", found, ["2 of 3", f"at most {most} of {most}"])
    return int(said[1]), int(said[2])


def bins_of(found: Any, place: Span | None) -> Violations | None:
    """How many bins of the query's own time series must be violated."""
    if found is None:
        return None
    if isinstance(found, Mapping):
        count, consecutive, column = (
            found.get(k, u) for k, u in (("count", 1), ("consecutive", False), ("column", "TimeGenerated"))
        )
        strange = set(found) - {"count", "consecutive", "column"}
    else:
        said = None if isinstance(found, bool) else _BINS.fullmatch(str(found).strip())
        if said is None:
            raise diagnostics.bad_value(place, "bins", found, _AS_BINS)
        count, consecutive, column, strange = int(said[1]), bool(said[2]), "TimeGenerated", set()
    fits = isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= 10_000
    if strange or not fits or not isinstance(consecutive, bool) or not isinstance(column, str) or not column:
        raise diagnostics.bad_value(place, "bins", found, _AS_BINS)
    return Violations(count, consecutive, column)


def _number(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
