"""Notebooks on disk, on their way to become runbooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.actions.runbook.library import MOST_BYTES
from workbench.base.diagnostics import jobs as diagnostics


def notebooks(path: Path, name: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and notebook of a file, or of each notebook in a folder.

    Parameters
    ----------
    path : Path
    name : str, optional
        Of the runbook that a file becomes; by default the file's own without its ending.

    Raises
    ------
    WorkbenchError
        JOB203 for what is no notebook.
    """
    if path.is_dir():
        for file in sorted(path.glob("*.ipynb")):
            yield file.stem, _read(file)
        return
    yield name or path.stem, _read(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise diagnostics.not_a_notebook(str(path), f"it has more than {MOST_BYTES:,} bytes")
        found = json.loads(path.read_bytes())
    except OSError as why:
        raise diagnostics.not_a_notebook(str(path), why.strerror or str(why)) from None
    except (ValueError, RecursionError):
        raise diagnostics.not_a_notebook(str(path), "it is no JSON") from None
    if not isinstance(found, dict):
        raise diagnostics.not_a_notebook(str(path), "it is no JSON object")
    return found
