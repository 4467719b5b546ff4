"""Messages between the service and its query processes: a JSON header and bytes, over a pipe.

A frame is the header's length (4 bytes) and the body's (8 bytes), both big-endian, then the two.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any, BinaryIO

import orjson

_LENGTHS = struct.Struct(">IQ")


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """A frame as bytes.

    Examples
    --------
    >>> import io
    >>> read(io.BytesIO(pack({"kind": "answer"}, b"rows")))
    ({'kind': 'answer'}, b'rows')
    """
    head = orjson.dumps(header)
    return _LENGTHS.pack(len(head), len(body)) + head + body


def write(out: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    """Send a frame."""
    out.write(pack(header, body))
    out.flush()


def read(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None where the input ends."""
    lengths = source.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack(lengths)
    header = source.read(head)
    return (orjson.loads(header), source.read(body)) if len(header) == head else None


async def receive(source: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """The next frame of a process.

    Raises
    ------
    asyncio.IncompleteReadError
        When the process ended.
    """
    head, body = _LENGTHS.unpack(await source.readexactly(_LENGTHS.size))
    header = orjson.loads(await source.readexactly(head))
    return header, await source.readexactly(body)
