"""What every test can use: the `--update` option, control databases, and `casefile` as a module to import."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Test files are imported by path (importmode importlib), which puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write what the text cases expect anew; read the diff"
    )


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name archives by their length: they hold the time, and every process has to name its tests the same."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and (b"\x1f\x8b" in val or b"PK" in val) else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    # The shared real events are data that only some machines have; programs can be installed.
    if report.skipped and "shared captures" not in reason:
        _SKIPPED.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The gate installs the programs that tests need, so there a skip is a failure."""
    if os.environ.get("CI") and _SKIPPED and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nskipped where nothing may be skipped:", *_SKIPPED, sep="\n  ")


_SKIPPED: list[str] = []


@pytest.fixture
def updating(request: pytest.FixtureRequest) -> bool:
    """Whether expected parts are to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[object]:
    """A cluster (`postgresql.Cluster`) for the whole run."""
    import postgresql as cluster

    if cluster.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with cluster.running() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def control_place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A state folder whose control database is SQLite, and then one whose is PostgreSQL."""
    from workbench.base.database import VARIABLE, Database

    monkeypatch.delenv(VARIABLE, raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("postgresql").fresh())
    yield tmp_path
    Database.open(tmp_path).close()
