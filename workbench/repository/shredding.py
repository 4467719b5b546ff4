"""Making shredded columns: the frequent paths of JSON text as columns beside it.

In goes a frame that is about to become a data file, out come the columns to store beside it and their
descriptions. Which paths: those that many rows of a sample have, with short values. The JSON text
stays what is true; each value here is what reading the path in the text gives, by the same reader
(`base.json_values`), and what can't be held so is left to the text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from workbench.base.json_values import dumps, loads
from workbench.repository.layout import stored_name
from workbench.repository.shredded import Description, Keys, Kind, Place

_MOST = 128  # columns for one dynamic column
_SHARE = (
    0.001  # of the rows have a path that gets a column: one of rare events costs a few hundred bytes a file
)
_SHARE_OF_FEW, _ENOUGH = 0.02, 8
_DEPTH = 4  # keys in a path that gets a column
_LONGEST_KEY = 120
_LONGEST = 1024  # characters of a value that gets a column, on average
_LONGEST_REST = 512  # and of one in the rest
_REST_SHARE = 0.15  # of the text may be stored again as the rest, by the sample
_REST_LIMIT = 0.3  # and really
_LEFT_OUT = 64  # paths that the rest leaves to the text
_SAMPLE = 8_192
_CHUNK = 32_768


def shred(frame: pl.DataFrame, columns: Iterable[str]) -> tuple[pl.DataFrame, dict[str, Description]]:
    """The frame with the shredded columns of its dynamic columns, and what they are.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of one data file, stored names; not empty.
    columns : iterable of str
        The dynamic columns, JSON text each.

    Examples
    --------
    >>> frame = pl.DataFrame({"d": ['{"a":"x","n":{"b":1}}', None, '{"a":"y"}']})
    >>> frame, found = shred(frame, ["d"])
    >>> frame.columns, frame["d.n.b"].to_list(), found["d"].rest
    (['d', 'd.a', 'd.n.b'], [1, None, None], '')
    """
    found = {}
    for column in columns:
        try:
            made, found[column] = _shredded(frame[column])
        except RecursionError:  # deeper than the reader goes
            made, found[column] = [], Description({})
        frame = frame.with_columns(made)
    return frame, found


def _shredded(series: pl.Series) -> tuple[list[pl.Series], Description]:
    step = max(1, len(series) // _SAMPLE)
    choice = _chosen(series.gather_every(step).to_list())
    taker = _Taker(choice)
    for start in range(0, len(series), _CHUNK):
        taker.take(series.slice(start, _CHUNK).to_list())
    return _columns(series, choice, taker)


# ---- which paths ----------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """What a sample has at one path."""

    count: int = 0
    size: int = 0
    objects: int = 0
    inside: dict[str, _Seen] = field(default_factory=dict)

    def look(self, value: dict[str, Any], depth: int) -> None:
        for key, item in value.items():
            if item is None:
                continue
            seen = self.inside.get(key)
            if seen is None:
                seen = self.inside[key] = _Seen()
            seen.count += 1
            if type(item) is str:
                seen.size += len(item)
            elif type(item) is dict:
                seen.objects += 1
                if depth < _DEPTH:
                    seen.look(item, depth + 1)
                else:
                    seen.size += len(dumps(item) or "")
            else:
                seen.size += len(dumps(item) or "")

    def leaves(self, path: Keys = ()) -> Iterable[tuple[Keys, _Seen]]:
        for key, seen in self.inside.items():
            if seen.inside:
                yield from seen.leaves((*path, key))
            else:
                yield (*path, key), seen


@dataclass(frozen=True, slots=True)
class _Choice:
    """The paths that get columns, those that are left to the text, and whether there is a rest."""

    paths: list[Keys]
    text: list[Keys]
    rest: bool


def _chosen(texts: Sequence[str | None]) -> _Choice:
    root, total = _Seen(), 0
    for text in texts:
        value = loads(text) if text else None
        if type(value) is dict:
            root.look(value, 1)
            total += len(text or "")
    leaves = list(root.leaves())
    # In a small sample a few rows are many; one alone tells nothing.
    least = max(1, min(len(texts) * _SHARE_OF_FEW, _ENOUGH), len(texts) * _SHARE)
    frequent = [
        (path, seen)
        for path, seen in leaves
        if seen.count >= least
        and not seen.objects
        and seen.size <= _LONGEST * seen.count
        and len(path) <= _DEPTH
        and all(0 < len(key) <= _LONGEST_KEY for key in path)
    ]
    frequent.sort(key=lambda x: (-x[1].count, x[0]))
    paths = {path for path, _ in frequent[:_MOST]}
    # The rest is all others, without the long ones: those stand in the text alone.
    left = [(p, s) for p, s in leaves if p not in paths]
    left.sort(key=lambda x: (x[1].size <= _LONGEST_REST * x[1].count, -x[1].size, x[0]))
    size = sum(s.size + s.count * len(p[-1]) for p, s in left)
    to_text: list[Keys] = []
    for path, seen in left[:_LEFT_OUT]:
        if size <= total * _REST_SHARE and seen.size <= _LONGEST_REST * seen.count:
            break
        size -= seen.size + seen.count * len(path[-1])
        to_text.append(path)
    return _Choice(sorted(paths), to_text, size <= total * _REST_SHARE)


# ---- taking values out ----------------------------------------------------------------------

_Steps = dict[str, "int | _Steps | None"]  # the number of a column, steps into an object, or nothing kept


class _Taker:
    """Reads each JSON text once, and sorts its values into columns and rest."""

    def __init__(self, choice: _Choice) -> None:
        self._steps: _Steps = {}
        for number, path in enumerate(choice.paths):
            self._way(path)[path[-1]] = number
        for path in choice.text:
            self._way(path)[path[-1]] = None
        self._cells: list[list[Any]] = []
        self._wanted = len(choice.paths)
        self._with_rest = choice.rest
        self.parts: list[list[tuple[Kind, pl.Series] | None]] = []
        self.rest: list[pl.Series] | None = [] if choice.rest else None
        self.objects: set[int] = set()

    def _way(self, path: Keys) -> _Steps:
        steps = self._steps
        for key in path[:-1]:
            inner = steps.setdefault(key, {})
            assert isinstance(inner, dict)  # a path that has a column holds no objects
            steps = inner
        return steps

    def take(self, texts: Sequence[str | None]) -> None:
        """The values of the next rows."""
        self._cells = [[None] * len(texts) for _ in range(self._wanted)]
        rest: list[str | None] = [None] * len(texts)
        for row, text in enumerate(texts):
            value = loads(text) if text else None
            if type(value) is dict:
                left = self._sort(value, self._steps, row)
                if left and self._with_rest:
                    rest[row] = _rest_text(left)
        self.parts.append([_typed(cells) for cells in self._cells])
        if self.rest is not None:
            self.rest.append(pl.Series(rest, dtype=pl.String))

    def _sort(self, value: dict[str, Any], steps: _Steps, row: int) -> dict[str, Any]:
        left = {}
        for key, item in value.items():
            step = steps.get(key, _KEEP)
            if step is _KEEP:
                left[key] = item
            elif type(step) is int:
                self._cells[step][row] = item
                if type(item) is dict:
                    self.objects.add(step)
            elif type(step) is dict:
                if type(item) is not dict:
                    left[key] = item
                elif inner := self._sort(item, step, row):
                    left[key] = inner
        return left


_KEEP = object()


def _rest_text(value: dict[str, Any]) -> str:
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError):
        import json

        return json.dumps(value)  # integers beyond 64 bits, lone surrogates


def _typed(cells: list[Any]) -> tuple[Kind, pl.Series] | None:
    """Values of one path in one chunk as a column; None where they can't be one."""
    types = set(map(type, cells)) - {type(None)}
    if dict in types:
        return None
    try:
        if types <= {str}:
            return Kind.STRING, pl.Series(cells, dtype=pl.String)
        if types == {int} and all(v is None or -(2**63) <= v < 2**63 for v in cells):
            return Kind.LONG, pl.Series(cells, dtype=pl.Int64)
        if types == {bool}:
            return Kind.BOOL, pl.Series(cells, dtype=pl.Boolean)
        if types == {float} and all(v is None or math.isfinite(v) for v in cells):
            return Kind.REAL, pl.Series(cells, dtype=pl.Float64)
        return Kind.JSON, pl.Series([dumps(v) for v in cells], dtype=pl.String)
    except UnicodeEncodeError:  # a lone surrogate
        return None


