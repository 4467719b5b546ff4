"""The Logs Ingestion protocol: a JSON array for a stream of a collection rule.

In go a rule, a stream and a body, out comes one delivery. What senders may rely on:

- a body that is not JSON as a whole (damaged, no UTF-8, NaN, no array, an empty array) is refused and stores nothing;
  a record in it that is no object, that is nested too deep, that has a number no double can hold, or that no column can
  hold, goes to `_Quarantine`, and those beside it are stored
- a field that is named twice has its last value; a whole number beyond 64 bits is a real; fields that the stream does
  not declare are left out; texts over 32 kB are cut; the last three are counted in `Operation`
- a value that its declared type can't hold is kept in a column with the suffix of its own type
- posts with the same `x-ms-client-request-id` (or else `x-ms-date`) and the same bytes are one

Must not store, and knows no HTTP.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from workbench.base.diagnostics import rules as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, batch_id, kind_of
from workbench.collect.doors import splitting
from workbench.collect.operations import Operations
from workbench.collect.rule_text import Rule
from workbench.collect.ruled import VALUE_BYTES, Ruled, ruled, ruled_groups

DOOR = "Logs Ingestion"
RECORD_BYTES = 1 << 20
"""Of the records of a post, as they are unpacked."""
BODY_BYTES = 2 * RECORD_BYTES + 2
"""Of a body: clients count their records only, not the brackets, commas and spaces between them."""
VERSIONS = ("2023-01-01", "2021-11-01-preview")
POSTS_A_MINUTE = 12_000
BYTES_A_MINUTE = 2_000_000_000
_MOST_NAMES = 10


@dataclass(slots=True)
class Rates:
    """How much the rules took in this minute. Safe for threads.

    Examples
    --------
    >>> rates = Rates(posts=2, clock=lambda: 70.0)
    >>> [rates.over("dcr-1", 10) for _ in range(3)]
    [None, None, ('2 requests', 50)]
    """

    posts: int = POSTS_A_MINUTE
    size: int = BYTES_A_MINUTE
    clock: Callable[[], float] = time.monotonic
    _minute: int = -1
    _taken: dict[str, list[int]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def over(self, rule: str, size: int) -> tuple[str, int] | None:
        """Count a post of `size` bytes; the limit that it exceeds and the seconds to wait, or None."""
        now = self.clock()
        minute = int(now // 60)
        with self._guard:
            if minute != self._minute:
                self._minute = minute
                self._taken.clear()
            taken = self._taken.setdefault(rule, [0, 0])
            wait = 60 - int(now % 60)
            if taken[0] >= self.posts:
                return f"{self.posts:,} requests", wait
            if taken[1] + size > self.size:
                return f"{self.size:,} bytes", wait
            taken[0] += 1
            taken[1] += size
        return None


def records_of(body: bytes) -> list[Any]:
    """The values of a posted array; in place of one that can't be read, why.

    Raises
    ------
    WorkbenchError
        RUL304 to RUL306 and RUL308 for a body that is none, RUL309 for one that is too long.

    Examples
    --------
    >>> records_of(b'[{"a": 1}, 7]')
    [{'a': 1}, 7]
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        found = _one_by_one(body, str(broken))
    if type(found) is not list:
        raise diagnostics.post_no_array("an object" if type(found) is dict else kind_of(found))
    _check_size(body, len(found))
    return found


def _a_few(body: bytes) -> Iterator[list[Any]]:
    """As `records_of`, a few at a time; `splitting.NoJson` where the body has to be read in one go."""
    count = 0
    for values in splitting.a_few(body):
        count += len(values)
        yield values
    _check_size(body, count)


def _check_size(body: bytes, records: int) -> None:
    if not records:
        raise diagnostics.post_empty()
    if len(body) - 2 * records > RECORD_BYTES:
        raise diagnostics.post_too_long(RECORD_BYTES)


def _one_by_one(body: bytes, why: str) -> list[Any]:
    """The values of an array that the quick reader does not take, but that may be JSON."""
    try:
        body.decode()
    except UnicodeDecodeError as place:
        raise diagnostics.post_no_utf8(place.start) from None
    if body.lstrip()[:1] != b"[":
        raise diagnostics.post_not_json(why)
    try:
        values = splitting.values(body)
    except splitting.NoJson:
        raise diagnostics.post_not_json(why) from None
    return [_reason(value) or value for value in values]


def _reason(value: Any) -> WorkbenchError | None:
    if isinstance(value, splitting.TooDeep):
        return diagnostics.record_too_deep()
    return diagnostics.number_too_large() if splitting.is_beyond_a_double(value) else None


def batch_of(
    rule: Rule, number: str, stream: str, body: bytes, *, source: str, told: str = "", wire: bytes = b""
) -> tuple[Batch, Ruled]:
    """A post as one delivery.

    Parameters
    ----------
    rule, number : Rule, str
        The rule and its immutable id.
    stream : str
        A stream that the rule declares.
    body : bytes
        As it was unpacked.
    source : str
        Who sends it.
    told : str
        The sender's `x-ms-client-request-id` or date; without one each post is a new one.
    wire : bytes
        The body as it came.

    Raises
    ------
    WorkbenchError
        RUL302 for a stream that the rule does not declare, RUL304 to RUL309 for the body.
    """
    if stream not in rule.streams:
        raise diagnostics.stream_not_in_rule(stream, rule.streams)
    originals = splitting.Originals(body)
    try:
        found = ruled_groups(rule, stream, _a_few(body), source, originals)
    except splitting.NoJson:
        found = ruled(rule, stream, records_of(body), source, originals)
    if any(splitting.may_be_beyond(body, part.columns) for part in found.parts):
        found.rounded = splitting.beyond_64_bits(body)
    known = batch_id(source, f"{number}/{stream}", told, wire or body) if told else ""
    return Batch(DOOR, source, found.parts, found.refused, known, size=len(body)), found


def tell(operations: Operations, stream: str, found: Ruled) -> None:
    """Count what a post lost on its way: fields that nobody declared, ends of values."""
    if found.left_out:
        names = sorted(found.left_out)
        listed = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
        why = diagnostics.fields_left_out(stream, listed)
        operations.reason(DOOR, why, count=max(found.left_out.values()))
    for column, count in found.cut.items():
        why = diagnostics.values_cut(column, VALUE_BYTES)
        operations.reason(DOOR, why, count=count)
    for field_name, count in found.rounded.items():
        operations.reason(DOOR, diagnostics.digits_lost(field_name), count=count)
