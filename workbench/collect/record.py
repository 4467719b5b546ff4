"""Records as typed columns: which KQL type each value has, and which column of a table it goes to.

In go records (dicts of JSON or Python values), out come `Columns`, and in the end one frame that the
repository can append. Values are converted only where nothing of them is lost; what a column can't
hold goes to a column with the suffix of its type, by the repository's own rule. Must not store.

A value that is null is left out, as the Data Collector API does. Numbers of one column are long, or
real once one of them has a fraction; whole numbers that a long can't hold stay text, exactly.
Objects and lists are dynamic. Text is text, but where every text of a column that is new to its
table is ISO 8601 with a zone, the column is datetime.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import Any

import orjson
import polars as pl

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType, parse_timespan
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect import times
from workbench.repository.conversion import EXACT_IN_REAL, convert
from workbench.repository.physical import FRAME

TIME = "TimeGenerated"
_LONGEST_NAME = 1024
_LEVELS = 254  # as deep as orjson writes
Record = dict[str, Any]


@dataclass(slots=True)
class Columns:
    """Values by name and type; a row has its value of a name in at most one of the types.

    Attributes
    ----------
    height : int
        How many rows.
    series : dict
        In order of first appearance; null where a row has no value of that name and type.
    """

    height: int
    series: dict[tuple[str, ScalarType], pl.Series] = field(default_factory=dict)

    def filter(self, mask: pl.Series) -> Columns:
        """Only the rows where `mask` is true, and the columns of which they have a value."""
        height = int(mask.sum())
        left = {key: s.filter(mask) for key, s in self.series.items()}
        return Columns(height, {key: s for key, s in left.items() if s.null_count() < height})


class Unstorable(Exception):
    """One record can't become a row; `index` counts from 0 in the records that were given."""

    def __init__(self, index: int, why: WorkbenchError) -> None:
        super().__init__(why.message)
        self.index = index
        self.why = why


Shape = tuple[tuple[str, ...], list[int], list[Record]]
"""Field names, the index of each record that has just these, and those records."""


def by_shape(records: Iterable[Record]) -> list[Shape]:
    """The records grouped by their field names in order.

    Real records have few shapes, and the columns of one shape can be cut out without a look at
    each value.

    Examples
    --------
    >>> by_shape([{"a": 1}, {"b": 2}, {"a": 3}])
    [(('a',), [0, 2], [{'a': 1}, {'a': 3}]), (('b',), [1], [{'b': 2}])]
    """
    records = list(records)
    rows: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, names in enumerate(map(tuple, records)):
        rows[names].append(index)
    return [(names, some, [records[i] for i in some]) for names, some in rows.items()]


class Gathered:
    """Lists of values by column name, filled group by group, with gaps where a group lacks a name."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.lists: dict[str, list[Any]] = {}
        self._groups = 0

    def add(self, rows: Sequence[int], columns: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Add a group: the index of each of its rows, and its values by name."""
        before = len(self.rows)
        for name, values in columns:
            into = self.lists.get(name)
            if into is None:
                into = self.lists[name] = []
            if len(into) < before:
                into.extend(repeat(None, before - len(into)))
            into.extend(values)
        self.rows.extend(rows)
        self._groups += 1

    def drop(self, row: int) -> None:
        """Take the row with that index out again."""
        place = self.rows.index(row)
        del self.rows[place]
        for values in self.lists.values():
            del values[place : place + 1]

    def columns(self, types: Mapping[str, ScalarType] | None = None) -> Columns:
        """The values as typed columns, rows in the order of their index.

        Parameters
        ----------
        types : mapping, optional
            Declared types; values that a declared type can't hold keep their own.
        """
        self._put_in_order()
        height = len(self.rows)
        found = Columns(height)
        for name, values in self.lists.items():
            try:
                pieces = typed(name, values)
            except Unstorable as bad:
                raise Unstorable(self.rows[bad.index], bad.why) from None
            if types and name in types:
                pieces = declared(pieces, types[name])
            for type_, series in pieces:
                found.series[name, type_] = series
        return found

    def _put_in_order(self) -> None:
        """Rows by their index, each list as long as there are rows."""
        height = len(self.rows)
        for values in self.lists.values():
            values.extend(repeat(None, height - len(values)))
        if self._groups > 1 and height > 1:
            # Here and not in the engine: many short columns are put in order sooner than it is called for them.
            pick = itemgetter(*sorted(range(height), key=self.rows.__getitem__))
            self.lists = {name: list(pick(values)) for name, values in self.lists.items()}
            self.rows = list(pick(self.rows))
        self._groups = min(self._groups, 1)


