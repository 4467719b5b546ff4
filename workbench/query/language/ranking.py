"""Which labels fit what was typed, and how well: the start of a label, its humps, any part of it."""

from __future__ import annotations

import re
from functools import lru_cache

_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]")
EXACT, START, HUMPS, WORD, PART = range(5)


@lru_cache(maxsize=50_000)
def humps(label: str) -> tuple[str, ...]:
    """The words in a name, in lower case.

    Examples
    --------
    >>> humps("TimeGenerated"), humps("sample-distinct"), humps("IPAddress_s")
    (('time', 'generated'), ('sample', 'distinct'), ('ip', 'address', 's'))
    """
    return tuple(w.lower() for w in _HUMPS.findall(label))


def fit(label: str, typed: str) -> int | None:
    """How well a label fits in any case, smaller is better; None where it does not.

    Examples
    --------
    >>> [fit("TimeGenerated", t) for t in ("Time", "time", "tg", "timeGen", "Gener", "merate", "x")]
    [1, 1, 2, 1, 3, None, None]
    """
    if not typed or label.startswith(typed):
        return EXACT if label == typed else START
    low, wanted = label.lower(), typed.lower()
    if low.startswith(wanted):
        return START
    if wanted[0] not in low:
        return None
    words = humps(label)
    if _by_humps(words, wanted):
        return HUMPS
    if any(w.startswith(wanted) for w in words):
        return WORD
    return PART if len(wanted) > 2 and wanted in low else None


def _by_humps(words: tuple[str, ...], wanted: str) -> bool:
    """Whether `wanted` is made of beginnings of words, in their order, from the first word on."""
    if not words or not wanted:
        return not wanted
    first, rest = words[0], words[1:]
    if first[0] != wanted[0]:
        return False
    for length in range(min(len(first), len(wanted)), 0, -1):
        if first.startswith(wanted[:length]) and (
            length == len(wanted) or _by_humps_any(rest, wanted[length:])
        ):
            return True
    return False


def _by_humps_any(words: tuple[str, ...], wanted: str) -> bool:
    return any(_by_humps(words[i:], wanted) for i in range(len(words)))
