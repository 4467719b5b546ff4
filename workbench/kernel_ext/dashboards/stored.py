"""The last answer of each tile, kept on disk, so that a dashboard has figures before anything was asked.

An answer is found again by its tile, the chosen values and the time range, in a folder that only its user may read.
It tells since when it is; what was asked meanwhile takes its place.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.base.config import state_folder
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.dashboards.answering import Answer
from workbench.kernel_ext.dashboards.spec import Tile
from workbench.kernel_ext.widgets.kept import Asked, Kept

FOLDER = "tiles"
_MOST_ROWS = 5_000


class StoredAnswers:
    """The kept answers of one dashboard.

    Parameters
    ----------
    workspace : str
        Folder or URL.
    dashboard : str
        Its title.
    """

    def __init__(self, workspace: str, dashboard: str) -> None:
        self._kept = Kept(Path(state_folder(workspace)) / FOLDER)
        self._dashboard = dashboard

    def keep(self, answer: Answer, values: Mapping[str, Any], timespan: str) -> None:
        """Keep what was found; mistakes, missing tables and parts of an answer are not worth it."""
        result = answer.result
        if result is None or result.partial or len(result) > _MOST_ROWS:
            return
        told = {
            "start": answer.start.isoformat(),
            "end": answer.end.isoformat(),
            "source": answer.source,
            "newest": answer.newest.isoformat() if answer.newest is not None else "",
        }
        asked = Asked(query=answer.query, timespan=timespan, parameters=told)
        self._kept.save(self._name(answer.tile, values, timespan), result, asked)

    def find(self, tile: Tile, values: Mapping[str, Any], timespan: str) -> Answer | None:
        """The last answer of a tile to the same question."""
        try:
            result, asked = self._kept.load(self._name(tile, values, timespan))
            told = asked.parameters
            start, end = (dt.datetime.fromisoformat(told[name]) for name in ("start", "end"))
            newest = dt.datetime.fromisoformat(told["newest"]) if told["newest"] else None
        except (WorkbenchError, KeyError, TypeError, ValueError):
            return None  # none yet, or of an older form
        return Answer(tile, start, end, result, None, told["source"], newest, query=asked.query)

    def _name(self, tile: Tile, values: Mapping[str, Any], timespan: str) -> str:
        asked = [
            self._dashboard, tile.kind, tile.title, tile.query, tile.search, tile.timespan or timespan,
            sorted((name, str(value)) for name, value in values.items()),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]
