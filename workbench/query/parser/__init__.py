"""Tokens → syntax. `parse(text)` is the whole surface."""

from workbench.query.parser.statements import parse

__all__ = ["parse"]
