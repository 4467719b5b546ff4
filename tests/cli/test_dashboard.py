"""`workbench dashboard`: the exported file, and what is refused before anything is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import workspace
from workbench.cli.app import run

TEXT = "title: Beats\nparameters: [{name: host}]\ntiles: [{tile: number, title: All, query: 'Heartbeat | where host == \"\" or Computer == host | count', timespan: P30000D}]\n"
NOTEBOOK = '{"cells": [{"cell_type": "code", "source": ["%dashboard beats.yaml"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = workspace.open(str(tmp_path / "w"), create=True)
    place.ingest(
        "Heartbeat", [{"TimeGenerated": "2026-01-02T03:04:05Z", "Computer": c} for c in ("a", "b", "b")]
    )
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "w"))
    (tmp_path / "beats.yaml").write_text(TEXT)
    (tmp_path / "beats.ipynb").write_text(NOTEBOOK)
    (tmp_path / "plain.ipynb").write_text('{"cells": []}')
    return tmp_path


@pytest.mark.parametrize(
    ("name", "link", "figure"), [("beats.yaml", "", "3"), ("beats.ipynb", "p_host=b", "2")]
)
def test_export_writes_one_file(folder: Path, name: str, link: str, figure: str) -> None:
    assert (
        run(["dashboard", "export", str(folder / name), "-o", str(folder / "out.html"), "--link", link]) == 0
    )
    made = (folder / "out.html").read_text()
    assert f">{figure}</button>" in made
    assert "%%logsearch --timespan" in made


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "none.yaml"], "DSH002"),
        (["export", "plain.ipynb"], "DSH203: the notebook"),
        (["export", "beats.yaml", "--link", "p_hots=a"], "DSH102: the dashboard has no parameter 'hots'"),
        (["serve", "none.ipynb"], "DSH202"),
        (["serve", "plain.ipynb"], "hint: a cell of it has to say: %dashboard FILE.yaml"),
        (["serve", "beats.ipynb", "--host", "0.0.0.0"], "DSH204"),
        (["serve", "beats.ipynb", "beats.ipynb"], "DSH205"),
    ],
)
def test_mistakes_are_one_sentence(folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(folder)
    assert run(["dashboard", *arguments]) == 1
    assert said in capsys.readouterr().err
