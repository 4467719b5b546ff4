"""The term index of a table: which data files can hold what a condition on terms asks for.

In go the table's data files and a condition, out come the files that may matter. One merged file of
(hash, file) is made from the sidecars of all data files (see `terms`); a file that it does not know
may hold anything. So the answer is right without an index, with an old one, and with a damaged one.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.base.terms import AllOf, Terms, leaves
from workbench.repository.catalog import TableEntry
from workbench.repository.deltalog import DeltaLog, FileEntry
from workbench.repository.terms import (
    ROW_GROUP_HASHES,
    SUFFIX,
    TERMS_FOLDER,
    Sidecar,
    checked,
    hash_of,
    hashes_of_file,
    parquet_writer,
    read_sidecar,
    replace_file,
    schema_of,
    sidecar_place,
    signed,
    sum_of,
    unreadable,
    write_sidecar,
)

MERGED = "table.index"
_HASHES = 2**40
_TEXTS = (ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.GUID)
# So many pairs are sorted at once when the index is made: it bounds the memory.
_PAIRS_AT_ONCE = 4_000_000
_REMEMBERED = 10_000  # hashes of which the files are known without a look


# ---- reading -----------------------------------------------------------------------------------


class TermIndex:
    """The merged index of one table, kept open as long as it is the one on disk. Safe for threads."""

    def __init__(self, folder: str) -> None:
        self._place = f"{folder}/{TERMS_FOLDER}/{MERGED}"
        self._guard = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._open: _Merged | None = None

    def may_hold(self, files: Sequence[FileEntry], terms: Terms) -> tuple[FileEntry, ...]:
        """Those of `files` that can hold a row of which `terms` is true, in the same order."""
        with self._guard:
            merged = self._newest()
            if merged is None or not any((f.path, f.size) in merged.files for f in files):
                return tuple(files)
            try:
                held = merged.evaluate(terms)
            except unreadable():
                self._open = None  # as good as none, until it is made again
                return tuple(files)
        return tuple(f for f in files if (n := merged.files.get((f.path, f.size))) is None or held >> n & 1)

    def _newest(self) -> _Merged | None:
        try:
            found = os.stat(self._place)
        except OSError:
            self._stamp = self._open = None
            return None
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            self._stamp, self._open = stamp, _Merged.of(self._place)
        return self._open


def _schema() -> Any:
    return schema_of("file")


@dataclass(frozen=True, slots=True)
class _Merged:
    """An open index: `files` number the data files; of each row group the first hash, and a checksum."""

    source: Any
    files: dict[tuple[str, int], int]
    first: list[int]
    sums: list[int]
    known: dict[int, int] = field(
        default_factory=dict
    )  # what was looked up: a query asks twice, a tile each minute

    @classmethod
    def of(cls, place: str) -> _Merged | None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            source = pq.ParquetFile(pa.OSFile(place))
            plain = source.schema_arrow.remove_metadata().equals(_schema())
        except unreadable():
            return None
        if not plain:
            return None
        told = checked(source.metadata.metadata)
        if told is None or len(told["first"]) != source.num_row_groups:
            return None
        files = {(p, s): i for i, (p, s) in enumerate(told["files"])}
        return cls(source, files, told["first"], told["sums"])

    def evaluate(self, terms: Terms) -> int:
        """The files for which `terms` may be true, as bits."""
        hashes = {t: hash_of(t) for t in leaves(terms)}
        found = self._held(set(hashes.values()))

        def bits(part: Terms) -> int:
            if isinstance(part, str):
                return found[hashes[part]]
            every = isinstance(part, AllOf)
            held = (1 << len(self.files)) - 1 if every else 0
            for p in part.parts:
                held = held & bits(p) if every else held | bits(p)
            return held

        return bits(terms)

    def _held(self, hashes: set[int]) -> dict[int, int]:
        """The same as `_look_up`, which is asked for what is not remembered."""
        missing = sorted(hashes - self.known.keys())
        found = {h: self.known[h] for h in hashes if h in self.known} | self._look_up(missing)
        if len(self.known) + len(missing) > _REMEMBERED:
            self.known.clear()
        self.known.update(found)
        return found

    def _look_up(self, hashes: Sequence[int]) -> dict[int, int]:
        """For each hash the files that have it, as bits."""
        found = dict.fromkeys(hashes, 0)
        wanted: dict[int, list[int]] = {}
        for value in hashes:
            # The pairs of one hash may begin in the row group before the first that begins with it.
            low = max(0, bisect_left(self.first, value) - 1)
            for group in range(low, bisect_right(self.first, value)):
                wanted.setdefault(group, []).append(value)
        for group, values in wanted.items():
            table = self.source.read_row_group(group)
            if sum_of(table["hash"], table["file"]) != self.sums[group]:
                raise ValueError("the index is damaged")
            column, files = pl.Series(table["hash"]), pl.Series(table["file"])
            for value in values:
                for number in files[bisect_left(column, value) : bisect_right(column, value)]:
                    found[value] |= 1 << number
        return found


# ---- making ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IndexResult:
    """What was made: how many data files got a sidecar, and the terms in them."""

    files: int = 0
    terms: int = 0


def update_index(log: DeltaLog, files: Sequence[FileEntry], entry: TableEntry) -> IndexResult:
    """Make the sidecars that data files lack, and the merged index anew if it is not of just these files.

    Data files must stay on disk meanwhile, and one process at a time may be here. `entry` has to be
    younger than the list of files: it must know each column that one of them has.

    Raises
    ------
    WorkbenchError
        REP004 for a data file that can't be read (all others are in the index then), REP005 disk.
    """
    import pyarrow as pa

    texts = {c.stored: c.type is ScalarType.DYNAMIC for c in entry.stored_columns() if c.type in _TEXTS}
    complete: list[Sidecar] = []
    made: list[Sidecar] = []
    damage: WorkbenchError | None = None
    for file in files:
        sidecar = read_sidecar(sidecar_place(log.folder, file.path))
        if sidecar is None or (sidecar.path, sidecar.size) != (file.path, file.size):
            try:
                hashes = hashes_of_file(log.path_of(file), texts)
            except (PolarsError, OSError, pa.ArrowException) as e:
                damage = diagnostics.damaged(log.path_of(file), str(e))
                continue
            sidecar = write_sidecar(log.folder, file.path, file.size, hashes)
            made.append(sidecar)
        complete.append(sidecar)
    place = Path(log.folder, TERMS_FOLDER, MERGED)
    merged = _Merged.of(str(place))
    if (set() if merged is None else set(merged.files)) != {(s.path, s.size) for s in complete}:
        _merge(place, complete)
    if damage is not None:
        raise damage
    return IndexResult(len(made), sum(s.count for s in made))


def _merge(place: Path, sidecars: Sequence[Sidecar]) -> None:
    """Write the merged index; a sidecar whose hashes are damaged is deleted and left out."""
    sound = [s for s in sidecars if _is_sound(s)]
    for sidecar in set(sidecars) - set(sound):
        sidecar.place.unlink(missing_ok=True)
    first: list[int] = []
    sums: list[int] = []

    def write(target: Path) -> None:
        with parquet_writer(target, _schema()) as writer:
            for pairs in _sorted_pairs(sound):
                for start in range(0, pairs.height, ROW_GROUP_HASHES):
                    group = pairs.slice(start, ROW_GROUP_HASHES)
                    first.append(int(group["hash"][0]))
                    table = group.to_arrow().cast(_schema())
                    sums.append(sum_of(table["hash"], table["file"]))
                    writer.write_table(table)
            files = [[s.path, s.size] for s in sound]
            writer.add_key_value_metadata(signed({"files": files, "first": first, "sums": sums}))

    replace_file(place, write)


def _is_sound(sidecar: Sidecar) -> bool:
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(sidecar.place)
        if not source.schema_arrow.remove_metadata().equals(schema_of()):
            return False
        groups = (source.read_row_group(i)["hash"] for i in range(source.num_row_groups))
        return sum_of(*groups) == sidecar.sum
    except unreadable():
        return False


def _sorted_pairs(sidecars: Sequence[Sidecar]) -> Iterator[pl.DataFrame]:
    """All pairs of hash and file number by both, a range of hashes at a time."""
    parts = 1 + sum(s.count for s in sidecars) // _PAIRS_AT_ONCE
    bounds = [_HASHES * i // parts for i in range(parts + 1)]
    for low, high in pairwise(bounds):
        found = [pl.DataFrame(schema={"hash": pl.Int64, "file": pl.Int32})]
        for number, sidecar in enumerate(sidecars):
            hashes = _between(sidecar, low, high)
            found.append(hashes.to_frame().with_columns(pl.lit(number, pl.Int32).alias("file")))
        yield pl.concat(found).sort("hash", "file")


def _between(sidecar: Sidecar, low: int, high: int) -> pl.Series:
    """The hashes of a sidecar from `low` to below `high`."""
    import pyarrow.parquet as pq

    source = pq.ParquetFile(sidecar.place)  # opened for each range: there may be more than a process may open
    groups = []
    for i in range(source.num_row_groups):
        statistics = source.metadata.row_group(i).column(0).statistics
        if statistics is None or (statistics.min < high and statistics.max >= low):
            groups.append(i)
    found = pl.Series("hash", source.read_row_groups(groups)["hash"], pl.Int64)
    return found.filter((found >= low) & (found < high))


def delete_orphans(log: DeltaLog) -> int:
    """Delete sidecars of data files that are no longer on disk, and what a kill left; gives how many files.

    Nobody may make an index meanwhile.
    """
    folder = Path(log.folder, TERMS_FOLDER)
    deleted = 0
    for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
        sidecar = read_sidecar(folder / name) if name.endswith(SUFFIX) and name[0] != "." else None
        if name != MERGED and (sidecar is None or not Path(log.folder, sidecar.path).exists()):
            (folder / name).unlink(missing_ok=True)
            deleted += 1
    return deleted
