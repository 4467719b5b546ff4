"""JSON lines: one JSON object a line. Whole numbers beyond 64 bits are kept as they stand: as text in a column, inside
of a value as they are."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.formats._card import Block, Options, Reader
from workbench.collect.formats._lines import Lines, a_few, block_of, cut, not_utf8
from workbench.collect.streams import Member
from workbench.collect.wide_numbers import has_long_digits, value_of


def looks_like(head: bytes) -> bool:
    # A list is recognised too: its reader says how to turn it into lines.
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"{") or _is_list(start)


def _is_list(start: bytes) -> bool:
    return start[:1] == b"[" and start[1:].lstrip(b" \t\r")[:1] in (b"\n", b"{")


def cuts(member: Member) -> Iterator[Lines]:
    """The lines of a stream of JSON lines, in blocks.

    Raises
    ------
    WorkbenchError
        IMP010 for a file that is one JSON array over several lines.
    """
    if _is_list(member.stream.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")):
        raise diagnostics.json_document(member.source)
    yield from cut(member.stream)


def blocks_of(source: str, part: Lines) -> Iterator[Block]:
    """The records of some lines."""
    for few in a_few(part):
        parse = value_of if has_long_digits(few.text) else orjson.loads
        yield block_of(source, few, parse, _reason)


def blocks(member: Member, options: Options) -> Iterator[Block]:
    """The records of a stream of JSON lines."""
    for part in cuts(member):
        yield from blocks_of(member.source, part)


def _reason(line: bytes, error: Exception) -> WorkbenchError:
    why = not_utf8(line)
    if why is not None:
        return why
    # orjson counts lines from the start of what it got, which is one line.
    text = str(error).split(": line 1 column", 1)
    place = f" at character {text[1].split('(')[0].strip()}" if len(text) > 1 else ""
    return diagnostics.not_json(text[0] + place)


CARD = Reader("jsonl", ("jsonl", "ndjson", "json"), looks_like, blocks, apart=(cuts, blocks_of))
