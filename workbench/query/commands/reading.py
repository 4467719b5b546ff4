"""The text of a command → a frozen value. Looks nothing up; refuses by name what is not here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.base.diagnostics import query as query_diagnostics
from workbench.base.diagnostics import statements as diagnostics
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Kind
from workbench.query.parser.statements import Parser

# Possessive: a dot inside of a comment is not looked for.
_BEGINS = re.compile(r"(?:\s++|//[^\n]*+)*+\.(?!\d)")


def is_command(text: str) -> bool:
    """Whether a text is a command, not a query.

    Examples
    --------
    >>> is_command("// what is there.\\n .show tables"), is_command("// see .show\\nT"), is_command(".5")
    (True, False, False)
    """
    return _BEGINS.match(text) is not None


@dataclass(frozen=True, slots=True)
class Named:
    """A name and its place in the text."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class ShowTables:
    """`.show tables [(T, …)] [details]`, `.show table T [details]`; all where none is named."""

    tables: tuple[Named, ...] = ()
    details: bool = False


@dataclass(frozen=True, slots=True)
class ShowTableSchema:
    """`.show table T schema as json`, `.show table T cslschema`."""

    table: Named
    as_json: bool


@dataclass(frozen=True, slots=True)
class ShowSchema:
    """`.show [database [D]] schema [as json|csl]`; `form` is "", "json" or "csl"."""

    database: Named | None = None
    form: str = ""


@dataclass(frozen=True, slots=True)
class ShowFunctions:
    """`.show functions`, `.show function F`."""

    function: Named | None = None


@dataclass(frozen=True, slots=True)
class ShowDatabases:
    """`.show databases`, `.show database`."""


@dataclass(frozen=True, slots=True)
class ShowVersion:
    """`.show version`."""


@dataclass(frozen=True, slots=True)
class PutFunction:
    """`.create|.alter|.create-or-alter function`; texts as written, `body` as syntax."""

    how: str
    function: Named
    parameters: str
    text: str
    body: syntax.FunctionBody
    properties: dict[str, str | bool]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class AlterFunction:
    """`.alter function F docstring|folder "…"`."""

    function: Named
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class DropFunctions:
    """`.drop function F [ifexists]`, `.drop functions (F, …) [ifexists]`."""

    functions: tuple[Named, ...]
    if_exists: bool
    several: bool


