"""What a sender handed over in one request, as the intake takes it: rows by table, refusals, and who it was.

In go records and raw bytes, out come `Batch` values. A batch is stored whole or not at all, and once: its id is made
of who sent it, where to, when by his own word, and the bytes. Must not store.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson

from workbench.base import clock
from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.quarantine import Refused
from workbench.collect.record import TIME, Columns, Unstorable, bad_name, by_shape, gathered
from workbench.collect.settling import refuse_times

Types = Mapping[str, ScalarType]
_NO_TYPES: Types = MappingProxyType({})
_RECURSION = 6_000
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table; `declared` are types that its columns have if the table lacks them."""

    table: str
    columns: Columns
    declared: Types = field(default_factory=dict)


OWN_DOOR = "workbench"
"""What the service tells of itself; no sender comes in there."""


@dataclass(slots=True)
class Batch:
    """One delivery.

    Attributes
    ----------
    door : str
        Where it came in: `Data Collector`, `Logs Ingestion`, `OTLP`, `remote write`, `syslog`, `agent`, `ingest`.
    source : str
        Who sent it, as `_Quarantine` names him: a key, a token's name, an agent, an address. Never a secret.
    parts : list of Part
    refused : list of Refused
        Records that can't be stored.
    id : str
        From `batch_id`; "" is always new.
    sender, number : str, int
        Of a sender that numbers its batches (an agent): the number rises, and a lower one was stored before.
    size : int
        Bytes that were received, for `Usage`.
    """

    door: str
    source: str
    parts: list[Part] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    id: str = ""
    sender: str = ""
    number: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: rows by table, refused ones, or that it was known before."""

    stored: Mapping[str, int]
    quarantined: int = 0
    duplicate: bool = False

    @property
    def rows(self) -> int:
        return sum(self.stored.values())


def batch_id(credential: str, target: str, told: str, body: bytes) -> str:
    """The id of a delivery: 32 hexadecimal digits.

    Parameters
    ----------
    credential : str
        Who sends (a name of the key or token, not its secret).
    target : str
        Table or stream.
    told : str
        What the sender gives to tell his deliveries apart: a request id, else his date.
    body : bytes
        As it came over the wire.

    Examples
    --------
    >>> batch_id("primary", "App", "Mon, 04 Apr 2016 08:00:00 GMT", b"[{}]")
    '...'
    """
    digest = hashlib.sha256()  # processors have instructions for it
    for text in (credential, target, told):
        raw = text.encode()
        digest.update(len(raw).to_bytes(4, "little") + raw)
    digest.update(body)
    return digest.hexdigest()[:32]


def take(
    table: str,
    records: Sequence[Any],
    *,
    source: str,
    declared: Types = _NO_TYPES,
    originals: Callable[[int], bytes] | None = None,
) -> tuple[Part | None, list[Refused]]:
    """Records (parsed JSON) as rows of a table; those that can't be rows, with the reason, beside them.

    Parameters
    ----------
    table : str
    records : sequence
        What should be dicts of column → JSON value; null is no value. A `WorkbenchError` stands for a record that
        could not be read.
    source : str
        Who sent them.
    declared : mapping, optional
        Types of columns; a value that its type can't hold goes to a column with the suffix of its own.
    originals : callable, optional
        The bytes of a record; without it what JSON makes of the record again.

    Returns
    -------
    Part or None, list of Refused
        None where no record is left.

    Examples
    --------
    >>> part, refused = take("App", [{"Level": "info"}, 7], source="me")
    >>> part.columns.height, refused[0].why.code
    (1, 'IMP103')
    """
    refused: list[Refused] = []

    def refuse(row: int, why: WorkbenchError) -> None:
        refused.append(Refused(table, why, source, None, _bytes(records[row], row, originals)))

    kept: list[dict[str, Any]] = []
    rows: list[int] = []
    for row, record in enumerate(records):
        if type(record) is dict:
            kept.append(record)
            rows.append(row)
        else:
            refuse(row, why_no_record(record))
    tries = 0
    while True:
        try:
            columns = gathered(by_shape(kept)).columns({TIME: T.DATETIME, **declared})
            break
        except Unstorable as bad:
            # One by one costs all of the work each time; when there are many, each is looked at alone.
            tries += 1
            found = {bad.index: bad.why} if tries < _TRIES else _unstorable(kept)
            for index, why in found.items():
                refuse(rows[index], why)
            kept = [record for index, record in enumerate(kept) if index not in found]
            rows = [row for index, row in enumerate(rows) if index not in found]
    columns, left = refuse_times(columns, clock.now_us(), lambda row, why: refuse(rows[row], why))
    return (Part(table, columns, declared) if left else None), refused


def _unstorable(records: Sequence[dict[str, Any]]) -> dict[int, WorkbenchError]:
    """Which of the records can't be rows, and why."""
    found: dict[int, WorkbenchError] = {}
    for names, rows, some in by_shape(records):
        bad = bad_name(names)
        if bad is not None:
            found |= dict.fromkeys(rows, diagnostics.bad_field_name(bad))
            continue
        if _why_not(names, some) is not None:
            for row, record in zip(rows, some, strict=True):
                why = _why_not(names, [record])
                if why is not None:
                    found[row] = why
    return found


def _why_not(names: tuple[str, ...], records: list[dict[str, Any]]) -> WorkbenchError | None:
    try:
        gathered([(names, list(range(len(records))), records)]).columns()
    except Unstorable as bad:
        return bad.why
    return None


def why_no_record(value: Any) -> WorkbenchError:
    """Why a value that is no dict is no record: it says so itself, or by what it is."""
    return value if isinstance(value, WorkbenchError) else diagnostics.not_an_object(kind_of(value))


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names: dict[type, str] = {
        str: "a string",
        bool: "a bool",
        int: "a number",
        float: "a number",
        list: "an array",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def _bytes(record: Any, row: int, originals: Callable[[int], bytes] | None) -> bytes:
    return originals(row) if originals is not None else original_of(record)


def original_of(record: Any) -> bytes:
    """A parsed record as JSON again, however deep it is nested; as Python writes it where JSON has no word for it.

    Examples
    --------
    >>> original_of({"a": [1, None]})
    b'{"a":[1,null]}'
    """
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        # orjson reads 1,024 levels and writes 254.
        if sys.getrecursionlimit() < _RECURSION:
            sys.setrecursionlimit(_RECURSION)
    try:
        text = json.dumps(record, default=str, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError):
        text = repr(record)
    return text.encode("utf-8", "backslashreplace")
