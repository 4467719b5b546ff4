"""A payload that people write themselves: JSON with variables such as `#alertrulename` in its texts.

Variables are put into the values of parsed JSON, never into its text: a rule's name with a quote breaks nothing. What a
variable gave is not read again, names of fields stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from workbench.actions.notify.payloads import oms
from workbench.actions.notify.telling import Told

VARIABLES: dict[str, Callable[[Told], object]] = {
    "alertrulename": lambda t: t.rule.name,
    "severity": lambda t: t.rule.severity.value,
    "thresholdoperator": lambda t: t.operator,
    "thresholdvalue": lambda t: t.threshold,
    "linktosearchresults": lambda t: t.link,
    "linktosearchresultsapi": lambda t: t.link,
    "linktofilteredsearchresultsui": lambda t: t.filtered_link,
    "linktofilteredsearchresultsapi": lambda t: t.filtered_link,
    "searchresultcount": lambda t: t.notice.count,
    "searchintervalendtimeutc": lambda t: t.end,
    "searchinterval": lambda t: t.seconds,
    "searchintervalstarttimeutc": lambda t: t.start,
    "searchquery": lambda t: t.rule.query,
    "alerttype": oms.alert_type,
    "workspaceid": lambda t: t.notice.workspace_id,
}
# The longer first: `#searchintervalendtimeutc` begins as `#searchinterval` does.
_VARIABLE = re.compile("#(" + "|".join(sorted(VARIABLES, key=len, reverse=True)) + ")", re.IGNORECASE)


def body(told: Told, payload: Mapping[str, Any] | None) -> Any:
    """The payload of the rule, else of the action, with its variables; without either that of 2017.

    Examples
    --------
    >>> from workbench.alerts.notice import Notice
    >>> rule = {"name": 'say "hi" #severity', "query": "T"}
    >>> notice = Notice("k", "a", "Fired", rule, "1", 1, "w", 0, None, 0, 1, 2.0, count=3)
    >>> body(Told.of(notice, ""), {"text": "#AlertRuleName: #searchresultcount", "#severity": 1})
    {'text': 'say "hi" #severity: 3', '#severity': 1}
    """
    chosen = told.rule.payload if told.rule.payload is not None else payload
    if chosen is None:
        return oms.body(told)
    made = {name: _filled(value, told) for name, value in chosen.items()}
    if chosen.get("IncludeSearchResults") is True:
        made["SearchResults"] = {"tables": told.tables}
    if chosen.get("IncludeDimensions") is True:
        made["Dimensions"] = told.dimensions
    return made


def _filled(value: Any, told: Told) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: str(VARIABLES[found[1].lower()](told)), value)
    if isinstance(value, Mapping):
        return {name: _filled(one, told) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(one, told) for one in value]
    return value
