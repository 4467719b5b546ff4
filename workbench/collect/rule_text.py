"""Collection rules as text: data collection rules in JSON or YAML, read and checked; a mistake says where it is.

In goes a file or what JSON gives, out comes a `Rule`. The form is Azure's (`streamDeclarations`, `dataSources`,
`destinations`, `dataFlows`; a template's `properties` may be around them). Beyond it a rule may have::

    name: windows_events             # `rule create` of the same name changes the rule
    computers: ["web-*"]             # which agents its data sources are for; all without it
    streamDeclarations:
      Custom-WindowsEvents:
        mapping: windows_events      # in place of `columns`: a mapping (shipped by name, or written out)

A stream with a mapping has records of any fields; each data flow takes the rows that the mapping sends to the table
of its `outputStream`. Must not store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import yaml

from workbench.base.diagnostics import rules as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema, parse_type
from workbench.base.errors import WorkbenchError
from workbench.collect import mapping, rule_sources
from workbench.collect.mapping import RecordMapping
from workbench.collect.record import TIME
from workbench.collect.shaping import Mapped
from workbench.collect.transform import Transform

MOST_BYTES = 1 << 20
MOST_COLUMNS = 500
RESERVED = frozenset(
    {"type", "tenantid", "id", "uniqueid", "title", "resource", "resourceid", "resourcename", "resourcetype",
     "resourcegroup", "subscriptionid", "_resourceid", "_subscriptionid"}
)  # fmt: skip
"""Names, in lower case, that no column of a custom table can have."""
_FOLDER = "rules_shipped"
_DEEPEST = 50
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,44}")
_STREAM = re.compile(r"(?:Custom|Microsoft)-[A-Za-z][A-Za-z0-9_]{0,99}")
_AROUND = frozenset(
    {"$schema", "type", "apiVersion", "location", "kind", "tags", "id", "etag", "systemData", "identity", "properties",
     "name", "immutableId"}
)  # fmt: skip
_INSIDE = frozenset(
    {"name", "description", "computers", "streamDeclarations", "dataSources", "destinations", "dataFlows",
     "dataCollectionEndpointId", "immutableId", "provisioningState", "metadata", "endpoints", "version"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stream:
    """What comes in: columns that are declared, or a mapping that takes records of any fields.

    `mapped` is the mapping made ready for records: once, not with each post.
    """

    name: str
    columns: Schema = ()
    mapping: RecordMapping | None = None
    mapped: Mapped | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """From streams through a transform to a table."""

    streams: tuple[str, ...]
    transform: Transform
    table: str


@dataclass(frozen=True)
class Rule:
    """A rule that was checked; `content` is what it was made of, without what is around `properties`."""

    name: str
    streams: dict[str, Stream]
    flows: tuple[Flow, ...]
    computers: tuple[str, ...]
    content: dict[str, Any]

    def flows_of(self, stream: str) -> list[Flow]:
        return [flow for flow in self.flows if stream in flow.streams]


def shipped() -> list[str]:
    """The names of the rules that come with the program."""
    folder = resources.files("workbench.collect") / _FOLDER
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))


def load(name: str) -> dict[str, Any]:
    """What a rule file says, or a shipped rule by its name; a rule without a name gets the file's.

    Raises
    ------
    WorkbenchError
        RUL101 to RUL103, RUL117. Whether it is a good rule, `checked` says.

    Examples
    --------
    >>> load("windows_events")["name"]
    'windows_events'
    """
    if name in shipped():
        data = (resources.files("workbench.collect") / _FOLDER / f"{name}.yaml").read_bytes()
    else:
        try:
            data = Path(name).read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            raise diagnostics.no_such_file(name, shipped()) from None
        except OSError as e:
            raise diagnostics.not_readable(name, e.strerror or str(e)) from e
    found = read(data, name)
    inside = found.get("properties")
    if not found.get("name") and not (isinstance(inside, dict) and inside.get("name")):
        found["name"] = Path(name).stem
    return found


def read(data: bytes, name: str) -> dict[str, Any]:
    """The object that a text in JSON or YAML is; `name` is told in errors."""
    if len(data) > MOST_BYTES:
        raise diagnostics.too_large(len(data), MOST_BYTES)
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as broken:
        if data.lstrip()[:1] in (b"{", b"["):
            found = _yaml(data, name, str(broken))
        else:
            found = _yaml(data, name)
    if not isinstance(found, dict):
        raise diagnostics.bad_rule("top level", "settings are needed here")
    return found


def _yaml(data: bytes, name: str, why: str | None = None) -> Any:
    try:
        _refuse_bombs(data)
        found = yaml.load(data, Loader=_LOADER)
        # The rule is kept as JSON: what has no form there (dates, keys that are no text) becomes text.
        return orjson.loads(orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise diagnostics.not_yaml(name, why or " ".join(str(e).split())) from e


def _refuse_bombs(data: bytes) -> None:
    """YAML that stands for far more than it is: aliases of aliases, and nesting that no reader survives."""
    depth = 0
    for event in yaml.parse(data, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.events.AliasEvent):
            raise yaml.YAMLError(f"aliases are not taken (line {line})")
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"it is nested deeper than {_DEEPEST} levels (line {line})")


# ---- checks -----------------------------------------------------------------------------------


def checked(found: Any) -> Rule:
    """The rule that a JSON value is.

    Raises
    ------
    WorkbenchError
        RUL104 to RUL117 and what a transform has, with the place in the rule.

    Examples
    --------
    >>> rule = checked({
    ...     "streamDeclarations": {"Custom-App": {"columns": [{"name": "Level", "type": "string"}]}},
    ...     "destinations": {"logAnalytics": [{"name": "here"}]},
    ...     "dataFlows": [{"streams": ["Custom-App"], "destinations": ["here"], "outputStream": "Custom-App_CL"}],
    ... })
    >>> rule.flows[0].table
    'App_CL'
    """
    content = _inside(found)
    streams = {n: _stream(n, v) for n, v in _object(content, "streamDeclarations").items()}
    sources = rule_sources.check(content.get("dataSources") or {})
    known = set(streams)
    for stream, where in sources:
        if not _STREAM.fullmatch(stream):
            raise diagnostics.bad_stream_name(where, stream)
        known.add(stream)
    destinations = _destinations(_object(content, "destinations"))
    listed = content.get("dataFlows") or []
    if not isinstance(listed, list):
        raise diagnostics.bad_rule("dataFlows", "a list is needed here")
    flows = [_flow(f, f"dataFlows[{i}]", streams, known, destinations) for i, f in enumerate(listed)]
    taken = {stream for flow in flows for stream in flow.streams}
    for name in streams:
        if name not in taken:
            raise diagnostics.bad_rule(f"streamDeclarations.{name}", "no data flow takes this stream")
    if not flows and not sources:
        raise diagnostics.bad_rule("top level", "it has neither dataFlows nor dataSources")
    name = content.get("name", "")
    if not isinstance(name, str) or len(name) > 260:
        raise diagnostics.bad_rule("name", "a text of at most 260 characters is needed here")
    return Rule(name, streams, tuple(flows), _computers(content.get("computers")), content)


def _inside(found: Any) -> dict[str, Any]:
    """The settings of a rule, whether or not `properties` is around them."""
    if not isinstance(found, dict):
        raise diagnostics.bad_rule("top level", "settings are needed here")
    if "properties" not in found:
        _only(found, "top level", _INSIDE | _AROUND)
        return {k: v for k, v in found.items() if k in _INSIDE}
    _only(found, "top level", _AROUND)
    inside = found["properties"]
    if not isinstance(inside, dict):
        raise diagnostics.bad_rule("properties", "settings are needed here")
    _only(inside, "properties", _INSIDE)
    return {**({"name": found["name"]} if "name" in found else {}), **inside}


def _only(value: dict[str, Any], where: str, known: Iterable[str]) -> None:
    for key in value:
        if key not in known:
            raise diagnostics.unknown_key(where, str(key), known)


def _object(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key) or {}
    if not isinstance(found, dict):
        raise diagnostics.bad_rule(key, "settings by name are needed here")
    return found


def _computers(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise diagnostics.bad_rule(
            "computers", "a list of names is needed here; '*' stands for any characters"
        )
    return tuple(value)


def _stream(name: str, value: Any) -> Stream:
    where = f"streamDeclarations.{name}"
    if not _STREAM.fullmatch(name) or not name.startswith("Custom-"):
        raise diagnostics.bad_stream_name("streamDeclarations", name)
    if not isinstance(value, dict) or len({"columns", "mapping"} & set(value)) != 1:
        raise diagnostics.bad_rule(where, "it needs columns: [{name: …, type: …}], or a mapping")
    _only(value, where, ("columns", "mapping"))
    if "mapping" in value:
        found_mapping = _mapping(value["mapping"], f"{where}.mapping")
        return Stream(name, mapping=found_mapping, mapped=Mapped(found_mapping))
    columns = value["columns"]
    if not isinstance(columns, list) or not columns:
        raise diagnostics.bad_rule(f"{where}.columns", "a list of columns is needed here")
    if len(columns) > MOST_COLUMNS:
        raise diagnostics.bad_rule(f"{where}.columns", f"a stream has at most {MOST_COLUMNS} columns")
    found = [_column(c, f"{where}.columns[{i}]") for i, c in enumerate(columns)]
    names: set[str] = set()
    for i, column in enumerate(found):
        if column.name in names:
            raise diagnostics.bad_rule(
                f"{where}.columns[{i}]", f"the column {column.name!r} is declared twice"
            )
        names.add(column.name)
    return Stream(name, tuple(found))


def _column(value: Any, where: str) -> Column:
    if not isinstance(value, dict):
        raise diagnostics.bad_rule(where, "name and type are needed here")
    _only(value, where, ("name", "type", "description"))
    name, type_ = value.get("name"), value.get("type")
    if not isinstance(name, str) or not _COLUMN.fullmatch(name):
        raise diagnostics.bad_column_name(where, str(name))
    found = parse_type(type_) if isinstance(type_, str) else None
    if found is None or found is ScalarType.DECIMAL:
        types = [t.value for t in ScalarType if t is not ScalarType.DECIMAL]
        raise diagnostics.unknown_type(where, str(type_), types)
    if name == TIME and found is not ScalarType.DATETIME:
        raise diagnostics.bad_rule(where, "TimeGenerated is a datetime", "texts in ISO 8601 are read as such")
    return Column(name, found)


def _mapping(value: Any, where: str) -> RecordMapping:
    if isinstance(value, str) and value not in mapping.shipped():
        raise diagnostics.bad_mapping(where, f"no mapping named {value!r} is shipped")
    try:
        if isinstance(value, str):
            return mapping.load(value)
        return mapping.parse(orjson.dumps(value).decode(), "of the stream", "rule")
    except WorkbenchError as mistake:
        raise diagnostics.bad_mapping(where, mistake.message) from None


def _destinations(value: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for kind, listed in value.items():
        if kind != "logAnalytics":
            raise diagnostics.other_destination("destinations", kind)
        if not isinstance(listed, list):
            raise diagnostics.bad_rule("destinations.logAnalytics", "a list is needed here")
        for i, one in enumerate(listed):
            where = f"destinations.logAnalytics[{i}]"
            if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not one["name"]:
                raise diagnostics.bad_rule(where, "a name is needed here")
            _only(one, where, ("name", "workspaceResourceId", "workspaceId"))
            names.add(one["name"])
    return names


def _flow(
    value: Any, where: str, streams: dict[str, Stream], known: set[str], destinations: set[str]
) -> Flow:
    if not isinstance(value, dict):
        raise diagnostics.bad_rule(where, "settings are needed here")
    _only(value, where, ("streams", "destinations", "transformKql", "outputStream", "builtInTransform"))
    named = _names(value.get("streams"), f"{where}.streams")
    for stream in named:
        # A stream of the agent's own needs no declaration.
        if stream not in known and not (stream.startswith("Microsoft-") and _STREAM.fullmatch(stream)):
            raise diagnostics.unknown_stream(f"{where}.streams", stream, known)
    for destination in _names(value.get("destinations"), f"{where}.destinations"):
        if destination not in destinations:
            raise diagnostics.unknown_destination(f"{where}.destinations", destination, destinations)
    kql = value.get("transformKql", "")
    if not isinstance(kql, str):
        raise diagnostics.bad_rule(f"{where}.transformKql", "KQL is needed here")
    output = value.get("outputStream") or named[0]
    if not isinstance(output, str) or not _STREAM.fullmatch(output):
        raise diagnostics.bad_stream_name(f"{where}.outputStream", str(output))
    table = output.split("-", 1)[1]
    transform = _transform(kql, f"{where}.transformKql", [streams.get(n) for n in named], table)
    if transform.output is not None:
        _check_output(transform.output, f"{where}, column of {output}", output.startswith("Custom-"))
    return Flow(tuple(named), transform, table)


def _names(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise diagnostics.bad_rule(where, "a list of names is needed here")
    return list(dict.fromkeys(value))


def _transform(kql: str, where: str, streams: list[Stream | None], table: str) -> Transform:
    """The transform, bound over each of the streams that it is for."""
    made: Transform | None = None
    for stream in streams:
        schema: Schema | None = None
        if stream is not None and stream.mapping is not None:
            schema = _mapped(stream.mapping, table, where)
        elif stream is not None:
            schema = stream.columns
        try:
            one = Transform(kql, schema)
        except WorkbenchError as mistake:
            raise diagnostics.in_transform(where, mistake) from None
        made = made if made is not None and made.output is not None else one
    assert made is not None
    return made


def _mapped(found: RecordMapping, table: str, where: str) -> Schema | None:
    layouts = [rule.layout() for rule in found.tables if rule.table == table]
    if not layouts:
        tables = ", ".join(found.table_names())
        raise diagnostics.bad_mapping(where, f"the mapping has no table {table!r}, but {tables}")
    return (
        None if len(layouts) > 1 else tuple(Column(n, t or ScalarType.STRING) for n, t in layouts[0].items())
    )


def _check_output(columns: Schema, where: str, custom: bool) -> None:
    for column in columns:
        if column.name == TIME and column.type is not ScalarType.DATETIME:
            raise diagnostics.time_of_other_type(where, column.type.value)
        if not custom:
            continue  # the columns of a table that exists are its own
        if column.name.lower() in RESERVED:
            raise diagnostics.reserved_column(where, column.name)
        if not _COLUMN.fullmatch(column.name):
            raise diagnostics.bad_column_name(where, column.name)
