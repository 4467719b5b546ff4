"""Bytes as they come out of a file, an archive or standard input, never unpacked as a whole.

In go raw bytes, out come `Stream`s: read exactly so many bytes, look at the first ones. A damaged or
cut archive ends its stream early and leaves the reason in `problem`. Must not know records.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import pyarrow as pa

PIECE = 1 << 18
_INPUT = _OUTPUT = 1 << 14
_ZSTD_OUTPUT = 1 << 12
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
ZIP = b"PK\x03\x04"


class Broken(Exception):
    """Raised by a generator of pieces that can't go on; all it could give was given before."""


class Stream:
    """Bytes from a generator of pieces.

    Examples
    --------
    >>> stream = Stream(iter([b"ab", b"cde"]))
    >>> stream.peek(3), stream.read(4), stream.read(4), stream.problem
    (b'abc', b'abcd', b'e', None)
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting: list[bytes] = []
        self._length = 0
        self.problem: str | None = None

    def peek(self, count: int) -> bytes:
        """The next `count` bytes (fewer at the end), which stay in the stream."""
        self._fill(count)
        if len(self._waiting) > 1:
            self._waiting = [b"".join(self._waiting)]
        return self._waiting[0][:count] if self._waiting else b""

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes, fewer only at the end."""
        self._fill(count)
        data = b"".join(self._waiting) if len(self._waiting) != 1 else self._waiting[0]
        self._waiting = [data[count:]] if len(data) > count else []
        self._length = len(data) - min(count, len(data))
        return data[:count] if len(data) > count else data

    def some(self, most: int) -> bytes:
        """Whatever comes next at little cost, 1 to `most` bytes; empty at the end."""
        self._fill(1)
        if not self._waiting:
            return b""
        piece = self._waiting[0]
        if len(piece) > most:
            self._waiting[0] = piece[most:]
            piece = piece[:most]
        else:
            del self._waiting[0]
        self._length -= len(piece)
        return piece

    @property
    def ahead(self) -> int:
        """Bytes that were taken from the pieces and not yet read."""
        return self._length

    def unread(self, data: bytes) -> None:
        """Put bytes back to the front."""
        if data:
            self._waiting.insert(0, data)
            self._length += len(data)

    def _fill(self, count: int) -> None:
        while self._length < count:
            try:
                piece = next(self._pieces, b"")
            except Broken as broken:
                self.problem = str(broken)
                return
            if not piece:
                return
            self._waiting.append(piece)
            self._length += len(piece)


@dataclass(slots=True)
class Member:
    """One file of records: a plain file, or what an archive holds.

    Attributes
    ----------
    source : str
        File, or file and member with a slash between.
    stream : Stream
    modified : float
        When it was last written, in seconds since 1970.
    spool : str
        A folder for temporary files, for formats that can't be read as a stream.
    file : binary file or None
        The same bytes as a file that can be sought, where there is one.
    """

    source: str
    stream: Stream
    modified: float
    spool: str
    file: IO[bytes] | None = None

    def name(self) -> str:
        """The file name alone."""
        return self.source.rsplit("/", 1)[-1]

    def as_file(self) -> IO[bytes]:
        """The bytes as a file that can be sought, a temporary one where there is no other."""
        if self.file is not None:
            return self.file
        file = tempfile.TemporaryFile(dir=self.spool)  # noqa: SIM115  (its user closes it)
        shutil.copyfileobj(cast(Any, self.stream), file, PIECE)
        file.seek(0)
        return file


def pieces_of(file: IO[bytes], limit: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from where it stands, at most `limit`."""
    left = limit
    while left is None or left > 0:
        data = file.read(PIECE if left is None else min(PIECE, left))
        if not data:
            return
        left = None if left is None else left - len(data)
        yield data


def packing(head: bytes) -> str | None:
    """`gzip`, `zstd` or `zip` where the first bytes say so."""
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_ZSTD):
        return "zstd"
    return "zip" if head.startswith((ZIP, b"PK\x05\x06")) else None


def gunzip(stream: Stream) -> Iterator[bytes]:
    """Unpack gzip, also several members one behind the other."""
    while True:
        _skip_gzip_header(stream)
        check = yield from inflate(stream)
        trailer = stream.read(8)
        if len(trailer) < 8:
            raise Broken(stream.problem or "it ends before its end")
        if int.from_bytes(trailer[:4], "little") != check:
            raise Broken("its check sum does not fit")
        while stream.peek(1) == b"\0":  # tapes pad with zeros
            stream.read(1)
        if not stream.peek(1):
            return
        if stream.peek(2) != _GZIP:
            raise Broken("something that is no gzip follows its end")


def _skip_gzip_header(stream: Stream) -> None:
    head = stream.read(10)
    if len(head) < 10 or not head.startswith(_GZIP) or head[2] != 8:
        raise Broken("its header is no gzip header")
    flags = head[3]
    if flags & 4:
        stream.read(int.from_bytes(stream.read(2), "little"))
    for flag in (8, 16):  # name, comment: they end with a zero
        while flags & flag and stream.read(1) not in (b"\0", b""):
            pass
    if flags & 2:
        stream.read(2)


def inflate(stream: Stream) -> Generator[bytes, None, int]:
    """Unpack one bare deflate stream, leave what follows it in `stream`; returns its CRC-32."""
    machine = zlib.decompressobj(-15)
    check = 0
    while not machine.eof:
        packed = machine.unconsumed_tail or stream.some(_INPUT)
        if not packed:
            raise Broken(stream.problem or "it ends before its end")
        try:
            # Little at a time: what comes before a broken place is given out.
            data = machine.decompress(packed, _OUTPUT)
        except zlib.error as e:
            raise Broken(str(e)) from e
        if data:
            check = zlib.crc32(data, check)
            yield data
    stream.unread(machine.unused_data)
    return check


class _Readable:
    """A stream as the file object that pyarrow asks for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.closed = False

    def read(self, count: int = -1) -> bytes:
        return self._stream.read(count if count >= 0 else PIECE)

    def close(self) -> None:
        self.closed = True


def unzstd(stream: Stream) -> Iterator[bytes]:
    """Unpack Zstandard, also several frames one behind the other."""
    file = pa.CompressedInputStream(pa.PythonFile(_Readable(stream), mode="r"), "zstd")
    while True:
        try:
            data = file.read(_ZSTD_OUTPUT)  # what a failing call had unpacked is lost, so little
        except OSError as e:
            raise Broken(str(e).strip()) from e
        if not data:
            if stream.problem:
                raise Broken(stream.problem)
            return
        yield data
