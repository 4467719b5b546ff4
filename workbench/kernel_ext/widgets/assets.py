"""The modules of `js/` as the one module that anywidget loads, and the style sheet.

A widget is loaded from a text, in which a module can't import its neighbour. So each module goes into a
function that gives what it exports: no tool, no built file, and each stays a module that Node can run too.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_IMPORT = re.compile(r'^import \{ (?P<names>[^}]+) \} from "\./(?P<module>\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (?P<name>\w+)", re.MULTILINE)
_DEFAULT = "export default "


@cache
def module(name: str) -> str:
    """The module of that name with all that it imports.

    Examples
    --------
    >>> "class Grid" in module("main"), "export default" in module("main")
    (True, True)
    """
    made: dict[str, str] = {}
    _add(name, made, ())
    parts = [f"const {n} = (() => {{\n{text}}})();\n" for n, text in made.items() if n != name]
    return "".join(parts) + made[name]


@cache
def style() -> str:
    """The style sheet of the grid."""
    return _text("grid.css")


def _text(name: str) -> str:
    return files("workbench.kernel_ext.widgets").joinpath("js", name).read_text()


def _variable(module_name: str) -> str:
    return f"$module_{module_name}"


def _add(name: str, made: dict[str, str], above: tuple[str, ...]) -> None:
    if name in made or _variable(name) in made:
        return
    if name in above:
        raise ValueError(f"modules import each other: {' → '.join([*above, name])}")
    text = _text(f"{name}.js")
    for found in _IMPORT.finditer(text):
        _add(found["module"], made, (*above, name))
    text = _IMPORT.sub(lambda m: f"const {{ {m['names']} }} = {_variable(m['module'])};\n", text)
    if _DEFAULT in text:
        made[name] = text
        return
    names = [m["name"] for m in _EXPORT.finditer(text)]
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    made[_variable(name)] = f"{text}return {{ {', '.join(names)} }};\n"
