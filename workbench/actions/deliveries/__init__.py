"""Deliveries: action groups, and each notice of an alert brought to each action of its groups, at least once.

In go what people ask for and the notices of `alerts`, out come e-mails, webhooks, chat messages and jobs, and a record of
each try. `RECEIVERS.md` in `actions/notify` says what a receiver may rely on.
"""

from workbench.actions.deliveries.groups import Group
from workbench.actions.deliveries.queue import Deliveries
from workbench.actions.deliveries.store import ActionGroups

__all__ = ["ActionGroups", "Deliveries", "Group"]
