"""Sketches: small stand-ins for many values, which can be stored, merged and asked later.

A digest (`tdigest`) is `[type, [values], [weights]]` with the values in order: all of them up to `_CENTROIDS` different
ones, beyond that neighbours are merged into their mean. A set (`hll`) is `["hll", [hashes]]`: the `_HASHES` smallest of
the values' hashes, of 63 bits each. So long as there are fewer it is exact; beyond that the size of the largest tells
how many there are, to about 1 %. Neither has the shape that Kusto stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import xxhash

from workbench.base.dtypes import ScalarType, format_datetime, format_timespan
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DATETIME,
    DECIMAL,
    DYNAMIC,
    INT,
    LONG,
    REAL,
    TIMESPAN,
    Naming,
    Param,
    aggregate,
    opt,
    rep,
    scalar,
)

NO_SQL = "the sketch is a JSON value of our own, which SQL can't read or merge"

_CENTROIDS = 4096
_HASHES = 16_384
_ORDERED = Param(frozenset({INT, LONG, REAL, DECIMAL, DATETIME, TIMESPAN}))
_WHOLE = frozenset({"int", "long", "datetime", "timespan"})

Digest = list[Any]


# ---- digests --------------------------------------------------------------------------------


def _digest(kind: str, pairs: Iterable[tuple[Any, int]]) -> Digest:
    """A digest of values and weights in any order."""
    weights: dict[Any, int] = {}
    for value, weight in pairs:
        if value is not None and value == value and weight > 0:
            weights[value] = weights.get(value, 0) + weight
    values = sorted(weights)
    if len(values) > _CENTROIDS:
        return _merged(kind, [(v, weights[v]) for v in values])
    return [kind, values, [weights[v] for v in values]]


def _merged(kind: str, pairs: list[tuple[Any, int]]) -> Digest:
    """Sorted values put together in `_CENTROIDS` groups of about one weight."""
    total, seen, place = sum(w for _, w in pairs), 0, -1
    sums: list[Any] = []
    sizes: list[int] = []
    for value, weight in pairs:
        group = seen * _CENTROIDS // total
        if group != place:
            place = group
            sums.append(0)
            sizes.append(0)
        sums[-1] += value * weight
        sizes[-1] += weight
        seen += weight
    whole = kind in _WHOLE
    return [kind, [s // n if whole else s / n for s, n in zip(sums, sizes, strict=True)], sizes]


def _is_digest(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and isinstance(value[1], list)


def _together(digests: Iterable[Any]) -> Digest | None:
    known = [d for d in digests if _is_digest(d)]
    if not known:
        return None
    return _digest(known[0][0], (pair for d in known for pair in zip(d[1], d[2], strict=True)))


def _at(digest: Digest, percent: float) -> Any:
    """The value at the nearest rank, as it is written in JSON."""
    kind, values, weights = digest
    wanted, seen = round(sum(weights) * percent / 100, 9), 0
    for value, weight in zip(values, weights, strict=True):
        seen += weight
        if seen >= wanted:
            return _written(value, kind)
    return None


def _written(value: Any, kind: str) -> Any:
    if kind == "datetime":
        return format_datetime(value)
    return format_timespan(value) if kind == "timespan" else value


def _rank(digest: Any, value: Any) -> tuple[int, int] | None:
    """(weight of the values that are not larger, weight of all)."""
    if not _is_digest(digest) or not digest[1] or isinstance(value, str | bool):
        return None
    below = sum(w for v, w in zip(digest[1], digest[2], strict=True) if v <= value)
    return below, sum(digest[2])


@aggregate("tdigest", [_ORDERED, opt(LONG)], DYNAMIC)
class TDigest:
    """A digest of the values, of which percentiles can be asked later."""

    @staticmethod
    def group(values: list[Any], weights: list[int | None] | None = None, *, types: Sequence[ScalarType]) -> Digest:  # fmt: skip
        kind = types[0].value
        if kind == "decimal":
            values = [None if v is None else float(v) for v in values]
        counts: Iterable[int] = [1] * len(values) if weights is None else [w or 0 for w in weights]
        return _digest(kind, zip(values, counts, strict=True))


@aggregate("tdigest_merge", [DYNAMIC], DYNAMIC, aliases=("merge_tdigest",), prefix="merge_tdigests")
class TDigestMergeGroup:
    """One digest out of those of the group."""

    @staticmethod
    def group(digests: list[Any]) -> Digest | None:
        return _together(digests)


@scalar("tdigest_merge", [DYNAMIC, DYNAMIC, rep(DYNAMIC, least=0)], DYNAMIC, aliases=("merge_tdigest",), naming=Naming.PREFIX_ONLY, prefix="tdigests_merge_result")  # fmt: skip
class TDigestMerge:
    """One digest out of several."""

    nulls = True

    @staticmethod
    def row(*digests: Any) -> Digest | None:
        return _together(digests)


@scalar("percentile_tdigest", [DYNAMIC, REAL], DYNAMIC, naming=Naming.PREFIX_AND_FIRST, prefix="percentile_tdigest")  # fmt: skip
class PercentileTDigest:
    """The value below which so many percent of a digest's values lie.

    A third argument `typeof(…)` gives the result as that type.
    """

    @staticmethod
    def row(digest: Any, percent: float) -> Any:
        return _at(digest, percent) if _is_digest(digest) else None


@scalar(
    "percentiles_array_tdigest",
    [DYNAMIC, rep(Param(frozenset({DYNAMIC, REAL, LONG, INT, DECIMAL})))],
    DYNAMIC,
    naming=Naming.PREFIX_AND_FIRST,
    prefix="percentile_tdigest",
)
class PercentilesArrayTDigest:
    """An array of the values below which so many percent of a digest's values lie."""

    @staticmethod
    def row(digest: Any, *percents: Any) -> list[Any] | None:
        listed = percents[0] if len(percents) == 1 and isinstance(percents[0], list) else percents
        if not _is_digest(digest):
            return None
        return [_at(digest, float(p)) if isinstance(p, int | float | Decimal) else None for p in listed]


