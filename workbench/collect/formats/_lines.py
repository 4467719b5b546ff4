"""Streams cut into blocks of whole lines, and what every line format does with a bad line.

In goes a stream, out come `Lines`. A line may be longer than memory allows: only its first bytes
are kept then, and it is refused by whoever sees its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.formats._card import BLOCK_BYTES, KEPT_BYTES, RECORD_BYTES, Block, Refusal
from workbench.collect.streams import Member, Stream

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines without their line ends.

    Attributes
    ----------
    first : int
        The number of the first, from 1.
    lines : list of bytes
    size : int
        Bytes they had in the stream.
    open_end : bool
        The last one is the last of the stream and has no line end.
    lengths : dict
        The true length of lines that are not kept whole, by index.
    """

    first: int
    lines: list[bytes]
    size: int
    open_end: bool
    lengths: dict[int, int]


def cut(stream: Stream, block: int = BLOCK_BYTES, kept: int = KEPT_BYTES) -> Iterator[Lines]:
    """The lines of a stream, in blocks of about `block` bytes.

    Examples
    --------
    >>> [part.lines for part in cut(Stream(iter([b"a\\nbb\\nccc"])), block=4)]
    [[b'a'], [b'bb'], [b'ccc']]
    """
    if stream.peek(3) == _BOM:
        stream.read(3)
    number, carry, lost, size = 1, b"", 0, 0
    while data := stream.read(block):
        size += len(data)
        lines = data.split(b"\n")
        tail = lines.pop()
        if not lines:
            room = max(0, kept - len(carry))
            carry, lost = carry + data[:room], lost + len(data[room:])
            continue
        lengths = {0: len(carry) + lost + len(lines[0])} if lost else {}
        lines[0] = carry if lost else carry + lines[0]
        carry, lost = tail, 0
        yield Lines(number, lines, size - len(carry), False, lengths)
        number, size = number + len(lines), len(carry)
    if carry:
        yield Lines(number, [carry], size, True, {0: len(carry) + lost} if lost else {})


Parse = Callable[[bytes], Any]


def parsed_blocks(
    member: Member, parse: Parse, refuse: Callable[[bytes, Exception], WorkbenchError]
) -> Iterator[Block]:
    """Blocks of records, one a line.

    Parameters
    ----------
    member : Member
    parse : callable
        A line → a dict; raises ValueError for a line that is none.
    refuse : callable
        A line and what `parse` raised → the reason.
    """
    for part in cut(member.stream):
        yield block_of(member.source, part, parse, refuse)


def block_of(
    source: str, part: Lines, parse: Parse, refuse: Callable[[bytes, Exception], WorkbenchError]
) -> Block:
    """One block; see `parsed_blocks`."""
    lines = part.lines
    if max(map(len, lines)) <= RECORD_BYTES and not part.open_end:
        try:
            records = list(map(parse, lines))
        except ValueError:
            pass
        else:
            if set(map(type, records)) == {dict}:
                numbers = range(part.first, part.first + len(lines))
                return Block(source, part.size, records, None, numbers, lines.__getitem__)
    return _with_bad_lines(source, part, parse, refuse)


def _with_bad_lines(
    source: str, part: Lines, parse: Parse, refuse: Callable[[bytes, Exception], WorkbenchError]
) -> Block:
    """As `parsed_blocks`, line by line: some of them are blank or no records."""
    records: list[Any] = []
    numbers: list[int] = []
    kept: list[bytes] = []
    refused: list[Refusal] = []
    blank = 0
    last = len(part.lines) - 1
    for index, line in enumerate(part.lines):
        if not line or line.isspace():
            blank += 1
            continue
        number = part.first + index
        length = part.lengths.get(index, len(line))
        if length > RECORD_BYTES:
            refused.append(Refusal(number, line, diagnostics.too_long(length, RECORD_BYTES, len(line))))
            continue
        try:
            record = parse(line)
        except ValueError as e:
            why = refuse(line, e)
            if part.open_end and index == last:
                why = diagnostics.cut_off(why.message)
            refused.append(Refusal(number, line, why))
            continue
        if type(record) is not dict:
            refused.append(Refusal(number, line, diagnostics.not_an_object(_kind(record))))
            continue
        records.append(record)
        numbers.append(number)
        kept.append(line)
    return Block(source, part.size, records, None, numbers, kept.__getitem__, refused, blank)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def not_utf8(line: bytes) -> WorkbenchError | None:
    """The reason if a line is no UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as e:
        return diagnostics.not_utf8(e.start + 1)
    return None
