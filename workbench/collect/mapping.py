"""Mapping files: which table a record goes to, and which column takes which of its fields.

In goes YAML, out comes a `RecordMapping`; `shaping` applies it. The file::

    name: windows_events          # part of what "imported before" means; else the file's name
    format: jsonl                 # optional: the format where nobody names one
    tables:                       # a record goes to the first table whose `where` it meets
      - table: SecurityEvent
        where: {field: Channel, equals: [Security], ignore_case: true}
        columns:
          TimeGenerated: "@timestamp"                  # a field
          Computer: {first: [Hostname, Computer]}      # the first of these that the record has
          EventID: {field: EventID, type: int}         # of that KQL type
          EventLog: {field: Channel, keep: true}       # the field stays for `fields` and `rest`
          EventLevelName:
            first:
              - {field: Severity, values: {INFO: Information}}   # other values stay as they are
              - {field: Level, values: {"2": Error}, keep: true}
          Kind: {value: Windows}                       # the same for all
          IsRemote: {kql: "LogonType == 10", type: bool}   # KQL over the other columns of the table
          Size: {field: size, type: long, hidden: true}    # for `kql` only; the field stays
        fields:                   # fields that keep their name, with this type
          LogonType: int
        rest: EventData           # all other fields, as one dynamic column
      - table: Event              # no `where`: takes what is left

Without `rest` every other field becomes a column of its own; one whose name a column has already
becomes `NAME_raw`. A value that does not fit the type of its column goes to the column with the
suffix of its own type, as everywhere. A record that no table takes is quarantined. `where` may be
a list: all of its conditions have to hold. `{field: F, exists: true}` asks only for the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType, parse_type
from workbench.base.errors import WorkbenchError
from workbench.collect.record import TIME

_FOLDER = "mappings"


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field of a record as the value of a column.

    Attributes
    ----------
    values : mapping
        Text of a value → what is stored instead.
    keep : bool
        The field is not used up.
    """

    name: str
    values: Mapping[str, Any]
    keep: bool = False


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """Where a column's values come from: `fields` in order, a `constant`, or `kql`."""

    name: str
    type: ScalarType | None = None
    fields: tuple[FieldUse, ...] = ()
    constant: Any = None
    kql: str | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a field has one of some texts; without `equals`, whether the record has it."""

    field: str
    equals: frozenset[str] | None
    ignore_case: bool = False

    def holds(self, value: Any) -> bool:
        if value is None or self.equals is None:
            return value is not None
        text = value if isinstance(value, str) else str(value)
        return (text.lower() if self.ignore_case else text) in self.equals


@dataclass(frozen=True, slots=True)
class TableRule:
    """A target table."""

    table: str
    where: tuple[Condition, ...]
    columns: tuple[ColumnRule, ...]
    rest: str | None

    def layout(self) -> dict[str, ScalarType | None]:
        """The stored columns in order with their types, the dynamic rest last."""
        found = {c.name: c.type for c in self.columns if not c.hidden}
        return found | ({self.rest: ScalarType.DYNAMIC} if self.rest else {})


@dataclass(frozen=True)
class RecordMapping:
    """A mapping as it was read.

    Examples
    --------
    >>> load("windows_events").table_names()
    ['SecurityEvent', 'Event']
    """

    name: str
    tables: tuple[TableRule, ...]
    format: str | None = None

    def table_names(self) -> list[str]:
        """The target tables in order."""
        return list(dict.fromkeys(rule.table for rule in self.tables))

    def default_table(self) -> str:
        """The table named for a line that can't be read: the one that takes what is left."""
        return next((r.table for r in self.tables if not r.where), self.tables[-1].table)


@cache
def shipped() -> list[str]:
    """The names of the mappings that come with the program."""
    folder = resources.files("workbench.collect") / _FOLDER
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))


def load(name: str | Path) -> RecordMapping:
    """A shipped mapping by its name, or one from a file.

    Raises
    ------
    WorkbenchError
        IMP201 for an unknown name, IMP202 to IMP205 for a file that is no mapping.
    """
    path = str(name)
    if path in shipped():
        text = (resources.files("workbench.collect") / _FOLDER / f"{path}.yaml").read_text("utf-8")
        return parse(text, path, path)
    try:
        text = Path(path).read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise diagnostics.unknown_mapping(path, shipped()) from None
    except (OSError, UnicodeDecodeError) as e:
        raise diagnostics.not_readable(path, str(e)) from e
    return parse(text, path, Path(path).stem)


def parse(text: str, path: str, name: str) -> RecordMapping:
    """The mapping of a YAML text; `path` is told in errors, `name` is used where it states none.

    Examples
    --------
    >>> mapping = parse("tables: [{table: App, columns: {Level: severity}}]", "app.yaml", "app")
    >>> mapping.tables[0].columns[0].fields[0].name
    'severity'
    """
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as e:
        raise diagnostics.not_yaml(path, " ".join(str(e).split())) from e
    return _Parser(path).mapping(content, name)


