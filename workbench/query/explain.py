"""What a query becomes, as text, for `--explain`: syntax, plan, rewritten plan, files, the engine's plan.

Reads plans and scans that others made; decides nothing. The text is stable: the same query over the same
tables gives the same lines. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from workbench.base.dtypes import ScalarType, format_datetime, format_timespan
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.plan import (
    Aggregate,
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Join,
    Limit,
    Project,
    Rel,
    Scan,
    Shared,
    Sort,
    SortKey,
    Summarize,
    TopRows,
    Union,
    Values,
)

_MOST = 8  # names or items of a list that are shown
_WIDEST = 100  # characters of an operator's text
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME_RANGE = tuple[int | None, int | None]


class Read(Protocol):
    """What was opened for a plan; `backends.polars.Context` is one."""

    tables: dict[str, int]
    files: set[str]

    @property
    def scans(self) -> Sequence[tuple[Scan, Any]]: ...
    @property
    def dropped(self) -> tuple[int, int]: ...


def titled(title: str, lines: Iterable[str]) -> str:
    """A section: its title, and its lines indented."""
    return "\n".join([title, *(f"  {line}" for line in lines)])


def sections(rel: Rel, better: Rel, fired: Sequence[str], read: Read, engine: str) -> str:
    """All that can be told of one table of the answer.

    Parameters
    ----------
    rel, better : Rel
        The plan as it was bound, and as the rules left it.
    fired : sequence of str
        Names of the rules that changed something.
    read : Read
        What was opened for it.
    engine : str
        The plan of the engine that runs it.
    """
    by_time, by_terms = read.dropped
    kept = f"files: {len(read.files)} of {sum(read.tables.values())} read"
    kept += f", dropped {by_time} by time and {by_terms} by terms" if by_time or by_terms else ""
    rules = ", ".join(fired) or "nothing to do"
    parts = [("plan", rel), (f"rewritten ({rules})", better)]
    parts += [(f"shared #{number}", node.source) for number, node in shared(better).items()]
    shown = [titled(title, _lines(part, 0)) for title, part in parts]
    shown += [titled(kept, files(read.scans)), titled("polars", _numbered(engine).split("\n"))]
    return "\n\n".join(shown)


def _numbered(engine: str) -> str:
    """The engine's plan with numbers for its ids, which differ from run to run."""
    ids = dict.fromkeys(_ID.findall(engine))
    numbers = {found: f"#{number}" for number, found in enumerate(ids, start=1)}
    return _ID.sub(lambda m: numbers[m[0]], engine)


# ---- syntax ---------------------------------------------------------------------------------


def written(query: syntax.Query, text: str) -> list[str]:
    """The parsed query as an indented tree: statements, then each operator of the pipelines.

    Examples
    --------
    >>> from workbench.query.parser import parse
    >>> text = "let n = 2; T | where a > n | join (U | take 5) on a"
    >>> print("\\n".join(written(parse(text), text)))
    let n = 2
    T
    | where a > n
    | join (…) on a
        U
        | take 5
    """
    lines: list[str] = []
    for statement in query.statements:
        lines += _node(statement, text, "")
    for pipeline in query.pipelines:
        lines += _pipeline(pipeline, text, "")
    return lines


def _pipeline(pipeline: syntax.Pipeline, text: str, indent: str) -> list[str]:
    lines = _node(pipeline.source, text, indent)
    for operator in pipeline.operators:
        lines += _node(operator, text, f"{indent}| ")
    return lines


