"""Assets over a control database of SQLite, then of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.actions.assets import Assets, told
from workbench.actions.assets.keys import FileKeys
from workbench.base.database import Database
from workbench.collect.record_outbox import RecordOutbox


@pytest.fixture
def outbox(control_place: Path) -> RecordOutbox:
    return RecordOutbox(Database.open(control_place), told.TYPES)


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "keys" / "assets.key")


@pytest.fixture
def assets(outbox: RecordOutbox, keys: FileKeys) -> Assets:
    return Assets(outbox, "w", keys)
