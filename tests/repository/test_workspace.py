"""Workspaces: made, opened, missing, damaged, from the future; and the law of splits."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchError
from workbench.repository.layout import stored_name
from workbench.repository.tables import Repository


def test_a_workspace_is_made_once_and_keeps_its_id(tmp_path: Path) -> None:
    made = Repository.open(str(tmp_path / "a" / "ws"), create=True)
    again = Repository.open(str(tmp_path / "a" / "ws"), create=True)
    assert made.workspace_id == again.workspace_id == Repository.open(made.path).workspace_id
    assert made.tables() == []
    content = json.loads((tmp_path / "a" / "ws" / "workspace.json").read_text())
    assert content["format"] == 1


def test_a_missing_workspace_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="REP001"):
        Repository.open(str(tmp_path / "ws"))
    assert not (tmp_path / "ws").exists()


def test_a_url_is_refused_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkbenchError, match="REP002"):
        Repository.open("s3://bucket/ws", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"format": 2, "workspace_id": "x"}', "REP003"),
        ("{", "REP004"),
        ("[]", "REP004"),
        ('{"format": 1}', "REP004"),
    ],
)
def test_a_workspace_file_that_cannot_be_read_is_told(content: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text(content)
    with pytest.raises(WorkbenchError, match=code):
        Repository.open(str(tmp_path), create=True)
    assert (tmp_path / "workspace.json").read_text() == content


def test_a_damaged_catalog_file_is_told(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"A": [1]}))
    file = Path(repository.path, "catalog", "T.json")
    content = json.loads(file.read_text())
    content["columns"][0]["type"] = "colour"
    file.write_text(json.dumps(content))
    with pytest.raises(WorkbenchError, match="REP004"):
        Repository.open(repository.path).schema("T")


def test_what_later_versions_add_to_the_catalog_is_kept(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"A": [1]}))
    file = Path(repository.path, "catalog", "T.json")
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "saved": {"a": 1}}))
    repository.append("T", pl.DataFrame({"B": [1]}))
    assert json.loads(file.read_text())["saved"] == {"a": 1}


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(NAME, unique=True, max_size=8))
def test_stored_names_are_safe_and_unlike_each_other(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(stored_name(name, taken))
    assert len({t.lower() for t in taken}) == len(names)
    assert all(t.isascii() and not set(t) & set(" ,;{}()\n\t=./\\%") for t in taken)


ROW = st.fixed_dictionaries(
    {},
    optional={
        "A": st.one_of(st.none(), st.integers(-9, 9)),
        "a": st.one_of(st.none(), st.text(max_size=3)),
        "TimeGenerated": st.datetimes(),
        "L": st.lists(st.integers(0, 3), max_size=2),
    },
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=10), cuts=st.lists(st.integers(1, 9), max_size=4))
def test_any_split_stores_the_same_rows(
    rows: list[dict[str, Any]], cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    schema = {"A": pl.Int64, "a": pl.String, "TimeGenerated": pl.Datetime("us"), "L": pl.List(pl.Int64)}
    frame = pl.DataFrame(rows, schema=schema).with_columns(
        pl.col("TimeGenerated").fill_null(pl.datetime(2024, 1, 1))
    )
    bounds = [0, *sorted({c for c in cuts if c < len(rows)}), len(rows)]
    found = []
    for ends in ([0, len(rows)], bounds):
        repository = Repository.open(str(tmp_path_factory.mktemp("ws") / "ws"), create=True)
        for low, high in pairwise(ends):
            repository.append("T", frame[low:high])
        found.append(
            repository.scan("T", ["_Sequence", "TimeGenerated", "A", "a", "L"])
            .lazy.collect()
            .sort("_Sequence")
        )
        repository.compact("T")
        found.append(
            repository.scan("T", ["_Sequence", "TimeGenerated", "A", "a", "L"])
            .lazy.collect()
            .sort("_Sequence")
        )
    assert all(f.equals(found[0]) for f in found)
    assert found[0]["A"].to_list() == frame["A"].to_list()
