"""Data files on their way into a table: written, put on disk, or taken back.

In go frames with stored names, out come `NewFile` values for a commit. Must not know the log's
content: a file counts only once a commit names it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import polars as pl
from polars.exceptions import PolarsError

from workbench.base.diagnostics import repository as diagnostics
from workbench.repository.deltalog import STATISTICS, DeltaLog, NewFile
from workbench.repository.files import sync
from workbench.repository.layout import COMPRESSION_LEVEL, DAY, ROW_GROUP_ROWS, day_text

_SYNCS = 8


def write_file(log: DeltaLog, part: pl.DataFrame, told: Mapping[str, str] | None = None) -> NewFile:
    """Write one data file of one day. `sync_files` has to follow before it is committed.

    Parameters
    ----------
    log : DeltaLog
    part : polars.DataFrame
        Rows of one day by time, with stored names and `_Day`.
    told : mapping of str, optional
        What the file's footer tells beside its schema.

    Raises
    ------
    WorkbenchError
        REP005 when it can't be written; then no part of it is left.
    """
    day = cast(int, part[DAY].cast(pl.Int32)[0])
    path = f"{DAY}={day_text(day)}/part-{uuid.uuid4().hex}.parquet"
    whole = Path(log.folder, path)
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        part.drop(DAY).write_parquet(
            whole,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            row_group_size=ROW_GROUP_ROWS,
            statistics=True,
            metadata=dict(told) if told else None,
        )
        size = whole.stat().st_size
    except (OSError, PolarsError) as e:
        whole.unlink(missing_ok=True)
        raise diagnostics.not_writable(str(whole), str(e)) from e
    least = part.select(pl.col(STATISTICS).min().cast(pl.Int64)).row(0)
    most = part.select(pl.col(STATISTICS).max().cast(pl.Int64)).row(0)
    statistics = dict(zip(STATISTICS, zip(least, most, strict=True), strict=True))
    return NewFile(path, day, part.height, size, statistics)


def sync_files(log: DeltaLog, files: Sequence[NewFile]) -> None:
    """Put written files and their folders on disk, several at once: a wide import has one file a day."""
    paths = [log.path_of(f) for f in files]
    try:
        with ThreadPoolExecutor(_SYNCS) as pool:
            list(pool.map(sync, paths))
            list(pool.map(sync, {os.path.dirname(p) for p in paths}))
        sync(log.folder)
    except OSError as e:
        raise diagnostics.not_writable(log.folder, str(e)) from e


def discard(log: DeltaLog, files: Sequence[NewFile]) -> None:
    """Delete written files that no commit names."""
    for file in files:
        os.unlink(log.path_of(file))
