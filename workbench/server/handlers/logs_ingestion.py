"""`POST /dataCollectionRules/{rule}/streams/{stream}?api-version=2023-01-01`: the Logs Ingestion API.

204 once all records are on disk. 400 for a body that is no array of records, 404 for a rule that is not there, 413
over 1 MB, 415 for other encodings: nothing of it is stored then. 429 over the rates of a rule or when too much waits,
503 when nothing can be stored now, both with `Retry-After`. Errors are `{"error": {"code", "message"}}`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.base.diagnostics import open_protocols
from workbench.base.diagnostics import rules as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.doors import logs_ingestion as door
from workbench.collect.doors.unpacking import gunzip
from workbench.server import body as bodies
from workbench.server.guard import refusal
from workbench.server.sender import retry_headers, source_of, status_of

_ENCODINGS = ("gzip", "identity")
_ANSWERS = {
    "RUL301": (404, "NotFound"),
    "RUL302": (400, "InvalidStream"),
    "RUL303": (400, "UnsupportedApiVersion"),
    "RUL307": (429, "TooManyRequests"),
    "RUL309": (413, "ContentLengthLimitExceeded"),
    "OTL101": (413, "ContentLengthLimitExceeded"),
    "OTL103": (415, "UnsupportedMediaType"),
    "OTL104": (415, "UnsupportedMediaType"),
}
_CODES = {400: "InvalidRequest", 429: "TooManyRequests", 503: "ServiceUnavailable"}


async def post(request: Request) -> Response:
    service = request.app.state.service
    headers: dict[str, str] = {}
    try:
        packing = _checked(request)
        data = await bodies.read(request, door.BODY_BYTES)
        store = partial(_store, service, request, data, packing, headers)
        await anyio.to_thread.run_sync(store, limiter=service.writes)
    except WorkbenchError as mistake:
        service.intake.refused(door.DOOR, mistake)
        status, code = _ANSWERS.get(mistake.code) or (status_of(mistake), "")
        answer = refusal(status, code or _CODES[status], f"{mistake.message} ({mistake.code})")
        answer.headers.update(headers | retry_headers(mistake))
        return answer
    return Response(status_code=204)


def _checked(request: Request) -> str:
    """The encoding of a request whose version and type are right."""
    version = request.query_params.get("api-version", "")
    if version not in door.VERSIONS:
        raise diagnostics.bad_version(version, door.VERSIONS)
    content = request.headers.get("content-type", "application/json")
    if content.partition(";")[0].strip().lower() != "application/json":
        raise open_protocols.unknown_content(content, ("application/json",))
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing not in _ENCODINGS:
        raise open_protocols.unknown_encoding(packing, _ENCODINGS)
    return packing


def _store(service: Any, request: Request, data: bytes, packing: str, headers: dict[str, str]) -> None:
    number, stream = request.path_params["rule"], request.path_params["stream"]
    rule = service.rules.checked(number)
    if rule is None:
        raise diagnostics.unknown_rule(number)
    body = gunzip(data, door.BODY_BYTES) if packing == "gzip" else data
    over = service.rates.over(number, len(body))
    if over is not None:
        headers["Retry-After"] = str(over[1])
        raise diagnostics.too_many_posts(number, over[0])
    told = request.headers.get("x-ms-client-request-id") or request.headers.get("x-ms-date", "")
    batch, found = door.batch_of(rule, number, stream, body, source=source_of(request), told=told, wire=data)
    if batch.parts or batch.refused:
        receipt = service.intake.accept(batch)
        if receipt.duplicate:
            return
    door.tell(service.intake.operations, stream, found)
