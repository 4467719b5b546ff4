"""Arrays: what `array_*`, `pack_array`, `range`, `repeat` and `zip` do. JSON arrays in, JSON arrays out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import Any

import polars as pl

from workbench.base.dtypes import TICKS_PER_HOUR, ScalarType
from workbench.query.functions import _json
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DATETIME,
    DECIMAL,
    DYNAMIC,
    INTEGER,
    LONG,
    NUMBER,
    REAL,
    STRING,
    TIMESPAN,
    Naming,
    Param,
    opt,
    rep,
    scalar,
)
from workbench.query.functions._cast import python_cast
from workbench.query.functions.values import loads
from workbench.query.lowering import Value
from workbench.query.plan import Expr

_MOST = 2**20  # elements that range() gives at most


@scalar("pack_array", [rep(ANY)], DYNAMIC)
class PackArray:
    """All arguments in one array."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pieces = pl.concat_str([_json.or_null(v) for v in values], separator=",")
        return Value(pl.concat_str(pl.lit("["), pieces, pl.lit("]")), DYNAMIC)


@scalar("array_length", [DYNAMIC], LONG, aliases=("arraylength",))
class ArrayLength:
    """Number of elements, null for what is no array."""

    @staticmethod
    def polars(array: pl.Expr) -> pl.Expr:
        def batch(series: pl.Series) -> pl.Series:
            return pl.Series(series.name, [_length(v) for v in series.to_list()], pl.Int64)

        return array.map_batches(batch, return_dtype=pl.Int64, is_elementwise=True)


def _length(text: str | None) -> int | None:
    if text is None or text[:1] != "[":
        return None
    array = loads(text)
    return len(array) if isinstance(array, list) else None


@scalar("array_concat", [rep(DYNAMIC)], DYNAMIC)
class ArrayConcat:
    """The elements of all arrays, one array after the other; what is no array is left out."""

    nulls = True

    @staticmethod
    def row(*arrays: Any) -> list[Any] | None:
        if all(a is None for a in arrays):
            return None
        return [element for a in arrays if isinstance(a, list) for element in a]


@scalar("array_slice", [DYNAMIC, INTEGER, INTEGER], DYNAMIC)
class ArraySlice:
    """The elements from one index to another, both included; negative ones count from the end."""

    @staticmethod
    def row(array: Any, start: int, end: int) -> list[Any] | None:
        if not isinstance(array, list):
            return None
        first = max(0, start + len(array) if start < 0 else start)
        last = end + len(array) if end < 0 else end
        return array[first : last + 1] if last >= 0 else []


@scalar("array_split", overloads=[([DYNAMIC, INTEGER], DYNAMIC), ([DYNAMIC, DYNAMIC], DYNAMIC)])
class ArraySplit:
    """The array cut at one or more indexes, as an array of arrays; negative ones count from the end."""

    @staticmethod
    def row(array: Any, at: Any) -> list[Any] | None:
        if not isinstance(array, list):
            return None
        places = at if isinstance(at, list) else [at]
        if not all(isinstance(p, int) and not isinstance(p, bool) for p in places):
            return None
        size = len(array)
        cuts = [0, *(min(size, max(0, p + size if p < 0 else p)) for p in places), size]
        return [array[a:b] for a, b in pairwise(cuts)]


@scalar("array_index_of", [DYNAMIC, ANY, opt(INTEGER), opt(INTEGER), opt(INTEGER)], LONG)
class ArrayIndexOf:
    """Where a value stands in an array, -1 if nowhere: from `start`, among `length` elements, the
    `occurrence`-th one."""

    @staticmethod
    def row(
        array: Any,
        value: Any,
        start: int = 0,
        length: int = -1,
        occurrence: int = 1,
        *,
        types: Sequence[ScalarType],
    ) -> int | None:
        if not isinstance(array, list) or length < -1 or occurrence < 0:
            return None
        first = max(0, start + len(array) if start < 0 else start)
        last = len(array) if length == -1 else first + length
        wanted = _json.key(_json.element(value, types[1]))
        hits = [i for i, e in enumerate(array[first:last], first) if _json.key(e) == wanted]
        return hits[occurrence - 1] if 0 < occurrence <= len(hits) else -1


@scalar("array_iff", [DYNAMIC, ANY, ANY], DYNAMIC, aliases=("array_iif",))
class ArrayIff:
    """Element by element from the second or the third argument; null where the condition is no bool
    and no number, or where the chosen array is too short."""

    nulls = True

    @staticmethod
    def row(condition: Any, yes: Any, no: Any, *, types: Sequence[ScalarType]) -> list[Any] | None:
        if not isinstance(condition, list):
            return None
        yes, no = _json.element(yes, types[1]), _json.element(no, types[2])
        return [
            _at(yes if c else no, i) if isinstance(c, bool | int | float) else None
            for i, c in enumerate(condition)
        ]


def _at(source: Any, index: int) -> Any:
    if not isinstance(source, list):
        return source
    return source[index] if index < len(source) else None


@scalar("array_reverse", [DYNAMIC], DYNAMIC)
class ArrayReverse:
    """The elements from last to first."""

    @staticmethod
    def row(array: Any) -> list[Any] | None:
        return array[::-1] if isinstance(array, list) else None


