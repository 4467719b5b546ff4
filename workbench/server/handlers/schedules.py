"""Schedules for people and programs.

`GET /api/schedules`, `GET|PUT|DELETE /api/schedules/{name}` (the body as `Schedules.put` takes it), `POST
/api/schedules/{name}/pause|resume`; `GET /api/next-runs?when=…&zone=…` shows when a text would be due. Reading is for
readers, changing for operators.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import Automation
from workbench.actions.schedules import Schedules
from workbench.actions.schedules.store import preview
from workbench.server.handlers.jobs import Body, told

MOST_BYTES = 1 << 20


def schedules(request: Request) -> Schedules:
    found: Schedules = request.app.state.service.schedules
    return found


async def all_schedules(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return {"schedules": await anyio.to_thread.run_sync(schedules(request).all)}

    return await told(request, of)


async def one(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return await anyio.to_thread.run_sync(schedules(request).get, request.path_params["name"])

    return await told(request, of)


async def put(request: Request) -> Response:
    async def of(_auto: Automation, body: Body) -> Any:
        by = request.state.identity.name
        make = partial(schedules(request).put, request.path_params["name"], body, by)
        return await anyio.to_thread.run_sync(make)

    return await told(request, of, read=MOST_BYTES)


async def pause(request: Request) -> Response:
    return await _switched(request, schedules(request).pause)


async def resume(request: Request) -> Response:
    return await _switched(request, schedules(request).resume)


async def remove(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        name, by = request.path_params["name"], request.state.identity.name
        await anyio.to_thread.run_sync(schedules(request).remove, name, by)
        return {"name": name}

    return await told(request, of)


async def next_runs(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        asked = request.query_params
        runs = partial(preview, asked.get("when", ""), asked.get("zone") or "UTC")
        return {"runs": await anyio.to_thread.run_sync(runs)}

    return await told(request, of)


async def _switched(request: Request, switch: Any) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        name, by = request.path_params["name"], request.state.identity.name
        return await anyio.to_thread.run_sync(switch, name, by)

    return await told(request, of)
