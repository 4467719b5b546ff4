"""Bits of whole numbers: `binary_*` functions and aggregates, which work on 64 bits."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from workbench.query.functions import _sql
from workbench.query.functions._card import INT, LONG, Naming, aggregate, scalar

_BITS = 2**64


def _signed(bits: int) -> int:
    """64 bits as a number of two's complement."""
    bits %= _BITS
    return bits - _BITS if bits >= _BITS // 2 else bits


def _pair(name: str, compute: Callable[[pl.Expr, pl.Expr], pl.Expr], build: Callable[[_sql.Sql, _sql.Sql], _sql.Sql], doc: str) -> None:  # fmt: skip
    @scalar(name, [LONG, LONG], LONG, naming=Naming.FIRST_ARGUMENT)
    class _Pair:
        @staticmethod
        def polars(a: pl.Expr, b: pl.Expr) -> pl.Expr:
            return compute(a, b)

        @staticmethod
        def sql(a: _sql.Sql, b: _sql.Sql) -> _sql.Sql:
            return build(a, b)

    _Pair.__doc__ = doc


_pair("binary_and", lambda a, b: a & b, lambda a, b: _sql.op("&", a, b), "The bits that both numbers have.")
_pair("binary_or", lambda a, b: a | b, lambda a, b: _sql.op("|", a, b), "The bits that either number has.")
_pair(
    "binary_xor",
    lambda a, b: a ^ b,
    lambda a, b: _sql.func("xor", a, b),
    "The bits that just one of the numbers has.",
)


@scalar("binary_not", [LONG], LONG, naming=Naming.FIRST_ARGUMENT)
class BinaryNot:
    """The bits that the number does not have."""

    @staticmethod
    def polars(value: pl.Expr) -> pl.Expr:
        return -1 - value

    @staticmethod
    def sql(value: _sql.Sql) -> _sql.Sql:
        return _sql.op("-", -1, value)


@scalar("binary_shift_left", [LONG, LONG], LONG, naming=Naming.FIRST_ARGUMENT)
class BinaryShiftLeft:
    """The bits moved up by the second argument modulo 64; null where that is negative."""

    @staticmethod
    def row(value: int, shift: int) -> int | None:
        return None if shift < 0 else _signed(value << shift % 64)

    @staticmethod
    def sql(value: _sql.Sql, shift: _sql.Sql) -> _sql.Sql:
        places = _sql.op("%", shift, 64)
        power = _sql.cast(_sql.func("pow", 2.0, places), "HUGEINT")
        moved = _sql.wrap(_sql.op("*", _sql.cast(value, "HUGEINT"), power), _sql.op("<<", value, places))
        return _sql.case((_sql.op(">=", shift, 0), moved))


@scalar("binary_shift_right", [LONG, LONG], LONG, naming=Naming.FIRST_ARGUMENT)
class BinaryShiftRight:
    """The bits moved down by the second argument modulo 64, the sign kept; null where that is negative."""

    @staticmethod
    def row(value: int, shift: int) -> int | None:
        return None if shift < 0 else value >> shift % 64

    @staticmethod
    def sql(value: _sql.Sql, shift: _sql.Sql) -> _sql.Sql:
        moved = _sql.op(">>", value, _sql.op("%", shift, 64))
        return _sql.case((_sql.op(">=", shift, 0), moved))


@scalar("bitset_count_ones", [LONG], LONG, naming=Naming.FIRST_ARGUMENT)
class BitsetCountOnes:
    """How many bits of the number are set."""

    @staticmethod
    def polars(value: pl.Expr) -> pl.Expr:
        return value.bitwise_count_ones().cast(pl.Int64)

    @staticmethod
    def sql(value: _sql.Sql) -> _sql.Sql:
        return _sql.cast(_sql.plain_func("bit_count", value), "BIGINT")


def _over_group(name: str, compute: Callable[[pl.Expr], pl.Expr], function: str, doc: str) -> None:
    @aggregate(name, overloads=[([INT], INT), ([LONG], LONG)], naming=Naming.FIRST_ARGUMENT)
    class _OverGroup:
        @staticmethod
        def polars(value: pl.Expr) -> pl.Expr:
            return compute(value)

        @staticmethod
        def sql(value: _sql.Sql) -> _sql.Sql:
            return _sql.func(function, value)

    _OverGroup.__doc__ = doc


_over_group(
    "binary_all_and", lambda v: v.bitwise_and(), "bit_and", "The bits that every number of the group has."
)
_over_group("binary_all_or", lambda v: v.bitwise_or(), "bit_or", "The bits that any number of the group has.")
_over_group(
    "binary_all_xor",
    lambda v: v.bitwise_xor(),
    "bit_xor",
    "The bits that an odd count of the group's numbers have.",
)
