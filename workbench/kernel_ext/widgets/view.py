"""The rows of a result as somebody looks at them: sorted, filtered, searched, grouped, a window at a time.

In goes a frame and an `Arrangement`, out come counts and frames of the rows between two positions. Polars does
the work over the whole result; nothing here knows of a browser.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema, parse_datetime, parse_timespan

T = ScalarType
_NUMBERS = frozenset({T.INT, T.LONG, T.REAL, T.DECIMAL})
_ORDERED = _NUMBERS | {T.DATETIME, T.TIMESPAN}
_ROW, _AT = "\0row", "\0at"
SIGNS = ("contains", "==", "!=", ">=", "<=")


@dataclass(frozen=True, slots=True)
class Condition:
    """`column sign text`, as somebody typed it; `text` None is null."""

    column: int
    sign: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the rows are looked at: keys of the sort (column, descending), conditions, a search, a group."""

    sort: tuple[tuple[int, bool], ...] = ()
    conditions: tuple[Condition, ...] = ()
    search: str = ""
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a window: a row of the result, or the head of a group with its number of rows."""

    row: int
    group: int | None = None
    count: int = 0
    opened: bool = False


class View:
    """One result, arranged.

    Examples
    --------
    >>> frame = pl.DataFrame({"host": ["b", "a", "b"], "n": [3, 1, 2]})
    >>> view = View(frame, (Column("host", T.STRING), Column("n", T.LONG)))
    >>> view.arrange(Arrangement(sort=((1, True),), conditions=(Condition(0, "==", "b"),)))
    >>> view.rows, [line.row for line in view.lines(0, 10)]
    (2, [0, 2])
    """

    def __init__(self, frame: pl.DataFrame, schema: Schema) -> None:
        self.frame = frame
        self.schema = schema
        self.arrangement = Arrangement()
        self._order: pl.Series | None = None
        self._groups: pl.DataFrame | None = None
        self._opened: list[int] = []

    @property
    def rows(self) -> int:
        """How many rows fulfil the conditions."""
        return self.frame.height if self._order is None else len(self._order)

    @property
    def height(self) -> int:
        """How many lines there are: rows, or heads of groups and the rows of those that are open."""
        if self._groups is None:
            return self.rows
        counts = self._groups["count"]
        return self._groups.height + sum(int(counts[g]) for g in self._opened)

    def arrange(self, wanted: Arrangement) -> None:
        """Arrange the rows anew.

        Raises
        ------
        WorkbenchError
            LAB301 for a text that is no value of the column's type.
        """
        order = self._ordered(wanted)
        groups = None if wanted.group is None else self._grouped(order, wanted.group)
        self.arrangement, self._order, self._groups, self._opened = wanted, order, groups, []

    def toggle(self, group: int) -> None:
        """Open a group, or close it."""
        if group in self._opened:
            self._opened.remove(group)
        elif self._groups is not None and 0 <= group < self._groups.height:
            self._opened = sorted([*self._opened, group])

    def lines(self, start: int, count: int) -> list[Line]:
        """The lines from a position on."""
        stop = min(start + count, self.height)
        start = max(0, start)
        if self._groups is None:
            return [Line(row) for row in self._rows_at(start, stop)]
        return self._grouped_lines(start, stop)

    def arranged(self) -> pl.DataFrame:
        """All rows that fulfil the conditions, in their order."""
        return self.frame if self._order is None else self.frame[self._order]

    def order(self) -> pl.Series | None:
        """The numbers of those rows; None for all rows as they are."""
        return self._order

    def position(self, row: int) -> int:
        """Where a row of the result stands in the arranged ones, or -1."""
        if self._order is None:
            return row
        found = (self._order == row).arg_true()
        return int(found[0]) if len(found) else -1

    # ---- order and conditions ---------------------------------------------------------------

    def _ordered(self, wanted: Arrangement) -> pl.Series | None:
        tests = [self._test(c) for c in wanted.conditions]
        if wanted.search:
            pattern = "(?i)" + pl.escape_regex(wanted.search)
            tests.append(pl.any_horizontal(_text(c).str.contains(pattern) for c in self.schema))
        if not tests and not wanted.sort:
            return None
        lazy = self.frame.lazy().with_row_index(_ROW)
        for test in tests:
            lazy = lazy.filter(test.fill_null(False))
        if wanted.sort:
            keys = [_key(self.schema[c]).alias(f"\0{n}") for n, (c, _) in enumerate(wanted.sort)]
            lazy = lazy.select(pl.col(_ROW), *keys).sort(
                [f"\0{n}" for n in range(len(keys))],
                descending=[d for _, d in wanted.sort],
                nulls_last=True,
                maintain_order=True,
            )
        return lazy.select(_ROW).collect()[_ROW]

    def _test(self, condition: Condition) -> pl.Expr:
        column = self.schema[condition.column]
        if condition.text is None:
            empty = pl.col(column.name).is_null()
            return ~empty if condition.sign == "!=" else empty
        if condition.sign == "contains":
            return _text(column).str.contains("(?i)" + pl.escape_regex(condition.text))
        value = _value(condition.text, column)
        key: Any = _key(column)
        if condition.sign == "!=":
            made: pl.Expr = (key != value).fill_null(True)
            return made
        made = {"==": key == value, ">=": key >= value, "<=": key <= value}[condition.sign]
        return made

    # ---- groups -----------------------------------------------------------------------------

    def _grouped(self, order: pl.Series | None, column: int) -> pl.DataFrame:
        """One row a group, largest first: its count and the numbers of its rows."""
        name = self.schema[column].name
        keyed = self.frame.select(pl.col(name).alias("value")).with_row_index(_ROW)
        if order is not None:
            keyed = keyed[order]
        keyed = keyed.with_row_index(_AT)
        return (
            keyed.lazy()
            .group_by("value")
            .agg(pl.col(_ROW).sort_by(_AT).alias("rows"), pl.len().alias("count"), pl.col(_AT).min())
            .sort(["count", _AT], descending=[True, False])
            .select("rows", "count")
            .collect()
        )

    def _grouped_lines(self, start: int, stop: int) -> list[Line]:
        groups = self._groups
        assert groups is not None  # the caller asked
        lines: list[Line] = []
        place, next_group = 0, 0
        for opened in [*self._opened, None]:
            last = groups.height if opened is None else opened + 1
            # Heads up to the open group, the open one included, …
            first_line, last_line = max(start, place), min(stop, place + last - next_group)
            for line in range(first_line, last_line):
                number = next_group + line - place
                rows = groups["rows"][number]
                lines.append(Line(int(rows[0]), number, len(rows), number == opened))
            place += last - next_group
            next_group = last
            if opened is None:
                break
            # … and its rows.
            rows = groups["rows"][opened]
            first_row, last_row = max(start, place), min(stop, place + len(rows))
            lines += [Line(int(r)) for r in rows[max(0, first_row - place) : max(0, last_row - place)]]
            place += len(rows)
        return lines

    def _rows_at(self, start: int, stop: int) -> Sequence[int]:
        if self._order is None:
            return range(start, stop)
        return [int(n) for n in self._order[start:stop]]


def has_order(kql: ScalarType) -> bool:
    """Whether `>=` means something for values of the type."""
    return kql in _ORDERED


def _key(column: Column) -> pl.Expr:
    """What the values are sorted and compared by."""
    return (
        pl.col(column.name).cast(pl.Float64, strict=False)
        if column.type is T.DECIMAL
        else pl.col(column.name)
    )


def _text(column: Column) -> pl.Expr:
    """What a search reads of a column, as the grid shows it but for thousands."""
    name = pl.col(column.name)
    if column.type is T.DATETIME:
        return name.dt.to_string("%Y-%m-%d %H:%M:%S%.3f")
    if column.type in (T.STRING, T.DYNAMIC, T.GUID):
        return name
    if column.type is T.TIMESPAN:
        return name.dt.to_string("iso:strict")
    return name.cast(pl.String)


def _value(text: str, column: Column) -> Any:
    """What was typed as a value of the column's type."""
    if column.type in (T.STRING, T.DYNAMIC, T.GUID):
        return text
    bare = text.strip().replace(",", "")
    try:
        if column.type is T.DATETIME:
            ticks = parse_datetime(text.strip())
            return pl.lit(_found(ticks) // 10).cast(pl.Datetime("us", "UTC"))
        if column.type is T.TIMESPAN:
            return pl.lit(_found(parse_timespan(text.strip())) // 10).cast(pl.Duration("us"))
        if column.type is T.BOOL:
            return {"true": True, "false": False}[bare.lower()]
        return int(bare) if column.type in (T.INT, T.LONG) and "." not in bare else float(bare)
    except (ValueError, KeyError):
        raise diagnostics.no_such_value(text, column.type.value) from None


def _found(ticks: int | None) -> int:
    if ticks is None:
        raise ValueError
    return ticks


def numbers_of(schema: Schema, names: Collection[str]) -> list[int]:
    """Places of the columns of these names, without regard to case."""
    wanted = {n.lower() for n in names}
    return [i for i, c in enumerate(schema) if c.name.lower() in wanted]