class _Parser:
    """Checks and turns what YAML gave; `where` says which part is being looked at."""

    def __init__(self, path: str) -> None:
        self.path = path

    def bad(self, where: str, why: str, hint: str | None = None) -> WorkbenchError:
        return diagnostics.bad_mapping(self.path, where, why, hint)

    def settings(self, value: Any, where: str, known: Iterable[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.bad(where, "settings are needed here, such as 'table: App'")
        for key in value:
            if key not in known:
                raise diagnostics.unknown_key(self.path, where, str(key), known)
        return value

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.bad(where, f"a name is needed here, not {value!r}")
        return value

    def flag(self, value: Any, where: str) -> bool:
        if not isinstance(value, bool):
            raise self.bad(where, f"true or false is needed here, not {value!r}")
        return value

    def type(self, value: Any, where: str) -> ScalarType:
        found = parse_type(value) if isinstance(value, str) else None
        if found is None:
            raise diagnostics.unknown_type(self.path, where, str(value), [t.value for t in ScalarType])
        return found

    def mapping(self, value: Any, name: str) -> RecordMapping:
        top = self.settings(value, "top level", ("name", "description", "format", "tables"))
        tables = top.get("tables")
        if not isinstance(tables, list) or not tables:
            raise self.bad("top level", "it has no list of tables", "tables: [{table: App, columns: {…}}]")
        return RecordMapping(
            name=self.text(top.get("name", name), "name"),
            tables=tuple(self.table(t, f"table {i}") for i, t in enumerate(tables, 1)),
            format=self.text(top["format"], "format") if "format" in top else None,
        )

    def table(self, value: Any, where: str) -> TableRule:
        known = ("table", "where", "columns", "fields", "rest")
        settings = self.settings(value, where, known)
        table = self.text(settings.get("table"), f"{where}, table")
        where = f"table {table}"
        conditions = settings.get("where", [])
        if isinstance(conditions, dict):
            conditions = [conditions]
        columns = settings.get("columns") or {}
        fields = settings.get("fields") or {}
        if not isinstance(columns, dict) or not isinstance(fields, dict) or not isinstance(conditions, list):
            raise self.bad(where, "columns and fields are settings by name, where is one condition or a list")
        rules = [self.column(n, c, f"{where}, column {n}") for n, c in columns.items()]
        taken = {rule.name for rule in rules}
        for name, type_ in fields.items():
            if name in taken:
                raise self.bad(where, f"{name!r} is under columns and under fields")
            kept_type = self.type(type_, f"{where}, field {name}")
            rules.append(ColumnRule(self.text(name, where), kept_type, (FieldUse(name, {}),)))
        rest = settings.get("rest")
        if rest is not None and any(rule.name == rest for rule in rules):
            raise self.bad(where, f"{rest!r} is a column and the rest")
        return TableRule(
            table=table,
            where=tuple(self.condition(c, f"{where}, where") for c in conditions),
            columns=tuple(rules),
            rest=None if rest is None else self.text(rest, f"{where}, rest"),
        )

    def condition(self, value: Any, where: str) -> Condition:
        settings = self.settings(value, where, ("field", "equals", "exists", "ignore_case"))
        field = self.text(settings.get("field"), f"{where}, field")
        ignore_case = self.flag(settings.get("ignore_case", False), where)
        if ("equals" in settings) == ("exists" in settings):
            raise self.bad(where, "it needs 'equals' or 'exists: true'")
        if "exists" in settings:
            if not self.flag(settings["exists"], where):
                raise self.bad(where, "exists can only be true", "put the other table first")
            return Condition(field, None)
        equals = settings["equals"] if isinstance(settings["equals"], list) else [settings["equals"]]
        texts = (_text_of(v) for v in equals)
        return Condition(field, frozenset(t.lower() if ignore_case else t for t in texts), ignore_case)

    def column(self, name: Any, value: Any, where: str) -> ColumnRule:
        name = self.text(name, where)
        time = ScalarType.DATETIME if name == TIME else None
        if isinstance(value, str):
            return ColumnRule(name, time, (FieldUse(value, {}),))
        known = ("field", "first", "value", "kql", "type", "values", "keep", "hidden")
        settings = self.settings(value, where, known)
        kinds = [k for k in ("field", "first", "value", "kql") if k in settings]
        if len(kinds) != 1:
            raise self.bad(where, "it needs exactly one of field, first, value and kql")
        hidden = self.flag(settings.get("hidden", False), where)
        fields: tuple[FieldUse, ...] = ()
        if kinds == ["field"]:
            part = {k: settings[k] for k in ("field", "values", "keep") if k in settings}
            fields = (self.use(part, where),)
        elif kinds == ["first"]:
            fields = self.uses(settings["first"], where)
        return ColumnRule(
            name=name,
            type=self.type(settings["type"], where) if "type" in settings else time,
            hidden=hidden,
            fields=tuple(replace(use, keep=True) for use in fields) if hidden else fields,
            constant=settings.get("value"),
            kql=self.text(settings["kql"], where) if "kql" in settings else None,
        )

    def uses(self, value: Any, where: str) -> tuple[FieldUse, ...]:
        if not isinstance(value, list) or not value:
            raise self.bad(where, "first needs a list of fields")
        return tuple(self.use(v, where) for v in value)

    def use(self, value: Any, where: str) -> FieldUse:
        if isinstance(value, str):
            return FieldUse(value, {})
        settings = self.settings(value, where, ("field", "values", "keep"))
        values = settings.get("values") or {}
        if not isinstance(values, dict):
            raise self.bad(where, "values is a table: what the field says → what is stored")
        return FieldUse(
            self.text(settings.get("field"), f"{where}, field"),
            {_text_of(k): v for k, v in values.items()},
            self.flag(settings.get("keep", False), where),
        )


def _text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
