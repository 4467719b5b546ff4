"""From typed columns to the one frame that the repository appends, and the rows that must not go in.

In go `Columns`, out come rows without a bad time, joined blocks, and a frame with its types. Inside
one frame a name has one type; where values have others, this follows the repository's rule: what
the column holds exactly goes there, the rest to the column with the suffix of its type. Must not
store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

import polars as pl

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType, Schema, find_column, format_datetime
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect import times
from workbench.collect.record import TIME, Columns
from workbench.repository.conversion import convert
from workbench.repository.layout import SYSTEM_NAMES
from workbench.repository.physical import FRAME
from workbench.repository.placement import SUFFIXES

MOST_AHEAD_US = 86_400_000_000
"""A `TimeGenerated` further ahead of now than a day is refused."""
_WIDER = {T.INT: 0, T.LONG: 1, T.REAL: 2}


def refuse_times(
    columns: Columns, now: int, refuse: Callable[[int, WorkbenchError], None]
) -> tuple[Columns, list[int]]:
    """Leave out the rows whose `TimeGenerated` is no time or lies more than a day ahead.

    Parameters
    ----------
    columns : Columns
        With `TimeGenerated` declared as datetime: values that are none have another type.
    now : int
        Microseconds since 1970.
    refuse : callable
        Told the row and the reason.

    Returns
    -------
    Columns, list of int
        What is left, and which rows those were.
    """
    moments = columns.series.get((TIME, T.DATETIME))
    latest = None if moments is None else cast("int | None", moments.to_physical().max())
    odd = any(name == TIME and type_ is not T.DATETIME for name, type_ in columns.series)
    if not odd and (latest is None or latest <= now + MOST_AHEAD_US):
        return columns, list(range(columns.height))
    bad = pl.Series([False]).new_from_index(0, columns.height)
    for (name, type_), series in columns.series.items():
        if name != TIME:
            continue
        if type_ is T.DATETIME:
            ahead = series.to_physical() > now + MOST_AHEAD_US
            wrong = ahead.fill_null(False)
        else:
            wrong = series.is_not_null()
        for row in wrong.arg_true().to_list():
            value = series[row]
            if type_ is T.DATETIME:
                refuse(row, diagnostics.in_the_future(format_datetime(int(series.to_physical()[row]) * 10)))
            else:
                refuse(row, diagnostics.no_time(str(value)))
        bad = bad | wrong
    kept = {key: s for key, s in columns.series.items() if key[0] != TIME or key[1] is T.DATETIME}
    columns = Columns(columns.height, kept)
    if not bad.any():
        return columns, list(range(columns.height))
    return columns.filter(~bad), (~bad).arg_true().to_list()


def joined(parts: Sequence[Columns]) -> Columns:
    """The parts one below the other."""
    if len(parts) == 1:
        return parts[0]
    keys: dict[tuple[str, ScalarType], None] = {}
    for part in parts:
        keys.update(dict.fromkeys(part.series))
    found = Columns(sum(part.height for part in parts))
    for key in keys:
        pieces = [part.series.get(key) for part in parts]
        dtype = next(piece.dtype for piece in pieces if piece is not None)
        found.series[key] = pl.concat(
            [
                _nothing(key[0], dtype, part.height) if piece is None else piece
                for part, piece in zip(parts, pieces, strict=True)
            ]
        )
    return found


def settled(
    columns: Columns, schema: Schema, declared: Mapping[str, ScalarType | None] = MappingProxyType({})
) -> tuple[pl.DataFrame, dict[str, ScalarType]]:
    """The columns as a frame, each name with one type.

    Parameters
    ----------
    columns : Columns
    schema : Schema
        The table as it is; empty for a new one.
    declared : mapping, optional
        Columns in their order; those with a type are there also if no record has a value for them.

    Returns
    -------
    DataFrame, dict
        With `TimeGenerated`, null where a record had none; and the types of all columns.

    Examples
    --------
    >>> from workbench.collect.record import columns_of
    >>> frame, _ = settled(columns_of([{"a": 1}, {"a": "2"}, {"a": "x"}]), ())
    >>> frame["a"].to_list(), frame["a_s"].to_list()
    ([1, 2, None], [None, None, 'x'])
    """
    by_name: dict[str, list[tuple[ScalarType, pl.Series]]] = {}
    for (name, type_), series in columns.series.items():
        by_name.setdefault(name, []).append((type_, series))
    placed: dict[str, tuple[ScalarType, pl.Series]] = {}
    left: list[tuple[str, ScalarType, pl.Series]] = []
    for name, pieces in by_name.items():
        known, wanted = find_column(schema, name), declared.get(name)
        if wanted in (None, T.DATETIME) and (known is None or known.type is T.DATETIME):
            pieces = [p for piece in pieces for p in _with_times(*piece, whole=known is None)]
        fresh = known is None or (name in SYSTEM_NAMES and name != TIME)
        if wanted is not None:
            # What was declared does not depend on which values came first: it is never widened.
            keeper = wanted if known is None or fresh else known.type
        else:
            keeper = _keeper(pieces) if known is None or fresh else _widened(known.type, pieces)
        kept, rest = _kept(pieces, keeper, alone=wanted is not None)
        if kept is not None:
            placed[name] = (keeper, kept)
        elif wanted is None:
            placed[name] = (rest[0][0], rest.pop(0)[1])
        left += [(name, type_, series) for type_, series in rest]
    for name, type_, series in left:
        _spill(placed, name, type_, series)
    placed.setdefault(TIME, (T.DATETIME, _nothing(TIME, FRAME[T.DATETIME], columns.height)))
    known_names = {column.name for column in schema}
    for name, wanted in declared.items():
        if wanted is not None and name not in placed and name not in known_names:
            placed[name] = (wanted, _nothing(name, FRAME[wanted], columns.height))
    order = [TIME, *(n for n in declared if n in placed and n != TIME)]
    order += [name for name in placed if name not in declared and name != TIME]
    frame = pl.DataFrame([placed[name][1].alias(name) for name in order])
    return frame, {name: placed[name][0] for name in order}


def _with_times(type_: ScalarType, series: pl.Series, whole: bool) -> list[tuple[ScalarType, pl.Series]]:
    """Text that is ISO time as datetime: only all of it (`whole`), or each value by itself."""
    if type_ is not T.STRING or (whole and not times.all_iso(series)):
        return [(type_, series)]
    found = times.iso(series)
    rest = series.zip_with(found.is_null(), _nothing(series.name, series.dtype, len(series)))
    pieces = [(T.DATETIME, found), (T.STRING, rest)]
    return [piece for piece in pieces if piece[1].null_count() < len(series)] or [(type_, series)]


def _keeper(pieces: Sequence[tuple[ScalarType, pl.Series]]) -> ScalarType:
    """The type of a new column: that of its first value, wider if it is a number among numbers."""
    firsts = [series.is_not_null().arg_max() or 0 for _, series in pieces]
    return _widened(pieces[firsts.index(min(firsts))][0], pieces)


def _widened(type_: ScalarType, pieces: Sequence[tuple[ScalarType, pl.Series]]) -> ScalarType:
    """The widest type of the numbers if the column is one of numbers and all are exact in it."""
    numbers = [(t, s) for t, s in pieces if t in _WIDER]
    if type_ not in _WIDER or not numbers:
        return type_
    widest = max([type_, *(t for t, _ in numbers)], key=_WIDER.__getitem__)
    exact = all(convert(s, t, widest).null_count() == s.null_count() for t, s in numbers)
    return widest if exact else type_


def _kept(
    pieces: Iterable[tuple[ScalarType, pl.Series]], keeper: ScalarType, alone: bool
) -> tuple[pl.Series | None, list[tuple[ScalarType, pl.Series]]]:
    """What fits the type `keeper`, and what does not; `alone`: also where it is one piece."""
    kept: pl.Series | None = None
    rest: list[tuple[ScalarType, pl.Series]] = []
    pieces = list(pieces)
    for type_, series in pieces:
        if len(pieces) == 1 and type_ is not keeper and not alone:
            return None, pieces  # the repository places a column of one type by itself
        fits = series
        if type_ is not keeper:
            if type_ is T.STRING and keeper is not T.DYNAMIC:
                series = series.replace("", None)
            fits = convert(series, type_, keeper)
            missing = fits.is_null() & series.is_not_null()
            if missing.any():
                left = series.zip_with(missing, _nothing(series.name, series.dtype, len(series)))
                rest.append((type_, left))
        kept = fits if kept is None else kept.zip_with(kept.is_not_null(), fits)
    if kept is not None and alone and kept.null_count() == len(kept):
        kept = None
    return kept, rest


def _spill(
    placed: dict[str, tuple[ScalarType, pl.Series]], name: str, type_: ScalarType, series: pl.Series
) -> None:
    """Put values into columns named `name` and the suffix of their type, behind what is there."""
    for suffix, wanted in SUFFIXES[type_]:
        target = name + suffix
        before = placed.get(target)
        if before is not None and before[0] is not wanted:
            continue
        fits = convert(series, type_, wanted)
        free = fits.is_not_null()
        if before is not None:
            free = free & before[1].is_null()
            fits = before[1].zip_with(before[1].is_not_null(), fits)
        if not free.any():
            continue
        placed[target] = (wanted, fits)
        series = series.zip_with(~free, _nothing(series.name, series.dtype, len(series)))
        if series.null_count() == len(series):
            return
    if series.null_count() < len(series):
        _spill(placed, name + SUFFIXES[type_][-1][0], type_, series)


def _nothing(name: str, dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series(name, [None], dtype).new_from_index(0, height)
