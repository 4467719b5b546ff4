"""`externaldata`: a table that lies outside. Files of allowed folders are read; nothing is fetched.

Gives an `External` relation, whose files are read when the query runs, or where a place is not allowed
an `Unread` one: the declared columns, no rows, and a warning that the result carries in its statistics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.diagnostics import statements
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators import external_files, external_formats
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.external_formats import Shape, Unfit
from workbench.query.plan import ONE_ROW, Call, Col, Const, Expr, Filter, Project, Rel, Values

T = ScalarType


@dataclass(frozen=True, slots=True)
class Unread(Rel):
    """A table whose rows are not read: empty, with `warning` told to the user when it is used.

    `undecided`: its columns are not all known, so any may be asked for; it is null.
    """

    warning: str
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class External(Rel):
    """The rows of files: (place as written, format) each, found again in `folders` when they are read."""

    files: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]
    shape: Shape
    warnings: tuple[str, ...]
    span: Span

    @property
    def serialized(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class ExternalDataSyntax(syntax.Operator):
    columns: tuple[tuple[str, ScalarType], ...]
    places: tuple[syntax.Expression, ...]
    properties: tuple[tuple[str, syntax.Expression], ...] = ()


@operator(
    "externaldata",
    syntax="externaldata (NAME: TYPE, …) [PLACE, …] [with (format=FORMAT, ignoreFirstRecord=true, …)]",
    aliases=("external_data",),
    source=True,
)
class ExternalData:
    """The rows of files in the folders that the workspace allows; a place elsewhere gives none, and a warning.

    Formats: csv, tsv, psv, scsv, sohsv (columns by place), json (an object a line), multijson, parquet
    (columns by name), txt (a line a row), raw (a file a row); also packed as gzip or zip, 100 MB in all.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ExternalDataSyntax:
        columns = p.column_list()
        p.expect("[")
        places = [] if p.peek().is_mark("]") else p.list_of(p.expression, trailing="]")
        p.expect("]")
        properties: list[tuple[str, syntax.Expression]] = []
        if p.accept_word("with"):
            p.expect("(")
            while not p.accept(")"):
                name = p.name()
                p.expect("=")
                properties.append((str(name.value).lower(), p.expression()))
                if not p.peek().is_mark(")"):
                    p.expect(",")
        span = keyword.span.to(p.last_span)
        return ExternalDataSyntax(span, "externaldata", columns, tuple(places), tuple(properties))

    @staticmethod
    def bind(s: ExternalDataSyntax, source: Rel | None, b: BinderApi) -> Rel:
        taken: set[str] = set()
        for name, _ in s.columns:
            if name in taken:
                raise diagnostics.name_declared_twice(name, s.span)
            taken.add(name)
        schema = tuple(Column(n, t) for n, t in s.columns)
        places = [(str(b.constant(p, "a place of externaldata", T.STRING)), p.span) for p in s.places]
        folders = tuple(b.folders())
        files = [p for p in places if external_files.located(p[0], folders, p[1]) is not None]
        refused = [place for place, _ in places if all(place != f for f, _ in files)]
        if not files:
            return Unread(schema, _warning(refused or ["no place"], "externaldata gave no rows"))
        properties = _properties(s, b)
        skip = str(properties.get("ignorefirstrecord", False)).lower() == "true"
        shape = Shape(s.columns, skip, _mapping(properties.get("ingestionmapping"), s.span))
        formats = tuple((f, _format(properties, f, s)) for f, _ in files)
        warnings = (_warning(refused, "externaldata left files out"),) if refused else ()
        return External(schema, formats, folders, shape, warnings, s.span)


def _warning(places: list[str], what: str) -> str:
    # A link may carry a key behind the `?`: it is not shown.
    shown = ", ".join(place.split("?")[0].split(";")[0] for place in places)
    return (
        f"{what}: {shown} is not fetched; store it with: workbench import, or put the file into a folder"
        " that the workspace allows: workbench folders."
    )


def _properties(s: ExternalDataSyntax, b: BinderApi) -> dict[str, Any]:
    """The properties of `with (…)`; a bare word such as `csv` stands for itself."""
    return {
        name: node.name if isinstance(node, syntax.Name) else b.constant(node, f"the property {name}")
        for name, node in s.properties
    }


def _format(properties: Mapping[str, Any], place: str, s: ExternalDataSyntax) -> str:
    given = properties.get("format")
    if given is None:
        return external_formats.format_of(place)
    name = str(given).lower()
    if name not in external_formats.FORMATS:
        span = next(node.span for key, node in s.properties if key == "format")
        raise statements.unknown_format(str(given), external_formats.FORMATS, span)
    return name


_STEP = re.compile(r"\.([A-Za-z_$][\w$-]*)|\[['\"]([^'\"]*)['\"]\]|\[(\d+)\]")


def _mapping(text: object, span: Span) -> dict[str, Any]:
    """`ingestionMapping`: for a column its place, or the steps of its JSON path."""
    if text is None:
        return {}
    found: dict[str, Any] = {}
    try:
        entries = json.loads(str(text))
        for entry in entries:
            plain = {str(k).lower(): v for k, v in entry.items()}
            plain |= {str(k).lower(): v for k, v in (plain.get("properties") or {}).items()}
            column = str(plain.get("column") or plain["name"])
            if "ordinal" in plain:
                found[column] = int(plain["ordinal"])
            elif "path" in plain:
                found[column] = _steps(str(plain["path"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise diagnostics.bad_argument(
            "ingestionMapping", f"can't be read: {type(e).__name__}", span
        ) from None
    return found


def _steps(path: str) -> tuple[str | int, ...]:
    if not path.startswith("$"):
        raise ValueError(path)
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        m = _STEP.match(path, at)
        if m is None:
            raise ValueError(path)
        steps.append(int(m[3]) if m[3] is not None else m[1] if m[1] is not None else m[2])
        at = m.end()
    return tuple(steps)


@to_polars.register
def _unread(rel: Unread, context: PolarsContext) -> Frame:
    context.warn(rel.warning)
    # One row of nulls that a false condition drops: no engine types are known here.
    one = ONE_ROW
    nulls = tuple((c.name, Const(c.type, None)) for c in rel.schema)
    typed = Project(rel.schema, one, nulls)
    return context.frame(Filter(rel.schema, typed, Const(T.BOOL, False)))


@to_polars.register
def _external(rel: External, context: PolarsContext) -> Frame:
    for warning in rel.warnings:
        context.warn(warning)
    reader = external_files.Reader(rel.folders, rel.span)
    parts = [external_files.empty(rel.shape.names())]
    rows = 0
    for place, format_ in rel.files:
        for data in reader.contents(place):
            try:
                part = external_formats.read(format_, data, rel.shape)
            except Unfit as why:
                raise reader.unreadable(place, str(why)) from None
            rows += part.height
            if rows > external_formats.MOST_ROWS:
                raise reader.unreadable(place, f"it goes beyond {external_formats.MOST_ROWS:,} rows")
            parts.append(part)
    texts = Values(tuple(Column(c.name, T.STRING) for c in rel.schema), (), pl.concat(parts))
    columns = tuple((c.name, _converted(c)) for c in rel.schema)
    return context.frame(Project(rel.schema, texts, columns))


def _converted(column: Column) -> Expr:
    text = Col(T.STRING, column.name)
    if column.type is T.STRING:
        return text
    if column.type is T.DYNAMIC:
        return Call(T.DYNAMIC, "parse_json", (text,), (None,))
    return Call(column.type, "convert", (text,), (column.type,))
