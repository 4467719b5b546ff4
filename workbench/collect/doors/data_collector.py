"""The HTTP Data Collector API: JSON records for the table `<Log-Type>_CL`, signed with a key of the workspace.

In go headers and a body, out comes one delivery. What senders may rely on:

- a body that is not JSON as a whole (damaged, no UTF-8, NaN) is refused and stores nothing; objects with commas between
  them and without brackets are taken for an array
- a record that is no object, that has a reserved or a long name, that would make a 501st column, or that is nested too
  deep goes to `_Quarantine` alone
- a property that is named twice has its last value; null is no value; numbers are doubles; values over 32 kB are cut;
  `TimeGenerated` comes from the named field unless that is older than two days. What was changed is counted
- the same bytes with the same date (or `x-ms-client-request-id`) are stored once; a sender that signs its retry with a
  new date may have them twice

Must not store, and knows no HTTP.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from workbench.base import clock
from workbench.base.access import Access
from workbench.base.diagnostics import collect
from workbench.base.diagnostics import data_collector as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.base.dtypes import Schema
from workbench.base.errors import WorkbenchError
from workbench.collect import times
from workbench.collect.batch import Batch, Part, batch_id, kind_of
from workbench.collect.doors import splitting
from workbench.collect.doors.suffixes import VALUE_BYTES, Changes, Known, place
from workbench.collect.operations import Operations
from workbench.collect.quarantine import Refused
from workbench.collect.record import TIME, Columns, by_shape, cells
from workbench.collect.settling import refuse_times
from workbench.collect.wide_numbers import has_long_digits
from workbench.repository.layout import SYSTEM_NAMES
from workbench.repository.physical import UTC_MICROSECONDS

DOOR = "Data Collector"
BODY_BYTES = 30_000_000
"""Of a post as it comes and as it is unpacked."""
VERSION = "2016-04-01"
COLUMNS = 500
NAME_LENGTH = 45
OLDEST_DAYS = 2
REPLAY_SECONDS = 15 * 60
RESERVED = frozenset({"tenant", TIME, "RawData"})
RESOURCE_ID = "_ResourceId"
_DAY_US = 86_400_000_000
_LOG_TYPE = re.compile(r"[A-Za-z0-9_]{1,100}")
_CONTENT = "application/json"
_AUTHORIZATION = re.compile(r"SharedKey +([^:\s]+):(\S+)")


# ---- the request -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Post:
    """A request whose headers are right: which key signed it, and what it says of its body."""

    key: str
    log_type: str
    date: str
    time_field: str = ""
    resource: str = ""
    told: str = ""

    @property
    def table(self) -> str:
        return f"{self.log_type}_CL"


def checked(headers: Mapping[str, str], version: str | None, size: int, access: Access) -> Post:
    """The request with these headers.

    Parameters
    ----------
    headers : mapping
        By name, whatever its case.
    version : str or None
        `api-version` of the query string.
    size : int
        Bytes of the body as it comes.
    access : Access

    Raises
    ------
    WorkbenchError
        DCA101 to DCA108.
    """
    content = headers.get("content-type", "").strip()
    date = headers.get("x-ms-date", "")
    key = _signed_by(headers.get("authorization", ""), date, size, content, access)
    if version is None:
        raise diagnostics.no_version()
    if version != VERSION:
        raise diagnostics.bad_version()
    if not content:
        raise diagnostics.no_content_type()
    if content.partition(";")[0].strip().lower() != _CONTENT:
        raise diagnostics.bad_content_type()
    log_type = headers.get("log-type", "")
    if not log_type:
        raise diagnostics.no_log_type()
    if not _LOG_TYPE.fullmatch(log_type):
        raise diagnostics.bad_log_type()
    return Post(
        key,
        log_type,
        date,
        headers.get("time-generated-field", "").strip(),
        headers.get("x-ms-azureresourceid", "").strip(),
        headers.get("x-ms-client-request-id", ""),
    )


def text_to_sign(size: int, content: str, date: str) -> str:
    """What the signature covers; `size` is in bytes.

    Examples
    --------
    >>> text_to_sign(2, "application/json", "Mon, 04 Apr 2016 08:00:00 GMT")
    'POST\\n2\\napplication/json\\nx-ms-date:Mon, 04 Apr 2016 08:00:00 GMT\\n/api/logs'
    """
    return f"POST\n{size}\n{content}\nx-ms-date:{date}\n/api/logs"


def _signed_by(given: str, date: str, size: int, content: str, access: Access) -> str:
    if not given:
        raise diagnostics.not_authorized("it has no Authorization header")
    parts = _AUTHORIZATION.fullmatch(given.strip())
    if parts is None:
        raise diagnostics.not_authorized(
            "the Authorization header reads SharedKey <workspace id>:<signature>"
        )
    if not _is_now(date):
        raise diagnostics.not_authorized("x-ms-date is no RFC 1123 date within 15 minutes of now")
    if parts[1].lower() != access.workspace_id.lower():
        raise diagnostics.other_workspace()
    # Some clients sign the Content-Type as they send it, with its charset.
    for signed in dict.fromkeys((_CONTENT, content)):
        key = access.verify_signature(text_to_sign(size, signed, date), parts[2])
        if key is not None:
            return key
    raise diagnostics.not_authorized("the signature is that of no key of this workspace")


def _is_now(date: str) -> bool:
    try:
        told = email.utils.parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    if told.tzinfo is None:  # "-0000": a zone that says nothing
        told = told.replace(tzinfo=dt.UTC)
    return abs(told.timestamp() - clock.now_us() / 1e6) <= REPLAY_SECONDS


# ---- the body --------------------------------------------------------------------------------


@dataclass(slots=True)
class Taken:
    """A post as a delivery, and what was changed in it."""

    batch: Batch
    changes: Changes = field(default_factory=Changes)
    old: int = 0


def batch_of(post: Post, body: bytes, schema: Schema, wire: bytes = b"") -> Taken:
    """A body as one delivery.

    Parameters
    ----------
    post : Post
    body : bytes
        As it was unpacked.
    schema : Schema
        The table as it is; empty for a new one.
    wire : bytes
        The body as it came.

    Raises
    ------
    WorkbenchError
        DCA109 for a body that is not JSON as a whole.
    """
    source = f"{post.key} key"
    known = batch_id(source, post.log_type, post.told or post.date, wire or body)
    taken = Taken(Batch(DOOR, source, id=known, size=len(body)))
    original = splitting.Originals(body)

    def refuse(row: int, why: WorkbenchError) -> None:
        taken.batch.refused.append(Refused(post.table, why, source, None, original(row)))

    rows: list[int] = []
    records: list[dict[str, Any]] = []
    for row, value in enumerate(records_of(body)):
        if type(value) is dict:
            rows.append(row)
            records.append(value)
        else:
            unread = isinstance(value, splitting.TooDeep)
            refuse(row, diagnostics.unreadable() if unread else collect.not_an_object(kind_of(value)))
    rows, records = _within_limits(post, rows, records, schema, refuse)
    while True:
        changes, bad = Changes(), dict[int, WorkbenchError]()
        columns, old = _columns(post, records, schema, changes, bad)
        if not bad:
            break
        for index, why in sorted(bad.items()):
            refuse(rows[index], why)
        kept = [i for i in range(len(records)) if i not in bad]
        rows, records = [rows[i] for i in kept], [records[i] for i in kept]
    columns, left = refuse_times(columns, clock.now_us(), lambda index, why: refuse(rows[index], why))
    if has_long_digits(body):
        changes.rounded += sum(splitting.beyond_64_bits(body).values())
    taken.changes, taken.old = changes, old
    if left:
        taken.batch.parts.append(Part(post.table, columns))
    return taken


def records_of(body: bytes) -> list[Any]:
    """The values of a posted array, or of objects one after another; `TooDeep` in place of one that is.

    Raises
    ------
    WorkbenchError
        DCA109 for a body that is not JSON as a whole.

    Examples
    --------
    >>> records_of(b'[{"a": 1}, 7]'), records_of(b'{"a": 1}'), records_of(b'{"a": 1},{"a": 2}')
    ([{'a': 1}, 7], [{'a': 1}], [{'a': 1}, {'a': 2}])
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    if text[:1] not in (b"[", b"{"):
        raise diagnostics.bad_body("it begins with neither [ nor {")
    try:
        found = orjson.loads(text)
        return found if isinstance(found, list) else [found]
    except orjson.JSONDecodeError:
        pass
    try:
        return splitting.values(text)
    except splitting.NoJson as broken:
        why = str(broken).partition(": line ")[0]
        raise diagnostics.bad_body(why) from None


