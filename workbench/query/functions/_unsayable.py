"""Why something has no second lowering.

A card without `sql` says why itself (`no_sql`), or its family does for all its cards (`NO_SQL` of the module); a card
that Python computes row by row or group by group needs no other reason. A card that can be said for some arguments only
raises `_sql.Unsayable` with one of the reasons of `ARGUMENTS`. Operators whose own relation SQL can't say stand in
`RELATIONS` by the name of the plan's node. tests/query/test_engines.py sees that each refusal has one of these reasons.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.query.functions._card import Card

BY_ROW = "it is computed value by value in Python, which SQL has no equal for"
BY_GROUP = "it is computed group by group in Python, which SQL has no equal for"
BY_PYTHON = "its rows are made by a function of Python"

# ---- for some arguments only ------------------------------------------------------------------

TEXT_DIFFERS = "the text to look for differs from row to row"
PATTERN_DIFFERS = "the regular expression differs from row to row"
PATTERN_ODD = (
    "the regular expression has something that SQL's regular expressions lack, such as borders of words"
)
LONG_LIST = "the list is longer than SQL can replace at once"
UNIT_DIFFERS = "the unit differs from row to row"
ZONE_DIFFERS = "the time zone differs from row to row"
BYTES_REAL = "sizes that are no whole numbers need more digits than SQL's numbers have"
ARRAY_DIFFERS = "the array to look in differs from row to row"
DECIMALS = "products, quotients and means of decimals need more digits than SQL's decimals have"
TIME_TEXT = "times are written in more ways than SQL reads"
NO_CONVERSION = "SQL has no conversion between these types that gives the same"
ZERO_CHARACTER = "a text with the character 0 can't be written in SQL"
ODD_KEY = "this key can't be written in a path of SQL"
FAR_TIME = "SQL has no time outside of the years 1 to 9999"

ARGUMENTS = frozenset(
    {
        TEXT_DIFFERS, PATTERN_DIFFERS, ARRAY_DIFFERS, DECIMALS, TIME_TEXT, NO_CONVERSION,
        ZERO_CHARACTER, FAR_TIME, ODD_KEY, PATTERN_ODD, UNIT_DIFFERS, LONG_LIST, ZONE_DIFFERS, BYTES_REAL,
    }
)  # fmt: skip

# ---- functions --------------------------------------------------------------------------------

SHOWN: dict[str, str] = {
    "<capture>": "parse", "<match>": "parse-where", "<key values>": "parse-kv", "<regex key values>": "parse-kv",
    "<path>": "a path into a dynamic value", "<path text>": "a path into a dynamic value", "<dcount shared>": "dcount_intersect",
}  # fmt: skip
"""What users know functions by that have no name of their own."""

# ---- operators --------------------------------------------------------------------------------

_ALONG = "series are JSON arrays here, made of the rows of a group one step of time after the other"

RELATIONS: dict[str, tuple[str, str]] = {
    "Computed": ("this plugin", BY_PYTHON),
    "External": ("externaldata", BY_PYTHON),
    "Near": ("rows_near", "the rows that come along depend on where in the order others stand"),
    "Binned": ("make-series", _ALONG),
    "Series": ("make-series", _ALONG),
    "NetworkLookup": ("this lookup of addresses", "the narrowest of several networks is chosen by Python"),
    "Narrowed": (
        "narrow",
        "the values of all columns as text, one row each, need a conversion of every type",
    ),
    "Pivoted": ("pivot", "its columns are found among the rows by Python"),
    "Reduced": ("reduce", BY_PYTHON),
    "Sampled": ("sample", "it takes other rows each time, so that no two engines agree"),
    "Sequences": ("scan", "each row depends on what the row before it left behind"),
    "Several": ("several tables from one query", "a query of SQL gives one table"),
    "TopNested": ("top-nested", "each level reads the rows that the level above left over"),
    "Unpack": ("bag_unpack", "its columns are found among the values by Python"),
    "Unread": ("externaldata", BY_PYTHON),
    "Looped": ("this subquery for each group of rows", "it reads a group more than once, or row after row"),
}


def function_reason(card: Card) -> str:
    """Why `card`, which has no `sql`, can't be said in SQL: its `no_sql`, its family's `NO_SQL`, else how it is computed."""
    implementation = card.implementation
    own = getattr(implementation, "no_sql", None) or getattr(
        sys.modules[implementation.__module__], "NO_SQL", None
    )
    return own or (BY_GROUP if hasattr(implementation, "group") else BY_ROW)


def relation_reason(name: str) -> tuple[str, str]:
    """(the operator as a user knows it, why it can't be said) of a plan node by the name of its class."""
    return RELATIONS.get(name, (f"'{name.lower()}'", BY_PYTHON))


def listed(reason: str) -> bool:
    """Whether `reason` is one of those that stand here or on a card."""
    from workbench.query.functions import AGGREGATES, FUNCTIONS

    cards = (card for registry in (FUNCTIONS, AGGREGATES) for _, card in registry.items())
    return reason in {*ARGUMENTS, *(why for _, why in RELATIONS.values()), *map(function_reason, cards)}
