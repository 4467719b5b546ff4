"""Code points and Punycode."""

from __future__ import annotations

import re
from typing import Any

from workbench.query.functions._card import DYNAMIC, INT, LONG, STRING, Param, rep, scalar

_CODES = Param(frozenset({INT, LONG, DYNAMIC}))
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # what IDNA takes for the dot between labels
_PREFIX = "xn--"


@scalar("unicode_codepoints_from_string", [STRING], DYNAMIC, aliases=("to_utf8",))
class CodePointsFromString:
    """The code points of the text as an array."""

    @staticmethod
    def row(text: str) -> list[int]:
        return [ord(c) for c in text]


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
