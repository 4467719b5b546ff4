"""Paths into dynamic columns become columns of the scan, where data files hold them as such.

`tostring(EventData.User)` reads and parses the whole JSON text of each row. Where some data file has the
path as a column of its own (`repository.shredded`), the scan is asked for it instead, already as the type to
which it is converted; the text itself is then read only where something else needs it, or of files
without that column. A path is carried up through projections and filters to where it is used.

This is no rule of `rewrite.RULES`: it asks the tables, and only the Polars backend can answer such a scan.
The runner calls it before the others, for which the new columns are like any other: `json_texts` then
finds only paths that no file has.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.base.dtypes import Column, ScalarType
from workbench.query.plan import (
    Aggregate,
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Limit,
    PathColumn,
    Project,
    Rel,
    Scan,
    Serialize,
    Sort,
    Summarize,
    Union,
    map_inputs,
)

T = ScalarType
Keys = tuple[str, ...]
#: Whether some data file of a table gives a path of a column without its JSON text being read.
IsShredded = Callable[[str, str, Keys], bool]

_CONVERSIONS = frozenset({"convert", "tostring", "tolong", "toint", "toreal", "todouble", "todecimal", "tobool",
                          "toboolean", "todatetime", "totimespan", "totime", "toguid"})  # fmt: skip
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_OF_TEXT = frozenset({"=~", "!~"}) | {
    sign + name + suffix
    for sign in ("", "!")
    for name in ("has", "hasprefix", "hassuffix", "contains", "startswith", "endswith")
    for suffix in ("", "_cs")
}
_PARSERS = frozenset({"parse_json", "todynamic", "toobject", "parsejson", "convert"})
_PASSING = (Filter, Sort, Limit, Serialize)


def use_shredded(rel: Rel, is_shredded: IsShredded | None) -> Rel:
    """`rel` with scans that give paths as columns; the same rows and columns."""
    if is_shredded is None:
        return rel
    wanted = _Wanted(is_shredded)
    rewriter = _Rewriter(wanted)
    rewriter.look(rel)
    return rewriter.exact(rel) if wanted.columns else rel


@dataclass(frozen=True, slots=True)
class _Path:
    """A path of a column of a relation; `rest` are the steps of it that stay to be taken."""

    column: str
    keys: Keys
    rest: tuple[Any, ...] = ()


def _path(expr: Expr) -> _Path | None:
    """What part of an expression is a path of a dynamic column."""
    if isinstance(expr, Col):
        return _Path(expr.name, ()) if expr.type is T.DYNAMIC else None
    if not isinstance(expr, Call) or expr.type is not T.DYNAMIC or not expr.args:
        return None
    base = _path(expr.args[0])
    if base is None or expr.function in _PARSERS:
        return base
    if expr.function != "<path>":
        return None
    steps = expr.args[1]
    assert isinstance(steps, Const)  # made by the binder
    if base.rest:
        return replace(base, rest=(*base.rest, *steps.value))
    count = next((i for i, s in enumerate(steps.value) if not isinstance(s, str)), len(steps.value))
    return _Path(base.column, (*base.keys, *steps.value[:count]), tuple(steps.value[count:]))


class _Wanted:
    """The path columns that relations are to have beside their own, found from above."""

    def __init__(self, is_shredded: IsShredded) -> None:
        self._is_shredded = functools.cache(is_shredded)
        # By the id of a relation: the columns that are added, and how they are made of its input.
        self.columns: dict[int, dict[str, Col]] = {}
        self.paths: dict[int, dict[str, PathColumn]] = {}  # of a scan
        self.arms: dict[int, dict[str, Expr]] = {}  # of an arm of a union: made on top of it

    def column(self, rel: Rel, path: _Path, type_: ScalarType) -> Col | None:
        """A column of `rel` with the values of a path, or None where no data file has them as such."""
        return self._ask(rel, path, type_) if path.keys and self._can(rel, path) else None

    def _can(self, rel: Rel, path: _Path) -> bool:
        if isinstance(rel, Scan):
            column = rel.column(path.column)
            return column is not None and self._is_shredded(rel.table, path.column, path.keys)
        if isinstance(rel, Union):
            return any(self._can(p, path) for p in rel.parts)
        below = _below(rel, path)
        return below is not None and self._can(rel.inputs[0], below)

    def _ask(self, rel: Rel, path: _Path, type_: ScalarType) -> Col:
        name = f"{path.column}.{'.'.join(path.keys)} as {type_.value}"
        while rel.column(name) is not None:
            name += "'"
        column = Col(type_, name)
        own = self.columns.setdefault(id(rel), {})
        if name in own:
            return column
        own[name] = column
        if isinstance(rel, Scan):
            self.paths.setdefault(id(rel), {})[name] = PathColumn(name, path.column, path.keys, type_)
        elif isinstance(rel, Union):
            for part in rel.parts:
                self.arms.setdefault(id(part), {})[name] = self._of_arm(part, path, type_)
        else:
            below = _below(rel, path)
            assert below is not None  # `_can` saw it
            own[name] = self._ask(rel.inputs[0], below, type_)
        return column

    def _of_arm(self, part: Rel, path: _Path, type_: ScalarType) -> Expr:
        """The column of one arm of a union; computed where the arm's files do not have it."""
        if self._can(part, path):
            return self._ask(part, path, type_)
        steps = Const(T.DYNAMIC, list(path.keys))
        made = Call(T.DYNAMIC, "<path>", (Col(T.DYNAMIC, path.column), steps), (None, None))
        return made if type_ is T.DYNAMIC else Call(type_, "convert", (made,), (None,))


