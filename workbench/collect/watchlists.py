"""Watchlists: files of facts to join with, kept in the table `Watchlist` under Azure's columns.

In goes a CSV file with a header, out come rows: one for the list, one an item. The table is only
appended to: what a new file replaces, and what is removed, gets a row that says deleted, in the same commit.
"""

from __future__ import annotations

import csv
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from workbench.base.clock import now_us
from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.collect.intake import Intake
from workbench.query.watchlist_rows import COLUMNS, ITEM, LIST, TABLE, standing
from workbench.repository.tables import Repository

T = ScalarType
MOST_BYTES = 100_000_000
_ALIAS = re.compile(r"[\w -]{1,100}")
_TIMES = ("_DTTimestamp", "CreatedTimeUTC", "LastUpdatedTimeUTC")
_TEXTS = (
    "_DTItemId", "_DTItemType", "_DTItemStatus", "WatchlistId", "WatchlistName", "WatchlistAlias", "SearchKey",
    "Source", "Provider", "CorrelationId",
)  # fmt: skip
TYPES: dict[str, ScalarType] = {
    "TimeGenerated": T.DATETIME, **dict.fromkeys(_TEXTS, T.STRING), **dict.fromkeys(_TIMES, T.DATETIME),
    "WatchlistItem": T.DYNAMIC,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A watchlist as it stands: its name, how many items, the column they are looked up by, when it was
    last changed (µs since 1970)."""

    alias: str
    items: int
    key: str
    updated: int


def create(repository: Repository, alias: str, path: str, key: str) -> int:
    """Make a watchlist of a CSV file, in place of one of that name.

    Parameters
    ----------
    repository : Repository
    alias : str
        What `_GetWatchlist` calls it.
    path : str
        The file; its values stay texts.
    key : str
        The column that becomes `SearchKey`.

    Returns
    -------
    int
        The number of items.

    Raises
    ------
    WorkbenchError
        IMP302 for a file that is none, IMP303 for an unknown column, IMP304 for a bad name.
    """
    if not _ALIAS.fullmatch(alias):
        raise diagnostics.bad_alias(alias)
    names, lines = _read(path)
    if key not in names:
        raise diagnostics.no_such_key(key, path, names)
    place = names.index(key)
    rows = [_deleted(row) for row in _rows(repository) if row["WatchlistAlias"] == alias]
    shared = {"WatchlistId": str(uuid.uuid4()), "Source": Path(path).name}
    about = {"itemsSearchKey": key, "columns": names}
    rows.append(_row(alias, LIST, "Created", key, about, shared))
    rows += [
        _row(alias, ITEM, "Created", line[place], dict(zip(names, line, strict=True)), shared)
        for line in lines
    ]
    _store(repository, rows)
    return len(lines)


def remove(repository: Repository, alias: str) -> int:
    """Remove a watchlist; gives how many items it had.

    Raises
    ------
    WorkbenchError
        IMP301 where there is none.
    """
    every = _rows(repository)
    found = [row for row in every if row["WatchlistAlias"] == alias]
    if not found:
        raise diagnostics.no_such_watchlist(alias, {str(row["WatchlistAlias"]) for row in every})
    _store(repository, [_deleted(row) for row in found])
    return sum(row["_DTItemType"] == ITEM for row in found)


def listed(repository: Repository) -> list[Watchlist]:
    """All watchlists, by name."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in _rows(repository):
        found.setdefault(str(row["WatchlistAlias"]), []).append(row)
    return [_about(alias, rows) for alias, rows in sorted(found.items())]


def _about(alias: str, rows: Sequence[Mapping[str, Any]]) -> Watchlist:
    keys = [str(row["SearchKey"]) for row in rows if row["_DTItemType"] == LIST]
    updated = max((row["LastUpdatedTimeUTC"] or 0 for row in rows), default=0)
    return Watchlist(alias, sum(r["_DTItemType"] == ITEM for r in rows), keys[0] if keys else "", updated)


# ---- rows -------------------------------------------------------------------------------------


def _rows(repository: Repository) -> list[Mapping[str, Any]]:
    """The rows that stand; times in µs since 1970."""
    if not repository.has(TABLE):
        return []
    there = [c.name for c in repository.schema(TABLE)]
    wanted = [c for c in (*COLUMNS, "WatchlistId") if c in there]
    frame = repository.scan(TABLE, wanted).lazy.collect()
    times = [pl.col(c).to_physical() for c in wanted if c in _TIMES]
    blank = dict.fromkeys((*COLUMNS, "WatchlistId"))
    return standing({**blank, **row} for row in frame.with_columns(times).iter_rows(named=True))


def _row(alias: str, kind: str, status: str, key: str, item: Mapping[str, Any], shared: Mapping[str, str]) -> dict[str, Any]:  # fmt: skip
    return {
        "_DTItemId": str(uuid.uuid4()),
        "_DTItemType": kind,
        "_DTItemStatus": status,
        "WatchlistName": alias,
        "WatchlistAlias": alias,
        "SearchKey": key,
        "WatchlistItem": json.dumps(item, ensure_ascii=False, separators=(",", ":")),
        "Provider": "Workbench",
        **shared,
    }


def _deleted(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: row[name] for name in ("_DTItemId", "_DTItemType", "WatchlistAlias", "SearchKey", "WatchlistId")
    }
    return {**kept, "_DTItemStatus": "Deleted", "WatchlistItem": None, "_before": row["_DTTimestamp"]}


def _store(repository: Repository, rows: list[dict[str, Any]]) -> None:
    """Store rows in one commit: a reader sees the old list or the new one."""
    # Later than what they replace, also where the clock was set back in between.
    now = max(now_us(), 1 + max((row.pop("_before", None) or 0 for row in rows), default=0))
    correlation = str(uuid.uuid4())
    columns: dict[str, pl.Series] = {}
    for name, type_ in TYPES.items():
        if type_ is T.DATETIME:
            columns[name] = pl.Series([now] * len(rows), dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
        elif name == "CorrelationId":
            columns[name] = pl.Series([correlation] * len(rows), dtype=pl.String)
        else:
            columns[name] = pl.Series([row.get(name) for row in rows], dtype=pl.String)
    Intake(repository).store(TABLE, pl.DataFrame(columns), TYPES)


# ---- files ------------------------------------------------------------------------------------


def _read(path: str) -> tuple[list[str], list[list[str]]]:
    """The header and the lines of a file."""
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise diagnostics.bad_watchlist(path, f"it is larger than {MOST_BYTES // 1_000_000} MB")
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            _check(path, names)
            lines = []
            for line in reader:
                if not line:
                    continue
                if len(line) != len(names):
                    raise diagnostics.bad_watchlist(
                        path, f"line {reader.line_num} has {len(line)} values for {len(names)} columns"
                    )
                lines.append(line)
            return names, lines
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        why = getattr(e, "strerror", None) or (
            str(e) if not isinstance(e, UnicodeDecodeError) else "it is no UTF-8"
        )
        raise diagnostics.bad_watchlist(path, why) from None


def _check(path: str, names: Sequence[str]) -> None:
    if not names or not all(names):
        raise diagnostics.bad_watchlist(path, "it has no header, or a column without a name")
    if len(set(names)) < len(names):
        raise diagnostics.bad_watchlist(path, "two columns have one name")
