"""What `render` draws, as text cases: `cases_charts/*.test`, each a query and its chart in words."""

from __future__ import annotations

from pathlib import Path

import casefile
import pytest

from workbench.base.errors import WorkbenchError
from workbench.query.chart import chart
from workbench.query.run import FrameTables, run

CASES = Path(__file__).with_name("cases_charts")
ITEMS = [
    pytest.param(case, id=f"{file.name}::{case.name}")
    for file in sorted(CASES.glob("*.test"))
    for case in casefile.read(file)
]


def drawn(query: str) -> casefile.Answer:
    """The chart of a query that carries its own input."""
    from chart_words import described

    try:
        return casefile.Answer(chart=described(chart(run(query, FrameTables({}))).to_dict()))
    except WorkbenchError as error:
        return casefile.Answer(error=error.render())


@pytest.mark.parametrize("case", ITEMS)
def test_chart(case: casefile.Case, updating: bool) -> None:
    answer = drawn(case.query)
    wrong = casefile.difference(case, answer)
    if wrong is not None and updating:
        casefile.update(case, answer)
    elif wrong is not None:
        pytest.fail(wrong, pytrace=False)
