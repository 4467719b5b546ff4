"""Results that were shown, kept on disk so that they can be shown again after the kernel has ended.

A result is a Parquet file of its exact rows and a JSON file of the rest, in a folder that only its user may
read. Both are written under another name and renamed; the oldest go where there are too many or they are too
large. It runs no query.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl

from workbench.base import clock
from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import Column, ScalarType, format_datetime
from workbench.kernel_ext.footer import seconds
from workbench.query.result import Render, Result, Statistics
from workbench.query.run import presented

FOLDER = "results"
MOST_BYTES = 2**30
MOST_RESULTS = 200
_ID = re.compile(r"[0-9a-f]{12}")


def new_id() -> str:
    return uuid4().hex[:12]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a result answers: the cell as it was run, and where.

    Attributes
    ----------
    line, cell : str
        The text behind `%%logsearch`, and the lines below.
    query : str
        The KQL that ran (with that of a saved search).
    timespan : str
    sql : bool
    parameters : mapping of str
        Values of the saved search that was asked.
    notebook : str
        Path of the notebook as the server names it, "" where it is not known.
    made : int
        When the rows were found, in µs since 1970.
    cache_key : str
        "" where it may not answer another cell.
    """

    line: str = ""
    cell: str = ""
    query: str = ""
    timespan: str = ""
    sql: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notebook: str = ""
    made: int = field(default_factory=clock.now_us)
    cache_key: str = ""


class Kept:
    """The kept results of a workspace.

    Examples
    --------
    >>> import tempfile
    >>> kept = Kept(Path(tempfile.mkdtemp()))
    >>> rows = pl.DataFrame({"n": [1, 2]})
    >>> kept.save("0123456789ab", Result(rows, (Column("n", ScalarType.LONG),)), Asked(query="T"))
    True
    >>> result, asked = kept.load("0123456789ab")
    >>> len(result), asked.query
    (2, 'T')
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._lock = threading.Lock()

    def save(self, name: str, result: Result, asked: Asked) -> bool:
        """Keep a result; False where it alone would be too large, or the disk takes no more."""
        if result.exact.estimated_size() > MOST_BYTES:
            return False
        rows, about = self._files(name)
        with self._lock:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(rows, lambda path: result.exact.write_parquet(path, compression_level=1))
                text = json.dumps({"result": _described(result), "asked": asdict(asked)})
                _write(about, lambda path: path.write_text(text))
                self._make_room(name)
            except (OSError, pl.exceptions.PolarsError):
                if rows.exists():
                    rows.unlink()
                return False
        return True

    def load(self, name: str) -> tuple[Result, Asked]:
        """A kept result.

        Raises
        ------
        WorkbenchError
            LAB302 where there is none of that id.
        """
        if not _ID.fullmatch(name):
            raise diagnostics.no_longer_kept(name)
        rows, about = self._files(name)
        try:
            described = json.loads(about.read_text())
            exact = pl.read_parquet(rows)
            os.utime(about)
        except (OSError, ValueError, pl.exceptions.PolarsError):
            raise diagnostics.no_longer_kept(name) from None
        return _result(exact, described["result"]), Asked(**described["asked"])

    def asked(self, name: str) -> Asked | None:
        """What a kept result answers, without its rows."""
        if not _ID.fullmatch(name):
            return None
        try:
            return Asked(**json.loads(self._files(name)[1].read_text())["asked"])
        except (OSError, ValueError):
            return None

    def of_key(self, key: str) -> str | None:
        """The newest kept result of a cache key."""
        for about in self._newest():
            asked = self.asked(about.stem)
            if asked is not None and asked.cache_key == key:
                return about.stem
        return None

    def _files(self, name: str) -> tuple[Path, Path]:
        return self._folder / f"{name}.parquet", self._folder / f"{name}.json"

    def _newest(self) -> list[Path]:
        found = []
        for about in self._folder.glob("*.json"):
            try:
                found.append((about.stat().st_mtime_ns, about))
            except OSError:
                continue  # another kernel made room just now
        return [about for _, about in sorted(found, reverse=True)]

    def _make_room(self, newest: str) -> None:
        size = 0
        for number, about in enumerate(self._newest()):
            rows = about.with_suffix(".parquet")
            size += rows.stat().st_size if rows.exists() else 0
            if about.stem != newest and (number >= MOST_RESULTS or size > MOST_BYTES):
                about.unlink(missing_ok=True)
                rows.unlink(missing_ok=True)


def kept_since(asked: Asked) -> str:
    """The word of the footer about rows that were found earlier."""
    return f"kept since {_moment(asked.made)}"


def cached_since(asked: Asked) -> str:
    """The same of rows that `--cache` took instead of running the query."""
    return f"cached since {_moment(asked.made)} ({_ago(asked.made)})"


def _moment(us: int) -> str:
    return format_datetime(us * 10)[:19].replace("T", " ")


def _ago(us: int) -> str:
    passed = (clock.now_us() - us) / 1e6
    return "just now" if passed < 2 else f"{seconds(passed)} ago"


def _write(path: Path, put: Any) -> None:
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        put(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _described(result: Result) -> dict[str, Any]:
    return {
        "schema": [[c.name, c.type.value] for c in result.schema],
        "query": result.query,
        "truncated": result.truncated,
        "partial_note": result.partial_note,
        "name": result.name,
        "render": None if result.render is None else [result.render.kind, dict(result.render.properties)],
        "statistics": asdict(result.statistics),
    }


def _result(exact: pl.DataFrame, about: Mapping[str, Any]) -> Result:
    schema = tuple(Column(name, ScalarType(kql)) for name, kql in about["schema"])
    took = dict(about["statistics"])
    took["bound"] = tuple((n, k) for n, k in took["bound"])
    took["warnings"] = tuple(took["warnings"])
    return Result(
        presented(exact, schema), schema, query=about["query"], truncated=about["truncated"], exact=exact,
        render=_render(about["render"]), name=about["name"],
        statistics=Statistics(**took), partial_note=about["partial_note"],
    )  # fmt: skip


def _render(kept: Any) -> Render | None:
    if kept is None:
        return None
    kind, properties = kept
    return Render(kind, {n: tuple(v) if isinstance(v, list) else v for n, v in properties.items()})
