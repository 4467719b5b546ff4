"""Bytes of a file → rows of texts: the formats of `externaldata`, each by name.

In go the unpacked bytes and the declared columns, out comes a frame with a text column for each: the
cell as written, or JSON for what is nested. Columns go by place (csv and its kin) or by name (JSON, Parquet).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.operators.external_files import empty

T = ScalarType
MOST_ROWS = 5_000_000
_MOST_JSON = 50_000_000
_SEPARATORS = {"csv": ",", "tsv": "\t", "tsve": "\t", "scsv": ";", "sohsv": "\x01", "psv": "|"}
FORMATS = (*_SEPARATORS, "json", "multijson", "singlejson", "parquet", "txt", "raw")
# A file named `.json` may hold an array or one object a line: multijson reads both.
_EXTENSIONS = {"jsonl": "json", "ndjson": "json", "json": "multijson", "log": "txt"}


class Unfit(Exception):
    """The bytes are not of that format; its text says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the query declares: columns, whether the first record is left out, where cells come from.

    `mapping` has, for a column, the place of its cell (csv) or the steps to it (JSON).
    """

    columns: tuple[tuple[str, ScalarType], ...]
    skip_first: bool = False
    mapping: Mapping[str, Any] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [name for name, _ in self.columns]


def format_of(place: str) -> str:
    """The format that a file's name tells; csv where it tells none.

    Examples
    --------
    >>> format_of("a/b.json.gz"), format_of("list.parquet"), format_of("b.zip"), format_of("x")
    ('multijson', 'parquet', 'csv', 'csv')
    """
    name = place.rsplit("/", 1)[-1].lower().removesuffix(".gz").removesuffix(".zip")
    ending = name.rsplit(".", 1)[-1] if "." in name else ""
    ending = _EXTENSIONS.get(ending, ending)
    return ending if ending in FORMATS else "csv"


def read(format_: str, data: bytes, shape: Shape) -> pl.DataFrame:
    """The rows of a file.

    Raises
    ------
    Unfit
        For bytes that are no such file, and for more rows than `MOST_ROWS`.
    """
    if not shape.columns:
        return empty(())
    if format_ == "parquet":
        return _parquet(data, shape)
    if format_ in ("json", "multijson", "singlejson"):
        if len(data) > _MOST_JSON:
            raise Unfit(f"it is larger than {_MOST_JSON // 1_000_000} MB of JSON")
        records = _lines(data) if format_ == "json" else _objects(data)
        return _by_name(records, shape)
    if data.count(b"\n") > MOST_ROWS:
        raise Unfit(f"it has more than {MOST_ROWS:,} lines")
    if format_ == "raw":
        return _first([_text(data)], shape)
    if format_ == "txt":
        return _first(_text(data).splitlines()[int(shape.skip_first) :], shape)
    return _separated(data, _SEPARATORS[format_], shape)


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _first(texts: Sequence[str], shape: Shape) -> pl.DataFrame:
    """Texts in the first column, nothing in the others."""
    first, *others = shape.names()
    blank = [pl.lit("").alias(name) for name in others]
    return pl.DataFrame({first: pl.Series(texts, dtype=pl.String)}).with_columns(blank)


# ---- by place ---------------------------------------------------------------------------------


def _separated(data: bytes, separator: str, shape: Shape) -> pl.DataFrame:
    places = [shape.mapping.get(name, i) for i, name in enumerate(shape.names())]
    if not all(isinstance(p, int) and 0 <= p < 10_000 for p in places):
        raise Unfit("the mapping of its columns names no places")
    text = _text(data)
    if not text.strip("\r\n"):
        return empty(shape.names())
    wide = {f"c{i}": pl.String() for i in range(max(places) + 1)}
    try:
        frame = pl.read_csv(
            text.encode("utf-8", "replace"), has_header=False, schema=wide, separator=separator, quote_char='"',
            truncate_ragged_lines=True, extra_columns="ignore", missing_columns="insert", infer_schema=False,
        )  # fmt: skip
    except pl.exceptions.PolarsError as e:
        raise Unfit(_one_line(e)) from None
    if shape.skip_first:
        frame = frame.slice(1)
    cells = [
        pl.col(f"c{place}").fill_null("").alias(name)
        for place, name in zip(places, shape.names(), strict=True)
    ]
    return frame.select(cells)


# ---- by name ----------------------------------------------------------------------------------


def _lines(data: bytes) -> Iterator[Any]:
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as e:
                raise Unfit(f"line {number} is no JSON: {e}") from None


def _objects(data: bytes) -> Iterator[Any]:
    """JSON values one behind the other, on as many lines as they like; the items of an array each."""
    text, at = _text(data), 0
    decoder = json.JSONDecoder()
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if at == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as e:
            raise Unfit(f"it is no JSON: {_one_line(e)}") from None
        except RecursionError:
            raise Unfit("it is nested too deeply") from None
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _by_name(records: Iterator[Any], shape: Shape) -> pl.DataFrame:
    columns: list[list[str]] = [[] for _ in shape.columns]
    readers = [_reader(name, type_, shape.mapping.get(name)) for name, type_ in shape.columns]
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise Unfit(f"record {number} is no JSON object")
        if number > MOST_ROWS:
            raise Unfit(f"it has more than {MOST_ROWS:,} records")
        for cells, reader in zip(columns, readers, strict=True):
            cells.append(reader(record))
    series = [
        pl.Series(name, [_storable(c) for c in cells], pl.String)
        for name, cells in zip(shape.names(), columns, strict=True)
    ]
    return pl.DataFrame(series)


def _storable(text: str) -> str:
    """Half of a surrogate pair, which JSON can write, is no text."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _reader(name: str, type_: ScalarType, steps: Any) -> Callable[[dict[str, Any]], str]:
    path: tuple[Any, ...] = tuple(steps) if isinstance(steps, tuple) else (name,)

    def cell(record: dict[str, Any]) -> str:
        value: Any = record
        for step in path:
            if isinstance(step, int) and isinstance(value, list) and step < len(value):
                value = value[step]
            elif isinstance(step, str) and isinstance(value, dict):
                value = value.get(step)
            else:
                value = None
        return cell_text(value, type_)

    return cell


