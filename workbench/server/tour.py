"""Runs a notebook without a browser, stops at its first failing cell, and says which.

papermill runs as a child process with a log of its own; the executed notebook is kept beside it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from workbench.base.diagnostics import service as diagnostics
from workbench.server.children import Child

TOUR_SECONDS = 180.0


def run_tour(notebook: Path, workspace: str, logs: Path) -> int:
    """Execute `notebook` over `workspace`.

    Returns
    -------
    int
        The number of code cells that ran.

    Raises
    ------
    WorkbenchError
        SRV007 naming the cell that failed, SRV008 after `TOUR_SECONDS`, SRV009 when papermill could
        not start.
    """
    executed, log = logs / notebook.name, logs / "tour.log"
    executed.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "papermill", str(notebook), str(executed),
        "--kernel", "python3", "--cwd", str(notebook.parent), "--no-progress-bar", "--log-level", "WARNING",
    ]  # fmt: skip
    child = Child("the tour", command, log, {**os.environ, "WORKBENCH_WORKSPACE": workspace})
    try:
        deadline = time.monotonic() + TOUR_SECONDS
        while (status := child.ended()) is None:
            if time.monotonic() > deadline:
                raise diagnostics.tour_slow(TOUR_SECONDS, str(executed))
            time.sleep(0.1)
    finally:
        child.stop()
    if status != 0:
        raise _failure(executed, log, status)
    return len(_code_cells(executed))


def _code_cells(executed: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(executed.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _failure(executed: Path, log: Path, status: int) -> Exception:
    """The error output of the first cell that has one (papermill adds marks above such a cell)."""
    if executed.exists():
        for number, cell in enumerate(_code_cells(executed), start=1):
            for output in cell["outputs"]:
                if output["output_type"] == "error":
                    source = "".join(cell["source"]).strip().split("\n")[-1][:60]
                    error = f"{output['ename']}: {output['evalue']}".split("\n")[0]
                    return diagnostics.tour_failed(number, source, error, str(executed))
    return diagnostics.tour_broke(status, str(log))
