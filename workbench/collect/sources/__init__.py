"""What the agent reads of its machine: one module a source, each registered under its name."""

from __future__ import annotations

from workbench.base.registry import Registry
from workbench.collect.sources import (
    commands,
    heartbeat,
    integrity,
    journal,
    packages,
    performance,
    processes,
    services,
    text_files,
    updates,
)
from workbench.collect.sources._card import Batch, Machine, Source, SourceCard

SOURCES: Registry[SourceCard] = Registry("source")
for _module in (
    heartbeat,
    performance,
    packages,
    text_files,
    journal,
    services,
    processes,
    updates,
    integrity,
    commands,
):
    SOURCES.add(_module.CARD.name, _module.CARD, _module.__name__)

__all__ = ["SOURCES", "Batch", "Machine", "Source", "SourceCard"]
