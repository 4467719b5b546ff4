"""What an importer gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.alerts import checks
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
    checks.checked(of(written(rule)))
    return Imported(rule, tuple(dict.fromkeys(remarks)))


def name_of(text: str) -> str:
    """A name as it can be kept: one line, no slash, no longer than names are."""
    plain = "".join("-" if c in "/\\" else c if c.isprintable() else " " for c in text)
    return " ".join(plain.split()).lstrip(".")[:200].rstrip()


def kept(found: Mapping[str, object], keys: Sequence[str]) -> dict[str, object]:
    """Those of `keys` that say something."""
    return {k: found[k] for k in keys if found.get(k) not in (None, "", [], {})}
