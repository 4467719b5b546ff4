"""Steps of jobs that are done once: what a committed step gave is kept, and given again after a restart.

A step's key is the same in each try, so that what it does elsewhere can be done under it. Must not run steps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workbench.actions.jobs.schema import table
from workbench.base import clock
from workbench.base.diagnostics import jobs as diagnostics

if TYPE_CHECKING:
    from workbench.actions.jobs.store import Jobs

MOST_BYTES = 1 << 20
"""Of a step's result as JSON."""
_APPROVAL = "approval: "
_LONGEST_QUESTION = 150


class Steps:
    """The committed steps of all jobs; only who holds a job's claim can ask and commit.

    Examples
    --------
    >>> Steps.key("7c1f", "copy")
    '7c1f/copy'
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    @staticmethod
    def key(job: str, name: str) -> str:
        """What names a step of a job in all its tries."""
        return f"{job}/{name}"

    def committed(self, token: str, name: str) -> tuple[bool, Any]:
        """Whether a step was committed, and its result.

        Raises
        ------
        WorkbenchError
            JOB002 when the claim is over.
        """
        steps = table("job_steps")
        with self._jobs.holding(token) as (connection, job):
            wanted = steps.select().where(steps.c.job == job["id"], steps.c.name == name)
            found = connection.execute(wanted).one_or_none()
        return (False, None) if found is None else (True, json.loads(found.result))

    def commit(self, token: str, name: str, result: Any) -> None:
        """Keep the result of a step; the same again changes nothing.

        Raises
        ------
        WorkbenchError
            JOB002, JOB005 for another result, JOB006 and JOB007 for one that can't be kept.
        """
        text = _as_json(name, result)
        steps = table("job_steps")
        with self._jobs.holding(token) as (connection, job):
            wanted = steps.select().where(steps.c.job == job["id"], steps.c.name == name)
            found = connection.execute(wanted).one_or_none()
            if found is None:
                values = {"job": job["id"], "name": name, "result": text, "fence": job["fence"]}
                connection.execute(steps.insert().values(committed=clock.now_us(), **values))
            elif found.result != text:
                raise diagnostics.step_twice(name)

    def asked(self, token: str, question: str) -> bool:
        """Whether a person has agreed to a question of a job; it is asked with this. Raises JOB002."""
        name = _APPROVAL + question[:_LONGEST_QUESTION]
        known, answer = self.committed(token, name)
        if not known:
            self.commit(token, name, False)
        return bool(answer)

    def agreed(self, job: str) -> None:
        """A person agrees to all that a job has asked."""
        steps = table("job_steps")
        open_ = steps.c.name.startswith(_APPROVAL, autoescape=True)
        with self._jobs.database.begin() as connection:
            connection.execute(steps.update().where(steps.c.job == job, open_).values(result="true"))


def _as_json(name: str, result: Any) -> str:
    try:
        text = json.dumps(result, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as why:
        raise diagnostics.result_not_json(name, str(why)) from None
    if len(text) > MOST_BYTES:
        raise diagnostics.result_too_large(name, len(text), MOST_BYTES)
    return text
