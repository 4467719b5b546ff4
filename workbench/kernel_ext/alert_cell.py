"""`%%logsearch --alert NAME`: the cell's query as an alert rule, tried over the last day and kept by the service.

In go the options and the query; shown are the rule's text and when it would have fired. The rule is kept only after that,
and only where nothing was refused. A rule of that name gets the query and what the options say, and stays as it is else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.alerts import lint, reading
from workbench.alerts.backtest import Backtest, backtest
from workbench.base import clock
from workbench.base.clock import moment
from workbench.base.config import default_workspace
from workbench.kernel_ext import display as shown
from workbench.kernel_ext.automation import path_of
from workbench.kernel_ext.options import Options
from workbench.kernel_ext.progress import send
from workbench.server import client
from workbench.server.place import ServicePlace

_DAY_US = 86_400 * 1_000_000
_MOST_SHOWN = 5


def make(options: Options, query: str, parameters: Mapping[str, Any], workspace: Any) -> None:
    """Show what rule would be made and how it would have done, and have the service keep it.

    Raises
    ------
    WorkbenchError
        ALR… and KQL… for the rule, SRV023 where no service runs; then nothing is kept.
    """
    name = str(options.alert)
    place = ServicePlace(options.workspace or default_workspace())
    path = path_of("alertRules", name)
    answer = client.ask(place, "GET", path)
    known = answer is not None and answer.status == 200
    words: dict[str, Any] = {"name": name}
    if answer is not None and known:
        words = reading.written(reading.read(str(answer.body["text"])))
    words |= _said(options) | {"query": query.strip()}
    if parameters:
        words["parameters"] = dict(parameters)
    text = reading.as_text(reading.of(words))
    rule = reading.read(text, workspace.source)
    now = clock.now_us()
    tried = backtest(rule, workspace.source, now - _DAY_US, now)
    remarks = [f"{f.level.value}: {f.message}" for f in lint.lint(rule)]
    begun = f"alert rule {name!r}" + (" (it is there, and changes)" if known else "")
    send(shown.of_text("\n".join([begun, "", text, *remarks, *_last_day(tried)])))
    kept = client.understood(place, client.ask(place, "PUT", path, {"text": text}))
    send(shown.of_text(f"kept: {kept['name']}, {'evaluated from now on' if kept['enabled'] else 'disabled'}"))


def _said(options: Options) -> dict[str, Any]:
    words = {"when": options.when, "every": options.every, "over": options.over, "severity": options.severity}
    said: dict[str, Any] = {key: value for key, value in words.items() if value is not None}
    if options.split is not None:
        said["split by"] = [column.strip() for column in options.split.split(",") if column.strip()]
    return said


def _last_day(tried: Backtest) -> list[str]:
    count = len(tried.firings)
    head = f"in the last day it would have fired {count:,} time{'s' * (count != 1)}, in {len(tried.measured):,} evaluations"
    lines = [head]
    for one in tried.firings[-_MOST_SHOWN:]:
        of = ", ".join(f"{k}={v}" for k, v in one.dimensions.items())
        until = f" to {(moment(one.resolved_at) or '')[11:19]}" if one.resolved_at else ""
        lines.append(
            f"  {(moment(one.at) or '')[:19].replace('T', ' ')}{until}  {one.value:g}  {of}".rstrip()
        )
    if count > _MOST_SHOWN:
        lines.insert(1, f"  … the last {_MOST_SHOWN}:")
    return lines
