"""Carries out commands and gives their answers as results, with the columns that Kusto documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from workbench.base.diagnostics import statements as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.base.errors import Span, WorkbenchError
from workbench.query.commands import reading, validating
from workbench.query.frames import FrameTables, Tables, stored_type, surroundings_of
from workbench.query.operators.getschema import DOTNET
from workbench.query.result import Result
from workbench.query.run import run
from workbench.repository.functions import StoredFunction

T = ScalarType


class Keeper(Protocol):
    """Keeps the stored functions; see `repository.functions.Functions`."""

    def all(self) -> list[StoredFunction]: ...
    def find(self, name: str) -> StoredFunction | None: ...
    def put(self, function: StoredFunction) -> StoredFunction: ...
    def remove(self, name: str) -> bool: ...


def _columns(text: str) -> Schema:
    """`Name, Rows:long` → a schema; a column without a type is a string."""
    pairs = (part.strip().split(":") for part in text.split(","))
    return tuple(Column(p[0], T(p[1]) if len(p) > 1 else T.STRING) for p in pairs)


_FUNCTION = _columns("Name, Parameters, Body, Folder, DocString")
_TABLES = _columns("TableName, DatabaseName, Folder, DocString")
_DETAILS = _TABLES + _columns(
    "TotalExtents:long, TotalExtentSize:real, TotalOriginalSize:real, TotalRowCount:long, HotExtents:long,"
    "HotExtentSize:real, HotOriginalSize:real, HotRowCount:long, AuthorizedPrincipals, RetentionPolicy,"
    "CachingPolicy, ShardingPolicy, MergePolicy, StreamingIngestionPolicy, IngestionBatchingPolicy,"
    "MinExtentsCreationTime:datetime, MaxExtentsCreationTime:datetime, RowOrderPolicy, TableId:guid"
)
_TABLE_SCHEMA = _columns("TableName, Schema, DatabaseName, Folder, DocString")
_DATABASE_SCHEMA = _columns(
    "DatabaseName, TableName, ColumnName, ColumnType, IsDefaultTable:bool, IsDefaultColumn:bool, PrettyName,"
    "Version, Folder, DocString"
)
_DATABASES = _columns(
    "DatabaseName, PersistentStorage, Version, IsCurrent:bool, DatabaseAccessMode, PrettyName,"
    "ReservedSlot1:bool, DatabaseId:guid, InTransitionTo"
)
_VERSION = _columns("BuildVersion, BuildTime:datetime, ServiceType, ProductVersion")


_STORING = (reading.PutFunction, reading.AlterFunction, reading.DropFunctions)


def ask(text: str, source: Tables, keeper: Keeper | None, *, limit: int | None = None, may_store: bool = True) -> Result:  # fmt: skip
    """Carry out a command.

    Parameters
    ----------
    text : str
        Begins with a dot (`is_command`); a `.show` may go on behind a pipe, as a query of its answer.
    source : Tables
        Where the tables lie, and what is around them.
    keeper : Keeper, optional
        Where functions are kept; without one nothing can be stored.
    limit : int, optional
        Most rows of a piped answer; see `query.run.run`.
    may_store : bool
        Whether whoever asks may change what is kept (else KQL418).

    Raises
    ------
    WorkbenchError
        KQL…, REP… with the place in `text`.
    """
    found = reading.read(text)
    if not may_store and isinstance(found.command, _STORING):
        raise diagnostics.may_not_store(Span(0, found.ends)).within(text)
    try:
        schema, rows = _answer(found.command, text, source, keeper)
    except WorkbenchError as error:
        raise error.within(text) from None
    frame = pl.DataFrame(list(rows), schema={c.name: stored_type(c.type) for c in schema}, orient="row")
    if not found.piped:
        return Result(frame, schema, query=text)
    name = "_".ljust(found.ends)  # as long as the command: places in the query stay what they are
    try:
        piped = run(name + text[found.ends :], FrameTables({"_": (frame, schema)}, source), limit=limit)
    except WorkbenchError as error:
        error.text = text
        raise
    piped.query = text
    return piped


def no_plan(text: str) -> WorkbenchError:
    """What `--explain` says of a command."""
    return diagnostics.command_no_plan(Span(0, len(text))).within(text)


def _answer(command: reading.Command, text: str, source: Tables, keeper: Keeper | None) -> tuple[Schema, Iterable[Sequence[Any]]]:  # fmt: skip
    if isinstance(command, reading.ShowTables):
        return _show_tables(command, source)
    if isinstance(command, reading.ShowTableSchema):
        schema = _schema(source, command.table)
        shown = _json_schema(command.table.name, schema) if command.as_json else _csl_schema(schema)
        return _TABLE_SCHEMA, [(command.table.name, shown, _database(source), "", "")]
    if isinstance(command, reading.ShowSchema):
        return _show_schema(command, source, keeper)
    if isinstance(command, reading.ShowDatabases):
        names = surroundings_of(source).names
        identity, path = (names[1], names[2]) if len(names) > 2 else (None, "")
        return _DATABASES, [(_database(source), path, "v1.0", True, "ReadWrite", "", None, identity, "")]
    if isinstance(command, reading.ShowVersion):
        from importlib.metadata import version

        number = version("workbench")
        return _VERSION, [(number, None, "Workbench", number)]
    return _functions(command, text, source, keeper)


# ---- tables -----------------------------------------------------------------------------------


def _database(source: Tables) -> str:
    names = surroundings_of(source).names
    return names[0] if names else "workspace"


def _schema(source: Tables, table: reading.Named) -> Schema:
    schema = source.schema(table.name)
    if schema is None:
        from workbench.base.diagnostics import query

        raise query.unknown_table(table.name, table.span, source.tables())
    return tuple(c for c in schema if not c.hidden)


def _show_tables(command: reading.ShowTables, source: Tables) -> tuple[Schema, list[tuple[Any, ...]]]:
    for table in command.tables:
        _schema(source, table)
    names = sorted({t.name for t in command.tables} or source.tables())
    database = _database(source)
    if not command.details:
        return _TABLES, [(name, database, "", "") for name in names]
    rows: list[tuple[Any, ...]] = []
    for name in names:
        facts = surroundings_of(source).facts(name)
        known = (facts.files, float(facts.bytes), None, facts.rows) if facts else (None,) * 4
        days = facts.retention_days if facts else None
        retention = "" if days is None else json.dumps({"SoftDeletePeriod": f"{days}.00:00:00"})
        rows.append((name, database, "", "", *known, *known, "", retention, *[""] * 5, None, None, "", None))
    return _DETAILS, rows


def _csl_schema(schema: Schema) -> str:
    return ",".join(f"{_bracketed(c.name)}:{c.type.value}" for c in schema)


def _bracketed(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f"['{_escaped(name)}']"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def _ordered(schema: Schema) -> list[dict[str, str]]:
    return [{"Name": c.name, "Type": DOTNET[c.type.value], "CslType": c.type.value} for c in schema]


def _json_schema(table: str, schema: Schema) -> str:
    return json.dumps({"Name": table, "OrderedColumns": _ordered(schema)}, ensure_ascii=False)


def _show_schema(command: reading.ShowSchema, source: Tables, keeper: Keeper | None) -> tuple[Schema, list[tuple[Any, ...]]]:  # fmt: skip
    names = surroundings_of(source).names
    database = command.database
    if database is not None and names and database.name.casefold() not in {n.casefold() for n in names}:
        raise diagnostics.elsewhere(f"the database {database.name!r}", names, database.span)
    name = _database(source)
    tables = {t: _schema(source, reading.Named(t, Span(0, 0))) for t in source.tables()}
    functions = keeper.all() if keeper is not None else []
    if command.form == "json":
        return _columns("DatabaseSchema"), [(_database_json(name, tables, functions),)]
    if command.form == "csl":
        lines = [f".create-merge table {_bracketed(t)} ({_csl_schema(s)})" for t, s in tables.items()]
        lines += [
            f".create-or-alter function {_bracketed(f.name)} {f.parameters} {f.body}" for f in functions
        ]
        return _columns("DatabaseSchemaScript"), [(line,) for line in lines]
    rows: list[tuple[Any, ...]] = [(name, "", "", "", False, False, "", "v1.0", "", "")]
    for table, schema in tables.items():
        rows.append((name, table, "", "", True, False, "", "", "", ""))
        rows += [(name, table, c.name, DOTNET[c.type.value], True, False, "", "", "", "") for c in schema]
    return _DATABASE_SCHEMA, rows


def _database_json(name: str, tables: Mapping[str, Schema], functions: Sequence[StoredFunction]) -> str:
    described = {
        "Name": name,
        "Tables": {t: {"Name": t, "OrderedColumns": _ordered(s)} for t, s in tables.items()},
        "MajorVersion": 1,
        "MinorVersion": 0,
        "Functions": {
            f.name: {
                "Name": f.name, "Parameters": f.parameters, "Body": f.body, "Folder": f.folder,
                "DocString": f.docstring,
            }
            for f in functions
        },
    }  # fmt: skip
    return json.dumps({"Databases": {name: described}}, ensure_ascii=False)


# ---- functions --------------------------------------------------------------------------------


def _functions(command: reading.Command, text: str, source: Tables, keeper: Keeper | None) -> tuple[Schema, list[tuple[Any, ...]]]:  # fmt: skip
    if isinstance(command, reading.ShowFunctions):
        functions = keeper.all() if keeper is not None else []
        if command.function is None:
            return _FUNCTION, [_row(f) for f in functions]
        return _FUNCTION, [_row(_found(command.function, keeper))]
    if keeper is None:
        raise diagnostics.no_place_for_commands(Span(0, len(text)))
    if isinstance(command, reading.PutFunction):
        return _FUNCTION, [_row(_put(command, text, source, keeper))]
    if isinstance(command, reading.AlterFunction):
        old = _found(command.function, keeper)
        return _FUNCTION, [_row(keeper.put(_changed(old, {command.what: command.value})))]
    assert isinstance(command, reading.DropFunctions)
    if not command.if_exists:
        for function in command.functions:
            _found(function, keeper)
    removed = [f.name for f in command.functions if keeper.remove(f.name)]
    if command.several:
        return _FUNCTION, [_row(f) for f in keeper.all()]
    return _columns("Name"), [(name,) for name in removed]


def _row(function: StoredFunction) -> tuple[str, ...]:
    return function.name, function.parameters, function.body, function.folder, function.docstring


def _found(function: reading.Named, keeper: Keeper | None) -> StoredFunction:
    found = keeper.find(function.name) if keeper is not None else None
    if found is None:
        known = [f.name for f in keeper.all()] if keeper is not None else []
        raise diagnostics.no_function(function.name, function.span, known)
    return found


def _changed(function: StoredFunction, properties: Mapping[str, str | bool]) -> StoredFunction:
    from dataclasses import replace

    known = {k: v for k, v in properties.items() if k in ("docstring", "folder", "view")}
    return replace(function, **known)  # type: ignore[arg-type]


def _put(command: reading.PutFunction, text: str, source: Tables, keeper: Keeper) -> StoredFunction:
    name = command.function
    old = keeper.find(name.name)
    if command.how == "create" and old is not None:
        if command.if_not_exists:
            return old
        raise diagnostics.function_exists(name.name, name.span)
    if command.how == "alter" and old is None:
        _found(name, keeper)
    kind = validating.kind_of_builtin(name.name)
    if kind is not None:
        raise diagnostics.name_of_the_language(name.name, kind, name.span)
    if not command.properties.get("skipvalidation"):
        validating.validate(name.name, command.body, text, source)
    new = StoredFunction(name.name, command.parameters, command.text)
    if old is not None:
        # What an alter does not name stays, as in Kusto.
        new = _changed(new, {"folder": old.folder, "docstring": old.docstring, "view": old.view})
    return keeper.put(_changed(new, command.properties))
