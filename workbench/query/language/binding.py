"""A text as far as it can be bound: scopes and rows at any place, whatever is broken elsewhere.

Statements and pieces are parsed one by one over the tokens that `outline` gives them, so that a mistake
spoils its own piece: that one is skipped, the columns stay those before it, and names that nobody knows
then are no error. No data is read: what depends on rows (`toscalar`, `pivot`) is bound over none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as messages
from workbench.base.diagnostics.language import moved
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.binder import Binder, Hooks
from workbench.query.binder.scope import FunctionEntry, ScalarEntry, Scope, TableEntry
from workbench.query.binder.stored_names import StoredNames
from workbench.query.binder.tables import resolved
from workbench.query.frames import Tables, surroundings_of
from workbench.query.functions.forms import POLARS_TYPES
from workbench.query.language.memory import Memory, Row, Seen, SeenFunctions, memory_of, nature
from workbench.query.language.outline import Outline
from workbench.query.language.slices import SliceParser
from workbench.query.lexer import Kind, Token
from workbench.query.operators._per_group import Leaf
from workbench.query.plan import ONE_ROW, Const, Project, Rel, Summarize, Values
from workbench.query.runner import Runner
from workbench.query.sources import Sources

T = ScalarType
_STATEMENTS = ("let", "set", "declare", "alias", "restrict")
# Operators that leave the columns as they are, so that a mistake in one hides nothing.
_SAME_COLUMNS = (
    "where", "filter", "sort", "order", "take", "limit", "top", "sample", "serialize", "render", "as",
)  # fmt: skip
# Errors that other columns would mend.
OF_COLUMNS = frozenset({messages.UNKNOWN_COLUMN, "KQL104", "KQL105"})
_PLACEHOLDER = "\u200bunknown"  # no query can write this name


class Unknown(Rel):
    """A table of which nothing is known: every name is a column of it."""

    undecided = True


UNKNOWN = Unknown(())


class DoubtfulEntry(TableEntry):
    """A table of the query that could be bound in part only: its columns may be others."""


class Study:
    """One text over one source, bound as far as it goes.

    Parameters
    ----------
    outline : Outline
        Of the tokens of `text`, or of those before a cursor.
    scope : callable, optional
        Notebook variables, as in `run`.
    """

    def __init__(self, text: str, outline: Outline, source: Tables, scope: Callable[[str], Any] | None = None) -> None:  # fmt: skip
        self.text = text
        self.outline = outline
        self.source = source
        self.memory: Memory = memory_of(source)
        self._runner = Runner(source, scope, None)
        self._around = surroundings_of(source)
        self._sources = Sources(text)
        self.memory.check(source, lambda n: nature(self._runner.outside(n)))
        self.catalog = Seen(source, self.memory)

    # ---- binders ----------------------------------------------------------------------------

    def binder(self, scope: Scope | None = None) -> Binder:
        """A binder that reads no data, in a scope or in the outermost one."""
        stored = SeenFunctions(self._around, self._sources, self.memory)
        hooks = Hooks(_no_rows, self._runner.fold, self._outside, stored, self._around, self._sources)
        made = Binder(self.text, self.catalog, hooks)
        if scope is None:
            made.scope.behind = StoredNames(stored, made.scope)
        else:
            made.scope = scope.child()
        return made

    def _outside(self, name: str) -> Const | Values | None:
        found = self._runner.outside(name)
        self.memory.outside[name] = nature(found)
        return found

    # ---- scopes -----------------------------------------------------------------------------

    def scope(self, begins: int, ends: int, outer: Scope | None = None) -> tuple[Scope, tuple[WorkbenchError, ...]]:  # fmt: skip
        """The names in reach behind the statements of a range of tokens, and what was wrong in them.

        The range is one of whole statements; `outer` is what the block stands in.
        """
        statements = [(s, e) for s, e in self.outline.split(begins, ends, ";") if e > s]
        binder = self.binder(outer)
        errors: tuple[WorkbenchError, ...] = ()
        start = 0
        for number in range(len(statements), 0, -1):
            known = self.memory.scopes.get(self._key(begins, statements[number - 1][1]))
            if known is not None:
                binder.scope, errors, start = known[0], known[1], number
                break
        for s, e in statements[start:]:
            binder.scope = binder.scope.child()
            errors = (*errors, *self._declared(binder, s, e))
            self.memory.keep_scope(self._key(begins, e), binder.scope, errors)
        return binder.scope, errors

    def _key(self, begins: int, ends: int, more: int = 0) -> tuple[int, int, int]:
        tokens = self.outline.tokens
        start = tokens[begins].span.start if begins < len(tokens) else len(self.text)
        stop = tokens[ends - 1].span.end if ends > begins else start
        return hash(self.text[:stop]), start, more

    def _declared(self, binder: Binder, begins: int, ends: int) -> list[WorkbenchError]:
        """Declare one statement; what is wrong in it."""
        tokens = self.outline.tokens[begins:ends]
        if not tokens[0].is_word(*_STATEMENTS) or len(tokens) < 2:
            return self._pipeline_names(binder, begins, ends)
        pieces = self.outline.split(begins, ends, "|")
        try:
            if len(pieces) > 1 and self.outline.mark(begins + 2, "="):
                return self._let_pipeline(binder, tokens, begins, ends)
            read = SliceParser(self.text, tokens)
            query = read.whole(read.query)
            for statement in query.statements:
                if isinstance(statement, syntax.DeclareParameters):
                    binder.scope.entries.update(_parameters(statement.parameters))
                else:
                    binder.statements([statement])
        except WorkbenchError as error:
            self._guessed(binder, tokens, begins)
            return [error]
        return []

    def _pipeline_names(self, binder: Binder, begins: int, ends: int) -> list[WorkbenchError]:
        """Names that `as` gives in a pipeline before the last one."""
        words = [
            i for i in range(begins, ends) if self.outline.word(i, "as") and self.outline.mark(i - 1, "|")
        ]
        for place in words:
            if place + 1 < ends and self.outline.tokens[place + 1].kind is Kind.NAME:
                row = self.row(begins, place - 1, binder.scope)
                binder.scope.entries[str(self.outline.tokens[place + 1].value)] = TableEntry(row.rel)
        return []

    def _let_pipeline(self, binder: Binder, tokens: Sequence[Token], begins: int, ends: int) -> list[WorkbenchError]:  # fmt: skip
        row = self.row(begins + 3, ends, binder.scope)
        binder.scope = binder.scope.child()
        entry = TableEntry(row.rel) if row.sure else DoubtfulEntry(row.rel)
        binder.scope.entries[str(tokens[1].value)] = entry
        return []

    def _guessed(self, binder: Binder, tokens: Sequence[Token], begins: int) -> None:
        """Declare the name of a broken statement, so that its uses are no errors too."""
        if not tokens[0].is_word("let") or tokens[1].kind is not Kind.NAME:
            return
        name = str(tokens[1].value)
        scope = binder.scope = binder.scope.child()
        braces = [i for i in self.outline.groups(begins, begins + len(tokens)) if self.outline.mark(i, "{")]
        if braces:
            parameters = self.parameters_before(braces[0])
            scope.entries[_PLACEHOLDER] = TableEntry(UNKNOWN)
            span = tokens[1].span
            body = syntax.FunctionBody(span, parameters, (), syntax.Name(span, _PLACEHOLDER))
            scope.entries[name] = FunctionEntry(name, body, scope)
        else:
            scope.entries[name] = ScalarEntry(Const(T.DYNAMIC, None))

    def parameters_before(self, brace: int) -> tuple[syntax.Parameter, ...]:
        """The parameters that stand before the body of a function."""
        opener = next((o for o, e in self.outline.ends.items() if e == brace - 1 and o in self.outline.closed), None)  # fmt: skip
        if opener is None:
            return ()
        try:
            return SliceParser(self.text, self.outline.tokens[opener:brace]).parameters()
        except WorkbenchError:
            return ()

    def body_scope(self, brace: int, outer: Scope) -> Scope:
        """The scope inside the braces of a function: what is outside and its parameters."""
        return Scope(outer, dict(_parameters(self.parameters_before(brace))))

    # ---- rows -------------------------------------------------------------------------------

    def row(self, begins: int, ends: int, scope: Scope, first: Row | None = None) -> Row:
        """The table that a pipeline gives; with `first` a pipeline of operators over that one.

        `sure` is false where any piece could not be bound.
        """
        found = first
        for s, e in self.outline.split(begins, ends, "|"):
            found = self.step(begins, s, e, scope, found)
        assert found is not None  # a split has a part
        return found

    def rows(self, begins: int, ends: int, scope: Scope, first: Row | None = None) -> list[Row]:
        """The tables behind each piece of a pipeline."""
        found: list[Row] = []
        before = first
        for s, e in self.outline.split(begins, ends, "|"):
            before = self.step(begins, s, e, scope, before)
            found.append(before)
        return found

    def step(self, pipeline: int, begins: int, ends: int, scope: Scope, before: Row | None) -> Row:
        """The table behind one piece."""

        def make() -> Row:
            return self._source(begins, ends, scope) if before is None else self._operated(begins, ends, scope, before)  # fmt: skip

        if ends <= begins:
            return before or Row(UNKNOWN, False)
        return self.memory.row(self._key(pipeline, ends, 1 if before is None else 2), make)

    def _source(self, begins: int, ends: int, scope: Scope) -> Row:
        binder = self.binder(scope)
        read = SliceParser(self.text, self.outline.tokens[begins:ends])
        try:
            node = read.whole(read.pipeline_or_expression)
            return Row(binder.table(node))
        except WorkbenchError as error:
            return Row(UNKNOWN, False, self._told(error, begins, ends, scope))
        except RecursionError:
            return Row(UNKNOWN, False)

    def _operated(self, begins: int, ends: int, scope: Scope, before: Row) -> Row:
        binder = self.binder(scope)
        binder.scope.entries.update(before.named)
        read = SliceParser(self.text, self.outline.tokens[begins:ends])
        sure = before.sure and self.outline.word(begins, *_SAME_COLUMNS)
        try:
            operator = read.whole(read.operator)
        except WorkbenchError as error:
            return Row(before.rel, sure, (error,), before.named)
        except RecursionError:
            return Row(before.rel, sure, (), before.named)
        try:
            rel = binder.pipe(before.rel, [operator])
        except WorkbenchError as error:
            return Row(before.rel, sure, self._told(error, begins, ends, scope), before.named)
        except RecursionError:
            return Row(before.rel, sure, (), before.named)
        named = tuple((n, e) for n, e in binder.scope.entries.items() if isinstance(e, TableEntry))
        return Row(rel, before.sure, (), named)

    def _told(
        self, error: WorkbenchError, begins: int, ends: int, scope: Scope
    ) -> tuple[WorkbenchError, ...]:
        """The error of a piece; none where it may come from a table whose columns nobody knows."""
        if error.code in OF_COLUMNS:
            names = (str(t.value) for t in self.outline.tokens[begins:ends] if t.kind is Kind.NAME)
            if any(isinstance(scope.find(n), DoubtfulEntry) for n in names):
                return ()
        return (self.placed(error, begins, ends),)

    def placed(self, error: WorkbenchError, begins: int, ends: int) -> WorkbenchError:
        """An error with a place in this text: one inside a stored function is told at the piece."""
        whole = self.outline.tokens[begins].span.to(self.outline.tokens[ends - 1].span)
        span = error.span
        if span is None or span.end > len(self.text) or (error.text is not None and error.text != self.text):
            return moved(error, whole, self.text)
        return error

    # ---- names ------------------------------------------------------------------------------

    def value_errors(self, begins: int, ends: int, scope: Scope) -> list[WorkbenchError]:
        """What is wrong in a value or a table without pipes."""
        read = SliceParser(self.text, self.outline.tokens[begins:ends])
        binder = self.binder(scope)
        try:
            node = read.whole(read.pipeline_or_expression)
            if binder.looks_tabular(node, ONE_ROW):
                binder.table(node)
            else:
                binder.fold(binder.expr(node, ONE_ROW))
        except WorkbenchError as error:
            return [self.placed(error, begins, ends)]
        except RecursionError:
            return []
        return []

    def is_stored(self, name: str) -> bool:
        """Whether a name is a table of the source and not one of the query."""
        return self.catalog.schema(name) is not None and not any(
            self.outline.word(i - 1, "let") for i, t in enumerate(self.outline.tokens) if t.is_word(name)
        )

    def meaning(self, name: str, scope: Scope) -> object | None:
        """What a name of the scope stands for: an entry; None where it is none or can't be bound."""
        try:
            return resolved(self.binder(scope), name)
        except WorkbenchError:
            return None

    def outside(self, name: str) -> Const | Values | None:
        """A notebook variable as the binder sees it; None where it has no KQL type."""
        try:
            return self._outside(name)
        except WorkbenchError:
            return None

    def is_tabular(self, entry: FunctionEntry) -> bool:
        """Whether a function gives a table."""
        try:
            return self.binder(entry.scope).let_is_tabular(entry)
        except WorkbenchError:
            return False

    def table(self, node: syntax.Expression | syntax.Pipeline, scope: Scope) -> Rel | None:
        """The table that a node stands for, None where it can't be bound."""
        try:
            return self.binder(scope).table(node)
        except (WorkbenchError, RecursionError):
            return None

    def type_of(self, node: syntax.Expression, rel: Rel, scope: Scope) -> ScalarType | None:
        """The type of an expression over a row, None where it can't be bound."""
        try:
            return self.binder(scope).expr(node, rel).type
        except (WorkbenchError, RecursionError):
            return None


def _parameters(parameters: Sequence[syntax.Parameter]) -> dict[str, ScalarEntry | TableEntry]:
    """Parameters as names in reach, their values unknown."""
    found: dict[str, ScalarEntry | TableEntry] = {}
    for p in parameters:
        if p.type is not None:
            found[p.name] = ScalarEntry(Const(p.type, "" if p.type is T.STRING else None))
        elif p.columns is None:
            found[p.name] = TableEntry(UNKNOWN)
        else:
            found[p.name] = TableEntry(Leaf(tuple(Column(n, t) for n, t in p.columns)))
    return found


def _no_rows(rel: Rel) -> pl.DataFrame:
    """What a border is bound over: no rows, or the one row of nulls that an aggregate of none gives."""
    schema = {c.name: POLARS_TYPES[c.type] for c in rel.schema}
    below = rel
    while isinstance(below, Project):
        below = below.source
    count = 1 if isinstance(below, Summarize) and not below.keys else 0
    return pl.DataFrame({name: [None] * count for name in schema}, schema=schema)


__all__ = ["ONE_ROW", "UNKNOWN", "Row", "Study", "Unknown"]
