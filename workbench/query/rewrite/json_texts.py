"""Comparisons of a path with constant texts read only the rows whose JSON can hold such a text.

`tostring(d.a.b) == "x"` is false wherever the JSON text of `d` has no `x` in it, and looking for that
costs a small part of what reading JSON costs. The call `<path text>` gives "" for such rows, so a
comparison that is false of "" (and true if it is negated) has the same answer as before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions.matching import escaped
from workbench.query.plan import Call, Const, Expr, Filter, Project, Rel, map_columns, map_expr, map_inputs

T = ScalarType
_TEXTS = frozenset({"==", "!=", "=~", "!~"}) | {
    sign + name + suffix
    for sign in ("", "!")
    for name in ("has", "hasprefix", "hassuffix", "contains", "startswith", "endswith")
    for suffix in ("", "_cs")
}
_LISTS = frozenset({"in", "in~", "has_any", "has_all"})
# What JSON can write in more than one way: \u0041 for a letter, \/ for a slash.
_OTHERWISE = r"\\u[0-9a-f]{4}|\\/"
_NUMERIC = frozenset("0123456789.eE+-")


def json_texts(rel: Rel) -> Rel:
    """The rule, for conditions and computed columns."""
    rel = map_inputs(rel, json_texts)
    if isinstance(rel, Filter):
        condition = map_expr(rel.condition, quick)
        return rel if condition is rel.condition else replace(rel, condition=condition)
    if isinstance(rel, Project):
        return map_columns(rel, lambda e: map_expr(e, quick))
    return rel


def quick(expr: Expr) -> Expr:
    """The comparison over `<path text>`; `expr` itself where it is none of this kind."""
    if not isinstance(expr, Call) or len(expr.args) != 2:
        return expr
    left, right = expr.args
    if expr.function in ("==", "!=") and isinstance(left, Const):
        left, right = right, left
    texts = _constants(expr.function, right)
    path = _path(left)
    if path is None or texts is None or not all(map(_plain, texts)):
        return expr
    pattern = Const(T.STRING, _pattern(texts))
    quick = Call(T.STRING, "<path text>", (*path.args, pattern), (None, None, None), path.span)
    return replace(expr, args=(quick, right), types=(None, *expr.types[1:]) if expr.types else ())


def _constants(function: str, right: Expr) -> list[Any] | None:
    if not isinstance(right, Const):
        return None
    if function in _TEXTS and right.type is T.STRING:
        return [right.value]
    if function in _LISTS and isinstance(right.value, list) and right.value:
        return right.value
    return None


def _path(expr: Expr) -> Call | None:
    """The path that an expression gives as text."""
    if isinstance(expr, Call) and expr.type is T.STRING and expr.function in ("tostring", "convert"):
        expr = expr.args[0]
    return expr if isinstance(expr, Call) and expr.function == "<path>" else None


def _plain(text: Any) -> bool:
    """Whether a text that a value contains stands in its JSON too.

    Not so for numbers (1e2 is the text 100.0) and for what may be the form of an array or a bag.
    """
    return (
        isinstance(text, str)
        and text != ""
        and text.isascii()
        and text.isprintable()
        and not any(c in '{}[],"' for c in text)
        and not text.startswith(":")
        and not all(c in _NUMERIC for c in text)
        and text.lower() not in "-infinity"
    )


def _pattern(texts: list[str]) -> str:
    """Finds JSON that may hold one of the texts: as it is, or escaped."""
    forms = {f for t in texts for f in (t, t.replace("\\", "\\\\"))}
    return f"(?i)(?:{'|'.join(sorted(escaped(f) for f in forms))}|{_OTHERWISE})"
