"""`_GetWatchlist('alias')` and `_GetWatchlistAlias`: the watchlists that the table `Watchlist` keeps.

The columns of a watchlist are those of the file that it was made of, so its rows are read when the
query is bound. A time range of the query does not cut them, as in Sentinel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.registry import nearest
from workbench.query import syntax
from workbench.query.binder import visible
from workbench.query.binder.inside import Inside
from workbench.query.operators.externaldata import Unread
from workbench.query.plan import Rel, Scan, Values
from workbench.query.watchlist_rows import COLUMNS, ITEM, LIST, TABLE, standing

T = ScalarType
_FIXED = (
    Column("_DTItemId", T.STRING), Column("LastUpdatedTimeUTC", T.DATETIME), Column("SearchKey", T.STRING),
    Column("WatchlistItem", T.DYNAMIC),
)  # fmt: skip


def watchlist(b: Inside, node: syntax.Call) -> Rel:
    """The items of a watchlist; further arguments are search keys, of which it gives only those."""
    if not node.arguments:
        raise diagnostics.wrong_count(node.name, "1 or more arguments", 0, node.span)
    name = str(b.constant(node.arguments[0], "the name of a watchlist", T.STRING))
    keys = [key for a in node.arguments[1:] for key in _keys(b, a)]
    every = _standing(b, node)
    rows = [r for r in every if str(r["WatchlistAlias"]).casefold() == name.casefold()]
    if not rows:
        known = sorted({str(r["WatchlistAlias"]) for r in every})
        near = nearest(name, known)
        meant = f"did you mean {near[0]!r}?" if near else "make it with: workbench watchlist create."
        # Its columns are not known: a query over it can still be read.
        warning = f"There is no watchlist {name!r}: it has no rows; {meant}"
        b.hooks.warn(warning)  # here, since a plan over no rows may never be run
        return Unread(_FIXED, warning, undecided=True)
    items = [r for r in rows if r["_DTItemType"] == ITEM and (not keys or r["SearchKey"] in keys)]
    bags = [_bag(r["WatchlistItem"]) for r in items]
    taken = {c.name for c in _FIXED}
    heads = [_bag(r["WatchlistItem"]).get("columns") for r in rows if r["_DTItemType"] == LIST]
    named = [str(n) for head in heads if isinstance(head, list) for n in head]
    names = [n for n in dict.fromkeys([*named, *(n for bag in bags for n in bag)]) if n not in taken]
    cells = tuple(
        (r["_DTItemId"], r["LastUpdatedTimeUTC"], r["SearchKey"], bag, *(_text(bag.get(n)) for n in names))
        for r, bag in zip(items, bags, strict=True)
    )
    return Values((*_FIXED, *(Column(n, T.STRING) for n in names)), cells, ordered=False)


def aliases(b: Inside, node: syntax.Call) -> Rel:
    """The names of all watchlists."""
    names = sorted({str(r["WatchlistAlias"]) for r in _standing(b, node)})
    return Values((Column("WatchlistAlias", T.STRING),), tuple((n,) for n in names))


def _keys(b: Inside, node: syntax.Expression) -> list[str]:
    value = b.constant(node, "a search key of a watchlist")
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _standing(b: Inside, node: syntax.Call) -> list[Mapping[str, Any]]:
    visible.permit(b, TABLE, node.span, stored=True)
    schema = b.catalog.schema(TABLE)
    if schema is None or {"_DTItemId", "WatchlistAlias"} - {c.name for c in schema}:
        return []
    kept = tuple(c for c in schema if c.name in COLUMNS)
    # Without TimeGenerated, so that the time range of the query cuts nothing.
    frame = b.evaluate(Scan(kept, TABLE))
    blank = dict.fromkeys(COLUMNS)
    return standing({**blank, **row} for row in frame.iter_rows(named=True))


def _bag(text: object) -> dict[str, Any]:
    found = json.loads(text) if isinstance(text, str) and text else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
