"""The forms of what a webhook is sent: one module a form, all made of the same `Told`.

To add a form: a module with `body(told, payload)`, and its line in `FORMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.actions.notify.payloads import alertmanager, common_schema, custom, oms
from workbench.actions.notify.telling import Told

FORMS: dict[str, Callable[[Told, Mapping[str, Any] | None], Any]] = {
    "oms": lambda told, _: oms.body(told),
    "custom": custom.body,
    "common": lambda told, _: common_schema.body(told),
    "alertmanager": lambda told, _: alertmanager.webhook(told),
    "alertmanager-api": lambda told, _: alertmanager.alerts(told),
}
"""By the name that an action gives: values of JSON."""
