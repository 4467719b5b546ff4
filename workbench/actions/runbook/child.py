"""The process that runs the notebook of one job with papermill, in a kernel of its own; started warm, used once.

Its parent writes a JSON object a line to its standard input: first the job, later perhaps `{"interrupt": true}`. It
answers on standard output, a JSON object a line: `{"ready": KERNEL_PID}`, `{"cell": n, "of": m}`, `{"stream": …,
"message": …}`, `{"saved": 0 or 1, "size": …}` for the notebook in one of two open files, at last `{"end": …}`. What the end was is what the parent says: this process only tells what it saw.

    python -m workbench.actions.runbook.child FOLDER FILE FILE
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from workbench.actions.jobs.states import Outcome
from workbench.actions.jobs.told import Stream
from workbench.actions.runbook.telling import MIMETYPE

EXIT_LOST = 70
"""The exit status after a kernel that died by itself."""
_INSIDE = "workbench.actions.runbook.inside"
_NOTEBOOK = "kept://executed.ipynb"
MOST_MESSAGE = 32 * 1024
"""Bytes of one message; longer ones are cut into several."""
MOST_STREAM = 1 << 20
"""Bytes of one stream; what comes behind is counted and left out."""


class Teller:
    """Writes what happens as lines of JSON. Safe for threads."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._guard = threading.Lock()
        self._written: dict[str, int] = {}

    def tell(self, **values: Any) -> None:
        with self._guard:
            self._out.write(json.dumps(values) + "\n")
            self._out.flush()

    def message(self, stream: Stream, text: str) -> None:
        """A message, in pieces that a record can hold; a stream that is full says so once."""
        while text:
            piece, text = text[:MOST_MESSAGE], text[MOST_MESSAGE:]
            before = self._written.get(stream, 0)
            self._written[stream] = before + len(piece)
            if before + len(piece) <= MOST_STREAM:
                self.tell(stream=stream, message=piece)
            elif before <= MOST_STREAM:
                self.tell(stream=stream, message=f"(this stream is full after {MOST_STREAM:,} characters)")


