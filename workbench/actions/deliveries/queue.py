"""Who is still to be told of what: notices taken from the outbox, spread over the actions of their groups, each until it is
delivered or given up.

In go notices and outcomes, out come claims. Taking a notice and writing what is to be delivered is one transaction, so is
the end of a try and its record. Who claimed and vanished loses its lease, and somebody else tries with the same key: at
least once. Must not send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.actions.deliveries import told
from workbench.actions.deliveries.groups import DROP, Action, Group
from workbench.actions.deliveries.schema import table
from workbench.actions.deliveries.store import ActionGroups
from workbench.actions.deliveries.told import State
from workbench.actions.notify.outcome import Outcome, Verdict, failed
from workbench.alerts.notice import Notice
from workbench.base import clock
from workbench.base.diagnostics import notify as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from workbench.alerts.outbox import AlertOutbox
    from workbench.collect.record_outbox import RecordOutbox

SECOND = 1_000_000
LIVE = (State.WAITING, State.HELD, State.SENDING)
KEPT_SECONDS = 30 * 86_400
"""How long it is known what became of a delivery; its records stay."""
MOST_CLAIMS = 10
"""A delivery whose sender vanished that often beside its failures is given up."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often somebody is tried.

    Attributes
    ----------
    waits : tuple of float
        One a try, in seconds: how long an answer is waited for, and then until the next try.
    pause : float
        Seconds that an endpoint is left alone after all tries failed.
    """

    waits: tuple[float, ...]
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Policies:
    """By kind of action; as `ops.md` and Azure Monitor have them for webhooks.

    Attributes
    ----------
    lease : float
        Seconds that a sender holds a delivery; longer than any try takes.
    mails : int
        That are sent in an hour; more of them wait.
    at_once : int
        Tries of one endpoint at the same time.
    """

    kinds: Mapping[str, Policy] = field(
        default_factory=lambda: {
            "webhook": Policy((10, 30, 30), pause=900),
            "chat": Policy((10, 30, 30), pause=900),
            "email": Policy((30, 60, 300, 900, 900)),
            "runbook": Policy((10, 30, 60, 300)),
        }
    )
    lease: float = 240.0
    mails: int = 100
    at_once: int = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice for one action, in the hands of one sender."""

    id: int
    claims: int
    notice: Notice
    group: str
    action: Action
    failures: int
    remaining: tuple[str, ...]

    @property
    def attempt(self) -> int:
        return self.failures + 1


