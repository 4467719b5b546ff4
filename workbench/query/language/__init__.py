"""What an editor asks about a query that is being written: completion, hover, signatures, findings,
layout, colours. Nothing here runs a query or changes one; every text gets an answer, however broken.

    complete(text, position, source) -> Completion
    hover(text, position, source) -> Hover | None
    signature(text, position, source) -> SignatureHelp | None
    diagnose(text, source) -> list[Diagnostic]
    format(text) -> str
    tokens(text) -> list[SemanticToken]
    complete_sql(text, position, source) -> Completion
    diagnose_sql(text, source) -> list[Diagnostic]
"""

from workbench.query.language.completion import complete
from workbench.query.language.diagnose import diagnose
from workbench.query.language.formatting import format
from workbench.query.language.hover import hover
from workbench.query.language.model import (
    Completion,
    Diagnostic,
    Hover,
    Item,
    Kind,
    Samples,
    SemanticToken,
    Severity,
    SignatureHelp,
)
from workbench.query.language.samples import TableSamples
from workbench.query.language.semantic import tokens
from workbench.query.language.signature import signature
from workbench.query.language.sql import complete_sql, diagnose_sql

__all__ = [
    "Completion",
    "Diagnostic",
    "Hover",
    "Item",
    "Kind",
    "Samples",
    "SemanticToken",
    "Severity",
    "SignatureHelp",
    "TableSamples",
    "complete",
    "complete_sql",
    "diagnose",
    "diagnose_sql",
    "format",
    "hover",
    "signature",
    "tokens",
]
