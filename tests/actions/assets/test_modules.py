"""Modules: installed once for a list, offline, from a wheel made here; what can't be installed is told."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wheels import wheel

from workbench.actions.assets.modules import Environments
from workbench.base.errors import WorkbenchError

pytestmark = pytest.mark.slow


def test_a_list_is_installed_once(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "modules")
    wanted = [wheel(tmp_path)]
    with ThreadPoolExecutor(3) as pool:
        (made,) = set(pool.map(lambda _: environments.made(wanted), range(3)))
    assert made is not None
    assert sorted(p.name for p in environments.folder.iterdir()) == [made.name, f"{made.name}.lock"]
    code = f"import sys; sys.path.insert(0, {str(made)!r}); import tinymodule; print(tinymodule.answer)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "42\n"
    (tmp_path / "tinymodule-1.2-py3-none-any.whl").unlink()
    assert environments.made(wanted) == made, "nothing is fetched again"


def test_what_can_not_be_installed_is_told(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "modules")
    for wanted in ([f"tinymodule @ {(tmp_path / 'none-1-py3-none-any.whl').as_uri()}"], [wheel(tmp_path, "Requires-Dist: polars==0.1\n")]):  # fmt: skip
        with pytest.raises(WorkbenchError) as why:
            environments.made(wanted)
        assert why.value.code == "AST204"
        assert [p.name for p in environments.folder.iterdir() if p.is_dir()] == []
