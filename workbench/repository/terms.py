"""The terms of one data file: found, hashed, and kept in a sidecar beside it.

In goes a data file, out comes a small Parquet file in the table's folder `_terms` with the hashes of
all terms in its texts (`base.terms` says what a term is, `FORMAT.md` how it lies). What a query reads
of JSON is not what stands in the file: escapes, and numbers in another spelling; the terms that may
come of that are added. A term too many costs a needless read, a missing one a wrong answer.
"""

from __future__ import annotations

import json
import os
import re
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xxhash
from polars.exceptions import PolarsError

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.terms import TERM
from workbench.repository.files import sync

TERMS_FOLDER = "_terms"
SUFFIX = ".terms"
#: Grows with every change of what is a term or a hash: then older indexes count for nothing.
RULES = 1
ROW_GROUP_HASHES = 8_192
_KEY, _CRC = b"workbench.terms", b"workbench.crc32"

# So much text at once, before compression: it bounds the memory.
_CHUNK_BYTES = 96 * 1024 * 1024
_CHUNK_ROWS = 32_768
_PIECE_BYTES = 24 * 1024 * 1024

# Behind one of JSON's escapes a term begins one sign later in the value than in the text.
_TOKEN = rf"(?:\\[bfnrt])?{TERM}"
_ESCAPED = r"(?:\\[bfnrt])?[0-9A-Za-z]*(?:\\u[0-9A-Fa-f]{4}[0-9A-Za-z]*)+"
_JSON = r"^\s*[\[{]"
# Other letters that are equal to an ASCII one where case is ignored.
_FOLDED = {"\u017f": "s", "\u212a": "k", "\u0130": "i"}
_FOLDING = str.maketrans(_FOLDED)
_REAL = r"[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)"
# Reals that may be written in another way when they are read and printed: with an exponent, with a zero
# at the end, very small, or with more digits than a real surely keeps.
_ODD = (
    r"(?:^|[\s:,\[])-?(?:[0-9]+[eE][+-]?[0-9]|[0-9]+\.(?:[0-9]+(?:[eE]|0(?:[^0-9]|$))|000|[0-9]{12})|"
    r"[0-9]{4,}\.[0-9]{7}|[0-9]{9,}\.[0-9]{4}|[0-9]{12,}\.)"
)
_LONG_INTEGER = 19


def hash_of(term: str) -> int:
    """The hash of a term: the upper 40 bits of its XXH64 (seed 0, UTF-8).

    Examples
    --------
    >>> f"{hash_of('error'):010x}"
    'd6f35dd608'
    """
    return xxhash.xxh64_intdigest(term) >> 24


# Arrow is imported where it is used: it costs as much as Polars, and most queries need no index.


def unreadable() -> tuple[type[Exception], ...]:
    """What reading a damaged Parquet file may end in: its footer has no checksum."""
    import pyarrow as pa

    return (OSError, pa.ArrowException, PolarsError, ValueError, TypeError, KeyError, IndexError, OverflowError)  # fmt: skip


def schema_of(*more: str) -> Any:
    """The Arrow schema of hashes, and of columns of numbers beside them."""
    import pyarrow as pa

    numbers = [pa.field(name, pa.int32(), nullable=False) for name in more]
    return pa.schema([pa.field("hash", pa.int64(), nullable=False), *numbers])


# ---- finding ---------------------------------------------------------------------------------


def hashes_of_file(path: str, columns: Mapping[str, bool]) -> pl.Series:
    """The hashes of all terms in texts of a data file, sorted, each once.

    Parameters
    ----------
    path : str
    columns : mapping of str to bool
        Stored names of the columns of text (the file may lack some), and whether they hold JSON; in
        others a text counts as JSON that looks like it.

    Raises
    ------
    polars.exceptions.PolarsError, OSError
        The file can't be read.
    """
    there = [n for n, t in pl.read_parquet_schema(path).items() if t == pl.String and n in columns]
    found = [pl.Series(dtype=pl.Int64)]
    for chunk in _chunks(path, there):
        known: set[str] = set()
        for column in chunk:
            known.update(_terms(column, columns[column.name]))
        found.append(pl.Series([hash_of(t) for t in known], dtype=pl.Int64))
    return pl.concat(found).unique().sort().alias("hash")


