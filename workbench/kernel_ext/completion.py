"""Tab and Shift-Tab in log search cells: what the language service knows, through IPython's completer.

The fallback of every front end that has no plugin of ours. A cell of `%%logsearch` and the rest of a line
behind `%logsearch` are KQL; everything else is left to IPython. It only puts what `language` knows into
IPython's form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.cell_query import asked
from workbench.kernel_ext.language import Language
from workbench.kernel_ext.options import FORMS

if TYPE_CHECKING:
    from workbench.query.language import Hover, SignatureHelp


def load(shell: Any, language: Language) -> None:
    """Answer Tab and Shift-Tab in the log search cells of a shell."""

    @context_matcher(identifier="logsearch", priority=200)  # type: ignore[untyped-decorator]
    def logsearch(context: CompletionContext) -> dict[str, Any]:
        lines = context.full_text.split("\n")
        position = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        return _matches(language, context.full_text, position)

    unload(shell)
    shell.Completer.custom_matchers.insert(0, logsearch)
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        kernel.do_inspect = _inspector(language, kernel.do_inspect)


def unload(shell: Any) -> None:
    """Take back what `load` did."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != "logsearch"]
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        vars(kernel).pop("do_inspect", None)


def _matches(language: Language, code: str, position: int) -> dict[str, Any]:
    """The answer to Tab in IPython's form; nothing outside of log searches."""
    nothing: dict[str, Any] = {"completions": []}
    place = asked(code, position)
    if place is None:
        return nothing
    if place.option is not None:
        found = [
            SimpleCompletion(f"{name} ", type="option") for name in FORMS if name.startswith(place.option)
        ]
        return {"completions": found, "matched_fragment": place.option, "suppress": True, "ordered": True}
    try:
        made = language.complete(place)
    except WorkbenchError:
        return nothing
    return {
        "completions": [SimpleCompletion(i.insert, type=i.kind.value) for i in made.items],
        "matched_fragment": place.query[made.replace.start : place.position],
        "suppress": True,
        "ordered": True,
    }


def _inspector(language: Language, usual: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel's answer to Shift-Tab, ours where the cursor stands in a query."""

    def do_inspect(code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()) -> Any:
        place = asked(code, cursor_pos)
        if place is None or place.option is not None:
            return usual(code, cursor_pos, detail_level, omit_sections)
        try:
            found = language.about(place)
        except WorkbenchError:
            found = None
        data = {"text/plain": told(found)} if found is not None else {}
        return {"status": "ok", "found": found is not None, "data": data, "metadata": {}}

    return do_inspect


def told(found: Hover | SignatureHelp) -> str:
    """What is known about a word or a call, as text.

    Examples
    --------
    >>> from workbench.query.language import signature
    >>> print(told(signature("print strlen(", 13)))
    strlen(text: string) → long
    Number of characters, not bytes.
    """
    from workbench.query.language import SignatureHelp

    if isinstance(found, SignatureHelp):
        lines = [found.label, *found.others, found.doc]
    else:
        shown = {"operator", "function", "aggregate", "plugin"}
        lines = [found.detail if found.kind.value in shown else f"{found.label}: {found.detail}", found.doc]
    return "\n".join(line for line in lines if line)
