"""What an evaluation means: a rule, what was known of it and what was measured, made into states and transitions.

Values in, values out: nothing here reads a clock, a table or a database, so an evaluation that is done again after a kill
comes to the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from workbench.alerts.rule import Operator, Rule

GONE_AFTER = 2
"""Evaluations without a combination of dimensions after which its alert is resolved."""
MOST_ROWS = 149
"""Alerts that one evaluation of a rule of one alert a row makes; those beyond them share one more."""
_NAMESPACE = uuid.UUID("6f0c5a5e-0a52-4d52-9a3a-2f1c6a1d7c10")


class State(StrEnum):
    """What a combination of dimensions is in."""

    NORMAL = "Normal"
    PENDING = "Pending"
    FIRING = "Firing"
    RESOLVED = "Resolved"


class Health(StrEnum):
    """How an evaluation went: it measured something, there was nothing to measure, or it failed."""

    OK = "OK"
    NO_DATA = "NoData"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Group:
    """What was measured of one combination of dimensions; `value` None: nothing that could be."""

    dimensions: Mapping[str, str]
    value: float | None
    violated: bool
    count: int
    row: int | None = None
    """Of a rule with one alert a row: which one."""


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of one combination of dimensions.

    Attributes
    ----------
    dimensions : mapping
    state : State
    since : int
        When it came into that state.
    history : str
        A character an evaluation, the newest last: `1` where it was violated, `0` where not.
    clean : int
        Evaluations in a row that were not violated.
    missing : int
        Evaluations in a row that did not have this combination.
    muted_until : int
        Until when a firing is told to nobody.
    alert : str
        The id of the open alert, "" without one.
    told : bool
        Whether its firing was told.
    fired_at : int or None
    value : float or None
        That of the last evaluation which measured one.
    """

    dimensions: Mapping[str, str] = field(default_factory=dict)
    state: State = State.NORMAL
    since: int = 0
    history: str = ""
    clean: int = 0
    missing: int = 0
    muted_until: int = 0
    alert: str = ""
    told: bool = False
    fired_at: int | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A state that another one followed. `tell`: action groups are to hear of it.

    A firing that was muted and goes on when it no longer is, is told late: `state` Firing, `late` true.
    """

    series: str
    state: State
    dimensions: Mapping[str, str]
    alert: str
    fired_at: int | None
    value: float | None
    count: int
    tell: bool
    reason: str = ""
    late: bool = False
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The series that are other than before (None: forgotten), and the transitions, in their order."""

    series: Mapping[str, Series | None]
    changes: tuple[Change, ...]


def key_of(dimensions: Mapping[str, str]) -> str:
    """What names a combination of dimensions.

    Examples
    --------
    >>> key_of({}), key_of({"a": "1", "b": "2"}) == key_of({"b": "2", "a": "1"})
    ('', True)
    """
    if not dimensions:
        return ""
    return hashlib.sha256(json.dumps(dimensions, sort_keys=True).encode()).hexdigest()[:32]


def violates(rule: Rule, value: float | None) -> bool:
    """Whether a measured value stands to the rule's threshold as its operator says.

    Examples
    --------
    >>> violates(Rule("r", "T", threshold=3), 4), violates(Rule("r", "T", threshold=3), None)
    (True, False)
    """
    if value is None:
        return False
    match rule.operator:
        case Operator.GREATER_THAN:
            return value > rule.threshold
        case Operator.GREATER_THAN_OR_EQUAL:
            return value >= rule.threshold
        case Operator.LESS_THAN:
            return value < rule.threshold
        case Operator.LESS_THAN_OR_EQUAL:
            return value <= rule.threshold
        case Operator.EQUALS:
            return value == rule.threshold


def judge(rule: Rule, rule_id: str, known: Mapping[str, Series], groups: Sequence[Group], at: int) -> Verdict:
    """What follows from an evaluation that measured.

    Parameters
    ----------
    rule : Rule
    rule_id : str
    known : mapping of str to Series
        By `key_of` their dimensions.
    groups : sequence of Group
        Of a rule without dimensions the one of none, of one alert a row a group a row.
    at : int
        The moment that the evaluation is due at.

    Examples
    --------
    >>> rule = Rule("r", "T")
    >>> first = judge(rule, "1", {}, [Group({}, 2.0, True, 2)], 60)
    >>> [c.state.value for c in first.changes]
    ['Firing']
    >>> [c.state.value for c in judge(rule, "1", first.series, [Group({}, 0.0, False, 0)], 120).changes]
    ['Resolved']
    """
    if rule.per_row:
        return _rows(rule, rule_id, known.get("", Series()), groups, at)
    measured = {key_of(g.dimensions): g for g in groups}
    after: dict[str, Series | None] = {}
    changes: list[Change] = []
    for key in sorted(known.keys() | measured.keys()):
        before = known.get(key)
        group = measured.get(key)
        series, found = _one(rule, rule_id, key, before, group, at)
        if series != before:
            after[key] = series
        changes += found
    return Verdict(after, tuple(changes))


