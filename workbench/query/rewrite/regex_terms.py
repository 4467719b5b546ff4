"""The terms that every text must have which a regular expression matches.

In goes a pattern, out comes a condition on terms, None where nothing is sure. Reads only what is plain:
letters, borders, white space; groups, classes and repeated signs are gaps in which anything may stand.
"""

from __future__ import annotations

import re

from workbench.base.terms import Terms, whole_terms

_GAP = "\uffff"  # no term beside it is known to be whole
_BORDER = " "
_TOO_MUCH = re.compile(r"\||\(\?(?!:)")
_ESCAPES = {**dict.fromkeys("bAzsWtnrfv", _BORDER), **dict.fromkeys("dwDSB", _GAP)}
_QUANTIFIER = re.compile(r"(?:[?*]|\{[0-9,]*\})[?+]?|\+[?+]?")
# One sign, class or group without one inside; what is none of these is too much.
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\\[])*\]")


def regex_terms(pattern: str) -> Terms | None:
    """The terms in each text of which `pattern` matches a part.

    Examples
    --------
    >>> regex_terms(r"(?i)\\bfoo bar\\.exe$"), regex_terms("foo.* is (not )?there,"), regex_terms("a|b")
    ((foo and bar and exe), 'is', None)
    """
    pattern = pattern.removeprefix("(?i)")
    if _TOO_MUCH.search(pattern):
        return None
    text, at = "", 0
    while at < len(pattern):
        step = _step(pattern, at)
        if step is None:
            return None
        piece, at = step
        repeated = _QUANTIFIER.match(pattern, at)
        if repeated:
            at = repeated.end()
            again = repeated[0][0] == "+" and not piece.isalnum() and piece != _GAP
            piece = piece if again else _GAP
        text += piece
    return whole_terms(text, starts=False, ends=False)


def _step(pattern: str, at: int) -> tuple[str, int] | None:
    """What stands for the next part of a pattern, and where the part after it begins."""
    sign = pattern[at]
    if sign == "\\":
        escaped = pattern[at + 1 : at + 2]
        piece = _ESCAPES.get(escaped, escaped if not escaped.isalnum() else "")
        return (piece, at + 2) if piece else None
    if sign == "[":
        found = _CLASS.match(pattern, at)
        return (_GAP, found.end()) if found else None
    if sign == "(":
        end = _behind_group(pattern, at)
        return None if end is None else (_GAP, end)
    if sign in ")]{}?*+":
        return None
    return (_BORDER if sign in "^$" else _GAP if sign == "." else sign), at + 1


def _behind_group(pattern: str, at: int) -> int | None:
    depth = 0
    while at < len(pattern):
        found = _CLASS.match(pattern, at)
        if pattern[at] == "[" and not found:
            return None
        depth += {"(": 1, ")": -1}.get(pattern[at], 0)
        at = found.end() if found else at + (2 if pattern[at] == "\\" else 1)
        if depth == 0:
            return at
    return None
