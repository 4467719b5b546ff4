"""Assets: what runbooks need and should not hold: variables, credentials, certificates, connections, modules.

`store.Assets` keeps and hands out; `scrub` keeps the values out of what jobs say. How it is done, and what is not
covered: SECRETS.md.
"""

from __future__ import annotations

from workbench.actions.assets.kinds import Kind
from workbench.actions.assets.store import Assets

__all__ = ["Assets", "Kind"]
