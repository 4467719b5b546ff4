"""The text of a dashboard: YAML in, a checked `Dashboard` out; every mistake names its line.

    title: This machine
    timespan: PT1H                # the time of all tiles; a tile can have its own
    refresh: 30                   # seconds; without it only by hand
    parameters:
      - name: machines
        type: string
        many: true
        choices: Heartbeat | distinct Computer
    tiles:                        # or: tabs: [{title, tiles | groups}], groups: [{title, lazy, tiles}]
      - tile: number              # its kind: one of `KINDS`
        title: Machines
        width: 3                  # of 12 columns
        query: Heartbeat | where array_length(machines) == 0 or Computer in (machines) | summarize dcount(Computer)
        thresholds: {error: "< 1"}

It reads text and asks nothing.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.base.diagnostics import dashboards as diagnostics
from workbench.base.marked_yaml import Marked, parsed
from workbench.kernel_ext.dashboards.thresholds import Threshold, threshold
from workbench.query.timerange import duration

KINDS: Mapping[str, str] = {
    "number": "the first value of the first row",
    "two_numbers": "the first two values of the first row",
    "donut": "a name and a value a row, as parts of a ring",
    "line": "values over time, a line for each name",
    "bar": "a name (or a time) and a value a row, as bars",
    "list": "a name and a value a row, with a bar; an array behind them as a sparkline",
    "status": "a name and a value (or a word) a row, as a grid of states",
    "chart": "whatever the query renders",
    "text": "words: paragraphs, **strong**, `code`, - lists",
}
TYPES = ("string", "long", "real", "bool", "datetime", "timespan")
MOST_TILES, MOST_BYTES, MOST_REFRESH = 100, 256_000, 86_400
_TILE = (
    "tile",
    "title",
    "width",
    "query",
    "search",
    "text",
    "timespan",
    "unit",
    "thresholds",
    "trend",
    "from",
    "drill",
    "height",
)
_TOP = ("title", "description", "timespan", "refresh", "parameters", "tabs", "groups", "tiles")
_GROUP = ("title", "lazy", "tiles")
_TAB = ("title", "groups", "tiles")
_PARAMETER = ("name", "type", "label", "default", "choices", "many")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the viewer chooses and every query of the dashboard sees by its name.

    Attributes
    ----------
    type : str
        One of `TYPES`; with `many` a list of it.
    choices : tuple of str or str
        Values, or the KQL whose first column lists them; "" for free text.
    default : Any
        As YAML gives it; None is the type's empty value, of `many` the empty list.
    """

    name: str
    type: str = "string"
    label: str = ""
    default: Any = None
    choices: tuple[str, ...] | str = ()
    many: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile.

    Attributes
    ----------
    query, search : str
        KQL, or the name of a saved search; of a text neither.
    source : str
        The table whose newest record tells how fresh the tile is (`from`); "" is the query's first table.
    drill : str
        KQL for a click on a row, with `selected` as the clicked name; "" filters the tile's own query.
    thresholds : tuple of Threshold
        The worst first.
    """

    kind: str
    title: str
    query: str = ""
    search: str = ""
    text: str = ""
    width: int = 4
    height: int = 0
    timespan: str = ""
    unit: str = ""
    thresholds: tuple[Threshold, ...] = ()
    trend: bool = False
    source: str = ""
    drill: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Tiles under one heading; a lazy one asks when it is opened."""

    title: str
    tiles: tuple[Tile, ...]
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A whole dashboard; without tabs in its text it has one without a title."""

    title: str
    tabs: tuple[Tab, ...]
    description: str = ""
    timespan: str = "P1D"
    refresh: int = 0
    parameters: tuple[Parameter, ...] = field(default=())

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles in reading order."""
        return tuple(tile for tab in self.tabs for group in tab.groups for tile in group.tiles)


