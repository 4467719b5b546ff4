"""The notebook side: the log search magic and how results look. `%load_ext workbench` comes in here.

Nothing of the engine is imported until the extension is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_CHARTS = ("Chart", "LayerChart", "VConcatChart")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%logsearch` and `%%logsearch`, and how results and charts show themselves.

    A chart made with Altair draws here without a network as long as no Altair renderer was chosen.
    """
    # First of all, so that Polars' hook for interrupts is seen before the kernel hides it.
    from workbench.query.stopping import HOOK

    HOOK.learn()
    from workbench.actions.runbook import step_magic
    from workbench.base.config import default_workspace
    from workbench.kernel_ext import channel, completion
    from workbench.kernel_ext.dashboards.magic import Dashboards
    from workbench.kernel_ext.language import Language
    from workbench.kernel_ext.magics import NOTEBOOK_NAMES, LogSearch
    from workbench.kernel_ext.runbooks import Runbooks
    from workbench.query.result import Result

    magics = LogSearch(shell)
    shell.register_magics(magics)
    shell.register_magics(Dashboards(shell, magics.workspace))
    shell.register_magics(Runbooks(shell))
    step_magic.load(shell)
    language = Language(shell.user_ns, magics.workspace, NOTEBOOK_NAMES)
    completion.load(shell, language)
    inputs = shell.history_manager

    def past() -> list[dict[str, Any]]:
        cells = inputs.input_hist_raw if inputs is not None else ()
        return magics.history.past(default_workspace(), cells)

    channel.load(shell, channel.Channel(language, magics.workspace, past))
    magics.live.begin(default_workspace())
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type(Result, magics.bundle)
    for name in _CHARTS:
        formatter.for_type_by_name("altair.vegalite.v6.api", name, _chart_bundle)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take back what `load_ipython_extension` registered."""
    from workbench.kernel_ext import channel, completion
    from workbench.query.result import Result

    completion.unload(shell)
    channel.unload(shell)
    for kind in ("line", "cell"):
        for name in ("logsearch", "dashboard", "runbook", "step"):
            shell.magics_manager.magics[kind].pop(name, None)
    formatter = shell.display_formatter.mimebundle_formatter
    if Result in formatter:
        formatter.pop(Result)
    for name in _CHARTS:
        formatter.pop(f"altair.vegalite.v6.api.{name}", None)


def _chart_bundle(chart: Any) -> Any:
    """A chart as it draws offline, or as Altair would send it when a renderer was chosen."""
    import altair

    from workbench.kernel_ext.display import of_chart

    if altair.renderers.active != "default":
        return chart._repr_mimebundle_()
    output = of_chart(chart)
    return output.data, output.metadata
