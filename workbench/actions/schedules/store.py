"""The schedules of a workspace: made, changed, paused, and fired when they are due.

In go what people ask for and the clock, out come jobs. A firing, the job that it makes and the next due moment are one
transaction, in which the schedule is as it was looked at, and the job's start key is schedule and due moment: two services
on one database, or one that was stopped and went on, never start a moment twice, and a killed one loses none.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.actions.jobs import Start
from workbench.actions.jobs.states import Overlap
from workbench.actions.runbook import standing
from workbench.actions.runbook.automation import Automation
from workbench.actions.runbook.named import Named
from workbench.actions.schedules import told
from workbench.actions.schedules.policy import Misfire, choose
from workbench.actions.schedules.schema import schedules as table
from workbench.actions.schedules.told import Change
from workbench.base import clock
from workbench.base.diagnostics import schedules as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.base.recurrence import Recurrence, read, zone
from workbench.base.recurrence.reading import read_moment

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHOWN_RUNS = 5
_Row = dict[str, Any]


class Schedules:
    """The schedules in a control database. Safe for threads, and for several processes.

    Parameters
    ----------
    automation : Automation
        Makes their jobs; what they tell goes the way of what jobs tell.
    """

    def __init__(self, automation: Automation) -> None:
        self._automation = automation
        self._database = automation.jobs.database
        self._kept = Named(
            automation.jobs.outbox, table(), told.SCHEDULE, diagnostics.bad_name, diagnostics.no_such_schedule
        )
        self.on_news: list[Callable[[], None]] = []
        """Called after a schedule was made or changed."""

    # ---- people ----------------------------------------------------------------------------------

    def put(self, name: str, asked: Mapping[str, Any], by: str) -> _Row:
        """Make a schedule, or change the one of that name; as it is shown.

        Parameters
        ----------
        name : str
        asked : mapping
            `runbook`, `when` (see `workbench.base.recurrence`), `zone` (UTC), `start`, `end`, `misfire` (`once`; see
            `policy.Misfire`), `overlap` (`queue`, `skip`, `replace` or `allow`: what becomes of a run while one of
            before is not at its end), and what a start takes: `parameters`, `group`, `timeout`, `retries`, `retry_delay`.
        by : str
            Who asks.

        Raises
        ------
        WorkbenchError
            SCH0xx, SCH1xx, and JOB0xx to JOB2xx where its runbook would not start so; nothing was changed.
        """
        self._kept.check(name)
        now = clock.now_us()
        values = self._checked(name, asked, now)
        values |= {"changed": now, "changed_by": by, "enabled": True, "last_error": ""}
        values["next_due"] = _recurrence(values).after(now)
        if values["next_due"] is None:
            raise diagnostics.never_due(values["due_at"])
        with self._database.begin() as connection:
            known = self._kept.find(connection, name)
            if known is None:
                row = {"id": str(uuid.uuid4()), "created": now, "last_due": None, "last_job": None, **values}
                self._kept.insert(connection, row)
            else:
                row = {**known, **values}
                self._kept.update(connection, row["id"], values)
            change = Change.CREATED if known is None else Change.CHANGED
            detail = f"{row['due_at']} ({row['zone']})"
            self._kept.tell(connection, told.row(row, change, now, by=by, detail=detail))
            self._database.after_commit(connection, self._news)
        return _shown(row)

    def get(self, name: str) -> _Row:
        """A schedule as it is shown, with its next runs; raises SCH101."""
        with self._database.read() as connection:
            return _shown(self._kept.row(connection, name))

    def all(self) -> list[_Row]:
        """All schedules as they are shown, by name."""
        with self._database.read() as connection:
            return [_shown(row, runs=0) for row in self._kept.all(connection)]

    def pause(self, name: str, by: str) -> _Row:
        """Have it fire no more until it is resumed; raises SCH101."""
        return self._switch(name, by, Change.PAUSED)

    def resume(self, name: str, by: str) -> _Row:
        """Have it fire again, from the next due moment on: what was due meanwhile is not missed. Raises SCH101."""
        return self._switch(name, by, Change.RESUMED)

    def remove(self, name: str, by: str) -> None:
        """Remove a schedule; jobs that it made go on. Raises SCH101."""
        with self._database.begin() as connection:
            row = self._kept.row(connection, name)
            self._kept.drop(connection, row["id"])
            gone = {**row, "next_due": None}
            self._kept.tell(connection, told.row(gone, Change.REMOVED, clock.now_us(), by=by))

    def _switch(self, name: str, by: str, change: Change) -> _Row:
        now = clock.now_us()
        enabled = change is Change.RESUMED
        with self._database.begin() as connection:
            row = self._kept.row(connection, name)
            if row["enabled"] == enabled:
                return _shown(row)
            following = _recurrence(row).after(max(now, row["last_due"] or 0)) if enabled else None
            values = {"enabled": enabled, "next_due": following, "changed": now, "changed_by": by}
            self._kept.update(connection, row["id"], values)
            self._kept.tell(connection, told.row(row | values, change, now, by=by))
            self._database.after_commit(connection, self._news)
        return _shown(row | values)

    def _checked(self, name: str, asked: Mapping[str, Any], now: int) -> _Row:
        texts = standing.texts(asked, "when", "zone", "start", "end", "misfire")
        form = read(texts["when"])
        where = zone(texts["zone"] or "UTC")
        start = read_moment("start", texts["start"], where) if texts["start"] else now - now % 1_000_000
        end = read_moment("end", texts["end"], where) if texts["end"] else None
        misfire = texts["misfire"] or "once"
        Misfire.parse(misfire)
        row = {
            "name": name, "due_at": texts["when"], "zone": where.key, "start": start, "end": end, "misfire": misfire,
            **standing.kept(asked, Overlap.QUEUE),
        }  # fmt: skip
        self._start({**row, "id": ""}, Recurrence(form, where, start, end).start)  # would it start so?
        return row

    # ---- the clock -------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """The first due moment of all, in µs since 1970."""
        import sqlalchemy as sa

        with self._database.read() as connection:
            found = connection.scalar(sa.select(sa.func.min(table().c.next_due)))
        return None if found is None else int(found)

    def refresh(self) -> None:
        """Compute anew when each is due next: the rules of zones change with the machine's packages."""
        now = clock.now_us()
        with self._database.begin() as connection:
            for found in connection.execute(table().select().where(table().c.next_due > now)).all():
                row = dict(found._mapping)
                following = _recurrence(row).after(max(now, row["last_due"] or 0))
                if following != row["next_due"]:
                    self._kept.update(connection, row["id"], {"next_due": following})

    def fire(self) -> int:
        """Start what is due; how many jobs that were.

        Raises
        ------
        WorkbenchError
            CTL001; what was not fired yet is still due.
        """
        now = clock.now_us()
        due = table().select().where(table().c.next_due <= now).order_by(table().c.next_due, table().c.name)
        with self._database.read() as connection:
            rows = [dict(r._mapping) for r in connection.execute(due)]
        return sum(self._fire(row, now) for row in rows)

    def _fire(self, row: _Row, now: int) -> int:
        recurrence = _recurrence(row)
        chosen = choose(recurrence, row["next_due"], now, Misfire.parse(row["misfire"]))
        starts: list[tuple[int, Start]] = []
        refused: WorkbenchError | None = None
        try:
            starts = [(moment, self._start(row, moment)) for moment in chosen.run]
        except WorkbenchError as why:
            if why.code.startswith("CTL"):
                raise
            refused = why
        values: _Row = {"next_due": recurrence.after(now), "last_error": ""}
        with self._database.begin() as connection:
            if not self._unchanged(connection, row):
                return 0  # somebody else was faster, or it was changed meanwhile
            after = row | values
            if chosen.missed is not None:
                words = f"not run from {_text(chosen.missed[0], row)} to {_text(chosen.missed[1], row)}"
                self._kept.tell(
                    connection, told.row(after, Change.MISSED, now, due=chosen.missed[0], detail=words)
                )
            for moment, start in starts:
                job = self._automation.jobs.start_in(connection, start)
                self._kept.tell(connection, told.row(after, Change.FIRED, now, due=moment, job=job["id"]))
                values |= {"last_due": moment, "last_job": job["id"]}
            if refused is not None:
                values |= {"last_due": chosen.run[-1], "last_error": f"{refused.code}: {refused.message}"}
                for moment in chosen.run:
                    words = values["last_error"]
                    self._kept.tell(
                        connection, told.row(after, Change.REFUSED, now, due=moment, detail=words)
                    )
            if values["next_due"] is None:
                self._kept.tell(connection, told.row(after, Change.ENDED, now))
            self._kept.update(connection, row["id"], values)
        return len(starts)

    def _start(self, row: Mapping[str, Any], due: int) -> Start:
        by = f"{row['name']} {_text(due, {'zone': 'UTC'})}"
        key = f"schedule/{row['id']}/{due}"
        return standing.prepared(self._automation, "schedule", row, by=by, key=key)

    def _unchanged(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        found = connection.execute(table().select().where(table().c.id == row["id"])).one_or_none()
        return found is not None and (found.next_due, found.changed) == (row["next_due"], row["changed"])

    def _news(self) -> None:
        for call in self.on_news:
            call()


def preview(when: str, zone_name: str = "UTC", count: int = SHOWN_RUNS) -> list[str]:
    """The next runs that a text and a zone would give, as text.

    Raises
    ------
    WorkbenchError
        SCH001, SCH003.
    """
    now = clock.now_us()
    row = {"zone": zone(zone_name).key}
    return [_text(m, row) for m in Recurrence(read(when), zone(zone_name), now).upcoming(now, count)]


def _recurrence(row: Mapping[str, Any]) -> Recurrence:
    return Recurrence(read(row["due_at"]), zone(row["zone"]), row["start"], row["end"])


def _shown(row: Mapping[str, Any], runs: int = SHOWN_RUNS) -> _Row:
    """A schedule as JSON; times are ISO text of its zone."""
    state = "paused" if not row["enabled"] else "ended" if row["next_due"] is None else "active"
    found = {
        "name": row["name"], "when": row["due_at"], "zone": row["zone"], "state": state,
        "start": _text(row["start"], row), "end": _text(row["end"], row), "misfire": row["misfire"],
        "next": _text(row["next_due"], row), "last": _text(row["last_due"], row), "last_job": row["last_job"],
        "last_error": row["last_error"], "changed": _text(row["changed"], row), "changed_by": row["changed_by"],
        **standing.shown(row),
    }  # fmt: skip
    if runs:
        due = row["next_due"]
        moments = [] if due is None else _recurrence(row).upcoming(due - 1, runs)
        found["runs"] = [_text(m, row) for m in moments]
    return found


def _text(moment: int | None, row: Mapping[str, Any]) -> Any:
    """A moment as ISO text of a schedule's zone; None stays None."""
    if moment is None:
        return None
    since = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=moment)
    return since.astimezone(zone(row["zone"])).isoformat(
        timespec="seconds" if moment % 1_000_000 == 0 else "microseconds"
    )
