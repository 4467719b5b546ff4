"""Comma-separated values with a header line; also with semicolons, tabs or bars between.

The types of a file's columns are found in its first block (8 MiB): bool, long, real, datetime (ISO
8601 with a zone), where every cell of it that holds something is one, else string. Numbers with
leading zeros and with more digits than a real has are text. A later cell that does not fit goes to
the column with the suffix of text. An empty cell is no value. `TimeGenerated` is always a time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect import times
from workbench.collect.formats._card import BLOCK_BYTES, RECORD_BYTES, Block, Options, Reader, Refusal
from workbench.collect.formats._lines import cut, not_utf8
from workbench.collect.record import TIME, Columns, bad_name, declared
from workbench.collect.streams import Member, Stream

DELIMITERS = ",;\t|"
_REAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_REAL_DIGITS = 17
_LEADING_ZERO = r"^[+-]?0\d"


def looks_like(head: bytes) -> bool:
    """Whether the first two lines have the same number of cells, and more than one."""
    lines = [line for line in head.split(b"\n")[:3] if line.strip()]
    if len(lines) < 2 or b"\0" in head:
        return False
    first, second = (line.decode("utf-8", "replace") for line in lines[:2])
    delimiter = delimiter_of(first)
    try:
        cells = [len(row) for row in csv.reader([first, second], delimiter=delimiter)]
    except csv.Error:
        return False
    return len(cells) == 2 and cells[0] == cells[1] > 1


def delimiter_of(header: str) -> str:
    """The delimiter that a header line has most of, outside of quotes.

    Examples
    --------
    >>> delimiter_of('"a,b";c;d')
    ';'
    """
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=lambda mark: (outside.count(mark), -DELIMITERS.index(mark)))


@dataclass(slots=True)
class _Feed:
    """The lines of a stream for `csv.reader`; remembers those of the record that is being read."""

    stream: Stream
    number: int = 0
    taken: list[bytes] = field(default_factory=list)
    back: list[bytes] = field(default_factory=list)
    lines: Iterator[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = (line for part in cut(self.stream) for line in part.lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.back.pop() if self.back else next(self.lines)
        self.taken.append(line)
        return line.decode("utf-8", "surrogateescape") + "\n"

    def done(self, count: int | None = None) -> tuple[int, list[bytes]]:
        """The number of the record's first line and its lines; those behind `count` come again."""
        lines = self.taken if count is None else self.taken[:count]
        if count is not None:
            self.back.extend(reversed(self.taken[count:]))
        first = self.number + 1
        self.number += len(lines)
        self.taken = []
        return first, lines


@dataclass(slots=True)
class _Part:
    """The rows of a block as they gather."""

    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    originals: list[bytes] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    blank: int = 0
    size: int = 0


def blocks(member: Member, options: Options) -> Iterator[Block]:
    """The rows of a stream.

    Raises
    ------
    WorkbenchError
        IMP011 when the header can't be read.
    """
    if csv.field_size_limit() < RECORD_BYTES:
        csv.field_size_limit(RECORD_BYTES)
    first = member.stream.peek(RECORD_BYTES).split(b"\n", 1)[0].decode("utf-8", "replace")
    feed = _Feed(member.stream)
    reader = csv.reader(feed, delimiter=delimiter_of(first), strict=True)
    names = _header(member.source, feed, reader)
    if names is None:
        return
    types: dict[str, ScalarType] = {}
    for part in _parts(feed, reader, len(names)):
        yield _block(member.source, part, names, types, options)


def _header(source: str, feed: _Feed, reader: Iterator[list[str]]) -> list[str] | None:
    """The names of the columns; None for a stream without any line."""
    row: list[str] = []
    while not row:
        try:
            row = next(reader)
        except StopIteration:
            return None
        except csv.Error as e:
            raise diagnostics.bad_header(source, str(e)) from e
        _, lines = feed.done()
        if any(map(not_utf8, lines)):
            raise diagnostics.bad_header(source, "it is no UTF-8")
    names: list[str] = []
    for place, cell in enumerate(row, 1):
        base = name = cell.strip() or f"Column{place}"
        count = 1
        while name in names:
            count += 1
            name = f"{base}_{count}"
        names.append(name)
    bad = bad_name(names)
    if bad is not None:
        raise diagnostics.bad_header(source, f"{bad[:40]!r} can't be the name of a column")
    return names


