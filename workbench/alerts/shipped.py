"""Alert rules that ship: about the workspace itself, one text a rule in `rules/`.

In goes a name, out comes the rule; who keeps it decides.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from workbench.alerts.reading import read
from workbench.alerts.rule import Rule
from workbench.base.diagnostics import alerting as diagnostics

_FOLDER = resources.files("workbench.alerts") / "rules"


@cache
def shipped() -> tuple[str, ...]:
    """The names of the rules that ship, as their files have them.

    Examples
    --------
    >>> "agent_silent" in shipped()
    True
    """
    return tuple(sorted(f.name.removesuffix(".yaml") for f in _FOLDER.iterdir() if f.name.endswith(".yaml")))


def text_of(name: str) -> str:
    """The text of a rule that ships.

    Raises
    ------
    WorkbenchError
        ALR… where none has that name.
    """
    if name not in shipped():
        raise diagnostics.no_such_shipped(name, shipped())
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def load(name: str) -> Rule:
    """A rule that ships; see `text_of`.

    Examples
    --------
    >>> load("agent_silent").dimensions[0].name
    'Computer'
    """
    return read(text_of(name))
