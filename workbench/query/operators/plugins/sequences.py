"""Plugins that find steps one after the other: `funnel_sequence`, `funnel_sequence_completion`,
`sequence_detect`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.json_values import dumps
from workbench.query import syntax
from workbench.query.operators._card import BinderApi
from workbench.query.operators._several import leaf_of, numbered, several
from workbench.query.operators.plugins._card import Computed, PluginCall, plugin, projected
from workbench.query.operators.plugins._timeline import ID, TIME, bounds, duration, steps, timeline
from workbench.query.plan import Const, Expr, Rel, unique

T = ScalarType
_STATE, _BIN = "__state", "__bin"
_MOST_SAMPLES = 128
_MOST_MATCHES = 1_000_000
Event = tuple[Any, Any]  # (time, state)


def _array(call: PluginCall, place: int, name: str, b: BinderApi) -> list[Any]:
    node = call.needed(place, name)
    value = b.constant(node, f"{name} of {call.name}()", T.DYNAMIC)
    if not isinstance(value, list) or not value:
        raise diagnostics.bad_argument(call.name, f"{name} is an array of one value or more", node.span)
    return value


def _sequence(call: PluginCall, place: int, state: Expr, b: BinderApi) -> list[Any]:
    """The states that are looked for, as cells hold them."""
    values = _array(call, place, "Sequence", b)
    return ["" if v is None else v if isinstance(v, str) else str(v) for v in values] if state.type is T.STRING else values  # fmt: skip


def _events(rows: pl.DataFrame, start: Any, stop: Any, labels: Sequence[Any]) -> Iterator[tuple[Any, Any, list[Event]]]:  # fmt: skip
    """(bin, id, events in their order) of the rows from `start` to `stop`; bins begin at `labels`."""
    inside = rows.filter((pl.col(TIME) >= start) & (pl.col(TIME) <= stop))
    begins = pl.Series(labels, dtype=rows[TIME].dtype)
    placed = inside.with_columns(
        begins.search_sorted(inside[TIME], side="right").cast(pl.Int64).alias(_BIN) - 1
    )
    ordered = placed.sort([_BIN, ID, TIME], maintain_order=True).select(_BIN, ID, TIME, _STATE)
    for (place, who), group in groupby(ordered.iter_rows(), key=lambda r: (r[0], r[1])):
        yield labels[place], who, [(r[2], r[3]) for r in group]


# ---- funnel_sequence --------------------------------------------------------------------------


@plugin(
    "funnel_sequence",
    syntax="funnel_sequence(ID, TIME, START, END, LONGEST_STEP, BIN, STATE, SEQUENCE)",
)
class FunnelSequence:
    """For each bin, how many ids went through a sequence of states, by what came before and after it.

    Three tables: by both, by the state before, by the state after. States that repeat count once; a step
    may take at most `LONGEST_STEP`. `samples` are up to 128 of the ids.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line, when = timeline(call, source, b, [])
        start, stop = bounds(call, 2, line.type, b)
        longest = duration(call, 4, "MaxSequenceStepWindow", line.type, b)
        labels = steps(call, start, stop, duration(call, 5, "Step", line.type, b))
        _, state = call.column(6, "StateColumn", source, b)
        sought = _sequence(call, 7, state, b)
        call.finish(8)
        _, who = call.column(0, "IdColumn", source, b)
        rows = projected(source, [(ID, who), (TIME, when), (_STATE, state)])
        leaf = leaf_of(rows)
        parts = []
        for place, names in enumerate((("prev", "next"), ("prev",), ("next",))):
            by = tuple(Column(n, state.type) for n in names)
            counted = (Column("dcount", T.LONG), Column("samples", T.DYNAMIC))
            schema = (Column(line.name, line.type), *by, *counted)

            def compute(frame: pl.DataFrame, schema: Sequence[Column] = schema, names: Sequence[str] = names) -> pl.DataFrame:  # fmt: skip
                found: dict[tuple[Any, ...], dict[Any, None]] = {}
                for label, who, events in _events(frame, start, stop, labels):
                    for before, after in _around(events, sought, longest):
                        around = {"prev": before, "next": after}
                        found.setdefault((label, *(around[n] for n in names)), {})[who] = None
                kinds = {schema[0].name: frame.schema[TIME], **dict.fromkeys(names, frame.schema[_STATE])}
                return _counted(found, schema, kinds)

            parts.append((numbered("Results", place), Computed(schema, leaf, compute, ordered=True)))
        return several(rows, leaf, parts)


