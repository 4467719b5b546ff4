"""Scalar expressions of SQL as calls of KQL's cards, over the row of a SELECT."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.binder.scope import ScalarEntry
from workbench.query.functions._card import widest
from workbench.query.functions._cast import python_cast
from workbench.query.plan import Call, Col, Const, Expr, Values
from workbench.query.sql import casts, conditions, functions, subqueries, times, windows
from workbench.query.sql.asking import Asking

T = ScalarType


def bind(a: Asking, node: exp.Expr) -> Expr:
    """The typed expression of `node`."""
    node = node.unnest() if isinstance(node, exp.Paren) else node
    form = _FORMS.get(type(node))
    if form is not None:
        return form(a, node)
    condition = conditions.predicate(a, node)
    if condition is not None:
        return condition
    return functions.bind(a, node)


def plain(value: Any, type_: ScalarType) -> Any:
    """An item of a list from outside as a constant of `type_`."""
    kind = T.BOOL if isinstance(value, bool) else T.LONG if isinstance(value, int) else T.REAL if isinstance(value, float) else T.STRING  # fmt: skip
    return value if kind is type_ else python_cast(value, kind, type_)


# ---- names ------------------------------------------------------------------------------------


def _column(a: Asking, node: exp.Column) -> Expr:
    identifier = node.this
    if isinstance(identifier, exp.Star):
        raise diagnostics.misplaced(f"{node.sql()}", "an expression", a.span(node))
    parts = [p for p in node.parts if isinstance(p, exp.Identifier)]
    span = a.span(node)
    if len(parts) == 1:
        return _name(a, parts[0])
    first, *rest = parts
    if any(t.lower() == first.this.lower() for t in a.row.tables()):
        found = a.row.find(rest[0].this, first.this, rest[0].args.get("quoted") is True, span)
        if found is None:
            known = [f.name for f in a.row.fields if (f.table or "").lower() == first.this.lower()]
            raise diagnostics.unknown_column(rest[0].this, a.span(rest[0]), known)
        return path(a, Col(found.type, found.column, span), [p.this for p in rest[1:]], node)
    if a.row.find(first.this, None, first.args.get("quoted") is True, span) is None:
        _refuse_outer(a, rest[0].this, first.this, node)
        raise diagnostics.unknown_alias(first.this, a.span(first), a.row.tables())
    return path(a, _name(a, first), [p.this for p in rest], node)


def _name(a: Asking, identifier: exp.Identifier) -> Expr:
    name, span = identifier.this, a.span(identifier)
    found = a.row.find(name, None, identifier.args.get("quoted") is True, span)
    if found is not None:
        return Col(found.type, found.column, span)
    alias = a.aliases.get(name.lower())
    if alias is not None and name.lower() not in a.busy:
        a.busy.add(name.lower())
        try:
            return bind(a, alias)
        finally:
            a.busy.discard(name.lower())
    _refuse_outer(a, name, None, identifier)
    known = [f.name for f in a.row.fields if not f.hidden]
    variable = isinstance(a.b.hooks.outside(name), Const)
    raise diagnostics.unknown_column(name, span, known, variable)


def _refuse_outer(a: Asking, name: str, table: str | None, node: exp.Expr) -> None:
    """A name of the query around a subquery (SQL302)."""
    outer = a.parent
    while outer is not None:
        if outer.row.find(name, table, False, a.span(node)) is not None:
            raise diagnostics.correlated(f"{table}.{name}" if table else name, a.span(node))
        outer = outer.parent


def path(a: Asking, base: Expr, keys: list[Any], node: exp.Expr) -> Expr:
    """The value at `keys` of a dynamic column, or of a text that holds JSON."""
    if not keys:
        return base
    span = a.span(node)
    if base.type is T.STRING:
        base = a.call("parse_json", base, span=span)
    if base.type is not T.DYNAMIC:
        raise diagnostics.unlike_types("a path", base.type.value, "dynamic", span)
    if isinstance(base, Call) and base.function == "<path>" and isinstance(base.args[1], Const):
        keys = [*base.args[1].value, *keys]
        base = base.args[0]
    return Call(T.DYNAMIC, "<path>", (base, Const(T.DYNAMIC, keys)), (None, None), span)


def _dot(a: Asking, node: exp.Dot) -> Expr:
    if isinstance(node.expression, exp.Identifier):
        return path(a, bind(a, node.this), [node.expression.this], node)
    raise diagnostics.not_taken(f"{node.sql()}", a.span(node), "call the function by its name alone")


def _bracket(a: Asking, node: exp.Bracket) -> Expr:
    base = bind(a, node.this)
    keys = [bind(a, e) for e in node.expressions]
    folded = [a.constant(k) for k in keys]
    steps = [k.value for k in folded if k is not None]
    if len(steps) != len(keys):
        dynamic = a.call("parse_json", base) if base.type is T.STRING else base
        return a.call("element", dynamic, keys[0], span=a.span(node))
    return path(a, base, steps, node)


def _json(a: Asking, node: exp.Expr) -> Expr:
    """`->`, `->>` and JSON_EXTRACT: a path, and the text at it where it is asked for."""
    base = bind(a, node.args["this"])
    where = node.args["expression"]
    if isinstance(where, exp.JSONPath):
        keys: list[Any] = []
        for step in where.expressions:
            if isinstance(step, exp.JSONPathKey | exp.JSONPathSubscript) and isinstance(step.this, str | int):
                keys.append(step.this)
            elif not isinstance(step, exp.JSONPathRoot):
                raise diagnostics.not_taken("this JSON path", a.span(node), "names and numbers: $.a.b[0]")
        made = path(a, base, keys, node)
    else:
        known = a.constant(bind(a, where))
        if known is None:
            raise diagnostics.not_constant("the path into JSON", a.span(node))
        keys = [k for k in str(known.value).removeprefix("$").split(".") if k] if isinstance(known.value, str) else [known.value]  # fmt: skip
        made = path(a, base, keys, node)
    scalar = isinstance(node, exp.JSONExtractScalar | exp.JSONBExtractScalar)
    return a.call("tostring", made, span=a.span(node)) if scalar else made


def _parameter(a: Asking, node: exp.Expr) -> Expr:
    """`:name` or `$name`: a parameter or a variable of the caller, as a typed constant."""
    given = node.args.get("this")
    name = given if isinstance(given, str) else given.name if isinstance(given, exp.Expr) else ""
    span = _written(a, name) or a.span(node)
    if not name or name.isdigit():
        raise diagnostics.parameter_without_name(span)
    entry = a.b.scope.find(name)
    if isinstance(entry, ScalarEntry):
        return entry.expr
    found = a.b.outside(name)
    if isinstance(found, Values):
        raise diagnostics.parameter_is_table(name, span)
    if found is None:
        raise diagnostics.unknown_parameter(name, span)
    return Const(found.type, found.value, span)


def _written(a: Asking, name: str) -> Span | None:
    """Where a parameter stands in the text: its tree has no place."""
    sign = rf"[:$@]{re.escape(name)}\b" if name else r"\?"
    found = re.search(sign, a.whole.text)
    return Span(*found.span()) if found else None


# ---- constants --------------------------------------------------------------------------------


def _literal(a: Asking, node: exp.Literal) -> Expr:
    span = a.span(node)
    if node.is_string:
        return Const(T.STRING, node.this, span)
    text = node.this.replace("_", "")
    try:
        whole = int(text)
    except ValueError:
        return Const(T.REAL, float(text), span)
    return Const(T.LONG, whole, span) if -(2**63) <= whole < 2**63 else Const(T.REAL, float(whole), span)


def _hex(a: Asking, node: exp.HexString) -> Expr:
    return Const(T.LONG, int(node.this, 16), a.span(node))


def _null(a: Asking, node: exp.Null) -> Expr:
    return Const(T.LONG, None, a.span(node))


def _boolean(a: Asking, node: exp.Boolean) -> Expr:
    return Const(T.BOOL, bool(node.this), a.span(node))


def _tuple(a: Asking, node: exp.Expr) -> Expr:
    if isinstance(node, exp.Tuple) and len(node.expressions) == 1:
        return bind(a, node.expressions[0])
    if isinstance(node, exp.Array | exp.List):
        return a.kql("pack_array", [bind(a, e) for e in node.expressions], a.span(node))
    raise diagnostics.misplaced("a row of values", "an expression", a.span(node))


# ---- operators --------------------------------------------------------------------------------


def _arithmetic(a: Asking, node: exp.Binary) -> Expr:
    sign = "+" if isinstance(node, exp.Add) else "-" if isinstance(node, exp.Sub) else "*"
    moved = times.shifted(a, node, sign)
    if moved is not None:
        return moved
    left, right = number(a, bind(a, node.this)), number(a, bind(a, node.expression))
    return a.call(sign, left, right, span=a.span(node))


def number(a: Asking, expr: Expr) -> Expr:
    """Operand of arithmetic: a value of JSON counts as a real, a null as whatever it meets."""
    return a.b.convert(expr, T.REAL) if expr.type is T.DYNAMIC else expr


def _divided(a: Asking, node: exp.Expr) -> Expr:
    left, right = number(a, bind(a, node.args["this"])), number(a, bind(a, node.args["expression"]))
    whole = left.type in (T.LONG, T.INT) and right.type in (T.LONG, T.INT)
    if isinstance(node, exp.IntDiv) and not whole:
        left, right, whole = a.b.convert(left, T.LONG), a.b.convert(right, T.LONG), True
    if whole and isinstance(node, exp.Div) and not node.args.get("typed"):
        left = a.b.convert(left, T.REAL)
    found = a.call("/", left, right, span=a.span(node))
    if found.type in (T.REAL, T.DECIMAL):
        zero = a.call("==", right, Const(right.type, 0 if right.type is not T.REAL else 0.0))
        return a.null_where(zero, found)
    return found


def _remainder(a: Asking, node: exp.Mod) -> Expr:
    """What division leaves, with the sign of the left side."""
    left, right = number(a, bind(a, node.this)), number(a, bind(a, node.expression))
    quotient = a.call("/", left, right, span=a.span(node))
    if quotient.type not in (T.LONG, T.INT):
        quotient = a.call("iff", a.call("<", quotient, Const(T.REAL, 0.0)), a.call("ceiling", quotient), a.call("floor", quotient, Const(T.REAL, 1.0)))  # fmt: skip
    return a.call("-", left, a.call("*", right, quotient), span=a.span(node))


def _negative(a: Asking, node: exp.Neg) -> Expr:
    inner = number(a, bind(a, node.this))
    if isinstance(inner, Const) and inner.value is not None and inner.type.is_number and inner.type is not T.DECIMAL:  # fmt: skip
        return Const(inner.type, -inner.value, a.span(node))
    return a.call("unary -", inner, span=a.span(node))


def _joined_text(a: Asking, node: exp.DPipe) -> Expr:
    parts = [bind(a, n) for n in node.flatten()]
    made = a.kql("strcat", parts, a.span(node))
    return a.null_where(a.any_of([a.null_of(p) for p in parts]), made)


def _bits(name: str) -> Callable[[Asking, Any], Expr]:
    def form(a: Asking, node: exp.Binary) -> Expr:
        return a.call(name, bind(a, node.this), bind(a, node.expression), span=a.span(node))

    return form


# ---- choosing ---------------------------------------------------------------------------------


def together(a: Asking, values: list[Expr], where: str, node: exp.Expr) -> list[Expr]:
    """Values in the one type that all convert to; nulls take it."""
    kinds = {v.type for v in values if not (isinstance(v, Const) and v.value is None)}
    if not kinds:
        return values
    common = widest(kinds)
    if common is None:
        strong = kinds - {T.STRING}
        if T.DYNAMIC in kinds:
            common = T.STRING if T.STRING in kinds else T.DYNAMIC
        elif len(strong) == 1 and all(isinstance(v, Const) for v in values if v.type is T.STRING):
            common = next(iter(strong))
        else:
            first, second, *_ = sorted(k.value for k in kinds)
            raise diagnostics.unlike_types(where, first, second, a.span(node))
    return [
        conditions.aligned(a, Col(common, ""), v, node)[1] if isinstance(v, Const) and v.type is T.STRING
        else a.b.convert(v, common) if not (isinstance(v, Const) and v.value is None)
        else Const(common, None, v.span)
        for v in values
    ]  # fmt: skip


def chosen(a: Asking, arms: list[tuple[Expr, Expr]], otherwise: Expr, node: exp.Expr) -> Expr:
    """The value behind the first condition that is true."""
    values = together(a, [v for _, v in arms] + [otherwise], "CASE", node)
    result = values[-1]
    for (condition, _), value in zip(reversed(arms), reversed(values[:-1]), strict=True):
        result = a.call("iff", condition, value, result, span=a.span(node))
    return result


def _case(a: Asking, node: exp.Case) -> Expr:
    arms = []
    for arm in node.args["ifs"]:
        test = arm.this
        if node.this is not None:
            test = exp.EQ(this=node.this.copy(), expression=test.copy())
            test.parent = node
        arms.append((conditions.truth(a, test), bind(a, arm.args["true"])))
    default = node.args.get("default")
    return chosen(a, arms, bind(a, default) if default is not None else Const(T.LONG, None), node)


def _if(a: Asking, node: exp.If) -> Expr:
    default = node.args.get("false")
    otherwise = bind(a, default) if default is not None else Const(T.LONG, None)
    return chosen(a, [(conditions.truth(a, node.this), bind(a, node.args["true"]))], otherwise, node)


def _coalesce(a: Asking, node: exp.Coalesce) -> Expr:
    values = together(a, [bind(a, n) for n in (node.this, *node.expressions)], "COALESCE", node)
    result = values[-1]
    for value in reversed(values[:-1]):
        null = a.null_of(value)
        result = value if null is None else a.call("iff", null, result, value, span=a.span(node))
    return result


def _nullif(a: Asking, node: exp.Nullif) -> Expr:
    left, right = conditions.aligned(a, bind(a, node.this), bind(a, node.expression), node)
    equal = a.call("coalesce", a.call("==", left, right), Const(T.BOOL, False))
    return a.null_where(equal, left)


def _star(a: Asking, node: exp.Expr) -> Expr:
    raise diagnostics.misplaced("'*'", "an expression", a.span(node), "count(*), or SELECT *")


def _alias(a: Asking, node: exp.Alias) -> Expr:
    return bind(a, node.this)


_FORMS: dict[type, Callable[[Asking, Any], Expr]] = {
    exp.Column: _column, exp.Dot: _dot, exp.Bracket: _bracket, exp.Identifier: _name, exp.Star: _star, exp.Alias: _alias,
    exp.JSONExtract: _json, exp.JSONExtractScalar: _json, exp.JSONBExtract: _json, exp.JSONBExtractScalar: _json,
    exp.Placeholder: _parameter, exp.Parameter: _parameter, exp.SessionParameter: _parameter,
    exp.Literal: _literal, exp.National: _literal, exp.RawString: lambda a, n: Const(T.STRING, n.this, a.span(n)), exp.HexString: _hex,
    exp.Null: _null, exp.Boolean: _boolean, exp.Tuple: _tuple, exp.Array: _tuple, exp.List: _tuple,
    exp.Add: _arithmetic, exp.Sub: _arithmetic, exp.Mul: _arithmetic, exp.Div: _divided, exp.IntDiv: _divided,
    exp.Mod: _remainder, exp.Neg: _negative, exp.DPipe: _joined_text,
    exp.BitwiseAnd: _bits("binary_and"), exp.BitwiseOr: _bits("binary_or"), exp.BitwiseXor: _bits("binary_xor"),
    exp.BitwiseLeftShift: _bits("binary_shift_left"), exp.BitwiseRightShift: _bits("binary_shift_right"),
    exp.Case: _case, exp.If: _if, exp.Coalesce: _coalesce, exp.Nullif: _nullif,
    exp.Cast: casts.cast, exp.TryCast: casts.cast, exp.Interval: times.interval,
    exp.Subquery: subqueries.scalar, exp.Select: subqueries.scalar, exp.Union: subqueries.scalar,
    exp.Window: windows.bind, exp.AtTimeZone: times.in_zone,
}  # fmt: skip
