"""A machine of a test's own, and what the agent does with a source: collect, keep its marks, start it anew."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workbench.collect.sources import Batch, Machine, Source

Make = Callable[..., Source]


class Runner:
    """Collects from a source and keeps its marks as the agent's spool does."""

    def __init__(self, machine: Machine, make: Make, settings: Mapping[str, Any] | None) -> None:
        self.machine, self._make, self._settings = machine, make, settings
        self.marks: dict[str, Any] = dict(machine.marks)
        self.source = self._made()

    def _made(self) -> Source:
        machine = dataclasses.replace(self.machine, marks=dict(self.marks))
        return self._make(machine) if self._settings is None else self._make(machine, self._settings)

    def restart(self) -> None:
        """What the agent finds after its end: the marks that were kept, and nothing else."""
        if hasattr(self.source, "close"):
            self.source.close()
        self.source = self._made()

    def collect(self, *, keep: bool = True) -> dict[str, list[dict[str, Any]]]:
        """The records of a reading by table; without `keep` the agent dies before they are on disk."""
        batches: list[Batch] = list(self.source.collect())
        found: dict[str, list[dict[str, Any]]] = {}
        for batch in batches:
            json.dumps([batch.records, dict(batch.marks)]).encode("utf-8")
            found.setdefault(batch.table, []).extend(batch.records)
            if keep:
                kept = self.marks | batch.marks
                self.marks = {name: value for name, value in kept.items() if value is not None}
        return {table: records for table, records in found.items() if records}


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What the condition gives when it is true at last."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
    return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    root = tmp_path / "log"
    root.mkdir()
    (tmp_path / "commands.d").mkdir(mode=0o755)
    return Machine(tmp_path / "agent", root, allow_paths=(root,), commands=tmp_path / "commands.d")


@pytest.fixture
def run(machine: Machine) -> Callable[..., Runner]:
    """Makes a runner: `run(TextFiles, {…settings})`; without settings as if no rule concerned the machine."""

    def made(make: Make, settings: Mapping[str, Any] | None = None, on: Machine = machine) -> Runner:
        return Runner(on, make, settings)

    return made


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return until
