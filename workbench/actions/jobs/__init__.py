"""Jobs: who asked for what, which worker has it, how it ended; with steps that are done once.

`store.Jobs` is the one place where a job's state changes; `told` says what that looks like as records.
"""

from __future__ import annotations

from workbench.actions.jobs.states import Outcome, Overlap, State
from workbench.actions.jobs.steps import Steps
from workbench.actions.jobs.store import Claim, Jobs, Start

__all__ = ["Claim", "Jobs", "Outcome", "Overlap", "Start", "State", "Steps"]
