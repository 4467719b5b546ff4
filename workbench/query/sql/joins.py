"""FROM and its joins: rows of two sides whose keys are equal, null keys with no partner."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query.functions._card import widest
from workbench.query.plan import Col, Const, Expr, Join, Rel, Serialize, Shared, columns_of
from workbench.query.sql import conditions, expressions
from workbench.query.sql.asking import Asking, Whole
from workbench.query.sql.rows import Field, Row, extended, filtered, same

T = ScalarType
_KINDS = {"": "inner", "INNER": "inner", "LEFT": "leftouter", "RIGHT": "rightouter", "FULL": "fullouter"}
Key = tuple[Expr, Expr]


def joined(whole: Whole, left: Row, right: Row, node: exp.Join, parent: Asking | None, wheres: list[exp.Expr]) -> Row:  # fmt: skip
    """The rows of `left JOIN right`. Of `wheres`, the conditions of WHERE, those that tie two tables
    of a comma or CROSS join are taken as its keys."""
    asking = Asking(whole, left, parent)
    span = asking.span(node)
    kind, side = (node.args.get("kind") or "").upper(), (node.args.get("side") or "").upper()
    if node.args.get("method") or kind not in ("", "INNER", "OUTER", "CROSS", "SEMI", "ANTI"):
        method = node.args.get("method") or kind
        raise diagnostics.not_taken(f"{method} JOIN", span, "JOIN … ON a.key = b.key, or USING (key)")
    for table in right.tables():
        if any(same(table, other) for other in left.tables()):
            raise diagnostics.alias_twice(table, asking.span(node.this))
    left, right, both = _apart(whole, left, right)
    using = [u for u in node.args.get("using") or () if isinstance(u, exp.Expr)]
    on = node.args.get("on")
    asking.row = both
    keys: list[Key] = []
    rest: list[exp.Expr] = []
    with asking.clause("ON"):
        if using:
            keys = [_using(asking, left, right, u) for u in using]
        elif on is not None:
            keys, rest = _split(asking, left, right, list(on.unnest().flatten()) if isinstance(on.unnest(), exp.And) else [on])  # fmt: skip
        elif side:
            raise diagnostics.not_taken(f"{side} JOIN without ON", span, "ON a.key = b.key, or USING (key)")
        else:
            ties: list[exp.Expr] = [w for w in wheres if isinstance(w.unnest(), exp.EQ)]
            keys, _ = _split(asking, left, right, ties, quiet=True)
    how = {"SEMI": "leftsemi", "ANTI": "leftanti"}.get(kind) or _KINDS[side]
    made = _made(asking, left, right, both, how, keys, rest, span)
    return _merged(asking, made, left, [u.name for u in using], how) if using else made


def _apart(whole: Whole, left: Row, right: Row) -> tuple[Row, Row, Row]:
    """Both sides with no column name in common, and the row of both."""
    taken = set(left.rel.names())
    clash = {c.name: whole.fresh("r") for c in right.rel.schema if c.name in taken}
    if clash:
        from workbench.query.plan import Project

        named = [(clash.get(c.name, c.name), c) for c in right.rel.schema]
        schema = tuple(Column(n, c.type, c.hidden) for n, c in named)
        rel = Project(schema, right.rel, tuple((n, Col(c.type, c.name)) for n, c in named))
        fields = (
            replace(
                f,
                column=clash.get(f.column, f.column),
                marker=clash.get(f.marker, f.marker) if f.marker else None,
            )
            for f in right.fields
        )
        right = Row(rel, tuple(fields))
    # Names of both are looked up at once; no rows are made of it.
    row = Rel((*left.rel.schema, *right.rel.schema))
    return left, right, Row(row, (*left.fields, *right.fields))


def _using(a: Asking, left: Row, right: Row, name: exp.Expr) -> Key:
    found = []
    for row in (left, right):
        field = row.find(name.name, None, False, a.span(name))
        if field is None:
            known = [f.name for f in row.fields if not f.hidden]
            raise diagnostics.unknown_column(name.name, a.span(name), known)
        found.append(Col(field.type, field.column, a.span(name)))
    return found[0], found[1]


def _split(a: Asking, left: Row, right: Row, terms: list[exp.Expr], quiet: bool = False) -> tuple[list[Key], list[exp.Expr]]:  # fmt: skip
    """The equalities between the sides, and what is left; `quiet`: terms may be about other tables."""
    from workbench.base.errors import WorkbenchError

    lefts, rights = set(left.rel.names()), set(right.rel.names())
    keys: list[Key] = []
    rest: list[exp.Expr] = []
    for term in terms:
        inner = term.unnest()
        if isinstance(inner, exp.EQ):
            if quiet and not all(isinstance(s, exp.Column) for s in (inner.this, inner.expression)):
                continue
            try:
                x, y = expressions.bind(a, inner.this), expressions.bind(a, inner.expression)
            except WorkbenchError as error:
                if quiet and error.code in ("SQL102", "SQL103", "SQL105", "SQL302"):
                    continue
                raise
            used, others = columns_of(x), columns_of(y)
            if used and others and used <= rights and others <= lefts:
                x, y, used, others = y, x, others, used
            if used and others and used <= lefts and others <= rights:
                keys.append(_alike(a, x, y, inner))
                continue
        rest.append(term)
    return keys, rest


def _alike(a: Asking, x: Expr, y: Expr, node: exp.Expr) -> Key:
    """Both keys in one type."""
    if x.type is y.type and x.type is not T.DYNAMIC:
        return x, y
    together = widest([x.type, y.type]) if T.DYNAMIC not in (x.type, y.type) else None
    if together is None:
        strong = [t for t in (x.type, y.type) if t is not T.DYNAMIC]
        together = strong[0] if len(set(strong)) == 1 else T.STRING
    return a.b.convert(x, together), a.b.convert(y, together)


def _made(a: Asking, left: Row, right: Row, both: Row, how: str, keys: list[Key], rest: list[exp.Expr], span) -> Row:  # type: ignore[no-untyped-def]  # fmt: skip
    condition = a.all_of([conditions.truth(a, t) for t in rest]) if rest else None
    rights = set(right.rel.names())
    lefts = set(left.rel.names())
    if (
        condition is not None
        and how in ("leftouter", "leftsemi", "leftanti")
        and columns_of(condition) <= rights
    ):
        right, condition = right.over(filtered(right.rel, condition)), None
    elif condition is not None and how == "rightouter" and columns_of(condition) <= lefts:
        left, condition = left.over(filtered(left.rel, condition)), None
    if how == "fullouter" and (condition is not None or not keys):
        raise diagnostics.not_taken(
            "FULL JOIN on more than equal keys", span, "put the other conditions into WHERE"
        )
    if how != "inner" and (condition is not None or not keys):
        return _numbered(a, left, right, both, how, keys, condition)
    left, right, on = _keyed(a, left, right, how, keys)
    if how in ("leftsemi", "leftanti"):
        names = tuple((c.name, c.name) for c in left.rel.schema)
        return left.over(Join(left.rel.schema, left.rel, right.rel, how, on, names, ()))
    left, right = _marked(a, left, right, how)
    schema = (*left.rel.schema, *right.rel.schema)
    names = tuple((c.name, c.name) for c in left.rel.schema)
    others = tuple((c.name, c.name) for c in right.rel.schema)
    rel: Rel = Join(schema, left.rel, right.rel, how, on, names, others)
    return Row(filtered(rel, condition), (*left.fields, *right.fields))


def _keyed(a: Asking, left: Row, right: Row, how: str, keys: list[Key]) -> tuple[Row, Row, tuple[tuple[str, str], ...]]:  # fmt: skip
    """Both sides with their keys as columns; rows whose key is null find no partner."""
    on: list[tuple[str, str]] = []
    added: tuple[list[tuple[str, Expr]], list[tuple[str, Expr]]] = ([], [])
    nulls: tuple[list[Expr | None], list[Expr | None]] = ([], [])
    for key in keys:
        names = []
        for place, expr in enumerate(key):
            null = a.null_of(expr)
            nulls[place].append(null)
            if isinstance(expr, Col):
                names.append(expr.name)
                continue
            names.append(a.whole.fresh("key"))
            added[place].append((names[-1], expr))
        on.append((names[0], names[1]))
    empty = [a.any_of(n) for n in nulls]
    if how == "fullouter":
        if empty[0] is not None or empty[1] is not None:
            # Null keys of the two sides differ by one more key, so that both keep their rows.
            pair = a.whole.fresh("key"), a.whole.fresh("key")
            for place, null in enumerate(empty):
                apart = Const(T.LONG, place + 1)
                both = Const(T.LONG, 0)
                added[place].append(
                    (pair[place], a.call("iff", null, apart, both) if null is not None else both)
                )
            on.append(pair)
        empty = [None, None]
    elif how == "rightouter":
        empty[1] = None
    elif how != "inner":
        empty[0] = None
    rels = []
    for row, null, new in zip((left, right), empty, added, strict=True):
        rel = filtered(row.rel, a.call("not", null) if null is not None else None)
        rels.append(extended(rel, new))
    return left.over(rels[0]), right.over(rels[1]), tuple(on)


def _marked(a: Asking, left: Row, right: Row, how: str) -> tuple[Row, Row]:
    """The sides that may lack a partner get the column that tells, where they have text."""
    sides = []
    for row, lacking in (
        (left, how in ("rightouter", "fullouter")),
        (right, how in ("leftouter", "fullouter")),
    ):
        if not lacking or not any(f.type is T.STRING for f in row.fields):
            sides.append(row)
            continue
        name = a.whole.fresh("there")
        rel = extended(row.rel, [(name, Const(T.BOOL, True))])
        olds = {f.marker for f in row.fields if f.marker}
        combined: dict[str | None, str] = {None: name}
        for old in olds:
            # Null already before, or without a partner now: the old one is padded as well.
            combined[old] = old
        fields = (replace(f, marker=combined[f.marker]) if f.type is T.STRING else f for f in row.fields)
        sides.append(Row(rel, tuple(fields)))
    return sides[0], sides[1]


def _numbered(a: Asking, left: Row, right: Row, both: Row, how: str, keys: list[Key], condition: Expr | None) -> Row:  # fmt: skip
    """An outer (semi, anti) join on any condition: pairs first, then the rows of the kept side with theirs."""
    kept, other = (right, left) if how == "rightouter" else (left, right)
    number = a.whole.fresh("row")
    counted = extended(Serialize(kept.rel.schema, kept.rel), [(number, a.call("row_number"))])
    a.b.materialized += 1
    shared = Shared(counted.schema, counted, a.b.materialized)
    numbered = kept.over(shared)
    sides = (other, numbered) if how == "rightouter" else (numbered, other)
    x, y, on = _keyed(a, *sides, "inner", keys)
    schema = (*x.rel.schema, *y.rel.schema)
    names = [tuple((c.name, c.name) for c in s.rel.schema) for s in (x, y)]
    pairs = filtered(Join(schema, x.rel, y.rel, "inner", on, names[0], names[1]), condition)
    if how in ("leftsemi", "leftanti"):
        same_names = tuple((c.name, c.name) for c in shared.schema)
        return left.over(Join(shared.schema, shared, pairs, how, ((number, number),), same_names, ()))
    from workbench.query.plan import Project

    wanted = tuple(c for c in other.rel.schema)
    again = a.whole.fresh("row")
    columns = ((again, Col(T.LONG, number)), *((c.name, Col(c.type, c.name)) for c in wanted))
    narrow = Project((Column(again, T.LONG, True), *wanted), pairs, columns)
    _, marked = _marked(a, numbered, other.over(narrow), "leftouter")
    rights = tuple(c for c in marked.rel.schema if c.name != again)
    rel = Join(
        (*shared.schema, *rights), shared, marked.rel, "leftouter", ((number, again),),
        tuple((c.name, c.name) for c in shared.schema), tuple((c.name, c.name) for c in rights),
    )  # fmt: skip
    fields = (*marked.fields, *kept.fields) if how == "rightouter" else (*kept.fields, *marked.fields)
    return Row(rel, fields)


def _merged(a: Asking, row: Row, left: Row, names: list[str], how: str) -> Row:
    """The keys of USING as one column each, first in SELECT *."""
    if how in ("leftsemi", "leftanti"):
        return row
    width = len(left.fields)
    sides = row.fields[:width], row.fields[width:]
    first: list[Field] = []
    covered: set[int] = set()
    rel = row.rel
    for name in names:
        x, y = (next(f for f in side if f.name.lower() == name.lower() and not f.covered) for side in sides)
        covered |= {id(x), id(y)}
        chosen = y if how == "rightouter" else x
        if how == "fullouter":
            a.row = row.over(rel)
            column = a.whole.fresh("both")
            null = a.null_of(Col(x.type, x.column)) or Const(T.BOOL, False)
            value = a.call("iff", null, a.b.convert(Col(y.type, y.column), x.type), Col(x.type, x.column))
            rel = extended(rel, [(column, value)])
            chosen = replace(x, column=column, marker=None)
        first.append(replace(chosen, table=None, name=x.name, covered=False))
    rest = tuple(replace(f, covered=f.covered or id(f) in covered) for f in row.fields)
    return Row(rel, (*first, *rest))
