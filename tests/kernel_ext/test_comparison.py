"""The page that compares with other magics says nothing that no test shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "workbench/kernel_ext/COMPARISON.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| row", "| ---"))
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_names_a_test_that_is_there(row: list[str]) -> None:
    assert len(row) == 5
    file, _, name = row[4].strip("|` ").partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_row_that_people_compare_by_is_there() -> None:
    assert len(ROWS) >= 31
