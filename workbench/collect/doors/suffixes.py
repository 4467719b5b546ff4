"""The Data Collector's rule of suffixes: which column a property of a record goes to.

In go records and the columns that the table has, out come typed columns. `_s` text, `_b` bool, `_d` number, `_t`
ISO date-time, `_g` text that looks like a GUID; objects and arrays are text. A value goes to the column of its own
kind where there is one; else text goes to the first column of that property that can hold it (`"2.0"` to `number_d`);
else a column of its own kind is made. Numbers, bools and objects are never turned into something else. Must not store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from workbench.base.diagnostics import data_collector as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.base.dtypes import parse_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect import times
from workbench.collect.record import Columns
from workbench.repository.physical import MAX_MICROSECONDS, MIN_MICROSECONDS

VALUE_BYTES = 32_768
_TYPES = {"s": T.STRING, "b": T.BOOL, "d": T.REAL, "t": T.DATETIME, "g": T.STRING}
_GUID = r"^[0-9A-Fa-f]{32}$|^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})?$"
_NUMBER = re.compile(r"\s*[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?\s*")
_guid, _time = re.compile(_GUID), re.compile(_TIME)
_EXACT = 2**53


@dataclass(slots=True)
class Known:
    """Which columns properties have, as they come to be: property → suffixes in order of appearance."""

    suffixes: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Iterable[str]) -> Known:
        """From the names of a table's columns.

        Examples
        --------
        >>> Known.of(["a_d", "a_s", "b_c_t", "plain"]).suffixes
        {'a': ['d', 's'], 'b_c': ['t']}
        """
        found = cls()
        for column in columns:
            name, line, suffix = column.rpartition("_")
            if line and name and suffix in _TYPES:
                found.add(name, suffix)
        return found

    def add(self, name: str, suffix: str) -> None:
        there = self.suffixes.setdefault(name, [])
        if suffix not in there:
            there.append(suffix)

    def count(self) -> int:
        return sum(map(len, self.suffixes.values()))

    def suffix(self, name: str, value: Any) -> str:
        """Where a value that is not None goes.

        Examples
        --------
        >>> known = Known.of(["n_d", "flag_b"])
        >>> known.suffix("n", "2.0"), known.suffix("n", "x"), known.suffix("flag", 1), known.suffix("new", True)
        ('d', 's', 'd', 'b')
        """
        own = kind_of(value)
        there = self.suffixes.get(name)
        if not there or own in there or not isinstance(value, str):
            return own
        return next((s for s in there if s == "s" or _converted(value, s) is not None), own)


def kind_of(value: Any) -> str:
    """The suffix of a value by itself.

    Examples
    --------
    >>> [kind_of(v) for v in ("x", True, 1, "2016-05-12T20:00:00Z", "8145d82213a744ad859c36f31a84f6dd", {})]
    ['s', 'b', 'd', 't', 'g', 's']
    """
    if isinstance(value, str):
        if _guid.fullmatch(value):
            return "g"
        return "t" if _time.fullmatch(value) and _converted(value, "t") is not None else "s"
    if isinstance(value, bool):
        return "b"
    return "d" if isinstance(value, int | float) else "s"


def _converted(text: str, suffix: str) -> Any:
    """Text as a value of another kind's column; None where it is none."""
    if suffix == "d":
        number = float(text) if len(text) <= 400 and _NUMBER.fullmatch(text) else None
        return None if number in (float("inf"), float("-inf")) else number
    if suffix == "b":
        return {"true": True, "false": False}.get(text.strip().lower())
    if suffix == "t":
        ticks = parse_datetime(text) if text[4:5] == "-" else None
        return ticks // 10 if ticks is not None and _in_calendar(ticks // 10) else None
    return _dashed(text) if _guid.fullmatch(text) else None


def _in_calendar(us: int) -> bool:
    return MIN_MICROSECONDS <= us <= MAX_MICROSECONDS


def _dashed(guid: str) -> str:
    if "-" in guid:
        return guid
    return "-".join((guid[:8], guid[8:12], guid[12:16], guid[16:20], guid[20:]))


# ---- columns ---------------------------------------------------------------------------------

Refuse = Callable[[int, WorkbenchError], None]


@dataclass(slots=True)
class Changes:
    """How many values are not as they came."""

    cut: int = 0
    rounded: int = 0


