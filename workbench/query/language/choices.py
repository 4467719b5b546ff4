"""Words that the grammar reads as plain names: values of options, parts of dates, well-known functions.

Where an operator keeps such a list itself, it is taken from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.query.charts.properties import KINDS as CHART_KINDS
from workbench.query.charts.properties import NAMES as CHART_PROPERTIES
from workbench.query.operators.join import KINDS as JOIN_KINDS
from workbench.query.operators.parse import KINDS as PARSE_KINDS
from workbench.query.operators.search import KINDS as SEARCH_KINDS

RENDER_KINDS: Mapping[str, str] = {
    "timechart": "Lines over time.",
    "linechart": "Lines over numbers.",
    "areachart": "Areas under lines.",
    "stackedareachart": "Areas on top of each other.",
    "columnchart": "Upright bars.",
    "barchart": "Lying bars.",
    "piechart": "Shares of a whole.",
    "scatterchart": "Points.",
    "anomalychart": "Lines over time with marks where a value is out of line.",
    "ladderchart": "A bar from start to end, a lane for each group.",
    "timepivot": "How much came when, a lane for each group.",
    "pivotchart": "A table of two groups with shaded cells.",
    "treemap": "Parts within parts, as areas.",
    "card": "Numbers in large type.",
    "table": "The rows as they are.",
}
RENDER_PROPERTIES: Mapping[str, str] = {
    "kind": "How series stand together.",
    "title": "The text above the chart.",
    "xtitle": "The text at the x axis.",
    "ytitle": "The text at the y axis.",
    "xcolumn": "The column of the x axis.",
    "ycolumns": "The columns that are drawn.",
    "series": "The columns that split the values into series.",
    "ymin": "Where the y axis begins.",
    "ymax": "Where the y axis ends.",
    "xaxis": "linear or log.",
    "yaxis": "linear or log.",
    "legend": "visible or hidden.",
    "accumulate": "Whether values are added up along the x axis.",
    "ysplit": "Whether several value columns stand apart: none, axes or panels.",
    "anomalycolumns": "The columns that say where a value is out of line.",
}
assert set(RENDER_KINDS) == set(CHART_KINDS)
assert set(RENDER_PROPERTIES) == set(CHART_PROPERTIES)

_JOIN_KINDS = {
    "innerunique": "Pairs with equal keys, one left row a key. The default.",
    "inner": "All pairs with equal keys.",
    "leftouter": "All left rows, with the right ones where there are any.",
    "rightouter": "All right rows, with the left ones where there are any.",
    "fullouter": "All rows of both sides.",
    "leftsemi": "Left rows that have a right one.",
    "rightsemi": "Right rows that have a left one.",
    "leftanti": "Left rows that have no right one.",
    "rightanti": "Right rows that have no left one.",
}
assert set(_JOIN_KINDS) <= set(JOIN_KINDS)
_YES_NO = {"true": "", "false": ""}
_BAGS = {"bag": "A row a property, as a bag.", "array": "A row a property, as an array of name and value."}
# (operator, option) → values with a sentence each.
_VALUES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("join", "kind"): _JOIN_KINDS,
    ("lookup", "kind"): {k: _JOIN_KINDS[k] for k in ("leftouter", "inner")},
    ("union", "kind"): {"outer": "All columns. The default.", "inner": "Columns that all tables have."},
    ("union", "isfuzzy"): _YES_NO,
    ("search", "kind"): dict.fromkeys(SEARCH_KINDS, ""),
    ("parse", "kind"): dict.fromkeys(PARSE_KINDS, ""),
    ("parse-where", "kind"): dict.fromkeys((k for k in PARSE_KINDS if k != "relaxed"), ""),
    ("mv-expand", "bagexpansion"): _BAGS,
    ("mv-expand", "kind"): _BAGS,
    ("mv-apply", "bagexpansion"): _BAGS,
    ("mv-apply", "kind"): _BAGS,
    ("make-series", "kind"): {"nonempty": "A row also where there is no input."},
    ("", "hint.strategy"): {"shuffle": "", "broadcast": "", "native": "", "legacy": ""},
    ("", "hint.remote"): {"auto": "", "left": "", "right": "", "local": ""},
    ("", "hint.materialized"): _YES_NO,
}
HINTS: Mapping[str, Sequence[str]] = {
    "join": ("hint.strategy", "hint.shufflekey", "hint.remote"),
    "lookup": ("hint.strategy",),
    "summarize": ("hint.strategy", "hint.shufflekey"),
    "partition": ("hint.strategy",),
    "make-series": ("hint.shufflekey",),
    "as": ("hint.materialized",),
}
_AXES = {"linear": "", "log": ""}
_PROPERTY_VALUES: Mapping[str, Mapping[str, str]] = {
    "legend": {"visible": "", "hidden": ""},
    "xaxis": _AXES,
    "yaxis": _AXES,
    "ysplit": {"none": "", "axes": "", "panels": ""},
    "accumulate": _YES_NO,
}
_PARTS = (
    "year", "quarter", "month", "week_of_year", "week", "day", "dayofyear", "hour", "minute", "second",
    "millisecond", "microsecond", "nanosecond",
)  # fmt: skip
# (function, number of the argument) → texts that it takes.
TEXTS: Mapping[tuple[str, int], Sequence[str]] = {
    ("datetime_diff", 0): tuple(p for p in _PARTS if p not in ("week_of_year", "dayofyear")),
    ("datetime_add", 0): tuple(p for p in _PARTS if p not in ("week_of_year", "dayofyear")),
    ("datetime_part", 0): tuple(p for p in _PARTS if p != "week"),
    ("parse_user_agent", 1): ("browser", "os", "device"),
}
# (function, number of the argument) → lengths of time that people write there.
LENGTHS: Mapping[tuple[str, int], Sequence[str]] = {
    ("ago", 0): ("15m", "1h", "1d", "7d", "30d"),
    ("bin", 1): ("1m", "5m", "15m", "1h", "1d"),
    ("bin_at", 1): ("1m", "5m", "15m", "1h", "1d"),
    ("floor", 1): ("1m", "5m", "15m", "1h", "1d"),
}
# What people use most, offered before the rest.
COMMON = {
    name: place
    for place, name in enumerate(
        [
            "count",
            "ago",
            "now",
            "bin",
            "tostring",
            "isnotempty",
            "iff",
            "countif",
            "dcount",
            "sum",
            "avg",
            "min",
            "max",
            "arg_max",
            "make_set",
            "make_list",
            "tolower",
            "strcat",
            "tolong",
            "toint",
            "todatetime",
            "isempty",
            "isnull",
            "isnotnull",
            "split",
            "substring",
            "parse_json",
            "extract",
            "case",
            "coalesce",
            "startofday",
            "format_datetime",
            "datetime_diff",
            "round",
            "toreal",
            "todouble",
            "strlen",
            "trim",
            "replace_string",
            "toupper",
            "percentile",
            "percentiles",
            "take_any",
            "arg_min",
            "array_length",
            "todynamic",
            "toscalar",
            "endofday",
            "bag_keys",
            "column_ifexists",
            "extract_all",
            "replace_regex",
            "hash_sha256",
            "ipv4_is_private",
            "parse_url",
            "mv_expand",
            "indexof",
            "countof",
        ]
    )
}
OLD_OPERATORS = frozenset({"filter", "mvexpand", "external_data", "order", "limit"})


def option_values(operator: str, option: str) -> Mapping[str, str]:
    """The values that an option of an operator takes, each with a sentence or none."""
    return _VALUES.get((operator, option)) or _VALUES.get(("", option)) or {}


def property_values(kind: str, name: str) -> Mapping[str, str]:
    """The values that a property of a chart takes."""
    if name == "kind":
        return dict.fromkeys(CHART_KINDS.get(kind, ()), "")
    return _PROPERTY_VALUES.get(name, {})
