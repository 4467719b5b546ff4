"""What can be asked at `/api/…`: one line an operation, in the order of the document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.server.openapi import alerts
from workbench.server.openapi.schemas import (
    OBJECT,
    TEXT,
    TEXTS,
    WHOLE,
    YES_NO,
    Schema,
    json_of,
    list_of,
    of,
    shape,
)

PATHS: dict[str, dict[str, dict[str, Any]]] = {}
_PARAMETERS: dict[str, str] = {
    "id": "Its id, or a beginning of it that is clear.", "name": "Its name.", "rule": "Its id.",
    "kind": "variable, credential, certificate, connection or modules.",
}  # fmt: skip
_STATE = shape({"state": TEXT}, ["state"])
_RULE_ID = shape({"immutable_id": TEXT}, ["immutable_id"])


def _asked(name: str, description: str, schema: Schema = TEXT) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _add(
    tag: str,
    role: str,
    method: str,
    path: str,
    name: str,
    summary: str,
    answer: Schema,
    *,
    body: Schema | None = None,
    asked: Sequence[dict[str, Any]] = (),
    status: str = "200",
    mistakes: str = "",
) -> None:
    """Describe an operation; `mistakes` are the statuses that it has beside those of all."""
    named = [word[1:-1] for word in path.split("/") if word.startswith("{")]
    known = [
        {"name": n, "in": "path", "required": True, "description": _PARAMETERS[n], "schema": TEXT}
        for n in named
    ]
    told: dict[str, Any] = {"tags": [tag], "operationId": name, "summary": summary}
    told["description"] = f"For the role {role}." if role else "Needs no token."
    if not role:
        told["security"] = []
    if known or asked:
        told["parameters"] = [*known, *asked]
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    refused = {"401": "Refused", "403": "Refused", "400": "Mistake"} if role else {}
    refused |= dict.fromkeys(mistakes.split(), "Mistake")
    told["responses"] = {status: json_of(answer, summary)} | {
        code: {"$ref": f"#/components/responses/{kind}"} for code, kind in sorted(refused.items())
    }
    PATHS.setdefault(path, {})[method] = told


def _runbooks() -> None:
    tag, one = "runbooks", "/api/runbooks/{name}"
    notebook = shape({"notebook": {**OBJECT, "description": "nbformat 4"}, "draft": YES_NO}, ["notebook"])
    started = shape({"job_id": TEXT}, ["job_id"])
    _add(
        tag, "reader", "get", "/api/runbooks", "listRunbooks", "The runbooks", list_of("runbooks", "Runbook")
    )
    _add(
        tag,
        "reader",
        "get",
        one,
        "getRunbook",
        "A published runbook with its notebook",
        of("Runbook"),
        mistakes="404",
    )
    _add(
        tag,
        "operator",
        "put",
        one,
        "importRunbook",
        "Bring a notebook in as a new version",
        of("Runbook"),
        body=notebook,
        mistakes="413",
    )
    _add(
        tag,
        "operator",
        "post",
        f"{one}/publish",
        "publishRunbook",
        "Publish the newest draft",
        of("Runbook"),
        mistakes="404 409",
    )
    _add(
        tag,
        "operator",
        "post",
        f"{one}/start",
        "startRunbook",
        "Start a runbook",
        started,
        body=of("Start"),
        status="202",
        mistakes="404 409 413",
    )


def _jobs() -> None:
    tag, one = "jobs", "/api/jobs/{id}"
    few = [_asked("most", "How many; 100.", WHOLE), _asked("runbook", "Only of that runbook.")]
    wait = [_asked("wait", "Seconds to wait for its end, at most 60.", WHOLE)]
    _add(
        tag, "reader", "get", "/api/jobs", "listJobs", "Jobs, newest first", list_of("jobs", "Job"), asked=few
    )
    _add(
        tag,
        "reader",
        "get",
        one,
        "getJob",
        "A job as it is now, or at its end",
        of("Job"),
        asked=wait,
        mistakes="404",
    )
    _add(
        tag,
        "reader",
        "get",
        f"{one}/notebook",
        "getExecutedNotebook",
        "The executed notebook of a job",
        OBJECT,
        mistakes="404",
    )
    _add(tag, "operator", "post", f"{one}/cancel", "cancelJob", "Stop a job", _STATE, mistakes="404 409")
    _add(
        tag,
        "operator",
        "post",
        f"{one}/resume",
        "resumeJob",
        "Start a suspended job again; this agrees to what it asked",
        _STATE,
        mistakes="404 409",
    )


def _workers() -> None:
    tag = "workers"
    _add(
        tag,
        "reader",
        "get",
        "/api/workers",
        "listWorkers",
        "The workers and their health",
        list_of("workers", "Worker"),
    )
    _add(
        tag,
        "operator",
        "delete",
        "/api/workers/{id}",
        "removeWorker",
        "End a worker's identity",
        OBJECT,
        mistakes="404",
    )


def _schedules() -> None:
    tag, one = "schedules", "/api/schedules/{name}"
    when = [_asked("when", "As a schedule has it."), _asked("zone", "IANA zone; UTC.")]
    _add(
        tag,
        "reader",
        "get",
        "/api/schedules",
        "listSchedules",
        "The schedules",
        list_of("schedules", "Schedule"),
    )
    _add(
        tag,
        "reader",
        "get",
        one,
        "getSchedule",
        "A schedule with its next runs",
        of("Schedule"),
        mistakes="404",
    )
    _add(
        tag,
        "operator",
        "put",
        one,
        "putSchedule",
        "Make or change a schedule",
        of("Schedule"),
        body=of("ScheduleSettings"),
        mistakes="404 413",
    )
    _add(
        tag,
        "operator",
        "delete",
        one,
        "removeSchedule",
        "Remove a schedule",
        shape({"name": TEXT}, ["name"]),
        mistakes="404",
    )
    _add(
        tag,
        "operator",
        "post",
        f"{one}/pause",
        "pauseSchedule",
        "Pause a schedule",
        of("Schedule"),
        mistakes="404",
    )
    _add(
        tag,
        "operator",
        "post",
        f"{one}/resume",
        "resumeSchedule",
        "Let a schedule go on",
        of("Schedule"),
        mistakes="404",
    )
    _add(
        tag,
        "reader",
        "get",
        "/api/next-runs",
        "previewRuns",
        "When a text would be due",
        shape({"runs": TEXTS}, ["runs"]),
        asked=when,
    )


def _webhooks() -> None:
    tag, one, hook = "webhooks", "/api/webhooks/{name}", of("Webhook")
    _add(
        tag, "reader", "get", "/api/webhooks", "listWebhooks", "The webhooks", list_of("webhooks", "Webhook")
    )
    _add(tag, "reader", "get", one, "getWebhook", "A webhook", hook, mistakes="404")
    _add(
        tag,
        "operator",
        "put",
        one,
        "putWebhook",
        "Make a webhook, or change what it starts",
        hook,
        body=of("WebhookSettings"),
        mistakes="404 413",
    )
    _add(
        tag,
        "operator",
        "delete",
        one,
        "removeWebhook",
        "Remove a webhook",
        shape({"name": TEXT}),
        mistakes="404",
    )
    _add(
        tag,
        "operator",
        "post",
        f"{one}/rotate",
        "rotateWebhook",
        "Give a webhook a new token",
        hook,
        mistakes="404",
    )
    _add(tag, "operator", "post", f"{one}/enable", "enableWebhook", "Open a webhook", hook, mistakes="404")
    _add(tag, "operator", "post", f"{one}/disable", "disableWebhook", "Close a webhook", hook, mistakes="404")


def _assets() -> None:
    tag, one = "assets", "/api/assets/{kind}/{name}"
    value = {
        **OBJECT,
        "description": "value; user, password; pem or pfx; fields, secret; or requirements, as its kind is.",
    }
    source = shape({"passphrase": TEXT, "file": YES_NO})
    wrapped = shape({"rewrapped": WHOLE, "source": TEXT}, ["rewrapped", "source"])
    kind = [_asked("kind", "Only this kind.")]
    _add(
        tag,
        "operator",
        "get",
        "/api/assets",
        "listAssets",
        "The assets, without what is secret",
        list_of("assets", "Asset"),
        asked=kind,
    )
    _add(
        tag,
        "operator",
        "get",
        one,
        "getAsset",
        "An asset, without what is secret",
        of("Asset"),
        mistakes="404",
    )
    _add(tag, "operator", "put", one, "putAsset", "Set an asset", of("Asset"), body=value, mistakes="413 503")
    _add(tag, "operator", "delete", one, "removeAsset", "Remove an asset", OBJECT, mistakes="404")
    _add(
        tag,
        "operator",
        "post",
        f"{one}/allow",
        "allowAsset",
        "Say which runbooks may read an asset",
        of("Asset"),
        body=shape({"runbooks": TEXTS}, ["runbooks"]),
        mistakes="404",
    )
    _add(
        tag,
        "owner",
        "post",
        "/api/asset-key/rotate",
        "rotateAssetKey",
        "Wrap all assets with a new key",
        wrapped,
        body=source,
        mistakes="409 503",
    )


def _action_groups() -> None:
    tag, one, group = "alerts", "/api/actionGroups/{name}", of("ActionGroup")
    places = "/api/alert-destinations"
    asked = shape({"destination": TEXT, "plain": YES_NO}, ["destination"])
    results = shape({"results": {"type": "array", "items": of("ActionResult")}}, ["results"])
    listed = list_of("groups", "ActionGroup")
    shown = list_of("destinations", "AlertDestination")
    gone = shape({"name": TEXT}, ["name"])
    for role, method, path, name, summary, answer, more in (
        ("reader", "get", "/api/actionGroups", "listActionGroups", "The action groups", listed, {}),
        ("reader", "get", one, "getActionGroup", "An action group", group, {"mistakes": "404"}),
        ("operator", "put", one, "putActionGroup", "Make an action group, or change it", group,
         {"body": of("ActionGroupSettings"), "mistakes": "413"}),
        ("operator", "delete", one, "removeActionGroup", "Remove an action group", gone, {"mistakes": "404"}),
        ("operator", "post", f"{one}/test", "testActionGroup", "Tell each action of a group a sample alert", results,
         {"mistakes": "404"}),
        ("reader", "get", places, "listAlertDestinations", "Who may be told in private networks", shown, {}),
        ("owner", "post", places, "allowAlertDestination", "Let a network or a host be told", of("AlertDestination"),
         {"body": asked}),
        ("owner", "post", f"{places}/remove", "disallowAlertDestination", "Take it from the list",
         shape({"destination": TEXT}), {"body": asked, "mistakes": "404"}),
    ):  # fmt: skip
        _add(tag, role, method, path, name, summary, answer, **more)


def _kept() -> None:
    tag, one = "log search", "/api/searches/{name}"
    _add(
        tag,
        "reader",
        "get",
        "/api/searches",
        "listSearches",
        "The saved searches",
        list_of("searches", "Search"),
    )
    _add(tag, "reader", "get", one, "getSearch", "A saved search", of("Search"), mistakes="404")
    tag, one = "collection rules", "/api/rules/{rule}"
    rules = shape({"rules": {"type": "array", "items": OBJECT}}, ["rules"])
    _add(tag, "reader", "get", "/api/rules", "listRules", "The collection rules", rules)
    _add(
        tag,
        "operator",
        "post",
        "/api/rules",
        "createRule",
        "Make a collection rule, or change the one of its name",
        _RULE_ID,
        body=OBJECT,
        status="201",
        mistakes="413 503",
    )
    _add(tag, "reader", "get", one, "getRule", "A collection rule", OBJECT, mistakes="404")
    _add(tag, "operator", "delete", one, "removeRule", "Remove a collection rule", _RULE_ID, mistakes="404")


def _service() -> None:
    health = shape({"status": TEXT, "workspace_id": TEXT, "pid": WHOLE}, ["status", "workspace_id", "pid"])
    _add("service", "", "get", "/api/health", "health", "Whether the service answers", health)
    _add("service", "", "get", "/api/openapi.json", "openapi", "This document", OBJECT)


def _alerts() -> None:
    alerts.describe(_add, _asked)


for _describe in (
    _runbooks,
    _jobs,
    _workers,
    _schedules,
    _webhooks,
    _assets,
    _alerts,
    _action_groups,
    _kept,
    _service,
):
    _describe()
