"""What a runbook can ask while it runs: `workbench.runbook`.

    import workbench
    rows = workbench.runbook.query("Heartbeat | summarize arg_max(TimeGenerated, *) by Computer").frame
    copied = workbench.step("copy", shutil.copytree, source, target)

A step that was committed is not run again when the job is; it gives what it gave before. The kernel that runs a job is
bound to it before its first cell. Must not know the control database: everything is asked by HTTP.
"""

from __future__ import annotations

import json
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.actions.assets.given import Certificate, Credential
from workbench.actions.jobs.told import Stream
from workbench.actions.runbook.telling import tell
from workbench.base.diagnostics import assets as asset_messages
from workbench.base.diagnostics import runbook as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.agent.link import Endpoint, Link, Unreachable

if TYPE_CHECKING:
    from workbench.query.result import Result

T = TypeVar("T")
AWAY_SECONDS = 60.0
"""How long a notebook waits for a service that is away: one that is started again is no end of a job."""
AGAIN_SECONDS = 0.3


@dataclass
class _Bound:
    job: str
    workspace: str
    link: Link
    started: int = 0
    """Children started by this run: the n-th start is the same job when the runbook runs again."""


_bound: _Bound | None = None
_step: str = ""


class WaitsForPerson(Exception):
    """Ends the notebook until a person has answered; the job starts from its top then."""


def bind(told: Mapping[str, Any]) -> None:
    """Bind this kernel to a job: `{"job", "workspace", "url", "token", "modules"}`. The runner of jobs calls it, nobody else."""
    import sys

    from IPython import get_ipython

    from workbench.actions.runbook import step_magic

    global _bound
    if told.get("modules"):
        sys.path.insert(0, told["modules"])
    endpoint = Endpoint(told["url"], told["token"])
    _bound = _Bound(told["job"], told["workspace"], Link(lambda: endpoint))
    shell: Any = get_ipython()
    if shell is not None:
        step_magic.load(shell)


def job_id() -> str:
    """The id of the job that this is; raises JOB301 outside of one."""
    return _job().job


