"""What a reader of a format is, and the blocks that it makes of a stream.

A reader is a generator of blocks; it holds one block at a time, never the file. Where it cuts the
blocks may depend on nothing but the bytes: an import that died is resumed by cutting them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.collect.record import Columns, Record
from workbench.collect.streams import Member

BLOCK_BYTES = 8 << 20
"""Bytes that are parsed at once. Part of the format of a resumed import: never change it."""
RECORD_BYTES = 1 << 20
"""The most that one record may have."""
KEPT_BYTES = 16 << 20
"""Of a line beyond this only so much is kept aside."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that is no record: its number from 1, its bytes, the reason."""

    line: int
    original: bytes
    why: WorkbenchError


@dataclass(slots=True)
class Block:
    """Some records of a file, as dicts or as columns, and what stood between them.

    Attributes
    ----------
    source : str
        File, or file and archive member.
    size : int
        Raw bytes that the block was made of.
    records : list of dict
        Empty where `columns` has them.
    columns : Columns or None
    numbers : sequence of int
        The line (row, for Parquet) of each record.
    original : callable
        The bytes of the record with that index.
    refused : list of Refusal
    blank : int
        Lines with nothing on them; neither records nor refusals.
    """

    source: str
    size: int
    records: list[Record] = field(default_factory=list)
    columns: Columns | None = None
    numbers: Sequence[int] = ()
    original: Callable[[int], bytes] = lambda index: b""
    refused: list[Refusal] = field(default_factory=list)
    blank: int = 0

    @property
    def height(self) -> int:
        """How many records."""
        return len(self.records) if self.columns is None else self.columns.height


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader may have to know beside the bytes.

    Attributes
    ----------
    as_records : bool
        Make dicts even where columns would be faster: a mapping takes fields.
    now : int
        When the import began, in microseconds since 1970; the same again when it is resumed.
    """

    as_records: bool
    now: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A format.

    Attributes
    ----------
    name : str
        As `--format` has it.
    endings : tuple of str
        File name endings that mean this format, without a dot.
    looks_like : callable
        Whether the first bytes of a stream are of this format; for names that say nothing.
    blocks : callable
        The generator of blocks.
    table : str or None
        Where records go when nobody names a table.
    types : dict
        Declared types of the columns this reader makes.
    apart : (callable, callable) or None
        Cuts a member into pieces with a `size`, and makes the blocks of one piece (of the member's name and the
        piece): where no piece depends on another, several processes may work on them.
    """

    name: str
    endings: tuple[str, ...]
    looks_like: Callable[[bytes], bool]
    blocks: Callable[[Member, Options], Iterator[Block]]
    table: str | None = None
    types: dict[str, Any] = field(default_factory=dict)
    apart: tuple[Callable[[Member], Iterator[Any]], Callable[[str, Any], Iterator[Block]]] | None = None
