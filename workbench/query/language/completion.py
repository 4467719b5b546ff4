"""What may stand at a cursor, best first: the grammar says what is wanted, the binder which names fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.binder.scope import FunctionEntry
from workbench.query.frames import Tables
from workbench.query.functions import AGGREGATES
from workbench.query.language import candidates, choices, describe, sides, values
from workbench.query.language.model import Completion, Item, Kind, Samples, numbered
from workbench.query.language.place import Place, place
from workbench.query.language.probe import Frame
from workbench.query.language.ranking import fit
from workbench.query.options import OPTIONS as SET_OPTIONS

T = ScalarType
Group = Iterable[Item]
_TABLES_WANTED = frozenset({"join", "lookup", "union"})
_COUNTS = {
    "take": (), "limit": (), "sample": (), "top": ("by",), "sample-distinct": ("of",), "top-hitters": ("of",),
    "top-nested": ("of",),
}  # fmt: skip
_AGGREGATES_UNTIL = {"summarize": ("by",), "make-series": ("on",)}
# Operators that read a plain name where an existing column is meant.
_COLUMN_NAMES = frozenset({"partition", "project-rename", "find", "project-by-names", "mv-apply", "facet"})
_NAMED = {
    "reduce": ("threshold", "characters"),
    "parse-kv": ("pair_delimiter", "kv_delimiter", "quote", "escape", "greedy"),
    "externaldata": ("format", "ignoreFirstRecord"),
}
_TABLE_ARGUMENTS = frozenset({"toscalar", "materialize", "totable", "column_names_of"})


def complete(
    text: str,
    position: int,
    source: Tables,
    scope: Callable[[str], Any] | None = None,
    *,
    samples: Samples | None = None,
) -> Completion:
    """What may stand at a place of a text, which may be broken anywhere.

    Parameters
    ----------
    text : str
        A query, also an unfinished one.
    position : int
        The cursor: how many characters stand before it.
    source : Tables
        Where its tables lie.
    scope : callable, optional
        Notebook variables as in `run`; a method `names()` lists them.
    samples : Samples, optional
        Values and paths that recent rows hold; nothing is read without it.

    Returns
    -------
    Completion
        No items inside comments, numbers, and texts whose values nobody knows.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> found = complete("print a = 1 | ex", 16, FrameTables({}))
    >>> [i.insert for i in found.items][:1], found.replace
    (['extend '], Span(start=14, end=16))
    """
    there = place(text, max(0, min(position, len(text))), source, scope)
    if there is None:
        return Completion((), Span(position, position))
    groups = (
        values.in_text(there, samples) if there.typed.quote is not None else _groups(there, samples, scope)
    )
    return Completion(_ranked(there, groups), there.typed.replace)


def _ranked(there: Place, groups: Sequence[Group]) -> tuple[Item, ...]:
    typed = there.typed.text
    found: list[tuple[int, int, int, int, Item]] = []
    seen: set[tuple[str, str]] = set()
    for weight, group in enumerate(groups):
        for item in group:
            how = fit(item.label, typed)
            if how is None or (item.label, item.insert) in seen:
                continue
            seen.add((item.label, item.insert))
            found.append((how, weight, item.order, len(found), item))
    found.sort(key=lambda f: f[:4])
    return numbered(_trimmed(there, f[4]) for f in found)


def _trimmed(there: Place, item: Item) -> Item:
    """The item without what stands behind the cursor already."""
    after = there.text[there.typed.replace.end :]
    insert = item.insert
    if insert.endswith("(") and after.startswith("("):
        insert = insert[:-1]
    elif insert.endswith("()") and after.startswith("("):
        insert = insert[:-2]
    elif insert.endswith(" ") and after[:1] == " ":
        insert = insert[:-1]
    return item if insert == item.insert else Item(item.label, item.kind, insert, item.detail, item.doc)


# ---- outside of texts -------------------------------------------------------------------------


def _groups(there: Place, samples: Samples | None, scope: Callable[[str], Any] | None) -> list[Group]:
    """Lists of candidates, the best first."""
    wanted, rules = there.wanted, there.wanted.rules
    operator = wanted.operator.name if wanted.operator else ""
    names = list(scope.names()) if scope is not None and hasattr(scope, "names") else []
    if there.typed.text.startswith("hint"):
        return [candidates.words(choices.HINTS.get(operator, ()), Kind.OPTION, "=")]
    if "type" in rules or _type_wanted(there):
        return [candidates.types()]
    if "member" in rules:
        return sides.members(there, samples)
    if "option value" in rules:
        return [_choices(choices.option_values(operator, wanted.option), Kind.JOIN_KIND if operator == "join" else Kind.OPTION)]  # fmt: skip
    if "operator" in rules:
        return [candidates.operators(source=False)]
    if "statement" in rules and "source" in rules:
        return [_sources(there, names), candidates.operators(source=True), candidates.starts()]
    if _statement_word(there):
        return _statement(there)
    if operator == "render" and "name" in rules:
        return _render(there)
    groups: list[Group] = []
    if rules & {"expression", "source", "pattern"} or rules == {"option"}:
        groups += _expressions(there, operator, names, samples)
    elif "name" in rules and operator in _COLUMN_NAMES:
        groups.append(candidates.columns(sides.reach(there).schema))
    elif "name" in rules:
        groups.append(candidates.words(_NAMED.get(operator, ()), Kind.OPTION, "="))
    elif "literal" in rules:
        groups.append(candidates.literals())
    if "infix" in rules:
        groups.append(candidates.infix(_operand_type(there), wanted.words))
    elif wanted.words and "option value" not in rules:
        groups.append(candidates.words(_plain_words(there), Kind.KEYWORD, " "))
    if wanted.options:
        groups.append(candidates.words(wanted.options, Kind.OPTION, "="))
    return groups


def _plain_words(there: Place) -> list[str]:
    return sorted(w for w in there.wanted.words if w.islower() and w not in ("granny-asc", "granny-desc"))


def _type_wanted(there: Place) -> bool:
    """Behind `let f = (name:`, which the grammar takes for an operand until the type is there."""
    first, last = there.before(3), there.before(1)
    if last is None or first is None or not last.is_mark(":") or not first.is_mark("(", ","):
        return False
    opens = there.outline.open_at_end()
    return bool(opens) and (there.outline.mark(opens[0] - 1, "=") or there.outline.word(opens[0] - 1, "view"))


def _choices(values: dict[str, str] | Any, kind: Kind) -> Group:
    return (Item(name, kind, name, doc=doc) for name, doc in values.items())


def _sources(there: Place, names: Sequence[str]) -> list[Item]:
    """Everything that may stand for a table."""
    return [
        *candidates.let_names(there.study, there.scope, as_table=True),
        *candidates.tables(there.study),
        *candidates.stored_functions(there.study, there.scope),
        *candidates.outside_names(there.study, names, as_table=True),
        *candidates.table_functions(),
    ]


def _statement_word(there: Place) -> bool:
    before = there.before()
    return before is not None and before.is_word("let", "set", "declare") and _starts(there, 1)


def _starts(there: Place, back: int) -> bool:
    """Whether the token so far back begins a statement."""
    earlier = there.before(back + 1)
    return earlier is None or earlier.is_mark(";", "{")


def _statement(there: Place) -> list[Group]:
    before = there.before()
    assert before is not None  # the caller looked
    if before.is_word("set"):
        return [candidates.words(sorted(SET_OPTIONS), Kind.OPTION)]
    if before.is_word("declare"):
        return [[Item("query_parameters", Kind.KEYWORD, "query_parameters(", "declare query_parameters(NAME: TYPE = VALUE)"), Item("pattern", Kind.KEYWORD, "pattern ")]]  # fmt: skip
    return []


def _render(there: Place) -> list[Group]:
    before = there.before()
    start, _ = there.operator_range()
    kind = str(there.tokens[start + 1].value) if len(there.tokens) > start + 1 else ""
    if before is not None and before.is_word("render"):
        return [_choices(choices.RENDER_KINDS, Kind.RENDER_KIND)]
    name = there.before(2)
    if before is not None and before.is_mark("=") and name is not None:
        if name.is_word("xcolumn", "ycolumns", "series", "anomalycolumns"):
            return [candidates.columns(sides.reach(there).schema)]
        return [_choices(choices.property_values(kind, str(name.value)), Kind.OPTION)]
    if before is not None and before.is_mark("(", ","):
        return [(Item(n, Kind.OPTION, f"{n}=", doc=doc) for n, doc in choices.RENDER_PROPERTIES.items())]
    return []


def _operand_type(there: Place) -> ScalarType | None:
    operand = there.wanted.operand
    if operand is None:
        return None
    return there.study.type_of(operand, sides.reach(there), there.scope)


# ---- expressions ------------------------------------------------------------------------------


def _expressions(there: Place, operator: str, names: Sequence[str], samples: Samples | None) -> list[Group]:
    wanted = there.wanted
    inner = _inner_frame(there)
    if inner is None and operator == "evaluate":
        return [candidates.plugins()]
    if inner is None and operator == "invoke":
        return [_invoked(there)]
    if sides.on_keys(there) and (inner is None or inner.name == "=="):
        return sides.keys(there)
    if _tables_only(there, operator, inner):
        return [_sources(there, names), candidates.operators(source=True)]
    known = list(values.compared(there, samples)) if inner is not None and inner.rule == "infix" else []
    rel = sides.reach(there)
    scalars = [
        *candidates.let_names(there.study, there.scope, as_table=False),
        *candidates.outside_names(there.study, names, as_table=False),
    ]
    calls: list[Item] = [*candidates.functions()]
    if rel.serialized:
        calls += candidates.window_functions()
    if inner is None and operator in _COUNTS and not there.passed(*(_COUNTS[operator] or ("\0",))):
        return [scalars]
    if "pattern" in wanted.rules:
        return [candidates.columns(rel.schema)]
    groups: list[Group] = [known, values.argument(there)]
    if "source" in wanted.rules and _table_argument(there, inner):
        groups.append(_sources(there, names))
    aggregates = _aggregates_legal(there, operator)
    if aggregates and (inner is None or inner.rule != "call"):
        groups.append(candidates.aggregates())
    groups += [candidates.columns(rel.schema), scalars]
    if _first_of_statement(there):
        groups.append(_sources(there, names))
    groups += [calls, candidates.literals()]
    if inner is not None and inner.rule == "infix" and inner.name.strip("!~") in ("in", "has_any", "has_all") and "source" in wanted.rules:  # fmt: skip
        groups.append(_sources(there, names))
    if aggregates and inner is not None and inner.rule == "call":
        groups.append(candidates.aggregates())
    return groups


def _inner_frame(there: Place) -> Frame | None:
    """The call or infix operator around the cursor, inside of the innermost tabular operator."""
    for frame in reversed(there.wanted.frames):
        if frame.rule in ("call", "infix"):
            return frame
        if frame.rule in ("operator", "body", "statement"):
            return None
    return None


def _first_of_statement(there: Place) -> bool:
    """Whether a value or a table may begin here: behind `let x =`, or as an argument of a let function."""
    return not any(f.rule == "operator" for f in there.wanted.frames) and "source" in there.wanted.rules


def _tables_only(there: Place, operator: str, inner: Frame | None) -> bool:
    if inner is not None:
        return inner.rule == "call" and inner.name == "materialize"
    if operator in _TABLES_WANTED:
        return True
    if operator in ("find", "search"):
        opens = there.outline.open_at_end()
        return bool(opens) and there.outline.word(opens[-1] - 1, "in")
    return False


def _table_argument(there: Place, inner: Frame | None) -> bool:
    """Whether the argument at the cursor is a table."""
    if inner is None or inner.rule != "call":
        return False
    if inner.name in _TABLE_ARGUMENTS:
        return True
    if inner.name in ("ipv4_lookup", "ipv6_lookup") and inner.argument == 0:
        return True
    entry = there.study.meaning(inner.name, there.scope)
    if not isinstance(entry, FunctionEntry):
        return False
    parameters = entry.body.parameters
    return inner.argument < len(parameters) and parameters[inner.argument].tabular


def _aggregates_legal(there: Place, operator: str) -> bool:
    calls = [f.name for f in there.wanted.frames if f.rule == "call"]
    if any(n in AGGREGATES for n in calls):
        return False
    if operator in _AGGREGATES_UNTIL:
        return not there.passed(*_AGGREGATES_UNTIL[operator])
    if operator == "top-nested":
        return there.passed("by")
    return operator == "evaluate" and calls[:1] == ["pivot"]


def _invoked(there: Place) -> list[Item]:
    found = []
    for name, entry in candidates.declared(there.study, there.scope):
        if isinstance(entry, FunctionEntry) and entry.body.parameters and entry.body.parameters[0].tabular:
            found.append(candidates.of_function(describe.declared(name, entry.body), Kind.FUNCTION))
    return found
