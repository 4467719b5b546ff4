"""A board in a notebook: its form, its lazy groups, what a browser may say; the file that it becomes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from workbench import workspace
from workbench.base import clock
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.dashboards import spec
from workbench.kernel_ext.dashboards.board import Board
from workbench.kernel_ext.dashboards.exporting import page

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "notebooks").glob("*.yaml"))
TEXT = """
title: Fleet
timespan: PT6H
parameters:
  - {name: machines, type: string, many: true, choices: Heartbeat | distinct Computer | sort by Computer asc}
  - {name: least, type: long, default: 0}
tiles:
  - {tile: number, title: Machines, query: "Heartbeat | where array_length(machines) == 0 or Computer in (machines) | summarize dcount(Computer)"}
groups:
  - title: More
    lazy: true
    tiles: [{tile: number, title: Beats, query: Heartbeat | count}]
"""


@pytest.fixture
def board(fleet: Any) -> Board:
    made = Board(fleet, spec.read(TEXT))
    made.refresh()
    return made


def figure(board: Board, grid: int = 0, tile: int = 0) -> str:
    found = re.search(r'class="wb-figure"[^>]*>([^<]*)<', board.grids[grid].tiles[tile])
    return found[1] if found else ""


def said(board: Board) -> list[Any]:
    """What the board sends to the browser from now on."""
    sent: list[Any] = []
    for grid in board.grids:
        grid.send = lambda content, buffers=None: sent.append(content)
    return sent


def test_the_last_answer_is_shown_at_once_with_its_age(fleet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now_us()
    monkeypatch.setattr(clock, "now_us", lambda: now - 3_600_000_000)
    Board(fleet, spec.read(TEXT)).refresh()
    monkeypatch.setattr(clock, "now_us", lambda: now)
    board = Board(fleet, spec.read(TEXT))
    shown: list[str] = []
    board.grids[0].observe(lambda change: shown.append(change["new"][0]), "tiles")
    board.refresh()
    stored, asked = shown
    assert re.search(r'aria-busy="true".*wb-figure.*as of .* UTC \(1 h ago\), asking', stored)
    assert "as of" not in asked
    assert "aria-busy" not in asked
    # Of other values nothing is known.
    board = Board(fleet, spec.read(TEXT), {"machines": ["db01"]})
    board.grids[0].observe(lambda change: shown.append(change["new"][0]), "tiles")
    board.refresh()
    assert "as of" not in shown[2]


def test_a_choice_asks_again_and_is_a_notebook_variable(fleet: Any) -> None:
    variables: dict[str, Any] = {"machines": ["db01"]}
    board = Board(fleet, spec.read(TEXT), variables)
    board.refresh()
    assert figure(board) == "1"
    field = board.widget.children[1].children[1].children[1]
    assert field.value == ["db01"]
    assert "mail01" in field.allowed_tags
    field.value = ["db01", "web01"]
    assert figure(board) == "2"
    assert variables == {"machines": ["db01", "web01"], "least": 0}


def test_a_variable_of_another_type_is_refused(fleet: Any) -> None:
    with pytest.raises(WorkbenchError, match="is a long"):
        Board(fleet, spec.read(TEXT), {"least": "many"})


def test_a_lazy_group_asks_when_it_is_opened(board: Board) -> None:
    assert figure(board, 1) == ""
    board.widget.children[3].children[1].selected_index = 0
    assert figure(board, 1).replace(",", "").isdigit()


def test_a_link_sets_the_form_and_a_wrong_one_changes_nothing(board: Board) -> None:
    board.heard(board.grids[0], {"open": "?p_machines=db01&p_machines=db02&timespan=P1D&token=x"})
    assert (figure(board), board.timespan) == ("2", "P1D")
    board.heard(board.grids[0], {"open": "?p_least=lots"})
    assert "DSH101" in board.widget.children[2].value
    assert board.values == {"machines": ["db01", "db02"], "least": 0}


def test_a_click_is_answered_with_the_cell(board: Board) -> None:
    sent = said(board)
    board.heard(board.grids[0], {"drill": 0, "row": None})
    assert sent[0]["cell"].startswith("%%logsearch --timespan ")
    assert "let machines = dynamic([]);" in sent[0]["cell"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        [],
        {},
        {"drill": 99},
        {"drill": -1},
        {"drill": "0"},
        {"drill": None},
        {"open": 3},
        {"refresh": "yes"},
        {"cell": "%%bash"},
        {"drill": {"a": 1}},
    ],
)
def test_what_no_browser_of_ours_says_does_nothing(board: Board, content: Any) -> None:
    sent = said(board)
    before = list(board.grids[0].tiles)
    board.heard(board.grids[0], content)
    assert sent == []
    assert board.grids[0].tiles == before


def test_the_file_needs_no_network_and_has_the_searches(board: Board) -> None:
    made = page(board)
    assert not re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?\s*(?:https?:)?//', made)
    assert "default-src 'none'" in made
    found = re.search(r'id="searches">(.*?)</script>', made)
    assert found is not None
    searches = json.loads(found[1])
    assert searches[0][0][0].startswith("%%logsearch --timespan")


def test_hostile_titles_do_not_leave_their_place_in_the_file(fleet: Any) -> None:
    hostile = "</script><script>alert(1)</script>"
    board = Board(
        fleet,
        spec.read(
            f"title: '{hostile}'\ntiles: [{{tile: number, title: '{hostile}', query: \"print '{hostile}'\"}}]"
        ),
    )
    board.refresh()
    made = page(board)
    assert made.count("<script") == 2
    assert "<script>alert" not in made


# ---- the three that ship ----------------------------------------------------------------------


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.stem)
def test_every_tile_that_ships_answers(fleet: Any, file: Path) -> None:
    board = Board(fleet, spec.load(file))
    board.show_all()
    answers = [a for grid in board.grids for a in grid.answers if a is not None]
    assert len(answers) == len(board.dashboard.tiles)
    assert [a.error for a in answers if a.error] == []
    assert sum(a.result is not None and len(a.result) > 0 for a in answers) >= len(answers) - 3


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.stem)
def test_on_an_empty_workspace_they_say_what_is_missing(tmp_path: Path, file: Path) -> None:
    board = Board(workspace.open(str(tmp_path / "w"), create=True), spec.load(file))
    board.show_all()
    for grid in board.grids:
        for html in grid.tiles:
            assert "here yet" in html or "nothing in this time" in html, html
