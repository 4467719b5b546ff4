"""Function calls: the card, the overload, conversions; let functions as values; special forms."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.binder import several, special, visible
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import FunctionEntry
from workbench.query.functions import AGGREGATES, FUNCTIONS, Card, Signature, common, refusal
from workbench.query.functions._cast import python_cast
from workbench.query.plan import Call, Const, Expr, Rel

T = ScalarType
_NUMERIC_ORDER = {T.BOOL: 0, T.INT: 1, T.LONG: 2, T.REAL: 3, T.DECIMAL: 4}
# What a constant text may stand for, as in `EventID == "4624"` or `Timestamp > "2020-01-01"`.
_FROM_TEXT = frozenset({T.DATETIME, T.TIMESPAN, T.GUID, T.INT, T.LONG, T.REAL, T.DECIMAL, T.BOOL, T.DYNAMIC})


def bind_call(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """A call in a scalar expression."""
    entry = b.scope.find(node.name)
    if isinstance(entry, FunctionEntry):
        if entry.stored:
            visible.permit(b, node.name, node.name_span)
        return b.let_scalar(entry, node, row)
    form = special.FORMS.get(node.name)
    if form is not None:
        return form(b, node, row)
    card = FUNCTIONS.get(node.name) if node.name not in syntax.WORD_OPERATORS else None
    if card is None:
        if node.name in AGGREGATES:
            raise diagnostics.aggregate_outside_summarize(node.name, node.name_span)
        refused = refusal(node.name)
        if refused is not None:
            raise diagnostics.unsupported(f"{node.name}()", node.name_span, refused)
        if b.is_tabular_call(node):
            raise diagnostics.expected_scalar(node.span)
        known = [
            n
            for n in (*b.scope.names(), *FUNCTIONS, *AGGREGATES, *special.FORMS)
            if n[0].isalpha() and n not in syntax.WORD_OPERATORS
        ]
        raise diagnostics.unknown_function(node.name, node.name_span, known)
    if card.window and not row.serialized:
        raise diagnostics.needs_serialized(node.name, node.span)
    args = [b.expr(a, row) for a in node.arguments]
    bound = _apply(b, card, node.name, args, node.span, [a.span for a in node.arguments])
    if several.gives_several(b, node):
        return several.picked(b, node, bound, row, [a.type for a in args])[0][1]
    return bound


def call(b: Inside, function: str, args: list[Expr], span: Span | None) -> Expr:
    """A card applied to bound arguments."""
    card = FUNCTIONS.get(function)
    if card is None:
        raise diagnostics.unknown_function(function, span or Span(0, 0), list(FUNCTIONS))
    return _apply(b, card, function, args, span or Span(0, 0), [])


def _apply(b: Inside, card: Card, name: str, args: list[Expr], span: Span, spans: Sequence[Span]) -> Expr:
    signature, types, returns = choose(card, name, args, span, spans)
    ready: list[Expr] = []
    for i, arg in enumerate(args):
        param = signature.at(i)
        if param is not None and param.constant:
            wanted = types[i]
            folded = b.fold(convert(arg, wanted) if wanted is not None else arg)
            if not isinstance(folded, Const):
                where = spans[i] if i < len(spans) else span
                raise diagnostics.not_constant(f"argument {i + 1} of {name}()", where)
            ready.append(folded)
        else:
            ready.append(arg)
    return Call(returns, name, tuple(ready), tuple(types), span)


def choose(card: Card, name: str, args: Sequence[Expr], span: Span, spans: Sequence[Span]) -> tuple[Signature, list[ScalarType | None], ScalarType]:  # fmt: skip
    """The overload that fits best: (signature, the type each argument is converted to, result)."""
    best: tuple[int, Signature, list[ScalarType | None]] | None = None
    for signature in card.signatures:
        if len(args) < signature.least or (signature.most is not None and len(args) > signature.most):
            continue
        cost, types = 0, list[ScalarType | None]()
        for i, arg in enumerate(args):
            param = signature.at(i)
            assert param is not None
            found = _conversion(arg, param.types)
            if found is None:
                break
            cost, types = cost + found[0], [*types, found[1]]
        else:
            if best is None or cost < best[0]:
                best = (cost, signature, types)
    if best is None:
        raise _no_overload(card, name, args, span, spans)
    _, signature, types = best
    unify = getattr(card.implementation, "unify", None)
    kinds = [t or a.type for t, a in zip(types, args, strict=True)]
    if unify is not None:
        chosen = [i for i in range(len(args)) if unify(i, len(args))]
        together = common([kinds[i] for i in chosen if not _is_null(args[i])] or [kinds[i] for i in chosen])
        for i in chosen:
            types[i] = together if args[i].type is not together else None
            kinds[i] = together
    returns = signature.returns
    return signature, types, returns if isinstance(returns, ScalarType) else returns(kinds)


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Const) and expr.value is None


def _conversion(arg: Expr, wanted: frozenset[ScalarType]) -> tuple[int, ScalarType | None] | None:
    """(cost, type to convert to or None) of giving `arg` where `wanted` is taken; None: no way."""
    have = arg.type
    if have in wanted:
        return 0, None
    if have in _NUMERIC_ORDER:
        wider = [t for t in wanted if t in _NUMERIC_ORDER and _NUMERIC_ORDER[t] > _NUMERIC_ORDER[have]]
        if wider and have is not T.BOOL:
            to = min(wider, key=_NUMERIC_ORDER.__getitem__)
            return _NUMERIC_ORDER[to] - _NUMERIC_ORDER[have], to
        narrower = [t for t in wanted if t in _NUMERIC_ORDER and t is not T.BOOL]
        if narrower:
            return 8, max(narrower, key=_NUMERIC_ORDER.__getitem__)
        if T.BOOL in wanted and len(wanted) == 1:
            return 9, T.BOOL
    if have is T.DYNAMIC:
        for to in (T.STRING, T.REAL, T.LONG, T.INT, T.DATETIME, T.TIMESPAN, T.BOOL, T.GUID, T.DECIMAL):
            if to in wanted:
                return 10, to
    if T.DYNAMIC in wanted:
        return 20, T.DYNAMIC
    if have is T.STRING and len(wanted) == 1 and isinstance(arg, Const):
        to = next(iter(wanted))
        if to in _FROM_TEXT and (to is T.DYNAMIC or python_cast(arg.value, T.STRING, to) is not None):
            return 30, to
    if have is T.GUID and T.STRING in wanted:
        return 12, T.STRING
    if isinstance(arg, Const) and arg.value is None:
        return 25, next(iter(wanted))
    if T.STRING in wanted and have is not T.STRING and len(wanted) == 1:
        return 40, T.STRING
    return None


def _no_overload(card: Card, name: str, args: Sequence[Expr], span: Span, spans: Sequence[Span]) -> Exception:
    fitting = [s for s in card.signatures if s.least <= len(args) and (s.most is None or len(args) <= s.most)]
    if not fitting:
        least = min(s.least for s in card.signatures)
        most = [s.most for s in card.signatures]
        upper = None if None in most else max(m for m in most if m is not None)
        plural = "" if (upper or least) == 1 else "s"
        wanted = f"{least} argument{plural}" if upper == least else f"{least} to {upper} arguments" if upper else f"{least} or more arguments"  # fmt: skip
        return diagnostics.wrong_count(name, wanted, len(args), span)
    if not name[0].isalpha() or name in ("and", "or", "has", "contains") or " " in name:
        kinds = [a.type.value for a in args]
        if len(kinds) == 2:
            return diagnostics.no_operator_for(name, kinds[0], kinds[1], span, _cast_hint(args))
        return diagnostics.wrong_type(f"'{name[-1]}'", "a number", kinds[0], span)
    for i, arg in enumerate(args):
        params = [p for s in fitting if (p := s.at(i)) is not None]
        if params and all(_conversion(arg, p.types) is None for p in params):
            types = frozenset(t for p in params for t in p.types)
            wanted = (
                "a number"
                if types >= {T.INT, T.LONG, T.REAL}
                else " or ".join(sorted(t.value for t in types))
            )
            where = spans[i] if i < len(spans) else span
            return diagnostics.wrong_type(f"argument {i + 1} of {name}()", wanted, arg.type.value, where)
    return diagnostics.wrong_type(f"{name}()", "other arguments", ", ".join(a.type.value for a in args), span)


def _cast_hint(args: Sequence[Expr]) -> str | None:
    types = {a.type for a in args}
    if types == {T.STRING}:
        return "texts are joined with strcat(…)"
    if T.STRING in types and types & {T.INT, T.LONG, T.REAL}:
        return "convert one side: tolong(…), toreal(…) or tostring(…)"
    if T.STRING in types and T.DATETIME in types:
        return "convert the text: todatetime(…)"
    return None


def convert(expr: Expr, type_: ScalarType) -> Expr:
    """`expr` as another type, by the conversion that lowering does (`functions.forms.converted`)."""
    if expr.type is type_:
        return expr
    if isinstance(expr, Const) and expr.value is None:
        return Const(type_, "" if type_ is T.STRING else None, expr.span)
    return Call(type_, "convert", (expr,), (type_,))