def cell_text(value: Any, type_: ScalarType) -> str:
    """A JSON value as the text that the plan converts to its column's type.

    Examples
    --------
    >>> cell_text({"a": 1}, T.STRING), cell_text("x", T.DYNAMIC), cell_text(None, T.LONG), cell_text(True, T.BOOL)
    ('{"a":1}', '"x"', '', 'true')
    """
    if type_ is T.DYNAMIC:
        return "null" if value is None else _dumped(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and type_ in (T.INT, T.LONG):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else _dumped(value)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _parquet(data: bytes, shape: Shape) -> pl.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(io.BytesIO(data))
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if about.num_rows > MOST_ROWS or size > 10 * _MOST_JSON:
            raise Unfit(f"it has more than {MOST_ROWS:,} rows or {_MOST_JSON // 100_000} MB")
        frame = pl.read_parquet(io.BytesIO(data))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as e:
        raise Unfit(_one_line(e)) from None
    columns = []
    for name, type_ in shape.columns:
        source = shape.mapping.get(name, (name,))
        own = source[0] if isinstance(source, tuple) and len(source) == 1 else name
        series = frame[own] if own in frame.columns else None
        columns.append(_column_text(name, series, type_, frame.height))
    return pl.DataFrame(columns)


def _column_text(name: str, series: pl.Series | None, type_: ScalarType, height: int) -> pl.Series:
    if series is None:
        return pl.Series(name, [cell_text(None, type_)] * height, pl.String)
    if isinstance(series.dtype, pl.Datetime | pl.Date):
        moment = series.cast(pl.Datetime("us", getattr(series.dtype, "time_zone", None)))
        if getattr(moment.dtype, "time_zone", None):
            moment = moment.dt.convert_time_zone("UTC")
        texts = moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        return pl.Series(name, [cell_text(v, type_) for v in texts], pl.String)
    if isinstance(series.dtype, pl.Duration):
        from workbench.base.dtypes import format_timespan

        ticks = series.cast(pl.Duration("us")).to_physical()
        values = [None if v is None else format_timespan(v * 10) for v in ticks]
        return pl.Series(name, [cell_text(v, type_) for v in values], pl.String)
    if series.dtype == pl.Binary:
        decoded = (None if v is None else v.decode("utf-8", "replace") for v in series)
        return pl.Series(name, [cell_text(v, type_) for v in decoded], pl.String)
    return pl.Series(name, [cell_text(_plain(v), type_) for v in series.to_list()], pl.String)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return str(value)


def _one_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
