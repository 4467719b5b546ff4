"""What a result looks like: values, HTML, plain text, footer."""

from __future__ import annotations

import datetime as dt
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from results import result

from workbench.base.dtypes import ScalarType
from workbench.kernel_ext import footer, markup, plain
from workbench.kernel_ext.cells import cell, printable, width
from workbench.query.result import Statistics

T = ScalarType
NOON = dt.datetime(2026, 11, 23, 12, 0, 7, tzinfo=dt.UTC)


class Page(HTMLParser):
    """Tags, attributes and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        if self.tags[-1] != "style":
            self.text += data


@pytest.mark.parametrize(
    ("value", "kql", "text"),
    [
        (1234567, T.LONG, "1,234,567"),
        (-1234.5, T.REAL, "-1,234.5"),
        (float("nan"), T.REAL, "NaN"),
        (0.0001, T.REAL, "0.0001"),
        ("-0.25", T.DECIMAL, "-0.25"),
        ("1234.50", T.DECIMAL, "1,234.50"),
        (True, T.BOOL, "true"),
        (None, T.LONG, "–"),
        (None, T.STRING, ""),
        ("", T.STRING, ""),
        (NOON, T.DATETIME, "2026-11-23 12:00:07"),
        (NOON.replace(microsecond=120000), T.DATETIME, "2026-11-23 12:00:07.120"),
        (NOON.replace(microsecond=123456), T.DATETIME, "2026-11-23 12:00:07.123456"),
        (dt.timedelta(minutes=-3, seconds=-20), T.TIMESPAN, "-3 min 20 s"),
        ('{"a":[1,2]}', T.DYNAMIC, '{"a": [1, 2]}'),
        ("not json", T.DYNAMIC, "not json"),
        ("two\nlines", T.STRING, "two↵lines"),
        ("\x1b[31mred\x1b[0m", T.STRING, "\\x1b[31mred\\x1b[0m"),
    ],
)
def test_a_value_reads_well(value: object, kql: ScalarType, text: str) -> None:
    assert cell(value, kql).text == text


@given(st.text())
def test_whatever_a_log_holds_is_one_printable_line(text: str) -> None:
    assert cell(text, T.STRING).text.isprintable()
    assert all(line.isprintable() for line in re.split("[\n\t]", printable(text, lines=True)))


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</td></table>", "&lt;b&gt;", "\u202egnp.exe",
    "\x00\x07", "a" * 5_000_000, "x\n" * 500, "</style><b>", "<details open ontoggle=alert(1)>",
]  # fmt: skip


def test_hostile_lines_add_no_tag_and_no_attribute_to_the_page() -> None:
    harmless = {"m": (T.STRING, ["x" * 50] * len(HOSTILE))}
    hostile = {"m": (T.STRING, HOSTILE)}
    tame, wild = Page(markup.table(result(harmless), 50)), Page(markup.table(result(hostile), 50))
    assert set(wild.tags) == set(tame.tags)
    assert wild.attributes == tame.attributes
    assert "<script>alert(1)</script>" in wild.text
    assert "\u202e" not in wild.text
    assert "\\u202egnp.exe" in wild.text


def test_hostile_column_names_are_text_too() -> None:
    page = Page(markup.table(result({"<b>\x1b": (T.LONG, [1])}), 50))
    assert "b" not in page.tags
    assert "<b>\\x1b" in page.text


def test_huge_values_make_no_huge_output() -> None:
    html = markup.table(result({"m": (T.STRING, ["y" * 1_000_000] * 50)}), 50)
    assert len(html) < 600_000
    assert "more characters" in html


def test_the_table_has_names_types_and_a_label() -> None:
    html = markup.table(result({"host": (T.STRING, ["a"]), "n": (T.LONG, [1])}), 50)
    page = Page(html)
    assert page.tags.count("th") == 2
    assert 'scope="col"' in html
    assert 'aria-label="Result: 1 of 1 rows, 2 columns"' in html
    assert "long" in page.text


def test_colours_come_from_the_host_and_have_a_fallback() -> None:
    for used in re.findall(r"(?:color|background|border[\w-]*): ([^;]*)", markup.style()):
        assert not re.match(r"#|rgb", used), used
    assert re.findall(r"var\(--(?!jp-)", markup.style()) == []
    assert all("," in v for v in re.findall(r"var\(([^()]*(?:\([^()]*\))?[^()]*)\)", markup.style()))


def test_the_footer_says_what_was_done() -> None:
    took = Statistics(
        0.1234, 41, 3, (("host", "string"), ("owners", "table")), ("one\x1b thing was not read",)
    )
    many = result({"n": (T.LONG, list(range(120)))}, statistics=took)
    assert footer.line(footer.parts(many, 50, "r", ["a note"])) == (
        "rows 50 of 120 · 0.12 s · files 3 of 41 read · bound: host (string), owners (table) · kept as r · a note"
        " · one\\x1b thing was not read"
    )


def test_a_cut_answer_says_so_everywhere() -> None:
    cut = result({"n": (T.LONG, [1, 2])}, truncated=True)
    for shown in (markup.table(cut, 1), plain.table(cut, 1)):
        assert "rows 1 of more than 2" in shown
        assert "truncated" in shown


def test_no_rows_is_said_in_words() -> None:
    nothing = result({"n": (T.LONG, [])})
    assert "no rows" in Page(markup.table(nothing, 50)).text
    assert plain.table(nothing, 50).splitlines()[-1].startswith("no rows")


def test_plain_columns_line_up_also_with_wide_characters() -> None:
    lines = plain.table(
        result({"名前": (T.STRING, ["日本", "x"]), "n": (T.LONG, [5, 12345])}), 50
    ).splitlines()
    assert {width(line) for line in lines[2:5]} == {width(lines[2])}
    assert lines[3].endswith("     5")


def test_plain_text_is_cut_to_a_line_and_names_what_is_left_out() -> None:
    wide = result({f"column_{i}": (T.STRING, ["v" * 80]) for i in range(9)})
    lines = plain.table(wide, 50).splitlines()
    assert all(width(line) <= plain.LINE for line in lines[1:4])
    assert lines[0].endswith("more columns")


def test_an_answer_without_columns_is_shown() -> None:
    assert plain.table(result({}), 50) == "no rows · <0.01 s"
    assert "no rows" in markup.table(result({}), 50)


def test_a_wide_result_of_long_texts_keeps_the_notebook_small() -> None:
    wide = result({f"column{i}": (T.STRING, ['"long" – text ' * 400] * 60) for i in range(500)})
    html = markup.table(wide, 50)
    assert len(json.dumps(html)) + len(json.dumps(plain.table(wide, 50))) < 200_000
    left = re.search(r"… (\d+) more columns", Page(html).text)
    assert left
    assert html.count("<th ") == 500 - int(left[1]) + 1 > 5
    few = result({f"c{i}": (T.LONG, list(range(60))) for i in range(40)})
    assert "more columns" not in markup.table(few, 50)
