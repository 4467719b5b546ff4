"""Which data files hold which paths of their dynamic columns as columns of their own.

A data file tells it in its footer (FORMAT.md, shredded columns); one small file a table, the
manifest, collects that for all data files, so that a query opens no footer. It is a cache: a data file
that it lacks is read from its JSON text. In go footers and file entries, out comes where the values of a
path lie. Makes no shredded column (see `shredding`), and knows no query.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson

from workbench.repository.deltalog import FileEntry
from workbench.repository.files import Files, Stamp
from workbench.repository.layout import FORMAT_VERSION, TABLES_FOLDER

if TYPE_CHECKING:
    import polars as pl

Keys = tuple[str, ...]
FOOTER_KEY = "workbench.shredded"
_MANIFEST = "_shredded.json"


class Kind(Enum):
    """What a column holds of a path: null where the path has no value, or null."""

    STRING = "string"  # the text of JSON strings
    LONG = "long"
    BOOL = "bool"
    REAL = "real"
    JSON = "json"  # compact JSON text of values of several kinds
    REST = "rest"  # compact JSON text of what the other columns do not hold of the whole object
    TEXT = "text"  # the JSON text of the whole column
    NULL = "null"  # nothing: the path has no value in this file


@dataclass(frozen=True, slots=True)
class Place:
    """Where a data file holds a path: what kind of column, and its name in the file ("" for NULL)."""

    kind: Kind
    stored: str


_NOWHERE = Place(Kind.NULL, "")


@dataclass(frozen=True, slots=True)
class Description:
    """What was shredded of one dynamic column of one data file.

    `paths` have a column each; `text` are those whose values stand in the JSON text alone; `rest` is
    the column with everything else ("": there is nothing else, None: that is in the JSON text alone).
    """

    paths: Mapping[Keys, Place]
    text: frozenset[Keys] = frozenset()
    rest: str | None = None
    _inner: frozenset[Keys] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        inner = {q[:i] for q in (*self.paths, *self.text) for i in range(1, len(q))}
        object.__setattr__(self, "_inner", frozenset(inner))

    def place(self, column: str, keys: Keys) -> Place:
        """Where the values of the path `keys` of the stored column `column` lie.

        Examples
        --------
        >>> d = Description({("a", "b"): Place(Kind.LONG, "x.a.b")}, frozenset({("c",)}), "x.*")
        >>> [d.place("x", k).kind.value for k in (("a", "b"), ("a",), ("a", "b", "z"), ("c", "d"), ("e",))]
        ['long', 'text', 'null', 'text', 'rest']
        """
        found = self.paths.get(keys)
        if found is not None:
            return found
        if keys in self._inner:
            return Place(Kind.TEXT, column)  # parts of the object lie elsewhere
        for i in range(1, len(keys) + 1):
            if keys[:i] in self.text:
                return Place(Kind.TEXT, column)
            if keys[:i] in self.paths:
                return _NOWHERE  # never an object: nothing is inside
        if self.rest is None:
            return Place(Kind.TEXT, column)
        return Place(Kind.REST, self.rest) if self.rest else _NOWHERE

    def columns(self) -> list[str]:
        """The names of the shredded columns in the file."""
        return [*(p.stored for p in self.paths.values()), *([self.rest] if self.rest else [])]


#: The descriptions of a data file, by the stored names of its dynamic columns.
Descriptions = Mapping[str, Description]


@dataclass(frozen=True, slots=True)
class PathRead:
    """A path that a scan gives as a column.

    Attributes
    ----------
    name : str
        What the column is called in the scan.
    column, keys : str, tuple of str
        KQL name of the dynamic column, and the path in it.
    build : callable
        Makes the values from a column of a data file and its kind (NULL: from a column of nulls).
    """

    name: str
    column: str
    keys: Keys
    build: Callable[[pl.Expr, Kind], pl.Expr]


def to_json(descriptions: Descriptions) -> dict[str, Any]:
    """Descriptions as they stand in a footer and in the manifest."""
    return {
        column: {
            "paths": [[*keys, p.kind.value, p.stored] for keys, p in found.paths.items()],
            "text": sorted(map(list, found.text)),
            "rest": found.rest,
        }
        for column, found in descriptions.items()
    }


def from_json(content: Any) -> Descriptions:
    """The other way round; raises KeyError, TypeError or ValueError for what is none."""
    return {
        str(column): Description(
            {tuple(map(str, p[:-2])): Place(Kind(p[-2]), str(p[-1])) for p in found["paths"]},
            frozenset(tuple(map(str, t)) for t in found["text"]),
            None if found["rest"] is None else str(found["rest"]),
        )
        for column, found in content.items()
    }


def of_footer(metadata: Mapping[bytes, bytes] | None) -> Descriptions | None:
    """What a data file tells of itself; None: it was never shredded."""
    raw = (metadata or {}).get(FOOTER_KEY.encode())
    if raw is None:
        return None
    try:
        return from_json(orjson.loads(raw))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None


class Manifest:
    """The descriptions of a table's data files, as far as they are known. Never changed."""

    def __init__(self, files: Mapping[str, tuple[int, Descriptions]]) -> None:
        self.files = files
        # Files that were shredded alike share one object.
        self._different = list({id(found): found for _, found in files.values()}.values())

    def find(self, file: FileEntry) -> Descriptions | None:
        """What is known of a data file; None: nothing, its JSON text has to be read."""
        size, found = self.files.get(file.path, (-1, None))
        return found if size == file.size else None

    def knows(self, column: str, keys: Keys) -> bool:
        """Whether some data file need not be read as JSON text for a path of a stored column."""
        return any(
            column in found and found[column].place(column, keys).kind is not Kind.TEXT
            for found in self._different
        )

    def places(
        self, files: Iterable[FileEntry], reads: Sequence[tuple[str, Keys]]
    ) -> list[tuple[Place, ...]]:
        """For each file, where it holds each of the (stored column, path) pairs."""
        known: dict[int, tuple[Place, ...]] = {}
        text = tuple(Place(Kind.TEXT, column) for column, _ in reads)
        result = []
        for file in files:
            found = self.find(file)
            if found is None:
                result.append(text)
                continue
            if id(found) not in known:
                known[id(found)] = tuple(
                    found[c].place(c, keys) if c in found else Place(Kind.TEXT, c) for c, keys in reads
                )
            result.append(known[id(found)])
        return result

    def with_files(
        self, added: Mapping[str, tuple[int, Descriptions]], there: Iterable[FileEntry]
    ) -> Manifest:
        """With more files, and without those that are neither in the table (`there`) nor added."""
        kept = {f.path: self.files[f.path] for f in there if f.path in self.files}
        return Manifest({**kept, **added})

    def dumped(self) -> bytes:
        """The manifest as it lies on disk."""
        layouts: dict[bytes, int] = {}
        files = {}
        for path, (size, found) in self.files.items():
            layout = orjson.dumps(to_json(found))
            files[path] = [size, layouts.setdefault(layout, len(layouts))]
        content = {"format": FORMAT_VERSION, "layouts": [orjson.Fragment(x) for x in layouts], "files": files}
        return orjson.dumps(content) + b"\n"


