"""A tile as HTML: an `Answer` in, one `<article>` out, the same in a notebook, for a viewer and in a file.

What can be asked is a `<button data-drill>`: "" opens the tile's own search, a number that of a row. Empty,
late, missing and wrong have words of their own. Every text is made printable and escaped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from workbench.base.diagnostics import dashboards as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.cells import duration, printable
from workbench.kernel_ext.dashboards import pictures, words
from workbench.kernel_ext.dashboards.answering import Answer
from workbench.kernel_ext.dashboards.colours import Colours
from workbench.kernel_ext.dashboards.prose import prose
from workbench.kernel_ext.dashboards.thresholds import state_of
from workbench.query.result import Result

# A shape and a word beside every colour.
STATES = {"healthy": "●", "warning": "▲", "error": "■", "unknown": "◇"}
_ROWS, _CELLS = 10, 120


def tile(answer: Answer, colours: Colours, now: dt.datetime | None = None) -> str:
    """The tile with what it found; a stored answer says how old it is `now`."""
    if answer.tile.kind == "text":
        return _frame(answer, f'<div class="wb-prose">{prose(answer.tile.text)}</div>', "", "")
    foot = _foot(answer, now)
    if answer.error:
        return _frame(answer, f'<pre class="wb-error">{escape(printable(answer.error, lines=True))}</pre>', "error", foot)  # fmt: skip
    if answer.missing:
        said = f"no {escape(answer.missing)} here yet"
        return _frame(answer, f'<p class="wb-none">{said}</p>', "unknown", foot)
    result = answer.result
    if result is None or not len(result):
        return _frame(answer, f'<p class="wb-none">{_nothing(answer)}</p>', "unknown", foot)
    try:
        body, state = _BODIES[answer.tile.kind](answer, result, colours)
    except WorkbenchError as error:
        return _frame(answer, f'<pre class="wb-error">{escape(error.render())}</pre>', "error", foot)
    return _frame(answer, body, state, foot)


def waiting(title: str, kind: str) -> str:
    """The tile while it is asked; it has the room that the answer will take."""
    return f'<article class="wb-tile wb-{escape(kind)}" aria-busy="true"><header><h3>{escape(printable(title))}</h3></header><div class="wb-body"><p class="wb-none">asking</p></div><footer>&nbsp;</footer></article>'  # fmt: skip


def _frame(answer: Answer, body: str, state: str, foot: str) -> str:
    one = answer.tile
    title = f"<header><h3>{escape(printable(one.title))}</h3>{_ask(one.kind)}</header>" if one.title else ""
    below = f"<footer>{foot}</footer>" if foot else ""
    label = escape(printable(one.title), quote=True)
    busy = ' aria-busy="true"' if answer.stored else ""
    return f'<article class="wb-tile wb-{one.kind}" data-state="{state}" aria-label="{label}"{busy}>{title}<div class="wb-body">{body}</div>{below}</article>'  # fmt: skip


def _ask(kind: str) -> str:
    if kind == "text":
        return ""
    return '<button type="button" class="wb-ask" data-drill="" title="Open the search behind this tile">search</button>'


def _nothing(answer: Answer) -> str:
    """Why there is nothing, as far as it is known."""
    if answer.newest is None or answer.newest >= answer.start:
        return "nothing in this time"
    late = words.age(answer.newest, answer.end)
    return f"no {escape(answer.source)} since {words.moment(answer.newest)} ({late})"


def _foot(answer: Answer, now: dt.datetime | None) -> str:
    span = duration(answer.end - answer.start)
    parts = [f'<span title="{words.moment(answer.start)} – {words.moment(answer.end)}">last {span}</span>']
    if answer.stored and now is not None:
        age = words.age(answer.end, now)
        parts.append(f'<strong class="wb-late">as of {words.moment(answer.end)} ({age} ago), asking</strong>')
        return " · ".join(parts)
    if answer.newest is not None:
        late = words.age(answer.newest, answer.end)
        exact = words.moment(answer.newest)
        if answer.newest < answer.start:
            parts.append(f'<strong class="wb-late">no data since {exact} ({late})</strong>')
        else:
            parts.append(
                f'<span title="newest {escape(answer.source, quote=True)}: {exact}">fresh {late}</span>'
            )
    if answer.result is not None:
        parts += [f"<strong>{word}</strong>" for word, on in (("partial", answer.result.partial), ("truncated", answer.result.truncated)) if on]  # fmt: skip
    return " · ".join(parts)


# ---- figures ----------------------------------------------------------------------------------


def _number(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    value, kql = result.frame.row(0)[0], result.schema[0].type
    state = state_of(value, answer.tile.thresholds)
    return _figure(value, kql, answer, state) + _word(answer, state) + _trend(answer, value), state


def _two_numbers(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    if len(result.schema) < 2:
        raise _wrong(answer, result, "two columns")
    row = result.frame.row(0)
    state = state_of(row[0], answer.tile.thresholds)
    both = "".join(
        f"<div>{_figure(row[i], result.schema[i].type, answer, state if i == 0 else '')}"
        f'<span class="wb-of">{escape(printable(result.schema[i].name))}</span></div>'
        for i in (0, 1)
    )
    return f'<div class="wb-two">{both}</div>{_word(answer, state)}', state


def _figure(value: Any, kql: ScalarType, answer: Answer, state: str) -> str:
    text, exact = words.figure(value, kql, answer.tile.unit)
    return f'<button type="button" class="wb-figure" data-drill="" data-state="{state}" title="{escape(exact, quote=True)}">{escape(text)}</button>'  # fmt: skip


def _word(answer: Answer, state: str) -> str:
    if state not in ("warning", "error", "unknown") or not answer.tile.thresholds:
        return ""
    crossed = next((str(t) for t in answer.tile.thresholds if t.state == state), "unknown")
    return f'<p class="wb-state" data-state="{state}"><span aria-hidden="true">{STATES[state]}</span> {escape(crossed)}</p>'  # fmt: skip


def _trend(answer: Answer, value: Any) -> str:
    """Against the period before."""
    if answer.before is None or not len(answer.before) or not isinstance(value, int | float):
        return ""
    was = answer.before.frame.row(0)[0]
    if isinstance(was, bool) or not isinstance(was, int | float):
        return ""
    kql = answer.before.schema[0].type
    before = words.figure(was, kql, answer.tile.unit)[0]
    if was == value:
        said = f"as before ({before})"
    elif was and abs(value / was) < 10:
        change = (value - was) / abs(was)
        said = f"{'▲' if change > 0 else '▼'} {abs(change):.0%} from {before} before"
    else:
        said = f"{before} before"
    return f'<p class="wb-trend">{escape(said)}</p>'


# ---- names and values -------------------------------------------------------------------------


def _named(answer: Answer, result: Result) -> list[tuple[str, Any, str, str]]:
    """Name, value, and the value as text and exactly, of each row."""
    if len(result.schema) < 2:
        raise _wrong(answer, result, "a name and a value")
    kql, name = result.schema[1].type, result.schema[0].type
    values = result.frame.to_series(1).to_list()
    return [
        (words.label(label, name), value, *words.figure(value, kql, answer.tile.unit))
        for label, value in zip(result.frame.to_series(0).to_list(), values, strict=True)
    ]


def _wrong(answer: Answer, result: Result, wanted: str) -> WorkbenchError:
    return diagnostics.wrong_columns(
        answer.tile.kind, wanted, [(c.name, c.type.value) for c in result.schema]
    )


def amount(value: Any) -> float:
    """How long the bar of a value is."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _bar(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    if result.schema[0].type is ScalarType.DATETIME:
        return pictures.columns(answer, result, colours), ""
    return _list(answer, result, colours)


