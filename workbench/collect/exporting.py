"""A result as a file that other programs read: CSV, JSON lines, Parquet or XLSX; all of it, or an error.

In goes a `Result`, out comes a file that was written under another name, synced and renamed, so that nobody meets half
of it. In CSV and XLSX a text that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import math
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from workbench.base.diagnostics import kept as diagnostics
from workbench.base.dtypes import Column, ScalarType, format_datetime, format_timespan
from workbench.query.result import Result
from workbench.repository.files import sync

T = ScalarType
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHEET_ROWS, SHEET_COLUMNS, CELL_CHARACTERS = 1_048_576, 16_384, 32_767
_EXACT = 2**53
_SLICE = 20_000


def write(result: Result, path: Path, form: str) -> int:
    """Write all rows of a result to a new file, in place of one of that name; gives its bytes.

    Parameters
    ----------
    result : Result
        All rows of one table.
    path : Path
        Its folder is made if it is missing.
    form : str
        One of `FORMS`.

    Raises
    ------
    WorkbenchError
        SAV203 when it can't be written, SAV204 and SAV205 for what a sheet can't hold. Then there is no new file.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            FORMS[form](result, temporary)
            sync(temporary)
            size = temporary.stat().st_size
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as e:
        raise diagnostics.cannot_write(str(path), e.strerror or str(e)) from e
    return size


def escaped(text: str) -> str:
    """A text that no spreadsheet runs.

    Examples
    --------
    >>> escaped("=1+1"), escaped("plain")
    ("'=1+1", 'plain')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def _cells(series: pl.Series, column: Column) -> list[Any]:
    """Values as text, numbers, true and false, and None: times in KQL's spelling, dynamic as JSON text."""
    if column.type.is_time and series.dtype != pl.Int64:
        series = series.to_physical() * 10
    values = series.to_list()
    if column.type is T.DATETIME:
        return [None if v is None else format_datetime(v) for v in values]
    if column.type is T.TIMESPAN:
        return [None if v is None else format_timespan(v) for v in values]
    if column.type is T.STRING:
        return ["" if v is None else v for v in values]
    return values


def _rows(result: Result, change: Callable[[list[Any], Column], list[Any]]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, result.exact.height, _SLICE):
        part = result.exact[start : start + _SLICE]
        columns = [change(_cells(s, c), c) for s, c in zip(part.iter_columns(), result.schema, strict=True)]
        yield from zip(*columns, strict=True)


def _safe(values: list[Any], column: Column) -> list[Any]:
    """Texts without formulas; `decimal` is a number that is held as text."""
    if column.type is T.DECIMAL:
        return [None if v is None else str(v) for v in values]
    if column.type is T.DYNAMIC:
        return [escaped(v) if isinstance(v, str) and not _is_number(v) else v for v in values]
    return [escaped(v) if isinstance(v, str) and column.type is T.STRING else v for v in values]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# ---- formats ----------------------------------------------------------------------------------


def _write_csv(result: Result, path: Path) -> None:
    def plain(values: list[Any], column: Column) -> list[Any]:
        if column.type is T.BOOL:
            return [None if v is None else "true" if v else "false" for v in values]
        if column.type is T.REAL:
            return _named(values)
        return _safe(values, column)

    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([escaped(name) for name in result.columns])
        writer.writerows(_rows(result, plain))


def _write_jsonl(result: Result, path: Path) -> None:
    names = result.columns
    with path.open("wb") as out:
        for row in _rows(result, _as_json):
            out.write(orjson.dumps(dict(zip(names, row, strict=True)), default=str) + b"\n")


def _as_json(values: list[Any], column: Column) -> list[Any]:
    if column.type is T.DYNAMIC:
        return [_json_value(v) if isinstance(v, str) else v for v in values]
    if column.type is T.REAL:
        return _named(values)
    return [str(v) if v is not None and column.type in (T.DECIMAL, T.GUID) else v for v in values]


def _named(values: list[Any]) -> list[Any]:
    """Reals, and the names of what JSON and sheets have no number for."""
    return [v if v is None or math.isfinite(v) else _NOT_FINITE[str(v)] for v in values]


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _json_value(text: str) -> Any:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return orjson.Fragment(text)


def _write_parquet(result: Result, path: Path) -> None:
    result.frame.write_parquet(path)


def _write_xlsx(result: Result, path: Path) -> None:
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    _check_sheet(result)
    book = xlsxwriter.Workbook(
        str(path),
        {
            "constant_memory": True,
            "strings_to_urls": False,
            "strings_to_formulas": False,
            "nan_inf_to_errors": True,
        },
    )
    bold = book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
    sheet = book.add_worksheet("Result")
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(result.columns):
        sheet.write_string(0, place, escaped(name), bold)
    dates = [c.type is T.DATETIME for c in result.schema]
    try:
        for number, row in enumerate(_rows(result, _as_sheet), 1):
            for place, value in enumerate(row):
                if value is None or value == "":
                    continue
                if isinstance(value, bool):
                    sheet.write_boolean(number, place, value)
                elif isinstance(value, str):
                    if len(value) > CELL_CHARACTERS:
                        raise diagnostics.too_long_a_cell(
                            result.columns[place], number, len(value), CELL_CHARACTERS
                        )
                    sheet.write_string(number, place, value)
                else:
                    sheet.write_number(number, place, value, moment if dates[place] else None)
        book.close()
    except XlsxWriterException as e:
        raise diagnostics.cannot_write(str(path), str(e)) from e


def _check_sheet(result: Result) -> None:
    if len(result) > SHEET_ROWS - 1:
        raise diagnostics.too_large_a_sheet("rows", len(result), SHEET_ROWS - 1)
    if len(result.columns) > SHEET_COLUMNS:
        raise diagnostics.too_large_a_sheet("columns", len(result.columns), SHEET_COLUMNS)


_SHEET_EPOCH_DAYS = 25_569  # 1970-01-01 as a sheet counts days


def _as_sheet(values: list[Any], column: Column) -> list[Any]:
    """Numbers that a sheet holds exactly, other ones as text; times from 1900 on as its days."""
    if column.type is T.DATETIME:
        return [None if v is None else _sheet_day(v) for v in values]
    if column.type in (T.INT, T.LONG):
        return [v if v is None or abs(v) <= _EXACT else str(v) for v in values]
    if column.type is T.REAL:
        return _named(values)
    return _safe(values, column)


def _sheet_day(text: str) -> float | str:
    from workbench.base.dtypes import parse_datetime

    ticks = parse_datetime(text)
    days = (ticks or 0) / 864_000_000_000 + _SHEET_EPOCH_DAYS
    # Before March 1900 a sheet counts a day that never was.
    return days if ticks is not None and days > 60 else text


FORMS: dict[str, Callable[[Result, Path], None]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "xlsx": _write_xlsx,
    "jsonl": _write_jsonl,
}


def names() -> Sequence[str]:
    """The formats, as they are written."""
    return tuple(FORMS)


def free_of(path: Path) -> None:
    """Make sure that files can be written there.

    Raises
    ------
    WorkbenchError
        SAV203.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise diagnostics.cannot_write(str(path), e.strerror or str(e)) from e
    if not os.access(path, os.W_OK | os.X_OK):
        raise diagnostics.cannot_write(str(path), "the folder is not writable")
