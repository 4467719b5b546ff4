"""Webhooks: for who calls them, and for who keeps them.

`POST /webhooks?token=…` with any text as its body: 202 `{"JobIds": […]}`; every other answer stands in
`actions/webhooks/CALLERS.md`. `GET /api/webhooks`, `GET|PUT|DELETE /api/webhooks/{name}` (the body as `Webhooks.put` takes
it), `POST /api/webhooks/{name}/rotate|enable|disable`: reading is for readers, changing for operators.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import Automation
from workbench.actions.webhooks import Webhooks
from workbench.base.errors import WorkbenchError
from workbench.server import body as bodies
from workbench.server import wire
from workbench.server.handlers.jobs import Body, answer, told

DOOR = "webhook"
MOST_BYTES = 512 * 1024
STATUS = {
    "WHK101": 400, "WHK102": 400, "WHK103": 400, "WHK104": 401, "WHK105": 401, "WHK106": 409, "WHK107": 503,
    "WHK108": 400, "WHK109": 413, "OTL101": 413, "CTL001": 503,
}  # fmt: skip


def webhooks(request: Request) -> Webhooks:
    found: Webhooks = request.app.state.service.webhooks
    return found


async def call(request: Request) -> Response:
    try:
        token = request.query_params.get("token", "")
        row = await anyio.to_thread.run_sync(webhooks(request).open, token)
        body = await bodies.read(request, MOST_BYTES)
        take = partial(webhooks(request).call, row, request.headers.items(), body)
        made = await anyio.to_thread.run_sync(take)
    except WorkbenchError as mistake:
        request.app.state.service.intake.refused(DOOR, mistake)
        return answer({"error": wire.error_value(mistake)}, STATUS.get(mistake.code, 503))
    return answer({"JobIds": made}, 202)


async def all_webhooks(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return {"webhooks": await anyio.to_thread.run_sync(webhooks(request).all)}

    return await told(request, of)


async def one(request: Request) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return await anyio.to_thread.run_sync(webhooks(request).get, request.path_params["name"])

    return await told(request, of)


async def put(request: Request) -> Response:
    async def of(_auto: Automation, body: Body) -> Any:
        by = request.state.identity.name
        make = partial(webhooks(request).put, request.path_params["name"], body, by)
        return _with_url(request, await anyio.to_thread.run_sync(make))

    return await told(request, of, read=1 << 20)


def _changing(change: Callable[[Webhooks, str, str], Any]) -> Callable[[Request], Awaitable[Response]]:
    """A handler that changes the webhook of the path, and shows it."""

    async def handler(request: Request) -> Response:
        async def of(_auto: Automation, _body: Body) -> Any:
            name, by = request.path_params["name"], request.state.identity.name
            found = await anyio.to_thread.run_sync(partial(change, webhooks(request), name, by))
            return _with_url(request, found) if found is not None else {"name": name}

        return await told(request, of)

    return handler


rotate = _changing(Webhooks.rotate)
enable = _changing(Webhooks.enable)
disable = _changing(Webhooks.disable)
remove = _changing(Webhooks.remove)


def _with_url(request: Request, shown: dict[str, Any]) -> dict[str, Any]:
    """A webhook whose token is shown this once also has its URL, by the name that was asked here."""
    if "token" not in shown:
        return shown
    return {**shown, "url": f"{str(request.base_url).rstrip('/')}/webhooks?token={shown['token']}"}