def _around(events: Sequence[Event], sought: Sequence[Any], longest: Any) -> Iterator[tuple[Any, Any]]:
    """The states before and after each run through the sequence; None where there is none in time."""
    runs: list[tuple[Any, Any, Any]] = []  # (first, last, state)
    for when, state in events:
        if runs and runs[-1][2] == state:
            runs[-1] = (runs[-1][0], when, state)
        else:
            runs.append((when, when, state))
    length = len(sought)
    for i in range(len(runs) - length + 1):
        if any(runs[i + k][2] != sought[k] for k in range(length)):
            continue
        if any(runs[j + 1][0] - runs[j][1] > longest for j in range(i, i + length - 1)):
            continue
        before = runs[i - 1] if i and runs[i][0] - runs[i - 1][1] <= longest else None
        end = i + length - 1
        after = runs[end + 1] if end + 1 < len(runs) and runs[end + 1][0] - runs[end][1] <= longest else None
        yield before[2] if before else None, after[2] if after else None


def _counted(found: dict[tuple[Any, ...], dict[Any, None]], schema: Sequence[Column], kinds: dict[str, pl.DataType]) -> pl.DataFrame:  # fmt: skip
    keys = schema[:-2]
    rows = []
    for key, ids in found.items():
        cells = ["" if v is None and c.type is T.STRING else v for v, c in zip(key, keys, strict=True)]
        rows.append((*cells, len(ids), dumps(list(ids)[:_MOST_SAMPLES])))
    types = {**kinds, "dcount": pl.Int64(), "samples": pl.String()}
    made = pl.DataFrame(rows, schema=types, orient="row", strict=False)
    names = [c.name for c in keys]
    return made.sort([names[0], "dcount", *names[1:]], descending=[False, True, *(False for _ in names[1:])])


# ---- funnel_sequence_completion ---------------------------------------------------------------


@plugin(
    "funnel_sequence_completion",
    syntax="funnel_sequence_completion(ID, TIME, START, END, BIN, STATE, SEQUENCE, PERIODS)",
)
class FunnelSequenceCompletion:
    """For each bin, period and state of a sequence: how many ids came as far as that state in the period."""

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        line, when = timeline(call, source, b, [])
        start, stop = bounds(call, 2, line.type, b)
        labels = steps(call, start, stop, duration(call, 4, "BinSize", line.type, b))
        state_name, state = call.column(5, "StateColumn", source, b)
        sought = _sequence(call, 6, state, b)
        span = T.TIMESPAN if line.type in (T.DATETIME, T.TIMESPAN) else line.type
        periods = [_period(v, call, span, b) for v in _array(call, 7, "MaxSequenceStepPeriods", b)]
        call.finish(8)
        _, who = call.column(0, "IdColumn", source, b)
        rows = projected(source, [(ID, who), (TIME, when), (_STATE, state)])
        schema = (
            Column(line.name, line.type), Column(state_name, T.STRING), Column("Period", span),
            Column("dcount", T.LONG),
        )  # fmt: skip

        def compute(frame: pl.DataFrame) -> pl.DataFrame:
            counts: dict[tuple[Any, int, int], int] = {}
            for label, _, events in _events(frame, start, stop, labels):
                for place, period in enumerate(periods):
                    for reached in range(_reached(events, sought, period)):
                        key = (label, place, reached)
                        counts[key] = counts.get(key, 0) + 1
            made = [(k[0], str(sought[k[2]]), periods[k[1]], n) for k, n in sorted(counts.items())]
            moment = frame.schema[TIME]
            kinds = dict(
                zip((c.name for c in schema), (moment, pl.String(), moment, pl.Int64()), strict=True)
            )
            return pl.DataFrame(made, schema=kinds, orient="row", strict=False)

        return Computed(schema, rows, compute, ordered=True)


def _period(value: Any, call: PluginCall, type_: ScalarType, b: BinderApi) -> Any:
    """An element of the array of periods: a timespan is text in JSON."""
    made = b.fold(b.convert(Const(T.DYNAMIC, value, call.span), type_))
    if not isinstance(made, Const) or made.value is None:
        raise diagnostics.bad_argument(call.name, f"{value!r} is no {type_.value}", call.span)
    return made.value


def _reached(events: Sequence[Event], sought: Sequence[Any], period: Any) -> int:
    """How many states of the sequence come in order, all of them within the period from the first."""
    begun: list[Any] = [None] * len(sought)  # the latest begin of a run that has come so far
    furthest = 0
    for when, state in events:
        for k in range(len(sought) - 1, -1, -1):
            if state != sought[k]:
                continue
            start = when if k == 0 else begun[k - 1]
            if start is None or when - start > period:
                continue
            begun[k] = start if begun[k] is None else max(begun[k], start)
            furthest = max(furthest, k + 1)
    return furthest


