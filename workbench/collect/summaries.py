"""Summary rules: a query over each bin of time, its rows in a table of their own, each bin once.

In go rules (kept in the control database), a source of tables and the intake; out come rows of the rule's table, and
one of `LASummaryLogs` a bin. A bin is stored under an application transaction of its own, so that one that runs again
(after a kill, by hand, in a backfill) is there once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from workbench.base import clock
from workbench.base.diagnostics import kept as diagnostics
from workbench.base.dtypes import ScalarType, format_datetime, parse_timespan
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, take
from workbench.collect.intake import Intake
from workbench.collect.kept import checked_name, checked_query, whole
from workbench.query.frames import Tables
from workbench.query.result import Result
from workbench.repository.files import Locks
from workbench.repository.layout import TIME
from workbench.repository.physical import UTC_MICROSECONDS

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

    from workbench.base.database import Database

T = ScalarType
KIND = "summary rule"
LOG = "LASummaryLogs"
LOG_TYPES = {
    "RuleName": T.STRING, "BinStartTime": T.DATETIME, "BinSize": T.INT, "Status": T.STRING, "Message": T.STRING,
    "ResultsRecordCount": T.LONG, "QueryDurationMs": T.LONG, "RuleLastModifiedTime": T.DATETIME,
}  # fmt: skip
RULE, START, SIZE, MODIFIED = "_RuleName", "_BinStartTime", "_BinSize", "_RuleLastModifiedTime"
SUCCEEDED, FAILED = "Succeeded", "Failed"
TRIES = 3
"""How often a bin that failed is tried by itself; then it waits for a person."""
_SECOND = 1_000_000
_DAY = 86_400
_LEAST_DELAY = 210


@dataclass(frozen=True, slots=True)
class Rule:
    """A summary rule: `bin` and `delay` in seconds, times in µs since 1970; `next_bin` is the start of the next one."""

    id: str
    name: str
    query: str
    bin: int
    delay: int
    table: str
    description: str
    modified: int
    next_bin: int

    @property
    def size(self) -> int:
        """The length of a bin in µs."""
        return self.bin * _SECOND


@dataclass(frozen=True, slots=True)
class Bin:
    """What became of a bin: `Succeeded` or `Failed`, after how many tries, its rows, when it ran (µs since 1970).

    `skipped`: its rows were stored before, and nothing now.
    """

    rule: str
    start: int
    state: str
    tries: int
    rows: int
    message: str
    ran: int
    skipped: bool = False


class Summaries:
    """The summary rules of a workspace.

    Parameters
    ----------
    database : Database
    state : Path
        The workspace's state folder: a rule runs once at a time, of all processes.
    """

    def __init__(self, database: Database, state: Path) -> None:
        self._database = database
        self._locks = Locks(state / "locks")
        database.ensure(_schema()[0])

    def create(
        self, name: str, query: str, bin_size: str, table: str, *, delay: str = "", description: str = ""
    ) -> Rule:
        """Keep a new rule; its first bin is the one that runs now.

        Parameters
        ----------
        name, query : str
        bin_size : str
            Whole minutes that divide a day: `20m`, `1h`, `1d`.
        table : str
            Where the rows go; ends with `_CL`.
        delay : str
            How long after its end a bin is computed, for late records; a tenth of the bin by default, 3.5 minutes at least.
        description : str

        Raises
        ------
        WorkbenchError
            SAV002, SAV004, SAV006, SAV007, SAV301 to SAV303, KQL… for a query that can't be read.
        """
        name = checked_name(KIND, name)
        seconds = _bin_seconds(bin_size)
        if not table.endswith("_CL") or table == "_CL":
            raise diagnostics.bad_destination(table)
        if any(r.name == name for r in self.all()):
            raise diagnostics.exists(KIND, name)
        now = clock.now_us()
        values = {
            "id": uuid.uuid4().hex, "name": name, "query": checked_query(query), "bin": seconds,
            "delay": _delay_seconds(delay) if delay else max(_LEAST_DELAY, seconds // 10), "table": table,
            "description": description, "modified": now, "next_bin": now - now % (seconds * _SECOND),
        }  # fmt: skip
        rules = _schema()[1]
        with self._database.begin() as connection:
            connection.execute(rules.insert().values(values))
        return self.get(name)

    def get(self, name: str) -> Rule:
        """The rule of that name; SAV003 where there is none."""
        found = {r.name: r for r in self.all()}
        if name not in found:
            raise diagnostics.unknown(KIND, name, found)
        return found[name]

    def all(self) -> list[Rule]:
        """All of them by name."""
        rules = _schema()[1]
        with self._database.begin() as connection:
            return [Rule(**r._mapping) for r in connection.execute(rules.select().order_by(rules.c.name))]

    def remove(self, name: str) -> None:
        """Forget a rule and what became of its bins; the rows that it made stay."""
        rule = self.get(name)
        _, rules, bins = _schema()
        with self._database.begin() as connection:
            connection.execute(bins.delete().where(bins.c.rule == rule.id))
            connection.execute(rules.delete().where(rules.c.id == rule.id))

    def bins(self, name: str) -> list[Bin]:
        """What became of its bins, the newest first."""
        rule = self.get(name)
        bins = _schema()[2]
        with self._database.begin() as connection:
            asked = bins.select().where(bins.c.rule == rule.id).order_by(bins.c.start.desc())
            return [Bin(**r._mapping) for r in connection.execute(asked)]

    # ---- running ------------------------------------------------------------------------------

    def due(self, rule: Rule, now: int) -> Iterator[int]:
        """Starts of the bins whose time has come, oldest first: new ones, and failed ones that are tried again."""
        for b in reversed(self.bins(rule.name)):
            wait = 60 * 5 ** max(b.tries - 1, 0) * _SECOND
            if b.state == FAILED and b.tries < TRIES and b.ran + wait <= now:
                yield b.start
        start = rule.next_bin
        while start + rule.size + rule.delay * _SECOND <= now:
            yield start
            start += rule.size

    def run(self, name: str, start: int, source: Tables, intake: Intake) -> Bin:
        """Compute and store one bin; one that fails is noted, not raised.

        Parameters
        ----------
        name : str
        start : int
            Of the bin, in µs since 1970.
        source : Tables
        intake : Intake

        Raises
        ------
        WorkbenchError
            SAV003, SAV304 where no bin begins then, SAV305 where it is not over.
        """
        rule = self.get(name)
        told = format_datetime(start * 10)
        if start % rule.size:
            raise diagnostics.no_bin(told, f"{rule.bin // 60} minutes")
        if start + rule.size > clock.now_us():
            raise diagnostics.bin_not_over(told)
        with self._locks.exclusive(f"summary-{rule.id}"):
            began, skipped = time.perf_counter(), False
            state, rows, message = SUCCEEDED, 0, ""
            try:
                rows, skipped = _store(rule, start, source, intake)
            except WorkbenchError as why:
                state, message = FAILED, f"{why.code}: {why.message}"
            done = self._note(rule, start, state, rows, message, skipped)
            _log(rule, done, int((time.perf_counter() - began) * 1000), intake)
        return done

    def backfill(self, name: str, first: int, last: int, source: Tables, intake: Intake) -> Iterator[Bin]:
        """Run the bins that begin from `first` to before `last` and are over; those with rows are left as they are."""
        rule = self.get(name)
        done = {b.start for b in self.bins(name) if b.state == SUCCEEDED and b.rows}
        start = first - first % rule.size
        start += rule.size if start < first else 0
        while start < last and start + rule.size <= clock.now_us():
            if start not in done:
                yield self.run(name, start, source, intake)
            start += rule.size

    def _note(self, rule: Rule, start: int, state: str, rows: int, message: str, skipped: bool) -> Bin:
        _, rules, bins = _schema()
        here = (bins.c.rule == rule.id) & (bins.c.start == start)
        with self._database.begin() as connection:
            known = connection.execute(bins.select().where(here)).one_or_none()
            tries = (known.tries if known else 0) + 1
            # Rows that were stored before stay what the bin has.
            rows = known.rows if known and skipped and known.rows else rows
            done = Bin(rule.id, start, state, tries, rows, message, clock.now_us(), skipped)
            values = {"state": state, "tries": tries, "rows": rows, "message": message, "ran": done.ran}
            if known:
                connection.execute(bins.update().where(here).values(values))
            else:
                connection.execute(bins.insert().values(rule=rule.id, start=start, **values))
            behind = start + rule.size
            connection.execute(
                rules.update()
                .where((rules.c.id == rule.id) & (rules.c.next_bin == start))
                .values(next_bin=behind)
            )
        return done


def run_due(summaries: Summaries, source: Tables, intake: Intake) -> int:
    """Run all bins that are due; gives how many."""
    ran = 0
    for rule in summaries.all():
        for start in list(summaries.due(rule, clock.now_us())):
            summaries.run(rule.name, start, source, intake)
            ran += 1
    return ran


def _store(rule: Rule, start: int, source: Tables, intake: Intake) -> tuple[int, bool]:
    """The rows of a bin into the rule's table; how many, and whether they were there before."""
    last = start + rule.size - 1
    span = f"{format_datetime(start * 10)}/{format_datetime(last * 10)}"
    result = whole(rule.query, source, timespan=span)
    own = {RULE, START, SIZE, MODIFIED}
    for name in result.columns:
        if name in own:
            raise diagnostics.system_column(name)
    if not len(result):
        return 0, False  # nothing to store: records that come late can still fill it
    frame, types = _stamped(rule, start, result)
    done = intake.store(rule.table, frame, types, transaction=(f"summary/{rule.id}/{start}", 1))
    return frame.height, done.skipped


