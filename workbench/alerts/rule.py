"""What an alert rule is, however it was written. A value; nothing here reads texts or asks tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Measure(StrEnum):
    """What is made of the rows of an evaluation, by dimension: how many there are, or a figure of one of their columns."""

    COUNT = "Count"
    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"
    TOTAL = "Total"


class Operator(StrEnum):
    """How the measured value must stand to the threshold for the rule to be violated."""

    GREATER_THAN = "GreaterThan"
    GREATER_THAN_OR_EQUAL = "GreaterThanOrEqual"
    LESS_THAN = "LessThan"
    LESS_THAN_OR_EQUAL = "LessThanOrEqual"
    EQUALS = "Equals"


class Severity(StrEnum):
    """How grave an alert is, as Azure Monitor names it; `level` is its number, 0 the gravest."""

    CRITICAL = "Critical"
    ERROR = "Error"
    WARNING = "Warning"
    INFORMATIONAL = "Informational"
    VERBOSE = "Verbose"

    @property
    def level(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A column whose values are watched apart, and which of them: all, only some, or all but some."""

    name: str
    values: tuple[str, ...] = ()
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class Violations:
    """A metric measurement (2017): how many bins of the window must be violated, anywhere or in a row.

    `column` is the bin's column (`TimeGenerated`); the measured column is the rule's.
    """

    count: int
    consecutive: bool = False
    column: str = "TimeGenerated"


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule.

    Attributes
    ----------
    name : str
        Its name in the workspace.
    query : str
        KQL; `parameters` are its `declare query_parameters`.
    frequency, window : int
        Seconds: how often it is evaluated, and how far back an evaluation looks.
    measure, column, operator, threshold
        Violated where the measure of `column` (of the rows themselves for `Count`) stands so to the threshold.
    violations : Violations or None
        Set where the query itself bins its measure by time.
    dimensions : tuple of Dimension
        At most six; each combination of values has a state of its own.
    periods, failing : int
        Fires when `failing` of the last `periods` evaluations were violated.
    per_row : bool
        Every row is an alert of its own (Sentinel's AlertPerResult); it reads only what came since the evaluation before.
    severity : Severity
    mute : int
        Seconds after firing in which no further action is taken; records are written all the same.
    auto_resolve : bool
        Resolved when `clean` evaluations in a row were not violated; else by a person, and fires each time.
    clean : int
    actions : tuple of str
        Names of action groups.
    subject : str
        Of its e-mails; the default when empty.
    payload : mapping or None
        Custom JSON payload of its webhooks, with variables such as `#alertrulename`.
    entities : tuple of mapping
        Sentinel's entity mappings: `{"entityType": "Host", "fieldMappings": [{"identifier": …, "columnName": …}]}`.
    properties : mapping
        Texts that go with its alerts: tactics, techniques, a runbook's link.
    description : str
    enabled : bool
    """

    name: str
    query: str
    frequency: int = 300
    window: int = 300
    parameters: Mapping[str, Any] = field(default_factory=dict)
    measure: Measure = Measure.COUNT
    column: str = ""
    operator: Operator = Operator.GREATER_THAN
    threshold: float = 0.0
    violations: Violations | None = None
    dimensions: tuple[Dimension, ...] = ()
    periods: int = 1
    failing: int = 1
    per_row: bool = False
    severity: Severity = Severity.WARNING
    mute: int = 0
    auto_resolve: bool = True
    clean: int = 1
    actions: tuple[str, ...] = ()
    subject: str = ""
    payload: Mapping[str, Any] | None = None
    entities: tuple[Mapping[str, Any], ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    enabled: bool = True

    def as_json(self) -> dict[str, Any]:
        """As values of JSON, where its parameters and payload are such; `Rule.read` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Rule:
        """From what `as_json` gave, also after it was stored as a text.

        Examples
        --------
        >>> import json
        >>> rule = Rule("r", "T", dimensions=(Dimension("Computer", ("a",)),), violations=Violations(3))
        >>> Rule.read(json.loads(json.dumps(rule.as_json()))) == rule
        True
        """
        values = dict(kept)
        values["measure"], values["operator"] = Measure(values["measure"]), Operator(values["operator"])
        values["severity"] = Severity(values["severity"])
        values["dimensions"] = tuple(
            Dimension(d["name"], tuple(d["values"]), d["exclude"]) for d in values["dimensions"]
        )
        if values["violations"] is not None:
            values["violations"] = Violations(**values["violations"])
        for name in ("actions", "entities"):
            values[name] = tuple(values[name])
        return cls(**values)
