"""What workers ask, and what people ask about them.

`POST /api/worker/claim` with a worker's token: 200 with a job of its group and the token of its claim, or 204. `POST
/api/worker/heartbeat`: how it is. `GET /api/workers` lists them, `DELETE /api/workers/{id}` ends one.
"""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import Automation
from workbench.server.handlers.jobs import Body, told
from workbench.server.news import News

MOST_WAIT = 30.0
_MOST_BODY = 1 << 16


async def claim(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        identity, wait = request.state.identity, body.get("wait", 0)
        isolation = str(body.get("isolation", ""))[:200]
        seconds = min(MOST_WAIT, float(wait)) if isinstance(wait, int | float) else 0.0

        def look() -> dict[str, Any] | None:
            group = auto.workers.group_of(identity.id)
            # An empty answer, so that a worker that drains need not wait for its own question.
            return {} if group is None else auto.claim([group], identity.name, isolation)

        return await _news(request).until(look, seconds, request.is_disconnected) or None

    return await told(request, of, read=_MOST_BODY)


async def heartbeat(request: Request) -> Response:
    async def of(auto: Automation, body: Body) -> Any:
        await anyio.to_thread.run_sync(auto.workers.heard, request.state.identity.id, body)
        if body.get("draining"):
            _news(request).tell()
        return {}

    return await told(request, of, read=_MOST_BODY)


async def all_workers(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        return {"workers": await anyio.to_thread.run_sync(auto.workers.all)}

    return await told(request, of)


async def remove(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        await anyio.to_thread.run_sync(auto.workers.remove, request.path_params["id"])
        _news(request).tell()
        return {}

    return await told(request, of)


def _news(request: Request) -> News:
    found: News = request.app.state.service.news
    return found
