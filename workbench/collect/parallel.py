"""Blocks of a source to rows of tables, by several processes where the source is large.

In go a reader, a member and a shaper, out come shaped pieces in the order of the source, whoever made them. Parsing
JSON and cutting out columns is Python's work, one processor a process. This process takes part: it shapes what no
other has begun while those still start, so small sources never leave it, and handing rows over, which is copying, is
done for as few as possible. Where pieces are cut depends on bytes alone, so it does not matter how many work.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.collect.formats import Options, Reader, reader_named
from workbench.collect.record import Columns
from workbench.collect.shaping import ShapedBlock, Shaper
from workbench.collect.streams import Member

LARGE = 96 << 20
"""Bytes of a source for which further processes are worth their start."""
_AHEAD = 2  # pieces that each further process has been given: memory is bounded
_WAITING = 4  # pieces that wait to be taken in their order, beside those
_SELDOM = (100_000, 20, 20)


@dataclass(frozen=True, slots=True)
class Done:
    """A shaped piece: what it became, and the raw bytes that it had."""

    source: str
    size: int
    shaped: ShapedBlock


class Shapers:
    """Shapes the pieces of one source; a context manager, for the processes.

    Parameters
    ----------
    shaper : Shaper
    began : int
        When the import began, in µs: what counts as the future.
    processes : int
        How many may work, this one among them.
    """

    def __init__(self, shaper: Shaper, began: int, processes: int) -> None:
        self._shaper = shaper
        self._began = began
        self._others = processes - 1
        self._pool: ProcessPoolExecutor | None = None
        self._threshold = gc.get_threshold()

    def __enter__(self) -> Shapers:
        gc.set_threshold(*_SELDOM)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        gc.set_threshold(*self._threshold)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def shaped(self, reader: Reader, member: Member, options: Options) -> Iterator[Done]:
        """The pieces of a member, in its order.

        Raises
        ------
        WorkbenchError
            What the reader raises, once all pieces before it were given.
        """
        if reader.apart is None:
            return self._blocks(reader, member, options)
        return self._pieces(reader, member)

    def _blocks(self, reader: Reader, member: Member, options: Options) -> Iterator[Done]:
        for block in reader.blocks(member, options):
            yield Done(block.source, block.size, self._shaper.shape((block,), self._began))

    def _pieces(self, reader: Reader, member: Member) -> Iterator[Done]:
        assert reader.apart is not None
        cuts, blocks_of = reader.apart
        waiting: deque[Done | Future[_Packed]] = deque()
        given: list[Future[_Packed]] = []
        for piece in cuts(member):
            given = [one for one in given if not one.done()]
            if len(given) < _AHEAD * self._others:
                if self._pool is None:
                    self._pool = self._begin()
                given.append(self._pool.submit(_shape, reader.name, member.source, piece))
                waiting.append(given[-1])
            else:
                blocks = blocks_of(member.source, piece)
                waiting.append(Done(member.source, piece.size, self._shaper.shape(blocks, self._began)))
            while waiting and (_is_done(waiting[0]) or len(waiting) > len(given) + _WAITING):
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())

    def _begin(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would share the engine's locks
        return ProcessPoolExecutor(self._others, context, _start, (self._shaper, self._began))


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def collect_less() -> None:
    """Have Python look for cycles seldom: parsed records are many small objects, and none is in a cycle."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)


# ---- from a process of the pool to this one -------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Packed:
    """A `Done` whose columns are one Arrow file a table: one by one they cost several times that."""

    done: Done
    frames: list[bytes]
    keys: list[list[tuple[str, ScalarType]]]


def packed(done: Done) -> _Packed:
    """What is sent of a shaped piece."""
    frames, keys = [], []
    for part in done.shaped.parts:
        whole = pl.DataFrame([s.alias(str(i)) for i, s in enumerate(part.columns.series.values())])
        out = io.BytesIO()
        whole.rechunk().write_ipc(out, compression="lz4", compat_level=pl.CompatLevel.newest())
        frames.append(out.getvalue())
        keys.append(list(part.columns.series))
        part.columns = Columns(part.columns.height)
    return _Packed(done, frames, keys)


def unpacked(sent: _Packed) -> Done:
    """A shaped piece of what was sent of it."""
    for part, frame, keys in zip(sent.done.shaped.parts, sent.frames, sent.keys, strict=True):
        for key, series in zip(keys, pl.read_ipc(frame).iter_columns(), strict=True):
            part.columns.series[key] = series.alias(key[0])
    return sent.done


def _result(one: Done | Future[_Packed]) -> Done:
    return one if isinstance(one, Done) else unpacked(one.result())


def _is_done(one: Done | Future[_Packed]) -> bool:
    return isinstance(one, Done) or one.done()


# ---- in a process of the pool ---------------------------------------------------------------

_own: list[tuple[Shaper, int]] = []


def _start(shaper: Shaper, began: int) -> None:
    _own[:] = [(shaper, began)]
    collect_less()


def _shape(reader: str, source: str, piece: Any) -> _Packed:
    found = reader_named(reader)
    assert found is not None
    assert found.apart is not None
    _, blocks_of = found.apart
    shaper, began = _own[0]
    return packed(Done(source, piece.size, shaper.shape(blocks_of(source, piece), began)))
