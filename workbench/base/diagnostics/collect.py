"""Messages about import and intake: `IMP0xx` the source, `IMP1xx` one record, `IMP2xx` a mapping.

The messages of `IMP1xx` are not raised at the user: they are the reason and code of a row in
`_Quarantine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def _near(name: str, known: Sequence[str], kind: str) -> str | None:
    near = nearest(name, known, 2)
    parts = [f"did you mean {' or '.join(repr(n) for n in near)}?"] if near else []
    if known:
        parts.append(f"{kind}: {', '.join(known)}")
    return " ".join(parts) or None


def _cut(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


# ---- the source -----------------------------------------------------------------------------


def no_such_file(path: str) -> WorkbenchError:
    return WorkbenchError("IMP001", f"there is no file {path!r}", hint="'-' reads standard input")


def is_folder(path: str) -> WorkbenchError:
    return WorkbenchError("IMP002", f"{path!r} is a folder", hint="name the files in it")


def not_readable(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("IMP003", f"{path!r} can't be read: {why}")


def unknown_content(path: str, formats: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "IMP004",
        f"what {path!r} holds can't be told from its name or its first lines",
        hint=f"say it with --format: {', '.join(formats)}",
    )


def unknown_format(name: str, formats: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("IMP005", f"no format named {name!r}", hint=_near(name, formats, "formats"))


def needs_target(form: str) -> WorkbenchError:
    return WorkbenchError(
        "IMP006",
        f"records in the format {form} have no table of their own",
        hint="name the table with --table, or a mapping with --map",
    )


def two_targets() -> WorkbenchError:
    return WorkbenchError("IMP007", "a table and a mapping are given: one of them has to go")


def damaged(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "IMP008",
        f"{path!r} is damaged: {why}",
        hint="what could be read of it was stored",
    )


def not_parquet(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("IMP009", f"{path!r} can't be read as Parquet: {why}")


def json_document(path: str) -> WorkbenchError:
    return WorkbenchError(
        "IMP010",
        f"{path!r} is one JSON array, not one JSON object a line",
        hint=f"turn it into lines first: jq -c '.[]' {path}",
    )


def bad_header(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("IMP011", f"the header of {path!r} can't be used: {why}")


# ---- one record: reasons in _Quarantine ------------------------------------------------------


def not_json(why: str) -> WorkbenchError:
    return WorkbenchError("IMP101", f"the line is no JSON: {why}")


def not_utf8(place: int) -> WorkbenchError:
    return WorkbenchError("IMP102", f"the line is no UTF-8: byte {place} of it does not fit")


def not_an_object(found: str) -> WorkbenchError:
    return WorkbenchError("IMP103", f"the line holds {found}, a record is a JSON object")


def too_long(size: int, limit: int, kept: int) -> WorkbenchError:
    cut = "" if size <= kept else f"; only its first {kept:,} bytes are kept here"
    return WorkbenchError("IMP104", f"the record has {size:,} bytes, the most is {limit:,}{cut}")


def cut_off(why: str) -> WorkbenchError:
    return WorkbenchError("IMP105", f"the last line is cut off: {why}")


def ragged(found: int, wanted: int) -> WorkbenchError:
    return WorkbenchError("IMP106", f"the line has {found} cells, the header has {wanted}")


def broken_quoting(why: str) -> WorkbenchError:
    return WorkbenchError("IMP107", f"the line is no CSV: {why}")


def no_syslog() -> WorkbenchError:
    return WorkbenchError("IMP108", "the line is no syslog message of RFC 5424 or RFC 3164")


def no_dpkg() -> WorkbenchError:
    return WorkbenchError("IMP109", "the line is no entry of dpkg.log")


def no_time(value: str) -> WorkbenchError:
    return WorkbenchError(
        "IMP110", f"TimeGenerated is {_cut(value)!r}, which is no time between the years 1 and 9999"
    )


def in_the_future(value: str) -> WorkbenchError:
    return WorkbenchError("IMP111", f"TimeGenerated is {value}, more than a day ahead")


def bad_field_name(name: str) -> WorkbenchError:
    return WorkbenchError("IMP112", f"{_cut(name)!r} can't be the name of a column")


def no_kql_value(field: str, found: str) -> WorkbenchError:
    return WorkbenchError("IMP113", f"the value of {field!r} is a {found}, which has no KQL type")


def no_table_takes_it(mapping: str) -> WorkbenchError:
    return WorkbenchError("IMP114", f"no table of the mapping {mapping!r} takes this record")


# ---- a mapping ------------------------------------------------------------------------------


def unknown_mapping(name: str, shipped: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "IMP201",
        f"there is no mapping {name!r}, neither as a file nor shipped",
        hint=_near(name, shipped, "shipped"),
    )


def not_yaml(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("IMP202", f"the mapping {path!r} is no YAML: {why}")


def bad_mapping(path: str, where: str, why: str, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("IMP203", f"the mapping {path!r}, {where}: {why}", hint=hint)


def unknown_key(path: str, where: str, key: str, known: Iterable[str]) -> WorkbenchError:
    names = sorted(known)
    return WorkbenchError(
        "IMP204",
        f"the mapping {path!r}, {where}: no setting named {key!r}",
        hint=_near(key, names, "settings"),
    )


def unknown_type(path: str, where: str, name: str, types: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "IMP205", f"the mapping {path!r}, {where}: no type named {name!r}", hint=_near(name, types, "types")
    )


# ---- watchlists -------------------------------------------------------------------------------


def no_such_watchlist(alias: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "IMP301", f"there is no watchlist named {alias!r}", hint=_near(alias, sorted(known), "watchlists")
    )


def bad_watchlist(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "IMP302",
        f"{path!r} is no watchlist: {why}",
        hint="it is a CSV file with a header, in UTF-8, one item a line",
    )


def no_such_key(key: str, path: str, columns: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "IMP303", f"{path!r} has no column {key!r}", hint=_near(key, list(columns), "columns")
    )


def bad_alias(alias: str) -> WorkbenchError:
    return WorkbenchError(
        "IMP304",
        f"{alias!r} can't be the name of a watchlist",
        hint="letters, digits, '-', '_' and spaces, 100 at most",
    )
