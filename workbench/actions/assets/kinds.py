"""What each kind of asset takes, what of it people may see, and what of it is secret.

In go JSON values as they were sent, out come a `Content`. Nothing is stored here, and no message repeats a value.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workbench.base.diagnostics import assets as diagnostics

MOST_VALUE = 1 << 20
"""Characters of one value as JSON; as in Azure Automation."""
LEAST_SECRET = 4
"""Characters of a secret; a shorter one can't be told from ordinary output."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Kind(StrEnum):
    """The kinds of assets."""

    VARIABLE = "variable"
    CREDENTIAL = "credential"
    CERTIFICATE = "certificate"
    CONNECTION = "connection"
    MODULES = "modules"

    @classmethod
    def named(cls, word: object) -> Kind:
        """The kind of that name; raises AST003."""
        try:
            return cls(str(word))
        except ValueError:
            raise diagnostics.bad_kind(str(word)[:80], cls) from None


@dataclass(frozen=True, slots=True)
class Content:
    """What an asset holds.

    Attributes
    ----------
    type : str
        Of a variable or a connection; "" for others.
    shown : mapping
        JSON values that people see; all of an asset that has no secret.
    secret : mapping, optional
        JSON values that only jobs get, stored sealed.
    """

    type: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)
    secret: Mapping[str, Any] | None = None


def checked_name(name: object) -> str:
    """A name that an asset can have; raises AST002."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise diagnostics.bad_name(str(name))
    return name


def content(kind: Kind, body: Mapping[str, Any]) -> Content:
    """What a body of JSON says of an asset of that kind.

    Raises
    ------
    WorkbenchError
        AST004 to AST009.

    Examples
    --------
    >>> content(Kind.VARIABLE, {"type": "number", "value": 7}).shown
    {'value': 7}
    >>> content(Kind.CREDENTIAL, {"user": "ada", "password": "long enough"}).shown
    {'user': 'ada'}
    """
    size = len(json.dumps(dict(body)))
    if size > 2 * MOST_VALUE:
        raise diagnostics.too_large(kind, size, MOST_VALUE)
    return _READERS[kind](body)


# ---- variables -----------------------------------------------------------------------------------


def _variable(body: Mapping[str, Any]) -> Content:
    named, value = body.get("type") or "string", body.get("value")
    if not isinstance(named, str) or named not in VARIABLE_TYPES:
        raise diagnostics.bad_field("variable", "type", f"one of: {', '.join(VARIABLE_TYPES)}")
    value = typed(named, value)
    if body.get("encrypted") is not True:
        return Content(named, {"value": value})
    text = value if isinstance(value, str) else json.dumps(value)
    if named == "boolean" or len(text) < LEAST_SECRET:
        raise diagnostics.too_short_a_secret("the value", LEAST_SECRET)
    return Content(named, {}, {"value": value})


def typed(named: str, value: Any) -> Any:
    """A value as a variable of that type holds it; raises AST005, AST006."""
    size = len(json.dumps(value, default=str))
    if size > MOST_VALUE:
        raise diagnostics.too_large("variable", size, MOST_VALUE)
    made = VARIABLE_TYPES[named](value)
    if made is None and named != "json":
        raise diagnostics.bad_value(named)
    return made


def _string(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _number(value: Any) -> Any:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if fine else None


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _datetime(value: Any) -> Any:
    """In UTC; a text without a zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    found = found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
    return found.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


VARIABLE_TYPES: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "datetime": _datetime,
    "json": lambda value: value,
}


# ---- the others ----------------------------------------------------------------------------------


def _credential(body: Mapping[str, Any]) -> Content:
    user = _text(body, "credential", "user", most=1024)
    password = _text(body, "credential", "password", most=64 << 10)
    _long_enough("the password", password)
    return Content("", {"user": user}, {"password": password})


def _certificate(body: Mapping[str, Any]) -> Content:
    from workbench.actions.assets.certificates import read

    found = read(_text(body, "certificate", "data", most=MOST_VALUE), body.get("password"))
    return Content("", found.shown(), found.secret())


def _connection(body: Mapping[str, Any]) -> Content:
    named, fields, secret = body.get("type") or "", body.get("fields") or {}, body.get("secret") or {}
    if not isinstance(named, str) or len(named) > 64:
        raise diagnostics.bad_field("connection", "type", "it is a text of at most 64 characters")
    for where, values in (("fields", fields), ("secret", secret)):
        if not isinstance(values, Mapping) or not all(_FIELD.fullmatch(str(n)) for n in values):
            raise diagnostics.bad_field("connection", where, "it is an object of named values")
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool):
                raise diagnostics.bad_field("connection", str(name), "it is text, a number, true or false")
    if twice := fields.keys() & secret.keys():
        raise diagnostics.bad_field("connection", min(twice), "it is given as plain and as secret")
    for name, value in secret.items():
        if not isinstance(value, str):
            raise diagnostics.bad_field("connection", str(name), "a secret field is text")
        _long_enough(f"field {name!r}", value)
    return Content(named, {"fields": dict(fields), "secret": sorted(secret)}, dict(secret))


def _modules(body: Mapping[str, Any]) -> Content:
    from workbench.actions.assets.requirements import checked

    lines = body.get("requirements")
    if isinstance(lines, str):
        lines = lines.splitlines()
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise diagnostics.bad_field("modules", "requirements", "it is a list of requirements")
    return Content("", {"requirements": checked(lines)})


def _text(body: Mapping[str, Any], kind: str, name: str, *, most: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise diagnostics.bad_field(kind, name, "it is a text, and not empty")
    if len(value) > most:
        raise diagnostics.too_large(kind, len(value), most)
    return value


def _long_enough(what: str, value: str) -> None:
    if len(value) < LEAST_SECRET:
        raise diagnostics.too_short_a_secret(what, LEAST_SECRET)


_READERS: dict[Kind, Callable[[Mapping[str, Any]], Content]] = {
    Kind.VARIABLE: _variable,
    Kind.CREDENTIAL: _credential,
    Kind.CERTIFICATE: _certificate,
    Kind.CONNECTION: _connection,
    Kind.MODULES: _modules,
}


# ---- what must not be said -----------------------------------------------------------------------


def spoken(kind: Kind, secret: Mapping[str, Any]) -> list[str]:
    """The texts in which a secret could be said, for `scrub`.

    Examples
    --------
    >>> spoken(Kind.VARIABLE, {"value": {"token": "abcdef", "n": 1}})
    ['abcdef', '{"token": "abcdef", "n": 1}', '{"token":"abcdef","n":1}']
    """
    if kind is Kind.VARIABLE:
        value = secret["value"]
        if isinstance(value, str):
            return [value]
        texts = [json.dumps(value), json.dumps(value, separators=(",", ":"))]
        return list(dict.fromkeys([*_leaves(value), *texts]))
    if kind is Kind.CERTIFICATE:
        return [secret["private_key"]] if secret.get("private_key") else []
    return [str(value) for value in secret.values()]


def _leaves(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if len(value) >= LEAST_SECRET else []
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [leaf for one in inner for leaf in _leaves(one)]
