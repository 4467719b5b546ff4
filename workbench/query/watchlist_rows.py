"""Which rows of the table `Watchlist` stand: the newest of each item, unless it says deleted.

The table has Azure's columns and is only appended to. In go its rows as dicts, out come those that
count. Knows no engine and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TABLE = "Watchlist"
LIST, ITEM = "watchlist", "watchlist-item"
COLUMNS = (
    "_DTItemId", "_DTItemType", "_DTItemStatus", "_DTTimestamp", "WatchlistAlias", "SearchKey",
    "WatchlistItem", "LastUpdatedTimeUTC",
)  # fmt: skip


def standing(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that count, in the order in which their items first came.

    Examples
    --------
    >>> rows = [{"_DTItemId": "a", "_DTTimestamp": 1}, {"_DTItemId": "b", "_DTTimestamp": 1},
    ...         {"_DTItemId": "a", "_DTTimestamp": 2, "_DTItemStatus": "Deleted"}]
    >>> [row["_DTItemId"] for row in standing(rows)]
    ['b']
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = newest.get(row["_DTItemId"])
        if known is None or _time(row) >= _time(known):
            newest[row["_DTItemId"]] = row
    return [r for r in newest.values() if not str(r.get("_DTItemStatus") or "").lower().startswith("delete")]


def _time(row: Mapping[str, Any]) -> Any:
    moment = row.get("_DTTimestamp")
    return (moment is not None, moment)
