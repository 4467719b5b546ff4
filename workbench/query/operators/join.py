"""`join`: rows of two tables that share keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Call, Col, Expr, Filter, Join, Project, Rel, columns_of, unique

KINDS = {
    "inner": "inner", "innerunique": "innerunique", "leftouter": "leftouter", "rightouter": "rightouter",
    "fullouter": "fullouter", "leftsemi": "leftsemi", "rightsemi": "rightsemi", "leftanti": "leftanti",
    "anti": "leftanti", "leftantisemi": "leftanti", "rightanti": "rightanti", "rightantisemi": "rightanti",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class JoinSyntax(syntax.Operator):
    right: syntax.Expression
    kind: str
    on: tuple[syntax.Expression, ...]


@operator("join", syntax="join [kind=KIND] (TABLE) on KEY, …|$left.A == $right.B")
class JoinOperator:
    """Rows of both sides with equal keys. The default kind keeps one left row a key."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> JoinSyntax:
        options = p.options("join", ("kind", "withsource"))
        kind = str(options.get("kind", "innerunique"))
        if kind not in KINDS:
            raise diagnostics.bad_option(kind, "join", p.last_span, KINDS)
        right = p.pipeline_or_expression() if not p.peek().is_mark("(") else p.expression()
        on: list[syntax.Expression] = []
        if p.accept_word("on"):
            on = p.list_of(p.expression)
        elif p.accept_word("where"):
            on = [p.expression()]
        else:
            hint = "name the keys: on A, B or on $left.A == $right.B"
            raise diagnostics.expected("'on'", p.peek().shown, p.peek().span, hint)
        return JoinSyntax(keyword.span.to(p.last_span), "join", right, KINDS[kind], tuple(on))

    @staticmethod
    def bind(s: JoinSyntax, source: Rel, b: BinderApi) -> Rel:
        right = b.table(s.right)
        left, right, on = keys(s.on, source, right, b)
        return joined(left, right, s.kind, on)


def keys(nodes: tuple[syntax.Expression, ...], left: Rel, right: Rel, b: BinderApi) -> tuple[Rel, Rel, list[tuple[str, str]]]:  # fmt: skip
    """Both sides with the key columns that the conditions name, converted to one type."""
    on: list[tuple[str, str]] = []
    for node in _conditions(nodes):
        if isinstance(node, syntax.Name):
            for side in (left, right):
                if side.column(node.name) is None:
                    raise diagnostics.unknown_column(
                        node.name, node.span, [c.name for c in side.schema if not c.hidden]
                    )
            a: syntax.Expression = node
            c: syntax.Expression = node
        elif isinstance(node, syntax.Binary) and node.operator == "==":
            a, c = node.left, node.right
            if _side(a) == "$right" or _side(c) == "$left":
                a, c = c, a
        else:
            raise diagnostics.expected("a column or $left.A == $right.B", "another condition", node.span)
        left, left_name = _key(left, b.expr(a, left), f"__lkey{len(on)}")
        right, right_name = _key(right, b.expr(c, right), f"__rkey{len(on)}")
        left, right, left_name, right_name = _same_type(left, right, left_name, right_name, len(on), b)
        on.append((left_name, right_name))
    return left, right, on


def _conditions(nodes: tuple[syntax.Expression, ...]) -> list[syntax.Expression]:
    found: list[syntax.Expression] = []
    for node in nodes:
        if isinstance(node, syntax.Binary) and node.operator == "and":
            found += _conditions((node.left, node.right))
        else:
            found.append(node)
    return found


def _side(node: syntax.Expression) -> str | None:
    if isinstance(node, syntax.Member) and isinstance(node.base, syntax.Name):
        return node.base.name
    return None


def _key(rel: Rel, expr: Expr, name: str) -> tuple[Rel, str]:
    if isinstance(expr, Col):
        return rel, expr.name
    return _with(rel, name, expr), name


