"""`POST /api/logs?api-version=2016-04-01`: the HTTP Data Collector API.

200 with no body once all records are on disk. Errors are `{"Error": code, "Message": text}`: 400 for what a sender has
to mend, 403 for a wrong signature, a stale date, or no TLS from another machine, 404 over 30 MB, 429 when too much
waits, 503 when nothing can be stored now, both with `Retry-After`, 500 for a fault of ours.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from workbench.base.diagnostics import data_collector as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.doors import data_collector as door
from workbench.collect.doors.data_collector import Post
from workbench.collect.doors.unpacking import gunzip
from workbench.server import body as bodies
from workbench.server.binding import is_loopback
from workbench.server.sender import retry_headers, status_of

log = logging.getLogger("workbench.service")
_ANSWERS = {
    "DCA101": (403, "InvalidAuthorization"),
    "DCA102": (400, "InvalidCustomerId"),
    "DCA103": (400, "MissingApiVersion"),
    "DCA104": (400, "InvalidApiVersion"),
    "DCA105": (400, "MissingContentType"),
    "DCA106": (400, "UnsupportedContentType"),
    "DCA107": (400, "MissingLogType"),
    "DCA108": (400, "InvalidLogType"),
    "DCA109": (400, "InvalidDataFormat"),
    "DCA110": (404, "RequestTooLarge"),
    "DCA111": (400, "InvalidDataFormat"),
    "DCA112": (403, "TlsRequired"),
    "CTL001": (503, "ServiceUnavailable"),
}
_CODES = {400: "InvalidDataFormat", 429: "TooManyRequests", 503: "ServiceUnavailable"}
_READ_ON = 4 * door.BODY_BYTES


async def post(request: Request) -> Response:
    service = request.app.state.service
    try:
        _check_way(request)
        said = request.headers.get("content-length", "")
        # The signature covers the length that the headers say: whoever has no key has nothing read into memory.
        data = None if said.isdecimal() else await _read(request)
        size = int(said) if data is None else len(data)
        version = request.query_params.get("api-version")
        headers = request.headers
        checking = partial(door.checked, headers, version, size, service.access)
        checked = await anyio.to_thread.run_sync(checking, limiter=service.writes)
        if data is None:
            data = await _read(request)
        packing = headers.get("content-encoding", "identity").strip().lower()
        store = partial(_store, service, checked, data, packing)
        await anyio.to_thread.run_sync(store, limiter=service.writes)
    except WorkbenchError as mistake:
        service.intake.refused(door.DOOR, mistake)
        await _read_on(request)
        return _refusal(mistake)
    except (HTTPException, ClientDisconnect):
        raise
    except Exception:
        log.exception("fault in %s", request.url.path)
        fault = {"Error": "UnspecifiedError", "Message": "a fault of the service; its log has the details"}
        return JSONResponse(fault, 500)
    return Response(status_code=200)


def _check_way(request: Request) -> None:
    """Refuse what came from another machine without TLS (a proxy on this one passes such requests on)."""
    client = request.client.host if request.client is not None else ""
    if request.url.scheme != "https" and not is_loopback(client):
        raise diagnostics.not_secure()


async def _read(request: Request) -> bytes:
    try:
        return await bodies.read(request, door.BODY_BYTES)
    except WorkbenchError:
        raise diagnostics.too_large(door.BODY_BYTES) from None


async def _read_on(request: Request) -> None:
    """Read what was not read of a body, and forget it: a sender that still writes would not see the answer."""
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > _READ_ON:
                return
    except (RuntimeError, ClientDisconnect):
        return  # it was read already, or nobody is there


def _store(service: Any, checked: Post, data: bytes, packing: str) -> None:
    body = _unpacked(data, packing)
    repository = service.intake.repository
    schema = repository.schema(checked.table) if repository.has(checked.table) else ()
    taken = door.batch_of(checked, body, schema, data)
    if taken.batch.parts or taken.batch.refused:
        if service.intake.accept(taken.batch).duplicate:
            return
        door.tell(service.intake.operations, taken)


def _unpacked(data: bytes, packing: str) -> bytes:
    if packing == "identity":
        return data
    if packing != "gzip":
        raise diagnostics.bad_encoding("its Content-Encoding is not known here")
    try:
        return gunzip(data, door.BODY_BYTES)
    except WorkbenchError as why:
        if why.code == "OTL101":
            raise diagnostics.too_large(door.BODY_BYTES) from None
        raise diagnostics.bad_encoding("it is no gzip") from None


def _refusal(mistake: WorkbenchError) -> Response:
    status, code = _ANSWERS.get(mistake.code) or (status_of(mistake), "")
    said = {"Error": code or _CODES[status], "Message": mistake.message}
    return Response(orjson.dumps(said), status, retry_headers(mistake), media_type="application/json")
