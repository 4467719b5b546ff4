"""The command line as a process, and a workspace with a few records."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = subprocess.CompletedProcess[bytes]
Run = Callable[..., Ran]

RECORDS = [
    {
        "TimeGenerated": f"2026-01-02T03:04:{n:02d}Z",
        "Computer": f"web{n % 2:02d}",
        "Size": n,
        "Note": 'a "b", c\nd',
    }
    for n in range(10)
]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder of its own, so that nothing of the user's is read or written."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def run(home: Path) -> Run:
    def call(*arguments: str, stdin: bytes | None = None, environment: dict[str, str] | None = None) -> Ran:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("WORKBENCH_", "XDG_"))}
        return subprocess.run(
            [sys.executable, "-m", "workbench.cli", *arguments],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=120,
            env={**clean, "HOME": str(home), **(environment or {})},
        )

    return call


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A workspace with the ten records of `App`."""
    import workbench

    path = str(tmp_path_factory.mktemp("cli") / "workspace")
    assert workbench.open(path, create=True).ingest("App", RECORDS) == 10
    return path
