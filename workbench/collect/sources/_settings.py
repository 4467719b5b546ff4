"""Values out of an entry of a rule, checked: what is missing has a default, what is wrong is told.

A rule comes from the service, so nothing in it is trusted to be of the right type or size.
"""

from __future__ import annotations

from workbench.base.diagnostics import machine as diagnostics
from workbench.collect.sources._card import Settings

MOST_TEXTS = 1000
LONGEST_TEXT = 4096


def seconds_of(settings: Settings, name: str, default: float, least: float = 1.0) -> float:
    """A number of seconds, at least `least`, at most a week.

    Raises
    ------
    WorkbenchError
        `MAC202` when it is no such number.

    Examples
    --------
    >>> seconds_of({"samplingFrequencyInSeconds": 10}, "samplingFrequencyInSeconds", 60)
    10.0
    """
    found = settings.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= 604_800:
        raise diagnostics.bad_setting(name, found, f"a number of seconds from {least:g} to 604800")
    return float(found)


def count_of(settings: Settings, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`.

    Examples
    --------
    >>> count_of({}, "maxLines", 500, 10_000)
    500
    """
    found = settings.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= most:
        raise diagnostics.bad_setting(name, found, f"a whole number from 1 to {most}")
    return found


def text_of(settings: Settings, name: str, default: str = "") -> str:
    """A text of at most 4096 characters."""
    found = settings.get(name, default)
    if not isinstance(found, str) or len(found) > LONGEST_TEXT:
        raise diagnostics.bad_setting(name, found, "a text")
    return found


def texts_of(settings: Settings, name: str) -> tuple[str, ...]:
    """A list of texts; empty when there is none.

    Examples
    --------
    >>> texts_of({"logLevels": ["Error"]}, "logLevels")
    ('Error',)
    """
    found = settings.get(name, [])
    if (
        not isinstance(found, list | tuple)
        or len(found) > MOST_TEXTS
        or not all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in found)
    ):
        raise diagnostics.bad_setting(name, found, "a list of texts")
    return tuple(found)


def flag_of(settings: Settings, name: str, default: bool) -> bool:
    """True or false."""
    found = settings.get(name, default)
    if not isinstance(found, bool):
        raise diagnostics.bad_setting(name, found, "true or false")
    return found
