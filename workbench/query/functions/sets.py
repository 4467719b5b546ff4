"""Sets: arrays of distinct values, in the order of first appearance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json, _sql, _sql_lists
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, LONG, rep, scalar
from workbench.query.functions.sketches import DCountHll, HllMerge
from workbench.query.lowering import SqlValue
from workbench.query.plan import Expr


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _keys(value: Any) -> set[Any]:
    return {_json.key(e) for e in _listed(value)}


def _sql_keys(value: _sql.Sql) -> _sql.Sql:
    return _sql.plain_func("list_distinct", _sql_lists.each(_sql_lists.items_of(value), _sql_lists.same, "e"))


def _sql_distinct(value: _sql.Sql) -> _sql.Sql:
    return _sql_lists.first_of_each(_sql_lists.items_of(value), _sql_lists.same)


def _sql_in(item: _sql.Sql, keys: _sql.Sql) -> _sql.Sql:
    return _sql.plain_func("list_contains", keys, _sql_lists.same(item))


def _kept(items: _sql.Sql, other: _sql.Sql, *, inside: bool) -> _sql.Sql:
    """The items that are inside of another array, or those that are not."""

    def chosen(keys: _sql.Sql) -> _sql.Sql:
        def test(item: _sql.Sql) -> _sql.Sql:
            return _sql_in(item, keys) if inside else _sql.negated(_sql_in(item, keys))

        return _sql_lists.only(items, test, "t")

    return _sql_lists.bound(_sql_keys(other), chosen, "keys")


@scalar("set_union", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class SetUnion:
    """The values that are in any of the arrays."""

    nulls = True

    @staticmethod
    def row(*arrays: Any) -> list[Any] | None:
        if all(a is None for a in arrays):
            return None
        return _json.distinct(e for a in arrays for e in _listed(a))

    @staticmethod
    def sql(*arrays: _sql.Sql) -> _sql.Sql:
        items = _sql_lists.both(*map(_sql_lists.items_of, arrays))
        there = _sql.any_of(*map(_sql.not_null, arrays))
        return _sql.case((there, _sql_lists.array(_sql_lists.first_of_each(items, _sql_lists.same))))


@scalar("set_intersect", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class SetIntersect:
    """The values that are in all of the arrays."""

    @staticmethod
    def row(first: Any, *others: Any) -> list[Any]:
        sets = [_keys(o) for o in others]
        return [e for e in _json.distinct(_listed(first)) if all(_json.key(e) in s for s in sets)]

    @staticmethod
    def sql(first: _sql.Sql, *others: _sql.Sql) -> _sql.Sql:
        kept = _sql_distinct(first)
        for other in others:
            kept = _kept(kept, other, inside=True)
        return _sql.known(_sql_lists.array(kept), first, *others)


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

    @staticmethod
    def sql(first: _sql.Sql, *others: _sql.Sql) -> _sql.Sql:
        kept = _sql_distinct(first)
        for other in others:
            kept = _kept(kept, other, inside=False)
        return _sql.known(_sql_lists.array(kept), first)


@scalar("set_has_element", [DYNAMIC, ANY], BOOL)
class SetHasElement:
    """Whether a value is in an array."""

    @staticmethod
    def row(array: Any, value: Any, *, types: Sequence[ScalarType]) -> bool | None:
        if not isinstance(array, list):
            return None
        return _json.key(_json.element(value, types[1])) in _keys(array)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        array, value = (_sql_lists.piece(v) for v in values)
        found = _sql_in(value, _sql_keys(array))
        return SqlValue(
            _sql.case((_sql.all_of(_sql_lists.is_array(array), _sql.not_null(value)), found)), BOOL
        )


@scalar("set_equals", [DYNAMIC, DYNAMIC], BOOL)
class SetEquals:
    """Whether two arrays hold the same values, whatever their order and number."""

    @staticmethod
    def row(first: Any, second: Any) -> bool:
        return _keys(first) == _keys(second)

    @staticmethod
    def sql(first: _sql.Sql, second: _sql.Sql) -> _sql.Sql:
        a, b = (_sql.plain_func("list_sort", _sql_keys(v)) for v in (first, second))
        return _sql.known(_sql.op("=", a, b), first, second)


@scalar("jaccard_index", [DYNAMIC, DYNAMIC], DYNAMIC)
class JaccardIndex:
    """Number of shared values over the number of all values of two arrays."""

    @staticmethod
    def row(first: Any, second: Any) -> float | None:
        a, b = _keys(first), _keys(second)
        return len(a & b) / len(a | b) if a | b else None

    @staticmethod
    def sql(first: _sql.Sql, second: _sql.Sql) -> _sql.Sql:
        a, b = _sql_keys(first), _sql_keys(second)
        shared = _sql_lists.size(_sql.plain_func("list_intersect", a, b))
        every = _sql.op("-", _sql.op("+", _sql_lists.size(a), _sql_lists.size(b)), shared)
        share = _sql.op("/", _sql.cast(shared, "DOUBLE"), _sql.cast(every, "DOUBLE"))
        found = _sql.case((_sql.op(">", every, 0), _sql.cast(share, "VARCHAR")))
        return _sql.known(found, first, second)


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
