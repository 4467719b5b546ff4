"""The reference page, made from the cards: operators, functions, aggregates, plugins, and what each engine can say.

    python -m workbench.query.reference [--check]

writes `workbench/query/REFERENCE.md`, or fails where it is not what the cards say. Nobody edits that file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.base.dtypes import NUMBERS, ScalarType
from workbench.query.functions import AGGREGATES, FUNCTIONS, UNSUPPORTED
from workbench.query.functions._card import Card, Param
from workbench.query.functions._unsayable import function_reason
from workbench.query.operators import OPERATORS
from workbench.query.operators.plugins._card import PLUGINS
from workbench.query.operators.refused import REFUSED

PAGE = Path(__file__).with_name("REFERENCE.md")
_HEAD = """# Reference of the query language

Made from the cards by `make reference`; `make check` fails when it is not up to date. Do not edit.

A parameter of several types takes each as it is; another type is converted. `…` repeats the last one, `[ ]` may be left out,
*const* asks for a constant. **SQL**: `yes` where the function is also said in SQL (`--on duckdb`), else why not.
"""


def page() -> str:
    """The whole page, Markdown."""
    parts = [
        _HEAD,
        _section("Tabular operators", ("operator", "syntax", "what it does"), _operators()),
        _section("Scalar functions", ("function", "what it gives", "SQL"), _cards(FUNCTIONS)),
        _section("Aggregates", ("aggregate", "what it gives", "SQL"), _cards(AGGREGATES)),
        _section("Plugins of evaluate", ("plugin", "syntax", "what it does"), _plugins()),
        _section("Refused by name", ("name", "instead"), _refused()),
        _table_of_engines(),
    ]
    return "\n".join(parts)


def _section(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    lines += [f"| {' | '.join(_cell(c) for c in row)} |" for row in rows]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _operators() -> Iterator[tuple[str, ...]]:
    for name, card in sorted(OPERATORS.items()):
        if name == card.name:
            yield (
                _named(name, _aliases(card, OPERATORS.items())),
                f"`{card.syntax}`",
                card.doc.split("\n\n")[0],
            )


def _plugins() -> Iterator[tuple[str, ...]]:
    for name, card in sorted(PLUGINS.items()):
        if name == card.name:
            yield (f"`{name}`", f"`{card.syntax}`", card.doc.split("\n\n")[0])


def _cards(registry: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for name, card in _listed(registry):
        signatures = "<br>".join(f"`{_signature(name, s.params)}`" for s in card.signatures)
        also = f" Also: {', '.join(f'`{a}`' for a in card.aliases)}." if card.aliases else ""
        yield signatures, card.doc.split("\n\n")[0] + also, sql_of(card) or "yes"


def _listed(registry: object) -> list[tuple[str, Card]]:
    """Cards by name, once each; those with names of their own (`<path>`) are parts of the language."""
    return [(n, c) for n, c in sorted(registry.items()) if n == c.name and not n.startswith("<")]  # type: ignore[attr-defined]


def sql_of(card: Card) -> str:
    """Why a card has no second lowering; "" where it has."""
    said = any(hasattr(card.implementation, way) for way in ("sql", "sql_lower"))
    return "" if said else function_reason(card)


def _signature(name: str, params: Iterable[Param]) -> str:
    shown = []
    for p in params:
        text = ("const " if p.constant else "") + _types(p.types) + ("…" if p.repeat else "")
        shown.append(f"[{text}]" if p.optional else text)
    return f"{name}({', '.join(shown)})" if name.isidentifier() else f"{name}: {', '.join(shown)}"


def _types(types: frozenset[ScalarType]) -> str:
    if len(types) == len(ScalarType):
        return "any"
    if types == NUMBERS:
        return "number"
    return "/".join(sorted(t.value for t in types))


def _named(name: str, aliases: list[str]) -> str:
    return f"`{name}`" + (f", {', '.join(f'`{a}`' for a in aliases)}" if aliases else "")


def _aliases(card: object, items: Iterable[tuple[str, object]]) -> list[str]:
    return sorted(n for n, c in items if c is card and n != c.name)  # type: ignore[attr-defined]


def _refused() -> Iterator[tuple[str, ...]]:
    for name, instead in sorted({**REFUSED, **UNSUPPORTED}.items()):
        yield f"`{name}`", instead


def _table_of_engines() -> str:
    """How many of each family each engine can say."""
    families: dict[str, list[Card]] = {}
    for registry in (FUNCTIONS, AGGREGATES):
        for _, card in _listed(registry):
            families.setdefault(str(card.implementation.__module__).rpartition(".")[2], []).append(card)
    rows = []
    for family, cards in sorted(families.items()):
        said = sum(not sql_of(c) for c in cards)
        rows.append((family, str(len(cards)), str(len(cards)), str(said)))
    total = sum(len(c) for c in families.values())
    said = sum(not sql_of(c) for cs in families.values() for c in cs)
    rows.append(("all", str(total), str(total), str(said)))
    return _section("Functions and engines", ("family", "functions", "Polars", "SQL (DuckDB)"), rows)


def main(arguments: list[str]) -> int:
    made = page()
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != made:
            sys.stderr.write("REFERENCE.md is not what the cards say: make reference\n")
            return 1
        return 0
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
