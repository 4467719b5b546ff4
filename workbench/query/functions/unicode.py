"""Code points and Punycode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_lists
from workbench.query.functions._card import DYNAMIC, INT, LONG, STRING, Param, rep, scalar

NO_SQL = "SQL has no Punycode"

_CODES = Param(frozenset({INT, LONG, DYNAMIC}))
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # what IDNA takes for the dot between labels
_PREFIX = "xn--"


@scalar("unicode_codepoints_from_string", [STRING], DYNAMIC, aliases=("to_utf8",))
class CodePointsFromString:
    """The code points of the text as an array."""

    @staticmethod
    def row(text: str) -> list[int]:
        return [ord(c) for c in text]

    @staticmethod
    def sql(text: _sql.Sql) -> _sql.Sql:
        def code(char: _sql.Sql) -> _sql.Sql:
            return _sql.cast(_sql.plain_func("unicode", char), "VARCHAR")

        return _sql_lists.array(_sql_lists.each(_sql_lists.chars(text), code, "c"))


@scalar("unicode_codepoints_to_string", [rep(_CODES)], STRING, aliases=("make_string",))
class CodePointsToString:
    """The text of code points, given as numbers or as arrays of them; "" where one is no character."""

    @staticmethod
    def row(*values: Any) -> str:
        codes: list[Any] = []
        for value in values:
            codes += value if isinstance(value, list) else [value]
        if not all(isinstance(c, int) and 0 <= c < 0x110000 and not 0xD800 <= c < 0xE000 for c in codes):
            return ""
        return "".join(map(chr, codes))

    @staticmethod
    def sql(*values: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        lists = [
            _sql_lists.items_of(v if t is DYNAMIC else _sql.cast(v, "VARCHAR"))
            for v, t in zip(values, types, strict=True)
        ]

        def char(code: _sql.Sql) -> _sql.Sql:
            number = _sql.case(
                (_sql.op("=", code, "true"), 1), (_sql.op("=", code, "false"), 0),
                (_sql_lists.is_whole(code), _sql.try_cast(code, "INTEGER")),
            )  # fmt: skip
            ours = _sql.any_of(_sql.between(number, 0, 0xD7FF), _sql.between(number, 0xE000, 0x10FFFF))
            return _sql.case((ours, _sql.plain_func("chr", number)))

        def text(chars: _sql.Sql) -> _sql.Sql:
            odd = _sql_lists.size(_sql_lists.only(chars, _sql.is_null, "o"))
            return _sql.case((_sql.op("=", odd, 0), _sql_lists.joined(chars, "")))

        found = _sql_lists.bound(_sql_lists.each(_sql_lists.both(*lists), char, "c"), text, "b")
        return _sql.coalesce(_sql.known(found, *values), "")


def _encoded(text: str) -> str:
    try:
        return text.encode("punycode").decode("ascii")
    except UnicodeError:
        return ""


def _decoded(text: str) -> str:
    try:
        return text.encode("ascii").decode("punycode")
    except UnicodeError:
        return ""


@scalar("punycode_from_string", [STRING], STRING)
class PunycodeFromString:
    """The text in Punycode, without the `xn--` of domain names."""

    @staticmethod
    def row(text: str) -> str:
        return _encoded(text)


@scalar("punycode_to_string", [STRING], STRING)
class PunycodeToString:
    """The text behind Punycode, "" where it is none."""

    @staticmethod
    def row(text: str) -> str:
        return _decoded(text)


@scalar("punycode_domain_from_string", [STRING], STRING)
class PunycodeDomainFromString:
    """A domain name with its `xn--` labels decoded, "" where one of them is broken."""

    @staticmethod
    def row(domain: str) -> str:
        labels = []
        for label in domain.split("."):
            if label.lower().startswith(_PREFIX):
                label = _decoded(label[len(_PREFIX) :])
                if not label:
                    return ""
            labels.append(label)
        return ".".join(labels)


@scalar("punycode_domain_to_string", [STRING], STRING)
class PunycodeDomainToString:
    """A domain name with every label that is not ASCII encoded as `xn--`."""

    @staticmethod
    def row(domain: str) -> str:
        labels = _DOTS.split(domain)
        return ".".join(label if label.isascii() else _PREFIX + _encoded(label) for label in labels)
