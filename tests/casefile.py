"""Text cases of queries: `*.test` files, read, compared and rewritten.

    [case a name]            one to a file, unique in it
    print n = 1              the query, up to the next section
    [rows]                   or `[rows unordered]`, `[error]`, or `[chart]`
    n:long                   columns and types
    1                        rows

A section ends at a blank line; comments (`#`) and blank lines between cases are kept as they are.
The format of cells is described in `query/cases/README.md`. This module runs no query: it gets an
`Answer` and says how it differs from what the file expects, or writes it there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType, format_datetime, format_timespan
from workbench.query.functions._cast import decimal_text

_CASE = re.compile(r"\[case (.+)\]")
_SECTION = re.compile(r"\[(rows|rows unordered|error|chart)\]")
_UNESCAPED = {"\\": "\\", "|": "|", "n": "\n", "r": "\r", "s": " "}
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """One case: its query, and the section that is expected (None where it is still to be written).

    `start` and `end` are the lines of the expected part in its file, header included.
    """

    file: Path
    name: str
    line: int
    query: str
    section: str | None
    expected: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Answer:
    """What a query gave: columns and cells as text, the rendered error, or its chart in words."""

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    error: str | None = None
    chart: str | None = None

    @property
    def section(self) -> str:
        """The name of its section, where it is not one of rows."""
        return "error" if self.error is not None else "chart" if self.chart is not None else "rows"

    def lines(self, *, unordered: bool = False) -> list[str]:
        """The expected part as a file holds it, without the section's header."""
        text = self.error if self.error is not None else self.chart
        if text is not None:
            return [line.rstrip() for line in text.split("\n") if line.strip()]
        header = "|".join(f"{_escaped(c.name)}:{c.type.value}" for c in self.columns)
        rows = [_joined(row) for row in self.rows]
        return [header, *(sorted(rows) if unordered else rows)]


# ---- reading and writing ----------------------------------------------------------------------


def read(file: Path) -> list[Case]:
    """All cases of a file, in order.

    Raises
    ------
    ValueError
        Two cases of one name, a case without a query, text outside of any case.
    """
    lines = file.read_text(encoding="utf-8").split("\n")
    found: list[Case] = []
    at = 0
    while at < len(lines):
        head = _CASE.fullmatch(lines[at].rstrip())
        if head is None:
            if lines[at].strip() and not lines[at].startswith("#"):
                raise ValueError(f"{file}:{at + 1}: {lines[at]!r} stands in no case")
            at += 1
            continue
        case = _case(file, lines, at, head[1])
        if any(c.name == case.name for c in found):
            raise ValueError(f"{file}:{at + 1}: a second case named {case.name!r}")
        found.append(case)
        at = case.end
    return found


def _case(file: Path, lines: Sequence[str], at: int, name: str) -> Case:
    end = at + 1
    while (
        end < len(lines) and not _SECTION.fullmatch(lines[end].rstrip()) and not _CASE.fullmatch(lines[end])
    ):
        end += 1
    body = list(lines[at + 1 : end])
    while body and (not body[-1].strip() or body[-1].startswith("#")):
        body.pop()
    if not body:
        raise ValueError(f"{file}:{at + 1}: the case {name!r} has no query")
    query = "\n".join(body)
    section = _SECTION.fullmatch(lines[end].rstrip()) if end < len(lines) else None
    if section is None:
        after = at + 1 + len(body)
        return Case(file, name, at + 1, query, None, (), after, after)
    stop = end + 1
    while stop < len(lines) and lines[stop].strip() and not _CASE.fullmatch(lines[stop]):
        stop += 1
    return Case(file, name, at + 1, query, section[1], tuple(lines[end + 1 : stop]), end, stop)


def update(case: Case, answer: Answer) -> bool:
    """Write `answer` as what `case` expects; whether the file changed. Everything else stays.

    The file is read anew, since an earlier update may have moved the lines.
    """
    current = next(c for c in read(case.file) if c.name == case.name)
    section = answer.section
    if section == "rows" and current.section == "rows unordered":
        section = current.section
    new = [f"[{section}]", *answer.lines(unordered=section == "rows unordered")]
    lines = case.file.read_text(encoding="utf-8").split("\n")
    if lines[current.start : current.end] == new:
        return False
    lines[current.start : current.end] = new
    case.file.write_text("\n".join(lines), encoding="utf-8")
    return True


