"""Jobs of a workspace: made, claimed by one worker at a time, kept alive, ended; each change of state is a record.

In go starts and what workers tell, out come `Job` and `Claim` values. A claim has a token; the next claim has another,
so a worker that was given up can write nothing any more. Every write is one transaction together with its records.
Must not know notebooks.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.actions.jobs import told
from workbench.actions.jobs.schema import metadata, table
from workbench.actions.jobs.states import CLAIMABLE, CLAIMED, ENDED, WAITING, Outcome, Overlap, State
from workbench.base import clock
from workbench.base.diagnostics import jobs as diagnostics
from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from workbench.collect.record_outbox import RecordOutbox

SECOND = 1_000_000
LEASE_SECONDS = 15
MOST_CRASHES = 3
"""A job whose worker or kernel was lost that often is suspended."""
DEFAULT_GROUP = "default"


@dataclass(frozen=True, slots=True)
class Start:
    """What is asked for.

    Attributes
    ----------
    runbook, version : str, int
    trigger, trigger_name : str
        `person`, `schedule`, `api`, `webhook`, `alert` or `job`; and which one.
    parameters : mapping
        JSON values, checked by whoever makes the start.
    group : str
        The worker group that runs it.
    key : str
        A second start with the same key is the first job again.
    concurrency, overlap : str, Overlap
        Of the jobs with one concurrency key one runs at a time.
    timeout, retries, retry_delay : int
        Seconds of one attempt (0: no limit); more attempts after a failure; seconds before each.
    awaits : sequence of str
        Jobs that have to be Completed first.
    parent : str
        The job that started it.
    """

    runbook: str
    version: int
    trigger: str
    trigger_name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    group: str = DEFAULT_GROUP
    key: str = ""
    concurrency: str = ""
    overlap: Overlap = Overlap.QUEUE
    timeout: int = 0
    retries: int = 0
    retry_delay: int = 0
    awaits: Sequence[str] = ()
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker.

    Attributes
    ----------
    job : mapping
        Its row.
    token : str
        Shows who holds it; only here in clear.
    lease : int
        Until when it is held, in µs since 1970.
    """

    job: Mapping[str, Any]
    token: str
    lease: int


