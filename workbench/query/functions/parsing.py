"""Text that has a form of its own: URLs, paths, CSV, XML, command lines, versions, JSON paths.

Each function gives a dynamic value with documented keys, or null (no text: "") where the text is not
of the form.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import DECIMAL, DYNAMIC, STRING, Naming, const, scalar
from workbench.query.functions._cast import python_cast
from workbench.query.functions._json_paths import step_into
from workbench.query.functions._rows import over_rows
from workbench.query.functions.forms import canonical, dumps, loads
from workbench.query.functions.searching import constant_text, span_of
from workbench.query.lowering import Value
from workbench.query.plan import NO_SPAN, Expr

NO_SQL = "SQL has no reader for this kind of text"

# ---- URLs -----------------------------------------------------------------------------------

_URL = re.compile(
    r"""(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?
        (?://(?P<authority>[^/?\#]*))?
        (?P<path>[^?\#]*)
        (?:\?(?P<query>[^\#]*))?
        (?:\#(?P<fragment>.*))?""",
    re.VERBOSE | re.DOTALL,
)
_AUTHORITY = re.compile(
    r"(?:(?P<user>[^:@]*)(?::(?P<password>[^@]*))?@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d*))?"
)


def _query_parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.removeprefix("?").split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found[name] = value
    return found


@scalar("parse_url", [STRING], DYNAMIC, aliases=("parseurl",))
class ParseUrl:
    """The parts of an absolute URL; a part that is missing is ""."""

    @staticmethod
    def row(url: str) -> dict[str, Any] | None:
        m = _URL.fullmatch(url)
        a = _AUTHORITY.fullmatch((m and m["authority"]) or "")
        if m is None or a is None:
            return None
        return {
            "Scheme": m["scheme"] or "",
            "Host": a["host"],
            "Port": a["port"] or "",
            "Path": m["path"],
            "Username": a["user"] or "",
            "Password": a["password"] or "",
            "Query Parameters": _query_parameters(m["query"] or ""),
            "Fragment": m["fragment"] or "",
        }


@scalar("parse_urlquery", [STRING], DYNAMIC, aliases=("parseurlquery",))
class ParseUrlQuery:
    """The parameters of the query part of a URL, as they are written there."""

    @staticmethod
    def row(query: str) -> dict[str, Any]:
        return {"Query Parameters": _query_parameters(query)}


# ---- paths ----------------------------------------------------------------------------------

_PATH = re.compile(
    r"""(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]+)://)?
        (?P<directory>(?:.*(?=[/\\]))?)[/\\]?
        (?P<file>[^/\\:]*)(?::(?P<stream>[^/\\]*))?""",
    re.VERBOSE | re.DOTALL,
)
_ROOT = re.compile(r"(?:[/\\]{2}[?.][/\\])?([A-Za-z]:)")


@scalar("parse_path", [STRING], DYNAMIC)
class ParsePath:
    """The parts of a file path of Windows or Unix, of a share or of a `file://` address."""

    @staticmethod
    def row(path: str) -> dict[str, str] | None:
        m = _PATH.fullmatch(path)
        if m is None:
            return None
        directory, name = m["directory"], m["file"]
        root = _ROOT.match(directory)
        last = re.split(r"[/\\]", directory)[-1]
        return {
            "Scheme": m["scheme"] or "",
            "RootPath": root[1] if root else "",
            "DirectoryPath": directory,
            "DirectoryName": "" if root and last == root[1] else last,
            "Filename": name,
            "Extension": name.rpartition(".")[2] if "." in name else "",
            "AlternateDataStreamName": m["stream"] or "",
        }


# ---- records and commands -------------------------------------------------------------------


@scalar("parse_csv", [STRING], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class ParseCsv:
    """The values of the first CSV record of the text as an array of texts."""

    @staticmethod
    def row(text: str) -> list[str] | None:
        try:
            return next(csv.reader(io.StringIO(text, newline="")), None) or [""]
        except csv.Error:
            return None


@scalar("parse_command_line", [STRING, const(STRING)], DYNAMIC)
class ParseCommandLine:
    """The arguments of a command line as an array, by the rules of Windows (the only parser there is)."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        parser = constant_text(args[1]) or ""
        if parser.lower() != "windows":
            why = f"the one parser is 'windows', not {parser!r}"
            raise diagnostics.bad_argument("parse_command_line()", why, span_of(args[1]) or NO_SPAN)
        found = over_rows(_split_command, pl.String(), canonical(values[0]))
        return Value(found, DYNAMIC)


def _split_command(command: str) -> str | None:
    return dumps(windows_arguments(command) or None)


def windows_arguments(command: str) -> list[str]:
    r"""A command line as Windows programs see it: quotes group, `\"` is a quote, `""` in quotes too.

    Examples
    --------
    >>> windows_arguments(r'echo "hello world!" a\\b \"c')
    ['echo', 'hello world!', 'a\\\\b', '"c']
    """
    found: list[str] = []
    current: list[str] | None = None
    quoted, i = False, 0
    while i < len(command):
        char = command[i]
        if char in " \t" and not quoted:
            if current is not None:
                found.append("".join(current))
            current = None
            i += 1
            continue
        current = [] if current is None else current
        if char == "\\":
            run = len(command) - i - len(command[i:].lstrip("\\"))
            i += run
            if command[i : i + 1] == '"':
                current.append("\\" * (run // 2))
                if run % 2:
                    current.append('"')
                    i += 1
            else:
                current.append("\\" * run)
        elif char == '"':
            if quoted and command[i + 1 : i + 2] == '"':
                current.append('"')
                i += 1
            else:
                quoted = not quoted
            i += 1
        else:
            current.append(char)
            i += 1
    if current is not None:
        found.append("".join(current))
    return found


# ---- versions -------------------------------------------------------------------------------

_VERSION = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){0,3}")


@scalar("parse_version", [STRING], DECIMAL)
class ParseVersion:
    """A version of one to four numbers as one decimal that sorts like it, null where it is none."""

    @staticmethod
    def row(version: str) -> Any:
        if not _VERSION.fullmatch(version):
            return None
        parts = [*version.split("."), "0", "0", "0"][:4]
        return Decimal("".join(p.zfill(8) for p in parts))


# ---- JSON paths -----------------------------------------------------------------------------

_STEP = re.compile(
    r"""\.?\[\s*(?:(?P<index>-?\d+)|'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)")\s*\]
        |\.(?P<name>[^.\[\]]+)""",
    re.VERBOSE,
)


_NOT_SIMPLE = re.compile(r"""\.\.|\*|\[\s*\(|\?\(|\[[^\]'"]*[:,]""")


def json_path(path: str) -> tuple[str | int, ...] | None:
    """The steps of a simple JSON path (`$.a['b'][0]`), or None where it is no such path.

    Examples
    --------
    >>> json_path("$.a['b'][0]"), json_path("$..a")
    (('a', 'b', 0), None)
    """
    at = 1 if path.startswith("$") else 0
    text = path if at or path.startswith(("[", ".")) else "." + path
    steps: list[str | int] = []
    while at < len(text):
        m = _STEP.match(text, at)
        if m is None or m["name"] == "*":
            return None
        if m["index"] is not None:
            steps.append(int(m["index"]))
        else:
            steps.append(next(m[k] for k in ("single", "double", "name") if m[k] is not None))
        at = m.end()
    return tuple(steps)


@scalar("extract_json", [const(STRING), STRING], STRING, aliases=("extractjson",))
class ExtractJson:
    """The value at a path of a JSON text, as text; "" where there is none.

    A third argument `typeof(…)` gives the result as that type. Paths have names and indexes only; a text
    that is no path at all leads nowhere.
    """

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        path = constant_text(args[0]) or ""
        steps = json_path(path)
        if steps is None and _NOT_SIMPLE.search(path):
            why = f"{path!r} has more than names and indexes"
            raise diagnostics.bad_argument("extract_json()", why, span_of(args[0]) or NO_SPAN)

        def at_path(text: str) -> str:
            value = None if steps is None else loads(text)
            for step in steps or ():
                value = step_into(value, step)
            return str(python_cast(value, DYNAMIC, STRING))

        return Value(over_rows(at_path, pl.String(), canonical(values[1])), STRING)
