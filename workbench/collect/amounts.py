"""How much each table took in an hour, as rows of `Usage`: counted in memory and on disk, so that a kill loses nothing.

In go amounts as they are stored, out comes a part of a delivery. Each amount is also a line of a file that the next
process reads: written to the system at once, without waiting for the disk, because a process that is killed loses what
is in its memory and no more. Must not store.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType as T
from workbench.collect.batch import Part
from workbench.collect.record import TIME, Columns
from workbench.repository.physical import UTC_MICROSECONDS

log = logging.getLogger("workbench.intake")
USAGE = "Usage"
TYPES = {
    "DataType": T.STRING, "Solution": T.STRING, "Quantity": T.REAL, "QuantityUnit": T.STRING, "IsBillable": T.BOOL,
    "StartTime": T.DATETIME, "EndTime": T.DATETIME, "Records": T.LONG,
}  # fmt: skip
HOUR_US = 3_600_000_000
_MOST_LINES = 20_000
Amounts = dict[tuple[int, str], list[int]]
"""By hour (µs since 1970) and table: rows and bytes."""


class Journal:
    """Amounts that are not told yet, in a file of this process alone. Not safe for threads.

    Parameters
    ----------
    path : Path
        Read if it is there: what an earlier process left.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "amounts")
    >>> Journal(path).add(0, "App", 3, 90)
    >>> Journal(path).found
    {(0, 'App'): [3, 90]}
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found = _read(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.replace(self.found)

    def add(self, hour: int, table: str, rows: int, size: int) -> None:
        """Note an amount."""
        with _without_room(), self._path.open("ab", buffering=0) as file:
            file.write(orjson.dumps([hour, table, rows, size]) + b"\n")
        self._lines += 1

    @property
    def is_long(self) -> bool:
        """Whether it is time to write it again, with a line for each table and hour."""
        return self._lines > _MOST_LINES

    def replace(self, *kept: Amounts) -> None:
        """Keep these amounts and no others."""
        fresh = self._path.with_suffix(".new")
        lines = [orjson.dumps([*place, *told]) + b"\n" for amounts in kept for place, told in amounts.items()]
        self._lines = 0
        with _without_room():
            fresh.write_bytes(b"".join(lines))
            os.replace(fresh, self._path)


@contextmanager
def _without_room() -> Iterator[None]:
    """A disk that takes nothing must not fail the delivery that was stored before: the amounts are in memory."""
    try:
        yield
    except OSError as why:
        log.warning("amounts for Usage can't be kept on disk: %s", why)


def _read(path: Path) -> Amounts:
    """The amounts of a file; a line that was not written to its end counts as none."""
    found: Amounts = {}
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return found
    for line in lines[:-1]:
        try:
            hour, table, rows, size = orjson.loads(line)
            add(found, int(hour), str(table), int(rows), int(size))
        except (ValueError, TypeError):
            continue
    return found


def add(amounts: Amounts, hour: int, table: str, rows: int, size: int) -> None:
    """Add to an amount."""
    told = amounts.setdefault((hour, table), [0, 0])
    told[0] += rows
    told[1] += size


def usage(amounts: Amounts, now: int) -> Part:
    """Amounts of hours as rows of `Usage`; one of an hour that runs ends now."""
    return usage_rows(
        (table, hour, min(hour + HOUR_US, now), rows, size) for (hour, table), (rows, size) in amounts.items()
    )


def usage_rows(rows: Iterable[tuple[str, int, int, int, int]]) -> Part:
    """Rows of `Usage`, each of a table, start, end (µs since 1970), records and bytes."""
    tables, starts, ends, records, sizes = (list(column) for column in zip(*rows, strict=True))
    count = len(tables)
    columns = Columns(count, {(TIME, T.DATETIME): _times(TIME, ends)})
    columns.series |= {
        ("DataType", T.STRING): pl.Series("DataType", tables, pl.String),
        ("Quantity", T.REAL): pl.Series("Quantity", [size / 1e6 for size in sizes], pl.Float64),
        ("QuantityUnit", T.STRING): pl.Series("QuantityUnit", ["MBytes"] * count, pl.String),
        ("IsBillable", T.BOOL): pl.Series("IsBillable", [False] * count, pl.Boolean),
        ("StartTime", T.DATETIME): _times("StartTime", starts),
        ("EndTime", T.DATETIME): _times("EndTime", ends),
        ("Records", T.LONG): pl.Series("Records", records, pl.Int64),
    }
    return Part(USAGE, columns, TYPES)


def _times(name: str, values: list[int]) -> pl.Series:
    return pl.Series(name, values, pl.Int64).cast(UTC_MICROSECONDS)
