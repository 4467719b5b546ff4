"""What `/api/…` takes and gives, as OpenAPI 3.1, for people and programs; a test holds it to the routes and to answers.

Nothing goes in, out comes one document. Workers, running jobs and agents have doors of their own, which are no part of
it; records and queries use the protocols of others, which their own documents describe.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from workbench.server.openapi.operations import PATHS
from workbench.server.openapi.schemas import ERROR, SCHEMAS, json_of

_ABOUT = (
    "What people and programs ask of a service about automation and what is kept. Records come in, and queries are "
    "asked, by the protocols of Azure Monitor, OpenTelemetry and Prometheus."
)


@cache
def document() -> dict[str, Any]:
    """The document.

    Examples
    --------
    >>> document()["paths"]["/api/jobs/{id}/cancel"]["post"]["summary"]
    'Stop a job'
    """
    tags = dict.fromkeys(
        tag for methods in PATHS.values() for told in methods.values() for tag in told["tags"]
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Workbench", "version": "1", "description": _ABOUT},
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": PATHS,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer", "description": "`workbench token create --role …`",
                }
            },
            "responses": {
                "Mistake": json_of(ERROR, "What is wrong, with a code, in one sentence."),
                "Refused": json_of(ERROR, "No token, or one that may not."),
            },
            "schemas": SCHEMAS,
        },
    }  # fmt: skip
