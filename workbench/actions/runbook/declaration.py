"""What a runbook declares that it takes, read from its parameters cell, and the values that it is given.

    wait: int = 30        # seconds {choices: 10|30|60}
    host: str = ...       # where to look; required

In go a notebook and JSON values, out come typed values that papermill may write into the notebook. A name that is not
declared never gets there: papermill would write it as code. Nothing of the cell is run.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from workbench.base.diagnostics import jobs as diagnostics

MOST_BYTES = 512 * 1024
MOST_PARAMETERS = 50
TAG = "parameters"
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "list": (list,), "dict": (dict,),
}  # fmt: skip
_WORDS = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list",
    "dict": "an object", "any": "a JSON value",
}  # fmt: skip
_CHOICES = re.compile(r"\{\s*choices:\s*([^}]*)\}")
REQUIRED = ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter.

    Attributes
    ----------
    name : str
    type : str
        `str`, `int`, `float`, `bool`, `list`, `dict`, or `any` where the default tells nothing.
    default : object
        `REQUIRED` (an ellipsis) where a value must be given.
    help : str
    choices : tuple
        Values of the type that it can have; empty: any.
    """

    name: str
    type: str
    default: Any
    help: str = ""
    choices: tuple[Any, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def shown(self) -> dict[str, Any]:
        """As JSON, for forms."""
        told: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "help": self.help,
        }
        if not self.required:
            told["default"] = self.default
        if self.choices:
            told["choices"] = list(self.choices)
        return told


def declared(notebook: Mapping[str, Any]) -> list[Parameter]:
    """The parameters of a notebook (nbformat 4 as JSON), in their order; none without a parameters cell.

    Raises
    ------
    WorkbenchError
        JOB107 for a line that assigns no literal.
    """
    for cell in notebook.get("cells", ()):
        if cell.get("cell_type") == "code" and TAG in (cell.get("metadata", {}).get("tags") or ()):
            source = cell.get("source", "")
            return read("".join(source) if isinstance(source, list) else source)
    return []


