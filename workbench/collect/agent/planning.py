"""Which sources run on a machine: those that its collection rules name, or the set that needs no rule.

In go rules as JSON (data collection rules), out come scopes (a name that stays the same as long as rule and entry
do) with what each source is made of. An entry that no source answers to is told. Must not start anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.collect.sources._card import NO_SETTINGS, Settings, SourceCard

LEAST_SECONDS, MOST_SECONDS = 1.0, 7 * 86_400.0
MOST_SOURCES, MOST_TOLD, LONGEST_NAME = 500, 20, 200
"""What a machine bears whatever its rules say: sources at work, texts about what is strange, signs of a name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source as it is wanted: its card, the entry of the rule, seconds between readings, the rule and its streams."""

    card: SourceCard
    settings: Settings = field(default_factory=lambda: NO_SETTINGS)
    every: float = 60.0
    rule: str = ""
    streams: tuple[str, ...] = ()

    def more(self, table: str) -> dict[str, str]:
        """What goes with the records of a table, so that the service applies the rule's transform to them.

        Examples
        --------
        >>> card = SourceCard("services", ("ConfigurationData", "ConfigurationChange"), 60, print)
        >>> wanted = Wanted(card, rule="dcr-1", streams=("Microsoft-ConfigurationChange",))
        >>> wanted.more("ConfigurationChange"), wanted.more("ConfigurationData")
        ({'rule': 'dcr-1', 'stream': 'Microsoft-ConfigurationChange'}, {})
        """
        if table == "Operation":  # what a source tells of itself is no record of the rule's
            return {}
        own = f"Microsoft-{table}"
        custom = (stream for stream in self.streams if stream.startswith("Custom-"))
        stream = own if own in self.streams else next(custom, "")
        return {"rule": self.rule, "stream": stream} if stream else {}


def plan(
    rules: Sequence[Mapping[str, Any]], cards: Iterable[SourceCard]
) -> tuple[dict[str, Wanted], list[str]]:
    """The sources that rules want, by scope, and what in the rules nobody here answers to.

    Without any rule the sources run that need none. Sources that rules have no say in run always.

    Examples
    --------
    >>> card = SourceCard("performance", ("Perf",), 15, print, rule_key="performanceCounters")
    >>> entry = {"name": "cpu", "streams": ["Microsoft-Perf"], "samplingFrequencyInSeconds": 5}
    >>> found, strange = plan([{"immutableId": "dcr-1", "dataSources": {"performanceCounters": [entry]}}], [card])
    >>> [(scope, wanted.every, wanted.rule) for scope, wanted in found.items()], strange
    ([('dcr-1/performance/cpu', 5.0, 'dcr-1')], [])
    """
    cards = list(cards)
    if not rules:
        return {c.name: Wanted(c, every=c.every) for c in cards if c.unasked or not c.rule_key}, []
    found = {c.name: Wanted(c, every=c.every) for c in cards if not c.rule_key}
    strange: list[str] = []
    for rule in rules:
        if not isinstance(rule, Mapping):
            strange.append("a rule is no object")
            continue
        name = _name(rule)
        sources = _sources(rule)
        for key, entries in sources.items():
            able = [card for card in cards if card.rule_key == key]
            able = able or [card for card in cards if card.rule_key and card.name == key]
            if not able or not isinstance(entries, list):
                strange.append(f"{name}: no source here is named {key}")
                continue
            for place, entry in enumerate(entries):
                if not isinstance(entry, dict):
                    strange.append(f"{name}: entry {place} of {key} is no object")
                    continue
                for card in able:
                    scope = f"{name}/{card.name}/{str(entry.get('name') or place)[:LONGEST_NAME]}"
                    if len(found) >= MOST_SOURCES and scope not in found:
                        strange.append(
                            f"the rules ask for more than {MOST_SOURCES} sources: not all of them run"
                        )
                        return found, strange[-MOST_TOLD:]
                    found[scope] = Wanted(card, entry, _every(card, entry), name, _streams(entry))
    return found, strange[:MOST_TOLD]


def _name(rule: Mapping[str, Any]) -> str:
    told = rule.get("immutableId") or rule.get("immutable_id") or rule.get("name") or "rule"
    return str(told)[:LONGEST_NAME]


def _sources(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    inside = rule.get("properties")
    found = (inside if isinstance(inside, dict) else rule).get("dataSources")
    return found if isinstance(found, dict) else {}


def _every(card: SourceCard, entry: Settings) -> float:
    asked = entry.get("samplingFrequencyInSeconds")
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        return card.every
    return min(max(float(asked), LEAST_SECONDS), MOST_SECONDS)


def _streams(entry: Settings) -> tuple[str, ...]:
    listed = entry.get("streams")
    return tuple(s for s in listed if isinstance(s, str)) if isinstance(listed, list) else ()
