"""Sets: arrays of distinct values, in the order of first appearance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, LONG, rep, scalar
from workbench.query.functions.sketches import DCountHll, HllMerge


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _keys(value: Any) -> set[Any]:
    return {_json.key(e) for e in _listed(value)}


@scalar("set_union", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class SetUnion:
    """The values that are in any of the arrays."""

    nulls = True

    @staticmethod
    def row(*arrays: Any) -> list[Any] | None:
        if all(a is None for a in arrays):
            return None
        return _json.distinct(e for a in arrays for e in _listed(a))


@scalar("set_intersect", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class SetIntersect:
    """The values that are in all of the arrays."""

    @staticmethod
    def row(first: Any, *others: Any) -> list[Any]:
        sets = [_keys(o) for o in others]
        return [e for e in _json.distinct(_listed(first)) if all(_json.key(e) in s for s in sets)]


@scalar("set_difference", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class SetDifference:
    """The values of the first array that are in none of the others."""

    nulls = True

    @staticmethod
    def row(first: Any, *others: Any) -> list[Any] | None:
        if first is None:
            return None
        gone = {k for o in others for k in _keys(o)}
        return [e for e in _json.distinct(_listed(first)) if _json.key(e) not in gone]


@scalar("set_has_element", [DYNAMIC, ANY], BOOL)
class SetHasElement:
    """Whether a value is in an array."""

    @staticmethod
    def row(array: Any, value: Any, *, types: Sequence[ScalarType]) -> bool | None:
        if not isinstance(array, list):
            return None
        return _json.key(_json.element(value, types[1])) in _keys(array)


@scalar("set_equals", [DYNAMIC, DYNAMIC], BOOL)
class SetEquals:
    """Whether two arrays hold the same values, whatever their order and number."""

    @staticmethod
    def row(first: Any, second: Any) -> bool:
        return _keys(first) == _keys(second)


@scalar("jaccard_index", [DYNAMIC, DYNAMIC], DYNAMIC)
class JaccardIndex:
    """Number of shared values over the number of all values of two arrays."""

    @staticmethod
    def row(first: Any, second: Any) -> float | None:
        a, b = _keys(first), _keys(second)
        return len(a & b) / len(a | b) if a | b else None


@scalar(
    "<dcount shared>",
    [DYNAMIC, rep(DYNAMIC, least=0)],
    LONG,
    source="Kusto reference: dcount_intersect plugin",
)
class DCountShared:
    """How many different values all of several sets of `hll()` share."""

    @staticmethod
    def row(*sets: Any) -> int | None:
        union = HllMerge.row(*sets)
        size = DCountHll.row(union)
        if not union or not union[1] or size is None:
            return None if union is None else 0
        hashes = [set(s[1]) for s in sets]
        if all(DCountHll.row(s) == len(s[1]) for s in sets):
            return len(set.intersection(*hashes))
        in_all = sum(all(h in known for known in hashes) for h in union[1])
        return round(size * in_all / len(union[1]))
