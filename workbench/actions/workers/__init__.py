"""Workers and their groups: which there are, what they do, and since when nothing is heard of one."""

from __future__ import annotations

from workbench.actions.workers.registry import Workers

__all__ = ["Workers"]
