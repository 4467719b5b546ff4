"""The `dataSources` of a collection rule: which kinds there are, and what an entry of each may say.

In goes what a rule says, out come the names of its streams, or a `WorkbenchError`. Only the shape is looked at
here; whether a path may be read or a command exists, each machine decides for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from workbench.base.diagnostics import rules as diagnostics

_MOST_TEXTS, _LONGEST_TEXT = 1000, 4096
_WEEK = 604_800
_COMMAND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PERIOD = re.compile(r"PT?[0-9]+[SMHD]")
Check = Callable[[Any, str], str | None]
"""Value and place → what is wrong with it, or None."""


def _texts(value: Any, _where: str) -> str | None:
    good = isinstance(value, list) and len(value) <= _MOST_TEXTS
    if not good or not all(isinstance(v, str) and 0 < len(v) <= _LONGEST_TEXT for v in value):
        return f"a list of texts is needed here (at most {_MOST_TEXTS})"
    return None


def _some_texts(value: Any, where: str) -> str | None:
    return _texts(value, where) or (None if value else "the list is empty")


def _text(value: Any, _where: str) -> str | None:
    good = isinstance(value, str) and len(value) <= _LONGEST_TEXT
    return None if good else "a text is needed here"


def _seconds(value: Any, _where: str) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= _WEEK
    return None if good else f"a number of seconds from 1 to {_WEEK:,} is needed here"


def _wait(value: Any, _where: str) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _WEEK
    return None if good else f"a number of seconds from 0 to {_WEEK:,} is needed here"


def _count(value: Any, _where: str) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if good else "a whole number from 1 is needed here"


def _flag(value: Any, _where: str) -> str | None:
    return None if isinstance(value, bool) else "true or false is needed here"


def _period(value: Any, _where: str) -> str | None:
    good = isinstance(value, str) and _PERIOD.fullmatch(value)
    return None if good else "a period such as PT1M is needed here"


def _paths(value: Any, where: str) -> str | None:
    wrong = _some_texts(value, where)
    if wrong is None and not all(path.startswith("/") for path in value):
        return "paths begin with '/'"
    return wrong


def _commands(value: Any, where: str) -> str | None:
    wrong = _some_texts(value, where)
    for name in value if wrong is None else ():
        if not _COMMAND.fullmatch(name):
            raise diagnostics.carries_command_line(where, name)
    return wrong


def _log_settings(value: Any, where: str) -> str | None:
    """`settings: {text: {…}}` of a log file, as Azure nests them."""
    if not isinstance(value, dict) or set(value) - {"text"} or not isinstance(value.get("text", {}), dict):
        return "settings has one part, text: {…}"
    known = _LOG_TEXT
    for key, inner in value.get("text", {}).items():
        if key not in known:
            raise diagnostics.unknown_key(f"{where}.text", str(key), known)
        wrong = known[key](inner, f"{where}.text.{key}")
        if wrong:
            raise diagnostics.bad_rule(f"{where}.text.{key}", wrong)
    return None


_LOG_TEXT: Mapping[str, Check] = {
    "recordStartTimestampFormat": _text,
    "recordStartPattern": _text,
    "recordDelimiter": _text,
    "encoding": _text,
    "maxLines": _count,
}
_COMMON: Mapping[str, Check] = {"name": _text, "streams": _some_texts}
SOURCES: Mapping[str, tuple[tuple[str, ...], Mapping[str, Check]]] = {
    "performanceCounters": (
        ("counterSpecifiers",),
        {
            "counterSpecifiers": _some_texts,
            "samplingFrequencyInSeconds": _seconds,
            "scheduledTransferPeriod": _period,
        },
    ),
    "syslog": (
        ("facilityNames",),
        {"facilityNames": _some_texts, "logLevels": _texts, "samplingFrequencyInSeconds": _seconds},
    ),
    "journal": (
        (),
        {
            "facilityNames": _some_texts,
            "logLevels": _texts,
            "units": _texts,
            "samplingFrequencyInSeconds": _seconds,
        },
    ),
    "logFiles": (
        ("filePatterns",),
        {
            "filePatterns": _paths,
            "format": _text,
            "settings": _log_settings,
            "encoding": _text,
            "flushSeconds": _wait,
            "samplingFrequencyInSeconds": _seconds,
        },
    ),
    "windowsEventLogs": (("xPathQueries",), {"xPathQueries": _some_texts}),
    "windowEventLogs": (("xPathQueries",), {"xPathQueries": _some_texts}),
    "commands": (("commands",), {"commands": _commands, "intervalInSeconds": _seconds}),
    "services": (
        (),
        {
            "services": _texts,
            "inventoryFrequencyInSeconds": _seconds,
            "samplingFrequencyInSeconds": _seconds,
        },
    ),
    "packages": (
        (),
        {
            "changes": _flag,
            "inventoryFrequencyInSeconds": _seconds,
            "samplingFrequencyInSeconds": _seconds,
        },
    ),
    "updates": ((), {"scanFrequencyInSeconds": _seconds, "samplingFrequencyInSeconds": _seconds}),
    "processes": (
        (),
        {
            "intervalInSeconds": _seconds,
            "inventoryFrequencyInSeconds": _seconds,
            "samplingFrequencyInSeconds": _seconds,
        },
    ),
    "fileIntegrity": (
        ("paths",),
        {
            "paths": _paths,
            "roundFrequencyInSeconds": _seconds,
            "fullCheckFrequencyInSeconds": _seconds,
            "maxFiles": _count,
            "maxBytes": _count,
            "samplingFrequencyInSeconds": _seconds,
        },
    ),
}
"""Kind → settings that it needs, all settings with their check."""


def check(sources: Any) -> list[tuple[str, str]]:
    """The streams that data sources name, each with its place.

    Raises
    ------
    WorkbenchError
        RUL104, RUL105, RUL112 or RUL113.

    Examples
    --------
    >>> check({"commands": [{"name": "d", "streams": ["Microsoft-Disk"], "commands": ["disk-health"]}]})
    [('Microsoft-Disk', 'dataSources.commands[0].streams')]
    """
    if not isinstance(sources, dict):
        raise diagnostics.bad_rule("dataSources", "lists by kind are needed here")
    streams: list[tuple[str, str]] = []
    for kind, entries in sources.items():
        if kind not in SOURCES:
            raise diagnostics.unknown_source("dataSources", str(kind), SOURCES)
        if not isinstance(entries, list):
            raise diagnostics.bad_rule(f"dataSources.{kind}", "a list is needed here")
        names: set[str] = set()
        for place, entry in enumerate(entries):
            where = f"dataSources.{kind}[{place}]"
            _entry(kind, entry, where)
            name = entry.get("name", "")
            if name and name in names:
                raise diagnostics.bad_rule(where, f"the name {name!r} is given twice")
            names.add(name)
            streams += [(stream, f"{where}.streams") for stream in entry.get("streams", ())]
    return streams


def _entry(kind: str, entry: Any, where: str) -> None:
    if not isinstance(entry, dict):
        raise diagnostics.bad_rule(where, "settings are needed here")
    needed, own = SOURCES[kind]
    known = {**_COMMON, **own}
    for key, value in entry.items():
        if key not in known:
            raise diagnostics.unknown_key(where, str(key), known)
        wrong = known[key](value, f"{where}.{key}")
        if wrong:
            raise diagnostics.bad_rule(f"{where}.{key}", wrong)
    for key in needed:
        if key not in entry:
            raise diagnostics.bad_rule(where, f"{key} is missing")
