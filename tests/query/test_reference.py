"""The reference page is what the cards say."""

from __future__ import annotations

import pytest

from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.operators import OPERATORS
from workbench.query.operators.plugins._card import PLUGINS
from workbench.query.reference import PAGE, page


def test_the_page_is_made_anew() -> None:
    assert PAGE.read_text() == page(), "the cards have changed: make reference"


@pytest.mark.parametrize(
    "registry",
    [OPERATORS, FUNCTIONS, AGGREGATES, PLUGINS],
    ids=["operators", "functions", "aggregates", "plugins"],
)
def test_every_card_stands_on_the_page(registry: object) -> None:
    shown = page().replace("\\|", "|")
    names = [n for n in registry if not n.startswith("<")]  # type: ignore[attr-defined]
    assert names
    assert [n for n in names if f"`{n}" not in shown] == []
