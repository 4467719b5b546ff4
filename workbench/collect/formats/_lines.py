"""Streams cut into blocks of whole lines, and what every line format does with a bad line.

In goes a stream, out come `Lines`. A line may be longer than memory allows: only its first bytes
are kept then, and it is refused by whoever sees its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.formats._card import BLOCK_BYTES, KEPT_BYTES, RECORD_BYTES, Block, Refusal
from workbench.collect.streams import Member, Stream

_BOM = b"\xef\xbb\xbf"
_FEW_BYTES = 1 << 17
"""So many bytes of lines become records at a time: these stay in a processor's cache until they are columns."""


@dataclass(frozen=True)
class Lines:
    """Some lines; they are parted where they are looked at, which may be in another process.

    Attributes
    ----------
    first : int
        The number of the first, from 1.
    head : bytes
        What was left of the block before: the begin of the first line.
    data : bytes
        A block as it was read; the lines are the head and what lies from `begin` to `end` in it.
    begin, end : int
    size : int
        Bytes they had in the stream.
    open_end : bool
        The last one is the last of the stream and has no line end.
    lengths : dict
        The true length of lines that are not kept whole, by index.
    """

    first: int
    head: bytes
    data: bytes
    begin: int
    end: int
    size: int
    open_end: bool = False
    lengths: dict[int, int] = field(default_factory=dict)

    @cached_property
    def lines(self) -> list[bytes]:
        """Each line without its line end."""
        return self.text.split(b"\n")

    @cached_property
    def text(self) -> bytes:
        """The lines with line ends between them."""
        return self.head + self.data[self.begin : self.end]

    @property
    def count(self) -> int:
        """How many lines."""
        return self.data.count(b"\n", self.begin, self.end) + 1

    def __reduce__(self) -> tuple[Any, ...]:
        raw = self.text
        return Lines, (self.first, b"", raw, 0, len(raw), self.size, self.open_end, self.lengths)


def a_few(part: Lines) -> Iterator[Lines]:
    """The same lines a few at a time: what was just read is worked on while it is at hand.

    Examples
    --------
    >>> text = b"a\\n" * _FEW_BYTES + b"b"
    >>> [len(few.lines) for few in a_few(Lines(1, b"", text, 0, len(text), len(text)))]
    [65537, 65536]
    """
    if part.lengths or part.open_end:
        yield part
        return
    at, first, head, size = part.begin, part.first, part.head, part.size
    while at <= part.end:
        end = part.data.find(b"\n", min(at + _FEW_BYTES, part.end), part.end)
        few = Lines(first, head, part.data, at, part.end if end < 0 else end, size)
        yield few
        at, first, head, size = few.end + 1, first + len(few.lines), b"", 0


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
        end = data.rfind(b"\n")
        if end < 0:
            room = max(0, kept - len(carry))
            carry, lost = carry + data[:room], lost + len(data[room:])
            continue
        begin = data.find(b"\n") if lost else 0  # of the rest of a line that is too long nothing is kept
        lengths = {0: len(carry) + lost + begin} if lost else {}
        tail = data[end + 1 :]
        part = Lines(number, carry, data, begin, end, size - len(tail), False, lengths)
        yield part
        number, carry, lost, size = number + part.count, tail, 0, len(tail)
    if carry:
        yield Lines(number, b"", carry, 0, len(carry), size, True, {0: len(carry) + lost} if lost else {})


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
