"""Alert rules and alerts for people and programs.

`GET /api/alertRules`, `GET|PUT|DELETE /api/alertRules/{name}` (the body is `{"text": YAML}`, or the rule's words as JSON),
`POST /api/alertRules/{name}/enable|disable|run`, `POST /api/alertRules/{name}/test` (what it would find now; nothing is kept);
`GET /api/alerts?rule=…&open=true&most=…`, `GET /api/alerts/{id}`, `POST /api/alerts/{id}/acknowledge|close|comment`
(`{"comment"}`). Reading is for readers, the rest for operators.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import Automation
from workbench.alerts import reading, testing
from workbench.alerts.rule import Rule
from workbench.alerts.store import Alerts
from workbench.base.diagnostics import alerting as diagnostics
from workbench.server.handlers.jobs import Body, told

MOST_BYTES = 1 << 20
MOST_ALERTS = 10_000


def alerts(request: Request) -> Alerts:
    found: Alerts = request.app.state.service.alerts
    return found


async def all_rules(request: Request) -> Response:
    return await _answered(request, lambda: {"rules": alerts(request).all()})


async def one_rule(request: Request) -> Response:
    return await _answered(request, lambda: alerts(request).get(request.path_params["name"]))


async def put_rule(request: Request) -> Response:
    async def of(_auto: Automation, body: Body) -> Any:
        def put() -> Any:
            rule = _rule(request, body)
            return alerts(request).put(rule, request.state.identity.name)

        return await anyio.to_thread.run_sync(put)

    return await told(request, of, read=MOST_BYTES)


async def remove_rule(request: Request) -> Response:
    def remove() -> Any:
        name = request.path_params["name"]
        alerts(request).remove(name, request.state.identity.name)
        return {"name": name}

    return await _answered(request, remove)


async def enable(request: Request) -> Response:
    return await _switched(request, alerts(request).enable)


async def disable(request: Request) -> Response:
    return await _switched(request, alerts(request).disable)


async def run(request: Request) -> Response:
    return await _switched(request, alerts(request).run)


async def test_rule(request: Request) -> Response:
    """A body tests that text, none the rule as it is kept."""

    async def of(_auto: Automation, body: Body) -> Any:
        def find() -> Any:
            name = request.path_params["name"]
            rule = _rule(request, body) if body else alerts(request).rule(name)
            return testing.tested(rule, request.app.state.service.workspace.source)

        return await anyio.to_thread.run_sync(find)

    return await told(request, of, read=MOST_BYTES)


async def all_alerts(request: Request) -> Response:
    asked = request.query_params
    most = asked.get("most", "100")
    find = partial(
        alerts(request).alerts,
        rule=asked.get("rule", ""),
        open_only=asked.get("open") == "true",
        most=min(MOST_ALERTS, int(most)) if most.isdecimal() else 100,
    )
    return await _answered(request, lambda: {"alerts": find()})


async def one_alert(request: Request) -> Response:
    return await _answered(request, lambda: alerts(request).alert(request.path_params["id"]))


async def acknowledge(request: Request) -> Response:
    return await _responded(request, alerts(request).acknowledge)


async def close(request: Request) -> Response:
    return await _responded(request, alerts(request).close)


async def comment(request: Request) -> Response:
    return await _responded(request, alerts(request).comment)


def _rule(request: Request, body: Body) -> Rule:
    """The rule of a body, of the name in the path."""
    name, source = request.path_params["name"], request.app.state.service.workspace.source
    if "text" in body:
        if not isinstance(body["text"], str) or len(body) > 1:
            raise diagnostics.bad_body("'text' is the YAML of the rule, and stands alone")
        rule = reading.read(body["text"], source)
    else:
        rule = reading.of({"name": name, **body}, source)
    if rule.name.strip() != name:
        raise diagnostics.bad_body(f"its name is {rule.name!r}, and it was sent to that of {name!r}")
    return rule


async def _answered(request: Request, find: Callable[[], Any]) -> Response:
    async def of(_auto: Automation, _body: Body) -> Any:
        return await anyio.to_thread.run_sync(find)

    return await told(request, of)


async def _switched(request: Request, switch: Callable[[str, str], Any]) -> Response:
    return await _answered(request, lambda: switch(request.path_params["name"], request.state.identity.name))


async def _responded(request: Request, respond: Callable[[str, str, str], Any]) -> Response:
    async def of(_auto: Automation, body: Body) -> Any:
        said = body.get("comment", "")
        if not isinstance(said, str):
            raise diagnostics.empty_comment()
        by = request.state.identity.name
        return await anyio.to_thread.run_sync(respond, request.path_params["id"], by, said)

    return await told(request, of, read=MOST_BYTES)
