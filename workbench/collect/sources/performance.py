"""`Perf`: the counters that a rule names, or the usual ones of the machine every 15 seconds.

A counter is named as on the Log Analytics agent for Linux, `Object(instance)\\Counter`, with or
without the computer before it; `*` stands for any instance or counter.
"""

from __future__ import annotations

import fnmatch
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workbench.base import clock
from workbench.base.diagnostics import machine as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Settings, SourceCard
from workbench.collect.sources._counters import OBJECTS, Rates, Sample
from workbench.collect.sources._settings import texts_of
from workbench.collect.sources._text import shown

log = logging.getLogger("workbench.agent")
SAMPLE_SECONDS = 15.0
_SPECIFIER = re.compile(
    r"(\\\\[^\\]+)?\\?(?P<object>[^\\()]+)(\((?P<instance>.*)\))?\\(?P<counter>[^\\]+)", re.DOTALL
)
USUAL = (
    r"Processor(*)\% Processor Time",
    r"Memory(*)\Available MBytes Memory",
    r"Memory(*)\Used Memory MBytes",
    r"Memory(*)\% Used Memory",
    r"Memory(*)\% Available Memory",
    r"Memory(*)\Used MBytes Swap Space",
    r"Memory(*)\% Used Swap Space",
    r"Logical Disk(*)\% Used Space",
    r"Logical Disk(*)\% Free Space",
    r"Logical Disk(*)\Free Megabytes",
    r"Physical Disk(*)\Disk Read Bytes/sec",
    r"Physical Disk(*)\Disk Write Bytes/sec",
    r"Physical Disk(*)\Disk Reads/sec",
    r"Physical Disk(*)\Disk Writes/sec",
    r"Network(*)\Bytes Transmitted/sec",
    r"Network(*)\Bytes Received/sec",
    r"System(*)\Load1",
    r"System(*)\Load5",
    r"System(*)\Load15",
    r"System(*)\Uptime",
    r"System(*)\Processes",
)


@dataclass(frozen=True, slots=True)
class Specifier:
    """Which counters a text names; parts are compared without case, `*` stands for any text."""

    object: str
    instance: re.Pattern[str]
    counter: re.Pattern[str]

    def matches(self, sample: Sample) -> bool:
        item, counter, instance, _ = sample
        return (
            item.lower() == self.object
            and self.counter.fullmatch(counter) is not None
            and self.instance.fullmatch(instance) is not None
        )


def parse_specifier(text: str) -> Specifier:
    r"""The counters that a text names.

    Raises
    ------
    WorkbenchError
        `MAC202` when it is no name of counters.

    Examples
    --------
    >>> found = parse_specifier(r"\\web01\Processor(*)\% Processor Time")
    >>> found.matches(("Processor", "% Processor Time", "_Total", 1.0))
    True
    """
    found = _SPECIFIER.fullmatch(text.strip())
    if found is None:
        raise diagnostics.bad_setting("a counter", text, r"of the form Object(instance)\Counter")
    name = found["object"].strip().lower()
    instance = "*" if found["instance"] is None else found["instance"]
    return Specifier(name, _pattern(instance), _pattern(found["counter"].strip()))


def _pattern(text: str) -> re.Pattern[str]:
    # Of the signs of `fnmatch` only the star is one here. Its patterns never try a star twice, so a
    # rule can't name a counter that takes long to compare.
    plain = re.sub(r"([?\[])", r"[\1]", text)
    return re.compile(fnmatch.translate(plain), re.IGNORECASE)


class Performance:
    """Writes one record a counter and instance.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `counterSpecifiers`; how often it is asked (`samplingFrequencyInSeconds`) is the agent's part.
    """

    def __init__(self, machine: Machine, settings: Settings = NO_SETTINGS) -> None:
        self._machine = machine
        named = texts_of(settings, "counterSpecifiers") or USUAL
        self._specifiers = [parse_specifier(text) for text in named]
        wanted = {specifier.object for specifier in self._specifiers}
        self._objects = [read for name, read in OBJECTS.items() if name.lower() in wanted]
        unknown = wanted - {name.lower() for name in OBJECTS}
        if unknown:
            log.warning("no counters on this machine for: %s", ", ".join(sorted(unknown)))
        self._rates = Rates()
        # The first reading only sets the starting point of what is told a second.
        for _ in self._samples():
            pass
        self._rates.turn()

    def collect(self) -> Iterable[Batch]:
        now = format_datetime(clock.now_ticks())
        computer = self._machine.computer
        records = [
            {
                "TimeGenerated": now,
                "Computer": computer,
                "ObjectName": item,
                "CounterName": counter,
                "InstanceName": shown(instance),
                "CounterValue": float(value),
                "CounterPath": rf"\\{computer}\{item}({shown(instance)})\{counter}",
            }
            for item, counter, instance, value in self._samples()
        ]
        self._rates.turn()
        return [Batch("Perf", records)] if records else []

    def _samples(self) -> Iterator[Sample]:
        """The wanted counters, each once however many specifiers name it."""
        for read in self._objects:
            for sample in read(self._rates):
                if _wanted(sample, self._specifiers):
                    yield sample


def _wanted(sample: Sample, specifiers: Sequence[Specifier]) -> bool:
    return any(specifier.matches(sample) for specifier in specifiers)


CARD = SourceCard(
    "performance",
    ("Perf",),
    SAMPLE_SECONDS,
    Performance,
    first_after=1,
    rule_key="performanceCounters",
)
