"""The OpenAPI document: what it names is there, what is there it names, and answers have its shapes."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from runbook_service import Jobs
from starlette.routing import Route

from workbench.server import app
from workbench.server.openapi import document

OTHER_DOORS = ("/api/agent/", "/api/worker/", "/api/job/", "/api/logs", "/api/v1/write")
"""What agents, workers, running jobs and senders of records use."""


class _Anything:
    """Stands for a service whose routes are only listed."""

    names = frozenset({"localhost"})


def routes() -> set[tuple[str, str]]:
    found = app.create(_Anything())  # type: ignore[arg-type]
    return {
        (route.path, method.lower())
        for route in found.routes
        if isinstance(route, Route)
        and route.path.startswith("/api/")
        and not route.path.startswith(OTHER_DOORS)
        for method in (route.methods or ()) - {"HEAD"}
    }


def test_it_names_every_operation_and_no_other() -> None:
    assert {(path, method) for path, methods in document()["paths"].items() for method in methods} == routes()


def test_it_is_openapi() -> None:
    from openapi_spec_validator import validate

    validate(document())


def checked(operation: tuple[str, str], status: int, body: Any) -> None:
    told = document()["paths"][operation[0]][operation[1]]["responses"][str(status)]
    if "$ref" in told:
        told = document()["components"]["responses"][told["$ref"].rpartition("/")[2]]
    schema = {**told["content"]["application/json"]["schema"], "components": document()["components"]}
    jsonschema.validate(body, schema, jsonschema.Draft202012Validator)


@pytest.mark.slow
def test_answers_have_its_shapes(service: Any) -> None:
    jobs = Jobs(service)
    jobs.bring("shapes", "print(n)", parameters="n: int = 1  # how many {choices: 1|2}")
    job = jobs.start("shapes")
    assert jobs.until(job, "Completed")["state"] == "Completed"
    schedule = {"runbook": "shapes", "when": "daily at 06:30", "zone": "Europe/Berlin"}
    rule = {"name": "r"}
    for method, path, name, body in (
        ("PUT", "/api/schedules/{name}", "nightly", schedule), ("PUT", "/api/assets/{kind}/{name}", "variable/limit", {"value": 3}),
        ("POST", "/api/rules", "", rule), ("GET", "/api/health", "", None), ("GET", "/api/openapi.json", "", None),
        ("GET", "/api/runbooks", "", None), ("GET", "/api/runbooks/{name}", "shapes", None),
        ("GET", "/api/runbooks/{name}", "none", None), ("GET", "/api/jobs", "", None), ("GET", "/api/jobs/{id}", job, None),
        ("GET", "/api/jobs/{id}", "none", None), ("GET", "/api/jobs/{id}/notebook", job, None),
        ("POST", "/api/jobs/{id}/cancel", job, {}), ("GET", "/api/workers", "", None), ("DELETE", "/api/workers/{id}", "none", None),
        ("PUT", "/api/webhooks/{name}", "build", {"runbook": "shapes"}), ("GET", "/api/webhooks", "", None),
        ("POST", "/api/webhooks/{name}/rotate", "build", {}), ("DELETE", "/api/webhooks/{name}", "build", {}),
        ("GET", "/api/schedules", "", None), ("GET", "/api/schedules/{name}", "nightly", None),
        ("POST", "/api/schedules/{name}/pause", "nightly", {}), ("GET", "/api/assets", "", None),
        ("GET", "/api/assets/{kind}/{name}", "variable/limit", None), ("GET", "/api/searches", "", None),
        ("GET", "/api/searches/{name}", "none", None), ("GET", "/api/rules", "", None), ("DELETE", "/api/schedules/{name}", "nightly", {}),
    ):  # fmt: skip
        begin, _, rest = path.partition("{")
        end = rest.rpartition("}")[2]
        status, told = service.ask(method, f"{begin}{name}{end}", body)
        checked((path, method.lower()), status, told)
    status, told = service.ask("GET", "/api/jobs", token="no such token")
    checked(("/api/jobs", "get"), status, told)
