"""`POST|GET /v1/workspaces/{id}/query`: the Log Search API.

`{"query", "timespan"}` in, `{"tables": [PrimaryResult]}` out; a mistake of the query is 400 with the
same code and caret as in a cell; a result over 500,000 rows is cut and says `PartialError`. A query may take
three minutes, or what the header `Prefer: wait=600` says (ten at most); then it is 504, unless
`"partial": true` asks for the rows that it had. It ends at once when the client goes away.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.server import wire
from workbench.server.query_pool import QueryPool, Question

Handler = Callable[[Request], Awaitable[Response]]
MAX_ROWS = 500_000
MAX_BODY = 1_000_000
SECONDS, MOST_SECONDS = 180.0, 600.0
_LOOK_EVERY = 0.2
_STATUS = {"KQL304": 504, "SRV017": 500, "SRV018": 500}


async def ask(request: Request) -> Response:
    service = request.app.state.service
    if request.path_params["workspace_id"].lower() != service.workspace.repository.workspace_id.lower():
        return JSONResponse(
            {"error": {"code": "PathNotFoundError", "message": "The requested path does not exist"}},
            status_code=404,
        )
    try:
        question = await _question(request)
        body = await _while_connected(request, service.queries, question)
    except WorkbenchError as mistake:
        return _answer(wire.log_search_error(mistake), _STATUS.get(mistake.code, 400))
    return Response(body, 200, media_type="application/json")


async def _while_connected(request: Request, pool: QueryPool, question: Question) -> bytes:
    """The answer; a client that goes away takes its query with it."""
    asking = asyncio.create_task(pool.ask(question))
    try:
        while not (await asyncio.wait({asking}, timeout=_LOOK_EVERY))[0]:
            if await request.is_disconnected():
                return b""
        return asking.result()
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking})


def _seconds(prefer: str) -> float:
    """How long a query may take by its `Prefer` header.

    Examples
    --------
    >>> _seconds("response-v1=true, wait=30"), _seconds("wait=9000"), _seconds("")
    (30.0, 600.0, 180.0)
    """
    said = re.search(r"(?:^|[,;\s])wait\s*=\s*(\d{1,9})", prefer)
    return min(float(said[1]), MOST_SECONDS) if said else SECONDS


async def _question(request: Request) -> Question:
    """The query text of a request, its timespan and what it may take."""
    if request.method == "GET":
        body: Any = dict(request.query_params)
    else:
        data = b""
        async for chunk in request.stream():
            data += chunk
            if len(data) > MAX_BODY:
                raise diagnostics.bad_request("the request is longer than 1 MB")
        try:
            body = orjson.loads(data)
        except orjson.JSONDecodeError as broken:
            raise diagnostics.bad_request(f"the body is no JSON: {broken}") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise diagnostics.bad_request('the body reads {"query": "…", "timespan": "P1D"}')
    timespan = body.get("timespan")
    if timespan is not None and not isinstance(timespan, str):
        raise diagnostics.bad_request("timespan is a text such as P1D or 2026-11-23/2026-11-24")
    partial = body.get("partial") in (True, "true")
    seconds = _seconds(request.headers.get("prefer", ""))
    return Question(body["query"], timespan or None, MAX_ROWS, seconds, partial=partial)


def _answer(value: Any, status: int) -> Response:
    return Response(wire.dump(value), status, media_type="application/json")
