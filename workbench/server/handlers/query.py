"""`POST|GET /v1/workspaces/{id}/query`: the Log Search API.

`{"query", "timespan"}` in, `{"tables": [PrimaryResult]}` out; a mistake of the query is 400 with the
same code and caret as in a cell; a result over 500,000 rows is cut and says `PartialError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.server import wire

Handler = Callable[[Request], Awaitable[Response]]
MAX_ROWS = 500_000
MAX_BODY = 1_000_000


async def ask(request: Request) -> Response:
    service = request.app.state.service
    if request.path_params["workspace_id"].lower() != service.workspace.repository.workspace_id.lower():
        return JSONResponse(
            {"error": {"code": "PathNotFoundError", "message": "The requested path does not exist"}},
            status_code=404,
        )
    try:
        text, timespan = await _question(request)
    except WorkbenchError as mistake:
        return _answer(wire.log_search_error(mistake), 400)
    run = partial(_run, service.workspace, text, timespan)
    body, status = await anyio.to_thread.run_sync(run, limiter=service.queries)
    return Response(body, status, media_type="application/json")


def _run(workspace: Any, text: str, timespan: str | None) -> tuple[bytes, int]:
    try:
        result = workspace.query(text, timespan=timespan, limit=MAX_ROWS)
        return wire.dump(wire.log_search(result)), 200
    except WorkbenchError as mistake:
        return wire.dump(wire.log_search_error(mistake.within(text))), 400


async def _question(request: Request) -> tuple[str, str | None]:
    """The query text and timespan of a request."""
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
    return body["query"], timespan or None


def _answer(value: Any, status: int) -> Response:
    return Response(wire.dump(value), status, media_type="application/json")
