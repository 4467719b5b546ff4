"""Schedules: runbooks that are started by the clock.

`store.Schedules` is the one place where a schedule changes or fires; `policy` chooses which due moments run, `scheduler`
is the thread that asks for it, `told` says what all of it looks like as records. When something is due:
`workbench.base.recurrence`.
"""

from __future__ import annotations

from workbench.actions.schedules.store import Schedules

__all__ = ["Schedules"]
