"""What recent rows of stored tables hold: values of a text column, keys inside of a dynamic one.

One small query a column, over its newest files, on a thread of its own: who asks waits a moment at
most and gets nothing until the answer is there. Kept for some minutes. Errors of reading give nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType, find_column
from workbench.base.errors import WorkbenchError
from workbench.query.frames import Tables

MOST_VALUES = 50
_FILES = 4
_ROWS, _BAGS = 100_000, 500
_MOST_PATHS, _DEEP = 200, 4
_KEPT_SECONDS = 300.0


class TableSamples:
    """`model.Samples` over the tables of a source.

    Parameters
    ----------
    source : Tables
    wait : float
        Seconds that an asker waits for a column that was not asked about before.

    Examples
    --------
    >>> import polars as pl
    >>> from workbench.base.dtypes import Column, ScalarType
    >>> from workbench.query.frames import FrameTables
    >>> rows = pl.DataFrame({"Computer": ["b", "a", "b"]})
    >>> tables = FrameTables({"T": (rows, (Column("Computer", ScalarType.STRING),))})
    >>> TableSamples(tables, wait=5).values("T", "Computer")
    ['b', 'a']
    """

    def __init__(self, source: Tables, wait: float = 0.1) -> None:
        self._source = source
        self._wait = wait
        self._guard = threading.Lock()
        self._known: dict[tuple[str, str, str], tuple[float, Any]] = {}
        self._pending: dict[tuple[str, str, str], threading.Thread] = {}

    def values(self, table: str, column: str) -> Sequence[str]:
        """The different texts of a column, the most frequent first; none where there are more than 50."""
        found: Sequence[str] = self._asked("values", table, column, ScalarType.STRING, self._values, [])
        return found

    def paths(self, table: str, column: str) -> Mapping[str, str]:
        """Dotted paths inside the bags of a dynamic column, with the KQL type seen there."""
        found: Mapping[str, str] = self._asked("paths", table, column, ScalarType.DYNAMIC, self._paths, {})
        return found

    def _asked(self, what: str, table: str, column: str, type_: ScalarType, find: Callable[[str, str], Any], nothing: Any) -> Any:  # fmt: skip
        schema = self._source.schema(table)
        known = find_column(schema, column) if schema is not None else None
        if known is None or known.type is not type_:
            return nothing
        key = (what, table, column)
        with self._guard:
            at, found = self._known.get(key, (None, nothing))
            if at is not None and time.monotonic() - at < _KEPT_SECONDS:
                return found
            thread = self._pending.get(key)
            if thread is None:
                thread = threading.Thread(target=self._look, args=(key, find, nothing), daemon=True)
                self._pending[key] = thread
                thread.start()
        thread.join(self._wait)
        with self._guard:
            return self._known.get(key, (0.0, nothing))[1]

    def _look(self, key: tuple[str, str, str], find: Callable[[str, str], Any], nothing: Any) -> None:
        try:
            found = find(key[1], key[2])
        except (WorkbenchError, pl.exceptions.PolarsError, OSError):
            found = nothing
        with self._guard:
            self._known[key] = time.monotonic(), found
            del self._pending[key]

    def _recent(self, table: str, column: str) -> pl.LazyFrame:
        scan = self._source.scan(table, [column], (None, None))
        groups = getattr(scan, "groups", None)
        parts = groups(_FILES) if groups is not None and scan.files else []
        found: pl.LazyFrame = parts[0] if parts else scan.lazy
        return found.select(pl.col(column).alias("value")).filter(pl.col("value").is_not_null())

    def _values(self, table: str, column: str) -> list[str]:
        rows = self._recent(table, column).head(_ROWS).filter(pl.col("value") != "")
        counted = rows.group_by("value").len().sort("len", "value", descending=[True, False])
        found = counted.head(MOST_VALUES + 1).collect()["value"].to_list()
        return found if len(found) <= MOST_VALUES else []

    def _paths(self, table: str, column: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for text in self._recent(table, column).head(_BAGS).collect()["value"].to_list():
            try:
                _note(json.loads(text), "", found, _DEEP)
            except (ValueError, RecursionError):
                continue
            if len(found) >= _MOST_PATHS:
                break
        return dict(sorted(found.items()))


def _note(value: Any, before: str, found: dict[str, str], deep: int) -> None:
    """Add the paths of a bag to those found."""
    if not isinstance(value, dict) or not deep:
        return
    for key, inner in value.items():
        path = f"{before}{key}"
        if "." not in str(key) and len(found) < _MOST_PATHS:
            found.setdefault(path, _type(inner))
            _note(inner, f"{path}.", found, deep - 1)


def _type(value: Any) -> str:
    names = {bool: "bool", int: "long", float: "real", str: "string"}
    return names.get(type(value), "dynamic")
