"""A query's result, or its error, as Kusto's REST API writes it: version 1 (tables) and version 2 (frames).

In goes a `Result` or a `WorkbenchError`; out come plain Python values that `wire.dump` writes. A result that was cut,
or a query that was stopped, is a partial failure: the rows are there, and the error stands where clients of Kusto look
for it. This module runs no query.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from workbench.base import clock
from workbench.base.dtypes import ScalarType, format_datetime
from workbench.base.errors import WorkbenchError
from workbench.query.operators.getschema import DOTNET
from workbench.query.result import Result
from workbench.server import wire

T = ScalarType
_PROPERTIES = (("TableId", T.INT), ("Key", T.STRING), ("Value", T.DYNAMIC))
_COMPLETION = (
    ("Timestamp", T.DATETIME), ("ClientRequestId", T.STRING), ("ActivityId", T.GUID), ("SubActivityId", T.GUID),
    ("ParentActivityId", T.GUID), ("Level", T.INT), ("LevelName", T.STRING), ("StatusCode", T.INT),
    ("StatusCodeName", T.STRING), ("EventType", T.INT), ("EventTypeName", T.STRING), ("Payload", T.STRING),
)  # fmt: skip
_STATUS = (
    ("Timestamp", T.DATETIME), ("Severity", T.INT), ("SeverityName", T.STRING), ("StatusCode", T.INT),
    ("StatusDescription", T.STRING), ("Count", T.INT), ("RequestId", T.GUID), ("ActivityId", T.GUID),
    ("SubActivityId", T.GUID), ("ClientActivityId", T.STRING),
)  # fmt: skip
_CONTENTS = (("Ordinal", T.LONG), ("Kind", T.STRING), ("Name", T.STRING), ("Id", T.STRING), ("PrettyName", T.STRING))  # fmt: skip
_INFORMATION, _ERROR = 4, 2
Columns = Sequence[tuple[str, ScalarType]]


def _shortfalls(result: Result) -> list[str]:
    """What is missing from the rows, in sentences; nothing where they are all there."""
    found = [f"the result was cut after {len(t):,} rows" for t in result.tables if t.truncated]
    return [*found, result.partial_note] if result.partial else found


def _render(result: Result) -> str:
    """The `render` operator as clients read it: a text of JSON."""
    return wire.dump(wire.render(result, capital=True)).decode()


def _columns(result: Result) -> Columns:
    return [(c.name, c.type) for c in result.schema]


# ---- version 2 ----------------------------------------------------------------------------------


def _frame(number: int, kind: str, name: str, columns: Columns, rows: list[Any]) -> dict[str, Any]:
    return {
        "FrameType": "DataTable",
        "TableId": number,
        "TableKind": kind,
        "TableName": name,
        "Columns": [{"ColumnName": n, "ColumnType": t.value} for n, t in columns],
        "Rows": rows,
    }


def frames(result: Result, request_id: str) -> list[dict[str, Any]]:
    """The answer of `/v2/rest/query`: header, properties, the tables, how it went, completion."""
    missing = _shortfalls(result)
    errors = [_one_api_error("LimitsExceeded", m, "E_QUERY_RESULT_SET_TOO_LARGE") for m in missing]
    found: list[dict[str, Any]] = [
        {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"},
        _frame(
            0, "QueryProperties", "@ExtendedProperties", _PROPERTIES, [[1, "Visualization", _render(result)]]
        ),
    ]
    for number, table in enumerate(result.tables, 1):
        name = (table.name if number > 1 else None) or "PrimaryResult"
        rows: list[Any] = wire.rows(table)
        if errors and number == len(result.tables):
            rows.append({"OneApiErrors": errors})
        found.append(_frame(number, "PrimaryResult", name, _columns(table), rows))
    activity, level = str(uuid.uuid4()), _ERROR if missing else _INFORMATION
    named = ("Error", "Failed") if missing else ("Info", "S_OK (0)")
    payload = wire.dump({"Count": 1, "Text": "; ".join(missing) or "Query completed successfully"}).decode()
    done = [format_datetime(clock.now_ticks()), request_id, activity, activity, activity, level, named[0], int(bool(missing)), named[1], 4, "QueryInfo", payload]  # fmt: skip
    used = wire.dump({"ExecutionTime": result.statistics.seconds, **wire.statistics(result)}).decode()
    took = [*done[:5], 6, "Stats", 0, "S_OK (0)", 0, "QueryResourceConsumption", used]
    last = len(result.tables) + 1
    found.append(
        _frame(last, "QueryCompletionInformation", "QueryCompletionInformation", _COMPLETION, [done, took])
    )
    completion: dict[str, Any] = {
        "FrameType": "DataSetCompletion",
        "HasErrors": bool(missing),
        "Cancelled": False,
    }
    if errors:
        completion["OneApiErrors"] = errors
    return [*found, completion]


# ---- version 1 ----------------------------------------------------------------------------------


def _table(number: int, columns: Columns, rows: list[Any]) -> dict[str, Any]:
    return {
        "TableName": f"Table_{number}",
        "Columns": [
            {"ColumnName": n, "DataType": DOTNET[t.value].removeprefix("System."), "ColumnType": t.value} for n, t in columns
        ],
        "Rows": rows,
    }  # fmt: skip


def tables(result: Result, request_id: str, *, command: bool = False) -> dict[str, Any]:
    """The answer of `/v1/rest/query`; of a command just the table itself."""
    missing = _shortfalls(result)
    kept = [_table(i, _columns(t), list(wire.rows(t))) for i, t in enumerate(result.tables)]
    if command and not missing:
        return {"Tables": kept}
    number, activity = len(kept), str(uuid.uuid4())
    properties = _table(number, [("Value", T.STRING)], [[_render(result)]])
    severity, name = (_ERROR, "Error") if missing else (_INFORMATION, "Info")
    sentence = "; ".join(missing) or "Query completed successfully"
    status = [format_datetime(clock.now_ticks()), severity, name, int(bool(missing)), sentence, 1, activity, activity, activity, request_id]  # fmt: skip
    names = [(t.name if i else None) or "PrimaryResult" for i, t in enumerate(result.tables)]
    kinds = [*(("QueryResult", n) for n in names), ("QueryProperties", "@ExtendedProperties"), ("QueryStatus", "QueryStatus")]  # fmt: skip
    contents = [[i, kind, n, str(uuid.uuid4()), ""] for i, (kind, n) in enumerate(kinds)]
    return {
        "Tables": [
            *kept, properties, _table(number + 1, _STATUS, [status]), _table(number + 2, _CONTENTS, contents),
        ]
    }  # fmt: skip


# ---- errors -------------------------------------------------------------------------------------

_KINDS = {"KQL0": "SyntaxException", "KQL3": "RequestExecutionException", "SRV0": "RequestExecutionException"}


def error(mistake: WorkbenchError) -> dict[str, Any]:
    """A user's mistake as Kusto spells one: our own error is `innererror`."""
    kind = _KINDS.get(mistake.code[:4], "SemanticException")
    code = (
        "General_BadRequest"
        if kind == "RequestExecutionException"
        else f"BadRequest_{kind.removesuffix('Exception')}Error"
    )
    found = _one_api_error(code, mistake.render(), f"Kusto.Data.Exceptions.{kind}")
    found["error"]["innererror"] = wire.error_value(mistake)
    return found


def _one_api_error(code: str, sentence: str, kind: str) -> dict[str, Any]:
    return {
        "error": {
            "code": code,
            "message": "Request is invalid and cannot be executed.",
            "@type": kind,
            "@message": sentence,
            "@context": {"timestamp": format_datetime(clock.now_ticks())},
            "@permanent": True,
        }
    }