def columns_of(records: Sequence[Record]) -> Columns:
    """All fields of records as columns of their own.

    Raises
    ------
    Unstorable
        For a field name that no column can have, or a Python value that KQL has no type for.

    Examples
    --------
    >>> {k: s.to_list() for k, s in columns_of([{"a": 1}, {"a": "x", "b": None}]).series.items()}
    {('a', long): [1, None], ('a', string): [None, 'x']}
    """
    return gathered(by_shape(records)).columns({TIME: T.DATETIME})


def gathered(shapes: Iterable[Shape]) -> Gathered:
    """All fields of the records, by name; raises `Unstorable` for a name that no column can have."""
    found = Gathered()
    for names, rows, records in shapes:
        bad = bad_name(names)
        if bad is not None:
            raise Unstorable(rows[0], diagnostics.bad_field_name(bad))
        found.add(rows, zip(names, cells(records), strict=True))
    return found


def cells(records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    """The values of records of one shape, by field."""
    return zip(*map(dict.values, records), strict=True)


def bad_name(names: Iterable[str]) -> str | None:
    """The first of `names` that can't be a column's."""
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
            return str(name)
    return None


# ---- types of values ------------------------------------------------------------------------

_Pieces = list[tuple[ScalarType, pl.Series]]
_NO_VALUE = type(None)


def typed(name: str, values: Sequence[Any]) -> _Pieces:
    """The values of one column by KQL type, in order of first appearance; nothing for no value."""
    kinds = set(map(type, values))
    kinds.discard(_NO_VALUE)
    if not kinds:
        return []
    if len(kinds) == 1:
        (kind,) = kinds
        build = _BUILDERS.get(kind)
        if build is not None:
            return build(name, values)
    return _mixed(name, values, kinds)


def _mixed(name: str, values: Sequence[Any], kinds: set[type]) -> _Pieces:
    if kinds == {int, float} and all(v is None or -EXACT_IN_REAL <= v <= EXACT_IN_REAL for v in values):
        return [(T.REAL, pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64))]
    family: dict[type, Any] = {}
    firsts: dict[Any, int] = {}
    for index, value in enumerate(values):
        kind = type(value)
        if kind is _NO_VALUE:
            continue
        if kind not in family:
            family[kind] = _builder_of(kind)
            if family[kind] is None:
                raise Unstorable(index, diagnostics.no_kql_value(name, kind.__name__))
        firsts.setdefault(family[kind], index)
    pieces: dict[ScalarType, pl.Series] = {}
    for build in sorted(firsts, key=firsts.__getitem__):
        chosen = [v if v is not None and family[type(v)] is build else None for v in values]
        for type_, series in build(name, chosen):
            # Whole numbers beyond 64 bits are text already: they join the column's other texts.
            before = pieces.get(type_)
            pieces[type_] = series if before is None else before.zip_with(before.is_not_null(), series)
    return list(pieces.items())


def _texts(name: str, values: Sequence[Any]) -> _Pieces:
    try:
        return [(T.STRING, pl.Series(name, values, pl.String))]
    except UnicodeEncodeError:
        # A lone surrogate can't come from a file; a Python caller can have one.
        kept = [None if v is None else v.encode("utf-8", "backslashreplace").decode() for v in values]
        return [(T.STRING, pl.Series(name, kept, pl.String))]


def _wholes(name: str, values: Sequence[Any]) -> _Pieces:
    try:
        return [(T.LONG, pl.Series(name, values, pl.Int64))]
    except (OverflowError, TypeError):
        low, high = -(2**63), 2**63
        inside = [v if v is not None and low <= v < high else None for v in values]
        outside = [None if v is None or low <= v < high else str(v) for v in values]
        pieces = [
            (T.LONG, pl.Series(name, inside, pl.Int64)),
            (T.STRING, pl.Series(name, outside, pl.String)),
        ]
        return [piece for piece in pieces if piece[1].null_count() < len(values)]


def _reals(name: str, values: Sequence[Any]) -> _Pieces:
    return [(T.REAL, pl.Series(name, values, pl.Float64))]


def _bools(name: str, values: Sequence[Any]) -> _Pieces:
    return [(T.BOOL, pl.Series(name, values, pl.Boolean))]


def _nested(name: str, values: Sequence[Any]) -> _Pieces:
    texts: list[str | None] = []
    for index, value in enumerate(values):
        try:
            texts.append(None if value is None else json_text(value))
        except (TypeError, ValueError) as e:
            found = f"{type(value).__name__} ({e})"
            raise Unstorable(index, diagnostics.no_kql_value(name, found)) from e
    return [(T.DYNAMIC, pl.Series(name, texts, pl.String))]


def json_text(value: Any) -> str:
    """A value as the JSON text that a dynamic column holds.

    Raises
    ------
    TypeError
        For a value, or one inside it, that JSON has no word for.
    """
    try:
        return orjson.dumps(value, default=_json_default, option=_JSON).decode()
    except TypeError:
        if not _has_wide_numbers(value):
            raise
    return json.dumps(
        value, default=_json_default, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )


