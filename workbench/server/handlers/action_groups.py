"""Action groups: who is told of alerts. `GET /api/actionGroups`, `GET|PUT|DELETE /api/actionGroups/{name}`,
`POST …/{name}/test` tells each action a sample; `/api/alert-destinations` is the list of who may be told although its address
is private: for owners to change."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.deliveries import ActionGroups
from workbench.actions.deliveries.groups import from_yaml
from workbench.actions.runbook.automation import Automation
from workbench.base.diagnostics import notify as diagnostics
from workbench.server.handlers.jobs import Body, told


def groups(request: Request) -> ActionGroups:
    found: ActionGroups = request.app.state.service.groups
    return found


async def all_groups(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return {"groups": await anyio.to_thread.run_sync(groups(request).all)}

    return await told(request, of)


async def one(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return await anyio.to_thread.run_sync(groups(request).get, request.path_params["name"])

    return await told(request, of)


async def put(request: Request) -> Response:
    """The body is the group, or `{"text": …}` with its YAML."""

    async def of(_auto: Automation, body: Body) -> Any:
        spec = from_yaml(body["text"]) if isinstance(body.get("text"), str) and len(body) == 1 else body
        by = request.state.identity.name
        make = partial(groups(request).put, request.path_params["name"], spec, by=by)
        return await anyio.to_thread.run_sync(make)

    return await told(request, of, read=1 << 20)


async def remove(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        name = request.path_params["name"]
        await anyio.to_thread.run_sync(groups(request).remove, name)
        return {"name": name}

    return await told(request, of)


async def test(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        button = request.app.state.service.group_test
        return {"results": await anyio.to_thread.run_sync(button.press, request.path_params["name"])}

    return await told(request, of)


async def destinations(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return {"destinations": await anyio.to_thread.run_sync(groups(request).destinations)}

    return await told(request, of)


async def allow(request: Request) -> Response:
    async def of(_auto: Automation, body: Body) -> Any:
        by = request.state.identity.name
        allow = partial(groups(request).allow, _destination(body), plain=body.get("plain") is True, by=by)
        return await anyio.to_thread.run_sync(allow)

    return await told(request, of, read=1 << 12)


async def disallow(request: Request) -> Response:
    async def of(_auto: Automation, body: Body) -> Any:
        await anyio.to_thread.run_sync(groups(request).disallow, _destination(body))
        return {"destination": _destination(body)}

    return await told(request, of, read=1 << 12)


def _destination(body: Body) -> str:
    found = body.get("destination")
    if not isinstance(found, str):
        raise diagnostics.bad_destination("")
    return found
