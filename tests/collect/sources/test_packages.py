"""Installed packages, their changes, pending updates; above all that a failed scan never looks like none."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from workbench.collect.sources import _apt, packages
from workbench.collect.sources.packages import Packages
from workbench.collect.sources.updates import Updates

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no dpkg-query here")
needs_apt = pytest.mark.skipif(
    shutil.which("apt-get") is None or not any(_apt.LISTS.glob("*Packages*")), reason="no apt lists here"
)
ANSWER = """The following packages have been kept back:
   kernel (6.1 => 6.2)
The following packages will be upgraded:
   bash (5.1 => 5.2)
1 upgraded, 0 newly installed, 0 to remove and 1 not upgraded.
Inst bash [5.1] (5.2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])
Conf bash (5.2 Debian:12.15/oldstable [amd64])
"""


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A list of packages that the test writes, read by a real program; its file is the database, too."""
    path = tmp_path / "status"
    monkeypatch.setattr(packages, "_DPKG", ("cat", str(path)))
    monkeypatch.setattr(packages, "_RPM", ("no-such-program",))
    monkeypatch.setattr(packages, "_DATABASES", (path,))

    def write(*rows: tuple[str, str]) -> None:
        path.write_text("".join(f"ii \t{name}\t{version}\tamd64\tMe\tA\ttext\n" for name, version in rows))
        path.touch()

    return write


@needs_dpkg
def test_what_is_installed_is_listed(run) -> None:
    by_name = {r["SoftwareName"]: r for r in run(Packages).collect()["ConfigurationData"]}
    assert by_name["dpkg"]["CurrentVersion"]
    assert by_name["dpkg"]["ConfigDataType"] == "Software"


def test_changes_of_packages_are_told_once(listing, run) -> None:
    listing(("bash", "5.1"), ("old", "1"))
    found = run(Packages, {"name": "p"})
    assert set(found.collect()) == {"ConfigurationData"}
    assert found.collect() == {}
    listing(("bash", "5.2"), ("new", "1"))
    found.restart()
    assert len(found.collect(keep=False)["ConfigurationChange"]) == 3
    found.restart()
    rows = found.collect()["ConfigurationChange"]
    assert [(r["ChangeCategory"], r["SoftwareName"], r["Previous"], r["Current"]) for r in rows] == [
        ("Modified", "bash", "5.1", "5.2"),
        ("Added", "new", "", "1"),
        ("Removed", "old", "1", ""),
    ]
    found.restart()
    assert "ConfigurationChange" not in found.collect()


def test_changes_that_dpkg_log_tells_are_not_told_twice(listing, run, machine) -> None:
    (machine.log_root / "dpkg.log").write_text("")
    listing(("bash", "5.1"))
    found = run(Packages)
    found.collect()
    listing(("bash", "5.2"))
    found.restart()
    assert "ConfigurationChange" not in found.collect()


def test_a_listing_that_failed_is_no_removal(listing, run, tmp_path: Path) -> None:
    listing(("bash", "5.1"))
    found = run(Packages, {"name": "p"})
    found.collect()
    (tmp_path / "status").unlink()
    with pytest.raises(RuntimeError, match="status 1"):
        found.collect()
    listing(("bash", "5.1"))
    assert found.collect() == {}


# ---- updates ----------------------------------------------------------------------------------


def scanned(run, eventually, scan, found=None):
    made = found or run(lambda machine, settings: Updates(machine, settings, scan), {})
    return made, eventually(made.collect)


def test_needed_updates_are_told_and_later_that_they_are_not(run, eventually) -> None:
    answers = [ANSWER, "0 upgraded"]

    def scan() -> _apt.Scan:
        return _apt.Scan(tuple(_apt.parse(answers.pop(0))), time.time())

    updates, found = scanned(run, eventually, scan)
    rows = {r["Product"]: r for r in found["Update"]}
    assert {name: r["UpdateState"] for name, r in rows.items()} == {"bash": "Needed", "kernel": "Needed"}
    assert (rows["bash"]["Classification"], rows["kernel"]["Classification"]) == (
        "Security Updates",
        "Others",
    )
    assert (rows["bash"]["ProductVersion"], rows["bash"]["Optional"], rows["kernel"]["Optional"]) == (
        "5.2", False, True,
    )  # fmt: skip
    (summary,) = found["UpdateSummary"]
    assert (summary["TotalUpdatesMissing"], summary["SecurityUpdatesMissing"]) == (2, 1)
    updates.restart()
    _, found = scanned(run, eventually, scan, updates)
    assert {r["Product"]: r["UpdateState"] for r in found["Update"]} == dict.fromkeys(rows, "Not needed")
    assert found["UpdateSummary"][0]["TotalUpdatesMissing"] == 0


@pytest.mark.parametrize(
    ("program", "why"),
    [("/bin/false", "status 1"), ("/bin/true", "no end"), ("/no/such/apt", "No such file")],
)
def test_a_failed_scan_says_nothing_but_that(run, eventually, tmp_path: Path, program: str, why: str) -> None:
    (tmp_path / "x_Packages").touch()
    _, found = scanned(run, eventually, lambda: _apt.scan(program, tmp_path))
    assert set(found) == {"Operation"}
    assert found["Operation"][0]["OperationStatus"] == "Error"
    assert why in found["Operation"][0]["Detail"]


@needs_apt
def test_apt_without_lists_is_a_failed_scan(run, eventually, tmp_path: Path) -> None:
    _, found = scanned(run, eventually, lambda: _apt.scan(lists=tmp_path))
    assert set(found) == {"Operation"}
    assert "did not run on this machine" in found["Operation"][0]["Detail"]


def test_old_lists_are_told_beside_what_was_found(run, eventually) -> None:
    month = 30 * 86_400
    _, found = scanned(run, eventually, lambda: _apt.Scan((), time.time() - month))
    assert set(found) == {"UpdateSummary", "Operation"}
    assert "30 days old" in found["Operation"][0]["Detail"]


@needs_apt
@pytest.mark.slow
def test_a_scan_by_apt_changes_nothing_on_the_machine() -> None:
    caches = [Path("/var/cache/apt"), _apt.LISTS, Path("/var/lib/dpkg")]

    def seen() -> list[tuple[str, int]]:
        return [(str(p), p.stat().st_mtime_ns) for folder in caches for p in sorted(folder.iterdir())]

    before = seen()
    found = _apt.scan()
    assert seen() == before
    assert all(p.candidate and p.installed and p.candidate != p.installed for p in found.pending)
