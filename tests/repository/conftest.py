"""A fresh repository in a folder of its own, and short ways to make rows and to read them back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.repository.tables import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.open(str(tmp_path / "ws"), create=True)


@pytest.fixture
def at() -> Callable[..., dt.datetime]:
    """A UTC moment: `at(26)` is 26 hours after 2024-01-01."""

    def moment(hours: float = 0) -> dt.datetime:
        return dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hours)

    return moment


@pytest.fixture
def column(repository: Repository) -> Callable[..., list[Any]]:
    """Values of a column in the order in which they were appended."""

    def read(table: str, name: str) -> list[Any]:
        frame = repository.scan(table, [name, "_Writer", "_Sequence"]).lazy.collect()
        return frame.sort("_Writer", "_Sequence")[name].to_list()

    return read


@pytest.fixture
def rows() -> Callable[[pl.LazyFrame], list[tuple[Any, ...]]]:
    """The rows of a frame as a sorted list: a multiset that can be compared."""

    def read(frame: pl.LazyFrame) -> list[tuple[Any, ...]]:
        return sorted(frame.collect().rows(), key=repr)

    return read