def load(path: str | Path) -> Dashboard:
    """The dashboard in a file.

    Raises
    ------
    WorkbenchError
        DSH001 to DSH007.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise diagnostics.too_large(file.name, "bytes", MOST_BYTES)
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise diagnostics.no_file(str(path), why) from None
    return read(text, file.name)


def read(text: str, name: str = "dashboard") -> Dashboard:
    """The dashboard that a text describes.

    Examples
    --------
    >>> board = read("title: t\\ntiles:\\n- {tile: number, title: Beats, query: Heartbeat | count}")
    >>> board.tiles[0].kind, board.tiles[0].query, board.timespan
    ('number', 'Heartbeat | count', 'P1D')
    """
    return _Reader(name).dashboard(_parsed(text, name))


def _parsed(text: str, name: str) -> Marked:
    found = parsed(text, lambda line, _place, why: diagnostics.not_yaml(name, line, why))
    if not isinstance(found, Marked):
        raise diagnostics.not_yaml(name, 1, "a dashboard is keys and values, such as 'title: This machine'")
    return found


class _Reader:
    """Reads the parts, each against its keys."""

    def __init__(self, name: str) -> None:
        self._name = name

    def dashboard(self, given: Marked) -> Dashboard:
        self._keys(given, _TOP, "a dashboard")
        parameters = tuple(self._parameter(p) for p in self._list(given, "parameters"))
        names = [p.name for p in parameters]
        for i, parameter in enumerate(names):
            if parameter in names[:i]:
                raise diagnostics.twice(self._name, given.line, "the parameter", parameter)
        tabs = [self._tab(t) for t in self._list(given, "tabs")]
        own = self._groups(given)
        if not tabs and not own:
            raise diagnostics.missing_key(self._name, given.line, "tiles, groups or tabs", "a dashboard")
        every = ([Tab("", tuple(own))] if own else []) + tabs
        made = Dashboard(
            self._text(given, "title", required="a dashboard"),
            tuple(every),
            self._text(given, "description"),
            self._span(given, "P1D"),
            self._number(given, "refresh", 0, 0, MOST_REFRESH),
            parameters,
        )
        if len(made.tiles) > MOST_TILES:
            raise diagnostics.too_large(self._name, "tiles", MOST_TILES)
        return made

    def _tab(self, given: Any) -> Tab:
        given = self._mapping(given, "tabs")
        self._keys(given, _TAB, "a tab")
        groups = self._groups(given)
        if not groups:
            raise diagnostics.missing_key(self._name, given.line, "tiles or groups", "a tab")
        return Tab(self._text(given, "title", required="a tab"), tuple(groups))

    def _groups(self, given: Marked) -> list[Group]:
        tiles = tuple(self._tile(t) for t in self._list(given, "tiles"))
        return ([Group("", tiles)] if tiles else []) + [self._group(g) for g in self._list(given, "groups")]

    def _group(self, given: Any) -> Group:
        given = self._mapping(given, "groups")
        self._keys(given, _GROUP, "a group")
        tiles = tuple(self._tile(t) for t in self._list(given, "tiles"))
        if not tiles:
            raise diagnostics.missing_key(self._name, given.line, "tiles", "a group")
        return Group(self._text(given, "title", required="a group"), tiles, self._flag(given, "lazy"))

    def _tile(self, given: Any) -> Tile:
        given = self._mapping(given, "tiles")
        self._keys(given, _TILE, "a tile")
        kind = self._text(given, "tile", required="a tile").replace("-", "_").replace(" ", "_")
        if kind not in KINDS:
            raise diagnostics.bad_value(self._name, given.line, "tile", given["tile"], KINDS)
        text, query, search = (self._text(given, key) for key in ("text", "query", "search"))
        if kind == "text":
            if not text:
                raise diagnostics.missing_key(self._name, given.line, "text", "a tile of the kind text")
        elif bool(query) == bool(search):
            raise diagnostics.missing_key(
                self._name, given.line, "a query, or the name of a search", "a tile"
            )
        return Tile(
            kind,
            self._text(given, "title", required="" if kind == "text" else "a tile"),
            query.strip(),
            search,
            text.strip(),
            self._number(given, "width", 12 if kind == "text" else 4, 1, 12),
            self._number(given, "height", 0, 0, 800),
            self._span(given, ""),
            self._text(given, "unit"),
            self._thresholds(given),
            self._flag(given, "trend"),
            self._text(given, "from"),
            self._text(given, "drill").strip(),
        )

    def _thresholds(self, given: Marked) -> tuple[Threshold, ...]:
        found = given.get("thresholds") or Marked()
        if not isinstance(found, Marked):
            raise diagnostics.bad_value(
                self._name, given.line, "thresholds", found, ['{error: "> 90", warning: "> 80"}']
            )
        self._keys(found, ("error", "warning"), "thresholds")
        made = []
        for state in ("error", "warning"):
            if state in found:
                one = threshold(state, str(found[state]))
                if one is None:
                    raise diagnostics.bad_value(
                        self._name, found.line, state, found[state], ["> 90", ">= 90", "< 10", "<= 10"]
                    )
                made.append(one)
        return tuple(made)

    def _parameter(self, given: Any) -> Parameter:
        given = self._mapping(given, "parameters")
        self._keys(given, _PARAMETER, "a parameter")
        name = self._text(given, "name", required="a parameter")
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or not name.isascii():
            raise diagnostics.bad_value(
                self._name, given.line, "name", name, ["a plain name, such as machine"]
            )
        kind = self._text(given, "type") or "string"
        if kind not in TYPES:
            raise diagnostics.bad_value(self._name, given.line, "type", kind, TYPES)
        choices = given.get("choices", "")
        if isinstance(choices, list):
            choices = tuple(str(c) for c in choices)
        elif not isinstance(choices, str):
            raise diagnostics.bad_value(
                self._name, given.line, "choices", choices, ["a list", "KQL whose first column lists them"]
            )
        return Parameter(
            name, kind, self._text(given, "label"), given.get("default"), choices, self._flag(given, "many")
        )

    # ---- values ---------------------------------------------------------------------------------

    def _keys(self, given: Marked, known: tuple[str, ...], place: str) -> None:
        for key in given:
            if key not in known:
                raise diagnostics.unknown_key(self._name, given.line, str(key), place, known)

    def _mapping(self, given: Any, key: str) -> Marked:
        if not isinstance(given, Marked):
            raise diagnostics.bad_value(self._name, None, key, given, ["a list of keys and values"])
        return given

    def _list(self, given: Marked, key: str) -> list[Any]:
        found = given.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise diagnostics.bad_value(self._name, given.line, key, found, ["a list"])
        return found

    def _text(self, given: Marked, key: str, required: str = "") -> str:
        found = given.get(key)
        if found is None or found == "":
            if required:
                raise diagnostics.missing_key(self._name, given.line, f"a {key}", required)
            return ""
        return str(self._of(given, key, found, lambda v: isinstance(v, str | int | float), "text", str))

    def _number(self, given: Marked, key: str, default: int, least: int, most: int) -> int:
        def fits(value: Any) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

        return int(self._of(given, key, given.get(key, default), fits, f"{least} to {most}", int))

    def _flag(self, given: Marked, key: str) -> bool:
        return bool(
            self._of(given, key, given.get(key, False), lambda v: isinstance(v, bool), "true, false", bool)
        )

    def _span(self, given: Marked, default: str) -> str:
        found = self._text(given, "timespan") or default
        if found and duration(found) is None:
            raise diagnostics.bad_value(self._name, given.line, "timespan", found, ["PT1H", "P1D", "P7D"])
        return found

    def _of(
        self, given: Marked, key: str, value: Any, fits: Callable[[Any], bool], wanted: str, make: type
    ) -> Any:
        if not fits(value):
            raise diagnostics.bad_value(self._name, given.line, key, value, [wanted])
        return make(value)