def _chunks(path: str, columns: list[str]) -> Iterator[pl.DataFrame]:
    if not columns:
        return
    import pyarrow.parquet as pq

    footer = pq.read_metadata(path)
    size = sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))
    rows = max(1, min(_CHUNK_ROWS, _CHUNK_BYTES * footer.num_rows // max(1, size)))
    lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False).select(columns)
    for start in range(0, footer.num_rows, rows):
        yield lazy.slice(start, rows).collect()


def _terms(column: pl.Series, is_json: bool) -> Iterator[str]:
    """The terms of a column of texts; some may come more than once."""
    texts = column.drop_nulls().unique()
    looks = pl.repeat(True, len(texts), eager=True) if is_json else texts.str.contains(_JSON)
    written = _parts(texts.filter(looks), (",", "\n", " "))
    plain = _parts(texts.filter(~looks), ("\n", ",", " "))
    for parts in (written, plain):
        folded = parts.filter(parts.str.contains(f"[{''.join(_FOLDED)}]"))
        folded = folded.str.replace_many(list(_FOLDED), list(_FOLDED.values()))
        for token in _distinct(pl.concat([parts, folded]), _TOKEN):
            yield from _read(token)
            if len(token) >= _LONG_INTEGER and token.isdigit():
                yield from _spellings(token)
    for token in _distinct(written.filter(written.str.contains("\\u", literal=True)), _ESCAPED):
        yield from _tokens_of(token)
    for number in _distinct(written.filter(written.str.contains(_ODD)), _REAL):
        yield from _spellings(number)


def _parts(texts: pl.Series, marks: Sequence[str]) -> pl.Series:
    """The distinct parts of texts between marks, none of which is in a term or a number.

    Texts of one column are alike, so their parts are far fewer than their words.
    """
    for mark in marks:
        texts = pl.concat([texts.clear(), *_each(texts, pl.col("t").str.split(mark))]).unique()
    return texts


def _distinct(texts: pl.Series, pattern: str) -> set[str]:
    found: set[str] = set()
    for piece in _each(texts, pl.col("t").str.extract_all(pattern)):
        found.update(piece.to_list())
    return found


def _each(texts: pl.Series, lists: pl.Expr) -> Iterator[pl.Series]:
    """The distinct members of the lists made of texts, a piece of them at a time: lists take more room than texts."""
    pieces = 1 + int(texts.str.len_bytes().sum()) // _PIECE_BYTES
    rows = 1 + len(texts) // pieces
    for start in range(0, len(texts), rows):
        piece = texts.slice(start, rows).alias("t").to_frame().lazy()
        yield piece.select(lists.explode().unique().drop_nulls()).collect().to_series().alias(texts.name)


def _tokens_of(token: str) -> Iterator[str]:
    """The terms of a piece of text without its escapes of letters.

    Examples
    --------
    >>> sorted(_tokens_of(r"a\\u0062\\u000ac"))
    ['ab', 'c', 'nc']
    >>> "c" in set(_tokens_of(r"a\\u0001c"))
    True
    """
    written = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: json.dumps(chr(int(m[1], 16)), ensure_ascii=False)[1:-1], token)  # fmt: skip
    # A control sign stays an escape when the value is written again, and is none in the value itself.
    plain = re.sub(r"\\u[0-9A-Fa-f]{4}", " ", written)
    for text in {written, written.translate(_FOLDING), plain, plain.translate(_FOLDING)}:
        for m in re.finditer(_TOKEN, text):
            yield from _read(m[0])


def _read(token: str) -> Iterator[str]:
    """What a token is, in the text as it stands and as a value that is read from it."""
    if token[0] == "\\":
        yield token[1:].lower()
        yield token[2:].lower()
    else:
        yield token.lower()


