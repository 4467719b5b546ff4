"""What an action group is: who is told, how, and when not. Read from JSON or YAML, checked as a whole.

In go mappings that people wrote, out come a `Group` or a coded mistake that says where. No secret stands in one: an action
names the credential that has it.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from workbench.actions.notify.mail import recipients
from workbench.actions.notify.payloads import FORMS
from workbench.alerts.notice import FIRED, RESOLVED, Notice
from workbench.base.diagnostics import notify as diagnostics

MOST_WEBHOOKS, MOST_RUNBOOKS, MOST_CHATS, MOST_ADDRESSES = 10, 10, 10, 1_000
HOLD, DROP = "hold", "drop"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_. -]{0,98}[A-Za-z0-9_.-])?")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]|24):([0-5][0-9])")
_GROUP = ("name", "description", "enabled", "on", "quiet", "email", "webhooks", "chat", "runbooks")
_FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "email": {"to": (str, list), "connection": str, "subject": str, "chart": bool},
    "webhook": {
        "url": str, "url_from": str, "form": str, "payload": dict, "secret": str, "authorization": str,
    },
    "chat": {"url_from": str},
    "runbook": {"runbook": str, "group": str, "parameters": dict, "timeout": int, "retries": int},
}  # fmt: skip
_NEEDS = {"email": ("to", "connection"), "webhook": (), "chat": ("url_from",), "runbook": ("runbook",)}
_LISTS = {"email": "email", "webhooks": "webhook", "chat": "chat", "runbooks": "runbook"}


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nobody is told, by the clocks of a zone.

    Attributes
    ----------
    hours : tuple of (int, int)
        Minutes of the day, from and to; one that ends before it begins goes over midnight.
    days : tuple of int
        On which they begin, Monday 0; all when empty.
    zone : str
        IANA.
    mode : str
        `hold`: told at their end; `drop`: not at all.
    """

    hours: tuple[tuple[int, int], ...]
    days: tuple[int, ...]
    zone: str
    mode: str

    def until(self, now: int) -> int | None:
        """When quiet hours end in which this moment is (µs since 1970); None outside of them.

        Examples
        --------
        >>> quiet = Quiet(((22 * 60, 6 * 60),), (), "Europe/Brussels", HOLD)
        >>> from workbench.actions.notify.telling import moment
        >>> moment(quiet.until(1_767_310_200_000_000))  # 2026-01-01 23:30 UTC
        '2026-01-02T05:00:00Z'
        """
        zone = zoneinfo.ZoneInfo(self.zone)
        end = now
        # What ends may be the beginning of the next.
        for _ in range(len(self.hours) * 8 + 1):
            later = self._end_of(end, zone)
            if later is None or later <= end:
                break
            end = later
        return end if end > now else None

    def _end_of(self, now: int, zone: zoneinfo.ZoneInfo) -> int | None:
        here = dt.datetime.fromtimestamp(now / 1_000_000, zone)
        for back in (0, 1):
            day = here.date() - dt.timedelta(days=back)
            if self.days and day.weekday() not in self.days:
                continue
            for begin, end in self.hours:
                first = _at(day, begin, zone)
                last = _at(day + dt.timedelta(days=int(end <= begin)), end, zone)
                if first <= now < last:
                    return last
        return None


@dataclass(frozen=True, slots=True)
class Action:
    """One who is told: its kind, its name in the group, and its fields as they were written."""

    kind: str
    name: str
    on: tuple[str, ...]
    fields: Mapping[str, Any]

    def wants(self, notice: Notice) -> bool:
        return notice.condition in self.on


@dataclass(frozen=True, slots=True)
class Group:
    """An action group."""

    name: str
    actions: tuple[Action, ...]
    quiet: Quiet | None = None
    enabled: bool = True
    description: str = ""

    @classmethod
    def read(cls, name: str, spec: Mapping[str, Any]) -> Group:
        """From a mapping.

        Raises
        ------
        WorkbenchError
            NOT002 to NOT007.

        Examples
        --------
        >>> group = Group.read("ops", {"email": [{"to": "a@b.cd", "connection": "mail"}]})
        >>> [(a.kind, a.name, a.on) for a in group.actions]
        [('email', 'email 1', ('Fired', 'Resolved'))]
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise diagnostics.bad_name(str(name))
        for word in spec:
            if word not in _GROUP:
                raise diagnostics.bad_field("action group", f"there is no {str(word)[:80]!r}", _GROUP)
        if spec.get("name") not in (None, name):
            raise diagnostics.bad_field(
                "name", f"it is {str(spec['name'])[:80]!r} in the text and {name!r} beside it"
            )
        enabled, description = spec.get("enabled", True), spec.get("description") or ""
        if not isinstance(enabled, bool):
            raise diagnostics.bad_field("enabled", "it is true or false")
        if not isinstance(description, str) or len(description) > 1000:
            raise diagnostics.bad_field("description", "it is a text of at most 1,000 characters")
        usual = _conditions(spec.get("on"), "on", (FIRED, RESOLVED))
        actions: list[Action] = []
        for word, kind in _LISTS.items():
            listed = spec.get(word) or []
            if not isinstance(listed, list):
                raise diagnostics.bad_field(word, "it is a list")
            actions += [_action(kind, n, one, usual) for n, one in enumerate(listed, 1)]
        _counted(actions)
        return cls(name, tuple(actions), _quiet(spec.get("quiet")), enabled, description)


def from_yaml(text: str) -> dict[str, Any]:
    """The mapping of a YAML text; raises NOT003, NOT005."""
    try:
        found = yaml.load(text, _Loader)
    except yaml.YAMLError as why:
        raise diagnostics.no_yaml(" ".join(str(why).split())) from None
    if not isinstance(found, Mapping):
        raise diagnostics.bad_field("action group", "it is a mapping of fields", _GROUP)
    return dict(found)


class _Loader(yaml.SafeLoader):
    """Reads only `true` and `false` as such: `on` is a word here, which YAML 1.1 takes for true."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, words) for tag, words in found if tag != "tag:yaml.org,2002:bool"]
    for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false|True|False"), [*"tfTF"])


