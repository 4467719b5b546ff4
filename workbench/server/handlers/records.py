"""`POST /api/agent/records`: numbered batches of an agent, or records by table of anybody who may write.

`{"batches": [{"number": 7, "table": "App", "records": [{…}]}]}` from an agent: 200 with `last`, the last number that
is stored; a number up to it was stored before and is left out. A gateway adds `agent` and `group`.
`{"Table": [{…}, …]}`, without numbers, from a token: 200 with the rows stored by table. Either may be gzip. A body
that is not of one of these forms is 400 and stores nothing; a record that can't be stored goes to quarantine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from workbench.base.diagnostics import agent as diagnostics
from workbench.base.diagnostics import service as service_diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, take
from workbench.collect.doors import agent as door
from workbench.collect.doors.unpacking import gunzip
from workbench.server import body as bodies
from workbench.server import wire
from workbench.server.sender import retry_headers, source_of, status_of

_STATUS = {"OTL101": 413, "OTL104": 415, "AGT102": 403, "AGT103": 403, "AGT106": 403}


@dataclass(frozen=True, slots=True)
class _From:
    """Who sends: his id and kind, and his name for `_Quarantine`."""

    id: str
    kind: str
    name: str


async def post(request: Request) -> Response:
    service = request.app.state.service
    try:
        packing = request.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("gzip", "identity"):
            raise diagnostics.bad_batches(f"the encoding {packing!r} is not known, only gzip")
        data = await bodies.read(request, door.BODY_BYTES)
        store = partial(_store, service, data, packing, _sender(request))
        answer = await anyio.to_thread.run_sync(store, limiter=service.writes)
    except WorkbenchError as mistake:
        service.intake.refused(door.DOOR, mistake)
        return refused(mistake)
    return Response(wire.dump(answer), media_type="application/json")


def refused(mistake: WorkbenchError, status: int | None = None) -> Response:
    """The answer to a request that was not taken."""
    status = status or _STATUS.get(mistake.code) or status_of(mistake)
    body = wire.dump({"stored": {}, "error": wire.error_value(mistake)})
    return Response(body, status, retry_headers(mistake), media_type="application/json")


def _sender(request: Request) -> _From:
    identity = request.state.identity
    return _From(identity.id, identity.kind, source_of(request))


def _store(service: Any, data: bytes, packing: str, sender: _From) -> dict[str, Any]:
    raw = gunzip(data, door.BODY_BYTES) if packing == "gzip" else data
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise service_diagnostics.bad_request(f"the body is no JSON: {broken}") from None
    if not door.is_numbered(body):
        return _store_tables(service, body, len(raw), sender)
    if sender.kind != "agent":
        raise diagnostics.posts_no_number()
    delivery = door.delivery_of(body, len(raw))
    if delivery.agent and delivery.agent != sender.id:
        if not service.gateways.may_speak(sender.id, delivery.agent):
            raise diagnostics.not_behind(delivery.agent)
        taken = service.numbered.accept(delivery, delivery.agent, gateway=sender.id)
    else:
        taken = service.numbered.accept(delivery, sender.id)
    return {
        "last": taken.last,
        "stored": dict(taken.receipt.stored),
        "quarantined": taken.receipt.quarantined,
    }


def _store_tables(service: Any, body: Any, size: int, sender: _From) -> dict[str, Any]:
    if not isinstance(body, dict) or not all(
        isinstance(records, list) and all(isinstance(r, dict) for r in records) for records in body.values()
    ):
        raise service_diagnostics.bad_request('the body reads {"Table": [{"Column": value, …}, …]}')
    batch = Batch(door.DOOR, sender.name, size=size)
    for table, records in body.items():
        part, refused_ = take(table, records, source=sender.name)
        batch.parts += [part] if part else []
        batch.refused += refused_
    receipt = service.intake.accept(batch)
    return {"stored": {table: receipt.stored.get(table, 0) for table in body}}
