"""Deliveries as rows for the spool, the quick way where columns fit their table as they are.

In go a part of a delivery and the repository, out come `Rows`. Most deliveries of a sender look like the one before: a
column whose type is its table's needs no look at its values. Only what is new or of another type goes through
`settled` and the repository's placement, which know all rules. Must not store.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.collect.batch import Part
from workbench.collect.record import Columns
from workbench.collect.settling import settled
from workbench.repository.layout import SYSTEM_NAMES, TIME
from workbench.repository.physical import FRAME
from workbench.repository.spool.writer import Rows
from workbench.repository.tables import Repository

#: Types whose values in a frame are those in a file, nothing to be checked.
_PLAIN = frozenset({T.STRING, T.LONG, T.REAL, T.BOOL, T.DATETIME, T.DYNAMIC})


def rows_of(repository: Repository, part: Part) -> Rows:
    """The rows of a part; the table and its columns are in the catalog when this returns.

    Raises
    ------
    WorkbenchError
        REP103, REP201 or REP202 for what no column can hold, REP005 disk.
    """
    schema = repository.expected(part.table)
    known = {c.name: c.type for c in schema}
    plain, other = _parted(part.columns, known)
    if not other.series and plain and all(name in known for name in part.declared):
        return repository.placed_plain(part.table, plain)
    frame, types = settled(other, schema, part.declared)
    if TIME in plain:
        frame.drop_in_place(TIME)
        types.pop(TIME)
    if plain and not plain.keys() & _reached(frame, types, known):
        return repository.placed_plain(part.table, plain, frame, types)
    frame, types = settled(part.columns, schema, part.declared)
    return repository.placed(part.table, frame, types)


def _parted(columns: Columns, known: Mapping[str, ScalarType]) -> tuple[dict[str, pl.Series], Columns]:
    """Columns that fit as they are, by name, and the others."""
    several: dict[str, int] = {}
    for name, _ in columns.series:
        several[name] = several.get(name, 0) + 1
    plain: dict[str, pl.Series] = {}
    other = Columns(columns.height)
    for (name, type_), series in columns.series.items():
        fits = (
            several[name] == 1
            and type_ in _PLAIN
            and known.get(name) is type_
            and series.dtype == FRAME[type_]
        )
        if fits and (name == TIME or name not in SYSTEM_NAMES):
            plain[name] = series
        else:
            other.series[name, type_] = series
    return plain, other


def _reached(
    frame: pl.DataFrame, types: Mapping[str, ScalarType], known: Mapping[str, ScalarType]
) -> set[str]:
    """The columns that values of a frame may come to lie in: their own, and those with a suffix of a type."""
    found = set(frame.columns) | set(types)
    odd = [n for n in frame.columns if known.get(n) is not types.get(n)]
    return found | {k for k in known if any(k.startswith(f"{n}_") for n in odd)}
