"""Results as charts: which column is what, what is put together, what stays a gap, what is refused."""

from __future__ import annotations

import datetime as dt
import json
import xml.etree.ElementTree as ET
import zlib
from typing import Any

import pytest
from results import result

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.chart import chart, for_host, marks_of, notes_of, picture, pixels, summary
from workbench.query.charts import reduce
from workbench.query.charts.look import OKABE_ITO, REST
from workbench.query.charts.properties import KINDS
from workbench.query.charts.shape import shape_of
from workbench.query.result import Result

T = ScalarType
START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
Columns = dict[str, tuple[ScalarType, list[Any]]]


def moments(count: int, step: dt.timedelta = dt.timedelta(minutes=5)) -> list[dt.datetime]:
    return [START + i * step for i in range(count)]


def load(hosts: int = 2, bins: int = 12, without: tuple[int, ...] = ()) -> Columns:
    """Load by time and host, as `summarize avg(Load) by bin(TimeGenerated, 5m), Computer` gives it."""
    rows = [
        (t, f"web{h:02d}", h + i / 10)
        for i, t in enumerate(moments(bins))
        if i not in without
        for h in range(hosts)
    ]
    times, names, values = (list(column) for column in zip(*rows, strict=True))
    return {"TimeGenerated": (T.DATETIME, times), "Computer": (T.STRING, names), "avg_Load": (T.REAL, values)}


BY_SOURCE: Columns = {"Source": (T.STRING, ["a", "b", "c"]), "count_": (T.LONG, [30, 20, 10])}


def spec(made: Result) -> dict[str, Any]:
    found: dict[str, Any] = chart(made).to_dict()
    return found


