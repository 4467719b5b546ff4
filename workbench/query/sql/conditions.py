"""Conditions in SQL's logic of three values: true, false, and null where a side is null.

`value` gives exactly that. `truth` gives what is true just where the condition is, which is all that a filter
asks, in the form that files are skipped by; `falsity` the same for NOT.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions._cast import python_cast
from workbench.query.plan import Call, Const, Expr
from workbench.query.sql import expressions, subqueries
from workbench.query.sql.asking import Asking

T = ScalarType
COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "==", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_TRUE, _FALSE = Const(T.BOOL, True), Const(T.BOOL, False)


def truth(a: Asking, node: exp.Expr) -> Expr:
    """A condition that is true where `node` is, and false or null elsewhere."""
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or):
        parts = [truth(a, n) for n in node.flatten()]
        return (a.all_of(parts) if isinstance(node, exp.And) else a.any_of(parts)) or _TRUE
    if isinstance(node, exp.Not):
        return falsity(a, node.this)
    if isinstance(node, exp.EQ | exp.NEQ):
        left, right = _sides(a, node)
        found = a.call(COMPARISONS[type(node)], left, right, span=a.span(node))
        known = a.known(left, right, text_only=isinstance(node, exp.EQ))
        return a.all_of([found, *known]) or found
    if isinstance(node, exp.In):
        listed, _ = _listed(a, node)
        return a.all_of([listed, *a.known(listed.args[0], text_only=True)]) or listed
    return value(a, node)


def falsity(a: Asking, node: exp.Expr) -> Expr:
    """A condition that is true where `node` is false, and false or null elsewhere."""
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or):
        parts = [falsity(a, n) for n in node.flatten()]
        return (a.any_of(parts) if isinstance(node, exp.And) else a.all_of(parts)) or _FALSE
    if isinstance(node, exp.Not):
        return truth(a, node.this)
    if isinstance(node, exp.EQ | exp.NEQ):
        other = exp.NEQ if isinstance(node, exp.EQ) else exp.EQ
        return truth(a, _moved(other(this=node.this.copy(), expression=node.expression.copy()), node))
    if isinstance(node, exp.In):
        listed, with_null = _listed(a, node)
        if with_null:
            return _FALSE
        return a.all_of([a.call("not", listed), *a.known(listed.args[0])]) or _TRUE
    return a.call("not", value(a, node))


def _moved(new: exp.Expr, old: exp.Expr) -> exp.Expr:
    new.parent = old.parent
    return new


def value(a: Asking, node: exp.Expr) -> Expr:
    """The condition with its null."""
    node = node.unnest()
    made = predicate(a, node)
    if made is not None:
        return made
    found = expressions.bind(a, node)
    if found.type is T.BOOL:
        return found
    if found.type is T.DYNAMIC or found.type.is_number:
        return a.b.convert(found, T.BOOL)
    if isinstance(found, Const) and found.value is None:
        return Const(T.BOOL, None)
    raise diagnostics.unlike_types("a condition", found.type.value, "bool", a.span(node))


def predicate(a: Asking, node: exp.Expr) -> Expr | None:
    """The value of `node` where it is a condition by its form; else None."""
    found = _predicate(a, node)
    inner = node.this if isinstance(node, exp.Escape) else node
    # Some forms say NOT in themselves: `x NOT LIKE y`.
    return a.call("not", found) if found is not None and inner.args.get("negate") else found


def _predicate(a: Asking, node: exp.Expr) -> Expr | None:
    if isinstance(node, exp.And | exp.Or):
        parts = [value(a, n) for n in node.flatten()]
        return a.all_of(parts) if isinstance(node, exp.And) else a.any_of(parts)
    if isinstance(node, exp.Not):
        return a.call("not", value(a, node.this))
    if type(node) in COMPARISONS:
        return _compared(a, node)
    if isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ):
        return _null_safe(a, node)
    if isinstance(node, exp.Between):
        return _between(a, node)
    if isinstance(node, exp.In):
        listed, with_null = _listed(a, node)
        null = a.null_of(listed.args[0])
        if with_null:
            null = a.any_of([null, a.call("not", listed)])
        return a.null_where(null, listed)
    if isinstance(node, exp.Is):
        return _is(a, node)
    if isinstance(node, exp.Escape | exp.Like | exp.ILike):
        return _like(a, node)
    if isinstance(node, exp.RegexpLike | exp.RegexpILike | exp.SimilarTo | exp.RegexpFullMatch):
        return _regex(a, node)
    if isinstance(node, exp.Exists):
        return subqueries.exists(a, node)
    return None


# ---- comparison -------------------------------------------------------------------------------


def _sides(a: Asking, node: exp.Expr) -> tuple[Expr, Expr]:
    left, right = node.args["this"], node.args["expression"]
    for side in (left, right):
        if isinstance(side, exp.Any | exp.All):
            raise diagnostics.not_taken(type(side).__name__.upper(), a.span(node), "write x IN (…)")
    return aligned(a, expressions.bind(a, left), expressions.bind(a, right), node)


def aligned(a: Asking, left: Expr, right: Expr, node: exp.Expr) -> tuple[Expr, Expr]:
    """Both sides in types that can be compared: a constant text becomes what the other side is."""
    if left.type is right.type:
        return left, right
    if isinstance(right, Const) and (right.type is T.STRING or right.value is None):
        return left, _as(a, right, left.type, node)
    if isinstance(left, Const) and (left.type is T.STRING or left.value is None):
        return _as(a, left, right.type, node), right
    if left.type is T.DYNAMIC:
        return a.b.convert(left, right.type), right
    if right.type is T.DYNAMIC:
        return left, a.b.convert(right, left.type)
    return left, right


def _as(a: Asking, constant: Const, type_: ScalarType, node: exp.Expr) -> Expr:
    if constant.value is None:
        return Const(type_, None, constant.span)
    if type_ is T.DYNAMIC:
        return constant
    found = python_cast(constant.value, T.STRING, type_)
    if found is None:
        raise diagnostics.unfit_text(str(constant.value), type_.value, constant.span if constant.span.end else a.span(node))  # fmt: skip
    return Const(type_, found, constant.span)


def _compared(a: Asking, node: exp.Expr) -> Expr:
    left, right = _sides(a, node)
    found = a.call(COMPARISONS[type(node)], left, right, span=a.span(node))
    if isinstance(node, exp.EQ | exp.NEQ):
        return a.null_where(a.any_of([a.null_of(left), a.null_of(right)]), found)
    texts = [a.null_of(e) for e in (left, right) if e.type is T.STRING]
    return a.null_where(a.any_of(texts), found)


def _null_safe(a: Asking, node: exp.Expr) -> Expr:
    left, right = _sides(a, node)
    x, y = a.null_of(left) or _FALSE, a.null_of(right) or _FALSE
    equal = a.call("==", left, right, span=a.span(node))
    neither = a.call("not", a.call("or", x, y))
    same = a.call("or", a.call("and", x, y), a.call("and", neither, a.call("coalesce", equal, _FALSE)))
    return a.call("not", same) if isinstance(node, exp.NullSafeNEQ) else same


def _between(a: Asking, node: exp.Between) -> Expr:
    low = _moved(exp.GTE(this=node.this.copy(), expression=node.args["low"].copy()), node)
    high = _moved(exp.LTE(this=node.this.copy(), expression=node.args["high"].copy()), node)
    return a.call("and", _compared(a, low), _compared(a, high))


def _is(a: Asking, node: exp.Is) -> Expr:
    what = node.expression
    if isinstance(what, exp.Null):
        return a.null_of(expressions.bind(a, node.this)) or _FALSE
    if isinstance(what, exp.Boolean):
        known = value(a, node.this)
        return a.call("coalesce", known if what.this else a.call("not", known), _FALSE)
    raise diagnostics.not_taken(f"IS {what.sql()}", a.span(node), "IS NULL, IS TRUE or IS FALSE")


# ---- lists ------------------------------------------------------------------------------------


def _listed(a: Asking, node: exp.In) -> tuple[Call, bool]:
    """The membership, never null, and whether the list has a null."""
    if isinstance(node.this, exp.Tuple):
        raise diagnostics.not_taken("a row of values before IN", a.span(node), "join the tables")
    tested = expressions.bind(a, node.this)
    if tested.type is T.DYNAMIC:
        tested = a.b.convert(tested, T.STRING)
    constants: list[object] = []
    others: list[Expr] = []
    with_null = False
    query = node.args.get("query")
    if query is not None:
        values = subqueries.column(a, query.unnest(), tested.type)
        with_null, constants = None in values, [v for v in values if v is not None]
    elif node.args.get("unnest") is not None or node.args.get("field") is not None:
        raise diagnostics.not_taken("IN without parentheses", a.span(node), "IN (…)")
    for item in node.expressions:
        bound = expressions.bind(a, item)
        whole = a.constant(bound)
        if whole is None:
            others.append(a.b.convert(aligned(a, tested, bound, item)[1], tested.type))
        elif isinstance(whole.value, list):
            constants += [expressions.plain(v, tested.type) for v in whole.value if v is not None]
            with_null |= None in whole.value
        elif whole.value is None:
            with_null = True
        elif whole.type.is_number and tested.type.is_number:
            kept = whole.type is T.REAL and not float(whole.value).is_integer()
            if not kept or tested.type in (T.REAL, T.DECIMAL):
                constants.append(python_cast(whole.value, whole.type, tested.type))
        elif whole.type is tested.type:
            constants.append(whole.value)
        else:
            constants.append(_constant(a, tested, whole, item))
    listed = Const(T.DYNAMIC, constants, a.span(node))
    args: Sequence[Expr] = (tested, listed, *others)
    return Call(T.BOOL, "in", tuple(args), (None,) * len(args), a.span(node)), with_null


def _constant(a: Asking, tested: Expr, whole: Const, item: exp.Expr) -> object:
    bound = a.constant(a.b.convert(aligned(a, tested, whole, item)[1], tested.type))
    if bound is None or bound.value is None:
        raise diagnostics.unlike_types("IN", tested.type.value, whole.type.value, a.span(item))
    return bound.value


# ---- patterns ---------------------------------------------------------------------------------


def _like(a: Asking, node: exp.Expr) -> Expr:
    escape: str | None = None
    if isinstance(node, exp.Escape):
        given = a.constant(expressions.bind(a, node.expression))
        escape = str(given.value) if given is not None and given.value is not None else None
        node = node.this
    ignoring = isinstance(node, exp.ILike)
    if isinstance(node.expression, exp.Any | exp.All):
        raise diagnostics.not_taken("LIKE ANY", a.span(node), "join several LIKE by OR")
    text = a.b.convert(expressions.bind(a, node.this), T.STRING)
    pattern = a.constant(expressions.bind(a, node.expression))
    if pattern is None:
        raise diagnostics.not_constant("the pattern of LIKE", a.span(node.expression))
    if pattern.value is None:
        return Const(T.BOOL, None)
    found = _matching(a, text, _pieces(str(pattern.value), escape), ignoring)
    return a.null_where(a.null_of(text), found)


def _pieces(pattern: str, escape: str | None) -> list[str]:
    """The pattern as literal texts and the wildcards `%` and `_` (each its own item, marked by NUL)."""
    pieces: list[str] = [""]
    at = 0
    escape = "\\" if escape is None else escape
    while at < len(pattern):
        c = pattern[at]
        if escape and c == escape and at + 1 < len(pattern):
            at += 1
            pieces[-1] += pattern[at]
        elif c in "%_":
            pieces += ["\0" + c, ""]
        else:
            pieces[-1] += c
        at += 1
    return [p for p in pieces if p]


def _matching(a: Asking, text: Expr, pieces: list[str], ignoring: bool) -> Expr:
    shape = ["%" if p == "\0%" else "_" if p == "\0_" else "x" for p in pieces]
    plain = next((p for p, s in zip(pieces, shape, strict=True) if s == "x"), "")
    suffix = "" if ignoring else "_cs"
    literal = Const(T.STRING, plain)
    match "".join(shape):
        case "" | "x":
            return a.call("=~" if ignoring else "==", text, literal)
        case "x%":
            return a.call(f"startswith{suffix}", text, literal)
        case "%x":
            return a.call(f"endswith{suffix}", text, literal)
        case "%x%":
            return a.call(f"contains{suffix}", text, literal)
    made = "".join(".*" if p == "\0%" else "." if p == "\0_" else re.escape(p) for p in pieces)
    flags = "(?is)" if ignoring else "(?s)"
    return a.call("matches regex", text, Const(T.STRING, rf"{flags}\A{made}\z"))


def _regex(a: Asking, node: exp.Expr) -> Expr:
    text = a.b.convert(expressions.bind(a, node.args["this"]), T.STRING)
    pattern = a.constant(expressions.bind(a, node.args["expression"]))
    if pattern is None or pattern.value is None:
        raise diagnostics.not_constant("the regular expression", a.span(node))
    written = str(pattern.value)
    if isinstance(node, exp.RegexpFullMatch):
        written = rf"\A(?:{written})\z"
    if isinstance(node, exp.SimilarTo):
        made = written.replace("%", ".*").replace("_", ".")
        written = rf"(?s)\A(?:{made})\z"
    if isinstance(node, exp.RegexpILike):
        written = f"(?i){written}"
    found = a.call("matches regex", text, Const(T.STRING, written))
    return a.null_where(a.null_of(text), found)
