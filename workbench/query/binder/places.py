"""`workspace("…")`, `database("…")` and their like: whether they mean the workspace that is asked."""

from __future__ import annotations

import fnmatch

from workbench.base.diagnostics import query as diagnostics
from workbench.base.diagnostics import statements
from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.binder import environment
from workbench.query.binder.inside import Inside

PLACES = syntax.PLACES


def is_place(node: syntax.Expression) -> bool:
    """Whether `node` says where a table lies."""
    if isinstance(node, syntax.Qualified):
        return node.call.name in PLACES and is_place(node.base)
    return isinstance(node, syntax.Call) and node.name in PLACES


def here(b: Inside, node: syntax.Expression) -> None:
    """Raise KQL405 where `node` means another workspace than the one that is asked."""
    if isinstance(node, syntax.Qualified):
        here(b, node.base)
        node = node.call
    if not isinstance(node, syntax.Call) or node.name not in PLACES:
        raise diagnostics.expected("database(…) or another place of tables", "something else", node.span)
    if len(node.arguments) > 1:
        raise diagnostics.wrong_count(node.name, "1 argument", len(node.arguments), node.span)
    if not node.arguments:
        return
    argument = node.arguments[0]
    value = str(b.constant(argument, f"the name in {node.name}()", ScalarType.STRING))
    if node.name == "database" and value in b.aliases:
        target = b.aliases.pop(value)  # taken out meanwhile: an alias may not mean itself
        try:
            here(b, target)
        finally:
            b.aliases[value] = target
        return
    known = list(b.hooks.surroundings.names)
    usual = {"", environment.ENDPOINT if node.name == "cluster" else environment.DATABASE}
    own = {n.casefold() for n in (*known, *usual)}
    # A resource id ends in the name: /subscriptions/…/workspaces/NAME.
    meant = (value.casefold(), value.rstrip("/").rsplit("/", 1)[-1].casefold())
    if known and not any(fnmatch.fnmatchcase(name, wanted) for name in own for wanted in meant):
        raise statements.elsewhere(f"{node.name}({value!r})", known, argument.span)