# ---- rows ------------------------------------------------------------------------------------

Records = Sequence[dict[str, Any]]
Refuse = Callable[[int, WorkbenchError], None]


def _within_limits(
    post: Post, rows: list[int], records: list[dict[str, Any]], schema: Schema, refuse: Refuse
) -> tuple[list[int], list[dict[str, Any]]]:
    """The records whose names are allowed and which do not make a column too many."""
    bad: dict[int, WorkbenchError] = {}
    shapes = by_shape(records)
    for properties, indexes, _ in shapes:
        why = next((w for w in (_bad_name(n, post.time_field) for n in properties) if w is not None), None)
        bad.update(dict.fromkeys(indexes, why) if why is not None else {})
    own = [c.name for c in schema if not c.hidden and c.name not in SYSTEM_NAMES and c.name != RESOURCE_ID]
    names = {name for shape, _, _ in shapes for name in shape}
    # A property has at most five columns, so most posts need no look at each value.
    if len(own) + 5 * len(names) > COLUMNS:
        known, count = Known.of(own), len(own)
        for index, record in enumerate(records):
            if index in bad:
                continue
            fresh = {
                (n, s)
                for n, v in record.items()
                if v is not None and (s := known.suffix(n, v)) not in known.suffixes.get(n, ())
            }
            if count + len(fresh) > COLUMNS:
                bad[index] = diagnostics.too_many_columns(post.table, COLUMNS)
                continue
            count += len(fresh)
            for name, suffix in fresh:
                known.add(name, suffix)
    if not bad:
        return rows, records
    for index in sorted(bad):
        refuse(rows[index], bad[index])
    kept = [i for i in range(len(records)) if i not in bad]
    return [rows[i] for i in kept], [records[i] for i in kept]