def _turned(array: Any, places: int) -> list[Any] | None:
    if not isinstance(array, list):
        return None
    cut = places % len(array) if array else 0
    return array[cut:] + array[:cut]


@scalar("array_rotate_left", [DYNAMIC, INTEGER], DYNAMIC)
class ArrayRotateLeft:
    """The elements moved to the left, those that fall out come back on the right."""

    @staticmethod
    def row(array: Any, places: int) -> list[Any] | None:
        return _turned(array, places)


@scalar("array_rotate_right", [DYNAMIC, INTEGER], DYNAMIC)
class ArrayRotateRight:
    """The elements moved to the right, those that fall out come back on the left."""

    @staticmethod
    def row(array: Any, places: int) -> list[Any] | None:
        return _turned(array, -places)


def _shifted(array: Any, left: int, fill: Any) -> list[Any] | None:
    if not isinstance(array, list):
        return None
    gap = [fill] * min(abs(left), len(array))
    return array[left:] + gap if left >= 0 else gap + array[: len(array) - len(gap)]


def _filling(array: Any, fill: tuple[Any, ...], types: Sequence[ScalarType]) -> Any:
    if fill:
        return _json.element(fill[0], types[2])
    texts = isinstance(array, list) and array and all(isinstance(e, str) for e in array)
    return "" if texts else None


@scalar("array_shift_left", [DYNAMIC, INTEGER, opt(ANY)], DYNAMIC)
class ArrayShiftLeft:
    """The elements moved to the left; the gap is filled with a value, null (`""` among texts) by default."""

    nulls = True

    @staticmethod
    def row(array: Any, places: int | None, *fill: Any, types: Sequence[ScalarType]) -> list[Any] | None:
        return None if places is None else _shifted(array, places, _filling(array, fill, types))


@scalar("array_shift_right", [DYNAMIC, INTEGER, opt(ANY)], DYNAMIC)
class ArrayShiftRight:
    """The elements moved to the right; the gap is filled with a value, null (`""` among texts) by default."""

    nulls = True

    @staticmethod
    def row(array: Any, places: int | None, *fill: Any, types: Sequence[ScalarType]) -> list[Any] | None:
        return None if places is None else _shifted(array, -places, _filling(array, fill, types))


# ---- order ----------------------------------------------------------------------------------


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers before texts before all else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, value
    if isinstance(value, str):
        return 1, value
    if isinstance(value, bool):
        return 2, str(value)
    return 3, str(_json.key(value))


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


# ---- one value of many ----------------------------------------------------------------------


@scalar("array_sum", [DYNAMIC], REAL)
class ArraySum:
    """Sum of the elements without nulls; null when there is none, or another element is no number."""

    @staticmethod
    def row(array: Any) -> float | None:
        known = [e for e in array if e is not None] if isinstance(array, list) else []
        if not known or not all(isinstance(e, int | float) and not isinstance(e, bool) for e in known):
            return None
        return float(sum(known))


@scalar("strcat_array", [DYNAMIC, ANY], STRING, aliases=("array_strcat",))
class StrcatArray:
    """The elements as text with a separator between them; null elements are empty."""

    @staticmethod
    def row(array: Any, separator: Any, *, types: Sequence[ScalarType]) -> str:
        if not isinstance(array, list):
            return ""
        between: str = python_cast(separator, types[1], STRING)
        return between.join(python_cast(e, DYNAMIC, STRING) for e in array)


# ---- new arrays -----------------------------------------------------------------------------


@scalar(
    "range",
    overloads=[
        ([NUMBER, NUMBER, opt(NUMBER)], DYNAMIC),
        ([DATETIME, DATETIME, opt(TIMESPAN)], DYNAMIC),
        ([TIMESPAN, TIMESPAN, opt(TIMESPAN)], DYNAMIC),
    ],
)
class Range:
    """Values at equal steps from the first to the last, which is included; steps of 1 or an hour."""

    @staticmethod
    def row(start: Any, stop: Any, step: Any = None, *, types: Sequence[ScalarType]) -> list[Any] | None:
        if step is None:
            step = TICKS_PER_HOUR if types[0].is_time else 1
        if any(t in (REAL, DECIMAL) for t in types):
            start, stop, step = float(start), float(stop), float(step)
        if step == 0 or not all(map(math.isfinite, (start, stop, step))):
            return []
        count = min(_MOST, int((stop - start) // step) + 1)
        if not types[0].is_time:
            return [start + i * step for i in range(count)]
        return [python_cast(start + i * step, types[0], STRING) for i in range(count)]


@scalar("repeat", [ANY, LONG], DYNAMIC, naming=Naming.PREFIX_AND_FIRST, prefix="repeat")
class Repeat:
    """One value many times; null for a negative count."""

    nulls = True

    @staticmethod
    def row(value: Any, count: int | None, *, types: Sequence[ScalarType]) -> list[Any] | None:
        if count is None or count < 0:
            return None
        return [_json.element(value, types[0])] * min(count, _MOST)


@scalar("zip", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class Zip:
    """The first elements of all arrays, then the second ones, and so on; short arrays are filled with null."""

    nulls = True

    @staticmethod
    def row(*arrays: Any) -> list[Any] | None:
        if all(a is None for a in arrays):
            return None
        lists = [a if isinstance(a, list) else [] if a is None else [a] for a in arrays]
        return [list(together) for together in zip_longest(*lists)]
