"""Records of a stream as a rule's data flows make them: columns, transform, tables.

In go parsed records, out come the parts of one delivery, the records that can't be stored, and what was left out or
cut. A record may go to several tables, or to none where every transform drops it. Must not store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson
import polars as pl

from workbench.base import clock
from workbench.base.diagnostics import rules as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Part, original_of, take, why_no_record
from workbench.collect.formats import Block
from workbench.collect.quarantine import Refused
from workbench.collect.record import Columns, Record
from workbench.collect.rule_text import Flow, Rule, Stream
from workbench.collect.rules import Rules
from workbench.collect.settling import refuse_times
from workbench.repository.physical import FRAME
from workbench.repository.placement import SUFFIXES

T = ScalarType
VALUE_BYTES = 32 * 1024
"""A text or dynamic value that is longer is cut; what a mapping gathers of several fields is no value."""
_SPLITS = 64
"""So often a delivery is split to find the records on which a transform fails."""
Originals = Callable[[int], bytes]


@dataclass(slots=True)
class Ruled:
    """What became of records.

    Attributes
    ----------
    left_out : dict
        Fields that the stream does not declare, with how many records had them.
    cut : dict
        Columns with how many of their values were cut.
    rounded : dict
        Fields with how many of their whole numbers were beyond 64 bits, for a door that looks.
    """

    parts: list[Part] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    rounded: dict[str, int] = field(default_factory=dict)


def ruled(
    rule: Rule, stream: str, records: Sequence[Any], source: str, originals: Originals | None = None
) -> Ruled:
    """Records of a stream as rows of the tables that the rule sends them to.

    Parameters
    ----------
    rule : Rule
    stream : str
        One that the rule declares or has flows for.
    records : sequence
        What should be dicts of field → JSON value.
    source : str
        Who sent them.
    originals : callable, optional
        The bytes of a record; without it what JSON makes of the record again.

    Examples
    --------
    >>> from workbench.collect.rule_text import checked
    >>> rule = checked({
    ...     "streamDeclarations": {"Custom-App": {"columns": [{"name": "Size", "type": "long"}]}},
    ...     "destinations": {"logAnalytics": [{"name": "here"}]},
    ...     "dataFlows": [{"streams": ["Custom-App"], "destinations": ["here"], "outputStream": "Custom-App_CL",
    ...                    "transformKql": "source | where Size > 1 | extend Twice = Size * 2"}],
    ... })
    >>> found = ruled(rule, "Custom-App", [{"Size": 1}, {"Size": 2, "Other": 3}], "me")
    >>> found.parts[0].columns.series["Twice", T.LONG].to_list(), found.left_out
    ([4], {'Other': 1})
    """
    return ruled_groups(rule, stream, (records,), source, originals)


def ruled_groups(
    rule: Rule,
    stream: str,
    groups: Iterable[Sequence[Any]],
    source: str,
    originals: Originals | None = None,
) -> Ruled:
    """As `ruled`, of records that come some at a time; what their reader raises passes through."""
    made = Ruled()
    flows = rule.flows_of(stream)
    declared = rule.streams.get(stream)
    if declared is not None and declared.mapping is not None:
        _by_mapping(made, declared, flows, groups, source, originals)
        return made
    records: Sequence[Any] = list(chain.from_iterable(groups))
    table = flows[0].table if flows else stream
    types: Mapping[str, ScalarType] = {}
    if declared is not None:
        types = {c.name: c.type for c in declared.columns}
        records = _declared_only(records, types, made)
    part, made.refused = take(table, records, source=source, declared=types, originals=originals)
    if part is None:
        return made
    _cut(part.columns, made, ())
    for flow in flows:
        if flow.transform.plain:
            made.parts.append(Part(flow.table, part.columns, types))
        else:
            frame, schema = _framed(part.columns, declared.columns if declared else ())
            _transformed(made, flow, frame, schema, source)
    return made


def _declared_only(records: Sequence[Any], types: Mapping[str, ScalarType], made: Ruled) -> Sequence[Any]:
    """The records without the fields that nobody declared."""
    known = types.keys()
    if all(known >= record.keys() for record in records if type(record) is dict):
        return records
    found: list[Any] = []
    for record in records:
        if type(record) is dict and not known >= record.keys():
            for name in record.keys() - known:
                made.left_out[name] = made.left_out.get(name, 0) + 1
            record = {name: value for name, value in record.items() if name in known}
        found.append(record)
    return found


def _by_mapping(
    made: Ruled,
    stream: Stream,
    flows: Sequence[Flow],
    groups: Iterable[Sequence[Any]],
    source: str,
    originals: Originals | None,
) -> None:
    assert stream.mapping is not None
    assert stream.mapped is not None
    mapped, first = stream.mapped, flows[0].table
    blocks = _blocks(made, first, groups, source, originals)
    shaped = mapped.shape(blocks, clock.now_us())
    made.refused += [Refused(table, r.why, source, None, r.original) for table, r in shaped.refused]
    for found in shaped.parts:
        layout = mapped.layout(found.table)
        types = {name: type_ for name, type_ in layout.items() if type_ is not None}
        rests = {rule.rest for rule in stream.mapping.tables if rule.rest}
        _cut(found.columns, made, rests)
        for flow in flows:
            if flow.table != found.table:
                continue
            if flow.transform.plain:
                made.parts.append(Part(flow.table, found.columns, types))
            else:
                schema = tuple(Column(name, type_ or T.STRING) for name, type_ in layout.items())
                _transformed(made, flow, *_framed(found.columns, schema), source)


def _blocks(
    made: Ruled, table: str, groups: Iterable[Sequence[Any]], source: str, originals: Originals | None
) -> Iterator[Block]:
    """The records of groups; what is none is refused, as meant for `table`."""
    first = 0
    for group in groups:
        texts = _texts_of(group, first, originals)
        kept: list[Record] = []
        rows: list[int] = []
        for row, record in enumerate(group):
            if type(record) is dict:
                kept.append(record)
                rows.append(row)
            else:
                made.refused.append(Refused(table, why_no_record(record), source, None, texts(row)))
        yield Block(source, 0, kept, numbers=range(len(kept)), original=_of(texts, rows))
        first += len(group)


def _texts_of(group: Sequence[Any], first: int, originals: Originals | None) -> Originals:
    if originals is None:
        return lambda row: original_of(group[row])
    return lambda row: originals(first + row)


def _of(texts: Originals, rows: Sequence[int]) -> Originals:
    return lambda place: texts(rows[place])


def for_agents(
    rules: Rules,
) -> Callable[[str, str, Sequence[Any], str], tuple[list[Part], list[Refused]] | None]:
    """What a rule does to records that an agent read for it; None where it has no data flow for their stream."""

    def transform(
        number: str, stream: str, records: Sequence[Any], source: str
    ) -> tuple[list[Part], list[Refused]] | None:
        rule = rules.checked(number)
        if rule is None or not rule.flows_of(stream):
            return None
        found = ruled(rule, stream, records, source)
        return found.parts, found.refused

    return transform


# ---- values that are too long -----------------------------------------------------------------


def _cut(columns: Columns, made: Ruled, spared: Sequence[str] | set[str]) -> None:
    """Cut the texts and dynamic values that are longer than `VALUE_BYTES`."""
    texts = [key for key in columns.series if key[1] in (T.STRING, T.DYNAMIC) and key[0] not in spared]
    if not texts:
        return
    # All columns at once: asking each alone costs more than the work itself.
    frame = pl.DataFrame([columns.series[key].alias(str(i)) for i, key in enumerate(texts)])
    longest = frame.select_seq(pl.all().str.len_bytes().max()).row(0)
    for (name, type_), most in zip(texts, longest, strict=True):
        if most is None or most <= VALUE_BYTES:
            continue
        values = columns.series[name, type_].to_list()
        for row in (columns.series[name, type_].str.len_bytes() > VALUE_BYTES).arg_true():
            short = values[row].encode()[:VALUE_BYTES].decode("utf-8", "ignore")
            values[row] = short if type_ is T.STRING else orjson.dumps(short).decode()
            made.cut[name] = made.cut.get(name, 0) + 1
        columns.series[name, type_] = pl.Series(name, values, pl.String)


# ---- transform --------------------------------------------------------------------------------


def _framed(columns: Columns, declared: Schema) -> tuple[pl.DataFrame, Schema]:
    """The columns as the frame that a transform reads: each declared one with its type.

    What a declared type can't hold lies beside it, in a column with the suffix of its own type.
    """
    found: dict[str, tuple[ScalarType, pl.Series]] = {}
    for column in declared:
        series = columns.series.get((column.name, column.type))
        if series is None:
            series = pl.Series(column.name, [None], FRAME[column.type]).new_from_index(0, columns.height)
        found[column.name] = (column.type, series)
    for (name, type_), series in columns.series.items():
        if name in found and found[name][1] is series:
            continue
        while name in found:
            name += SUFFIXES[type_][0][0]
        found[name] = (type_, series)
    frame = pl.DataFrame([series.alias(name) for name, (_, series) in found.items()])
    return frame, tuple(Column(name, type_) for name, (type_, _) in found.items())


def _transformed(made: Ruled, flow: Flow, frame: pl.DataFrame, schema: Schema, source: str) -> None:
    """Add the rows of a flow, and the records on which its transform fails."""
    splits = [_SPLITS]
    for result, columns in _run(made, flow, frame, schema, source, splits):
        series = {}
        for column in columns:
            if column.hidden:
                continue
            values = result[column.name]
            if values.null_count() < len(values):
                wanted = FRAME[column.type]
                series[column.name, column.type] = values if values.dtype == wanted else values.cast(wanted)
        found = Columns(result.height, series)
        if not result.height:
            continue

        def refuse(row: int, why: WorkbenchError, result: pl.DataFrame = result) -> None:
            text = orjson.dumps(result.row(row, named=True), default=str)
            made.refused.append(Refused(flow.table, why, source, None, text))

        found, kept = refuse_times(found, clock.now_us(), refuse)
        if kept:
            types = {c.name: c.type for c in columns if not c.hidden}
            made.parts.append(Part(flow.table, found, types))


def _run(
    made: Ruled, flow: Flow, frame: pl.DataFrame, schema: Schema, source: str, splits: list[int]
) -> list[tuple[pl.DataFrame, Schema]]:
    try:
        return [flow.transform.run(frame, schema)]
    except WorkbenchError as mistake:
        # A text that does not bind fails on any row; else the rows it fails on are looked for.
        if frame.height > 1 and splits[0] > 0 and mistake.code.startswith("KQL3"):
            splits[0] -= 1
            half = frame.height // 2
            return [
                *_run(made, flow, frame[:half], schema, source, splits),
                *_run(made, flow, frame[half:], schema, source, splits),
            ]
        why = diagnostics.failed(mistake.message)
        for row in frame.iter_rows(named=True):
            text = orjson.dumps({k: v for k, v in row.items() if v is not None}, default=str)
            made.refused.append(Refused(flow.table, why, source, None, text))
        return []
