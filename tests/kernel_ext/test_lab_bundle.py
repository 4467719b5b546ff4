"""The JupyterLab plugin as it is committed: its bundle is that of its sources, its words those of the engine.

`pytest tests/kernel_ext/test_lab_bundle.py --update` writes the words anew; `.ci/lab-extension` the bundle.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import workbench
from workbench.base.dtypes import ScalarType
from workbench.kernel_ext.options import FORMS
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.language import candidates
from workbench.query.language.semantic import KEYWORDS
from workbench.query.operators import OPERATORS
from workbench.query.operators.plugins import PLUGINS

LAB = Path(workbench.__file__).parent / "kernel_ext" / "lab"
BUNDLE = LAB / "labextension"
SOURCES = (
    "src",
    "style",
    "schema",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "webpack.config.js",
)
INFIX = {
    "and", "or", "in", "has", "contains", "startswith", "endswith", "hasprefix", "hassuffix", "has_any", "has_all",
    "between", "matches", "regex",
}  # fmt: skip


def sources() -> list[Path]:
    """Every file that the bundle is made from."""
    found = [
        p for name in SOURCES for p in ([LAB / name] if (LAB / name).is_file() else (LAB / name).rglob("*"))
    ]
    return sorted(p for p in found if p.is_file())


def fingerprint() -> str:
    """What `.ci/lab-extension` writes beside the bundle: one hash over names and contents of the sources."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(LAB).as_posix()}\n"
        for path in sources()
    ]
    return hashlib.sha256("".join(sorted(lines, key=lambda line: line.split()[1])).encode()).hexdigest()


def words() -> dict[str, object]:
    """The words that colours need, from the lists of the engine."""
    functions = [*candidates.functions(), *candidates.window_functions(), *candidates.table_functions()]
    infix = {w for w in KEYWORDS if w in INFIX or w.removesuffix("_cs") in INFIX} - {"regex"}
    return {
        "operators": sorted(OPERATORS),
        "sources": sorted(
            {n for n, card in OPERATORS.items() if card.source}
            | {"let", "set", "declare", "alias", "restrict"}
        ),
        "functions": sorted({i.label for i in functions} | {*FUNCTIONS, *AGGREGATES, *PLUGINS}),
        "infix": sorted(infix),
        "keywords": sorted(KEYWORDS - infix - {"true", "false", "null"}),
        "types": sorted({t.value for t in ScalarType} | {"date", "time", "double", "boolean"}),
        "options": {name: form.value != "" for name, form in FORMS.items()},
    }


def test_the_words_are_those_of_the_engine(updating: bool) -> None:
    path = LAB / "src" / "kql" / "words.json"
    made = json.dumps(words(), indent=1) + "\n"
    if updating:
        path.write_text(made)
    assert path.read_text() == made


def test_the_bundle_is_made_from_these_sources() -> None:
    """Without npm nobody can rebuild it here; with npm `.ci/run` does and compares."""
    assert (BUNDLE / "sources.sha256").read_text().strip() == fingerprint(), "run .ci/lab-extension"


def test_the_bundle_is_whole() -> None:
    """JupyterLab reads the name of the entry from the bundle's package.json."""
    about = json.loads((BUNDLE / "package.json").read_text())
    entry = about["jupyterlab"]["_build"]["load"]
    assert (BUNDLE / entry).is_file()
    assert (BUNDLE / "schemas" / about["name"] / "plugin.json").is_file()


@pytest.mark.parametrize(
    "path", [p for p in sources() if p.suffix in (".ts", ".tsx", ".css")], ids=lambda p: p.name
)
def test_no_colour_is_our_own(path: Path) -> None:
    """Surfaces and text have JupyterLab's variables, so that every theme fits."""
    import re

    own = re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", path.read_text())
    assert own == []
