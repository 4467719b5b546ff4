"""Tiles as HTML: what each kind shows, its states, and the search behind every figure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from workbench.kernel_ext.dashboards.answering import Answer, Asker, drill_down
from workbench.kernel_ext.dashboards.colours import Colours
from workbench.kernel_ext.dashboards.spec import Tile, read
from workbench.kernel_ext.dashboards.tiles import tile
from workbench.kernel_ext.options import parse_line

EMPTY = read("title: The board\ntiles: [{tile: text, text: a}]")


class Words(HTMLParser):
    """The text of HTML, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def asked(workspace: Any, kind: str, query: str, values: dict[str, Any] | None = None, timespan: str = "PT6H", **more: Any) -> Answer:  # fmt: skip
    asker = Asker(workspace, EMPTY)
    return asker.answer(read_tile(kind, query, **more), values or {}, timespan)


def read_tile(kind: str, query: str, **more: Any) -> Tile:
    import yaml

    text = yaml.safe_dump(
        {"title": "t", "tiles": [{"tile": kind, "title": "The tile", "query": query, **more}]}
    )
    return read(text).tiles[0]


def shown(answer: Answer) -> str:
    return Words(tile(answer, Colours())).text


def test_a_number_with_its_time_and_how_fresh_it_is(fleet: Any) -> None:
    said = shown(asked(fleet, "number", "Heartbeat | summarize dcount(Computer)"))
    assert re.fullmatch(r"The tile search 10 last 6 h · fresh [\d smin]+", said)


@pytest.mark.parametrize(
    ("thresholds", "state", "word"),
    [
        ({"error": "> 5"}, "error", "■ error > 5"),
        ({"error": "> 50", "warning": ">= 10"}, "warning", "▲ warning >= 10"),
        ({"error": "< 1"}, "healthy", ""),
    ],
)
def test_a_threshold_gives_a_shape_and_a_word(fleet: Any, thresholds: Any, state: str, word: str) -> None:
    html = tile(
        asked(fleet, "number", "Heartbeat | summarize dcount(Computer)", thresholds=thresholds), Colours()
    )
    assert f'data-state="{state}"' in html
    assert word in Words(html).text


def test_a_trend_is_against_the_period_before(fleet: Any) -> None:
    said = shown(asked(fleet, "number", "SecurityEvent | count", timespan="PT6H", trend=True))
    assert "as before (360)" in said or "from 360 before" in said


def test_two_numbers(fleet: Any) -> None:
    said = shown(
        asked(
            fleet,
            "two_numbers",
            "Heartbeat | summarize machines = dcount(Computer), systems = dcount(OSName)",
        )
    )
    assert "10 machines 2 systems" in said


def test_a_donut_tells_parts_and_whole(fleet: Any) -> None:
    said = shown(asked(fleet, "donut", "Heartbeat | summarize dcount(Computer) by OSName"))
    assert "10 Debian GNU/Linux 12 7 70% Windows Server 2025 3 30%" in said


def test_a_list_has_ten_rows_bars_and_all(fleet: Any) -> None:
    html = tile(asked(fleet, "list", "range n from 1 to 132 step 1 | project strcat('m', n), n"), Colours())
    assert html.count("<li>") == 10
    assert "all 132" in html


def test_an_array_behind_the_value_is_a_sparkline(fleet: Any) -> None:
    html = tile(
        asked(fleet, "list", "Perf | summarize max(CounterValue), make_list(CounterValue, 20) by Computer"),
        Colours(),
    )
    assert html.count('class="wb-spark"') == 10


def test_a_status_grid_counts_its_states(fleet: Any) -> None:
    query = "Heartbeat | summarize Seen = max(TimeGenerated) by Computer | project Computer, datetime_diff('minute', now(), Seen)"
    said = shown(asked(fleet, "status", query, thresholds={"error": "> 30", "warning": "> 5"}))
    assert "1 error · 1 warning · 8 healthy" in said
    assert "■ db02" in said


def test_words_of_a_record_are_states_too(fleet: Any) -> None:
    said = shown(
        asked(fleet, "status", "datatable(a:string, s:string)['x', 'Failed', 'y', 'Completed', 'z', 'odd']")
    )
    assert "1 error · 1 healthy · 1 unknown" in said


def test_a_line_keeps_gaps_and_holds_its_values_for_a_pointer(fleet: Any) -> None:
    query = "Perf | where CounterName == '% Processor Time' and InstanceName == '_Total' | summarize avg(CounterValue) by bin(TimeGenerated, 5m), Computer"
    html = tile(asked(fleet, "line", query), Colours())
    assert html.count("<path ") == 9  # eight and the rest
    assert "other (2, mean)" in html
    assert "data-points=" in html


