"""The agent of a machine: reads its sources, keeps what they read on disk, and sends it to the service.

`spool` (over `segments` and `frames`) keeps, `turns` reads, `sending` sends, `link` is the connection, `enrolment` the agent's
identity, `planning` makes the sources that rules want, `core` puts them together. Nothing here writes a table.
"""

from __future__ import annotations

from workbench.collect.agent.core import Agent
from workbench.collect.agent.link import Endpoint, Link, Unreachable
from workbench.collect.agent.spool import Spool

__all__ = ["Agent", "Endpoint", "Link", "Spool", "Unreachable"]
