"""The benchmark's table: the shared real Windows events, multiplied, each copy on its own day.

Every copy keeps the events' own times of day, has ids of its own, and all but the first lose the
word that the word search looks for. Made once and kept beside the workspace that it fills.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.repository.tables import Repository

TABLE = "Event"
WORD = "bitsadmin"
FIRST_DAY = dt.date(2026, 1, 1)
_LEVELS = {1: "Critical", 2: "Error", 3: "Warning", 5: "Verbose"}
_OWN = ("@timestamp", "Hostname", "Channel", "SourceName", "EventID", "AccountName", "Message", "Level")


def shared() -> Path:
    """The folder with the real events."""
    place = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared"))
    if not (place / "data" / "windows_events").is_dir():
        sys.exit(f"bench: no real events at {place}; name their folder with WORKBENCH_SHARED")
    return place


def _records() -> Iterator[dict[str, object]]:
    for archive in sorted((shared() / "data" / "windows_events").glob("*.zip")):
        if archive.name.startswith(("syslog", "vminsights")):
            continue
        with zipfile.ZipFile(archive) as z:
            for name in z.namelist():
                with z.open(name) as raw:
                    for line in io.BufferedReader(raw):  # type: ignore[type-var]
                        yield orjson.loads(line)


def base_frame() -> pl.DataFrame:
    """One copy of all events: nine columns, what is left of a record as JSON text."""
    columns: dict[str, list[object]] = {
        n: [] for n in ("Time", "Computer", "EventLog", "Source", "EventID", "UserName", "RenderedDescription",
                        "EventLevelName", "EventData")
    }  # fmt: skip
    for record in _records():
        taken = {name: record.pop(name, None) for name in _OWN}
        columns["Time"].append(str(taken["@timestamp"]))
        columns["Computer"].append(taken["Hostname"] or "")
        columns["EventLog"].append(taken["Channel"] or "")
        columns["Source"].append(taken["SourceName"] or "")
        columns["EventID"].append(int(str(taken["EventID"])))
        columns["UserName"].append(taken["AccountName"] or "")
        columns["RenderedDescription"].append(taken["Message"] or "")
        level = taken["Level"]
        columns["EventLevelName"].append(_LEVELS.get(int(str(level)) if level else 4, "Information"))
        columns["EventData"].append(orjson.dumps(record).decode())
    frame = pl.DataFrame(columns, strict=False)
    clock = pl.col("Time").str.to_datetime("%+", time_unit="us", time_zone="UTC")
    return frame.with_columns(clock).with_columns(
        (pl.col("Time") - pl.col("Time").dt.truncate("1d")).alias("Time"), pl.col("EventID").cast(pl.Int32)
    )


def copies(base: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Copies of `base` until `rows` are reached."""
    made = 0
    lost = WORD[:3] + "_" + WORD[3:]
    plain = base.with_columns(pl.col("RenderedDescription", "EventData").str.replace_all(f"(?i){WORD}", lost))
    number = 0
    while made < rows:
        source = base if number == 0 else plain
        day = dt.datetime.combine(FIRST_DAY + dt.timedelta(days=number), dt.time(), dt.UTC)
        frame = source.head(rows - made).with_columns(
            (pl.lit(day).dt.cast_time_unit("us") + pl.col("Time")).alias("TimeGenerated"),
            (pl.int_range(pl.len(), dtype=pl.Int64) + made).alias("RecordId"),
        )
        yield frame.drop("Time").select("TimeGenerated", pl.exclude("TimeGenerated"))
        made += frame.height
        number += 1


def make(place: Path, rows: int) -> Repository:
    """The workspace with the table, made if it is not there with that many rows; compacted, so with its index."""
    done = place / f"compacted-{rows}"
    if done.exists():
        return Repository.open(str(place))
    repository = Repository.open(str(place), create=True)
    base = base_frame()
    types = {"EventData": ScalarType.DYNAMIC}
    for number, frame in enumerate(copies(base, rows), start=1):
        repository.append(TABLE, frame, types, transaction=("bench", number))
        print(f"\rbench data: {number * base.height:,} rows", end="", file=sys.stderr, flush=True)
    print("\nbench data: compacting", file=sys.stderr, flush=True)
    repository.compact(TABLE)
    repository.vacuum(TABLE, 0)  # peers read all files of the folder
    done.touch()
    return repository
