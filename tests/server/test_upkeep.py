"""A running service keeps its tables in few files."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import workbench
from workbench.server import upkeep
from workbench.server.upkeep import Upkeep


def test_many_small_commits_become_one_file_and_keep_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FIRST_AFTER", 3)
    monkeypatch.setattr(upkeep, "COMMITS", 4)
    opened = workbench.open(str(tmp_path / "workspace"), create=True)
    keeper, files = Upkeep(opened.repository), []
    for number in range(8):
        opened.ingest("App", [{"TimeGenerated": "2026-01-02T00:00:00Z", "Size": number}])
        keeper.stored(["App"])
        files.append(opened.repository.scan("App").files_total)
    assert files == [1, 2, 1, 2, 3, 4, 1, 2]
    assert opened.query("App | summarize sum(Size), count()").frame.row(0) == (28, 8)


def test_a_failed_compaction_is_told_and_does_not_disturb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "FIRST_AFTER", 1)
    opened = workbench.open(str(tmp_path / "workspace"), create=True)
    with caplog.at_level(logging.ERROR):
        Upkeep(opened.repository).stored(["Nowhere"])
    assert "compaction of Nowhere failed" in caplog.text
