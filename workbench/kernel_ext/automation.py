"""What the automation panel asks: runbooks, jobs and what they tell, schedules, webhooks, assets, workers.

Questions of the channel in, objects of JSON out, asked of the workspace's service with the owner's token: the browser
can't reach the service itself. Answers are small, since a front end asks every second while a job runs. Of assets only
what names them is handed on.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from workbench.actions.jobs.states import ENDED, State
from workbench.actions.runbook.declaration import REQUIRED, Parameter, checked, from_text
from workbench.base.clock import moment
from workbench.base.diagnostics import jobs as job_messages
from workbench.base.diagnostics import runbook as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.server import client
from workbench.server.place import ServicePlace

Question = Mapping[str, Any]
OVER = (*ENDED, State.SUSPENDED)
"""States in which a job tells nothing more by itself."""
MOST_JOBS = 50
MOST_LINES = 200
MOST_CHARACTERS = 4_000
MOST_NOTEBOOK_BYTES = 2_000_000
"""A Jupyter server drops messages of a kernel that come faster than 1 MB/s over three seconds."""
_LINES = (
    "JobStream | where JobId == '{job}' and Sequence > {after} | top {most} by Sequence asc"
    " | project Sequence, StreamType, Message, TimeGenerated"
)  # fmt: skip
_JOB = ("id", "runbook", "version", "worker", "state", "error", "error_code", "attempt", "parameters")
_OF_LISTS = {
    "runbooks": ("name", "version", "published", "description", "parameters"),
    "schedules": ("name", "runbook", "when", "zone", "state", "next", "last_error"),
    "webhooks": ("name", "runbook", "state", "expires", "last_called", "last_error"),
    "assets": ("kind", "name", "type", "encrypted", "description", "runbooks", "changed"),
    "workers": ("name", "group", "state", "running", "slots", "version", "isolation", "seen"),
}


def path_of(*parts: str) -> str:
    """The path of a thing in the API.

    Examples
    --------
    >>> path_of("runbooks", "a/b", "start")
    '/api/runbooks/a%2Fb/start'
    """
    return "/api/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)


# ---- what is there ------------------------------------------------------------------------------


def overview(place: ServicePlace, question: Question) -> dict[str, Any]:
    """All lists of the panel; a list that a service of an older version has not is null."""
    lists = {name: _list(place, name, keep) for name, keep in _OF_LISTS.items()}
    for asset in lists["assets"] or ():
        asset["changed"] = moment(asset["changed"])
    return {"workspace": place.workspace, **jobs(place, question), **lists}


def jobs(place: ServicePlace, question: Question) -> dict[str, Any]:
    """The newest jobs."""
    found = client.asked(place, "GET", f"/api/jobs?most={MOST_JOBS}")["jobs"]
    return {"jobs": [_job(row) for row in found]}


def _list(place: ServicePlace, name: str, keep: Iterable[str]) -> list[dict[str, Any]] | None:
    answer = client.ask(place, "GET", path_of(name))
    if answer is not None and answer.status == 404:
        return None
    rows = client.understood(place, answer)[name]
    return [{key: row.get(key) for key in keep} for row in rows]


def _job(row: Mapping[str, Any]) -> dict[str, Any]:
    question = row["error"] if row["error_code"] == diagnostics.waits("").code else ""
    return {
        **{key: row[key] for key in _JOB},
        "trigger": row["trigger"] + (f": {row['trigger_name']}" if row["trigger_name"] else ""),
        # Its message is "waits for a person: QUESTION".
        "question": question.partition(": ")[2] if row["state"] == State.SUSPENDED else "",
        **{key: moment(row[key]) for key in ("created", "started", "ended")},
    }  # fmt: skip


# ---- one job ------------------------------------------------------------------------------------


def job(place: ServicePlace, question: Question) -> dict[str, Any]:
    """A job and what it told behind the line `after`; `over` when it will tell nothing more."""
    row, lines, over = followed(place, str(question["job"]), int(question.get("after", 0)))
    return {
        "job": _job(row),
        "lines": [{**line, "message": _cut(line["message"])} for line in lines],
        "over": over,
    }


def followed(
    place: ServicePlace, number: str, after: int
) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """A job's row, at most `MOST_LINES` lines that it told behind one, and whether these are its last."""
    row = client.asked(place, "GET", path_of("jobs", number))
    # Before its lines are read: what is told before the end is stored before it.
    is_told = row["state"] in OVER and is_end_told(place, row)
    # The id as the service gave it, since it becomes part of a query.
    answer = client.query(place, _LINES.format(job=row["id"], after=after, most=MOST_LINES))
    tables = answer.body.get("tables") if answer is not None and isinstance(answer.body, dict) else None
    names = ("number", "stream", "message", "time")
    lines = [dict(zip(names, found, strict=True)) for found in (tables[0]["rows"] if tables else ())]
    return row, lines, is_told and len(lines) < MOST_LINES


