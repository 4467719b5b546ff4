"""How a notebook tells of something in a stream of its job: an output that is not shown, but taken as a message."""

from __future__ import annotations

from typing import Any

from workbench.actions.jobs.told import Stream

MIMETYPE = "application/vnd.workbench.stream+json"


def tell(stream: Stream, message: str) -> None:
    """Write a message to a stream of this job; outside of a job it is printed.

    Parameters
    ----------
    stream : Stream
    message : str
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        print(message)  # noqa: T201 - somebody tries the notebook's code in plain Python
        return
    data = {MIMETYPE: {"stream": stream.value, "message": message}}
    shell.display_pub.publish(data)
