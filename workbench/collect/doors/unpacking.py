"""Compressed bodies, unpacked no further than a limit: a small body can claim to be a very large one.

In go bytes, out come bytes or a `WorkbenchError`. Must not allocate what a sender merely claims.
"""

from __future__ import annotations

import zlib

import cramjam

from workbench.base.diagnostics import open_protocols as diagnostics

_GZIP = 31
_PIECE = 1 << 16
"""What is unpacked at once: the rest of it is copied for each member that begins in it."""
_MOST_MEMBERS = 1000


def gunzip(data: bytes, limit: int) -> bytes:
    """The content of a gzip body, which may have several members.

    Raises
    ------
    WorkbenchError
        OTL101 when it is longer than `limit` bytes, OTL102 when it is damaged.

    Examples
    --------
    >>> import gzip
    >>> gunzip(gzip.compress(b"abc") + gzip.compress(b"d"), 10)
    b'abcd'
    """
    parts: list[bytes] = []
    size = members = 0
    member = None
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        while piece:
            if member is None:
                piece = piece.lstrip(b"\0") if members else piece
                if not piece:
                    break
                member, members = zlib.decompressobj(_GZIP), members + 1
                if members > _MOST_MEMBERS:
                    raise diagnostics.bad_compression("gzip", f"it has more than {_MOST_MEMBERS} members")
            try:
                part = member.decompress(piece, limit - size + 1)
            except zlib.error as broken:
                raise diagnostics.bad_compression("gzip", str(broken)) from None
            size += len(part)
            parts.append(part)
            if size > limit:
                raise diagnostics.body_too_long(limit)
            piece = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    if member is not None or not members:
        raise diagnostics.bad_compression("gzip", "it is cut off")
    return b"".join(parts)


def unsnappy(data: bytes, limit: int) -> bytes:
    """The content of a snappy block (not its framed form).

    Raises
    ------
    WorkbenchError
        OTL101 when it says that it is longer than `limit` bytes, OTL102 when it is damaged.

    Examples
    --------
    >>> unsnappy(bytes(cramjam.snappy.compress_raw(b"abcabcabc")), 10)
    b'abcabcabc'
    """
    if _declared_length(data) > limit:
        raise diagnostics.body_too_long(limit)
    try:
        return bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as broken:
        raise diagnostics.bad_compression("snappy", str(broken)) from None


def _declared_length(data: bytes) -> int:
    """The length that a block begins with: seven bits a byte, at most five bytes."""
    length = 0
    for index, byte in enumerate(data[:5]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return length
    raise diagnostics.bad_compression("snappy", "it has no length")
