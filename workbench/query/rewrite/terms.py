"""Conditions on texts reach the scans as conditions on terms, so that they can skip files by the index.

A row for which `has "foo"` is true has the term `foo` in a text of its data file, and so for every test
that wants certain text. What a condition asks so goes to the scan below it; the condition itself stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.base.terms import NOTHING, Terms, all_of, any_of, leaves, whole_terms
from workbench.query.functions import FUNCTIONS
from workbench.query.functions.purity import movable
from workbench.query.plan import (
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Project,
    Rel,
    Scan,
    TopRows,
    Union,
    map_inputs,
    walk,
)
from workbench.query.rewrite.regex_terms import regex_terms

T = ScalarType
# Whether the text's start and end are known to be borders of terms in what the test is true of.
_TESTS = {
    "==": (True, True),
    "=~": (True, True),
    "has": (True, True),
    "hasprefix": (True, False),
    "hassuffix": (False, True),
    "startswith": (True, False),
    "endswith": (False, True),
    "contains": (False, False),
}
_INDEXED = (T.STRING, T.DYNAMIC, T.GUID)
# The terms that a value of another type can have as text.
_SIGNS = {
    **dict.fromkeys((T.INT, T.LONG, T.TIMESPAN), re.compile("[0-9]+")),
    **dict.fromkeys((T.REAL, T.DECIMAL), re.compile("[0-9e]+|nan|infinity")),
    T.DATETIME: re.compile("[0-9tz]+"),
    T.BOOL: re.compile("true|false"),
}

Above = tuple[Filter | Project, ...]
"""What stands between the top and a relation, the uppermost first."""


def push_terms(rel: Rel) -> Rel:
    """The rule."""
    return _into(rel, ())


def _into(rel: Rel, above: Above) -> Rel:
    if isinstance(rel, Scan):
        filters = [(i, f) for i, f in enumerate(above) if isinstance(f, Filter)]
        return _told(rel, all_of(_Row(above[i + 1 :], rel).terms(f.condition) for i, f in filters))
    if isinstance(rel, Filter):
        # Where a condition may stop the query or looks at other rows, no row below it may be left out.
        own = (*above, rel) if movable(rel.condition) else ()
        return map_inputs(rel, lambda r: _into(r, own))
    if isinstance(rel, Project):
        below = (*above, rel) if all(movable(e) for _, e in rel.columns) else ()
        return map_inputs(rel, lambda r: _into(r, below))
    if isinstance(rel, Union):
        return map_inputs(rel, lambda r: _into(r, above))
    if isinstance(rel, TopRows):
        return _top_rows(rel)
    return map_inputs(rel, lambda r: _into(r, ()))


def _top_rows(rel: TopRows) -> Rel:
    """What the narrow part has found lies in files that it has read."""
    narrow, wide = _into(rel.narrow, ()), _into(rel.wide, ())
    scans = [r for r in walk(narrow) if isinstance(r, Scan)]
    if len(scans) == 1 and scans[0].terms is not None:
        wide = _everywhere(wide, scans[0])
    return rel if narrow is rel.narrow and wide is rel.wide else replace(rel, narrow=narrow, wide=wide)


def _everywhere(rel: Rel, scan: Scan) -> Rel:
    if isinstance(rel, Scan):
        return _told(rel, scan.terms) if rel.table == scan.table else rel
    return map_inputs(rel, lambda r: _everywhere(r, scan))


def _told(scan: Scan, terms: Terms | None) -> Scan:
    together = all_of((scan.terms, terms))
    return scan if together == scan.terms else replace(scan, terms=together)


@dataclass(frozen=True, slots=True)
class _Row:
    """The rows of a scan as a condition sees them: through the projections between the two."""

    between: Above
    scan: Scan

    def terms(self, condition: Expr) -> Terms | None:
        """What a file must hold for the condition to be true of one of its rows."""
        if isinstance(condition, Const):
            return None if condition.value else NOTHING
        if not isinstance(condition, Call):
            return None
        if condition.function == "and":
            return all_of(self.terms(a) for a in condition.args)
        if condition.function == "or":
            return any_of(self.terms(a) for a in condition.args)
        asked = _asked(condition)
        if asked is None:
            return None
        subject, terms = asked
        source = self._source(subject, self.between)
        if terms is None or source is None or source in _INDEXED:
            return None if source is None else terms
        return None if all(_SIGNS[source].fullmatch(t) for t in leaves(terms)) else NOTHING

    def _source(self, expr: Expr, between: Above) -> ScalarType | None:
        """The type of the stored column whose text, or a part of it, is the text of `expr`."""
        if isinstance(expr, Col):
            return self._follow(expr, between, self._source)
        if not isinstance(expr, Call):
            return None
        name = _name(expr)
        if name in ("<path>", "<path text>"):
            return self._json(expr.args[0], between)
        if name in ("convert", "tostring", "tolower") and expr.type is T.STRING:
            return self._source(expr.args[0], between)
        return None

    def _json(self, expr: Expr, between: Above) -> ScalarType | None:
        """The type of the stored column whose JSON, read once, `expr` is or is a part of."""
        if isinstance(expr, Col):
            return self._follow(expr, between, self._json)
        if isinstance(expr, Call) and _name(expr) == "<path>":
            return self._json(expr.args[0], between)
        if isinstance(expr, Call) and _name(expr) == "parse_json":
            return T.STRING if self._stored(expr.args[0], between) is T.STRING else None
        return None

    def _stored(self, expr: Expr, between: Above) -> ScalarType | None:
        """The type of the stored column that `expr` is, as it is."""
        return self._follow(expr, between, self._stored) if isinstance(expr, Col) else None

    def _follow(
        self, column: Col, between: Above, what: Callable[[Expr, Above], ScalarType | None]
    ) -> ScalarType | None:
        """`what` of the expression that a column is, down to the column of the scan."""
        rest = between
        while rest:
            *others, nearest = rest
            rest = tuple(others)
            if isinstance(nearest, Project):
                value = dict(nearest.columns).get(column.name)
                return None if value is None else what(value, rest)
        found = self.scan.column(column.name)
        if found is None:
            return None
        # Of a path only the text itself is in the index: not what is read from it, nor another spelling.
        path = any(p.name == column.name for p in self.scan.paths)
        again = what == self._stored or found.type is T.GUID
        return None if path and again else found.type


def _name(call: Call) -> str:
    card = FUNCTIONS.get(call.function)
    return call.function if card is None else card.name


def _asked(test: Call) -> tuple[Expr, Terms | None] | None:
    """The text that is tested, and the terms that it has where the test is true."""
    if len(test.args) < 2:
        return None
    subject, wanted = test.args[:2]
    name = test.function.removesuffix("_cs")
    if name == "==" and isinstance(subject, Const):
        subject, wanted = wanted, subject
    if not isinstance(wanted, Const):
        return None
    if name in ("in", "in~", "has_any", "has_all") and isinstance(wanted.value, list):
        each = [_of(item) for item in wanted.value]
        if name == "has_all":
            return subject, all_of(each)
        return subject, any_of(each) if len(test.args) == 2 else None
    if name == "matches regex" and isinstance(wanted.value, str):
        return subject, regex_terms(wanted.value)
    if name not in _TESTS or wanted.type not in (T.STRING, T.GUID, T.INT, T.LONG):
        return None
    if name == "==" and (wanted.type is not T.STRING or subject.type not in (T.STRING, T.DYNAMIC)):
        return (subject, _of(wanted.value)) if subject.type is wanted.type is T.GUID else None
    starts, ends = _TESTS[name]
    return subject, _of(wanted.value, starts=starts, ends=ends)


def _of(value: Any, *, starts: bool = True, ends: bool = True) -> Terms | None:
    if type(value) is int:
        value = str(value)  # as the tests read it
    return whole_terms(value, starts=starts, ends=ends) if isinstance(value, str) else None
