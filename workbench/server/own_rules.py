"""The alert rules about the workspace itself, made once: what a person then changes or removes stays so."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from workbench.alerts.shipped import load, shipped, text_of
from workbench.server import client
from workbench.server.place import ServicePlace

_FILE = "shipped_rules"


def make(place: ServicePlace) -> list[str]:
    """Have the service of `place` keep the rules that ship and were never made here; the names of those.

    Raises
    ------
    WorkbenchError
        SRV023 where no service runs, and what it refuses a rule with.
    """
    noted = place.folder / _FILE
    before = _made(noted)
    fresh = [name for name in shipped() if name not in before]
    there = {r["name"] for r in client.asked(place, "GET", "/api/alertRules")["rules"]} if fresh else set()
    for name in fresh:
        rule = load(name).name
        if rule not in there:
            client.asked(place, "PUT", f"/api/alertRules/{quote(rule, safe='')}", {"text": text_of(name)})
        # After each one: where the next is refused, this one was made all the same.
        before = [*before, name]
        noted.write_text("".join(f"{one}\n" for one in before), encoding="utf-8")
    return fresh


def _made(noted: Path) -> list[str]:
    try:
        return noted.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return []
