"""Asks what an evaluation of a rule asks: the records that came in its window, by position, as of the moment it is due.

In go a rule, that moment and the positions that earlier evaluations kept; out come the rows measured and the position up
to which they go. Must not write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.alerts.measuring import Measured, measure
from workbench.alerts.rule import Rule
from workbench.base.diagnostics import alerting as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect.since import Position, Since, position, position_at
from workbench.query.control import Control, Limits
from workbench.query.frames import Tables, surroundings_of
from workbench.query.run import run

MOST_SECONDS = 60.0
"""What a query may take where its rule is evaluated seldom; else half of the time between two evaluations."""
EVERY_ROW = 2**32 - 2
SECOND = 1_000_000
Positions = Mapping[str, Position]
NO_TABLE = "KQL102"
"""The code of a table that is not there: it may still come, so there is no data yet."""
_TRANSIENT = (NO_TABLE, "KQL303", "KQL304", "KQL305", "REP", "CTL", "ALR014", "ALR017")
"""Codes of failures that may be gone the next time, though nobody changes the rule."""


@dataclass(frozen=True, slots=True)
class Window:
    """What an evaluation reads: from which positions on, as of when.

    Attributes
    ----------
    at : int
        The moment that it is due at, its `now()`; in µs since 1970.
    start : int
        Where the window begins.
    low : Positions or None
        What was there at the beginning, or before it; None: nobody kept it, so the intake's clock tells.
    exact : bool
        Whether it was so at the very beginning. If not, what the intake's clock has before the beginning is left out.
    """

    at: int
    start: int
    low: Positions | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: the measure, or why there is none; how far each table that was read went."""

    measured: Measured | None
    until: Positions
    refused: WorkbenchError | None = None

    @property
    def permanent(self) -> bool:
        """Whether only a change of the rule can mend its failure."""
        return self.refused is not None and not self.refused.code.startswith(_TRANSIENT)


class Evaluating:
    """Asks for the rules of one workspace, one at a time; remembers answers that stay the same.

    Parameters
    ----------
    source : Tables
    """

    def __init__(self, source: Tables) -> None:
        self._source = source
        self._kept: dict[str, _Kept] = {}

    def ask(self, rule_id: str, rule: Rule, window: Window) -> Answer:
        """Evaluate; what the query refuses is in the answer, not raised.

        Parameters
        ----------
        rule_id : str
            Under which the answer is remembered.
        rule : Rule
        window : Window
        """
        kept = self._kept.get(rule_id)
        if kept is not None and kept.rule == rule and kept.timeless:
            until = {table: position(self._source, table) for table in kept.answer.until}
            if kept.lows == _lows(window, until) and until == kept.answer.until:
                return kept.answer
        cut = self._cut(window)
        answer = self._asked(rule, window, cut)
        known = kept.timeless if kept is not None and kept.rule == rule else None
        if answer.measured is not None and known is None:
            known = timeless(rule.query, surroundings_of(self._source).functions())
        lows = _lows(window, answer.until)
        if answer.measured is not None and known and lows is not None:
            self._kept[rule_id] = _Kept(rule, known, lows, answer)
        else:
            self._kept.pop(rule_id, None)
        return answer

    def forget(self, rule_id: str) -> None:
        """Forget what a rule was answered."""
        self._kept.pop(rule_id, None)

    def _cut(self, window: Window) -> Since:
        low: Positions = _ByClock(self._source, window)
        came_from = window.start if window.low is not None and not window.exact else None
        return Since(self._source, low, history_before=window.start, came_from=came_from)

    def _asked(self, rule: Rule, window: Window, cut: Since) -> Answer:
        seconds = seconds_of(rule)
        try:
            result = run(
                rule.query,
                cut,
                parameters=rule.parameters,
                limit=EVERY_ROW,
                control=Control(Limits(seconds=seconds)),
                options={"query_now": format_datetime(window.at * 10)},
                arrived_from=window.start,
            )
            if result.others:
                raise diagnostics.several_tables(len(result.tables))
            if result.truncated or result.partial:
                raise diagnostics.not_whole(result.partial_note or f"it was cut after {len(result):,} rows")
            return Answer(measure(rule, result), cut.until)
        except WorkbenchError as why:
            return Answer(None, cut.until, why.within(rule.query) if why.span else why)
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # noqa: BLE001 - a panic of the engine is no Exception, and no end of the others
            return Answer(
                None, cut.until, diagnostics.fault(f"{type(fault).__name__}: {fault}".split("\n")[0][:300])
            )


def seconds_of(rule: Rule) -> float:
    """How long the query of a rule may take.

    Examples
    --------
    >>> seconds_of(Rule("r", "T", frequency=60)), seconds_of(Rule("r", "T", frequency=3600))
    (30.0, 60.0)
    """
    return min(MOST_SECONDS, max(10.0, rule.frequency / 2))


@dataclass(frozen=True, slots=True)
class _Kept:
    rule: Rule
    timeless: bool
    lows: Positions
    answer: Answer


def timeless(query: str, functions: Sequence[str] = ()) -> bool:
    """Whether a query gives the same of the same records whenever it is asked; of stored functions nobody knows.

    Examples
    --------
    >>> timeless("Event | where EventID == 1"), timeless("Event | where TimeGenerated > ago(1h)")
    (True, False)
    """
    from workbench.query.lexer import tokenize

    values = [token.value for token in tokenize(query)]
    texts = {str(v[0] if isinstance(v, tuple) else v).lower() for v in values}
    return not texts & {
        *map(str.lower, functions),
        "now",
        "ago",
        "rand",
        "toscalar",
        "new_guid",
        "evaluate",
        "externaldata",
        "datetime",
    }


def _lows(window: Window, until: Positions) -> Positions | None:
    """Where the tables begin, if positions alone say so."""
    if window.low is None or not window.exact or any(table not in window.low for table in until):
        return None
    return {table: window.low[table] for table in until}


class _ByClock(Mapping[str, Position]):
    """The positions at a window's beginning; of a table that nobody looked at then, as the intake's clock tells."""

    def __init__(self, source: Tables, window: Window) -> None:
        self._source, self._window = source, window
        self._found: dict[str, Position] = dict(window.low or {})

    def __getitem__(self, table: str) -> Position:
        if table not in self._found:
            self._found[table] = position_at(self._source, table, self._window.start)
        return self._found[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
