"""Plugins that find what many rows have in common: `autocluster`, `basket`, `diffpatterns`.

Each row of the answer is a pattern: a column holds the value that the rows share, or the wildcard
of its type (null, the empty text, or what the call says) where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.base.json_values import dumps
from workbench.query import syntax
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import Computed, PluginCall, plugin, projected, visible
from workbench.query.operators.plugins._patterns import WEIGHT, Pattern, Rows, frequent
from workbench.query.plan import ONE_ROW, Col, Const, Expr, Rel, unique

T = ScalarType
_SPLIT = "__split"
_DEFAULT = "~"
_SCALE = 1_000  # weights are whole numbers inside: thousandths of reals
_MOST_PATTERNS = 5_000
_ONE_BY_ONE = 128  # items of a row; of more, those of the same rows are left out together
_LEAST_ITEM = 0.01  # share of rows below which a value makes no cluster


@dataclass(frozen=True, slots=True)
class _Given:
    """The arguments that all three share."""

    source: Rel
    dimensions: tuple[Column, ...]
    wildcards: dict[ScalarType, Any]
    scale: int

    def whole(self, weight: int) -> int:
        """A weight as it was given."""
        return int(weight / self.scale + 0.5)


def _argument(call: PluginCall, place: int, name: str) -> syntax.Expression | None:
    """The argument, None where it was left out or is `'~'`."""
    node = call.argument(place, name)
    return None if isinstance(node, syntax.Literal) and node.value == _DEFAULT else node


def _number(call: PluginCall, place: int, name: str, b: BinderApi, default: float, low: float, high: float) -> float:  # fmt: skip
    node = _argument(call, place, name)
    if node is None:
        return default
    value = b.constant(node, f"{name} of {call.name}()", T.REAL)
    if value is None or not low <= value <= high:
        raise diagnostics.bad_argument(call.name, f"{name} is a number from {low:g} to {high:g}", node.span)
    return float(value)


def _given(call: PluginCall, source: Rel, b: BinderApi, weight_at: int, first_wildcard: int, split: Col | None = None) -> _Given:  # fmt: skip
    node = _argument(call, weight_at, "WeightColumn")
    weight: Expr = Const(T.LONG, 1)
    scale = 1
    used = {split.name} if split is not None else set()
    if node is not None:
        column = b.expr(node, source)
        if not isinstance(column, Col) or not column.type.is_number:
            raise diagnostics.wrong_type("WeightColumn", "a column of numbers", column.type.value, node.span)
        used.add(column.name)
        scale = 1 if column.type in (T.INT, T.LONG) else _SCALE
        scaled = b.call("*", b.convert(column, T.REAL), Const(T.REAL, float(scale)), span=node.span)
        weight = b.convert(b.call("round", scaled, span=node.span), T.LONG)
    dimensions = tuple(c for c in visible(source.schema) if c.name not in used)
    columns: list[tuple[str, Expr]] = [(c.name, Col(c.type, c.name)) for c in dimensions]
    if split is not None:
        columns.append((_SPLIT, b.convert(split, T.STRING)))
    rows = projected(source, [*columns, (WEIGHT, weight)])
    return _Given(rows, dimensions, _wildcards(call.rest(first_wildcard), b), scale)


def _wildcards(nodes: Sequence[syntax.Expression], b: BinderApi) -> dict[ScalarType, Any]:
    found: dict[ScalarType, Any] = {}
    for node in nodes:
        value = b.fold(b.expr(node, ONE_ROW))
        if not isinstance(value, Const):
            raise diagnostics.not_constant("a wildcard", node.span)
        if value.value != _DEFAULT:
            found[value.type] = dumps(value.value) if value.type is T.DYNAMIC else value.value
    return found


def _numbered(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns; a name that stands before gets a number, as where a plugin's rows are mined again."""
    made: dict[str, Column] = {}
    for column in columns:
        name = unique(column.name, made)
        made[name] = replace(column, name=name)
    return tuple(made.values())


def _mined(given: _Given, numbers: Sequence[Column], compute: Callable[[pl.DataFrame], list[tuple[tuple[Any, ...], Pattern, Rows]]]) -> Rel:  # fmt: skip
    """The plugin's table: SegmentId, `numbers`, the dimensions."""
    schema = _numbered((Column("SegmentId", T.LONG), *numbers, *given.dimensions))

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        weighed = frame.with_columns(pl.col(WEIGHT).fill_null(0).clip(0))
        cells: list[list[Any]] = [[] for _ in schema]
        for segment, (counted, pattern, rows) in enumerate(compute(weighed)):
            fixed = {rows.items[i].column: rows.value(i) for i in pattern}
            shown = [
                fixed.get(i, given.wildcards.get(c.type, "" if c.type is T.STRING else None))
                for i, c in enumerate(given.dimensions)
            ]
            for column, cell in zip(cells, (segment, *counted, *shown), strict=True):
                column.append(cell)
        own = [
            pl.Int64() if c.type is T.LONG else pl.Float64() for c in schema[: -len(given.dimensions) or None]
        ]
        kinds = [*own, *(frame.schema[c.name] for c in given.dimensions)]
        return pl.DataFrame(
            [pl.Series(c.name, v, k, strict=False) for c, v, k in zip(schema, cells, kinds, strict=True)]
        )

    return Computed(schema, given.source, run, ordered=True)


