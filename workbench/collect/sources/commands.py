"""The output of commands that the machine offers by name in its own `commands.d`.

A rule names commands and an interval; it can't carry a command line, arguments or an environment.
Each command runs apart from the agent's turns, with its limits, and at most once at a time. Its
output goes into the table that its file names; how it ended stands in every record (`ExitCode`).
"""

from __future__ import annotations

import csv
import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.base import clock
from workbench.base.diagnostics import machine as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect import programs
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._command_files import Command, named
from workbench.collect.sources._settings import seconds_of, texts_of

log = logging.getLogger("workbench.agent")
TURN_SECONDS = 1.0
EVERY_SECONDS = 300.0
LEAST_SECONDS = 10.0
BATCH_RECORDS = 5000
_NEVER_IN_A_RULE = {
    "arguments",
    "args",
    "command",
    "commandLine",
    "env",
    "environment",
    "program",
    "run",
    "script",
}


@dataclass
class _Turn:
    """A command that a rule names: when it is due, and its run that is on."""

    name: str
    due: float
    thread: threading.Thread | None = None
    told: str = ""


class Commands:
    """Runs the commands that a rule names.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `commands` (names), `intervalInSeconds` (300 by default, at least 10).

    Raises
    ------
    WorkbenchError
        `MAC105` when a rule tries to say what is run.
    """

    def __init__(self, machine: Machine, settings: Settings = NO_SETTINGS) -> None:
        forbidden = _NEVER_IN_A_RULE & set(settings)
        if forbidden:
            raise diagnostics.rule_with_command_line(sorted(forbidden))
        self._machine = machine
        self._every = seconds_of(settings, "intervalInSeconds", EVERY_SECONDS, LEAST_SECONDS)
        now = time.monotonic()
        self._turns = [_Turn(name, now) for name in dict.fromkeys(texts_of(settings, "commands"))]
        self._lock = threading.Lock()
        self._ready: list[Batch] = []
        self._stopping = threading.Event()

    def collect(self) -> Iterable[Batch]:
        """What ended since the last call; commands that are due are started and not waited for."""
        now = time.monotonic()
        for turn in self._turns:
            running = turn.thread is not None and turn.thread.is_alive()
            if turn.due <= now and not running:
                turn.due = now + self._every
                turn.thread = threading.Thread(
                    target=self._run, args=(turn,), name=f"command {turn.name}", daemon=True
                )
                turn.thread.start()
        with self._lock:
            ready, self._ready = self._ready, []
        return ready

    def close(self) -> None:
        """End the commands that are on; none outlives the agent."""
        self._stopping.set()
        for turn in self._turns:
            if turn.thread is not None:
                turn.thread.join()

    def _run(self, turn: _Turn) -> None:
        began = format_datetime(clock.now_ticks())
        try:
            # Read anew each time: what an owner changed or forbade holds from then on.
            command = named(turn.name, self._machine.commands)
            ended = programs.run(
                command.arguments,
                seconds=command.seconds,
                limit=command.limit,
                program=str(command.program),
                stopping=self._stopping,
            )
        except (WorkbenchError, OSError) as refused:
            self._tell(turn, str(refused), began)
            return
        batches = self._batches(command, ended, began)
        with self._lock:
            self._ready += batches
        self._tell(turn, ended.why or "", began)

    def _batches(self, command: Command, ended: programs.Ended, began: str) -> list[Batch]:
        shared: Record = {
            "TimeGenerated": began,
            "Computer": self._machine.computer,
            "CommandName": command.name,
            "ExitCode": ended.code,
            "DurationMs": round(ended.seconds * 1000),
            "OutputCut": ended.cut or ended.timed_out,
        }
        text = ended.out.decode("utf-8", "backslashreplace")
        if shared["OutputCut"]:
            text = text[: text.rfind("\n") + 1]  # a part of a line is no record
        records = [{**fields, **shared} for fields in parsed(command.parse, text)]
        if not records:
            records = [{"RawData": "", **shared}]
        return [
            Batch(command.table, records[start : start + BATCH_RECORDS])
            for start in range(0, len(records), BATCH_RECORDS)
        ]

    def _tell(self, turn: _Turn, why: str, began: str) -> None:
        """An `Operation` record for a failure, once until it is another or over."""
        if why and why != turn.told:
            log.warning("command %s: %s", turn.name, why)
            record = {
                "TimeGenerated": began,
                "Computer": self._machine.computer,
                "OperationCategory": "Command",
                "OperationStatus": "Error",
                "OperationKey": turn.name,
                "Detail": f"command {turn.name}: {why}",
            }
            with self._lock:
                self._ready.append(Batch("Operation", [record]))
        turn.told = why


def parsed(form: str, text: str) -> Iterator[dict[str, Any]]:
    """The records of an output; a line that has not the form is kept as `RawData`.

    Parameters
    ----------
    form : str
        `lines`, `json` or `csv`.
    text : str

    Examples
    --------
    >>> list(parsed("csv", "Name,Free\\nsda,7\\n"))
    [{'Name': 'sda', 'Free': '7'}]
    >>> list(parsed("json", '{"a": 1}\\nWarning: old\\n'))
    [{'a': 1}, {'RawData': 'Warning: old'}]
    """
    if form == "csv":
        yield from _csv(text)
    elif form == "json":
        yield from _json(text)
    else:
        yield from ({"RawData": line} for line in text.splitlines() if line.strip())


def _json(text: str) -> Iterator[dict[str, Any]]:
    whole = _object(text) if text.lstrip().startswith(("[", "{")) else None
    if isinstance(whole, list):
        yield from (item if isinstance(item, dict) else {"RawData": json.dumps(item)} for item in whole)
    elif isinstance(whole, dict):
        yield whole
    else:
        for line in filter(str.strip, text.splitlines()):
            found = _object(line)
            yield found if isinstance(found, dict) else {"RawData": line}


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _csv(text: str) -> Iterator[dict[str, Any]]:
    rows = csv.reader(text.splitlines(keepends=True))
    try:
        header = next(rows, [])
        for row in rows:
            if len(row) == len(header):
                yield dict(zip(header, row, strict=True))
            elif row:
                yield {"RawData": ",".join(row)}
    except csv.Error as broken:
        yield {"RawData": f"no CSV: {broken}"}


CARD = SourceCard(
    "commands",
    ("CommandOutput_CL", "Operation"),
    TURN_SECONDS,
    Commands,
    rule_key="commands",
    unasked=False,
)
