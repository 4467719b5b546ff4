"""Runbooks and their jobs as one thing: what a start may ask, what a claim gives, what a running notebook may do.

In go what people, schedules, programs and notebooks ask, already identified; out come rows and JSON values.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.actions.assets import Assets
from workbench.actions.assets.keys import from_environment
from workbench.actions.jobs import Jobs, Outcome, Overlap, Start, State, Steps
from workbench.actions.jobs.store import DEFAULT_GROUP
from workbench.actions.jobs.told import Line
from workbench.actions.runbook.declaration import checked
from workbench.actions.runbook.discretion import Discretion
from workbench.actions.runbook.library import Library
from workbench.actions.workers import Workers
from workbench.base.access import Access
from workbench.base.diagnostics import jobs as diagnostics
from workbench.base.diagnostics import runbook as runbook_messages
from workbench.base.diagnostics import service as service_messages
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, batch_id, take
from workbench.collect.intake import Intake
from workbench.collect.record_outbox import RecordOutbox

_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NUMBERS = {"timeout": 7 * 86_400, "retries": 20, "retry_delay": 86_400}


class Automation:
    """The runbooks and jobs of a workspace.

    Parameters
    ----------
    outbox : RecordOutbox
    evidence : Path
        Where executed notebooks are kept; the key of assets lies beside that folder, unless elsewhere.
    intake : Intake
        Takes the records in that notebooks hand over.
    access : Access
        Of the workspace.
    """

    def __init__(self, outbox: RecordOutbox, evidence: Path, intake: Intake, access: Access) -> None:
        self.library = Library(outbox.database)
        self.workers = Workers(outbox, access)
        self.jobs = Jobs(outbox)
        self.steps = Steps(self.jobs)
        self.assets = Assets(outbox, access.workspace_id, from_environment(evidence.parent, os.environ))
        self.discretion = Discretion(self.jobs, self.assets)
        self._evidence = evidence
        self._intake = intake
        self.workspace_id = access.workspace_id

    def start(
        self,
        name: str,
        asked: Mapping[str, Any],
        *,
        trigger: str,
        by: str = "",
        key: str = "",
        parent: str = "",
    ) -> dict[str, Any]:
        """Start a runbook; the row of its job. See `prepared`."""
        return self.jobs.start(self.prepared(name, asked, trigger=trigger, by=by, key=key, parent=parent))

    def prepared(
        self,
        name: str,
        asked: Mapping[str, Any],
        *,
        trigger: str,
        by: str = "",
        key: str = "",
        parent: str = "",
    ) -> Start:
        """A start of a runbook, checked and not yet made.

        Parameters
        ----------
        name : str
        asked : mapping
            `parameters`, `group`, `timeout`, `retries`, `retry_delay` (seconds), `concurrency`, `overlap`, `awaits`.
        trigger, by : str
            What starts it, and which one.
        key : str
            The same key again is the same job.

        Raises
        ------
        WorkbenchError
            JOB0xx to JOB2xx; nothing was started.
        """
        runbook = self.library.published(name)
        given = asked.get("parameters") or {}
        if not isinstance(given, Mapping):
            raise service_messages.bad_request("'parameters' is no JSON object")
        parameters = checked(name, runbook.parameters, given)
        return Start(
            name,
            runbook.version,
            trigger,
            by,
            parameters,
            group=group_name(asked.get("group") or DEFAULT_GROUP),
            key=key,
            concurrency=str(asked.get("concurrency") or "")[:200],
            overlap=_overlap(asked.get("overlap")),
            awaits=_texts("awaits", asked.get("awaits")),
            parent=parent,
            **{n: _number(n, asked.get(n), most) for n, most in _NUMBERS.items()},
        )

    def claim(self, groups: list[str], worker: str, isolation: str = "") -> dict[str, Any] | None:
        """A job for a worker with all that it needs to run it; None when none waits."""
        claim = self.jobs.claim(groups, worker, isolation=isolation)
        if claim is None:
            return None
        job = claim.job
        runbook = self.library.version(job["runbook"], job["version"])
        return {
            "job": job["id"], "workspace": self.workspace_id, "token": claim.token, "notebook": runbook.notebook,
            "parameters": json.loads(job["parameters"]), "lines": job["lines"], "timeout": job["timeout"],
            "modules": self.assets.modules_for(job["runbook"]),
        }  # fmt: skip

    def resume(self, number: str) -> None:
        """Start a suspended job again; who does so agrees to what it asked. Raises JOB001, JOB003."""
        if self.jobs.get(number)["error_code"] == runbook_messages.waits("").code:
            self.steps.agreed(number)
        self.jobs.resume(number)

    # ---- what a running notebook asks, with the token of its claim --------------------------------

    def write(self, token: str, lines: list[Line], *, release: bool = False, last: bool = False) -> int:
        """Keep messages of a job; the number of the last one that is not to be sent again. See `Discretion.lines`."""
        told, settled = self.discretion.lines(token, lines, release=release, last=last)
        self.jobs.write(token, told)
        return settled

    def finish(self, token: str, outcome: Outcome, why: WorkbenchError | None) -> State:
        """End a claim; what became of the job. Raises JOB002."""
        state = self.jobs.finish(token, outcome, self.discretion.why(token, why))
        self.discretion.forget_ended()
        return state

    def commit(self, token: str, name: str, result: Any) -> None:
        """Keep the result of a step; raises JOB002, JOB005 to JOB007, AST202."""
        self.discretion.refuse(token, "the name of the step", name)
        self.discretion.refuse(token, f"the result of step {name!r}", result)
        self.steps.commit(token, name, result)

    def asked(self, token: str, question: str) -> bool:
        """Whether a person has agreed to a question of a job. Raises JOB002."""
        return self.steps.asked(token, str(self.discretion.records(token, question)))

    def start_child(self, token: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Start another runbook from inside of one; the same `key` again is the same job. Raises AST202 beside others."""
        parent = self.jobs.held(token)
        self.discretion.refuse(token, "the start of the other runbook", dict(asked))
        key = f"{parent['id']}/{asked.get('key', '')}"[:300]
        by = f"{parent['runbook']} {parent['id']}"
        return self.start(
            str(asked.get("runbook", "")), asked, trigger="job", by=by, key=key, parent=parent["id"]
        )

    def ingest(self, token: str, asked: Mapping[str, Any]) -> int:
        """Store records that a notebook hands over; with a `key` they are stored once. How many are stored now."""
        job = self.jobs.held(token)
        table, records, key = asked.get("table"), asked.get("records"), asked.get("key")
        if not isinstance(table, str) or not isinstance(records, list) or not isinstance(key, str):
            raise service_messages.bad_request('the body reads {"table": "…", "records": […], "key": ""}')
        self.discretion.refuse(token, "the name of the table", table)
        records = self.discretion.records(token, records)
        source = f"job {job['id']}"
        part, refused = take(table, records, source=source)
        number = batch_id(source, table, key, json.dumps(records, sort_keys=True).encode()) if key else ""
        batch = Batch("runbook", source, [part] if part is not None else [], refused, number)
        return self._intake.accept(batch).rows

    # ---- executed notebooks ------------------------------------------------------------------------

    def keep_evidence(self, token: str, notebook: bytes) -> None:
        """Keep the executed notebook of a claim; raises JOB002, JOB314."""
        job = self.jobs.held(token)
        notebook = self.discretion.notebook(token, notebook)
        # Its claim's number is in the name: a worker that lost the job writes over nobody's.
        path = self._evidence / f"{job['id']}.{job['fence']}.ipynb"
        unready = path.with_suffix(".part")
        try:
            self._evidence.mkdir(parents=True, exist_ok=True, mode=0o700)
            with unready.open("wb") as file:
                file.write(notebook)
                file.flush()
                os.fsync(file.fileno())
            unready.replace(path)
        except OSError as why:
            # On a full disk the control database needs the room to say so.
            with contextlib.suppress(OSError):
                unready.unlink()
            raise runbook_messages.evidence_not_kept(why.strerror or str(why)) from None

    def evidence(self, number: str) -> bytes:
        """The executed notebook of a job's last try; raises JOB001."""
        job = self.jobs.get(number)
        for fence in range(job["fence"], 0, -1):
            try:
                return (self._evidence / f"{job['id']}.{fence}.ipynb").read_bytes()
            except OSError:
                continue  # that try did not come so far
        raise diagnostics.no_notebook_yet(job["id"])


def group_name(text: object) -> str:
    """The name of a worker group; raises JOB321."""
    if not isinstance(text, str) or not _GROUP.fullmatch(text):
        raise runbook_messages.bad_group(str(text))
    return text


def _overlap(text: object) -> Overlap:
    if text in (None, ""):
        return Overlap.QUEUE
    try:
        return Overlap(str(text))
    except ValueError:
        raise diagnostics.bad_policy(str(text), Overlap) from None


def _number(name: str, value: object, most: int) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise service_messages.bad_request(f"'{name}' is no whole number from 0 to {most}")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise service_messages.bad_request(f"'{name}' is no list of texts")
    return tuple(value)