@scalar("rank_tdigest", [DYNAMIC, ANY], REAL)
class RankTDigest:
    """How many of a digest's values are not larger than the value."""

    @staticmethod
    def row(digest: Any, value: Any) -> float | None:
        found = _rank(digest, value)
        return None if found is None else float(found[0])


@scalar("percentrank_tdigest", [DYNAMIC, ANY], REAL)
class PercentRankTDigest:
    """How many percent of a digest's values are not larger than the value."""

    @staticmethod
    def row(digest: Any, value: Any) -> float | None:
        found = _rank(digest, value)
        return None if found is None else 100 * found[0] / found[1]


# ---- sets -----------------------------------------------------------------------------------


def _smallest(hashes: set[int]) -> list[Any]:
    return ["hll", sorted(hashes)[:_HASHES]]


def _set_of(values: Iterable[Any]) -> list[Any]:
    different = {str(v) for v in values if v is not None}
    return _smallest({xxhash.xxh64_intdigest(v.encode()) >> 1 for v in different})


def _united(sets: Iterable[Any]) -> list[Any] | None:
    known = [s for s in sets if _is_set(s)]
    return _smallest({h for s in known for h in s[1]}) if known else None


def _is_set(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] == "hll"


@aggregate("hll", [ANY, opt(LONG)], DYNAMIC)
class Hll:
    """The set of different values as a sketch, of which the size can be asked later."""

    @staticmethod
    def group(values: list[Any], accuracy: Any = None) -> list[Any]:
        return _set_of(values)


@aggregate("hll_if", [ANY, BOOL, opt(LONG)], DYNAMIC)
class HllIf:
    """The set of different values over the rows for which the condition is true, as a sketch."""

    @staticmethod
    def group(values: list[Any], conditions: list[bool | None], accuracy: Any = None) -> list[Any]:
        return _set_of(v for v, kept in zip(values, conditions, strict=True) if kept)


@aggregate("hll_merge", [DYNAMIC], DYNAMIC)
class HllMergeGroup:
    """The union of the group's sets."""

    @staticmethod
    def group(sets: list[Any]) -> list[Any] | None:
        return _united(sets)


@scalar("hll_merge", [DYNAMIC, DYNAMIC, rep(DYNAMIC, least=0)], DYNAMIC, naming=Naming.PREFIX_ONLY, prefix="hll_merged_result")  # fmt: skip
class HllMerge:
    """The union of several sets."""

    nulls = True

    @staticmethod
    def row(*sets: Any) -> list[Any] | None:
        return _united(sets)


@scalar("dcount_hll", [DYNAMIC], LONG, naming=Naming.PREFIX_AND_FIRST, prefix="dcount_hll")
class DCountHll:
    """How many different values a set of `hll()` has."""

    @staticmethod
    def row(sketch: Any) -> int | None:
        if not _is_set(sketch):
            return None
        hashes: list[int] = sketch[1]
        if len(hashes) < _HASHES:
            return len(hashes)
        return round((_HASHES - 1) / (hashes[-1] / 2**63))
