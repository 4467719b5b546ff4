"""`%%step NAME -o VAR`: a cell that runs once in the life of a job, and gives its variables whenever the job runs again.

It is `workbench.step` for a cell: what the cell leaves in the named variables is the step's result. Outside of a job the
cell just runs, so that a runbook can be written in a notebook.
"""

from __future__ import annotations

import ast
import shlex
from typing import Any

from workbench.actions.runbook import inside
from workbench.base.diagnostics import runbook as diagnostics


def load(shell: Any) -> None:
    """Register the cell magic in an IPython shell."""

    def step(line: str, cell: str) -> None:
        """Run this cell once in the life of its job; its variables come back when the job runs again.

        %%step NAME [-o VAR …]     VAR: what to keep, in what JSON can hold; without one only that it was done
        """
        name, kept = _asked(line)

        def run() -> dict[str, Any]:
            _run(shell, cell)
            missing = [variable for variable in kept if variable not in shell.user_ns]
            if missing:
                raise diagnostics.nothing_to_keep(name, missing[0])
            return {variable: shell.user_ns[variable] for variable in kept}

        shell.push(inside.step(name, run))

    shell.register_magic_function(step, "cell", "step")


def _asked(line: str) -> tuple[str, list[str]]:
    """The step's name and the variables that are kept."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    names, kept = [], []
    while words:
        word = words.pop(0)
        if word in ("-o", "--output") and words and words[0].isidentifier():
            kept.append(words.pop(0))
        elif word.startswith("-"):
            raise diagnostics.bad_step_line(word)
        else:
            names.append(word)
    if len(names) != 1:
        raise diagnostics.bad_step_line(line.strip())
    return names[0], kept


def _run(shell: Any, cell: str) -> None:
    """Run a cell's text as the shell would, its last value shown; what it raises comes through."""
    text = shell.transform_cell(cell)
    name = shell.compile.cache(text)
    tree = ast.parse(text, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), shell.user_global_ns, shell.user_ns)  # noqa: S102 - it is the user's own cell
    if last is not None:
        shown = compile(ast.Interactive([last]), name, "single")
        exec(shown, shell.user_global_ns, shell.user_ns)  # noqa: S102