class Jobs:
    """The jobs in a control database. Safe for threads, and for several processes.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> from workbench.collect.record_outbox import RecordOutbox
    >>> jobs = Jobs(RecordOutbox(Database.open(Path(tempfile.mkdtemp())), told.TYPES))
    >>> job = jobs.start(Start("clean", 1, "person"))
    >>> claim = jobs.claim(["default"], "w1")
    >>> jobs.running(claim.token)
    >>> jobs.finish(claim.token, Outcome.COMPLETED)
    <State.COMPLETED: 'Completed'>
    >>> jobs.get(job["id"])["state"]
    'Completed'
    """

    def __init__(self, outbox: RecordOutbox) -> None:
        self.outbox = outbox
        self.database = outbox.database
        self.database.ensure(metadata())
        self.on_news: list[Callable[[], None]] = []
        """Called after something became claimable, or a claim was told to stop."""

    # ---- starts ----------------------------------------------------------------------------------

    def start(self, start: Start) -> dict[str, Any]:
        """Make a job; the row of it, or of the job that was made of this key before.

        Raises
        ------
        WorkbenchError
            JOB001 for a job to wait for that is not there.
        """
        with self.database.begin() as connection:
            return self.start_in(connection, start)

    def start_in(self, connection: Connection, start: Start) -> dict[str, Any]:
        """`start` inside a write transaction of the caller: the job is there if, and only if, that is committed."""
        jobs = table("jobs")
        now = clock.now_us()
        if start.key:
            known = self.of_key(connection, start.key)
            if known is not None:
                return known
        row = _row(start, now)
        ended = self._ended_before(connection, start, row)
        connection.execute(jobs.insert().values(row))
        if start.awaits:
            waits = [{"job": row["id"], "awaits": other} for other in dict.fromkeys(start.awaits)]
            connection.execute(table("job_waits").insert(), waits)
        self._tell(connection, row, now)
        if not ended and not start.awaits:
            self._move(connection, row, now, state=State.QUEUED)
        elif start.awaits and not ended:
            self._settle(connection, row["id"], now)
        self.database.after_commit(connection, self._news)
        return self._row(connection, row["id"])

    def of_key(self, connection: Connection, key: str) -> dict[str, Any] | None:
        """The job that was started under a key."""
        jobs = table("jobs")
        found = connection.execute(jobs.select().where(jobs.c.start_key == key)).one_or_none()
        return None if found is None else dict(found._mapping)

    def _ended_before(self, connection: Connection, start: Start, row: dict[str, Any]) -> bool:
        """Whether the policy for jobs of one key stops the new job; jobs that it replaces are stopped."""
        if not start.concurrency or start.overlap is Overlap.QUEUE:
            return False
        jobs = table("jobs")
        live = (*WAITING, *CLAIMED)
        others = connection.execute(
            jobs.select().where(jobs.c.concurrency == start.concurrency, jobs.c.state.in_(live))
        ).all()
        if others and start.overlap is Overlap.SKIP:
            why = diagnostics.another_has_key(start.concurrency)
            row |= {
                "state": State.STOPPED,
                "ended": row["created"],
                "error_code": why.code,
                "error": why.message,
            }
            return True
        for other in others:
            self._stop(connection, dict(other._mapping), row["created"], diagnostics.replaced(row["id"]))
        return False

    # ---- claims ----------------------------------------------------------------------------------

    def claim(
        self, groups: Sequence[str], worker: str, seconds: int = LEASE_SECONDS, *, isolation: str = ""
    ) -> Claim | None:
        """The job that waited longest in one of the groups, for this worker; None when none waits.

        `isolation` is as whom the worker says it runs jobs.
        """
        import sqlalchemy as sa

        jobs = table("jobs")
        other = jobs.alias("other")
        now = clock.now_us()
        busy = sa.exists().where(
            other.c.concurrency == jobs.c.concurrency, other.c.id != jobs.c.id, other.c.state.in_(CLAIMED)
        )
        ready = sa.and_(
            jobs.c.state.in_(CLAIMABLE), jobs.c.worker_group.in_(list(groups)), jobs.c.due <= now, ~busy
        )
        first = jobs.select().where(ready).order_by(jobs.c.due, jobs.c.created, jobs.c.id).limit(1)
        with self.database.read() as connection:
            if connection.execute(first).one_or_none() is None:
                return None  # most of the time: no write transaction for those who ask in vain
        with self.database.begin() as connection:
            row = connection.execute(first).one_or_none()
            if row is None:
                return None
            token = secrets.token_urlsafe(32)
            now = clock.now_us()
            lease = now + seconds * SECOND
            job = dict(row._mapping)
            self._move(
                connection, job, now, state=State.STARTING, worker=worker, isolation=isolation, lease=lease, token=digest(token),
                fence=job["fence"] + 1, attempt=job["attempt"] + 1, started=None, ended=None, error="", error_code="",
            )  # fmt: skip
        return Claim(job, token, lease)

    def claimable(self, group: str) -> bool:
        """Whether a job of a group waits for a worker."""
        jobs = table("jobs")
        wanted = jobs.select().where(jobs.c.state.in_(CLAIMABLE), jobs.c.worker_group == group).limit(1)
        with self.database.read() as connection:
            return connection.execute(wanted).first() is not None

    def held(self, token: str) -> dict[str, Any]:
        """The job that a claim's token holds.

        Raises
        ------
        WorkbenchError
            JOB002 when the claim is over.
        """
        with self.database.read() as connection:
            return self._held(connection, token)

    @contextmanager
    def holding(self, token: str) -> Iterator[tuple[Connection, dict[str, Any]]]:
        """A write transaction of who holds a job, and the job's row; raises JOB002 when the claim is over."""
        with self.database.begin() as connection:
            yield connection, self._held(connection, token)

    def running(self, token: str) -> None:
        """Its notebook runs now; raises JOB002."""
        with self.holding(token) as (connection, job):
            now = clock.now_us()
            if job["state"] == State.STARTING:
                self._move(connection, job, now, state=State.RUNNING, started=now)

    def renew(self, token: str, seconds: int = LEASE_SECONDS) -> bool:
        """Hold the job longer; whether it may go on, or has to stop. Raises JOB002."""
        jobs = table("jobs")
        with self.holding(token) as (connection, job):
            lease = clock.now_us() + seconds * SECOND
            connection.execute(jobs.update().where(jobs.c.id == job["id"]).values(lease=lease))
        return bool(job["state"] != State.STOPPING)

    def write(self, token: str, lines: Sequence[told.Line]) -> int:
        """Keep messages of a job as records; the number of the last one kept. Known ones are passed over.

        Raises
        ------
        WorkbenchError
            JOB002.
        """
        jobs = table("jobs")
        with self.holding(token) as (connection, job):
            fresh = [line for line in lines if line.number > job["lines"]]
            if not fresh:
                return int(job["lines"])
            last = max(line.number for line in fresh)
            connection.execute(jobs.update().where(jobs.c.id == job["id"]).values(lines=last))
            self.outbox.add(connection, told.JOB_STREAM, told.stream_rows(job["id"], fresh))
        return last

    def finish(self, token: str, outcome: Outcome, why: WorkbenchError | None = None) -> State:
        """End a claim; what became of the job. Raises JOB002."""
        with self.holding(token) as (connection, job):
            state = self._finished(connection, job, outcome, why, clock.now_us())
        self._news()
        return state

    def _finished(
        self,
        connection: Connection,
        job: dict[str, Any],
        outcome: Outcome,
        why: WorkbenchError | None,
        now: int,
    ) -> State:
        if outcome is Outcome.COMPLETED:
            return self._ended(connection, job, State.COMPLETED, None, now)
        if job["state"] == State.STOPPING or outcome is Outcome.STOPPED:
            return self._ended(connection, job, State.STOPPED, why, now)
        if outcome is Outcome.WAITS:
            return self._released(connection, job, State.SUSPENDED, why, now)
        if outcome is Outcome.LOST:
            return self._crashed(connection, job, why, now)
        if job["attempt"] - job["crashes"] <= job["retries"]:
            due = now + job["retry_delay"] * SECOND
            return self._released(connection, job, State.QUEUED, why, now, due=due)
        return self._ended(connection, job, State.FAILED, why, now)

    def _crashed(
        self, connection: Connection, job: dict[str, Any], why: WorkbenchError | None, now: int
    ) -> State:
        crashes = job["crashes"] + 1
        if crashes >= MOST_CRASHES:
            why = diagnostics.lost_too_often(crashes)
            return self._released(connection, job, State.SUSPENDED, why, now, crashes=crashes)
        return self._released(connection, job, State.QUEUED, why, now, crashes=crashes)

    def give_up_lost(self) -> int:
        """Take claims back whose lease is over; how many there were."""
        jobs = table("jobs")
        now = clock.now_us()
        late = jobs.select().where(jobs.c.state.in_(CLAIMED), jobs.c.lease < now)
        with self.database.read() as connection:
            if connection.execute(late.limit(1)).one_or_none() is None:
                return 0
        with self.database.begin() as connection:
            rows = [dict(r._mapping) for r in connection.execute(late)]
            now = clock.now_us()
            for job in rows:
                why = diagnostics.worker_lost(job["worker"])
                self._finished(connection, job, Outcome.LOST, why, now)
        self._news()
        return len(rows)

    # ---- people ----------------------------------------------------------------------------------

    def cancel(self, number: str, why: WorkbenchError | None = None) -> State:
        """Stop a job: at once where none runs it, else as soon as its worker hears of it.

        Raises
        ------
        WorkbenchError
            JOB001, JOB003 when it has ended.
        """
        with self.database.begin() as connection:
            job = self._row(connection, number)
            if job["state"] in ENDED:
                raise diagnostics.not_now(number, job["state"], "stopped")
            state = self._stop(connection, job, clock.now_us(), why)
        self._news()
        return state

    def _stop(
        self, connection: Connection, job: dict[str, Any], now: int, why: WorkbenchError | None
    ) -> State:
        if job["state"] in WAITING:
            return self._ended(connection, job, State.STOPPED, why, now)
        if job["state"] != State.STOPPING:
            self._move(connection, job, now, state=State.STOPPING, **_words(why))
        return State.STOPPING

    def resume(self, number: str) -> None:
        """Start a suspended job again: from the top, over its committed steps.

        Raises
        ------
        WorkbenchError
            JOB001, JOB003 when it is not suspended.
        """
        with self.database.begin() as connection:
            job = self._row(connection, number)
            if job["state"] != State.SUSPENDED:
                raise diagnostics.not_now(number, job["state"], "resumed")
            now = clock.now_us()
            self._move(connection, job, now, state=State.RESUMING, due=now, crashes=0, **_words(None))
        self._news()

    def get(self, number: str) -> dict[str, Any]:
        """The row of a job; raises JOB001."""
        with self.database.read() as connection:
            return self._row(connection, number)

    def all(self, *, most: int = 100, runbook: str | None = None) -> list[dict[str, Any]]:
        """The newest jobs first."""
        jobs = table("jobs")
        query = jobs.select().order_by(jobs.c.created.desc(), jobs.c.id).limit(most)
        if runbook is not None:
            query = query.where(jobs.c.runbook == runbook)
        with self.database.read() as connection:
            return [dict(r._mapping) for r in connection.execute(query)]

    # ---- inside a transaction --------------------------------------------------------------------

    def _row(self, connection: Connection, number: str) -> dict[str, Any]:
        jobs = table("jobs")
        found = connection.execute(jobs.select().where(jobs.c.id == number)).one_or_none()
        if found is None:
            raise diagnostics.no_such_job(number)
        return dict(found._mapping)

    def _held(self, connection: Connection, token: str) -> dict[str, Any]:
        jobs = table("jobs")
        found = connection.execute(jobs.select().where(jobs.c.token == digest(token))).one_or_none()
        if found is None or found.state not in CLAIMED:
            raise diagnostics.claim_over("" if found is None else found.id)
        return dict(found._mapping)

    def _move(self, connection: Connection, job: dict[str, Any], now: int, **values: Any) -> None:
        """Change a job's row, and tell of its state.

        `now` is read inside of the transaction: one runs at a time, so a job's records have their times in their order.
        """
        jobs = table("jobs")
        connection.execute(jobs.update().where(jobs.c.id == job["id"]).values(values))
        job |= values
        self._tell(connection, job, now)

    def _tell(self, connection: Connection, job: Mapping[str, Any], now: int) -> None:
        self.outbox.add(connection, told.JOB, [told.job_row(job, now)])

    def _released(
        self, connection: Connection, job: dict[str, Any], state: State, why: WorkbenchError | None, now: int, **more: Any
    ) -> State:  # fmt: skip
        """Out of its worker's hands, and not at its end."""
        self._move(connection, job, now, state=state, token=None, lease=None, **_words(why), **more)
        return state

    def _ended(
        self, connection: Connection, job: dict[str, Any], state: State, why: WorkbenchError | None, now: int
    ) -> State:
        words = _words(why) if why is not None or state is State.COMPLETED else {}
        self._move(connection, job, now, state=state, token=None, lease=None, ended=now, **words)
        waits = table("job_waits")
        for other in connection.scalars(waits.select().with_only_columns(waits.c.job).where(waits.c.awaits == job["id"])).all():  # fmt: skip
            self._settle(connection, other, now)
        return state

    def _settle(self, connection: Connection, number: str, now: int) -> None:
        """Let a job that waits for others go on when they are all Completed; stop it when one is not."""
        job = self._row(connection, number)
        if job["state"] != State.NEW:
            return
        waits = table("job_waits")
        states = [
            (other, self._row(connection, other)["state"])
            for other in connection.scalars(
                waits.select().with_only_columns(waits.c.awaits).where(waits.c.job == number)
            ).all()
        ]
        for other, state in states:
            if state in (State.FAILED, State.STOPPED):
                self._ended(connection, job, State.STOPPED, diagnostics.dependency_failed(other, state), now)
                return
        if all(state == State.COMPLETED for _, state in states):
            self._move(connection, job, now, state=State.QUEUED, due=now)

    def _news(self) -> None:
        for call in self.on_news:
            call()


def digest(token: str) -> bytes:
    """What is kept of a claim's token."""
    return hashlib.sha256(token.encode()).digest()


def _words(why: WorkbenchError | None) -> dict[str, str]:
    return {"error": why.message if why else "", "error_code": why.code if why else ""}


def _row(start: Start, now: int) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "runbook": start.runbook, "version": start.version, "trigger": start.trigger,
        "trigger_name": start.trigger_name, "worker_group": start.group, "worker": "", "isolation": "", "state": State.NEW, "error": "",
        "error_code": "", "parameters": json.dumps(dict(start.parameters)), "start_key": start.key or None,
        "concurrency": start.concurrency or None, "parent": start.parent or None, "created": now, "due": now,
        "started": None, "ended": None, "lease": None, "attempt": 0, "fence": 0, "crashes": 0, "lines": 0,
        "timeout": start.timeout, "retries": start.retries, "retry_delay": start.retry_delay, "token": None,
    }  # fmt: skip