def test_bars_over_time_stand_upright(fleet: Any) -> None:
    html = tile(asked(fleet, "bar", "SecurityEvent | summarize count() by bin(TimeGenerated, 1h)"), Colours())
    assert 6 <= html.count("<rect ") <= 7


def test_a_chart_is_what_the_query_renders(fleet: Any) -> None:
    html = tile(asked(fleet, "chart", "Heartbeat | summarize count() by OSName | render piechart"), Colours())
    assert "<svg" in html
    assert "var(--jp-" in html


def test_a_text_keeps_html_as_text() -> None:
    made = Answer(Tile("text", "", text="**a** <script>b</script>\n\n- [x](javascript:y)"), *([None] * 2))  # type: ignore[arg-type]
    html = tile(made, Colours())
    assert Words(html).tags == ["article", "div", "div", "p", "strong", "ul", "li"]


# ---- empty, late, missing, wrong --------------------------------------------------------------


def test_nothing_found_in_a_table_that_is_fresh(fleet: Any) -> None:
    said = shown(
        asked(
            fleet,
            "list",
            "Heartbeat | where Computer == 'db02' | summarize count() by Computer",
            timespan="PT15M",
        )
    )
    assert "nothing in this time" in said


def test_a_table_that_is_silent_says_since_when(tmp_path: Any) -> None:
    from workbench import workspace

    ws = workspace.open(str(tmp_path / "w"), create=True)
    ws.ingest("Heartbeat", [{"TimeGenerated": "2026-01-02T03:04:05Z", "Computer": "web01"}])
    empty = shown(asked(ws, "list", "Heartbeat | summarize count() by Computer", timespan="PT1H"))
    assert "no Heartbeat since 2026-01-02 03:04:05 UTC (" in empty
    number = shown(asked(ws, "number", "Heartbeat | count", timespan="PT1H"))
    assert " 0 " in number
    assert "no data since 2026-01-02 03:04:05 UTC" in number


def test_a_table_that_is_not_there_yet(fleet: Any) -> None:
    assert "no Update here yet" in shown(asked(fleet, "number", "Update | count", **{"from": "Update"}))


def test_a_wrong_query_shows_its_line_and_caret(fleet: Any) -> None:
    html = tile(asked(fleet, "number", "Heartbeat | where Computr == 1"), Colours())
    assert "KQL101 at 1:19" in html
    assert "^^^^^^^" in html
    assert 'data-state="error"' in html


def test_too_few_columns_are_said(fleet: Any) -> None:
    assert "DSH104: a tile of the kind donut needs a name and a value" in shown(
        asked(fleet, "donut", "Heartbeat | count")
    )


def test_hostile_names_stay_text(fleet: Any) -> None:
    query = "datatable(a:string, n:long)['<img src=x onerror=alert(1)>', 3, '\"><script>', 2]"
    for kind in ("donut", "bar", "list", "status"):
        tags = set(Words(tile(asked(fleet, kind, query), Colours())).tags)
        assert not tags & {"img", "script"}


# ---- the search behind ------------------------------------------------------------------------


def cell_of(text: str) -> tuple[str, str]:
    """The timespan and the query of a cell."""
    first, query = text.split("\n", 1)
    options, _ = parse_line(first.removeprefix("%%logsearch"))
    assert options.timespan is not None
    return options.timespan, query


def test_a_click_on_a_number_asks_the_same_and_gets_the_same(fleet: Any) -> None:
    values = {"machines": ["web01", 'web"02'], "limit": 3}
    answer = asked(fleet, "number", "Heartbeat | where Computer in (machines) | count", values)
    text = drill_down("The board", answer, values)
    assert '// The board › The tile\nlet machines = dynamic(["web01", "web\\"02"]);\nHeartbeat' in text
    span, query = cell_of(text)
    assert answer.result is not None
    assert fleet.query(query, timespan=span).frame.equals(answer.result.frame)


def test_a_click_on_a_row_filters_by_its_name(fleet: Any) -> None:
    answer = asked(fleet, "list", "Heartbeat | summarize count() by Computer | order by Computer asc")
    span, query = cell_of(drill_down("b", answer, {}, 1))
    assert answer.result is not None
    assert fleet.query(query, timespan=span).frame.equals(answer.result.frame[1:2])


def test_a_row_can_open_another_search(fleet: Any) -> None:
    answer = asked(
        fleet,
        "list",
        "Heartbeat | summarize count() by Computer | order by Computer asc",
        drill="Heartbeat | where Computer == selected | count",
    )
    span, query = cell_of(drill_down("b", answer, {}, 0))
    assert answer.result is not None
    assert fleet.query(query, timespan=span).frame.item() == answer.result.frame.item(0, 1)
