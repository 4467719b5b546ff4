"""Adding rows to a table: each append is one Delta commit, all or nothing, stored once.

In go a frame and perhaps a transaction (application, version); out comes what was stored. The order
is: catalog, Delta columns, data files (synced), commit. A process that dies between any two of them
leaves a table without any part of the append: at most an empty column, or a file that vacuum deletes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from workbench.base.clock import now_us
from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.repository.catalog import StoredColumn, TableEntry
from workbench.repository.conversion import EXACT_IN_REAL
from workbench.repository.datafiles import discard, sync_files, write_file
from workbench.repository.deltalog import Conflict, DeltaLog, NewFile
from workbench.repository.layout import (
    BATCH,
    DAY,
    OWN_APPLICATIONS,
    RECEIVED,
    SEQUENCE,
    TIME,
    WRITER,
    writer_application,
)
from workbench.repository.physical import FILE, UTC_MICROSECONDS
from workbench.repository.placement import Placed, place
from workbench.repository.reading import read_table
from workbench.repository.store import Store
from workbench.repository.writers import writer_slot

_TRIES = 20


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What an append did.

    `stored` counts rows; `skipped` tells that the transaction was in the table already;
    `renamed` maps a column of the frame to the column that took those of its values that are of
    another type.
    """

    stored: int
    skipped: bool = False
    renamed: dict[str, str] = field(default_factory=dict)


def append(
    store: Store,
    table: str,
    frame: pl.DataFrame,
    types: Mapping[str, ScalarType],
    transaction: tuple[str, int] | None,
    batch_id: str,
) -> AppendResult:
    """Store `frame`; see `Repository.append`."""
    _check(transaction)
    entry = store.create(table)
    log = store.log(entry)
    why = ""
    with store.writing(entry), store.locks.shared(store.files_lock(entry)):
        for _ in range(_TRIES):
            if _is_in(log, transaction):
                return AppendResult(0, skipped=True)
            placed = place_values(store, table, frame, types)
            entry = placed.entry
            done = AppendResult(frame.height, renamed=placed.renamed)
            with store.locks.exclusive(store.table_lock(entry)):
                log.ensure(entry)
            writer = writer_slot(store.state)
            application = writer_application(writer)
            before = log.transaction_version(application) or 0
            files = write_rows(log, entry, _stamped(placed, frame.height, writer, before, batch_id))
            transactions = [transaction] if transaction else []
            if frame.height:
                transactions.append((application, before + frame.height))
            if not transactions:
                return done
            try:
                with store.locks.exclusive(store.table_lock(entry)):
                    if store.catalog.get(table).revision != entry.revision:
                        raise Conflict("the columns changed meanwhile")
                    if _is_in(log, transaction) or (log.transaction_version(application) or 0) != before:
                        raise Conflict("the transaction was committed meanwhile")
                    log.commit(files, transactions=transactions)
                return done
            except Conflict as e:
                why = str(e)
                discard(log, files)
    raise diagnostics.commit_failed(table, _TRIES, why)


def _check(transaction: tuple[str, int] | None) -> None:
    if transaction is None:
        return
    application, version = transaction
    if not application or application.startswith(OWN_APPLICATIONS):
        raise diagnostics.bad_transaction(f"{application!r} can't be an application id")
    if version < 1:
        raise diagnostics.bad_transaction(f"version {version} is below 1")


def _is_in(log: DeltaLog, transaction: tuple[str, int] | None) -> bool:
    if transaction is None:
        return False
    last = log.transaction_version(transaction[0])
    return last is not None and last >= transaction[1]


