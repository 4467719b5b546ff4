"""The chart of a notice's records as PNG, drawn by a process of its own: what draws is large, and can fail as a whole.

In goes a notice, out comes a picture or None. The query's own `render` is drawn where it has one and its records can be;
otherwise how many records there are over time. `python -m workbench.actions.deliveries.picture` is the child.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys

from workbench.alerts.notice import Notice
from workbench.base.errors import WorkbenchError

log = logging.getLogger("workbench.alerts")
SECONDS = 60
WIDTH = 720
_BINS = 40


def picture(notice: Notice) -> bytes | None:
    """PNG, or None where there is nothing to draw or drawing failed: a mail without a chart is better than none."""
    if len(notice.records) < 2:
        return None
    command = [sys.executable, "-m", "workbench.actions.deliveries.picture"]
    told = json.dumps(notice.as_json()).encode()
    try:
        ran = subprocess.run(command, input=told, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as why:
        log.warning("a chart could not be drawn: %s", why)
        return None
    if ran.returncode:
        log.warning("a chart could not be drawn: %s", ran.stderr.decode("utf-8", "replace").strip()[-500:])
        return None
    return ran.stdout or None


def drawn(notice: Notice) -> bytes:
    """The picture, drawn in this process; b"" where there is nothing to draw."""
    from workbench.actions.runbook.answers import result_of
    from workbench.query.chart import chart, pixels
    from workbench.query.result import Render

    columns = [{"name": name, "type": kind} for name, kind in notice.columns]
    result = result_of({"columns": columns, "rows": [list(r) for r in notice.records]})
    asked = _render(str(notice.rule.get("query", "")))
    if asked is not None:
        result.render = Render(*asked)
        try:
            return pixels(chart(result).to_dict(), WIDTH)
        except WorkbenchError as why:
            sys.stderr.write(f"the query's own chart: {why.message}\n")
    times = next((name for name, kind in notice.columns if kind == "datetime"), None)
    if times is None:
        return b""
    return _counted(result, times)


def _counted(result: object, times: str) -> bytes:
    """Records over time."""
    import polars as pl

    from workbench.base.dtypes import Column, ScalarType
    from workbench.query.chart import chart, pixels
    from workbench.query.result import Render, Result

    assert isinstance(result, Result)
    found = result.frame.get_column(times).drop_nulls()
    if found.is_empty():
        return b""
    moments = found.dt.epoch("us")
    first, last = int(moments.min()), int(moments.max())  # type: ignore[arg-type]
    width = max(1_000_000, (last - first) // _BINS)
    bins = (moments - first) // width * width + first
    frame = (
        pl.DataFrame({times: bins.cast(pl.Datetime("us", "UTC"))})
        .group_by(times)
        .agg(pl.len().cast(pl.Int64).alias("Records"))
        .sort(times)
    )
    schema = (Column(times, ScalarType.DATETIME), Column("Records", ScalarType.LONG))
    return pixels(chart(Result(frame, schema, render=Render("columnchart"))).to_dict(), WIDTH)


def _render(query: str) -> tuple[str, dict[str, object]] | None:
    """The kind and the properties that a query's last operator asks for."""
    from workbench.query.operators.render import RenderSyntax
    from workbench.query.parser import parse

    try:
        found = [o for p in parse(query).pipelines for o in p.operators if isinstance(o, RenderSyntax)]
    except WorkbenchError:
        return None
    return (found[-1].kind, dict(found[-1].properties)) if found else None


def main() -> None:
    sys.stdout.buffer.write(drawn(Notice.read(json.loads(sys.stdin.buffer.read()))))


if __name__ == "__main__":
    main()
