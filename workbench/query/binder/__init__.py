"""Syntax → plan: names, types, conversions, automatic column names. Imports no engine.

What depends on data (toscalar, bag_unpack) is asked of an `evaluate(plan)` callback.
"""

from workbench.query.binder.binder import Binder, Bound, bind
from workbench.query.binder.inside import Catalog, Hooks

__all__ = ["Binder", "Bound", "Catalog", "Hooks", "bind"]
