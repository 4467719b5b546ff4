"""Values at a cursor: what a column holds, what an argument takes, what stands inside of quotes."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.language import candidates, choices, sides
from workbench.query.language.candidates import inside_text, text_of
from workbench.query.language.model import Item, Kind, Samples
from workbench.query.language.origin import origins
from workbench.query.language.place import Place
from workbench.query.lexer import Kind as TokenKind

T = ScalarType
Group = Iterable[Item]
_EQUALS = frozenset({"==", "!=", "<", ">", "<=", ">=", "=~", "!~", "has", "!has", "contains", "!contains", "startswith", "endswith", "in", "!in", "in~", "!in~", "has_any", "has_all", "has_cs", "contains_cs", "startswith_cs", "!startswith", "!endswith"})  # fmt: skip


def _compared_column(there: Place) -> syntax.Name | None:
    """The column whose value is asked for at the cursor."""
    frame = next((f for f in reversed(there.wanted.frames) if f.rule in ("infix", "call", "operator")), None)
    if frame is None or frame.rule != "infix" or frame.name not in _EQUALS:
        return None
    left = frame.left
    while isinstance(left, syntax.Binary) and left.operator in ("and", "or"):
        left = left.right
    return left if isinstance(left, syntax.Name) else None


def _known_values(there: Place, samples: Samples | None) -> list[str]:
    column = _compared_column(there)
    if column is None or samples is None:
        return []
    rel = sides.reach(there)
    found = rel.column(column.name)
    if found is None or found.type is not T.STRING:
        return []
    values: dict[str, None] = {}
    for table, name in origins(rel, column.name):
        values.update(dict.fromkeys(samples.values(table, name)))
    return list(values)


def compared(there: Place, samples: Samples | None) -> Iterable[Item]:
    for value in _known_values(there, samples):
        yield Item(value, Kind.VALUE, text_of(value), "value")
    column = _compared_column(there)
    if column is not None:
        found = sides.reach(there).column(column.name)
        if found is not None and found.type is T.BOOL:
            yield from candidates.words(("true", "false"), Kind.VALUE)
        elif found is not None and found.type is T.DATETIME:
            yield from (i for i in candidates.functions() if i.label in ("ago", "now", "startofday"))
            yield from (i for i in candidates.literals() if i.label == "datetime")


def argument(there: Place) -> Iterable[Item]:
    """Lengths of time for the argument at the cursor; for `bin` only where its value is a time."""
    call = there.wanted.frame("call")
    if call is None or (call.name, call.argument) not in choices.LENGTHS:
        return
    if call.name != "ago":
        made = there.outline
        opener = next((o for o in reversed(made.open_at_end()) if made.mark(o, "(")), len(there.tokens))
        first = there.tokens[opener + 1 : opener + 2]
        column = sides.reach(there).column(str(first[0].value)) if first else None
        if column is None or not column.type.is_time:
            return
    for length in choices.LENGTHS[call.name, call.argument]:
        yield Item(length, Kind.VALUE, length, "timespan")


def in_text(there: Place, samples: Samples | None) -> list[Group]:
    """Candidates inside of a string."""
    quote = there.typed.quote or '"'
    before = there.before()
    closed = there.text[there.typed.replace.end :].startswith(quote[-1])
    if before is not None and before.is_mark("["):
        operand = there.before(2)
        adjacent = operand is not None and operand.span.end == before.span.start
        if adjacent and operand is not None and (operand.kind is TokenKind.NAME or operand.is_mark("]", ")")):
            return [sides.keys_of(there, samples, quote, closed)]
        return [(Item(c.name, Kind.COLUMN, inside_text(c.name, quote) + ("" if closed else quote + "]"), c.type.value) for c in sides.reach(there).schema)]  # fmt: skip
    ending = "" if closed else quote[-1] if len(quote) < 3 else quote
    call = there.wanted.frame("call")
    if call is not None and (call.name, call.argument) in choices.TEXTS:
        texts = choices.TEXTS[call.name, call.argument]
        return [(Item(t, Kind.VALUE, t + ending) for t in texts)]
    if (
        call is not None
        and call.name in ("table", "external_table", "materialized_view")
        and call.argument == 0
    ):
        return [
            (Item(t.label, Kind.TABLE, t.label + ending, t.detail) for t in candidates.tables(there.study))
        ]
    if call is not None and call.name in ("column_ifexists", "columnifexists") and call.argument == 0:
        return [(Item(c.name, Kind.COLUMN, c.name + ending, c.type.value) for c in sides.reach(there).schema)]
    return [
        (Item(v, Kind.VALUE, inside_text(v, quote) + ending, "value") for v in _known_values(there, samples))
    ]
