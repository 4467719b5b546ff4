"""Plugins of `evaluate`, one or a few to a file. To add one: its file, one line here, one case in
`tests/query/cases/operators/evaluate.test`.
"""

from workbench.query.operators.plugins import (  # noqa: F401
    activity,
    bag_unpack,
    lookups,
    pivot,
    shapes,
    windows,
)
from workbench.query.operators.plugins._card import PLUGINS, OutputSchema, PluginCall, PluginCard

_OUTSIDE = "import what it would fetch: workbench import"
_PROGRAMS = "queries run no other programs here: take the rows into Python with Result.frame"
_CLOUD = "it asks a service of Azure"
_MINING = "summarize by the columns of interest, or use reduce for texts"
_SEQUENCES = "use scan, which finds sequences of rows step by step"

REFUSED: dict[str, str] = {
    "python": _PROGRAMS,
    "r": _PROGRAMS,
    "csharp": _PROGRAMS,
    "http_request": _OUTSIDE,
    "http_request_post": _OUTSIDE,
    "sql_request": _OUTSIDE,
    "mysql_request": _OUTSIDE,
    "postgresql_request": _OUTSIDE,
    "cosmosdb_sql_request": _OUTSIDE,
    "azure_digital_twins_query_request": _CLOUD,
    "ai_chat_completion": _CLOUD,
    "ai_chat_completion_prompt": _CLOUD,
    "ai_embeddings": _CLOUD,
    "ai_embed_text": _CLOUD,
    "autocluster": _MINING,
    "basket": _MINING,
    "diffpatterns": _MINING,
    "diffpatterns_text": _MINING,
    "sequence_detect": _SEQUENCES,
    "funnel_sequence": _SEQUENCES,
    "funnel_sequence_completion": _SEQUENCES,
    "new_activity_metrics": "use activity_counts_metrics or activity_metrics",
    "infer_storage_schema": "workbench import finds the schema of files",
    "infer_storage_schema_with_suggestions": "workbench import finds the schema of files",
}

__all__ = ["PLUGINS", "REFUSED", "OutputSchema", "PluginCall", "PluginCard"]
