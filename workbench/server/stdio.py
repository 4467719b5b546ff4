"""`query --stdio`: one JSON request a line in, one JSON answer a line out, until the input ends.

A request is `{"id", "query"}`; the answer carries the same id with `columns`, `types`, `rows`, or
with `error`. Nothing ends the loop but the end of the input: a mistake of the query is answered by
its text, a fault of ours by its kind, with the traceback on the log.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import orjson

from workbench.base.errors import WorkbenchError
from workbench.query.result import Result
from workbench.server import wire

Ask = Callable[[str], Result]


class Sink(Protocol):
    """Where answers go: standard output's bytes."""

    def write(self, data: bytes, /) -> Any: ...

    def flush(self) -> Any: ...


def serve(ask: Ask, lines: Iterable[bytes], out: Sink, note: Callable[[str], None]) -> int:
    """Answer each line of `lines` on `out`.

    Parameters
    ----------
    ask : callable
        Runs one query text.
    lines : iterable of bytes
        Requests; blank lines are passed over.
    out : Sink
        Flushed after each answer.
    note : callable
        Told of faults of ours, with their traceback.

    Returns
    -------
    int
        The number of answers written.
    """
    count = 0
    for line in lines:
        if not line.strip():
            continue
        out.write(respond(ask, line, note) + b"\n")
        out.flush()
        count += 1
    return count


def respond(ask: Ask, line: bytes, note: Callable[[str], None]) -> bytes:
    """The answer to one request line."""
    try:
        request = orjson.loads(line)
    except orjson.JSONDecodeError as broken:
        return wire.dump({"id": None, "error": f"the request is no JSON: {broken}"})
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        ident = request.get("id") if isinstance(request, dict) else None
        return wire.dump({"id": ident, "error": 'a request reads {"id": …, "query": "…"}'})
    ident = request.get("id")
    try:
        return wire.dump({"id": ident, **wire.answer(ask(request["query"]))})
    except WorkbenchError as mistake:
        return wire.dump({"id": ident, "error": mistake.within(request["query"]).render()})
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # noqa: BLE001  (polars panics are no Exception; the loop has to live)
        note(f"query {ident!r}: {''.join(traceback.format_exception(fault))}")
        why = f"{type(fault).__name__}: {fault}".split("\n")[0][:300]
        return wire.dump({"id": ident, "error": f"internal error: {why}"})
