"""The files that `externaldata` may read: found in the folders of an allow-list, unpacked, cut into texts.

In go a place as written and the allowed folders, out comes a frame of texts under the declared names;
the plan converts them. What lies there is not trusted: sizes are bounded before and while unpacking,
links and `..` are followed to their end before the folder is compared, and nothing but plain files is opened.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO
from urllib.parse import unquote, urlsplit

import polars as pl

from workbench.base.diagnostics import statements as diagnostics
from workbench.base.errors import Span, WorkbenchError

MOST_BYTES = 100_000_000
"""Unpacked bytes of all files of one `externaldata`."""
_PIECE = 1 << 18
_MOST_MEMBERS = 1_000
_MOST_DIRECTORY = 1_000_000


def located(place: str, folders: Sequence[str], span: Span) -> str | None:
    """The file that a place names, links resolved; None where no folder allows it.

    Whether a file is there is told only of allowed folders.

    Parameters
    ----------
    place : str
        A path, `file://…`, or a name in one of the folders.
    folders : sequence of str

    Raises
    ------
    WorkbenchError
        KQL421 for a file that is not there.
    """
    path = _path(place)
    if path is None:
        return None
    roots = [os.path.realpath(f) for f in folders]
    allowed = False
    for candidate in [path] if os.path.isabs(path) else [os.path.join(r, path) for r in roots]:
        real = os.path.realpath(candidate)
        if not any(_inside(real, root) for root in roots):
            continue
        allowed = True
        if os.path.isfile(real):
            return real
    if allowed:
        raise diagnostics.file_missing(place, folders, span)
    return None


def _path(place: str) -> str | None:
    if "\0" in place or not place:
        return None
    if "://" not in place:
        return place
    parts = urlsplit(place)
    if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = unquote(parts.path)
    return None if "\0" in path else path


def _inside(path: str, root: str) -> bool:
    return os.path.commonpath([path, root]) == root


class Reader:
    """Reads files until together they are larger than `MOST_BYTES`."""

    def __init__(self, folders: Sequence[str], span: Span, most: int = MOST_BYTES) -> None:
        self._folders = folders
        self._span = span
        self._most = most
        self._left = most

    def contents(self, place: str) -> Iterator[bytes]:
        """What a file holds, unpacked: several contents for an archive of several files.

        Raises
        ------
        WorkbenchError
            KQL421 not there, KQL422 damaged, KQL423 too large.
        """
        try:
            with self._opened(place) as file:
                head = file.read(4)
                file.seek(0)
                if head.startswith(b"\x1f\x8b"):
                    yield b"".join(self._gunzipped(file, place))
                elif head in (b"PK\x03\x04", b"PK\x05\x06"):
                    yield from self._members(file, place)
                else:
                    yield self._bounded(file, place)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as e:  # fmt: skip
            raise self.unreadable(place, _first_line(e)) from None

    def unreadable(self, place: str, why: str) -> WorkbenchError:
        """KQL422 for a file of this reader."""
        return diagnostics.file_unreadable(_shown(place), why, self._span)

    def too_large(self, place: str) -> WorkbenchError:
        """KQL423 for a file of this reader."""
        return diagnostics.file_too_large(_shown(place), self._most, self._span)

    def _opened(self, place: str) -> io.BufferedReader:
        real = located(place, self._folders, self._span)
        if real is None:  # it moved since the query was bound
            raise diagnostics.file_missing(place, self._folders, self._span)
        # A pipe would wait for ever and a device has no end: only plain files are read.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        file = os.fdopen(descriptor, "rb")
        opened = os.path.realpath(f"/proc/self/fd/{descriptor}")
        moved = os.path.exists("/proc/self/fd") and opened != real
        if moved or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            file.close()
            raise self.unreadable(place, "it is no plain file")
        return file

    def _bounded(self, file: IO[bytes], place: str) -> bytes:
        data = bytearray()
        while piece := file.read(_PIECE):
            self._take(len(piece), place)
            data += piece
        return bytes(data)

    def _take(self, count: int, place: str) -> None:
        self._left -= count
        if self._left < 0:
            raise self.too_large(place)

    def _gunzipped(self, file: io.BufferedReader, place: str) -> Iterator[bytes]:
        machine = zlib.decompressobj(31)
        waiting = file.read(_PIECE)
        while waiting:
            piece = machine.decompress(waiting, _PIECE)
            self._take(len(piece), place)
            yield piece
            if machine.eof:
                waiting = machine.unused_data.lstrip(b"\0") or file.read(_PIECE)
                if not waiting.startswith(b"\x1f\x8b"):
                    return
                machine = zlib.decompressobj(31)
            else:
                waiting = machine.unconsumed_tail or file.read(_PIECE)
        if not machine.eof:
            raise self.unreadable(place, "it ends before its end")

    def _members(self, file: io.BufferedReader, place: str) -> Iterator[bytes]:
        self._check_directory(file, place)
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > _MOST_MEMBERS:
                raise self.unreadable(place, f"it holds more than {_MOST_MEMBERS} files")
            for member in members:
                with archive.open(member) as inner:
                    yield self._bounded(inner, place)

    def _check_directory(self, file: io.BufferedReader, place: str) -> None:
        """Refuse an archive whose list of files alone would fill the memory."""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 65_557))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or b"PK\x06\x07" in tail[max(0, at - 20) : at]:
            raise self.unreadable(place, "its list of files is damaged or too long")
        if int.from_bytes(tail[at + 12 : at + 16], "little") > _MOST_DIRECTORY:
            raise self.unreadable(place, "its list of files is too long")
        file.seek(0)


def _shown(place: str) -> str:
    return place if len(place) <= 120 else f"{place[:117]}…"


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "strerror", None) or error).strip() or type(error).__name__).splitlines()[0]


def empty(names: Sequence[str]) -> pl.DataFrame:
    """No rows of texts."""
    return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