def _parts(feed: _Feed, reader: Iterator[list[str]], width: int) -> Iterator[_Part]:
    part = _Part()
    while True:
        try:
            row: list[str] | None = next(reader)
            why: WorkbenchError | None = None
            number, lines = feed.done()
        except StopIteration:
            break
        except csv.Error as e:
            # An open quote swallows what follows it: only the first line is refused, the others
            # are read again.
            row, why = None, diagnostics.broken_quoting(str(e))
            number, lines = feed.done(1)
        original = lines[0] if len(lines) == 1 else b"\n".join(lines)
        part.size += len(original) + 1
        if row == []:
            part.blank += 1
        else:
            if len(original) > RECORD_BYTES:
                why = diagnostics.too_long(len(original), RECORD_BYTES, len(original))
            why = not_utf8(original) or why
            if row is not None and why is None and len(row) != width:
                why = diagnostics.ragged(len(row), width)
            if row is None or why is not None:
                part.refused.append(Refusal(number, original, why or diagnostics.ragged(0, width)))
            else:
                part.rows.append(row)
                part.numbers.append(number)
                part.originals.append(original)
        if part.size >= BLOCK_BYTES:
            yield part
            part = _Part()
    if part.size:
        yield part


def _block(
    source: str, part: _Part, names: Sequence[str], types: dict[str, ScalarType], options: Options
) -> Block:
    block = Block(
        source,
        part.size,
        numbers=part.numbers,
        original=part.originals.__getitem__,
        refused=part.refused,
        blank=part.blank,
    )
    if options.as_records:
        block.records = [
            {name: cell for name, cell in zip(names, row, strict=True) if cell} for row in part.rows
        ]
        return block
    columns = Columns(len(part.rows))
    cells = zip(*part.rows, strict=True) if part.rows else iter([()] * len(names))
    texts = {name: pl.Series(name, values, pl.String) for name, values in zip(names, cells, strict=True)}
    for name, text in texts.items():
        if name not in types:
            types[name] = T.DATETIME if name == TIME else _type_of(text)
        for type_, series in _pieces(text, types[name]):
            columns.series[name, type_] = series
    block.columns = columns
    return block


def _type_of(text: pl.Series) -> ScalarType:
    """The type that every cell of a column has.

    Examples
    --------
    >>> [_type_of(pl.Series(v)) for v in (["1", ""], ["1.5", "2"], ["True"], ["007"], [""])]
    [long, real, bool, string, string]
    """
    filled = text.filter(text != "")
    if not len(filled):
        return T.STRING
    for type_ in (T.LONG, T.REAL, T.BOOL):
        pieces = _pieces(filled, type_)
        if len(pieces) == 1 and not pieces[0][1].has_nulls():
            return type_
    return T.DATETIME if times.all_iso(filled) else T.STRING


def _pieces(text: pl.Series, type_: ScalarType) -> list[tuple[ScalarType, pl.Series]]:
    if type_ is not T.REAL:
        return declared([(T.STRING, text)], type_)
    value = pl.col("v")
    number = (
        value.str.contains(_REAL)
        & ~value.str.contains(_LEADING_ZERO)
        & (value.str.count_matches(r"\d") <= _REAL_DIGITS)
    )
    frame = text.replace("", None).to_frame("v")
    numbers = frame.select(pl.when(number).then(value).cast(pl.Float64)).to_series().alias(text.name)
    rest = frame.select(pl.when(~number).then(value)).to_series().alias(text.name)
    return [(T.REAL, numbers)] if rest.null_count() == len(rest) else [(T.REAL, numbers), (T.STRING, rest)]


CARD = Reader("csv", ("csv", "tsv"), looks_like, blocks)
