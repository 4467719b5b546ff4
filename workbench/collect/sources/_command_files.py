"""The commands that a machine offers: one YAML file each in its own `commands.d`, named by the file.

```yaml
# /etc/workbench/commands.d/disk_health.yaml
run: [/usr/sbin/smartctl, --json=c, --all, /dev/sda]
parse: json        # lines (default), json: an object a line, or one array; csv: with a header line
table: DiskHealth_CL
seconds: 30        # time limit
bytes: 1000000     # output limit
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workbench.base.diagnostics import machine as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.sources._own_files import check_folder, own_program, read_own

DEFAULT_TABLE = "CommandOutput_CL"
SUFFIX = ".yaml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}_CL")
_PARSES = ("lines", "json", "csv")
_KEYS = {"run", "parse", "table", "seconds", "bytes", "description"}


@dataclass(frozen=True, slots=True)
class Command:
    """What is run when a rule names it.

    Attributes
    ----------
    name : str
    arguments : tuple of str
        The first as it was written.
    program : Path
        Where the first really lies; what is started.
    parse : str
        `lines`, `json` or `csv`.
    table : str
    seconds : float
    limit : int
        Bytes of output.
    """

    name: str
    arguments: tuple[str, ...]
    program: Path
    parse: str = "lines"
    table: str = DEFAULT_TABLE
    seconds: float = 30.0
    limit: int = 1 << 20


def named(name: str, folder: Path) -> Command:
    """The command of that name.

    Raises
    ------
    WorkbenchError
        `MAC101` for what is no name, `MAC102` when there is none, `MAC103` when others than root and
        the agent's user could have written it, `MAC104` when the file says something else.
    """
    if not _NAME.fullmatch(name):
        raise diagnostics.no_command_name(name)
    path = folder / f"{name}{SUFFIX}"
    try:
        check_folder(folder)
        text = read_own(path)
    except FileNotFoundError as missing:
        raise diagnostics.no_such_command(name, str(folder), names(folder)) from missing
    except OSError as broken:
        raise diagnostics.bad_command(str(path), broken.strerror or str(broken)) from broken
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as broken:
        raise diagnostics.bad_command(str(path), "it is no YAML") from broken
    return _command(name, path, found)


def names(folder: Path) -> list[str]:
    """The names there are; none when the folder can't be read."""
    try:
        return sorted(p.stem for p in folder.iterdir() if p.suffix == SUFFIX)
    except OSError:
        return []


def _command(name: str, path: Path, found: object) -> Command:
    def bad(why: str) -> WorkbenchError:
        return diagnostics.bad_command(str(path), why)

    if not isinstance(found, Mapping) or not set(found) <= _KEYS:
        raise bad(f"it must hold only {', '.join(sorted(_KEYS))}")
    run = found.get("run")
    if not isinstance(run, list) or not run or not all(isinstance(word, str) and word for word in run):
        raise bad("run must be a list of texts: the program and its arguments")
    if not run[0].startswith("/"):
        raise bad(f"the program {run[0]!r} must be named by its whole path")
    parse, table = found.get("parse", "lines"), found.get("table", DEFAULT_TABLE)
    if parse not in _PARSES:
        raise bad(f"parse must be one of {', '.join(_PARSES)}")
    if not isinstance(table, str) or not _TABLE.fullmatch(table):
        raise bad("table must be a name that ends in _CL")
    seconds = _number(found.get("seconds", 30), 600)
    limit = _number(found.get("bytes", 1 << 20), 64 << 20)
    if seconds is None or limit is None:
        raise bad("seconds must be from 1 to 600, bytes from 1 to 67108864")
    try:
        program = own_program(Path(run[0]))
    except OSError as broken:
        raise bad(f"the program {run[0]!r} is not there") from broken
    return Command(name, tuple(run), program, parse, table, float(seconds), limit)


def _number(found: Any, most: int) -> int | None:
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return found if is_number and 1 <= found <= most else None
