"""Webhooks: runbooks that are started by whoever knows a URL.

`store.Webhooks` keeps them and takes calls, `message` reads what a caller sends (and what of it a runbook gets), `told`
says what all of it looks like as records. `CALLERS.md` is what a caller is promised.
"""

from __future__ import annotations

from workbench.actions.webhooks.store import Webhooks

__all__ = ["Webhooks"]