def _stamped(rule: Rule, start: int, result: Result) -> tuple[pl.DataFrame, dict[str, ScalarType]]:
    moments = {START: start, MODIFIED: rule.modified}
    if TIME not in result.columns:
        moments[TIME] = start
    frame = result.frame.with_columns(
        pl.lit(rule.name).alias(RULE),
        pl.lit(rule.bin // 60, pl.Int32).alias(SIZE),
        *(pl.lit(v).cast(UTC_MICROSECONDS).alias(n) for n, v in moments.items()),
    )
    types = {c.name: c.type for c in result.schema}
    return frame, {**types, RULE: T.STRING, SIZE: T.INT, START: T.DATETIME, MODIFIED: T.DATETIME}


def _log(rule: Rule, done: Bin, duration: int, intake: Intake) -> None:
    record = {
        "RuleName": rule.name,
        "BinStartTime": format_datetime(done.start * 10),
        "BinSize": rule.bin // 60,
        "Status": done.state,
        "Message": "the rows of this bin were stored before" if done.skipped else done.message,
        "ResultsRecordCount": done.rows,
        "QueryDurationMs": duration,
        "RuleLastModifiedTime": format_datetime(rule.modified * 10),
    }
    part, refused = take(LOG, [record], source="summary rules", declared=LOG_TYPES)
    intake.accept(Batch("summary rules", rule.name, [part] if part else [], refused))


def _bin_seconds(text: str) -> int:
    ticks = parse_timespan(text) if not text.strip().isdigit() else None
    seconds, rest = divmod(ticks or 0, 10_000_000)
    if rest or seconds < 60 or seconds % 60 or _DAY % seconds:
        raise diagnostics.bad_bin(text)
    return seconds


def _delay_seconds(text: str) -> int:
    ticks = parse_timespan(text) if not text.strip().isdigit() else None
    if ticks is None or not 0 <= ticks <= _DAY * 10_000_000:
        raise diagnostics.bad_delay(text)
    return ticks // 10_000_000


@cache
def _schema() -> tuple[MetaData, Table, Table]:
    from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

    metadata = MetaData()
    rules = Table(
        "summary_rules",
        metadata,
        Column("id", String(32), primary_key=True),
        Column("name", String(200), nullable=False, unique=True),
        Column("query", Text, nullable=False),
        Column("bin", Integer, nullable=False),
        Column("delay", Integer, nullable=False),
        Column("table", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("modified", BigInteger, nullable=False),
        Column("next_bin", BigInteger, nullable=False),
    )
    bins = Table(
        "summary_bins",
        metadata,
        Column("rule", String(32), primary_key=True),
        Column("start", BigInteger, primary_key=True),
        Column("state", String(20), nullable=False),
        Column("tries", Integer, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("message", Text, nullable=False),
        Column("ran", BigInteger, nullable=False),
    )
    return metadata, rules, bins
