"""Aggregates of SQL as aggregates of KQL, with SQL's nulls: of no values, sum and avg are null."""

from __future__ import annotations

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.plan import Col, Const, Expr
from workbench.query.sql import conditions, expressions
from workbench.query.sql.asking import Asking

T = ScalarType
NAMES: dict[str, str] = {
    "sum": "sum", "avg": "avg", "mean": "avg", "min": "min", "max": "max", "stddev": "stdev", "stddev_samp": "stdev",
    "stddev_pop": "stdevp", "variance": "variance", "var_samp": "variance", "variance_samp": "variance", "variance_pop": "variancep",
    "var_pop": "variancep", "approx_distinct": "dcount", "approx_count_distinct": "dcount", "count_if": "countif",
    "array_agg": "make_list_with_nulls", "any_value": "take_any", "first": "take_any", "arbitrary": "take_any",
    "arg_max": "arg_max", "arg_min": "arg_min", "max_by": "arg_max", "min_by": "arg_min",
    "logical_and": "min", "logical_or": "max", "bool_and": "min", "bool_or": "max", "group_concat": "make_list",
    "string_agg": "make_list", "listagg": "make_list", "percentile_disc": "percentile",
}  # fmt: skip
_IF = {"make_list": "make_list_if", "make_set": "make_set_if", "make_bag": "make_bag_if", "hll": "hll_if"}
# How many values there have to be for a result that is not null.
_LEAST = {"sum": 1, "avg": 1, "stdev": 2, "variance": 2, "stdevp": 1, "variancep": 1}
_HINTS = {
    "percentile_cont": "percentile(x, 50) takes the nearest value, as PERCENTILE_DISC does",
    "median": "percentile(x, 50) takes the nearest value",
    "quantile": "percentile(x, 50) takes the nearest value",
    "corr": "compute it from avg() of the products",
}


def name_of(node: exp.Expr) -> str:
    """The lower-case name of an aggregate as SQL writes it."""
    inner = (
        node.this
        if isinstance(node, exp.Filter | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls)
        else node
    )
    if isinstance(inner, exp.Filter | exp.WithinGroup):
        return name_of(inner)
    if isinstance(inner, exp.Anonymous):
        return str(inner.name).lower()
    return inner.sql_name().lower() if isinstance(inner, exp.Func) else ""


def is_aggregate(node: exp.Expr) -> bool:
    if isinstance(node, exp.Filter | exp.WithinGroup | exp.AggFunc | exp.CombinedAggFunc):
        return True
    if isinstance(node, exp.Anonymous):
        name = str(node.name)
        kql = name if name in AGGREGATES else name.lower()
        return kql in NAMES or (kql in AGGREGATES and kql not in FUNCTIONS)
    return isinstance(node, exp.Func) and node.sql_name().lower() in NAMES


def bind(a: Asking, node: exp.Expr) -> Expr:
    """The value of an aggregate; its inside is bound over the rows, and may hold no other one."""
    span = a.span(node)
    name = name_of(node)
    if not a.takes_aggregates:
        hint = "HAVING asks about groups" if a.where == "WHERE" else None
        raise diagnostics.misplaced(f"the aggregate {name}()", a.where, span, hint)
    condition: Expr | None = None
    within: exp.Expr | None = None
    while isinstance(node, exp.Filter | exp.WithinGroup):
        with a.clause("an aggregate"):
            if isinstance(node, exp.Filter):
                condition = conditions.truth(a, node.expression.this)
            else:
                within = node.expression
        node = node.this
    with a.clause("an aggregate"):
        return _made(a, node, name, condition, within, span)


def _made(a: Asking, node: exp.Expr, name: str, condition: Expr | None, within: exp.Expr | None, span: Span) -> Expr:  # fmt: skip
    if isinstance(node, exp.Count):
        return _count(a, node, condition, span)
    if name in _HINTS:
        raise diagnostics.not_taken(f"{name}()", span, _HINTS[name])
    kql = NAMES.get(name)
    if kql is None:
        return _of_kql(a, node, name, condition, span)
    first = node.args.get("this")
    if isinstance(node, exp.Anonymous):
        arguments = list(node.expressions)
    else:
        arguments = [v for v in node.args.values() if isinstance(v, exp.Expr)]
        for value in node.args.values():
            arguments += [v for v in value if isinstance(v, exp.Expr)] if isinstance(value, list) else []
        first = arguments[0] if arguments else None
    if not arguments:
        raise diagnostics.wrong_count(name, "an argument", 0, span)
    first = arguments[0]
    if isinstance(first, exp.Order):
        raise diagnostics.not_taken(f"ORDER BY inside of {name}()", span, "array_sort_asc(array_agg(x))")
    if isinstance(first, exp.Distinct):
        if kql in ("min", "max", "dcount"):
            first = first.expressions[0]
        elif kql in ("make_list", "make_list_with_nulls"):
            kql, first = "make_set", first.expressions[0]
        else:
            raise diagnostics.not_taken(f"DISTINCT in {name}()", span, "aggregate a SELECT DISTINCT")
    if name in ("percentile_disc",):
        if within is None:
            raise diagnostics.not_taken(f"{name}() alone", span, "WITHIN GROUP (ORDER BY x)")
        part = a.constant(expressions.bind(a, first))
        if part is None or not part.type.is_number:
            raise diagnostics.not_constant(f"the share in {name}()", span)
        ordered = within.expressions[0]
        args = [expressions.bind(a, ordered.this), Const(T.REAL, float(part.value) * 100)]
    else:
        args = [expressions.bind(a, n) for n in (first, *arguments[1:])]
    if kql in ("arg_max", "arg_min"):
        return _best(a, kql, args, condition, span)
    if kql == "countif":
        made = a.b.convert(args[0], T.BOOL)
        return a.aggregate("countif", [a.all_of([condition, made]) or made], span)
    separator = args[1] if len(args) > 1 and kql in ("make_list", "make_set") else None
    if separator is not None or name in ("group_concat", "string_agg", "listagg"):
        listed = _plain(a, kql, [a.b.convert(args[0], T.STRING)], condition, span)
        return a.kql("strcat_array", [listed, separator or Const(T.STRING, ",")], span)
    if args[0].type is T.DYNAMIC and kql in ("sum", "avg", "min", "max"):
        args[0] = a.b.convert(args[0], T.REAL)
    truths = name in ("logical_and", "logical_or", "bool_and", "bool_or")
    if truths or (args[0].type is T.BOOL and kql in ("min", "max")):
        found = _plain(a, kql, [a.b.convert(args[0], T.LONG)], condition, span)
        return a.call("!=", found, Const(T.LONG, 0)) if truths else a.b.convert(found, T.BOOL)
    made = _plain(a, kql, args[:2] if kql == "percentile" else args[:1], condition, span)
    least = _LEAST.get(kql)
    if least is None:
        return made
    count = _counted(a, args[0], condition, span)
    return a.call("iff", a.call("<", count, Const(T.LONG, least)), Const(made.type, None), made, span=span)


