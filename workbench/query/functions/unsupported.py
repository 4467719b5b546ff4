"""Functions that are refused by name: the reason and what to use instead."""

from __future__ import annotations

_GEOGRAPHY = "geography is not computed here: take the rows into Python with Result.frame"
_GRAPH = "it looks into a graph, and graphs are not kept here: join the table of edges with itself"
_PLACE = "it says where tables lie, and is no value: write it before the name of a table"
_EXTENT = "tables here have no extents: tell records apart by ingestion_time()"

UNSUPPORTED: dict[str, str] = {
    "cluster": _PLACE,
    "database": _PLACE,
    "workspace": _PLACE,
    "app": _PLACE,
    "resource": _PLACE,
    "extent_id": _EXTENT,
    "extentid": _EXTENT,
    "extent_tags": _EXTENT,
    "row_id": "rows have no number of their own here: sort them and use row_number()",
    "current_node_id": "there is one node here",
    "rowstore_ordinal_range": "tables here have no row store",
    "FileProfile": "it asks Microsoft's cloud: join a table of file facts instead",
    "graph": _GRAPH,
    "all": _GRAPH,
    "map": _GRAPH,
    "inner_nodes": _GRAPH,
    "labels": _GRAPH,
    "node_degree_in": _GRAPH,
    "node_degree_out": _GRAPH,
    "node_id": _GRAPH,
}


def refusal(name: str) -> str | None:
    """Why a function that Kusto has is not here, and what to use instead; None for any other name.

    Examples
    --------
    >>> refusal("geo_distance_2points")
    'geography is not computed here: take the rows into Python with Result.frame'
    >>> refusal("strlen") is None
    True
    """
    return UNSUPPORTED.get(name, _GEOGRAPHY if name.startswith("geo_") else None)
