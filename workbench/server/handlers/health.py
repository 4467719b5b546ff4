"""`GET /api/health`: whether the service answers, and for which workspace. `GET /api/openapi.json`: what it can be asked.

Neither needs a token.
"""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import JSONResponse

from workbench.server.openapi import document


async def get(request: Request) -> JSONResponse:
    workspace_id = request.app.state.service.workspace.repository.workspace_id
    return JSONResponse({"status": "ok", "workspace_id": workspace_id, "pid": os.getpid()})


async def openapi(_request: Request) -> JSONResponse:
    return JSONResponse(document())