def _has_wide_numbers(value: Any) -> bool:
    """Whether all that keeps a value from being written are whole numbers beyond 64 bits."""
    found, levels = False, 0
    inner = [value]
    while inner and levels < _LEVELS:
        levels += 1
        level, inner = inner, []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list | tuple):
                inner.extend(one)
            elif isinstance(one, int) and not -(2**63) <= one < 2**64:
                found = True
    return found and not inner


def _times(name: str, values: Sequence[Any]) -> _Pieces:
    aware = [_in_utc(v) for v in values]
    return [(T.DATETIME, pl.Series(name, aware, pl.Datetime("us")).dt.replace_time_zone("UTC"))]


def _spans(name: str, values: Sequence[Any]) -> _Pieces:
    return [(T.TIMESPAN, pl.Series(name, values, pl.Duration("us")))]


def _decimals(name: str, values: Sequence[Any]) -> _Pieces:
    return [(T.DECIMAL, pl.Series(name, [None if v is None else format(v, "f") for v in values], pl.String))]


def _guids(name: str, values: Sequence[Any]) -> _Pieces:
    return [(T.GUID, pl.Series(name, [None if v is None else str(v) for v in values], pl.String))]


_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
_BUILDERS: dict[type, Callable[[str, Sequence[Any]], _Pieces]] = {
    str: _texts,
    int: _wholes,
    float: _reals,
    bool: _bools,
    dict: _nested,
    list: _nested,
    tuple: _nested,
    dt.datetime: _times,
    dt.date: _times,
    dt.timedelta: _spans,
    decimal.Decimal: _decimals,
    uuid.UUID: _guids,
}


def _builder_of(kind: type) -> Callable[[str, Sequence[Any]], _Pieces] | None:
    # Subclasses (enums, NumPy's float64) count as what they derive from.
    return next((_BUILDERS[base] for base in kind.__mro__ if base in _BUILDERS), None)


def _in_utc(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


def _json_default(value: Any) -> Any:
    if isinstance(value, dt.timedelta | decimal.Decimal | set | frozenset):
        return list(value) if isinstance(value, set | frozenset) else str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


# ---- declared types -------------------------------------------------------------------------


def declared(pieces: _Pieces, wanted: ScalarType) -> _Pieces:
    """Pieces of one column with all that fits turned to the type `wanted`; the rest keeps its own.

    Examples
    --------
    >>> pieces = declared(typed("a", ["7", 8, "x"]), ScalarType.INT)
    >>> [(t, s.to_list()) for t, s in pieces]
    [(int, [7, 8, None]), (string, [None, None, 'x'])]
    """
    whole: pl.Series | None = None
    rest: _Pieces = []
    if len(pieces) == 1 and pieces[0][0] is wanted:
        return pieces
    for type_, series in pieces:
        if type_ is T.STRING and wanted not in (T.STRING, T.DYNAMIC) and (series == "").any():
            series = series.replace("", None)
        fits = as_type(series, type_, wanted)
        left = series.zip_with(fits.is_null(), series.clear(len(series))) if fits.has_nulls() else None
        if left is not None and left.null_count() < len(left):
            rest.append((type_, left))
        whole = fits if whole is None else whole.zip_with(whole.is_not_null(), fits)
    return [] if whole is None else [(wanted, whole), *rest]


def as_type(series: pl.Series, source: ScalarType, wanted: ScalarType) -> pl.Series:
    """The values as another type, null where one has no counterpart."""
    if source is wanted:
        return series
    if wanted is T.STRING and source in _AS_TEXT:
        return series.cast(pl.String)
    if source is T.STRING and wanted is T.DATETIME:
        return times.time_of(series)
    if source is T.STRING and wanted is T.TIMESPAN:
        ticks = [None if v is None else parse_timespan(v) for v in series.to_list()]
        return pl.Series(series.name, [None if t is None else t // 10 for t in ticks], pl.Int64).cast(
            FRAME[T.TIMESPAN]
        )
    if source is T.STRING and wanted is T.DYNAMIC:
        return pl.Series(
            series.name, [None if v is None else _json_of(v) for v in series.to_list()], pl.String
        )
    return convert(series, source, wanted)


_AS_TEXT = frozenset({T.BOOL, T.INT, T.LONG, T.REAL, T.DECIMAL, T.GUID, T.DYNAMIC})


def _json_of(text: str) -> str:
    # Exports write dynamic columns as text that holds an object or a list.
    if text[:1] in "{[" and text:
        try:
            return orjson.dumps(orjson.loads(text)).decode()
        except orjson.JSONDecodeError:
            pass
    return orjson.dumps(text).decode()