_NOTHING = Manifest({})


def _loaded(raw: bytes) -> Manifest:
    """A manifest of this format; anything else counts as none."""
    try:
        content = orjson.loads(raw)
        if content["format"] != FORMAT_VERSION:
            return _NOTHING
        layouts = [from_json(x) for x in content["layouts"]]
        return Manifest(
            {str(p): (int(size), layouts[number]) for p, (size, number) in content["files"].items()}
        )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return _NOTHING


class Manifests:
    """The manifests of a workspace, each read again when its file changes. Safe for threads."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._guard = threading.Lock()
        self._known: dict[str, tuple[Stamp, Manifest]] = {}

    def get(self, folder: str) -> Manifest:
        """The manifest of the table in `folder`; one that is absent or damaged knows no file."""
        name = f"{TABLES_FOLDER}/{folder}/{_MANIFEST}"
        stamp = self._files.stamp(name)
        if stamp is None:
            return _NOTHING
        known = self._known.get(folder)
        if known is not None and known[0] == stamp:
            return known[1]
        raw = self._files.read(name)
        manifest = _NOTHING if raw is None else _loaded(raw)
        with self._guard:
            self._known[folder] = (stamp, manifest)
        return manifest

    def put(self, folder: str, manifest: Manifest) -> None:
        """Replace it. The caller holds the table's lock."""
        self._files.replace(f"{TABLES_FOLDER}/{folder}/{_MANIFEST}", manifest.dumped())