def _spellings(number: str) -> Iterator[str]:
    """The terms of all ways in which the value of a number may be printed.

    Examples
    --------
    >>> sorted(set(_spellings("1.50")) & {"1", "5", "50"})
    ['1', '5']
    """
    value = abs(float(number))
    if value == float("inf"):
        yield "infinity"
        return
    exact = Decimal(repr(value))
    for text in {repr(value), f"{exact:f}", f"{exact:E}", f"{exact.normalize():E}"}:
        mantissa, mark, power = text.lower().replace("+", "").replace("e-", "e").partition("e")
        mantissa = mantissa.removesuffix(".0")
        tails = {mark + power, f"{mark} {power}", f"{mark} {power.zfill(2)}"} if mark else {".0"}
        for tail in tails:
            yield from re.findall(TERM, mantissa + tail)


# ---- sidecars ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar: the data file it is of (path in the table's folder, bytes), how many hashes, their checksum."""

    place: Path
    path: str
    size: int
    count: int
    sum: int


def sidecar_place(folder: str, path: str) -> Path:
    """Where the sidecar of the data file `path` lies."""
    return Path(folder, TERMS_FOLDER, os.path.basename(path) + SUFFIX)


def write_sidecar(folder: str, path: str, size: int, hashes: pl.Series) -> Sidecar:
    """Write the sidecar of a data file, whole or not at all; raises REP005."""
    place = sidecar_place(folder, path)
    schema = schema_of()
    table = hashes.rename("hash").to_frame().to_arrow().cast(schema)
    made = Sidecar(place, path, size, len(hashes), sum_of(table["hash"]))
    told = {"path": path, "size": size, "count": made.count, "sum": made.sum}

    def write(target: Path) -> None:
        with parquet_writer(target, schema) as writer:
            writer.write_table(table, row_group_size=4 * ROW_GROUP_HASHES)
            writer.add_key_value_metadata(signed(told))

    replace_file(place, write)
    return made


def read_sidecar(place: Path) -> Sidecar | None:
    """What a sidecar tells of itself; None where there is no complete one of these rules. Reads no hash."""
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(place)
    except unreadable():
        return None
    told = checked(metadata.metadata)
    if told is None or told.get("count") != metadata.num_rows:
        return None
    return Sidecar(place, told["path"], told["size"], told["count"], told["sum"])


def parquet_writer(target: Path, schema: Any) -> Any:
    """A writer of hashes: they as differences, everything else by dictionary."""
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        target, schema, compression="zstd", column_encoding={"hash": "DELTA_BINARY_PACKED"},
        use_dictionary=[n for n in schema.names if n != "hash"],
    )  # fmt: skip


def sum_of(*columns: Any) -> int:
    """The CRC-32 of the numbers of Arrow columns without nulls, each in its bytes, little-endian."""
    found = 0
    for column in columns:
        for chunk in column.chunks:
            width = chunk.type.byte_width
            found = zlib.crc32(chunk.buffers()[1][chunk.offset * width :][: len(chunk) * width], found)
    return found


def signed(told: dict[str, Any]) -> dict[bytes, bytes]:
    """Footer entries that say `told`, with a checksum."""
    text = json.dumps({"rules": RULES, **told}, separators=(",", ":")).encode()
    return {_KEY: text, _CRC: f"{zlib.crc32(text):08x}".encode()}


def checked(metadata: dict[bytes, bytes] | None) -> dict[str, Any] | None:
    """What `signed` wrote; None where it is damaged or of other rules."""
    text = (metadata or {}).get(_KEY, b"")
    if not text or (metadata or {}).get(_CRC) != f"{zlib.crc32(text):08x}".encode():
        return None
    told: dict[str, Any] = json.loads(text)
    return told if told.get("rules") == RULES else None


def replace_file(place: Path, write: Callable[[Path], None]) -> None:
    """Have `write` make a file that then takes its place at once; a reader never sees a part of it."""
    import pyarrow as pa

    temporary = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        sync(temporary)
        temporary.replace(place)
        sync(place.parent)
    except (OSError, pa.ArrowException) as e:
        raise diagnostics.not_writable(str(place), str(e)) from e
    finally:
        temporary.unlink(missing_ok=True)
