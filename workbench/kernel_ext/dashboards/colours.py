"""Which colour a name has on one dashboard: the same in every tile, however often it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.query.charts import look

_VARIABLES = {
    look.ONE_SERIES: "var(--jp-brand-color1, #0173B2)",
    look.OKABE_ITO[-1]: "var(--jp-content-font-color1, #444)",
}


class Colours:
    """Gives colours out in the order in which names come.

    Examples
    --------
    >>> colours = Colours()
    >>> first = colours.of(["web01", "db01"])
    >>> colours.of(["db01", "mail"])["db01"] == first["db01"]
    True
    >>> colours.of(["Error", "Warning"])
    {'Error': '#D55E00', 'Warning': '#E69F00'}
    """

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def of(self, names: Sequence[str], rest: str | None = None) -> dict[str, str]:
        """A colour for each name; `rest` is grey."""
        if names and all(look.is_severity(n) for n in names):
            found = look.colours(list(names), None)
        elif len(names) == 1 and rest is None and names[0] not in self._given:
            found = {names[0]: look.ONE_SERIES}
        else:
            for name in names:
                self._given.setdefault(name, look.OKABE_ITO[len(self._given) % len(look.OKABE_ITO)])
            found = {name: self._given[name] for name in names}
        if rest is not None:
            found[rest] = look.REST
        return {name: _VARIABLES.get(colour, colour) for name, colour in found.items()}
