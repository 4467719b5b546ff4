"""What the three signals of OTLP share: values of attributes, ids, times, and the columns that tell who speaks.

In go protobuf messages, out come Python values and JSON texts. Must not know tables.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from google.protobuf import json_format

from workbench.base import clock
from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Part
from workbench.collect.doors.rows import columns_of_rows, json_text
from workbench.collect.quarantine import Refused
from workbench.collect.settling import refuse_times

ORIGIN_TYPES: Mapping[str, ScalarType] = {
    "AppRoleName": T.STRING, "AppRoleInstance": T.STRING, "AppVersion": T.STRING, "SDKVersion": T.STRING,
    "Resource": T.DYNAMIC, "Scope": T.DYNAMIC,
}  # fmt: skip
"""Who speaks: the first four as Azure has them; `Resource` and `Scope` are ours, so that nothing is lost."""

PERSON_TYPES: Mapping[str, ScalarType] = {
    "ClientIP": T.STRING, "SessionId": T.STRING, "UserId": T.STRING, "SyntheticSource": T.STRING,
}  # fmt: skip


@dataclass(slots=True)
class Taken:
    """What became of a request: parts of a batch, records that can't be stored, whether all had a time."""

    parts: list[Part] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    timed: bool = True

    def refuse(self, table: str, why: WorkbenchError, source: str, record: Any) -> None:
        """Keep a record aside, as JSON of its message."""
        original = orjson.dumps(json_format.MessageToDict(record))
        self.refused.append(Refused(table, why, source, None, original))

    def add(
        self,
        table: str,
        types: Mapping[str, ScalarType],
        rows: Sequence[tuple[Any, ...]],
        records: Sequence[Any],
        source: str,
    ) -> None:
        """Add the rows of a table; those whose time lies more than a day ahead are refused.

        Parameters
        ----------
        table : str
        types : mapping
            Columns in the order of the rows; `TimeGenerated` is one of them.
        rows : sequence of tuple
        records : sequence of messages
            The message of each row.
        source : str
        """
        if not rows:
            return
        columns, left = refuse_times(
            columns_of_rows(types, rows),
            clock.now_us(),
            lambda row, why: self.refuse(table, why, source, records[row]),
        )
        if left:
            self.parts.append(Part(table, columns, types))


def value_of(value: Any) -> Any:
    """An `AnyValue` as a value of JSON; bytes are base64.

    Examples
    --------
    >>> from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    >>> value_of(AnyValue(int_value=3)), value_of(AnyValue(bytes_value=b"a")), value_of(AnyValue())
    (3, 'YQ==', None)
    """
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "array_value":
        return [value_of(v) for v in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return None if kind is None else getattr(value, kind)


def attributes_of(pairs: Iterable[Any]) -> dict[str, Any]:
    """Attributes as a dict; of two with one name the last one stays."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def text_of(value: Any) -> str | None:
    """A value for a text column: text as it is, other values as JSON.

    Examples
    --------
    >>> text_of("a"), text_of({"b": 1}), text_of(None)
    ('a', '{"b":1}', None)
    """
    return value if value is None or isinstance(value, str) else json_text(value)


def bag(attributes: Mapping[str, Any]) -> str | None:
    """Attributes as the text of a dynamic column; None where there is none."""
    return json_text(attributes) if attributes else None


def identifier(raw: bytes, size: int) -> str | None:
    """An id in hexadecimal; None where it has another size or is zero, which the protocol says is no id.

    Examples
    --------
    >>> identifier(b"\\x00\\x01", 2), identifier(b"\\x00\\x00", 2), identifier(b"\\x01", 2)
    ('0001', None, None)
    """
    return raw.hex() if len(raw) == size and any(raw) else None


def micros(nanoseconds: int) -> int | None:
    """A time of OTLP in microseconds; 0 is none."""
    return nanoseconds // 1000 if nanoseconds else None


def first(attributes: Mapping[str, Any], *names: str) -> str | None:
    """The first of these attributes that is there, as text."""
    for name in names:
        if attributes.get(name) is not None:
            return text_of(attributes[name])
    return None


def resource_columns(resource: Any) -> tuple[str | None, ...]:
    """`ORIGIN_TYPES` of a resource, without `Scope`."""
    known = attributes_of(resource.attributes)
    language = first(known, "telemetry.sdk.language")
    version = first(known, "telemetry.sdk.version")
    sdk = None if version is None else f"{language or 'otel'}:{version}"
    return (
        first(known, "service.name"),
        first(known, "service.instance.id", "host.name"),
        first(known, "service.version"),
        sdk,
        bag(known),
    )


def scope_column(scope: Any) -> str | None:
    """An instrumentation scope as the text of a dynamic column."""
    told: dict[str, Any] = {"name": scope.name, "version": scope.version}
    if scope.attributes:
        told["attributes"] = attributes_of(scope.attributes)
    return bag({key: value for key, value in told.items() if value})


def person_columns(attributes: Mapping[str, Any]) -> tuple[str | None, ...]:
    """`PERSON_TYPES` of the attributes of a record."""
    if not attributes:
        return (None, None, None, None)
    return (
        first(attributes, "client.address", "http.client_ip"),
        first(attributes, "session.id"),
        first(attributes, "user.id", "enduser.id"),
        first(attributes, "user_agent.synthetic.type"),
    )
