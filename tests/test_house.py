"""The house rules that no other tool checks: sizes, names, openings, what is never written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_LINES = 600
CODE = (".py", ".js", ".css", ".ts", ".sh")
BUILT = ("workbench/kernel_ext/lab/labextension", "node_modules")
"""Folders of files that a tool has made."""

TOP_LEVEL = {
    "pyproject.toml", "README.md", "Makefile", "requirements.lock", "workbench", "notebooks", "runbooks",
    "tests", ".ci", ".gitignore",
}  # fmt: skip


def _files(*endings: str) -> list[Path]:
    roots = [ROOT / name for name in ("workbench", "tests", ".ci")]
    found = [
        path
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and (not endings or path.suffix in endings)
    ]
    return [p for p in found if not any(part in p.relative_to(ROOT).as_posix() for part in BUILT)]


MODULES = [p for p in _files(".py") if (ROOT / "workbench") in p.parents]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_source_file_is_too_long() -> None:
    counted = {_name(p): p.read_text().count("\n") for p in _files(*CODE)}
    assert len(counted) > 50
    assert {name: lines for name, lines in counted.items() if lines > MOST_LINES} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = re.compile(r"(^|_)(utils?|helpers?|misc|common)$")
    assert [_name(p) for p in MODULES if drawers.search(p.stem) or drawers.search(p.parent.name)] == []


def test_every_module_says_what_it_is() -> None:
    assert [_name(p) for p in MODULES if not ast.get_docstring(ast.parse(p.read_text()))] == []


def test_no_error_is_swallowed() -> None:
    """`except Exception: pass` and its like: a broad handler has to do something with the error."""
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            )
            if broad and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body):
                found.append(f"{_name(path)}:{node.lineno}")
    assert found == []


def test_errors_of_users_are_made_in_diagnostics_only() -> None:
    allowed = {"workbench/base/errors.py"}
    found = []
    for path in MODULES:
        name = _name(path)
        if name in allowed or name.startswith("workbench/base/diagnostics/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "WorkbenchError"
            ):
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_every_code_of_an_error_is_given_once() -> None:
    codes: dict[str, str] = {}
    for path in sorted((ROOT / "workbench/base/diagnostics").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "WorkbenchError" and isinstance(node.args[0], ast.Constant):
                code = str(node.args[0].value)
                assert code not in codes, (
                    f"{code} stands in {codes.get(code)} and in {path.name}:{node.lineno}"
                )
                codes[code] = f"{path.name}:{node.lineno}"
    assert len(codes) > 20


def test_no_wall_clock_but_the_clock() -> None:
    """`now()`, schedules and tests share `base/clock`."""
    clocks = re.compile(r"\bdatetime\.now\(|\bdt\.datetime\.now\(|\btime\.time(_ns)?\(|\butcnow\(")
    allowed = {"workbench/base/clock.py"}
    assert [_name(p) for p in MODULES if _name(p) not in allowed and clocks.search(p.read_text())] == []


def test_nothing_lies_at_the_top_but_the_house() -> None:
    git = ROOT / ".git"
    if not git.exists():
        pytest.skip("no git checkout here: what is committed can't be told")
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in listed.splitlines()} - TOP_LEVEL == set()