def _list(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    """Rows with bars, and a sparkline where an array stands behind the value."""
    rows = _named(answer, result)
    largest = max((abs(amount(v)) for _, v, _, _ in rows), default=0.0) or 1.0
    sparks = pictures.arrays(result) if answer.tile.kind == "list" else None
    shown, states = [], []
    for i, (name, value, text, exact) in enumerate(rows[:_ROWS]):
        state = state_of(value, answer.tile.thresholds) if answer.tile.thresholds else ""
        states.append(state)
        spark = pictures.spark(sparks[i]) if sparks else ""
        width = 100 * abs(amount(value)) / largest
        mark = (
            f'<span aria-hidden="true" data-state="{state}">{STATES[state]}</span> '
            if state in ("warning", "error")
            else ""
        )
        shown.append(
            f'<li><button type="button" data-drill="{i}" title="{escape(name, quote=True)}: {escape(exact, quote=True)}">'
            f'<span class="wb-name">{mark}{escape(name)}</span>{spark}<span class="wb-track"><span class="wb-fill" '
            f'data-state="{state}" style="width:{width:.2f}%"></span></span>'
            f'<span class="wb-value">{escape(text)}</span></button></li>'
        )
    more = (
        f'<button type="button" class="wb-more" data-drill="">all {len(rows):,}</button>'
        if len(rows) > _ROWS
        else ""
    )
    kind = "wb-rows wb-sparked" if sparks else "wb-rows"
    return f'<ul class="{kind}">{"".join(shown)}</ul>{more}', _worst(states)


def _status(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    rows = _named(answer, result)
    cells, states = [], []
    for i, (name, value, text, exact) in enumerate(rows[:_CELLS]):
        state = state_of(value, answer.tile.thresholds) or "unknown"
        states.append(state)
        cells.append(
            f'<li><button type="button" data-drill="{i}" data-state="{state}" title="{escape(name, quote=True)}: {escape(exact, quote=True)}">'
            f'<span class="wb-sign" aria-hidden="true">{STATES[state]}</span><span class="wb-name">{escape(name)}</span>'
            f'<span class="wb-value">{escape(text)}</span><span class="wb-hidden">{state}</span></button></li>'
        )
    more = f'<button type="button" class="wb-more" data-drill="">all {len(rows):,}</button>' if len(rows) > _CELLS else ""  # fmt: skip
    counted = " · ".join(
        f"{states.count(s):,} {s}" for s in ("error", "warning", "healthy", "unknown") if s in states
    )
    return f'<p class="wb-trend">{counted}</p><ul class="wb-grid">{"".join(cells)}</ul>{more}', _worst(states)


def _worst(states: Sequence[str]) -> str:
    return next((s for s in ("error", "warning") if s in states), "")


def _donut(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    return pictures.donut(answer, _named(answer, result), colours), ""


def _line(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    return pictures.line(answer, result, colours), ""


def _chart(answer: Answer, result: Result, colours: Colours) -> tuple[str, str]:
    return pictures.chart(answer, result), ""


_BODIES: dict[str, Callable[[Answer, Result, Colours], tuple[str, str]]] = {
    "number": _number,
    "two_numbers": _two_numbers,
    "donut": _donut,
    "line": _line,
    "bar": _bar,
    "list": _list,
    "status": _status,
    "chart": _chart,
}