def _with(rel: Rel, name: str, expr: Expr) -> Rel:
    columns = tuple((c.name, Col(c.type, c.name)) for c in rel.schema)
    return Project((*rel.schema, Column(name, expr.type, True)), rel, (*columns, (name, expr)))


def _same_type(left: Rel, right: Rel, a: str, c: str, number: int, b: BinderApi) -> tuple[Rel, Rel, str, str]:
    x, y = left.column(a), right.column(c)
    assert x is not None
    assert y is not None
    if x.type is y.type:
        return left, right, a, c
    order = [ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL]
    if x.type in order and y.type in order:
        together = max(x.type, y.type, key=order.index)
    elif x.type is ScalarType.DYNAMIC:
        together = y.type
    elif y.type is ScalarType.DYNAMIC:
        together = x.type
    else:
        together = ScalarType.STRING
    if x.type is not together:
        left = _with(left, f"__lcast{number}", b.convert(Col(x.type, a), together))
        a = f"__lcast{number}"
    if y.type is not together:
        right = _with(right, f"__rcast{number}", b.convert(Col(y.type, c), together))
        c = f"__rcast{number}"
    return left, right, a, c


def behind_unique(join: Join, condition: Expr, b: BinderApi) -> Rel:
    """The filter of a `where` right behind an innerunique join.

    What it asks of left columns alone is asked before one left row a key is chosen, as Kusto does: a row that it would
    keep is not lost to another one of its key.
    """
    names = {new: old for old, new in join.left_names}
    keys = {key for key, _ in join.on}
    # What it asks of keys alone holds for all rows of a key or for none: it may stay, and is pushed to both sides.
    before = [
        c
        for c in _conjuncts(condition)
        if b.movable(c) and all(names.get(n) == n for n in columns_of(c)) and not columns_of(c) <= keys
    ]
    if before:
        left = Filter(join.left.schema, join.left, _all(before))
        join = replace(join, left=left)
    after = [c for c in _conjuncts(condition) if c not in before]
    return Filter(join.schema, join, _all(after)) if after else join


def _conjuncts(condition: Expr) -> list[Expr]:
    if isinstance(condition, Call) and condition.function == "and":
        return [c for argument in condition.args for c in _conjuncts(argument)]
    return [condition]


def _all(conditions: list[Expr]) -> Expr:
    kinds = (ScalarType.BOOL, ScalarType.BOOL)
    return reduce(lambda a, c: Call(ScalarType.BOOL, "and", (a, c), kinds), conditions)


def joined(left: Rel, right: Rel, kind: str, on: list[tuple[str, str]], *, drop_keys: bool = False) -> Rel:
    """The join with its output columns: left as they are, right ones numbered where names clash."""
    one_side = {"leftsemi": left, "leftanti": left, "rightsemi": right, "rightanti": right}.get(kind)
    if one_side is not None:
        names = tuple((c.name, c.name) for c in one_side.schema if not c.name.startswith("__"))
        schema = tuple(c for c in one_side.schema if not c.name.startswith("__"))
        first = one_side is left
        return Join(schema, left, right, kind, tuple(on), names if first else (), () if first else names)
    taken = {c.name for c in left.schema if not c.name.startswith("__")}
    taken |= {c.name for c in right.schema}
    output: list[Column] = [c for c in left.schema if not c.name.startswith("__")]
    left_names = [(c.name, c.name) for c in output]
    used = {c.name for c in output}
    right_names: list[tuple[str, str]] = []
    right_keys = {r for _, r in on}
    for c in right.schema:
        if c.name.startswith("__") or (drop_keys and c.name in right_keys):
            continue
        name = c.name
        if name in used:
            if c.hidden:
                continue  # the system columns of the left side stand for the row
            name = unique(name, taken | used)
        used.add(name)
        right_names.append((c.name, name))
        output.append(Column(name, c.type, c.hidden))
    return Join(tuple(output), left, right, kind, tuple(on), tuple(left_names), tuple(right_names))
