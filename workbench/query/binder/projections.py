"""Lists of columns: `project`, `extend`, keys and aggregates of `summarize`, with their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.binder import calls, several
from workbench.query.binder.inside import Inside
from workbench.query.binder.names import result_name
from workbench.query.functions import AGGREGATES
from workbench.query.plan import Aggregate, Call, Col, Const, Expr, Rel, unique


def columns(b: Inside, nodes: Sequence[syntax.Expression], row: Rel, *, beside: Collection[str] = (), printed: bool = False, replacing: bool = False) -> list[tuple[str, Expr]]:  # fmt: skip
    """(name, expression) of each item; a name that an item is not given is inferred.

    An inferred name that is taken, also by a column of `beside`, gets a number, but for the name of a column that a
    `replacing` item is made of (`extend tostring(a)` makes another `a`); a given name that is
    repeated is KQL105. `printed`: an item without a name is `print_<n>`, and one name takes only the
    first column of a function that gives several.
    """
    found: list[tuple[str, Expr]] = []
    taken: set[str] = set()
    given = {n for node in nodes if isinstance(node, syntax.Named) for n in node.names}
    number = 1
    name: str | None
    for position, node in enumerate(nodes):
        made = several.columns_of_call(b, node.value if isinstance(node, syntax.Named) else node, row)
        if made is not None:
            own = node.names if isinstance(node, syntax.Named) else ()
            if printed and (own or len(made) == 1):
                made, own = made[: len(own) or 1], own or (f"print_{position}",)
            for i, (inferred, value) in enumerate(made):
                name = own[i] if i < len(own) else unique(inferred, taken | given | set(beside))
                if name in taken:
                    raise diagnostics.name_declared_twice(name, node.span)
                taken.add(name)
                found.append((name, value))
            continue
        if printed and not isinstance(node, syntax.Named | syntax.Star):
            node = syntax.Named(node.span, (f"print_{position}",), node)
        if isinstance(node, syntax.Star):
            for c in row.schema:
                if not c.hidden and c.name not in taken:
                    taken.add(c.name)
                    found.append((c.name, Col(c.type, c.name, node.span)))
            continue
        if isinstance(node, syntax.Named):
            for name, value in _spread(b, node, row):
                if name in taken:
                    if any(n == name and isinstance(e, Col) and e.name == name for n, e in found):
                        found = [(n, value if n == name else e) for n, e in found]
                        continue
                    raise diagnostics.name_declared_twice(name, node.span)
                taken.add(name)
                found.append((name, value))
            continue
        bound = b.expr(node, row)
        name = result_name(node, row)
        if name is None or name == "":
            while f"Column{number}" in taken | given or f"Column{number}" in beside:
                number += 1
            name = f"Column{number}"
            number += 1
        elif not isinstance(node, syntax.Name) and (
            name in taken | given or (name in beside and not replacing)
        ):
            name = unique(name, taken | given | set(beside))
        elif name in taken:
            name = unique(name, taken | given)
        taken.add(name)
        found.append((name, bound))
    return found


def _spread(b: Inside, node: syntax.Named, row: Rel) -> list[tuple[str, Expr]]:
    """`(a, b) = f()`: the elements of an array that `f` gives; `a = expr`: one column."""
    if not node.compound:
        return [(node.names[0], b.expr(node.value, row))]
    bound = b.expr(node.value, row)
    if bound.type is not ScalarType.DYNAMIC:
        return [(node.names[0], bound)]
    picked = [
        Call(ScalarType.DYNAMIC, "<path>", (bound, Const(ScalarType.DYNAMIC, [i])), (None, None), node.span)
        for i in range(len(node.names))
    ]
    return list(zip(node.names, picked, strict=True))


def aggregates(b: Inside, nodes: Sequence[syntax.Expression], row: Rel, keys: Sequence[tuple[str, Expr]]) -> tuple[tuple[Aggregate, ...], list[tuple[str, Expr]]]:  # fmt: skip
    """Aggregates of a summarize and the columns made of them.

    An item that is one aggregate call gives its columns directly; in an expression such as
    `100.0 * countif(x) / count()` each aggregate gets a hidden name that the expression reads.
    """
    # `*` leaves out the keys that are columns; a key that is computed hides no column.
    collector = _Collector(b, row, {n for n, e in keys if isinstance(e, Col) and e.name == n})
    used = {n for n, _ in keys}
    made: list[tuple[str, Expr]] = []
    number = 1
    for node in nodes:
        given: tuple[str, ...] = ()
        value = node
        if isinstance(node, syntax.Named):
            given, value = node.names, node.value
        for twice in (n for n, _ in made if n in given):
            raise diagnostics.name_declared_twice(twice, node.span)
        if isinstance(value, syntax.Call) and value.name in AGGREGATES and b.scope.find(value.name) is None:
            for column in collector.direct(value, given, used):
                used.add(column.name)
                made.append((column.name, Col(column.type, column.name, value.span)))
            continue
        bound = collector.expression(value)
        name = given[0] if given else result_name(value, row)
        if name is None or name == "":
            while f"Column{number}" in used:
                number += 1
            name = f"Column{number}"
            number += 1
        name = name if given else unique(name, used)
        used.add(name)
        made.append((name, bound))
    return tuple(collector.found), made


class _Collector:
    """Takes aggregate calls out of expressions."""

    def __init__(self, b: Inside, row: Rel, keys: Collection[str]) -> None:
        self.b = b
        self.keys = keys
        self.row = row
        self.found: list[Aggregate] = []

    def direct(self, node: syntax.Call, given: Sequence[str], used: Collection[str]) -> Sequence[Column]:
        made = self._aggregate(node)
        names: list[str] = []
        own = [c.name for c in made.columns]
        if not given:
            taken = set(used)
            for column in made.columns:
                names.append(unique(column.name, taken))
                taken.add(names[-1])
        else:
            taken = set(used) | set(given)
            for i, name in enumerate(own):
                if i < len(given):
                    names.append(given[i])
                else:
                    names.append(unique(name, taken))
                    taken.add(names[-1])
        columns = tuple(replace(c, name=n) for c, n in zip(made.columns, names, strict=True))
        self.found.append(replace(made, columns=columns))
        return columns

    def expression(self, node: syntax.Expression) -> Expr:
        """The expression with each aggregate call replaced by a column of its result."""
        prepared = self._replace(node)
        row = _Extended(self.row.schema, self.row, tuple(c for a in self.found for c in a.columns))
        bound = self.b.expr(prepared, row)
        stray = _columns(bound) - {c.name for a in self.found for c in a.columns}
        if stray:
            raise diagnostics.not_an_aggregate(node.span)
        return bound

    def _replace(self, node: syntax.Expression) -> syntax.Expression:
        if isinstance(node, syntax.Call) and node.name in AGGREGATES and self.b.scope.find(node.name) is None:
            made = self._aggregate(node)
            name = f"__aggregate{len(self.found)}"
            first = replace(made.columns[0], name=name)
            others = tuple(replace(c, name=f"{name}_{i}") for i, c in enumerate(made.columns[1:]))
            self.found.append(replace(made, columns=(first, *others)))
            return syntax.Name(node.span, name)
        changes: dict[str, object] = {}
        for field in ("value", "left", "right", "operand", "base", "selector", "low", "high"):
            child = getattr(node, field, None)
            if isinstance(child, syntax.Expression):
                changes[field] = self._replace(child)
        for field in ("arguments", "items"):
            children = getattr(node, field, None)
            if isinstance(children, tuple):
                changes[field] = tuple(self._replace(c) for c in children)
        return replace(node, **changes) if changes else node  # type: ignore[arg-type]

    def _aggregate(self, node: syntax.Call) -> Aggregate:
        card = AGGREGATES.get(node.name)
        assert card is not None
        spread = getattr(card.implementation, "arguments", None)
        arguments = node.arguments
        if spread is not None:
            arguments = spread(arguments, self.row, self.keys)
        args = [self.b.expr(a, self.row) for a in arguments]
        spans = [a.span for a in arguments]
        signature, types, returns = calls.choose(card, node.name, args, node.span, spans)
        ready: list[Expr] = []
        for i, arg in enumerate(args):
            param = signature.at(i)
            if param is not None and param.constant:
                wanted = types[i]
                folded = self.b.fold(calls.convert(arg, wanted) if wanted is not None else arg)
                if not isinstance(folded, Const):
                    raise diagnostics.not_constant(f"argument {i + 1} of {node.name}()", spans[i])
                ready.append(folded)
            else:
                ready.append(arg)
        naming = getattr(card.implementation, "columns", None)
        if naming is not None:
            argument_names = [result_name(a, self.row) or "" for a in arguments]
            made = naming(ready, argument_names, node, returns)
        else:
            made = (Column(result_name(node, self.row) or f"{card.prefix}_", returns),)
        return Aggregate(node.name, tuple(ready), tuple(types), tuple(made), node.span)


class _Extended(Rel):
    """A row with the results of aggregates added."""

    __slots__ = ("_added", "_source")

    def __init__(self, schema: tuple[Column, ...], source: Rel, added: tuple[Column, ...]) -> None:
        object.__setattr__(self, "schema", (*schema, *added))
        object.__setattr__(self, "_source", source)
        object.__setattr__(self, "_added", added)


def _columns(expr: Expr) -> set[str]:
    from workbench.query.plan import columns_of

    return columns_of(expr)


NO_SPAN = Span(0, 0)
