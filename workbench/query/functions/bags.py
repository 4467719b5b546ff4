"""Property bags: packed, merged, searched, changed; nested keys by a path such as `$.a['b c']`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.functions import _json, _sql, _sql_cast, _sql_lists, _unsayable
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, STRING, Naming, rep, scalar
from workbench.query.functions.forms import converted
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

_STEP = re.compile(r"\.([^.\[\]]+)|\[\s*'([^']*)'\s*\]|\[\s*\"([^\"]*)\"\s*\]")


def steps_of(path: str) -> list[str]:
    """The nested keys of a path; a text that does not begin with `$` is one key.

    Examples
    --------
    >>> steps_of("$.a['b c'].d"), steps_of("a.b")
    (['a', 'b c', 'd'], ['a.b'])
    """
    if not path.startswith("$"):
        return [path]
    return [next(g for g in m.groups() if g is not None) for m in _STEP.finditer(path)]


def _member(key: Value, arg: Expr) -> pl.Expr:
    """`"key":`"""
    if isinstance(arg, Const) and arg.type is STRING:
        return pl.lit(orjson.dumps(arg.value or "").decode() + ":")
    return pl.concat_str(_json.text(converted(key, STRING)), pl.lit(":"))


def _sql_member(key: SqlValue, arg: Expr, value: _sql.Sql) -> _sql.Sql:
    if isinstance(arg, Const) and arg.type is STRING:
        return _sql.concat(orjson.dumps(arg.value or "").decode() + ":", value)
    return _sql_lists.member(_sql_cast.canonical(_sql_cast.converted(key, STRING)), value)


V = TypeVar("V", Value, SqlValue)


def _pairs(values: list[V], args: Sequence[Expr]) -> list[tuple[V, Expr, V]]:
    """(key, key's plan, value); of equal constant keys the last one counts."""
    if len(args) % 2:
        span = getattr(args[-1], "span", None) or Span(0, 0)
        raise diagnostics.bad_argument("bag_pack", "the last key has no value", span)
    found = [(values[i], args[i], values[i + 1]) for i in range(0, len(values), 2)]
    last = {str(a.value): i for i, (_, a, _) in enumerate(found) if isinstance(a, Const)}
    return [p for i, p in enumerate(found) if not isinstance(p[1], Const) or last[str(p[1].value)] == i]


def _bag(pieces: list[pl.Expr]) -> pl.Expr:
    inside = pl.concat_str(pieces, separator=",", ignore_nulls=True) if pieces else pl.lit("")
    return pl.concat_str(pl.lit("{"), inside, pl.lit("}"))


@scalar("bag_pack", [rep(ANY, least=0)], DYNAMIC, aliases=("pack", "pack_dictionary"))
class BagPack:
    """A bag of the keys and values that alternate in the arguments."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pieces = [pl.concat_str(_member(k, a), _json.or_null(v)) for k, a, v in _pairs(values, args)]
        return Value(_bag(pieces), DYNAMIC)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        members = [
            _sql_member(k, a, _sql_lists.known(_sql_lists.piece(v))) for k, a, v in _pairs(values, args)
        ]
        between = [part for member in members for part in (",", member)][1:]
        return SqlValue(_sql.concat("{", *between, "}"), DYNAMIC)


@scalar("pack_non_empty", [rep(ANY, least=0)], DYNAMIC, source="Kusto reference: pack_all()")
class PackNonEmpty:
    """A bag of keys and values without those that are null or empty."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pieces: list[pl.Expr] = []
        for k, a, v in _pairs(values, args):
            value = _json.text(v)
            there = value.is_not_null() & ~value.is_in(['""', "[]", "{}", "null"])
            pieces.append(pl.when(there).then(pl.concat_str(_member(k, a), value)))
        return Value(_bag(pieces), DYNAMIC)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        members = []
        for k, a, v in _pairs(values, args):
            piece = _sql_lists.piece(v)
            empty = _sql.member(piece, ['""', "[]", "{}", "null"])
            members.append(_sql.case((_sql.negated(empty), _sql_member(k, a, piece))))
        return SqlValue(_sql_lists.bag(_sql_lists.listed(*members)), DYNAMIC)


@scalar("bag_keys", [DYNAMIC], DYNAMIC)
class BagKeys:
    """The keys of a bag, null for what is no bag."""

    @staticmethod
    def row(bag: Any) -> list[str] | None:
        return list(bag) if isinstance(bag, dict) else None

    @staticmethod
    def sql(bag: _sql.Sql) -> _sql.Sql:
        return _sql_lists.array(_sql_lists.each(_sql_lists.keys(bag), _sql_cast.quoted))


@scalar("bag_has_key", [DYNAMIC, STRING], BOOL)
class BagHasKey:
    """Whether a bag has a key, at the top or at a path."""

    @staticmethod
    def row(bag: Any, key: str) -> bool | None:
        if not isinstance(bag, dict):
            return None
        if key in bag:
            return True
        for step in steps_of(key):
            if not isinstance(bag, dict) or step not in bag:
                return False
            bag = bag[step]
        return True

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        bag = _sql_cast.canonical(values[0])
        steps = [str(args[1].value)] if isinstance(args[1], Const) else None
        if steps is None:
            raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
        found = _sql.not_null(_sql_lists.property_of(bag, steps[0]))
        if (path := steps_of(steps[0])) != steps:
            at = bag
            for step in path:
                at = _sql.case((_sql_lists.is_bag(at), _sql_lists.property_of(at, step)))
            found = _sql.any_of(found, _sql.not_null(at))
        return SqlValue(_sql.case((_sql_lists.is_bag(bag), found)), BOOL)


@scalar("bag_merge", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class BagMerge:
    """All properties of all bags; the leftmost bag that has a key says its value."""

    nulls = True

    @staticmethod
    def row(*bags: Any) -> dict[str, Any] | None:
        found = [b for b in bags if isinstance(b, dict)]
        if not found:
            return None
        merged: dict[str, Any] = {}
        for bag in found:
            for key, value in bag.items():
                merged.setdefault(key, value)
        return merged

    @staticmethod
    def sql(*bags: _sql.Sql) -> _sql.Sql:
        names = [_sql.coalesce(_sql_lists.keys(b), _sql_lists.nothing()) for b in bags]
        all_of_them = _sql_lists.first_of_each(_sql_lists.both(*names))
        found = [_sql.case((_sql_lists.is_bag(b), b)) for b in bags]

        def merged(key: _sql.Sql) -> _sql.Sql:
            return _sql_lists.member(key, _sql.coalesce(*(_sql_lists.property_of(b, key) for b in found)))

        there = _sql.any_of(*(_sql.coalesce(_sql_lists.is_bag(b), False) for b in bags))
        return _sql.case((there, _sql_lists.bag(_sql_lists.each(all_of_them, merged, "m"))))


def _keys(given: Any) -> list[Any]:
    """The keys and paths of an argument; a bag or an array is neither."""
    return [
        key for key in (given if isinstance(given, list) else [given]) if not isinstance(key, dict | list)
    ]


@scalar("bag_remove_keys", [DYNAMIC, DYNAMIC], DYNAMIC)
class BagRemoveKeys:
    """A bag without some keys, at the top or at paths."""

    @staticmethod
    def row(bag: Any, keys: Any) -> Any:
        if not isinstance(bag, dict):
            return None
        for key in _keys(keys):
            steps = [key] if key in bag else steps_of(str(key))
            bag = _without(bag, steps)
        return bag

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if not isinstance(args[1], Const):
            raise _sql.Unsayable(_unsayable.ARRAY_DIFFERS)
        bag, given = _sql_cast.canonical(values[0]), args[1].value
        listed = _keys(given)
        paths = [steps_of(str(key)) for key in listed]
        deep = [p for p, key in zip(paths, listed, strict=True) if p != [key]]
        gone = [key for key in listed if isinstance(key, str)]
        found = _sql_changed(bag, lambda key, value: _sql.case((_sql.negated(_sql.member(key, gone)), value)))
        for path in deep:
            found = _sql_without(found, path)
        there = _sql.all_of(_sql_lists.is_bag(bag), given is not None)
        return SqlValue(_sql.case((there, found)), DYNAMIC)


def _sql_changed(bag: _sql.Sql, change: Callable[[_sql.Sql, _sql.Sql], Any], depth: int = 0) -> _sql.Sql:
    """A bag of what `change(key, value)` gives for its members; those for which it is null are left out."""

    def member(key: _sql.Sql) -> _sql.Sql:
        return _sql_lists.member(key, change(key, _sql_lists.property_of(bag, key)))

    return _sql_lists.bag(_sql_lists.each(_sql.plain_func("json_keys", bag), member, f"k{depth}"))


def _sql_without(bag: _sql.Sql, steps: Sequence[str], depth: int = 0) -> _sql.Sql:
    def change(key: _sql.Sql, value: _sql.Sql) -> _sql.Sql:
        inner = _sql.lit(None) if len(steps) == 1 else _sql_without(value, steps[1:], depth + 1)
        return _sql.case((_sql.op("=", key, steps[0]), inner), otherwise=value)

    if not steps:
        return bag
    return _sql.case((_sql_lists.is_bag(bag), _sql_changed(bag, change, depth)), otherwise=bag)


def _without(bag: Any, steps: Sequence[str]) -> Any:
    if not isinstance(bag, dict) or not steps or steps[0] not in bag:
        return bag
    if len(steps) == 1:
        return {k: v for k, v in bag.items() if k != steps[0]}
    return {k: _without(v, steps[1:]) if k == steps[0] else v for k, v in bag.items()}


@scalar("bag_set_key", [DYNAMIC, STRING, ANY], DYNAMIC)
class BagSetKey:
    """A bag with one key set, at the top or at a path, whose missing bags are made."""

    nulls = True

    @staticmethod
    def row(bag: Any, key: str, value: Any, *, types: Sequence[ScalarType]) -> Any:
        if not isinstance(bag, dict):
            return None
        steps = steps_of(key)
        return _with(bag, steps, _json.element(value, types[2])) if steps else None

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        if not isinstance(args[1], Const):
            raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
        bag, steps = _sql_cast.canonical(values[0]), steps_of(str(args[1].value))
        if not steps:
            return SqlValue(_sql.cast(None, "VARCHAR"), DYNAMIC)
        found = _sql_with(bag, steps, _sql_lists.known(_sql_lists.piece(values[2])))
        return SqlValue(_sql.case((_sql_lists.is_bag(bag), found)), DYNAMIC)


def _sql_with(bag: _sql.Sql, steps: Sequence[str], value: _sql.Sql) -> _sql.Sql:
    here = _sql.case((_sql_lists.is_bag(bag), bag), otherwise="{}")
    old = _sql_lists.property_of(here, steps[0])
    new = value if len(steps) == 1 else _sql_with(old, steps[1:], value)

    def member(key: _sql.Sql) -> _sql.Sql:
        kept = _sql_lists.property_of(here, key)
        return _sql_lists.member(key, _sql.case((_sql.op("=", key, steps[0]), new), otherwise=kept))

    members = _sql_lists.each(_sql.plain_func("json_keys", here), member, f"k{len(steps)}")
    more = _sql_lists.both(members, _sql_lists.listed(_sql_lists.member(_sql.lit(steps[0]), new)))
    return _sql_lists.bag(_sql.case((_sql.is_null(old), more), otherwise=members))


def _with(bag: Any, steps: Sequence[str], value: Any) -> Any:
    here = dict(bag) if isinstance(bag, dict) else {}
    here[steps[0]] = value if len(steps) == 1 else _with(here.get(steps[0]), steps[1:], value)
    return here


@scalar("bag_zip", [DYNAMIC, DYNAMIC], DYNAMIC)
class BagZip:
    """A bag of keys from one array and values from another; missing values are null, keys that are no
    text are left out."""

    nulls = True

    @staticmethod
    def row(keys: Any, values: Any) -> dict[str, Any] | None:
        if not isinstance(keys, list):
            return None
        listed = values if isinstance(values, list) else []
        return {k: listed[i] if i < len(listed) else None for i, k in enumerate(keys) if isinstance(k, str)}

    @staticmethod
    def sql(keys: _sql.Sql, values: _sql.Sql) -> _sql.Sql:
        names, listed = _sql_lists.elements(keys), _sql_lists.elements(values)
        texts = _sql_lists.only(names, lambda n: _sql.plain_func("starts_with", n, '"'), "n")

        def member(name: _sql.Sql) -> _sql.Sql:
            # Of equal keys the last one says the value.
            def is_it(place: _sql.Sql) -> _sql.Sql:
                return _sql.op("=", _sql_lists.at(names, place), name)

            places = _sql_lists.only(_sql_lists.places(_sql_lists.size(names)), is_it, "i")
            value = _sql_lists.at(listed, _sql.plain_func("list_max", places))
            return _sql.concat(name, ":", _sql_lists.known(value))

        found = _sql_lists.bag(_sql_lists.each(_sql_lists.first_of_each(texts), member, "m"))
        return _sql.known(found, names)


@scalar("treepath", [DYNAMIC], DYNAMIC, naming=Naming.PREFIX_AND_FIRST, prefix="tree")
class TreePath:
    """The path of every leaf and branch; elements of an array share the index 0."""

    @staticmethod
    def row(value: Any) -> list[str] | None:
        if not isinstance(value, dict | list):
            return None
        found: dict[str, None] = {}
        _paths(value, "", found)
        return list(found)


def _paths(value: Any, above: str, found: dict[str, None]) -> None:
    below = (
        [(f"{above}['{k}']", v) for k, v in value.items()]
        if isinstance(value, dict)
        else [(f"{above}[0]", v) for v in value]
        if isinstance(value, list)
        else []
    )
    for path, inner in below:
        found.setdefault(path)
        _paths(inner, path, found)