def _one(
    rule: Rule, rule_id: str, key: str, before: Series | None, group: Group | None, at: int
) -> tuple[Series | None, list[Change]]:
    if group is None:
        assert before is not None
        return _gone(rule, key, before, at)
    series = before or Series(dict(group.dimensions), since=at)
    if group.value is None:
        return dataclasses.replace(series, missing=0), []
    history = (series.history + "01"[group.violated])[-rule.periods :]
    series = dataclasses.replace(
        series, history=history, clean=0 if group.violated else series.clean + 1, missing=0, value=group.value
    )
    fires = group.violated and history.count("1") >= rule.failing
    if rule.auto_resolve and series.alert:
        if series.clean >= rule.clean:
            return _resolved(key, series, at, group, "the condition no longer holds")
        found = _told_late(key, series, group, at)
        return (dataclasses.replace(series, told=True, muted_until=at + rule.mute * 1_000_000) if found else series), found  # fmt: skip
    if fires:
        return _fired(rule, rule_id, key, series, group, at)
    return _rests(key, series, group, at)


def _fired(
    rule: Rule, rule_id: str, key: str, series: Series, group: Group, at: int
) -> tuple[Series, list[Change]]:
    alert = alert_id(rule_id, key, at, group.row)
    tell = series.muted_until <= at
    change = Change(
        key, State.FIRING, group.dimensions, alert, at, group.value, group.count, tell, row=group.row
    )
    after = dataclasses.replace(
        series,
        state=State.FIRING,
        since=at if series.state is not State.FIRING else series.since,
        # Who fires each time has no open alert of his own: each stands for itself.
        alert=alert if rule.auto_resolve else "",
        told=tell,
        fired_at=at,
        muted_until=at + rule.mute * 1_000_000 if tell else series.muted_until,
    )
    return after, [change]


def _resolved(
    key: str, series: Series, at: int, group: Group | None, reason: str
) -> tuple[Series, list[Change]]:
    change = Change(
        key, State.RESOLVED, series.dimensions, series.alert, series.fired_at, group.value if group else None,
        group.count if group else 0, series.told, reason,
    )  # fmt: skip
    # What was violated before must not make it fire again.
    after = dataclasses.replace(
        series, state=State.RESOLVED, since=at, alert="", told=False, fired_at=None, history=""
    )
    return after, [change]


def _rests(key: str, series: Series, group: Group | None, at: int) -> tuple[Series, list[Change]]:
    """Not firing: something of the last evaluations was violated, or nothing was."""
    waits = series.state is State.PENDING and "1" in series.history
    state = State.PENDING if waits or (group is not None and group.violated) else State.NORMAL
    if state is series.state:
        return series, []
    after = dataclasses.replace(series, state=state, since=at)
    if state is not State.PENDING:
        return after, []  # that it is quiet again is no news
    value, count = (group.value, group.count) if group else (None, 0)
    return after, [Change(key, state, series.dimensions, "", None, value, count, False)]


def _gone(rule: Rule, key: str, series: Series, at: int) -> tuple[Series | None, list[Change]]:
    series = dataclasses.replace(
        series, missing=series.missing + 1, history=(series.history + "0")[-rule.periods :]
    )
    if series.missing < GONE_AFTER:
        return (series, []) if series.alert else _rests(key, series, None, at)
    changes: list[Change] = []
    if series.alert:
        series, changes = _resolved(key, series, at, None, "MissingSeries: it is no longer measured")
    # A mute is kept until its end.
    return (series if series.muted_until > at else None), changes


def _told_late(key: str, series: Series, group: Group, at: int) -> list[Change]:
    if not series.alert or series.told or series.muted_until > at:
        return []
    return [
        Change(
            key, State.FIRING, series.dimensions, series.alert, series.fired_at, group.value, group.count, True,
            "it was muted when it fired", late=True,
        )
    ]  # fmt: skip


def _rows(rule: Rule, rule_id: str, series: Series, groups: Sequence[Group], at: int) -> Verdict:
    if not groups or not violates(rule, float(len(groups))):
        return Verdict({}, ())
    tell = series.muted_until <= at
    changes = [
        Change("", State.FIRING, g.dimensions, alert_id(rule_id, "", at, g.row), at, g.value, g.count, tell, row=g.row)
        for g in _most(groups)
    ]  # fmt: skip
    after = dataclasses.replace(
        series, fired_at=at, muted_until=at + rule.mute * 1_000_000 if tell else series.muted_until
    )
    return Verdict({"": after}, tuple(changes))


def _most(groups: Sequence[Group]) -> Iterator[Group]:
    yield from groups[:MOST_ROWS]
    if len(groups) > MOST_ROWS:
        rest = len(groups) - MOST_ROWS
        yield Group({}, float(rest), True, rest, MOST_ROWS)


def alert_id(rule_id: str, series: str, at: int, row: int | None = None) -> str:
    """The id of an alert: the same for the same firing, however often it is computed."""
    return str(uuid.uuid5(_NAMESPACE, f"{rule_id}/{series}/{at}/{'' if row is None else row}"))