Command = (
    ShowTables | ShowTableSchema | ShowSchema | ShowFunctions | ShowDatabases | ShowVersion
    | PutFunction | AlterFunction | DropFunctions
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A command and where it ends; `piped` when a query goes on behind a pipe."""

    command: Command
    ends: int
    piped: bool


KNOWN = (
    ".show tables", ".show table T", ".show table T schema as json", ".show database schema",
    ".show functions", ".show function F", ".show databases", ".show version", ".create function",
    ".create-or-alter function", ".alter function", ".drop function",
)  # fmt: skip
_IMPORT = "records come in with: workbench import FILE --table T, or from an agent"
_KEEP = "tables keep their records; limit them in time with: workbench retention T DAYS"
_ROWS = "keep the rows of a cell with --as NAME, or print them with: workbench query --format parquet"
_ELSE = "the command line keeps the workspace: workbench --help"
_INSTEAD = {
    "ingest": _IMPORT, "set": _ROWS, "append": _ROWS, "set-or-append": _ROWS, "set-or-replace": _ROWS,
    "export": _ROWS, "create": _IMPORT, "create-merge": _IMPORT, "create-or-alter": _IMPORT, "define": _IMPORT,
    "drop": _KEEP, "delete": _KEEP, "purge": _KEEP, "clear": _KEEP, "alter": _KEEP, "alter-merge": _KEEP,
    "rename": _KEEP, "move": _KEEP, "replace": _KEEP, "undo": _KEEP, "execute": "run its parts one by one",
}  # fmt: skip
_ALONE = ("ingest", "set", "append", "set-or-append", "set-or-replace", "export")
_PROPERTIES = ("docstring", "folder", "view", "skipvalidation")


def read(text: str) -> Reading:
    """The command that a text is.

    Raises
    ------
    WorkbenchError
        KQL00x for its form, KQL411 and KQL412 for commands that are not here.

    Examples
    --------
    >>> read(".show tables details").command
    ShowTables(tables=(), details=True)
    """
    try:
        parser = _Reader(text)
        try:
            return parser.reading()
        except RecursionError:
            raise query_diagnostics.too_deep(parser.peek().span) from None
    except WorkbenchError as error:
        raise error.within(text) from None


class _Reader(Parser):
    def reading(self) -> Reading:
        dot = self.expect(".")
        verb = self._keyword()
        begins, word = dot.span, str(verb.value).lower()
        command = self._show(begins) if word == "show" else self._change(word, begins.to(verb.span))
        self.accept(";")
        token = self.peek()
        piped = word == "show" and token.is_mark("|")
        if not piped and token.kind is not Kind.END:
            raise query_diagnostics.expected("the end of the command", token.shown, token.span)
        return Reading(command, token.span.start, piped)

    # ---- show -------------------------------------------------------------------------------

    def _show(self, begins: Span) -> Command:
        token = self._keyword()
        word = str(token.value)
        if word == "tables":
            tables = self._names() if self.peek().is_mark("(") else ()
            return ShowTables(tables, self.accept_word("details") is not None)
        if word == "table":
            return self._show_table()
        if word == "functions":
            return ShowFunctions()
        if word == "function":
            found = ShowFunctions(self._named())
            self._properties(("showobfuscatedstrings", "builtin", "includehiddenfunctions"))
            return found
        if word == "schema":
            return ShowSchema(None, self._form())
        if word in ("database", "databases"):
            return self._show_database()
        if word == "version":
            return ShowVersion()
        raise diagnostics.unknown_command(f".show {word}", begins.to(token.span), KNOWN)

    def _show_table(self) -> Command:
        table = self._named()
        if self.accept_word("details"):
            return ShowTables((table,), True)
        if self.accept_word("cslschema", "kqlschema"):
            return ShowTableSchema(table, False)
        if self.accept_word("schema"):
            self.expect_word("as")
            return ShowTableSchema(table, self.expect_word("json", "csl", "kql").value == "json")
        return ShowTables((table,))

    def _show_database(self) -> Command:
        database = None
        if (
            not self.peek().is_word("schema", "details") and self.peek().kind is Kind.NAME
        ) or self.peek().is_mark("["):
            database = self._named()
        if self.accept_word("schema"):
            return ShowSchema(database, self._form())
        self.accept_word("details")
        return ShowDatabases()

    def _form(self) -> str:
        self.accept_word("details")
        if not self.accept_word("as"):
            return ""
        form = "json" if self.expect_word("json", "csl", "kql").value == "json" else "csl"
        self.accept_word("script")
        return form

    # ---- functions --------------------------------------------------------------------------

    def _change(self, word: str, verb: Span) -> Command:
        token = self.peek()
        several = token.is_word("functions") and word == "drop"
        if word in ("create", "alter", "create-or-alter", "drop") and (token.is_word("function") or several):
            self.next()
            if word == "drop":
                names = self._names() if several else (self._named(),)
                return DropFunctions(names, self.accept_word("ifexists") is not None, several)
            return self._put(word)
        what = token if token.kind is Kind.NAME and word not in _ALONE else None
        name = f".{word}" + (f" {what.value}" if what is not None else "")
        span = verb.to(what.span) if what is not None else verb
        if word in _INSTEAD:
            raise diagnostics.command_refused(name, span, _INSTEAD[word])
        raise diagnostics.unknown_command(f".{word}", verb, KNOWN)

    def _put(self, how: str) -> Command:
        if_not_exists = self.accept_word("ifnotexists") is not None
        properties = self._properties(_PROPERTIES)
        function = self._named()
        if how == "alter" and self.peek().is_word("docstring", "folder"):
            what = str(self.next().value)
            return AlterFunction(function, what, str(self.literal().value))
        begins = self.peek().span.start
        body = self.function()
        text = self.text[body.span.start : body.span.end]
        parameters = self.text[begins : body.span.start].rstrip()
        return PutFunction(how, function, parameters, text, body, properties, if_not_exists)

    def _properties(self, allowed: Sequence[str]) -> dict[str, str | bool]:
        found: dict[str, str | bool] = {}
        if not self.accept_word("with"):
            return found
        self.expect("(")
        while not self.accept(")"):
            token = self.name()
            name = str(token.value).lower()
            if name not in allowed:
                raise query_diagnostics.bad_option(str(token.value), "the function", token.span, allowed)
            self.expect("=")
            value = self.literal().value
            if name not in ("docstring", "folder"):
                found[name] = value is True or str(value).lower() == "true"
            else:
                found[name] = str(value)
            if not self.peek().is_mark(")"):
                self.expect(",")
        return found

    def _named(self) -> Named:
        token = self.name()
        return Named(str(token.value), token.span)

    def _names(self) -> tuple[Named, ...]:
        self.expect("(")
        names = tuple(self.list_of(self._named))
        self.expect(")")
        return names
