"""`POST /api/agent/records`: the door for the agent on this machine.

`{"Table": [{…}, …]}` in; 200 with the rows stored by table once they are committed. A body that is
not JSON of that form is 400 and stores nothing; a record that can't be stored goes to quarantine.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, take
from workbench.collect.intake import Intake
from workbench.server import wire

MAX_BODY = 30_000_000


async def post(request: Request) -> Response:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            return _refused(diagnostics.bad_request("a post of records is at most 30 MB"), 413)
    try:
        tables = _tables(bytes(data))
    except WorkbenchError as mistake:
        return _refused(mistake, 400)
    service = request.app.state.service
    store = partial(_store, service.intake, tables)
    body, status = await anyio.to_thread.run_sync(store, limiter=service.writes)
    return Response(body, status, media_type="application/json")


def _tables(data: bytes) -> dict[str, list[dict[str, Any]]]:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as broken:
        raise diagnostics.bad_request(f"the body is no JSON: {broken}") from None
    if not isinstance(body, dict) or not all(
        isinstance(records, list) and all(isinstance(r, dict) for r in records) for records in body.values()
    ):
        raise diagnostics.bad_request('the body reads {"Table": [{"Column": value, …}, …]}')
    return body


def _store(intake: Intake, tables: dict[str, list[dict[str, Any]]]) -> tuple[bytes, int]:
    batch = Batch("agent", "agent")
    for table, records in tables.items():
        part, refused = take(table, records, source="agent")
        batch.parts += [part] if part else []
        batch.refused += refused
    try:
        receipt = intake.accept(batch)
    except WorkbenchError as mistake:
        return wire.dump({"stored": {}, "error": wire.error_value(mistake)}), 503
    return wire.dump({"stored": {table: receipt.stored.get(table, 0) for table in tables}}), 200


def _refused(mistake: WorkbenchError, status: int) -> Response:
    return Response(wire.dump({"error": wire.error_value(mistake)}), status, media_type="application/json")
