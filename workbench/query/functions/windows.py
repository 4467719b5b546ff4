"""Row functions: what a row gets from those before and after it, in the order that the input has.

They read the whole frame in order, so the binder allows them on serialized input alone. `restart` begins anew at each
row for which it is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_aggregates, _sql_cast
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DATETIME,
    DECIMAL,
    DYNAMIC,
    INT,
    LONG,
    REAL,
    TIMESPAN,
    Param,
    const,
    opt,
    same,
    scalar,
)
from workbench.query.functions.forms import canonical, converted
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Const, Expr

_SCALAR = Param(frozenset(ScalarType) - {DYNAMIC})


def _index() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.Int64)


def _runs(restart: pl.Expr) -> pl.Expr:
    """A number that is the same for all rows from one restart to the next."""
    # A constant stands once for all rows; each of them has to begin anew.
    return pl.when(_index() >= 0).then(restart.fill_null(False).cast(pl.Int64)).cum_sum()


def _sql_runs(restart: _sql.Sql | None) -> _sql.Sql | None:
    """The same as a column to partition by."""
    if restart is None:
        return None
    return _sql.over(_sql.func("sum", _sql.case((restart, 1), otherwise=0)))


def _neighbour(name: str, direction: int, doc: str) -> None:
    @scalar(name, [ANY, opt(const(LONG)), opt(ANY)], same, window=True)
    class _Neighbour:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            value, offset = values[0], 1
            if len(args) > 1 and isinstance(args[1], Const) and args[1].value is not None:
                offset = int(args[1].value)
            if len(values) > 2:
                fill, moved = (
                    canonical(converted(values[2], value.type)),
                    canonical(value).shift(offset * direction),
                )
                beyond = _index() - offset * direction
                outside = (beyond < 0) | (beyond >= pl.len())
                return Value(pl.when(outside).then(fill).otherwise(moved), value.type)
            moved = value.expr.shift(offset * direction)
            text = value.type is ScalarType.STRING and value.form is Form.CANONICAL
            return Value(moved.fill_null(""), value.type) if text else Value(moved, value.type, value.form)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            value, offset = _sql_aggregates.held(values[0]), 1
            if len(args) > 1 and isinstance(args[1], Const) and args[1].value is not None:
                offset = int(args[1].value)
            offset *= direction
            more = []
            if len(values) > 2:
                value = SqlValue(_sql_cast.canonical(value), value.type)
                more = [_sql_cast.canonical(_sql_cast.converted(values[2], value.type))]
            found = _sql.plain_func("lag" if offset >= 0 else "lead", value.expr, abs(offset), *more)
            return replace(value, expr=_sql.over(found))

    _Neighbour.__doc__ = doc


_neighbour("prev", 1, "The value of an earlier row, the one before unless told otherwise.")
_neighbour("next", -1, "The value of a later row, the one after unless told otherwise.")


@scalar("row_number", [opt(const(LONG)), opt(BOOL)], LONG, window=True)
class RowNumber:
    """The row's number, from the first argument (1) on."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        start = args[0].value if args and isinstance(args[0], Const) else 1
        number = _index() + (1 if start is None else int(start))
        if len(values) < 2:
            return Value(number, LONG)
        return Value(number - _last_index(canonical(values[1])), LONG)

    @staticmethod
    def sql(start: int | None = 1, restart: _sql.Sql | None = None) -> _sql.Sql:
        first = 1 if start is None else int(start)
        number = _sql.over(_sql.plain_func("row_number"), by=_sql_runs(restart))
        return _sql.op("+", number, first - 1) if first != 1 else number


def _last_index(begins: pl.Expr) -> pl.Expr:
    """The index of the last row before, or the row itself, for which `begins` is true; else 0."""
    return pl.when(begins.fill_null(False)).then(_index()).forward_fill().fill_null(0)


