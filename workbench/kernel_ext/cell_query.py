"""Where the query stands in a cell: the cell's code in, the query's text and its place out.

A cell of `%%logsearch` and the rest of a line behind `%logsearch` hold a query; everything else is Python. It
reads the options of the first line and knows nothing of the query language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.options import Options, parse_line

_CELL = re.compile(r"\s*%%logsearch\b[ \t]*")
_LINE = re.compile(r"(?:^|=)[ \t]*%logsearch\b[ \t]*")
_OPTION = re.compile(r"(?:^|\s)(-[-\w]*)$")
_WORKSPACE = re.compile(r"--workspace[= ]\s*(\"[^\"]*\"|'[^']*'|\S+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A cursor in a log search: the query's text, the place in it, the workspace that is named.

    `option` is what was typed of an option, where the cursor stands among those; `start` is where the query
    begins in the cell; `load` names the saved search that comes before the text; `sql` says that the text is SQL, of a
    `dialect`.
    """

    query: str
    position: int
    workspace: str | None = None
    option: str | None = None
    start: int = 0
    load: str | None = None
    sql: bool = False
    dialect: str | None = None


def asked(code: str, position: int) -> Asked | None:
    """The query around a place of a cell, None where there is none.

    Examples
    --------
    >>> asked("%%logsearch --limit 5\\nHeartbeat | wh", 36)
    Asked(query='Heartbeat | wh', position=14, workspace=None, option=None, start=22, load=None, sql=False, dialect=None)
    >>> asked("r = %logsearch Heart", 20).query, asked("print(1)", 3)
    ('Heart', None)
    >>> asked("%%logsearch --li", 16).option
    '--li'
    """
    cell = _CELL.match(code)
    if cell is not None:
        end = len(code)
        start = cell.end()
    else:
        begin = code.rfind("\n", 0, position) + 1
        end = code.find("\n", position)
        end = len(code) if end < 0 else end
        line = _LINE.search(code, begin, end)
        if line is None:
            return None
        start = line.end()
    if position < start:
        return None
    stop = code.find("\n", start)
    first = code[start : end if stop < 0 else min(stop, end)]
    load = dialect = None
    try:
        options, begun = parse_line(first)
        named, length, whole, load = options.workspace, len(begun), True, options.load
        dialect = options.dialect
        sql = options.sql or dialect is not None
    except WorkbenchError:
        length, whole, sql = 0, False, False
        path = _WORKSPACE.search(first)
        named = path[1].strip("\"'") if path else None
    query = start + len(first) - length
    if not length and cell is not None and start + len(first) < end:
        query += 1
    word = _OPTION.search(code[start:position])
    among = not length and position <= start + len(first) and first.strip().startswith("-")
    if position < query or (among and (cell is not None or word is not None or not whole)):
        return Asked("", 0, named, word[1] if word else "", position)
    return Asked(code[query:end], position - query, named, None, query, load, sql, dialect)


@dataclass(frozen=True, slots=True)
class CellQuery:
    """The query of a `%%logsearch` cell.

    Attributes
    ----------
    text : str
        The query.
    start : int
        Where it begins in the cell's code.
    line : (int, int)
        The stretch of the options in the cell's code.
    options : Options
        What the first line asks for; those of an empty line when it is wrong.
    error : WorkbenchError or None
        What is wrong in the first line; its span counts from the line's start.
    """

    text: str
    start: int
    line: tuple[int, int]
    options: Options
    error: WorkbenchError | None = None

    @property
    def is_sql(self) -> bool:
        return self.options.sql or self.options.dialect is not None


def cell_query(code: str) -> CellQuery | None:
    """The query of a cell that begins with `%%logsearch`, None of any other.

    Examples
    --------
    >>> found = cell_query("%%logsearch --limit 5\\nHeartbeat | count")
    >>> found.text, found.start, found.options.limit
    ('Heartbeat | count', 22, 5)
    >>> cell_query("%%logsearch --limt 5\\nHeartbeat").error.code
    'LAB001'
    """
    cell = _CELL.match(code)
    if cell is None:
        return None
    begins = cell.end()
    stop = code.find("\n", begins)
    ends = len(code) if stop < 0 else stop
    line = code[begins:ends]
    try:
        options, begun = parse_line(line)
    except WorkbenchError as error:
        return CellQuery(code[ends + 1 :], min(ends + 1, len(code)), (begins, ends), Options(), error)
    start = ends - len(begun) if begun else min(ends + 1, len(code))
    return CellQuery(code[start:], start, (begins, ends), options)
