"""The files of a chain in the order in which they are read, cut into parts, and the run of each part.

In go a chain and a way to lower it, out come frames, one a part. Knows limits, progress and stops, and nothing
of what the frames are for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

import polars as pl

from workbench.base.errors import WorkbenchError
from workbench.query.backends.parts.chains import has_union, is_chain, is_slow, narrowed, scans_of
from workbench.query.backends.parts.pace import PACES, Shape, shape_of
from workbench.query.backends.polars import Context, TableScan, canonical_columns
from workbench.query.control import Control, PartSize
from workbench.query.lowering import Form, Frame
from workbench.query.operators._per_group import Held
from workbench.query.plan import Rel, Scan

T = TypeVar("T")


class Entry(Protocol):
    """A data file: the time of its rows in µs, both bounds inside, and their number."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def rows(self) -> int: ...


@runtime_checkable
class FileScan(TableScan, Protocol):
    """A scan of which some files can be read alone: see `repository.scan.TableScan`."""

    @property
    def entries(self) -> Sequence[Entry]: ...
    def part(self, files: Sequence[int]) -> pl.LazyFrame: ...


@dataclass(slots=True)
class Tally:
    """What the parts of one query did so far: files, rows found, rows held for the rest of the plan.

    `keep`: what was found may be given where the query is stopped; `stopped` says why they ended early.
    """

    total: int = 0
    done: int = 0
    rows: int = 0
    held: int = 0
    keep: bool = False
    stopped: WorkbenchError | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file of one of the chain's scans."""

    scan: Scan
    place: int
    entry: Entry


