"""Names behind a dot, and the keys of a join: `$left.`, `$right.`, paths of a dynamic column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.language import candidates
from workbench.query.language.binding import UNKNOWN
from workbench.query.language.candidates import inside_text, written
from workbench.query.language.model import Item, Kind, Samples
from workbench.query.language.origin import origins
from workbench.query.language.place import Place
from workbench.query.language.slices import SliceParser
from workbench.query.lexer import Kind as TokenKind
from workbench.query.lexer import Token
from workbench.query.plan import ONE_ROW, Rel, Values

Group = Iterable[Item]
_SIDES = {"$left": "The table before the pipe.", "$right": "The table in parentheses."}


def on_keys(there: Place) -> bool:
    """Whether the cursor is where the keys of a join stand."""
    operator = there.wanted.operator
    return operator is not None and operator.name in ("join", "lookup") and there.passed("on")


def right_side(there: Place) -> Rel:
    """The table that is joined."""
    start, end = there.operator_range()
    inner = {i for o in there.outline.groups(start, end) for i in range(o, there.outline.ends[o] + 1)}
    on = next((i for i in range(start + 1, end) if i not in inner and there.outline.word(i, "on")), end)
    stop = there.tokens[on - 1].span
    tokens = [*there.tokens[start:on], Token(TokenKind.NAME, "on", stop), Token(TokenKind.NAME, "x", stop)]
    read = SliceParser(there.text, tokens)
    try:
        node = getattr(read.whole(read.operator), "right", None)
    except WorkbenchError:
        node = None
    found = there.study.table(node, there.scope) if isinstance(node, syntax.Expression) else None
    if found is not None:
        return found
    group = next((o for o in there.outline.groups(start, on) if there.outline.mark(o, "(")), None)
    if group is None:
        return UNKNOWN
    s, e = there.outline.inside(group)
    return there.study.row(s, e, there.scope).rel if e > s else UNKNOWN


def reach(there: Place) -> Rel:
    """The table whose columns are in reach; that of the listed tables behind `find in (…)`."""
    if there.row is not None:
        return there.row.rel
    start, end = there.operator_range()
    if end > start and there.tokens[start].is_word("find", "search"):
        return listed(there, start, end)
    return ONE_ROW


def listed(there: Place, start: int, end: int) -> Rel:
    """The columns of the tables in `find in (…)` or `search in (…)`."""
    group = next((o for o in there.outline.groups(start, end) if there.outline.word(o - 1, "in")), None)
    if group is None:
        return ONE_ROW
    found: dict[str, Column] = {}
    for s, e in there.outline.split(*there.outline.inside(group), ","):
        if e == s + 1:
            node = syntax.Name(there.tokens[s].span, str(there.tokens[s].value))
            rel = there.study.table(node, there.scope)
            for c in rel.schema if rel is not None else ():
                found.setdefault(c.name, c)
    return Values(tuple(found.values()))


def keys(there: Place) -> list[Group]:
    """Columns that both sides have, then the sides themselves."""
    left = reach(there)
    right = right_side(there)
    types = {c.name: c.type for c in right.schema}
    both = [c for c in left.schema if c.name in types]
    both.sort(key=lambda c: types[c.name] is not c.type)
    whole: list[Item] = [Item(s, Kind.KEYWORD, f"{s}.", "side", doc) for s, doc in _SIDES.items()]
    before = there.before()
    second = before is not None and before.is_mark("==")
    if second:
        return [whole[::-1]]
    return [candidates.columns(both, "A column of both sides."), whole]


def members(there: Place, samples: Samples | None) -> list[Group]:
    """What may stand behind the dot at the cursor."""
    base = there.wanted.base
    rel = reach(there)
    if isinstance(base, syntax.Name) and base.name == "$left":
        return [candidates.columns(rel.schema)]
    if isinstance(base, syntax.Name) and base.name == "$right":
        return [candidates.columns(right_side(there).schema)]
    if isinstance(base, syntax.Call | syntax.Qualified):
        name = base.name if isinstance(base, syntax.Call) else base.call.name
        if name in ("workspace", "database", "cluster", "app", "resource"):
            return [candidates.tables(there.study)]
    operator = there.wanted.operator
    if operator is not None and operator.name == "scan" and isinstance(base, syntax.Name) and rel.column(base.name) is None:  # fmt: skip
        return [candidates.columns(rel.schema, "The value that the step kept.")]
    return [_paths(there, base, samples)]


def keys_of(there: Place, samples: Samples | None, quote: str, closed: bool) -> Group:
    """Keys in `column['…`."""
    ending = "" if closed else quote + "]"
    end = there.before()
    assert end is not None  # the caller saw the bracket
    start, _ = there.operator_range()
    tokens = list(there.tokens[start + 1 : -1])
    base = _operand(there, tokens)
    for item in _paths(there, base, samples):
        yield Item(item.label, item.kind, inside_text(item.label, quote) + ending, item.detail)


def _operand(there: Place, tokens: list[Token]) -> syntax.Expression | None:
    """The expression at the end of some tokens: a name with its path."""
    begin = len(tokens)
    while begin > 0 and (tokens[begin - 1].kind is TokenKind.NAME or tokens[begin - 1].is_mark(".")):
        begin -= 1
        if tokens[begin].kind is TokenKind.NAME and not (begin > 0 and tokens[begin - 1].is_mark(".")):
            break
    read = SliceParser(there.text, tokens[begin:])
    try:
        found: syntax.Expression = read.whole(read.expression)
        return found
    except WorkbenchError:
        return None


def _paths(there: Place, base: syntax.Expression | None, samples: Samples | None) -> Group:
    """Keys of a bag that recent rows have at the path before the cursor."""
    steps: list[str] = []
    while isinstance(base, syntax.Member):
        steps.insert(0, base.name)
        base = base.base
    rel = reach(there)
    if not isinstance(base, syntax.Name) or samples is None:
        return
    column = rel.column(base.name)
    if column is None or column.type not in (ScalarType.DYNAMIC, ScalarType.STRING):
        return
    known: dict[str, str] = {}
    for table, name in origins(rel, base.name):
        known.update(samples.paths(table, name))
    yield from _next_steps(known, steps)


def _next_steps(known: Mapping[str, str], steps: list[str]) -> Iterable[Item]:
    before = "".join(f"{s}." for s in steps)
    found: dict[str, str] = {}
    for path, type_ in known.items():
        if path.startswith(before):
            rest = path[len(before) :]
            key, dot, _ = rest.partition(".")
            found.setdefault(key, "dynamic" if dot else type_)
    for key, type_ in found.items():
        yield Item(key, Kind.COLUMN, written(key), type_, "A property that recent rows have.")
