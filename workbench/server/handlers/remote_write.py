"""`POST /api/v1/write`: Prometheus remote write 1.0, a snappy block of protobuf.

204 once all samples are stored. 400 with the first reason as text where a sample was refused; the others are stored,
and the sender does not send again. 415 for another content type (version 2.0 among them) or packing, 413 over 32 MiB.
What can be tried again is always 503, never 429: a sender drops what was answered with 429 unless it is told otherwise.
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.doors import remote_write
from workbench.collect.doors.unpacking import unsnappy
from workbench.collect.intake import Intake
from workbench.server import body as bodies
from workbench.server.sender import retry_headers, source_of

_STATUS = {"OTL101": 413, "OTL103": 415, "OTL104": 415}
_CONTENT = "application/x-protobuf"
_VERSION_1 = "prometheus.WriteRequest"


async def post(request: Request) -> Response:
    service = request.app.state.service
    try:
        _check_headers(request)
        data = await bodies.read(request, remote_write.BODY_BYTES)
        store = partial(_store, service.intake, data, source_of(request))
        refusal = await anyio.to_thread.run_sync(store, limiter=service.writes)
    except WorkbenchError as mistake:
        service.intake.refused(remote_write.DOOR, mistake)
        headers = retry_headers(mistake)
        status = 503 if headers else _STATUS.get(mistake.code, 400)
        return PlainTextResponse(f"{mistake.code}: {mistake.message}\n", status, headers)
    return Response(status_code=204) if refusal is None else PlainTextResponse(refusal, 400)


def _check_headers(request: Request) -> None:
    content = request.headers.get("content-type", "")
    name, _, more = content.partition(";")
    key, _, kind = more.strip().partition("=")
    version = kind.strip().strip('"') if key.strip().lower() == "proto" else _VERSION_1
    if name.strip().lower() != _CONTENT or version != _VERSION_1:
        raise diagnostics.unknown_content(content, (_CONTENT,))
    packing = request.headers.get("content-encoding", "").strip().lower()
    if packing != "snappy":
        raise diagnostics.unknown_encoding(packing, ("snappy",))


def _store(intake: Intake, data: bytes, source: str) -> str | None:
    """Store what can be; the reason of the first refusal if there is one."""
    body = unsnappy(data, remote_write.BODY_BYTES)
    taken = remote_write.read(body, source)
    batch = remote_write.batch_of(taken, body, source)
    fresh = not (batch.parts or batch.refused) or not intake.accept(batch).duplicate
    if fresh and taken.stale:
        intake.operations.tell(
            remote_write.DOOR, "markers of staleness were left out", status="Success", count=taken.stale
        )
    if fresh and taken.histograms:
        intake.operations.tell(
            remote_write.DOOR, "native histograms were left out: version 1.0 has none", count=taken.histograms
        )
    if not taken.refused:
        return None
    why = taken.refused[0].why
    return f"{why.code}: {why.message} ({len(taken.refused)} refused, the others are stored)\n"
