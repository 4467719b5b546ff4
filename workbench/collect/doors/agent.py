"""The agents' door: numbered batches in one JSON text, as parts of one delivery.

In goes a body, out come batches with their numbers, and of those that are new one `Batch` for the intake. What the
service knows better than the record is set here: `SourceComputerId` is the agent's identity, and behind a gateway
the heartbeat carries its management group. Must not decide what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from workbench.base.diagnostics import agent as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.collect.batch import Batch, Part, original_of, take
from workbench.collect.quarantine import Refused
from workbench.repository.standard import standard_columns

DOOR = "agent"
BODY_BYTES = 30_000_000
COMPUTER_ID, GROUP = "SourceComputerId", "ManagementGroupName"
CARRY_ID = frozenset(
    {
        "Heartbeat", "ConfigurationChange", "ConfigurationData", "LinuxAuditLog", "ProtectionStatus", "SecurityEvent",
        "Update", "UpdateRunProgress", "UpdateSummary",
    }
)  # fmt: skip
"""The tables in which each record names its agent."""
Record = dict[str, Any]
Transform = Callable[[str, str, Sequence[Record], str], tuple[list[Part], list[Refused]] | None]
"""Rule, stream, records and their sender → parts, refusals; None: the records go to the table that they name."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """One batch of an agent; `rule` and `stream` name what it was read for, "" where no rule did."""

    number: int
    table: str
    records: list[Any]
    rule: str = ""
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a post holds. `agent` and `group` are given by a gateway: whose batches it forwards, and its group."""

    batches: tuple[Numbered, ...]
    agent: str = ""
    group: str = ""
    size: int = 0


def is_numbered(body: Any) -> bool:
    """Whether a parsed body is one of numbered batches, and not one of records by table."""
    return isinstance(body, dict) and "batches" in body


def delivery_of(body: Mapping[str, Any], size: int) -> Delivery:
    """The batches of a parsed body, in their order.

    Raises
    ------
    WorkbenchError
        AGT101 for a body that is none, all of it.

    Examples
    --------
    >>> delivery_of({"batches": [{"number": 3, "table": "App", "records": [{}]}]}, 50).batches[0].number
    3
    """
    listed = body.get("batches")
    if not isinstance(listed, list) or not listed:
        raise diagnostics.bad_batches("'batches' is no list of batches")
    agent, group = body.get("agent", ""), body.get("group", "")
    if not isinstance(agent, str) or not isinstance(group, str):
        raise diagnostics.bad_batches("'agent' and 'group' are texts")
    found: list[Numbered] = []
    for one in listed:
        made = _numbered(one)
        if found and made.number <= found[-1].number:
            raise diagnostics.bad_batches(f"number {made.number} comes after {found[-1].number}")
        found.append(made)
    return Delivery(tuple(found), agent, group, size)


def _numbered(one: Any) -> Numbered:
    if not isinstance(one, dict):
        raise diagnostics.bad_batches("a batch is an object")
    number, table, records = one.get("number"), one.get("table"), one.get("records")
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 2**63:
        raise diagnostics.bad_batches("the number of a batch is a whole number from 1")
    if not isinstance(table, str) or not isinstance(records, list):
        raise diagnostics.bad_batches(f"batch {number} has no table, or no list of records")
    rule, stream = one.get("rule", ""), one.get("stream", "")
    if not isinstance(rule, str) or not isinstance(stream, str):
        raise diagnostics.bad_batches(f"batch {number}: rule and stream are texts")
    return Numbered(number, table, records, rule, stream)


def batch_of(
    batches: Sequence[Numbered],
    *,
    agent: str,
    sender: str,
    group: str = "",
    size: int = 0,
    transform: Transform | None = None,
) -> Batch:
    """Batches of one agent as one delivery: stored whole, under the number of the last.

    Parameters
    ----------
    batches : sequence of Numbered
        At least one.
    agent : str
        The agent's id, as its token or its gateway's says.
    sender : str
        Under this name the service keeps the last number.
    group : str
        The management group, for an agent behind a gateway.
    size : int
        Bytes that were received.
    transform : callable, optional
        What a rule does to the records of its streams.
    """
    made = Batch(DOOR, agent, sender=sender, number=batches[-1].number, size=size)
    merged: dict[tuple[str, str, str], list[Any]] = {}
    for batch in batches:
        merged.setdefault((batch.table, batch.rule, batch.stream), []).extend(batch.records)
    for (table, rule, stream), records in merged.items():
        if table.startswith("_") or not table:
            why = diagnostics.table_not_for_agents(table)
            made.refused += [Refused(table, why, agent, None, original_of(r)) for r in records]
            continue
        stamp(table, records, agent, group)
        shaped = transform(rule, stream, records, agent) if transform is not None and rule else None
        if shaped is None:
            part, refused = take(table, records, source=agent, declared=types_of(table))
            shaped = [part] if part else [], refused
        made.parts += shaped[0]
        made.refused += shaped[1]
    return made


def stamp(table: str, records: Sequence[Any], agent: str, group: str = "") -> None:
    """Set what the service knows of an agent in its records, whatever they say.

    Examples
    --------
    >>> records = [{"SourceComputerId": "somebody else"}]
    >>> stamp("Heartbeat", records, "a-1", "Plant 7")
    >>> records[0]["SourceComputerId"], records[0]["ManagementGroupName"], records[0]["Category"]
    ('a-1', 'Plant 7', 'SCOM Agent')
    """
    always = table in CARRY_ID
    behind = (
        {GROUP: group, "Category": "SCOM Agent", "SCAgentChannel": "SCManagementServer"}
        if group and table == "Heartbeat"
        else {}
    )
    for record in records:
        if isinstance(record, dict) and (always or COMPUTER_ID in record):
            record[COMPUTER_ID] = agent
            record.update(behind)


@cache
def types_of(table: str) -> Mapping[str, ScalarType]:
    """The documented types of a standard table's columns."""
    return {column.name: column.type for column in standard_columns(table)}


def quarantined(part: Part, why: Any, source: str) -> list[Refused]:
    """The rows of a part that no table can take, as refusals."""
    frame = {name: series for (name, _), series in part.columns.series.items()}
    return [
        Refused(
            part.table, why, source, None,
            original_of({name: series[row] for name, series in frame.items() if series[row] is not None}),
        )
        for row in range(part.columns.height)
    ]  # fmt: skip