def _plain(a: Asking, kql: str, args: list[Expr], condition: Expr | None, span: Span) -> Expr:
    """The aggregate over the rows that count: those of FILTER, and those whose text is not null."""
    null = a.null_of(args[0]) if args and args[0].type is T.STRING else None
    if null is not None and kql != "make_list_with_nulls":
        condition = a.all_of([condition, a.call("not", null)])
    if condition is None:
        return a.aggregate(kql, args, span)
    conditional = _IF.get(kql, f"{kql}if")
    if conditional in AGGREGATES:
        return a.aggregate(conditional, [*args, condition], span)
    if args and args[0].type is not T.STRING and kql != "make_list_with_nulls":
        return a.aggregate(
            kql, [a.call("iff", condition, args[0], Const(args[0].type, None)), *args[1:]], span
        )
    raise diagnostics.not_taken(f"FILTER of {kql}()", span, "put the condition into WHERE")


def _counted(a: Asking, value: Expr, condition: Expr | None, span: Span) -> Expr:
    """How many rows have a value."""
    null = a.null_of(value)
    wanted = a.all_of([condition, a.call("not", null) if null is not None else None])
    return a.aggregate("count", [], span) if wanted is None else a.aggregate("countif", [wanted], span)


def _count(a: Asking, node: exp.Count, condition: Expr | None, span: Span) -> Expr:
    what = node.this
    if what is None or isinstance(what, exp.Star):
        return (
            a.aggregate("count", [], span) if condition is None else a.aggregate("countif", [condition], span)
        )
    if isinstance(what, exp.Distinct):
        if len(what.expressions) != 1:
            raise diagnostics.not_taken("count(DISTINCT) of several", span, "count a SELECT DISTINCT of them")
        value = expressions.bind(a, what.expressions[0])
        if value.type is T.DYNAMIC:
            value = a.b.convert(value, T.STRING)
        null = a.null_of(value) if value.type is T.STRING else None
        wanted = a.all_of([condition, a.call("not", null) if null is not None else None])
        if wanted is None:
            return a.aggregate("count_distinct", [value], span)
        return a.aggregate("count_distinctif", [value, wanted], span)
    if node.expressions:
        raise diagnostics.wrong_count("count", "one argument", 1 + len(node.expressions), span)
    return _counted(a, expressions.bind(a, what), condition, span)


def _best(a: Asking, kql: str, args: list[Expr], condition: Expr | None, span: Span) -> Expr:
    """max_by(value, by): the value of the row where `by` is largest."""
    if len(args) != 2:
        raise diagnostics.wrong_count(kql, "2 arguments", len(args), span)
    value, by = args
    if condition is not None:
        raise diagnostics.not_taken(f"FILTER of {kql}()", span, "put the condition into WHERE")
    found = a.aggregate(kql, [by, value], span)
    made = next(g for g in a.aggregates if g.columns[0].name == found.name)
    column = made.columns[1]
    return Col(column.type, column.name, span)


def _of_kql(a: Asking, node: exp.Expr, name: str, condition: Expr | None, span: Span) -> Expr:
    """An aggregate of KQL by its name."""
    from workbench.query.sql import functions

    exact, arguments = functions.called(a, node)
    kql = exact if exact in AGGREGATES else exact.lower()
    if kql not in AGGREGATES:
        raise diagnostics.unknown_function(name, span, [*AGGREGATES, *NAMES])
    args = [expressions.bind(a, n) for n in arguments]
    return _plain(a, kql, args, condition, span) if condition is not None else a.aggregate(kql, args, span)


def output_name(node: exp.Expr) -> str | None:
    """What SQL engines call the column of a function."""
    if isinstance(node, exp.Window):
        return output_name(node.this)
    if isinstance(node, exp.Case):
        return "case"
    name = name_of(node)
    return name or None
