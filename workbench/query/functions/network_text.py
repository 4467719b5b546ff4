"""IPv4 addresses inside text: `has_ipv4` and kin.

An address in a text counts where no letter or digit touches it. A prefix is a whole address or ends
with a dot (`127.0.`); anything else is no prefix and is found nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _unsayable
from workbench.query.functions._card import BOOL, DYNAMIC, STRING, TEXT_LIKE, rep, scalar
from workbench.query.functions.forms import canonical, loads
from workbench.query.functions.network import number_of
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PREFIX = re.compile(rf"(?:{_OCTET}\.){{1,3}}")


@lru_cache(maxsize=1024)
def pattern_of(text: str, prefix: bool) -> str | None:
    """A regular expression for an address or prefix in text, None where `text` is neither.

    Examples
    --------
    >>> pattern_of("127.0", True) is None, pattern_of("127.0.0.1", False)
    (True, '(?:^|[^0-9A-Za-z])127\\\\.0\\\\.0\\\\.1(?:$|[^0-9A-Za-z])')
    """
    if prefix and _PREFIX.fullmatch(text):
        body = re.escape(text) + r"\.".join([_OCTET] * (4 - text.count(".")))
    elif "/" not in text and number_of(text) is not None:
        body = re.escape(text)
    else:
        return None
    return rf"(?:^|[^0-9A-Za-z]){body}(?:$|[^0-9A-Za-z])"


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _found(values: Sequence[Value], args: Sequence[Expr], prefix: bool) -> pl.Expr:
    text = canonical(values[0])
    tests = []
    for value, arg in zip(values[1:], args[1:], strict=True):
        if isinstance(arg, Const):
            listed = _items(arg.value)
            patterns = [p for p in (pattern_of(str(v), prefix) for v in listed) if p]
            tests.append(text.str.contains("|".join(patterns)) if patterns else pl.lit(False))
        else:
            tests.append(_per_row(text, value, prefix))
    return pl.any_horizontal(tests) & text.is_not_null()


def _per_row(text: pl.Expr, wanted: Value, prefix: bool) -> pl.Expr:
    dynamic = wanted.type is DYNAMIC

    def test(value: str, cell: str | None) -> bool:
        listed = loads(cell) if dynamic else cell
        items = listed if isinstance(listed, list) else [listed]
        patterns = (pattern_of(str(v), prefix) for v in items)
        return any(p is not None and re.search(p, value) is not None for p in patterns)

    packed = pl.struct(text.alias("v"), canonical(wanted).alias("w"))
    return packed.map_batches(
        lambda s: pl.Series(s.name, [test(r["v"], r["w"]) for r in s.to_list()], pl.Boolean),
        return_dtype=pl.Boolean, is_elementwise=True,
    )  # fmt: skip


def _search(name: str, prefix: bool, several: bool, doc: str) -> None:
    wanted = [TEXT_LIKE, rep(TEXT_LIKE, least=0)] if several else [STRING]

    @scalar(name, [STRING, *wanted], BOOL)
    class _Search:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            return Value(_found(values, args, prefix), BOOL)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            if not all(isinstance(arg, Const) for arg in args[1:]):
                raise _sql.Unsayable(_unsayable.TEXT_DIFFERS)
            listed = [v for arg in args[1:] if isinstance(arg, Const) for v in _items(arg.value)]
            patterns = [p for p in (pattern_of(str(v), prefix) for v in listed) if p]
            text = _sql_cast.canonical(values[0])
            return SqlValue(_sql.matches(text, "|".join(patterns)) if patterns else _sql.lit(False), BOOL)

    _Search.__doc__ = doc


_search("has_ipv4", False, False, "Whether the text holds the address.")
_search("has_ipv4_prefix", True, False, "Whether the text holds an address that starts with the prefix.")
_search("has_any_ipv4", False, True, "Whether the text holds one of the addresses.")
_search("has_any_ipv4_prefix", True, True, "Whether the text holds an address with one of the prefixes.")
