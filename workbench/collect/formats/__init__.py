"""What can be imported: one module a format, each registered under its name.

To add one: a module with a `Reader` named `CARD`, and its name in the list below.
"""

from __future__ import annotations

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.registry import Registry
from workbench.collect.formats import csv, dpkg, jsonl, parquet, syslog
from workbench.collect.formats._card import Block, Options, Reader, Refusal
from workbench.collect.streams import Member

__all__ = ["READERS", "Block", "Options", "Reader", "Refusal", "reader_named", "reader_of"]

READERS: Registry[Reader] = Registry("format")
# In the order in which an unnamed stream is tried.
for _module in (parquet, jsonl, dpkg, syslog, csv):
    READERS.add(_module.CARD.name, _module.CARD, _module.__name__)

_HEAD = 1 << 16


def reader_named(name: str) -> Reader:
    """The reader of that name; raises IMP005 for an unknown one."""
    found = READERS.get(name.lower())
    if found is None:
        raise diagnostics.unknown_format(name, list(READERS))
    return found


def reader_of(member: Member) -> Reader:
    """The reader of a stream: by the ending of its name, else by its first bytes.

    Raises
    ------
    WorkbenchError
        IMP004 when neither tells.
    """
    name = member.name().lower()
    for _, reader in READERS.items():
        if name.endswith(tuple(f".{ending}" for ending in reader.endings)):
            return reader
    head = member.stream.peek(_HEAD)
    for _, reader in READERS.items():
        if reader.looks_like(head):
            return reader
    raise diagnostics.unknown_content(member.source, list(READERS))
