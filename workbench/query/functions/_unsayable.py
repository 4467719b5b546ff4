"""Why something has no second lowering: the one list of reasons.

A card without `sql` has a reason by its name, else by its family (its module), else by how it is computed. A card that
can be said for some arguments only raises `_sql.Unsayable` with one of the reasons of `ARGUMENTS`. Operators whose own
relation SQL can't say stand in `RELATIONS` by the name of the plan's node. tests/query/test_engines.py sees that each
refusal has one of these reasons, and that no card which has its `sql` is on a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.query.functions._card import Card

BY_ROW = "it is computed value by value in Python, which SQL has no equal for"
BY_GROUP = "it is computed group by group in Python, which SQL has no equal for"
NOT_YET = "its SQL is not written yet"
BY_PYTHON = "its rows are made by a function of Python"

# ---- for some arguments only ------------------------------------------------------------------

TEXT_DIFFERS = "the text to look for differs from row to row"
PATTERN_DIFFERS = "the regular expression differs from row to row"
ARRAY_DIFFERS = "the array to look in differs from row to row"
ELEMENTS = "arrays among dynamic values give their elements, which SQL has to read one by one"
WEIGHTS = "weighted ranks need sums along the sorted values of a group"
DECIMALS = "products, quotients and means of decimals need more digits than SQL's decimals have"
TIME_TEXT = "times are written in more ways than SQL reads"
NO_CONVERSION = "SQL has no conversion between these types that gives the same"
ZERO_CHARACTER = "a text with the character 0 can't be written in SQL"
ODD_KEY = "this key can't be written in a path of SQL"
FAR_TIME = "SQL has no time outside of the years 1 to 9999"

ARGUMENTS = frozenset(
    {
        TEXT_DIFFERS, PATTERN_DIFFERS, ARRAY_DIFFERS, ELEMENTS, WEIGHTS, DECIMALS, TIME_TEXT, NO_CONVERSION,
        ZERO_CHARACTER, FAR_TIME, ODD_KEY,
    }
)  # fmt: skip

# ---- functions --------------------------------------------------------------------------------

_SERIES = "series are JSON arrays here, and SQL does not compute along the elements of one"
_ARRAYS = "arrays and bags are JSON text here, which SQL takes apart and puts together by other rules"
_ADDRESSES = "SQL reads no addresses and masks of networks"
_SKETCH = "the sketch is a JSON value of our own, which SQL can't read or merge"
_FORMAT = "SQL has no reader for this kind of text"
_CAPTURES = "the parts of a text are taken out with one regular expression of several groups, which SQL matches group by group"

FAMILIES: dict[str, str] = {
    "arrays": _ARRAYS,
    "bags": _ARRAYS,
    "captures": _CAPTURES,
    "convert_units": "SQL has no table of units",
    "distributions": "SQL has no such function of statistics",
    "network": _ADDRESSES,
    "network6": _ADDRESSES,
    "network_text": _ADDRESSES,
    "parsing": _FORMAT,
    "schema_aggregates": _ARRAYS,
    "series": _SERIES,
    "series_filter": _SERIES,
    "series_fit": _SERIES,
    "series_seasonal": _SERIES,
    "sets": _ARRAYS,
    "sketches": _SKETCH,
    "unicode": "SQL has no such change between characters and their codes",
    "user_agents": _FORMAT,
    "xml_text": _FORMAT,
}

SHOWN: dict[str, str] = {
    "<capture>": "parse", "<match>": "parse-where", "<key values>": "parse-kv", "<regex key values>": "parse-kv",
    "<path>": "a path into a dynamic value", "<path text>": "a path into a dynamic value", "<dcount shared>": "dcount_intersect",
}  # fmt: skip
"""What users know functions by that have no name of their own."""

_SETS = "sets of SQL do not keep the order in which values appear"

NAMES: dict[str, str] = {
    "make_set": _SETS,
    "makeset": _SETS,
    "make_set_if": _SETS,
    "row_window_session": "each row depends on what the row before it left behind",
    "assert": "SQL can't stop a query with a message",
    "rand": "it gives something else each time, so that no two engines agree",
    "new_guid": "it gives something else each time, so that no two engines agree",
    "make_bag": _ARRAYS,
    "make_dictionary": _ARRAYS,
    "make_bag_if": _ARRAYS,
}

# ---- operators --------------------------------------------------------------------------------

RELATIONS: dict[str, tuple[str, str]] = {
    "Computed": ("this plugin", BY_PYTHON),
    "External": ("externaldata", BY_PYTHON),
    "Near": ("rows_near", NOT_YET),
    "Binned": ("make-series", _SERIES),
    "Series": ("make-series", _SERIES),
    "NetworkLookup": ("this lookup of addresses", _ADDRESSES),
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
    "Unpack": ("bag_unpack", _ARRAYS),
    "Unread": ("externaldata", BY_PYTHON),
    "Looped": ("this subquery for each group of rows", "it reads a group more than once, or row after row"),
}


def function_reason(card: Card) -> str:
    """Why `card` can't be said in SQL."""
    family = str(card.implementation.__module__).rpartition(".")[2]
    known = NAMES.get(card.name) or FAMILIES.get(family)
    if known is not None:
        return known
    if hasattr(card.implementation, "group"):
        return BY_GROUP
    return BY_ROW if hasattr(card.implementation, "row") else NOT_YET


def relation_reason(name: str) -> tuple[str, str]:
    """(the operator as a user knows it, why it can't be said) of a plan node by the name of its class."""
    return RELATIONS.get(name, (f"'{name.lower()}'", NOT_YET))


def listed(reason: str) -> bool:
    """Whether `reason` is one of those that stand here."""
    operators = {why for _, why in RELATIONS.values()}
    return reason in {BY_ROW, BY_GROUP, NOT_YET, *ARGUMENTS, *FAMILIES.values(), *NAMES.values(), *operators}
