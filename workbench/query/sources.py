"""Which text a span points into: the query's own, or that of a stored function it uses.

Stored functions are read as if they stood behind the query's text, one after the other, so a span
says which text it belongs to wherever it turns up, also while the query runs. Holds no engine.
"""

from __future__ import annotations

from workbench.base.diagnostics import statements as diagnostics
from workbench.base.errors import WorkbenchError


class Sources:
    """The texts of one query.

    Parameters
    ----------
    text : str
        The query.

    Examples
    --------
    >>> from workbench.base.errors import Span
    >>> sources = Sources("F | count")
    >>> begins = sources.add("F", "() { Nowhere }")
    >>> error = WorkbenchError("KQL102", "no table", Span(begins + 5, begins + 12))
    >>> print(sources.located(error).render())
    KQL102 at 1:6: in the function 'F': no table
      () { Nowhere }
           ^^^^^^^
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[tuple[int, str, str]] = []
        self._end = len(text) + 1

    def add(self, name: str, text: str) -> int:
        """Put the text of a function behind the others; gives where it begins."""
        begins = self._end
        self._parts.append((begins, name, text))
        self._end = begins + len(text) + 1
        return begins

    def located(self, error: WorkbenchError) -> WorkbenchError:
        """The error, told which text its span points into (left alone where it already knows)."""
        if error.text is not None or error.span is None:
            return error
        for begins, name, text in reversed(self._parts):
            if error.span.start >= begins:
                return diagnostics.in_function(error, name, text, begins)
        return error.within(self.text)