def _action(kind: str, number: int, given: Any, usual: tuple[str, ...]) -> Action:
    where = f"{kind} {number}"
    if not isinstance(given, Mapping):
        raise diagnostics.bad_field(where, "it is a mapping of fields", _FIELDS[kind])
    known = {"name": str, "on": (str, list), **_FIELDS[kind]}
    for word, value in given.items():
        if word not in known:
            raise diagnostics.bad_field(where, f"there is no {str(word)[:80]!r}", known)
        if not isinstance(value, known[word]) or (known[word] is int and isinstance(value, bool)):
            raise diagnostics.bad_field(f"{where}, {word}", "it has another type", ())
    for word in _NEEDS[kind]:
        if not given.get(word):
            raise diagnostics.bad_field(where, f"{word!r} is missing")
    fields = {word: given[word] for word in _FIELDS[kind] if word in given}
    if kind == "webhook":
        if bool(given.get("url")) == bool(given.get("url_from")):
            raise diagnostics.bad_field(where, "it has 'url', or 'url_from' with the name of a credential")
        if fields.setdefault("form", "oms") not in FORMS:
            raise diagnostics.bad_field(f"{where}, form", f"there is no {fields['form'][:80]!r}", FORMS)
    if kind == "email":
        fields["to"] = recipients(fields["to"])
        if not fields["to"]:
            raise diagnostics.bad_field(where, "'to' is missing")
    name = given.get("name") or (str(given["runbook"]) if kind == "runbook" else where)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise diagnostics.bad_name(str(name))
    return Action(kind, name, _conditions(given.get("on"), f"{where}, on", usual), fields)


def _counted(actions: Iterable[Action]) -> None:
    by_kind: dict[str, int] = {}
    names: set[tuple[str, str]] = set()
    for action in actions:
        by_kind[action.kind] = by_kind.get(action.kind, 0) + (
            len(action.fields["to"]) if action.kind == "email" else 1
        )
        if (action.kind, action.name) in names:
            raise diagnostics.same_name(action.name)
        names.add((action.kind, action.name))
    most = {
        "email": ("mail addresses", MOST_ADDRESSES), "webhook": ("webhooks", MOST_WEBHOOKS),
        "chat": ("chat channels", MOST_CHATS), "runbook": ("runbooks", MOST_RUNBOOKS),
    }  # fmt: skip
    for kind, (words, limit) in most.items():
        if by_kind.get(kind, 0) > limit:
            raise diagnostics.too_many(words, by_kind[kind], limit)


def _conditions(given: Any, where: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return usual
    words = [given] if isinstance(given, str) else given
    if not words or any(word not in (FIRED, RESOLVED) for word in words):
        raise diagnostics.bad_field(where, "it is one or both of them", (FIRED, RESOLVED))
    return tuple(words)


def _quiet(given: Any) -> Quiet | None:
    if given is None:
        return None
    known = ("hours", "days", "zone", "mode")
    if not isinstance(given, Mapping) or any(word not in known for word in given):
        raise diagnostics.bad_field("quiet", "it is a mapping of fields", known)
    texts = [given["hours"]] if isinstance(given.get("hours"), str) else given.get("hours")
    found = [_HOURS.fullmatch(text) if isinstance(text, str) else None for text in texts or []]
    if not found or not all(found):
        raise diagnostics.bad_field("quiet, hours", "they read as '22:00-06:00', one or a list of them")
    hours = tuple((int(m[1]) * 60 + int(m[2]), int(m[3]) * 60 + int(m[4])) for m in found if m)
    if any(begin == end or end > 24 * 60 for begin, end in hours):
        raise diagnostics.bad_field("quiet, hours", "each begins and ends at another minute of the day")
    zone, mode = given.get("zone", "UTC"), given.get("mode", HOLD)
    try:
        zoneinfo.ZoneInfo(zone)
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise diagnostics.bad_field("quiet, zone", f"there is no time zone {str(zone)[:80]!r}") from None
    if mode not in (HOLD, DROP):
        raise diagnostics.bad_field("quiet, mode", "it is one of them", (HOLD, DROP))
    days = given.get("days") or []
    if not isinstance(days, list) or any(day not in DAYS for day in days):
        raise diagnostics.bad_field("quiet, days", "they are a list", DAYS)
    return Quiet(hours, tuple(DAYS.index(day) for day in days), zone, mode)


def _at(day: dt.date, minutes: int, zone: zoneinfo.ZoneInfo) -> int:
    """That minute of the day by the clocks there; one that the clocks skip is the moment at which they jump."""
    hour, minute = divmod(minutes, 60)
    day += dt.timedelta(days=hour // 24)
    local = dt.datetime(day.year, day.month, day.day, hour % 24, minute, tzinfo=zone)
    return int(local.timestamp()) * 1_000_000
