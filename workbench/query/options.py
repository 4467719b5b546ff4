"""The names that `set` and request properties know. Those that mean something here are read by whom they concern:
`limits`, `timerange` and the binder."""

from __future__ import annotations

# What Kusto's engine takes; those that mean something here are read by whom they concern.
OPTIONS = frozenset({
    "best_effort", "block_splitting_enabled", "deferpartialqueryfailures", "materialized_view_shuffle",
    "max_memory_consumption_per_query_per_node", "maxmemoryconsumptionperiterator", "maxoutputcolumns",
    "norequesttimeout", "notruncation", "push_selection_through_aggregation", "query_bin_auto_at",
    "query_bin_auto_size", "query_cursor_after_default", "query_cursor_before_or_at_default",
    "query_cursor_current", "query_cursor_disabled", "query_cursor_scoped_tables", "query_datascope",
    "query_datetimescope_column", "query_datetimescope_from", "query_datetimescope_to",
    "query_distribution_nodes_span", "query_fanout_nodes_percent", "query_fanout_threads_percent",
    "query_force_row_level_security", "query_language", "query_log_query_parameters",
    "query_max_entities_in_union", "query_now", "query_python_debug", "query_results_apply_getschema",
    "query_results_cache_force_refresh", "query_results_cache_max_age", "query_results_cache_per_shard",
    "query_results_progressive_row_count", "query_results_progressive_update_period",
    "query_take_max_records", "query_weakconsistency_session_id", "querytrace", "request_app_name",
    "request_block_row_level_security", "request_callout_disabled", "request_cross_cluster_token",
    "request_description", "request_external_data_disabled", "request_external_table_disabled",
    "request_impersonation_disabled", "request_readonly", "request_readonly_hardline",
    "request_remote_entities_disabled", "request_sandboxed_execution_disabled", "request_user",
    "results_error_reporting_placement", "results_progressive_enabled", "results_v2_fragment_primary_tables",
    "results_v2_newlines_between_frames", "servertimeout", "truncationmaxrecords", "truncationmaxsize",
    "validate_permissions",
})  # fmt: skip
