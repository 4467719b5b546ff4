"""The text of a cell, changed: its query with a clause more, its options for another time.

In go the cell as it stands in the notebook (or, where that can't be seen, as it was run), out comes the text
to put there. The clauses themselves are made by `query.language`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.options import parse_line, rewritten
from workbench.kernel_ext.widgets.kept import Asked
from workbench.query.language import literals, refining
from workbench.query.language.candidates import written
from workbench.query.result import Result

T = ScalarType
_MAGIC = re.compile(r"\s*%%logsearch\b(?P<line>[^\n]*)(?:\n(?P<cell>.*))?", re.DOTALL)
_NOT_PLAIN = re.compile(r"\W+")


def with_clause(result: Result, asked: Asked, request: Mapping[str, Any]) -> dict[str, Any]:
    """What a click on a value makes of the cell: `clause`, `query` and `cell`.

    `request` says `row`, `column`, `action` (filter, exclude or column), perhaps a `path` of keys into a dynamic
    value, and the `source` of the cell as it is now.

    Raises
    ------
    WorkbenchError
        KQL… where the text, as it is now, can't be read; LAB303 where it is no query.
    """
    line, query = _now(asked, request.get("source"))
    row, column = int(request["row"]), result.schema[int(request["column"])]
    path: list[str | int] = list(request.get("path") or [])
    negated = request["action"] == "exclude"
    if request["action"] == "column":
        name = _free_name("_".join([column.name, *map(str, path)]), result.columns)
        made = literals.path_cast(column.name, path, _at(result, column.name, row, path))
        clause, changed = f"extend {name} = {made}", refining.extended(query, name, made)
    else:
        if path:
            there = _at(result, column.name, row, path)
            condition = literals.path_condition(column.name, path, there, negated=negated)
        else:
            value = result.exact[column.name][row]
            if column.type.is_time and value is not None and not isinstance(value, int):
                value = int(result.exact[column.name].slice(row, 1).to_physical()[0]) * 10
            condition = literals.condition(column.name, value, column.type, negated=negated)
        clause = f"where {condition}"
        changed = refining.filtered(query, column.name, condition)
    # Another cell than the magic's (`r = %logsearch …` in some Python) is left alone.
    ours = not isinstance(request.get("source"), str) or _MAGIC.fullmatch(request["source"])
    return {"clause": f"| {clause}", "query": changed, "cell": _cell(line, changed) if ours else ""}


def with_timespan(asked: Asked, timespan: str, source: Any = None) -> str:
    """The cell for another time; "" for all records."""
    line, query = _now(asked, source)
    if timespan:
        return _cell(line, query, put={"--timespan": timespan})
    return _cell(line, query, drop=("--timespan",))


def _now(asked: Asked, source: Any) -> tuple[str, str]:
    """The line of options and the query, as the cell has them now."""
    found = _MAGIC.fullmatch(source) if isinstance(source, str) else None
    if found is None:
        return asked.line, asked.query
    line, cell = found["line"], found["cell"] or ""
    options, begun = parse_line(line)
    if options.load is not None:
        return line, asked.query
    query = f"{begun}\n{cell}" if begun else cell
    if not query.strip():
        raise diagnostics.not_written("there is no query in it")
    return line, query.rstrip("\n")


def _cell(line: str, query: str, drop: tuple[str, ...] = (), put: Mapping[str, str] | None = None) -> str:
    try:
        # A saved search is no longer what is asked, and must not be overwritten by what a click made of it.
        options = rewritten(line, ("--load", "--save", *drop), put)
    except WorkbenchError:
        options = ""
    return f"%%logsearch {options}".rstrip() + f"\n{query}"


def _at(result: Result, column: str, row: int, path: list[str | int]) -> Any:
    """What stands at a path of a dynamic value."""
    try:
        value = json.loads(result.frame[column][row])
        for key in path:
            value = value[key]
    except (ValueError, TypeError, LookupError):
        raise diagnostics.not_written("there is nothing at this place") from None
    return value


def _free_name(wanted: str, taken: list[str]) -> str:
    plain = _NOT_PLAIN.sub("_", wanted).strip("_") or "Value"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}{number}"
    return written(name)
