"""`/api/rules`: collection rules as JSON.

`GET /api/rules`, `GET /api/rules/{rule}` for a reader; `POST /api/rules` (a rule; 201 with `immutable_id`, the same for
a rule of a name that was there) and `DELETE /api/rules/{rule}` (by id or name) for an operator.
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from workbench.base.diagnostics import rules as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.rule_text import MOST_BYTES, read
from workbench.server import body as bodies
from workbench.server import wire

_STATUS = {"RUL116": 404, "OTL101": 413, "RUL117": 413, "CTL001": 503}


async def all_rules(request: Request) -> Response:
    rules = await anyio.to_thread.run_sync(request.app.state.service.rules.all)
    return _answer({"rules": rules})


async def one(request: Request) -> Response:
    number = request.path_params["rule"]
    found = await anyio.to_thread.run_sync(request.app.state.service.rules.get, number)
    return _refused(diagnostics.no_such_rule(number, ())) if found is None else _answer(found)


async def create(request: Request) -> Response:
    try:
        data = await bodies.read(request, MOST_BYTES)
        make = partial(_create, request.app.state.service.rules.create, data)
        number = await anyio.to_thread.run_sync(make)
    except WorkbenchError as mistake:
        return _refused(mistake)
    return _answer({"immutable_id": number}, 201)


async def remove(request: Request) -> Response:
    rules = request.app.state.service.rules
    try:
        number = await anyio.to_thread.run_sync(rules.remove, request.path_params["rule"])
    except WorkbenchError as mistake:
        return _refused(mistake)
    return _answer({"immutable_id": number})


def _create(make: object, data: bytes) -> str:
    assert callable(make)
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        found = read(data, "posted")
    return str(make(found))


def _answer(value: object, status: int = 200) -> Response:
    return Response(wire.dump(value), status, media_type="application/json")


def _refused(mistake: WorkbenchError) -> Response:
    return _answer(
        {"error": {**wire.error_value(mistake), "packed": mistake.packed()}}, _STATUS.get(mistake.code, 400)
    )
