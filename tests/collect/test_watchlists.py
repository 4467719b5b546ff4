"""Watchlists: files in, rows of `Watchlist`, what `_GetWatchlist` gives of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import workbench
from workbench.base.errors import WorkbenchError
from workbench.collect import watchlists


@pytest.fixture
def ws(tmp_path: Path) -> workbench.Workspace:
    return workbench.open(str(tmp_path / "mine"), create=True)


def put(ws: workbench.Workspace, alias: str, text: str, key: str) -> int:
    file = Path(ws.path).parent / "list.csv"
    file.write_bytes(text.encode())
    return watchlists.create(ws.repository, alias, str(file), key)


def rows(ws: workbench.Workspace, text: str, **more: Any) -> list[tuple[Any, ...]]:
    return ws.query(text, **more).frame.rows()


VIPS = 'Name,IP Address,Notes\nann,10.0.0.1,"a, ""b"""\nbob,10.0.0.2,\n'


def test_a_watchlist_has_the_columns_of_its_file_and_its_search_key(ws: workbench.Workspace) -> None:
    assert put(ws, "VIPs", "\ufeff" + VIPS, "IP Address") == 2
    result = ws.query("_GetWatchlist('VIPs') | sort by Name asc")
    fixed = ["_DTItemId", "LastUpdatedTimeUTC", "SearchKey", "WatchlistItem"]
    assert result.columns == [*fixed, "Name", "IP Address", "Notes"]
    assert result.types == ["string", "datetime", "string", "dynamic", "string", "string", "string"]
    assert [r[4:] for r in result.frame.rows()] == [("ann", "10.0.0.1", 'a, "b"'), ("bob", "10.0.0.2", "")]
    assert result.frame["SearchKey"].to_list() == ["10.0.0.1", "10.0.0.2"]
    assert rows(ws, "_GetWatchlist('vips') | where WatchlistItem.Name == 'bob' | project Name") == [("bob",)]
    assert result.statistics.warnings == ()


def test_it_joins_and_filters_like_any_table(ws: workbench.Workspace) -> None:
    put(ws, "VIPs", VIPS, "IP Address")
    logs = "datatable(IP:string, n:long)['10.0.0.2', 1, '10.0.0.9', 2]"
    found = rows(
        ws,
        f"{logs} | lookup kind=leftouter _GetWatchlist('VIPs') on $left.IP == $right.SearchKey | project n, Name",
    )
    assert sorted(found) == [(1, "bob"), (2, "")]
    assert rows(
        ws, f"let w = (_GetWatchlist('VIPs') | project SearchKey); {logs} | where IP in (w) | project n"
    ) == [(1,)]
    assert rows(ws, "_GetWatchlist('VIPs', '10.0.0.2', 'x') | project Name") == [("bob",)]
    assert rows(ws, "_GetWatchlist('VIPs', dynamic(['10.0.0.1'])) | project Name") == [("ann",)]


def test_a_time_range_does_not_cut_it(ws: workbench.Workspace) -> None:
    put(ws, "VIPs", VIPS, "Name")
    assert rows(ws, "_GetWatchlist('VIPs') | count", timespan="2001-01-01/2001-01-02") == [(2,)]
    assert rows(ws, "Watchlist | count", timespan="2001-01-01/2001-01-02") == [(0,)]


def test_a_new_file_replaces_the_old_and_its_columns(ws: workbench.Workspace) -> None:
    put(ws, "VIPs", VIPS, "Name")
    put(ws, "Other", "a\n1\n", "a")
    assert put(ws, "VIPs", "Who,Level\ncat,3\n", "Who") == 1
    result = ws.query("_GetWatchlist('VIPs')")
    assert result.columns[4:] == ["Who", "Level"]
    assert result.frame["SearchKey"].to_list() == ["cat"]
    assert rows(ws, "_GetWatchlistAlias | sort by WatchlistAlias asc") == [("Other",), ("VIPs",)]
    assert rows(ws, "_GetWatchlistAlias() | count") == [(2,)]
    assert [(w.alias, w.items, w.key) for w in watchlists.listed(ws.repository)] == [
        ("Other", 1, "a"),
        ("VIPs", 1, "Who"),
    ]


def test_each_change_is_one_commit(ws: workbench.Workspace) -> None:
    put(ws, "VIPs", VIPS, "Name")
    put(ws, "VIPs", VIPS, "Name")
    stored = ws.query(
        "Watchlist | summarize dcount(CorrelationId), count(), dcount(_TimeReceived)"
    ).frame.rows()
    assert stored == [(2, 3 + 6, 2)]


