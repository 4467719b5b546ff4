"""An alert as an e-mail: what it says in text and in HTML, with its first records and a chart of them.

In go a `Told` and a picture, out comes a message of the standard library. Every value is hostile: escaped in HTML, made
one line in headers, and links are ours alone.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Iterable, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from workbench.actions.notify.telling import Told, moment
from workbench.base import clock
from workbench.base.diagnostics import notify as diagnostics

RECORDS = 10
MOST_NAMED = 20
"""Recipients that stand in `To`; of more, none does."""
_MOST_COLUMNS, _MOST_VALUE, _MOST_SUBJECT = 12, 200, 200
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_STYLE = {
    "table": "border-collapse:collapse;font:13px sans-serif", "th": "text-align:left;padding:4px 8px;border-bottom:2px solid #888",
    "td": "padding:4px 8px;border-bottom:1px solid #ddd;vertical-align:top", "pre": "background:#f4f4f4;padding:8px;white-space:pre-wrap",
}  # fmt: skip


def recipients(text: str | Iterable[str]) -> list[str]:
    """Mail addresses, of a text with `;` or `,` between them or of several such texts.

    Raises
    ------
    WorkbenchError
        NOT007.

    Examples
    --------
    >>> recipients("ops@example.org; ada@example.org;")
    ['ops@example.org', 'ada@example.org']
    """
    texts = [text] if isinstance(text, str) else list(text)
    found = [part.strip() for one in texts for part in re.split("[;,]", one)]
    for address in found:
        if address and (not _ADDRESS.fullmatch(address) or ".." in address):
            raise diagnostics.bad_address(address)
    return list(dict.fromkeys(address for address in found if address))


def message(
    told: Told, sender: str, to: Sequence[str], *, subject: str = "", picture: bytes | None = None
) -> EmailMessage:
    """The e-mail of an alert.

    Parameters
    ----------
    told : Told
    sender : str
    to : sequence of str
        All that it goes to.
    subject : str
        Of the action; the rule's own goes before it.
    picture : bytes, optional
        PNG.
    """
    made = EmailMessage()
    made["Subject"] = one_line(told.rule.subject or subject or _subject(told))[:_MOST_SUBJECT]
    made["From"] = sender
    if len(to) <= MOST_NAMED:
        made["To"] = ", ".join(to)
    else:
        made["To"] = "undisclosed-recipients:;"
    made["Date"] = format_datetime(dt.datetime.fromtimestamp(clock.now_us() / 1_000_000, dt.UTC))
    domain = Address(addr_spec=sender).domain
    made["Message-ID"] = make_msgid(domain=domain)
    made["Auto-Submitted"] = "auto-generated"
    made["X-Workbench-Key"] = one_line(told.notice.key)
    made.set_content(_text(told))
    made.add_alternative(_html(told, picture is not None), subtype="html")
    if picture is not None:
        page = made.get_payload()[1]  # type: ignore[index]
        page.add_related(picture, "image", "png", cid="<chart>", filename="chart.png", disposition="inline")  # type: ignore[union-attr]
    return made


def one_line(text: str) -> str:
    """A text that can stand in a header, whatever is in it.

    Examples
    --------
    >>> one_line("up\\r\\nBcc: eve@example.org")
    'up Bcc: eve@example.org'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _subject(told: Told) -> str:
    where = ", ".join(told.notice.dimensions.values())
    return f"[{told.rule.severity.value}] {told.notice.condition}: {told.rule.name}{f' ({where})' if where else ''}"


def _facts(told: Told) -> list[tuple[str, str]]:
    notice = told.notice
    found = [
        ("Severity", told.rule.severity.value),
        ("State", notice.condition),
        ("Fired", moment(notice.fired_at)),
        ("Resolved", moment(notice.resolved_at) if notice.resolved_at is not None else ""),
        ("Looked at", f"{told.start} to {told.end}"),
        ("Records", f"{notice.count:,}"),
        ("Measured", "" if notice.value is None else f"{notice.value:g} ({told.operator} {told.threshold})"),
        *notice.dimensions.items(),
        ("Description", told.rule.description),
        *((name, value) for name, value in told.rule.properties.items() if isinstance(value, str)),
    ]
    return [(name, value) for name, value in found if value]


def _records(told: Told) -> tuple[list[str], list[list[str]], str]:
    """Columns and rows of the first records, and what is left out."""
    columns = [name for name, _ in told.notice.columns][:_MOST_COLUMNS]
    rows = [[_cell(value) for value in record[: len(columns)]] for record in told.notice.records[:RECORDS]]
    left = []
    if told.notice.count > len(rows) and rows:
        left.append(f"{len(rows)} of {told.notice.count:,} records")
    if len(told.notice.columns) > len(columns):
        left.append(f"{len(columns)} of {len(told.notice.columns)} columns")
    return columns, rows, ", ".join(left)


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    return text if len(text) <= _MOST_VALUE else f"{text[: _MOST_VALUE - 1]}…"


def _text(told: Told) -> str:
    columns, rows, left = _records(told)
    lines = [one_line(told.rule.name), "", *(f"{name}: {one_line(value)}" for name, value in _facts(told))]
    for number, row in enumerate(rows, 1):
        lines += ["", f"Record {number}"]
        lines += [f"  {one_line(n)}: {one_line(v)}" for n, v in zip(columns, row, strict=False) if v]
    if left:
        lines += ["", f"({left})"]
    return "\n".join([*lines, "", "Query:", told.rule.query, "", "All records:", told.link, ""])


def _html(told: Told, with_picture: bool) -> str:
    columns, rows, left = _records(told)
    parts = [f"<h2>{_escaped(told.rule.name)}</h2>", f'<table style="{_STYLE["table"]}">']
    parts += [
        f'<tr><td style="{_STYLE["td"]}"><b>{_escaped(n)}</b></td><td style="{_STYLE["td"]}">{_escaped(v)}</td></tr>'
        for n, v in _facts(told)
    ]
    parts.append("</table>")
    if with_picture:
        parts.append('<p><img src="cid:chart" alt="chart of the records" style="max-width:100%"></p>')
    if rows:
        head = "".join(f'<th style="{_STYLE["th"]}">{_escaped(name)}</th>' for name in columns)
        parts.append(f'<table style="{_STYLE["table"]}"><thead><tr>{head}</tr></thead><tbody>')
        parts += [
            "<tr>" + "".join(f'<td style="{_STYLE["td"]}">{_escaped(v)}</td>' for v in row) + "</tr>"
            for row in rows
        ]
        parts.append("</tbody></table>")
    if left:
        parts.append(f"<p>{_escaped(left)}</p>")
    parts.append(f'<pre style="{_STYLE["pre"]}">{_escaped(told.rule.query)}</pre>')
    parts.append(f'<p><a href="{_escaped(told.link)}">All records</a></p>')
    return f'<!doctype html><html><body style="font:14px sans-serif">{"".join(parts)}</body></html>'


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")
