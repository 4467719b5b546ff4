"""When a figure is a warning or an error: `> 90` and a number in, a state out, with the word for it."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_FORM = re.compile(r"\s*(>=|<=|>|<|==|!=)\s*(-?\d+(?:\.\d+)?)\s*")
_TESTS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
# Words that a record says of itself, and what they mean here.
_WORDS = {
    **dict.fromkeys(
        ("healthy", "ok", "up", "success", "succeeded", "completed", "compliant", "true", "good"), "healthy"
    ),
    **dict.fromkeys(("warning", "warn", "degraded", "unstable"), "warning"),
    **dict.fromkeys(
        ("critical", "error", "failed", "down", "unhealthy", "false", "bad", "noncompliant"), "error"
    ),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A state and when it is there."""

    state: str
    test: str
    value: float

    def holds(self, figure: float) -> bool:
        return _TESTS[self.test](figure, self.value)

    def __str__(self) -> str:
        return f"{self.state} {self.test} {self.value:g}"


def threshold(state: str, text: str) -> Threshold | None:
    """The threshold that a text says, None where it says none.

    Examples
    --------
    >>> str(threshold("error", "> 90")), threshold("error", "a lot")
    ('error > 90', None)
    """
    found = _FORM.fullmatch(text)
    return None if found is None else Threshold(state, found[1], float(found[2]))


def state_of(value: object, thresholds: Sequence[Threshold]) -> str:
    """`healthy`, `warning`, `error`; "" where nothing says so, `unknown` for a null.

    Examples
    --------
    >>> state_of(95, [Threshold("error", ">", 90.0)]), state_of("Failed", []), state_of(None, [])
    ('error', 'error', 'unknown')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _WORDS.get(str(value).strip().lower(), "")
    for one in thresholds:
        if one.holds(float(value)):
            return one.state
    return "healthy" if thresholds else ""
