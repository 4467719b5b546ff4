"""Runbooks and jobs for people and programs.

`GET /api/runbooks`, `GET|PUT /api/runbooks/{name}` (`{"notebook", "draft"}`), `POST /api/runbooks/{name}/publish`;
`POST /api/runbooks/{name}/start` (`{"parameters", "group", "key", …}`; 202 with `job_id`, of the same job when the sender
asks again under one key); `GET /api/jobs`, `GET /api/jobs/{id}`,
`GET /api/jobs/{id}/notebook`, `POST /api/jobs/{id}/cancel|resume`. Reading is for readers, starting and changing for
operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.jobs.states import ENDED
from workbench.actions.runbook.automation import Automation
from workbench.actions.runbook.library import MOST_BYTES, Runbook
from workbench.base.diagnostics import service as service_messages
from workbench.base.errors import WorkbenchError
from workbench.server import body as bodies
from workbench.server import wire

_STATUS = {
    "JOB001": 404, "JOB002": 409, "JOB003": 409, "JOB201": 404, "JOB202": 409, "JOB204": 409, "JOB322": 404,
    "OTL101": 413, "CTL001": 503, "SAV003": 404, "SCH101": 404, "WHK001": 404, "ALR001": 404, "ALR021": 404, "AST001": 404, "AST201": 403, "AST101": 503, "AST102": 503, "AST103": 503,
    "AST104": 503, "AST105": 503, "AST107": 409, "AST108": 503, "NOT001": 404, "NOT202": 404,
}  # fmt: skip
Body = Mapping[str, Any]
MOST_KEY = 200


def automation(request: Request) -> Automation:
    found: Automation = request.app.state.service.automation
    return found


async def runbooks(request: Request) -> Response:
    found = await anyio.to_thread.run_sync(automation(request).library.all)
    return answer({"runbooks": [_shown(r) for r in found]})


async def runbook(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        found = await anyio.to_thread.run_sync(auto.library.published, request.path_params["name"])
        return {**_shown(found), "notebook": found.notebook}

    return await told(request, of)


async def bring(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        make = partial(
            auto.library.bring,
            request.path_params["name"],
            body.get("notebook"),
            draft=body.get("draft") is True,
        )
        return _shown(await anyio.to_thread.run_sync(make))

    return await told(request, of, read=2 * MOST_BYTES)


async def publish(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        return _shown(await anyio.to_thread.run_sync(auto.library.publish, request.path_params["name"]))

    return await told(request, of)


async def start(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        identity = request.state.identity
        trigger = "person" if identity.kind == "owner" else "api"
        key = body.get("key", "")
        if not isinstance(key, str) or len(key) > MOST_KEY:
            raise service_messages.bad_request(f"'key' is no text of at most {MOST_KEY} characters")
        make = partial(
            auto.start,
            request.path_params["name"],
            body,
            trigger=trigger,
            by=identity.name,
            key=f"{trigger}/{identity.id}/{key}" if key else "",
        )
        return {"job_id": (await anyio.to_thread.run_sync(make))["id"]}

    return await told(request, of, read=1 << 20, status=202)


async def jobs(request: Request) -> Response:
    most = request.query_params.get("most", "100")
    ask = partial(
        automation(request).jobs.all,
        most=min(10_000, int(most)) if most.isdecimal() else 100,
        runbook=request.query_params.get("runbook"),
    )
    return answer({"jobs": [shown(j) for j in await anyio.to_thread.run_sync(ask)]})


async def job(request: Request) -> Response:
    """With `?wait=SECONDS` the answer comes when the job has ended, or the time is over."""

    async def of(auto: Automation, _body: Body) -> Any:
        wait = request.query_params.get("wait", "0")
        return shown(await until_ended(request, request.path_params["id"], wait))

    return await told(request, of)


async def notebook(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        return await anyio.to_thread.run_sync(auto.evidence, request.path_params["id"])

    return await told(request, of)


async def cancel(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        return {"state": await anyio.to_thread.run_sync(auto.jobs.cancel, request.path_params["id"])}

    return await told(request, of)


async def resume(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        await anyio.to_thread.run_sync(auto.resume, request.path_params["id"])
        return {"state": "Resuming"}

    return await told(request, of)


async def until_ended(request: Request, number: str, wait: str) -> Mapping[str, Any]:
    """A job's row as it is when it has ended, or after so many seconds."""
    get = partial(automation(request).jobs.get, number)

    def ended() -> Mapping[str, Any] | None:
        row = get()
        return row if row["state"] in ENDED else None

    seconds = min(60.0, float(wait)) if wait.isdecimal() else 0.0
    found = await request.app.state.service.news.until(ended, seconds)
    return found if found is not None else await anyio.to_thread.run_sync(get)


# ---- what handlers of jobs share ----------------------------------------------------------------


async def told(
    request: Request, work: Callable[[Automation, Body], Any], *, read: int = 0, status: int = 200
) -> Response:
    """The answer of `work`, which gets the request's JSON object; mistakes as their JSON form."""
    try:
        body = _object(await bodies.read(request, read)) if read else {}
        found = await work(automation(request), body)
    except WorkbenchError as mistake:
        error = {**wire.error_value(mistake), "packed": mistake.packed()}
        return answer({"error": error}, _STATUS.get(mistake.code, 400))
    if found is None:
        return Response(status_code=204)
    return (
        Response(found, status, media_type="application/json")
        if isinstance(found, bytes)
        else answer(found, status)
    )


def answer(value: object, status: int = 200) -> Response:
    return Response(wire.dump(value), status, media_type="application/json")


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A job as JSON: nothing that opens something."""
    names = (
        "id", "runbook", "version", "trigger", "trigger_name", "worker_group", "worker", "isolation", "state", "error", "error_code",
        "attempt", "created", "started", "ended", "timeout", "retries", "parent",
    )  # fmt: skip
    return {**{n: row[n] for n in names}, "parameters": orjson.loads(row["parameters"])}


def _shown(found: Runbook) -> dict[str, Any]:
    return {
        "name": found.name, "version": found.version, "published": found.published, "description": found.description,
        "changed": found.changed, "parameters": [p.shown() for p in found.parameters],
    }  # fmt: skip


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError as why:
        raise service_messages.bad_request(f"the body is no JSON: {why}") from None
    if not isinstance(found, dict):
        raise service_messages.bad_request("the body is no JSON object")
    return found
