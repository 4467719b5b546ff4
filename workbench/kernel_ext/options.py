"""The options of `%logsearch`: the text behind the magic's name in, `Options` and the query's start out.

Reads the text by itself, so that a wrong option is a coded error with a caret and never ends the
process, and so that the query behind the options is left exactly as it was written.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.errors import Span, WorkbenchError

PREVIEW_ROWS = 50
MOST_PREVIEW_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """What the first line of a cell asked for.

    Attributes
    ----------
    name : str or None
        Notebook variable that gets the `Result` (`--as`).
    timespan : str or None
        `P1D`, `PT1H` or `start/end` (`--timespan`).
    limit : int
        Rows shown (`--limit`); all rows are kept.
    explain : bool
        Show the plan, run nothing (`--explain`).
    workspace : str or None
        Folder or URL (`--workspace`), else the default one.
    expect : int
        Fewer rows, or values in a chart, fail the cell (`--expect`): a notebook that runs by itself
        stops there.
    sql : bool
        The text is SQL (`--sql`), of the permissive dialect or that of `dialect` (`--dialect`).
    load : str or None
        Run this saved search (`--load`); a text that is there goes behind it.
    save : str or None
        Keep the query as a saved search of this name (`--save`), then run it.
    cache : bool
        The rows of an earlier cell will do that asked the same of the same records (`--cache`).
    show : str or None
        Show the kept result of this id again and run nothing (`--show`).
    alert : str or None
        Make the query an alert rule of this name, or the query of that rule (`--alert`); run nothing.
    when, every, over, split, severity : str or None
        Of that rule, in the words of its text.
    """

    name: str | None = None
    timespan: str | None = None
    limit: int = PREVIEW_ROWS
    explain: bool = False
    workspace: str | None = None
    expect: int = 0
    sql: bool = False
    dialect: str | None = None
    load: str | None = None
    save: str | None = None
    cache: bool = False
    show: str | None = None
    alert: str | None = None
    when: str | None = None
    every: str | None = None
    over: str | None = None
    split: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    """How one option is written: its field, and what its value is (none for a switch)."""

    field: str
    value: str = ""
    help: str = ""


FORMS = {
    "--as": _Form("name", "a variable name", "keep the Result in this notebook variable"),
    "--timespan": _Form(
        "timespan", "a duration such as P1D or PT1H, or start/end", "only records of that time"
    ),
    "--limit": _Form(
        "limit", f"a whole number from 0 to {MOST_PREVIEW_ROWS}", "rows shown (50); all are kept"
    ),
    "--explain": _Form("explain", "", "show how the query would run, and run nothing"),
    "--expect": _Form(
        "expect", "a whole number of rows", "fail the cell when there are fewer rows than that"
    ),
    "--sql": _Form("sql", "", "the text is SQL: one SELECT over the same tables"),
    "--dialect": _Form("dialect", "a dialect such as postgres", "it is SQL of that dialect"),
    "--load": _Form("load", "the name of a saved search", "run that saved search; your text goes behind it"),
    "--save": _Form("save", "a name", "keep the query as a saved search, then run it"),
    "--cache": _Form("cache", "", "rows found earlier will do while no record is new"),
    "--show": _Form("show", "the id of a result", "show a kept result again, and run nothing"),
    "--alert": _Form("alert", "the name of an alert rule", "make the query an alert rule, and run nothing"),
    "--when": _Form("when", "a condition such as 'count > 10'", "of that rule: when it fires"),
    "--every": _Form("every", "a time such as 5m", "of that rule: how often it is evaluated"),
    "--over": _Form("over", "a time such as 15m", "of that rule: how far back it looks"),
    "--split": _Form("split", "columns such as 'Computer, Account'", "of that rule: what is watched apart"),
    "--severity": _Form("severity", "a name such as Error, or 0 to 4", "of that rule"),
    "--workspace": _Form("workspace", "a folder or URL", "ask this workspace instead of the default one"),
}

OF_ALERTS = ("when", "every", "over", "split", "severity")
"""Options that say something of the rule that `--alert` names."""
_WORD = re.compile(r"\s*(?P<name>-[-\w]*)(?P<equals>=)?")
_VALUE = re.compile(
    r"""\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'][^\s]*)|(?P<open>["'][^\s]*))"""
)


def parse_line(line: str) -> tuple[Options, str]:
    """Split the text behind the magic's name into its options and the query.

    Parameters
    ----------
    line : str
        One line, without `%logsearch`.

    Returns
    -------
    tuple of Options and str
        The rest, from the first word that is no option, as written.

    Raises
    ------
    WorkbenchError
        LAB001 to LAB007, with the place in `line`.

    Examples
    --------
    >>> options, query = parse_line("--limit 5 --as r Heartbeat | count")
    >>> options.limit, options.name, query
    (5, 'r', 'Heartbeat | count')
    """
    try:
        return _parse(line)
    except WorkbenchError as error:
        raise error.within(line) from None


def _parse(line: str) -> tuple[Options, str]:
    given: dict[str, Any] = {}
    at = 0
    while (word := _WORD.match(line, at)) is not None:
        name, span = word["name"], Span(word.start("name"), word.end("name"))
        form = FORMS.get(name)
        if form is None:
            raise diagnostics.unknown_option(name, span, list(FORMS))
        if form.field in given:
            raise diagnostics.option_twice(name, span)
        at = word.end()
        if not form.value:
            if word["equals"]:
                raise diagnostics.no_value(name, span)
            given[form.field] = True
            continue
        value = _VALUE.match(line, at)
        if value is None or (value["bare"] or "").startswith("--"):
            raise diagnostics.option_needs_value(name, form.value, span)
        if value["open"]:
            raise diagnostics.open_quote(Span(value.start("open"), value.end()))
        text = next(t for t in (value["double"], value["single"], value["bare"]) if t is not None)
        here = Span(value.end() - len(value[0].lstrip()), value.end())
        given[form.field] = _checked(name, form, text, here)
        at = value.end()
    if "alert" not in given:
        for name, form in FORMS.items():
            if form.field in OF_ALERTS and form.field in given:
                start = line.index(name)
                raise diagnostics.option_of_alert(name, Span(start, start + len(name)))
    return Options(**given), line[at:].lstrip()


def rewritten(line: str, drop: Container[str] = (), put: Mapping[str, str] | None = None) -> str:
    """The options of a line as they are written, without some and with others; the query behind them is left out.

    Examples
    --------
    >>> rewritten("--limit 5 --timespan P1D Heartbeat", drop=("--limit",), put={"--timespan": "PT1H"})
    '--timespan PT1H'
    """
    put = dict(put or {})
    kept, at = [], 0
    while (word := _WORD.match(line, at)) is not None and (form := FORMS.get(word["name"])) is not None:
        value = _VALUE.match(line, word.end()) if form.value else None
        at = value.end() if value else word.end()
        if word["name"] not in drop and word["name"] not in put:
            kept.append(line[word.start() : at].strip())
    return " ".join([*kept, *(f"{name} {value}" for name, value in put.items())])


def _checked(name: str, form: _Form, text: str, span: Span) -> str | int:
    """The value of an option in its type, or the error that says what is wanted."""
    if form.field in ("limit", "expect"):
        if not text.isdecimal() or (form.field == "limit" and int(text) > MOST_PREVIEW_ROWS):
            raise diagnostics.bad_option_value(name, text, form.value, span)
        return int(text)
    wrong = not text.strip() or (
        form.field == "name" and (not text.isidentifier() or keyword.iskeyword(text) or text.startswith("_"))
    )
    if wrong:
        raise diagnostics.bad_option_value(name, text, form.value, span)
    return text


def help_lines() -> str:
    """The options as lines of text for `%logsearch?`.

    Examples
    --------
    >>> "--explain" in help_lines()
    True
    """
    words = {
        "name": "NAME",
        "timespan": "P1D|start/end",
        "limit": "N",
        "expect": "N",
        "workspace": "PATH",
        "dialect": "NAME",
        "load": "NAME",
        "save": "NAME",
        "show": "ID",
        "alert": "NAME",
        "when": "CONDITION",
        "every": "5m",
        "over": "15m",
        "split": "COLUMNS",
        "severity": "NAME|0-4",
    }
    return "\n".join(f"  {(n + ' ' + words.get(f.field, '')):26} {f.help}" for n, f in FORMS.items())
