"""Regular expressions of Rust's syntax, which the first lowering has, in RE2's, which SQL engines have.

What the two read differently is written so that RE2 reads it as Rust does: `\\d`, `\\w` and `\\s` know all of
Unicode there and ASCII here. What RE2 has no form for raises `Unsayable`.
"""

from __future__ import annotations

import re

from workbench.query.functions import _unsayable
from workbench.query.functions._sql import Unsayable

_SPACES = "\\t\\n\\x0b\\x0c\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
# Letters that Unicode counts as such without giving them a letter's category stand one by one.
_WORD = (
    "\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"
    "\\x{200c}\\x{200d}"
)
_SETS = {"d": "\\p{Nd}", "w": _WORD, "s": _SPACES}
_TOKEN = re.compile(
    r"\\(?:x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[uU](?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{4,8})|[pP](?:\{\^?\w+\}|[A-Z])|.)"
    r"|\(\?<(?![=!])|\(\?P?<[^>]*>|\(\?[a-zA-Z-]+[:)]|\[:\^?\w+:\]|\{\d+(?:,\d*)?\}|\[\^?\]?|&&|--|~~|.",
    re.DOTALL,
)
_MOST = 1000  # repetitions that RE2 takes
_PLAIN = set("aftnrvAzQE") | set("\\.+*?()|[]{}^$#&-~/<>\"'`,:;=!@%_ ")


def re2(pattern: str) -> str:
    """A checked pattern of Rust's `regex` crate as RE2 reads the same.

    Raises
    ------
    Unsayable
        RE2 can't say it: borders of words, sets cut with sets, flags of its own.

    Examples
    --------
    >>> re2(r"^\\d+$"), re2(r"(?<day>[\\d-])")
    ('^\\\\p{Nd}+$', '(?P<day>[\\\\p{Nd}-])')
    """
    inside, out = False, []
    for token in _TOKEN.findall(pattern):
        if token == "(?<":
            out.append("(?P<")
        elif token[0] == "\\" and len(token) > 1:
            out.append(_escape(token, inside))
        elif inside:
            if (token[0] == "[" and not token.startswith("[:")) or token in ("&&", "--", "~~"):
                raise Unsayable(_unsayable.PATTERN_ODD)
            inside = token != "]"
            out.append(token)
        else:
            if token.startswith("[:"):
                raise Unsayable(_unsayable.PATTERN_ODD)
            inside = token[0] == "["
            out.append(_group(token))
    return "".join(out)


def _group(token: str) -> str:
    if token.startswith(("(?<", "(?P<")):
        return "(?P" + token[token.index("<") :]
    if token.startswith("(?") and set(token[2:-1]) - set("imsU-"):
        raise Unsayable(_unsayable.PATTERN_ODD)
    if token[0] == "{" and max((int(n) for n in re.findall(r"\d+", token)), default=0) > _MOST:
        raise Unsayable(_unsayable.PATTERN_ODD)
    return token


def _escape(token: str, inside: bool) -> str:
    letter = token[1]
    if letter in "uU":
        return "\\x{" + token[2:].strip("{}") + "}"
    if letter in "xpP":
        # RE2 knows categories and scripts, not the properties that Rust has beside them.
        known = letter == "x" or re.fullmatch(r"\\[pP](?:\{\^?[A-Z][a-z]?\}|[A-Z])", token)
        if not known:
            raise Unsayable(_unsayable.PATTERN_ODD)
        return token
    if letter.lower() in _SETS:
        chars = _SETS[letter.lower()]
        if letter.islower():
            return chars if inside or letter == "d" else f"[{chars}]"
        if letter == "D":
            return "\\P{Nd}"
        if inside:
            raise Unsayable(_unsayable.PATTERN_ODD)
        return f"[^{chars}]"
    if letter in _PLAIN and letter not in "<>QE":
        return token
    raise Unsayable(_unsayable.PATTERN_ODD)
