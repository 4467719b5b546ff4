"""Which format a text has, and who reads it."""

from __future__ import annotations

import dataclasses
import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

from workbench.alerts import reading
from workbench.alerts.importing.imported import UNNAMED, Imported, name_of
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.base.marked_yaml import parsed, plain

MOST_BYTES = 8 << 20
"""Of one file: templates hold many rules."""

_COMMENTS = re.compile(r'("(?:\\.|[^"\\])*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
"""ARM templates may have comments, and texts that look like one."""


class Format(StrEnum):
    """Where a rule comes from."""

    OWN = "workbench"
    SENTINEL = "sentinel"
    ARM = "arm"
    SIGMA = "sigma"


def read_file(path: str | Path) -> list[Imported]:
    """All rules of a file.

    Raises
    ------
    WorkbenchError
        ALR107, ALR111 for the file, ALR101 to ALR127 and KQL… for a rule that can't be taken.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise diagnostics.too_large("bytes", MOST_BYTES)
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise diagnostics.no_file(str(path), why) from None
    return [_named(one, file.stem) for one in read(text)]


def _named(one: Imported, name: str) -> Imported:
    """A rule without a name that can be told gets its file's."""
    if not one.rule.name.startswith(UNNAMED):
        return one
    number = one.rule.name.removeprefix(UNNAMED)
    return dataclasses.replace(one, rule=dataclasses.replace(one.rule, name=name_of(name + number)))


def read(text: str) -> list[Imported]:
    """All rules of a text; what it is, its keys tell.

    Examples
    --------
    >>> text = "name: Log cleared\\nkind: NRT\\nseverity: High\\nquery: SecurityEvent | where EventID == 1102"
    >>> found = read(text)[0]
    >>> found.rule.frequency, found.rule.severity.value, found.remarks
    (60, 'Error', ())
    """
    value = _value(text)
    format_ = format_of(value)
    try:
        if format_ is Format.SENTINEL:
            from workbench.alerts.importing.sentinel import imported

            return [imported(value)]
        if format_ is Format.ARM:
            from workbench.alerts.importing.arm import all_imported

            return all_imported(value)
        if format_ is Format.SIGMA:
            from workbench.alerts.importing.sigma import all_imported as of_sigma

            return of_sigma(text)
        return [Imported(reading.read(text))]
    except WorkbenchError as error:
        raise error.within(text) from None


def format_of(value: Any) -> Format:
    """Which format a value is of.

    Examples
    --------
    >>> format_of({"detection": {}, "logsource": {}}).value, format_of({"resources": []}).value
    ('sigma', 'arm')
    """
    if isinstance(value, list):
        return Format.SIGMA if any("detection" in d for d in value if isinstance(d, dict)) else Format.ARM
    if not isinstance(value, dict):
        raise diagnostics.not_a_rule()
    if "detection" in value or "correlation" in value:
        return Format.SIGMA
    if "resources" in value or "properties" in value or "type" in value:
        return Format.ARM
    sentinel = {"kind", "queryFrequency", "triggerOperator", "queryPeriod", "triggerThreshold"}
    return Format.SENTINEL if sentinel & set(value) else Format.OWN


def _value(text: str) -> Any:
    if text.lstrip()[:1] in ("{", "[", "/"):
        try:
            return json.loads(_COMMENTS.sub(lambda m: m[1] or " ", text))
        except (ValueError, RecursionError):
            pass  # it may be YAML all the same, or gets the words that a broken YAML gets
    documents = text.split("\n---")
    found = [
        parsed(d, lambda _line, place, why: diagnostics.not_yaml(place, why))
        for d in documents
        if d.strip("- \n")
    ]
    return plain(found[0] if len(found) == 1 else found) if found else None
