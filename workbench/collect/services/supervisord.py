"""The services of supervisord: its XML-RPC interface, spoken over its unix socket.

A `ServiceManager` like `systemd.Systemd`. The socket (and a password, if it has one) is read from
supervisord's own settings on this machine; a rule can't name another.
"""

from __future__ import annotations

import base64
import configparser
import http.client
import socket
import xmlrpc.client
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from workbench.base.diagnostics import machine as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.services._manager import ACTION_SECONDS, LIST_SECONDS, Service, checked

SETTINGS = (Path("/etc/supervisor/supervisord.conf"), Path("/etc/supervisord.conf"))
_STATES = {
    "STOPPED": "Stopped",
    "STARTING": "Starting",
    "RUNNING": "Running",
    "BACKOFF": "Failed",
    "STOPPING": "Stopping",
    "EXITED": "Stopped",
    "FATAL": "Failed",
}
_BAD_NAME, _ALREADY_STARTED, _NOT_RUNNING = 10, 60, 70


class Supervisord:
    """The programs of one supervisord.

    Parameters
    ----------
    path : Path
        Its unix socket.
    username, password : str, optional
        As its `[unix_http_server]` has them.
    """

    name = "supervisord"

    def __init__(self, path: Path, username: str = "", password: str = "") -> None:
        self._path = path
        self._login = f"{username}:{password}" if username else ""

    @classmethod
    def of_this_machine(cls) -> Supervisord | None:
        """The one that the machine's settings tell of; None where there are none."""
        for settings in SETTINGS:
            if settings.is_file():
                return cls.of_settings(settings)
        return None

    @classmethod
    def of_settings(cls, settings: Path) -> Supervisord | None:
        """The one whose settings these are; None when they open no unix socket or can't be read."""
        parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",), strict=False)
        try:
            parser.read(settings, "utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            return None
        if not parser.has_option("unix_http_server", "file"):
            return None
        section = parser["unix_http_server"]
        return cls(Path(section["file"]), section.get("username", ""), section.get("password", ""))

    def list(self) -> list[Service]:
        with self._proxy(LIST_SECONDS) as proxy:
            told = _call(proxy.supervisor.getAllProcessInfo)
            settings = {(c["group"], c["name"]): c for c in _call(proxy.supervisor.getAllConfigInfo)}
        return [_service(info, settings.get((info["group"], info["name"]), {})) for info in told]

    def state(self, name: str) -> Service:
        services = self.list()
        for service in services:
            if service.name == checked(name):
                return service
        raise diagnostics.no_such_service(name, self.name, [s.name for s in services])

    def start(self, name: str) -> Service:
        return self._told("start", name, ("startProcess",))

    def stop(self, name: str) -> Service:
        return self._told("stop", name, ("stopProcess",))

    def restart(self, name: str) -> Service:
        return self._told("restart", name, ("stopProcess", "startProcess"))

    def _told(self, action: str, name: str, calls: tuple[str, ...]) -> Service:
        self.state(name)
        with self._proxy(ACTION_SECONDS) as proxy:
            for call in calls:
                try:
                    _call(getattr(proxy.supervisor, call), name, True)
                except xmlrpc.client.Fault as fault:
                    if fault.faultCode == _BAD_NAME:
                        raise diagnostics.no_such_service(name, self.name) from fault
                    if fault.faultCode not in (_ALREADY_STARTED, _NOT_RUNNING):
                        raise diagnostics.service_action_failed(action, name, fault.faultString) from fault
        return self.state(name)

    def _proxy(self, seconds: float) -> AbstractContextManager[xmlrpc.client.ServerProxy]:
        return xmlrpc.client.ServerProxy("http://localhost", _Transport(self._path, self._login, seconds))


def _call(method: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return method(*arguments)
    except (OSError, http.client.HTTPException, ExpatError, xmlrpc.client.ProtocolError) as broken:
        raise _away(broken) from broken


def _away(broken: Exception) -> WorkbenchError:
    why = broken.errmsg if isinstance(broken, xmlrpc.client.ProtocolError) else str(broken)
    return diagnostics.manager_away("supervisord", why or type(broken).__name__)


def _service(info: dict[str, Any], settings: dict[str, Any]) -> Service:
    state = str(info["statename"])
    name, group = str(info["name"]), str(info["group"])
    return Service(
        name=name if name == group else f"{group}:{name}",
        manager="supervisord",
        state=_STATES.get(state, "Unknown"),
        detail=state,
        startup="Auto" if settings.get("autostart", True) else "Manual",
        display_name=name,
        # supervisord's own description is the uptime, which is another each time.
        description=str(info.get("spawnerr") or ""),
        account=str(settings.get("uid") or ""),
        path=str(settings.get("command") or ""),
        pid=int(info.get("pid") or 0),
    )


class _Transport(xmlrpc.client.Transport):
    """Speaks to a unix socket, with a time limit and, where there is one, a password."""

    def __init__(self, path: Path, login: str, seconds: float) -> None:
        headers = []
        if login:
            headers = [("Authorization", "Basic " + base64.b64encode(login.encode()).decode())]
        super().__init__(headers=headers)
        self._socket, self._seconds = str(path), seconds

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._socket, self._seconds)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._unix = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._unix)
        except OSError:
            self.sock.close()
            raise
