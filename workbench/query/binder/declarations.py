"""Statements: what `let`, `set`, `declare`, `alias` and `restrict` add to the scope of a query."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from workbench.base.diagnostics import statements as diagnostics
from workbench.base.dtypes import ScalarType, parse_type
from workbench.base.registry import nearest
from workbench.query import syntax
from workbench.query.binder import special, visible
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import FunctionEntry, PatternEntry, PendingEntry, ScalarEntry
from workbench.query.functions._cast import python_cast
from workbench.query.options import OPTIONS
from workbench.query.plan import ONE_ROW, Const

T = ScalarType
_NUMBERS = frozenset({T.INT, T.LONG, T.REAL, T.DECIMAL})
_LITERAL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)


def declare(b: Inside, statements: Sequence[syntax.Statement]) -> None:
    """Add what the statements declare to the present scope."""
    for statement in statements:
        if isinstance(statement, syntax.Let):
            _let(b, statement)
        elif isinstance(statement, syntax.SetOption):
            _set(b, statement)
        elif isinstance(statement, syntax.DeclareParameters):
            for p in statement.parameters:
                _parameter(b, p)
        elif isinstance(statement, syntax.DeclarePattern):
            b.scope = b.scope.child()
            b.scope.entries[statement.name] = PatternEntry(statement, b.scope)
        elif isinstance(statement, syntax.AliasDatabase):
            b.aliases[statement.name] = statement.target
        elif isinstance(statement, syntax.Restrict):
            visible.restrict(b, statement)


def _let(b: Inside, let: syntax.Let) -> None:
    if isinstance(let.value, syntax.FunctionBody):
        b.scope.entries[let.name] = FunctionEntry(let.name, let.value, b.scope)
        b.scope = b.scope.child()
        return
    # A later let of the same name hides the earlier one, which its own value may still use.
    b.scope = b.scope.child()
    assert b.scope.outer is not None
    b.scope.entries[let.name] = PendingEntry(let.value, b.scope.outer)


def _set(b: Inside, statement: syntax.SetOption) -> None:
    name = statement.name
    if name not in OPTIONS:
        near = nearest(name, OPTIONS)
        meant = f"; did you mean {near[0]}?" if near else ""
        b.hooks.warn(f"set {name}: there is no such option, it was left out{meant}")
        return
    # The other options tune Kusto's engine: they are read and mean nothing here.
    if statement.value is None:
        return
    if name in special.BIN_AUTO:
        b.scope.entries[name] = ScalarEntry(b.fold(b.expr(statement.value, ONE_ROW)))
    elif name == "query_now":
        moment = b.constant(statement.value, "query_now", T.DATETIME)
        if moment is not None:
            b.now = moment


# ---- declare query_parameters -----------------------------------------------------------------


def _parameter(b: Inside, p: syntax.Parameter) -> None:
    """What the caller gave under that name, of the declared type; else the default (else KQL401)."""
    assert p.type is not None  # the parser takes no tables here
    entry = b.scope.find(p.name)
    given = entry.expr if isinstance(entry, ScalarEntry) else b.outside(p.name)
    if isinstance(given, Const):
        b.scope.entries[p.name] = ScalarEntry(Const(p.type, _fitted(given, p), given.span))
    elif p.default is not None:
        value = b.convert(b.fold(b.expr(p.default, ONE_ROW)), p.type)
        b.scope.entries[p.name] = ScalarEntry(b.fold(value))
    else:
        raise diagnostics.parameter_missing(p.name, p.type.value, p.span)


def _fitted(given: Const, p: syntax.Parameter) -> Any:
    """The value of a parameter as its declared type, nothing lost (else KQL402)."""
    value, have, want = given.value, given.type, p.type
    assert want is not None
    if have is want:
        return value
    if value is None:
        return "" if want is T.STRING else None
    found = None
    if have is T.STRING:
        found = _from_text(str(value), want)
        if found is _NULL:
            return None
    elif want in (T.STRING, T.DYNAMIC):
        found = python_cast(value, have, want)
    elif have in _NUMBERS and want in _NUMBERS:
        found = python_cast(value, have, want)
        # A conversion drops fractions and wraps what is too large; of a parameter that would be another value.
        found = found if want not in (T.INT, T.LONG) or found == value else None
    if found is None:
        shown = repr(value) if have is T.STRING else f"{have.value} {value!r}"
        raise diagnostics.parameter_unfit(p.name, want.value, shown[:80], p.span)
    return str(found) if want is T.DECIMAL else found


_NULL = object()


def _from_text(text: str, want: ScalarType) -> Any:
    """A text from a command line as a value: `5`, `2024-01-01`, `datetime(2024-01-01)`, `null`."""
    if want is T.DYNAMIC:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    m = _LITERAL.fullmatch(text)
    if m and parse_type(m[1]) is want:
        text = m[2]
    text = text.strip()
    return _NULL if text == "null" else python_cast(text, T.STRING, want)
