"""What the side panel shows of a workspace: tables, their facts, saved searches, functions.

Values of the workspace in, objects of JSON out. Reads catalogs and logs and no data file, so each question is
answered in milliseconds; what takes longer (`facts` of many tables) is asked for a few names at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.base.errors import WorkbenchError

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def overview(workspace: Any) -> dict[str, Any]:
    """Everything that a catalog knows: `workspace`, `tables` with columns, `searches`, `functions`."""
    repository = workspace.repository
    return {
        "workspace": workspace.path,
        "tables": [_table(name, repository.schema(name)) for name in repository.tables()],
        "searches": [
            {
                "name": s.name,
                "category": s.category,
                "description": s.description,
                "query": s.query,
                "timespan": s.timespan,
            }
            for s in workspace.searches.all()
        ],
        "functions": [
            {"name": f.name, "parameters": f.parameters, "description": f.docstring, "folder": f.folder}
            for f in repository.functions.all()
        ],
    }


def _table(name: str, schema: Iterable[Any]) -> dict[str, Any]:
    columns = [{"name": c.name, "type": c.type.value} for c in schema if not c.hidden]
    return {"name": name, "columns": columns}


def facts(workspace: Any, names: Sequence[str]) -> dict[str, Any]:
    """`rows` and `newest` (ISO text in UTC, or null) of each of these tables that is still there."""
    found = {}
    for name in names:
        try:
            known = workspace.repository.facts(name)
        except WorkbenchError:
            continue
        newest = None if known.newest is None else _EPOCH + dt.timedelta(microseconds=known.newest)
        found[name] = {
            "rows": known.rows,
            "newest": None if newest is None else newest.isoformat().replace("+00:00", "Z"),
        }
    return found
