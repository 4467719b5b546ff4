"""The files in an archive, one stream each: zip, and whatever is packed in what is packed.

In go a stream (and for zip the file behind it), out come `Member`s. A zip without its list at the
end, as a cut download is, is read from its start. Must not know records.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from workbench.collect.streams import (
    ZIP,
    Broken,
    Member,
    Stream,
    gunzip,
    inflate,
    packing,
    pieces_of,
    unzstd,
)

_ENDINGS = {"gzip": (".gz", ".gzip"), "zstd": (".zst", ".zstd")}
_UNPACK = {"gzip": gunzip, "zstd": unzstd}
_STORED, _DEFLATED = 0, 8
_DEEPEST = 8


def members(member: Member, file: IO[bytes] | None, depth: int = 0) -> Iterator[Member]:
    """The files of records behind a stream, unpacked as they are read.

    Parameters
    ----------
    member : Member
    file : binary file or None
        The same bytes as a file that can be sought, where there is one.

    Yields
    ------
    Member
        Each has to be read to its end before the next is asked for; then its `stream.problem` tells
        whether something was broken.
    """
    how = packing(member.stream.peek(4)) if depth < _DEEPEST else None
    if how is None:
        member.file = file
        yield member
    elif how == "zip":
        with file or member.as_file() as whole:
            for inner in _zipped(member, whole):
                yield from members(inner, None, depth + 1)
    else:
        inner = Member(
            _without_ending(member.source, how),
            Stream(_UNPACK[how](member.stream)),
            member.modified,
            member.spool,
        )
        yield from members(inner, None, depth + 1)


def _without_ending(source: str, how: str) -> str:
    """`a.json.gz` → `a.json`, so that the ending tells the format.

    Examples
    --------
    >>> _without_ending("logs/a.json.GZ", "gzip"), _without_ending("a.tgz", "gzip")
    ('logs/a.json', 'a.tgz')
    """
    for ending in _ENDINGS[how]:
        if source.lower().endswith(ending):
            return source[: -len(ending)]
    return source


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file in a zip; sizes and check sum are None where only its own header could be read."""

    name: str
    offset: int
    method: int
    locked: bool
    packed: int | None
    check: int | None
    modified: float


def _zipped(member: Member, file: IO[bytes]) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(file) as listed:
            entries = [_entry_of(info) for info in listed.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as e:
        yield from _salvaged(member, file, str(e))
        return
    for entry in entries:
        if not entry.name.startswith("__MACOSX/"):
            stream = Stream(_unzip(file, entry))
            yield Member(f"{member.source}/{entry.name}", stream, entry.modified, member.spool)


def _entry_of(info: zipfile.ZipInfo) -> _Entry:
    year, month, day, hour, minute, second = info.date_time
    try:
        modified = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()
    except ValueError:
        modified = 0.0
    locked = bool(info.flag_bits & 1)
    return _Entry(
        info.filename, info.header_offset, info.compress_type, locked, info.compress_size, info.CRC, modified
    )


def _unzip(file: IO[bytes], entry: _Entry) -> Iterator[bytes]:
    if entry.locked:
        raise Broken("it is encrypted")
    if entry.method not in (_STORED, _DEFLATED):
        raise Broken(f"it is packed by method {entry.method}; deflate can be read")
    file.seek(entry.offset)
    head = file.read(30)
    if len(head) < 30 or not head.startswith(ZIP):
        raise Broken("its header is missing")
    file.seek(entry.offset + 30 + _short(head, 26) + _short(head, 28))
    raw = Stream(pieces_of(file, entry.packed))
    if entry.method == _DEFLATED:
        check = yield from inflate(raw)
        # What was read ahead of its end does not belong to it: the next one is looked for from here.
        file.seek(file.tell() - raw.ahead)
        if entry.check is not None and check != entry.check:
            raise Broken("its check sum does not fit")
    else:
        yield from _stored(raw, entry)


def _stored(raw: Stream, entry: _Entry) -> Iterator[bytes]:
    check, size = 0, 0
    while data := raw.some(1 << 18):
        check, size = zlib.crc32(data, check), size + len(data)
        yield data
    if entry.packed is not None and size < entry.packed:
        raise Broken("it ends before its end")
    if entry.check is not None and check != entry.check:
        raise Broken("its check sum does not fit")


def _salvaged(member: Member, file: IO[bytes], why: str) -> Iterator[Member]:
    """The members of a zip whose list is missing, one header after the other."""
    offset = 0
    while True:
        file.seek(offset)
        head = file.read(30)
        if len(head) < 30 or not head.startswith(ZIP):
            break
        name = file.read(_short(head, 26)).decode("utf-8", "replace")
        flags, packed = _short(head, 6), int.from_bytes(head[18:22], "little")
        known = not flags & 8  # else its sizes stand behind it
        entry = _Entry(
            name, offset, _short(head, 8), bool(flags & 1), packed if known else None, None, member.modified
        )
        if entry.method == _STORED and not known:
            break
        yield Member(f"{member.source}/{name}", Stream(_unzip(file, entry)), member.modified, member.spool)
        if known:
            offset += 30 + _short(head, 26) + _short(head, 28) + packed
            continue
        end = file.tell()
        place = file.read(64).find(ZIP)
        if place < 0:
            break
        offset = end + place
    # A last member without content carries the reason to whoever reads to the end.
    yield Member(member.source, Stream(_broken(why)), member.modified, member.spool)


def _broken(why: str) -> Iterator[bytes]:
    raise Broken(f"its list of files can't be read ({why})")
    yield b""


def _short(head: bytes, place: int) -> int:
    return int.from_bytes(head[place : place + 2], "little")
