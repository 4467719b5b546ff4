"""`parse_user_agent`: the common browsers, systems and devices, by a short list of rules.

Kusto asks a list of thousands of patterns; this one knows what most log lines hold, and says `Other`
for the rest. It never guesses a version that is not written in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from workbench.query.functions._card import DYNAMIC, STRING, Param, opt, scalar

NO_SQL = "SQL has no reader for this kind of text"

_V = r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?"
Rules = Sequence[tuple[str, str]]

# The first pattern that is found decides, so the names that others imitate come last.
_BROWSERS: Rules = (
    (r"Googlebot/" + _V, "Googlebot"),
    (r"bingbot/" + _V, "bingbot"),
    (r"AdobeAIR/" + _V, "AdobeAIR"),
    (r"Series60/" + _V + ".*Nokia", "Nokia OSS Browser"),
    (r"(?:Edg|Edge|EdgA|EdgiOS)/" + _V, "Edge"),
    (r"OPR/" + _V, "Opera"),
    (r"SamsungBrowser/" + _V, "Samsung Internet"),
    (r"YaBrowser/" + _V, "Yandex Browser"),
    (r"FxiOS/" + _V, "Firefox iOS"),
    (r"Android.*Firefox/" + _V, "Firefox Mobile"),
    (r"Firefox/" + _V, "Firefox"),
    (r"CriOS/" + _V, "Chrome Mobile iOS"),
    (r"HeadlessChrome/" + _V, "HeadlessChrome"),
    (r"Electron/" + _V, "Electron"),
    (r"Chrome/" + _V + r".*Mobile", "Chrome Mobile"),
    (r"Chrome/" + _V, "Chrome"),
    (r"MSIE " + _V, "IE"),
    (r"Trident/7.*rv:" + _V, "IE"),
    (r"Version/" + _V + r".*Mobile.*Safari/", "Mobile Safari"),
    (r"Version/" + _V + r".*Safari/", "Safari"),
    (r"Opera[/ ]" + _V, "Opera"),
    (r"PowerShell/" + _V, "PowerShell"),
    (r"python-requests/" + _V, "Python Requests"),
    (r"Python-urllib/" + _V, "Python-urllib"),
    (r"Go-http-client/" + _V, "Go-http-client"),
    (r"curl/" + _V, "curl"),
    (r"Wget/" + _V, "Wget"),
    (r"okhttp/" + _V, "okhttp"),
)
_WINDOWS = {
    "10.0": "10", "6.3": "8.1", "6.2": "8", "6.1": "7", "6.0": "Vista", "5.2": "XP", "5.1": "XP", "5.0": "2000",
}  # fmt: skip
_SYSTEMS: Rules = (
    (r"SymbianOS/" + _V, "Symbian OS"),
    (r"(?:iPhone|CPU) OS (\d+)_(\d+)(?:_(\d+))?", "iOS"),
    (r"Android " + _V, "Android"),
    (r"Mac OS X (\d+)[._](\d+)(?:[._](\d+))?", "Mac OS X"),
    (r"CrOS \S+ " + _V, "Chrome OS"),
    (r"Ubuntu", "Ubuntu"),
    (r"Linux", "Linux"),
)
_DEVICES: Sequence[tuple[str, str, str, str]] = (
    (r"Googlebot|bingbot|[Bb]ot\b|[Ss]pider|crawler", "Spider", "Spider", "Desktop"),
    (r"Nokia([\w-]+)", "Nokia {0}", "Nokia", "{1}"),
    (r"(iPhone|iPad|iPod)", "{0}", "Apple", "{0}"),
    (r"Macintosh", "Mac", "Apple", "Mac"),
    (r"Android [\d.]+;(?: [a-z]{2}-[a-z]{2};)? (SM-\w+)", "Samsung {0}", "Samsung", "{0}"),
    (r"Android [\d.]+;(?: [a-z]{2}-[a-z]{2};)? (Pixel[\w ]*)", "{0}", "Google", "{0}"),
    (r"Android [\d.]+;(?: [a-z]{2}-[a-z]{2};)? ([\w -]+?)(?: Build|[;)])", "{0}", "Generic_Android", "{0}"),
)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _first(rules: Rules, agent: str, parts: int) -> tuple[str, list[str]]:
    """The name of the first rule that is found, and its version in `parts` texts."""
    for pattern, name in rules:
        m = _compiled(pattern).search(agent)
        if m:
            found = [g or "" for g in m.groups()]
            return name, (found + [""] * parts)[:parts]
    return "Other", [""] * parts


def _browser(agent: str) -> dict[str, str]:
    name, (major, minor, patch) = _first(_BROWSERS, agent, 3)
    return {"Family": name, "MajorVersion": major, "MinorVersion": minor, "Patch": patch}


def _system(agent: str) -> dict[str, str]:
    windows = re.search(r"Windows NT (\d+\.\d+)", agent)
    if windows:
        name, version = "Windows", [_WINDOWS.get(windows[1], windows[1]), "", "", ""]
    else:
        name, version = _first(_SYSTEMS, agent, 4)
    keys = ("MajorVersion", "MinorVersion", "Patch", "PatchMinor")
    return {"Family": name, **dict(zip(keys, version, strict=True))}


def _device(agent: str) -> dict[str, str]:
    for pattern, family, brand, model in _DEVICES:
        m = _compiled(pattern).search(agent)
        if m:
            whole = m[1] if m.lastindex else ""
            words = (whole.split("-")[0] if "Nokia" in family else whole, whole)
            return {"Family": family.format(*words), "Brand": brand, "Model": model.format(*words)}
    return {"Family": "Other", "Brand": "", "Model": ""}


_PARTS = {
    "browser": ("Browser", _browser),
    "os": ("OperatingSystem", _system),
    "device": ("Device", _device),
}


@lru_cache(maxsize=4096)
def _parsed(agent: str, wanted: tuple[str, ...]) -> dict[str, Any]:
    return {_PARTS[w][0]: _PARTS[w][1](agent) for w in _PARTS if w in wanted}


@scalar("parse_user_agent", [STRING, opt(Param(frozenset({STRING, DYNAMIC})))], DYNAMIC)
class ParseUserAgent:
    """Browser, operating system and device that a user agent names; `Other` where it is not known."""

    @staticmethod
    def row(agent: str, look_for: Any = ("browser", "os", "device")) -> dict[str, Any]:
        wanted = [look_for] if isinstance(look_for, str) else look_for
        if not isinstance(wanted, list | tuple):
            wanted = []
        return _parsed(agent, tuple(str(w).lower() for w in wanted))
