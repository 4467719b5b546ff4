"""Laws of records as columns: nothing lost, nothing twice, whatever the values and however they are cut."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.collect.record import columns_of
from workbench.collect.settling import joined, settled

NUMBERS = st.one_of(
    st.integers(-(2**64), 2**64),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([2**53, 2**53 + 1, 2**63, -(2**63), 1.0, 0.5]),
)
TEXTS = st.one_of(
    st.text(max_size=5), st.sampled_from(["7", "07", "1.5", "true", "2020-01-31T23:59:59Z", "{}"])
)
NESTED = st.one_of(
    st.lists(st.integers(0, 9), max_size=2), st.dictionaries(st.sampled_from("ab"), TEXTS, max_size=2)
)
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, NESTED)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["a", "A", "b", "a_s", "a_d"]), VALUES, max_size=5), max_size=12
)
TYPES = st.sampled_from([None, *ScalarType])


def _is_there(value: Any, cells: list[Any]) -> bool:
    """Whether one of the cells holds the value: itself, or as an exact text, number or JSON of it."""
    for cell in cells:
        if cell is None:
            continue
        if type(cell) is type(value) and cell == value:
            return True
        if isinstance(value, bool) or isinstance(cell, bool):
            if str(cell).lower() == str(value).lower():
                return True
        elif isinstance(value, int | float) and isinstance(cell, int | float):
            if cell == value and (isinstance(cell, int) or math.isfinite(cell)):
                return True
        elif isinstance(cell, str):
            if cell == str(value):
                return True
            try:
                if json.loads(cell) in (value, str(value)):
                    return True
            except ValueError:
                continue
        elif (isinstance(value, str) and str(cell) in (value, f"{value}.0")) or (
            isinstance(value, str)
            and hasattr(cell, "isoformat")
            and cell.isoformat().replace("+00:00", "Z") == value
        ):
            return True
    return value == ""  # in a column of another type an empty text is no value


def _schema(types: dict[str, ScalarType | None]) -> Schema:
    return tuple(Column(name, type_) for name, type_ in types.items() if type_ is not None)


@settings(max_examples=100, deadline=None)
@given(records=RECORDS, known=st.fixed_dictionaries({"a": TYPES, "b": TYPES, "a_s": TYPES}))
def test_every_value_is_in_its_column_or_beside_it(
    records: list[dict[str, Any]], known: dict[str, ScalarType | None]
) -> None:
    frame, types = settled(columns_of(records), _schema(known))
    assert frame.height == len(records)
    assert list(types) == frame.columns
    rows = frame.to_dicts()
    for record, row in zip(records, rows, strict=True):
        for name, value in record.items():
            if value is not None:
                near = [c for n, c in row.items() if n == name or (n.startswith(name) and n != name)]
                assert _is_there(value, near), (name, value, row)
        filled = sum(c is not None for c in row.values())
        assert filled <= sum(v is not None for v in record.values())


@settings(max_examples=50, deadline=None)
@given(records=RECORDS, cuts=st.lists(st.integers(0, 12), max_size=3))
def test_cutting_changes_nothing(records: list[dict[str, Any]], cuts: list[int]) -> None:
    """Blocks that are joined are the columns of the whole (numbers may be long here, real there)."""
    edges = [0, *sorted(min(c, len(records)) for c in cuts), len(records)]
    parts = [columns_of(records[a:b]) for a, b in pairwise(edges)]
    whole, cut = columns_of(records), joined(parts)
    assert cut.height == whole.height

    def values(columns: Any, name: str) -> list[Any]:
        found: list[Any] = [None] * columns.height
        for (own, _), series in columns.series.items():
            if own == name:
                for row, value in enumerate(series.to_list()):
                    if value is not None:
                        assert found[row] is None
                        found[row] = value
        return found

    for name in ("a", "A", "b", "a_s", "a_d"):
        assert values(whole, name) == values(cut, name)
