"""All rows of a view as a file beside the notebook: Parquet, CSV or XLSX, which no spreadsheet runs formulas of."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from workbench.base.diagnostics import kernel as diagnostics
from workbench.collect import exporting
from workbench.kernel_ext.widgets.view import View
from workbench.query.result import Result

FORMS = ("parquet", "csv", "xlsx")


def export(result: Result, view: View, name: str, form: str, root: str = "") -> dict[str, Any]:
    """Write the rows that the view has, in its order, into the notebook's folder, in place of an earlier file of that result.

    Parameters
    ----------
    root : str
        The folder that the notebook's server shows, as its pages have it (`~/…`), or "".

    Returns
    -------
    dict
        `path` of the file, `rows`, `bytes`, and `url` behind the server's address ("" where not known).

    Raises
    ------
    WorkbenchError
        SAV203 when it can't be written, SAV204 and SAV205 for what a sheet can't hold, LAB305.
    """
    if form not in FORMS:
        raise diagnostics.no_such_export(form, FORMS)
    order = view.order()
    exact = result.exact if order is None else result.exact[order]
    wanted = Result(view.arranged(), result.schema, exact=exact)
    path = Path.cwd() / f"result-{name}.{form}"
    size = exporting.write(wanted, path, form)
    return {"path": path.name, "rows": len(wanted), "bytes": size, "url": _url(path, root)}


def _url(path: Path, root: str) -> str:
    if not root:
        return ""
    try:
        place = path.resolve().relative_to(Path(root).expanduser().resolve())
    except (ValueError, RuntimeError):
        return ""
    return f"files/{quote(place.as_posix())}"
