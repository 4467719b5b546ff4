"""The notebooks that ship, run cell by cell over this machine's own fresh records."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.server import up

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def test_every_cell_of_every_notebook_runs(tmp_path: Path) -> None:
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    workspace = tmp_path / "workspace"
    with up.running(str(workspace), with_lab=False) as state:
        up.wait_for_records(state)
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", "notebooks"],
            cwd=ROOT,
            env={**os.environ, "WORKBENCH_WORKSPACE": str(workspace)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout or "[100%]" in ran.stdout
