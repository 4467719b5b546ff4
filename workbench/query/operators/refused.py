"""Tabular operators that are refused by name: the reason and what to use instead."""

from __future__ import annotations

_GRAPH = "graphs are not kept here: join the table of edges with itself"

REFUSED: dict[str, str] = {
    "inline_external_table": "put its files in a folder that the workspace allows, and read them with externaldata",
    "execute-and-cache": "name the rows with let, or keep the cell's result with --as",
    "make-graph": _GRAPH,
    "graph": _GRAPH,
    "graph-match": _GRAPH,
    "graph-mark-components": _GRAPH,
    "graph-shortest-paths": _GRAPH,
    "graph-to-table": _GRAPH,
    "graph-where-edges": _GRAPH,
    "graph-where-nodes": _GRAPH,
}