def _cut(message: str) -> str:
    return message if len(message) <= MOST_CHARACTERS else f"{message[:MOST_CHARACTERS]}…"


def is_end_told(place: ServicePlace, found: Mapping[str, Any]) -> bool:
    """Whether the record of a job's end is stored, and with it all that the job told before."""
    text = f"Job | where JobId == '{found['id']}' and State == '{found['state']}' and Attempt == {found['attempt']} | count"
    answer = client.query(place, text)
    return answer is not None and answer.status == 200 and answer.body["tables"][0]["rows"] != [[0]]


def cancel(place: ServicePlace, question: Question) -> dict[str, Any]:
    return client.asked(place, "POST", path_of("jobs", str(question["job"]), "cancel"))


def resume(place: ServicePlace, question: Question) -> dict[str, Any]:
    return client.asked(place, "POST", path_of("jobs", str(question["job"]), "resume"))


def notebook(place: ServicePlace, question: Question) -> dict[str, Any]:
    """The executed notebook of a job, to be looked at: no cell of it is trusted or can be edited.

    Raises
    ------
    WorkbenchError
        JOB008 when there is none yet, JOB325 for one that is too large for the channel.
    """
    number = str(question["job"])
    found = client.asked(place, "GET", path_of("jobs", number, "notebook"))
    size = len(orjson.dumps(found))
    if size > MOST_NOTEBOOK_BYTES:
        raise diagnostics.notebook_too_large(number, size)
    return to_look_at(found)


def to_look_at(found: Mapping[str, Any]) -> dict[str, Any]:
    """A stored notebook as a front end shows it: texts whole instead of line by line, nothing trusted or editable.

    Examples
    --------
    >>> cell = {"cell_type": "raw", "source": ["a\\n", "b"], "metadata": {"trusted": True}}
    >>> to_look_at({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})["cells"]
    [{'cell_type': 'raw', 'source': 'a\\nb', 'metadata': {'editable': False}}]
    """
    import nbformat

    notebook = nbformat.reads(orjson.dumps(found).decode(), as_version=4)
    for cell in notebook.cells:
        cell.metadata = {**{k: v for k, v in cell.metadata.items() if k != "trusted"}, "editable": False}
    return dict(notebook)


# ---- the form -----------------------------------------------------------------------------------


def start(place: ServicePlace, question: Question) -> dict[str, Any]:
    """Start a runbook with values as they were typed: `{"job"}`, or `{"mistakes"}` by parameter and nothing started.

    Parameters
    ----------
    place : ServicePlace
    question : mapping
        `runbook`; `values`: texts by the names of parameters, those that were changed; `group`, `timeout`, `retries`.

    Raises
    ------
    WorkbenchError
        What concerns no single parameter.
    """
    name = str(question["runbook"])
    declared = client.asked(place, "GET", path_of("runbooks", name))["parameters"]
    values, mistakes = read_form(name, declared, question.get("values") or {})
    if mistakes:
        return {"mistakes": mistakes}
    body = {
        "parameters": values,
        **{k: question[k] for k in ("group", "timeout", "retries") if k in question},
    }
    return {"job": client.asked(place, "POST", path_of("runbooks", name, "start"), body)["job_id"]}


def read_form(
    runbook: str, declared: Sequence[Mapping[str, Any]], texts: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The typed values of a form, and each field's own mistake.

    Examples
    --------
    >>> days = {"name": "days", "type": "int", "required": True, "help": ""}
    >>> read_form("clean", [days], {"days": "7"})
    ({'days': 7}, {})
    >>> read_form("clean", [days], {"days": "a week"})[1]["days"]["code"]
    'JOB104'
    """
    known = {p["name"]: _parameter(p) for p in declared}
    values: dict[str, Any] = {}
    mistakes: dict[str, dict[str, Any]] = {}
    for name in texts:
        if name not in known:
            raise job_messages.unknown_parameter(name, known)
    for name, parameter in known.items():
        text = str(texts.get(name, ""))
        try:
            # Only a text can be empty on purpose; any other field that is empty was left out.
            if name in texts and (text.strip() or (parameter.type == "str" and not parameter.required)):
                values |= checked(runbook, [parameter], {name: from_text(parameter, text)})
            else:
                checked(runbook, [parameter], {})
        except WorkbenchError as mistake:
            mistakes[name] = {"code": mistake.code, "message": mistake.message, "hint": mistake.hint}
    return values, mistakes


def _parameter(shown: Mapping[str, Any]) -> Parameter:
    default = REQUIRED if shown["required"] else shown.get("default")
    return Parameter(shown["name"], shown["type"], default, shown["help"], tuple(shown.get("choices", ())))


WAYS: dict[str, Callable[[ServicePlace, Question], Any]] = {
    "automation": overview, "jobs": jobs, "job": job, "start": start, "cancel": cancel, "resume": resume,
    "notebook": notebook,
}  # fmt: skip
"""The questions of the channel that a workspace's service answers."""
