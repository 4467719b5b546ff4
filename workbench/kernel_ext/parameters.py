"""Parameters of a notebook as fields: what is chosen is an ordinary notebook variable, and a typed value in KQL.

    from workbench.kernel_ext import parameters
    parameters.choice("host", query="Heartbeat | distinct Computer")
    parameters.time_range("when", "P1D")

    %%logsearch --timespan when
    Heartbeat | where Computer == host

A variable of that name that is there already, from papermill or an earlier cell, is what the field begins with.
Without a front end that knows widgets the variables have these values all the same.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import anywidget
import traitlets

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.cells import cell
from workbench.kernel_ext.widgets import assets
from workbench.query.result import Result
from workbench.query.run import parse_timerange

MOST_CHOICES = 1000


class Parameter(anywidget.AnyWidget):  # type: ignore[misc]
    """A field with a label above and help below, and the variable that follows it.

    Attributes
    ----------
    name : str
        The variable.
    value
        What it is now.
    """

    kind = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    help = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    wrong = traitlets.Unicode().tag(sync=True)
    style = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        name: str,
        kind: str,
        namespace: MutableMapping[str, Any],
        *,
        values: Sequence[Any] = (),
        shown: Sequence[str] = (),
        like: Any = "",
        label: str = "",
        help: str = "",
    ) -> None:
        if not name.isidentifier() or name.startswith("_"):
            raise diagnostics.no_parameter_name(name)
        self.name = name
        self._namespace = namespace
        self._values = list(values)
        self._like = like
        super().__init__(
            _esm=assets.module("parameter"), style=assets.style(), kind=kind, label=label or name, help=help,
            choices=list(shown),
        )  # fmt: skip

    @property
    def value(self) -> Any:
        """The variable's value."""
        return self._namespace[self.name]

    def begin(self, value: Any) -> None:
        """Take the first value, and from now on what the browser says."""
        if self.kind in ("choice", "choices"):
            wanted = value if self.kind == "choices" else [value]
            self.chosen = [self._values.index(v) for v in wanted if v in self._values]
        else:
            self.text = str(value)
        self._follow()
        self.observe(lambda _: self._follow(), names=["chosen", "text"])

    def _follow(self) -> None:
        try:
            self._namespace[self.name] = self._typed()
            self.wrong = ""
        except WorkbenchError as error:
            self.wrong = error.message

    def _typed(self) -> Any:
        found = [self._values[i] for i in self.chosen if 0 <= i < len(self._values)]
        if self.kind == "choices":
            return found
        if self.kind == "choice":
            if not found:
                raise diagnostics.nothing_to_choose(self.name)
            return found[0]
        if self.kind == "time":
            if self.text:
                parse_timerange(self.text)
            return self.text
        if isinstance(self._like, bool) or not isinstance(self._like, int | float):
            return self.text
        try:
            return type(self._like)(self.text)
        except ValueError:
            raise diagnostics.no_such_value(
                self.text, "long" if isinstance(self._like, int) else "real"
            ) from None


def choice(
    name: str,
    values: Sequence[Any] | None = None,
    *,
    query: str | None = None,
    value: Any = None,
    workspace: str | None = None,
    label: str = "",
    help: str = "",
    namespace: MutableMapping[str, Any] | None = None,
) -> Parameter:
    """One of several values, given or found by a query (its first column).

    Raises
    ------
    WorkbenchError
        LAB310 for a bad name, LAB311 where there is nothing to choose, KQL… of the query.

    Examples
    --------
    >>> variables = {}
    >>> field = choice("port", [80, 443], value=443, namespace=variables)
    >>> variables["port"]
    443
    """
    return _of_values("choice", name, values, query, value, workspace, label, help, namespace)


def choices(
    name: str,
    values: Sequence[Any] | None = None,
    *,
    query: str | None = None,
    value: Sequence[Any] | None = None,
    workspace: str | None = None,
    label: str = "",
    help: str = "",
    namespace: MutableMapping[str, Any] | None = None,
) -> Parameter:
    """Any of several values: the variable is a list, all of them where none is said.

    Examples
    --------
    >>> variables = {}
    >>> field = choices("levels", ["error", "warning"], namespace=variables)
    >>> variables["levels"]
    ['error', 'warning']
    """
    return _of_values("choices", name, values, query, value, workspace, label, help, namespace)


def text(
    name: str,
    value: str | int | float = "",
    *,
    label: str = "",
    help: str = "",
    namespace: MutableMapping[str, Any] | None = None,
) -> Parameter:
    """A text, or a number where it begins with one.

    Examples
    --------
    >>> variables = {"least": 7}
    >>> field = text("least", 5, namespace=variables)
    >>> field.text = "9"
    >>> variables["least"]
    9
    """
    return _of_text("text", name, value, label, help, namespace)


def time_range(
    name: str,
    value: str = "P1D",
    *,
    label: str = "",
    help: str = "",
    namespace: MutableMapping[str, Any] | None = None,
) -> Parameter:
    """A time range as `--timespan NAME` takes it: `P1D`, or `start/end`; "" is all time.

    Examples
    --------
    >>> variables = {}
    >>> field = time_range("when", "PT1H", namespace=variables)
    >>> variables["when"]
    'PT1H'
    """
    return _of_text("time", name, value, label, help, namespace)


def _of_text(
    kind: str,
    name: str,
    value: str | int | float,
    label: str,
    help: str,
    namespace: MutableMapping[str, Any] | None,
) -> Parameter:
    where = _namespace(namespace)
    field = Parameter(name, kind, where, like=value, label=label, help=help)
    field.begin(where.get(name, value))
    return field


def _of_values(
    kind: str,
    name: str,
    values: Sequence[Any] | None,
    query: str | None,
    value: Any,
    workspace: str | None,
    label: str,
    help: str,
    namespace: MutableMapping[str, Any] | None,
) -> Parameter:
    where = _namespace(namespace)
    if query is not None:
        found = _first_column(query, workspace)
        known, shown = found
    else:
        known = list(values or ())
        shown = [str(v) for v in known]
    if not known:
        raise diagnostics.nothing_to_choose(name)
    field = Parameter(name, kind, where, values=known, shown=shown, label=label, help=help)
    first = known[0] if kind == "choice" else known
    begins = where.get(name, first if value is None else value)
    field.begin(begins if kind == "choices" or begins in known else first)
    return field


def _first_column(query: str, workspace: str | None) -> tuple[list[Any], list[str]]:
    """The values of a query's first column, without null, each once, and how they are shown."""
    import workbench

    result: Result = workbench.open(workspace).query(query, limit=MOST_CHOICES)
    if not result.schema:
        return [], []
    column = result.schema[0]
    values = list(dict.fromkeys(v for v in result.frame[column.name] if v is not None))
    kql = ScalarType.STRING if column.type is ScalarType.GUID else column.type
    return values, [cell(v, kql).text for v in values]


def _namespace(given: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
    if given is not None:
        return given
    from IPython import get_ipython

    shell = get_ipython()
    namespace: MutableMapping[str, Any] = {} if shell is None else shell.user_ns
    return namespace
