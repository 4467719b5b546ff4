"""`POST /v1/logs`, `/v1/metrics`, `/v1/traces`: OTLP over HTTP, in protobuf or JSON.

200 once all records are stored, with `partialSuccess` where some were refused; the client may not send those again.
413 over 20 MiB, 415 for another content type, 400 for a body that is no request: none of it is stored then. 429 and
503 come with `Retry-After`. Answers are in the encoding of the request, errors as google.rpc.Status.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.doors import otlp
from workbench.collect.doors.otlp import Signal
from workbench.collect.doors.unpacking import gunzip
from workbench.collect.intake import Intake
from workbench.server import body as bodies
from workbench.server.sender import retry_headers, source_of, status_of

_STATUS = {"OTL101": 413, "OTL103": 415, "OTL104": 415}
_ENCODINGS = ("gzip", "identity")


def door(signal: Signal) -> Callable[[Request], Awaitable[Response]]:
    """The handler of one signal."""

    async def post(request: Request) -> Response:
        service = request.app.state.service
        encoding = otlp.JSON
        try:
            encoding = otlp.encoding_of(request.headers.get("content-type", ""))
            packing = request.headers.get("content-encoding", "identity").strip().lower()
            if packing not in _ENCODINGS:
                raise diagnostics.unknown_encoding(packing, _ENCODINGS)
            data = await bodies.read(request, otlp.BODY_BYTES)
            store = partial(_store, service.intake, signal, data, packing, encoding, source_of(request))
            answer = await anyio.to_thread.run_sync(store, limiter=service.writes)
        except WorkbenchError as mistake:
            service.intake.refused(otlp.DOOR, mistake)
            status = _STATUS.get(mistake.code) or status_of(mistake)
            text = f"{mistake.code}: {mistake.message}"
            return Response(
                otlp.failure(status, text, encoding), status, retry_headers(mistake), media_type=encoding
            )
        return Response(answer, 200, media_type=encoding)

    return post


def _store(intake: Intake, signal: Signal, data: bytes, packing: str, encoding: str, source: str) -> bytes:
    body = gunzip(data, otlp.BODY_BYTES) if packing == "gzip" else data
    batch = otlp.read(signal, body, encoding, source)
    if batch.parts or batch.refused:
        intake.accept(batch)
    return otlp.accepted(signal, encoding, batch)


logs, metrics, traces = door(otlp.LOGS), door(otlp.METRICS), door(otlp.TRACES)
