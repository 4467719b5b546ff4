"""Tables that exist by their schema alone: empty unless the workspace has them.

`query --stdio --schemas FILE` puts such tables behind those of the workspace, so that a query over
tables that were never filled still binds. Reads `{"Table": [["Column", "type"], …]}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from workbench.base.diagnostics import service as diagnostics
from workbench.base.dtypes import Column, Schema, parse_type
from workbench.base.terms import Terms
from workbench.query.backends.polars import TableScan, holding
from workbench.query.frames import surroundings_of
from workbench.query.run import Tables, empty_scan
from workbench.query.surroundings import NOWHERE


def read_schemas(path: str) -> dict[str, Schema]:
    """The schemas of a file.

    Raises
    ------
    WorkbenchError
        SRV011 when the file can't be read or has another form.
    """
    try:
        found = orjson.loads(Path(path).read_bytes())
    except OSError as broken:
        raise diagnostics.bad_schemas(path, broken.strerror or str(broken)) from None
    except orjson.JSONDecodeError as broken:
        raise diagnostics.bad_schemas(path, str(broken)) from None
    if not isinstance(found, dict):
        raise diagnostics.bad_schemas(path, "it holds no object")
    return {str(name): _schema(path, str(name), columns) for name, columns in found.items()}


def _schema(path: str, table: str, columns: Any) -> Schema:
    if not isinstance(columns, list):
        raise diagnostics.bad_schemas(path, f"{table} has no list of columns")
    schema = []
    for column in columns:
        if not (isinstance(column, list) and len(column) == 2 and all(isinstance(c, str) for c in column)):
            raise diagnostics.bad_schemas(path, f"a column of {table} is no pair of name and type")
        kind = parse_type(column[1])
        if kind is None:
            raise diagnostics.bad_schemas(path, f"{table}.{column[0]} has the unknown type {column[1]!r}")
        schema.append(Column(column[0], kind))
    return tuple(schema)


class SchemaTables:
    """The tables of `behind`, and those of `schemas` that it lacks, empty."""

    def __init__(self, schemas: Mapping[str, Schema], behind: Tables | None = None) -> None:
        self._schemas = dict(schemas)
        self._behind = behind
        self.surroundings = surroundings_of(behind) if behind is not None else NOWHERE

    def tables(self) -> list[str]:
        stored = self._behind.tables() if self._behind is not None else []
        return sorted({*stored, *self._schemas})

    def schema(self, table: str) -> Schema | None:
        stored = self._behind.schema(table) if self._behind is not None else None
        return stored if stored is not None else self._schemas.get(table)

    def scan(
        self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]
    ) -> TableScan:
        if self._behind is not None and self._behind.schema(table) is not None:
            return self._behind.scan(table, columns, time_range)
        return empty_scan(self._schemas[table], columns)

    def holding(self, terms: Terms) -> SchemaTables:
        """The same tables; those behind without files that can't hold `terms`."""
        return SchemaTables(self._schemas, holding(self._behind, terms) if self._behind else None)
