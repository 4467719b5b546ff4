"""Saved searches for readers: `GET /api/searches`, `GET /api/searches/{name}`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import Automation
from workbench.collect.searches import Search, Searches
from workbench.server.handlers.jobs import Body, told


async def all_searches(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return {"searches": [_shown(s) for s in await anyio.to_thread.run_sync(_searches(request).all)]}

    return await told(request, of)


async def search(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return _shown(await anyio.to_thread.run_sync(_searches(request).get, request.path_params["name"]))

    return await told(request, of)


def _searches(request: Request) -> Searches:
    found: Searches = request.app.state.service.workspace.searches
    return found


def _shown(found: Search) -> dict[str, Any]:
    return {**asdict(found), "parameters": dict(found.parameters)}
