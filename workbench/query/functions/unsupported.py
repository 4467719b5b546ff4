"""Functions that are refused by name: the reason and what to use instead."""

from __future__ import annotations

UNSUPPORTED: dict[str, str] = {
    "cluster": "there is one repository here: name the table alone",
    "database": "there is one repository here: name the table alone",
    "cursor_after": "use ingestion_time()",
    "cursor_before_or_at": "use ingestion_time()",
    "cursor_current": "use now()",
    "current_principal": "queries do not know who asks",
    "current_principal_details": "queries do not know who asks",
    "current_principal_is_member_of": "queries do not know who asks",
    "extent_id": "tables here have no extents",
    "extent_tags": "tables here have no extents",
    "FileProfile": "it asks Microsoft's cloud: join a table of file facts instead",
    "external_table": "import the data with: workbench import",
    "materialized_view": "name a table or a let",
    "stored_query_result": "save the rows as a table",
}
