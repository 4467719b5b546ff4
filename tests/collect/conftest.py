"""A fresh repository, ways to read it back, and where the shared captures lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.repository.tables import Repository

SHARED = Path(os.environ.get("WORKBENCH_SHARED") or Path(__file__).parents[2].parent / "shared")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.open(str(tmp_path / "ws"), create=True)


@pytest.fixture
def table(repository: Repository) -> Callable[..., list[dict[str, Any]]]:
    """The rows of a table in the order in which they were stored, without the system's columns."""

    def read(name: str, *columns: str) -> list[dict[str, Any]]:
        if not repository.has(name):
            return []
        own = [c.name for c in repository.schema(name) if not c.hidden and c.name != "_TimeReceived"]
        wanted = list(columns) or own
        frame = repository.scan(name, [*wanted, "_Writer", "_Sequence"]).lazy.collect()
        return frame.sort("_Writer", "_Sequence").select(wanted).to_dicts()

    return read


@pytest.fixture
def count(repository: Repository) -> Callable[[str], int]:
    def read(name: str) -> int:
        if not repository.has(name):
            return 0
        return int(repository.scan(name, ["TimeGenerated"]).lazy.select(pl.len()).collect().item())

    return read


@pytest.fixture
def captures() -> Path:
    """The folder of the shared Windows captures; a test that needs them skips where they are not."""
    folder = SHARED / "data" / "windows_events"
    if not folder.is_dir():
        pytest.skip(f"the shared captures are not at {folder}")
    return folder
