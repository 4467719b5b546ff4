"""Blocks of a source to rows of tables, by several processes where the source is large.

In go a reader, a member and a shaper, out come shaped blocks in the order of the source, whoever made them. Parsing
JSON and cutting out columns is Python's work, one processor a process; small sources stay in this one, because a
process takes half a second to begin. Where blocks are cut depends on bytes alone, so it does not matter how many work.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from workbench.collect.formats import Options, Reader, reader_named
from workbench.collect.shaping import ShapedBlock, Shaper
from workbench.collect.streams import Member

LARGE = 96 << 20
"""Bytes of a source for which further processes are worth their start."""
_AHEAD = 2  # blocks that wait for each process: memory is bounded


@dataclass(frozen=True, slots=True)
class Done:
    """A shaped block: what it became, and the raw bytes and blank lines that it had."""

    source: str
    size: int
    blank: int
    shaped: ShapedBlock


class Shapers:
    """Shapes the blocks of one source; a context manager, for the processes.

    Parameters
    ----------
    shaper : Shaper
    began : int
        When the import began, in µs: what counts as the future.
    processes : int
        How many may work.
    """

    def __init__(self, shaper: Shaper, began: int, processes: int) -> None:
        self._shaper = shaper
        self._began = began
        self._workers = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Shapers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def shaped(self, reader: Reader, member: Member, options: Options) -> Iterator[Done]:
        """The blocks of a member, in its order.

        Raises
        ------
        WorkbenchError
            What the reader raises, once all blocks before it were given.
        """
        if self._workers > 1 and reader.apart is not None:
            return self._by_many(reader, member)
        return self._by_one(reader, member, options)

    def _by_one(self, reader: Reader, member: Member, options: Options) -> Iterator[Done]:
        for block in reader.blocks(member, options):
            yield Done(block.source, block.size, block.blank, self._shaper.shape(block, self._began))

    def _by_many(self, reader: Reader, member: Member) -> Iterator[Done]:
        assert reader.apart is not None
        cuts, _ = reader.apart
        waiting: deque[Future[Done]] = deque()
        for piece in cuts(member):
            if self._pool is None:
                self._pool = self._begin(reader)
            waiting.append(self._pool.submit(_shape, reader.name, member.source, piece))
            while len(waiting) > _AHEAD * self._workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _begin(self, reader: Reader) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would share the engine's locks
        return ProcessPoolExecutor(self._workers, context, _start, (self._shaper, self._began))


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def collect_less() -> None:
    """Have Python look for cycles seldom: parsed records are many small objects, and none is in a cycle."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


# ---- in a process of the pool ---------------------------------------------------------------

_own: list[tuple[Shaper, int]] = []


def _start(shaper: Shaper, began: int) -> None:
    _own[:] = [(shaper, began)]
    collect_less()


def _shape(reader: str, source: str, piece: Any) -> Done:
    found = reader_named(reader)
    assert found is not None
    assert found.apart is not None
    _, make = found.apart
    block = make(source, piece)
    shaper, began = _own[0]
    return Done(source, block.size, block.blank, shaper.shape(block, began))