def _share(weight: int, of: int, digits: int) -> float:
    return round(100 * weight / of, digits) if of else 0.0


# ---- basket -----------------------------------------------------------------------------------


@plugin("basket", syntax="basket([THRESHOLD [, WEIGHT [, DIMENSIONS [, WILDCARD, …]]]])")
class Basket:
    """Every combination of values that at least a share (0.05) of the rows has, the most frequent first.

    Of combinations that the same rows have, only the largest is told. `DIMENSIONS` (5) is how many values
    may be needed to tell its rows apart. `'~'` stands for the default of an argument.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        share = _number(call, 0, "Threshold", b, 0.05, 0.015, 1)
        dimensions = int(_number(call, 2, "MaxDimensions", b, 5, 1, 100))
        given = _given(call, source, b, 1, 3)
        call.finish()

        def compute(frame: pl.DataFrame) -> list[tuple[tuple[Any, ...], Pattern, Rows]]:
            rows = Rows(frame, share)
            least = share * rows.total
            found = list(frequent(rows, lambda bits: rows.count(bits) >= least, dimensions, _MOST_PATTERNS))
            _check(call.name, len(found), call.span)
            total = int(frame[WEIGHT].sum())
            weighed = [(rows.weights(p)[None], p) for p in found]
            weighed.sort(key=lambda w: (-w[0], -len(w[1]), w[1]))
            return [((given.whole(n), _share(n, total, 1)), p, rows) for n, p in weighed]

        return _mined(given, (Column("Count", T.LONG), Column("Percent", T.REAL)), compute)


def _check(name: str, patterns: int, span: Span) -> None:
    if patterns > _MOST_PATTERNS:
        why = (
            f"there are more than {_MOST_PATTERNS:,} patterns: raise the threshold, or project fewer columns"
        )
        raise diagnostics.bad_argument(name, why, span)


# ---- autocluster ------------------------------------------------------------------------------


@plugin("autocluster", syntax="autocluster([SIZE_WEIGHT [, WEIGHT [, SEEDS [, WILDCARD, …]]]])")
class AutoCluster:
    """A few combinations of values that between them describe many of the rows, the best first.

    A combination is the better the more rows have it and the more columns it fixes; `SIZE_WEIGHT` (0.5)
    from 0 to 1 favours rows over columns. The search starts at `SEEDS` (25) rows.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        weight = _number(call, 0, "SizeWeight", b, 0.5, 0, 1)
        seeds = int(_number(call, 2, "NumSeeds", b, 25, 1, 10_000))
        given = _given(call, source, b, 1, 3)
        call.finish()

        def compute(frame: pl.DataFrame) -> list[tuple[tuple[Any, ...], Pattern, Rows]]:
            rows = Rows(frame, _LEAST_ITEM)
            total = int(frame[WEIGHT].sum())
            kept = _clusters(rows, weight, seeds, 2 * given.scale)
            return [
                ((given.whole(n), _share(n, total, 1)), p, rows)
                for p in kept
                for n in [rows.weights(p)[None]]
            ]

        return _mined(given, (Column("Count", T.LONG), Column("Percent", T.REAL)), compute)


def _clusters(rows: Rows, weight: float, seeds: int, least: int) -> list[Pattern]:
    """The best pattern around each seed, without those whose rows others have already.

    `least` is the weight below which rows are no cluster.
    """

    def score(size: int, having: int) -> float:
        if rows.count(having) < least:
            return 0.0
        covered = rows.count(having) / rows.total
        fixed = size / len(rows.columns)
        return float(covered**weight * fixed ** (1 - weight))

    found: dict[Pattern, tuple[float, int]] = {}
    for seed in _seeds(rows, seeds):
        best = _grown(rows, seed, score)
        having = rows.rows_of(best)
        if best and rows.count(having) >= min(least, rows.total):
            found[best] = (score(len(best), having), having)
    kept: list[Pattern] = []
    covered = 0
    for pattern, (_, having) in sorted(found.items(), key=lambda f: (-f[1][0], f[0])):
        if 2 * rows.count(having & ~covered) >= rows.count(having):
            kept.append(pattern)
            covered |= having
    return kept


