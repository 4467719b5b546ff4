"""Assets for people and programs: set, listed, removed; a value that is encrypted is never given out here.

`GET /api/assets[?kind=]`, `GET|PUT|DELETE /api/assets/{kind}/{name}`, `POST /api/assets/{kind}/{name}/allow`
(`{"runbooks": […]}`), for operators; `POST /api/asset-key/rotate` (`{"passphrase"}` or `{"file": true}` to change where
the key comes from), for the owner. Jobs read values at `/api/job/assets/{kind}/{name}` (see `claims`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import Automation
from workbench.base.diagnostics import assets as diagnostics
from workbench.server.handlers.jobs import Body, told

MOST_BYTES = 4 << 20


async def all_assets(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        kind = request.query_params.get("kind")
        return {"assets": await anyio.to_thread.run_sync(auto.assets.all, kind)}

    return await told(request, of)


async def one(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        return await anyio.to_thread.run_sync(auto.assets.get, *_named(request))

    return await told(request, of)


async def put(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        by = request.state.identity.name
        return await anyio.to_thread.run_sync(partial(auto.assets.put, *_named(request), body, by=by))

    return await told(request, of, read=MOST_BYTES)


async def allow(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        by, names = request.state.identity.name, body.get("runbooks")
        return await anyio.to_thread.run_sync(partial(auto.assets.allow, *_named(request), names, by=by))

    return await told(request, of, read=1 << 16)


async def remove(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        by = request.state.identity.name
        await anyio.to_thread.run_sync(partial(auto.assets.remove, *_named(request), by=by))
        return {}

    return await told(request, of)


async def rotate(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        new = body.get("passphrase")
        if new is not None and not isinstance(new, str):
            raise diagnostics.bad_field("key", "passphrase", "it is a text")
        to_file = body.get("file") is True
        if to_file and new is not None:
            raise diagnostics.bad_field("key", "file", "a passphrase is there too")
        by = request.state.identity.name
        work = partial(auto.assets.rotate_key, by=by, passphrase=new, to_file=to_file)
        count = await anyio.to_thread.run_sync(work)
        return {"rewrapped": count, "source": auto.assets.key_source}

    return await told(request, of, read=1 << 16)


def _named(request: Request) -> tuple[str, str]:
    return request.path_params["kind"], request.path_params["name"]