class Deliveries:
    """What is to be delivered. Safe for threads, and for several processes.

    Parameters
    ----------
    notices : AlertOutbox
    groups : ActionGroups
    records : RecordOutbox
        Knows `told.TYPES`.
    policies : Policies, optional
    """

    def __init__(
        self,
        notices: AlertOutbox,
        groups: ActionGroups,
        records: RecordOutbox,
        policies: Policies | None = None,
    ) -> None:
        self.notices, self.groups, self.records = notices, groups, records
        self.policies = policies or Policies()
        self.database = groups.database

    def take(self) -> int:
        """Take what lies in the outbox, and write down who is to be told of it; how many notices."""
        now = clock.now_us()
        with self.database.begin() as connection:
            found = self.notices.take(connection)
            for notice in found:
                self._spread(connection, notice, now)
        return len(found)

    def claim(self) -> Delivery | None:
        """Something to deliver now, or None."""
        import sqlalchemy as sa

        deliveries, taken = table("alert_deliveries"), table("alert_taken")
        now = clock.now_us()
        live = deliveries.c.state.in_(LIVE)
        # One receiver that is slow to answer does not hold all senders.
        busy = (
            sa.select(deliveries.c.endpoint)
            .where(deliveries.c.state == State.SENDING, deliveries.c.due > now)
            .group_by(deliveries.c.endpoint)
            .having(sa.func.count() >= self.policies.at_once)
        )
        due = (
            deliveries.select()
            .where(live, deliveries.c.due <= now, deliveries.c.endpoint.not_in(busy))
            .order_by(deliveries.c.due, deliveries.c.id)
        )
        with self.database.read() as connection:  # most looks find nothing, and need no turn to write
            if connection.execute(due.limit(1)).first() is None:
                return None
        with self.database.begin() as connection:
            full = False
            for row in connection.execute(due.limit(20)).all():
                if full and row.kind == "email":
                    continue
                text = connection.scalar(taken.select().where(taken.c.key == row.notice_key).with_only_columns(taken.c.notice))  # fmt: skip
                notice = Notice.read(json.loads(str(text)))
                action = _action(row)
                if row.claims >= row.failures + MOST_CLAIMS:
                    lost = failed(diagnostics.too_often_lost(row.claims - row.failures))
                    self._end(connection, row, notice, State.FAILED, lost, now)
                elif row.kind == "email" and (later := self._mails_full(connection, now)) is not None:
                    full = True
                    mails = deliveries.update().where(
                        deliveries.c.kind == "email", deliveries.c.state.in_((State.WAITING, State.HELD)),
                        deliveries.c.due < later,
                    )  # fmt: skip
                    connection.execute(mails.values(due=later))
                    why = Outcome(Verdict.AGAIN, f"{self.policies.mails} mails were sent in the last hour")
                    self._tell(connection, row, notice, State.HELD, now, outcome=why, next_time=later)
                else:
                    until = now + int(self.policies.lease * SECOND)
                    values = {"state": State.SENDING, "due": until, "claims": row.claims + 1}
                    connection.execute(deliveries.update().where(deliveries.c.id == row.id).values(values))
                    left = tuple(json.loads(row.remaining))
                    return Delivery(
                        row.id, row.claims + 1, notice, row.action_group, action, row.failures, left
                    )
        return None

    def done(self, delivery: Delivery, outcome: Outcome) -> State | None:
        """A try is over; what became of the delivery, or None when another sender has it."""
        deliveries = table("alert_deliveries")
        now = clock.now_us()
        with self.database.begin() as connection:
            held = deliveries.select().where(
                deliveries.c.id == delivery.id,
                deliveries.c.state == State.SENDING,
                deliveries.c.claims == delivery.claims,
            )
            row = connection.execute(held).one_or_none()
            if row is None:
                return None
            if outcome.verdict is not Verdict.AGAIN:
                state = State.DELIVERED if outcome.verdict is Verdict.DELIVERED else State.FAILED
                self._end(connection, row, delivery.notice, state, outcome, now)
                return state
            policy = self.policies.kinds[row.kind]
            if row.failures + 1 >= len(policy.waits):
                self._end(connection, row, delivery.notice, State.FAILED, outcome, now)
                if policy.pause:
                    self._pause(connection, row.endpoint, now + int(policy.pause * SECOND))
                return State.FAILED
            due = max(
                now + int(policy.waits[row.failures] * SECOND), self._paused_until(connection, row.endpoint)
            )
            left = json.dumps(outcome.left or json.loads(row.remaining))
            values = {"state": State.WAITING, "due": due, "failures": row.failures + 1, "remaining": left}
            connection.execute(deliveries.update().where(deliveries.c.id == row.id).values(values))
            self._tell(connection, row, delivery.notice, State.WAITING, now, outcome=outcome, next_time=due)
            return State.WAITING

    def next_due(self) -> int | None:
        """The next moment at which one becomes due, in µs since 1970; what is due by now is not asked for."""
        import sqlalchemy as sa

        deliveries = table("alert_deliveries")
        later = (deliveries.c.state.in_(LIVE), deliveries.c.due > clock.now_us())
        with self.database.read() as connection:
            found = connection.scalar(sa.select(sa.func.min(deliveries.c.due)).where(*later))
        return None if found is None else int(found)

    def waiting(self) -> int:
        """How many deliveries are not at their end."""
        import sqlalchemy as sa

        deliveries = table("alert_deliveries")
        count = sa.select(sa.func.count()).select_from(deliveries).where(deliveries.c.state.in_(LIVE))
        with self.database.read() as connection:
            return int(connection.scalar(count) or 0)

    def forget(self) -> None:
        """Drop what ended long ago."""
        deliveries = table("alert_deliveries")
        with self.database.begin() as connection:
            old = deliveries.c.ended < clock.now_us() - KEPT_SECONDS * SECOND
            connection.execute(deliveries.delete().where(old))

    # ---- inside a transaction ----------------------------------------------------------------------

    def _spread(self, connection: Connection, notice: Notice, now: int) -> None:
        taken = table("alert_taken")
        rows: list[dict[str, Any]] = []
        for name in dict.fromkeys(notice.actions):
            group = self.groups.find(connection, name)
            if group is None:
                why = failed(diagnostics.no_such_group(name, ()))
                self._add(connection, told.row(notice, name, "", "", State.FAILED, now, outcome=why))
            elif not group.enabled:
                off = Outcome(Verdict.REFUSED, "the action group is switched off")
                self._add(connection, told.row(notice, name, "", "", State.DROPPED, now, outcome=off))
            else:
                rows += self._of_group(connection, notice, group, now)
        if rows:
            connection.execute(taken.insert().values(key=notice.key, notice=json.dumps(notice.as_json())))
            connection.execute(table("alert_deliveries").insert(), rows)

    def _of_group(
        self, connection: Connection, notice: Notice, group: Group, now: int
    ) -> list[dict[str, Any]]:
        until = group.quiet.until(now) if group.quiet is not None else None
        held = until is not None
        found = []
        for action in group.actions:
            if not action.wants(notice):
                continue
            where = (group.name, action.kind, action.name)
            if held and group.quiet is not None and group.quiet.mode == DROP:
                quiet = Outcome(Verdict.REFUSED, "it fell in quiet hours")
                self._add(connection, told.row(notice, *where, State.DROPPED, now, outcome=quiet))
                continue
            endpoint = endpoint_of(action)
            due = max(until or now, self._paused_until(connection, endpoint))
            if held:
                self._add(connection, told.row(notice, *where, State.HELD, now, next_time=due))
            spec = {"on": action.on, "fields": dict(action.fields)}
            found.append({
                "notice_key": notice.key, "action_group": group.name, "action": action.name, "spec": json.dumps(spec),
                "kind": action.kind, "endpoint": endpoint, "state": State.HELD if held else State.WAITING,
                "due": due, "claims": 0, "failures": 0, "remaining": "[]", "ended": None,
            })  # fmt: skip
        return found

    def _end(
        self, connection: Connection, row: Any, notice: Notice, state: State, outcome: Outcome, now: int
    ) -> None:
        deliveries, taken = table("alert_deliveries"), table("alert_taken")
        change = deliveries.update().where(deliveries.c.id == row.id)
        connection.execute(change.values(state=state, ended=now, remaining="[]"))
        self._tell(connection, row, notice, state, now, outcome=outcome)
        others = deliveries.select().where(
            deliveries.c.notice_key == row.notice_key, deliveries.c.state.in_(LIVE)
        )
        if connection.execute(others.limit(1)).first() is None:
            connection.execute(taken.delete().where(taken.c.key == row.notice_key))

    def _pause(self, connection: Connection, endpoint: str, until: int) -> None:
        """Leave an endpoint alone: what waits for it waits until then."""
        endpoints, deliveries = table("alert_endpoints"), table("alert_deliveries")
        connection.execute(endpoints.delete().where(endpoints.c.endpoint == endpoint))
        connection.execute(endpoints.insert().values(endpoint=endpoint, paused_until=until))
        waiting = deliveries.update().where(
            deliveries.c.endpoint == endpoint,
            deliveries.c.state.in_((State.WAITING, State.HELD)),
            deliveries.c.due < until,
        )
        connection.execute(waiting.values(due=until))

    def _paused_until(self, connection: Connection, endpoint: str) -> int:
        endpoints = table("alert_endpoints")
        one = (
            endpoints.select()
            .where(endpoints.c.endpoint == endpoint)
            .with_only_columns(endpoints.c.paused_until)
        )
        return int(connection.scalar(one) or 0)

    def _mails_full(self, connection: Connection, now: int) -> int | None:
        """When the next mail may go out, where as many as there may be in an hour did."""
        deliveries = table("alert_deliveries")
        hour = 3600 * SECOND
        mail = deliveries.c.kind == "email"
        ended = deliveries.select().where(
            mail, deliveries.c.state == State.DELIVERED, deliveries.c.ended > now - hour
        )
        sent = connection.scalars(
            ended.with_only_columns(deliveries.c.ended).order_by(deliveries.c.ended)
        ).all()
        sending = connection.execute(
            deliveries.select().where(mail, deliveries.c.state == State.SENDING, deliveries.c.due > now)
        ).all()
        if len(sent) + len(sending) < self.policies.mails:
            return None
        return int(sent[0]) + hour if sent else now + SECOND

    def _tell(
        self, connection: Connection, row: Any, notice: Notice, state: State, now: int, *, outcome: Outcome, next_time: int | None = None
    ) -> None:  # fmt: skip
        target = target_of(_action(row))
        made = told.row(
            notice, row.action_group, row.kind, row.action, state, now,
            target=target, attempt=row.failures + 1, outcome=outcome, next_time=next_time,
        )  # fmt: skip
        self._add(connection, made)

    def _add(self, connection: Connection, row: Mapping[str, Any]) -> None:
        self.records.add(connection, told.ALERT_DELIVERY, [row])


def endpoint_of(action: Action) -> str:
    """What is left alone when it fails: one receiver, whichever groups name it."""
    fields = action.fields
    named = {
        "webhook": fields.get("url") or f"credential {fields.get('url_from')}",
        "chat": f"credential {fields.get('url_from')}",
        "email": str(fields.get("connection")),
        "runbook": str(fields.get("runbook")),
    }
    return f"{action.kind} {named[action.kind]}"[:300]


def target_of(action: Action) -> str:
    """Who was told, for people: nothing of a path or query, in which tokens stand."""
    if action.kind == "webhook" and action.fields.get("url"):
        return (
            str(action.fields["url"]).split("?")[0].split("/")[2:3][0] if "//" in action.fields["url"] else ""
        )
    if action.kind == "email":
        to = action.fields["to"]
        return "; ".join(to[:5]) + (f" and {len(to) - 5} more" if len(to) > 5 else "")
    return endpoint_of(action).partition(" ")[2]


def _action(row: Any) -> Action:
    spec = json.loads(row.spec)
    return Action(row.kind, row.action, tuple(spec["on"]), spec["fields"])
