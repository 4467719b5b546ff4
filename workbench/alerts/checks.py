"""Whether a rule can be evaluated as it is said, before it is kept. What is unwise is `lint`'s affair."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from workbench.alerts.rule import Measure, Rule
from workbench.base.diagnostics import alerting as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.query import commands
from workbench.query.parser import parse

LEAST_SECONDS, MOST_SECONDS = 1, 14 * 86_400
MOST_DIMENSIONS, MOST_PERIODS, MOST_NAME = 6, 100, 200


def checked(rule: Rule) -> Rule:
    """The rule, as it is kept.

    Raises
    ------
    WorkbenchError
        ALR002 to ALR005, KQL… for a query that can't be read.

    Examples
    --------
    >>> checked(Rule(" Errors ", "Event")).name
    'Errors'
    """
    rule = dataclasses.replace(rule, name=_name(rule.name), query=_query(rule.query))
    for name in ("frequency", "window"):
        _whole(name, getattr(rule, name), LEAST_SECONDS, MOST_SECONDS)
    _whole("mute", rule.mute, 0, MOST_SECONDS)
    _whole("periods", rule.periods, 1, MOST_PERIODS)
    _whole("failing", rule.failing, 1, rule.periods)
    _whole("clean", rule.clean, 1, MOST_PERIODS)
    if not isinstance(rule.threshold, int | float) or not math.isfinite(rule.threshold):
        raise diagnostics.bad_setting("threshold", "it is no number")
    if rule.measure is not Measure.COUNT and not rule.column:
        raise diagnostics.bad_setting(
            "column", f"{rule.measure.value} is made of a column, and none is named"
        )
    names = [d.name for d in rule.dimensions]
    if len(names) > MOST_DIMENSIONS or len(set(names)) < len(names) or not all(names):
        raise diagnostics.bad_setting("dimensions", f"they are at most {MOST_DIMENSIONS} different columns")
    if rule.per_row and (rule.dimensions or rule.violations or rule.measure is not Measure.COUNT):
        raise diagnostics.bad_setting("per_row", "a rule of one alert a row counts rows, without dimensions")
    if rule.violations is not None:
        _whole("violations", rule.violations.count, 1, 10_000)
    try:
        json.dumps(rule.as_json(), allow_nan=False)
    except (TypeError, ValueError) as why:
        raise diagnostics.bad_setting("parameters", f"they are no values of JSON ({why})") from None
    return rule


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise diagnostics.bad_setting(name, f"it is a whole number from {least:,} to {most:,}")


def _name(name: str) -> str:
    name = name.strip()
    if (
        not name
        or len(name) > MOST_NAME
        or name[0] == "."
        or set(name) & {"/", "\\"}
        or not name.isprintable()
    ):
        raise diagnostics.bad_name(name)
    return name


def _query(text: str) -> str:
    if not text.strip():
        raise diagnostics.no_query()
    if commands.is_command(text):
        raise diagnostics.is_command()
    try:
        parse(text)
    except WorkbenchError as error:
        raise error.within(text) from None
    return text.strip("\n")
