"""What a cell shows: a `Result`, a chart or a plan in, MIME bundles out.

A table is HTML and text. A chart is Vega 5 JSON (what JupyterLab draws by itself, offline, and
also in notebooks it does not trust), the same picture as SVG and PNG for exported pages, and a line of
text. It sends nothing: `magics` and IPython's formatters do.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.kernel_ext import footer, markup, plain
from workbench.query.result import Result

VEGA = "application/vnd.vega.v5+json"
_NOT_DRAWN = frozenset({"table"})
_LARGEST_SVG = 150_000
# Without vega-embed's own style, which makes the chart's place as narrow as what is in it: nothing.
_EMBED = {"actions": False, "renderer": "svg", "defaultStyle": False}


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a cell: the same thing in several media types.

    `values` counts the rows of a table or the values that a chart draws.
    """

    data: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    values: int = 0


def outputs(
    result: Result,
    limit: int,
    name: str | None = None,
    notes: Sequence[str] = (),
    live: Sequence[str | None] = (),
) -> list[Output]:
    """The answer as a cell shows it: a table, or a chart and its footer; of no rows the empty table.

    The other tables of a query that gives several follow, each under the other. `live` are the ids under which
    grids find the tables.

    Raises
    ------
    WorkbenchError
        LAB201 to LAB206 when `render` asks for what can't be drawn.
    """
    ids = [*live, *([None] * len(result.tables))]
    others = [of_table(other, limit, live=i) for other, i in zip(result.others, ids[1:], strict=False)]
    if not is_drawn(result):
        return [of_table(result, limit, name, notes, ids[0]), *others]
    from workbench.query.chart import chart, notes_of

    drawn = chart(result)
    notes = [*notes_of(drawn), *notes]
    words = footer.line(footer.parts(result, None, name, notes))
    below = Output({"text/html": markup.below_chart(result, notes, name, ids[0]), "text/plain": words})
    return [of_chart(drawn), below, *others]


def is_drawn(result: Result) -> bool:
    """Whether the answer is a chart."""
    return result.render is not None and result.render.kind.lower() not in _NOT_DRAWN and len(result) > 0


def joined(tables: Sequence[Output]) -> Output:
    """Outputs one under the other as one, for a host that takes a single one."""
    data = {kind: "\n".join(t.data[kind] for t in tables) for kind in ("text/html", "text/plain")}
    return Output(data, values=tables[0].values)


def of_table(
    result: Result,
    limit: int,
    name: str | None = None,
    notes: Sequence[str] = (),
    live: str | None = None,
) -> Output:
    """The first `limit` rows and the footer."""
    return Output(
        {
            "text/html": markup.table(result, limit, notes, name, live),
            "text/plain": plain.table(result, limit, notes, name),
        },
        values=len(result),
    )


def of_chart(drawn: Any) -> Output:
    """An Altair chart as it draws in JupyterLab without a network, in its theme, and as SVG."""
    from workbench.query.chart import compiled, for_host, marks_of, picture, pixels, summary

    plain_spec = drawn.to_dict()
    spec = for_host(plain_spec)
    svg = picture(spec)
    # JupyterLab makes a PNG itself where there is none, and never stops when the chart has no width yet.
    png = b64encode(pixels(plain_spec)).decode()
    data = {VEGA: compiled(spec), "image/svg+xml": svg, "image/png": png, "text/plain": summary(drawn)}
    if len(svg) > _LARGEST_SVG:
        del data["image/svg+xml"]
    return Output(data, {VEGA: {"embed_options": _EMBED}}, marks_of(drawn))


def of_text(text: str) -> Output:
    """A plan, or other text in lines."""
    return Output({"text/html": markup.text(text), "text/plain": text})


def of_progress(line: str) -> Output:
    return Output({"text/html": markup.progress(line), "text/plain": line})
