"""Every text case under `cases/`, one item a case: `operators/take.test::take keeps the order`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import casefile
import pytest
from _pytest.mark.structures import ParameterSet

from workbench.base.errors import WorkbenchError
from workbench.query.run import FrameTables, run

CASES = Path(__file__).with_name("cases")


def _items() -> Iterator[ParameterSet]:
    for file in sorted(CASES.rglob("*.test")):
        name = file.relative_to(CASES).as_posix()
        try:
            cases = casefile.read(file)
        except ValueError as broken:
            # One broken file must not hide the cases of all the others.
            yield pytest.param(broken, id=f"{name}::broken file")
            continue
        for case in cases:
            yield pytest.param(case, id=f"{name}::{case.name}")


def asked(query: str) -> casefile.Answer:
    """The answer to a query that carries its own input."""
    try:
        result = run(query, FrameTables({}))
    except WorkbenchError as error:
        return casefile.Answer(error=error.render())
    return casefile.answer_of(result.exact, result.schema)


@pytest.mark.parametrize("case", list(_items()))
def test_case(case: casefile.Case | ValueError, updating: bool) -> None:
    if isinstance(case, ValueError):
        pytest.fail(str(case), pytrace=False)
    answer = asked(case.query)
    wrong = casefile.difference(case, answer)
    if wrong is not None and updating:
        casefile.update(case, answer)
    elif wrong is not None:
        pytest.fail(wrong, pytrace=False)


# ---- the runner itself ------------------------------------------------------------------------

SAMPLE = """# a comment that stays
[case one]
print n = 1, s = 'a|b\\n'
[rows]
{first}

# another
[case two]
print nothing
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    file = tmp_path / "sample.test"
    file.write_text(SAMPLE.format(first="n:long|s:string\n2|x"))
    return file


def test_update_writes_what_came_and_nothing_else(sample: Path) -> None:
    assert [casefile.update(c, asked(c.query)) for c in casefile.read(sample)] == [True, True]
    text = sample.read_text()
    assert text.startswith(SAMPLE.format(first="n:long|s:string\n1|a\\|b\\n")[:-1])
    assert text.endswith(
        "[error]\nKQL101 at 1:7: nothing here is named 'nothing'\n  print nothing\n        ^^^^^^^\n"
    )
    assert [casefile.update(c, asked(c.query)) for c in casefile.read(sample)] == [False, False]


def test_a_wrong_expectation_is_told(sample: Path) -> None:
    one, two = casefile.read(sample)
    assert "row 1" in (casefile.difference(one, asked(one.query)) or "")
    assert "--update" in (casefile.difference(two, asked(two.query)) or "")


@pytest.mark.parametrize(
    ("expected", "query", "same"),
    [
        ("x:real\n0.3", "print x = 0.1 + 0.2", True),
        ("x:real\n0.30001", "print x = 0.1 + 0.2", False),
        ("x:real\nnull", "print x = real(null)", True),
        ("x:long\n1", "print x = int(1)", False),
        ('x:string\n""', "print x = ''", True),
        ("x:string\n\\s a\\s", "print x = '  a '", True),
        ('x:dynamic\n{"a":0.3,"b":1}', "print x = dynamic({'a': 0.30000000000000004, 'b': 1})", True),
        ('x:dynamic\n{"b":1,"a":0.3}', "print x = dynamic({'a': 0.3, 'b': 1})", False),
        ("x:long\n1\n2", "range x from 2 to 1 step 1", False),
        ("x:long\n2\n1", "range x from 1 to 2 step 1", False),
    ],
)
def test_cells_are_compared_by_type(tmp_path: Path, expected: str, query: str, same: bool) -> None:
    file = tmp_path / "cells.test"
    file.write_text(f"[case x]\n{query}\n[rows]\n{expected}\n")
    (case,) = casefile.read(file)
    assert (casefile.difference(case, asked(case.query)) is None) is same


def test_unordered_rows_may_come_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "any.test"
    file.write_text("[case x]\nrange x from 1 to 2 step 1\n[rows unordered]\nx:long\n2\n1\n")
    (case,) = casefile.read(file)
    assert casefile.difference(case, asked(case.query)) is None


@pytest.mark.parametrize("text", ["stray\n", "[case a]\n[rows]\n", "[case a]\nx\n[case a]\ny\n"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.test"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"broken\.test"):
        casefile.read(file)