# ---- comparing --------------------------------------------------------------------------------


def difference(case: Case, answer: Answer) -> str | None:
    """How `answer` differs from what `case` expects, in words; None where it does not."""
    unordered = case.section == "rows unordered"
    actual = answer.lines(unordered=unordered)
    got = answer.section
    if case.section is None:
        return _shown(case, "nothing is expected yet: run with --update", actual)
    if case.section.split()[0] != got:
        return _shown(case, f"expected {case.section}, got {got}", actual)
    expected = [line.rstrip("\r") for line in case.expected]
    if got != "rows":
        wanted = [line.rstrip() for line in expected]
        return None if wanted == actual else _shown(case, f"another {got}", actual)
    if not expected or expected[0] != actual[0]:
        return _shown(case, "other columns", actual)
    if unordered:
        expected[1:] = sorted(expected[1:])
    if len(expected) != len(actual):
        return _shown(case, f"{len(actual) - 1} rows instead of {len(expected) - 1}", actual)
    types = [c.type for c in answer.columns]
    for number, (want, have) in enumerate(zip(expected[1:], actual[1:], strict=True), 1):
        if want != have and not _same_row(_cells(want, len(types)), _cells(have, len(types)), types):
            return _shown(case, f"row {number} is {have!r} instead of {want!r}", actual)
    return None


def _same_row(want: Sequence[str], have: Sequence[str], types: Sequence[ScalarType]) -> bool:
    return len(want) == len(have) == len(types) and all(
        _same_cell(w, h, t) for w, h, t in zip(want, have, types, strict=True)
    )


def _same_cell(want: str, have: str, type_: ScalarType) -> bool:
    if want == have:
        return True
    if "null" in (want, have) or type_ not in (ScalarType.REAL, ScalarType.DYNAMIC):
        return False
    try:
        if type_ is ScalarType.REAL:
            return _near(float(want), float(have))
        return _same_json(json.loads(want), json.loads(have))
    except ValueError:
        return False


def _near(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=_TOLERANCE)


def _same_json(a: Any, b: Any) -> bool:
    """Equal with the order of keys, reals to the tolerance."""
    if isinstance(a, float) or isinstance(b, float):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return type(a) is type(b) and numbers and _near(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(_same_json(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same_json(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and bool(a == b)


def _shown(case: Case, why: str, actual: Iterable[str]) -> str:
    parts = [f"{case.file.name}:{case.line}: {case.name}: {why}", "", "query:", case.query, ""]
    parts += ["expected:", *case.expected, "", "got:", *actual]
    return "\n".join(parts)


# ---- cells ------------------------------------------------------------------------------------


def answer_of(frame: pl.DataFrame, schema: Sequence[Column]) -> Answer:
    """An answer from a result's exact frame (ticks for datetime and timespan)."""
    columns = [[_cell(v, c.type) for v in frame[c.name].to_list()] for c in schema]
    return Answer(tuple(schema), tuple(zip(*columns, strict=True)))


def _cell(value: Any, type_: ScalarType) -> str:
    if value is None:
        return "null"
    if type_ is ScalarType.BOOL:
        return "true" if value else "false"
    if type_ is ScalarType.REAL:
        return repr(value)
    if type_ is ScalarType.DATETIME:
        return format_datetime(value)
    if type_ is ScalarType.TIMESPAN:
        return format_timespan(value)
    if type_ is ScalarType.DECIMAL:
        return decimal_text(value)
    return str(value)


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "\\n").replace("\r", "\\r")
    if text.endswith(" "):
        text = text[:-1] + "\\s"
    return "\\s" + text[1:] if text.startswith(" ") else text


def _joined(row: Sequence[str]) -> str:
    line = "|".join(_escaped(cell) for cell in row)
    # A line of nothing would end the section: "" alone in its row is written as quotes.
    return line or '""'


def _cells(line: str, width: int) -> list[str]:
    if width == 1 and line == '""':
        return [""]
    cells, current, at = [], "", 0
    while at < len(line):
        c = line[at]
        if c == "\\" and at + 1 < len(line) and line[at + 1] in _UNESCAPED:
            current += _UNESCAPED[line[at + 1]]
            at += 2
            continue
        if c == "|":
            cells.append(current)
            current = ""
        else:
            current += c
        at += 1
    return [*cells, current]