def _below(rel: Rel, path: _Path) -> _Path | None:
    """The path in the columns of the one relation that `rel` is made of."""
    if isinstance(rel, _PASSING):
        return path
    if not isinstance(rel, Project):
        return None
    base = _path(next(e for n, e in rel.columns if n == path.column))
    return None if base is None or base.rest else _Path(base.column, (*base.keys, *path.keys))


class _Rewriter:
    """One plan on its way. `look` finds what is wanted, then `exact` makes the plan; each node once."""

    def __init__(self, wanted: _Wanted) -> None:
        self._wanted = wanted
        self._seen: set[int] = set()
        self._wide: dict[int, Rel] = {}
        self._exact: dict[int, Rel] = {}

    def look(self, rel: Rel) -> None:
        if id(rel) not in self._seen:
            self._seen.add(id(rel))
            self._over(rel, rel.inputs)
            for source in rel.inputs:
                self.look(source)

    def exact(self, rel: Rel) -> Rel:
        """The relation anew, with just its columns."""
        if id(rel) not in self._exact:
            made = self.wide(rel)
            if len(made.schema) != len(rel.schema):
                made = Project(rel.schema, made, tuple((c.name, Col(c.type, c.name)) for c in rel.schema))
            self._exact[id(rel)] = made
        return self._exact[id(rel)]

    def wide(self, rel: Rel) -> Rel:
        """The relation anew, with path columns behind its own."""
        if id(rel) not in self._wide:
            self._wide[id(rel)] = self._made(rel)
        return self._wide[id(rel)]

    def _made(self, rel: Rel) -> Rel:
        added = self._wanted.columns.get(id(rel), {})
        schema = (*rel.schema, *(Column(n, c.type, True) for n, c in added.items()))
        if isinstance(rel, Scan):
            return (
                replace(rel, schema=schema, paths=tuple(self._wanted.paths[id(rel)].values()))
                if added
                else rel
            )
        if isinstance(rel, Union) and added:
            return Union(schema, tuple(self._arm(part, list(added), schema) for part in rel.parts))
        if isinstance(rel, (*_PASSING, Project, Summarize)):
            made = self._over(map_inputs(rel, self.wide), rel.inputs)
            if isinstance(made, Project):
                return (
                    replace(made, schema=schema, columns=(*made.columns, *added.items())) if added else made
                )
            return made if isinstance(made, Summarize) else _as_wide(made)
        return map_inputs(rel, self.exact)

    def _arm(self, part: Rel, added: Sequence[str], schema: tuple[Column, ...]) -> Rel:
        own = tuple((c.name, Col(c.type, c.name)) for c in part.schema)
        made = self._wanted.arms[id(part)]
        return Project(schema, self.wide(part), (*own, *((name, made[name]) for name in added)))

    # ---- expressions ----------------------------------------------------------------------

    def _over(self, rel: Rel, sources: Sequence[Rel]) -> Rel:
        """The node with its own expressions over path columns of its input, `sources` as they were."""
        if len(sources) != 1:
            return rel
        source = sources[0]
        if isinstance(rel, Filter):
            condition = self._changed(rel.condition, source)
            return rel if condition is rel.condition else replace(rel, condition=condition)
        if isinstance(rel, Project):
            return _with(rel, "columns", tuple(self._named(c, source) for c in rel.columns))
        if isinstance(rel, Sort):
            keys = tuple(
                k if (e := self._changed(k.value, source)) is k.value else replace(k, value=e)
                for k in rel.keys
            )
            return _with(rel, "keys", keys)
        if isinstance(rel, Summarize):
            changed = _with(rel, "keys", tuple(self._named(k, source) for k in rel.keys))
            return _with(changed, "aggregates", tuple(self._aggregate(a, source) for a in rel.aggregates))
        return rel

    def _named(self, column: tuple[str, Expr], source: Rel) -> tuple[str, Expr]:
        expr = self._changed(column[1], source)
        return column if expr is column[1] else (column[0], expr)

    def _aggregate(self, aggregate: Aggregate, source: Rel) -> Aggregate:
        args = tuple(
            self._argument(a, t or T.DYNAMIC, source)
            for a, t in zip(aggregate.args, aggregate.types or (None,) * len(aggregate.args), strict=True)
        )
        same = all(a is b for a, b in zip(args, aggregate.args, strict=True))
        return aggregate if same else replace(aggregate, args=args)

    def _argument(self, expr: Expr, type_: ScalarType, source: Rel) -> Expr:
        """An argument that is taken as `type_`."""
        if isinstance(expr, Call) and expr.type is T.DYNAMIC and (path := _path(expr)) is not None:
            column = self._wanted.column(source, path, T.DYNAMIC if path.rest else type_)
            if column is not None:
                return _step(column, path.rest)
        return self._changed(expr, source)

    def _changed(self, expr: Expr, source: Rel) -> Expr:
        if not isinstance(expr, Call):
            return expr
        if expr.function in _CONVERSIONS and len(expr.args) == 1 and expr.type is not T.DYNAMIC:
            path = _path(expr.args[0])
            column = (
                self._wanted.column(source, path, expr.type) if path is not None and not path.rest else None
            )
            if column is not None:
                return column
        if expr.type is T.DYNAMIC and (path := _path(expr)) is not None:
            column = self._wanted.column(source, path, T.DYNAMIC)
            if column is not None:
                return _step(column, path.rest)
        args = tuple(self._argument(a, _taken_as(expr, i), source) for i, a in enumerate(expr.args))
        return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else replace(expr, args=args)


def _with(rel: Any, name: str, new: tuple[Any, ...]) -> Rel:
    same = all(a is b for a, b in zip(new, getattr(rel, name), strict=True))
    made: Rel = rel if same else replace(rel, **{name: new})
    return made


def _as_wide(rel: Rel) -> Rel:
    """A node that hands on its input's columns, with the schema that its input has now."""
    schema = rel.inputs[0].schema
    return rel if len(schema) == len(rel.schema) else replace(rel, schema=schema)


def _step(column: Col, rest: tuple[Any, ...]) -> Expr:
    """What is left of a path, from a column."""
    if not rest:
        return column
    return Call(T.DYNAMIC, "<path>", (column, Const(T.DYNAMIC, list(rest))), (None, None))


def _taken_as(call: Call, index: int) -> ScalarType:
    """The type to which a function converts a dynamic argument before anything else."""
    told = call.types[index] if call.types else None
    if told is not None:
        return told
    if call.function in _OF_TEXT and index == 0:
        return T.STRING
    if call.function in _COMPARISONS:
        return call.args[1 - index].type
    return T.DYNAMIC
