"""The nodes that end a chain, each with its way to take the chain's rows part by part."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from workbench.query.backends.parts.chains import is_time
from workbench.query.backends.parts.files import Chain, FileScan, Tally, chain_of, together
from workbench.query.backends.polars import Context
from workbench.query.backends.summarize import Split
from workbench.query.control import Control, PartSize
from workbench.query.functions.purity import looks_around
from workbench.query.lowering import Frame
from workbench.query.operators._per_group import Held
from workbench.query.plan import (
    Col,
    Distinct,
    Limit,
    Project,
    Rel,
    Scan,
    Sort,
    SortKey,
    Summarize,
    TopRows,
    map_inputs,
)

_FEW = 10_000  # rows for which a small first part is worth it
_BEST = 100_000  # the most rows that a top by anything but time keeps from part to part
_MERGE = 200_000  # rows of partial results that are held before they are merged
_GATHERED = 512 * 2**20  # bytes of rows that are held for a node that needs all of them


def in_parts(rel: Rel, context: Context, control: Control, tally: Tally) -> Rel:
    """Run the chains of a plan that are worth it; what is left of the plan stands over their rows.

    Raises
    ------
    WorkbenchError
        KQL303 to KQL305 when the query has to stop, and with `control.keep_partial` when the rest of the
        plan would still have to read files.
    """
    if control.parts is None:
        return rel
    tally.total = _files(rel, context, control.parts)
    if tally.total:
        control.tell(0, tally.total, 0)
    left = _Breakers(context, control, tally).left(rel)
    if tally.stopped is not None and any(True for _ in _scans(left)):
        raise tally.stopped
    return left


def _files(rel: Rel, context: Context, size: PartSize) -> int:
    """Files of the scans that will be read in parts."""
    counts = 0
    for scan in {id(s): s for s in _scans(rel)}.values():
        found = context.opened(scan)
        if isinstance(found, FileScan) and len(found.entries) >= size.least_files:
            counts += len(found.entries) if sum(e.rows for e in found.entries) >= size.least_rows else 0
    return counts


def _scans(rel: Rel) -> Iterator[Scan]:
    """The scans of a plan, without those that fetch a few known rows."""
    if isinstance(rel, Scan):
        yield rel
    for below in (rel.narrow,) if isinstance(rel, TopRows) else rel.inputs:
        yield from _scans(below)


class _Breakers:
    """One plan on its way; a node that is read twice is run once."""

    def __init__(self, context: Context, control: Control, tally: Tally) -> None:
        self._context = context
        self._control = control
        self._tally = tally
        self._known: dict[int, tuple[Rel, Rel]] = {}

    def left(self, rel: Rel) -> Rel:
        """What is left of `rel` when its chains have run."""
        known = self._known.get(id(rel))
        if known is None:
            known = (rel, self._broken(rel) or map_inputs(rel, self._input))
            self._known[id(rel)] = known
        return known[1]

    def _input(self, rel: Rel) -> Rel:
        """An input of a node that has no way of its own: its rows gathered, if it is a chain."""
        known = self._known.get(id(rel))
        if known is None and (chain := self._chain(rel)) is not None:
            known = (rel, _gathered(chain))
            self._known[id(rel)] = known
        return self.left(rel) if known is None else known[1]

    def _chain(self, rel: Rel) -> Chain | None:
        return chain_of(rel, self._context, self._control, self._tally)

    def _broken(self, rel: Rel) -> Rel | None:
        if isinstance(rel, TopRows):
            # The wide part is read when the few rows are known.
            return replace(rel, narrow=self.left(rel.narrow))
        if isinstance(rel, Limit):
            return self._limited(rel)
        if isinstance(rel, Summarize | Distinct) and (chain := self._chain(rel.source)) is not None:
            return _grouped(rel, chain) if isinstance(rel, Summarize) else _different(rel, chain)
        return None

    def _limited(self, rel: Limit) -> Rel | None:
        source = rel.source
        if isinstance(source, Project) and not any(looks_around(e) for _, e in source.columns):
            below = Limit(source.source.schema, source.source, rel.count)
            made = self._limited(below) if isinstance(source.source, Project | Sort) else None
            if made is not None:
                return replace(source, source=made)
        if isinstance(source, Sort):
            chain = self._chain(source.source)
            return None if chain is None else _top(rel, source, chain)
        chain = self._chain(source)
        return None if chain is None else _taken(rel, chain)


# ---- rows as they are -----------------------------------------------------------------------


def _gathered(chain: Chain) -> Rel:
    """All rows; read on in one go where they are more than can be held."""
    names = chain.rel.names()

    def lower(rel: Rel, context: Context) -> pl.LazyFrame:
        return chain.lowered(rel, context).lazy.select(names)

    frames: list[pl.DataFrame] = []
    size, read = 0, 0
    total = sum(f.entry.rows for f in chain.files)
    for found, rows in chain.run(lower):
        frames.append(found)
        size, read = size + int(found.estimated_size()), read + rows
        if chain.files and size * (total / max(read, 1)) > _GATHERED:
            break
    if chain.tally.stopped is not None:
        raise chain.tally.stopped  # what follows would be wrong of some of the rows, or take long
    held = chain.held(frames or [chain.nothing(lower)])
    if not chain.files:
        return held
    chain.context.scanned = True
    rest = chain.lowered(*chain.rest())
    both = pl.concat([held.frame.lazy, rest.lazy.select(names)], how="vertical")
    return Held(chain.rel.schema, Frame(both, rest.forms))


def _taken(rel: Limit, chain: Chain) -> Rel:
    """Any `count` rows: no file is read when there are enough."""
    names, wanted = rel.names(), max(0, rel.count)
    if wanted <= _FEW:
        chain.first_rows = min(chain.first_rows, 2 * wanted)

    def lower(part: Rel, context: Context) -> pl.LazyFrame:
        return chain.lowered(part, context).lazy.select(names).head(wanted - have)

    frames: list[pl.DataFrame] = []
    have = 0
    if wanted:
        for found, _ in chain.run(lower):
            frames.append(found)
            have += found.height
            if have >= wanted:
                break
    if not chain.tally.stopped:
        chain.skip()
    return chain.held(frames or [chain.nothing(lower)])


def _top(rel: Limit, sort: Sort, chain: Chain) -> Rel | None:
    """The first rows of an order: of each part its own first ones, and of those the first.

    Where the order is by time, files that lie wholly behind the rows that are there need not be read.
    Where it is by a number, rows behind them are left out as they are read.
    """
    if not sort.keys:
        return None
    key = sort.keys[0]
    lead = key.value.name if isinstance(key.value, Col) else ""
    by_time = bool(lead) and is_time(chain.rel, lead)
    wanted = max(0, rel.count)
    if not by_time and wanted > _BEST:
        return None
    if by_time:
        chain.order(newest=key.descending)
        if wanted <= _FEW:
            chain.first_rows = min(chain.first_rows, 2 * wanted)

    def first(rows: Rel) -> Limit:
        return replace(rel, source=replace(sort, source=rows))

    def best(found: Sequence[pl.DataFrame]) -> pl.LazyFrame:
        return chain.context.frame(first(chain.held(found))).lazy.select(rel.names())

    def lower(part: Rel, context: Context) -> pl.LazyFrame:
        frame = chain.lowered(part, context)
        if bound is not None:
            frame = Frame(frame.lazy.filter(bound), frame.forms)
        return context.frame(first(Held(part.schema, frame))).lazy.select(rel.names())

    frames: list[pl.DataFrame] = []
    bound: pl.Expr | None = None
    if wanted:
        for found, _ in chain.run(lower):
            frames.append(found)
            if sum(f.height for f in frames) < wanted:
                continue
            if len(frames) > 1:
                frames = [chain.merged(functools.partial(best, frames))]
            if lead and frames[0][lead].dtype in _BOUNDED and not frames[0][lead].null_count():
                last = frames[0][lead].min() if key.descending else frames[0][lead].max()
                bound = _not_behind(lead, last, key)
                if by_time and _decided(frames[0][lead], key.descending, chain):
                    break
    if not chain.tally.stopped:
        chain.skip()
    return first(chain.held(frames or [chain.nothing(lower)]))


_BOUNDED = (pl.Int32, pl.Int64, pl.Datetime("us", "UTC"), pl.Duration("us"))


def _not_behind(name: str, last: object, key: SortKey) -> pl.Expr:
    """Rows that do not come after the value `last` in the order of `key`."""
    value = pl.col(name)
    there = value >= pl.lit(last) if key.descending else value <= pl.lit(last)
    return there | value.is_null() if key.nulls_first else there


def _decided(times: pl.Series, newest: bool, chain: Chain) -> bool:
    """Whether no file that is left has a row before the last of the rows that are there."""
    if not chain.files:
        return True
    stored = times.to_physical() if times.dtype != pl.Int64 else times // 10
    if newest:
        return max(f.entry.end for f in chain.files) < int(stored.min())  # type: ignore[arg-type]
    return min(f.entry.start for f in chain.files) > int(stored.max())  # type: ignore[arg-type]


# ---- groups ---------------------------------------------------------------------------------


def _grouped(rel: Summarize, chain: Chain) -> Rel | None:
    """Partial aggregates of each part, merged; None where they cannot be, or are no fewer than the rows."""
    split = Split(rel, few=True)

    def partial(part: Rel, context: Context) -> pl.LazyFrame | None:
        return split.partial(chain.lowered(part, context), context)

    if partial(*chain.empty()) is None:
        return replace(rel, source=_gathered(chain))

    def lower(part: Rel, context: Context) -> pl.LazyFrame:
        made = partial(part, context)
        assert made is not None  # it was one for no rows
        return made

    frames = _merged(chain, lower, split.merged)
    return None if frames is None else Held(rel.schema, split.finished(together(frames).lazy()))


def _different(rel: Distinct, chain: Chain) -> Rel | None:
    """The different rows of each part, and of those the different ones."""
    forms = (
        chain.context.part({})
        .frame(replace(rel, source=Held(rel.schema, chain.lowered(*chain.empty()))))
        .forms
    )

    def again(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.unique()

    def lower(part: Rel, context: Context) -> pl.LazyFrame:
        held = Held(part.schema, chain.lowered(part, context))
        return context.frame(replace(rel, source=held)).lazy.select(rel.names())

    frames = _merged(chain, lower, again)
    return None if frames is None else Held(rel.schema, Frame(together(frames).lazy(), forms))


def _merged(
    chain: Chain,
    lower: Callable[[Rel, Context], pl.LazyFrame],
    merge: Callable[[pl.LazyFrame], pl.LazyFrame],
) -> list[pl.DataFrame] | None:
    """One frame merged from those of all parts; None where the first part shows that it does not pay."""
    frames: list[pl.DataFrame] = []
    last, files = 0, list(chain.files)
    for found, rows in chain.run(lower):
        if not frames and found.height > max(_MERGE, rows // 4) and chain.files:
            chain.tally.done -= len(files) - len(chain.files)
            return None
        frames.append(found)
        if len(frames) > 1 and sum(f.height for f in frames) > 2 * last + _MERGE:
            frames = [chain.merged(functools.partial(_together, frames, merge))]
            last = frames[0].height
    if not frames:
        return [chain.nothing(lower)]
    if len(frames) == 1:
        return frames
    return [chain.merged(functools.partial(_together, frames, merge))]


def _together(frames: Sequence[pl.DataFrame], merge: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.LazyFrame:
    return merge(together(frames).lazy())
