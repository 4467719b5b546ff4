"""What an importer gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.alerts.reading import of, written
from workbench.alerts.rule import Rule

UNNAMED = "Imported rule"
"""The name of a rule whose own can't be told."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A rule, and what of its text has no place here, a sentence each."""

    rule: Rule
    remarks: tuple[str, ...] = ()


def checked(rule: Rule, remarks: Sequence[str]) -> Imported:
    """The rule as if it had been written here: the same limits hold, and its query can be read.

    Raises
    ------
    WorkbenchError
        ALR1xx, KQL….
    """
    of(written(rule))
    return Imported(rule, tuple(dict.fromkeys(remarks)))


def name_of(text: str) -> str:
    """A name as it can be kept: one line, no longer than names are."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


def kept(found: Mapping[str, object], keys: Sequence[str]) -> dict[str, object]:
    """Those of `keys` that say something."""
    return {k: found[k] for k in keys if found.get(k) not in (None, "", [], {})}
