"""Property bags: packed, merged, searched, changed; nested keys by a path such as `$.a['b c']`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.functions import _json
from workbench.query.functions._card import ANY, BOOL, DYNAMIC, STRING, Naming, rep, scalar
from workbench.query.functions.forms import converted
from workbench.query.lowering import Value
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


def _pairs(values: list[Value], args: Sequence[Expr]) -> list[tuple[Value, Expr, Value]]:
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


@scalar("bag_keys", [DYNAMIC], DYNAMIC)
class BagKeys:
    """The keys of a bag, null for what is no bag."""

    @staticmethod
    def row(bag: Any) -> list[str] | None:
        return list(bag) if isinstance(bag, dict) else None


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


@scalar("bag_remove_keys", [DYNAMIC, DYNAMIC], DYNAMIC)
class BagRemoveKeys:
    """A bag without some keys, at the top or at paths."""

    @staticmethod
    def row(bag: Any, keys: Any) -> Any:
        if not isinstance(bag, dict):
            return None
        for key in keys if isinstance(keys, list) else [keys]:
            steps = [key] if key in bag else steps_of(str(key))
            bag = _without(bag, steps)
        return bag


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
