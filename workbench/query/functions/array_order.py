"""Arrays in order: `array_sort_asc` and `array_sort_desc`, which sort several by the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json, _sql, _sql_cast, _sql_lists
from workbench.query.functions._card import BOOL, DYNAMIC, Param, rep, scalar


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers before texts before all else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, value
    if isinstance(value, str):
        return 1, value
    if isinstance(value, bool):
        return 2, str(value)
    return 3, str(_json.key(value))


def _sql_rank(json: _sql.Sql, tie: _sql.Sql, place: _sql.Sql) -> _sql.Sql:
    """What an element is sorted by; whole numbers beyond what a real holds are told apart too."""
    number = _sql.case((_sql_lists.is_number(json), _sql.try_cast(json, "DOUBLE")))
    text, word = _sql.plain_func("starts_with", json, '"'), _sql.member(json, ["true", "false"])
    kind = _sql.case((_sql_lists.is_number(json), 0), (text, 1), (word, 2), otherwise=3)
    whole = _sql.try_cast(_sql.case((_sql_lists.is_number(json), json)), "HUGEINT")
    written = _sql.case((text, _sql_cast.unquoted(json)), otherwise=_sql_lists.same(json))
    # A missing part would be sorted by rules of its own.
    parts = (kind, _sql.coalesce(number, 0.0), _sql.coalesce(whole, 0), _sql.case((_sql_lists.is_number(json), ""), otherwise=written), tie, place)  # fmt: skip
    return _sql.plain_func("row", *parts)


def _sorting(name: str, doc: str, *, descending: bool) -> None:
    @scalar(name, [rep(Param(frozenset({DYNAMIC, BOOL})))], DYNAMIC)
    class _Sorted:
        nulls = True

        @staticmethod
        def columns(names: Sequence[str | None], types: Sequence[ScalarType]) -> list[tuple[str, ScalarType]]:
            arrays = len(types) - 1 if types[-1] is BOOL and len(types) > 1 else len(types)
            return [(f"{names[i] or f'array{i}'}_sorted", DYNAMIC) for i in range(arrays)]

        @staticmethod
        def row(*arguments: Any, types: Sequence[ScalarType]) -> list[Any] | None:
            flagged = types[-1] is BOOL and len(types) > 1
            arrays = arguments[:-1] if flagged else arguments
            nulls_last = arguments[-1] if flagged else True
            first = arrays[0]
            if not isinstance(first, list):
                return None
            order = [i for i, e in enumerate(first) if e is not None]
            order.sort(key=lambda i: _rank(first[i]), reverse=descending)
            nulls = [i for i, e in enumerate(first) if e is None]
            order = order + nulls if nulls_last else nulls + order
            fits = [isinstance(a, list) and len(a) == len(first) for a in arrays]
            return [[a[i] for i in order] if fit else None for a, fit in zip(arrays, fits, strict=True)]

        @staticmethod
        def sql(*arguments: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
            flagged = types[-1] is BOOL and len(types) > 1
            arrays = [
                _sql_lists.elements(a if t is DYNAMIC else _sql.cast(None, "VARCHAR"))
                for a, t in zip(arguments[:-1] if flagged else arguments, types, strict=False)
            ]
            first, size = arrays[0], _sql_lists.size(arrays[0])

            def ranked(place: _sql.Sql) -> _sql.Sql:
                tie = _sql.minus(place) if descending else place
                return _sql_rank(_sql_lists.at(first, place), tie, place)

            def is_null(place: _sql.Sql) -> _sql.Sql:
                return _sql.op("=", _sql_lists.at(first, place), "null")

            places = _sql_lists.places(size)
            kept = _sql_lists.each(
                _sql_lists.only(places, lambda i: _sql.negated(is_null(i)), "i"), ranked, "r"
            )
            inner = _sql.plain_func("list_sort", kept, "DESC" if descending else "ASC")
            order = _sql_lists.each(inner, lambda r: _sql_lists.field(r, 6), "o")
            nulls = _sql_lists.only(places, is_null, "n")
            last, front = _sql_lists.both(order, nulls), _sql_lists.both(nulls, order)
            if flagged:
                last = _sql.case((arguments[-1], last), otherwise=front)

            def written(items: _sql.Sql, order: _sql.Sql) -> _sql.Sql:
                fits = _sql.op("=", _sql_lists.size(items), size)
                found = _sql_lists.array(_sql_lists.each(order, lambda i: _sql_lists.at(items, i), "w"))
                return _sql_lists.known(_sql.case((fits, found)))

            found = _sql_lists.bound(
                last,
                lambda order: _sql_lists.array(_sql_lists.listed(*(written(a, order) for a in arrays))),
                "b",
            )
            return _sql.known(found, first)

    _Sorted.__doc__ = doc


_sorting(
    "array_sort_asc",
    "The first array sorted, the others in its order; nulls last unless the last argument is false.",
    descending=False,
)
_sorting(
    "array_sort_desc",
    "The first array sorted downwards, the others in its order; nulls last unless the last argument is false.",
    descending=True,
)
