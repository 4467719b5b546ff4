"""Parquet files, a part of a row group at a time.

Columns keep their types as far as KQL has them. Bytes become text (base64 where they are no UTF-8),
whole numbers beyond 64 bits and times outside the years 1 to 9999 become text, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.formats._card import Block, Options, Reader
from workbench.collect.quarantine import encoded
from workbench.collect.record import TIME, Columns, bad_name, declared
from workbench.collect.streams import Member
from workbench.repository.physical import normalized

BATCH_ROWS = 65_536
"""Rows that are read at once. Part of the format of a resumed import: never change it."""


def looks_like(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def blocks(member: Member, options: Options) -> Iterator[Block]:
    """The rows of a file.

    Raises
    ------
    WorkbenchError
        IMP009 when it is no Parquet, IMP011 for a column without a name.
    """
    file = member.as_file()
    try:
        parquet = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as e:
        raise diagnostics.not_parquet(member.source, member.stream.problem or _first_line(e)) from e
    names = [field.name for field in parquet.schema_arrow]
    bad = bad_name(names)
    if bad is not None or len(set(names)) < len(names):
        raise diagnostics.bad_header(
            member.source, f"{bad!r} can't be the name of a column" if bad else "a name is there twice"
        )
    row = 1
    for group in range(parquet.num_row_groups):
        about = parquet.metadata.row_group(group)
        try:
            for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False):
                size = about.total_byte_size * batch.num_rows // max(1, about.num_rows)
                frame = pl.DataFrame(pl.from_arrow(batch))
                yield _block(member.source, frame, row, size, options)
                row += frame.height
        except (pa.ArrowException, OSError) as e:
            member.stream.problem = _first_line(e)
            return


def _block(source: str, frame: pl.DataFrame, row: int, size: int, options: Options) -> Block:
    block = Block(
        source,
        size,
        numbers=range(row, row + frame.height),
        original=lambda index: orjson.dumps(frame.row(index, named=True), default=str),
    )
    pieces = [(series.name, *_values(series)) for series in frame]
    if options.as_records:
        kept = pl.DataFrame([values for _, type_, values in pieces if type_ is not None])
        block.records = [{k: v for k, v in r.items() if v is not None} for r in kept.to_dicts()]
        return block
    columns = block.columns = Columns(frame.height)
    for name, type_, values in pieces:
        if type_ is not None:
            own = [(type_, values)]
            for piece_type, piece in declared(own, T.DATETIME) if name == TIME else own:
                columns.series[name, piece_type] = piece
    return block


def _values(series: pl.Series) -> tuple[ScalarType | None, pl.Series]:
    if series.dtype == pl.Binary:
        texts = [None if value is None else encoded(value)[0] for value in series.to_list()]
        return T.STRING, pl.Series(series.name, texts, pl.String)
    try:
        return normalized(series)
    except WorkbenchError:
        return T.STRING, series.cast(pl.String)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


CARD = Reader("parquet", ("parquet",), looks_like, blocks)
