"""The test button of an action group: a sample alert for each of its actions, at once, and what became of each."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workbench.actions.deliveries import told
from workbench.actions.deliveries.groups import Action
from workbench.actions.deliveries.queue import target_of
from workbench.actions.deliveries.sending import Sending
from workbench.actions.deliveries.store import ActionGroups
from workbench.actions.deliveries.told import State
from workbench.actions.notify.outcome import Outcome, Verdict
from workbench.actions.notify.telling import moment
from workbench.alerts.notice import FIRED, Notice
from workbench.base import clock
from workbench.collect.record_outbox import RecordOutbox

_AT_ONCE = 8
_WINDOW = 300_000_000


class GroupTest:
    """Tells a sample to the actions of a group. Quiet hours, pauses and limits are not asked: who presses wants to see it."""

    def __init__(self, groups: ActionGroups, sending: Sending, records: RecordOutbox) -> None:
        self._groups, self._sending, self._records = groups, sending, records

    def press(self, name: str) -> list[dict[str, Any]]:
        """What became of each action; raises NOT001."""
        group = self._groups.group(name)
        notice = sample(name, self._sending.automation.workspace_id)

        def one(action: Action) -> Outcome:
            return self._sending.once(notice, name, action)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            outcomes = list(pool.map(one, group.actions))
        rows, shown = [], []
        for action, outcome in zip(group.actions, outcomes, strict=True):
            state = State.DELIVERED if outcome.verdict is Verdict.DELIVERED else State.FAILED
            rows.append(
                told.row(
                    notice, name, action.kind, action.name, state, clock.now_us(),
                    target=target_of(action), attempt=1, outcome=outcome, test=True,
                )
            )  # fmt: skip
            shown.append({
                "type": action.kind, "name": action.name, "state": state.value, "code": outcome.status,
                "detail": outcome.detail, "job_id": outcome.job,
            })  # fmt: skip
        with self._groups.database.begin() as connection:
            self._records.add(connection, told.ALERT_DELIVERY, rows)
        return shown


def sample(group: str, workspace_id: str) -> Notice:
    """A notice of a rule that does not exist."""
    now = clock.now_us()
    number = str(uuid.uuid4())
    rule = {
        "name": f"Test of action group {group}", "query": "Heartbeat\n| where Computer == 'example'",
        "description": "Somebody pressed the test button; nothing is wrong.", "severity": "Informational",
    }  # fmt: skip
    columns = (("TimeGenerated", "datetime"), ("Computer", "string"), ("Message", "string"))
    records = tuple((moment(now - n * 60_000_000), "example", f"sample record {n + 1}") for n in range(3))
    return Notice(
        f"test/{number}", number, FIRED, rule, "test", 1, workspace_id, now, None, now - _WINDOW, now, 3.0,
        count=3, columns=columns, records=records, actions=(group,),
    )  # fmt: skip
