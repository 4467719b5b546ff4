"""Plugins of `evaluate`, one or a few to a file. To add one: its file, one line here, one case in
`tests/query/cases/operators/evaluate.test`.
"""

from workbench.query.operators.plugins import (  # noqa: F401
    activity,
    bag_unpack,
    cohorts,
    lookups,
    mining,
    pivot,
    sequences,
    shapes,
    windows,
)
from workbench.query.operators.plugins._card import PLUGINS, OutputSchema, PluginCall, PluginCard

_OUTSIDE = "import what it would fetch: workbench import"
_PROGRAMS = "queries run no other programs here: take the rows into Python with Result.frame"
_CLOUD = "it asks a service of Azure: take the rows into Python with Result.frame"
_GEOGRAPHY = "geography is not computed here: take the rows into Python with Result.frame"

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
    "diffpatterns_text": "reduce finds patterns of texts: compare those of the two sets",
    "dax_request": _OUTSIDE,
    "execute_query": _OUTSIDE,
    "execute_show_command": _OUTSIDE,
    "external_datatable": "bind a DataFrame of the notebook by its name",
    "geo_polygon_lookup": _GEOGRAPHY,
    "geo_line_lookup": _GEOGRAPHY,
    "infer_storage_schema": "workbench import finds the schema of files",
    "infer_storage_schema_with_suggestions": "workbench import finds the schema of files",
}

__all__ = ["PLUGINS", "REFUSED", "OutputSchema", "PluginCall", "PluginCard"]