class Keeper:
    """Where papermill writes the notebook: by turns into two files that the parent has open too."""

    def __init__(self, files: list[int], teller: Teller) -> None:
        self._files, self._teller, self._turn = files, teller, 0

    def write(self, text: str, _path: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._turn = 1 - self._turn
        file = self._files[self._turn]
        os.ftruncate(file, 0)
        at = 0
        while at < len(data):
            at += os.pwrite(file, data[at:], at)
        self._teller.tell(saved=self._turn, size=len(data))

    def pretty_path(self, path: str) -> str:
        return path


class Kernel:
    """A started kernel, and a client that it answers once it is `ready`."""

    def __init__(self, folder: Path) -> None:
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        # Over files of this user, not over ports of the machine.
        self.manager = AsyncKernelManager(kernel_name="python3", transport="ipc")
        self.manager.connection_file = str(folder / "kernel.json")
        self.manager.ip = str(folder / "kernel")
        # A line such as `time: int = 5` is no call of %time; who wants a magic writes its sign.
        options = ["--HistoryManager.enabled=False", "--InteractiveShell.automagic=False"]
        run_sync(self.manager.start_kernel)(extra_arguments=options, cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()

    def ready(self) -> None:
        """Wait until it answers, and have it load what every job needs."""
        from jupyter_core.utils import run_sync

        run_sync(self.client.wait_for_ready)(timeout=60)
        self.client.allow_stdin = False
        load = f"import {_INSIDE}"
        run_sync(self.client.execute_interactive)(load, silent=True, store_history=False, timeout=60)

    @property
    def pid(self) -> int:
        provisioner: Any = self.manager.provisioner
        return int(provisioner.process.pid)

    def interrupt(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)


def run(job: dict[str, Any], kernel: Kernel, files: list[int], teller: Teller) -> int:
    """Run a job's notebook; the exit status of this process."""
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.iorw import papermill_io

    client = _client_class(teller, job)

    class Engine(NBClientEngine):  # type: ignore[misc]
        """Runs in the kernel that is there already."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_more: Any) -> Any:
            found = client(nb_man, km=kernel.manager, timeout=None, kernel_name=kernel_name)
            found.kc = kernel.client
            return found.execute()

    papermill_engines.register("workbench", Engine)
    papermill_io.register("kept://", Keeper(files, teller))
    notebook = nbformat.from_dict(job["notebook"])
    notebook.metadata.setdefault(
        "kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"}
    )
    try:
        papermill.execute_notebook(
            notebook,
            _NOTEBOOK,
            parameters=job["parameters"],
            engine_name="workbench",
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            autosave_cell_every=1,
        )
    except papermill.PapermillExecutionError as failed:
        waits = failed.ename == "WaitsForPerson"
        if not waits:  # the question is told as the reason why the job is suspended
            teller.message(Stream.ERROR, f"{failed.ename}: {failed.evalue}")
        teller.tell(
            end=Outcome.WAITS if waits else Outcome.FAILED, name=failed.ename, value=str(failed.evalue)[:2000]
        )
        return 0 if waits else 1
    except DeadKernelError:
        teller.tell(end=Outcome.LOST, name="DeadKernelError", value="the kernel died")
        return EXIT_LOST
    teller.tell(end=Outcome.COMPLETED)
    return 0


def _client_class(teller: Teller, job: dict[str, Any]) -> Any:
    from papermill.clientwrap import PapermillNotebookClient

    class Client(PapermillNotebookClient):  # type: ignore[misc]
        """Tells of cells as they start, and of what they print as they print it."""

        def papermill_execute_cells(self) -> None:
            # Silent: neither the notebook nor the kernel's history keeps what opens the service.
            bind = f"import {_INSIDE} as _w; _w.bind({job['inside']!r}); del _w"
            self.wait_for_reply(self.kc.execute(bind, silent=True, store_history=False))
            super().papermill_execute_cells()

        async def async_execute_cell(self, cell: Any, cell_index: int, **more: Any) -> Any:
            teller.tell(cell=cell_index + 1, of=len(self.nb.cells))
            return await super().async_execute_cell(cell, cell_index, **more)

        execute_cell = _synchronous(async_execute_cell)

        def process_message(self, message: dict[str, Any], cell: Any, cell_index: int) -> Any:
            content = message["content"]
            told = content.get("data", {}).get(MIMETYPE) if message["msg_type"] == "display_data" else None
            if told is not None:
                teller.message(Stream(told["stream"]), str(told["message"]))
                return None
            if message["msg_type"] == "stream":
                teller.message(
                    Stream.OUTPUT if content["name"] == "stdout" else Stream.ERROR, content["text"]
                )
            elif message["msg_type"] in ("execute_result", "display_data"):
                teller.message(Stream.OUTPUT, content["data"].get("text/plain", ""))
            return super().process_message(message, cell, cell_index)

    return Client


def _synchronous(method: Any) -> Any:
    from jupyter_core.utils import run_sync

    return run_sync(method)


def main() -> int:
    folder = Path(sys.argv[1])
    # The kernel inherits the standard output: what is written there past Jupyter must not look like an answer.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    teller = Teller(out)
    kernel = Kernel(folder)
    import papermill  # noqa: F401  (loaded before a job is there, while the kernel starts)

    kernel.ready()
    teller.tell(ready=kernel.pid)
    line = sys.stdin.readline()
    if not line:
        os.killpg(kernel.pid, signal.SIGKILL)
        return 0
    threading.Thread(target=_listen, args=(kernel,), daemon=True).start()
    status = run(json.loads(line), kernel, [int(n) for n in sys.argv[2:4]], teller)
    with suppress(ProcessLookupError):
        os.killpg(kernel.pid, signal.SIGKILL)
    out.flush()
    # Nothing is left to do, and clients that wait for a kernel that is gone are not worth a second.
    os._exit(status)


def _listen(kernel: Kernel) -> None:
    for line in sys.stdin:
        if json.loads(line).get("interrupt"):
            kernel.interrupt()


if __name__ == "__main__":
    sys.exit(main())
