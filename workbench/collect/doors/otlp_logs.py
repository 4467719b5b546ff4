"""Log records of OTLP as rows of `AppTraces`.

In goes an ExportLogsServiceRequest, out come rows. The columns are those of Azure Monitor; `SeverityText`,
`SeverityNumber`, `EventName`, `ObservedTime`, `Resource` and `Scope` are ours.
"""

from __future__ import annotations

from typing import Any

from workbench.base.dtypes import ScalarType as T
from workbench.collect.doors import otlp_values as values
from workbench.collect.doors.otlp_values import ORIGIN_TYPES, PERSON_TYPES, Taken

TABLE = "AppTraces"
TYPES = {
    "TimeGenerated": T.DATETIME, "Message": T.STRING, "SeverityLevel": T.INT, "OperationId": T.STRING,
    "ParentId": T.STRING, "OperationName": T.STRING, "ItemCount": T.INT, "Properties": T.DYNAMIC, **PERSON_TYPES,
    "SeverityText": T.STRING, "SeverityNumber": T.INT, "EventName": T.STRING, "ObservedTime": T.DATETIME,
    **ORIGIN_TYPES,
}  # fmt: skip


def severity_level(number: int) -> int | None:
    """The level of Azure (0 verbose to 4 critical) for a severity number (1 to 24).

    Examples
    --------
    >>> [severity_level(n) for n in (0, 1, 8, 9, 13, 17, 24, 25)]
    [None, 0, 0, 1, 2, 3, 4, None]
    """
    if not 1 <= number <= 24:
        return None
    return max(0, (number - 5) // 4)


def rows(request: Any, source: str) -> Taken:
    """The records of a request as a part of `AppTraces`.

    A record has its own time, else the one at which it was observed, else that of its arrival.
    """
    taken = Taken()
    made: list[tuple[Any, ...]] = []
    records: list[Any] = []
    for of_resource in request.resource_logs:
        origin = values.resource_columns(of_resource.resource)
        for of_scope in of_resource.scope_logs:
            scope = values.scope_column(of_scope.scope)
            for record in of_scope.log_records:
                told = values.attributes_of(record.attributes)
                nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
                taken.timed &= nanoseconds > 0
                number = record.severity_number
                made.append(
                    (
                        values.micros(nanoseconds),
                        values.text_of(values.value_of(record.body)),
                        severity_level(number),
                        values.identifier(record.trace_id, 16),
                        values.identifier(record.span_id, 8),
                        values.first(told, "ai.operation.name"),
                        1,
                        values.bag(told),
                        *values.person_columns(told),
                        record.severity_text or None,
                        number or None,
                        record.event_name or None,
                        values.micros(record.observed_time_unix_nano),
                        *origin,
                        scope,
                    )
                )
                records.append(record)
    taken.add(TABLE, TYPES, made, records, source)
    return taken
