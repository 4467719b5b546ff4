"""The body of a request, read no further than a limit and unpacked no further either.

In goes a request, out come bytes or a `WorkbenchError`. For doors that take compressed bodies.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from workbench.base.diagnostics import open_protocols as diagnostics


async def read(request: Request, limit: int) -> bytes:
    """The body as it came over the wire.

    Raises
    ------
    WorkbenchError
        OTL101 when it is longer than `limit` bytes; what was not read of it then is left to the connection.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit:
        raise diagnostics.body_too_long(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise diagnostics.body_too_long(limit)
    except ClientDisconnect:
        raise HTTPException(400, "the sender went away before its body had ended") from None
    return b"".join(chunks)