# ---- columns --------------------------------------------------------------------------------


def _columns(series: pl.Series, choice: _Choice, taker: _Taker) -> tuple[list[pl.Series], Description]:
    made: list[pl.Series] = []
    places: dict[Keys, Place] = {}
    text = set(choice.text)
    used: set[str] = set()
    for number, path in enumerate(choice.paths):
        parts = [p[number] for p in taker.parts]
        joined = None if number in taker.objects else _joined(parts)
        if joined is None:
            text.add(path)
            continue
        kind, values = joined
        name = _name(series.name, path, used)
        made.append(values.alias(name))
        places[path] = Place(kind, name)
    rest = None if taker.rest is None else pl.concat(taker.rest)
    if rest is None or _bytes(rest) > _bytes(series) * _REST_LIMIT:
        return made, Description(places, frozenset(text), None)
    if rest.null_count() == len(rest):
        return made, Description(places, frozenset(text), "")
    made.append(rest.alias(f"{series.name}.*"))
    return made, Description(places, frozenset(text), made[-1].name)


def _bytes(texts: pl.Series) -> int:
    return int(texts.str.len_bytes().sum())


def _joined(parts: Sequence[tuple[Kind, pl.Series] | None]) -> tuple[Kind, pl.Series] | None:
    """The chunks of one path as one column: of their one kind, else as JSON text."""
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    kinds = {kind for kind, values in known if values.null_count() < len(values)}
    if len(kinds) <= 1:
        kind = next(iter(kinds), Kind.STRING)
        dtype = DTYPES[kind]
        return kind, pl.concat([v if k is kind else v.cast(dtype) for k, v in known])
    return Kind.JSON, pl.concat([_as_json(k, v) for k, v in known])


def _as_json(kind: Kind, values: pl.Series) -> pl.Series:
    if kind is Kind.JSON:
        return values
    return pl.Series([dumps(v) for v in values.to_list()], dtype=pl.String)


#: How each kind lies in a data file.
DTYPES: dict[Kind, pl.DataType] = {
    Kind.STRING: pl.String(),
    Kind.LONG: pl.Int64(),
    Kind.BOOL: pl.Boolean(),
    Kind.REAL: pl.Float64(),
    Kind.JSON: pl.String(),
    Kind.REST: pl.String(),
    Kind.TEXT: pl.String(),
}


def _name(column: str, path: Keys, used: set[str]) -> str:
    """A name in the file that no stored column has (they have no dot), nor another path in any case."""
    base = ".".join([column, *(stored_name(key, ()) for key in path)])
    name, number = base, 1
    while name.lower() in used:
        number += 1
        name = f"{base}~{number}"
    used.add(name.lower())
    return name
