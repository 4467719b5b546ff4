"""Tokens → syntax. `parse(text)` is the whole surface, `parse_function` reads a stored function."""

from workbench.query.parser.statements import parse, parse_function

__all__ = ["parse", "parse_function"]