def _seeds(rows: Rows, count: int) -> list[Pattern]:
    """Rows to start from, as what is frequent in them; spread over all rows, the same at each run."""
    step = max(1, rows.height // count)
    seeds: dict[Pattern, None] = {}
    for place in range(0, rows.height, step):
        seed = tuple(i for i, item in enumerate(rows.items) if item.rows >> place & 1)
        if seed:
            seeds[seed] = None
    return list(seeds)[: 2 * count]


def _grown(rows: Rows, seed: Pattern, score: Callable[[int, int], float]) -> Pattern:
    """The best of the patterns on the way from a row to all rows, leaving out one value at a time."""
    units = [(i,) for i in seed] if len(seed) <= _ONE_BY_ONE else _units(rows, seed)
    best, highest = units, score(len(seed), rows.rows_of(seed))
    while len(units) > 1:
        # The rows without one unit: those of all before it and of all behind it.
        before, behind = [rows.all], [rows.all]
        for unit in units[:-1]:
            before.append(before[-1] & rows.items[unit[0]].rows)
        for unit in units[:0:-1]:
            behind.append(behind[-1] & rows.items[unit[0]].rows)
        size = sum(map(len, units))
        values = [
            score(size - len(unit), a & b) for unit, a, b in zip(units, before, reversed(behind), strict=True)
        ]
        value = max(values)
        place = values.index(value)
        units = units[:place] + units[place + 1 :]
        if value > highest:
            highest, best = value, units
    # What follows from the pattern belongs to it: it costs no row.
    return rows.closed(rows.rows_of(tuple(i for unit in best for i in unit)))


def _units(rows: Rows, seed: Pattern) -> list[Pattern]:
    """The items of a seed, those that the same rows have together: of hundreds of columns most say the same."""
    found: dict[int, list[int]] = {}
    for item in seed:
        found.setdefault(rows.items[item].rows, []).append(item)
    return [tuple(items) for items in found.values()]


# ---- diffpatterns -----------------------------------------------------------------------------


@plugin(
    "diffpatterns",
    syntax="diffpatterns(COLUMN, VALUE_A, VALUE_B [, WEIGHT [, THRESHOLD [, DIMENSIONS [, WILDCARD, …]]]])",
)
class DiffPatterns:
    """Combinations of values that are frequent where a column has one value and rare where it has another.

    The shares of the two sets of rows differ by at least the threshold (0.05); the largest difference is first.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        node = call.needed(0, "SplitColumn")
        split = b.expr(node, source)
        if not isinstance(split, Col):
            raise diagnostics.expected("a column", "an expression", node.span)
        call.needed(2, "SplitValueB")
        values = (
            str(b.constant(call.needed(1, "SplitValueA"), "SplitValueA", T.STRING)),
            str(b.constant(call.needed(2, "SplitValueB"), "SplitValueB", T.STRING)),
        )
        share = _number(call, 4, "Threshold", b, 0.05, 0.015, 1)
        limit = _argument(call, 5, "MaxDimensions")
        dimensions = None if limit is None else int(_number(call, 5, "MaxDimensions", b, 5, 1, 100))
        given = _given(call, source, b, 3, 6, split)
        call.finish()

        def compute(frame: pl.DataFrame) -> list[tuple[tuple[Any, ...], Pattern, Rows]]:
            both = frame.filter(pl.col(_SPLIT).is_in(values))
            rows = Rows(both, share, _SPLIT)
            sizes = dict(both.group_by(_SPLIT).agg(pl.col(WEIGHT).sum()).iter_rows())
            whole = [int(sizes.get(v, 0)) for v in values]
            found = _differences(rows, values, whole, share, dimensions)
            return [((*(given.whole(n) for n in own), *shares), p, rows) for own, shares, p in found]

        numbers = (
            Column("CountA", T.LONG), Column("CountB", T.LONG), Column("PercentA", T.REAL),
            Column("PercentB", T.REAL), Column("PercentDiffAB", T.REAL),
        )  # fmt: skip
        return _mined(given, numbers, compute)


def _differences(rows: Rows, values: tuple[str, str], whole: Sequence[int], share: float, dimensions: int | None) -> list[tuple[list[int], list[float], Pattern]]:  # fmt: skip
    sets = [rows.parts.get(v, 0) for v in values]
    floors = [share * rows.count(s) for s in sets]

    def enough(bits: int) -> bool:
        return any(rows.count(bits & s) >= f and bits & s for s, f in zip(sets, floors, strict=True))

    found: list[tuple[float, list[int], Pattern]] = []
    for pattern in frequent(rows, enough, dimensions, _MOST_PATTERNS):
        weights = rows.weights(pattern, _SPLIT)
        own = [weights.get(v, 0) for v in values]
        a, b = (n / w if w else 0.0 for n, w in zip(own, whole, strict=True))
        if abs(a - b) >= share:
            found.append((abs(a - b), own, pattern))
    found.sort(key=lambda f: (-f[0], -len(f[2]), f[2]))
    kept: list[tuple[list[int], list[float], Pattern]] = []
    taken: list[int] = []
    for difference, own, pattern in found:
        having = rows.rows_of(pattern)
        if any(_alike(rows, having, other) for other in taken):
            continue
        taken.append(having)
        shares = [_share(n, w, 2) for n, w in zip(own, whole, strict=True)]
        kept.append((own, [*shares, round(100 * difference, 2)], pattern))
    return kept


def _alike(rows: Rows, one: int, other: int) -> bool:
    """Whether one set of rows holds the other, or most rows of both are the same."""
    shared = one & other
    return shared in (one, other) or 2 * rows.count(shared) > rows.count(one | other)
