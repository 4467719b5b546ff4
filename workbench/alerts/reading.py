"""The text of a rule: YAML in, a checked `Rule` out, and back; every mistake shows its place in the text.

    name: Failed log-ins
    query: |
      SecurityEvent
      | where EventID == 4625
    every: 5m                        # how often it is evaluated; 5m or PT5M
    over: 15m                        # how far back an evaluation looks; as `every` without it
    when: count > 10                 # or average(CounterValue) >= 90; or measure, column, operator, threshold
    split by: [Computer]             # or {column: Computer, only: [web01]}, {column: Computer, without: [test]}
    violated: 2 of 3                 # fires when 2 of the last 3 evaluations were violated
    severity: Warning                # or 0 to 4
    mute: 1h
    actions: [on-call]

`written` is the inverse. Must not store, and asks no table but for its columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from workbench.alerts.binding import check_columns
from workbench.alerts.checks import MOST_DIMENSIONS, MOST_NAME, MOST_PERIODS, MOST_SECONDS
from workbench.alerts.phrases import bins_of, condition_of, seconds_of, span_text, violated_of, when_text
from workbench.alerts.rule import Dimension, Rule, Severity
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.errors import Span, WorkbenchError
from workbench.base.marked_yaml import Marked, inside, parsed, plain
from workbench.query import commands
from workbench.query.frames import Tables
from workbench.query.parser import parse

KEYS = (
    "name", "description", "severity", "enabled", "query", "parameters", "every", "over", "when", "bins", "split by",
    "violated", "each row", "mute", "auto resolve", "clean", "actions", "subject", "payload", "entities", "properties",
)  # fmt: skip
"""All keys of a rule; `split_by`, `split-by` and `Split by` are one."""
MOST_BYTES = 256_000
_SPAN = ("5m", "1h", "P1D", "no more than 14d")
_DIMENSION = ("column", "only", "without")
_RULE = "a rule"


def load(path: str | Path, source: Tables | None = None) -> Rule:
    """The rule in a file.

    Raises
    ------
    WorkbenchError
        ALR101 to ALR111, and KQL… for what its query has.
    """
    return read(file_text(path), source)


def file_text(path: str | Path) -> str:
    """The text of a rule's file; ALR107 and ALR111."""
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise diagnostics.too_large("bytes", MOST_BYTES)
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise diagnostics.no_file(str(path), why) from None