def place(
    found: Columns, name: str, values: Sequence[Any], known: Known, refuse: Refuse, changes: Changes
) -> None:
    """Put the values of one property into the columns that they belong to.

    Parameters
    ----------
    found : Columns
        Gets the columns.
    name : str
        The property.
    values : sequence
        By row; None is no value.
    known : Known
        Gets columns that are new.
    refuse : callable
        Told of rows whose value no column can hold.
    changes : Changes
        Counts what was cut and rounded.
    """
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if not kinds:
        return
    if kinds <= {int, float}:
        _put(found, name, "d", values, known, refuse, changes)
    elif kinds == {bool}:
        _put(found, name, "b", values, known, refuse, changes)
    elif kinds == {str} and (suffix := _one_kind(name, values, known)) is not None:
        _put(found, name, suffix, values, known, refuse, changes)
    else:
        _one_by_one(found, name, values, known, refuse, changes)


def _one_kind(name: str, texts: Sequence[str | None], known: Known) -> str | None:
    """The column that all texts go to, if that can be told without a look at each."""
    there = known.suffixes.get(name, [])
    if there == ["s"]:
        return "s"
    if not set(there) <= {"s", "g"}:
        return None
    series = _text_series(name, texts)
    given = len(series) - series.null_count()
    guids = int(series.str.contains(_GUID).sum())
    if given == guids and there != ["s"]:
        return "g"
    timely = bool(series.str.contains(_TIME).any())
    if not there and not guids and timely:
        read = times.time_of(series)
        return "t" if series.str.contains(_TIME).sum() == given == len(read) - read.null_count() else None
    return None if guids or timely else "s"


def _one_by_one(
    found: Columns, name: str, values: Sequence[Any], known: Known, refuse: Refuse, changes: Changes
) -> None:
    by_suffix: dict[str, list[Any]] = {}
    for row, value in enumerate(values):
        if value is None:
            continue
        suffix = known.suffix(name, value)
        known.add(name, suffix)
        if suffix not in by_suffix:
            by_suffix[suffix] = [None] * len(values)
        by_suffix[suffix][row] = value
    for suffix, chosen in by_suffix.items():
        _put(found, name, suffix, chosen, known, refuse, changes)


def _put(
    found: Columns,
    name: str,
    suffix: str,
    values: Sequence[Any],
    known: Known,
    refuse: Refuse,
    changes: Changes,
) -> None:
    known.add(name, suffix)
    column = f"{name}_{suffix}"
    if suffix == "d":
        series = _numbers(column, values, lambda row: refuse(row, diagnostics.no_number(name)), changes)
    elif suffix == "b":
        flags = [_converted(v, "b") if isinstance(v, str) else v for v in values]
        series = pl.Series(column, flags, pl.Boolean)
    elif suffix == "t":
        series = times.time_of(_text_series(column, values))
    elif suffix == "g":
        series = pl.Series(column, [None if v is None else _dashed(v) for v in values], pl.String)
    else:
        texts = _texts(values, lambda row: refuse(row, diagnostics.too_deep(name)))
        series = cut(_text_series(column, texts), changes)
    found.series[column, _TYPES[suffix]] = series


def _numbers(name: str, values: Sequence[Any], refuse: Callable[[int], None], changes: Changes) -> pl.Series:
    numbers: list[float | None] = []
    for row, value in enumerate(values):
        if value is None:
            numbers.append(None)
            continue
        number = _number(value)
        if type(value) is int and not -_EXACT <= value <= _EXACT and number != value:
            changes.rounded += 1
        if number is None or number in (float("inf"), float("-inf")):
            refuse(row)
            number = None
        numbers.append(number)
    return pl.Series(name, numbers, pl.Float64)


def _number(value: int | float | str) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _texts(values: Sequence[Any], refuse: Callable[[int], None]) -> list[str | None]:
    texts: list[str | None] = []
    for row, value in enumerate(values):
        if value is None or isinstance(value, str):
            texts.append(value)
            continue
        try:
            texts.append(orjson.dumps(value).decode())
        except TypeError:  # nested deeper than the writer goes, or a lone surrogate in it
            refuse(row)
            texts.append(None)
    return texts


def _text_series(name: str, texts: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(name, texts, pl.String)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can escape and no text can hold
        kept = [None if v is None else v.encode("utf-8", "backslashreplace").decode() for v in texts]
        return pl.Series(name, kept, pl.String)


def cut(texts: pl.Series, changes: Changes) -> pl.Series:
    """Texts no longer than `VALUE_BYTES`, cut between characters."""
    long = (texts.str.len_bytes() > VALUE_BYTES).fill_null(False)
    if not long.any():
        return texts
    changes.cut += int(long.sum())
    kept = [
        v if not is_long or v is None else v.encode()[:VALUE_BYTES].decode("utf-8", "ignore")
        for v, is_long in zip(texts.to_list(), long.to_list(), strict=True)
    ]
    return pl.Series(texts.name, kept, pl.String)
