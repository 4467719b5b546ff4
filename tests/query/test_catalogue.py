"""Everything in the registries is described, has a source, and stands in a text case."""

from __future__ import annotations

import re
from pathlib import Path

import casefile
import pytest

from workbench.query.functions import AGGREGATES, FUNCTIONS, Card
from workbench.query.functions.unsupported import UNSUPPORTED
from workbench.query.operators import OPERATORS, OperatorCard
from workbench.query.operators.plugins import PLUGINS, PluginCard

CASES = Path(__file__).with_name("cases")
CARDS: dict[str, Card] = {c.name: c for registry in (FUNCTIONS, AGGREGATES) for _, c in registry.items()}
OPERATOR_CARDS: dict[str, OperatorCard] = {c.name: c for _, c in OPERATORS.items()}

# Cards that no text of a query names: the binder puts them where a path or an index stands.
UNNAMED = {"element", "gettype_dynamic", "pack_non_empty", "unary -"}
UNNAMED |= {name for name in CARDS if re.fullmatch("<.+>", name)}


@pytest.fixture(scope="module")
def queries() -> str:
    """The text of every case that expects rows."""
    return "\n".join(
        case.query
        for file in sorted(CASES.rglob("*.test"))
        for case in casefile.read(file)
        if case.section != "error"
    )


@pytest.mark.parametrize("card", [pytest.param(c, id=n) for n, c in sorted(CARDS.items())])
def test_a_function_is_described(card: Card) -> None:
    assert card.doc.strip().endswith("."), "a docstring of whole sentences"
    assert card.source.strip()
    assert any(hasattr(card.implementation, way) for way in ("lower", "polars", "row", "group", "many"))


@pytest.mark.parametrize("card", [pytest.param(c, id=n) for n, c in sorted(OPERATOR_CARDS.items())])
def test_an_operator_is_described(card: OperatorCard) -> None:
    assert card.doc.strip().endswith("."), "a docstring of whole sentences"
    assert card.syntax.startswith((card.name, f"{card.name} "))


def test_every_function_stands_in_a_case(queries: str) -> None:
    assert [n for n in CARDS if n not in UNNAMED and not _named(n, queries)] == []


INFIX = {
    "and", "or", "in", "has", "contains", "startswith", "endswith", "hasprefix", "hassuffix", "has_any",
    "has_all", "like", "notlike",
}  # fmt: skip


def _named(name: str, queries: str) -> bool:
    called = bool(re.fullmatch(r"\w+", name)) and name.removesuffix("_cs") not in INFIX
    before = r"(?<![\w!])" if name[0].isalnum() else ""
    after = r"\s*\(" if called else r"(?![\w~=])" if name[-1].isalnum() else ""
    return bool(re.search(before + re.escape(name) + after, queries))


def test_every_operator_stands_in_a_case(queries: str) -> None:
    begins = r"(?m)(^|[|(;={])\s*"
    assert [n for n in OPERATOR_CARDS if not re.search(begins + re.escape(n) + r"(?![\w-])", queries)] == []


@pytest.mark.parametrize("card", [pytest.param(c, id=n) for n, c in PLUGINS.items()])
def test_a_plugin_is_described_and_stands_in_a_case(card: PluginCard, queries: str) -> None:
    assert card.doc.strip().endswith("."), "a docstring of whole sentences"
    assert card.syntax.startswith(f"{card.name}(")
    assert re.search(rf"evaluate\s+(hint\S+\s+)?{re.escape(card.name)}\s*\(", queries)


def test_what_is_not_supported_is_no_function_as_well() -> None:
    assert [n for n in UNSUPPORTED if n in FUNCTIONS or n in AGGREGATES] == []
    assert all(why.strip() for why in UNSUPPORTED.values())