def read(text: str, source: Tables | None = None) -> Rule:
    """The rule that a text describes.

    Parameters
    ----------
    text : str
        YAML; the keys are `KEYS`.
    source : Tables, optional
        Binds the query to its tables: names, types, parameters, measured column and dimensions. Without it, and
        where a table is not there yet, only what the texts themselves say is checked.

    Raises
    ------
    WorkbenchError
        ALR101 to ALR110, and KQL… for what the query has, with the place in `text`.

    Examples
    --------
    >>> rule = read("name: r\\nquery: Heartbeat\\nwhen: count < 1\\nover: 15m\\nseverity: 1")
    >>> rule.operator.value, rule.threshold, rule.window, rule.severity.value
    ('LessThan', 1.0, 900, 'Error')
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise diagnostics.too_large("bytes", MOST_BYTES)
    try:
        return of(parsed(text, lambda _line, place, why: diagnostics.not_yaml(place, why)), source, text)
    except WorkbenchError as error:
        raise error.within(text) from None


def of(given: Any, source: Tables | None = None, text: str = "") -> Rule:
    """The rule that the words of a text say once they are values: what `read` makes of a text, and `written` gives."""
    if not isinstance(given, Mapping):
        raise diagnostics.not_a_rule()
    return _Reader(given, text).rule(source)


def written(rule: Rule) -> dict[str, Any]:
    """A rule in the words of its text, as values of JSON; what is as it is by default is left out.

    Examples
    --------
    >>> written(Rule("r", "Heartbeat", window=900))
    {'name': 'r', 'severity': 'Warning', 'query': 'Heartbeat', 'every': '5m', 'over': '15m', 'when': 'count > 0'}
    """
    usual = Rule("", "")
    told: dict[str, Any] = {
        "name": rule.name, "description": rule.description, "severity": rule.severity.value, "enabled": rule.enabled,
        "query": rule.query, "parameters": plain(rule.parameters), "every": span_text(rule.frequency),
        "over": span_text(rule.window), "when": when_text(rule), "bins": None, "split by": [_split(d) for d in rule.dimensions],
        "violated": f"{rule.failing} of {rule.periods}", "each row": rule.per_row, "mute": span_text(rule.mute),
        "auto resolve": rule.auto_resolve, "clean": rule.clean, "actions": list(rule.actions), "subject": rule.subject,
        "payload": plain(rule.payload), "entities": [plain(e) for e in rule.entities], "properties": plain(rule.properties),
    }  # fmt: skip
    if rule.violations is not None:
        told["bins"] = dataclasses.asdict(rule.violations)
    left = {
        "description": "", "enabled": True, "parameters": {}, "bins": None, "split by": [], "violated": "1 of 1",
        "each row": False, "mute": span_text(0), "auto resolve": usual.auto_resolve, "clean": usual.clean, "actions": [],
        "subject": "", "payload": None, "entities": [], "properties": {},
    }  # fmt: skip
    return {key: value for key, value in told.items() if key not in left or value != left[key]}


def as_text(rule: Rule) -> str:
    """A rule as its YAML text; `read` gives the rule back.

    Examples
    --------
    >>> print(as_text(Rule("r", "Heartbeat\\n| where Computer == 'web01'")), end="")
    name: r
    severity: Warning
    query: |-
      Heartbeat
      | where Computer == 'web01'
    every: 5m
    over: 5m
    when: count > 0
    """
    return yaml.dump(written(rule), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Several lines as they are, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML folds these line ends too, unless they are escaped.
    style = '"' if set(text) & set("\r\x85\u2028\u2029") else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)


def _split(dimension: Dimension) -> Any:
    if not dimension.values and not dimension.exclude:
        return dimension.name
    return {"column": dimension.name, "without" if dimension.exclude else "only": list(dimension.values)}


class _Reader:
    """Reads one rule out of its mapping."""

    def __init__(self, given: Mapping[str, Any], text: str) -> None:
        self._text_of_rule = text
        self._marks = given if isinstance(given, Marked) else Marked()
        self._given: dict[str, Any] = {}
        self._places: dict[str, Span] = {}
        for key, value in given.items():
            word = " ".join(str(key).lower().replace("_", " ").replace("-", " ").split())
            if word not in KEYS:
                raise diagnostics.unknown_key(self._marks.keys_at.get(key), str(key), _RULE, KEYS)
            if word in self._given:
                raise diagnostics.given_twice(self._marks.keys_at.get(key), _RULE, word)
            self._given[word] = value
            if key in self._marks.values_at:
                self._places[word] = self._marks.values_at[key]

    def rule(self, source: Tables | None) -> Rule:
        frequency = self._span("every", 300, least=1)
        measure, column, operator, threshold = condition_of(self._given.get("when"), self._at("when"))
        failing, periods = violated_of(self._given.get("violated"), MOST_PERIODS, self._at("violated"))
        made = Rule(
            name=self._name(),
            query=self._query(),
            frequency=frequency,
            window=self._span("over", frequency, least=1),
            parameters=plain(self._mapping("parameters") or {}),
            measure=measure,
            column=column,
            operator=operator,
            threshold=threshold,
            violations=bins_of(self._given.get("bins"), self._at("bins")),
            dimensions=self._dimensions(),
            periods=periods,
            failing=failing,
            per_row=self._flag("each row", False),
            severity=self._severity(),
            mute=self._span("mute", 0, least=0),
            auto_resolve=self._flag("auto resolve", True),
            clean=self._whole("clean", 1, MOST_PERIODS),
            actions=self._texts("actions"),
            subject=self._string("subject"),
            payload=plain(self._mapping("payload")),
            entities=tuple(plain(e) for e in self._mappings("entities")),
            properties=plain(self._mapping("properties") or {}),
            description=self._string("description"),
            enabled=self._flag("enabled", True),
        )
        self._parse(made.query)
        if source is not None:
            self._bind(made, source)
        return made

    def _at(self, key: str) -> Span | None:
        return self._places.get(key)

    def _bad(self, key: str, wanted: Sequence[str]) -> WorkbenchError:
        return diagnostics.bad_value(self._at(key), key, self._given[key], wanted)

    # ---- the query ----------------------------------------------------------------------------

    def _query(self) -> str:
        query = self._required("query").strip()
        if commands.is_command(query):
            raise diagnostics.is_command(self._at("query"))
        return query

    def _parse(self, query: str) -> None:
        try:
            parse(query)
        except WorkbenchError as error:
            raise self._placed(error, query) from None
        except RecursionError:
            raise self._bad("query", ["less deep"]) from None

    def _bind(self, rule: Rule, source: Tables) -> None:
        try:
            check_columns(rule, source, self._at("when"), self._at("split by"))
        except WorkbenchError as error:
            raise self._placed(error, rule.query) if error.code.startswith("KQL") else error from None

    def _placed(self, error: WorkbenchError, query: str) -> WorkbenchError:
        """An error of the query with its place in the text of the rule."""
        place = self._at("query")
        if place is None or (error.text is not None and error.text != query):
            return error.within(query)
        value = str(self._given["query"])
        shift = len(value) - len(value.lstrip())
        part = error.span or Span(0, max(1, len(query)))
        at = inside(self._text_of_rule, place, value, Span(part.start + shift, part.end + shift))
        return error.moved(at, self._text_of_rule)

    # ---- values -------------------------------------------------------------------------------

    def _name(self) -> str:
        name = self._required("name").strip()
        if not name.isprintable() or len(name) > MOST_NAME:
            raise self._bad("name", [f"one line of at most {MOST_NAME} characters"])
        return name

    def _required(self, key: str) -> str:
        found = self._string(key)
        if not found.strip():
            raise diagnostics.missing_key(self._at(key), f"a {key}", _RULE)
        return found

    def _string(self, key: str) -> str:
        found = self._given.get(key)
        if found is None:
            return ""
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise self._bad(key, ["a text"])
        return str(found)

    def _flag(self, key: str, usual: bool) -> bool:
        found = self._given.get(key, usual)
        if not isinstance(found, bool):
            raise self._bad(key, ["true", "false"])
        return found

    def _whole(self, key: str, least: int, most: int) -> int:
        found = self._given.get(key, least)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise self._bad(key, [f"{least} to {most}"])
        return found

    def _span(self, key: str, usual: int, least: int) -> int:
        found = self._given.get(key)
        if found is None:
            return usual
        seconds = seconds_of(found)
        if seconds is None or not least <= seconds <= MOST_SECONDS:
            raise self._bad(key, _SPAN)
        return seconds

    def _severity(self) -> Severity:
        found = self._given.get("severity", Severity.WARNING.value)
        word = str(found).strip().lower().removeprefix("sev")
        levels = {s.value.lower(): s for s in Severity} | {str(s.level): s for s in Severity}
        if isinstance(found, bool) or word not in levels:
            raise self._bad("severity", [*Severity, "0 (gravest) to 4"])
        return levels[word]

    def _mapping(self, key: str) -> Mapping[str, Any] | None:
        found = self._given.get(key)
        if found is not None and not isinstance(found, Mapping):
            raise self._bad(key, ["keys and values"])
        return found

    def _mappings(self, key: str) -> list[Mapping[str, Any]]:
        found = self._given.get(key) or []
        if not isinstance(found, list) or not all(isinstance(e, Mapping) for e in found):
            raise self._bad(key, ["a list of keys and values"])
        return found

    def _texts(self, key: str) -> tuple[str, ...]:
        found = self._given.get(key) or []
        listed = [found] if isinstance(found, str) else found
        if not isinstance(listed, list) or not all(isinstance(e, str) and e.strip() for e in listed):
            raise self._bad(key, ["a list of names"])
        return tuple(e.strip() for e in listed)

    def _dimensions(self) -> tuple[Dimension, ...]:
        found = self._given.get("split by") or []
        listed = found if isinstance(found, list) else [found]
        made = [self._dimension(one) for one in listed]
        if len(made) > MOST_DIMENSIONS:
            raise self._bad("split by", [f"at most {MOST_DIMENSIONS} columns"])
        for i, one in enumerate(made):
            if one.name in [d.name for d in made[:i]]:
                raise diagnostics.given_twice(self._at("split by"), "split by", one.name)
        return tuple(made)

    def _dimension(self, given: Any) -> Dimension:
        if isinstance(given, str) and given.strip():
            return Dimension(given.strip())
        if not isinstance(given, Mapping) or not isinstance(given.get("column"), str):
            raise self._bad("split by", ["a column", "{column: Computer, only: [web01]}"])
        for key in given:
            if key not in _DIMENSION:
                place = given.keys_at.get(key) if isinstance(given, Marked) else None
                raise diagnostics.unknown_key(place, str(key), "a column to split by", _DIMENSION)
        only, without = given.get("only"), given.get("without")
        values = only if without is None else without
        if (only is not None and without is not None) or not isinstance(values or [], list):
            raise self._bad("split by", ["{column: Computer, only: [web01]}", "the same with `without`"])
        return Dimension(given["column"].strip(), tuple(str(v) for v in values or ()), bool(without))