def points(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The values that a chart holds."""
    return list(made["data"]["values"])


def encodings(made: dict[str, Any], channel: str) -> list[Any]:
    layers = made.get("layer", [made])
    return [layer["encoding"][channel] for layer in layers if channel in layer.get("encoding", {})]


# ---- columns --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "columns", "x", "y", "series"),
    [
        ("timechart", load(), "TimeGenerated (UTC)", "avg_Load", ["web00", "web01"]),
        (
            "timechart",
            {"n": (T.LONG, [1]), "m": (T.LONG, [2]), "at": (T.DATETIME, [START])},
            "at (UTC)",
            "",
            ["m", "n"],
        ),
        ("linechart", {"n": (T.LONG, [1]), "m": (T.LONG, [2])}, "n", "m", ["m"]),
        ("columnchart", BY_SOURCE, "Source", "count_", ["count_"]),
        (
            "columnchart",
            {"count_": (T.LONG, [1]), "Source": (T.STRING, ["a"])},
            "Source",
            "count_",
            ["count_"],
        ),
        ("barchart", {"a": (T.STRING, ["x"]), "b": (T.STRING, ["y"]), "n": (T.LONG, [1])}, "a", "n", ["y"]),
        ("piechart", {"n": (T.LONG, [1]), "m": (T.LONG, [2])}, "n", "m", ["m"]),
        (
            "scatterchart",
            {"s": (T.STRING, ["k"]), "a": (T.REAL, [1.0]), "b": (T.REAL, [2.0])},
            "a",
            "b",
            ["k"],
        ),
    ],
)
def test_columns_are_chosen_as_kusto_does(
    kind: str, columns: Columns, x: str, y: str, series: list[str]
) -> None:
    shape = shape_of(result(columns, kind))
    assert (shape.x_title, shape.y_title) == (x, y)
    assert sorted(set(shape.frame["s"])) == series


def test_properties_choose_columns_and_titles() -> None:
    columns = {**load(), "Other": (T.LONG, [1] * 24)}
    asked = {
        "xcolumn": "TimeGenerated",
        "ycolumns": ["Other"],
        "series": "Computer",
        "title": "t",
        "xtitle": "when",
        "ytitle": "n",
    }
    made = spec(result(columns, "linechart", asked))
    assert made["title"] == "t"
    assert encodings(made, "x")[0]["title"] == "when"
    assert encodings(made, "y")[0]["title"] == "n"
    assert {p["y"] for p in points(made) if p["y"] is not None} == {1.0}


def test_axes_take_ends_and_logarithms() -> None:
    made = spec(result(load(), "timechart", {"ymin": 1, "ymax": "9", "yaxis": "log"}))
    assert encodings(made, "y")[0]["scale"] == {
        "type": "log",
        "nice": False,
        "domainMin": 1.0,
        "domainMax": 9.0,
    }


def test_zero_has_no_place_on_a_log_axis_and_that_is_said() -> None:
    made = chart(
        result({"k": (T.STRING, ["a", "b"]), "n": (T.LONG, [0, 5])}, "columnchart", {"yaxis": "log"})
    )
    assert marks_of(made) == 1
    assert notes_of(made) == ["1 points of zero or less left out of the log axis"]


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (load(), "timechart"),
        (BY_SOURCE, "columnchart"),
        ({"a": (T.REAL, [1.0, 2.0]), "b": (T.REAL, [1.0, 2.0])}, "scatterchart"),
        ({"n": (T.LONG, [5])}, "card"),
    ],
)
def test_without_render_the_columns_decide(columns: Columns, kind: str) -> None:
    assert shape_of(result(columns)).kind == kind
    assert shape_of(result(columns, "table")).kind == kind


def test_arrays_of_make_series_unfold() -> None:
    times = json.dumps([t.isoformat().replace("+00:00", "Z") for t in moments(4)])
    columns = {
        "Computer": (T.STRING, ["a", "b"]),
        "TimeGenerated": (T.DYNAMIC, [times, times]),
        "count_": (T.DYNAMIC, ["[1,2,3,4]", "[5,6,null,8]"]),
    }
    shape = shape_of(result(columns, "timechart"))
    assert shape.frame["x"].n_unique() == 4
    assert dict(shape.frame.group_by("s").sum().select("s", "y").rows()) == {"a": 10.0, "b": 19.0}


@pytest.mark.parametrize(
    ("seconds", "title"), [(7200, "Took (h)"), (90, "Took (min)"), (0.25, "Took (ms)"), (0, "Took (s)")]
)
def test_durations_get_a_readable_unit(seconds: float, title: str) -> None:
    columns = {"k": (T.STRING, ["a"]), "Took": (T.TIMESPAN, [dt.timedelta(seconds=seconds)])}
    assert shape_of(result(columns, "columnchart")).y_title == title


def test_bytes_get_a_readable_unit() -> None:
    shape = shape_of(result({"k": (T.STRING, ["a"]), "UsedBytes": (T.LONG, [3 * 2**20])}, "barchart"))
    assert (shape.y_title, shape.frame["y"].to_list()) == ("UsedBytes (MiB)", [3.0])


def test_accumulate_adds_up_within_a_series() -> None:
    shape = shape_of(result(load(2, 3), "timechart", {"accumulate": True}))
    last = dict(shape.frame.group_by("s", maintain_order=True).last().select("s", "y").rows())
    assert last == pytest.approx({"web00": 0.3, "web01": 3.3})


# ---- marks ----------------------------------------------------------------------------------


def test_missing_bins_are_gaps() -> None:
    made = spec(result(load(1, 12, without=(5, 6)), "timechart"))
    holes = [p for p in points(made) if p["y"] is None]
    assert len(holes) == 1
    assert START.timestamp() * 1000 + 4 * 300_000 < holes[0]["x"] < START.timestamp() * 1000 + 7 * 300_000


def test_a_point_between_two_gaps_is_drawn_as_a_point() -> None:
    many = load(1, 60, without=(30, 32))
    made = spec(result(many, "timechart"))
    assert [p["x"] for p in points(made) if p.get("o")] == [START.timestamp() * 1000 + 31 * 300_000]


def test_times_that_are_no_bins_have_no_gaps() -> None:
    at = [START + dt.timedelta(seconds=s) for s in (0, 7, 31, 32, 90)]
    made = spec(result({"at": (T.DATETIME, at), "n": (T.LONG, [1, 2, 3, 4, 5])}, "timechart"))
    assert all(p["y"] is not None for p in points(made))


def test_eight_series_and_a_grey_rest() -> None:
    made = spec(result(load(12), "timechart"))
    colour = encodings(made, "color")[0]["scale"]
    assert colour["domain"][-1] == "other (4, mean)"
    assert colour["range"] == [*OKABE_ITO, REST]
    first = next(p["y"] for p in points(made) if p["s"] == "s8")
    assert first == pytest.approx((0 + 1 + 2 + 3) / 4)


def test_counts_of_the_rest_are_added() -> None:
    columns = {"k": (T.STRING, [f"k{i}" for i in range(40)]), "count_": (T.LONG, list(range(1, 41)))}
    made = spec(result(columns, "barchart"))
    assert {p["x"]: p["y"] for p in points(made)}["other (10, sum)"] == sum(range(1, 11))
    assert len(points(made)) == 31


@pytest.mark.parametrize(("names", "legend"), [(["web01"], False), (["web01", "web02"], True)])
def test_one_series_needs_no_legend(names: list[str], legend: bool) -> None:
    made = spec(result(load(len(names)), "timechart"))
    assert (encodings(made, "color")[0]["legend"] is not None) is legend
    hidden = spec(result(load(len(names)), "timechart", {"legend": "hidden"}))
    assert encodings(hidden, "color")[0]["legend"] is None


def test_severities_keep_their_colours() -> None:
    columns = {"k": (T.STRING, ["a", "a"]), "Level": (T.STRING, ["Warning", "Error"]), "n": (T.LONG, [1, 2])}
    scale = encodings(spec(result(columns, "columnchart")), "color")[0]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "Warning": "#E69F00",
        "Error": "#D55E00",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "timechart",
        "areachart",
        "stackedareachart",
        "scatterchart",
        "columnchart",
        "anomalychart",
        "timepivot",
    ],
)
def test_a_hundred_thousand_points_become_few(kind: str) -> None:
    count = 100_000
    values = [float(i % 977) for i in range(count)]
    values[60_000] = 5000.0
    columns = {"TimeGenerated": (T.DATETIME, moments(count, dt.timedelta(seconds=15))), "n": (T.REAL, values)}
    made = chart(result(columns, kind))
    assert 50 < marks_of(made) <= 2 * reduce.MOST_POINTS
    assert len(json.dumps(made.to_dict())) < 400_000
    if kind == "timechart":
        assert max(p["y"] for p in points(made.to_dict())) == 5000.0
        assert notes_of(made)[0].startswith("100,000 points drawn as")


@pytest.mark.parametrize(
    ("kind", "stack"), [("stacked", "zero"), ("stacked100", "normalize"), ("unstacked", None)]
)
@pytest.mark.parametrize("family", ["areachart", "columnchart"])
def test_stacking_is_as_asked(family: str, kind: str, stack: str | None) -> None:
    columns = (
        load()
        if family == "areachart"
        else {"k": (T.STRING, ["a", "a"]), "l": (T.STRING, ["x", "y"]), "n": (T.LONG, [1, 2])}
    )
    made = spec(result(columns, family, {"kind": kind}))
    assert encodings(made, "y")[0]["stack"] == stack


def test_bars_start_at_zero() -> None:
    assert encodings(spec(result(BY_SOURCE, "columnchart")), "y")[0]["scale"]["zero"] is True
    assert encodings(spec(result(BY_SOURCE, "barchart")), "x")[0]["scale"]["zero"] is True


def test_columns_by_bin_keep_a_place_for_an_empty_bin() -> None:
    columns = {k: v for k, v in load(1, 8, without=(3,)).items() if k != "Computer"}
    scale = encodings(spec(result(columns, "columnchart")), "x")[0]["scale"]
    assert len(scale["domain"]) == 8


def test_many_bins_are_stacked_along_an_axis_of_time() -> None:
    made = spec(result(load(2, 200), "columnchart"))
    one = [p for p in points(made) if p["x"] == START.timestamp() * 1000]
    assert [(p["low"], p["high"]) for p in one] == [(0.0, 0.0), (0.0, 1.0)]


def test_a_pie_has_parts_and_a_rest() -> None:
    columns = {"k": (T.STRING, [f"k{i}" for i in range(12)]), "n": (T.LONG, [*range(1, 12), -1])}
    made = chart(result(columns, "piechart"))
    parts = points(made.to_dict())
    assert marks_of(made) == 9
    assert sum(p["share"] for p in parts) == pytest.approx(1)
    assert parts[-1]["y"] + sum(p["y"] for p in parts[:-1]) == sum(range(1, 12))
    assert notes_of(made) == ["1 parts of zero or less left out"]


def test_a_card_shows_the_figures_of_the_first_row() -> None:
    made = spec(result({"machines": (T.LONG, [12345]), "share": (T.REAL, [0.12345])}, "card"))
    assert [(p["name"], p["figure"]) for p in points(made)] == [("machines", "12,345"), ("share", "0.1235")]


def test_rows_without_x_are_counted() -> None:
    columns = {"at": (T.DATETIME, [START, None]), "n": (T.LONG, [1, 2])}
    assert notes_of(chart(result(columns, "timechart"))) == ["1 rows without at left out"]


def test_the_axis_is_utc() -> None:
    x = encodings(spec(result(load(), "timechart")), "x")[0]
    assert x["scale"]["type"] == "utc"
    assert "utcFormat" in x["axis"]["labelExpr"]


# ---- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "kind", "properties", "code", "hint"),
    [
        (BY_SOURCE, "piechar", {}, "LAB201", "did you mean 'piechart'"),
        (BY_SOURCE, "donut", {}, "LAB201", ", ".join(list(KINDS)[:3])),
        (BY_SOURCE, "plotly", {}, "LAB207", "in Python"),
        (BY_SOURCE, "piechart", {"kind": "map"}, "LAB207", "network"),
        (BY_SOURCE, "columnchart", {"titel": "x"}, "LAB202", "did you mean 'title'"),
        (BY_SOURCE, "columnchart", {"kind": "wide"}, "LAB203", "stacked100"),
        (BY_SOURCE, "columnchart", {"ymin": "low"}, "LAB203", "a number"),
        (BY_SOURCE, "columnchart", {"ysplit": "axes"}, "LAB203", "panels"),
        (BY_SOURCE, "piechart", {"ysplit": "panels"}, "LAB203", "none"),
        (BY_SOURCE, "ladderchart", {}, "LAB205", "count_ (long)"),
        (BY_SOURCE, "timepivot", {}, "LAB205", "count_ (long)"),
        (BY_SOURCE, "columnchart", {"xcolumn": "Sorce"}, "LAB204", "did you mean 'Source'"),
        (BY_SOURCE, "timechart", {}, "LAB205", "count_ (long)"),
        ({"a": (T.STRING, ["x"])}, "columnchart", {}, "LAB205", "a (string)"),
        (BY_SOURCE, "columnchart", {"ycolumns": "Source"}, "LAB206", None),
        ({"a": (T.STRING, ["x"])}, None, {}, "LAB205", "a (string)"),
    ],
)
def test_what_cannot_be_drawn_is_said_with_what_can(
    columns: Columns, kind: str | None, properties: dict[str, Any], code: str, hint: str | None
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        chart(result(columns, kind, properties))
    assert caught.value.code == code
    assert hint is None or hint in (caught.value.hint or "")


def readable_png(data: bytes) -> bool:
    """Whether every chunk is whole and the pixels are as many as the head says."""
    at, chunks = 8, {}
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + body) == int.from_bytes(data[at + 8 + size : at + 12 + size])
        chunks[kind] = body
        at += 12 + size
    width, height = (int.from_bytes(chunks[b"IHDR"][i : i + 4]) for i in (0, 4))
    return len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 4 * width)


# ---- hosts ----------------------------------------------------------------------------------

HOSTILE: Columns = {
    'C"]<b>.x[0]': (
        T.STRING,
        ["</script><img src=x onerror=alert(1)>", "\x1b[31m\u202e", "'];alert(1)//", "", None],
    ),
    "n.x": (T.LONG, [3, 4, 5, 6, 7]),
    "se\\ries": (T.STRING, ['"', "\\", "${x}", "{{y}}", "a.b"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"table"}))
def test_hostile_names_and_values_stay_text_in_the_picture(kind: str) -> None:
    columns = dict(HOSTILE)
    if kind == "scatterchart":
        columns["m"] = (T.REAL, [1.0, 2.0, 3.0, 4.0, 5.0])
    if kind in ("timechart", "anomalychart", "timepivot", "ladderchart"):
        columns |= {"at<": (T.DATETIME, moments(5)), "to<": (T.DATETIME, moments(5))}
    made = chart(result(columns, kind))
    drawn = ET.fromstring(picture(for_host(made.to_dict())))
    tags = {element.tag.split("}")[1] for element in drawn.iter()}
    assert tags <= {
        "svg",
        "g",
        "path",
        "rect",
        "text",
        "line",
        "defs",
        "clipPath",
        "tspan",
        "circle",
        "title",
    }
    assert marks_of(made) > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"table"}))
def test_every_kind_draws_as_svg_and_as_png(kind: str) -> None:
    columns = {**load(3, 20), "Other": (T.LONG, list(range(60)))}
    if kind == "ladderchart":
        columns["End"] = (
            T.DATETIME,
            [moment + dt.timedelta(minutes=3) for moment in columns["TimeGenerated"][1]],
        )
    made = chart(result(columns, kind))
    plain = made.to_dict()
    drawn = picture(for_host(plain))
    assert "<path" in drawn or "<text" in drawn
    assert "hover" not in drawn
    assert readable_png(pixels(plain))
    assert summary(made).startswith(kind)


def test_the_host_gives_the_colours_and_the_data_is_left_alone() -> None:
    columns = {"k": (T.STRING, ["#6B6B6B"]), "n": (T.LONG, [1])}
    dressed = for_host(spec(result(columns, "columnchart")))
    assert points(dressed)[0]["x"] == "#6B6B6B"
    assert dressed["config"]["axis"]["labelColor"].startswith("var(--jp-")
    assert dressed["$schema"].endswith("/v5.json")
    assert dressed["width"] == "container"