def _node(node: syntax.Node, text: str, indent: str) -> list[str]:
    """A node on a line, with the pipelines in it below."""
    inner = sorted(_inside(node), key=lambda n: n.span.start)
    shown, at = "", node.span.start
    for part in inner:
        shown += text[at : part.span.start] + _bracket(part, text)
        at = max(at, part.span.end)
    shown = " ".join((shown + text[at : node.span.end]).rstrip(";").split())
    lines = [indent + (shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…")]
    below = " " * len(indent) + "  "
    for part in inner:
        if isinstance(part, syntax.FunctionBody):
            for statement in part.statements:
                lines += _node(statement, text, below)
            result = part.result
            if isinstance(result, syntax.Pipeline):
                lines += _pipeline(result, text, below)
            elif result is not None:
                lines += _node(result, text, below)
        else:
            pipeline = part.pipeline if isinstance(part, syntax.Lambda) else part
            assert isinstance(pipeline, syntax.Pipeline)  # `_inside` gives no other
            lines += _pipeline(pipeline, text, below)
    return lines


def _bracket(node: syntax.Node, text: str) -> str:
    own = text[node.span.start : node.span.end]
    if isinstance(node, syntax.FunctionBody):
        return own[: own.index("{")] + "{…}" if "{" in own else "{…}"
    return "(…)" if own.startswith("(") else "…"


def _inside(node: Any) -> Iterator[syntax.Node]:
    """The outermost pipelines with operators, and function bodies, in a node."""
    if isinstance(node, tuple):
        for item in node:
            yield from _inside(item)
    elif isinstance(node, syntax.Node):
        for f in fields(node):
            value = getattr(node, f.name)
            whole = value.pipeline if isinstance(value, syntax.Lambda) else value
            if isinstance(whole, syntax.Pipeline) and not whole.operators:
                yield from _inside(whole.source)
            elif isinstance(whole, syntax.Pipeline | syntax.FunctionBody) and whole.span != Span(0, 0):
                yield value
            else:
                yield from _inside(value)


# ---- plans ----------------------------------------------------------------------------------


def show(rel: Rel, depth: int = 0) -> str:
    """`rel` and its inputs, one line a node; a shared relation is named only (see `shared`)."""
    return "\n".join(_lines(rel, depth))


def shared(rel: Rel) -> dict[int, Shared]:
    """The relations of a plan that are computed once, by number."""
    found: dict[int, Shared] = {}
    seen: set[int] = set()
    waiting = [rel]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            waiting += node.inputs
            if isinstance(node, Shared):
                found[node.number] = node
    return dict(sorted(found.items()))


def _lines(rel: Rel, depth: int) -> Iterator[str]:
    shown = _SHOWN.get(type(rel), _other)(rel)
    yield f"{'  ' * depth}{type(rel).__name__}{' ' if shown else ''}{shown}"
    if not isinstance(rel, Shared):
        for source in rel.inputs:
            yield from _lines(source, depth + 1)


def _other(rel: Rel) -> str:
    """Any other node: its own fields, its columns."""
    parts = []
    for f in fields(rel):
        value = getattr(rel, f.name)
        if f.name in ("schema", "frame", "span") or not f.compare or isinstance(value, Rel):
            continue
        if isinstance(value, tuple) and any(isinstance(v, Rel) for v in value):
            continue
        parts.append(f"{f.name}={text_of(value)}")
    return f"{', '.join(parts)} {_columns(rel)}".strip()


def _columns(rel: Rel) -> str:
    return f"[{_cut([c.name for c in rel.schema])}]"


def _cut(items: Sequence[str], joined: str = ", ") -> str:
    more = [f"… {len(items) - _MOST} more"] if len(items) > _MOST else []
    return joined.join([*items[:_MOST], *more])


def _scan(rel: Scan) -> str:
    parts = [rel.table]
    if rel.time_range != (None, None):
        parts.append(f"time {times(rel.time_range)}")
    parts += [f"{f.name}={text_of(v)}" for f in fields(rel)[4:] if (v := getattr(rel, f.name))]
    return f"{', '.join(parts)} {_columns(rel)}"


def _project(rel: Project) -> str:
    made = [f"{n} = {text_of(e)}" for n, e in rel.columns if not (isinstance(e, Col) and e.name == n)]
    kept = [n for n, e in rel.columns if isinstance(e, Col) and e.name == n]
    parts = [_cut(made)] if made else []
    return "; ".join([*parts, *([f"and {_cut(kept)}" if made else _cut(kept)] if kept else [])])


def _summarize(rel: Summarize) -> str:
    aggregates = _cut([text_of(a) for a in rel.aggregates])
    keys = [n if isinstance(e, Col) and e.name == n else f"{n} = {text_of(e)}" for n, e in rel.keys]
    return f"{aggregates}{' ' if aggregates and keys else ''}{f'by {_cut(keys)}' if keys else ''}"


def _join(rel: Join) -> str:
    on = " and ".join(a if a == b else f"{a} == {b}" for a, b in rel.on)
    return f"{rel.kind}{f' on {on}' if on else ''} {_columns(rel)}"


def _values(rel: Values) -> str:
    height = getattr(rel.frame, "height", len(rel.rows))
    return f"{height:,} row{'' if height == 1 else 's'} {_columns(rel)}"


_SHOWN: Mapping[type[Rel], Callable[[Any], str]] = {
    Scan: _scan, Project: _project, Summarize: _summarize, Join: _join, Values: _values,
    Filter: lambda rel: text_of(rel.condition), Limit: lambda rel: str(rel.count),
    Sort: lambda rel: f"by {text_of(rel.keys)[1:-1]}", TopRows: lambda rel: f"by {text_of(rel.keys)[1:-1]}",
    Union: lambda rel: f"of {len(rel.parts)} {_columns(rel)}", Shared: lambda rel: f"#{rel.number} {_columns(rel)}",
}  # fmt: skip


def text_of(value: Any) -> str:
    """An expression, or anything that a node holds, on one line.

    Examples
    --------
    >>> text_of(Call(ScalarType.BOOL, ">", (Col(ScalarType.LONG, "a"), Const(ScalarType.LONG, 1))))
    'a > 1'
    """
    if isinstance(value, Const):
        return _constant(value)
    if isinstance(value, Col):
        return value.name
    if isinstance(value, Call):
        return _call(value)
    if isinstance(value, Aggregate):
        names = _cut([c.name for c in value.columns])
        return f"{names} = {value.function}({_cut([text_of(a) for a in value.args])})"
    if isinstance(value, SortKey):
        nulls = "" if value.nulls_first is not value.descending else f" nulls {'first' if value.nulls_first else 'last'}"  # fmt: skip
        return f"{text_of(value.value)} {'desc' if value.descending else 'asc'}{nulls}"
    if isinstance(value, tuple):
        return f"({_cut([text_of(v) for v in value])})"
    if isinstance(value, Expr):
        return type(value).__name__
    return repr(value)


def _constant(const: Const) -> str:
    value = const.value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if const.type is ScalarType.DATETIME:
        return _moment(value)
    if const.type is ScalarType.TIMESPAN:
        return format_timespan(value)
    if isinstance(value, list):
        return f"({_cut([repr(v) for v in value])})"
    return repr(value)


_JOINING = frozenset({"and", "or", "in", "in~", "has_any", "has_all", "matches regex"}) | {
    sign + name + suffix
    for sign in ("", "!")
    for name in ("has", "hasprefix", "hassuffix", "contains", "startswith", "endswith")
    for suffix in ("", "_cs")
}


def _call(call: Call) -> str:
    if _infix(call):
        a, b = (_operand(arg, call.function) for arg in call.args)
        return f"{a} {call.function} {b}"
    if call.function == "convert":
        return f"{call.type.value}({text_of(call.args[0])})"
    return f"{call.function}({', '.join(text_of(a) for a in call.args)})"


def _infix(call: Call) -> bool:
    """Whether it is written between its two arguments."""
    signs = not any(c.isalnum() or c in "<>" for c in call.function) or call.function in (
        "<",
        ">",
        "<=",
        ">=",
    )
    return len(call.args) == 2 and (signs or call.function in _JOINING)


def _operand(expr: Expr, around: str) -> str:
    """In brackets where it would be read otherwise."""
    if not (isinstance(expr, Call) and _infix(expr)):
        return text_of(expr)
    logic = expr.function in ("and", "or")
    plain = expr.function == around if logic else around in ("and", "or")
    return text_of(expr) if plain else f"({text_of(expr)})"


def _moment(ticks: int) -> str:
    whole = format_datetime(ticks)
    return whole[:-9] + "Z" if whole.endswith(".0000000Z") else whole


def times(bounds: _TIME_RANGE) -> str:
    """A range of µs: `2026-01-01T00:00:00Z .. 2026-01-02T00:00:00Z`, open ends left out."""
    low, high = ("" if b is None else _moment(b * 10) for b in bounds)
    return f"{low} .. {high}".strip()


# ---- files ----------------------------------------------------------------------------------


def files(scans: Sequence[tuple[Scan, Any]]) -> list[str]:
    """For each scan how many files it reads of how many, and why not the others.

    `scans` pairs a node with what the source gave for it (`repository.scan.TableScan`); a source that
    does not say why has no reason.
    """
    rows: list[tuple[str, str, str]] = []
    for node, scan in scans:
        total = getattr(scan, "files_total", 0)
        why = []
        by_time, by_terms = (getattr(scan, n, 0) for n in ("dropped_by_time", "dropped_by_terms"))
        if by_time:
            why.append(f"{by_time:,} dropped by time, kept {times(node.time_range)}")
        if by_terms:
            why.append(f"{by_terms:,} dropped by term, kept with {node.terms!r}")
        rows.append((node.table, f"{len(scan.files):,} of {total:,}", "; ".join(why)))
    if not rows:
        return ["no stored table"]
    names, counts = (max(len(r[i]) for r in rows) for i in (0, 1))
    return [f"{n:<{names}}  {c:>{counts}}  {why}".rstrip() for n, c, why in rows]


__all__ = ["files", "sections", "shared", "show", "text_of", "times", "titled", "written"]
