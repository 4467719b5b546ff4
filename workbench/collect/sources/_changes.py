"""Marks of sources that tell changes: what they knew, name by name, kept with the records that tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.collect.sources._card import Batch


def changed_marks(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be kept anew; None for what is gone.

    Examples
    --------
    >>> changed_marks({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5})
    {'b': 5, 'c': None}
    """
    changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return changed | {name: None for name in before if name not in after}


def with_marks(batches: Sequence[Batch], marks: Mapping[str, Any], table: str) -> list[Batch]:
    """The batches, the last of them with the marks; without batches one of `table` that holds only marks."""
    if not marks:
        return list(batches)
    if not batches:
        return [Batch(table, [], marks=marks)]
    return [*batches[:-1], replace(batches[-1], marks=marks)]
