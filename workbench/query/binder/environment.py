"""Functions about where a query runs and what its rows are made of: user, database, cursors, sizes.

All are decided at binding. The user is the one whose process answers: a service answers as itself.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import MIN_DATETIME_TICKS, ScalarType
from workbench.query import syntax
from workbench.query.binder.inside import Inside
from workbench.query.plan import Col, Const, Expr, Rel

T = ScalarType
DATABASE = "workspace"
ENDPOINT = "localhost"
"""What the one database and the one cluster are called; `database()` and `cluster()` take any name."""
_BYTES = {T.BOOL: 1, T.INT: 4, T.LONG: 8, T.REAL: 8, T.DATETIME: 8, T.TIMESPAN: 8, T.GUID: 16, T.DECIMAL: 16}


def _none(node: syntax.Call) -> None:
    if node.arguments:
        raise diagnostics.wrong_count(node.name, "no argument", len(node.arguments), node.span)


def _one(node: syntax.Call) -> syntax.Expression:
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count(node.name, "1 argument", len(node.arguments), node.span)
    return node.arguments[0]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return str(os.getuid())


def _principal() -> str:
    return f"localuser={_user()}"


def _current_principal(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    _none(node)
    return Const(T.STRING, _principal(), node.span)


def _current_principal_details(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    _none(node)
    name = _user()
    details = {
        "UserPrincipalName": name, "IdentityProvider": "local", "Type": "LocalUser", "DisplayName": name,
        "ObjectId": name, "FQN": _principal(),
    }  # fmt: skip
    return Const(T.DYNAMIC, details, node.span)


def _current_principal_is_member_of(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """Whether one of the names, or of an array of names, is the user's own."""
    if not node.arguments:
        raise diagnostics.wrong_count(node.name, "1 or more arguments", 0, node.span)
    names: list[object] = []
    for argument in node.arguments:
        value = b.constant(argument, f"the group in {node.name}()")
        names += value if isinstance(value, list) else [value]
    return Const(T.BOOL, _principal() in names, node.span)


def _current_database(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    _none(node)
    names = b.hooks.surroundings.names
    return Const(T.STRING, names[0] if names else DATABASE, node.span)


def _current_cluster_endpoint(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    _none(node)
    return Const(T.STRING, ENDPOINT, node.span)


# ---- cursors: a moment of ingestion, as the text of its ticks since the year 1 ----------------


def ingestion_time(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """When the record came in; null for rows that came in from nowhere."""
    _none(node)
    column = row.column("_TimeReceived")
    return Col(T.DATETIME, column.name, node.span) if column else Const(T.DATETIME, None, node.span)


def _cursor_current(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    _none(node)
    return Const(T.STRING, str(b.now - MIN_DATETIME_TICKS), node.span)


def _cursor_after(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    return _against(b, node, row, ">")


def _cursor_before_or_at(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    return _against(b, node, row, "<=")


def _against(b: Inside, node: syntax.Call, row: Rel, operator: str) -> Expr:
    """The comparison of a record's ingestion with a cursor; the empty one lies before all records."""
    argument = _one(node)
    text = b.constant(argument, f"the cursor of {node.name}()", T.STRING)
    if text and not text.isdigit():
        raise diagnostics.bad_argument(node.name, f"{text!r} is no cursor, take one from cursor_current()", argument.span)  # fmt: skip
    moment = Const(T.DATETIME, (int(text) if text else 0) + MIN_DATETIME_TICKS, argument.span)
    ingested = ingestion_time(b, syntax.Call(node.span, "ingestion_time", (), node.span), row)
    return b.call(operator, ingested, moment, span=node.span)


# ---- columns ----------------------------------------------------------------------------------


def _iscolumnexists(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    name = b.constant(_one(node), f"the name in {node.name}()", T.STRING)
    return Const(T.BOOL, row.column(name) is not None, node.span)


def _estimate_data_size(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """Bytes of columns: numbers and times by type, texts by their UTF-8, dynamic by its JSON."""
    if not node.arguments:
        raise diagnostics.wrong_count(node.name, "1 or more arguments", 0, node.span)
    columns: list[Expr] = []
    for argument in node.arguments:
        if isinstance(argument, syntax.Star):
            columns += [Col(c.type, c.name) for c in row.schema if not c.hidden]
            continue
        column = b.expr(argument, row)
        if not isinstance(column, Col):
            raise diagnostics.expected("a column", "an expression", argument.span)
        columns.append(column)
    size: Expr = Const(T.LONG, sum(_BYTES.get(c.type, 0) for c in columns), node.span)
    for column in columns:
        if column.type not in _BYTES:
            text = b.call("string_size", b.convert(column, T.STRING), span=node.span)
            size = b.call("+", size, text, span=node.span)
    return size


FORMS: dict[str, Callable[[Inside, syntax.Call, Rel], Expr]] = {
    "current_principal": _current_principal,
    "current_principal_details": _current_principal_details,
    "current_principal_is_member_of": _current_principal_is_member_of,
    "current_database": _current_database,
    "current_cluster_endpoint": _current_cluster_endpoint,
    "ingestion_time": ingestion_time,
    "cursor_current": _cursor_current,
    "current_cursor": _cursor_current,
    "cursor_after": _cursor_after,
    "cursor_before_or_at": _cursor_before_or_at,
    "iscolumnexists": _iscolumnexists,
    "estimate_data_size": _estimate_data_size,
}
