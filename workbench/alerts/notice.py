"""What an outbox row says: one transition of one alert, with all that any action tells of it. A value of JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_RECORDS = 1_000
"""Records of a search that a notice carries; `count` tells how many there were."""
FIRED, RESOLVED = "Fired", "Resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition of an alert: it fired, or it was resolved. Moments are µs since 1970, spans seconds.

    Attributes
    ----------
    key : str
        The same for the same transition for ever, told to every receiver: rule, dimensions, transition, evaluation.
    alert_id : str
        The same from firing to resolved.
    condition : str
        `Fired` or `Resolved`.
    rule : mapping
        The rule as it was, in the words of its text (`reading.written`): name, query, description, severity, threshold …
    rule_id : str
    rule_version : int
    workspace_id : str
    fired_at : int
    resolved_at : int or None
    window_start, window_end : int
        What the evaluation looked at.
    value : float or None
        What was measured.
    dimensions : mapping
        Column to value.
    count : int
        How many records the search had, of this combination of dimensions.
    columns : tuple of (str, str)
        Names and KQL types of the records.
    records : tuple of tuple
        The first of them, values as JSON has them.
    actions : tuple of str
        Names of the action groups to tell.
    """

    key: str
    alert_id: str
    condition: str
    rule: Mapping[str, Any]
    rule_id: str
    rule_version: int
    workspace_id: str
    fired_at: int
    resolved_at: int | None
    window_start: int
    window_end: int
    value: float | None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    columns: tuple[tuple[str, str], ...] = ()
    records: tuple[tuple[Any, ...], ...] = ()
    actions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As values of JSON; `Notice.read` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Notice:
        """From what `as_json` gave, also after it was stored as a text.

        Examples
        --------
        >>> notice = Notice("k", "a", FIRED, {"name": "r"}, "1", 1, "w", 0, None, 0, 1, 2.0, records=((1,),))
        >>> import json
        >>> Notice.read(json.loads(json.dumps(notice.as_json()))) == notice
        True
        """
        values = dict(told)
        for name in ("columns", "records"):
            values[name] = tuple(tuple(row) for row in values[name])
        values["actions"] = tuple(values["actions"])
        return cls(**values)
