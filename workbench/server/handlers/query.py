"""`POST|GET /v1/workspaces/{id}/query`: the Log Search API.

`{"query", "timespan"}` in, `{"tables": [PrimaryResult]}` out; a mistake of the query is 400 with the
same code and caret as in a cell; a result over 500,000 rows is cut and says `PartialError`. A query may take
three minutes, or what the header `Prefer: wait=600` says (ten at most); then it is 504, unless
`"partial": true` asks for the rows that it had. It ends at once when the client goes away. `Prefer` may ask for
`include-statistics=true` and `include-render=true` too. `"parameters"` are values for the query's names, `"sql": true` says
that the text is SQL. `/v1/$batch` takes several requests in one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from workbench.base.access import Identity, Role
from workbench.base.diagnostics import service as diagnostics
from workbench.base.dtypes import MAX_DATETIME_TICKS, MIN_DATETIME_TICKS, format_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect import query_log
from workbench.collect.query_history import Note
from workbench.query.timerange import parse_timerange
from workbench.server import wire
from workbench.server.query_pool import QueryPool, Question

Handler = Callable[[Request], Awaitable[Response]]
MAX_ROWS = 500_000
MAX_BODY = 1_000_000
MOST_IN_BATCH = 100
NOT_HERE = {"error": {"code": "PathNotFoundError", "message": "The requested path does not exist"}}
SECONDS, MOST_SECONDS = 180.0, 600.0
_LOOK_EVERY = 0.2
_STATUS = {"KQL304": 504, "SRV017": 500, "SRV018": 500}


async def ask(request: Request) -> Response:
    service = request.app.state.service
    if request.path_params["workspace_id"].lower() != service.workspace.repository.workspace_id.lower():
        return JSONResponse(NOT_HERE, status_code=404)
    try:
        body = dict(request.query_params) if request.method == "GET" else await json_body(request)
        if request.method == "POST" and "timespan" in request.query_params and isinstance(body, dict):
            body["timespan"] = _both(body.get("timespan"), request.query_params["timespan"])
        question = _question(body, request.headers.get("prefer", ""), request)
        answer = await while_connected(request, question)
    except WorkbenchError as mistake:
        return _answer(wire.log_search_error(mistake), _STATUS.get(mistake.code, 400))
    return Response(answer, 200, media_type="application/json")


async def batch(request: Request) -> Response:
    """`POST /v1/$batch`: several requests in one, each answered for itself."""
    try:
        body = await json_body(request)
        listed = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_IN_BATCH:
            raise diagnostics.bad_request(
                f'the body reads {{"requests": […]}}, with 1 to {MOST_IN_BATCH} of them'
            )
        if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in listed):
            raise diagnostics.bad_request("every request of a batch has an id, which is a text")
    except WorkbenchError as mistake:
        return _answer(wire.log_search_error(mistake), 400)
    return _answer({"responses": await asyncio.gather(*(_one_of_batch(request, one) for one in listed))}, 200)


async def _one_of_batch(request: Request, one: dict[str, Any]) -> dict[str, Any]:
    service = request.app.state.service
    asked = str(one.get("workspace", "")).lower()
    headers = one.get("headers")
    named = {str(k).lower(): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {}
    if asked != service.workspace.repository.workspace_id.lower():
        status, body = 404, wire.dump(NOT_HERE)
    else:
        try:
            question = _question(one.get("body"), named.get("prefer", ""), request)
            status, body = 200, await while_connected(request, question)
        except WorkbenchError as mistake:
            status, body = _STATUS.get(mistake.code, 400), wire.dump(wire.log_search_error(mistake))
    return {"id": one["id"], "status": status, "headers": {}, "body": orjson.Fragment(body or b"null")}


async def while_connected(request: Request, question: Question) -> bytes:
    """The answer, noted in the history; a client that goes away takes its query with it."""
    service, who = request.app.state.service, request.state.identity.name
    if query_log.TABLE in question.query:
        await anyio.to_thread.run_sync(service.history.before, question.query)
    said = question.query
    if request.state.identity.kind == "job":  # its history must not have the secrets that it knows
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        said = str(await anyio.to_thread.run_sync(service.automation.discretion.records, token, said))
    try:
        with service.history.noting(said, question.timespan or "", sql=question.sql, who=who) as note:
            return await _while_connected(request, service.queries, question, note)
    except ClientDisconnect:
        return b""


async def _while_connected(request: Request, pool: QueryPool, question: Question, note: Note) -> bytes:
    asking = asyncio.create_task(pool.ask(question, note))
    try:
        while not (await asyncio.wait({asking}, timeout=_LOOK_EVERY))[0]:
            if await request.is_disconnected():
                raise ClientDisconnect
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


async def json_body(request: Request) -> Any:
    """The body of a request as JSON (else SRV013)."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise diagnostics.bad_request("the request is longer than 1 MB")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as broken:
        raise diagnostics.bad_request(f"the body is no JSON: {broken}") from None


def may_store(request: Request) -> bool:
    """Whether a command of this request may change what is kept."""
    identity: Identity = request.state.identity
    return identity.may(Role.OPERATOR)


def _question(body: Any, prefer: str, request: Request) -> Question:
    """The query text of a request, its timespan and what it may take."""
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise diagnostics.bad_request('the body reads {"query": "…", "timespan": "P1D"}')
    timespan, parameters = body.get("timespan"), body.get("parameters")
    if timespan is not None and not isinstance(timespan, str):
        raise diagnostics.bad_request("timespan is a text such as P1D or 2026-11-23/2026-11-24")
    if parameters is not None and not isinstance(parameters, dict):
        raise diagnostics.bad_request('parameters are names and values: {"since": "2026-11-23"}')
    _only_this_workspace(body.get("workspaces"), request)
    wanted = prefer.replace(" ", "").lower()
    extras = tuple(name for name in ("statistics", "render") if f"include-{name}=true" in wanted)
    return Question(
        body["query"], timespan or None, MAX_ROWS, _seconds(prefer), partial=body.get("partial") in (True, "true"),
        parameters=parameters, sql=body.get("sql") in (True, "true"), may_store=may_store(request), extras=extras,
    )  # fmt: skip


def _only_this_workspace(named: Any, request: Request) -> None:
    """Refuse further workspaces than this one: there is one a service."""
    listed = named if isinstance(named, list) else [] if named is None else [named]
    known = {n.lower() for n in request.app.state.service.workspace.source.surroundings.names}
    for name in listed:
        if str(name).lower() not in known:
            raise diagnostics.bad_request(f"there is no workspace {name!r} here: a service has one")


def _both(first: Any, second: str) -> str:
    """The time that lies in both ranges, as `start/end`."""
    if not isinstance(first, str) or not first:
        return second
    ranges = [parse_timerange(text) for text in (first, second)]
    start = max((r[0] for r in ranges if r[0] is not None), default=None)
    end = min((r[1] for r in ranges if r[1] is not None), default=None)
    least = MIN_DATETIME_TICKS if start is None else start * 10
    return f"{format_datetime(least)}/{format_datetime(MAX_DATETIME_TICKS if end is None else end * 10)}"


def _answer(value: Any, status: int) -> Response:
    return Response(wire.dump(value), status, media_type="application/json")