def step(name: str, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Run a function once in the life of this job, and give its result whenever the job runs again.

    Parameters
    ----------
    name : str
        Of the step; once in a runbook.
    function : callable
        It gives what JSON can hold. Killed before its result was kept it runs again, with the same `step_key()`.
        Outside of a job it just runs.

    Raises
    ------
    WorkbenchError
        JOB002 when the job was given to another worker, JOB006, JOB007 for a result that can't be kept.
    """
    global _step
    if _bound is not None:
        known = _ask("GET", f"/api/job/steps/{_quoted(name)}")
        if known["committed"]:
            tell(Stream.VERBOSE, f"step {name}: done before")
            result: T = known["result"]
            return result
    before, _step = _step, name
    try:
        made = function(*arguments, **named)
    finally:
        _step = before
    if _bound is not None:
        _ask("PUT", f"/api/job/steps/{_quoted(name)}", {"result": made})
        tell(Stream.VERBOSE, f"step {name}: done")
    # As it comes back later: a tuple is a list from the start.
    again: T = json.loads(json.dumps(made))
    return again


def step_key() -> str:
    """What names the running step in all tries: do effects elsewhere under this key. Raises JOB302 outside of one.

    Outside of a job it is another one each time, because there every run is a new one.
    """
    if not _step:
        raise diagnostics.no_step()
    return f"{_bound.job if _bound is not None else uuid.uuid4()}/{_step}"


def progress(percent: float, message: str = "") -> None:
    """Tell how far the runbook is."""
    tell(Stream.PROGRESS, f"{percent:.0f} %{' ' if message else ''}{message}")


def warning(message: str) -> None:
    """Write to the stream Warning."""
    tell(Stream.WARNING, message)


def verbose(message: str) -> None:
    """Write to the stream Verbose."""
    tell(Stream.VERBOSE, message)


def start(runbook: str, parameters: Mapping[str, Any] | None = None, *, group: str = "") -> str:
    """Start another runbook as a job of its own; its id. The same call of a job that runs again is the same job.

    Raises
    ------
    WorkbenchError
        JOB1xx, JOB2xx as for any start.
    """
    here = _job()
    here.started += 1
    key = f"{here.started}/{runbook}"
    body = {"runbook": runbook, "parameters": dict(parameters or {}), "group": group, "key": key}
    return str(_ask("POST", "/api/job/start", body)["job_id"])


def wait(job: str, seconds: float = 3600) -> str:
    """Wait for a job that this one started; the state that it ended in. Raises JOB303 when it takes longer."""
    until = time.monotonic() + seconds
    while True:
        told = _ask("GET", f"/api/job/child/{_quoted(job)}?wait=20")
        if told["ended"]:
            return str(told["state"])
        if time.monotonic() > until:
            raise diagnostics.not_ended(job, told["state"])


def approval(question: str) -> None:
    """Go on only when a person has agreed: the job ends here until then, and starts again over its committed steps.

    Parameters
    ----------
    question : str
        Shown to who can answer with `workbench runbook resume`.
    """
    if not _ask("POST", "/api/job/approval", {"question": question})["given"]:
        raise WaitsForPerson(question)


def query(text: str, timespan: str | None = None, parameters: Mapping[str, str] | None = None) -> Result:
    """What a KQL text gives; `.frame` has its rows.

    Parameters
    ----------
    text : str
    timespan : str, optional
        `P1D`, or `start/end`.
    parameters : mapping of str, optional
        Values for `declare query_parameters`.

    Raises
    ------
    WorkbenchError
        Of the query; JOB305 when not all of its rows came.
    """
    from workbench.actions.runbook.answers import result_of

    body = {"query": text, "timespan": timespan, "parameters": dict(parameters) if parameters else None}
    told = _ask("POST", f"/v1/workspaces/{_job().workspace}/query", body)
    if "error" in told:
        raise diagnostics.not_all_rows(str(told["error"].get("message", "")))
    return result_of(told["tables"][0], text)


def search(name: str) -> Result:
    """What a saved search gives. Raises SAV003 for a name that is none, else as `query`."""
    kept = _ask("GET", f"/api/searches/{_quoted(name)}")
    return query(kept["query"], kept["timespan"] or None, kept["parameters"])


def ingest(table: str, records: list[dict[str, Any]]) -> int:
    """Store records in a table; how many were stored. Inside a step they are stored once, however often it runs."""
    # Outside of a step each call has a key of its own: asked twice over a broken connection it is stored once.
    body = {"table": table, "records": records, "key": step_key() if _step else str(uuid.uuid4())}
    return int(_ask("POST", "/api/job/records", body)["stored"])


def variable(name: str) -> Any:
    """The value of a variable: text, number, true or false, datetime, or what JSON holds.

    Raises
    ------
    WorkbenchError
        AST001 when there is none, AST201 when it is not for this runbook; the same for all assets.
    """
    import datetime as dt

    found = _asset("variable", name)
    value = found["value"]
    return dt.datetime.fromisoformat(value) if found["type"] == "datetime" else value


def set_variable(name: str, value: Any) -> None:
    """Give a variable another value of its type.

    Raises
    ------
    WorkbenchError
        AST005 for another type, AST202 for a secret in a variable that is not encrypted.
    """
    import datetime as dt

    text = value.isoformat() if isinstance(value, dt.datetime) else value
    _ask("PUT", f"/api/job/assets/variable/{_quoted(name)}", {"value": text})


def credential(name: str | Mapping[str, str]) -> Credential:
    """A user name and its password; a parameter may carry the name as `{"$credential": "NAME"}`."""
    return Credential(**_asset("credential", name))


def certificate(name: str | Mapping[str, str]) -> Certificate:
    """A certificate with its private key."""
    found = _asset("certificate", name)
    return Certificate(**{n: found[n] for n in Certificate.__dataclass_fields__})


def connection(name: str | Mapping[str, str]) -> dict[str, Any]:
    """The fields of a connection, secret ones too."""
    return _asset("connection", name)


def _asset(kind: str, name: str | Mapping[str, str]) -> dict[str, Any]:
    if isinstance(name, Mapping):
        name = name.get(f"${kind}", "") if len(name) == 1 else ""
    if not isinstance(name, str) or not name:
        raise asset_messages.bad_reference()
    return _ask("GET", f"/api/job/assets/{kind}/{_quoted(name)}")


def _job() -> _Bound:
    if _bound is None:
        raise diagnostics.no_job()
    return _bound


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _ask(method: str, path: str, body: object = None) -> dict[str, Any]:
    """What the service answers; asked again while it is away, since all that is asked here may be asked twice."""
    data = b"" if body is None else json.dumps(body).encode()
    ends = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            answer = _job().link.ask(method, path, data, {"Content-Type": "application/json"})
            break
        except Unreachable as why:
            if time.monotonic() > ends:
                raise diagnostics.no_service(str(why)) from None
        time.sleep(AGAIN_SECONDS)
    told = answer.json()
    if answer.status < 300:
        return told
    error = told.get("error")
    if isinstance(error, dict) and error.get("packed"):
        raise WorkbenchError.unpacked(error["packed"])
    if isinstance(error, dict) and answer.status < 500:
        raise diagnostics.refused(str(error.get("message", answer.why)))
    raise diagnostics.no_service(answer.why)
