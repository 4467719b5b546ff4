"""Dashboards for viewers: Voilà behind our log-in, in this process, over just the notebooks that are named.

A viewer's browser talks to widgets of a kernel that is started for it (one waits warm for each notebook); Voilà takes
no message that runs code. Notebooks and their texts are linked into a folder of their own, so that nothing
beside them can be opened.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench.base.access import Access
from workbench.base.diagnostics import dashboards as diagnostics

_MAGIC = re.compile(r"^\s*%dashboard\s+(?P<quote>[\"']?)(?P<file>[^\"'\s]+)(?P=quote)", re.MULTILINE)
# A viewer's browser asks nobody but this server.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_ELSEWHERE = re.compile(rb"""<link\b[^>]*\bhref=["']?(?:https?:)?//[^>]*>""", re.IGNORECASE)
_LOCAL = ("127.0.0.1", "localhost", "::1")


def texts_of(notebook: Path) -> list[Path]:
    """The texts of the dashboards that a notebook shows.

    Raises
    ------
    WorkbenchError
        DSH202 no notebook, DSH203 none in it.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        raise diagnostics.no_notebook(str(notebook)) from None
    sources = ["".join(cell.get("source", "")) for cell in cells if cell.get("cell_type") == "code"]
    found = [notebook.parent / m["file"] for source in sources for m in _MAGIC.finditer(source)]
    if not found:
        raise diagnostics.no_dashboard(str(notebook))
    return found


def serve(
    notebooks: Sequence[Path], access: Access, ready: Callable[[str], None], *,
    host: str = "127.0.0.1", port: int = 0, certificate: str = "", key: str = "", warm: int = 1,
) -> None:  # fmt: skip
    """Serve until the process is told to stop.

    Parameters
    ----------
    access : Access
        Whose tokens open the pages.
    ready : callable
        Told the address when it answers.
    warm : int
        Kernels that wait for each notebook.

    Raises
    ------
    WorkbenchError
        DSH201 to DSH205.
    """
    if host not in _LOCAL and not (certificate and key):
        raise diagnostics.needs_tls(host)
    texts = {notebook: texts_of(notebook) for notebook in notebooks}
    names = [notebook.name for notebook in notebooks]
    for name in names:
        if names.count(name) > 1:
            raise diagnostics.same_name(name)
    try:
        import voila  # noqa: F401
    except ImportError:
        raise diagnostics.no_voila() from None
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
    with tempfile.TemporaryDirectory(prefix="workbench-dashboards-") as folder:
        for notebook, files in texts.items():
            for file in [notebook, *files]:
                place = Path(folder, file.relative_to(notebook.parent))
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    place.symlink_to(file.resolve())
        only = Path(folder, names[0]) if len(names) == 1 else None
        _run(Path(folder), only, access, ready, host, port, tls, warm)


def _run(
    folder: Path, only: Path | None, access: Access, ready: Callable[[str], None], host: str, port: int,
    tls: ssl.SSLContext | None, warm: int,
) -> None:  # fmt: skip
    # Settings of the user's own Jupyter are for the user's own work.
    os.environ["JUPYTER_NO_CONFIG"] = "1"
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop
    from tornado.netutil import bind_sockets
    from tornado.web import OutputTransform
    from traitlets.config import Config
    from voila.app import Voila

    from workbench.kernel_ext.dashboards.identity import TokenIdentity

    class Identity(TokenIdentity):
        pass

    Identity.access = access

    class OfThisServer(OutputTransform):  # type: ignore[misc]
        """Takes style sheets of other servers, fonts of icons, out of Voilà's pages."""

        def transform_first_chunk(self, status_code: int, headers: Any, chunk: bytes, finishing: bool) -> Any:
            self._is_page = headers.get("Content-Type", "").startswith("text/html")
            chunk = self.transform_chunk(chunk, finishing)
            if finishing and "Content-Length" in headers:
                headers["Content-Length"] = str(len(chunk))
            return status_code, headers, chunk

        def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
            return _ELSEWHERE.sub(b"", chunk) if self._is_page else chunk

    class Server(Voila):  # type: ignore[misc]
        """Voilà, listening as we say."""

        def listen(self) -> None:
            sockets = bind_sockets(port, host)
            self.port = sockets[0].getsockname()[1]
            self.app.add_transform(OfThisServer)
            HTTPServer(self.app, ssl_options=tls).add_sockets(sockets)
            self.ioloop = IOLoop.current()
            shown = f"[{host}]" if ":" in host else host
            self.ioloop.add_callback(ready, f"{'https' if tls else 'http'}://{shown}:{self.port}/")
            try:
                self.ioloop.start()
            except KeyboardInterrupt:
                self.log.info("stopping")
            finally:
                self.stop()

    config = Config()
    config.Voila.identity_provider_class = Identity
    config.Voila.open_browser = False
    config.Voila.ip = host
    config.Voila.log_level = "WARN"
    config.VoilaConfiguration.strip_sources = True
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "YES"
    config.VoilaConfiguration.file_allowlist = [r"(?!)"]
    config.VoilaConfiguration.preheat_kernel = warm > 0
    config.VoilaKernelManager.kernel_pools_config = {
        "default": {"pool_size": warm, "kernel_env_variables": {}}
    }
    config.Voila.tornado_settings = {"headers": _HEADERS}
    server: Any = Server(config=config)
    server.initialize([str(only or folder)])
    server.start()