def read(cell: str) -> list[Parameter]:
    """The parameters that a cell assigns.

    Examples
    --------
    >>> [(p.name, p.type, p.default) for p in read("wait = 30\\nhost: str = ...  # where")]
    [('wait', 'int', 30), ('host', 'str', Ellipsis)]
    """
    try:
        tree = ast.parse(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as why:
        line = getattr(why, "text", None) or cell.partition("\n")[0]
        raise diagnostics.bad_declaration(line.strip(), "it is no Python") from None
    lines = cell.split("\n")
    found: dict[str, Parameter] = {}
    for node in tree.body:
        text = ast.get_source_segment(cell, node) or ""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        parameter = _one(node, text, _comment(lines[(node.end_lineno or 1) - 1]))
        found[parameter.name] = parameter
    return list(found.values())


def _one(node: ast.stmt, text: str, comment: str) -> Parameter:
    annotation = ""
    target: ast.expr
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        target, value = node.target, node.value
        annotation = ast.unparse(node.annotation).partition("[")[0]
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    else:
        raise diagnostics.bad_declaration(text, "it assigns nothing")
    if not isinstance(target, ast.Name):
        raise diagnostics.bad_declaration(text, "it assigns to no plain name")
    try:
        default = ast.literal_eval(value)
        json.dumps(default if default is not REQUIRED else None, allow_nan=True)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise diagnostics.bad_declaration(text, "its value is no literal that JSON can hold") from None
    kind = _kind(annotation, default, text)
    choices = _CHOICES.search(comment)
    words = _CHOICES.sub("", comment).strip()
    parameter = Parameter(target.id, kind, default, words)
    if choices:
        values = tuple(from_text(parameter, c.strip()) for c in choices[1].split("|"))
        parameter = Parameter(target.id, kind, default, words, values)
    return parameter


def _kind(annotation: str, default: Any, text: str) -> str:
    if annotation in TYPES or annotation == "any":
        return annotation
    if annotation:
        raise diagnostics.bad_declaration(text, f"there is no type {annotation!r} for parameters")
    kind = type(default).__name__
    return kind if kind in TYPES else "any"


def _comment(line: str) -> str:
    """What stands behind the `#` of a line that is no part of a text in it.

    Examples
    --------
    >>> _comment("a = '#1'  # first")
    'first'
    """
    import io
    import tokenize

    try:
        for token in tokenize.generate_tokens(io.StringIO(line.lstrip()).readline):
            if token.type == tokenize.COMMENT:
                return token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass
    return ""


# ---- values -------------------------------------------------------------------------------------


def checked(runbook: str, parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, each of its declared type; what was not given keeps its default and is left out.

    Parameters
    ----------
    runbook : str
        Its name, for messages.
    parameters : sequence of Parameter
    given : mapping
        Values of JSON.

    Raises
    ------
    WorkbenchError
        JOB101 to JOB106, JOB108.

    Examples
    --------
    >>> checked("r", read("wait: float = 1.5"), {"wait": 3})
    {'wait': 3.0}
    """
    if len(given) > MOST_PARAMETERS:
        raise diagnostics.too_many_parameters(len(given), MOST_PARAMETERS)
    known = {p.name: p for p in parameters}
    if given and not known:
        raise diagnostics.no_parameters_cell(runbook)
    for name in given:
        if not isinstance(name, str) or name not in known:
            raise diagnostics.unknown_parameter(str(name), known)
    missing = [p.name for p in parameters if p.required and p.name not in given]
    if missing:
        raise diagnostics.missing_parameters(missing)
    values = {name: _fitting(known[name], value) for name, value in given.items()}
    size = len(json.dumps(values))
    if size > MOST_BYTES:
        raise diagnostics.too_many_bytes(size, MOST_BYTES)
    return values


def _fitting(parameter: Parameter, value: Any) -> Any:
    wanted = TYPES.get(parameter.type)
    if wanted is not None:
        # A bool is an int to Python; nobody means one who writes the other.
        if not isinstance(value, wanted) or (isinstance(value, bool) and parameter.type != "bool"):
            raise diagnostics.bad_value(parameter.name, _WORDS[parameter.type], value)
        if parameter.type == "float":
            value = float(cast(float, value))
            if not math.isfinite(value):
                raise diagnostics.bad_value(parameter.name, _WORDS["float"], value)
    if parameter.choices and value not in parameter.choices:
        raise diagnostics.not_a_choice(parameter.name, value, map(str, parameter.choices))
    return value


def values(parameters: Sequence[Mapping[str, Any]], given: Sequence[str]) -> dict[str, Any]:
    """Values as a person types them, `NAME=VALUE`, for parameters as `Parameter.shown` gives them.

    Raises
    ------
    WorkbenchError
        JOB102 for a name that is not declared, JOB104 for a value of another type, JOB109 for what is no pair.

    Examples
    --------
    >>> values([{"name": "days", "type": "int"}], ["days=7"])
    {'days': 7}
    """
    declared = {p["name"]: p for p in parameters}
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise diagnostics.no_pair(text)
        if name not in declared:
            raise diagnostics.unknown_parameter(name, declared)
        found[name] = from_text(Parameter(name, declared[name]["type"], None), value)
    return found


def from_text(parameter: Parameter, text: str) -> Any:
    """A value that was written as text (`-p wait=3`) as the type that the parameter has.

    Raises
    ------
    WorkbenchError
        JOB104.

    Examples
    --------
    >>> from_text(Parameter("on", "bool", False), "true")
    True
    """
    if parameter.type == "str":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        if parameter.type == "any":
            return text
        value = {"True": True, "False": False}.get(text, text) if parameter.type == "bool" else text
    return _fitting(Parameter(parameter.name, parameter.type, parameter.default), value)
