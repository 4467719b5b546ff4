"""The shapes of what `/api/…` takes and gives, as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
YES_NO: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
TEXTS: Schema = {"type": "array", "items": TEXT}
_OBJECTS: Schema = {"type": "array", "items": OBJECT}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_WHOLE_OR_NULL: Schema = {"type": ["integer", "null"]}


def of(name: str) -> Schema:
    """A reference to a shape of this module."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(properties: Mapping[str, Schema], required: Sequence[str] = (), **more: Any) -> Schema:
    """An object with these properties."""
    found: Schema = {"type": "object", "properties": dict(properties)}
    if required:
        found["required"] = list(required)
    return {**found, **more}


def list_of(name: str, items: str) -> Schema:
    """An object whose one property is a list of a shape."""
    return shape({name: {"type": "array", "items": of(items)}}, [name])


def one_of(*words: str) -> Schema:
    return {"enum": list(words)}


def json_of(schema: Schema, description: str) -> dict[str, Any]:
    """A response with a JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


ERROR = of("Error")
SCHEMAS: dict[str, Schema] = {
    "Error": shape({"error": shape({"code": TEXT, "message": TEXT}, ["message"])}, ["error"]),
    "Parameter": shape(
        {
            "name": TEXT, "type": one_of("str", "int", "float", "bool", "list", "dict", "any"), "required": YES_NO,
            "help": TEXT, "default": {}, "choices": {"type": "array"},
        },
        ["name", "type", "required", "help"],
    ),
    "Runbook": shape(
        {
            "name": TEXT, "version": WHOLE, "published": {}, "description": TEXT, "changed": WHOLE,
            "parameters": {"type": "array", "items": of("Parameter")}, "notebook": OBJECT,
        },
        ["name", "version", "published", "parameters"],
    ),
    "Start": shape(
        {
            "parameters": _told(OBJECT, 'Values by name; a secret as `{"$credential": "NAME"}`.'),
            "group": _told(TEXT, "The worker group; `default`."),
            "timeout": _told(WHOLE, "Seconds of one try; 0: no limit."),
            "retries": _told(WHOLE, "More tries after a failure."),
            "retry_delay": _told(WHOLE, "Seconds before each."),
            "concurrency": _told(TEXT, "Of the jobs with one such key one runs at a time."),
            "overlap": one_of("queue", "skip", "replace"),
            "awaits": _told(TEXTS, "Jobs that have to be Completed first."),
            "key": _told({**TEXT, "maxLength": 200}, "Asked again under the same key it is the same job."),
        }
    ),
    "Job": shape(
        {
            "id": TEXT, "runbook": TEXT, "version": WHOLE,
            "trigger": one_of("person", "schedule", "api", "webhook", "alert", "job"), "trigger_name": TEXT,
            "worker_group": TEXT, "worker": TEXT, "isolation": TEXT,
            "state": one_of(
                "New", "Queued", "Starting", "Running", "Completed", "Failed", "Stopping", "Stopped", "Suspended",
                "Resuming",
            ),
            "error": TEXT, "error_code": TEXT, "attempt": WHOLE, "created": WHOLE, "started": _WHOLE_OR_NULL,
            "ended": _WHOLE_OR_NULL, "timeout": WHOLE, "retries": WHOLE, "parent": _TEXT_OR_NULL, "parameters": OBJECT,
        },
        ["id", "runbook", "version", "trigger", "state", "attempt", "created", "parameters"],
        description="Times are µs since 1970.",
    ),
    "Worker": shape(
        {
            "id": TEXT, "name": TEXT, "group": TEXT, "state": one_of("Ready", "Draining", "Stopped", "Silent"),
            "running": WHOLE, "slots": WHOLE, "version": TEXT, "isolation": TEXT, "seen": _TEXT_OR_NULL,
        },
        ["id", "name", "group", "state", "running", "slots", "seen"],
    ),
    "ScheduleSettings": shape(
        {
            "runbook": TEXT, "when": _told(TEXT, "`daily at 06:30`, `0 6 * * 1`, `every 15 minutes`, …"),
            "zone": _told(TEXT, "IANA zone; UTC."), "start": TEXT, "end": TEXT, "misfire": TEXT,
            "overlap": one_of("queue", "skip", "replace", "allow"), "parameters": OBJECT, "group": TEXT,
            "timeout": WHOLE, "retries": WHOLE, "retry_delay": WHOLE,
        },
        ["runbook", "when"],
    ),
    "Schedule": shape(
        {
            "name": TEXT, "runbook": TEXT, "when": TEXT, "zone": TEXT, "state": one_of("active", "paused", "ended"),
            "start": _TEXT_OR_NULL, "end": _TEXT_OR_NULL, "misfire": TEXT, "overlap": TEXT, "next": _TEXT_OR_NULL,
            "last": _TEXT_OR_NULL, "last_job": _TEXT_OR_NULL, "last_error": _TEXT_OR_NULL, "changed": TEXT,
            "changed_by": TEXT, "parameters": OBJECT, "runs": TEXTS,
        },
        ["name", "runbook", "when", "zone", "state", "next"],
    ),
    "AlertRule": shape(
        {
            "name": TEXT, "id": TEXT, "version": WHOLE, "enabled": YES_NO,
            "state": one_of("Normal", "Pending", "Firing", "Resolved", "NoData", "Error"), "severity": TEXT,
            "frequency": _told(WHOLE, "Seconds."), "window": _told(WHOLE, "Seconds."), "query": TEXT,
            "description": TEXT, "last": _TEXT_OR_NULL, "next": _TEXT_OR_NULL, "error": TEXT, "changed": TEXT,
            "changed_by": TEXT, "rule": _told(OBJECT, "The words of its text."), "text": _told(TEXT, "Its text, YAML."),
            "evaluations": {"type": "array", "items": OBJECT}, "series": {"type": "array", "items": OBJECT},
        },
        ["name", "id", "version", "enabled", "state", "severity", "frequency", "window", "query", "last", "next", "error"],
    ),
    "AlertTest": shape(
        {
            "count": WHOLE, "violated": _told(WHOLE, "Combinations of dimensions that are violated."), "start": TEXT,
            "end": TEXT, "groups": {"type": "array", "items": OBJECT}, "columns": {"type": "array", "items": OBJECT},
            "records": {"type": "array", "items": {"type": "array"}},
        },
        ["count", "violated", "start", "end", "groups", "columns", "records"],
    ),
    "Alert": shape(
        {
            "id": TEXT, "rule": TEXT, "severity": TEXT, "state": one_of("Firing", "Resolved"),
            "condition": one_of("Fired", "Resolved"), "response": one_of("New", "Acknowledged", "Closed"),
            "responder": TEXT, "fired": TEXT, "resolved": _TEXT_OR_NULL, "reason": TEXT, "count": WHOLE,
            "dimensions": OBJECT, "told": YES_NO, "comments": {"type": "array", "items": OBJECT},
        },
        ["id", "rule", "severity", "state", "condition", "response", "fired", "resolved", "count", "dimensions", "comments"],
    ),
    "WebhookSettings": shape(
        {
            "runbook": TEXT, "days": _told(WHOLE, "How long it is open; 365."),
            "signed": _told(YES_NO, "Whether messages have to be signed."),
            "overlap": one_of("queue", "skip", "replace", "allow"),
            "parameters": _told(OBJECT, "No caller can change them."), "group": TEXT, "timeout": WHOLE,
            "retries": WHOLE, "retry_delay": WHOLE,
        },
        ["runbook"],
    ),
    "Webhook": shape(
        {
            "name": TEXT, "state": one_of("enabled", "disabled", "expired"), "expires": TEXT, "signed": YES_NO,
            "last_called": _TEXT_OR_NULL, "last_job": _TEXT_OR_NULL, "last_error": _TEXT_OR_NULL, "changed": TEXT,
            "changed_by": TEXT, "runbook": TEXT, "overlap": TEXT, "parameters": OBJECT,
            "token": _told(TEXT, "Shown once, where it is made."), "url": _told(TEXT, "Shown once."),
            "secret": _told(TEXT, "Shown once, where messages are signed."),
        },
        ["name", "state", "expires", "signed"],
    ),
    "ActionGroupSettings": shape(
        {
            "description": TEXT, "enabled": YES_NO, "on": _told({"type": ["array", "string"]}, "Fired, Resolved; both."),
            "quiet": _told(OBJECT, "hours, days, zone, and mode: hold or drop."),
            "email": _told(_OBJECTS, "to, connection, subject, chart."),
            "webhooks": _told(_OBJECTS, "url or url_from, form, payload, secret, authorization."),
            "chat": _told(_OBJECTS, "url_from: a credential with apprise's URL."),
            "runbooks": _told(_OBJECTS, "runbook, group, parameters, timeout, retries."),
        },
    ),
    "ActionGroup": shape({"name": TEXT, "changed": TEXT, "changed_by": TEXT}, ["name"]),
    "ActionResult": shape(
        {"type": TEXT, "name": TEXT, "state": one_of("Delivered", "Failed"), "code": WHOLE, "detail": TEXT, "job_id": TEXT},
        ["type", "name", "state"],
    ),
    "AlertDestination": shape(
        {"destination": TEXT, "plain": YES_NO, "added": TEXT, "added_by": TEXT}, ["destination", "plain"]
    ),
    "Asset": shape(
        {"kind": TEXT, "name": TEXT}, ["kind", "name"], description="What people see; never what is secret."
    ),
    "Search": shape(
        {
            "name": TEXT, "query": TEXT, "category": TEXT, "description": TEXT, "timespan": TEXT, "parameters": OBJECT,
            "changed": WHOLE,
        },
        ["name", "query"],
    ),
}  # fmt: skip