def test_a_removed_watchlist_is_gone_and_can_be_made_again(ws: workbench.Workspace) -> None:
    put(ws, "VIPs", VIPS, "Name")
    assert watchlists.remove(ws.repository, "VIPs") == 2
    assert watchlists.listed(ws.repository) == []
    gone = ws.query("_GetWatchlist('VIPs') | where Name == 'ann' | project Name, SearchKey")
    assert len(gone) == 0
    assert gone.statistics.warnings[0].startswith("There is no watchlist 'VIPs'")
    with pytest.raises(WorkbenchError) as caught:
        watchlists.remove(ws.repository, "VIPs")
    assert caught.value.code == "IMP301"
    put(ws, "VIPs", VIPS, "Name")
    assert rows(ws, "_GetWatchlist('VIPs') | count") == [(2,)]


def test_a_file_without_items_is_a_watchlist_with_columns(ws: workbench.Workspace) -> None:
    assert put(ws, "Empty", "a,b\n", "a") == 0
    result = ws.query("_GetWatchlist('Empty') | where b == 'x'")
    assert (result.columns[4:], len(result), result.statistics.warnings) == (["a", "b"], 0, ())


def test_azures_own_rows_are_understood(ws: workbench.Workspace) -> None:
    """Rows exported from Sentinel: an item that was changed, one that was deleted."""
    item = {"WatchlistAlias": "Z", "_DTItemType": "watchlist-item"}
    ws.ingest("Watchlist", [
        {**item, "_DTItemId": "1", "_DTItemStatus": "Create", "_DTTimestamp": "2024-01-01T00:00:00Z", "SearchKey": "a",
         "WatchlistItem": {"k": "old"}},
        {**item, "_DTItemId": "1", "_DTItemStatus": "Update", "_DTTimestamp": "2024-01-02T00:00:00Z", "SearchKey": "a",
         "WatchlistItem": {"k": "new", "n": 5}},
        {**item, "_DTItemId": "2", "_DTItemStatus": "Create", "_DTTimestamp": "2024-01-01T00:00:00Z", "SearchKey": "b",
         "WatchlistItem": {"k": "x"}},
        {**item, "_DTItemId": "2", "_DTItemStatus": "Delete", "_DTTimestamp": "2024-01-03T00:00:00Z", "SearchKey": "b"},
    ])  # fmt: skip
    assert rows(ws, "_GetWatchlist('z') | project SearchKey, k, n") == [("a", "new", "5")]


def test_a_table_of_that_name_that_is_none_is_no_watchlist(ws: workbench.Workspace) -> None:
    ws.ingest("Watchlist", [{"a": 1}])
    assert rows(ws, "_GetWatchlist('x') | count") == [(0,)]
    assert rows(ws, "_GetWatchlistAlias | count") == [(0,)]


def test_columns_of_the_file_that_are_taken_stay_in_the_item(ws: workbench.Workspace) -> None:
    put(ws, "W", "SearchKey,_DTItemId,v\nk,i,1\n", "v")
    assert rows(ws, "_GetWatchlist('W') | project SearchKey, a = tostring(WatchlistItem.SearchKey), v") == [
        ("1", "k", "1")
    ]


@pytest.mark.parametrize(
    ("text", "key", "code"),
    [
        ("", "a", "IMP302"), ("a,a\n1,2\n", "a", "IMP302"), ("a,\n1,2\n", "a", "IMP302"), ("a,b\n1\n", "a", "IMP302"),
        ("a,b\n1,2,3\n", "a", "IMP302"), ('a\n"x\n', "a", "IMP302"), ("a,b\n1,2\n", "c", "IMP303"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_stores_nothing(ws: workbench.Workspace, text: str, key: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        put(ws, "W", text, key)
    assert caught.value.code == code
    assert not ws.repository.has("Watchlist")


def test_other_mistakes_are_coded(ws: workbench.Workspace, tmp_path: Path) -> None:
    for alias in ("", "a/b", "x" * 101, "a\nb"):
        with pytest.raises(WorkbenchError) as caught:
            put(ws, alias, VIPS, "Name")
        assert caught.value.code == "IMP304"
    (tmp_path / "bad.csv").write_bytes(b"a\n\xff\xfe\n")
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "bad.csv"):
        with pytest.raises(WorkbenchError) as caught:
            watchlists.create(ws.repository, "W", str(path), "a")
        assert caught.value.code == "IMP302"


@pytest.mark.slow
def test_a_long_list_is_kept_whole(ws: workbench.Workspace) -> None:
    text = pl.DataFrame({"id": range(60_000)}).write_csv()
    assert put(ws, "Long", text, "id") == 60_000
    assert rows(ws, "_GetWatchlist('Long') | summarize count(), dcount(SearchKey, 4)")[0][0] == 60_000