@scalar(
    "row_cumsum", overloads=[([t, opt(BOOL)], t) for t in (INT, LONG, REAL, DECIMAL, TIMESPAN)], window=True
)
class RowCumsum:
    """The sum of the value over all rows so far; null adds nothing."""

    @staticmethod
    def polars(term: pl.Expr, restart: pl.Expr | None = None) -> pl.Expr:
        # A constant stands once for all rows; its sum needs it on each of them.
        total = pl.when(_index() >= 0).then(term.fill_null(0)).cum_sum()
        return total if restart is None else total.over(_runs(restart))

    @staticmethod
    def sql(term: _sql.Sql, restart: _sql.Sql | None = None, *, types: Sequence[ScalarType]) -> _sql.Sql:
        total = _sql.over(_sql.func("sum", _sql.coalesce(term, 0)), by=_sql_runs(restart))
        if types[0] is REAL:
            return total
        if types[0] is DECIMAL:
            return _sql.cast(total, _sql_cast.SQL_TYPES[DECIMAL])
        return _sql_cast.convert(_sql.wrap(total, total), LONG, types[0] if types[0] is INT else LONG)


def _changes(term: pl.Expr, restart: pl.Expr | None) -> pl.Expr:
    """Where the value is not that of the row before."""
    changed = (_index() == 0) | term.ne_missing(term.shift(1))
    return changed if restart is None else changed | restart.fill_null(False)


def _sql_changes(term: _sql.Sql, restart: _sql.Sql | None) -> _sql.Sql:
    first = _sql.op("=", _sql.over(_sql.plain_func("row_number")), 1)
    other = _sql.op("is distinct from", term, _sql.over(_sql.plain_func("lag", term)))
    again = [] if restart is None else [_sql.coalesce(restart, False)]
    return _sql.any_of(first, other, *again)


def _sql_last_number(begins: _sql.Sql) -> _sql.Sql:
    """The number of the last row so far for which `begins` is true; else 1."""
    number = _sql.over(_sql.plain_func("row_number"))
    return _sql.coalesce(_sql.over(_sql.func("max", _sql.case((begins, number)))), 1)


@scalar("row_rank_dense", [_SCALAR, opt(BOOL)], LONG, window=True)
class RowRankDense:
    """How many different values there were so far in sorted rows: ranks without gaps."""

    @staticmethod
    def polars(term: pl.Expr, restart: pl.Expr | None = None) -> pl.Expr:
        rank = _changes(term, None).cast(pl.Int64).cum_sum()
        return rank if restart is None else rank.over(_runs(restart))

    @staticmethod
    def sql(term: _sql.Sql, restart: _sql.Sql | None = None) -> _sql.Sql:
        changed = _sql.case((_sql_changes(term, restart), 1), otherwise=0)
        return _sql.cast(_sql.over(_sql.func("sum", changed), by=_sql_runs(restart)), "BIGINT")


@scalar("row_rank_min", [_SCALAR, opt(BOOL)], LONG, window=True)
class RowRankMin:
    """The number of the first row with this value in sorted rows: ranks with gaps after ties."""

    @staticmethod
    def polars(term: pl.Expr, restart: pl.Expr | None = None) -> pl.Expr:
        first = _last_index(_changes(term, restart))
        return first + 1 if restart is None else first + 1 - _last_index(restart)

    @staticmethod
    def sql(term: _sql.Sql, restart: _sql.Sql | None = None) -> _sql.Sql:
        first = _sql_last_number(_sql_changes(term, restart))
        return first if restart is None else _sql.op("+", _sql.op("-", first, _sql_last_number(restart)), 1)


@scalar("row_window_session", [DATETIME, TIMESPAN, TIMESPAN, opt(BOOL)], DATETIME, window=True)
class RowWindowSession:
    """The time at which the row's session began.

    A session ends at a row that lies as far as the second argument from its first row, or as the third from
    the row before; also at a null and at a restart.
    """

    no_sql = "each row depends on what the row before it left behind"

    @staticmethod
    def polars(time: pl.Expr, longest: pl.Expr, gap: pl.Expr, restart: pl.Expr | None = None) -> pl.Expr:
        again = pl.lit(False) if restart is None else restart.fill_null(False)
        packed = pl.struct(
            time.alias("time"), longest.alias("longest"), gap.alias("gap"), again.alias("again")
        )
        return packed.map_batches(_sessions, return_dtype=pl.Int64)


def _sessions(rows: pl.Series) -> pl.Series:
    began: list[Any] = []
    start: int | None = None
    before: int | None = None
    for time, longest, gap, again in rows.struct.unnest().iter_rows():
        if (
            again
            or time is None
            or start is None
            or before is None
            or time >= start + longest
            or time >= before + gap
        ):
            start = time
        began.append(start)
        before = time
    return pl.Series(rows.name, began, pl.Int64)
