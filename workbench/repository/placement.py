"""Which stored column each value goes to: new columns, widening, and the suffix rule.

In go a frame, the types its sender declares and the table's entry; out come the entry as it has to
be and the values by column. Every value that is not null is placed exactly once; nothing is written.

A value goes to the column of its name where that column's type holds it exactly. Else a number
column widens (int → long → real), if all its values survive it. Else the value goes to the column
of that name with the suffix of the value's type, which is how the Data Collector API keeps both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.repository.catalog import StoredColumn, TableEntry
from workbench.repository.conversion import convert
from workbench.repository.layout import SYSTEM_NAMES, TIME, check_name
from workbench.repository.physical import FRAME, normalized

#: Suffix and type of the columns that take values their own column can't hold, tried in order.
SUFFIXES: dict[ScalarType, tuple[tuple[str, ScalarType], ...]] = {
    T.STRING: (("_s", T.STRING),),
    T.BOOL: (("_b", T.BOOL),),
    T.INT: (("_d", T.REAL),),
    T.LONG: (("_d", T.REAL), ("_l", T.LONG)),
    T.REAL: (("_d", T.REAL),),
    T.DATETIME: (("_t", T.DATETIME),),
    T.GUID: (("_g", T.GUID),),
    T.DYNAMIC: (("_o", T.DYNAMIC),),
    T.DECIMAL: (("_n", T.DECIMAL),),
    T.TIMESPAN: (("_ts", T.TIMESPAN),),
}
_WIDENS: dict[tuple[ScalarType, ScalarType], ScalarType] = {
    (T.INT, T.LONG): T.LONG,
    (T.INT, T.REAL): T.REAL,
    (T.LONG, T.REAL): T.REAL,
}
_AS_TEXT = frozenset({T.BOOL, T.INT, T.LONG, T.REAL, T.DECIMAL, T.GUID})


@dataclass(frozen=True, slots=True)
class Placed:
    """Values by KQL column name, in the frame dtype of the column's type in `entry`.

    `renamed` maps a frame's column to the first other column that took values of it.
    """

    entry: TableEntry
    values: dict[str, pl.Series]
    renamed: dict[str, str]


def place(
    frame: pl.DataFrame,
    types: Mapping[str, ScalarType],
    entry: TableEntry,
    survives: Callable[[StoredColumn], bool],
) -> Placed:
    """Find the place of every value of `frame`.

    Parameters
    ----------
    frame : polars.DataFrame
    types : mapping
        KQL types of columns whose dtype does not tell them, and of columns to make.
    entry : TableEntry
    survives : callable
        Whether every value that a long column holds already is exact in a real.

    Raises
    ------
    WorkbenchError
        REP103, REP201 or REP202 for what no column can hold.
    """
    return _Placement(frame.height, entry, survives).run(frame, types)


class _Placement:
    def __init__(self, height: int, entry: TableEntry, survives: Callable[[StoredColumn], bool]) -> None:
        self.height = height
        self.entry = entry
        self.survives = survives
        self.values: dict[str, pl.Series] = {}
        self.renamed: dict[str, str] = {}

    def run(self, frame: pl.DataFrame, types: Mapping[str, ScalarType]) -> Placed:
        left: list[tuple[str, ScalarType, pl.Series]] = []
        for series in frame:
            name, declared = series.name, types.get(series.name)
            check_name("column", name)
            source, values = normalized(series)
            if source is None:
                if declared is None:
                    continue
                source, values = declared, values.cast(FRAME[declared])
            if name in SYSTEM_NAMES and name != TIME:
                if values.null_count() < len(values):
                    left.append((name, source, values))
                continue
            for kind, some in _as_declared(source, values, declared):
                rest = self.put(name, kind, declared or kind, some, always=True)
                if rest is not None:
                    left.append((name, kind, rest))
        for name, type_ in types.items():
            if name not in SYSTEM_NAMES and self.entry.find(name) is None:
                check_name("column", name)
                self.entry = self.entry.with_column(name, type_)
        # Only now: a frame's own column `X_s` goes before what is left over of `X`.
        for name, source, rest in left:
            self.spill(name, name, source, rest)
        return Placed(self.entry, self.values, self.renamed)

    def put(
        self, name: str, source: ScalarType, wanted: ScalarType, values: pl.Series, always: bool = False
    ) -> pl.Series | None:
        """Store what column `name` can take (a new one is of type `wanted`); gives back the rest, if any."""
        column = self.entry.find(name)
        target = wanted if column is None else column.type
        if source is T.STRING and target not in (T.STRING, T.DYNAMIC):
            values = values.replace("", None)  # an empty string is KQL's "no value"
        taken = convert(values, source, target)
        wider = _WIDENS.get((target, source))
        if column is not None and wider and _lost(values, taken) and self.widen(column, wider):
            taken = convert(values, source, wider)
        if column is None:
            if not always and taken.null_count() == self.height:
                return values
            self.entry = self.entry.with_column(name, target)
        before = self.values.get(name)
        if before is None:
            self.values[name] = taken
        else:
            free = before.is_null()
            taken = _where(free, taken)
            self.values[name] = _where(~free, before, taken)
        return _where(taken.is_null(), values) if _lost(values, taken) else None

    def widen(self, column: StoredColumn, type_: ScalarType) -> bool:
        if column not in self.entry.columns:
            return False
        before = self.values.get(column.name)
        if before is not None:
            after = convert(before, column.type, type_)
            if after.null_count() > before.null_count():
                return False
            self.values[column.name] = after
        if column.type is T.LONG and type_ is T.REAL and not self.survives(column):
            return False
        self.entry = self.entry.widened(column.name, type_)
        return True

    def spill(self, origin: str, base: str, source: ScalarType, rest: pl.Series) -> None:
        """Store `rest` in columns named `base` and a suffix."""
        name = base
        for suffix, type_ in SUFFIXES[source]:
            name = base + suffix
            after = self.put(name, source, type_, rest)
            if after is None or after.null_count() > rest.null_count():
                self.renamed.setdefault(origin, name)
            if after is None:
                return
            rest = after
        self.spill(origin, name, source, rest)


def _lost(values: pl.Series, taken: pl.Series) -> bool:
    return taken.null_count() > values.null_count()


def _as_declared(
    source: ScalarType, values: pl.Series, declared: ScalarType | None
) -> list[tuple[ScalarType, pl.Series]]:
    """The values by their type: text is what its sender declares it to be, where it looks like that."""
    if source is T.STRING and declared is T.DYNAMIC:
        return [(T.DYNAMIC, values)]  # JSON text: how dynamic travels in a frame
    if source is T.STRING and declared in (T.DECIMAL, T.GUID):
        values = values.replace("", None)
        some = convert(values, source, declared)
        parts: list[tuple[ScalarType, pl.Series]] = [(declared, some)]
        return [*parts, (source, _where(some.is_null(), values))] if _lost(values, some) else parts
    if source in _AS_TEXT and declared is T.STRING:
        return [(T.STRING, values.cast(pl.String))]
    return [(source, values)]


def _where(mask: pl.Series, then: pl.Series, otherwise: pl.Series | None = None) -> pl.Series:
    other = (
        pl.Series(then.name, [None], then.dtype).new_from_index(0, len(then))
        if otherwise is None
        else otherwise
    )
    return then.zip_with(mask, other)
