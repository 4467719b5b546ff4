"""A protobuf request of OTLP of which a part can't be read: the records that can, and the others by their bytes.

The protocol's texts are UTF-8, and a reader of protobuf refuses a whole message for one that is not. Senders cut texts
between bytes, so here a request is read once more with its records, resources and scopes as plain bytes, and each by
itself: only what can't be read is left out. In goes a body, out come the request without those, and their bytes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError


def read(request: Any, body: bytes) -> tuple[Any, list[tuple[bytes, str]]]:
    """A request, and the bytes of each record that can't be read with the reason.

    Parameters
    ----------
    request : message class
        `ExportLogsServiceRequest` or that of another signal: all three have resources, scopes in them, and records.
    body : bytes

    Raises
    ------
    DecodeError
        When not even the outer parts are there.

    Examples
    --------
    >>> from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    >>> good = ExportLogsServiceRequest()
    >>> for text in ("one", "two"):
    ...     good.resource_logs.add().scope_logs.add().log_records.add().body.string_value = text
    >>> found, unread = read(ExportLogsServiceRequest, good.SerializeToString().replace(b"two", b"tw\\xc3"))
    >>> found.resource_logs[0].scope_logs[0].log_records[0].body.string_value, len(unread)
    ('one', 1)
    """
    loose = _loose().FromString(body)
    resource_class, scope_class, record_class = _parts(request)
    unread: list[tuple[bytes, str]] = []
    for resource in loose.resources:
        of_all = _why_not(resource_class, resource.told)
        for scope in resource.scopes:
            of_scope = of_all or _why_not(scope_class, scope.told)
            good = []
            for record in scope.records:
                why = of_scope or _why_not(record_class, record)
                if why:
                    unread.append((record, why))
                else:
                    good.append(record)
            del scope.records[:]
            if of_scope:
                scope.ClearField("told")
            scope.records.extend(good)
        if of_all:
            resource.ClearField("told")
    return request.FromString(loose.SerializeToString()), unread


def _why_not(kind: Any, raw: bytes) -> str:
    try:
        kind.FromString(raw)
    except DecodeError as broken:
        return str(broken).strip().split("\n")[0][:200]
    return ""


def _parts(request: Any) -> list[Any]:
    """The classes of a resource, a scope, and a record, as the descriptors of the request have them."""
    of_resource = request.DESCRIPTOR.fields_by_number[1].message_type
    of_scope = of_resource.fields_by_number[2].message_type
    kinds = (of_resource.fields_by_number[1], of_scope.fields_by_number[1], of_scope.fields_by_number[2])
    return [message_factory.GetMessageClass(kind.message_type) for kind in kinds]


@cache
def _loose() -> Any:
    """The class of any request, with bytes for what has texts."""
    file = descriptor_pb2.FileDescriptorProto(name="workbench/otlp_loose.proto", package="workbench.otlp")
    file.syntax = "proto3"
    kinds = descriptor_pb2.FieldDescriptorProto
    fields = {
        "Scope": [("told", 1, kinds.TYPE_BYTES, ""), ("records", 2, kinds.TYPE_BYTES, "*"), ("url", 3, kinds.TYPE_BYTES, "")],
        "Resource": [("told", 1, kinds.TYPE_BYTES, ""), ("scopes", 2, kinds.TYPE_MESSAGE, "Scope"), ("url", 3, kinds.TYPE_BYTES, "")],
        "Request": [("resources", 1, kinds.TYPE_MESSAGE, "Resource")],
    }  # fmt: skip
    for name, members in fields.items():
        made = file.message_type.add(name=name)
        for field_name, number, kind, of in members:
            added = made.field.add(name=field_name, number=number, type=kind)
            added.label = kinds.LABEL_REPEATED if of else kinds.LABEL_OPTIONAL
            if kind == kinds.TYPE_MESSAGE:
                added.type_name = f".workbench.otlp.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("workbench.otlp.Request"))
