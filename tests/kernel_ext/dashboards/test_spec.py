"""The text of a dashboard: what it says, and the one sentence that every mistake in it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.dashboards.spec import load, read

TILE = "- {tile: number, title: n, query: print 1}"


def test_tabs_groups_and_tiles_keep_their_order() -> None:
    board = read(
        "title: t\ntiles:\n- {tile: text, text: first}\ntabs:\n- title: A\n  tiles:\n  - {tile: number, title: second, query: T}\n"
        "  groups:\n  - {title: G, lazy: true, tiles: [{tile: bar, title: third, query: T, width: 12}]}\n"
    )
    assert [t.text or t.title for t in board.tiles] == ["first", "second", "third"]
    assert [tab.title for tab in board.tabs] == ["", "A"]
    assert [(g.title, g.lazy) for g in board.tabs[1].groups] == [("", False), ("G", True)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "DSH001: d.yaml:1: this is no YAML"),
        ("title: [", "DSH001: d.yaml:1: this is no YAML"),
        ("a: &x 1\nb: *x\n", "aliases (*name) are not read here"),
        ("title: t\ntitle: u\n", "d.yaml:2: this is no YAML: 'title' is there twice"),
        ("title: !!python/object:os.system x\n", "DSH001"),
        ("title: t\n", "DSH004: d.yaml:1: a dashboard needs tiles, groups or tabs"),
        (f"tiles:\n{TILE}", "DSH004: d.yaml:1: a dashboard needs a title"),
        (
            f"title: t\ntile:\n{TILE}",
            "DSH003: d.yaml:1: a dashboard has no key 'tile'\nhint: did you mean 'title'?",
        ),
        (
            "title: t\ntiles:\n- {tile: gauge, title: n, query: T}",
            "DSH005: d.yaml:3: tile can't be 'gauge'\nhint: it can be number, two_numbers",
        ),
        (
            "title: t\ntiles:\n- {tile: number, title: n}",
            "d.yaml:3: a tile needs a query, or the name of a search",
        ),
        (
            "title: t\ntiles:\n- {tile: number, title: n, query: T, search: s}",
            "a query, or the name of a search",
        ),
        (
            "title: t\ntiles:\n- {tile: number, title: n, query: T, width: 13}",
            "width can't be 13\nhint: it can be 1 to 12",
        ),
        ("title: t\ntiles:\n- {tile: number, title: n, query: T, width: yes}", "width can't be True"),
        (
            "title: t\ntiles:\n- {tile: number, title: n, query: T, thresholds: {error: much}}",
            "error can't be 'much'",
        ),
        (
            "title: t\ntiles:\n- {tile: number, title: n, query: T, timespan: soon}",
            "timespan can't be 'soon'",
        ),
        (f"title: t\nrefresh: -1\ntiles:\n{TILE}", "refresh can't be -1"),
        (f"title: t\nparameters: [{{name: a b}}]\ntiles:\n{TILE}", "name can't be 'a b'"),
        (f"title: t\nparameters: [{{name: a, type: color}}]\ntiles:\n{TILE}", "type can't be 'color'"),
        (
            f"title: t\nparameters: [{{name: a}}, {{name: a}}]\ntiles:\n{TILE}",
            "DSH007: d.yaml:1: the parameter 'a' is there twice",
        ),
        ("title: t\ntiles: 7", "tiles can't be 7"),
        ("title: t\ntiles: [7]", "tiles can't be 7"),
        ("title: t\ntiles:\n" + f"{TILE}\n" * 101, "DSH006: d.yaml: more than 100 tiles"),
    ],
)
def test_every_mistake_names_its_line(text: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read(text, "d.yaml")
    assert said in caught.value.render()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        load(tmp_path / "none.yaml")
    assert caught.value.code == "DSH002"