# ---- sequence_detect --------------------------------------------------------------------------


@plugin(
    "sequence_detect",
    syntax="sequence_detect(TIME, LONGEST_STEP, LONGEST, NAME = CONDITION [, …] [, DIMENSION, …])",
)
class SequenceDetect:
    """Rows that fulfil one condition after the other, among the rows of equal dimensions.

    One row for each such sequence: the dimensions, the time of each step, and how long it took. A step may
    take at most `LONGEST_STEP`, all of them `LONGEST`.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        time_name, when = call.column(0, "TimelineColumn", source, b)
        if when.type not in (T.DATETIME, T.TIMESPAN, T.LONG, T.INT, T.REAL):
            raise diagnostics.wrong_type("sequence_detect", "times or numbers", when.type.value, call.span)
        when = b.convert(when, T.LONG) if when.type is T.INT else when
        longest_step = duration(call, 1, "MaxSequenceStepWindow", when.type, b)
        longest = duration(call, 2, "MaxSequenceSpan", when.type, b)
        conditions, dimensions = _split(call.arguments[3:], source, b)
        if not conditions:
            raise diagnostics.bad_argument(call.name, "a condition is missing", call.span)
        by = [(n, e) for n, e in b.columns(dimensions, source)]
        names = _step_names(conditions, time_name, {n for n, _ in by}, source, b)
        flags = [(f"__is{i}", b.predicate(_value(c), source)) for i, c in enumerate(conditions)]
        rows = projected(source, [(TIME, when), *flags, *by])
        span = T.TIMESPAN if when.type in (T.DATETIME, T.TIMESPAN) else when.type
        schema = (
            *(Column(n, e.type) for n, e in by), *(Column(n, when.type) for n in names), Column("Duration", span),
        )  # fmt: skip

        def compute(frame: pl.DataFrame) -> pl.DataFrame:
            keys = [n for n, _ in by]
            found = _detected(frame, keys, names, [f for f, _ in flags], longest_step, longest, call)
            took = (pl.col(names[-1]) - pl.col(names[0])).alias("Duration")
            return found.with_columns(took).select([c.name for c in schema]).unique().sort([*names, *keys])

        return Computed(schema, rows, compute, ordered=True)


def _value(node: syntax.Expression) -> syntax.Expression:
    return node.value if isinstance(node, syntax.Named) else node


def _split(nodes: Sequence[syntax.Expression], source: Rel, b: BinderApi) -> tuple[list[syntax.Expression], list[syntax.Expression]]:  # fmt: skip
    """The conditions, which come first, and the dimensions behind them."""
    for place, node in enumerate(nodes):
        if b.expr(_value(node), source).type is not T.BOOL:
            return list(nodes[:place]), list(nodes[place:])
    return list(nodes), []


def _step_names(conditions: Sequence[syntax.Expression], time_name: str, taken: set[str], source: Rel, b: BinderApi) -> list[str]:  # fmt: skip
    names: list[str] = []
    for node in conditions:
        own = b.result_name(node, source)
        name = unique(f"{own}_{time_name}" if own else time_name, taken)
        taken.add(name)
        names.append(name)
    return names


def _detected(frame: pl.DataFrame, keys: list[str], names: Sequence[str], flags: Sequence[str], longest_step: Any, longest: Any, call: PluginCall) -> pl.DataFrame:  # fmt: skip
    ordered = frame.sort(TIME, maintain_order=True).with_row_index("__row")
    found: pl.DataFrame | None = None
    for name, flag in zip(names, flags, strict=True):
        step = ordered.filter(pl.col(flag)).select("__row", pl.col(TIME).alias(name), *keys)
        if found is None:
            found = step
            continue
        last = found.columns[1]
        near = (
            (pl.col("__row_right") > pl.col("__row"))
            & (pl.col(name) - pl.col(last) <= longest_step)
            & (pl.col(name) - pl.col(names[0]) <= longest)
        )
        how: Any = {"on": keys, "how": "inner", "nulls_equal": True} if keys else {"how": "cross"}
        # The last step stands first, so that the next one finds it.
        done = [n for n in found.columns if n not in ("__row", *keys)]
        pairs = found.lazy().join(step.lazy(), **how).filter(near)
        found = (
            pairs.select(pl.col("__row_right").alias("__row"), name, *done, *keys)
            .head(_MOST_MATCHES + 1)
            .collect()
        )
        if found.height > _MOST_MATCHES:
            why = f"there are more than {_MOST_MATCHES:,} sequences: ask for shorter ones, or by more dimensions"
            raise diagnostics.bad_argument(call.name, why, call.span)
    assert found is not None
    return found
