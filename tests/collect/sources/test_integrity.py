"""Watched files: the baseline, every kind of change, bounded work, restarts, and paths that are not allowed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect.sources import Machine, integrity
from workbench.collect.sources.integrity import Integrity


@pytest.fixture
def watched(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two files, gone round at every reading."""
    monkeypatch.setattr("workbench.collect.sources._turns._EARLY", float("inf"))
    folder = machine.log_root / "etc"
    (folder / "sub").mkdir(parents=True)
    (folder / "hosts").write_text("one\n")
    (folder / "sub" / "deep").write_text("deep\n")
    return folder


def changes(found: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    rows = found.get("ConfigurationChange", [])
    return [(r["ChangeCategory"], r["Name"]) for r in rows]


def test_the_first_round_is_the_baseline(watched: Path, run) -> None:
    found = run(Integrity, {"paths": [str(watched)]}).collect()
    assert set(found) == {"ConfigurationData"}
    by_name = {r["Name"]: r for r in found["ConfigurationData"]}
    assert set(by_name) == {"etc", "hosts", "sub", "deep"}
    row = by_name["hosts"]
    assert row["ConfigDataType"] == "Files"
    assert row["FileSystemPath"] == str(watched / "hosts")
    assert row["Size"] == 4
    assert row["FileContentChecksum"] == hashlib.sha256(b"one\n").hexdigest()
    assert row["Attributes"].startswith("-rw")


def test_every_kind_of_change_is_told_once(watched: Path, run) -> None:
    files = run(Integrity, {"paths": [str(watched)]})
    files.collect()
    assert files.collect() == {}
    (watched / "hosts").write_text("two, and more\n")
    (watched / "new").write_text("x")
    (watched / "sub" / "deep").unlink()
    found = files.collect()
    assert sorted(changes(found)) == [("Added", "new"), ("Modified", "hosts"), ("Removed", "deep")]
    row = next(r for r in found["ConfigurationChange"] if r["Name"] == "hosts")
    assert row["ConfigChangeType"] == "Files"
    assert set(row["FieldsChanged"].split(", ")) >= {"Size", "FileContentChecksum"}
    assert (row["PreviousSize"], row["Size"]) == (4, 14)
    assert row["PreviousFileContentChecksum"] == hashlib.sha256(b"one\n").hexdigest()
    assert files.collect() == {}


def test_a_change_of_rights_alone_is_told(watched: Path, run) -> None:
    files = run(Integrity, {"paths": [str(watched / "hosts")]})
    files.collect()
    (watched / "hosts").chmod(0o600)
    (row,) = files.collect()["ConfigurationChange"]
    assert row["FieldsChanged"] == "Attributes"
    assert (row["PreviousAttributes"][-6:], row["Attributes"][-6:]) == ("r--r--", "------")


def test_same_size_and_set_back_time_do_not_hide_a_change(watched: Path, run) -> None:
    path = watched / "hosts"
    files = run(Integrity, {"paths": [str(path)]})
    files.collect()
    before = path.stat()
    path.write_text("two\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (row,) = files.collect()["ConfigurationChange"]
    assert row["FieldsChanged"] == "FileContentChecksum"


def test_the_baseline_survives_a_restart_and_a_change_is_not_lost(watched: Path, run) -> None:
    files = run(Integrity, {"paths": [str(watched)]})
    files.collect()
    (watched / "hosts").write_text("two\n")
    (watched / "sub" / "deep").unlink()
    files.restart()
    assert len(changes(files.collect(keep=False))) == 2
    files.restart()
    assert sorted(changes(files.collect())) == [("Modified", "hosts"), ("Removed", "deep")]
    files.restart()
    assert files.collect() == {}


def test_a_turn_does_a_bounded_amount_of_work(watched: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "BYTES_A_TURN", 3 << 20)
    (watched / "large").write_bytes(os.urandom(10 << 20))
    files = run(Integrity, {"paths": [str(watched)]})
    turns = []
    while files.source._round is not None or not turns:
        turns.append(files.collect())
    assert len(turns) >= 4
    rows = [r for found in turns for r in found.get("ConfigurationData", [])]
    assert [r["FileContentChecksum"] for r in rows if r["Name"] == "large"] == [
        hashlib.sha256((watched / "large").read_bytes()).hexdigest()
    ]
    assert all("ConfigurationChange" not in found for found in turns)


def test_a_link_is_watched_and_not_followed(watched: Path, run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (watched / "link").symlink_to(tmp_path / "secret")
    (watched / "folder").symlink_to(tmp_path)
    files = run(Integrity, {"paths": [str(watched)]})
    rows = {r["Name"]: r for r in files.collect()["ConfigurationData"]}
    assert "secret" not in rows
    assert rows["link"]["FileContentChecksum"] == ""
    (watched / "link").unlink()
    (watched / "link").symlink_to("/dev/null")
    (row,) = files.collect()["ConfigurationChange"]
    assert row["Current"].endswith("-> /dev/null")


def test_names_that_are_no_text_are_watched(watched: Path, run) -> None:
    strange = os.fsencode(watched) + b"/caf\xe9"
    Path(os.fsdecode(strange)).write_text("x")
    files = run(Integrity, {"paths": [str(watched)]})
    assert "caf\\xe9" in {r["Name"] for r in files.collect()["ConfigurationData"]}
    assert files.collect() == {}
    os.unlink(strange)
    assert changes(files.collect()) == [("Removed", "caf\\xe9")]


@pytest.mark.parametrize("path", ["/etc/shadow", "relative", "/", "{root}/../secret", "{root}/way/secret"])
def test_a_path_outside_is_refused(machine: Machine, tmp_path: Path, path: str) -> None:
    (machine.log_root / "way").symlink_to(tmp_path)
    with pytest.raises(WorkbenchError) as told:
        Integrity(machine, {"paths": [path.format(root=machine.log_root)]})
    assert told.value.code == "MAC201"