def _bad_name(name: str, time_field: str) -> WorkbenchError | None:
    if name in RESERVED and name != time_field:
        return diagnostics.reserved_name(name)
    if not name.strip():
        return collect.bad_field_name(name)
    return diagnostics.long_name(name, NAME_LENGTH) if len(name) > NAME_LENGTH else None


def _columns(
    post: Post, records: Records, schema: Schema, changes: Changes, bad: dict[int, WorkbenchError]
) -> tuple[Columns, int]:
    """The records as columns, and how many times were replaced; `bad` gets the records that can't be rows."""
    count = len(records)
    found = Columns(count)
    lists: dict[str, list[Any]] = {}
    for names, rows, alike in by_shape(records):
        for name, column in zip(names, cells(alike), strict=True):
            if len(rows) == count:
                lists[name] = list(column)
            elif any(value is not None for value in column):
                into = lists.setdefault(name, [None] * count)
                for row, value in zip(rows, column, strict=True):
                    into[row] = value
    stamps, old = _times(lists.get(post.time_field, [None] * count))
    found.series[TIME, T.DATETIME] = stamps

    def refuse(row: int, why: WorkbenchError) -> None:
        bad.setdefault(row, why)

    known = Known.of(c.name for c in schema)
    for name, values in lists.items():
        if name != TIME:
            place(found, name, values, known, refuse, changes)
    if post.resource:
        found.series[RESOURCE_ID, T.STRING] = pl.Series(RESOURCE_ID, [post.resource] * count, pl.String)
    return found, old


def _times(values: Sequence[Any]) -> tuple[pl.Series, int]:
    """`TimeGenerated` by the values of the named field: null, which is now, for what is too old or no time."""
    texts = [v if isinstance(v, str) else None for v in values]
    try:
        told = times.time_of(pl.Series(TIME, texts, pl.String))
    except UnicodeEncodeError:  # a lone surrogate in one of them
        clean = [v if v is None or v.isascii() else "" for v in texts]
        told = times.time_of(pl.Series(TIME, clean, pl.String))
    recent = (told.to_physical() >= clock.now_us() - OLDEST_DAYS * _DAY_US).fill_null(False)
    replaced = sum(v is not None for v in values) - int(recent.sum())
    nothing = pl.Series(TIME, [None], UTC_MICROSECONDS).new_from_index(0, len(told))
    return told.cast(UTC_MICROSECONDS).zip_with(recent, nothing).alias(TIME), replaced


# ---- what is told ----------------------------------------------------------------------------


def tell(operations: Operations, taken: Taken) -> None:
    """Count what a post lost on its way."""
    told = (
        (diagnostics.values_cut(VALUE_BYTES), taken.changes.cut),
        (diagnostics.digits_lost(), taken.changes.rounded),
        (diagnostics.old_times(OLDEST_DAYS), taken.old),
    )
    for why, count in told:
        if count:
            operations.reason(DOOR, why, count=count)
