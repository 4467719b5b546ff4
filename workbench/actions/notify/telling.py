"""What every message says of a notice, in the words of Azure Monitor: made once, used by each form.

In go a notice and where the service is, out come moments as text, records as objects, links. Must not know any form.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.alerts import reading
from workbench.alerts.notice import FIRED, Notice
from workbench.alerts.rule import Rule
from workbench.alerts.told import OPERATORS
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.language.literals import condition

MOST_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, and its rule as a value.

    Attributes
    ----------
    notice : Notice
    rule : Rule
        Read from the words of the notice.
    service : str
        The URL of the service, for links.

    Examples
    --------
    >>> notice = Notice("k", "a", FIRED, {"name": "r", "query": "Event"}, "1", 1, "w", 0, None, 0, 1_000_000, 2.0)
    >>> told = Told.of(notice, "http://127.0.0.1:8080")
    >>> told.rule.name, told.operator, told.start, told.seconds
    ('r', 'Greater Than', '1970-01-01T00:00:00Z', 1)
    """

    notice: Notice
    rule: Rule
    service: str

    @classmethod
    def of(cls, notice: Notice, service: str) -> Told:
        try:
            rule = reading.of(notice.rule)
        except WorkbenchError:  # of another version, or of no text at all: what has a name is told
            rule = Rule(str(notice.rule.get("name", "")), str(notice.rule.get("query", "")))
        return cls(notice, rule, service.rstrip("/"))

    @property
    def fired(self) -> bool:
        return self.notice.condition == FIRED

    @property
    def operator(self) -> str:
        return OPERATORS[self.rule.operator]

    @property
    def threshold(self) -> int | float:
        return plain_number(self.rule.threshold)

    @property
    def start(self) -> str:
        return moment(self.notice.window_start)

    @property
    def end(self) -> str:
        return moment(self.notice.window_end)

    @property
    def seconds(self) -> int:
        return max(0, self.notice.window_end - self.notice.window_start) // 1_000_000

    @property
    def dimensions(self) -> list[dict[str, str]]:
        return [{"name": n, "value": v} for n, v in self.notice.dimensions.items()]

    @property
    def query(self) -> str:
        """The rule's query for these dimensions alone."""
        found = self.rule.query
        for name, value in self.notice.dimensions.items():
            found += f"\n| where {condition(name, value, ScalarType.STRING)}"
        return found

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The records, by the names of their columns."""
        names = [name for name, _ in self.notice.columns]
        return [dict(zip(names, record, strict=False)) for record in self.notice.records[:MOST_RECORDS]]

    @property
    def tables(self) -> list[dict[str, Any]]:
        """The records as the Log Search API gives them."""
        columns = [{"name": name, "type": kind} for name, kind in self.notice.columns]
        rows = [list(record) for record in self.notice.records[:MOST_RECORDS]]
        return [{"name": "PrimaryResult", "columns": columns, "rows": rows}]

    @property
    def entities(self) -> list[str]:
        """The computers that the records name."""
        found = [record["Computer"] for record in self.objects if isinstance(record.get("Computer"), str)]
        return list(dict.fromkeys(found))

    @property
    def link(self) -> str:
        """Where the whole answer is: the rule's query over its window."""
        return self._link(self.rule.query)

    @property
    def filtered_link(self) -> str:
        return self._link(self.query)

    def with_records(self, most: int) -> Told:
        """The same with fewer records."""
        return dataclasses.replace(
            self, notice=dataclasses.replace(self.notice, records=self.notice.records[:most])
        )

    def _link(self, query: str) -> str:
        asked = urllib.parse.urlencode({"query": query, "timespan": f"{self.start}/{self.end}"})
        return f"{self.service}/v1/workspaces/{self.notice.workspace_id}/query?{asked}"


def moment(micros: int) -> str:
    """A moment of µs since 1970 as text: as many digits as it has.

    Examples
    --------
    >>> moment(0), moment(1_594_303_489_996_450)
    ('1970-01-01T00:00:00Z', '2020-07-09T14:04:49.996450Z')
    """
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    return at.isoformat().replace("+00:00", "Z")


def duration(seconds: int) -> str:
    """A span as ISO 8601 writes it.

    Examples
    --------
    >>> duration(600), duration(86_400), duration(5400), duration(7)
    ('PT10M', 'P1D', 'PT1H30M', 'PT7S')
    """
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)
    day = f"{days}D" if days else ""
    return f"P{day}T{time}" if time else f"P{day}" if day else "PT0S"


def plain_number(value: float) -> int | float:
    """Whole numbers without a point.

    Examples
    --------
    >>> plain_number(5.0), plain_number(0.5)
    (5, 0.5)
    """
    return int(value) if float(value).is_integer() else value


def shortened(value: Mapping[str, Any], most: int = 200) -> str:
    """Names and values in one line."""
    line = ", ".join(f"{name}: {one}" for name, one in value.items())
    return line if len(line) <= most else f"{line[: most - 1]}…"
