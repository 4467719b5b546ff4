"""Messages about collection rules: `RUL1xx` the text of a rule, `RUL2xx` its transforms, `RUL3xx` a post to a stream."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import nearest


def _near(name: str, known: Iterable[str], kind: str) -> str | None:
    names = sorted(known)
    near = nearest(name, names, 2)
    parts = [f"did you mean {' or '.join(repr(n) for n in near)}?"] if near else []
    if names:
        parts.append(f"{kind}: {', '.join(names)}")
    return " ".join(parts) or None


def _cut(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


# ---- the text of a rule ----------------------------------------------------------------------


def no_such_file(name: str, shipped: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL101",
        f"there is no rule {name!r}, neither as a file nor shipped",
        hint=_near(name, shipped, "shipped"),
    )


def not_readable(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("RUL102", f"the rule {name!r} can't be read: {why}")


def not_yaml(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("RUL103", f"the rule {name!r} is neither JSON nor YAML: {why}")


def bad_rule(where: str, why: str, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("RUL104", f"the rule, {where}: {why}", hint=hint)


def unknown_key(where: str, key: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL105", f"the rule, {where}: no setting named {_cut(key)!r}", hint=_near(key, known, "settings")
    )


def bad_column_name(where: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL106",
        f"the rule, {where}: {_cut(name)!r} can't be the name of a column",
        hint="a letter, then letters, digits, '_' and '-', 45 characters at most",
    )


def reserved_column(where: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL107",
        f"the rule, {where}: the column name {name!r} is reserved",
        hint=f"rename it in transformKql: source | project-rename {name}Value = {name}",
    )


def unknown_type(where: str, name: str, types: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL108", f"the rule, {where}: no type named {_cut(name)!r}", hint=_near(name, types, "types")
    )


def unknown_stream(where: str, name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL109",
        f"the rule, {where}: the stream {_cut(name)!r} is neither declared nor named by a data source",
        hint=_near(name, known, "streams"),
    )


def unknown_destination(where: str, name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL110",
        f"the rule, {where}: there is no destination {_cut(name)!r}",
        hint=_near(name, known, "destinations"),
    )


def bad_stream_name(where: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL111",
        f"the rule, {where}: {_cut(name)!r} can't be the name of a stream",
        hint="Custom- or Microsoft- and the name of a table, such as Custom-App_CL",
    )


def carries_command_line(where: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL112",
        f"the rule, {where}: {_cut(name)!r} is no name of a command",
        hint="a rule names files of the machine's own commands.d; it never carries a command line",
    )


def unknown_source(where: str, name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL113",
        f"the rule, {where}: no data source named {_cut(name)!r}",
        hint=_near(name, known, "data sources"),
    )


def other_destination(where: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL114",
        f"the rule, {where}: records can't go to {_cut(name)!r} from here",
        hint="destinations: {logAnalytics: [{name: workspace}]} is this workspace",
    )


def bad_mapping(where: str, why: str) -> WorkbenchError:
    return WorkbenchError("RUL115", f"the rule, {where}: {why}")


def no_such_rule(name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL116", f"there is no collection rule {_cut(name)!r}", hint=_near(name, known, "rules")
    )


def too_large(size: int, limit: int) -> WorkbenchError:
    return WorkbenchError("RUL117", f"the rule has {size:,} bytes, the most is {limit:,}")


# ---- a transform -----------------------------------------------------------------------------


def in_transform(where: str, error: WorkbenchError) -> WorkbenchError:
    """An error of KQL, told where in the rule its text stands; the caret stays."""
    return WorkbenchError(
        error.code, f"the rule, {where}: {error.message}", error.span, error.text, error.hint
    )


def operator_over_records(name: str, span: Span, allowed: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL201",
        f"{name!r} can't stand in a transform, which sees one record at a time",
        span,
        hint=f"operators of a transform: {', '.join(sorted(allowed))}",
    )


def function_over_records(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "RUL202", f"{name}() can't stand in a transform, which sees one record at a time", span
    )


def not_from_source(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "RUL203", "a transform reads the records of its stream, once", span, hint="begin with: source | …"
    )


def time_of_other_type(where: str, found: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL204",
        f"the rule, {where}: TimeGenerated is a {found} after the transform",
        hint="source | extend TimeGenerated = todatetime(…)",
    )


def one_statement(span: Span) -> WorkbenchError:
    return WorkbenchError("RUL205", "a transform is one query that gives one table", span)


def failed(why: str) -> WorkbenchError:
    return WorkbenchError("RUL206", f"the transform failed on this record: {why}")


# ---- a post to a stream ----------------------------------------------------------------------


def unknown_rule(name: str) -> WorkbenchError:
    return WorkbenchError("RUL301", f"Data collection rule with immutable Id '{_cut(name)}' not found")


def stream_not_in_rule(name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "RUL302",
        f"the rule declares no stream {_cut(name)!r}",
        hint=_near(name, known, "streams"),
    )


def bad_version(found: str, known: Iterable[str]) -> WorkbenchError:
    said = f"the api-version {_cut(found)!r} is not known" if found else "the request has no api-version"
    return WorkbenchError("RUL303", said, hint=f"one of: {', '.join(known)}")


def post_not_json(why: str) -> WorkbenchError:
    return WorkbenchError("RUL304", f"the body is no JSON: {why}")


def post_no_array(found: str) -> WorkbenchError:
    return WorkbenchError("RUL305", f"the body is {found}, and has to be a JSON array of objects")


def post_empty() -> WorkbenchError:
    return WorkbenchError("RUL306", "the array of records is empty")


def too_many_posts(name: str, limit: str) -> WorkbenchError:
    return WorkbenchError("RUL307", f"the rule {name} takes {limit} a minute at most")


def post_no_utf8(place: int) -> WorkbenchError:
    return WorkbenchError("RUL308", f"the body is no UTF-8: byte {place} does not fit")


def post_too_long(limit: int) -> WorkbenchError:
    return WorkbenchError(
        "RUL309", f"the records have more than {limit:,} bytes", hint="send fewer records in a request"
    )


def record_too_deep() -> WorkbenchError:
    return WorkbenchError("RUL310", "the record is nested deeper than can be read")


def number_too_large() -> WorkbenchError:
    return WorkbenchError("RUL311", "the record has a number that is larger than a double can be")


# ---- told in Operation -----------------------------------------------------------------------


def values_cut(column: str, limit: int) -> WorkbenchError:
    return WorkbenchError("RUL401", f"values of {_cut(column)!r} were cut to {limit:,} bytes")


def fields_left_out(stream: str, names: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL402", f"fields that the stream {stream!r} does not declare were left out: {names}"
    )


def digits_lost(column: str) -> WorkbenchError:
    return WorkbenchError(
        "RUL403", f"whole numbers of {_cut(column)!r} are beyond 64 bits and were rounded to a double"
    )