def place_values(store: Store, table: str, frame: pl.DataFrame, types: Mapping[str, ScalarType]) -> Placed:
    """The place of each value of `frame`; the table and its columns are in the catalog when this returns.

    Raises
    ------
    WorkbenchError
        REP103, REP201 or REP202 for what no column can hold.
    """
    entry = store.create(table)
    asked: list[StoredColumn] = []

    def ask(column: StoredColumn) -> bool:
        if not store.is_inexact(entry, column):
            asked.append(column)
        return False

    placed = place(frame, types, entry, ask)
    if placed.entry == entry and not asked:
        return placed
    with store.locks.exclusive(store.table_lock(entry)):
        # Again, and alone: no value that a wider column could not hold may slip in meanwhile.
        entry = store.catalog.get(table)
        placed = place(frame, types, entry, lambda column: _survives(store, entry, column))
        if placed.entry != entry:
            store.catalog.put(placed.entry)
    return placed


def _survives(store: Store, entry: TableEntry, column: StoredColumn) -> bool:
    """Whether each stored value of a long column is exact in a real."""
    if store.is_inexact(entry, column):
        return False
    values = read_table(store, entry, [column.name]).lazy
    exact = pl.col(column.name).is_between(-EXACT_IN_REAL, EXACT_IN_REAL).all()
    if values.select(exact).collect().item():
        return True
    store.remember_inexact(entry, column)
    return False


def stored_rows(
    placed: Placed, now: int, plain: Mapping[str, pl.Series] = MappingProxyType({})
) -> pl.DataFrame:
    """The values under their stored names and in the dtypes of files; a row without a time has that of `now` (µs).

    Values of `plain` have the types of their columns already; no column is in both.
    """
    by_name = {c.name: c for c in placed.entry.stored_columns()}
    columns: list[pl.Series] = []
    texts: list[str] = []
    for name, series in itertools.chain(plain.items(), placed.values.items()):
        column = by_name[name]
        stored = series.cast(FILE[column.type]) if series.dtype != FILE[column.type] else series
        if column.type is ScalarType.STRING and stored.null_count():
            texts.append(column.stored)
        columns.append(stored.alias(column.stored))
    frame = pl.DataFrame(columns)
    changes = [pl.col(texts).fill_null("")] if texts else []
    moment = pl.lit(now).cast(UTC_MICROSECONDS)
    if TIME not in frame.columns:
        changes.append(moment.alias(TIME))
    elif frame[TIME].null_count():
        changes.append(pl.col(TIME).fill_null(moment))
    return frame.with_columns_seq(changes) if changes and frame.height else frame


def _stamped(placed: Placed, height: int, writer: int, before: int, batch_id: str) -> pl.DataFrame:
    """The frame under its stored names, with the system's columns."""
    now = now_us()
    frame = stored_rows(placed, now)
    if not frame.width:  # rows of which no value is known but when they came
        frame = pl.DataFrame({TIME: pl.Series([now]).cast(UTC_MICROSECONDS).new_from_index(0, height)})
    return frame.with_columns(
        pl.lit(now).cast(UTC_MICROSECONDS).alias(RECEIVED),
        pl.lit(batch_id).alias(BATCH),
        pl.lit(writer, pl.Int32).alias(WRITER),
        pl.int_range(before + 1, before + height + 1, dtype=pl.Int64).alias(SEQUENCE),
    )


def write_rows(log: DeltaLog, entry: TableEntry, frame: pl.DataFrame) -> list[NewFile]:
    """Write rows, by time, into a data file a day, on disk when this returns; they count once they are committed.

    Parameters
    ----------
    frame : polars.DataFrame
        Stored names, with the system's columns but without the day.
    """
    if not frame.height:
        return []
    frame = frame.with_columns(pl.col(TIME).dt.date().alias(DAY))
    order = [c.stored for c in entry.stored_columns() if c.stored in frame.columns]
    order += [f.stored for c in entry.stored_columns() for f in c.former if f.stored in frame.columns]
    frame = frame.select(*order, DAY)
    frame = frame if frame[TIME].is_sorted() else frame.sort(TIME, maintain_order=True)
    one_day = frame[DAY][0] == frame[DAY][-1]
    parts = [frame] if one_day else frame.partition_by(DAY, maintain_order=True)
    files: list[NewFile] = []
    try:
        for part in parts:
            files.append(write_file(log, part))
        sync_files(log, files)
    except BaseException:
        discard(log, files)
        raise
    return files