@dataclass(slots=True)
class Chain:
    """A chain that is worth running in parts, and what is left of its files.

    `newest` False reads the oldest files first. `first_rows` is the size of the first part.
    """

    rel: Rel
    context: Context
    control: Control
    size: PartSize
    tally: Tally
    files: list[File]
    first_rows: int = 0
    shape: Shape = ()
    _begun: bool = field(default=False, init=False)
    _forms: Mapping[str, Form] | None = field(default=None, init=False)

    def order(self, *, newest: bool) -> None:
        """Set which files come first."""
        if newest:
            self.files.sort(key=lambda f: f.entry.end, reverse=True)
        else:
            self.files.sort(key=lambda f: f.entry.start)

    def lowered(self, rel: Rel, context: Context) -> Frame:
        """A part of the chain as a frame whose forms are the same in all parts."""
        frame = context.frame(rel)
        # An arm of a union that a part lacks could change the forms of the others.
        return Frame(canonical_columns(frame, rel), {}) if has_union(self.rel) else frame

    def held(self, frames: Sequence[pl.DataFrame]) -> Held:
        """Rows of parts, in their forms, in place of the chain."""
        if self._forms is None:
            self._forms = self.settled(lambda: self.lowered(*self.empty())).forms
        self.tally.held += sum(f.height for f in frames)
        return Held(self.rel.schema, Frame(together(frames).lazy(), self._forms))

    def nothing(self, lower: Callable[[Rel, Context], pl.LazyFrame]) -> pl.DataFrame:
        """What `lower` makes of no rows."""
        return self.settled(lambda: self.context.collect(lower(*self.empty()), False))

    def empty(self, *, first: bool = False) -> tuple[Rel, Context]:
        """The chain over no file at all."""
        given = {id(s): self._scan(s).part(()) for s in scans_of(self.rel)}
        rel = narrowed(self.rel, set(given), first=first)
        assert rel is not None  # its scans are all there
        return rel, self.context.part(given)

    def rest(self) -> tuple[Rel, Context]:
        """The chain over all files that were not read yet."""
        files, self.files = self.files, []
        self._read(files)
        return self._over(files)

    def _read(self, files: Sequence[File]) -> None:
        self.tally.done += len(files)
        for file in files:
            names = self._scan(file.scan).files
            if file.place < len(names):  # behind the files: rows that are in none yet
                self.context.files.add(names[file.place])

    def run(self, lower: Callable[[Rel, Context], pl.LazyFrame]) -> Iterator[tuple[pl.DataFrame, int]]:
        """The rows that `lower` makes of each part, and how many rows its files have.

        Ends early where the query is to stop and may keep what it has (`tally.stopped`).

        Raises
        ------
        WorkbenchError
            KQL303 to KQL305 when the query has to stop.
        """
        wanted = float(self.first_rows)
        if not self.files:
            yield self.context.collect(lower(*self.empty(first=True)), True), 0
        while self.files and not self._stopping():
            files = self._next(wanted)
            rows = sum(f.entry.rows for f in files)
            began = time.perf_counter()
            try:
                # What makes the part ready asks the engine too: an interrupt can meet it there.
                found = self.context.collect(lower(*self._over(files)), True)
            except KeyboardInterrupt:
                self._interrupted()
                return
            took = max(time.perf_counter() - began, 1e-4)
            wanted = rows * min(self.size.growth, max(self.size.seconds / took, 0.25))
            PACES.note(self.shape, rows, took)
            self._read(files)
            self.tally.rows += found.height
            self.control.tell(self.tally.done, self.tally.total, self.tally.rows)
            yield found, rows

    def skip(self) -> None:
        """The files that are left cannot matter."""
        self.tally.done += len(self.files)
        self.files = []

    def settled(self, step: Callable[[], T]) -> T:
        """What a short step makes of the rows of parts: an interrupt that meets it ends the parts and loses no row."""
        try:
            return step()
        except KeyboardInterrupt:
            self._interrupted()
            return step()

    def merged(self, make: Callable[[], pl.LazyFrame]) -> pl.DataFrame:
        """Rows of parts put together."""
        return self.settled(lambda: self.context.collect(make(), True))

    def _interrupted(self) -> None:
        """The engine heard of an interrupt before whoever waits for the query could say that it is cancelled."""
        self.control.cancel()
        self._stopping()

    def _stopping(self) -> bool:
        error = self.tally.stopped or self.control.reason()
        if error is None:
            return False
        if not self.tally.keep or not self.tally.done:
            raise error
        self.tally.stopped = error
        self.control.settle()
        return True

    def _next(self, wanted: float) -> list[File]:
        """The files of the next part: as many as have the wanted rows, at least one."""
        rows, count = 0, 0
        while count < len(self.files) and (count == 0 or rows + self.files[count].entry.rows <= wanted):
            rows += self.files[count].entry.rows
            count += 1
        # A last part of a file or two would cost more than it tells.
        if sum(f.entry.rows for f in self.files[count:]) < wanted / 4:
            count = len(self.files)
        part, self.files = self.files[:count], self.files[count:]
        return part

    def _over(self, files: Sequence[File]) -> tuple[Rel, Context]:
        places: dict[int, tuple[Scan, list[int]]] = {}
        for file in files:
            places.setdefault(id(file.scan), (file.scan, []))[1].append(file.place)
        given = {key: self._scan(scan).part(found) for key, (scan, found) in places.items()}
        rel = narrowed(self.rel, set(given), first=not self._begun)
        self._begun = True
        assert rel is not None  # one of its scans has a file
        return rel, self.context.part(given)

    def _scan(self, scan: Scan) -> FileScan:
        found = self.context.opened(scan)
        assert isinstance(found, FileScan)
        return found


def together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of several frames of the same columns."""
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="vertical", rechunk=False)


def chain_of(rel: Rel, context: Context, control: Control, tally: Tally) -> Chain | None:
    """`rel` as a chain to run in parts, newest files first; None where it is none or one go is as good."""
    size = control.parts
    if size is None or not is_chain(rel):
        return None
    files: list[File] = []
    for scan in scans_of(rel):
        found = context.opened(scan)
        if not isinstance(found, FileScan):
            return None
        files += [File(scan, place, entry) for place, entry in enumerate(found.entries)]
    slow = is_slow(rel)
    least = size.least_rows // size.slower if slow else size.least_rows
    if len(files) < size.least_files or sum(f.entry.rows for f in files) < least:
        return None
    chain = Chain(rel, context, control, size, tally, files)
    chain.first_rows = size.first_rows // size.slower if slow else size.first_rows
    chain.shape = shape_of(rel)
    likely = PACES.rows_a_second(chain.shape) * size.seconds
    chain.first_rows = max(chain.first_rows, int(min(likely, chain.first_rows * size.growth)))
    chain.order(newest=True)
    return chain
