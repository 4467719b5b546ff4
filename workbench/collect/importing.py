"""`workbench import`: one file (or standard input) into tables, exactly once, in bounded memory.

In goes a source, out come rows in tables, refusals in `_Quarantine`, and a summary. The source is
read as a stream, cut into blocks (about 8 MiB) and chunks (about 32 MiB); each chunk is one commit
a table. While one chunk is committed, the next is parsed.

**Once.** The application id of an import's commits is made of the content hash of the source, its
target (table, or name and tables of the mapping) and its format; the version is the number of the
chunk. Chunks are cut by bytes alone, so an import that was killed runs again from the start and
stores only what is missing. When all of it is stored, a note in the state folder says so, and a
later run ends at once, if the tables still know the last commits that the note tells. The note also
keeps when the import began: what counts as "in the future" must not change between two runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from workbench.base import clock
from workbench.base.config import state_folder
from workbench.base.diagnostics import collect as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect import quarantine
from workbench.collect.amounts import USAGE, usage_rows
from workbench.collect.formats import Options, Reader, reader_named, reader_of
from workbench.collect.intake import Intake
from workbench.collect.mapping import RecordMapping, load
from workbench.collect.opening import Source, open_source
from workbench.collect.parallel import LARGE, Done, Shapers
from workbench.collect.quarantine import Refused
from workbench.collect.record import Columns
from workbench.collect.settling import joined, settled
from workbench.collect.shaping import Mapped, OneTable, Shaper
from workbench.collect.streams import Member
from workbench.repository.tables import Repository

CHUNK_BYTES = 32 << 20
"""Raw bytes a commit. Part of the format of a resumed import: never change it."""
Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class ImportSummary:
    """What an import did.

    Attributes
    ----------
    file : str
        As it was given; `stdin` for standard input.
    lines : int
        Records and refused lines; blank lines and headers do not count. Always
        `sum(stored.values()) + quarantined + skipped`.
    stored : dict
        Rows that this run stored, by table.
    quarantined : int
        Rows that this run put into `_Quarantine`.
    skipped : int
        Rows, also of `_Quarantine`, that an earlier run had stored already.
    blank : int
        Lines with nothing on them.
    problems : list of WorkbenchError
        Damaged parts of the source; what could be read of them was stored.
    """

    file: str
    lines: int = 0
    stored: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    skipped: int = 0
    blank: int = 0
    problems: list[WorkbenchError] = field(default_factory=list)


def import_source(
    repository: Repository,
    source: str | Path,
    *,
    table: str | None = None,
    mapping: str | Path | RecordMapping | None = None,
    format: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
    processes: int = 1,
) -> ImportSummary:
    """Store the records of a file, or of standard input for `-`.

    Parameters
    ----------
    repository : Repository
    source : str or Path
        A file of a format in `formats`, also packed as gzip, zstd or zip.
    table : str, optional
        The table that takes all records. Syslog and dpkg have one of their own.
    mapping : str, Path or RecordMapping, optional
        A mapping file, or the name of one that ships.
    format : str, optional
        jsonl, csv, parquet, syslog or dpkg; else it is seen from name and first bytes.
    again : bool
        Store the records also if they were stored before.
    progress : callable, optional
        Told the bytes done and the bytes in all (None: not known yet).
    processes : int
        How many may work on a large source. More than one only from a program whose main module can be imported
        (see `multiprocessing`, "spawn").

    Returns
    -------
    ImportSummary

    Raises
    ------
    WorkbenchError
        IMP0xx for a source that can't be read at all, IMP2xx for a mapping, REP for the repository.
    """
    if table is not None and mapping is not None:
        raise diagnostics.two_targets()
    if mapping is not None and not isinstance(mapping, RecordMapping):
        mapping = load(mapping)
    form = format or (mapping.format if mapping is not None else None)
    named = reader_named(form) if form else None
    if named is not None and named.table is None and table is None and mapping is None:
        raise diagnostics.needs_target(named.name)
    report = progress or (lambda done, total: None)
    state = state_folder(repository.path)
    with open_source(source, state, report) as opened:
        members = opened.members()
        first, reader = _first(members, named)
        if reader is None:
            return _nothing(opened.name, first)
        shaper = _shaper(reader, table, mapping)
        application = _application(opened.digest, shaper, reader, again)
        run = _Run(Intake(repository), opened, shaper, application, state / "imports", report, processes)
        if run.is_done():
            return run.summary
        return run.all(chain([first] if first else [], members), named)


def _first(members: Iterator[Member], named: Reader | None) -> tuple[Member | None, Reader | None]:
    """The first file of records that has content, and its format."""
    member = None
    for member in members:
        if member.stream.peek(1):
            return member, named or reader_of(member)
        if member.stream.problem:
            break
    return member, None


def _nothing(name: str, member: Member | None) -> ImportSummary:
    """The summary of a source without any content."""
    if member is not None and member.stream.problem:
        raise diagnostics.damaged(member.source, member.stream.problem)
    return ImportSummary(name)


def _shaper(reader: Reader, table: str | None, mapping: RecordMapping | None) -> Shaper:
    if mapping is not None:
        return Mapped(mapping)
    target = table or reader.table
    if target is None:
        raise diagnostics.needs_target(reader.name)
    return OneTable(target, reader.types)


def _application(digest: str, shaper: Shaper, reader: Reader, again: bool) -> str:
    key = hashlib.sha256(json.dumps([*shaper.target(), reader.name]).encode()).hexdigest()[:16]
    return f"import/{digest}/{key}" + (f"/{uuid.uuid4().hex}" if again else "")


@dataclass(slots=True)
class _Chunk:
    """What is committed together: rows by table, refusals, and how many lines they were."""

    number: int
    size: int = 0
    parts: dict[str, list[Columns]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


class _Run:
    """One import at work."""

    def __init__(
        self,
        intake: Intake,
        source: Source,
        shaper: Shaper,
        application: str,
        notes: Path,
        report: Progress,
        processes: int,
    ) -> None:
        self.intake = intake
        self.source = source
        self.shaper = shaper
        self.application = application
        self.report = report
        self.processes = processes
        self.summary = ImportSummary(source.name)
        self._note = notes / (hashlib.sha256(application.encode()).hexdigest()[:32] + ".json")
        self._began = clock.now_us()
        self._last: dict[str, int] = {}
        self._taken: dict[str, tuple[int, int]] = {}  # rows and bytes of the source, by table

    def is_done(self) -> bool:
        """Whether all of this was stored before; then the summary says so. Else the import begins."""
        note = _read(self._note)
        self._began = int(note.get("began", self._began))
        tables: dict[str, int] = note.get("tables", {})
        version = self.intake.repository.transaction_version
        if note.get("done") and all((version(t, self.application) or 0) >= v for t, v in tables.items()):
            self.summary.lines = self.summary.skipped = int(note["lines"])
            self.summary.blank = int(note["blank"])
            self.summary.stored = {t: 0 for t in tables if t != quarantine.TABLE}
            self.report(self.source.size, self.source.size)
            return True
        _write(self._note, {"application": self.application, "began": self._began, "done": False})
        return False

    def all(self, members: Iterator[Member], named: Reader | None) -> ImportSummary:
        """Store everything, one chunk behind the other."""
        pending: Future[None] | None = None
        with ThreadPoolExecutor(1, "import") as writer:
            for chunk in self._chunks(members, named):
                if pending is not None:
                    pending.result()
                pending = writer.submit(self._store, chunk)
                self.report(self.source.position, self.source.size)
            if pending is not None:
                pending.result()
        summary = self.summary
        self._tell_usage()
        if not summary.problems:
            _write(
                self._note,
                {
                    "application": self.application,
                    "began": self._began,
                    "done": True,
                    "tables": self._last,
                    "lines": summary.lines,
                    "blank": summary.blank,
                },
            )
        elif not summary.lines and len(summary.problems) == 1:
            raise summary.problems[0]
        self.report(self.source.size, self.source.size)
        return summary

    def _tell_usage(self) -> None:
        """A row of `Usage` a table, once: the run that ends an import tells of all its chunks."""
        if self._taken:
            now = clock.now_us()
            part = usage_rows((table, self._began, now, *told) for table, told in self._taken.items())
            frame, types = settled(part.columns, self.intake.repository.expected(USAGE), part.declared)
            self.intake.store(USAGE, frame, types, transaction=(f"{self.application}/usage", 1))

    def _chunks(self, members: Iterator[Member], named: Reader | None) -> Iterator[_Chunk]:
        chunk = _Chunk(1)
        for done in self._shaped(members, named):
            self.summary.blank += done.shaped.blank
            chunk.size += done.size
            for part in done.shaped.parts:
                chunk.parts.setdefault(part.table, []).append(part.columns)
            for table, refusal in sorted(done.shaped.refused, key=lambda pair: pair[1].line):
                chunk.refused.append(Refused(table, refusal.why, done.source, refusal.line, refusal.original))
            self.report(self.source.position, self.source.size)
            if chunk.size >= CHUNK_BYTES:
                yield chunk
                chunk = _Chunk(chunk.number + 1)
        yield chunk

    def _shaped(self, members: Iterator[Member], named: Reader | None) -> Iterator[Done]:
        options = Options(self.shaper.as_records, self._began)
        with Shapers(self.shaper, self._began, self.processes if _is_large(self.source) else 1) as shapers:
            for member in members:
                try:
                    if member.stream.peek(1):
                        yield from shapers.shaped(named or reader_of(member), member, options)
                except WorkbenchError as mistake:
                    self.summary.problems.append(mistake)
                if member.stream.problem:
                    self.summary.problems.append(diagnostics.damaged(member.source, member.stream.problem))

    def _store(self, chunk: _Chunk) -> None:
        """Commit a chunk; runs on the writing thread, never twice at once."""
        transaction = (self.application, chunk.number)
        repository, summary = self.intake.repository, self.summary
        # Refusals first: if they are in, so are, at worst in the next run, the rows beside them.
        result = self.intake.quarantine(chunk.refused, transaction=transaction)
        if chunk.refused:
            self._last[quarantine.TABLE] = chunk.number
        summary.lines += len(chunk.refused)
        summary.quarantined += result.stored
        summary.skipped += len(chunk.refused) - result.stored
        total = sum(part.height for parts in chunk.parts.values() for part in parts)
        for table, parts in chunk.parts.items():
            columns = joined(parts)
            schema = repository.expected(table)
            frame, types = settled(columns, schema, self.shaper.layout(table))
            result = self.intake.store(table, frame, types, transaction=transaction)
            self._last[table] = chunk.number
            summary.lines += columns.height
            summary.stored[table] = summary.stored.get(table, 0) + result.stored
            summary.skipped += columns.height - result.stored
            rows, size = self._taken.get(table, (0, 0))
            share = chunk.size * columns.height // total
            self._taken[table] = rows + columns.height, size + share


def _is_large(source: Source) -> bool:
    return source.size is not None and source.size >= LARGE


def _read(path: Path) -> dict[str, Any]:
    """A note; one that can't be read counts as none, since it only saves time."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(content) + "\n", "utf-8")
    os.replace(fresh, path)
