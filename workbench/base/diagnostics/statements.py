"""Messages about statements and named things: parameters, stored functions, commands, other places."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import nearest


def _listed(what: str, names: Iterable[str], most: int = 8) -> str | None:
    known = list(names)
    if not known:
        return None
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return f"{what}: {', '.join(known[:most])}{more}"


def _near(name: str, known: Iterable[str], what: str) -> str | None:
    names = list(known)
    found = nearest(name, names)
    return f"did you mean {found[0]!r}?" if found else _listed(what, names)


# ---- parameters of a query --------------------------------------------------------------------


def parameter_missing(name: str, type_: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL401",
        f"the parameter {name!r} has no value",
        span,
        hint=f"give one ({type_}): parameters={{{name!r}: …}}, or -p {name}=… on the command line",
    )


def parameter_unfit(name: str, type_: str, given: str, span: Span) -> WorkbenchError:
    return WorkbenchError("KQL402", f"the parameter {name!r} is a {type_}, and {given} is none", span)


# ---- functions --------------------------------------------------------------------------------


def recursive(name: str, chain: Iterable[str], span: Span, *, stored: bool) -> WorkbenchError:
    table = f"; a table of that name is table({name!r})" if stored else ""
    return WorkbenchError(
        "KQL403", f"the function {name!r} calls itself", span, hint=f"{' → '.join(chain)}{table}"
    )


def in_function(error: WorkbenchError, name: str, text: str, begins: int) -> WorkbenchError:
    """An error whose span lies in a stored function, pointing into the function's own text."""
    assert error.span is not None
    moved = Span(error.span.start - begins, error.span.end - begins)
    return WorkbenchError(error.code, f"in the function {name!r}: {error.message}", moved, text, error.hint)


def no_function(name: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "KQL413",
        f"no stored function named {name!r}",
        span,
        hint=_near(name, known, "stored functions"),
    )


def function_exists(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL414",
        f"there is a stored function named {name!r} already",
        span,
        hint="change it with: .create-or-alter function",
    )


def name_of_the_language(name: str, what: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL415", f"{name!r} is {what} of the language", span, hint="give the function another name"
    )


# ---- restrict, pattern, other workspaces ------------------------------------------------------


def restricted(name: str, span: Span, allowed: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "KQL404",
        f"this query may not use {name!r}",
        span,
        hint=_listed("'restrict access to' leaves", allowed) or "'restrict access to' leaves nothing",
    )


def elsewhere(call: str, known: Iterable[str], span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL405",
        f"{call} is not here",
        span,
        hint=_listed("a query asks its own workspace, known as", known),
    )


def pattern_unknown(shown: str, known: Iterable[str], span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL406",
        f"the pattern has no match for {shown}",
        span,
        hint=_listed("it knows", known) or "it is declared without any: give it a body",
    )


# ---- commands ---------------------------------------------------------------------------------


def unknown_command(name: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("KQL411", f"no command named {name!r}", span, hint=_listed("commands", known, 12))


def command_refused(name: str, span: Span, instead: str) -> WorkbenchError:
    return WorkbenchError("KQL412", f"{name} is not supported", span, hint=instead)


def may_not_store(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL418",
        "this token may ask, not store",
        span,
        hint="a token with the role operator may change functions",
    )


def no_place_for_commands(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL416",
        "there is no workspace here that could keep it",
        span,
        hint="make one with 'workbench serve' or 'workbench import'",
    )


def command_no_plan(span: Span) -> WorkbenchError:
    return WorkbenchError("KQL417", "a command has no plan", span, hint="run it without --explain")


# ---- files outside ----------------------------------------------------------------------------


def file_missing(place: str, folders: Iterable[str], span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL421", f"there is no file {place!r}", span, hint=_listed("folders that may be read", folders)
    )


def file_unreadable(place: str, why: str, span: Span | None) -> WorkbenchError:
    return WorkbenchError("KQL422", f"{place!r} can't be read: {why}", span)


def file_too_large(place: str, most: int, span: Span | None) -> WorkbenchError:
    return WorkbenchError(
        "KQL423",
        f"{place!r} holds more than {most // 1_000_000} MB",
        span,
        hint="store it instead: workbench import FILE --table T",
    )


def unknown_format(name: str, known: Iterable[str], span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL424", f"externaldata does not read {name!r}", span, hint=_listed("formats", known, 20)
    )


def no_folder(path: str) -> WorkbenchError:
    return WorkbenchError("KQL425", f"there is no folder {path!r}")


def folder_not_allowed(path: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "KQL426", f"{path!r} is not among the allowed folders", hint=_listed("allowed", known)
    )


def bad_assignment(text: str) -> WorkbenchError:
    return WorkbenchError("KQL427", f"{text!r} gives no parameter a value", hint="write: -p NAME=VALUE")
